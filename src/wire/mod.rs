//! HTTP/1.1 framing (RFC 9112), strict once for both sides: the server's requests and the engine's responses.
//! Beside it stand the formats that an upload comes in, read as it arrives: multipart forms, one long string in a JSON
//! object, base64. Knows bytes, not sockets, statuses or deadlines. Uses std, httparse, memchr, base64,
//! percent-encoding and tiny_http's words.
#![forbid(unsafe_code)]

pub mod base64_body;
pub mod body;
pub mod chunk_writer;
pub mod chunked;
pub mod framing;
pub mod head_error;
pub mod json_field;
pub mod multipart;
#[cfg(test)]
mod pieces;
pub mod request_head;
pub mod response_head;
pub mod scan;
pub mod target;
mod window;

pub use body::BodyReader;
pub use chunk_writer::ChunkWriter;
pub use framing::Framing;
pub use head_error::HeadError;
pub use json_field::JsonField;
pub use multipart::Multipart;
pub use request_head::RequestHead;
pub use response_head::ResponseHead;
