//! Lets a Rust program be a plugin of the Sallyport gateway. It has no dependencies and needs no standard library
//! (only `alloc`) in WebAssembly.
//!
//! ```
//! use sallyport::{Error, Hooks, Plugin, Request, Verdict};
//!
//! struct Greet;
//!
//! impl Plugin for Greet {
//!     fn configure(_config: &str) -> Result<Self, Error> {
//!         Ok(Greet)
//!     }
//!
//!     fn hooks(&self) -> Hooks {
//!         Hooks::REQUEST
//!     }
//!
//!     fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
//!         r.headers.set("X-Greeting", "hello")?;
//!         Ok(Verdict::Continue)
//!     }
//! }
//!
//! sallyport::register!(Greet);
//! ```
//!
//! With `Hooks::REQUEST_BODY` or `Hooks::RESPONSE_BODY` a hook is called when the whole body is there, and may read and
//! replace it:
//!
//! ```
//! # use sallyport::{Error, Request, Response, Verdict};
//! fn request(r: &mut Request) -> Result<Verdict, Error> {
//!     if r.body.bytes()?.is_empty() {
//!         return Ok(r.respond_problem(422, "there must be content", &[])?);
//!     }
//!     Ok(Verdict::Continue)
//! }
//!
//! fn response(r: &mut Response) -> Result<(), Error> {
//!     r.body.edit(|content| content.make_ascii_lowercase())?;
//!     r.headers.remove("ETag")?;
//!     Ok(())
//! }
//! ```
//!
//! With `Hooks::REQUEST_CHUNKS` or `Hooks::RESPONSE_CHUNKS` it is called with each piece as it streams through: see `Chunk`. `Hooks::END` comes
//! when an exchange is over.
//!
//! A plugin asks other services with `fetch`, which holds the copy that it runs in, or with `start_fetch` and `Request::wait`, which does not.
//!
//! A hook runs on any idle copy of the plugin, so what `self` keeps is a cache at best: what the response hook must know
//! of the request goes through `set_state`. Within one copy hooks run one after the other.
//!
//! Outside WebAssembly, in `cargo test`, the gateway is the in-memory one of module `testing`.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![warn(missing_docs)]

extern crate alloc;

mod body;
mod chunk;
pub mod config;
mod error;
mod exchange;
mod fetch;
mod field;
mod granted;
mod headers;
mod host;
mod instance;
mod kv;
mod metric;
mod password;
mod plugin;
mod problem;
mod request;
mod response;
mod schema;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod token;
mod world;

pub use body::Body;
pub use chunk::{Chunk, Flow};
pub use error::{Error, ErrorCode};
pub use fetch::{fetch, fetched, start_fetch, Answer, FetchRequest};
pub use granted::{granted, secret, take};
pub use headers::Headers;
#[doc(hidden)]
pub use instance::Instance;
pub use kv::Store;
pub use metric::{Counter, Histogram};
pub use password::check_password;
pub use plugin::{Hooks, Plugin, Verdict};
pub use request::Request;
pub use response::Response;
pub use schema::check_json;
pub use token::verify_jwt;
pub use world::{log, now, random, Level};
