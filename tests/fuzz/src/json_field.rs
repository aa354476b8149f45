//! One string of a JSON object: the same in any pieces, and what serde_json finds in the same object.

use std::io::Read;

use node_agent::wire::JsonField;
use node_agent::wire::json_field::{JsonFieldError, json_field_error};
use serde_json::Value;

use crate::pieces::{self, Pieces};

type Outcome = Result<(Vec<u8>, Vec<u8>, Vec<String>), JsonFieldError>;

pub fn check(data: &[u8]) {
    let Some((sizes, bytes)) = pieces::split(data) else {
        return;
    };
    let whole = read(bytes, [usize::MAX; 3], 4096);
    assert_eq!(read(bytes, sizes, sizes[2]), whole);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match (serde_json::from_str::<Value>(text), whole) {
        (Ok(value), Ok((content, kept, _))) => {
            assert_eq!(
                value["data"].as_str().map(str::as_bytes),
                Some(content.as_slice())
            );
            let kept: Value = serde_json::from_slice(&kept).unwrap();
            assert_eq!(kept.get("path"), value.get("path"));
        }
        // Only for what the object lacks, has twice, or is too deep or long.
        (Ok(_), Err(error)) => assert!(
            !matches!(
                error,
                JsonFieldError::Expected { .. }
                    | JsonFieldError::ControlCharacter { .. }
                    | JsonFieldError::Truncated
                    | JsonFieldError::Trailing { .. }
                    | JsonFieldError::Broken
            ),
            "{error:?}"
        ),
        // Single surrogates in what is skipped and numbers beyond f64 are passed over here.
        (Err(error), Ok(_)) => {
            let words = error.to_string();
            let is_lax = ["surrogate", "hex escape", "out of range", "recursion"];
            assert!(is_lax.iter().any(|word| words.contains(word)), "{words}");
        }
        (Err(_), Err(_)) => {}
    }
}

fn read(bytes: &[u8], sizes: [usize; 3], buffer: usize) -> Outcome {
    let mut field = JsonField::keeping(Pieces::new(bytes, sizes), "data", &["path"]);
    let (mut content, mut buffer) = (Vec::new(), vec![0; buffer.max(1)]);
    loop {
        match field.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => content.extend_from_slice(&buffer[..count]),
            Err(error) => return Err(json_field_error(&error).expect("only the JSON can be wrong")),
        }
    }
    Ok((content, field.kept_object(), field.other_fields().to_vec()))
}
