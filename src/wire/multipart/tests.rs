//! The form as a whole: what clients send, what nobody should send, and any of it in any pieces.
#![forbid(unsafe_code)]

use std::io::{self, Read};

use proptest::prelude::*;

use super::*;
use crate::limits;
use crate::wire::pieces::{Failing, Pieces};

/// What `curl -F note=hello -F 'file=@im"age.tar;type=application/x-tar' -F empty=@empty` of curl 7.88.1 sent.
const CURL: &[u8] = b"--------------------------607854022b45893f\r\n\
    Content-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n\
    --------------------------607854022b45893f\r\n\
    Content-Disposition: form-data; name=\"file\"; filename=\"im%22age.tar\"\r\n\
    Content-Type: application/x-tar\r\n\r\ntar\r\nbytes\n\r\n\
    --------------------------607854022b45893f\r\n\
    Content-Disposition: form-data; name=\"empty\"; filename=\"empty\"\r\n\
    Content-Type: application/octet-stream\r\n\r\n\r\n\
    --------------------------607854022b45893f--\r\n";
const CURL_TYPE: &[u8] = b"multipart/form-data; boundary=------------------------607854022b45893f";

/// The same file, `curl --form-escape -F 'no"te=hello' -F 'file=@im"age.tar'`.
const CURL_ESCAPED: &[u8] = b"--------------------------dc810b12b4d40d07\r\n\
    Content-Disposition: form-data; name=\"no\\\"te\"\r\n\r\nhello\r\n\
    --------------------------dc810b12b4d40d07\r\n\
    Content-Disposition: form-data; name=\"file\"; filename=\"im\\\"age.tar\"\r\n\
    Content-Type: application/octet-stream\r\n\r\ntar\r\nbytes\n\r\n\
    --------------------------dc810b12b4d40d07--\r\n";

type Part = (PartHead, Vec<u8>);

fn parts_of(source: impl Read, boundary: &[u8]) -> Result<Vec<Part>, MultipartError> {
    let mut form = Multipart::new(source, boundary);
    let mut parts = Vec::new();
    while let Some(head) = form.next_part()? {
        let mut content = Vec::new();
        form.read_to_end(&mut content)?;
        parts.push((head, content));
    }
    Ok(parts)
}

fn contents(body: &str) -> Vec<String> {
    let parts = parts_of(Pieces::new(body.as_bytes(), &[7]), b"b").unwrap();
    let contents = parts.into_iter().map(|(_, content)| content);
    contents
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .collect()
}

fn error_of(body: &[u8]) -> MultipartError {
    parts_of(body, b"b").unwrap_err()
}

#[test]
fn what_curl_sends() {
    let parts = parts_of(CURL, &boundary(CURL_TYPE).unwrap()).unwrap();
    let names = parts.iter().map(|(head, _)| head.name.as_deref());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["note", "file", "empty"].map(Some)
    );
    let (file, content) = &parts[1];
    assert_eq!(file.file_name.as_deref(), Some("im\"age.tar"));
    assert_eq!(file.content_type.as_deref(), Some("application/x-tar"));
    assert_eq!(content, b"tar\r\nbytes\n");
    assert_eq!(parts[0].1, b"hello");
    assert_eq!(parts[2].1, b"");
}

#[test]
fn what_curl_sends_with_backslashes() {
    let parts = parts_of(CURL_ESCAPED, b"------------------------dc810b12b4d40d07").unwrap();
    assert_eq!(parts[0].0.name.as_deref(), Some("no\"te"));
    assert_eq!(parts[1].0.file_name.as_deref(), Some("im\"age.tar"));
}

#[test]
fn preamble_epilogue_and_padding_are_dropped() {
    let body = "This is a form.\r\n--b \t\r\n\r\none\r\n--b\r\nA: b\r\n\r\ntwo\r\n--b-- \r\nThe end.\r\n--b\r\n";
    assert_eq!(contents(body), ["one", "two"]);
    assert_eq!(contents("--b--"), Vec::<String>::new());
    assert_eq!(contents("--b\r\n\r\nx\r\n--b--"), ["x"]);
}

#[test]
fn what_only_looks_like_a_delimiter_is_content() {
    for content in [
        "\r\n--bound\r\n",
        "\r\n--c",
        "--b\r\n--",
        "x--b--",
        "\r\n--b x\r\n--b\r",
        "\r\n--b --",
        "\r\n",
        "\r\n\r\n",
        "\r",
        "\n--b\r\n",
        "\r\r\n-",
    ] {
        let content = if content.starts_with("--b") {
            format!("x{content}")
        } else {
            content.to_owned()
        };
        let body = format!("--b\r\n\r\n{content}\r\n--b--\r\n");
        assert_eq!(contents(&body), [content]);
    }
}

#[test]
fn empty_parts_with_and_without_a_line_end_of_their_own() {
    assert_eq!(
        contents("--b\r\n\r\n\r\n--b\r\n\r\n--b\r\nA: b\r\n\r\n--b--"),
        ["", "", ""]
    );
}

#[test]
fn what_was_not_read_is_skipped() {
    let mut form = Multipart::new(CURL, b"------------------------607854022b45893f");
    let mut buffer = [0; 3];
    assert_eq!(form.read(&mut buffer).unwrap(), 0);
    form.next_part().unwrap();
    assert_eq!(form.read(&mut buffer).unwrap(), 3);
    assert_eq!(
        form.next_part().unwrap().unwrap().name.as_deref(),
        Some("file")
    );
    assert_eq!(
        form.next_part().unwrap().unwrap().name.as_deref(),
        Some("empty")
    );
    assert_eq!(form.next_part().unwrap(), None);
    assert_eq!(form.next_part().unwrap(), None);
    assert_eq!(form.read(&mut buffer).unwrap(), 0);
}

#[test]
fn a_form_that_ends_early_is_truncated() {
    let end = CURL.len() - b"\r\n".len();
    for length in 0..end {
        let error = parts_of(&CURL[..length], b"------------------------607854022b45893f");
        assert!(
            matches!(error, Err(MultipartError::Truncated)),
            "{length}: {error:?}"
        );
    }
    parts_of(&CURL[..end], b"------------------------607854022b45893f").unwrap();
}

#[test]
fn lines_end_with_crlf_alone() {
    for body in [
        &b"--b\nA: b\n\nx\n--b--\n"[..],
        b"--b\r\nA: b\n\r\n\r\nx\r\n--b--",
        b"--b\r\nA: b\r\n\nx\r\n--b--",
        b"--b\r\n\r\nx\r\n--b\nA: b",
        b"--b\r\nA: b\r\n folded\r\n\r\nx\r\n--b--",
        b"--b\r\n--b--\r\n\r\n",
    ] {
        let error = error_of(body);
        assert!(matches!(error, MultipartError::BadPartHead(_)), "{error:?}");
    }
}

#[test]
fn heads_parts_and_what_stands_around_have_limits() {
    let head = |bytes: usize| {
        let line = "A: ".to_owned() + &"x".repeat(bytes - "A: \r\n".len());
        format!("--b\r\n{line}\r\n\r\n\r\n--b--")
    };
    assert_eq!(contents(&head(limits::PART_HEAD_BYTES)), [""]);
    let long = head(limits::PART_HEAD_BYTES + 3);
    assert!(matches!(
        error_of(long.as_bytes()),
        MultipartError::HeadTooLong
    ));

    let parts = |count: usize| "--b\r\n\r\n\r\n".repeat(count) + "--b--";
    assert_eq!(contents(&parts(limits::PARTS)).len(), limits::PARTS);
    let many = parts(limits::PARTS + 1);
    assert!(matches!(
        error_of(many.as_bytes()),
        MultipartError::TooManyParts
    ));

    let most = usize::try_from(limits::AROUND_PARTS_BYTES).unwrap();
    let around = |before: usize, after: usize| {
        [&vec![b'x'; before], &b"\r\n--b--"[..], &vec![b'x'; after]].concat()
    };
    parts_of(&*around(most - 2, most), b"b").unwrap();
    assert!(matches!(
        error_of(&around(most, 0)),
        MultipartError::LongPreamble
    ));
    assert!(matches!(
        error_of(&around(0, most + 1)),
        MultipartError::LongEpilogue
    ));
}

#[test]
fn the_sources_error_comes_as_it_is() {
    let source = || {
        let timeout = io::Error::from(io::ErrorKind::TimedOut);
        (&b"--b\r\n\r\ncontent"[..]).chain(Failing(Some(timeout)))
    };
    let mut form = Multipart::new(source(), b"b");
    form.next_part().unwrap();
    let error = form.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(multipart_error(&error).is_none());
    let mut form = Multipart::new(source(), b"b");
    form.next_part().unwrap();
    let error = form.next_part().unwrap_err();
    assert!(matches!(&error, MultipartError::Io(error) if error.kind() == io::ErrorKind::TimedOut));
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::TimedOut);
}

#[test]
fn an_interrupted_read_is_repeated() {
    let interrupted = Failing(Some(io::ErrorKind::Interrupted.into()));
    let source = interrupted.chain(&b"--b\r\n\r\nx\r\n--b--"[..]);
    assert_eq!(parts_of(source, b"b").unwrap().len(), 1);
}

/// The same, slowly, with everything at hand: one byte at a time, no buffer.
fn naively(body: &[u8]) -> Result<Vec<Part>, MultipartError> {
    let text = [b"\r\n", body].concat();
    let (mut parts, mut position, mut start) = (Vec::new(), 0, None);
    loop {
        let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) else {
            return Err(MultipartError::Truncated);
        };
        let Some(after) = rest.strip_prefix(b"\r\n--b") else {
            position += 1;
            continue;
        };
        let line = after.trim_ascii_start_of(b" \t");
        let is_last = after.starts_with(b"--");
        if !is_last && line.starts_with(b"\n") {
            return Err(MultipartError::BadPartHead(""));
        }
        if !is_last && !line.starts_with(b"\r\n") {
            position += 1;
            continue;
        }
        if let Some((head, content)) = start.take() {
            let content: usize = content;
            parts.push((head, text[content.min(position)..position].to_vec()));
        }
        if is_last {
            return Ok(parts);
        }
        let lines = text.len() - line.len();
        let end = text[lines..]
            .windows(4)
            .position(|four| four == b"\r\n\r\n");
        let head = &text[lines..end.map_or(text.len(), |end| lines + end + 4)];
        if (0..head.len()).any(|at| head[at] == b'\n' && (at == 0 || head[at - 1] != b'\r')) {
            return Err(MultipartError::BadPartHead(""));
        }
        if end.is_none() {
            return Err(MultipartError::Truncated);
        }
        start = Some((PartHead::parse(&head[2..])?, lines + head.len()));
        position = lines + head.len() - 2;
    }
}

trait TrimStart {
    fn trim_ascii_start_of(&self, blanks: &[u8]) -> &[u8];
}

impl TrimStart for [u8] {
    fn trim_ascii_start_of(&self, blanks: &[u8]) -> &[u8] {
        let count = self.iter().take_while(|byte| blanks.contains(byte)).count();
        &self[count..]
    }
}

fn comparable(
    result: Result<Vec<Part>, MultipartError>,
) -> Result<Vec<Part>, std::mem::Discriminant<MultipartError>> {
    result.map_err(|error| std::mem::discriminant(&error))
}

/// Pieces of forms in an order that hardly makes one.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let scrap = prop_oneof![
        5 => Just(&b"\r\n--b\r\n\r\n"[..]),
        3 => Just(&b"\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n"[..]),
        4 => Just(&b"\r\n--b"[..]),
        2 => Just(&b"--b"[..]),
        4 => Just(&b"\r\n"[..]),
        2 => Just(&b"--"[..]),
        1 => Just(&b"-"[..]),
        2 => Just(&b"\r"[..]),
        1 => Just(&b"\n"[..]),
        2 => Just(&b" "[..]),
        2 => Just(&b"x"[..]),
        1 => Just(&b"A: b\r\n"[..]),
    ];
    let end = prop_oneof![
        Just(&b""[..]),
        Just(&b"\r\n--b--"[..]),
        Just(&b"\r\n--b--\r\nx"[..])
    ];
    (proptest::collection::vec(scrap, 0..30), end)
        .prop_map(|(scraps, end)| [scraps.concat().as_slice(), end].concat())
}

proptest! {
    #[test]
    fn any_pieces_give_the_same_parts(
        body in soup(),
        sizes in proptest::collection::vec(1usize..20, 1..6),
    ) {
        let expected = comparable(naively(&body));
        prop_assert_eq!(comparable(parts_of(Pieces::new(&body, &sizes), b"b")), expected);
    }

    #[test]
    fn long_parts_come_through_a_full_buffer(
        contents in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..20), 0usize..9000), 0..4),
        sizes in proptest::collection::vec(1usize..200_000, 1..6),
    ) {
        let contents: Vec<Vec<u8>> = contents.iter().map(|(seed, times)| seed.repeat(*times)).collect();
        let mut body = Vec::new();
        for content in &contents {
            body.extend_from_slice(b"--boundary 1\r\n\r\n");
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--boundary 1--\r\n");
        let parts = parts_of(Pieces::new(&body, &sizes), b"boundary 1").unwrap();
        let read: Vec<Vec<u8>> = parts.into_iter().map(|(_, content)| content).collect();
        prop_assert_eq!(read, contents);
    }
}
