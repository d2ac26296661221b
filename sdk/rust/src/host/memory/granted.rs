//! The host functions that need a grant, and the metrics.

use super::rules::*;
use super::world::{world, Store, Value, World};
use super::{with, Phase};
use std::time::Duration;

pub(super) const NOT_GRANTED: i32 = -3;
pub(super) const CONFLICT: i32 = -8;

pub(super) const MAX_NAME: usize = 256;
const MAX_KEY: usize = 512;
const MAX_STORED: usize = 256 << 10;
const MAX_LABELS: usize = 16;
const MAX_SERIES: usize = 1000;

/// Finds a granted store for f, after checking the phase and sizes; gives it the time, too.
fn store(name: &str, key: &str, sizes: &[usize], f: impl FnOnce(&mut Store, Duration) -> i32) -> i32 {
    if !with(|m| m.in_head() || m.phase == Phase::End) {
        return WRONG_PHASE;
    }
    if name.len() > MAX_NAME || key.len() > MAX_KEY || sizes.iter().any(|&n| n > MAX_STORED) {
        return TOO_LARGE;
    }
    world(|w| {
        let now = w.passed;
        match w.stores.get_mut(name) {
            None => NOT_GRANTED,
            Some(s) if s.fault != 0 => s.fault,
            Some(s) => f(s, now),
        }
    })
}

fn put(s: &mut Store, key: &str, bytes: &[u8], now: Duration, ttl: u32) -> i32 {
    let ends = Some(ttl)
        .filter(|&ms| ms > 0)
        .map(|ms| now + Duration::from_millis(ms.into()));
    let value = Value {
        bytes: bytes.into(),
        ends,
    };
    s.values.insert(key.into(), value);
    0
}

fn fill(value: &[u8], buf: &mut [u8]) -> i32 {
    if let Some(room) = buf.get_mut(..value.len()) {
        room.copy_from_slice(value);
    }
    value.len() as i32
}

pub fn kv_get(name: &str, key: &str, buf: &mut [u8]) -> i32 {
    store(name, key, &[], |s, now| {
        s.find(key, now).map_or(NOT_FOUND, |v| fill(&v.bytes, buf))
    })
}

pub fn kv_set(name: &str, key: &str, value: &[u8], ttl: u32) -> i32 {
    store(name, key, &[value.len()], |s, now| put(s, key, value, now, ttl))
}

pub fn kv_add(name: &str, key: &str, delta: i64, ttl: u32, out: &mut [u8; 8]) -> i32 {
    store(name, key, &[], |s, now| {
        let old = s.find(key, now).cloned();
        let n = match &old {
            None => Some(0),
            Some(v) => number(&v.bytes),
        };
        let sum = match n.and_then(|n| n.checked_add(delta)) {
            None => return CONFLICT,
            Some(sum) => sum,
        };
        *out = sum.to_le_bytes();
        match old {
            None => put(s, key, sum.to_string().as_bytes(), now, ttl),
            Some(_) => {
                let value = s.values.get_mut(key).expect("it was found");
                value.bytes = sum.to_string().into_bytes();
                0
            }
        }
    })
}

/// Reads decimal text in the only form that a number is written in.
fn number(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let n: i64 = text.parse().ok()?;
    Some(n).filter(|n| n.to_string() == text)
}

pub fn kv_delete(name: &str, key: &str) -> i32 {
    store(name, key, &[], |s, now| {
        let found = s.find(key, now).is_some();
        s.values.remove(key);
        match found {
            true => 0,
            false => NOT_FOUND,
        }
    })
}

pub fn kv_swap(name: &str, key: &str, old: Option<&[u8]>, new: &[u8], ttl: u32) -> i32 {
    store(name, key, &[old.map_or(0, <[u8]>::len), new.len()], |s, now| {
        match s.find(key, now).map(|v| v.bytes.as_slice()) == old {
            true => put(s, key, new, now, ttl),
            false => CONFLICT,
        }
    })
}

pub fn rate_take(limit: &str, key: &str, n: u32) -> i32 {
    if !with(|m| matches!(m.phase, Phase::Request | Phase::Response)) {
        return WRONG_PHASE;
    }
    if limit.len() > MAX_NAME || key.len() > MAX_KEY {
        return TOO_LARGE;
    }
    world(|w| {
        let most = match w.limits.get(limit) {
            None => return NOT_GRANTED,
            Some(_) if n == 0 => return INVALID,
            Some(&most) if n > most => return TOO_LARGE,
            Some(&most) => most,
        };
        let taken = w.taken.entry((limit.into(), key.into())).or_default();
        if n > most - *taken {
            return 1000;
        }
        *taken += n;
        0
    })
}

pub fn secret(name: &str, buf: &mut [u8]) -> i32 {
    if name.len() > MAX_NAME {
        return TOO_LARGE;
    }
    world(|w| {
        w.secrets
            .get(name)
            .map_or(NOT_GRANTED, |value| fill(value.as_bytes(), buf))
    })
}

pub fn granted(grant: &str) -> i32 {
    if grant.len() > MAX_NAME {
        return TOO_LARGE;
    }
    let (kind, name) = match grant.split_once(':') {
        Some((_, "")) => return 0,
        Some(parts) => parts,
        None if grant == "kv" => ("kv", ""),
        None => return 0,
    };
    let there = world(|w| match kind {
        "fetch" => w.upstreams.contains_key(name),
        "jwt" => w.keys.contains_key(name),
        "kv" => w.stores.contains_key(name),
        "limit" => w.limits.contains_key(name),
        "passwords" => w.passwords.contains_key(name),
        "schema" => w.schemas.contains_key(name),
        "secret" => w.secrets.contains_key(name),
        _ => false,
    });
    there.into()
}

pub fn metric_add(name: &str, labels: &[u8], delta: i64) -> i32 {
    world(|w| match series(w, name, labels, delta >= 0, false) {
        Err(code) => code,
        Ok(series) => {
            *w.counters.entry(series).or_default() += delta;
            0
        }
    })
}

pub fn metric_observe(name: &str, labels: &[u8], value: f64) -> i32 {
    world(|w| match series(w, name, labels, value.is_finite(), true) {
        Err(code) => code,
        Ok(series) => {
            w.observed.entry(series).or_default().push(value);
            0
        }
    })
}

/// Writes a name with its labels, sorted, as in `requests{code="200"}`.
fn series(w: &World, name: &str, labels: &[u8], valid: bool, histogram: bool) -> Result<String, i32> {
    if !with(|m| m.in_any_hook()) {
        return Err(WRONG_PHASE);
    }
    let mut list = decode_list(labels);
    if name.len() > MAX_NAME || list.len() > MAX_LABELS || list.iter().any(|(n, v)| n.len().max(v.len()) > MAX_NAME) {
        return Err(TOO_LARGE);
    }
    list.sort();
    let twice = list.windows(2).any(|pair| pair[0].0 == pair[1].0);
    if !valid || twice || !identifier(name) || !list.iter().all(|(n, _)| label(n)) {
        return Err(INVALID);
    }
    let base = |key: &String| key.split('{').next() == Some(name);
    if w.counters.keys().any(base) && histogram || w.observed.keys().any(base) && !histogram {
        return Err(CONFLICT);
    }
    let texts: Vec<String> = list.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
    let full = match list.is_empty() {
        true => name.into(),
        false => format!("{name}{{{}}}", texts.join(",")),
    };
    let there = w.counters.contains_key(&full) || w.observed.contains_key(&full);
    if !there && w.counters.len() + w.observed.len() >= MAX_SERIES {
        return Err(TOO_LARGE);
    }
    Ok(full)
}

fn label(name: &str) -> bool {
    identifier(name) && !name.starts_with("__") && !matches!(name, "le" | "plugin" | "route")
}

/// Whether s is letters, digits and `_`, without a digit first.
fn identifier(s: &str) -> bool {
    !s.is_empty()
        && !s.starts_with(|c: char| c.is_ascii_digit())
        && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Reads a field list that this crate has written.
pub(super) fn decode_list(list: &[u8]) -> Vec<(String, String)> {
    let number = |at: usize| u32::from_le_bytes([list[at], list[at + 1], list[at + 2], list[at + 3]]) as usize;
    let count = number(0);
    let mut at = 4 + 8 * count;
    let mut text = |n: usize| {
        at += n;
        String::from_utf8_lossy(&list[at - n..at]).into_owned()
    };
    (0..count)
        .map(|i| (text(number(4 + 8 * i)), text(number(8 + 8 * i))))
        .collect()
}
