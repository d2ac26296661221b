use crate::{error::check, host, ErrorCode};

/// Whether it is that user's password in `[passwords.NAME]` of gateway.toml, by the grant `passwords:NAME`. `ErrorCode::Invalid` if it is not, or
/// if there is no such user. Unless the gateway remembers, it is slow to tell, and the answer is `ErrorCode::Pending`: `return r.wait()`, and
/// ask the same in the hook that goes on. `ErrorCode::Unavailable` and `ErrorCode::TimedOut` when too many passwords wait to be checked;
/// `ErrorCode::TooLarge` for more than 512 bytes; `ErrorCode::NotGranted`. Request and response hooks only.
pub fn check_password(set: &str, user: &str, password: &str) -> Result<(), ErrorCode> {
    match check(host::password_check(set, user, password)) {
        Err(ErrorCode::Conflict) => Err(ErrorCode::Pending),
        Err(code) => Err(code),
        Ok(_) => Ok(()),
    }
}
