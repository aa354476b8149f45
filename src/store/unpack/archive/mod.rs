//! Reads an archive's members one after the other, in constant memory. Our own reader, because what the tar crate takes
//! on trust is what has to be bounded here: it keeps the bodies of long names and records without a cap, splits records
//! at newlines, and answers what a sparse header declares.
//!
//! Where readers disagree about what an archive means, it is refused: a directory or link with contents, records that do
//! not add up, anything behind the end. So nobody can show one archive to a scanner and another one to us.
#![forbid(unsafe_code)]

mod header;
mod records;

use super::error::Damage;
use super::source::Source;
use super::{MemberFault, UnpackError};
use crate::limits;
use header::{BLOCK, Header};
use records::Said;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    HardLink,
    Link,
    Directory,
}

/// One member. What it says about its owner is not even read.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    /// Where a link leads; empty otherwise.
    pub(super) link: Vec<u8>,
    /// Bytes of contents, of a file alone.
    pub(super) size: u64,
    pub(super) mode: u16,
    pub(super) modified: i64,
}

/// An archive being read.
pub(super) struct Archive {
    source: Source,
    /// Bytes of contents that were not read yet, and of the padding behind them.
    left: u64,
    padding: u64,
    /// What a global header said about all members.
    global_modified: Option<i64>,
}

/// What headers in front of a member say about it.
#[derive(Default)]
struct Special {
    headers: u32,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    said: Said,
}

impl Archive {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            left: 0,
            padding: 0,
            global_modified: None,
        }
    }

    /// The next member; what is left of the last one's contents is skipped. None at the end, and then the whole upload
    /// was read.
    pub(super) fn next(&mut self) -> Result<Option<Member>, UnpackError> {
        let mut special = Special::default();
        loop {
            self.skip()?;
            let mut block = [0; BLOCK];
            let is_first = self.source.offset() == 0;
            self.block(&mut block)?;
            if block == [0; BLOCK] {
                return self.end(special.headers > 0);
            }
            let header = match Header::parse(&block) {
                Err(_) if is_first => return Err(UnpackError::NotAnArchive),
                parsed => parsed.map_err(|damage| self.source.damage(damage))?,
            };
            if !self.special(&header, &mut special)? {
                return self.member(&header, special).map(Some);
            }
            special.headers += 1;
            if special.headers > limits::TAR_SPECIAL_HEADERS {
                return Err(self.source.damage(Damage::Headers));
            }
        }
    }

    /// The next piece of the contents; none behind them.
    pub(super) fn piece(&mut self) -> Result<Option<&[u8]>, UnpackError> {
        if self.left == 0 {
            return Ok(None);
        }
        let at = self.source.offset();
        let piece = self.source.piece(self.left)?;
        self.left -= piece.len() as u64;
        if piece.is_empty() {
            let damage = Damage::Truncated;
            return Err(UnpackError::Damaged { at, damage });
        }
        Ok(Some(piece))
    }

    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<(), UnpackError> {
        match self.source.fill(block) {
            // Short of one block, it was none to begin with.
            Ok(true) if self.source.offset() == 0 => Err(UnpackError::NotAnArchive),
            Err(UnpackError::Damaged { at, .. }) if at < BLOCK as u64 => {
                Err(UnpackError::NotAnArchive)
            }
            // The end is a block of zeros: without it nobody knows whether there was more.
            Ok(true) => Err(self.source.damage(Damage::Truncated)),
            other => other.map(drop),
        }
    }

    fn skip(&mut self) -> Result<(), UnpackError> {
        self.left += std::mem::take(&mut self.padding);
        while self.piece()?.is_some() {}
        Ok(())
    }

    fn expect_contents(&mut self, size: u64) {
        self.left = size;
        let block = BLOCK as u64;
        self.padding = (block - size % block) % block;
    }

    /// Takes a header that is about the next member, if `header` is one.
    fn special(&mut self, header: &Header, special: &mut Special) -> Result<bool, UnpackError> {
        match header.letter() {
            b'L' => special.long_name = Some(self.long_name(header)?),
            b'K' => special.long_link = Some(self.long_name(header)?),
            b'x' => {
                let body = self.body(header, limits::TAR_RECORDS_BYTES, Damage::Records)?;
                let said = special.said.add(&body);
                said.map_err(|damage| self.source.damage(damage))?;
            }
            b'g' => self.global(header)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A name that did not fit into the header. GNU puts a NUL behind it.
    fn long_name(&mut self, header: &Header) -> Result<Vec<u8>, UnpackError> {
        let most = limits::PATH_BYTES as u64 + 1;
        let mut name = self.body(header, most, Damage::LongName)?;
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    /// Records about all members that follow. git writes its commit here; a name, target or size for all is nonsense.
    fn global(&mut self, header: &Header) -> Result<(), UnpackError> {
        let body = self.body(header, limits::TAR_RECORDS_BYTES, Damage::Records)?;
        let mut said = Said::default();
        let added = said.add(&body);
        added.map_err(|damage| self.source.damage(damage))?;
        if said.path.is_some() || said.link.is_some() || said.size.is_some() || said.is_sparse {
            return Err(self.source.damage(Damage::Records));
        }
        self.global_modified = said.modified.or(self.global_modified);
        Ok(())
    }

    fn body(&mut self, header: &Header, most: u64, damage: Damage) -> Result<Vec<u8>, UnpackError> {
        let size = header.size();
        let size = size.map_err(|damage| self.source.damage(damage))?;
        if size > most {
            return Err(self.source.damage(damage));
        }
        self.expect_contents(size);
        let mut body = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        while let Some(piece) = self.piece()? {
            body.extend_from_slice(piece);
        }
        Ok(body)
    }

    fn member(&mut self, header: &Header, special: Special) -> Result<Member, UnpackError> {
        let Special {
            long_name,
            long_link,
            said,
            ..
        } = special;
        let name = said.path.or(long_name).unwrap_or_else(|| header.name());
        let kind = match kind(header.letter(), name.ends_with(b"/")) {
            Ok(_) if said.is_sparse => return Err(MemberFault::Sparse.of(&name)),
            Ok(kind) => kind,
            Err(fault) => return Err(fault.of(&name)),
        };
        let damage = |damage| self.source.damage(damage);
        let size = said
            .size
            .map_or_else(|| header.size(), Ok)
            .map_err(damage)?;
        let modified = said.modified.or(self.global_modified);
        let member = Member {
            kind,
            link: said.link.or(long_link).unwrap_or_else(|| header.link()),
            size,
            mode: header.mode().map_err(damage)?,
            modified: modified
                .map_or_else(|| header.modified(), Ok)
                .map_err(damage)?,
            name,
        };
        if kind != Kind::File && member.size > 0 {
            return Err(MemberFault::Contents.of(&member.name));
        }
        self.expect_contents(member.size);
        Ok(member)
    }

    /// Behind the block of zeros come only more of them. To the very end, for what gzip's own trailer has to say.
    fn end(&mut self, is_promised: bool) -> Result<Option<Member>, UnpackError> {
        if is_promised {
            return Err(self.source.damage(Damage::Headers));
        }
        let start = self.source.offset();
        loop {
            let at = self.source.offset();
            let piece = self.source.piece(u64::MAX)?;
            if piece.is_empty() {
                return Ok(None);
            }
            if piece.iter().any(|byte| *byte != 0) || at - start > limits::TAR_PADDING_BYTES {
                let damage = Damage::Trailing;
                return Err(UnpackError::Damaged { at, damage });
            }
        }
    }
}

/// What `letter` says a member is. Before there were directories, a slash at the end told them.
fn kind(letter: u8, has_slash: bool) -> Result<Kind, MemberFault> {
    match letter {
        b'0' | 0 | b'7' if has_slash => Ok(Kind::Directory),
        b'0' | 0 | b'7' => Ok(Kind::File),
        b'1' => Ok(Kind::HardLink),
        b'2' => Ok(Kind::Link),
        b'5' => Ok(Kind::Directory),
        b'3' | b'4' | b'6' => Err(MemberFault::Special),
        b'S' => Err(MemberFault::Sparse),
        _ => Err(MemberFault::Unsupported {
            letter: char::from(letter),
        }),
    }
}
