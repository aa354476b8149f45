//! Multipart forms (RFC 7578 on RFC 2046, 5.1), read as they arrive: one fixed buffer, whatever the parts' size.
//!
//! A delimiter is CRLF, `--`, the boundary, blanks and CRLF; the closing one has `--` right after the boundary. Anything
//! else that merely starts like one is content. Written here because nothing blocking and well-kept exists. Uses
//! memchr to search, httparse for the heads of the parts, percent-encoding for their names.
#![forbid(unsafe_code)]

mod boundary;
mod delimiter;
mod error;
mod form;
mod parameters;
mod part_head;
#[cfg(test)]
mod tests;

pub use boundary::boundary;
pub use error::{MultipartError, multipart_error};
pub use form::Multipart;
pub use part_head::PartHead;
