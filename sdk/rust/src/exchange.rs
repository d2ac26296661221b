/// Gives a type what requests, responses and their chunks have in common, with the buffer that it reads into.
macro_rules! exchange_methods {
    ($type:ty, $($buf:ident).+) => {
        impl $type {
            /// Tells exchanges apart that are open at the same time; never 0.
            pub fn number(&self) -> u64 {
                crate::host::exchange() as u64
            }

            /// Returns what this filter has stored for the exchange; empty at first.
            pub fn state(&mut self) -> &[u8] {
                let n = crate::host::read(&mut self.$($buf).+, crate::host::state_get);
                &self.$($buf).+[..n.unwrap_or(0)]
            }

            /// Stores up to 64 KiB for the exchange, to be read by this filter's later hooks.
            pub fn set_state(&mut self, data: &[u8]) -> Result<(), crate::ErrorCode> {
                crate::error::check(crate::host::state_set(data)).map(drop)
            }

            /// Returns an attribute. Attributes are shared by all filters of the exchange, and seen by access log and
            /// rate limits.
            pub fn attr(&mut self, name: &str) -> Option<alloc::string::String> {
                let n = crate::host::read(&mut self.$($buf).+, |buf| crate::host::attr_get(name, buf))?;
                Some(crate::headers::text(&self.$($buf).+[..n]))
            }

            /// Sets an attribute.
            pub fn set_attr(&mut self, name: &str, value: &str) -> Result<(), crate::ErrorCode> {
                crate::error::check(crate::host::attr_set(name, value)).map(drop)
            }
        }
    };
}

pub(crate) use exchange_methods;
