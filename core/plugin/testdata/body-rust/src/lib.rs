//! Body reads every request's body, and refuses one that does not end as it begins.

use sallyport::{Error, Hooks, Plugin, Request, Verdict};

struct Body;

sallyport::register!(Body);

impl Plugin for Body {
    fn configure(_config: &str) -> Result<Self, Error> {
        Ok(Body)
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST_BODY
    }

    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        let body = r.body.bytes()?;
        if body.is_empty() || body.first() != body.last() {
            return Ok(r.respond(422, b"", &[])?);
        }
        Ok(Verdict::Continue)
    }
}
