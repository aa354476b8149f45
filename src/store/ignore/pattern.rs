//! One pattern, ready to be compared with paths.
#![forbid(unsafe_code)]

use super::IgnoreError;
use super::expression::Expression;
use super::syntax::is_accepted;
use super::text::{clean, trim};
use super::translate::{self, Comparison};

/// A pattern of the list that moby's patternmatcher.New is given.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: Vec<u8>,
    is_exception: bool,
    comparison: Compiled,
}

#[derive(Clone, Debug)]
enum Compiled {
    Exact,
    Prefix,
    Suffix,
    Expression(Expression),
}

impl Pattern {
    /// The pattern that `line` of the list is. Nothing for an empty one.
    ///
    /// moby compiles an expression when it is first needed, and a bad one that is never needed goes unnoticed; here it
    /// is refused at once, before anything of the context is sent.
    pub(super) fn new(line: &[u8]) -> Result<Option<Self>, IgnoreError> {
        let line = trim(line);
        if line.is_empty() {
            return Ok(None);
        }
        // Cleaned a second time, now with its `!`: that is what makes of `!/` a lonely `!`.
        let line = clean(line);
        let is_exception = line.starts_with(b"!");
        let text = line[usize::from(is_exception)..].to_vec();
        if text.is_empty() {
            return Err(IgnoreError::NothingExcepted);
        }
        let bad = || IgnoreError::BadPattern {
            pattern: String::from_utf8_lossy(&text).into_owned(),
        };
        if !is_accepted(&text) {
            return Err(bad());
        }
        let comparison = match translate::translate(&text) {
            Comparison::Exact => Compiled::Exact,
            Comparison::Prefix => Compiled::Prefix,
            Comparison::Suffix => Compiled::Suffix,
            Comparison::Expression(expression) => {
                Compiled::Expression(Expression::compile(&expression).ok_or_else(bad)?)
            }
        };
        Ok(Some(Self {
            text,
            is_exception,
            comparison,
        }))
    }

    /// Whether it was written with a `!`.
    pub(super) fn is_exception(&self) -> bool {
        self.is_exception
    }

    /// How many slashes are in its text.
    pub(super) fn slashes(&self) -> usize {
        memchr::memchr_iter(b'/', &self.text).count()
    }

    /// Whether its match would change the verdict that something is left out. One that would not is not even compared,
    /// and moby remembers it as no match for what is below.
    pub(super) fn could_change(&self, is_out: bool) -> bool {
        self.is_exception == is_out
    }

    /// Whether it is `path` itself that it means.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        match &self.comparison {
            Compiled::Exact => path == self.text,
            Compiled::Prefix => path.starts_with(&self.text[..self.text.len() - 2]),
            Compiled::Suffix => {
                let suffix = &self.text[2..];
                // `**/a` means `a` as well.
                path.ends_with(suffix) || suffix.strip_prefix(b"/") == Some(path)
            }
            Compiled::Expression(expression) => expression.matches(path),
        }
    }

    /// Whether it may mean something in `directory`, going by its text alone: that is all that moby looks at before it
    /// skips a directory, and why `!**/x` keeps none.
    pub(super) fn begins_in(&self, directory: &[u8]) -> bool {
        let rest = self.text.strip_prefix(directory);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }
}
