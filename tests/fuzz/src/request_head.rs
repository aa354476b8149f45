//! A request's head: found at the same place however it comes in, and what is taken is printed and read the same.

use node_agent::wire::scan::{HeadScan, leading_empty_lines};
use node_agent::wire::{Framing, HeadError, RequestHead};

use crate::pieces;

pub fn check(data: &[u8]) {
    let Some((sizes, bytes)) = pieces::split(data) else {
        return;
    };
    let bytes = &bytes[leading_empty_lines(bytes)..];
    let found = HeadScan::default().end(bytes);
    assert_eq!(in_pieces(bytes, sizes), found);
    let Ok(Some(end)) = found else {
        return;
    };
    let head = &bytes[..end];
    // More empty lines than are skipped; nothing that anyone takes for a request.
    if head == b"\r\n" {
        assert!(RequestHead::parse(head).is_err());
        return;
    }
    // Nobody else may see an end of the head, or of a line, elsewhere.
    assert!(head.ends_with(b"\r\n\r\n"));
    assert_eq!(
        head.windows(4).position(|four| four == b"\r\n\r\n"),
        Some(end - 4)
    );
    let feeds = head.iter().filter(|byte| **byte == b'\n').count();
    let returns = head.iter().filter(|byte| **byte == b'\r').count();
    let both = head.windows(2).filter(|two| *two == b"\r\n").count();
    assert!(feeds == both && returns == both && !head.contains(&0));
    if let Ok(parsed) = RequestHead::parse(head) {
        holds(&parsed, head);
    }
}

fn in_pieces(bytes: &[u8], sizes: [usize; 3]) -> Result<Option<usize>, HeadError> {
    let mut scan = HeadScan::default();
    let mut seen = 0;
    for turn in 0.. {
        seen = (seen + sizes[turn % 3]).min(bytes.len());
        match scan.end(&bytes[..seen]) {
            Ok(None) if seen < bytes.len() => {}
            result => return result,
        }
    }
    unreachable!()
}

/// What a proxy in front of us, which reads the lines one by one, would say of the same head.
fn holds(parsed: &RequestHead, head: &[u8]) {
    assert_eq!(parsed.len(), head.len());
    let lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').skip(1).collect();
    let named = |name: &str| -> Vec<&[u8]> {
        let fields = lines.iter().filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (field, value) = line.split_at(colon);
            field
                .eq_ignore_ascii_case(name.as_bytes())
                .then(|| value[1..].trim_ascii())
        });
        fields.collect()
    };
    for name in [
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "X-API-Key",
        "Expect",
        "Connection",
    ] {
        let values: Vec<&[u8]> = parsed.values(name).map(<[u8]>::trim_ascii).collect();
        assert_eq!(values, named(name), "{name}");
    }
    let (lengths, codings) = (named("Content-Length"), named("Transfer-Encoding"));
    match parsed.framing() {
        Framing::Chunked => {
            assert!(lengths.is_empty() && codings.len() == 1 && parsed.version() == 1);
            assert!(codings[0].eq_ignore_ascii_case(b"chunked"));
        }
        Framing::Length(length) => {
            assert!(codings.is_empty() && lengths.len() == 1);
            let text = std::str::from_utf8(lengths[0]).unwrap();
            assert!(text.bytes().all(|byte| byte.is_ascii_digit()));
            assert_eq!(text.parse::<u64>().unwrap(), length);
        }
        Framing::None => assert!(codings.is_empty() && lengths.is_empty()),
        Framing::UntilClose => panic!("a request ends before its connection"),
    }
    assert!(named("Host").len() <= 1);
    let path = parsed.target().path();
    assert!(path.starts_with('/') || path == "*");
    assert!(!path.contains(['?', '#', ' ']));
    let again = RequestHead::parse(head).unwrap();
    assert_eq!(again.target(), parsed.target());
    assert_eq!(again.keeps_alive(), parsed.keeps_alive());
}
