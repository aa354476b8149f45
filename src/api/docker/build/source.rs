//! Where a build's context comes from, and sending it.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use crate::api::images::load::send;
use crate::api::upload_body::UploadBody;
use crate::api::{ApiError, Context};
use crate::engine::Upload;
use crate::limits;
use crate::store::context::{self, PackError, pack};
use crate::store::ignore::Rules;
use crate::store::jail::Directory;
use crate::store::spool::Spooled;

/// A context that can be sent again, should another builder be needed.
pub(super) enum Source {
    /// A directory, sent as a tar made on the way.
    Directory(ContextDirectory),
    /// The copy of a tar that was sent.
    Copy(File),
    /// Nothing: a tar that was sent, and is gone.
    Gone,
}

/// A directory and what is sent of it.
pub(super) struct ContextDirectory {
    directory: Directory,
    rules: Rules,
    /// The Dockerfile's path in it.
    pub(super) dockerfile: String,
    /// The Dockerfile's first part.
    text: String,
}

impl ContextDirectory {
    /// The directory at `path`, with the Dockerfile `given` or its usual name.
    pub(super) fn open(
        context: &Context,
        path: &str,
        given: Option<&str>,
    ) -> Result<Self, ApiError> {
        let directory = context.jail.directory(path)?;
        if given.is_some_and(|given| given.starts_with('/')) {
            let what = "must be a path in the context, not from the root";
            return Err(ApiError::field("dockerfile", what));
        }
        let dockerfile = context::dockerfile(&directory, given.map(Path::new))?;
        let ignored = context::ignore_file(&directory)?;
        let rules = Rules::new(&ignored, dockerfile.as_os_str().as_encoded_bytes())?;
        let mut text = Vec::new();
        directory
            .open_file(&dockerfile)?
            .take(limits::DOCKERFILE_BYTES)
            .read_to_end(&mut text)
            .map_err(|error| ApiError::internal("the Dockerfile cannot be read", &error))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        if !has_instruction(&text) {
            // The engine says so too, but keeps its copy of the context until it is restarted (seen on 20.10).
            let path = directory.path().join(&dockerfile);
            let sentence = format!("{} has no instruction in it", path.display());
            return Err(ApiError::bad_request(&sentence));
        }
        let dockerfile = dockerfile
            .into_os_string()
            .into_string()
            .map_err(|_| ApiError::field("dockerfile", "leads to a name that is not UTF-8"))?;
        Ok(Self {
            directory,
            rules,
            dockerfile,
            text,
        })
    }

    /// Sends it, or as much as the engine takes: why it took no more is told with its answer.
    pub(super) fn send(&self, upload: &mut Upload<'_>) -> Result<(), ApiError> {
        match self.write(upload) {
            Ok(()) | Err(PackError::Out(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, out: &mut dyn Write) -> Result<(), PackError> {
        pack(&self.directory, &self.rules, out).map(drop)
    }
}

/// Whether a Dockerfile says anything: a line that is neither blank nor a comment.
fn has_instruction(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim_start)
        .any(|line| !line.is_empty() && !line.starts_with('#'))
}

impl Source {
    /// The Dockerfile, where it is at hand.
    pub(super) fn dockerfile_text(&self) -> Option<&str> {
        match self {
            Self::Directory(directory) => Some(&directory.text),
            Self::Copy(_) | Self::Gone => None,
        }
    }

    /// Writes the context once more. Errors of the context are [`PackError`]s in `failure`.
    pub(super) fn write_again(
        &mut self,
        out: &mut dyn Write,
        failure: &mut Option<PackError>,
    ) -> io::Result<()> {
        match self {
            Self::Directory(directory) => directory.write(out).map_err(|error| match error {
                PackError::Out(error) => error,
                error => {
                    *failure = Some(error);
                    io::ErrorKind::Other.into()
                }
            }),
            Self::Copy(file) => {
                file.rewind()?;
                io::copy(file, out).map(drop)
            }
            Self::Gone => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// Sends a tar as it arrives, and keeps a copy of it in `spooled`, if there is one: a copy is a help and no need, so that
/// a full disk ends it and not the build.
pub(super) fn send_archive(
    body: &mut UploadBody<'_, '_>,
    upload: &mut Upload<'_>,
    spooled: Option<Spooled<'_>>,
) -> Result<Source, ApiError> {
    let mut tee = Tee {
        body,
        copy: spooled,
    };
    send(&mut tee, upload).map_err(ApiError::from_body)?;
    // What the engine did not want to read it may still have to see again.
    if tee.copy.is_some() {
        io::copy(&mut tee, &mut io::sink()).map_err(ApiError::from_body)?;
    }
    let copy = tee.copy.and_then(|spooled| spooled.into_file().ok());
    Ok(copy.map_or(Source::Gone, Source::Copy))
}

struct Tee<'t, 'r, 'a, 's> {
    body: &'t mut UploadBody<'r, 'a>,
    copy: Option<Spooled<'s>>,
}

impl Read for Tee<'_, '_, '_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buffer)?;
        if let Some(copy) = &mut self.copy
            && copy.write_all(&buffer[..count]).is_err()
        {
            self.copy = None;
        }
        Ok(count)
    }
}
