//! A chunked body: the same in any pieces, and the same as a decoder says that has all of it before it.

use std::io::Read;

use node_agent::limits;
use node_agent::wire::body::framing_error;
use node_agent::wire::{BodyReader, Framing};

use crate::pieces::{self, Pieces};

/// The data, and what stands behind the body.
type Decoded = Option<(Vec<u8>, Vec<u8>)>;

pub fn check(data: &[u8]) {
    let Some((sizes, bytes)) = pieces::split(data) else {
        return;
    };
    let whole = decoded(bytes, [usize::MAX; 3], 0, 4096);
    assert_eq!(decoded(bytes, sizes, sizes[0], sizes[1]), whole);
    // The reference knows no limits; a body beyond one is refused here and may be taken there.
    if bytes.len() < limits::CHUNK_LINE_BYTES.min(limits::TRAILER_BYTES) {
        assert_eq!(reference(bytes), whole);
    }
}

/// With the first `ahead` bytes read together with the head.
fn decoded(bytes: &[u8], sizes: [usize; 3], ahead: usize, buffer: usize) -> Decoded {
    let (ahead, rest) = bytes.split_at(ahead.min(bytes.len()));
    let source = Pieces::new(rest, sizes);
    let mut body = BodyReader::new(source, ahead.to_vec(), Framing::Chunked);
    let (mut content, mut buffer) = (Vec::new(), vec![0; buffer.max(1)]);
    loop {
        match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => content.extend_from_slice(&buffer[..count]),
            Err(error) => {
                framing_error(&error).expect("only the framing can be wrong");
                return None;
            }
        }
    }
    assert!(body.is_done());
    let (mut source, mut behind) = body.into_parts();
    source.read_to_end(&mut behind).unwrap();
    Some((content, behind))
}

fn reference(mut bytes: &[u8]) -> Decoded {
    let mut content = Vec::new();
    loop {
        let line = line(&mut bytes)?;
        let digits = line
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let (digits, extension) = line.split_at(digits);
        if !matches!(extension, [] | [b';' | b' ' | b'\t', ..]) || digits.len() > 16 {
            return None;
        }
        let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if size == 0 {
            break;
        }
        let (chunk, rest) = bytes.split_at_checked(usize::try_from(size).ok()?)?;
        content.extend_from_slice(chunk);
        bytes = rest.strip_prefix(b"\r\n")?;
    }
    while !line(&mut bytes)?.is_empty() {}
    Some((content, bytes.to_vec()))
}

/// Up to the first CR, which has to have its LF; no line has a bare LF or NUL.
fn line<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let end = bytes.iter().position(|byte| *byte == b'\r')?;
    let (line, rest) = bytes.split_at(end);
    *bytes = rest.strip_prefix(b"\r\n")?;
    (!line.contains(&b'\n') && !line.contains(&0)).then_some(line)
}
