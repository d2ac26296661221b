/// What a client shows: `HMAC-SHA256 id="…", created=…, nonce="…", signature="…"`.
#[derive(Debug, Default, PartialEq)]
pub struct Credential<'a> {
    pub id: &'a str,
    /// Seconds since 1970, as written.
    pub created: &'a str,
    /// Empty for none.
    pub nonce: &'a str,
    pub signature: &'a str,
}

pub const SCHEME: &str = "HMAC-SHA256";

/// How long a header may be that is looked at, and a nonce.
const LONGEST: usize = 1024;
const LONGEST_NONCE: usize = 128;

/// Reads the value of an Authorization field (RFC 9110, section 11.4). A parameter that is unknown, or there twice, makes it none.
pub fn parse(value: &str) -> Option<Credential<'_>> {
    let (scheme, mut rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case(SCHEME) || value.len() > LONGEST || !value.is_ascii() {
        return None;
    }
    let mut c = Credential::default();
    let mut nonce = None;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = parameter(after)?;
        let place = match name.trim() {
            "id" => &mut c.id,
            "created" => &mut c.created,
            "signature" => &mut c.signature,
            "nonce" if nonce.is_none() => nonce.insert(""),
            _ => return None,
        };
        if !place.is_empty() || value.is_empty() {
            return None;
        }
        *place = value;
        match after.trim_start().strip_prefix(',') {
            Some(next) => rest = next,
            None if after.trim().is_empty() => break,
            None => return None,
        }
    }
    c.nonce = nonce.unwrap_or("");
    let whole = !c.id.is_empty() && !c.created.is_empty() && !c.signature.is_empty();
    (whole && c.nonce.len() <= LONGEST_NONCE).then_some(c)
}

/// Reads a value, in quotes or not, and returns what is behind it. There are no escapes: none of the values needs one.
fn parameter(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, after) = quoted.split_once('"')?;
        return value
            .bytes()
            .all(|c| c.is_ascii_graphic() && c != b'\\')
            .then_some((value, after));
    }
    let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
    let (value, after) = text.split_at(end);
    let is_token = |c: u8| c.is_ascii_alphanumeric() || b"-._~+/=".contains(&c);
    value.bytes().all(is_token).then_some((value, after))
}

/// Reads seconds since 1970, in the only way to write them.
pub fn seconds(text: &str) -> Option<i64> {
    let plain = text.len() <= 12 && !text.starts_with('0') && text.bytes().all(|c| c.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
