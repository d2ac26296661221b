use crate::{error::check, host, ErrorCode};
use alloc::{string::String, vec::Vec};

/// A number that grows. All copies of the plugin count together. It is best made once for each set of labels; their number is
/// bounded, so keep what clients send out of labels.
pub struct Counter {
    name: String,
    labels: Vec<u8>,
}

impl Counter {
    /// Names a counter: letters, digits and `_` in its name and those of its labels.
    pub fn new(name: &str, labels: &[(&str, &str)]) -> Counter {
        Counter {
            name: name.into(),
            labels: encode(labels),
        }
    }

    /// Adds delta, at least 0. `ErrorCode::TooLarge` when the plugin has too many series, `ErrorCode::Conflict` when the name is a
    /// histogram's. Not while the plugin is configured.
    pub fn add(&self, delta: i64) -> Result<(), ErrorCode> {
        check(host::metric_add(&self.name, &self.labels, delta)).map(drop)
    }
}

/// Counts values by how large they are. Its buckets are fixed and suit seconds as well as bytes.
pub struct Histogram {
    name: String,
    labels: Vec<u8>,
}

impl Histogram {
    /// Names a histogram, as `Counter::new` does a counter.
    pub fn new(name: &str, labels: &[(&str, &str)]) -> Histogram {
        Histogram {
            name: name.into(),
            labels: encode(labels),
        }
    }

    /// Adds a value, which must be finite. Errors are those of `Counter::add`.
    pub fn observe(&self, value: f64) -> Result<(), ErrorCode> {
        check(host::metric_observe(&self.name, &self.labels, value)).map(drop)
    }
}

/// Writes a field list (sdk/ABI.md, section 10).
pub(crate) fn encode(labels: &[(&str, &str)]) -> Vec<u8> {
    let mut list = Vec::from((labels.len() as u32).to_le_bytes());
    for (name, value) in labels {
        list.extend_from_slice(&(name.len() as u32).to_le_bytes());
        list.extend_from_slice(&(value.len() as u32).to_le_bytes());
    }
    for (name, value) in labels {
        list.extend_from_slice(name.as_bytes());
        list.extend_from_slice(value.as_bytes());
    }
    list
}
