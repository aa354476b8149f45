//! The bytes of a JSON text, one at a time or many, and what may be expected of them.
#![forbid(unsafe_code)]

use std::io::{self, Read};

use super::error::JsonFieldError;
use crate::wire::window::Window;

/// A JSON text being read from `R`.
pub(super) struct Tokens<R>(Window<R>);

impl<R: Read> Tokens<R> {
    /// The text in `source`.
    pub(super) fn new(source: R) -> Self {
        Self(Window::new(source, b""))
    }

    /// The bytes at hand; at least one, but at the source's end.
    pub(super) fn at_hand(&mut self) -> io::Result<&[u8]> {
        if self.0.bytes().is_empty() {
            self.0.fill()?;
        }
        Ok(self.0.bytes())
    }

    /// The bytes at hand, perhaps none; the source is not touched.
    pub(super) fn ready(&self) -> &[u8] {
        self.0.bytes()
    }

    /// The first `count` bytes at hand are done with.
    pub(super) fn take(&mut self, count: usize) {
        self.0.take(count);
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
        let at = self.0.taken();
        JsonFieldError::Expected { what, at }.into()
    }

    /// Bytes taken so far.
    pub(super) fn position(&self) -> u64 {
        self.0.taken()
    }
}
