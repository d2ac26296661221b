use super::Fields;
use std::time::Duration;

/// A request of the plugin's own, as an upstream of a World gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names are those of the plugin's FetchRequest
pub struct FetchRequest {
    pub method: String,
    /// With its query.
    pub path: String,
    pub authority: String,
    pub headers: Fields,
    pub body: Vec<u8>,
    /// Zero if the plugin leaves it to the gateway.
    pub timeout: Duration,
}

/// What an upstream of a World answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchAnswer {
    /// If it is not 0, there is no answer: -6 for one that comes too late, -7 for an upstream that cannot be asked, -9 for a client that
    /// has gone.
    pub fault: i32,
    /// Of the answer.
    pub status: u16,
    /// Of the answer.
    pub headers: Fields,
    /// Of the answer.
    pub body: Vec<u8>,
}
