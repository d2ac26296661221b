use alloc::string::String;
use core::fmt;

/// What the gateway answers to a call that it does not carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// There is no such thing.
    NotFound,
    /// An argument that is not allowed.
    Invalid,
    /// `gateway.toml` does not grant it.
    NotGranted,
    /// Not possible in this hook.
    WrongPhase,
    /// Larger than the ABI's limits.
    TooLarge,
    /// It took too long.
    TimedOut,
    /// Who would do it cannot be reached.
    Unavailable,
    /// Something else was done before.
    Conflict,
    /// It was called off.
    Cancelled,
    /// A token that is genuine, but has expired or is not valid yet.
    Expired,
    /// It is being worked out: wait for it.
    Pending,
    /// A code of a later level of the ABI.
    Other(i32),
}

impl ErrorCode {
    fn text(self) -> &'static str {
        match self {
            ErrorCode::NotFound => "not found",
            ErrorCode::Invalid => "invalid argument",
            ErrorCode::NotGranted => "not granted",
            ErrorCode::WrongPhase => "not in this phase",
            ErrorCode::TooLarge => "too large",
            ErrorCode::TimedOut => "timed out",
            ErrorCode::Unavailable => "unavailable",
            ErrorCode::Conflict => "conflict",
            ErrorCode::Cancelled => "cancelled",
            ErrorCode::Expired => "expired or not valid yet",
            ErrorCode::Pending => "being worked out",
            ErrorCode::Other(_) => "unknown code",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Turns a host function's result into an error; results from 0 on are none.
pub(crate) fn check(result: i32) -> Result<i32, ErrorCode> {
    Err(match result {
        0.. => return Ok(result),
        -1 => ErrorCode::NotFound,
        -2 => ErrorCode::Invalid,
        -3 => ErrorCode::NotGranted,
        -4 => ErrorCode::WrongPhase,
        -5 => ErrorCode::TooLarge,
        -6 => ErrorCode::TimedOut,
        -7 => ErrorCode::Unavailable,
        -8 => ErrorCode::Conflict,
        -9 => ErrorCode::Cancelled,
        code => ErrorCode::Other(code),
    })
}

/// Why a configuration is refused or a hook has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// JSON pointer (RFC 6901) to what is wrong in the configuration; empty for the whole, and outside `configure`.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Error {
    /// Writes the pointer, a space and the message: the form in which the gateway finds the place.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if !self.pointer.is_empty() {
            f.write_str(&self.pointer)?;
            f.write_str(" ")?;
        }
        f.write_str(&self.message)
    }
}

impl From<String> for Error {
    fn from(message: String) -> Error {
        Error {
            pointer: String::new(),
            message,
        }
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Error {
        String::from(message).into()
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Error {
        code.text().into()
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl std::error::Error for Error {}
#[cfg(not(target_arch = "wasm32"))]
impl std::error::Error for ErrorCode {}
