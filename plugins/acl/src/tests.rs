use super::Acl;
use crate::path;
use sallyport::testing::{configure, Exchange};
use sallyport::Verdict;

/// Tells what a request gets: 200 if it passes.
fn status(config: &str, method: &str, path: &str, attributes: &[(&str, &str)]) -> u16 {
    let mut x = Exchange::new(method, path);
    for (name, value) in attributes {
        x.attrs.insert(name.to_string(), value.to_string());
    }
    match configure::<Acl>(config).unwrap().request(&mut x).unwrap() {
        Verdict::Continue => 200,
        _ => x.status,
    }
}

const STAFF: &str = r#"{"allow": [{"groups": ["staff", "ops"]}, {"consumers": ["jo"], "methods": ["GET"], "paths": ["/orders"]},
    {"attributes": {"tenant": ["acme"], "plan": ["pro", "max"]}}, {"lists": {"roles": ["editor"]}}], "deny": [{"consumers": ["eve"]}, {"methods": ["DELETE"], "paths": ["/orders"]}]}"#;

#[test]
fn rules() {
    let tests: [(&str, &str, &str, &[(&str, &str)], u16); 31] = [
        ("group", "GET", "/", &[("groups", "staff")], 200),
        ("one of two groups", "GET", "/", &[("groups", "users,ops")], 200),
        ("another group", "GET", "/", &[("groups", "users")], 403),
        ("part of a group", "GET", "/", &[("groups", "staffers,nostaff")], 403),
        ("another case", "GET", "/", &[("groups", "Staff")], 403),
        ("unicode that looks alike", "GET", "/", &[("groups", "ѕtaff")], 403),
        ("spaces around", "GET", "/", &[("groups", " staff")], 403),
        ("no group", "GET", "/", &[("groups", "")], 403),
        ("nobody", "GET", "/", &[], 403),
        (
            "deny before allow",
            "GET",
            "/",
            &[("groups", "staff"), ("consumer", "eve")],
            403,
        ),
        (
            "consumer, method and path",
            "GET",
            "/orders/7",
            &[("consumer", "jo")],
            200,
        ),
        ("the path itself", "GET", "/orders", &[("consumer", "jo")], 200),
        ("another method", "POST", "/orders", &[("consumer", "jo")], 403),
        ("method in small letters", "get", "/orders", &[("consumer", "jo")], 403),
        ("another path", "GET", "/ordersx", &[("consumer", "jo")], 403),
        ("path in another case", "GET", "/Orders", &[("consumer", "jo")], 403),
        (
            "a path that leads out for some",
            "GET",
            "/orders/..%2Fadmin",
            &[("consumer", "jo")],
            403,
        ),
        (
            "or by parameters",
            "GET",
            "/orders/..;/admin",
            &[("consumer", "jo")],
            403,
        ),
        (
            "or by a backslash",
            "GET",
            "/orders/..%5Cadmin",
            &[("consumer", "jo")],
            403,
        ),
        (
            "an escape that leads nowhere",
            "GET",
            "/orders/a%20b",
            &[("consumer", "jo")],
            200,
        ),
        (
            "a consumer with a comma",
            "GET",
            "/orders",
            &[("consumer", "x,jo")],
            403,
        ),
        ("attributes", "GET", "/", &[("tenant", "acme"), ("plan", "max")], 200),
        (
            "an attribute with a comma",
            "GET",
            "/",
            &[("tenant", "x,acme"), ("plan", "max")],
            403,
        ),
        ("an element", "GET", "/", &[("roles", "reader,editor")], 200),
        ("no element", "GET", "/", &[("roles", "reader,editors")], 403),
        ("one of them only", "GET", "/", &[("tenant", "acme")], 403),
        ("denied method", "DELETE", "/orders/7", &[("groups", "staff")], 403),
        ("in small letters", "delete", "/orders/7", &[("groups", "staff")], 403),
        (
            "by an encoded slash",
            "DELETE",
            "/orders%2F7",
            &[("groups", "staff")],
            403,
        ),
        (
            "encoded twice",
            "DELETE",
            "/x/..%252Forders",
            &[("groups", "staff")],
            403,
        ),
        ("elsewhere", "DELETE", "/x", &[("groups", "staff")], 200),
    ];
    for (name, method, path, attributes, want) in tests {
        assert_eq!(status(STAFF, method, path, attributes), want, "{}", name);
    }
}

#[test]
fn anybody_who_is_known() {
    let config = r#"{"allow": [{"consumers": ["*"]}], "status": 404}"#;
    assert_eq!(status(config, "GET", "/", &[("consumer", "jo")]), 200);
    assert_eq!(status(config, "GET", "/", &[("consumer", "*")]), 200);
    assert_eq!(status(config, "GET", "/", &[("consumer", "")]), 404);
    assert_eq!(status(config, "GET", "/", &[]), 404);
}

/// A star means that only where it is written down: a client that is called so is nobody else.
#[test]
fn a_star_in_the_request() {
    let config = r#"{"allow": [{"consumers": ["jo"]}, {"groups": ["staff"]}]}"#;
    assert_eq!(status(config, "GET", "/", &[("consumer", "*"), ("groups", "*")]), 403);
}

#[test]
fn denying_alone() {
    let config = r#"{"deny": [{"paths": ["/admin/"]}]}"#;
    for (path, want) in [
        ("/", 200),
        ("/admin", 403),
        ("/admin/", 403),
        ("/admin/x", 403),
        ("/administrator", 200),
        ("/a/admin", 200),
        ("/%2Fadmin", 403),
        ("/admin%2Fx", 403),
        ("/admin;x=1", 403),
        ("/;x/admin", 403),
        ("/a%2F..%2Fadmin", 403),
        ("/%5Cadmin", 403),
        ("/%C3%A4dmin", 200),
        ("*", 200),
    ] {
        assert_eq!(status(config, "GET", path, &[]), want, "{}", path);
    }
    assert_eq!(status(r#"{"deny": [{"paths": ["/"]}]}"#, "GET", "/x", &[]), 403);
}

#[test]
fn understood_paths() {
    for (path, want) in [
        ("/a/b", "/a/b"),
        ("/a%2fb", "/a/b"),
        ("/a%252525252fb", "/a%2fb"),
        ("/%2e%2e/%2E%2E/a", "/a"),
        ("/a;x=1/b;y", "/a/b"),
        ("/..;/a", "/a"),
        ("/%", "/%"),
        ("/%4", "/%4"),
        ("/%zz", "/%zz"),
        ("/%FF", "/\u{fffd}"),
        ("//", "/"),
        ("/a\\b", "/a/b"),
    ] {
        assert_eq!(path::understood(path), want, "{}", path);
    }
    let long = "/..%2F".repeat(1500);
    assert_eq!(path::understood(&long), "/");
}

#[test]
fn answer() {
    let mut x = Exchange::new("GET", "/");
    configure::<Acl>(r#"{"deny": [{"methods": ["GET"]}]}"#)
        .unwrap()
        .request(&mut x)
        .unwrap();
    assert_eq!(x.status, 403);
    assert_eq!(x.response.get("Content-Type"), Some("application/problem+json"));
    let want = "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,\"request_id\":\"request-1\"}\n";
    assert_eq!(String::from_utf8(x.body).unwrap(), want);
}

#[test]
fn refused_configurations() {
    let plain = "/deny/0/paths/0 must be plain: no escapes, parameters, query or wildcards";
    let value = "must not be empty, nor have control characters or spaces at its ends: it would meet nothing";
    let tests = [
        ("{}", "must have allow rules, deny rules, or both".to_string()),
        (r#"{"allow": []}"#, "/allow must not be empty".into()),
        (r#"{"block": []}"#, "/block is not a known key".into()),
        (
            r#"{"allow": [{}]}"#,
            "/allow/0 must have a condition: it would be for everybody".into(),
        ),
        (
            r#"{"allow": [{"attributes": {}}]}"#,
            "/allow/0 must have a condition: it would be for everybody".into(),
        ),
        (r#"{"allow": ["jo"]}"#, "/allow/0 must be a table".into()),
        (
            r#"{"allow": [{"consumer": ["jo"]}]}"#,
            "/allow/0/consumer is not a known key".into(),
        ),
        (
            r#"{"allow": [{"consumers": []}]}"#,
            "/allow/0/consumers must not be empty".into(),
        ),
        (
            r#"{"allow": [{"consumers": "jo"}]}"#,
            "/allow/0/consumers must be an array".into(),
        ),
        (
            r#"{"allow": [{"consumers": [" jo"]}]}"#,
            format!("/allow/0/consumers/0 {}", value),
        ),
        (
            r#"{"allow": [{"groups": ["a,b"]}]}"#,
            "/allow/0/groups/0 must be one, without commas".into(),
        ),
        (
            r#"{"allow": [{"methods": ["get"]}]}"#,
            "/allow/0/methods/0 must be a method, in capitals".into(),
        ),
        (
            r#"{"allow": [{"attributes": {"a b": ["x"]}}]}"#,
            "/allow/0/attributes/a b must have a name of visible ASCII".into(),
        ),
        (
            r#"{"allow": [{"attributes": {"a": [""]}}]}"#,
            format!("/allow/0/attributes/a/0 {}", value),
        ),
        (
            r#"{"deny": [{"paths": ["admin"]}]}"#,
            "/deny/0/paths/0 must begin with a slash, and be percent-encoded".into(),
        ),
        (r#"{"deny": [{"paths": ["/admin/*"]}]}"#, plain.into()),
        (r#"{"deny": [{"paths": ["/a%2Fb"]}]}"#, plain.into()),
        (
            r#"{"deny": [{"paths": ["/a/../b"]}]}"#,
            "/deny/0/paths/0 must have no empty segments and no dot segments: no request has them".into(),
        ),
        (
            r#"{"deny": [{"methods": ["GET"]}], "status": 200}"#,
            "/status must be an integer from 400 to 599".into(),
        ),
    ];
    for (config, want) in tests {
        let error = configure::<Acl>(config).err().unwrap();
        assert_eq!(error.to_string(), want, "{}", config);
    }
}
