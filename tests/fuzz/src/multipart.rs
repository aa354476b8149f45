//! A form: the same in any pieces, and what is packed comes out.

use std::io::Read;

use node_agent::wire::Multipart;
use node_agent::wire::multipart::{MultipartError, PartHead, boundary, multipart_error};

use crate::pieces::{self, Pieces};

type Parts = Result<Vec<(PartHead, Vec<u8>)>, String>;

pub fn check(data: &[u8]) {
    let Some((sizes, bytes)) = pieces::split(data) else {
        return;
    };
    let whole = parts(bytes, b"b", [usize::MAX; 3], 8192);
    assert_eq!(parts(bytes, b"b", sizes, sizes[2]), whole);
    packed(bytes, sizes);
    if let Ok(found) = boundary(bytes) {
        assert!((1..=70).contains(&found.len()), "RFC 2046, 5.1.1");
    }
}

fn parts(bytes: &[u8], boundary: &[u8], sizes: [usize; 3], buffer: usize) -> Parts {
    let mut form = Multipart::new(Pieces::new(bytes, sizes), boundary);
    let (mut parts, mut buffer) = (Vec::new(), vec![0; buffer.max(1)]);
    while let Some(head) = form.next_part().map_err(|error| error.to_string())? {
        let mut content = Vec::new();
        loop {
            match form.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => content.extend_from_slice(&buffer[..count]),
                Err(error) => return Err(words(&error)),
            }
        }
        parts.push((head, content));
    }
    Ok(parts)
}

fn words(error: &std::io::Error) -> String {
    let inner: &MultipartError = multipart_error(error).expect("only the form can be wrong");
    inner.to_string()
}

/// Any content, with a delimiter that is not in it, nor in what the empty line before and it make: a part without a
/// body ends with that line (RFC 2046, 5.1.1: `body-part`).
fn packed(content: &[u8], sizes: [usize; 3]) {
    let lines = [b"\r\n", content].concat();
    if lines.windows(8).any(|eight| eight == b"\r\n--qzQZ") {
        return;
    }
    let head = b"--qzQZ\r\nContent-Disposition: form-data; name=\"n\"; filename=\"f\"\r\n";
    let body = [head, &lines[..], b"\r\n--qzQZ--\r\n"].concat();
    let found = parts(&body, b"qzQZ", sizes, sizes[1]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0.name.as_deref(), Some("n"));
    assert_eq!(found[0].1, content);
}
