use alloc::string::String;
use core::fmt::Write;

/// Writes a problem document (RFC 9457).
pub(crate) fn problem(status: u16, title: &str, id: &str) -> String {
    let mut b = String::from(r#"{"type":"about:blank","title":"#);
    push_quoted(&mut b, title);
    let _ = write!(b, r#","status":{}"#, status);
    if !id.is_empty() {
        b.push_str(r#","request_id":"#);
        push_quoted(&mut b, id);
    }
    b.push_str("}\n");
    b
}

/// Appends s as a JSON string.
fn push_quoted(b: &mut String, s: &str) {
    b.push('"');
    for c in s.chars() {
        match c {
            '"' | '\\' => b.extend(['\\', c]),
            '\0'..='\x1f' => {
                let _ = write!(b, "\\u{:04x}", c as u32);
            }
            _ => b.push(c),
        }
    }
    b.push('"');
}
