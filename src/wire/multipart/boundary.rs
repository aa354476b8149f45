//! The boundary that a content type announces (RFC 2046, 5.1.1; RFC 7578, 4.1).
#![forbid(unsafe_code)]

use super::error::MultipartError;
use super::parameters::Parameters;
use crate::limits;

/// What a boundary may have besides letters and digits: RFC 2046's own set, and what RFC 9110 allows in a parameter
/// without quotes. Clients use `=`, `/` and `:` without quotes too.
const MARKS: &[u8] = b"'()+_,-./:=? !#$%&*^`|~";

/// The boundary of a `multipart/form-data` content type.
pub fn boundary(content_type: &[u8]) -> Result<Vec<u8>, MultipartError> {
    let (kind, mut parameters) = Parameters::of(content_type);
    if !kind.eq_ignore_ascii_case(b"multipart/form-data") {
        return Err(MultipartError::NotFormData);
    }
    let mut boundary = None;
    loop {
        match parameters.next() {
            Err(_) => return Err(MultipartError::BadBoundary("cannot be made out")),
            Ok(None) => return boundary.ok_or(MultipartError::NoBoundary),
            Ok(Some((name, value))) if name.eq_ignore_ascii_case(b"boundary") => {
                if boundary.is_some() {
                    return Err(MultipartError::BadBoundary("is given twice"));
                }
                check(&value)?;
                boundary = Some(value.into_owned());
            }
            Ok(Some(_)) => {}
        }
    }
}

fn check(value: &[u8]) -> Result<(), MultipartError> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || MARKS.contains(byte);
    let wrong = match value {
        [] => "is empty",
        _ if value.len() > limits::BOUNDARY_BYTES => "is longer than 70 characters",
        [.., b' '] => "ends with a space",
        _ if !value.iter().all(allowed) => "has a character that no boundary may have",
        _ => return Ok(()),
    };
    Err(MultipartError::BadBoundary(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content_type: &str) -> Result<String, MultipartError> {
        boundary(content_type.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn as_clients_send_it() {
        for (content_type, expected) in [
            (
                "multipart/form-data; boundary=----------------------607854022b45893f",
                "----------------------607854022b45893f",
            ),
            (
                "multipart/form-data; boundary=----WebKitFormBoundaryA1b2",
                "----WebKitFormBoundaryA1b2",
            ),
            ("Multipart/Form-Data;BOUNDARY=\"a b\"", "a b"),
            (
                "multipart/form-data; charset=utf-8; boundary=\"===a==\"; x=y;",
                "===a==",
            ),
            ("multipart/form-data; boundary===a/b:c= ", "==a/b:c="),
            (
                "multipart/form-data; x=\"; boundary=no\"; boundary=yes",
                "yes",
            ),
        ] {
            assert_eq!(of(content_type).unwrap(), expected);
        }
        let longest = "b".repeat(limits::BOUNDARY_BYTES);
        assert_eq!(
            of(&format!("multipart/form-data; boundary={longest}")).unwrap(),
            longest
        );
    }

    #[test]
    fn other_types_and_none() {
        for other in [
            "",
            "application/json",
            "multipart/mixed; boundary=a",
            "multipart/form-datax; boundary=a",
        ] {
            assert!(
                matches!(of(other), Err(MultipartError::NotFormData)),
                "{other}"
            );
        }
        for none in [
            "multipart/form-data",
            "multipart/form-data; xboundary=a",
            "multipart/form-data;",
        ] {
            assert!(
                matches!(of(none), Err(MultipartError::NoBoundary)),
                "{none}"
            );
        }
    }

    #[test]
    fn bad_ones() {
        let long = "b".repeat(limits::BOUNDARY_BYTES + 1);
        for bad in [
            "",
            "\"\"",
            long.as_str(),
            "\"a \"",
            "a@b",
            "a b\"",
            "\"a",
            "\"a\\b\"",
            "\"a\"b",
            "a; boundary=a",
            "a\u{e9}",
        ] {
            let error = of(&format!("multipart/form-data; boundary={bad}"));
            assert!(
                matches!(error, Err(MultipartError::BadBoundary(_))),
                "{bad}: {error:?}"
            );
        }
    }
}
