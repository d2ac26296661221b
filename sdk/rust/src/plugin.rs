use crate::{Chunk, Error, Flow, Request, Response};
use core::ops::BitOr;

/// What a request hook says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On to the next filter.
    Continue = 0,
    /// The answer is ready: the rest of the chain and the backend are left out.
    Respond = 1,
    /// For the fetches that were started; `Plugin::resume_request` goes on.
    Wait = 2,
}

/// The moments at which a plugin wants to be called; one not asked for costs nothing. Join them with `|`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hooks(pub(crate) i32);

impl Hooks {
    /// No hook at all.
    pub const NONE: Hooks = Hooks(0);
    /// The request's head is there.
    pub const REQUEST: Hooks = Hooks(1);
    /// The request's head and its whole body are there. The gateway holds the body up to `buffer_limit`; beyond that the client
    /// gets a 413 and the hook is not called.
    pub const REQUEST_BODY: Hooks = Hooks(1 | 2);
    /// The response's head is there, whoever made it.
    pub const RESPONSE: Hooks = Hooks(4);
    /// The response's head and its whole body are there; beyond `buffer_limit` the client gets a 502 in its place.
    pub const RESPONSE_BODY: Hooks = Hooks(4 | 8);
    /// The pieces of the request's body as they stream through; not together with `REQUEST_BODY`. Content-Length is unknown then: the body is
    /// sent in chunks.
    pub const REQUEST_CHUNKS: Hooks = Hooks(16);
    /// The pieces of the response's body as they stream through; not together with `RESPONSE_BODY`.
    pub const RESPONSE_CHUNKS: Hooks = Hooks(32);
    /// The exchange is over.
    pub const END: Hooks = Hooks(64);
    /// No hook, but how they are run: each exchange keeps to one copy of the plugin, which may hold in `self`, by the exchange's number,
    /// what is too much for `set_state`. Other exchanges run on the same copy in between. If a hook fails, so do all exchanges of that copy.
    pub const BOUND: Hooks = Hooks(128);
}

impl BitOr for Hooks {
    type Output = Hooks;
    fn bitor(self, other: Hooks) -> Hooks {
        Hooks(self.0 | other.0)
    }
}

/// A plugin with a configuration that it has accepted. Make it the plugin of the module with `register!`.
///
/// A hook that returns an error has failed: the error is logged, and the route's `on_error` says whether the client gets
/// a 503 or the exchange goes on as if the filter were not there.
pub trait Plugin: Sized {
    /// Reads the filter's config table, given as JSON (`{}` if there is none), once for every copy of the plugin. The error
    /// is what the operator reads; one with a JSON pointer, as those of module `config`, points at the place in
    /// `gateway.toml`.
    fn configure(config: &str) -> Result<Self, Error>;

    /// Says which of the hooks below are wanted.
    fn hooks(&self) -> Hooks;

    /// Is called with every request, if `Hooks::REQUEST` or `Hooks::REQUEST_BODY` is wanted, before an upstream is
    /// contacted.
    fn request(&mut self, _request: &mut Request) -> Result<Verdict, Error> {
        Ok(Verdict::Continue)
    }

    /// Is called with every response to a request that `request` let pass, if `Hooks::RESPONSE` or `Hooks::RESPONSE_BODY` is
    /// wanted.
    fn response(&mut self, _response: &mut Response) -> Result<(), Error> {
        Ok(())
    }

    /// Goes on with a `request`, or a `resume_request`, that returned `Verdict::Wait`, when all its fetches have been answered or have failed:
    /// `fetched` returns the answers. It runs on whatever copy of the plugin is idle then, which is why it is a method of its own and not a
    /// closure that `request` hands over: of what `request` had in its variables, or left in `self`, nothing may be there. What it must know goes
    /// through `set_state`; what was changed of the request is changed.
    fn resume_request(&mut self, _request: &mut Request) -> Result<Verdict, Error> {
        Err("a request hook waits, but the plugin has no resume_request".into())
    }

    /// Goes on with a `response` that waits, in the same way.
    fn resume_response(&mut self, _response: &mut Response) -> Result<(), Error> {
        Err("a response hook waits, but the plugin has no resume_response".into())
    }

    /// Is called with each piece of the request's body as it streams through, if `Hooks::REQUEST_CHUNKS` is wanted. A message without content has none.
    fn request_chunk(&mut self, _chunk: &mut Chunk) -> Result<Flow, Error> {
        Ok(Flow::Pass)
    }

    /// Is called with each piece of the response's body, if `Hooks::RESPONSE_CHUNKS` is wanted.
    fn response_chunk(&mut self, _response: &mut Response, _chunk: &mut Chunk) -> Result<Flow, Error> {
        Ok(Flow::Pass)
    }

    /// Is called once for every exchange whose request `request` let pass or answered, when the last byte has gone to the
    /// client or never will, if `Hooks::END` is wanted. It is for logging and counting: all can be read but bodies, nothing
    /// be changed but the state.
    fn end(&mut self, _response: &mut Response) {}
}

/// Makes a type that implements `Plugin` the plugin of this module: exports the functions that the gateway calls.
#[macro_export]
macro_rules! register {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            static INSTANCE: $crate::Instance<$plugin> = $crate::Instance::new();

            #[no_mangle]
            extern "C" fn sallyport_abi() -> i32 {
                1
            }

            #[no_mangle]
            extern "C" fn on_configure() -> i32 {
                INSTANCE.configure()
            }

            #[no_mangle]
            extern "C" fn on_request() -> i32 {
                INSTANCE.request()
            }

            #[no_mangle]
            extern "C" fn on_response() -> i32 {
                INSTANCE.response()
            }

            #[no_mangle]
            extern "C" fn on_resume() -> i32 {
                INSTANCE.resume()
            }

            #[no_mangle]
            extern "C" fn on_request_chunk(len: i32, last: i32) -> i32 {
                INSTANCE.request_chunk(len, last)
            }

            #[no_mangle]
            extern "C" fn on_response_chunk(len: i32, last: i32) -> i32 {
                INSTANCE.response_chunk(len, last)
            }

            #[no_mangle]
            extern "C" fn on_end() {
                INSTANCE.end()
            }
        };

        #[cfg(not(target_arch = "wasm32"))]
        const _: $crate::Instance<$plugin> = $crate::Instance::new(); // used: no warnings of dead code
    };
}
