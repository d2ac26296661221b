use sallyport::testing::{configure, Exchange, Fields};
use sallyport::{Error, ErrorCode, Hooks, Instance, Plugin, Request, Response, Verdict};

/// Gives a type the two hooks as functions.
macro_rules! plugin {
    ($name:ident, $hooks:expr, $request:expr, $response:expr) => {
        struct $name;

        impl Plugin for $name {
            fn configure(config: &str) -> Result<Self, Error> {
                match config {
                    "{}" => Ok($name),
                    _ => Err(Error {
                        pointer: "/a".into(),
                        message: "must not be".into(),
                    }),
                }
            }

            fn hooks(&self) -> Hooks {
                $hooks
            }

            fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
                let hook: fn(&mut Request) -> Result<Verdict, Error> = $request;
                hook(r)
            }

            fn response(&mut self, r: &mut Response) -> Result<(), Error> {
                let hook: fn(&mut Response) -> Result<(), Error> = $response;
                hook(r)
            }
        }
    };
}

fn fields(list: &[(&str, &str)]) -> Fields {
    Fields(list.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect())
}

#[test]
fn reads_and_sets_fields() {
    plugin!(
        Test,
        Hooks::REQUEST | Hooks::RESPONSE,
        |r| {
            let got = [
                r.method(),
                r.scheme(),
                r.host(),
                r.path(),
                r.query(),
                r.protocol(),
                r.client_address(),
                r.route(),
                r.id(),
                r.consumer(),
                r.upstream(),
                r.tls_server_name(),
                r.tls_client_subject(),
                r.trace_id(),
            ];
            let want = [
                "GET",
                "http",
                "gateway.test",
                "/orders/7",
                "a=1&b=&c=%41+b",
                "HTTP/1.1",
                "192.0.2.1",
                "test",
                "request-1",
                "",
                "",
                "api.test",
                "",
                "0af7651916cd43dd8448eb211c80319c",
            ];
            assert_eq!(got, want);
            assert_eq!(r.param("id").as_deref(), Some("7"));
            assert_eq!(r.query_param("c").as_deref(), Some("A b"));
            assert_eq!((r.query_param("b").as_deref(), r.query_param("d")), (Some(""), None));
            r.set_host("other.test")?;
            r.set_path("/new")?;
            r.set_query("q=1")?;
            r.set_consumer("ann")?;
            assert_eq!(r.set_path("new"), Err(ErrorCode::Invalid));
            Ok(Verdict::Continue)
        },
        |r| {
            assert_eq!(r.request.set_path("/late"), Err(ErrorCode::WrongPhase));
            Ok(())
        }
    );
    let mut x = Exchange::new("GET", "/orders/7?a=1&b=&c=%41+b");
    x.params.insert("id".into(), "7".into());
    x.tls_server_name = "api.test".into();
    x.trace_id = "0af7651916cd43dd8448eb211c80319c".into();
    let mut p = configure::<Test>("{}").unwrap();
    assert_eq!(p.request(&mut x), Ok(Verdict::Continue));
    assert_eq!(p.response(&mut x), Ok(()));
    assert_eq!(
        [&x.host, &x.path, &x.query, &x.attrs["consumer"]],
        ["other.test", "/new", "q=1", "ann"]
    );
}

#[test]
fn reads_and_writes_headers() {
    plugin!(
        Test,
        Hooks::REQUEST,
        |r| {
            assert_eq!(r.headers.values("a"), ["1", "2"]);
            let mut visited = String::new();
            r.headers.each(|name, value| {
                visited += &format!("{:?}={:?};", name, value);
                name != b"b"
            });
            assert_eq!(visited, format!("{:?}={:?};{:?}={:?};", b"A", b"1", b"b", b""));
            let all = r.headers.all();
            assert_eq!(all, fields(&[("A", "1"), ("b", ""), ("a", "2")]).0);
            assert_eq!((r.headers.get("B").as_deref(), r.headers.get("c")), (Some(""), None));
            assert_eq!(r.headers.bytes("A"), Some(&b"1"[..]));
            assert!(r.headers.has("b") && !r.headers.has("c"));
            let long = "x".repeat(5000);
            r.headers.set("A", &long)?;
            assert_eq!(r.headers.get("a"), Some(long));
            r.headers.add("c", "3")?;
            r.headers.remove("b")?;
            for name in ["Content-Length", "connection", "bad name", ""] {
                assert_eq!(r.headers.set(name, "x"), Err(ErrorCode::Invalid), "{}", name);
            }
            assert_eq!(r.headers.set("X", "a\r\nB: c"), Err(ErrorCode::Invalid));
            Ok(Verdict::Continue)
        },
        |_| Ok(())
    );
    let mut x = Exchange::new("GET", "/");
    x.request = fields(&[("A", "1"), ("b", ""), ("a", "2")]);
    assert_eq!(configure::<Test>("{}").unwrap().request(&mut x), Ok(Verdict::Continue));
    assert_eq!(x.request.0.len(), 2);
    assert_eq!(x.request.get("c"), Some("3"));
}

#[test]
fn remembers_state_and_attributes() {
    plugin!(
        Test,
        Hooks::REQUEST | Hooks::RESPONSE,
        |r| {
            assert!(r.state().is_empty() && r.number() != 0);
            r.set_state(b"remember")?;
            r.set_attr("tier", "gold")?;
            Ok(Verdict::Continue)
        },
        |r| {
            assert_eq!(r.state(), b"remember");
            assert_eq!((r.attr("tier").as_deref(), r.attr("none")), (Some("gold"), None));
            Ok(())
        }
    );
    let mut x = Exchange::new("GET", "/");
    let mut p = configure::<Test>("{}").unwrap();
    assert_eq!(p.request(&mut x), Ok(Verdict::Continue));
    assert_eq!(p.response(&mut x), Ok(()));
}

#[test]
fn answers_with_a_problem() {
    plugin!(
        Test,
        Hooks::REQUEST,
        |r| Ok(r.respond_problem(403, "No \"entry\"", &[("X-Why", "test")])?),
        |_| Ok(())
    );
    let mut x = Exchange::new("GET", "/");
    assert_eq!(configure::<Test>("{}").unwrap().request(&mut x), Ok(Verdict::Respond));
    let want =
        "{\"type\":\"about:blank\",\"title\":\"No \\\"entry\\\"\",\"status\":403,\"request_id\":\"request-1\"}\n";
    assert_eq!((x.status, String::from_utf8(x.body).unwrap().as_str()), (403, want));
    assert_eq!(
        x.response,
        fields(&[("X-Why", "test"), ("Content-Type", "application/problem+json")])
    );
}

#[test]
fn replaces_a_response() {
    plugin!(Test, Hooks::RESPONSE, |_| Ok(Verdict::Continue), |r| {
        assert_eq!(r.status(), 200);
        r.respond(502, b"bad", &[("Content-Type", "text/plain")])?;
        assert_eq!(r.set_status(99), Err(ErrorCode::Invalid));
        r.set_status(503)?;
        Ok(())
    });
    let mut x = Exchange::new("GET", "/");
    x.response = fields(&[("Content-Type", "text/html"), ("ETag", "1"), ("X", "stays")]);
    assert_eq!(configure::<Test>("{}").unwrap().response(&mut x), Ok(()));
    assert_eq!((x.status, x.body.as_slice()), (503, &b"bad"[..]));
    assert_eq!(x.response, fields(&[("X", "stays"), ("Content-Type", "text/plain")]));
}

#[test]
fn failure_puts_everything_back() {
    plugin!(
        Test,
        Hooks::REQUEST,
        |r| {
            r.headers.set("X", "1")?;
            r.set_attr("a", "b")?;
            Err("broken".into())
        },
        |_| Ok(())
    );
    let mut x = Exchange::new("GET", "/");
    let before = x.clone();
    assert!(configure::<Test>("{}").unwrap().request(&mut x).is_err());
    assert_eq!(x, before);
}

#[test]
fn respond_needs_an_answer() {
    plugin!(Test, Hooks::REQUEST, |_| Ok(Verdict::Respond), |_| Ok(()));
    assert!(configure::<Test>("{}")
        .unwrap()
        .request(&mut Exchange::new("GET", "/"))
        .is_err());
}

#[test]
fn logs_and_reads_clock_and_random() {
    plugin!(
        Test,
        Hooks::REQUEST,
        |_| {
            sallyport::log(sallyport::Level::Warn, "careful");
            let (mut a, mut b) = ([0; 16], [0; 16]);
            sallyport::random(&mut a)?;
            sallyport::random(&mut b)?;
            assert_ne!(a, b);
            assert!(sallyport::now() > 0);
            Ok(Verdict::Continue)
        },
        |_| Ok(())
    );
    let mut x = Exchange::new("GET", "/");
    assert_eq!(configure::<Test>("{}").unwrap().request(&mut x), Ok(Verdict::Continue));
    assert_eq!(x.log, ["careful"]);
}

plugin!(
    Both,
    Hooks::REQUEST | Hooks::RESPONSE,
    |_| Ok(Verdict::Continue),
    |_| Err("broken".into())
);

#[test]
fn instance_refuses_and_fails() {
    let instance = Instance::<Both>::new();
    assert!(instance.request() < 0, "a hook before on_configure");
    assert!(instance.configure() < 0, "the config is not {{}}");
    assert_eq!(configure::<Both>("[]").err().unwrap().to_string(), "/a must not be");
}

#[test]
fn holds_to_the_gateways_limits() {
    plugin!(
        Test,
        Hooks::REQUEST,
        |r| {
            let long = "n".repeat(257);
            let (large, bad) = (Err(ErrorCode::TooLarge), Err(ErrorCode::Invalid));
            assert_eq!(r.set_host(&"h".repeat(262)), large);
            assert_eq!(r.set_path(&format!("/{}", "p".repeat(8 << 10))), large);
            assert_eq!(r.set_query(&"q".repeat((16 << 10) + 1)), large);
            assert_eq!(r.set_host("two words"), bad);
            assert_eq!(r.set_query("a#b"), bad);
            assert_eq!(r.set_host("Example.COM:80"), Ok(()));
            assert_eq!(r.host(), "example.com:80");
            assert_eq!(r.set_attr(&long, ""), large);
            for i in 0..64 {
                assert_eq!(r.set_attr(&format!("a{i}"), ""), Ok(()));
            }
            assert_eq!(r.set_attr("one-more", ""), large);
            assert_eq!(r.set_attr("a0", "again"), Ok(()));
            for _ in 0..256 {
                assert_eq!(r.headers.add("x", "y"), Ok(()));
            }
            assert_eq!(r.headers.add("x", "y"), large);
            assert_eq!(r.headers.set("x", "z"), Ok(()));
            Ok(Verdict::Continue)
        },
        |_| Ok(())
    );
    configure::<Test>("{}")
        .unwrap()
        .request(&mut Exchange::new("GET", "/"))
        .unwrap();
}
