//! Orders takes only orders that name an item, hides the digits in what comes back, and logs how each exchange ended.

use sallyport::{Error, Hooks, Level, Plugin, Request, Response, Verdict};

struct Orders;

sallyport::register!(Orders);

impl Plugin for Orders {
    fn configure(_config: &str) -> Result<Self, Error> {
        Ok(Orders)
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST_BODY | Hooks::RESPONSE_BODY | Hooks::END
    }

    /// Refuses orders that do not name an item.
    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        let body = r.body.bytes()?;
        if body.is_empty() || names_an_item(body) {
            return Ok(Verdict::Continue);
        }
        Ok(r.respond_problem(422, "an order must name an item", &[])?)
    }

    /// Hides digits. An answer without content, such as that to a HEAD, stays as it is.
    fn response(&mut self, r: &mut Response) -> Result<(), Error> {
        if r.body.size()? == 0 {
            return Ok(());
        }
        r.body
            .edit(|body| body.iter_mut().filter(|c| c.is_ascii_digit()).for_each(|c| *c = b'#'))?;
        r.headers.set("Content-Type", "text/plain; digits=hidden")?;
        Ok(())
    }

    /// Says how an exchange ended.
    fn end(&mut self, r: &mut Response) {
        let (status, checksum) = (r.status(), r.request.trailers.get("Checksum"));
        sallyport::log(
            Level::Info,
            &format!("ended with {} {}", status, checksum.unwrap_or_default()),
        );
    }
}

/// Looks for the member without reading the JSON: a plugin in earnest takes a crate for that.
fn names_an_item(body: &[u8]) -> bool {
    body.windows(8).any(|w| w == b"\"item\": " || w == b"\"item\":\"")
}
