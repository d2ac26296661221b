use crate::{error::check, host, ErrorCode};

/// The weight of a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug = 0,
    /// Of interest, nothing wrong.
    Info = 1,
    /// Something that should be looked at.
    Warn = 2,
    /// Something that went wrong.
    Error = 3,
}

/// Writes a line to the gateway's log, which adds plugin, route and request id. Lines too many are dropped.
pub fn log(level: Level, text: &str) {
    host::log(level as i32, text);
}

/// Returns the time in nanoseconds since 1970 UTC.
pub fn now() -> i64 {
    host::now()
}

/// Fills buf with cryptographic random bytes, at most 4096 at once.
pub fn random(buf: &mut [u8]) -> Result<(), ErrorCode> {
    check(host::random(buf)).map(drop)
}
