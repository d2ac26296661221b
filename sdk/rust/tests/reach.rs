use sallyport::testing::{configure, Exchange, FetchAnswer, FetchRequest as Asked, Fields, World};
use sallyport::{
    check_password, fetch, fetched, start_fetch, verify_jwt, Error, ErrorCode, FetchRequest, Hooks, Instance, Plugin,
    Request, Response, Store, Verdict,
};
use std::time::Duration;

/// Answers with what it was asked.
fn echo(r: Asked) -> FetchAnswer {
    let body = format!(
        "{} {}{} {:?} {} {:?}",
        r.method,
        r.authority,
        r.path,
        r.headers.0,
        String::from_utf8_lossy(&r.body),
        r.timeout
    );
    FetchAnswer {
        status: 201,
        headers: Fields(vec![("X-Seen".into(), r.path)]),
        body: body.into_bytes(),
        ..FetchAnswer::default()
    }
}

fn failing(fault: i32) -> impl Fn(Asked) -> FetchAnswer {
    move |_| FetchAnswer {
        fault,
        ..FetchAnswer::default()
    }
}

fn upstreams() -> World {
    let world = World::new();
    world.upstream("auth", echo).upstream("slow", failing(-6));
    world.upstream("down", failing(-7)).upstream("gone", failing(-9));
    world.upstream("large", |_| FetchAnswer {
        status: 200,
        body: vec![b'x'; (1 << 20) + 1],
        ..FetchAnswer::default()
    });
    world
}

/// Makes a type a plugin whose request hook, and the one after it, are these.
macro_rules! plugin {
    ($name:ident, $request:expr, $resume:expr) => {
        struct $name;

        impl Plugin for $name {
            fn configure(_: &str) -> Result<Self, Error> {
                Ok($name)
            }

            fn hooks(&self) -> Hooks {
                Hooks::REQUEST
            }

            fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
                let hook: fn(&mut Request) -> Result<Verdict, Error> = $request;
                hook(r)
            }

            fn resume_request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
                let hook: fn(&mut Request) -> Result<Verdict, Error> = $resume;
                hook(r)
            }
        }
    };
}

/// Runs code as a request hook of a plugin.
macro_rules! during {
    ($code:expr) => {{
        plugin!(
            Test,
            |_| {
                let code: fn() = $code;
                code();
                Ok(Verdict::Continue)
            },
            |_| panic!("it does not wait")
        );
        let verdict = configure::<Test>("{}").unwrap().request(&mut Exchange::new("GET", "/"));
        assert_eq!(verdict, Ok(Verdict::Continue));
    }};
}

#[test]
fn fetches() {
    let _world = upstreams();
    during!(|| {
        let full = FetchRequest {
            method: "POST",
            path: "/check?q=1",
            authority: "Auth.Internal",
            headers: &[("X-Token", " abc "), ("A", "")],
            body: b"body",
            timeout: Some(Duration::from_nanos(1_000_000_001)),
        };
        let mut a = fetch("auth", &full).unwrap();
        let want = "POST auth.internal/check?q=1 [(\"X-Token\", \"abc\"), (\"A\", \"\"), (\"X-Request-Id\", \"request-1\")] body 1.001s";
        assert_eq!(a.body.bytes(), Ok(want.as_bytes()));
        assert_eq!(
            (a.status(), a.headers.get("x-seen").as_deref()),
            (201, Some("/check?q=1"))
        );
        assert_eq!(a.headers.set("A", "b"), Err(ErrorCode::Invalid));
        assert_eq!(a.body.set(b""), Err(ErrorCode::Invalid));
        let nothing = fetch("auth", &FetchRequest::default()).unwrap();
        assert_eq!(
            nothing.body.copy(),
            Ok(b"GET / [(\"X-Request-Id\", \"request-1\")]  0ns".to_vec())
        );
        assert_eq!(fetched(0).unwrap().status(), 201);
        assert_eq!(fetched(2).err(), Some(ErrorCode::NotFound));
        assert_eq!(fetched(u32::MAX).err(), Some(ErrorCode::NotFound));
    });
}

#[test]
fn fetches_fail() {
    let _world = upstreams();
    during!(|| {
        for (upstream, want) in [
            ("slow", ErrorCode::TimedOut),
            ("down", ErrorCode::Unavailable),
            ("gone", ErrorCode::Cancelled),
            ("large", ErrorCode::Unavailable),
            ("other", ErrorCode::NotGranted),
            (&"x".repeat(257), ErrorCode::TooLarge),
        ] {
            assert_eq!(
                fetch(upstream, &FetchRequest::default()).err(),
                Some(want),
                "{}",
                upstream
            );
        }
        let long = "x".repeat((16 << 10) + 1);
        let large = vec![0; (1 << 20) + 1];
        let r = FetchRequest::default();
        let zero = Some(Duration::from_secs(0));
        for (request, want) in [
            (FetchRequest { timeout: zero, ..r }, ErrorCode::Invalid),
            (FetchRequest { method: "CONNECT", ..r }, ErrorCode::Invalid),
            (FetchRequest { path: "check", ..r }, ErrorCode::Invalid),
            (FetchRequest { authority: "a/b", ..r }, ErrorCode::Invalid),
            (
                FetchRequest {
                    headers: &[("Content-Length", "1")],
                    ..r
                },
                ErrorCode::Invalid,
            ),
            (
                FetchRequest {
                    headers: &[("Host", "a")],
                    ..r
                },
                ErrorCode::Invalid,
            ),
            (
                FetchRequest {
                    headers: &[("A", "b\r\nC: d")],
                    ..r
                },
                ErrorCode::Invalid,
            ),
            (
                FetchRequest {
                    headers: &[("A", &long)],
                    ..r
                },
                ErrorCode::TooLarge,
            ),
            (FetchRequest { body: &large, ..r }, ErrorCode::TooLarge),
        ] {
            assert_eq!(fetch("auth", &request).err(), Some(want));
            assert_eq!(start_fetch("auth", &request), Err(want));
        }
    });
    during!(|| {
        for _ in 0..16 {
            assert!(fetch("auth", &FetchRequest::default()).is_ok());
        }
        let more = start_fetch("auth", &FetchRequest::default());
        assert_eq!(more, Err(ErrorCode::TooLarge));
    });
}

fn start(path: &str) -> u32 {
    let request = FetchRequest {
        path,
        ..FetchRequest::default()
    };
    start_fetch("auth", &request).unwrap()
}

fn seen(number: u32) -> Option<String> {
    fetched(number).unwrap().headers.get("X-Seen")
}

/// Asks twice in both hooks. What a copy remembers is lost while it waits.
#[derive(Default)]
struct Waiter {
    asked: bool,
}

impl Plugin for Waiter {
    fn configure(_: &str) -> Result<Self, Error> {
        Ok(Waiter::default())
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST | Hooks::RESPONSE
    }

    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        self.asked = true;
        assert_eq!((start("/a"), start("/b")), (0, 1));
        assert_eq!(fetched(0).err(), Some(ErrorCode::Conflict), "too early");
        r.set_state(b"asked")?;
        r.headers.set("X-Asked", "yes")?;
        r.wait()
    }

    fn resume_request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        assert!(!self.asked && r.state() == b"asked");
        if fetched(2).err() == Some(ErrorCode::NotFound) {
            start("/c");
            return r.wait(); // once more
        }
        assert_eq!((seen(0), seen(2)), (Some("/a".into()), Some("/c".into())));
        Ok(Verdict::Continue)
    }

    fn response(&mut self, r: &mut Response) -> Result<(), Error> {
        self.asked = true;
        start("/d");
        r.wait()
    }

    fn resume_response(&mut self, r: &mut Response) -> Result<(), Error> {
        assert!(!self.asked);
        assert_eq!((seen(1), seen(3)), (Some("/b".into()), Some("/d".into())));
        Ok(r.set_status(202)?)
    }
}

#[test]
fn waits() {
    let _world = upstreams();
    let mut p = configure::<Waiter>("{}").unwrap();
    let mut x = Exchange::new("GET", "/");
    assert_eq!(p.request(&mut x), Ok(Verdict::Continue));
    assert_eq!(p.response(&mut x), Ok(()));
    assert_eq!((x.status, x.request.get("X-Asked")), (202, Some("yes")));
}

#[test]
fn waits_for_nothing() {
    let _world = upstreams();
    plugin!(Nothing, |r| r.wait(), |r| r.wait());
    plugin!(
        Again,
        |r| {
            start("/");
            r.wait()
        },
        |r| r.wait()
    );
    let mut x = Exchange::new("GET", "/");
    assert!(configure::<Nothing>("{}").unwrap().request(&mut x).is_err());
    assert!(configure::<Again>("{}").unwrap().request(&mut x).is_err());
}

#[test]
fn waits_in_vain() {
    struct Test;
    impl Plugin for Test {
        fn configure(_: &str) -> Result<Self, Error> {
            Ok(Test)
        }
        fn hooks(&self) -> Hooks {
            Hooks::REQUEST | Hooks::RESPONSE
        }
        fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
            start("/");
            r.wait()
        }
        fn response(&mut self, r: &mut Response) -> Result<(), Error> {
            start("/");
            r.wait()
        }
    }
    let _world = upstreams();
    let mut p = configure::<Test>("{}").unwrap();
    let mut x = Exchange::new("GET", "/");
    let missing = p.request(&mut x).unwrap_err().message;
    assert_eq!(missing, "a request hook waits, but the plugin has no resume_request");
    let missing = p.response(&mut x).unwrap_err().message;
    assert_eq!(missing, "a response hook waits, but the plugin has no resume_response");
}

#[test]
fn responds_after_a_wait() {
    let _world = upstreams();
    plugin!(
        Test,
        |r| {
            r.respond(403, b"prepared", &[])?;
            start_fetch("down", &FetchRequest::default())?;
            r.wait()
        },
        |_| {
            assert_eq!(fetched(0).err(), Some(ErrorCode::Unavailable));
            Ok(Verdict::Respond)
        }
    );
    let mut x = Exchange::new("GET", "/");
    assert_eq!(configure::<Test>("{}").unwrap().request(&mut x), Ok(Verdict::Respond));
    assert_eq!((x.status, x.body), (403, b"prepared".to_vec()));
}

#[test]
fn verifies_tokens() {
    let world = World::new();
    world
        .token("main", "good", "{\"sub\":\"jo\"}")
        .expired_token("main", "old");
    world.token("main", "long", &"x".repeat(5000)).broken_keys("down");
    during!(|| {
        assert_eq!(verify_jwt("main", "good"), Ok(b"{\"sub\":\"jo\"}".to_vec()));
        assert_eq!(verify_jwt("main", "long"), Ok(vec![b'x'; 5000]));
        assert_eq!(verify_jwt("main", "old"), Err(ErrorCode::Expired));
        assert_eq!(verify_jwt("main", "forged"), Err(ErrorCode::Invalid));
        assert_eq!(verify_jwt("down", "good"), Err(ErrorCode::Unavailable));
        assert_eq!(verify_jwt("other", "good"), Err(ErrorCode::NotGranted));
        assert_eq!(verify_jwt("main", &"x".repeat((8 << 10) + 1)), Err(ErrorCode::TooLarge));
    });
    assert_eq!(verify_jwt("main", "good"), Err(ErrorCode::WrongPhase));
    let nowhere = fetch("auth", &FetchRequest::default()).err();
    assert_eq!(nowhere, Some(ErrorCode::WrongPhase));
    assert_eq!(ErrorCode::Expired.to_string(), "expired or not valid yet");
    assert_eq!(Store::own().get("k"), Err(ErrorCode::WrongPhase));
}

#[test]
fn exports_of_an_instance_that_is_not_configured_fail() {
    let instance = Instance::<Waiter>::new();
    let results = [
        instance.resume(),
        instance.request_chunk(0, 1),
        instance.response_chunk(0, 1),
    ];
    assert_eq!(results, [-1, -1, -1]);
}

fn password_request(r: &mut Request) -> Result<Verdict, Error> {
    match check_password("main", "jo", "hush") {
        Err(ErrorCode::Pending) => r.wait(),
        Ok(()) => {
            r.set_consumer("jo")?;
            Ok(Verdict::Continue)
        }
        Err(code) => Err(code.into()),
    }
}

#[test]
fn passwords() {
    plugin!(Test, password_request, password_request);
    let request = || {
        let mut x = Exchange::new("GET", "/");
        let verdict = configure::<Test>("{}").unwrap().request(&mut x);
        verdict.map_err(|e| e.message)
    };
    let world = World::new();
    assert_eq!(request(), Err("not granted".into()));
    world.password("main", "jo", "other");
    assert_eq!(request(), Err("invalid argument".into()));
    world.password("main", "jo", "hush");
    assert_eq!(request(), Ok(Verdict::Continue));
    world.busy_passwords("main");
    assert_eq!(request(), Err("unavailable".into()));
    during!(|| {
        assert_eq!(check_password("main", "jo", &"a".repeat(513)), Err(ErrorCode::TooLarge));
        for i in 1..17 {
            assert_eq!(check_password("main", "jo", &"a".repeat(i)), Err(ErrorCode::Pending));
        }
        assert_eq!(check_password("main", "jo", "b"), Err(ErrorCode::TooLarge));
    });
}
