use super::{Memory, Phase};
use crate::testing::Fields;

pub const NOT_FOUND: i32 = -1;
pub const INVALID: i32 = -2;
pub const WRONG_PHASE: i32 = -4;
pub const TOO_LARGE: i32 = -5;

/// Returns the fields behind a handle, or a code.
pub fn message(m: &mut Memory, msg: u32) -> Result<&mut Fields, i32> {
    if !m.in_hook() {
        return Err(WRONG_PHASE);
    }
    fields_of(m, msg)
}

fn fields_of(m: &mut Memory, msg: u32) -> Result<&mut Fields, i32> {
    match msg {
        0 => Ok(&mut m.exchange.request),
        1 => Ok(&mut m.exchange.response),
        2 => complete(m, 0).map(move |()| &mut m.exchange.request_trailers),
        3 => complete(m, 1).map(move |()| &mut m.exchange.response_trailers),
        16.. if m.in_head() => m.exchange.fetches.answer(msg).map(|answer| &mut answer.headers),
        16.. => Err(NOT_FOUND),
        _ => Err(INVALID),
    }
}

/// Returns a message's body if it is at hand: the hook has asked for it, or has made it.
pub fn body(m: &mut Memory, msg: u32) -> Result<&mut Vec<u8>, i32> {
    if !m.in_any_hook() {
        return Err(WRONG_PHASE);
    }
    fields_of(m, msg)?;
    match (msg, m.phase) {
        (0, Phase::RequestChunk) | (1, Phase::ResponseChunk) => Ok(&mut m.chunk.bytes),
        (16.., _) => m.exchange.fetches.answer(msg).map(|answer| &mut answer.body),
        (0, Phase::Request) if m.held => Ok(&mut m.exchange.request_body),
        (1, Phase::Response) if m.held => Ok(&mut m.exchange.body),
        (1, _) if m.answered => Ok(&mut m.exchange.body),
        (0 | 1, _) => Err(WRONG_PHASE),
        _ => Err(INVALID),
    }
}

/// Whether a message has come to its end as far as the hook may know.
fn complete(m: &mut Memory, msg: u32) -> Result<(), i32> {
    match m.phase {
        Phase::End => Ok(()),
        Phase::ResponseChunk if msg == 1 && m.chunk.last => Ok(()),
        _ if m.in_chunk() => Err(WRONG_PHASE),
        _ => body(m, msg).map(drop),
    }
}

/// Whether a message is one that hooks may change.
pub fn changeable(m: &mut Memory, msg: u32) -> Result<(), i32> {
    match msg {
        2 | 3 => Err(WRONG_PHASE),
        16.. => Err(INVALID),
        _ => fields_of(m, msg).map(drop),
    }
}

/// Is `message` for functions that change it.
pub fn writable<'m>(m: &'m mut Memory, msg: u32, name: &str, value: &str) -> Result<&'m mut Fields, i32> {
    if !m.in_head() {
        return Err(WRONG_PHASE);
    }
    changeable(m, msg)?;
    let late = msg == 0 && m.phase != Phase::Request;
    let fields = message(m, msg)?;
    if late {
        return Err(WRONG_PHASE);
    }
    if name.len() > 256 || value.len() > 16 << 10 {
        return Err(TOO_LARGE);
    }
    if !token(name) || !printable(value) || connection_field(name) {
        return Err(INVALID);
    }
    Ok(fields)
}

/// Whether a message stays within the limits with one field more; with `only`, fields of that name give their room back.
pub fn room_for(fields: &Fields, name: &str, value: &str, only: bool) -> bool {
    let stay = || fields.0.iter().filter(|(n, _)| !only || !n.eq_ignore_ascii_case(name));
    let size: usize = stay().map(|(n, v)| n.len() + v.len()).sum();
    stay().count() < 256 && size + name.len() + value.len() <= 64 << 10
}

/// Whether a field belongs to the connection or the framing, which plugins do not reach.
pub fn connection_field(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
            | "content-length"
    )
}

/// Whether a field describes a body that is replaced.
pub fn describes_content(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "accept-ranges" | "etag" | "last-modified" | "digest" | "repr-digest" => true,
        "content-security-policy" | "content-security-policy-report-only" => false,
        _ => name.starts_with("content-"),
    }
}

/// Whether s is a token of RFC 9110, section 5.6.2.
pub fn token(s: &str) -> bool {
    !s.is_empty() && visible(s) && !s.contains(|c| "\"(),/:;<=>?@[\\]{}".contains(c))
}

/// Whether s is visible ASCII.
pub fn visible(s: &str) -> bool {
    s.chars().all(|c| c.is_ascii_graphic())
}

/// Whether s holds no control character but tab.
pub fn printable(s: &str) -> bool {
    !s.chars().any(|c| c < ' ' && c != '\t' || c == '\x7f')
}

/// Decodes percent-encoding and `+`; an invalid one stands for itself.
pub fn decode(s: &str) -> String {
    let (b, mut out, mut i) = (s.as_bytes(), Vec::new(), 0);
    while i < b.len() {
        let code = s.get(i + 1..i + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (b[i], code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 2;
            }
            (b'+', _) => out.push(b' '),
            (c, _) => out.push(c),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
