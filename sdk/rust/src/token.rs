use crate::{error::check, host, ErrorCode};
use alloc::{vec, vec::Vec};

/// Checks a token against the keys of `[jwt.NAME]` in gateway.toml, by the grant `jwt:NAME`, and returns its claims: a JSON object. Beside
/// signature and times, the gateway checks what that table says; who the token is for and what it allows is the plugin's to look at.
/// `ErrorCode::Invalid` for what is no token, or signed by somebody else; `ErrorCode::Expired`; `ErrorCode::Unavailable` when the keys cannot be
/// had; `ErrorCode::NotGranted`. Request and response hooks only.
pub fn verify_jwt(keys: &str, token: &str) -> Result<Vec<u8>, ErrorCode> {
    let mut claims = vec![0; 1024]; // most fit: to read again is to verify again
    loop {
        match check(host::jwt_verify(keys, token, &mut claims)) {
            Err(ErrorCode::TimedOut) => return Err(ErrorCode::Expired),
            Err(code) => return Err(code),
            Ok(n) if n as usize <= claims.len() => {
                claims.truncate(n as usize);
                return Ok(claims);
            }
            Ok(n) => claims.resize(n as usize, 0),
        }
    }
}
