//! `POST /upload/tar` and `/upload/tar/stream`: an archive in one request, unpacked while it arrives. Nothing is in its
//! place before all of it was read and found good, so a form or JSON object needs no copy of the archive either.
#![forbid(unsafe_code)]

use std::io;

use super::answer::extract;
use super::terms;
use crate::api::form_part::FormPart;
use crate::api::images::load::{ARCHIVES, check_is_archive};
use crate::api::images::media_type;
use crate::api::{ApiError, Context, Reply, Request};
use crate::store::uploads::Terms;
use crate::wire::base64_body::{self, base64_error};
use crate::wire::json_field::JsonField;
use crate::wire::multipart::{self, Multipart};

/// The file part of a form.
const PART: &str = "tar_file";
/// The base64 field of a JSON object.
const FIELD: &str = "data";

/// Unpacks the part `tar_file` of a form, or the field `data` of a JSON object.
pub fn tar<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let terms = terms_of(context, request)?;
    match media_type(request).as_str() {
        "multipart/form-data" => from_form(context, request, &terms),
        "" | "application/json" | "application/x-www-form-urlencoded" => {
            from_json(context, request, &terms)
        }
        _ => Err(ApiError::UnsupportedMediaType {
            given: request
                .head
                .text("Content-Type")
                .unwrap_or_default()
                .to_owned(),
            expected: "multipart/form-data or application/json (the archive alone goes to /upload/tar/stream)",
        }),
    }
}

/// Unpacks the body.
pub fn tar_stream<'a>(
    context: &'a Context,
    request: &mut Request<'a>,
) -> Result<Reply<'a>, ApiError> {
    let terms = terms_of(context, request)?;
    check_is_archive(request, ARCHIVES)?;
    let mut body = request.upload(context)?;
    let extracted = extract(context, &mut body, &terms, ApiError::from_body)?;
    Reply::json(&extracted)
}

/// The terms, read once before the body is, so that what is wrong with them costs nobody an upload.
fn terms_of(context: &Context, request: &Request<'_>) -> Result<Terms, ApiError> {
    let terms = terms::of_query(&request.query()?);
    terms::read(context, &terms)?;
    Ok(terms)
}

fn from_form<'a>(
    context: &'a Context,
    request: &mut Request<'a>,
    terms: &Terms,
) -> Result<Reply<'a>, ApiError> {
    let content_type = request.head.text("Content-Type").unwrap_or_default();
    let boundary = multipart::boundary(content_type.as_bytes())?;
    let form = Multipart::new(request.upload(context)?, &boundary);
    let mut part = FormPart::new(form, PART);
    let extracted = extract(context, &mut part, terms, ApiError::from_body)?;
    Reply::json_warned(&extracted, &part.warnings())
}

fn from_json<'a>(
    context: &'a Context,
    request: &mut Request<'a>,
    terms: &Terms,
) -> Result<Reply<'a>, ApiError> {
    let mut field = JsonField::new(request.upload(context)?, FIELD);
    let mut decoded = base64_body::decoded(&mut field);
    let extracted = extract(context, &mut decoded, terms, not_decoded)?;
    drop(decoded);
    let unknown = field.other_fields().iter();
    let warnings: Vec<_> = unknown
        .map(|name| format!("unknown field: {name}"))
        .collect();
    Reply::json_warned(&extracted, &warnings)
}

fn not_decoded(error: io::Error) -> ApiError {
    match base64_error(&error) {
        Some(error) => ApiError::field(FIELD, &format!("cannot be decoded: {error}")),
        None => ApiError::from_body(error),
    }
}
