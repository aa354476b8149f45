//! Writes a body in the chunked coding. Bytes gather in one fixed buffer; a flush makes them a chunk that leaves at
//! once, so a live stream is as prompt as its flushes.
#![forbid(unsafe_code)]

use std::io::{self, Write};

/// Room in front of the data for the size line of a chunk: eight hexadecimal digits and CRLF.
const SIZE_LINE: usize = 10;

/// A chunked body on its way to `W`.
#[derive(Debug)]
pub struct ChunkWriter<W> {
    out: W,
    buffer: Vec<u8>,
    capacity: usize,
}

impl<W: Write> ChunkWriter<W> {
    /// A body in chunks of at most `capacity` bytes.
    pub fn new(out: W, capacity: usize) -> Self {
        let mut buffer = Vec::with_capacity(SIZE_LINE + capacity + 2);
        buffer.resize(SIZE_LINE, 0);
        Self {
            out,
            buffer,
            capacity,
        }
    }

    /// Where the chunks go.
    pub fn get_ref(&self) -> &W {
        &self.out
    }

    fn send_chunk(&mut self) -> io::Result<()> {
        let size = self.buffer.len() - SIZE_LINE;
        if size == 0 {
            return Ok(());
        }
        let line = format!("{size:08x}\r\n");
        self.buffer[..SIZE_LINE].copy_from_slice(line.as_bytes());
        self.buffer.extend_from_slice(b"\r\n");
        let sent = self.out.write_all(&self.buffer);
        self.buffer.truncate(SIZE_LINE);
        sent
    }

    /// Ends the body with `trailers`, which must be valid header fields.
    pub fn finish(mut self, trailers: &[(&str, String)]) -> io::Result<W> {
        self.end(trailers)?;
        Ok(self.out)
    }

    /// The same, where the connection is wanted back also when that fails: with [`Self::into_inner`].
    pub fn end(&mut self, trailers: &[(&str, String)]) -> io::Result<()> {
        self.send_chunk()?;
        let mut end = String::from("0\r\n");
        for (name, value) in trailers {
            end.push_str(name);
            end.push_str(": ");
            end.push_str(value);
            end.push_str("\r\n");
        }
        end.push_str("\r\n");
        self.out.write_all(end.as_bytes())?;
        self.out.flush()
    }

    /// Where the chunks went. What was not sent yet is dropped.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Write for ChunkWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.capacity - (self.buffer.len() - SIZE_LINE);
        let count = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..count]);
        if count == room {
            self.send_chunk()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send_chunk()?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{BodyReader, Framing};
    use std::io::Read;

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = ChunkWriter::new(Vec::new(), 7);
        writer.write_all(b"hello ").unwrap();
        writer.flush().unwrap();
        writer.flush().unwrap();
        writer.write_all(b"to everyone out there").unwrap();
        let coded = writer.finish(&[("X-Exit-Code", "3".to_owned())]).unwrap();
        assert!(coded.starts_with(b"00000006\r\nhello \r\n"));
        assert!(coded.ends_with(b"0\r\nX-Exit-Code: 3\r\n\r\n"));
        let mut content = String::new();
        BodyReader::new(coded.as_slice(), Vec::new(), Framing::Chunked)
            .read_to_string(&mut content)
            .unwrap();
        assert_eq!(content, "hello to everyone out there");
    }
}
