use crate::{error::check, host, ErrorCode};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// Keeps values by key, up to 256 KiB each, beyond the exchange and for all copies of the plugin. It is bounded: what was not used for
/// the longest time may be gone before its time. Writes are not undone when the hook fails. Without the grant every method returns
/// `ErrorCode::NotGranted`, while the plugin is configured `ErrorCode::WrongPhase`.
///
/// A time to keep a value is rounded up to milliseconds and at most 49 days; `None` keeps it for good.
pub struct Store {
    name: String,
    buf: Vec<u8>,
}

impl Store {
    /// Returns the plugin's own store, which the grant `kv` opens.
    pub fn own() -> Store {
        Store::shared("")
    }

    /// Returns the store of that name, which the grant `kv:NAME` opens.
    pub fn shared(name: &str) -> Store {
        Store {
            name: name.into(),
            buf: Vec::new(),
        }
    }

    /// Returns the value of a key, if there is one. A number is returned in decimal.
    pub fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, ErrorCode> {
        Ok(self.bytes(key)?.map(Vec::from))
    }

    /// Is `get` without a copy.
    pub fn bytes(&mut self, key: &str) -> Result<Option<&[u8]>, ErrorCode> {
        let name = &self.name;
        match read(&mut self.buf, |buf| host::kv_get(name, key, buf)) {
            Ok(n) => Ok(Some(&self.buf[..n])),
            Err(ErrorCode::NotFound) => Ok(None),
            Err(code) => Err(code),
        }
    }

    /// Stores a value.
    pub fn set(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), ErrorCode> {
        check(host::kv_set(&self.name, key, value, milliseconds(ttl)?)).map(drop)
    }

    /// Adds delta to the number that a key has and returns the sum. One that is not there is 0 and kept for ttl; one that is there keeps
    /// its time. `ErrorCode::Conflict` if the value is no number, or the sum does not fit.
    pub fn add(&self, key: &str, delta: i64, ttl: Option<Duration>) -> Result<i64, ErrorCode> {
        let mut sum = [0; 8];
        check(host::kv_add(&self.name, key, delta, milliseconds(ttl)?, &mut sum))?;
        Ok(i64::from_le_bytes(sum))
    }

    /// Takes away the value of a key and tells whether there was one.
    pub fn delete(&self, key: &str) -> Result<bool, ErrorCode> {
        done(host::kv_delete(&self.name, key), ErrorCode::NotFound)
    }

    /// Stores next if the value of the key is old, and tells whether it was.
    pub fn swap(&self, key: &str, old: &[u8], next: &[u8], ttl: Option<Duration>) -> Result<bool, ErrorCode> {
        let ttl = milliseconds(ttl)?;
        done(
            host::kv_swap(&self.name, key, Some(old), next, ttl),
            ErrorCode::Conflict,
        )
    }

    /// Stores a value if the key has none, and tells whether it had none.
    pub fn insert(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<bool, ErrorCode> {
        let ttl = milliseconds(ttl)?;
        done(host::kv_swap(&self.name, key, None, value, ttl), ErrorCode::Conflict)
    }
}

/// Turns a result into whether something was done; one code says that it was not.
fn done(result: i32, not: ErrorCode) -> Result<bool, ErrorCode> {
    match check(result) {
        Ok(_) => Ok(true),
        Err(code) if code == not => Ok(false),
        Err(code) => Err(code),
    }
}

/// Rounds up, so that only `None` becomes 0.
pub(crate) fn milliseconds(ttl: Option<Duration>) -> Result<u32, ErrorCode> {
    let ttl = match ttl {
        None => return Ok(0),
        Some(ttl) if ttl == Duration::from_secs(0) => return Err(ErrorCode::Invalid),
        Some(ttl) => ttl,
    };
    let ms = ttl.as_nanos() / 1_000_000 + u128::from(ttl.as_nanos() % 1_000_000 > 0);
    u32::try_from(ms).map_err(|_| ErrorCode::TooLarge)
}

/// Calls a read (sdk/ABI.md, section 4) until its value fits into buf, and returns the value's length.
pub(crate) fn read(buf: &mut Vec<u8>, mut call: impl FnMut(&mut [u8]) -> i32) -> Result<usize, ErrorCode> {
    loop {
        let n = check(call(buf))? as usize;
        if n <= buf.len() {
            return Ok(n);
        }
        buf.resize(n, 0);
    }
}
