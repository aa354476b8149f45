//! The inside of JSON strings (RFC 8259, 7): plain bytes in bulk, escapes one by one.
#![forbid(unsafe_code)]

use std::io::{self, Read};

use super::error::JsonFieldError;
use super::tokens::Tokens;

/// What is next in a string.
pub(super) enum Piece {
    /// So many plain bytes at hand, at least one.
    Plain(usize),
    /// A backslash, not yet taken.
    Escape,
    /// The closing quote, not yet taken.
    End,
}

/// Looks at the next piece; at most `most` plain bytes.
pub(super) fn piece<R: Read>(tokens: &mut Tokens<R>, most: usize) -> io::Result<Piece> {
    let first = tokens.peek()?;
    match first {
        b'"' => return Ok(Piece::End),
        b'\\' => return Ok(Piece::Escape),
        _ => {}
    }
    let bytes = tokens.ready();
    let bytes = &bytes[..bytes.len().min(most)];
    match plain(bytes) {
        0 => {
            let at = tokens.position();
            Err(JsonFieldError::ControlCharacter { at }.into())
        }
        count => Ok(Piece::Plain(count)),
    }
}

/// How many bytes at the front are neither quote, backslash nor control character.
fn plain(bytes: &[u8]) -> usize {
    let end = memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
    let run = &bytes[..end];
    // The least of all, not the first that is too small: that is what compiles to vector instructions.
    if run.iter().fold(u8::MAX, |least, byte| least.min(*byte)) >= b' ' {
        return end;
    }
    run.iter().take_while(|byte| **byte >= b' ').count()
}

/// The bytes of one character.
#[derive(Clone, Copy, Default)]
pub(super) struct Character {
    bytes: [u8; 4],
    start: usize,
    end: usize,
}

impl Character {
    fn new(character: char) -> Self {
        let mut bytes = [0; 4];
        let end = character.encode_utf8(&mut bytes).len();
        Self {
            bytes,
            start: 0,
            end,
        }
    }

    /// Its bytes that were not given out.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Gives out as many bytes as `buffer` has room for.
    pub(super) fn give(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.end - self.start);
        buffer[..count].copy_from_slice(&self.bytes()[..count]);
        self.start += count;
        count
    }
}

/// Bytes of the longest escape, a pair of surrogates.
pub(super) const LONGEST_ESCAPE: usize = 12;

/// Takes an escape. Half a pair of surrogates is an error: no bytes stand for it.
pub(super) fn escape<R: Read>(tokens: &mut Tokens<R>) -> io::Result<Character> {
    match simple(tokens)? {
        Some(byte) => Ok(Character::new(char::from(byte))),
        None => unicode(tokens).map(Character::new),
    }
}

/// Takes an escape whose value nobody wants. RFC 8259's grammar allows half a pair.
pub(super) fn skip_escape<R: Read>(tokens: &mut Tokens<R>) -> io::Result<()> {
    if simple(tokens)?.is_none() {
        hexadecimal(tokens)?;
    }
    Ok(())
}

/// Takes the backslash and what follows it. `None` for `u`, whose digits are not taken.
fn simple<R: Read>(tokens: &mut Tokens<R>) -> io::Result<Option<u8>> {
    tokens.take(1);
    let byte = match tokens.peek()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        byte @ (b'"' | b'\\' | b'/') => byte,
        b'u' => {
            tokens.take(1);
            return Ok(None);
        }
        _ => return Err(tokens.expected("an escape (`\\n`, `\\u0041`)")),
    };
    tokens.take(1);
    Ok(Some(byte))
}

fn unicode<R: Read>(tokens: &mut Tokens<R>) -> io::Result<char> {
    const PAIR: &str = "a whole pair of surrogates";
    let first = hexadecimal(tokens)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first).ok_or_else(|| tokens.expected(PAIR));
    }
    for byte in *b"\\u" {
        if !tokens.take_if(byte)? {
            return Err(tokens.expected(PAIR));
        }
    }
    let second = hexadecimal(tokens)?;
    if !(0xdc00..0xe000).contains(&second) {
        return Err(tokens.expected(PAIR));
    }
    let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    char::from_u32(code).ok_or_else(|| tokens.expected(PAIR))
}

fn hexadecimal<R: Read>(tokens: &mut Tokens<R>) -> io::Result<u32> {
    let mut code = 0;
    for _ in 0..4 {
        let digit = char::from(tokens.peek()?).to_digit(16);
        code = code << 4 | digit.ok_or_else(|| tokens.expected("a hexadecimal digit"))?;
        tokens.take(1);
    }
    Ok(code)
}
