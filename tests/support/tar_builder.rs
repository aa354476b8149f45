//! Archives byte by byte, good ones and such as no library would write.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Everything in a tar is padded to this.
pub const BLOCK: usize = 512;

/// The fields of one header block.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: Vec<u8>,
    pub prefix: Vec<u8>,
    pub letter: u8,
    pub link: Vec<u8>,
    pub mode: Vec<u8>,
    pub size: Vec<u8>,
    pub modified: Vec<u8>,
    pub magic: &'static [u8],
}

impl Entry {
    /// A header as GNU tar and everybody else writes it with `--format=ustar`.
    pub fn new(letter: u8, name: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            prefix: Vec::new(),
            letter,
            link: Vec::new(),
            mode: b"0000644\0".to_vec(),
            size: b"00000000000\0".to_vec(),
            modified: b"00000000007\0".to_vec(),
            magic: b"ustar\x0000",
        }
    }

    pub fn prefix(mut self, prefix: impl AsRef<[u8]>) -> Self {
        self.prefix = prefix.as_ref().to_vec();
        self
    }

    pub fn link(mut self, link: impl AsRef<[u8]>) -> Self {
        self.link = link.as_ref().to_vec();
        self
    }

    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = format!("{mode:07o}\0").into_bytes();
        self
    }

    pub fn size(mut self, size: u64) -> Self {
        self.size = format!("{size:011o}\0").into_bytes();
        self
    }

    pub fn raw_size(mut self, size: impl AsRef<[u8]>) -> Self {
        self.size = size.as_ref().to_vec();
        self
    }

    pub fn magic(mut self, magic: &'static [u8]) -> Self {
        self.magic = magic;
        self
    }

    /// The block, with the sum of its bytes, or of its bytes as signed ones.
    pub fn block(&self, is_signed: bool) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
        put(0, &self.name[..self.name.len().min(100)]);
        put(100, &self.mode);
        put(108, b"0002322\0");
        put(116, b"0004444\0");
        put(124, &self.size);
        put(136, &self.modified);
        put(148, b"        ");
        put(156, &[self.letter]);
        put(157, &self.link[..self.link.len().min(100)]);
        put(257, self.magic);
        put(265, b"nobody");
        put(345, &self.prefix);
        let value = |byte: &u8| {
            if is_signed {
                i64::from(byte.cast_signed())
            } else {
                i64::from(*byte)
            }
        };
        let sum: i64 = block.iter().map(value).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

/// An archive being written.
#[derive(Clone, Debug, Default)]
pub struct Tar(Vec<u8>);

impl Tar {
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes as they are.
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    /// A header, then contents and their padding, whatever the header says about their size.
    pub fn entry(self, entry: &Entry, contents: impl AsRef<[u8]>) -> Self {
        self.raw(entry.block(false)).padded(contents)
    }

    fn padded(self, contents: impl AsRef<[u8]>) -> Self {
        let contents = contents.as_ref();
        let padding = contents.len().next_multiple_of(BLOCK) - contents.len();
        self.raw(contents).raw(vec![0; padding])
    }

    pub fn file(self, name: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) -> Self {
        let size = contents.as_ref().len() as u64;
        self.entry(&Entry::new(b'0', name).size(size), contents)
    }

    pub fn directory(self, name: impl AsRef<[u8]>, mode: u32) -> Self {
        self.entry(&Entry::new(b'5', name).mode(mode), "")
    }

    pub fn link(self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(&Entry::new(b'2', name).link(target), "")
    }

    pub fn hard_link(self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(&Entry::new(b'1', name).link(target), "")
    }

    /// A header of `letter` that has `body`: GNU's L and K, PAX's x and g.
    pub fn special(self, letter: u8, body: impl AsRef<[u8]>) -> Self {
        let size = body.as_ref().len() as u64;
        self.entry(&Entry::new(letter, "././@LongLink").size(size), body)
    }

    pub fn long_name(self, name: impl AsRef<[u8]>) -> Self {
        self.special(b'L', [name.as_ref(), b"\0"].concat())
    }

    pub fn long_link(self, name: impl AsRef<[u8]>) -> Self {
        self.special(b'K', [name.as_ref(), b"\0"].concat())
    }

    pub fn record(self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.special(b'x', record(key, value))
    }

    /// The two blocks at the end.
    pub fn end(self) -> Vec<u8> {
        self.raw([0; 2 * BLOCK]).0
    }

    /// Without an end.
    pub fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// One PAX record.
pub fn record(key: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    let rest = key.len() + value.as_ref().len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let head = format!("{length} {key}=");
    [head.as_bytes(), value.as_ref(), b"\n"].concat()
}

/// One gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
