//! The host functions.

use super::granted::MAX_NAME;
use super::rules::*;
use super::world::world;
use super::{with, Memory, Phase};
use crate::testing::Fields;
use std::time::{SystemTime, UNIX_EPOCH};

/// The field that stands for an attribute.
const CONSUMER: i32 = 10;

/// How many attributes an exchange has at most.
const MAX_ATTRS: usize = 64;

fn put(value: &[u8], buf: &mut [u8]) -> i32 {
    if let Some(room) = buf.get_mut(..value.len()) {
        room.copy_from_slice(value);
    }
    value.len() as i32
}

fn put_if(value: Option<&str>, buf: &mut [u8]) -> i32 {
    value.map_or(NOT_FOUND, |value| put(value.as_bytes(), buf))
}

fn in_hook(f: impl FnOnce(&mut Memory) -> i32) -> i32 {
    with(|m| if m.in_hook() { f(m) } else { WRONG_PHASE })
}

fn in_any_hook(f: impl FnOnce(&mut Memory) -> i32) -> i32 {
    with(|m| if m.in_any_hook() { f(m) } else { WRONG_PHASE })
}

fn in_head(f: impl FnOnce(&mut Memory) -> i32) -> i32 {
    with(|m| if m.in_head() { f(m) } else { WRONG_PHASE })
}

pub fn config(buf: &mut [u8]) -> i32 {
    with(|m| put(m.config.as_bytes(), buf))
}

pub fn fail(text: &str) -> i32 {
    with(|m| {
        if m.phase != Phase::Configure {
            return WRONG_PHASE;
        }
        m.reason = text.into();
        0
    })
}

pub fn log(_level: i32, text: &str) -> i32 {
    with(|m| m.exchange.log.push(text.into()));
    0
}

pub fn get(field: i32, buf: &mut [u8]) -> i32 {
    if field == CONSUMER {
        return attr_get("consumer", buf);
    }
    in_hook(|m| match m.exchange.field(field) {
        Some(value) => put_if(Some(value.as_str()).filter(|v| field == 5 || !v.is_empty()), buf),
        None => INVALID,
    })
}

pub fn set(field: i32, value: &str) -> i32 {
    if field == CONSUMER {
        return attr_set("consumer", value);
    }
    in_head(|m| {
        let request = m.phase == Phase::Request;
        match m.exchange.field(field) {
            Some(place) if (3..=5).contains(&field) => {
                if !request {
                    return WRONG_PHASE;
                }
                match target(field, value) {
                    Ok(value) => *place = value,
                    Err(code) => return code,
                }
                0
            }
            _ => INVALID,
        }
    })
}

/// Judges a host, path or query as the gateway does; the path stays as it is written, the gateway normalises it.
fn target(field: i32, value: &str) -> Result<String, i32> {
    let (most, valid) = match field {
        3 => (261, !value.is_empty() && value.chars().all(host_char)),
        4 => (8 << 10, value.starts_with('/')),
        _ => (16 << 10, visible(value) && !value.contains('#')),
    };
    match value.len() > most {
        true => Err(TOO_LARGE),
        false if !valid => Err(INVALID),
        false if field == 3 => Ok(value.to_ascii_lowercase()),
        false => Ok(value.into()),
    }
}

/// Whether hosts and their ports are made of it.
fn host_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:[]".contains(c)
}

pub fn param(name: &str, buf: &mut [u8]) -> i32 {
    if name.len() > MAX_NAME {
        return in_hook(|_| TOO_LARGE);
    }
    in_hook(|m| put_if(m.exchange.params.get(name).map(String::as_str), buf))
}

pub fn query(name: &str, buf: &mut [u8]) -> i32 {
    in_hook(|m| {
        if name.len() > MAX_NAME {
            return TOO_LARGE;
        }
        let pairs = m
            .exchange
            .query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let value = pairs
            .filter(|(key, _)| decode(key) == name)
            .map(|(_, value)| decode(value))
            .next();
        put_if(value.as_deref(), buf)
    })
}

pub fn status(msg: u32) -> i32 {
    with(|m| match (message(m, msg).err(), msg, m.exchange.status) {
        (Some(code), _, _) => code,
        (_, 1, 0) => NOT_FOUND,
        (_, 1, status) => status.into(),
        (_, 16.., _) => m
            .exchange
            .fetches
            .answer(msg)
            .map_or_else(|code| code, |answer| answer.status.into()),
        _ => INVALID,
    })
}

pub fn set_status(code: i32) -> i32 {
    with(|m| match code {
        _ if m.phase != Phase::Response => WRONG_PHASE,
        200..=599 => {
            m.exchange.status = code as u16;
            0
        }
        _ => INVALID,
    })
}

pub fn header_get(msg: u32, name: &str, buf: &mut [u8]) -> i32 {
    with(|m| {
        let host = m.exchange.host.clone();
        match message(m, msg) {
            Err(code) => code,
            Ok(_) if name.len() > MAX_NAME => TOO_LARGE,
            Ok(_) if msg == 0 && name.eq_ignore_ascii_case("host") => put(host.as_bytes(), buf),
            Ok(_) if connection_field(name) => NOT_FOUND,
            Ok(fields) => put_if(fields.get(name), buf),
        }
    })
}

pub fn header_all(msg: u32, name: &str, buf: &mut [u8]) -> i32 {
    with(|m| {
        let host = m.exchange.host.clone();
        let fields = match message(m, msg) {
            Ok(_) if name.len() > MAX_NAME => return TOO_LARGE,
            Ok(fields) => fields,
            Err(code) => return code,
        };
        let mut list = fields.clone();
        list.0
            .retain(|(n, _)| !connection_field(n) && (name.is_empty() || n.eq_ignore_ascii_case(name)));
        if msg == 0 && name.eq_ignore_ascii_case("host") {
            list.add("Host", &host);
        }
        put(&encode_list(&list), buf)
    })
}

/// Writes a field list (sdk/ABI.md, section 10).
fn encode_list(list: &Fields) -> Vec<u8> {
    let mut b = Vec::from((list.0.len() as u32).to_le_bytes());
    for (name, value) in &list.0 {
        b.extend((name.len() as u32).to_le_bytes());
        b.extend((value.len() as u32).to_le_bytes());
    }
    for (name, value) in &list.0 {
        b.extend(name.bytes());
        b.extend(value.bytes());
    }
    b
}

fn edit(msg: u32, name: &str, value: &str, f: impl FnOnce(&mut Fields, &str) -> i32) -> i32 {
    with(|m| match writable(m, msg, name, value) {
        Err(code) => code,
        Ok(_) if name.eq_ignore_ascii_case("host") => INVALID,
        Ok(fields) => f(fields, value.trim_matches(|c| c == ' ' || c == '\t')),
    })
}

pub fn header_set(msg: u32, name: &str, value: &str) -> i32 {
    if msg == 0 && name.eq_ignore_ascii_case("host") {
        return set(3, value);
    }
    edit(msg, name, value, |fields, value| {
        if !room_for(fields, name, value, true) {
            return TOO_LARGE;
        }
        fields.set(name, value);
        0
    })
}

pub fn header_add(msg: u32, name: &str, value: &str) -> i32 {
    edit(msg, name, value, |fields, value| {
        if !room_for(fields, name, value, false) {
            return TOO_LARGE;
        }
        fields.add(name, value);
        0
    })
}

pub fn header_remove(msg: u32, name: &str) -> i32 {
    edit(msg, name, "", |fields, _| fields.remove(name) as i32)
}

pub fn respond(status: i32, body: &[u8]) -> i32 {
    in_head(|m| {
        if body.len() > 1 << 20 {
            return TOO_LARGE;
        }
        if !(200..=599).contains(&status) || matches!(status, 204 | 304) && !body.is_empty() {
            return INVALID;
        }
        if m.phase == Phase::Response {
            m.exchange.response.0.retain(|(name, _)| !describes_content(name));
            m.exchange.response_trailers = Fields::default();
        }
        m.exchange.status = status as u16;
        m.exchange.body = body.into();
        m.answered = true;
        0
    })
}

pub fn state_get(buf: &mut [u8]) -> i32 {
    in_any_hook(|m| put(m.state(), buf))
}

pub fn state_set(data: &[u8]) -> i32 {
    in_any_hook(|m| {
        if data.len() > 64 << 10 {
            return TOO_LARGE;
        }
        *m.state() = data.into();
        0
    })
}

pub fn attr_get(name: &str, buf: &mut [u8]) -> i32 {
    if name.len() > MAX_NAME {
        return in_hook(|_| TOO_LARGE);
    }
    in_hook(|m| put_if(m.exchange.attrs.get(name).map(String::as_str), buf))
}

pub fn attr_set(name: &str, value: &str) -> i32 {
    with(|m| {
        if !m.in_head() && m.phase != Phase::ResponseChunk {
            return WRONG_PHASE;
        }
        if name.len() > MAX_NAME || value.len() > 4 << 10 {
            return TOO_LARGE;
        }
        if name.is_empty() || !visible(name) || !printable(value) {
            return INVALID;
        }
        if !m.exchange.attrs.contains_key(name) && m.exchange.attrs.len() >= MAX_ATTRS {
            return TOO_LARGE;
        }
        m.exchange.attrs.insert(name.into(), value.into());
        0
    })
}

pub fn exchange() -> i64 {
    with(|m| m.exchange.number)
}

pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| (d + world(|w| w.passed)).as_nanos() as i64)
}

/// Fills buf with bytes that differ from call to call; they are not cryptographic here.
pub fn random(buf: &mut [u8]) -> i32 {
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher, Hasher};
    if buf.len() > 4 << 10 {
        return TOO_LARGE;
    }
    for chunk in buf.chunks_mut(8) {
        let bytes = RandomState::new().build_hasher().finish().to_le_bytes();
        chunk.copy_from_slice(&bytes[..chunk.len()]);
    }
    0
}
