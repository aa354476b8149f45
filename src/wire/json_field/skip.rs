//! Reads over a JSON value and holds it to the grammar of RFC 8259, keeping nothing of it but its nesting, a bit a level.
#![forbid(unsafe_code)]

use std::io::{self, Read};

use super::error::JsonFieldError;
use super::text::{self, Piece};
use super::tokens::Tokens;
use crate::limits;

/// The objects and arrays we are in. No recursion: a stranger's nesting costs no stack.
struct Nesting {
    /// The lowest bit is the innermost: 1 for an object, 0 for an array.
    are_objects: u128,
    depth: u32,
}

const _: () = assert!(limits::JSON_DEPTH <= u128::BITS);

impl Nesting {
    fn enter(&mut self, is_object: bool) -> io::Result<()> {
        if self.depth == limits::JSON_DEPTH {
            return Err(JsonFieldError::TooDeep.into());
        }
        self.are_objects = self.are_objects << 1 | u128::from(is_object);
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.are_objects >>= 1;
        self.depth -= 1;
    }

    fn is_object(&self) -> bool {
        self.are_objects & 1 == 1
    }
}

/// Takes a value of a top-level field, white space before it included.
pub(super) fn value<R: Read>(tokens: &mut Tokens<R>) -> io::Result<()> {
    // The object that the field is in.
    const OUTSIDE: u32 = 1;
    let mut nesting = Nesting {
        are_objects: 1,
        depth: OUTSIDE,
    };
    loop {
        let is_whole = begin(tokens, &mut nesting)?;
        while is_whole && nesting.depth > OUTSIDE && !goes_on(tokens, &mut nesting)? {}
        if nesting.depth == OUTSIDE {
            return Ok(());
        }
    }
}

/// Takes a scalar, an empty object or an empty array, or else what stands before the first value inside. Whether a
/// value is complete with it.
fn begin<R: Read>(tokens: &mut Tokens<R>, nesting: &mut Nesting) -> io::Result<bool> {
    let first = tokens.token()?;
    let is_object = first == b'{';
    match first {
        b'{' | b'[' => tokens.take(1),
        _ => return scalar(tokens, first).map(|()| true),
    }
    nesting.enter(is_object)?;
    let close = if is_object { b'}' } else { b']' };
    if tokens.token()? == close {
        tokens.take(1);
        nesting.leave();
        return Ok(true);
    }
    if is_object {
        member_name(tokens)?;
    }
    Ok(false)
}

/// Takes what stands behind a complete value. Whether another value follows; if not, the one around is complete.
fn goes_on<R: Read>(tokens: &mut Tokens<R>, nesting: &mut Nesting) -> io::Result<bool> {
    match (tokens.token()?, nesting.is_object()) {
        (b',', is_object) => {
            tokens.take(1);
            if is_object {
                member_name(tokens)?;
            }
            return Ok(true);
        }
        (b'}', true) | (b']', false) => {
            tokens.take(1);
            nesting.leave();
        }
        (_, true) => return Err(tokens.expected("`,` or `}`")),
        (_, false) => return Err(tokens.expected("`,` or `]`")),
    }
    Ok(false)
}

fn member_name<R: Read>(tokens: &mut Tokens<R>) -> io::Result<()> {
    tokens.expect(b'"', "a name in quotes")?;
    string(tokens)?;
    tokens.expect(b':', "`:`")
}

fn scalar<R: Read>(tokens: &mut Tokens<R>, first: u8) -> io::Result<()> {
    match first {
        b'"' => {
            tokens.take(1);
            string(tokens)
        }
        b't' => literal(tokens, "true"),
        b'f' => literal(tokens, "false"),
        b'n' => literal(tokens, "null"),
        b'-' | b'0'..=b'9' => number(tokens),
        _ => Err(tokens.expected("a value")),
    }
}

/// The rest of a string whose opening quote was taken.
fn string<R: Read>(tokens: &mut Tokens<R>) -> io::Result<()> {
    loop {
        match text::piece(tokens, usize::MAX)? {
            Piece::Plain(count) => tokens.take(count),
            Piece::Escape => text::skip_escape(tokens)?,
            Piece::End => {
                tokens.take(1);
                return Ok(());
            }
        }
    }
}

fn literal<R: Read>(tokens: &mut Tokens<R>, word: &'static str) -> io::Result<()> {
    for byte in word.bytes() {
        if !tokens.take_if(byte)? {
            return Err(tokens.expected(word));
        }
    }
    Ok(())
}

/// RFC 8259, 6. What may follow a number is for the caller to say.
fn number<R: Read>(tokens: &mut Tokens<R>) -> io::Result<()> {
    tokens.take_if(b'-')?;
    if !tokens.take_if(b'0')? {
        digits(tokens)?;
    }
    if tokens.take_if(b'.')? {
        digits(tokens)?;
    }
    if tokens.take_if(b'e')? || tokens.take_if(b'E')? {
        let _is_signed = tokens.take_if(b'+')? || tokens.take_if(b'-')?;
        digits(tokens)?;
    }
    Ok(())
}

fn digits<R: Read>(tokens: &mut Tokens<R>) -> io::Result<()> {
    if !tokens.peek()?.is_ascii_digit() {
        return Err(tokens.expected("a digit"));
    }
    while tokens.peek()?.is_ascii_digit() {
        tokens.take(1);
    }
    Ok(())
}
