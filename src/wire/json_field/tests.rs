//! The field in every place of every object, in any pieces, and what no object may be.
#![forbid(unsafe_code)]

use std::io::{self, Read};

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::*;
use crate::limits;
use crate::wire::pieces::{Failing, Pieces};

type Outcome = Result<(Vec<u8>, Vec<String>), JsonFieldError>;

fn read_in(body: &[u8], sizes: &[usize], buffer: usize) -> Outcome {
    let mut field = JsonField::new(Pieces::new(body, sizes), "data");
    let mut content = Vec::new();
    let mut buffer = vec![0; buffer];
    loop {
        match field.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => content.extend_from_slice(&buffer[..count]),
            Err(error) => return Err(json_field_error(&error).unwrap()),
        }
    }
    Ok((content, field.other_fields().to_vec()))
}

fn read(body: &str) -> Outcome {
    read_in(body.as_bytes(), &[5], 7)
}

fn text(body: &str) -> String {
    String::from_utf8(read(body).unwrap().0).unwrap()
}

#[test]
fn wherever_the_field_stands() {
    let plain = br#"{"data":"aGk="}"#;
    assert_eq!(
        read_in(plain, &[64], 64).unwrap(),
        (b"aGk=".to_vec(), Vec::new())
    );
    let amidst = r#" { "a" : {"data":"no","b":[1,-2.5e+3,{"c":[[],{}]}]} , "data" : "yes" , "n":null,"t":true, "f":false, "\u0064ate":"\ud800" } "#;
    let (content, others) = read(amidst).unwrap();
    assert_eq!(content, b"yes");
    assert_eq!(others, ["a", "n", "t", "f", "date"]);
    assert_eq!(text(r#"{"\u0064ata":""}"#), "");
}

fn read_keeping(body: &str) -> Result<(Vec<u8>, Vec<u8>), JsonFieldError> {
    let source = Pieces::new(body.as_bytes(), &[3]);
    let mut field = JsonField::keeping(source, "data", &["path", "mode"]);
    let mut content = Vec::new();
    let read = field.read_to_end(&mut content);
    read.map_err(|error| json_field_error(&error).unwrap())?;
    assert_eq!(field.other_fields(), ["x"]);
    Ok((content, field.kept_object()))
}

#[test]
fn small_fields_are_kept_before_and_behind_the_large_one() {
    let body = r#"{"mode": [6, {"path" : "\u00e9"}], "data": "abc", "x": 1, "path" : "/a\n\"b" }"#;
    let (content, kept) = read_keeping(body).unwrap();
    assert_eq!(content, b"abc");
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(
        kept,
        serde_json::json!({ "mode": [6, { "path": "é" }], "path": "/a\n\"b" })
    );
    let body = r#"{"x": 1, "data": "", "path": 1, "path": 2}"#;
    let repeated = JsonFieldError::Repeated { field: "path" };
    assert_eq!(read_keeping(body).unwrap_err(), repeated);
    let long = "x".repeat(limits::KEPT_FIELDS_BYTES);
    let body = format!(r#"{{"x": 1, "mode": 1, "path": "{long}", "data": ""}}"#);
    let too_long = JsonFieldError::TooLong { field: "path" };
    assert_eq!(read_keeping(&body).unwrap_err(), too_long);
}

#[test]
fn escapes_are_undone() {
    let body = r#"{"data":"\/\n\r\t\b\f\"\\\u0041\u00e9\uD83D\ude00é/"}"#;
    assert_eq!(text(body), "/\n\r\t\u{8}\u{c}\"\\A\u{e9}\u{1f600}\u{e9}/");
    for bad in [
        r"\x",
        r"\u12g4",
        r"\ud83d",
        r"\ud83dx",
        r"\ud83d\n",
        r"\ud83d\u0041",
        r"\ude00",
        r"\U0041",
    ] {
        let error = read(&format!(r#"{{"data":"{bad}"}}"#));
        assert!(
            matches!(error, Err(JsonFieldError::Expected { .. })),
            "{bad}: {error:?}"
        );
    }
}

#[test]
fn what_the_field_may_not_be() {
    for (value, found) in [
        ("1", "a number"),
        ("-1", "a number"),
        ("null", "null"),
        ("true", "a boolean"),
        ("[]", "an array"),
        ("{}", "an object"),
    ] {
        let error = read(&format!(r#"{{"data":{value}}}"#)).unwrap_err();
        assert_eq!(
            error,
            JsonFieldError::NotAString {
                field: "data",
                found
            }
        );
    }
    for missing in [
        "{}",
        " { } ",
        r#"{"a":{"data":"x"}}"#,
        r#"{"dat":"x","dataa":"x"}"#,
    ] {
        assert_eq!(
            read(missing),
            Err(JsonFieldError::Missing { field: "data" }),
            "{missing}"
        );
    }
    for twice in [
        r#"{"data":"a","data":"a"}"#,
        r#"{"data":"a","b":1,"d\u0061ta":1}"#,
    ] {
        assert_eq!(
            read(twice),
            Err(JsonFieldError::Repeated { field: "data" }),
            "{twice}"
        );
    }
    for other in ["", " ", "[]", "\"data\"", "1", "\u{feff}{}"] {
        assert_eq!(read(other), Err(JsonFieldError::NotAnObject), "{other}");
    }
}

#[test]
fn what_is_no_json() {
    for (bad, at) in [
        (r#"{"data":"a" "b":1}"#, 12),
        (r#"{"data":"a",}"#, 12),
        (r#"{,"data":"a"}"#, 1),
        (r#"{data:"a"}"#, 1),
        (r#"{"data""a"}"#, 7),
        (r#"{"data":x}"#, 8),
        (r#"{"data":"a"]"#, 11),
        (r#"{"a":[1}"#, 7),
        (r#"{"a":{]}"#, 6),
        (r#"{"a":{"b":1]}"#, 11),
        (r#"{"a":01}"#, 6),
        (r#"{"a":1.}"#, 7),
        (r#"{"a":-}"#, 6),
        (r#"{"a":1e}"#, 7),
        (r#"{"a":+1}"#, 5),
        (r#"{"a":nul}"#, 8),
        (r#"{"a":[1,]}"#, 8),
        (r#"{"a":"\x"}"#, 7),
    ] {
        match read(bad) {
            Err(JsonFieldError::Expected { at: found, .. }) => assert_eq!(found, at, "{bad}"),
            other => panic!("{bad}: {other:?}"),
        }
    }
    for (bad, at) in [
        ("{\"data\":\"a\nb\"}", 10),
        ("{\"a\":\"\u{1f}\"}", 6),
        ("{\"a\n\":1}", 3),
    ] {
        assert_eq!(
            read(bad),
            Err(JsonFieldError::ControlCharacter { at }),
            "{bad}"
        );
    }
    for (bad, at) in [
        (r#"{"data":"a"} x"#, 13),
        (r#"{"data":"a"}}"#, 12),
        ("{\"data\":\"a\"}\0", 12),
    ] {
        assert_eq!(read(bad), Err(JsonFieldError::Trailing { at }), "{bad}");
    }
}

#[test]
fn half_an_object_is_never_a_success() {
    let body = r#" {"a":[{"b":-1.5e3},"\u0041"],"data":"x\ud83d\ude00y","t":true}"#.as_bytes();
    read_in(body, &[3], 100).unwrap();
    for length in 2..body.len() {
        let error = read_in(&body[..length], &[3], 100);
        assert_eq!(error, Err(JsonFieldError::Truncated), "{length}");
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| {
        let (open, close) = (r#"{"a":["#, "]}");
        format!(
            r#"{open}{}{}0{}{},"data":"x"}}"#,
            "[".repeat((depth - 2) % 2),
            open.repeat((depth - 2) / 2),
            close.repeat((depth - 2) / 2),
            "]".repeat((depth - 2) % 2 + 1)
        )
    };
    let most = usize::try_from(limits::JSON_DEPTH).unwrap();
    for depth in [2, 3, 4, most - 1, most] {
        assert_eq!(text(&nested(depth)), "x", "{depth}");
    }
    assert_eq!(read(&nested(most + 1)), Err(JsonFieldError::TooDeep));
    assert_eq!(
        read(&"{\"a\":".repeat(100_000)),
        Err(JsonFieldError::TooDeep)
    );
}

#[test]
fn names_of_other_fields_are_few_and_short() {
    let long = "é".repeat(limits::OTHER_FIELD_BYTES);
    let many = (0..100)
        .map(|n| format!(r#""{n}":{n}"#))
        .collect::<Vec<_>>()
        .join(",");
    let (_, others) = read(&format!(r#"{{"x{long}":1,{many},"data":"a"}}"#)).unwrap();
    assert_eq!(others.len(), limits::OTHER_FIELDS);
    assert_eq!(others[0], format!("x{}…", "é".repeat(31)));
    assert_eq!(others[1], "0");
}

#[test]
fn errors_stay_and_the_sources_own_come_as_they_are() {
    let timeout = io::Error::from(io::ErrorKind::TimedOut);
    let source = (&br#"{"data":"abc"#[..]).chain(Failing(Some(timeout)));
    let mut field = JsonField::new(source, "data");
    let mut content = Vec::new();
    let error = field.read_to_end(&mut content).unwrap_err();
    assert_eq!(content, b"abc");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(json_field_error(&error), None);
    let error = field.read(&mut [0]).unwrap_err();
    assert_eq!(json_field_error(&error), Some(JsonFieldError::Broken));
}

#[test]
fn the_names_can_be_had_after_decoding() {
    let body = br#"{"tag":"a","data":"aGVs\nbG8h\n"}"#;
    let mut field = JsonField::new(&body[..], "data");
    let mut content = Vec::new();
    crate::wire::base64_body::decoded(&mut field)
        .read_to_end(&mut content)
        .unwrap();
    assert_eq!(content, b"hello!");
    assert_eq!(field.other_fields(), ["tag"]);
}

fn json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 20, 4, |inner| {
        let name = "[a-z\"\\\\é\n]{0,3}";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Pieces of JSON in an order that hardly makes a value.
fn soup() -> impl Strategy<Value = String> {
    const SCRAPS: &[&str] = &[
        "{", "}", "[", "]", ",", ":", "\"k\":", "\"", "\\\"", "\\u00e9", "\\u", "0", "-", "12",
        ".", "e", "E+", "true", "null", "fals", " ", "\n", "{}", "[]", "\"s\"", "1.5",
    ];
    let scrap = proptest::sample::select(SCRAPS);
    proptest::collection::vec(scrap, 1..8).prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn any_string_in_any_object_in_any_pieces(
        content in any::<String>(),
        members in proptest::collection::vec(("[e-z\"\\\\é\n]{0,3}", json()), 0..5),
        place in 0usize..6,
        is_pretty in any::<bool>(),
        is_ascii in any::<bool>(),
        sizes in proptest::collection::vec(1usize..50, 1..6),
        buffer in 1usize..40,
    ) {
        let as_json = |value: &Value| if is_pretty { format!("{value:#}") } else { value.to_string() };
        let mut written: Vec<String> = members.iter()
            .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), as_json(value)))
            .collect();
        let value = if is_ascii {
            let escaped = content.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat();
            format!("\"{escaped}\"")
        } else {
            Value::from(content.as_str()).to_string()
        };
        written.insert(place.min(written.len()), format!("\"data\" :\n{value}"));
        let body = format!("{{{}}}", written.join(if is_pretty { " ,\t" } else { "," }));
        let (read, others) = read_in(body.as_bytes(), &sizes, buffer).unwrap();
        prop_assert_eq!(read, content.as_bytes());
        let names: Vec<String> = members.into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(others, names);
    }

    #[test]
    fn a_value_is_taken_if_serde_json_takes_it(
        soup in soup(),
        is_first in any::<bool>(),
        sizes in proptest::collection::vec(1usize..20, 1..4),
    ) {
        let body = if is_first {
            format!(r#"{{"o":{soup},"data":"x"}}"#)
        } else {
            format!(r#"{{"data":"x","o":{soup}}}"#)
        };
        let expected = serde_json::from_str::<IgnoredAny>(&body).is_ok();
        prop_assert_eq!(read_in(body.as_bytes(), &sizes, 9).is_ok(), expected, "{}", body);
    }
}
