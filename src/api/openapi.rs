//! `GET /openapi.json`: the API's own description, embedded in the binary.
#![forbid(unsafe_code)]

use super::{ApiError, Context, Reply, Request, reply};

/// The OpenAPI 3.1 document.
pub const DOCUMENT: &str = include_str!("../openapi.json");

/// Answers with the document.
pub fn document<'a>(_: &'a Context, _: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    Ok(Reply::whole(reply::JSON, DOCUMENT.as_bytes().to_vec()))
}
