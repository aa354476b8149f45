//! A JSON string written in pieces: bytes in, escaped text out, without ever holding the whole.
#![forbid(unsafe_code)]

use std::io::{self, Write};

/// Escapes what is written for the inside of a JSON string. Each piece must end at the end of a character; bytes that
/// are no UTF-8 become U+FFFD.
#[derive(Debug)]
pub struct JsonText<W>(W);

impl<W: Write> JsonText<W> {
    /// Writes to `out`, which has had the opening quote and will get the closing one.
    pub fn new(out: W) -> Self {
        Self(out)
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        let bytes = text.as_bytes();
        let mut start = 0;
        for (index, byte) in bytes.iter().enumerate() {
            let Some(escape) = escape(*byte) else {
                continue;
            };
            self.0.write_all(&bytes[start..index])?;
            match escape {
                Escape::Short(letter) => self.0.write_all(&[b'\\', letter])?,
                Escape::Long => write!(self.0, "\\u{byte:04x}")?,
            }
            start = index + 1;
        }
        self.0.write_all(&bytes[start..])
    }
}

enum Escape {
    Short(u8),
    Long,
}

/// RFC 8259, 7.
fn escape(byte: u8) -> Option<Escape> {
    match byte {
        b'"' | b'\\' => Some(Escape::Short(byte)),
        b'\n' => Some(Escape::Short(b'n')),
        b'\r' => Some(Escape::Short(b'r')),
        b'\t' => Some(Escape::Short(b't')),
        0..=0x1f => Some(Escape::Long),
        _ => None,
    }
}

impl<W: Write> Write for JsonText<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for chunk in bytes.utf8_chunks() {
            self.write_text(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                self.0.write_all("\u{fffd}".as_bytes())?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(bytes: &[u8]) -> String {
        let mut out = b"\"".to_vec();
        JsonText::new(&mut out).write_all(bytes).unwrap();
        out.push(b'"');
        serde_json::from_slice(&out).unwrap()
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            prop_assert_eq!(escaped(text.as_bytes()), text);
        }

        #[test]
        fn any_bytes_become_their_lossy_text(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(escaped(&bytes), String::from_utf8_lossy(&bytes));
        }
    }
}
