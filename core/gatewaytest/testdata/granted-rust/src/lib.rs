//! Granted uses all that a plugin can be granted, and says in its answer how each went: a token's attempts are limited, counted in a
//! store that plugins share, and the last token is remembered in a store of its own.

use sallyport::{secret, take, Counter, Error, Histogram, Hooks, Plugin, Request, Store, Verdict};
use std::time::Duration;

struct Granted {
    requests: Counter,
    lengths: Histogram,
    shared: Store,
    own: Store,
}

sallyport::register!(Granted);

impl Plugin for Granted {
    fn configure(_config: &str) -> Result<Self, Error> {
        secret("hmac")?;
        Ok(Granted {
            requests: Counter::new("requests", &[("by", "token")]),
            lengths: Histogram::new("token_bytes", &[]),
            shared: Store::shared("shared"),
            own: Store::own(),
        })
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST
    }

    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        let token = r.headers.get("X-Token").unwrap_or_default();
        if take("login", &token, 1)? > Duration::from_secs(0) {
            return Ok(r.respond(429, b"", &[])?);
        }
        self.requests.add(1)?;
        self.lengths.observe(token.len() as f64)?;
        let n = self
            .shared
            .add(&format!("attempts/{token}"), 1, Some(Duration::from_secs(3600)))?;
        let last = self.remember(&token)?;
        let secret = secret("hmac")?;
        let denied = Store::shared("other").get("a").unwrap_err();
        let answer = format!("{n} after {last} {secret} {denied}");
        Ok(r.respond(200, answer.as_bytes(), &[])?)
    }
}

impl Granted {
    /// Puts token in the place of the last one, which it returns.
    fn remember(&mut self, token: &str) -> Result<String, Error> {
        let last = match self.own.get("last")? {
            Some(last) => last,
            None => {
                self.own.insert("last", token.as_bytes(), None)?;
                return Ok("nobody".into());
            }
        };
        if token == "forget" {
            self.own.delete("last")?;
        } else {
            let minute = Some(Duration::from_secs(60));
            self.own.swap("last", &last, token.as_bytes(), minute)?;
        }
        Ok(String::from_utf8_lossy(&last).into_owned())
    }
}
