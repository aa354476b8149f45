//! A file's content in a JSON body. It has to be there as a whole before it is written, for `encoding` and `path` may
//! stand behind it: a little of it is held, more goes to the spool. It never takes more memory than that.
#![forbid(unsafe_code)]

use std::io::{self, Cursor, Read, Write};

use serde::Deserialize;

use super::mode::Mode;
use crate::api::body::parse;
use crate::api::upload_body::{CopyFailure, copy};
use crate::api::{ApiError, Context, Request};
use crate::limits;
use crate::store::spool::{Spool, Spooled};
use crate::wire::JsonField;

/// The fields beside the content.
#[derive(Deserialize)]
pub(super) struct Fields {
    pub(super) path: String,
    pub(super) mode: Option<Mode>,
    pub(super) encoding: Option<String>,
}

/// A body that was read.
pub(super) struct Body {
    pub(super) fields: Fields,
    /// The content as it stood there, to be decoded still.
    pub(super) text: Box<dyn Read>,
    /// Bytes of it.
    pub(super) bytes: u64,
    pub(super) warnings: Vec<String>,
}

/// Holds a little, spools more.
enum Kept<'s> {
    Held(Vec<u8>, &'s Spool),
    Spooled(Spooled<'s>),
}

/// Reads it.
pub(super) fn read_body(context: &Context, request: &mut Request<'_>) -> Result<Body, ApiError> {
    let body = request.limited(limits::FILE_BODY_BYTES);
    let mut field = JsonField::keeping(
        body.map_err(in_other_form)?,
        "content",
        &["path", "mode", "encoding"],
    );
    let mut kept = Kept::Held(Vec::new(), &context.spool);
    let mut content = (&mut field).take(limits::FILE_TEXT_BYTES + 1);
    let bytes = copy(&mut content, &mut kept).map_err(|failure| match failure {
        CopyFailure::Source(error) => in_other_form(ApiError::from_body(error)),
        CopyFailure::Sink(error) => not_spooled(&error),
    })?;
    if bytes > limits::FILE_TEXT_BYTES {
        return Err(too_large());
    }
    let warnings = field.other_fields().iter();
    let warnings = warnings.map(|name| format!("unknown field: {name}"));
    Ok(Body {
        fields: parse::<Fields>(&field.kept_object())?.value,
        warnings: warnings.collect(),
        text: kept.into_reader().map_err(|error| not_spooled(&error))?,
        bytes,
    })
}

/// The content does not go into JSON.
pub(super) fn too_large() -> ApiError {
    ApiError::WrongForm(format!(
        "a file of more than {} bytes does not go into JSON: send it as the body itself, with \
         Content-Type: application/octet-stream, and its `path` and `mode` in the query",
        limits::FILE_JSON_BYTES
    ))
}

fn in_other_form(error: ApiError) -> ApiError {
    match error {
        ApiError::TooLarge { .. } => too_large(),
        error => error,
    }
}

fn not_spooled(error: &io::Error) -> ApiError {
    ApiError::from_disk(
        "the content cannot be written to the state directory",
        error,
    )
}

impl Kept<'_> {
    fn into_reader(self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::Held(bytes, _) => Box::new(Cursor::new(bytes)),
            Self::Spooled(spooled) => Box::new(spooled.into_file()?),
        })
    }
}

impl Write for Kept<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Held(held, _) if held.len() + bytes.len() <= limits::FILE_HELD_BYTES => {
                held.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            Self::Held(held, spool) => {
                let mut spooled = spool.open(None)?;
                spooled.write_all(held)?;
                *self = Self::Spooled(spooled);
                self.write(bytes)
            }
            Self::Spooled(spooled) => spooled.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
