//! Reading what a build reports: its output, the image in the end, or why there is none.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::transcript::Transcript;
use crate::api::ApiError;
use crate::engine::EngineError;
use crate::engine::progress::{Line, Progress};

/// The answer to a build.
#[derive(Serialize)]
pub(super) struct Built {
    status: &'static str,
    image_id: String,
    tag: Option<String>,
    output: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A result for programs, inside the stream.
#[derive(Deserialize)]
struct Aux {
    #[serde(rename = "ID")]
    id: Option<String>,
}

/// A build that is going on.
pub(super) struct Running<'w> {
    progress: Progress<'w>,
    transcript: Transcript,
    image_id: String,
}

/// Why there is no image.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: EngineError,
    /// The last lines of the output.
    pub(super) output: Vec<String>,
}

impl<'w> Running<'w> {
    /// A build of which nothing was read yet.
    pub(super) fn new(progress: Progress<'w>) -> Self {
        Self {
            progress,
            transcript: Transcript::default(),
            image_id: String::new(),
        }
    }

    /// The next line's text, which may be empty; `None` when the build has ended well.
    pub(super) fn next_line(&mut self) -> Result<Option<Vec<u8>>, EngineError> {
        let Some(line) = self.progress.next_line()? else {
            return Ok(None);
        };
        note(&line, &mut self.transcript, &mut self.image_id);
        // What is for programs is in our own last line.
        Ok(Some(if line.aux.is_some() {
            Vec::new()
        } else {
            line.text.to_vec()
        }))
    }

    /// Whether more comes `within` this time.
    pub(super) fn is_at_hand(&mut self, within: std::time::Duration) -> bool {
        self.progress.is_at_hand(within)
    }

    /// Reads to the end.
    pub(super) fn wait(mut self) -> Result<Self, Failed> {
        loop {
            match self.next_line() {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(self),
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    /// Reads the first line.
    pub(super) fn first_line(mut self) -> Result<(Option<Vec<u8>>, Self), Failed> {
        match self.next_line() {
            Ok(line) => Ok((line, self)),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// The failure, with the output until then.
    pub(super) fn failed(self, error: EngineError) -> Failed {
        Failed {
            error,
            output: self.transcript.into_lines(),
        }
    }

    /// The answer of a build that has ended well.
    pub(super) fn built(
        self,
        tag: Option<String>,
        warnings: Vec<String>,
    ) -> Result<Built, ApiError> {
        if self.image_id.is_empty() {
            let error = EngineError::Nonsense {
                call: "POST /build".to_owned(),
                problem: "it ended without naming an image".to_owned(),
            };
            return Err(error.into());
        }
        Ok(Built::new(
            self.image_id,
            tag,
            self.transcript.into_lines(),
            warnings,
        ))
    }
}

fn note(line: &Line<'_>, transcript: &mut Transcript, image_id: &mut String) {
    if let Some(text) = &line.stream {
        transcript.take(text);
    }
    let aux = line
        .aux
        .and_then(|aux| serde_json::from_str::<Aux>(aux.get()).ok());
    if let Some(id) = aux.and_then(|aux| aux.id) {
        *image_id = id;
    }
}

impl Built {
    pub(super) fn new(
        image_id: String,
        tag: Option<String>,
        output: Vec<String>,
        warnings: Vec<String>,
    ) -> Self {
        Self {
            status: "built",
            image_id,
            tag,
            output,
            warnings,
        }
    }
}

impl Failed {
    /// A build that the engine refused before it began.
    pub(super) fn at_once(error: EngineError) -> Self {
        Self {
            error,
            output: Vec::new(),
        }
    }
}

impl From<Failed> for ApiError {
    /// A step that fails, a Dockerfile that makes no sense, a base image that is not there: all of them are the
    /// request's fault, whatever status the engine has for them (20.10: 500).
    fn from(failed: Failed) -> Self {
        if failed.error.is_full_disk() {
            return Self::engine_disk_full(failed.error.details());
        }
        match failed.error {
            EngineError::InStream { message, code } => {
                let sentence = match code {
                    Some(code) => format!("a step of the build failed with exit code {code}"),
                    None => "the build failed".to_owned(),
                };
                let mut output = failed.output;
                output.push(message);
                Self::Build {
                    message: sentence,
                    output: output.join("\n"),
                }
            }
            EngineError::Answer {
                status: 400 | 500,
                message,
            } => Self::bad_request("the engine cannot build this").with_details(message),
            error => error.into(),
        }
    }
}
