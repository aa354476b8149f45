//! `GET /openapi.json`: the API's own description, embedded in the binary by `build.rs`, compressed.
#![forbid(unsafe_code)]

use std::io::Read;

use flate2::read::GzDecoder;

use super::{ApiError, Context, Reply, Request, reply};
use crate::limits;

/// The OpenAPI 3.1 document, in gzip.
const COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));

/// Bytes of the document: gzip has them modulo 2^32 in its last four, lowest first. RFC 1952, 2.3.1.
const LENGTH: u64 = match COMPRESSED.last_chunk() {
    Some(bytes) => u32::from_le_bytes(*bytes) as u64,
    None => panic!("the document is empty"),
};

/// Answers with the document.
pub fn document<'a>(_: &'a Context, _: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    Ok(Reply::sized(reply::JSON, LENGTH, |sink| {
        let mut text = GzDecoder::new(COMPRESSED);
        let mut buffer = [0; limits::DOCUMENT_PIECE_BYTES];
        loop {
            let count = text
                .read(&mut buffer)
                .map_err(|error| ApiError::internal("the document is damaged", &error))?;
            if count == 0 {
                return Ok(());
            }
            let piece = buffer.get(..count).unwrap_or_default();
            sink.write_all(piece).map_err(ApiError::ClientGone)?;
        }
    }))
}
