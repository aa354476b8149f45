//! What the tests of the fields share: a body with some fields beside `image`, read as the endpoint reads it.
#![forbid(unsafe_code)]

use serde_json::{Value, json};

use crate::api::body::parse;

use super::{CreatePlan, RunBody, translate};

/// The plan for a body of `image` and `fields`, or the message about it.
pub(super) fn plan(fields: &Value) -> Result<CreatePlan, String> {
    let mut body = json!({"image": "app:1"});
    for (name, value) in fields.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    // Through the text, as the path to a wrong type is found in it.
    let text = body.to_string();
    let parsed = parse::<RunBody>(text.as_bytes()).map_err(|error| error.to_string())?;
    translate(&parsed.value).map_err(|error| error.to_string())
}

/// What is created for the same.
pub(super) fn create(fields: &Value) -> Value {
    plan(fields)
        .unwrap_or_else(|error| panic!("{fields}: {error}"))
        .create
}

/// The message about the same, which must be refused.
pub(super) fn refusal(fields: &Value) -> String {
    match plan(fields) {
        Ok(plan) => panic!("{fields} was taken: {}", plan.create),
        Err(message) => message,
    }
}
