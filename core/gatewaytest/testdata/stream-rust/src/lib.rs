//! Stream hides the digits of answers while they stream through, and counts and bounds what is uploaded.

use sallyport::{config, Chunk, Counter, Error, Flow, Hooks, Plugin, Response};

struct Stream {
    bound: bool,
    uploaded: Counter,
}

sallyport::register!(Stream);

/// What a client may upload, in bytes.
const MOST: u64 = 1 << 20;

impl Plugin for Stream {
    fn configure(raw: &str) -> Result<Self, Error> {
        let mut bound = false;
        config::read(raw, |key, v| {
            if key == "bound" {
                bound = v.bool()?;
            }
            Ok(())
        })?;
        let uploaded = Counter::new("uploaded_bytes", &[]);
        Ok(Stream { bound, uploaded })
    }

    fn hooks(&self) -> Hooks {
        let chunks = Hooks::REQUEST_CHUNKS | Hooks::RESPONSE_CHUNKS;
        match self.bound {
            true => chunks | Hooks::BOUND,
            false => chunks,
        }
    }

    /// Adds up the request's bytes in its state, and ends what is too much.
    fn request_chunk(&mut self, c: &mut Chunk) -> Result<Flow, Error> {
        let sum = c.state().try_into().map_or(0, u64::from_le_bytes) + c.bytes().len() as u64;
        if sum > MOST {
            return Ok(Flow::Abort);
        }
        match c.last() {
            true => self.uploaded.add(sum as i64)?,
            false => c.set_state(&sum.to_le_bytes())?,
        }
        Ok(Flow::Pass)
    }

    /// Hides digits.
    fn response_chunk(&mut self, _: &mut Response, c: &mut Chunk) -> Result<Flow, Error> {
        c.edit(|bytes| bytes.iter_mut().filter(|b| b.is_ascii_digit()).for_each(|b| *b = b'#'))?;
        Ok(Flow::Pass)
    }
}
