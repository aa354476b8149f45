//! `/upload/tar/chunked`: an archive in pieces, in any order, in parallel, again after a restart of the agent.
#![forbid(unsafe_code)]

use serde::Serialize;

use super::answer::{Extracted, extract};
use super::{ahead, terms};
use crate::api::images::media_type;
use crate::api::query::Query;
use crate::api::{ApiError, Context, Reply, Request, reply};
use crate::limits;
use crate::store::uploads::{Chunk, Claim, Outcome, Phase};

#[derive(Serialize)]
struct Accepted<'c> {
    status: &'static str,
    chunk_id: &'c str,
    received: u32,
    total_chunks: u32,
    missing: Vec<u32>,
}

#[derive(Serialize)]
struct State<'c> {
    status: &'static str,
    chunk_id: &'c str,
    received: u32,
    total_chunks: u32,
    missing: Vec<u32>,
    bytes: u64,
    extract_path: Option<String>,
    mode: Option<String>,
    sha256: Option<String>,
}

#[derive(Serialize)]
struct Dropped<'c> {
    status: &'static str,
    chunk_id: &'c str,
}

/// Takes a chunk. The one that completes the set unpacks it.
pub fn chunk<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    if media_type(request) == "multipart/form-data" {
        return Err(ApiError::UnsupportedMediaType {
            given: "multipart/form-data".to_owned(),
            expected: "the chunk itself, as application/octet-stream",
        });
    }
    let query = request.query()?;
    let id = id_of(&query)?;
    let chunk = Chunk {
        index: number(&query, "chunk_index")?,
        total: number(&query, "total_chunks")?,
        terms: terms::of_query(&query),
        sha256: request.head.text("X-Chunk-SHA256").map(str::to_owned),
        length: request.head.framing().length(),
    };
    // What is wrong with them is told with the first chunk and not with the last.
    if chunk.terms.extract_path.is_some() {
        let (path, _) = terms::read(context, &chunk.terms)?;
        terms::check_path(context, &path)?;
    }
    let client = request.client;
    let mut body = request.upload(context)?;
    let uploads = context.uploads.get()?;
    match uploads.put(id, &chunk, &mut body)? {
        Outcome::Accepted(progress) => {
            ahead::begin(context, uploads, id);
            Reply::json(&Accepted {
                status: "accepted",
                chunk_id: id,
                received: progress.received,
                total_chunks: progress.total,
                missing: progress.missing,
            })
        }
        Outcome::Complete(claim) => complete(context, claim),
        Outcome::Extracting(pending) => Ok(recorded(pending.wait(limits::UPLOAD_WAIT, client)?)),
        Outcome::Finished(answer) => Ok(recorded(answer)),
    }
}

/// How far an upload is.
pub fn status<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let query = request.query()?;
    let id = id_of(&query)?;
    let known = context.uploads.get()?.status(id)?;
    Reply::json(&State {
        status: match known.phase {
            Phase::Receiving => "receiving",
            Phase::Extracting => "extracting",
            Phase::Finished(_) => "extracted",
        },
        chunk_id: id,
        received: known.progress.received,
        total_chunks: known.progress.total,
        missing: known.progress.missing,
        bytes: known.bytes,
        extract_path: known.terms.extract_path,
        mode: known.terms.mode,
        sha256: known.terms.sha256,
    })
}

/// Drops an upload.
pub fn discard<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let query = request.query()?;
    let id = id_of(&query)?;
    context.uploads.get()?.discard(id)?;
    Reply::json(&Dropped {
        status: "dropped",
        chunk_id: id,
    })
}

fn id_of(query: &Query) -> Result<&str, ApiError> {
    let id = query.text("chunk_id");
    id.ok_or_else(|| ApiError::parameter("chunk_id", "is required"))
}

fn number(query: &Query, name: &str) -> Result<u32, ApiError> {
    let number = query.number(name, u64::from(u32::MAX))?;
    let number = number.ok_or_else(|| ApiError::parameter(name, "is required"))?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

fn recorded<'a>(answer: String) -> Reply<'a> {
    Reply::whole(reply::JSON, answer.into_bytes())
}

/// Unpacks the set, or waits until it is where that was begun before. After a failure its chunks stay.
fn complete<'a>(context: &Context, mut claim: Claim<'_>) -> Result<Reply<'a>, ApiError> {
    let answer = match claim.ahead() {
        Some(answer) => Ok(answer),
        None => from_disk(context, &mut claim).map(|extracted| extracted.to_json()),
    };
    match answer {
        Ok(answer) => {
            // Unpacked it is, whether that can be noted or not: asked again, it would be unpacked again.
            if let Err(error) = claim.finish(&answer) {
                log::warn!("an upload was unpacked, and its answer cannot be kept: {error}");
            }
            Ok(recorded(answer))
        }
        Err(error) => {
            claim.fail(&error.to_string());
            Err(error)
        }
    }
}

fn from_disk(context: &Context, claim: &mut Claim<'_>) -> Result<Extracted, ApiError> {
    let terms = claim.terms().clone();
    let mut set = claim.reader()?;
    let unreadable = |error| ApiError::internal("the chunks cannot be read", &error);
    extract(context, &mut set, &terms, unreadable)
}
