//! `POST /docker/build`: an image from a directory on this machine, or from a tar in the body. By the engine's classic
//! builder; by BuildKit where a Dockerfile needs it and `docker buildx` is there.
#![forbid(unsafe_code)]

mod body;
mod buildkit;
mod outcome;
mod source;
mod transcript;

use std::os::fd::BorrowedFd;

use serde_json::json;

use crate::api::images::load::{check_is_archive, check_room};
use crate::api::images::media_type;
use crate::api::images::progress_lines::ProgressLines;
use crate::api::logins::registry_config;
use crate::api::{ApiError, Context, Reply, Request, reply};
use crate::engine::build::BuildOptions;
use crate::engine::{BuildTurn, EngineError, NoTurn, Upload};
use body::BuildBody;
use outcome::{Failed, Naming, Running};
use source::{ContextDirectory, Source, send_archive};

/// A build whose turn it is.
struct Job<'a> {
    context: &'a Context,
    options: BuildOptions,
    client: BorrowedFd<'a>,
    warnings: Vec<String>,
    /// The value of `X-Registry-Config`.
    logins: Option<String>,
    _turn: BuildTurn<'a>,
}

/// Builds it. One at a time; the next ones wait for their turn.
pub fn build<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let query = request.query()?;
    let streams = query.flag("stream")?;
    if is_json(request) {
        let parsed = request.json::<BuildBody>().map_err(no_tar)?;
        let body = parsed.value;
        let Some(path) = body.context_path.as_deref() else {
            return Err(ApiError::field("context_path", "is required"));
        };
        let mut options = body.options()?;
        let directory = ContextDirectory::open(context, path, body.dockerfile())?;
        options.dockerfile.clone_from(&directory.dockerfile);
        let job = Job::begin(context, request, options, parsed.warnings)?;
        let sent = job.send_directory(&directory)?;
        return job.respond(sent, Source::Directory(directory), streams);
    }
    check_is_archive(
        request,
        "application/json, application/x-tar or application/gzip",
    )?;
    let options = BuildBody::from_query(&query)?.options()?;
    let job = Job::begin(context, request, options, Vec::new())?;
    let (sent, source) = job.send_body(request)?;
    job.respond(sent, source, streams)
}

/// A tar is announced as one; what is not, or as curl's `-d` announces it, is JSON.
fn is_json(request: &Request<'_>) -> bool {
    let given = media_type(request);
    ["", "application/json", "application/x-www-form-urlencoded"].contains(&given.as_str())
        || given.ends_with("+json")
}

/// Who meant a tar and did not say so is told how.
fn no_tar(error: ApiError) -> ApiError {
    match error {
        ApiError::NotAnObject => ApiError::bad_request(
            "the body must be a JSON object, or a tar with the header `Content-Type: application/x-tar`",
        ),
        error => error,
    }
}

impl<'a> Job<'a> {
    /// Waits for the turn.
    fn begin(
        context: &'a Context,
        request: &Request<'a>,
        options: BuildOptions,
        mut warnings: Vec<String>,
    ) -> Result<Self, ApiError> {
        let turn = context.engine.build_turn(request.client);
        let turn = turn.map_err(|reason| match reason {
            NoTurn::Full | NoTurn::TooLong => ApiError::Busy {
                retry_after_seconds: 30,
            },
            NoTurn::Abandoned => ApiError::ClientGone(std::io::ErrorKind::ConnectionReset.into()),
        })?;
        let (logins, failures) = registry_config(context, request)?;
        warnings.extend(failures);
        Ok(Self {
            context,
            options,
            client: request.client,
            warnings,
            logins,
            _turn: turn,
        })
    }

    fn upload(&self, length: Option<u64>) -> Result<Upload<'a>, ApiError> {
        check_room(self.context, length)?;
        let logins = self.logins.clone();
        let client = Some(self.client);
        let upload = self
            .context
            .engine
            .build(&self.options, logins, length, client);
        upload.map_err(ApiError::from)
    }

    fn send_directory(
        &self,
        directory: &ContextDirectory,
    ) -> Result<Result<Running<'a>, Failed>, ApiError> {
        let mut upload = self.upload(None)?;
        directory.send(&mut upload)?;
        Ok(self.answer(upload))
    }

    fn send_body(
        &self,
        request: &mut Request<'a>,
    ) -> Result<(Result<Running<'a>, Failed>, Source), ApiError> {
        let length = request.head.framing().length();
        let mut body = request.upload(self.context)?;
        let mut upload = self.upload(length)?;
        let needs_copy = self.context.buildx.find().is_some();
        let copy = needs_copy.then(|| self.context.spool.open(length).ok());
        let source = send_archive(&mut body, &mut upload, copy.flatten())?;
        Ok((self.answer(upload), source))
    }

    fn answer(&self, upload: Upload<'a>) -> Result<Running<'a>, Failed> {
        let engine = &self.context.engine;
        let tag = self.options.tag.clone();
        let naming = tag.map(|tag| Naming { engine, tag });
        let progress = engine.built(upload).map_err(Failed::at_once)?;
        Ok(Running::new(progress, naming))
    }

    fn respond(
        self,
        sent: Result<Running<'a>, Failed>,
        source: Source,
        streams: bool,
    ) -> Result<Reply<'a>, ApiError> {
        if streams {
            return self.respond_live(sent, source);
        }
        match sent.and_then(Running::wait) {
            Ok(running) => Reply::json(&running.built(self.options.tag, self.warnings)?),
            Err(failed) => {
                let docker = self.second_builder(failed, &source)?;
                Reply::json(&self.build_again(&docker, source, &mut |_| Ok(()))?)
            }
        }
    }

    /// What fails before the first line is a status.
    fn respond_live(
        self,
        sent: Result<Running<'a>, Failed>,
        source: Source,
    ) -> Result<Reply<'a>, ApiError> {
        let begun = sent.and_then(Running::first_line);
        let begun = match begun {
            Ok(begun) => Ok(begun),
            Err(failed) => Err(self.second_builder(failed, &source)?),
        };
        Ok(Reply::live(reply::NDJSON, "", move |sink| {
            let mut lines = ProgressLines::new(sink);
            let docker = match begun {
                Err(docker) => docker,
                Ok((line, running)) => match follow(line, running, &mut lines)? {
                    Ok(running) => {
                        return lines.end(running.built(self.options.tag, self.warnings));
                    }
                    Err(failed) => match self.second_builder(failed, &source) {
                        Ok(docker) => docker,
                        Err(error) => return lines.end::<()>(Err(error)),
                    },
                },
            };
            let result = self.build_again(&docker, source, &mut |text| {
                let line = json!({ "stream": text }).to_string();
                lines.hand_on(line.as_bytes(), |_| false)
            });
            lines.end(result)
        }))
    }
}

/// Hands on the lines of a build to its end.
fn follow<'w>(
    first: Option<Vec<u8>>,
    mut running: Running<'w>,
    lines: &mut ProgressLines<'_>,
) -> Result<Result<Running<'w>, Failed>, ApiError> {
    let mut line = first;
    while let Some(text) = line {
        lines.hand_on(&text, |wait| running.is_at_hand(wait))?;
        line = match running.next_line() {
            Ok(line) => line,
            Err(EngineError::Abandoned) => return Err(EngineError::Abandoned.into()),
            Err(error) => return Ok(Err(running.failed(error))),
        };
    }
    Ok(Ok(running))
}
