use crate::{error::check, headers::text, host, kv::read, ErrorCode};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// Whether the plugin has a grant, written as in gateway.toml: `kv`, `jwt:staff`. Ask for what the configuration names in `configure`, and return an
/// error that says so: else a grant that is missing shows at the first request. It can be called at any time.
pub fn granted(grant: &str) -> bool {
    host::granted(grant) == 1
}

/// Returns a secret of gateway.toml, by the grant `secret:NAME`; `ErrorCode::NotGranted` without it. It can be called at any time, also while
/// the plugin is configured. Do not log it.
pub fn secret(name: &str) -> Result<String, ErrorCode> {
    let mut buf = Vec::new();
    let n = read(&mut buf, |buf| host::secret(name, buf))?;
    Ok(text(&buf[..n]))
}

/// Takes n units for key from a limit of gateway.toml, by the grant `limit:NAME`. Returns zero if they were taken; else nothing was, and the
/// result is how long from now they may be had. `ErrorCode::TooLarge` if the limit never allows so many at once. Request and response
/// hooks only.
pub fn take(limit: &str, key: &str, n: u32) -> Result<Duration, ErrorCode> {
    let ms = check(host::rate_take(limit, key, n))?;
    Ok(Duration::from_millis(ms as u64))
}
