use crate::{error::check, exchange::exchange_methods, host, ErrorCode};
use alloc::vec::Vec;

/// What a chunk hook says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The piece goes on, as it now is.
    Pass = 0,
    /// The exchange ends: with 400 if its answer has not begun, else the answer is cut short.
    Abort = 1,
}

/// A piece of a body on its way through the gateway, as large as it came, at most 16 KiB: what belongs together may come in two.
///
/// In `Plugin::request_chunk` nothing else of the exchange can be reached but its number and a state, which is the request chunks' own and
/// empty at first: they run beside the other hooks. In `Plugin::response_chunk` the state is that of the other hooks.
pub struct Chunk {
    message: u32,
    size: usize,
    last: bool,
    content: Vec<u8>,
    buf: Vec<u8>,
}

exchange_methods!(Chunk, buf);

/// The size of the largest chunk.
const MAX: usize = 16 << 10;

impl Chunk {
    pub(crate) fn new() -> Chunk {
        Chunk {
            message: 0,
            size: 0,
            last: false,
            content: Vec::new(),
            buf: Vec::new(),
        }
    }

    /// Makes it the chunk at hand, keeping its memory.
    pub(crate) fn begin(&mut self, message: u32, size: i32, last: i32) {
        self.message = message;
        self.size = size as usize;
        self.last = last != 0;
    }

    /// Returns the piece without a copy of its own; it may be empty.
    pub fn bytes(&mut self) -> &[u8] {
        self.fill()
    }

    /// Replaces the piece with a copy of data, at most 1 MiB; with nothing, the piece is left out.
    pub fn set(&mut self, data: &[u8]) -> Result<(), ErrorCode> {
        check(host::body_write(self.message, data))?;
        self.size = data.len();
        Ok(())
    }

    /// Changes bytes of the piece where they are, without a copy of its own; the length stays.
    pub fn edit(&mut self, change: impl FnOnce(&mut [u8])) -> Result<(), ErrorCode> {
        let message = self.message;
        let content = self.fill();
        change(content);
        check(host::body_write(message, content)).map(drop)
    }

    /// Tells whether the body ends with this piece, which may be empty. A body that breaks off has no last piece.
    pub fn last(&self) -> bool {
        self.last
    }

    fn fill(&mut self) -> &mut [u8] {
        if self.content.len() < self.size {
            self.content.resize(self.size.max(MAX), 0);
        }
        let n = host::body_read(self.message, 0, &mut self.content[..self.size]);
        &mut self.content[..n.max(0) as usize]
    }
}
