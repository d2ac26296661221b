use crate::Error;
use alloc::string::String;

/// The JSON that is left to read.
pub struct Input<'j> {
    text: &'j str,
}

pub fn not_json() -> Error {
    "the configuration is not valid JSON".into()
}

impl<'j> Input<'j> {
    pub fn new(text: &'j str) -> Self {
        Input { text }
    }

    /// Skips white space and returns the first byte after it, 0 at the end.
    pub fn next(&mut self) -> u8 {
        self.text = self.text.trim_start_matches([' ', '\t', '\r', '\n']);
        self.text.bytes().next().unwrap_or(0)
    }

    /// Skips white space and then c, an ASCII character, if it is there.
    fn take(&mut self, c: u8) -> bool {
        if self.next() != c {
            return false;
        }
        self.text = &self.text[1..];
        true
    }

    /// Reads what stands between an opening bracket and the closing one, calling item for each.
    pub fn items(
        &mut self,
        closing: u8,
        item: &mut dyn FnMut(&mut Self, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.text = &self.text[1..];
        if self.take(closing) {
            return Ok(());
        }
        for i in 0.. {
            item(self, i)?;
            if self.take(closing) {
                return Ok(());
            }
            if !self.take(b',') {
                break;
            }
        }
        Err(not_json())
    }

    /// Reads a member's name and the colon.
    pub fn key(&mut self) -> Result<String, Error> {
        if self.next() != b'"' {
            return Err(not_json());
        }
        let key = self.quoted()?;
        if !self.take(b':') {
            return Err(not_json());
        }
        Ok(key)
    }

    /// Reads a number or a literal, an empty string if there is none.
    pub fn word(&mut self) -> &'j str {
        self.next();
        let end = self
            .text
            .find(|c| " \t\r\n,]}:[{\"".contains(c))
            .unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        self.text = rest;
        word
    }

    /// Reads a string from its opening quote on.
    pub fn quoted(&mut self) -> Result<String, Error> {
        let mut out = String::new();
        let mut chars = self.text[1..].chars();
        loop {
            match chars.next() {
                Some('"') => break,
                Some('\\') => {
                    let (c, rest) = unescape(chars.as_str()).ok_or_else(not_json)?;
                    out.push(c);
                    chars = rest.chars();
                }
                Some(c) if c >= ' ' => out.push(c),
                _ => return Err(not_json()),
            }
        }
        self.text = chars.as_str();
        Ok(out)
    }
}

/// Returns what the escape stands for whose backslash was before s, and the rest after it.
fn unescape(s: &str) -> Option<(char, &str)> {
    let rest = s.get(1..)?;
    let c = match s.as_bytes()[0] {
        c @ (b'"' | b'\\' | b'/') => c.into(),
        b'b' => '\x08',
        b'f' => '\x0c',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(rest),
        _ => return None,
    };
    Some((c, rest))
}

/// Reads XXXX, or XXXX\uXXXX if the two make one character. A lone surrogate is U+FFFD.
fn unicode(s: &str) -> Option<(char, &str)> {
    let (high, rest) = hex4(s)?;
    let low = rest.strip_prefix("\\u").and_then(hex4);
    if let (0xd800..=0xdbff, Some((low @ 0xdc00..=0xdfff, rest))) = (high, low) {
        return Some((
            char::from_u32(0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00))?,
            rest,
        ));
    }
    Some((char::from_u32(high).unwrap_or('\u{fffd}'), rest))
}

fn hex4(s: &str) -> Option<(u32, &str)> {
    let digits = s.get(..4)?;
    if !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, &s[4..]))
}
