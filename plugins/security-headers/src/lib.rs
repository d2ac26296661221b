//! Security-headers gives every response the headers by which browsers protect their users, and takes away those that tell
//! what the server is made of.

mod settings;
#[cfg(test)]
mod tests;

use sallyport::{Error, Hooks, Plugin, Response};
use settings::Settings;

struct SecurityHeaders(Settings);

sallyport::register!(SecurityHeaders);

impl Plugin for SecurityHeaders {
    fn configure(raw: &str) -> Result<Self, Error> {
        Settings::read(raw).map(SecurityHeaders)
    }

    fn hooks(&self) -> Hooks {
        Hooks::RESPONSE
    }

    fn response(&mut self, r: &mut Response) -> Result<(), Error> {
        let https = r.request.scheme() == "https";
        for name in &self.0.remove {
            r.headers.remove(name)?;
        }
        // One look at all that is there costs less than a question for each.
        let mut there = 0u32;
        if !self.0.replace {
            let headers = &self.0.headers;
            r.headers.each(|name, _| {
                let known = |h: &settings::Header| name.eq_ignore_ascii_case(h.name.as_bytes());
                if let Some(i) = headers.iter().position(known) {
                    there |= 1 << i;
                }
                true
            });
        }
        for (i, header) in self.0.headers.iter().enumerate() {
            if (header.https_only && !https) || there >> i & 1 == 1 {
                continue;
            }
            r.headers.set(header.name, &header.value)?;
        }
        Ok(())
    }
}
