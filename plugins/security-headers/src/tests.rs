use super::SecurityHeaders;
use sallyport::testing::{configure, Exchange};

/// Runs the plugin over a response with the given headers and returns what the client gets.
fn response(config: &str, scheme: &str, upstream: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut x = Exchange::new("GET", "/");
    x.scheme = scheme.into();
    for (name, value) in upstream {
        x.response.add(name, value);
    }
    configure::<SecurityHeaders>(config).unwrap().response(&mut x).unwrap();
    x.response.0
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

const OFF: &str = r#"{"hsts": false, "content_type_options": false, "frame_options": false, "referrer_policy": false,
    "permissions_policy": false, "opener_policy": false, "resource_policy": false, "cross_domain_policies": false"#;

#[test]
fn defaults() {
    let want = [
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Permissions-Policy", "geolocation=(), camera=(), microphone=()"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-site"),
        ("X-Permitted-Cross-Domain-Policies", "none"),
    ];
    let upstream = [
        ("server", "nginx/1.2"),
        ("X-Powered-By", "PHP"),
        ("x-powered-by", "Zend"),
    ];
    assert_eq!(response("{}", "https", &upstream), pairs(&want));
    assert_eq!(
        response("{}", "http", &upstream),
        pairs(&want[1..]),
        "HSTS is for https alone (RFC 6797, 7.2)"
    );
}

#[test]
fn options() {
    let off = |rest: &str| format!("{}{}}}", OFF, rest);
    let tests = [
        ("all off", off(""), vec![("X", "1")], vec![("X", "1")]),
        (
            "value",
            off(r#", "frame_options": "SAMEORIGIN""#),
            vec![],
            vec![("X-Frame-Options", "SAMEORIGIN")],
        ),
        (
            "recommended",
            off(r#", "embedder_policy": true"#),
            vec![],
            vec![("Cross-Origin-Embedder-Policy", "require-corp")],
        ),
        (
            "policy",
            off(r#", "content_security_policy": "default-src 'none'""#),
            vec![],
            vec![("Content-Security-Policy", "default-src 'none'")],
        ),
        (
            "the upstream's own stays",
            off(r#", "frame_options": true"#),
            vec![("x-frame-options", "SAMEORIGIN")],
            vec![("x-frame-options", "SAMEORIGIN")],
        ),
        (
            "replace",
            off(r#", "frame_options": true, "replace": true"#),
            vec![("x-frame-options", "SAMEORIGIN")],
            vec![("X-Frame-Options", "DENY")],
        ),
        (
            "remove",
            off(r#", "remove": ["Via"]"#),
            vec![("Server", "a"), ("via", "b")],
            vec![("Server", "a")],
        ),
        (
            "remove nothing",
            off(r#", "remove": []"#),
            vec![("Server", "a")],
            vec![("Server", "a")],
        ),
    ];
    for (name, config, upstream, want) in tests {
        assert_eq!(response(&config, "https", &upstream), pairs(&want), "{}", name);
    }
}

#[test]
fn refused_configurations() {
    let tests = [
        (r#"{"hst": true}"#, "/hst is not a known key"),
        (r#"{"hsts": 5}"#, "/hsts must be a string, true or false"),
        (
            r#"{"hsts": " "}"#,
            "/hsts must not be empty; false leaves the header out",
        ),
        (r#"{"hsts": "a\r\nb: c"}"#, "/hsts must not hold control characters"),
        (r#"{"remove": "Server"}"#, "/remove must be an array"),
        (
            r#"{"remove": ["Server", "a b"]}"#,
            "/remove/1 must be the name of a header",
        ),
        (r#"{"replace": "yes"}"#, "/replace must be true or false"),
    ];
    for (config, want) in tests {
        let error = configure::<SecurityHeaders>(config).err().unwrap();
        assert_eq!(error.to_string(), want);
    }
}
