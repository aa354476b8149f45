//! The bytes of a JSON text, one at a time or many, and what may be expected of them.
#![forbid(unsafe_code)]

use std::io::{self, Read};

use super::error::JsonFieldError;
use crate::wire::window::Window;

/// A JSON text being read from `R`.
pub(super) struct Tokens<R> {
    window: Window<R>,
    /// A copy of what is being taken, and how much longer it may get.
    record: Option<(Vec<u8>, usize)>,
}

impl<R: Read> Tokens<R> {
    /// The text in `source`.
    pub(super) fn new(source: R) -> Self {
        Self {
            window: Window::new(source, b""),
            record: None,
        }
    }

    /// Copies what is taken from here on, up to `most` bytes.
    pub(super) fn record(&mut self, most: usize) {
        self.record = Some((Vec::new(), most));
    }

    /// Ends the copy. Nothing: it would have been longer.
    pub(super) fn recorded(&mut self) -> Option<Vec<u8>> {
        self.record.take().map(|(copy, _)| copy)
    }

    /// The bytes at hand; at least one, but at the source's end.
    pub(super) fn at_hand(&mut self) -> io::Result<&[u8]> {
        if self.window.bytes().is_empty() {
            self.window.fill()?;
        }
        Ok(self.window.bytes())
    }

    /// The bytes at hand, perhaps none; the source is not touched.
    pub(super) fn ready(&self) -> &[u8] {
        self.window.bytes()
    }

    /// The first `count` bytes at hand are done with.
    pub(super) fn take(&mut self, count: usize) {
        if let Some((copy, most)) = &mut self.record {
            if copy.len() + count > *most {
                self.record = None;
            } else {
                copy.extend_from_slice(&self.window.bytes()[..count]);
            }
        }
        self.window.take(count);
    }

    /// The next byte, which stays there.
    pub(super) fn peek(&mut self) -> io::Result<u8> {
        let first = self.at_hand()?.first().copied();
        first.ok_or_else(|| JsonFieldError::Truncated.into())
    }

    /// Takes the next byte if it is `byte`. Whether it was.
    pub(super) fn take_if(&mut self, byte: u8) -> io::Result<bool> {
        let is_it = self.peek()? == byte;
        self.take(usize::from(is_it));
        Ok(is_it)
    }

    /// Takes white space (RFC 8259, 2), and gives the byte behind it, which stays there; `None` at the source's end.
    pub(super) fn after_blanks(&mut self) -> io::Result<Option<u8>> {
        loop {
            let bytes = self.at_hand()?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let count = bytes.iter().take_while(is_blank).count();
            let next = bytes.get(count).copied();
            self.take(count);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// The same, where the text cannot end.
    pub(super) fn token(&mut self) -> io::Result<u8> {
        let byte = self.after_blanks()?;
        byte.ok_or_else(|| JsonFieldError::Truncated.into())
    }

    /// Takes white space and then `byte`, which is called `what`.
    pub(super) fn expect(&mut self, byte: u8, what: &'static str) -> io::Result<()> {
        if self.token()? != byte {
            return Err(self.expected(what));
        }
        self.take(1);
        Ok(())
    }

    /// The error that something else stands next.
    pub(super) fn expected(&self, what: &'static str) -> io::Error {
        let at = self.window.taken();
        JsonFieldError::Expected { what, at }.into()
    }

    /// Bytes taken so far.
    pub(super) fn position(&self) -> u64 {
        self.window.taken()
    }
}
