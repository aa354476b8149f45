//! Text copied through a fixed buffer, held to UTF-8 on the way; a piece that is handed on never ends within a character.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};

use crate::limits;

/// Why a text was not copied.
#[derive(Debug)]
pub(super) enum TextFailure {
    /// It is no UTF-8.
    NotText,
    /// It could not be read.
    Source(io::Error),
    /// It could not be written.
    Sink(io::Error),
}

/// Hands all of `source` on to `sink`; the bytes that went.
pub(super) fn copy_text(source: &mut dyn Read, sink: &mut dyn Write) -> Result<u64, TextFailure> {
    let mut buffer = vec![0; limits::STREAM_BUFFER_BYTES];
    // The beginning of a character, at most three bytes, stays at the front.
    let (mut rest, mut total) = (0, 0);
    loop {
        let count = match source.read(&mut buffer[rest..]) {
            Ok(0) if rest > 0 => return Err(TextFailure::NotText),
            Ok(0) => return Ok(total),
            Ok(count) => rest + count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(TextFailure::Source(error)),
        };
        let whole = match std::str::from_utf8(&buffer[..count]) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(TextFailure::NotText),
        };
        sink.write_all(&buffer[..whole])
            .map_err(TextFailure::Sink)?;
        buffer.copy_within(whole..count, 0);
        rest = count - whole;
        total += whole as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives out a few bytes at a time.
    struct Slowly<'b>(&'b [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    /// Every piece must be text.
    #[derive(Default)]
    struct Pieces(String);

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn text_comes_whole_and_nothing_else_comes(text in any::<String>(), cut in 0usize..8, piece in 1usize..5) {
            let bytes = &text.as_bytes()[..text.len().saturating_sub(cut)];
            let mut pieces = Pieces::default();
            let copied = copy_text(&mut Slowly(bytes, piece), &mut pieces);
            match std::str::from_utf8(bytes) {
                Ok(text) => {
                    prop_assert_eq!(copied.unwrap(), text.len() as u64);
                    prop_assert_eq!(pieces.0, text);
                }
                Err(_) => prop_assert!(matches!(copied, Err(TextFailure::NotText))),
            }
        }
    }

    #[test]
    fn what_is_no_text_is_told() {
        for bytes in [&b"a\xff"[..], b"\xc3", b"\xe2\x82", b"\xed\xa0\x80"] {
            let copied = copy_text(&mut Slowly(bytes, 1), &mut io::sink());
            assert!(matches!(copied, Err(TextFailure::NotText)), "{bytes:?}");
        }
    }
}
