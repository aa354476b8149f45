//! Reading what a build reports: its output, the image in the end, or why there is none.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::transcript::Transcript;
use crate::api::ApiError;
use crate::engine::heredoc;
use crate::engine::progress::{Line, Progress};
use crate::engine::pull_failure::{PullFailure, classify};
use crate::engine::{Engine, EngineError};

/// What the engine should say of a heredoc, in its own words for what its classic builder does not know.
const LEFT_OUT: &str = "the heredoc requires BuildKit: the engine's classic builder leaves it out";

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
    naming: Option<Naming<'w>>,
}

/// The name that the image gets when all of it was built. The engine is not told it before: it would give it to what
/// comes of a build that is ended a moment too late, and take it from the image that worked.
pub(super) struct Naming<'e> {
    pub(super) engine: &'e Engine,
    /// `repository:tag`.
    pub(super) tag: String,
}

impl Naming<'_> {
    /// Gives it to the image `id`; says so in the engine's words. An image that does not get it goes.
    fn give(self, id: &str) -> Result<String, EngineError> {
        let tag = self.tag;
        let (repository, name) = tag.rsplit_once(':').unwrap_or((&tag, "latest"));
        if let Err(error) = self.engine.tag(id, repository, name) {
            // One that has another name stays, and so it should.
            let _ = self.engine.remove_image(id);
            return Err(error);
        }
        Ok(format!("Successfully tagged {tag}\n"))
    }
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
    pub(super) fn new(progress: Progress<'w>, naming: Option<Naming<'w>>) -> Self {
        Self {
            progress,
            transcript: Transcript::default(),
            image_id: String::new(),
            naming,
        }
    }

    /// The next line's text, which may be empty; `None` when the build has ended well. A step that the engine would
    /// leave out is an error: nobody wants the image that comes of it.
    pub(super) fn next_line(&mut self) -> Result<Option<Vec<u8>>, EngineError> {
        let Some(line) = self.progress.next_line()? else {
            return self.name_image();
        };
        note(&line, &mut self.transcript, &mut self.image_id);
        if line.stream.as_deref().is_some_and(heredoc::is_left_out) {
            return Err(EngineError::InStream {
                message: LEFT_OUT.to_owned(),
                code: None,
            });
        }
        // What is for programs is in our own last line.
        Ok(Some(if line.aux.is_some() {
            Vec::new()
        } else {
            line.text.to_vec()
        }))
    }

    /// The last line, of an image that is to have a name.
    fn name_image(&mut self) -> Result<Option<Vec<u8>>, EngineError> {
        // Without an id there is no image, and that is an error of its own.
        let Some(naming) = self.naming.take().filter(|_| !self.image_id.is_empty()) else {
            return Ok(None);
        };
        let said = naming.give(&self.image_id)?;
        self.transcript.take(&said);
        Ok(Some(json!({ "stream": said }).to_string().into_bytes()))
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
            EngineError::InStream { .. } => Self::Build {
                message: sentence(&failed),
                output: with_words(failed.output, failed.error.words().unwrap_or_default()),
            },
            EngineError::Answer {
                status: 400 | 500,
                message,
            } => Self::bad_request("the engine cannot build this").with_details(message),
            error => error.into(),
        }
    }
}

fn with_words(mut output: Vec<String>, words: &str) -> String {
    output.push(words.to_owned());
    output.join("\n")
}

fn sentence(failed: &Failed) -> String {
    match (base_looked_for(&failed.output), &failed.error) {
        (Some(image), error) => match classify(error) {
            Some(PullFailure::Denied) => {
                format!(
                    "base image `{image}` is not there, or the saved logins do not let it be pulled"
                )
            }
            Some(PullFailure::Unknown) => format!("the registry has no base image `{image}`"),
            _ => format!("base image `{image}` could not be had"),
        },
        (
            None,
            EngineError::InStream {
                code: Some(code), ..
            },
        ) => {
            format!("a step of the build failed with exit code {code}")
        }
        _ => "the build failed".to_owned(),
    }
}

/// The base image that the build was looking for when it ended: the last line is the step that names it.
fn base_looked_for(output: &[String]) -> Option<&str> {
    let (_, base) = output
        .last()?
        .strip_prefix("Step ")?
        .split_once(" : FROM ")?;
    base.split_whitespace().find(|word| !word.starts_with("--"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::engine::scripted::{Scripted, is_ping, ping};

    fn failed(last: &str, message: &str, code: Option<i64>) -> ApiError {
        let message = message.to_owned();
        let error = EngineError::InStream { message, code };
        let output = vec!["first".to_owned(), last.to_owned()];
        Failed { error, output }.into()
    }

    #[test]
    fn an_image_that_cannot_be_named_goes() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let scripted = Scripted::serve(move |head, mut stream| {
            let answer = if is_ping(head) {
                ping("1.41")
            } else {
                let line = head.lines().next().unwrap_or_default();
                noted.lock().unwrap().push(line.to_owned());
                b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}".to_vec()
            };
            let _ = stream.write_all(&answer);
        });
        let naming = Naming {
            engine: &scripted.engine(),
            tag: "registry:5000/app:1".to_owned(),
        };
        naming.give("sha256:ab").unwrap_err();
        let asked = asked.lock().unwrap();
        assert!(
            asked[0].contains("/tag?repo=registry%3A5000%2Fapp&tag=1 "),
            "{asked:?}"
        );
        assert!(
            asked[1].starts_with("DELETE ") && asked.len() == 2,
            "{asked:?}"
        );
    }

    #[test]
    fn the_sentence_names_what_was_missing() {
        for (last, message, code, expected) in [
            (
                "...",
                "returned a non-zero code: 7",
                Some(7),
                "a step of the build failed with exit code 7",
            ),
            (
                "Step 2/2 : COPY a b",
                "COPY failed: denied",
                None,
                "the build failed",
            ),
            (
                "Step 1/2 : FROM --platform=linux/amd64 a:1 AS b",
                "pull access denied for a",
                None,
                "base image `a:1` is not there, or the saved logins do not let it be pulled",
            ),
            (
                "Step 1/2 : FROM a",
                "manifest unknown",
                Some(404),
                "the registry has no base image `a`",
            ),
            (
                "Step 1/2 : FROM a",
                "no such host",
                None,
                "base image `a` could not be had",
            ),
        ] {
            let error = failed(last, message, code);
            assert_eq!(
                (error.status(), error.to_string().as_str()),
                (400, expected)
            );
            assert_eq!(
                error.details(),
                Some(format!("first\n{last}\n{message}").as_str())
            );
            // The builder's own words, and nothing that a step printed.
            assert_eq!(error.for_log(), format!("{expected}: {message}"));
        }
        assert_eq!(
            failed("x", "write: no space left on device", None).status(),
            507
        );
    }
}
