use crate::{error::check, host, ErrorCode};
use alloc::{string::String, vec::Vec};

/// The messages' handles.
pub(crate) const REQUEST: u32 = 0;
pub(crate) const RESPONSE: u32 = 1;
pub(crate) const REQUEST_TRAILERS: u32 = 2;
pub(crate) const RESPONSE_TRAILERS: u32 = 3;

/// The header fields of a message. Names are compared without regard to case. Host is not among them: there is
/// `Request::host`. Those that belong to the connection or to the framing of the body (Connection, Content-Length, …) are
/// never there, and writing them is `ErrorCode::Invalid`. Bytes of a value that are no UTF-8 are replaced in a `String`.
pub struct Headers {
    message: u32,
    pub(crate) buf: Vec<u8>,
}

impl Headers {
    pub(crate) fn of(message: u32) -> Headers {
        Headers {
            message,
            buf: Vec::new(),
        }
    }

    /// Returns the first value of a header.
    pub fn get(&mut self, name: &str) -> Option<String> {
        self.bytes(name).map(text)
    }

    /// Returns the first value of a header without copying it.
    pub fn bytes(&mut self, name: &str) -> Option<&[u8]> {
        let message = self.message;
        let n = host::read(&mut self.buf, |buf| host::header_get(message, name, buf))?;
        Some(&self.buf[..n])
    }

    /// Tells whether there is a header of that name.
    pub fn has(&self, name: &str) -> bool {
        host::header_get(self.message, name, &mut []) >= 0
    }

    /// Returns every value of a header, in order.
    pub fn values(&mut self, name: &str) -> Vec<String> {
        self.list(name).into_iter().map(|(_, value)| value).collect()
    }

    /// Returns every header, name and value, in order.
    pub fn all(&mut self) -> Vec<(String, String)> {
        self.list("")
    }

    /// Calls visit with every header, in order, without copying, until it returns false.
    pub fn each(&mut self, visit: impl FnMut(&[u8], &[u8]) -> bool) {
        let message = self.message;
        let n = host::read(&mut self.buf, |buf| host::header_all(message, "", buf));
        each_of_list(&self.buf[..n.unwrap_or(0)], visit);
    }

    fn list(&mut self, name: &str) -> Vec<(String, String)> {
        let message = self.message;
        let n = host::read(&mut self.buf, |buf| host::header_all(message, name, buf));
        decode_list(&self.buf[..n.unwrap_or(0)]).unwrap_or_default()
    }

    /// Makes value the only one of a header.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ErrorCode> {
        check(host::header_set(self.message, name, value)).map(drop)
    }

    /// Appends a header.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), ErrorCode> {
        check(host::header_add(self.message, name, value)).map(drop)
    }

    /// Deletes every header of that name.
    pub fn remove(&mut self, name: &str) -> Result<(), ErrorCode> {
        check(host::header_remove(self.message, name)).map(drop)
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads a field list (sdk/ABI.md, section 10): count, the lengths of names and values, their bytes.
fn decode_list(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut list = Vec::with_capacity(number(bytes, 0)?);
    each_of_list(bytes, |name, value| {
        list.push((text(name), text(value)));
        true
    })?;
    Some(list)
}

/// Visits the fields of a field list in place.
fn each_of_list(bytes: &[u8], mut visit: impl FnMut(&[u8], &[u8]) -> bool) -> Option<()> {
    let count = number(bytes, 0)?;
    let mut texts = bytes.get(4 + 8 * count..)?;
    for i in 0..count {
        let (name, rest) = cut(texts, number(bytes, 4 + 8 * i)?)?;
        let (value, rest) = cut(rest, number(bytes, 8 + 8 * i)?)?;
        if !visit(name, value) {
            break;
        }
        texts = rest;
    }
    Some(())
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let b = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
}

fn cut(bytes: &[u8], n: usize) -> Option<(&[u8], &[u8])> {
    Some((bytes.get(..n)?, bytes.get(n..)?))
}
