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
        for header in &self.0.headers {
            if (header.https_only && !https) || (!self.0.replace && r.headers.has(header.name)) {
                continue;
            }
            r.headers.set(header.name, &header.value)?;
        }
        Ok(())
    }
}
