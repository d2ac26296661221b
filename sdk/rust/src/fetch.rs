use crate::{body::Body, error::check, headers::Headers, host, kv::milliseconds, metric::encode, ErrorCode};
use alloc::vec::Vec;
use core::time::Duration;

/// A request of the plugin's own. The default is a GET of /.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchRequest<'a> {
    /// "GET" if empty.
    pub method: &'a str,
    /// With its query; "/" if empty.
    pub path: &'a str,
    /// The host that is asked for; the endpoint's address if empty.
    pub authority: &'a str,
    /// The request id goes along as X-Request-Id, unless that is among them.
    pub headers: &'a [(&'a str, &'a str)],
    /// At most 1 MiB.
    pub body: &'a [u8],
    /// Rounded up to milliseconds; `None` for the gateway's `fetch_timeout`, which is also the most.
    pub timeout: Option<Duration>,
}

/// What an upstream answered to a fetch, whatever its status. It can be read until the exchange ends, in request and response
/// hooks. Its body is there whole, up to 1 MiB; a larger one is `ErrorCode::Unavailable`.
pub struct Answer {
    /// The header fields.
    pub headers: Headers,
    /// The whole content.
    pub body: Body,
    message: u32,
}

impl Answer {
    fn of(message: u32) -> Answer {
        Answer {
            headers: Headers::of(message),
            body: Body::of(message),
            message,
        }
    }

    /// Returns the answer's status code.
    pub fn status(&self) -> u16 {
        host::status(self.message).max(0) as u16
    }
}

/// The handle of the first fetch's answer. Those after it count up.
const FIRST_FETCH: u32 = 16;

/// Asks an upstream of gateway.toml, by the grant `fetch:NAME`, and waits for the answer. The copy of the plugin is held meanwhile, and the
/// gateway lets only some (`max_waiting`) hold still at once: `ErrorCode::Unavailable` for those beyond, as for an upstream that does not
/// answer. `ErrorCode::TimedOut` when the time is over. To wait without being held, or for several at once, use `start_fetch`.
///
/// What was asked cannot be undone: a hook that fails afterwards is not tried again.
pub fn fetch(upstream: &str, request: &FetchRequest) -> Result<Answer, ErrorCode> {
    let ms = milliseconds(request.timeout)?;
    let id = check(host::fetch(upstream, &request.fields(), request.body, ms))?;
    Ok(Answer::of(id as u32))
}

/// Is `fetch` without waiting. It returns the fetch's number: 0 for the first one of this filter in this exchange, 1 for the next, those of
/// `fetch` counted, too; at most 16. When all are started, `r.wait()`.
pub fn start_fetch(upstream: &str, request: &FetchRequest) -> Result<u32, ErrorCode> {
    let ms = milliseconds(request.timeout)?;
    let id = check(host::fetch_start(upstream, &request.fields(), request.body, ms))?;
    Ok(id as u32 - FIRST_FETCH)
}

/// Returns the answer to the fetch of that number. `ErrorCode::TimedOut` or `Unavailable` if there is none, `Cancelled` if the client has
/// gone, `Conflict` while it is under way, `NotFound` if no fetch has the number.
pub fn fetched(number: u32) -> Result<Answer, ErrorCode> {
    let id = number.checked_add(FIRST_FETCH).ok_or(ErrorCode::NotFound)?;
    check(host::fetch_result(id))?;
    Ok(Answer::of(id))
}

impl FetchRequest<'_> {
    /// Writes the head as a field list (sdk/ABI.md, section 10).
    fn fields(&self) -> Vec<u8> {
        let pseudo = [
            (":method", self.method),
            (":path", self.path),
            (":authority", self.authority),
        ];
        let mut all = Vec::with_capacity(pseudo.len() + self.headers.len());
        all.extend(pseudo.iter().filter(|(_, value)| !value.is_empty()));
        all.extend_from_slice(self.headers);
        encode(&all)
    }
}
