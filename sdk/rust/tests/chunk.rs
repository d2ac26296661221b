use sallyport::testing::{configure, Exchange, Fields, World};
use sallyport::{fetch, Chunk, Counter, Error, ErrorCode, FetchRequest, Flow, Hooks, Plugin, Response, Store};

/// Writes each piece twice; '-' has it left out, '!' refused, '?' is an error. It counts in its state.
struct Doubling;

impl Doubling {
    fn double(c: &mut Chunk) -> Result<Flow, Error> {
        let mut text = c.bytes().to_vec();
        let n: usize = String::from_utf8_lossy(c.state()).parse().unwrap_or_default();
        c.set_state((n + text.len()).to_string().as_bytes())?;
        match text.first() {
            Some(b'!') => return Ok(Flow::Abort),
            Some(b'?') => return Err("what?".into()),
            Some(b'-') => text.clear(),
            _ if c.last() => text.push(b'.'),
            _ => {}
        }
        c.set(&text.repeat(2))?;
        assert_eq!(c.bytes(), text.repeat(2));
        Ok(Flow::Pass)
    }
}

impl Plugin for Doubling {
    fn configure(_: &str) -> Result<Self, Error> {
        Ok(Doubling)
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST_CHUNKS | Hooks::RESPONSE_CHUNKS | Hooks::BOUND
    }

    fn request_chunk(&mut self, c: &mut Chunk) -> Result<Flow, Error> {
        Doubling::double(c)
    }

    fn response_chunk(&mut self, _: &mut Response, c: &mut Chunk) -> Result<Flow, Error> {
        Doubling::double(c)
    }
}

#[test]
fn changes_chunks() {
    let long = vec![b'x'; 40_000];
    let want_long = [
        vec![b'x'; 65_536 + 7232],
        b".".to_vec(),
        vec![b'x'; 7232],
        b".".to_vec(),
    ]
    .concat();
    type Case<'a> = (Vec<&'a [u8]>, Vec<u8>, bool);
    let tests: Vec<Case> = vec![
        (vec![b"a", b"bc"], b"aabc.bc.".to_vec(), false),
        (vec![b"a", b""], b"aa..".to_vec(), false),
        (vec![b"-a", b"b"], b"b.b.".to_vec(), false),
        (vec![b"a", b"!b", b"c"], b"aa".to_vec(), true),
        (vec![b"a", b"?b", b"c"], b"aa".to_vec(), true),
        (vec![&long], want_long, false),
        (vec![], vec![], false),
    ];
    let mut p = configure::<Doubling>("{}").unwrap();
    for (pieces, want, fails) in tests {
        let mut x = Exchange::new("GET", "/");
        x.state = b"100".to_vec();
        let (got, result) = p.request_chunks(&mut x, &pieces);
        assert_eq!((&got, result.is_err()), (&want, fails));
        assert_eq!(x.state, b"100");
        let (got, result) = p.response_chunks(&mut x, &pieces);
        assert_eq!((&got, result.is_err()), (&want, fails));
        let read = 100 + pieces.concat().len();
        assert!(fails || x.state == read.to_string().as_bytes());
    }
}

/// Looks at what chunk hooks can reach.
struct Reaching;

impl Plugin for Reaching {
    fn configure(_: &str) -> Result<Self, Error> {
        Ok(Reaching)
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST_CHUNKS | Hooks::RESPONSE_CHUNKS
    }

    fn request_chunk(&mut self, c: &mut Chunk) -> Result<Flow, Error> {
        let asked = fetch("auth", &FetchRequest::default()).err();
        assert_eq!(asked, Some(ErrorCode::WrongPhase));
        assert_eq!(c.set_attr("a", "b"), Err(ErrorCode::WrongPhase));
        assert_eq!((c.attr("a"), c.number()), (None, 1));
        Counter::new("pieces", &[]).add(1)?;
        Ok(Flow::Pass)
    }

    fn response_chunk(&mut self, r: &mut Response, c: &mut Chunk) -> Result<Flow, Error> {
        assert_eq!(Store::own().get("k"), Err(ErrorCode::WrongPhase));
        assert_eq!(r.headers.set("a", "b"), Err(ErrorCode::WrongPhase));
        r.set_attr("a", "b")?;
        assert_eq!((r.request.method().as_str(), r.status()), ("GET", 200));
        assert_eq!(r.headers.get("B").as_deref(), Some("c"));
        assert_eq!(r.trailers.has("Checksum"), c.last());
        c.edit(|bytes| bytes.make_ascii_uppercase())?;
        Ok(Flow::Pass)
    }
}

#[test]
fn reaches_little() {
    let world = World::new();
    world.store("");
    let mut p = configure::<Reaching>("{}").unwrap();
    let mut x = Exchange::new("GET", "/");
    x.attrs.insert("a".into(), "1".into());
    x.response = Fields(vec![("B".into(), "c".into())]);
    x.response_trailers = Fields(vec![("Checksum".into(), "abc".into())]);
    let pieces: [&[u8]; 2] = [b"one", b"two"];
    assert_eq!(p.request_chunks(&mut x, &pieces), (b"onetwo".to_vec(), Ok(())));
    assert_eq!(world.counter("pieces"), 2);
    assert_eq!(p.response_chunks(&mut x, &pieces), (b"ONETWO".to_vec(), Ok(())));
    assert_eq!(x.attrs["a"], "b");
}

struct Idle;

impl Plugin for Idle {
    fn configure(_: &str) -> Result<Self, Error> {
        Ok(Idle)
    }

    fn hooks(&self) -> Hooks {
        Hooks::NONE
    }
}

#[test]
fn passes_bodies_that_no_hook_wants() {
    let mut p = configure::<Idle>("{}").unwrap();
    let mut x = Exchange::new("GET", "/");
    assert_eq!(p.request_chunks(&mut x, &[b"a", b"b"]).0, b"ab");
    assert_eq!(p.response_chunks(&mut x, &[b"c", b"d"]).0, b"cd");
}
