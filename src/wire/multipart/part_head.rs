//! The head of one part (RFC 7578, 4.2): what the field is called, what the file was called, and what it is said to be.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use memchr::memmem;

use super::error::MultipartError;
use super::parameters::Parameters;
use crate::limits;

/// Who a part is. Texts that are not UTF-8 have U+FFFD where they are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// The field's name. `None`: the part belongs to no form.
    pub name: Option<String>,
    /// What the client called the file. Never a path to use as it is.
    pub file_name: Option<String>,
    /// What the client thinks it is.
    pub content_type: Option<String>,
}

impl PartHead {
    /// Parses header lines, the empty line at their end included.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, MultipartError> {
        let mut slots = [httparse::EMPTY_HEADER; limits::PART_HEADERS];
        let (_, headers) = match httparse::parse_headers(bytes, &mut slots) {
            Ok(httparse::Status::Complete(parsed)) => parsed,
            Err(httparse::Error::TooManyHeaders) => return Err(MultipartError::HeadTooLong),
            _ => return Err(bad("has a line that is not `Name: value`")),
        };
        let mut head = Self::default();
        let mut is_disposed = false;
        for header in headers {
            if header.name.eq_ignore_ascii_case("Content-Type") {
                head.content_type = Some(text(header.value));
            } else if header.name.eq_ignore_ascii_case("Content-Disposition") {
                if is_disposed {
                    return Err(bad("has more than one Content-Disposition"));
                }
                is_disposed = true;
                head.dispose(header.value)?;
            }
        }
        Ok(head)
    }

    /// RFC 7578 forbids `filename*`, but older HTTP libraries send a name that is not ASCII in no other way.
    fn dispose(&mut self, value: &[u8]) -> Result<(), MultipartError> {
        let (kind, mut parameters) = Parameters::of(value);
        if !kind.eq_ignore_ascii_case(b"form-data") {
            return Ok(());
        }
        let (mut name, mut file_name) = (Named::default(), Named::default());
        loop {
            let parameter = parameters
                .next()
                .map_err(|_| bad("has a Content-Disposition that cannot be made out"))?;
            let Some((key, value)) = parameter else {
                break;
            };
            match key.to_ascii_lowercase().as_slice() {
                b"name" => set(&mut name.plain, Some(without_escapes(&value)))?,
                b"name*" => set(&mut name.extended, extended(&value))?,
                b"filename" => set(&mut file_name.plain, Some(without_escapes(&value)))?,
                b"filename*" => set(&mut file_name.extended, extended(&value))?,
                _ => {}
            }
        }
        self.name = name.extended.or(name.plain);
        self.file_name = file_name.extended.or(file_name.plain);
        Ok(())
    }
}

/// One name, in the two ways it may be written.
#[derive(Default)]
struct Named {
    plain: Option<String>,
    extended: Option<String>,
}

fn set(place: &mut Option<String>, value: Option<String>) -> Result<(), MultipartError> {
    if place.is_some() {
        return Err(bad("names its field or file twice"));
    }
    *place = value;
    Ok(())
}

fn bad(what: &'static str) -> MultipartError {
    MultipartError::BadPartHead(what)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Browsers write a quote as `%22` and nothing else in this way but line ends, which no name needs.
fn without_escapes(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    if memmem::find(value, b"%22").is_none() {
        return text.into_owned();
    }
    text.replace("%22", "\"")
}

/// `UTF-8'language'%XX…` (RFC 5987, 3.2.1); in any other character set it is ignored.
fn extended(value: &[u8]) -> Option<String> {
    let mut pieces = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, encoded) = (pieces.next()?, pieces.next()?, pieces.next()?);
    if !charset.eq_ignore_ascii_case(b"utf-8") {
        return None;
    }
    let decoded = percent_encoding::percent_decode(encoded).decode_utf8().ok();
    decoded.map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &str) -> Result<PartHead, MultipartError> {
        PartHead::parse(format!("{}\r\n\r\n", lines.replace('\n', "\r\n")).as_bytes())
    }

    fn file_name(parameters: &str) -> Option<String> {
        let line = format!("content-disposition: Form-Data; {parameters}");
        parse(&line).unwrap().file_name
    }

    #[test]
    fn a_file_and_a_field() {
        let file = "Content-Disposition: form-data; name=\"file\"; filename=\"a.tar\"\nContent-Type: application/x-tar\nX-Other: 1";
        let head = parse(file).unwrap();
        assert_eq!(head.name.as_deref(), Some("file"));
        assert_eq!(head.file_name.as_deref(), Some("a.tar"));
        assert_eq!(head.content_type.as_deref(), Some("application/x-tar"));
        let head = parse("Content-Disposition: form-data; name=note").unwrap();
        assert_eq!(head.name.as_deref(), Some("note"));
        assert_eq!(head.file_name, None);
    }

    #[test]
    fn file_names_as_clients_write_them() {
        for (parameters, expected) in [
            (r#"filename="a\"b\\c""#, r#"a"b\c"#),
            (r#"filename="a%22b%0d%41""#, r#"a"b%0d%41"#),
            (r#"filename="C:\x.tar""#, r"C:\x.tar"),
            ("filename=\"\u{e9}; x\"", "\u{e9}; x"),
            ("filename*=utf-8''%C3%A9%20'", "\u{e9} '"),
            ("filename=a; filename*=UTF-8'en'b", "b"),
            ("filename=a; filename*=iso-8859-1''%E9", "a"),
            ("filename=a; filename*=UTF-8''%FF", "a"),
            ("filename=a; filename*=b", "a"),
        ] {
            assert_eq!(
                file_name(parameters).as_deref(),
                Some(expected),
                "{parameters}"
            );
        }
    }

    #[test]
    fn parts_of_no_form_have_no_name() {
        assert_eq!(PartHead::parse(b"\r\n").unwrap(), PartHead::default());
        let head = parse("Content-Disposition: attachment; name=a; filename=b").unwrap();
        assert_eq!(head, PartHead::default());
    }

    #[test]
    fn malformed_heads() {
        for bad in [
            "nocolon",
            "A : b",
            "A: b\n folded",
            "A: b\rc",
            "A: \u{1}",
            "Content-Disposition: form-data; name",
            "Content-Disposition: form-data; name=\"a",
            "Content-Disposition: form-data; name=a; NAME=b",
            "Content-Disposition: form-data; name=a\nContent-Disposition: form-data; name=b",
        ] {
            let error = parse(bad);
            assert!(
                matches!(error, Err(MultipartError::BadPartHead(_))),
                "{bad:?}: {error:?}"
            );
        }
        let lines = vec!["A: b"; limits::PART_HEADERS + 1].join("\n");
        assert!(matches!(parse(&lines), Err(MultipartError::HeadTooLong)));
        parse(&vec!["A: b"; limits::PART_HEADERS].join("\n")).unwrap();
    }
}
