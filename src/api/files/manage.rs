//! `GET /files/exists`, `POST /files/mkdir`, `POST /files/delete`.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::mode::Mode;
use super::{octal, time, word};
use crate::api::{ApiError, Context, Reply, Request};
use crate::store::jail::{Finding, JailError, Place};

/// Permissions of a directory when the request does not say.
const DIRECTORY_MODE: u32 = 0o755;

#[derive(Serialize)]
struct Existence<'a> {
    exists: bool,
    path: &'a str,
    r#type: Option<&'static str>,
    size: Option<u64>,
    mode: Option<String>,
    modified: Option<String>,
}

#[derive(Deserialize)]
struct MkdirBody {
    path: String,
    mode: Option<Mode>,
}

#[derive(Serialize)]
struct MadeAnswer<'a> {
    status: &'static str,
    path: &'a str,
    changed: bool,
}

#[derive(Deserialize)]
struct DeleteBody {
    path: String,
}

#[derive(Serialize)]
struct DeletedAnswer<'a> {
    status: &'static str,
    path: &'a str,
}

/// Tells what is there: a link is what it leads to; itself, when that is nothing.
pub fn exists<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let path = super::path(&request.query()?)?;
    let found = context.jail.look(&path)?;
    Reply::json(&Existence {
        exists: found.is_some(),
        path: &path,
        r#type: found.map(|status| word(status.kind)),
        size: found.map(|status| status.size),
        mode: found.map(|status| octal(status.mode)),
        modified: found.map(|status| time(status.modified)),
    })
}

/// Makes a directory, and those on the way to it. One that is there stays as it is.
pub fn mkdir<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<MkdirBody>()?;
    let path = &parsed.value.path;
    let mode = parsed.value.mode.map_or(DIRECTORY_MODE, |mode| mode.0);
    let changed = context.jail.make_directory(path, mode)?;
    let status = if changed { "created" } else { "exists" };
    let answer = MadeAnswer {
        status,
        path,
        changed,
    };
    Reply::json_warned(&answer, &parsed.warnings)
}

/// Removes a file, or a link, whatever that leads to.
pub fn delete<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<DeleteBody>()?;
    let path = &parsed.value.path;
    let place = context.jail.place(path, Finding::Name);
    place.and_then(Place::remove).map_err(not_deleted)?;
    let status = "deleted";
    Reply::json_warned(&DeletedAnswer { status, path }, &parsed.warnings)
}

fn not_deleted(error: JailError) -> ApiError {
    match error {
        JailError::IsADirectory { .. } => {
            ApiError::bad_request(&format!("{error}; only files and links are deleted"))
        }
        error => error.into(),
    }
}
