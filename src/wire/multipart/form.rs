//! The parts of a form, one after the other, out of a source.
#![forbid(unsafe_code)]

use std::io::{self, BufRead, Read};

use memchr::memmem;

use super::delimiter::{Delimiter, Found};
use super::error::MultipartError;
use super::part_head::PartHead;
use crate::limits;
use crate::wire::window::Window;

/// Every delimiter begins with it, and every head ends with it.
const LINE_END: &[u8] = b"\r\n";

/// A form being read from `R`. Reading gives the content of the part that [`Self::next_part`] announced, and 0 at its
/// end. Errors carry a [`MultipartError`] inside; the source's own come as they are.
pub struct Multipart<R> {
    window: Window<R>,
    delimiter: Delimiter,
    place: Place,
    /// Bytes at the window's front that are known to be content.
    content: usize,
    /// Bytes at the window's front that end a part's head. They count as its content until it is known that no
    /// delimiter begins with them: an empty part may do without a line end of its own.
    head_end: usize,
    parts: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Preamble,
    Head,
    Content,
    Epilogue,
    Done,
}

impl<R: Read> Multipart<R> {
    /// The form in `source`, whose parts stand between delimiters of this [`super::boundary()`].
    pub fn new(source: R, boundary: &[u8]) -> Self {
        Self {
            // The first delimiter lacks its line end when nothing stands before it.
            window: Window::new(source, LINE_END),
            delimiter: Delimiter::new(boundary),
            place: Place::Preamble,
            content: 0,
            head_end: 0,
            parts: 0,
        }
    }

    /// The next part; what was not read of the one before is skipped. `None` after the closing delimiter, when what
    /// follows it was read to the source's end and dropped, so that the connection can be used again.
    pub fn next_part(&mut self) -> Result<Option<PartHead>, MultipartError> {
        loop {
            match self.place {
                Place::Preamble | Place::Content => self.skip()?,
                Place::Head => return self.head().map(Some),
                Place::Epilogue => self.drain()?,
                Place::Done => return Ok(None),
            }
        }
    }

    fn skip(&mut self) -> Result<(), MultipartError> {
        loop {
            match self.more_content()? {
                0 => return Ok(()),
                count => self.consume(count),
            }
            let is_long = self.window.taken() > limits::AROUND_PARTS_BYTES;
            if is_long && self.place == Place::Preamble {
                return Err(MultipartError::LongPreamble);
            }
        }
    }

    fn drain(&mut self) -> Result<(), MultipartError> {
        let start = self.window.taken();
        loop {
            self.window.take(self.window.bytes().len());
            if self.window.taken() - start > limits::AROUND_PARTS_BYTES {
                return Err(MultipartError::LongEpilogue);
            }
            if self.window.fill()? == 0 {
                self.place = Place::Done;
                return Ok(());
            }
        }
    }

    fn head(&mut self) -> Result<PartHead, MultipartError> {
        if self.parts == limits::PARTS {
            return Err(MultipartError::TooManyParts);
        }
        let end = self.end_of_head()?;
        let lines = &self.window.bytes()[LINE_END.len()..end];
        let head = PartHead::parse(lines)?;
        self.parts += 1;
        self.head_end = LINE_END.len();
        self.window.take(end - self.head_end);
        self.place = Place::Content;
        Ok(head)
    }

    /// The window starts with the line end of the delimiter; where does the empty line behind the head end?
    fn end_of_head(&mut self) -> Result<usize, MultipartError> {
        const EMPTY_LINE: &[u8] = b"\r\n\r\n";
        const MOST: usize = limits::PART_HEAD_BYTES + EMPTY_LINE.len();
        loop {
            let bytes = self.window.bytes();
            let bytes = &bytes[..bytes.len().min(MOST)];
            let end = memmem::find(bytes, EMPTY_LINE).map(|start| start + EMPTY_LINE.len());
            check_line_ends(&bytes[..end.unwrap_or(bytes.len())])?;
            match end {
                Some(end) => return Ok(end),
                None if bytes.len() == MOST => return Err(MultipartError::HeadTooLong),
                None => self.fill()?,
            }
        }
    }

    /// How many bytes of content are at the window's front; 0 when the delimiter was reached.
    fn more_content(&mut self) -> Result<usize, MultipartError> {
        while self.content == 0 && matches!(self.place, Place::Preamble | Place::Content) {
            match self.delimiter.look(self.window.bytes())? {
                Found::Content(count) => {
                    self.window.take(self.head_end);
                    self.content = count - self.head_end;
                    self.head_end = 0;
                }
                Found::Next(count) => self.enter(Place::Head, count),
                Found::Last(count) => self.enter(Place::Epilogue, count),
                Found::Unclear => self.fill()?,
            }
        }
        Ok(self.content)
    }

    fn enter(&mut self, place: Place, delimiter_bytes: usize) {
        self.window.take(delimiter_bytes);
        self.place = place;
    }

    fn fill(&mut self) -> Result<(), MultipartError> {
        match self.window.fill()? {
            0 => Err(MultipartError::Truncated),
            _ => Ok(()),
        }
    }
}

/// httparse takes LF alone for a line end; here, as in the head of the request, only CRLF is one.
fn check_line_ends(bytes: &[u8]) -> Result<(), MultipartError> {
    let is_bare = |feed: usize| feed == 0 || bytes[feed - 1] != b'\r';
    if memchr::memchr_iter(b'\n', bytes).any(is_bare) {
        return Err(MultipartError::BARE_LINE_FEED);
    }
    Ok(())
}

/// The current part's content, straight out of the buffer: for copying without another.
impl<R: Read> BufRead for Multipart<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.place != Place::Content {
            return Ok(&[]);
        }
        let count = self.more_content()?;
        Ok(&self.window.bytes()[..count])
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(self.content);
        self.content -= count;
        self.window.take(count);
    }
}

impl<R: Read> Read for Multipart<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut content = self.fill_buf()?;
        let count = content.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
