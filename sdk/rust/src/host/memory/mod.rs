//! An in-memory gateway for tests, which follows sdk/ABI.md. Every thread has its own.

pub mod body;
pub mod fetch;
pub mod functions;
pub mod granted;
mod rules;
pub mod schema;
pub mod world;

use crate::testing::Exchange;
use std::cell::RefCell;

/// The moment of a plugin's life that decides what it may call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Outside,
    Configure,
    Request,
    Response,
    RequestChunk,
    ResponseChunk,
    End,
}

/// A piece of a body as a chunk hook sees and leaves it.
#[derive(Default)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    pub last: bool,
    /// Of the request's chunks.
    pub state: Vec<u8>,
}

/// What the functions act on during a call of the plugin.
pub struct Memory {
    pub phase: Phase,
    pub exchange: Exchange,
    pub config: String,
    pub reason: String,
    /// The hook has asked for its message's body.
    pub held: bool,
    pub answered: bool,
    /// In chunk hooks.
    pub chunk: Chunk,
}

impl Memory {
    fn new(phase: Phase, config: &str) -> Memory {
        Memory {
            phase,
            exchange: Exchange::new("", ""),
            config: config.into(),
            reason: String::new(),
            held: false,
            answered: false,
            chunk: Chunk::default(),
        }
    }

    /// Whether a hook runs that may change something.
    pub fn in_head(&self) -> bool {
        matches!(self.phase, Phase::Request | Phase::Response)
    }

    /// Whether a hook runs that may read the exchange.
    pub fn in_hook(&self) -> bool {
        self.in_head() || matches!(self.phase, Phase::End | Phase::ResponseChunk)
    }

    /// Whether any hook runs.
    pub fn in_any_hook(&self) -> bool {
        self.in_hook() || self.phase == Phase::RequestChunk
    }

    /// Whether a chunk hook runs.
    pub fn in_chunk(&self) -> bool {
        matches!(self.phase, Phase::RequestChunk | Phase::ResponseChunk)
    }

    /// Where the hook's state is kept.
    pub fn state(&mut self) -> &mut Vec<u8> {
        match self.phase {
            Phase::RequestChunk => &mut self.chunk.state,
            _ => &mut self.exchange.state,
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Memory> = RefCell::new(Memory::new(Phase::Outside, ""));
}

/// Gives the functions what they act on.
fn with<T>(f: impl FnOnce(&mut Memory) -> T) -> T {
    CURRENT.with(|current| f(&mut current.borrow_mut()))
}

fn replace(memory: Memory) -> Memory {
    CURRENT.with(|current| current.replace(memory))
}

/// Runs code that configures a plugin, and returns its result and the reason that it gave for refusing.
pub fn configure<T>(config: &str, code: impl FnOnce() -> T) -> (T, String) {
    replace(Memory::new(Phase::Configure, config));
    let result = code();
    (result, replace(Memory::new(Phase::Outside, "")).reason)
}

/// Runs a hook's code over an exchange, and tells whether it has made an answer, now or, with answered, before it waited. With held
/// the body of the hook's message is there.
pub fn run<T>(
    phase: Phase,
    held: bool,
    answered: bool,
    exchange: &mut Exchange,
    code: impl FnOnce() -> T,
) -> (T, bool) {
    let mut memory = Memory::new(phase, "");
    memory.held = held;
    memory.answered = answered;
    exchange.fetches.begin();
    let (result, memory) = over(memory, exchange, code);
    (result, memory.answered)
}

/// Runs a chunk hook's code over a piece of an exchange's body.
pub fn run_chunk<T>(phase: Phase, chunk: &mut Chunk, exchange: &mut Exchange, code: impl FnOnce() -> T) -> T {
    let mut memory = Memory::new(phase, "");
    memory.chunk = std::mem::take(chunk);
    let (result, memory) = over(memory, exchange, code);
    *chunk = memory.chunk;
    result
}

fn over<T>(mut memory: Memory, exchange: &mut Exchange, code: impl FnOnce() -> T) -> (T, Memory) {
    std::mem::swap(&mut memory.exchange, exchange);
    replace(memory);
    let result = code();
    let mut memory = replace(Memory::new(Phase::Outside, ""));
    std::mem::swap(&mut memory.exchange, exchange);
    (result, memory)
}
