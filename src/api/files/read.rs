//! `GET /files/read`: a file's content as JSON, or the bytes alone. Either way it goes through one fixed buffer.
//!
//! How much is read is decided at the beginning, by the size that the file has then: one that grows is cut there, one
//! that shrinks breaks the answer off. A file without a size of its own (`/proc`) is therefore empty here.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use serde_json::Value;

use super::text::{TextFailure, copy_text};
use super::{octal, time};
use crate::api::json_text::JsonText;
use crate::api::query::Query;
use crate::api::upload_body::{CopyFailure, copy};
use crate::api::{ApiError, Context, Reply, Request, Sink, reply};
use crate::limits;

/// A part of a file.
struct Part {
    file: File,
    path: String,
    start: u64,
    length: u64,
    /// The members of the answer before the content.
    about: String,
}

/// Reads it.
pub fn read<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let query = request.query()?;
    let mut part = Part::open(context, &query)?;
    if request.accepts_explicitly(reply::BYTES) {
        return Ok(Reply::sized(reply::BYTES, part.length, move |sink| {
            part.copy(sink)
        }));
    }
    if part.length > limits::FILE_JSON_BYTES {
        return Err(ApiError::WrongForm(format!(
            "{} has more than {} bytes and does not go into JSON: ask for \
             Accept: application/octet-stream, or for parts of it with `offset` and `length`",
            part.path,
            limits::FILE_JSON_BYTES
        )));
    }
    let is_text = match copy_text(&mut part.reader()?, &mut io::sink()) {
        Ok(_) => true,
        Err(TextFailure::NotText) => false,
        Err(TextFailure::Source(error) | TextFailure::Sink(error)) => {
            return Err(part.unreadable(&error));
        }
    };
    Ok(Reply::stream(reply::JSON, move |sink| {
        part.write_json(is_text, sink)
    }))
}

impl Part {
    fn open(context: &Context, query: &Query) -> Result<Self, ApiError> {
        let path = super::path(query)?;
        let most = i64::MAX.unsigned_abs();
        let offset = query.number("offset", most)?.unwrap_or_default();
        let length = query.number("length", most)?.unwrap_or(most);
        let file = context.jail.file(&path)?;
        let meta = file
            .metadata()
            .map_err(|error| ApiError::internal(&format!("{path} cannot be read"), &error))?;
        let start = offset.min(meta.size());
        let about = format!(
            "{{\"path\":{},\"size\":{},\"mode\":\"{}\",\"modified\":\"{}\"",
            Value::from(path.as_str()),
            meta.size(),
            octal(meta.mode() & 0o7777),
            time(meta.mtime())
        );
        Ok(Self {
            file,
            path,
            start,
            length: length.min(meta.size() - start),
            about,
        })
    }

    fn reader(&mut self) -> Result<io::Take<&File>, ApiError> {
        match self.file.seek(SeekFrom::Start(self.start)) {
            Ok(_) => Ok((&self.file).take(self.length)),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn unreadable(&self, error: &io::Error) -> ApiError {
        ApiError::internal(&format!("{} cannot be read", self.path), error)
    }

    fn changed(&self) -> ApiError {
        ApiError::conflict(&format!("{} was changed while it was read", self.path))
    }

    fn copy(&mut self, out: &mut dyn Write) -> Result<(), ApiError> {
        match copy(&mut self.reader()?, out) {
            Ok(count) if count == self.length => Ok(()),
            Ok(_) => Err(self.changed()),
            Err(CopyFailure::Source(error)) => Err(self.unreadable(&error)),
            Err(CopyFailure::Sink(error)) => Err(ApiError::ClientGone(error)),
        }
    }

    fn copy_text(&mut self, out: &mut dyn Write) -> Result<(), ApiError> {
        match copy_text(&mut self.reader()?, out) {
            Ok(count) if count == self.length => Ok(()),
            Ok(_) | Err(TextFailure::NotText) => Err(self.changed()),
            Err(TextFailure::Source(error)) => Err(self.unreadable(&error)),
            Err(TextFailure::Sink(error)) => Err(ApiError::ClientGone(error)),
        }
    }

    fn write_json(&mut self, is_text: bool, sink: &mut dyn Sink) -> Result<(), ApiError> {
        let gone = ApiError::ClientGone;
        let encoding = if is_text { "utf-8" } else { "base64" };
        let about = &self.about;
        write!(sink, "{about},\"encoding\":\"{encoding}\",\"content\":\"").map_err(gone)?;
        if is_text {
            self.copy_text(&mut JsonText::new(&mut *sink))?;
        } else {
            let mut encoder = EncoderWriter::new(Whole(&mut *sink), &STANDARD);
            self.copy(&mut encoder)?;
            encoder.finish().map_err(gone)?;
        }
        sink.write_all(b"\"}").map_err(gone)
    }
}

/// Writes all that it is given: base64's writer takes a partial write for a reason to report 0 bytes, which `write_all`
/// takes for an error.
struct Whole<'s>(&'s mut dyn Sink);

impl Write for Whole<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
