//! What a build context leaves out: `.dockerignore` as the docker CLI's classic `docker build` understands it
//! (docker/cli 28, moby/patternmatcher 0.6), oddities included. Uses limits.
#![forbid(unsafe_code)]

mod class;
mod expression;
mod file;
mod pattern;
mod syntax;
#[cfg(test)]
mod tests;
mod text;
mod translate;

use std::fmt;

use pattern::Pattern;

/// Why an ignore file was refused. The docker CLI refuses the same ones, but for [`IgnoreError::TooLong`] and for a bad
/// expression that it never gets to compare with anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IgnoreError {
    /// A `!` with nothing behind it.
    NothingExcepted,
    /// A pattern that is none.
    BadPattern {
        /// The pattern.
        pattern: String,
    },
    /// The file, a pattern or their number is beyond our limit.
    TooLong,
}

impl fmt::Display for IgnoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingExcepted => {
                out.write_str("an exclamation mark in .dockerignore has no pattern behind it")
            }
            Self::BadPattern { pattern } => {
                write!(out, "the pattern {pattern} in .dockerignore is malformed")
            }
            Self::TooLong => out.write_str(".dockerignore is too long"),
        }
    }
}

impl std::error::Error for IgnoreError {}

/// Where the rules are, in the context.
pub const IGNORE_FILE: &str = ".dockerignore";

/// What is left out.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    patterns: Vec<Pattern>,
    has_exceptions: bool,
}

/// Which patterns mean a directory or one that it is in: their verdict holds for all below.
#[derive(Clone, Debug, Default)]
pub struct Verdicts(Vec<bool>);

impl Rules {
    /// The rules in `ignore_file`. It and the `dockerfile`, a path in the context, are always sent: the engine reads both
    /// and leaves them out itself if they are to be.
    pub fn new(ignore_file: &[u8], dockerfile: &[u8]) -> Result<Self, IgnoreError> {
        let mut rules = Self::default();
        for line in file::patterns(ignore_file)? {
            rules.add(&line)?;
        }
        for kept in [IGNORE_FILE.as_bytes(), dockerfile] {
            if rules.leave_out(kept) {
                // As a pattern, as the CLI does it: a name with brackets in it does not mean itself.
                rules.add(&[b"!", kept].concat())?;
            }
        }
        Ok(rules)
    }

    fn add(&mut self, line: &[u8]) -> Result<(), IgnoreError> {
        if let Some(pattern) = Pattern::new(line)? {
            self.has_exceptions |= pattern.is_exception();
            self.patterns.push(pattern);
        }
        Ok(())
    }

    /// Whether the file at `path` is left out, as the CLI asks before it adds an exception. It looks at one directory
    /// above the file only, the one with as many names as the pattern: a Dockerfile that `**/x` leaves out from further
    /// above stays out, and the build fails there as it does here.
    fn leave_out(&self, path: &[u8]) -> bool {
        let path = text::clean(path);
        if path == b"." {
            return false;
        }
        let mut is_out = false;
        for pattern in &self.patterns {
            let matches = || {
                let directory = memchr::memchr_iter(b'/', &path).nth(pattern.slashes());
                pattern.matches(&path) || directory.is_some_and(|end| pattern.matches(&path[..end]))
            };
            if pattern.could_change(is_out) && matches() {
                is_out = !pattern.is_exception();
            }
        }
        is_out
    }

    /// Whether `path`, a name in the context without a slash at its end, is left out. `above` are the verdicts on the
    /// directory that it is in (the default at the top), `own` become those on it.
    pub fn leaves_out(&self, path: &[u8], above: &Verdicts, own: &mut Verdicts) -> bool {
        own.0.clear();
        let mut is_out = false;
        for (index, pattern) in self.patterns.iter().enumerate() {
            let matches = above.0.get(index) == Some(&true)
                || pattern.could_change(is_out) && pattern.matches(path);
            own.0.push(matches);
            if matches {
                is_out = !pattern.is_exception();
            }
        }
        is_out
    }

    /// Whether a directory that is left out has to be gone through all the same, for an exception below it.
    pub fn looks_into(&self, directory: &[u8]) -> bool {
        self.has_exceptions
            && self
                .patterns
                .iter()
                .any(|pattern| pattern.is_exception() && pattern.begins_in(directory))
    }
}
