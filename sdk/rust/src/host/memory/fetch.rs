//! The host functions that ask others: upstreams, and the keepers of keys.

use super::granted::{decode_list, CONFLICT, MAX_NAME, NOT_GRANTED};
use super::rules::*;
use super::with;
use super::world::world;
use crate::testing::{FetchAnswer, FetchRequest};
use std::time::Duration;

const TIMED_OUT: i32 = -6;
const UNAVAILABLE: i32 = -7;

const FIRST_FETCH: u32 = 16;
const MAX_FETCHES: usize = 16;
const MAX_BODY: usize = 1 << 20;
const MAX_FIELDS: usize = 256;
const MAX_FETCH_FIELDS: usize = (64 << 10) + 8 * MAX_FIELDS + 4;
const MAX_TOKEN: usize = 8 << 10;
const MAX_PASSWORD: usize = 512;
const MAX_CHECKS: usize = 16;

/// Those of an exchange, and the passwords that it has had checked. What was started is under way until the hook waits or has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetches {
    answers: Vec<FetchAnswer>,
    /// So many of them are in.
    answered: usize,
    /// What was asked about passwords: set, user, password.
    asked: Vec<[String; 3]>,
    /// So many of these are answered.
    told: usize,
    /// One by the hook that runs.
    started: bool,
}

impl Fetches {
    /// Makes what is under way answered.
    pub fn begin(&mut self) {
        self.answered = self.answers.len();
        self.told = self.asked.len();
        self.started = false;
    }

    /// Whether the hook that has run has something to wait for.
    pub fn pending(&self) -> bool {
        self.started || self.answered < self.answers.len() || self.told < self.asked.len()
    }

    /// Asks about a password, and returns a code if the answer is not there.
    fn ask(&mut self, question: [String; 3]) -> Option<i32> {
        match self.asked.iter().position(|asked| *asked == question) {
            Some(n) if n < self.told => None,
            Some(_) => Some(CONFLICT),
            None if self.asked.len() >= MAX_CHECKS => Some(TOO_LARGE),
            None => {
                self.asked.push(question);
                self.started = true;
                Some(CONFLICT)
            }
        }
    }

    /// Returns an answer that is there, or a code.
    pub fn answer(&mut self, id: u32) -> Result<&mut FetchAnswer, i32> {
        let n = id.checked_sub(FIRST_FETCH).ok_or(NOT_FOUND)? as usize;
        match self.answers.get_mut(n) {
            None => Err(NOT_FOUND),
            Some(_) if n >= self.answered => Err(CONFLICT),
            Some(answer) if answer.fault != 0 => Err(answer.fault),
            Some(answer) => Ok(answer),
        }
    }
}

pub fn fetch_start(upstream: &str, fields: &[u8], body: &[u8], timeout: u32) -> i32 {
    if !with(|m| m.in_head()) {
        return WRONG_PHASE;
    }
    if upstream.len() > MAX_NAME || body.len() > MAX_BODY || fields.len() > MAX_FETCH_FIELDS {
        return TOO_LARGE;
    }
    let serve = match world(|w| w.upstreams.get(upstream).cloned()) {
        None => return NOT_GRANTED,
        Some(serve) => serve,
    };
    if with(|m| m.exchange.fetches.answers.len()) >= MAX_FETCHES {
        return TOO_LARGE;
    }
    let request = match compose(fields, body, timeout) {
        Err(code) => return code,
        Ok(request) => request,
    };
    let mut answer = serve(request);
    if answer.body.len() > MAX_BODY {
        answer.fault = UNAVAILABLE;
    }
    with(|m| {
        let all = &mut m.exchange.fetches;
        all.answers.push(answer);
        all.started = true;
        FIRST_FETCH as i32 + all.answers.len() as i32 - 1
    })
}

/// What was started before may be in then, too, or not: here it is.
pub fn fetch(upstream: &str, fields: &[u8], body: &[u8], timeout: u32) -> i32 {
    let id = fetch_start(upstream, fields, body, timeout);
    if id < 0 {
        return id;
    }
    with(|m| m.exchange.fetches.answered = m.exchange.fetches.answers.len());
    fetch_result(id as u32)
}

pub fn fetch_result(id: u32) -> i32 {
    with(|m| match m.in_head() {
        true => m.exchange.fetches.answer(id).err().unwrap_or(id as i32),
        false => WRONG_PHASE,
    })
}

fn compose(fields: &[u8], body: &[u8], timeout: u32) -> Result<FetchRequest, i32> {
    let mut request = FetchRequest {
        method: "GET".into(),
        path: "/".into(),
        body: body.into(),
        timeout: Duration::from_millis(timeout.into()),
        ..FetchRequest::default()
    };
    for (name, value) in decode_list(fields) {
        take(&mut request, &name, value.trim_matches(|c| c == ' ' || c == '\t'))?;
    }
    let id = with(|m| m.exchange.id.clone());
    if request.headers.get("X-Request-Id").is_none() && !id.is_empty() {
        request.headers.add("X-Request-Id", &id);
    }
    match request.headers.0.len() > MAX_FIELDS {
        true => Err(TOO_LARGE),
        false => Ok(request),
    }
}

fn take(request: &mut FetchRequest, name: &str, value: &str) -> Result<(), i32> {
    match name {
        ":method" if token(value) && value != "CONNECT" => request.method = value.into(),
        ":path" if value.starts_with('/') && visible(value) && !value.contains('#') => request.path = value.into(),
        ":authority" if !value.is_empty() && visible(value) && !value.contains(|c| "/?#@".contains(c)) => {
            request.authority = value.to_ascii_lowercase()
        }
        _ if name.len() > MAX_NAME || value.len() > 16 << 10 => return Err(TOO_LARGE),
        _ if !token(name) || !printable(value) || connection_field(name) || name.eq_ignore_ascii_case("host") => {
            return Err(INVALID)
        }
        _ => request.headers.add(name, value),
    }
    Ok(())
}

pub fn jwt_verify(keys: &str, token: &str, buf: &mut [u8]) -> i32 {
    if !with(|m| m.in_head()) {
        return WRONG_PHASE;
    }
    if keys.len() > MAX_NAME || token.len() > MAX_TOKEN {
        return TOO_LARGE;
    }
    world(|w| match w.keys.get(keys) {
        None => NOT_GRANTED,
        Some(set) if set.down => UNAVAILABLE,
        Some(set) if set.expired.iter().any(|expired| expired == token) => TIMED_OUT,
        Some(set) => set.valid.get(token).map_or(INVALID, |claims| {
            if let Some(room) = buf.get_mut(..claims.len()) {
                room.copy_from_slice(claims.as_bytes());
            }
            claims.len() as i32
        }),
    })
}

pub fn password_check(set: &str, user: &str, password: &str) -> i32 {
    if !with(|m| m.in_head()) {
        return WRONG_PHASE;
    }
    if set.len() > MAX_NAME || user.len() > MAX_PASSWORD || password.len() > MAX_PASSWORD {
        return TOO_LARGE;
    }
    let verdict = world(|w| {
        w.passwords.get(set).map(|s| match s.users.get(user) {
            _ if s.busy => UNAVAILABLE,
            Some(right) if right == password => 0,
            _ => INVALID,
        })
    });
    match verdict {
        None => NOT_GRANTED,
        Some(code) => with(|m| m.exchange.fetches.ask([set.into(), user.into(), password.into()])).unwrap_or(code),
    }
}
