use sallyport::testing::{configure, Exchange, Fields};
use sallyport::{Body, Error, ErrorCode, Headers, Hooks, Plugin, Request, Response, Verdict};

/// Makes a type a plugin with these hooks.
macro_rules! plugin {
    ($name:ident, $hooks:expr, $request:expr, $response:expr, $end:expr) => {
        struct $name;

        impl Plugin for $name {
            fn configure(_: &str) -> Result<Self, Error> {
                Ok($name)
            }

            fn hooks(&self) -> Hooks {
                $hooks
            }

            fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
                let hook: fn(&mut Request) -> Result<(), Error> = $request;
                hook(r).map(|()| Verdict::Continue)
            }

            fn response(&mut self, r: &mut Response) -> Result<(), Error> {
                let hook: fn(&mut Response) -> Result<(), Error> = $response;
                hook(r)
            }

            fn end(&mut self, r: &mut Response) {
                let hook: fn(&mut Response) = $end;
                hook(r)
            }
        }
    };
}

fn fields(list: &[(&str, &str)]) -> Fields {
    Fields(list.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect())
}

fn both() -> Hooks {
    Hooks::REQUEST_BODY | Hooks::RESPONSE_BODY
}

#[test]
fn reads_bodies() {
    plugin!(
        Test,
        both(),
        |r| {
            let whole = r.body.copy()?;
            assert_eq!(r.body.size()?.to_string(), r.query());
            assert_eq!(r.body.bytes()?, whole);
            assert_eq!(r.body.bytes()?, whole, "again");
            assert!(whole.iter().enumerate().all(|(i, &c)| c == i as u8));
            let mut part = [0; 3];
            let n = r.body.read_at(&mut part, 1)?;
            assert_eq!(part[..n], whole[1.min(whole.len())..whole.len().min(4)]);
            assert_eq!(r.body.read_at(&mut part, whole.len() as u32)?, 0);
            assert_eq!(r.body.read_at(&mut part, u32::MAX)?, 0);
            Ok(())
        },
        |_| Ok(()),
        |_| ()
    );
    let mut p = configure::<Test>("{}").unwrap();
    for size in [0, 1, 4095, 4096, 4097, 100_000, 10] {
        let mut x = Exchange::new("POST", &format!("/?{}", size));
        x.request_body = (0..size).map(|i| i as u8).collect();
        assert_eq!(p.request(&mut x), Ok(Verdict::Continue), "{}", size);
    }
}

#[test]
fn writes_bodies() {
    plugin!(
        Test,
        both(),
        |r| {
            assert_eq!(r.body.set(&vec![0; (1 << 20) + 1]), Err(ErrorCode::TooLarge));
            Ok(r.body.set(b"HELLO!")?)
        },
        |r| {
            assert_eq!(r.request.body.bytes(), Err(ErrorCode::WrongPhase));
            Ok(r.body
                .edit(|b| b.iter_mut().filter(|c| c.is_ascii_digit()).for_each(|c| *c = b'#'))?)
        },
        |_| ()
    );
    let mut p = configure::<Test>("{}").unwrap();
    let mut x = Exchange::new("POST", "/");
    x.request_body = b"hello".to_vec();
    x.body = b"number 42".to_vec();
    assert_eq!(p.request(&mut x), Ok(Verdict::Continue));
    assert_eq!(p.response(&mut x), Ok(()));
    assert_eq!((&x.request_body[..], &x.body[..]), (&b"HELLO!"[..], &b"number ##"[..]));
    x.status = 204;
    assert_eq!(p.response(&mut x), Err(ErrorCode::Invalid.into()), "a body for 204");
}

fn absent(body: &mut Body, trailers: &mut Headers) {
    const ABSENT: ErrorCode = ErrorCode::WrongPhase;
    assert_eq!(body.bytes(), Err(ABSENT));
    assert_eq!(body.copy(), Err(ABSENT));
    assert_eq!(body.size(), Err(ABSENT));
    assert_eq!(body.read_at(&mut [0], 0), Err(ABSENT));
    assert_eq!(body.set(b""), Err(ABSENT));
    assert_eq!(body.edit(|_| ()), Err(ABSENT));
    assert!(!trailers.has("A") && trailers.all().is_empty());
}

#[test]
fn has_no_bodies_that_were_not_asked_for() {
    plugin!(
        Test,
        Hooks::REQUEST | Hooks::RESPONSE,
        |r| {
            absent(&mut r.body, &mut r.trailers);
            Ok(())
        },
        |r| {
            absent(&mut r.body, &mut r.trailers);
            absent(&mut r.request.body, &mut r.request.trailers);
            r.respond(200, b"mine", &[])?;
            assert_eq!(r.body.bytes()?, b"mine");
            Ok(r.body.set(b"better")?)
        },
        |_| ()
    );
    let mut p = configure::<Test>("{}").unwrap();
    let mut x = Exchange::new("POST", "/");
    x.request_body = b"hello".to_vec();
    x.request_trailers = fields(&[("A", "1")]);
    x.response_trailers = fields(&[("A", "1")]);
    assert_eq!(p.request(&mut x), Ok(Verdict::Continue));
    assert_eq!(p.response(&mut x), Ok(()));
    assert_eq!(x.body, b"better");
}

#[test]
fn reads_trailers() {
    plugin!(
        Test,
        both(),
        |r| {
            assert_eq!(r.trailers.get("checksum").as_deref(), Some("1"));
            assert_eq!(r.trailers.set("checksum", "0"), Err(ErrorCode::WrongPhase));
            Ok(())
        },
        |r| {
            assert_eq!(r.trailers.get("checksum").as_deref(), Some("2"));
            assert!(!r.request.trailers.has("checksum"));
            Ok(r.respond(502, b"", &[])?)
        },
        |_| ()
    );
    let mut p = configure::<Test>("{}").unwrap();
    let mut x = Exchange::new("POST", "/");
    x.request_trailers = fields(&[("Checksum", "1")]);
    x.response_trailers = fields(&[("Checksum", "2")]);
    assert_eq!(p.request(&mut x), Ok(Verdict::Continue));
    assert_eq!(p.response(&mut x), Ok(()));
    assert_eq!(x.response_trailers, fields(&[]), "another response has no trailers");
}

#[test]
fn failure_puts_bodies_back() {
    plugin!(
        Test,
        both(),
        |r| {
            r.body.set(b"x")?;
            Err("broken".into())
        },
        |r| {
            r.respond(500, b"x", &[])?;
            Err("broken".into())
        },
        |_| ()
    );
    let mut p = configure::<Test>("{}").unwrap();
    let mut x = Exchange::new("POST", "/");
    x.request_body = b"hello".to_vec();
    x.body = b"there".to_vec();
    x.response_trailers = fields(&[("A", "1")]);
    let before = x.clone();
    assert!(p.request(&mut x).is_err());
    assert!(p.response(&mut x).is_err());
    assert_eq!(x, before);
}

#[test]
fn end_reads_all_but_bodies_and_changes_nothing_but_the_state() {
    plugin!(Test, Hooks::END, |_| Ok(()), |_| Ok(()), |r| {
        const LATE: Result<(), ErrorCode> = Err(ErrorCode::WrongPhase);
        assert_eq!(r.body.bytes(), Err(ErrorCode::WrongPhase));
        assert_eq!(r.headers.set("A", "1"), LATE);
        assert_eq!(r.set_status(200), LATE);
        assert_eq!(r.set_attr("a", "b"), LATE);
        assert_eq!(r.respond(200, b"", &[]), LATE);
        assert_eq!(r.body.set(b""), LATE);
        assert_eq!(r.request.headers.remove("A"), LATE);
        assert_eq!(r.request.set_path("/"), LATE);
        assert_eq!(r.trailers.add("A", "2"), LATE);
        assert_eq!((r.status(), r.state()), (0, &b"kept"[..]));
        assert_eq!(r.trailers.get("A").as_deref(), Some("1"));
        assert_eq!(r.request.method(), "GET");
        assert_eq!(r.set_state(b"seen"), Ok(()));
    });
    let mut x = Exchange::new("GET", "/");
    x.status = 0;
    x.state = b"kept".to_vec();
    x.response_trailers = fields(&[("A", "1")]);
    configure::<Test>("{}").unwrap().end(&mut x);
    assert_eq!(x.state, b"seen");
}

#[test]
fn end_that_was_not_asked_for_does_not_come() {
    plugin!(Test, both(), |_| Ok(()), |_| Ok(()), |_| panic!("it came"));
    configure::<Test>("{}").unwrap().end(&mut Exchange::new("GET", "/"));
}
