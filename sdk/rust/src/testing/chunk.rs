use super::{Configured, Exchange};
use crate::headers::{REQUEST, RESPONSE};
use crate::host::memory::{self, Phase};
use crate::{Chunk, Error, Flow, Hooks, Plugin, Response};

/// The largest piece that the gateway hands out.
const MOST: usize = 16 << 10;

impl<P: Plugin> Configured<P> {
    /// Has a body stream through the request's chunk hook in the given pieces, and returns what comes out, and the error that ends it, if there is
    /// one: the hook's, or `the plugin aborted the exchange`.
    pub fn request_chunks(&mut self, x: &mut Exchange, pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Error>) {
        if !self.wants(Hooks::REQUEST_CHUNKS) {
            return (pieces.concat(), Ok(()));
        }
        stream(Phase::RequestChunk, REQUEST, x, pieces, |c| {
            self.plugin.request_chunk(c)
        })
    }

    /// Does the same with the response's.
    pub fn response_chunks(&mut self, x: &mut Exchange, pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Error>) {
        if !self.wants(Hooks::RESPONSE_CHUNKS) {
            return (pieces.concat(), Ok(()));
        }
        stream(Phase::ResponseChunk, RESPONSE, x, pieces, |c| {
            self.plugin.response_chunk(&mut Response::new(), c)
        })
    }
}

fn stream(
    phase: Phase,
    message: u32,
    x: &mut Exchange,
    pieces: &[&[u8]],
    mut hook: impl FnMut(&mut Chunk) -> Result<Flow, Error>,
) -> (Vec<u8>, Result<(), Error>) {
    let mut passed = Vec::new();
    let mut chunk = memory::Chunk::default();
    let mut guest = Chunk::new();
    let mut cut: Vec<&[u8]> = Vec::new();
    for piece in pieces {
        match piece.is_empty() {
            true => cut.push(piece),
            false => cut.extend(piece.chunks(MOST)),
        }
    }
    for (i, piece) in cut.iter().enumerate() {
        chunk.bytes = piece.to_vec();
        chunk.last = i + 1 == cut.len();
        guest.begin(message, piece.len() as i32, chunk.last.into());
        match memory::run_chunk(phase, &mut chunk, x, || hook(&mut guest)) {
            Ok(Flow::Pass) => passed.append(&mut chunk.bytes),
            Ok(Flow::Abort) => return (passed, Err("the plugin aborted the exchange".into())),
            Err(error) => return (passed, Err(error)),
        }
    }
    (passed, Ok(()))
}
