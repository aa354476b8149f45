//! HTTP/1.1 framing (RFC 9112), strict once for both sides: the server's requests and the engine's responses.
//! Knows bytes, not sockets, statuses or deadlines. Uses std, httparse, memchr and tiny_http's words.
#![forbid(unsafe_code)]

pub mod body;
pub mod chunk_writer;
pub mod chunked;
pub mod framing;
pub mod head_error;
pub mod request_head;
pub mod response_head;
pub mod scan;
pub mod target;

pub use body::BodyReader;
pub use chunk_writer::ChunkWriter;
pub use framing::Framing;
pub use head_error::HeadError;
pub use request_head::RequestHead;
pub use response_head::ResponseHead;
