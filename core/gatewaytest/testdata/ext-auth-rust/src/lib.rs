//! Ext-auth asks a service of yours about every request: who sends it, and whether it may pass.

use sallyport::{config, fetched, start_fetch, Error, FetchRequest, Histogram, Hooks, Plugin, Request, Verdict};
use std::time::Duration;

struct ExtAuth {
    upstream: String,
    timeout: Option<Duration>,
    seconds: Histogram,
}

sallyport::register!(ExtAuth);

/// The fetches, by their numbers.
const IDENTITY: u32 = 0;
const PERMISSION: u32 = 1;

impl Plugin for ExtAuth {
    fn configure(raw: &str) -> Result<Self, Error> {
        let mut p = ExtAuth {
            upstream: "auth".into(),
            timeout: None,
            seconds: Histogram::new("ext_auth_seconds", &[]),
        };
        config::read(raw, |key, v| {
            match key {
                "upstream" => p.upstream = v.string()?,
                "timeout_ms" => p.timeout = Some(Duration::from_millis(v.int(1, 60_000)? as u64)),
                _ => {}
            }
            Ok(())
        })?;
        Ok(p)
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST
    }

    /// Sends both questions at once, and holds no copy of the plugin while they are answered.
    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        let (token, method, path) = (r.headers.get("Authorization"), r.method(), r.path());
        let headers = [
            ("Authorization", token.as_deref().unwrap_or_default()),
            ("X-Original-Method", &method),
            ("X-Original-Path", &path),
        ];
        for path in ["/identity", "/permission"] {
            let question = FetchRequest {
                path,
                headers: &headers,
                timeout: self.timeout,
                ..FetchRequest::default()
            };
            start_fetch(&self.upstream, &question)?;
        }
        // Another copy may go on: what it must know is kept by the gateway.
        r.set_state(&sallyport::now().to_le_bytes())?;
        r.wait()
    }

    /// Goes on when both answers are in. Without them the hook fails: on_error decides.
    fn resume_request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        let asked = r.state().try_into().map_or(0, i64::from_le_bytes);
        self.seconds.observe((sallyport::now() - asked) as f64 / 1e9)?;
        let (mut who, may) = (fetched(IDENTITY)?, fetched(PERMISSION)?);
        let user = who.headers.get("X-User").unwrap_or_default();
        if who.status() != 200 || may.status() != 200 || user.is_empty() {
            return Ok(r.respond_problem(403, "Forbidden", &[])?);
        }
        r.set_consumer(&user)?;
        r.headers.set("X-User", &user)?;
        Ok(Verdict::Continue)
    }
}
