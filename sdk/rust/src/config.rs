//! Reads a plugin's configuration, a JSON object, strictly: what the plugin does not read is an error, and every error has
//! a JSON pointer, which the gateway turns into a place in gateway.toml.
//!
//! ```
//! # use sallyport::{config, Error};
//! # fn run(raw: &str) -> Result<(String, i64), Error> {
//! let (mut header, mut limit) = (String::new(), 10);
//! config::read(raw, |key, v| {
//!     match key {
//!         "header" => header = v.string()?,
//!         "limit" => limit = v.int(1, 1000)?,
//!         _ => {} // a value left unread is refused: "/limti is not a known key"
//!     }
//!     Ok(())
//! })?;
//! # Ok((header, limit))
//! # }
//! # assert_eq!(run(r#"{"header": "X"}"#), Ok(("X".into(), 10)));
//! # assert_eq!(run(r#"{"limti": 1}"#).unwrap_err().to_string(), "/limti is not a known key");
//! ```

mod input;

use crate::Error;
use alloc::{format, string::String, string::ToString, vec::Vec};
use input::Input;

/// Reads a JSON object and calls member for each of its keys, in order. An error of member is given the key's place; a
/// value that member did not read is an error.
pub fn read(raw: &str, mut member: impl FnMut(&str, &mut Value) -> Result<(), Error>) -> Result<(), Error> {
    let mut input = Input::new(raw);
    Value::new(&mut input).object(&mut member)?;
    match input.next() {
        0 => Ok(()),
        _ => Err(input::not_json()),
    }
}

/// One value of the configuration. It is read by one call of a method other than `is_bool`, within the function that it
/// was given to.
pub struct Value<'v, 'j> {
    input: &'v mut Input<'j>,
    read: bool,
}

impl<'v, 'j> Value<'v, 'j> {
    fn new(input: &'v mut Input<'j>) -> Self {
        Value { input, read: false }
    }

    /// Tells whether the value is true or false: for keys that take something else as well.
    pub fn is_bool(&mut self) -> bool {
        matches!(self.input.next(), b't' | b'f')
    }

    /// Reads a string.
    pub fn string(&mut self) -> Result<String, Error> {
        if self.input.next() != b'"' {
            return Err("must be a string".into());
        }
        self.read = true;
        self.input.quoted()
    }

    /// Reads an array of strings.
    pub fn strings(&mut self) -> Result<Vec<String>, Error> {
        let mut all = Vec::new();
        self.array(|v| {
            all.push(v.string()?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Reads true or false.
    pub fn bool(&mut self) -> Result<bool, Error> {
        self.read = true;
        match self.input.word() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("must be true or false".into()),
        }
    }

    /// Reads an integer from least to most.
    pub fn int(&mut self, least: i64, most: i64) -> Result<i64, Error> {
        self.read = true;
        match self.input.word().parse() {
            Ok(n) if least <= n && n <= most => Ok(n),
            _ => Err(format!("must be an integer from {} to {}", least, most).into()),
        }
    }

    /// Reads an object and calls member for each of its keys, as `read` does.
    pub fn object(&mut self, mut member: impl FnMut(&str, &mut Value) -> Result<(), Error>) -> Result<(), Error> {
        if self.input.next() != b'{' {
            return Err("must be a table".into());
        }
        self.read = true;
        self.input.items(b'}', &mut |input, _| {
            let key = input.key()?;
            let mut value = Value::new(input);
            let result = member(&key, &mut value);
            at(&key, value.finish(result, "is not a known key"))
        })
    }

    /// Reads an array and calls item for each of its values, as `read` does for a table's keys.
    pub fn array(&mut self, mut item: impl FnMut(&mut Value) -> Result<(), Error>) -> Result<(), Error> {
        if self.input.next() != b'[' {
            return Err("must be an array".into());
        }
        self.read = true;
        self.input.items(b']', &mut |input, i| {
            let mut value = Value::new(input);
            let result = item(&mut value);
            at(&i.to_string(), value.finish(result, "is not expected"))
        })
    }

    /// Reads any value and forgets it: for JSON that is not the plugin's own, such as a token's claims.
    pub fn skip(&mut self) -> Result<(), Error> {
        match self.input.next() {
            b'{' => self.object(|_, member| member.skip()),
            b'[' => self.array(|item| item.skip()),
            b'"' => self.string().map(drop),
            _ if self.input.word().is_empty() => Err(input::not_json()),
            _ => {
                self.read = true;
                Ok(())
            }
        }
    }

    fn finish(&self, result: Result<(), Error>, unread: &str) -> Result<(), Error> {
        match result {
            Ok(()) if !self.read => Err(unread.into()),
            _ => result,
        }
    }
}

/// Puts a key or index before the place of an error.
fn at(token: &str, result: Result<(), Error>) -> Result<(), Error> {
    result.map_err(|mut error| {
        error.pointer = format!("/{}{}", token.replace('~', "~0").replace('/', "~1"), error.pointer);
        error
    })
}

#[cfg(test)]
mod tests;
