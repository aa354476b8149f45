//! The field itself, as a reader.
#![forbid(unsafe_code)]

use std::io::{self, Read};

use super::error::JsonFieldError;
use super::skip;
use super::text::{self, Character, LONGEST_ESCAPE, Piece};
use super::tokens::Tokens;
use crate::limits;

/// The string that is one top-level field of a JSON object, being read from `R`, escapes undone.
///
/// Reading gives 0 only when the whole object was read to the source's end and found well-formed, so half a body never
/// looks like a success. Errors carry a [`JsonFieldError`] inside; the source's own come as they are.
pub struct JsonField<R> {
    tokens: Tokens<R>,
    field: &'static str,
    place: Place,
    /// An escaped character that did not fit into the reader's buffer.
    rest: Character,
    others: Vec<String>,
    /// The fields whose values are kept, and what was found of them.
    keeps: &'static [&'static str],
    kept: Vec<(&'static str, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Start,
    Inside,
    Behind,
    Done,
    Broken,
}

/// As much of a member's name as decides which it is, or is worth showing.
#[derive(Default)]
struct Name {
    start: Vec<u8>,
    length: u64,
}

impl<R: Read> JsonField<R> {
    /// The field `field` of the object in `source`, which is not touched yet.
    pub fn new(source: R, field: &'static str) -> Self {
        Self {
            tokens: Tokens::new(source),
            field,
            place: Place::Start,
            rest: Character::default(),
            others: Vec::new(),
            keeps: &[],
            kept: Vec::new(),
        }
    }

    /// The same, with the JSON text of these other fields kept: together at most [`limits::KEPT_FIELDS_BYTES`].
    pub fn keeping(source: R, field: &'static str, keeps: &'static [&'static str]) -> Self {
        Self {
            keeps,
            ..Self::new(source, field)
        }
    }

    /// The fields that were kept so far, as an object of their own.
    pub fn kept_object(&self) -> Vec<u8> {
        let member =
            |(name, value): &(&str, Vec<u8>)| [b"\"", name.as_bytes(), b"\":", value].concat();
        let members: Vec<_> = self.kept.iter().map(member).collect();
        [b"{", members.join(&b","[..]).as_slice(), b"}"].concat()
    }

    /// The names of the other top-level fields that were seen so far, shortened; the first [`limits::OTHER_FIELDS`].
    pub fn other_fields(&self) -> &[String] {
        &self.others
    }

    /// From the object's start to the field's opening quote.
    fn open(&mut self) -> io::Result<()> {
        if self.tokens.after_blanks()? != Some(b'{') {
            return Err(JsonFieldError::NotAnObject.into());
        }
        self.tokens.take(1);
        if self.tokens.token()? == b'}' {
            return Err(self.missing());
        }
        while !self.member()? {
            if !self.is_another()? {
                return Err(self.missing());
            }
        }
        self.opening_quote()
    }

    /// From the field's closing quote to the source's end.
    fn close(&mut self) -> io::Result<()> {
        while self.is_another()? {
            if self.member()? {
                return Err(JsonFieldError::Repeated { field: self.field }.into());
            }
        }
        if self.tokens.after_blanks()?.is_some() {
            let at = self.tokens.position();
            return Err(JsonFieldError::Trailing { at }.into());
        }
        Ok(())
    }

    fn missing(&self) -> io::Error {
        JsonFieldError::Missing { field: self.field }.into()
    }

    /// Takes the comma, or the end of the object. Whether it was a comma.
    fn is_another(&mut self) -> io::Result<bool> {
        let byte = self.tokens.token()?;
        if byte != b',' && byte != b'}' {
            return Err(self.tokens.expected("`,` or `}`"));
        }
        self.tokens.take(1);
        Ok(byte == b',')
    }

    /// Takes a member's name. If it is the field's, its value is next; if not, the value is taken too. Whether it is.
    fn member(&mut self) -> io::Result<bool> {
        self.tokens.expect(b'"', "a name in quotes")?;
        let name = self.name()?;
        self.tokens.expect(b':', "`:`")?;
        if name.is(self.field) {
            return Ok(true);
        }
        if let Some(known) = self.keeps.iter().find(|known| name.is(known)) {
            self.keep(known)?;
            return Ok(false);
        }
        if self.others.len() < limits::OTHER_FIELDS {
            self.others.push(name.shown());
        }
        skip::value(&mut self.tokens)?;
        Ok(false)
    }

    fn keep(&mut self, field: &'static str) -> io::Result<()> {
        if self.kept.iter().any(|(known, _)| *known == field) {
            return Err(JsonFieldError::Repeated { field }.into());
        }
        let taken: usize = self.kept.iter().map(|(_, value)| value.len()).sum();
        self.tokens.record(limits::KEPT_FIELDS_BYTES - taken);
        skip::value(&mut self.tokens)?;
        match self.tokens.recorded() {
            Some(value) => {
                self.kept.push((field, value));
                Ok(())
            }
            None => Err(JsonFieldError::TooLong { field }.into()),
        }
    }

    fn name(&mut self) -> io::Result<Name> {
        let most = limits::OTHER_FIELD_BYTES.max(self.field.len());
        let mut name = Name::default();
        loop {
            match text::piece(&mut self.tokens, usize::MAX)? {
                Piece::Plain(count) => {
                    name.push(&self.tokens.ready()[..count], most);
                    self.tokens.take(count);
                }
                Piece::Escape => name.push(text::escape(&mut self.tokens)?.bytes(), most),
                Piece::End => {
                    self.tokens.take(1);
                    return Ok(name);
                }
            }
        }
    }

    fn opening_quote(&mut self) -> io::Result<()> {
        let found = match self.tokens.token()? {
            b'"' => {
                self.tokens.take(1);
                return Ok(());
            }
            b'{' => "an object",
            b'[' => "an array",
            b't' | b'f' => "a boolean",
            b'n' => "null",
            b'-' | b'0'..=b'9' => "a number",
            _ => return Err(self.tokens.expected("a string")),
        };
        let field = self.field;
        Err(JsonFieldError::NotAString { field, found }.into())
    }

    /// The next bytes of the string; 0 at its end. Waits for the source only while there is nothing to give.
    fn read_inside(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = self.rest.give(buffer);
        while filled < buffer.len() {
            // An escape that is not there as a whole may mean a wait or an error: first give out what is here.
            if filled > 0 && self.tokens.ready().len() < LONGEST_ESCAPE {
                break;
            }
            match text::piece(&mut self.tokens, buffer.len() - filled)? {
                Piece::Plain(count) => {
                    let plain = &self.tokens.ready()[..count];
                    buffer[filled..filled + count].copy_from_slice(plain);
                    self.tokens.take(count);
                    filled += count;
                }
                Piece::Escape => {
                    self.rest = text::escape(&mut self.tokens)?;
                    filled += self.rest.give(&mut buffer[filled..]);
                }
                Piece::End if filled > 0 => break,
                Piece::End => {
                    self.tokens.take(1);
                    return Ok(0);
                }
            }
        }
        Ok(filled)
    }

    fn step(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.place {
                Place::Start => {
                    self.open()?;
                    self.place = Place::Inside;
                }
                Place::Inside => match self.read_inside(buffer)? {
                    0 => self.place = Place::Behind,
                    count => return Ok(count),
                },
                Place::Behind => {
                    self.close()?;
                    self.place = Place::Done;
                }
                Place::Done => return Ok(0),
                Place::Broken => return Err(JsonFieldError::Broken.into()),
            }
        }
    }
}

impl<R: Read> Read for JsonField<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let result = self.step(buffer);
        if result.is_err() {
            self.place = Place::Broken;
        }
        result
    }
}

impl Name {
    fn push(&mut self, bytes: &[u8], most: usize) {
        let room = most - self.start.len();
        self.start
            .extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.length += bytes.len() as u64;
    }

    fn is(&self, field: &str) -> bool {
        self.length == field.len() as u64 && self.start == field.as_bytes()
    }

    fn shown(&self) -> String {
        let text = String::from_utf8_lossy(&self.start);
        if self.length == self.start.len() as u64 {
            return text.into_owned();
        }
        // The cut may have left half a character.
        format!("{}…", text.trim_end_matches(char::REPLACEMENT_CHARACTER))
    }
}
