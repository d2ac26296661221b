use crate::headers::{text, Headers, REQUEST, REQUEST_TRAILERS};
use crate::{
    body::Body, exchange::exchange_methods, host, problem::problem, response::respond, Error, ErrorCode, Verdict,
};
use alloc::{string::String, vec::Vec};

/// What the client asked for. Only the request hook can change it.
pub struct Request {
    /// The header fields.
    pub headers: Headers,
    /// The whole content.
    pub body: Body,
    /// The header fields behind the body. They can only be read, and only where the body is there, and in the end hook;
    /// elsewhere they are empty.
    pub trailers: Headers,
}

exchange_methods!(Request, headers.buf);

impl Request {
    pub(crate) fn new() -> Request {
        Request {
            headers: Headers::of(REQUEST),
            body: Body::of(REQUEST),
            trailers: Headers::of(REQUEST_TRAILERS),
        }
    }

    /// Returns a path parameter, such as `id` of the route `/orders/:id`, decoded.
    pub fn param(&mut self, name: &str) -> Option<String> {
        let n = host::read(&mut self.headers.buf, |buf| host::param(name, buf))?;
        Some(text(&self.headers.buf[..n]))
    }

    /// Returns the first value of a query parameter, decoded.
    pub fn query_param(&mut self, name: &str) -> Option<String> {
        let n = host::read(&mut self.headers.buf, |buf| host::query(name, buf))?;
        Some(text(&self.headers.buf[..n]))
    }

    /// Makes the answer. A request hook ends with it. In a response hook use `Response::respond`.
    pub fn respond(&mut self, status: u16, body: &[u8], headers: &[(&str, &str)]) -> Result<Verdict, ErrorCode> {
        respond(status, body, headers).map(|()| Verdict::Respond)
    }

    /// Lets go of this copy of the plugin until all fetches that were started are in; then `Plugin::resume_request` goes on. A request
    /// hook ends with it: `r.wait()`.
    pub fn wait(&mut self) -> Result<Verdict, Error> {
        Ok(Verdict::Wait)
    }

    /// Answers with a problem document (RFC 9457) that has the title, the status and the request id. The client sees the
    /// title: it should tell nothing that is not the client's business.
    pub fn respond_problem(
        &mut self,
        status: u16,
        title: &str,
        headers: &[(&str, &str)],
    ) -> Result<Verdict, ErrorCode> {
        let body = problem(status, title, &self.id());
        let mut all = Vec::from(headers);
        all.push(("Content-Type", "application/problem+json"));
        self.respond(status, body.as_bytes(), &all)
    }
}
