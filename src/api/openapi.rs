//! `GET /openapi.json`: the API's own description, embedded in the binary.
#![forbid(unsafe_code)]

use super::{ApiError, Context, Reply, Request, reply};

/// The OpenAPI 3.1 document.
pub const DOCUMENT: &str = include_str!("../openapi.json");

/// Answers with the document, from where it lies: a copy for each client that asks would be a quarter of a megabyte.
pub fn document<'a>(_: &'a Context, _: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let length = DOCUMENT.len() as u64;
    Ok(Reply::sized(reply::JSON, length, |sink| {
        sink.write_all(DOCUMENT.as_bytes())
            .map_err(ApiError::ClientGone)
    }))
}
