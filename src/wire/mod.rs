//! HTTP/1.1 framing (RFC 9112), strict once for both sides: the server's requests and the engine's responses.
//! Knows bytes, not sockets, statuses or deadlines. Uses std, httparse, memchr and tiny_http's words.

pub mod body;
pub mod chunk_writer;
pub mod chunked;
pub mod framing;
pub mod request_head;
pub mod response_head;
pub mod scan;
pub mod target;

pub use body::BodyReader;
pub use chunk_writer::ChunkWriter;
pub use framing::Framing;
pub use request_head::{HeadError, RequestHead};
pub use response_head::ResponseHead;
