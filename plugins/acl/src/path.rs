/// Tells whether a path is a prefix or below it, by segments: `/a` has `/a` and `/a/b` below it, not `/ab`.
pub fn below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    match path.strip_prefix(prefix) {
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

/// Tells whether servers could understand a path as another one: the gateway leaves escapes of reserved characters, and parameters of
/// segments, as they are.
pub fn is_ambiguous(path: &str) -> bool {
    path.bytes().any(|c| matches!(c, b'%' | b';' | b'\\'))
}

/// Returns the path as the most willing server understands it: decoded, with backslashes for slashes, without parameters, empty
/// segments and dot segments.
pub fn understood(path: &str) -> String {
    let decoded = decode(path.as_bytes());
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in decoded.split(|c| matches!(c, b'/' | b'\\')) {
        let end = segment.iter().position(|&c| c == b';').unwrap_or(segment.len());
        match &segment[..end] {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut plain = Vec::with_capacity(decoded.len() + 1);
    for segment in segments {
        plain.push(b'/');
        plain.extend_from_slice(segment);
    }
    if plain.is_empty() {
        plain.push(b'/');
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Undoes percent-encoding until there is none left, or four times: some servers do it twice.
fn decode(path: &[u8]) -> Vec<u8> {
    let mut text = path.to_vec();
    for _ in 0..4 {
        let next = decode_once(&text);
        if next.len() == text.len() {
            break;
        }
        text = next;
    }
    text
}

fn decode_once(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut i = 0;
    while i < text.len() {
        let escaped = match text.get(i + 1..i + 3) {
            Some(&[high, low]) if text[i] == b'%' => digit(high).and_then(|h| Some(h << 4 | digit(low)?)),
            _ => None,
        };
        out.push(escaped.unwrap_or(text[i]));
        i += if escaped.is_some() { 3 } else { 1 };
    }
    out
}

fn digit(c: u8) -> Option<u8> {
    (c as char).to_digit(16).map(|d| d as u8)
}
