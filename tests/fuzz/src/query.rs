//! A query string: against a decoder that does one byte after the other.

use node_agent::api::query::{Query, decode_component};

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let expected = reference(text);
    match Query::parse(text) {
        Err(_) => assert_eq!(expected, None),
        Ok(query) => {
            let expected = expected.expect("it should have been refused");
            for (name, value) in &expected {
                let given = (!value.is_empty()).then_some(value.as_str());
                assert_eq!(query.text(name), given);
                let flag = query.flag(name).ok();
                assert_eq!(
                    flag.is_some(),
                    matches!(value.as_str(), "" | "0" | "1" | "true" | "false")
                );
                if let Ok(Some(number)) = query.number(name, 1000) {
                    assert!(number <= 1000 && value.bytes().all(|byte| byte.is_ascii_digit()));
                }
            }
        }
    }
    assert_eq!(decode_component(text), decoded(text, false));
}

fn reference(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let equals = pair.find('=').unwrap_or(pair.len());
        let name = decoded(&pair[..equals], true)?;
        let value = decoded(pair.get(equals + 1..).unwrap_or_default(), true)?;
        if pairs.iter().any(|(known, _)| *known == name) {
            return None;
        }
        pairs.push((name, value));
    }
    Some(pairs)
}

fn decoded(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => u8::try_from(digit(bytes.next()?)? * 16 + digit(bytes.next()?)?).ok()?,
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    let decoded = String::from_utf8(decoded).ok()?;
    (!decoded.contains('\0')).then_some(decoded)
}
