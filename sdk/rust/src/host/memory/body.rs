//! The host functions of bodies.

use super::rules::*;
use super::with;

pub fn body_size(msg: u32) -> i32 {
    with(|m| match body(m, msg) {
        Ok(content) => content.len() as i32,
        Err(code) => code,
    })
}

pub fn body_read(msg: u32, offset: u32, buf: &mut [u8]) -> i32 {
    with(|m| match body(m, msg) {
        Ok(content) => {
            let rest = content.get(offset as usize..).unwrap_or_default();
            let n = rest.len().min(buf.len());
            buf[..n].copy_from_slice(&rest[..n]);
            n as i32
        }
        Err(code) => code,
    })
}

pub fn body_write(msg: u32, data: &[u8]) -> i32 {
    with(|m| {
        if !m.in_head() && !m.in_chunk() {
            return WRONG_PHASE;
        }
        let no_content = msg == 1 && m.in_head() && matches!(m.exchange.status, 204 | 304) && !data.is_empty();
        match changeable(m, msg).and_then(|()| body(m, msg)) {
            Err(code) => code,
            Ok(_) if data.len() > 1 << 20 => TOO_LARGE,
            Ok(_) if no_content => INVALID,
            Ok(content) => {
                *content = data.into();
                0
            }
        }
    })
}

/// The codes are those that core/plugin's tests want of the gateway itself.
#[cfg(test)]
mod tests {
    use super::super::{functions::*, run, Phase};
    use super::*;
    use crate::testing::{Exchange, Fields};

    fn codes(phase: Phase, held: bool, calls: fn() -> Vec<i32>) -> Vec<i32> {
        let trailers = |value: &str| Fields(vec![("Checksum".into(), value.into())]);
        let mut x = Exchange::new("GET", "/");
        x.request_body = b"hello, world".to_vec();
        x.body = b"there".to_vec();
        x.request_trailers = trailers("abc");
        x.response_trailers = trailers("def");
        run(phase, held, false, &mut x, calls).0
    }

    fn read(msg: u32, offset: u32) -> i32 {
        body_read(msg, offset, &mut [0; 5])
    }

    fn trailer(msg: u32) -> i32 {
        header_get(msg, "checksum", &mut [])
    }

    #[test]
    fn request() {
        let sizes = || vec![0, 1, 2, 3, 4, 16].into_iter().map(body_size).collect();
        assert_eq!(codes(Phase::Request, true, sizes), [12, -4, -2, -4, -2, -1]);
        let reads = || vec![read(0, 7), read(0, 12), read(0, u32::MAX), trailer(2), trailer(3)];
        assert_eq!(codes(Phase::Request, true, reads), [5, 0, 0, 3, -4]);
        let writes = || {
            vec![1, 2, 3, 16, 4, 0]
                .into_iter()
                .map(|msg| body_write(msg, b""))
                .collect()
        };
        assert_eq!(codes(Phase::Request, true, writes), [-4, -4, -4, -2, -2, 0]);
        let fields = || {
            vec![2, 3, 16, 4]
                .into_iter()
                .map(|msg| header_set(msg, "a", "b"))
                .collect()
        };
        assert_eq!(codes(Phase::Request, true, fields), [-4, -4, -2, -2]);
        assert_eq!(
            codes(Phase::Request, true, || vec![status(2), status(3), status(16)]),
            [-2, -4, -1]
        );
        let head = || {
            let before = vec![
                body_size(0),
                read(0, 0),
                body_write(0, b""),
                trailer(2),
                body_write(1, b""),
            ];
            let made = vec![
                respond(200, b"mine"),
                read(1, 0),
                body_write(1, b"better"),
                body_size(1),
                trailer(3),
            ];
            [before, made].concat()
        };
        assert_eq!(codes(Phase::Request, false, head), [-4, -4, -4, -4, -4, 0, 4, 0, 6, 3]);
    }

    #[test]
    fn response() {
        let whole = || {
            let reads = vec![body_size(1), body_size(0), trailer(3), trailer(2)];
            let large = vec![0; (1 << 20) + 1];
            [
                reads,
                vec![body_write(0, b""), body_write(1, &large), body_write(1, b"")],
            ]
            .concat()
        };
        assert_eq!(codes(Phase::Response, true, whole), [5, -4, 3, -4, -4, -5, 0]);
        let head = || {
            let before = vec![body_size(1), body_write(1, &vec![0; (1 << 20) + 1]), trailer(3)];
            let made = vec![respond(204, b""), body_write(1, b"x"), body_write(1, b""), trailer(3)];
            [before, made].concat()
        };
        assert_eq!(codes(Phase::Response, false, head), [-4, -4, -4, 0, -2, 0, -1]);
    }

    #[test]
    fn end() {
        let reads = || vec![body_size(0), body_size(1), trailer(2), trailer(3), status(1)];
        assert_eq!(codes(Phase::End, false, reads), [-4, -4, 3, 3, 200]);
        let writes = || {
            vec![
                body_write(0, b""),
                body_write(16, b""),
                header_set(1, "a", "b"),
                set(5, ""),
                set(10, ""),
                respond(200, b""),
            ]
        };
        assert_eq!(codes(Phase::End, false, writes), [-4; 6]);
        let rest = || vec![set_status(200), attr_set("a", "b"), state_set(b"")];
        assert_eq!(codes(Phase::End, false, rest), [-4, -4, 0]);
    }
}
