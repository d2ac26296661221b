//! The gateway as the plugin sees it; outside WebAssembly an in-memory gateway stands in for the real one.

#[cfg(target_arch = "wasm32")]
mod guest;
#[cfg(target_arch = "wasm32")]
pub use guest::*;

#[cfg(not(target_arch = "wasm32"))]
pub mod memory;
#[cfg(not(target_arch = "wasm32"))]
pub use memory::{body::*, functions::*};

#[cfg(target_arch = "wasm32")]
mod guest_granted;
#[cfg(target_arch = "wasm32")]
pub use guest_granted::*;
#[cfg(not(target_arch = "wasm32"))]
pub use memory::{fetch::*, granted::*, schema::*};

use alloc::vec::Vec;

/// Calls a read (sdk/ABI.md, section 4) until its value fits into buf. Returns the value's length, none if there is no
/// value.
pub fn read(buf: &mut Vec<u8>, mut call: impl FnMut(&mut [u8]) -> i32) -> Option<usize> {
    if buf.is_empty() {
        buf.resize(256, 0);
    }
    loop {
        let n = call(buf);
        if n < 0 {
            return None;
        }
        if n as usize <= buf.len() {
            return Some(n as usize);
        }
        buf.resize(n as usize, 0);
    }
}
