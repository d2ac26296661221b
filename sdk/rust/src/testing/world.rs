use super::{FetchAnswer, FetchRequest};
use crate::host::memory::world::{world, Value, World as State};
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

/// What the gateway grants a plugin, and what the plugin leaves there. A new one grants nothing. It holds for the plugins of the thread that
/// made it, until it is dropped.
///
/// ```
/// let world = sallyport::testing::World::new();
/// world.secret("hmac", "hush").store("sessions").limit("login", 5);
/// ```
pub struct World(PhantomData<Rc<()>>); // which keeps it in its thread

impl World {
    /// Makes a world for the plugins of this thread.
    #[allow(clippy::new_without_default)] // it changes what plugins see
    pub fn new() -> World {
        world(|w| *w = State::default());
        World(PhantomData)
    }

    /// Grants a secret.
    pub fn secret(&self, name: &str, value: &str) -> &World {
        world(|w| w.secrets.insert(name.into(), value.into()));
        self
    }

    /// Grants a store, empty at first; `""` is the plugin's own.
    pub fn store(&self, name: &str) -> &World {
        world(|w| w.stores.entry(name.into()).or_default().fault = 0);
        self
    }

    /// Grants a store that cannot be reached, or, with slow, does not answer in time.
    pub fn broken_store(&self, name: &str, slow: bool) -> &World {
        let fault = if slow { -6 } else { -7 };
        world(|w| w.stores.entry(name.into()).or_default().fault = fault);
        self
    }

    /// Grants a limit of which each key may take so many units at once, and until `pass` is called.
    pub fn limit(&self, name: &str, most: u32) -> &World {
        world(|w| w.limits.insert(name.into(), most));
        self
    }

    /// Grants an upstream, which answers fetches. It is called while the hook runs, and must not call the plugin.
    pub fn upstream(&self, name: &str, serve: impl Fn(FetchRequest) -> FetchAnswer + 'static) -> &World {
        world(|w| w.upstreams.insert(name.into(), Rc::new(serve)));
        self
    }

    /// Grants a set of keys, for which this token is valid and has these claims, in JSON. All tokens that it was not told of are invalid.
    pub fn token(&self, keys: &str, token: &str, claims: &str) -> &World {
        world(|w| {
            let set = w.keys.entry(keys.into()).or_default();
            set.valid.insert(token.into(), claims.into())
        });
        self
    }

    /// Grants a set of keys, for which this token has expired or is not valid yet.
    pub fn expired_token(&self, keys: &str, token: &str) -> &World {
        world(|w| w.keys.entry(keys.into()).or_default().expired.push(token.into()));
        self
    }

    /// Grants a set of keys that cannot be had.
    pub fn broken_keys(&self, keys: &str) -> &World {
        world(|w| w.keys.entry(keys.into()).or_default().down = true);
        self
    }

    /// Grants a set of passwords, in which this user has this one. Every question about a password is pending at first.
    pub fn password(&self, set: &str, user: &str, password: &str) -> &World {
        world(|w| {
            let set = w.passwords.entry(set.into()).or_default();
            set.users.insert(user.into(), password.into())
        });
        self
    }

    /// Grants a set of passwords that are not checked, since too many wait.
    pub fn busy_passwords(&self, set: &str) -> &World {
        world(|w| w.passwords.entry(set.into()).or_default().busy = true);
        self
    }

    /// Grants a schema, which says what is wrong with a document: a JSON array, or an empty text for nothing.
    pub fn schema(&self, name: &str, check: impl Fn(&[u8]) -> String + 'static) -> &World {
        world(|w| w.schemas.insert(name.into(), Some(Rc::new(check))));
        self
    }

    /// Grants a schema for which every document is too large.
    pub fn small_schema(&self, name: &str) -> &World {
        world(|w| w.schemas.insert(name.into(), None));
        self
    }

    /// Puts a value into a store, which it grants.
    pub fn set_value(&self, store: &str, key: &str, value: &[u8]) -> &World {
        let bytes = value.into();
        world(|w| {
            let store = w.stores.entry(store.into()).or_default();
            store.values.insert(key.into(), Value { bytes, ends: None })
        });
        self
    }

    /// Returns what a store has for a key.
    pub fn value(&self, store: &str, key: &str) -> Option<Vec<u8>> {
        world(|w| Some(w.stores.get(store)?.find(key, w.passed)?.bytes.clone()))
    }

    /// Returns what a counter has, by its name and labels, sorted: `requests{code="200"}`.
    pub fn counter(&self, series: &str) -> i64 {
        world(|w| w.counters.get(series).copied().unwrap_or_default())
    }

    /// Returns what a histogram was given, by its name and labels.
    pub fn observed(&self, series: &str) -> Vec<f64> {
        world(|w| w.observed.get(series).cloned().unwrap_or_default())
    }

    /// Lets time go by: for `now`, for values that are kept for a while, and for limits, which are then as at first.
    pub fn pass(&self, time: Duration) {
        world(|w| {
            w.passed += time;
            w.taken.clear();
        });
    }
}

impl Drop for World {
    fn drop(&mut self) {
        world(|w| *w = State::default());
    }
}
