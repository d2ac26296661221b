//! Hmac-auth lets requests pass that are signed with a secret that client and gateway share, and says who signed them.

mod credential;
mod settings;
mod sha256;
#[cfg(test)]
mod tests;
mod text;

use credential::Credential;
use sallyport::{log, now, random, Error, Hooks, Level, Plugin, Request, Store, Verdict};
use settings::{Key, Settings};
use std::time::Duration;

struct HmacAuth {
    settings: Settings,
    /// Stands for the secret of keys that are unknown, so that those cost the same time.
    nobody: [u8; 32],
}

sallyport::register!(HmacAuth);

/// Why a request may not pass. Clients are not told of what is missing, malformed or wrong.
enum Refusal {
    Missing,
    Malformed,
    Wrong,
    Stale,
    Replayed,
    /// The store cannot be asked.
    Unknown,
}

impl Refusal {
    /// Returns what operators are told.
    fn told(&self) -> &'static str {
        match self {
            Refusal::Missing => "There is no signature",
            Refusal::Malformed => {
                "The signature is malformed, lacks a nonce, or what it signs can be understood in two ways"
            }
            Refusal::Wrong => "The key is unknown, or the signature does not fit the request",
            Refusal::Stale => "The signature is too old, or from the future",
            Refusal::Replayed => "The signature was used before",
            Refusal::Unknown => "The store of used signatures cannot be asked",
        }
    }
}

impl Plugin for HmacAuth {
    fn configure(raw: &str) -> Result<Self, Error> {
        let mut nobody = [0; 32];
        random(&mut nobody)?;
        Ok(HmacAuth {
            settings: Settings::read(raw)?,
            nobody,
        })
    }

    fn hooks(&self) -> Hooks {
        match self.settings.body {
            true => Hooks::REQUEST_BODY,
            false => Hooks::REQUEST,
        }
    }

    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        let challenge = &self.settings.challenge;
        let refusal = match self.verify(r)? {
            Ok(key) => return self.tell(r, key),
            Err(refusal) => refusal,
        };
        r.set_attr("refusal", refusal.told())?;
        let challenge = match refusal {
            Refusal::Unknown => return Ok(r.respond_problem(503, "Service Unavailable", &[])?),
            Refusal::Missing | Refusal::Malformed | Refusal::Wrong => challenge.clone(),
            Refusal::Stale => with_error(challenge, "stale"),
            Refusal::Replayed => with_error(challenge, "replayed"),
        };
        Ok(r.respond_problem(401, "Unauthorized", &[("WWW-Authenticate", &challenge)])?)
    }
}

fn with_error(challenge: &str, error: &str) -> String {
    let separator = if challenge.contains(' ') { "," } else { "" };
    format!("{}{} error=\"{}\"", challenge, separator, error)
}

impl HmacAuth {
    /// Returns the key that a request is signed with.
    fn verify(&self, r: &mut Request) -> Result<Result<&Key, Refusal>, Error> {
        let mut shown = r.headers.values("Authorization");
        let shown = match (shown.pop(), shown.is_empty()) {
            (Some(value), true) => value,
            (None, _) => return Ok(Err(Refusal::Missing)),
            _ => return Ok(Err(Refusal::Malformed)),
        };
        let (c, created) = match credential::parse(&shown).and_then(|c| Some((credential::seconds(c.created)?, c))) {
            Some((created, c)) if !self.settings.nonce || !c.nonce.is_empty() => (c, created),
            _ => return Ok(Err(Refusal::Malformed)),
        };
        let age = now() / 1_000_000_000 - created;
        if age.abs() > self.settings.skew {
            return Ok(Err(Refusal::Stale));
        }
        let message = match self.message(r, &c)? {
            Some(message) => message,
            None => return Ok(Err(Refusal::Malformed)),
        };
        let key = self.settings.keys.iter().find(|key| key.id == c.id);
        let secret = key.map_or(&self.nobody[..], |key| key.secret.as_bytes());
        let mac = sha256::hmac(secret, &[message.as_bytes()]);
        let genuine = text::same(text::base64(&mac).as_bytes(), c.signature.as_bytes());
        Ok(match key {
            Some(key) if genuine => self.first_time(&mac, self.settings.skew - age + 1).map(|()| key),
            _ => Err(Refusal::Wrong),
        })
    }

    /// Writes what is signed, a line each; None if it could be understood in two ways.
    fn message(&self, r: &mut Request, c: &Credential) -> Result<Option<String>, Error> {
        if self.has_double(r) {
            return Ok(None);
        }
        let mut lines = [credential::SCHEME, c.id, c.created, c.nonce].join("\n");
        for part in [r.method(), r.host(), r.path(), r.query()] {
            lines.push('\n');
            lines.push_str(&part);
        }
        lines.push('\n');
        if self.settings.body {
            lines.push_str(&text::hex(&sha256::sum(r.body.bytes()?)));
        }
        for name in &self.settings.headers {
            let values = r.headers.values(name);
            lines.push('\n');
            lines.push_str(name);
            match values.as_slice() {
                [] => {}
                [value] if !value.contains(char::REPLACEMENT_CHARACTER) => {
                    lines.push(':');
                    lines.push_str(value);
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(lines))
    }

    /// Tells whether a header that is signed is also there in a spelling that many servers take for the same.
    fn has_double(&self, r: &mut Request) -> bool {
        let double = |name: &[u8], signed: &[u8]| text::alike(name, signed) && !name.eq_ignore_ascii_case(signed);
        let mut found = false;
        r.headers.each(|name, _| {
            found = self
                .settings
                .headers
                .iter()
                .any(|signed| double(name, signed.as_bytes()));
            !found
        });
        found
    }

    /// Notes a signature until it is too old, and refuses one that was noted before.
    fn first_time(&self, mac: &sha256::Digest, seconds: i64) -> Result<(), Refusal> {
        if !self.settings.replay {
            return Ok(());
        }
        let ttl = Duration::from_secs(seconds.max(1) as u64);
        match Store::own().insert(&text::hex(mac), b"1", Some(ttl)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::Replayed),
            Err(code) => {
                log(Level::Warn, &format!("nobody knows whether a request is new: {}", code));
                Err(Refusal::Unknown)
            }
        }
    }

    /// Says who signed the request, and takes away what the client says of that.
    fn tell(&self, r: &mut Request, key: &Key) -> Result<Verdict, Error> {
        let mut forged = Vec::new();
        r.headers.each(|name, _| {
            let own = name.get(..10).map_or(false, |start| text::alike(start, b"x-consumer"));
            if own && matches!(name.get(10), None | Some(b'-' | b'_')) {
                forged.push(String::from_utf8_lossy(name).into_owned());
            }
            true
        });
        for name in forged {
            r.headers.remove(&name)?;
        }
        if self.settings.hide {
            r.headers.remove("Authorization")?;
        }
        r.set_consumer(&key.consumer)?;
        r.headers.set("X-Consumer", &key.consumer)?;
        if !key.groups.is_empty() {
            r.set_attr("groups", &key.groups)?;
            r.headers.set("X-Consumer-Groups", &key.groups)?;
        }
        Ok(Verdict::Continue)
    }
}
