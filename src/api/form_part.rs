//! One part of a form as a stream, wherever in the form it stands. Its end is the end of the whole form: what comes behind
//! it is read, and found well-formed, before a reader is told that there is no more. So nobody takes a form that broke off
//! for a whole one.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, Read};

use crate::wire::multipart::Multipart;

/// The bytes of the part `wanted`.
pub(super) struct FormPart<R> {
    form: Multipart<R>,
    wanted: &'static str,
    stage: Stage,
    unknown: Vec<String>,
}

enum Stage {
    Before,
    Inside,
    Behind,
}

/// What is wrong with a form that is well-formed.
#[derive(Clone, Copy, Debug)]
pub(super) enum FormError {
    /// It has no such part.
    Missing(&'static str),
    /// It has two.
    Repeated(&'static str),
}

/// The error of the form inside `error`, if it is one.
pub(super) fn form_error(error: &io::Error) -> Option<FormError> {
    error.get_ref()?.downcast_ref::<FormError>().copied()
}

impl fmt::Display for FormError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(part) => write!(out, "the form has no file part `{part}`"),
            Self::Repeated(part) => write!(out, "the form has two parts `{part}`"),
        }
    }
}

impl std::error::Error for FormError {}

impl From<FormError> for io::Error {
    fn from(error: FormError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

impl<R: Read> FormPart<R> {
    /// The part `wanted` of `form`, of which nothing was read yet.
    pub(super) fn new(form: Multipart<R>, wanted: &'static str) -> Self {
        Self {
            form,
            wanted,
            stage: Stage::Before,
            unknown: Vec::new(),
        }
    }

    /// A sentence for each other part; complete at the end.
    pub(super) fn warnings(self) -> Vec<String> {
        self.unknown
    }

    /// Goes on to the next part with the wanted name. False at the end of the form.
    fn find(&mut self) -> io::Result<bool> {
        while let Some(part) = self.form.next_part()? {
            match part.name.as_deref() {
                Some(name) if name == self.wanted => return Ok(true),
                name => {
                    let name = name.unwrap_or("(without a name)");
                    self.unknown.push(format!("unknown field: {name}"));
                }
            }
        }
        Ok(false)
    }
}

impl<R: Read> Read for FormPart<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if matches!(self.stage, Stage::Before) {
            if !self.find()? {
                return Err(FormError::Missing(self.wanted).into());
            }
            self.stage = Stage::Inside;
        }
        if matches!(self.stage, Stage::Behind) {
            return Ok(0);
        }
        let count = self.form.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            if self.find()? {
                return Err(FormError::Repeated(self.wanted).into());
            }
            self.stage = Stage::Behind;
        }
        Ok(count)
    }
}
