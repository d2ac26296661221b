use crate::headers::{REQUEST, RESPONSE};
use crate::{error::check, host, log, Chunk, Error, ErrorCode, Level, Plugin, Request, Response, Verdict};
use alloc::{string::String, string::ToString, vec::Vec};
use core::cell::UnsafeCell;

/// What an export answers when the plugin returned an error.
const FAILED: i32 = -1;

/// The plugin of a module, once it is configured. For `register!` alone.
pub struct Instance<P>(UnsafeCell<Option<State<P>>>);

struct State<P> {
    plugin: P,
    request: Request,
    response: Response,
    chunk: Chunk,
}

impl<P> State<P> {
    /// Runs a response hook and returns its result for the gateway.
    fn respond(&mut self, hook: fn(&mut P, &mut Response) -> Result<(), Error>) -> Result<i32, Error> {
        self.response.waits = false;
        hook(&mut self.plugin, &mut self.response)?;
        Ok(match self.response.waits {
            true => Verdict::Wait as i32,
            false => 0,
        })
    }
}

// The gateway runs one hook of an instance at a time, never one inside another, and the guest has one thread.
unsafe impl<P> Sync for Instance<P> {}

impl<P> Instance<P> {
    /// Returns an instance that is yet to be configured.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Instance(UnsafeCell::new(None))
    }

    #[allow(clippy::mut_from_ref)]
    fn state(&self) -> &mut Option<State<P>> {
        unsafe { &mut *self.0.get() }
    }
}

impl<P: Plugin> Instance<P> {
    /// Is the export on_configure.
    pub fn configure(&self) -> i32 {
        match P::configure(&config()) {
            Ok(plugin) => {
                let hooks = plugin.hooks();
                *self.state() = Some(State {
                    plugin,
                    request: Request::new(),
                    response: Response::new(),
                    chunk: Chunk::new(),
                });
                hooks.0
            }
            Err(error) => {
                host::fail(&error.to_string());
                FAILED
            }
        }
    }

    /// Is the export on_request.
    pub fn request(&self) -> i32 {
        self.run(|s| Ok(s.plugin.request(&mut s.request)? as i32))
    }

    /// Is the export on_response.
    pub fn response(&self) -> i32 {
        self.run(|s| s.respond(P::response))
    }

    /// Is the export on_resume.
    pub fn resume(&self) -> i32 {
        // In the response's hook the status could be set, though not to 0.
        if check(host::set_status(0)) == Err(ErrorCode::WrongPhase) {
            return self.run(|s| Ok(s.plugin.resume_request(&mut s.request)? as i32));
        }
        self.run(|s| s.respond(P::resume_response))
    }

    /// Is the export on_request_chunk.
    pub fn request_chunk(&self, len: i32, last: i32) -> i32 {
        self.run(|s| {
            s.chunk.begin(REQUEST, len, last);
            Ok(s.plugin.request_chunk(&mut s.chunk)? as i32)
        })
    }

    /// Is the export on_response_chunk.
    pub fn response_chunk(&self, len: i32, last: i32) -> i32 {
        self.run(|s| {
            s.chunk.begin(RESPONSE, len, last);
            Ok(s.plugin.response_chunk(&mut s.response, &mut s.chunk)? as i32)
        })
    }

    /// Is the export on_end.
    pub fn end(&self) {
        if let Some(s) = self.state() {
            s.plugin.end(&mut s.response);
        }
    }

    fn run(&self, hook: impl Fn(&mut State<P>) -> Result<i32, Error>) -> i32 {
        let state = match self.state() {
            Some(state) => state,
            None => return FAILED,
        };
        hook(state).unwrap_or_else(|error| {
            log(Level::Error, &error.to_string());
            FAILED
        })
    }
}

fn config() -> String {
    let mut buf = Vec::new();
    let n = host::read(&mut buf, host::config).unwrap_or(0);
    buf.truncate(n);
    String::from_utf8_lossy(&buf).into_owned()
}
