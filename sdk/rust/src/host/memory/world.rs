//! What the tests' gateway grants, and what plugins leave there. Every thread has its own.

use crate::testing::{FetchAnswer, FetchRequest};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

#[derive(Default)]
pub struct World {
    pub secrets: BTreeMap<String, String>,
    pub stores: BTreeMap<String, Store>,
    /// By name: how many units each key may take until time passes.
    pub limits: BTreeMap<String, u32>,
    pub taken: BTreeMap<(String, String), u32>,
    pub upstreams: BTreeMap<String, Rc<Upstream>>,
    pub keys: BTreeMap<String, KeySet>,
    pub passwords: BTreeMap<String, PasswordSet>,
    pub schemas: BTreeMap<String, Option<Rc<Check>>>,
    pub counters: BTreeMap<String, i64>,
    pub observed: BTreeMap<String, Vec<f64>>,
    pub passed: Duration,
}

pub type Upstream = dyn Fn(FetchRequest) -> FetchAnswer;

/// Returns what is wrong with a document; an empty text for nothing.
pub type Check = dyn Fn(&[u8]) -> String;

#[derive(Default)]
pub struct KeySet {
    /// Claims, by the token.
    pub valid: BTreeMap<String, String>,
    pub expired: Vec<String>,
    pub down: bool,
}

#[derive(Default)]
pub struct PasswordSet {
    /// Passwords, by the user.
    pub users: BTreeMap<String, String>,
    /// Too many wait.
    pub busy: bool,
}

#[derive(Default)]
pub struct Store {
    /// What every call answers, if not 0.
    pub fault: i32,
    pub values: BTreeMap<String, Value>,
}

#[derive(Clone)]
pub struct Value {
    pub bytes: Vec<u8>,
    /// When it is gone, by `World::passed`.
    pub ends: Option<Duration>,
}

impl Store {
    pub fn find(&self, key: &str, now: Duration) -> Option<&Value> {
        self.values.get(key).filter(|v| v.ends.map_or(true, |ends| ends > now))
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub fn world<T>(f: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with(|world| f(&mut world.borrow_mut()))
}
