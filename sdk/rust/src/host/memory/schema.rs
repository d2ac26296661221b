//! The host function that checks JSON documents.

use super::granted::{MAX_NAME, NOT_GRANTED};
use super::rules::*;
use super::with;
use super::world::world;

const NO_MESSAGE: u32 = u32::MAX;

pub fn schema_check(schema: &str, msg: u32, data: &[u8], buf: &mut [u8]) -> i32 {
    if !with(|m| m.in_head()) {
        return WRONG_PHASE;
    }
    if schema.len() > MAX_NAME || msg == NO_MESSAGE && data.len() > 1 << 20 {
        return TOO_LARGE;
    }
    let check = match world(|w| w.schemas.get(schema).cloned()) {
        None => return NOT_GRANTED,
        Some(check) => check,
    };
    let document = match msg {
        NO_MESSAGE => Ok(data.to_vec()),
        _ => with(|m| body(m, msg).map(|content| content.clone())),
    };
    let wrong = match (document, check) {
        (Err(code), _) => return code,
        (_, None) => return TOO_LARGE,
        (Ok(document), Some(check)) => check(&document),
    };
    if let Some(room) = buf.get_mut(..wrong.len()) {
        room.copy_from_slice(wrong.as_bytes());
    }
    wrong.len() as i32
}
