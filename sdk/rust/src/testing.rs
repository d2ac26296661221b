//! Runs a plugin in a plain `cargo test`, against an in-memory gateway that follows the plugin ABI.
//!
//! ```
//! # use sallyport::{Error, Hooks, Plugin, Verdict};
//! # struct Greet;
//! # impl Plugin for Greet {
//! #     fn configure(_: &str) -> Result<Self, Error> { Ok(Greet) }
//! #     fn hooks(&self) -> Hooks { Hooks::NONE }
//! # }
//! use sallyport::testing::{configure, Exchange};
//!
//! let mut plugin = configure::<Greet>("{}").unwrap();
//! let mut x = Exchange::new("GET", "/orders?id=7");
//! assert_eq!(plugin.request(&mut x), Ok(Verdict::Continue));
//! ```
//!
//! A hook that waits goes on in another copy of the plugin, which is configured then.

mod chunk;
mod fetch;
mod world;
pub use fetch::{FetchAnswer, FetchRequest};
pub use world::World;

use crate::host::memory::{self, fetch::Fetches, Phase};
use crate::{Error, Hooks, Plugin, Request, Response, Verdict};
use std::collections::BTreeMap;

/// The headers of one message, name and value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// Returns the first value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Makes value the only one of a header, in the first one's place, else at the end.
    pub fn set(&mut self, name: &str, value: &str) {
        let place = self.0.iter().position(|(n, _)| n.eq_ignore_ascii_case(name));
        self.remove(name);
        self.0
            .insert(place.unwrap_or(self.0.len()), (name.into(), value.into()));
    }

    /// Appends a header.
    pub fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.into(), value.into()));
    }

    /// Deletes every header of that name and returns how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.0.len();
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        before - self.0.len()
    }
}

/// One request and its answer, as the test prepares it and as the plugin leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names are those of the methods of Request
pub struct Exchange {
    pub method: String,
    pub scheme: String,
    pub host: String,
    pub path: String,
    pub query: String,
    pub protocol: String,
    pub client_address: String,
    pub route: String,
    pub id: String,
    pub upstream: String,
    pub tls_server_name: String,
    pub tls_client_subject: String,
    pub trace_id: String,
    pub params: BTreeMap<String, String>,
    pub request: Fields,
    /// What the request hook of a plugin with `Hooks::REQUEST_BODY` finds.
    pub request_body: Vec<u8>,
    pub request_trailers: Fields,
    pub response: Fields,
    /// Of the response; 0 while there is none.
    pub status: u16,
    /// Of the response.
    pub body: Vec<u8>,
    pub response_trailers: Fields,
    pub state: Vec<u8>,
    /// The consumer is the attribute `consumer`.
    pub attrs: BTreeMap<String, String>,
    /// Lines of all levels.
    pub log: Vec<String>,
    pub number: i64,
    pub(crate) fetches: Fetches,
}

impl Exchange {
    /// Returns an exchange for a request over plain HTTP from 192.0.2.1, with an empty 200 as its answer. The target is a
    /// path, perhaps with a query.
    pub fn new(method: &str, target: &str) -> Exchange {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Exchange {
            method: method.into(),
            scheme: "http".into(),
            host: "gateway.test".into(),
            path: path.into(),
            query: query.into(),
            protocol: "HTTP/1.1".into(),
            client_address: "192.0.2.1".into(),
            route: "test".into(),
            id: "request-1".into(),
            status: 200,
            number: 1,
            ..Exchange::default()
        }
    }

    /// Returns the value that a field number stands for.
    pub(crate) fn field(&mut self, number: i32) -> Option<&mut String> {
        Some(match number {
            1 => &mut self.method,
            2 => &mut self.scheme,
            3 => &mut self.host,
            4 => &mut self.path,
            5 => &mut self.query,
            6 => &mut self.protocol,
            7 => &mut self.client_address,
            8 => &mut self.route,
            9 => &mut self.id,
            11 => &mut self.upstream,
            12 => &mut self.tls_server_name,
            13 => &mut self.tls_client_subject,
            14 => &mut self.trace_id,
            _ => return None,
        })
    }
}

/// A plugin with a configuration it has accepted.
pub struct Configured<P> {
    plugin: P,
    config: String,
}

/// Gives a plugin its configuration, a JSON object.
pub fn configure<P: Plugin>(config: &str) -> Result<Configured<P>, Error> {
    let plugin = memory::configure(config, || P::configure(config)).0?;
    Ok(Configured {
        plugin,
        config: config.into(),
    })
}

impl<P: Plugin> Configured<P> {
    /// Runs the request hook. As in the gateway, an answer counts only with the verdict Respond, and after an error
    /// everything is as before. If it waits, it is resumed.
    pub fn request(&mut self, x: &mut Exchange) -> Result<Verdict, Error> {
        if !self.wants(Hooks::REQUEST) {
            return Ok(Verdict::Continue);
        }
        let before = x.clone();
        x.response = Fields::default();
        x.response_trailers = Fields::default();
        x.status = 0;
        x.body = Vec::new();
        let (mut result, answered) = self.run_request(x);
        if result == Ok(Verdict::Respond) && !answered {
            result = Err("the request hook says Respond but has made no answer".into());
        }
        if result == Ok(Verdict::Continue) {
            x.response = before.response.clone();
            x.response_trailers = before.response_trailers.clone();
            x.status = before.status;
            x.body = before.body.clone();
        }
        restore(result, x, before)
    }

    /// Runs the request hook to its end, and tells whether it has made an answer.
    fn run_request(&mut self, x: &mut Exchange) -> (Result<Verdict, Error>, bool) {
        let held = self.wants(Hooks::REQUEST_BODY);
        let first = || self.plugin.request(&mut Request::new());
        let (mut result, mut answered) = memory::run(Phase::Request, held, false, x, first);
        while result == Ok(Verdict::Wait) {
            let resumed = self.resume(x, |plugin, x| {
                let next = || plugin.resume_request(&mut Request::new());
                memory::run(Phase::Request, held, answered, x, next)
            });
            match resumed {
                Ok((next, made)) => {
                    result = next;
                    answered = made;
                }
                Err(error) => result = Err(error),
            }
        }
        (result, answered)
    }

    /// Runs the response hook. After an error everything is as before. If it waits, it is resumed.
    pub fn response(&mut self, x: &mut Exchange) -> Result<(), Error> {
        if !self.wants(Hooks::RESPONSE) {
            return Ok(());
        }
        let before = x.clone();
        let held = self.wants(Hooks::RESPONSE_BODY);
        let mut r = Response::new();
        let (mut result, mut answered) = memory::run(Phase::Response, held, false, x, || self.plugin.response(&mut r));
        while result.is_ok() && r.waits {
            r = Response::new();
            let resumed = self.resume(x, |plugin, x| {
                memory::run(Phase::Response, held, answered, x, || plugin.resume_response(&mut r))
            });
            match resumed {
                Ok((next, made)) => {
                    result = next;
                    answered = made;
                }
                Err(error) => result = Err(error),
            }
        }
        restore(result, x, before)
    }

    /// Runs what goes on with an exchange that waits, in another copy of the plugin unless it is bound.
    fn resume<T>(&mut self, x: &mut Exchange, run: impl FnOnce(&mut P, &mut Exchange) -> T) -> Result<T, Error> {
        if !x.fetches.pending() {
            return Err("the hook waits, but no fetch is under way".into());
        }
        if self.wants(Hooks::BOUND) {
            return Ok(run(&mut self.plugin, x));
        }
        let config = &self.config;
        let mut other = memory::configure(config, || P::configure(config)).0?;
        Ok(run(&mut other, x))
    }

    /// Runs the end hook.
    pub fn end(&mut self, x: &mut Exchange) {
        if self.wants(Hooks::END) {
            memory::run(Phase::End, false, false, x, || self.plugin.end(&mut Response::new()));
        }
    }

    fn wants(&self, hook: Hooks) -> bool {
        self.plugin.hooks() | hook == self.plugin.hooks()
    }
}

/// Undoes what a failed hook did, save what it logged and asked for.
fn restore<T>(result: Result<T, Error>, x: &mut Exchange, before: Exchange) -> Result<T, Error> {
    if result.is_err() {
        let log = std::mem::take(&mut x.log);
        let fetches = std::mem::take(&mut x.fetches);
        *x = Exchange { log, fetches, ..before };
    }
    result
}
