use crate::{error::check, host, ErrorCode};
use alloc::{vec, vec::Vec};

/// The step by which the room for a body grows.
const ROOM: usize = 4 << 10;

/// The whole content of a message. The request's is there in the request hook of a plugin with `Hooks::REQUEST_BODY`, the
/// response's in the response hook of one with `Hooks::RESPONSE_BODY`; elsewhere every method returns
/// `ErrorCode::WrongPhase`. (An answer that the hook has made itself with `respond` can be read and written again.) The
/// bytes are as they came: a Content-Encoding is not undone. Content-Length is the gateway's business.
pub struct Body {
    pub(crate) message: u32,
    buf: Vec<u8>,
}

impl Body {
    pub(crate) fn of(message: u32) -> Body {
        Body {
            message,
            buf: Vec::new(),
        }
    }

    /// Returns the body without a copy of its own.
    pub fn bytes(&mut self) -> Result<&[u8], ErrorCode> {
        let n = self.fill()?;
        Ok(&self.buf[..n])
    }

    /// Returns the body in memory of its own, to be kept or changed and then `set`.
    pub fn copy(&self) -> Result<Vec<u8>, ErrorCode> {
        let mut whole = vec![0; self.size()?];
        self.read_at(&mut whole, 0)?;
        Ok(whole)
    }

    /// Returns the body's length in bytes.
    pub fn size(&self) -> Result<usize, ErrorCode> {
        Ok(check(host::body_size(self.message))? as usize)
    }

    /// Copies the body from an offset on, as much as there is and fits, and returns how much that was, 0 at the end: for
    /// those who need a part of it.
    pub fn read_at(&self, buf: &mut [u8], offset: u32) -> Result<usize, ErrorCode> {
        Ok(check(host::body_read(self.message, offset, buf))? as usize)
    }

    /// Replaces the body with a copy of data, at most 1 MiB. No header changes: Content-Type, Content-Encoding and ETag are
    /// the plugin's to set or remove when they are no longer true.
    pub fn set(&mut self, data: &[u8]) -> Result<(), ErrorCode> {
        check(host::body_write(self.message, data)).map(drop)
    }

    /// Changes bytes of the body where they are, without a copy of its own; the length stays.
    pub fn edit(&mut self, change: impl FnOnce(&mut [u8])) -> Result<(), ErrorCode> {
        let n = self.fill()?;
        change(&mut self.buf[..n]);
        check(host::body_write(self.message, &self.buf[..n])).map(drop)
    }

    /// Reads the whole body into buf and returns its length.
    fn fill(&mut self) -> Result<usize, ErrorCode> {
        let n = self.read_at_start()?;
        if n < self.buf.len() {
            return Ok(n);
        }
        let size = self.size()?; // there may be more
        if size > n {
            // One byte more than the body, so that the next one of this size takes a single call.
            self.buf = Vec::new();
            self.buf.resize((size / ROOM + 1) * ROOM, 0);
            return self.read_at_start();
        }
        Ok(n)
    }

    fn read_at_start(&mut self) -> Result<usize, ErrorCode> {
        Ok(check(host::body_read(self.message, 0, &mut self.buf))? as usize)
    }
}
