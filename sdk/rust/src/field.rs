use crate::{error::check, headers::text, host, ErrorCode, Request};
use alloc::string::String;

const METHOD: i32 = 1;
const SCHEME: i32 = 2;
const HOST: i32 = 3;
const PATH: i32 = 4;
const QUERY: i32 = 5;
const PROTOCOL: i32 = 6;
const CLIENT_ADDRESS: i32 = 7;
const ROUTE: i32 = 8;
const REQUEST_ID: i32 = 9;
const CONSUMER: i32 = 10;
const UPSTREAM: i32 = 11;
const TLS_SERVER_NAME: i32 = 12;
const TLS_CLIENT_SUBJECT: i32 = 13;
const TRACE_ID: i32 = 14;

impl Request {
    fn field(&mut self, field: i32) -> String {
        match host::read(&mut self.headers.buf, |buf| host::get(field, buf)) {
            Some(n) => text(&self.headers.buf[..n]),
            None => String::new(),
        }
    }

    fn set_field(&mut self, field: i32, value: &str) -> Result<(), ErrorCode> {
        check(host::set(field, value)).map(drop)
    }

    /// Returns the request's method as sent.
    pub fn method(&mut self) -> String {
        self.field(METHOD)
    }

    /// Returns "http" or "https".
    pub fn scheme(&mut self) -> String {
        self.field(SCHEME)
    }

    /// Returns the host that is asked for, in lower case, with its port if one was sent.
    pub fn host(&mut self) -> String {
        self.field(HOST)
    }

    /// Returns the normalised path, percent-encoded.
    pub fn path(&mut self) -> String {
        self.field(PATH)
    }

    /// Returns the raw query without "?".
    pub fn query(&mut self) -> String {
        self.field(QUERY)
    }

    /// Returns "HTTP/1.1" or "HTTP/2.0", say.
    pub fn protocol(&mut self) -> String {
        self.field(PROTOCOL)
    }

    /// Returns the client's IP address, trusted proxies left out.
    pub fn client_address(&mut self) -> String {
        self.field(CLIENT_ADDRESS)
    }

    /// Returns the route's name.
    pub fn route(&mut self) -> String {
        self.field(ROUTE)
    }

    /// Returns the request id, as it came with the request or as the gateway made it.
    pub fn id(&mut self) -> String {
        self.field(REQUEST_ID)
    }

    /// Returns who the client is, as a filter has found out, or an empty string.
    pub fn consumer(&mut self) -> String {
        self.field(CONSUMER)
    }

    /// Returns the name of the upstream that was asked, or an empty string before that.
    pub fn upstream(&mut self) -> String {
        self.field(UPSTREAM)
    }

    /// Returns the name that the client asked for when it opened the connection, or an empty string.
    pub fn tls_server_name(&mut self) -> String {
        self.field(TLS_SERVER_NAME)
    }

    /// Returns the subject of the client's verified certificate (RFC 2253), or an empty string.
    pub fn tls_client_subject(&mut self) -> String {
        self.field(TLS_CLIENT_SUBJECT)
    }

    /// Returns the id of the distributed trace that the request is part of, in hexadecimal digits, or an empty string where the
    /// gateway has no tracing.
    pub fn trace_id(&mut self) -> String {
        self.field(TRACE_ID)
    }

    /// Changes the host that is asked for: a name or address, perhaps with a port. Request hook only.
    pub fn set_host(&mut self, value: &str) -> Result<(), ErrorCode> {
        self.set_field(HOST, value)
    }

    /// Changes the path, which is normalised again. The request is not routed again. Request hook only.
    pub fn set_path(&mut self, value: &str) -> Result<(), ErrorCode> {
        self.set_field(PATH, value)
    }

    /// Changes the raw query. Request hook only.
    pub fn set_query(&mut self, value: &str) -> Result<(), ErrorCode> {
        self.set_field(QUERY, value)
    }

    /// Says who the client is, for the filters after this one, the access log and rate-limit keys.
    pub fn set_consumer(&mut self, value: &str) -> Result<(), ErrorCode> {
        self.set_field(CONSUMER, value)
    }
}
