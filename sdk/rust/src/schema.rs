use crate::{body::Body, error::check, host, ErrorCode};
use alloc::{vec, vec::Vec};

/// Has the gateway check the bytes that are passed along.
const NO_MESSAGE: u32 = u32::MAX;

/// The most that the gateway tells of a document. To ask again would be to check again.
const MAX_REPORT: usize = 8 << 10;

/// Checks a JSON document against `[schemas.NAME]` in gateway.toml, by the grant `schema:NAME`, and returns what is wrong with it: a JSON array
/// of objects with pointer, keyword and message; `None` for one that is good. What is no JSON at all is found wrong likewise.
/// `ErrorCode::TooLarge` for a document beyond the schema's limits, or one whose check takes more fuel than may be; `ErrorCode::Unavailable`
/// when it could not be done; `ErrorCode::NotGranted`. Request and response hooks only.
pub fn check_json(schema: &str, document: &[u8]) -> Result<Option<Vec<u8>>, ErrorCode> {
    checked(schema, NO_MESSAGE, document)
}

impl Body {
    /// Is `check_json` of the body, which needs not be read for that.
    pub fn check(&self, schema: &str) -> Result<Option<Vec<u8>>, ErrorCode> {
        checked(schema, self.message, &[])
    }
}

fn checked(schema: &str, message: u32, document: &[u8]) -> Result<Option<Vec<u8>>, ErrorCode> {
    let mut wrong = vec![0; MAX_REPORT];
    loop {
        let n = check(host::schema_check(schema, message, document, &mut wrong))? as usize;
        if n == 0 {
            return Ok(None);
        }
        let fits = n <= wrong.len(); // a later gateway may tell more
        wrong.resize(n, 0);
        if fits {
            return Ok(Some(wrong));
        }
    }
}
