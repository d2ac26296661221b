use sallyport::testing::{configure, Exchange, World};
use sallyport::{granted, secret, take, Counter, Error, ErrorCode, Histogram, Hooks, Plugin, Request, Store, Verdict};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Runs code as a request hook of a plugin.
macro_rules! during {
    ($code:expr) => {{
        struct Test;
        impl Plugin for Test {
            fn configure(_: &str) -> Result<Self, Error> {
                Ok(Test)
            }
            fn hooks(&self) -> Hooks {
                Hooks::REQUEST
            }
            fn request(&mut self, _: &mut Request) -> Result<Verdict, Error> {
                let code: fn() = $code;
                code();
                Ok(Verdict::Continue)
            }
        }
        let verdict = configure::<Test>("{}").unwrap().request(&mut Exchange::new("GET", "/"));
        assert_eq!(verdict, Ok(Verdict::Continue));
    }};
}

#[test]
fn keeps_values() {
    let world = World::new();
    world.set_value("sessions", "there", b"value");
    during!(|| {
        let mut s = Store::shared("sessions");
        assert_eq!(s.get("there"), Ok(Some(b"value".to_vec())));
        assert_eq!(s.bytes("none"), Ok(None));
        let long = vec![b'x'; 5000];
        assert_eq!(s.set("long", &long, None), Ok(()));
        assert_eq!(s.bytes("long"), Ok(Some(&long[..])));
        assert_eq!(s.set("empty", b"", Some(Duration::from_secs(1))), Ok(()));
        assert_eq!(s.bytes("empty"), Ok(Some(&b""[..])));
        assert_eq!((s.delete("empty"), s.delete("empty")), (Ok(true), Ok(false)));
        let sums = [40, 3, -1].map(|delta| s.add("n", delta, Some(Duration::from_secs(60))));
        assert_eq!(sums, [Ok(40), Ok(43), Ok(42)]);
        assert_eq!(s.get("n"), Ok(Some(b"42".to_vec())));
        assert_eq!(s.add("there", 1, None), Err(ErrorCode::Conflict));
        assert_eq!(s.add("n", i64::MAX, None), Err(ErrorCode::Conflict));
        assert_eq!(s.swap("there", b"value", b"next", None), Ok(true));
        assert_eq!(s.swap("there", b"value", b"", None), Ok(false));
        assert_eq!(
            (s.insert("new", b"1", None), s.insert("new", b"1", None)),
            (Ok(true), Ok(false))
        );

        assert_eq!(s.set(&"k".repeat(513), b"", None), Err(ErrorCode::TooLarge));
        assert_eq!(s.set("k", &vec![0; (256 << 10) + 1], None), Err(ErrorCode::TooLarge));
        assert_eq!(s.set("k", b"", Some(Duration::from_secs(0))), Err(ErrorCode::Invalid));
        let longest = Duration::from_millis(u32::MAX.into());
        assert_eq!(s.set("k", b"", Some(longest)), Ok(()));
        assert_eq!(
            s.insert("k", b"", Some(longest + Duration::from_nanos(1))),
            Err(ErrorCode::TooLarge)
        );
        assert_eq!(Store::own().get("k"), Err(ErrorCode::NotGranted));
    });
    assert_eq!(world.value("sessions", "there"), Some(b"next".to_vec()));
    assert_eq!(world.value("other", "there"), None);
}

#[test]
fn stores_forget_and_fail() {
    let world = World::new();
    world.store("").broken_store("down", false).broken_store("slow", true);
    during!(|| {
        assert_eq!(Store::own().set("k", b"v", Some(Duration::from_nanos(1))), Ok(()));
        assert_eq!(Store::shared("down").get("k"), Err(ErrorCode::Unavailable));
        assert_eq!(Store::shared("slow").delete("k"), Err(ErrorCode::TimedOut));
    });
    assert_eq!(world.value("", "k"), Some(b"v".to_vec()));
    world.pass(Duration::from_millis(1));
    assert_eq!(world.value("", "k"), None);
}

#[test]
fn tells_secrets() {
    let long = "hush".repeat(1000);
    let world = World::new();
    world.secret("hmac", &long);
    assert_eq!(secret("hmac"), Ok(long)); // at any time
    assert_eq!(secret("other"), Err(ErrorCode::NotGranted));
    drop(world);
    assert_eq!(secret("hmac"), Err(ErrorCode::NotGranted));
}

#[test]
fn takes_from_limits() {
    let world = World::new();
    world.limit("login", 3);
    during!(|| {
        let zero = Duration::from_secs(0);
        assert_eq!(take("login", "jo", 2), Ok(zero));
        assert!(take("login", "jo", 2).unwrap() > zero);
        assert_eq!(take("login", "ann", 3), Ok(zero));
        assert_eq!(take("login", "jo", 4), Err(ErrorCode::TooLarge));
        assert_eq!(take("login", "jo", 0), Err(ErrorCode::Invalid));
        assert_eq!(take("other", "jo", 1), Err(ErrorCode::NotGranted));
    });
    world.pass(Duration::from_secs(1));
    during!(|| assert_eq!(take("login", "jo", 3), Ok(Duration::from_secs(0))));
}

#[test]
fn counts() {
    let world = World::new();
    during!(|| {
        let requests = Counter::new("requests", &[("method", "GET"), ("code", "2\"0")]);
        let same = Counter::new("requests", &[("code", "2\"0"), ("method", "GET")]);
        assert_eq!(
            (requests.add(2), same.add(1), same.add(-1)),
            (Ok(()), Ok(()), Err(ErrorCode::Invalid))
        );
        let seconds = Histogram::new("seconds", &[]);
        assert_eq!(
            (seconds.observe(0.5), seconds.observe(f64::NAN)),
            (Ok(()), Err(ErrorCode::Invalid))
        );
        assert_eq!(Counter::new("seconds", &[]).add(1), Err(ErrorCode::Conflict));
        assert_eq!(Histogram::new("requests", &[]).observe(1.0), Err(ErrorCode::Conflict));
        assert_eq!(Counter::new("a-b", &[]).add(1), Err(ErrorCode::Invalid));
        assert_eq!(Counter::new("a", &[("le", "")]).add(1), Err(ErrorCode::Invalid));
        assert_eq!(
            Counter::new("a", &[("b", ""), ("b", "1")]).add(1),
            Err(ErrorCode::Invalid)
        );
        assert_eq!(Counter::new("a", &[("b", ""); 17]).add(1), Err(ErrorCode::TooLarge));
    });
    assert_eq!(world.counter("requests{code=\"2\\\"0\",method=\"GET\"}"), 3);
    assert_eq!(world.counter("other"), 0);
    assert_eq!(world.observed("seconds"), [0.5]);
}

#[test]
fn needs_an_exchange_for_all_but_secrets() {
    let world = World::new();
    world.store("").limit("login", 1);
    let huge = vec![0; (256 << 10) + 1];
    assert_eq!(Store::own().get("k"), Err(ErrorCode::WrongPhase));
    assert_eq!(Store::own().set("k", &huge, None), Err(ErrorCode::WrongPhase));
    assert_eq!(take("login", "jo", 1), Err(ErrorCode::WrongPhase));
    assert_eq!(Counter::new("a", &[]).add(1), Err(ErrorCode::WrongPhase));
}

#[test]
fn sets_the_clock() {
    let world = World::new();
    world.pass(Duration::from_secs(3600));
    let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
    assert!(sallyport::now() >= real + 3599 * 1_000_000_000);
}

#[test]
fn tells_what_is_granted() {
    let world = World::new();
    world.secret("hmac", "hush").store("sessions").limit("login", 5);
    for (grant, want) in [
        ("kv", false),
        ("kv:sessions", true),
        ("kv:other", false),
        ("kv:", false),
        ("secret:hmac", true),
        ("secret:other", false),
        ("secret", false),
        ("limit:login", true),
        ("limit", false),
        ("jwt:staff", false),
        ("root:all", false),
        ("", false),
        (&"k".repeat(257), false),
    ] {
        assert_eq!(granted(grant), want, "{grant}");
    }
    world.store("");
    assert!(granted("kv"));
}
