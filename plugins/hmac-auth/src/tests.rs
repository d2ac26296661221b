use super::{credential, sha256, text, HmacAuth};
use credential::Credential;
use sallyport::testing::{configure, Configured, Exchange, World};
use sallyport::Verdict;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const CONFIG: &str = r#"{"keys": [{"id": "partner", "secret": "0123456789abcdef0123456789abcdef", "consumer": "acme", "groups": ["a", "b"]},
    {"id": "other", "secret": "fedcba9876543210fedcba9876543210"}], "headers": ["Content-Type"], "realm": "orders"}"#;

fn seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Signs a request as a client does, with a header Content-Type if there is one.
fn sign(x: &Exchange, id: &str, secret: &str, created: i64, nonce: &str) -> String {
    let mut message = format!("HMAC-SHA256\n{}\n{}\n{}\n", id, created, nonce);
    message += &format!("{}\n{}\n{}\n{}\n", x.method, x.host, x.path, x.query);
    message += &text::hex(&sha256::sum(&x.request_body));
    message += "\ncontent-type";
    if let Some(value) = x.request.get("Content-Type") {
        message += &format!(":{}", value);
    }
    let signature = text::base64(&sha256::hmac(secret.as_bytes(), &[message.as_bytes()]));
    let nonce = if nonce.is_empty() {
        String::new()
    } else {
        format!(", nonce=\"{}\"", nonce)
    };
    format!(
        "HMAC-SHA256 id=\"{}\", created={}{}, signature=\"{}\"",
        id, created, nonce, signature
    )
}

fn signed() -> Exchange {
    let mut x = Exchange::new("POST", "/orders?page=2");
    x.request_body = b"{}".to_vec();
    x.request.add("Content-Type", "application/json");
    let authorization = sign(&x, "partner", SECRET, seconds(), "n1");
    x.request.add("Authorization", &authorization);
    x
}

/// Tells what a request gets: 200 if it passes, and the challenge.
fn run(plugin: &mut Configured<HmacAuth>, x: &mut Exchange) -> (u16, String) {
    match plugin.request(x).unwrap() {
        Verdict::Continue => (200, String::new()),
        _ => (x.status, x.response.get("WWW-Authenticate").unwrap_or("").to_string()),
    }
}

fn status(x: &mut Exchange) -> u16 {
    let world = World::new();
    world.store("");
    run(&mut configure(CONFIG).unwrap(), x).0
}

#[test]
fn digests() {
    // FIPS 180-4, as NIST's examples have it
    for (message, want) in [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
        ),
    ] {
        assert_eq!(text::hex(&sha256::sum(message.as_bytes())), want, "{}", message);
    }
    let million = vec![b'a'; 1_000_000];
    let want = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert_eq!(text::hex(&sha256::sum(&million)), want);
    for length in 0..200 {
        let mut parts = sha256::Sha256::new();
        for byte in &million[..length] {
            parts.update(&[*byte]);
        }
        assert_eq!(parts.finish(), sha256::sum(&million[..length]), "{} bytes", length);
    }
}

/// RFC 4231, section 4; case 5 is truncated there, to half a digest.
#[test]
fn macs() {
    let rising: Vec<u8> = (1..=25).collect();
    let long = [0xaa; 131];
    let tests: [(&[u8], &[u8], &str); 7] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (&rising, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (&[0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
        (
            &long,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &long,
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (i, (key, message, want)) in tests.iter().enumerate() {
        let (start, end) = message.split_at(message.len() / 2);
        let got = text::hex(&sha256::hmac(key, &[start, end]));
        assert_eq!(&got[..want.len()], *want, "case {}", i + 1);
    }
}

#[test]
fn base64() {
    for (bytes, want) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(text::base64(bytes.as_bytes()), want); // RFC 4648, section 10
    }
    assert_eq!(text::base64(&[0xfb, 0xff]), "+/8=");
}

#[test]
fn a_signed_request_passes_once() {
    let world = World::new();
    world.store("");
    let mut plugin = configure(CONFIG).unwrap();
    let mut x = signed();
    for name in [
        "X-Consumer",
        "x_consumer",
        "X-Consumer-Groups",
        "X-CONSUMER_ID",
        "X-Consumers",
    ] {
        x.request.add(name, "root");
    }
    let again = x.clone();
    assert_eq!(run(&mut plugin, &mut x).0, 200);
    let mut told = x.request.0.clone();
    told.sort();
    let want = [
        ("Content-Type", "application/json"),
        ("X-Consumer", "acme"),
        ("X-Consumer-Groups", "a,b"),
        ("X-Consumers", "root"),
    ];
    assert_eq!(told, want.map(|(name, value)| (name.to_string(), value.to_string())));
    assert_eq!(
        (x.attrs["consumer"].as_str(), x.attrs["groups"].as_str()),
        ("acme", "a,b")
    );
    let replayed = (401, "HMAC-SHA256 realm=\"orders\", error=\"replayed\"".to_string());
    assert_eq!(run(&mut plugin, &mut again.clone()), replayed);
    world.pass(Duration::from_secs(299));
    assert_eq!(run(&mut plugin, &mut again.clone()), replayed, "still known");
    world.pass(Duration::from_secs(10));
    let stale = "HMAC-SHA256 realm=\"orders\", error=\"stale\"".to_string();
    assert_eq!(run(&mut plugin, &mut again.clone()), (401, stale), "too old by itself");
}

/// Whatever is changed of what was signed, the signature is no longer one.
#[test]
fn what_is_signed() {
    let changes: [(&str, fn(&mut Exchange)); 14] = [
        ("method", |x| x.method = "PUT".into()),
        ("method's case", |x| x.method = "post".into()),
        ("host", |x| x.host = "evil.test".into()),
        ("path", |x| x.path = "/orders/1".into()),
        ("path and query", |x| {
            x.path = "/orders\npage=2".into();
            x.query = String::new();
        }),
        ("query", |x| x.query = "page=3".into()),
        ("a second parameter", |x| x.query = "page=2&page=2".into()),
        ("body", |x| x.request_body = b"{ }".to_vec()),
        ("no body", |x| x.request_body = Vec::new()),
        ("a signed header", |x| x.request.set("Content-Type", "text/plain")),
        ("no signed header", |x| assert_eq!(x.request.remove("Content-Type"), 1)),
        ("a signed header twice", |x| {
            x.request.add("content-type", "application/json")
        }),
        ("an empty signed header", |x| x.request.set("Content-Type", "")),
        ("the credential twice", |x| {
            let value = x.request.get("Authorization").unwrap().to_string();
            x.request.add("authorization", &value);
        }),
    ];
    assert_eq!(status(&mut signed()), 200);
    for (name, change) in changes {
        let mut x = signed();
        change(&mut x);
        assert_eq!(status(&mut x), 401, "{}", name);
    }
    let mut x = signed();
    x.request.add("X-Other", "not signed");
    assert_eq!(status(&mut x), 200);
}

#[test]
fn a_signed_header_has_no_double() {
    for (name, want) in [
        ("Content_Type", 401),
        ("CONTENT_type", 401),
        ("Content-Type-", 200),
        ("X_Other", 200),
    ] {
        let mut x = signed();
        x.request.add(name, "text/plain");
        assert_eq!(status(&mut x), want, "{}", name);
    }
}

#[test]
fn attacked_credentials() {
    let now = seconds();
    let x = || {
        let mut x = Exchange::new("GET", "/");
        x.request.add("Authorization", "");
        x
    };
    let good = sign(&x(), "partner", SECRET, now, "");
    let cases = [
        ("good", good.clone(), 200),
        (
            "another case of the scheme",
            good.replace("HMAC-SHA256", "hmac-sha256"),
            200,
        ),
        ("another key's secret", sign(&x(), "other", SECRET, now, ""), 401),
        ("an unknown key", sign(&x(), "nobody", SECRET, now, ""), 401),
        ("an unknown key without secret", sign(&x(), "nobody", "", now, ""), 401),
        ("the id in another case", good.replace("partner", "Partner"), 401),
        ("another scheme", good.replace("HMAC-SHA256", "HMAC-SHA1"), 401),
        (
            "a created later",
            good.replace(&now.to_string(), &(now + 1).to_string()),
            401,
        ),
        (
            "a zero first",
            sign(&x(), "partner", SECRET, now, "").replace("created=", "created=0"),
            401,
        ),
        ("a sign", good.replace("created=", "created=+"), 401),
        (
            "a nonce more",
            good.replace(", signature", ", nonce=\"a\", signature"),
            401,
        ),
        (
            "an empty nonce",
            good.replace(", signature", ", nonce=\"\", signature"),
            401,
        ),
        (
            "a parameter twice",
            good.replace(", signature", ", id=\"partner\", signature"),
            401,
        ),
        (
            "an unknown parameter",
            good.replace(", signature", ", alg=\"none\", signature"),
            401,
        ),
        ("no signature", good.split(", signature").next().unwrap().into(), 401),
        (
            "an empty signature",
            format!("{}, signature=\"\"", good.split(", signature").next().unwrap()),
            401,
        ),
        ("half a signature", good[..good.len() - 10].to_string() + "\"", 401),
        ("a comma at the end", good.clone() + ",", 401),
        ("something behind", good.clone() + " x", 401),
        ("unicode", good.replace("partner", "pаrtner"), 401),
        ("nothing", String::new(), 401),
        ("the scheme alone", "HMAC-SHA256".into(), 401),
        ("the scheme and a space", "HMAC-SHA256 ".into(), 401),
        ("an open quote", "HMAC-SHA256 id=\"".into(), 401),
        ("huge", format!("HMAC-SHA256 id=\"{}\"", "a".repeat(16000)), 401),
        (
            "a huge time",
            good.replace(&now.to_string(), "99999999999999999999"),
            401,
        ),
        ("a minute ago", sign(&x(), "partner", SECRET, now - 290, ""), 200),
        ("in a minute", sign(&x(), "partner", SECRET, now + 290, ""), 200),
        ("long ago", sign(&x(), "partner", SECRET, now - 310, ""), 401),
        ("long from now", sign(&x(), "partner", SECRET, now + 310, ""), 401),
    ];
    for (name, authorization, want) in cases {
        let mut x = x();
        x.request.set("Authorization", &authorization);
        assert_eq!(status(&mut x), want, "{}: {}", name, authorization);
    }
    let mut none = Exchange::new("GET", "/");
    let world = World::new();
    world.store("");
    let got = run(&mut configure(CONFIG).unwrap(), &mut none);
    assert_eq!(got, (401, "HMAC-SHA256 realm=\"orders\"".into()));
}

/// A line that one field ends with cannot begin the next.
#[test]
fn parameters_are_one_line() {
    assert_eq!(
        credential::parse("HMAC-SHA256 id=\"a\nb\", created=1, signature=\"x\""),
        None
    );
    let want = Credential {
        id: "a",
        created: "1",
        nonce: "",
        signature: "x+/=",
    };
    for text in [
        "HMAC-SHA256 id=a,created=1,signature=x+/=",
        "hmac-sha256  signature=\"x+/=\" ,  created=\"1\" , id=\"a\" ",
    ] {
        assert_eq!(credential::parse(text), Some(Credential { ..want }), "{}", text);
    }
}

#[test]
fn without_a_store_nobody_passes() {
    let world = World::new();
    world.broken_store("", false);
    let mut x = signed();
    assert_eq!(run(&mut configure(CONFIG).unwrap(), &mut x), (503, String::new()));
    assert_eq!(x.log.len(), 1);
}

#[test]
fn options() {
    let _world = World::new(); // no store is granted
    let config = CONFIG.replace("\"realm\"", "\"replay_protection\": false, \"hide\": false, \"realm\"");
    let mut plugin = configure(&config).unwrap();
    for _ in 0..2 {
        let mut x = signed();
        assert_eq!(run(&mut plugin, &mut x).0, 200);
        assert!(x.request.get("Authorization").is_some());
    }
    let config = CONFIG.replace(
        "\"realm\"",
        "\"require_nonce\": true, \"replay_protection\": false, \"realm\"",
    );
    let mut x = Exchange::new("GET", "/");
    let bare = sign(&x, "partner", SECRET, seconds(), "");
    x.request.add("Authorization", &bare);
    assert_eq!(run(&mut configure(&config).unwrap(), &mut x).0, 401);
    assert_eq!(run(&mut configure(&config).unwrap(), &mut signed()).0, 200);
}

#[test]
fn refused_configurations() {
    let key = r#"{"id": "a", "secret": "0123456789abcdef"}"#;
    let name = |most| {
        format!(
            "must be 1 to {} visible ASCII characters, without quotes and backslashes",
            most
        )
    };
    let taken = "cannot be signed so: it is signed anyway, there before, or belongs to the connection";
    for (config, want) in [
        ("{}".to_string(), "/keys must name at least one key".to_string()),
        (r#"{"keys": []}"#.into(), "/keys must name at least one key".into()),
        (r#"{"key": 1}"#.into(), "/key is not a known key".into()),
        (
            r#"{"keys": [{"id": "a"}]}"#.into(),
            "/keys/0 must have an id and a secret".into(),
        ),
        (
            r#"{"keys": [{"id": "a", "secret": "short"}]}"#.into(),
            "/keys/0/secret must have at least 16 bytes".into(),
        ),
        (
            r#"{"keys": [{"id": "a b", "secret": "0123456789abcdef"}]}"#.into(),
            format!("/keys/0/id {}", name(128)),
        ),
        (
            r#"{"keys": [{"id": "a", "secret": "0123456789abcdef", "consumer": ""}]}"#.into(),
            format!("/keys/0/consumer {}", name(256)),
        ),
        (
            r#"{"keys": [{"id": "a", "secret": "0123456789abcdef", "groups": ["a,b"]}]}"#.into(),
            "/keys/0/groups/0 must be one, without commas".into(),
        ),
        (
            format!(r#"{{"keys": [{}, {}]}}"#, key, key),
            "/keys/1 has an id that was there before".into(),
        ),
        (
            format!(r#"{{"keys": [{}], "clock_skew_seconds": 0}}"#, key),
            "/clock_skew_seconds must be an integer from 1 to 3600".into(),
        ),
        (
            format!(r#"{{"keys": [{}], "headers": ["Host"]}}"#, key),
            format!("/headers/0 {}", taken),
        ),
        (
            format!(r#"{{"keys": [{}], "headers": ["a", "A"]}}"#, key),
            format!("/headers/1 {}", taken),
        ),
        (
            format!(r#"{{"keys": [{}], "headers": ["a b"]}}"#, key),
            "/headers/0 must be the name of a header".into(),
        ),
        (
            format!(r#"{{"keys": [{}], "realm": "\""}}"#, key),
            "/realm must be ASCII without quotes and backslashes".into(),
        ),
        (
            format!(r#"{{"keys": [{}], "body": 1}}"#, key),
            "/body must be true or false".into(),
        ),
    ] {
        let error = configure::<HmacAuth>(&config).err().unwrap();
        assert_eq!(error.to_string(), want, "{}", config);
    }
}
