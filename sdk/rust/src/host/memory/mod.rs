//! An in-memory gateway for tests, which follows sdk/ABI.md. Every thread has its own.

pub mod body;
pub mod functions;
pub mod granted;
mod rules;
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
    End,
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
        }
    }

    /// Whether a hook runs that may change something.
    pub fn in_head(&self) -> bool {
        matches!(self.phase, Phase::Request | Phase::Response)
    }

    /// Whether any hook runs.
    pub fn in_hook(&self) -> bool {
        self.in_head() || self.phase == Phase::End
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

/// Runs a hook's code over an exchange, and tells whether it has made an answer. With held the body of the hook's message is
/// there.
pub fn run<T>(phase: Phase, held: bool, exchange: &mut Exchange, code: impl FnOnce() -> T) -> (T, bool) {
    let mut memory = Memory::new(phase, "");
    memory.held = held;
    std::mem::swap(&mut memory.exchange, exchange);
    replace(memory);
    let result = code();
    let mut memory = replace(Memory::new(Phase::Outside, ""));
    std::mem::swap(&mut memory.exchange, exchange);
    (result, memory.answered)
}
