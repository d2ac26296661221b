use crate::headers::{Headers, RESPONSE, RESPONSE_TRAILERS};
use crate::{body::Body, error::check, exchange::exchange_methods, host, Error, ErrorCode, Request};

/// The answer on its way back, from the upstream, the gateway or another filter.
pub struct Response {
    /// The header fields.
    pub headers: Headers,
    /// The whole content.
    pub body: Body,
    /// As those of the request.
    pub trailers: Headers,
    /// The request that is answered.
    pub request: Request,
    pub(crate) waits: bool,
}

exchange_methods!(Response, headers.buf);

impl Response {
    pub(crate) fn new() -> Response {
        Response {
            headers: Headers::of(RESPONSE),
            body: Body::of(RESPONSE),
            trailers: Headers::of(RESPONSE_TRAILERS),
            request: Request::new(),
            waits: false,
        }
    }

    /// Returns the status code; in the end hook 0 if there was no answer.
    pub fn status(&self) -> u16 {
        host::status(RESPONSE).max(0) as u16
    }

    /// Changes the status code, 200 to 599; headers and body stay.
    pub fn set_status(&mut self, code: u16) -> Result<(), ErrorCode> {
        check(host::set_status(code.into())).map(drop)
    }

    /// Is `Request::wait` for a response hook, after which `Plugin::resume_response` goes on: `r.wait()`.
    pub fn wait(&mut self) -> Result<(), Error> {
        self.waits = true;
        Ok(())
    }

    /// Replaces status and body, and drops the headers that described the old body, before it adds the given ones.
    pub fn respond(&mut self, status: u16, body: &[u8], headers: &[(&str, &str)]) -> Result<(), ErrorCode> {
        respond(status, body, headers)
    }
}

/// Makes the answer. It comes before the headers: in a response hook it drops those of the old content.
pub(crate) fn respond(status: u16, body: &[u8], headers: &[(&str, &str)]) -> Result<(), ErrorCode> {
    check(host::respond(status.into(), body))?;
    for (name, value) in headers {
        check(host::header_add(RESPONSE, name, value))?;
    }
    Ok(())
}
