//! The header blocks of one tar entry, as Go's archive/tar writes them: ustar where everything fits, and PAX records in
//! front of it for what does not (POSIX.1-2008, pax).
#![forbid(unsafe_code)]

use crate::sys::entry::Status;

/// Everything in a tar is padded to this.
pub const BLOCK: usize = 512;

const NAME: usize = 100;
const PREFIX: usize = 155;
/// The largest number that eleven octal digits hold.
const MOST_OCTAL: u64 = 0o777_7777_7777;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A file with contents.
    File = b'0' as isize,
    /// Another name of a file that was sent before.
    HardLink = b'1' as isize,
    /// A symbolic link.
    Link = b'2' as isize,
    /// A directory. Its name ends in a slash.
    Directory = b'5' as isize,
}

/// One entry. It belongs to 0:0, as in the docker CLI.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// Relative, with `/` between its parts.
    pub name: &'a [u8],
    /// What it is.
    pub kind: Type,
    /// Permissions, size and time.
    pub status: &'a Status,
    /// Where a link leads; empty otherwise.
    pub target: &'a [u8],
    /// A file's capabilities, as the kernel stores them.
    pub capability: Option<&'a [u8]>,
}

impl Header<'_> {
    /// Bytes of contents that follow.
    pub fn size(&self) -> u64 {
        match self.kind {
            Type::File => self.status.size,
            _ => 0,
        }
    }

    /// Hands the blocks to `put`, which may fail.
    pub fn write<E>(&self, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let records = self.records();
        if !records.is_empty() {
            put(&self.records_block(records.len() as u64))?;
            put(&records)?;
            put(&[0; BLOCK][..padding(records.len() as u64)])?;
        }
        put(&self.block())
    }

    /// The PAX records, sorted by key as Go does.
    fn records(&self) -> Vec<u8> {
        let mut records = Vec::new();
        if let Some(capability) = self.capability {
            record(&mut records, "SCHILY.xattr.security.capability", capability);
        }
        if !self.target_fits() {
            record(&mut records, "linkpath", self.target);
        }
        if octal_time(self.status.modified).is_none() {
            let time = self.status.modified.to_string();
            record(&mut records, "mtime", time.as_bytes());
        }
        // With any record at all, the two fields of ustar are not used.
        if self.split_name().is_none() || self.name.len() > NAME && self.needs_records() {
            record(&mut records, "path", self.name);
        }
        if self.size() > MOST_OCTAL {
            record(&mut records, "size", self.size().to_string().as_bytes());
        }
        records
    }

    /// Whether anything but the name does not fit.
    fn needs_records(&self) -> bool {
        self.capability.is_some()
            || !self.target_fits()
            || octal_time(self.status.modified).is_none()
            || self.size() > MOST_OCTAL
    }

    fn target_fits(&self) -> bool {
        self.target.is_ascii() && self.target.len() <= NAME
    }

    /// The header of the records themselves: as if they were a file beside the entry, in `PaxHeaders.0`.
    fn records_block(&self, size: u64) -> [u8; BLOCK] {
        let slash = self.name.iter().rposition(|byte| *byte == b'/');
        let (directory, last) = self.name.split_at(slash.map_or(0, |slash| slash + 1));
        let name = plain(&[directory, b"PaxHeaders.0/", last].concat());
        let name = name.get(..NAME).unwrap_or(&name);
        let mut block = Block::new(b'x');
        block.text(0, NAME, without_slashes(name));
        block.number(124, 12, size);
        block.finish()
    }

    fn block(&self) -> [u8; BLOCK] {
        let mut block = Block::new(self.kind as u8);
        match self.split_name() {
            Some((prefix, name)) if !self.needs_records() => {
                block.text(0, NAME, name);
                block.text(345, PREFIX, prefix);
            }
            _ => block.text(0, NAME, cut(&plain(self.name))),
        }
        block.number(100, 8, u64::from(self.status.mode));
        // What does not fit is 0 here and right in its record.
        let fits = self.size() <= MOST_OCTAL;
        block.number(124, 12, if fits { self.size() } else { 0 });
        block.number(136, 12, octal_time(self.status.modified).unwrap_or(0));
        block.text(157, NAME, cut(&plain(self.target)));
        // The device that it is, for what we never send.
        block.number(329, 8, 0);
        block.number(337, 8, 0);
        block.finish()
    }

    /// Prefix and name, if ustar's two fields hold the name. The prefix is as long as it can be.
    fn split_name(&self) -> Option<(&[u8], &[u8])> {
        if !self.name.is_ascii() {
            return None;
        }
        if self.name.len() <= NAME {
            return Some((b"", self.name));
        }
        // A slash at the very end does not separate anything.
        let most = (self.name.len() - 1).min(PREFIX + 1);
        let slash = self.name[..most].iter().rposition(|byte| *byte == b'/')?;
        let (prefix, name) = (&self.name[..slash], &self.name[slash + 1..]);
        (slash > 0 && name.len() <= NAME).then_some((prefix, name))
    }
}

/// Bytes from the end of `size` bytes to the end of a block.
pub fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

/// What an old reader gets to see of a name that is in a record.
fn plain(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(u8::is_ascii).collect()
}

/// A name that does not fit. Cut behind a slash it would look like a directory.
fn cut(name: &[u8]) -> &[u8] {
    match name.get(..NAME) {
        Some(start) if name.len() > NAME && start.ends_with(b"/") => without_slashes(start),
        _ => name,
    }
}

fn without_slashes(mut name: &[u8]) -> &[u8] {
    while let Some(shorter) = name.strip_suffix(b"/") {
        name = shorter;
    }
    name
}

fn octal_time(seconds: i64) -> Option<u64> {
    let seconds = u64::try_from(seconds).ok()?;
    (seconds <= MOST_OCTAL).then_some(seconds)
}

/// Adds `length key=value\n`, where the length counts its own digits.
fn record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + " =\n".len();
    let mut length = rest + decimal_digits(rest);
    if rest + decimal_digits(length) != length {
        length = rest + decimal_digits(length);
    }
    records.extend_from_slice(format!("{length} {key}=").as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

fn decimal_digits(number: usize) -> usize {
    number.to_string().len()
}

struct Block([u8; BLOCK]);

impl Block {
    fn new(kind: u8) -> Self {
        let mut block = Self([0; BLOCK]);
        for (at, width) in [(100, 8), (108, 8), (116, 8), (124, 12), (136, 12)] {
            block.number(at, width, 0);
        }
        block.0[156] = kind;
        block.text(257, 8, b"ustar\x0000");
        block
    }

    fn text(&mut self, at: usize, width: usize, text: &[u8]) {
        let length = text.len().min(width);
        self.0[at..at + length].copy_from_slice(&text[..length]);
    }

    /// `number` in octal digits, a NUL behind.
    fn number(&mut self, at: usize, width: usize, number: u64) {
        let mut rest = number;
        for byte in self.0[at..at + width - 1].iter_mut().rev() {
            *byte = b'0' + (rest & 7) as u8;
            rest >>= 3;
        }
    }

    fn finish(mut self) -> [u8; BLOCK] {
        self.text(148, 8, b"        ");
        let sum = self.0.iter().map(|byte| u64::from(*byte)).sum();
        self.0[154] = 0;
        self.number(148, 7, sum);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::entry::Kind;

    fn written(name: &[u8], size: u64, modified: i64) -> Vec<u8> {
        let status = Status {
            kind: Kind::File,
            owner: (0, 0),
            mode: 0o4755,
            size,
            modified,
            device: 0,
            inode: 0,
            has_more_names: false,
        };
        let header = Header {
            name,
            kind: Type::File,
            status: &status,
            target: b"",
            capability: None,
        };
        let mut blocks = Vec::new();
        let put = |bytes: &[u8]| -> Result<(), ()> {
            blocks.extend_from_slice(bytes);
            Ok(())
        };
        header.write(put).unwrap();
        blocks
    }

    #[test]
    fn sizes_beyond_eight_gibibytes_have_a_record() {
        assert_eq!(written(b"a", MOST_OCTAL, 0).len(), BLOCK);
        let blocks = written(b"a", MOST_OCTAL + 1, 0);
        assert_eq!(blocks.len(), 3 * BLOCK);
        assert!(blocks[BLOCK..].starts_with(b"19 size=8589934592\n\0"));
        assert!(blocks[2 * BLOCK + 124..].starts_with(b"00000000000\0"));
    }

    #[test]
    fn a_record_counts_its_own_digits() {
        for length in 1..1200 {
            let mut records = Vec::new();
            record(&mut records, "path", &vec![b'x'; length]);
            let digits = records.split(|byte| *byte == b' ').next().unwrap();
            let told: usize = std::str::from_utf8(digits).unwrap().parse().unwrap();
            assert_eq!(told, records.len());
        }
    }
}
