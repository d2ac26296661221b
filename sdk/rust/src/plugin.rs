use crate::{Error, Request, Response};
use core::ops::BitOr;

/// What a request hook says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On to the next filter.
    Continue = 0,
    /// The answer is ready: the rest of the chain and the backend are left out.
    Respond = 1,
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
    /// The exchange is over.
    pub const END: Hooks = Hooks(64);
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
            extern "C" fn on_end() {
                INSTANCE.end()
            }
        };

        #[cfg(not(target_arch = "wasm32"))]
        const _: $crate::Instance<$plugin> = $crate::Instance::new(); // used: no warnings of dead code
    };
}
