//! One header block: the fields at their places, checked. POSIX.1-1988 (ustar), the older form without magic, and GNU's.
#![forbid(unsafe_code)]

use super::super::error::Damage;

/// Everything in a tar is padded to this.
pub(super) const BLOCK: usize = 512;

const CHECKSUM: std::ops::Range<usize> = 148..156;
/// POSIX. GNU's is `ustar  \0`, and has other things where POSIX has the prefix.
const POSIX_MAGIC: &[u8] = b"ustar\0";

/// A block whose checksum is right.
pub(super) struct Header<'b>(&'b [u8; BLOCK]);

impl<'b> Header<'b> {
    pub(super) fn parse(block: &'b [u8; BLOCK]) -> Result<Self, Damage> {
        let told = number(&block[CHECKSUM]).ok_or(Damage::Checksum)?;
        let header = Self(block);
        // Old writers added the bytes as signed ones, which differs when a name is not ASCII.
        let unsigned = header.sum(i64::from);
        let signed = header.sum(|byte| i64::from(byte.cast_signed()));
        if told == unsigned || told == signed {
            Ok(header)
        } else {
            Err(Damage::Checksum)
        }
    }

    fn sum(&self, value: impl Fn(u8) -> i64) -> i64 {
        let bytes = self.0.iter().enumerate();
        bytes
            .map(|(at, byte)| {
                if CHECKSUM.contains(&at) {
                    i64::from(b' ')
                } else {
                    value(*byte)
                }
            })
            .sum()
    }

    pub(super) fn letter(&self) -> u8 {
        self.0[156]
    }

    pub(super) fn size(&self) -> Result<u64, Damage> {
        let size = number(&self.0[124..136]).ok_or(Damage::Number)?;
        u64::try_from(size).map_err(|_| Damage::Number)
    }

    /// The nine permissions; setuid, setgid, sticky and whatever else is there are left out.
    pub(super) fn mode(&self) -> Result<u16, Damage> {
        let mode = number(&self.0[100..108]).ok_or(Damage::Number)?;
        u16::try_from(mode & 0o777).map_err(|_| Damage::Number)
    }

    pub(super) fn modified(&self) -> Result<i64, Damage> {
        number(&self.0[136..148]).ok_or(Damage::Number)
    }

    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        let prefix = text(&self.0[345..500]);
        if self.0[257..].starts_with(POSIX_MAGIC) && !prefix.is_empty() {
            [prefix, b"/", name].concat()
        } else {
            name.to_vec()
        }
    }

    pub(super) fn link(&self) -> Vec<u8> {
        text(&self.0[157..257]).to_vec()
    }
}

/// A field up to its NUL, if it has one.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0);
    &field[..end.unwrap_or(field.len())]
}

/// A number in octal digits, or GNU's way for those that do not fit: the first bit set, and the rest in two's complement.
fn number(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 == 0 {
        return octal(field);
    }
    // Twelve bytes at most, so this cannot overflow.
    let sign = if first & 0x40 == 0 { 0 } else { -0x40 };
    let start = i128::from(first & 0x3f) + sign;
    let value = rest
        .iter()
        .fold(start, |value, byte| (value << 8) | i128::from(*byte));
    i64::try_from(value).ok()
}

fn octal(field: &[u8]) -> Option<i64> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| *byte != b' ');
    let digits = &field[start.unwrap_or(field.len())..];
    let end = digits.iter().position(is_blank).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if !rest.iter().all(is_blank) {
        return None;
    }
    digits.iter().try_fold(0, |value, digit| match digit {
        b'0'..=b'7' => Some(value * 8 + i64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_ways() {
        for (field, value) in [
            (b"00000000644\0".as_slice(), Some(0o644)),
            (b"        644 ", Some(0o644)),
            (b"777777777777", Some(0o7777_7777_7777)),
            (&[0; 12], Some(0)),
            (b"            ", Some(0)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", Some(256)),
            (
                b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
                Some(i64::MAX),
            ),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe",
                Some(-2),
            ),
            (b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"-1", None),
            (b"0000064x\0", None),
            (b"00000064\08", None),
            (b"0008", None),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }
}
