//! Documents that the tests' gateway checks.

use sallyport::testing::{configure, Exchange, World};
use sallyport::{check_json, Error, ErrorCode, Hooks, Plugin, Request, Verdict};

struct Checks;

impl Plugin for Checks {
    fn configure(_: &str) -> Result<Self, Error> {
        Ok(Checks)
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST_BODY
    }

    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        assert_eq!(check_json("order", b"{}"), Ok(None));
        assert_eq!(check_json("order", b"no"), Ok(Some(b"[1]".to_vec())));
        assert_eq!(check_json("long", b""), Ok(Some(vec![b'x'; 9000])));
        assert_eq!(check_json("small", b"{}"), Err(ErrorCode::TooLarge));
        assert_eq!(check_json("any", &[b' '; (1 << 20) + 1]), Err(ErrorCode::TooLarge));
        assert_eq!(check_json("other", b"{}"), Err(ErrorCode::NotGranted));
        assert_eq!(r.body.check("order"), Ok(Some(b"[1]".to_vec())));
        Ok(Verdict::Continue)
    }
}

#[test]
fn checks_documents() {
    let world = World::new();
    world.schema(
        "order",
        |document| if document == b"no" { "[1]".into() } else { String::new() },
    );
    world
        .schema("long", |_| "x".repeat(9000))
        .schema("any", |_| String::new());
    world.small_schema("small");
    let mut x = Exchange::new("POST", "/");
    x.request_body = b"no".to_vec();
    assert_eq!(
        configure::<Checks>("{}").unwrap().request(&mut x),
        Ok(Verdict::Continue)
    );
    assert_eq!(check_json("order", b"{}"), Err(ErrorCode::WrongPhase));
}
