//! The file of a time zone: RFC 8536, section 3. Only what tells offsets is looked at: no names, no leap seconds.
#![forbid(unsafe_code)]

use super::Zone;
use super::rule::Rule;

/// Bytes of a header: magic, version, 15 reserved ones and six counts.
const HEADER_BYTES: usize = 44;

/// How many there are of each thing in a block.
struct Counts {
    utc_marks: usize,
    standard_marks: usize,
    leaps: usize,
    changes: usize,
    types: usize,
    name_bytes: usize,
}

/// Takes `bytes` apart; `None` when they are no zone.
pub(super) fn parse(bytes: &[u8]) -> Option<Zone> {
    let mut reader = Reader(bytes);
    let (version, counts) = reader.header()?;
    if version == 0 {
        return reader.block(&counts, 4);
    }
    // The second block has the same with eight bytes a time, and a rule for what comes after.
    reader.take(counts.bytes(4)?)?;
    let (_, counts) = reader.header()?;
    let mut zone = reader.block(&counts, 8)?;
    let footer = reader.0.strip_prefix(b"\n")?;
    let end = footer.iter().position(|byte| *byte == b'\n')?;
    let text = std::str::from_utf8(&footer[..end]).ok()?;
    if !text.is_empty() {
        zone.rule = Some(Rule::parse(text)?);
    }
    Some(zone)
}

impl Counts {
    fn bytes(&self, time_bytes: usize) -> Option<usize> {
        let times = self.changes.checked_mul(time_bytes + 1)?;
        let leaps = self.leaps.checked_mul(time_bytes + 4)?;
        times
            .checked_add(self.types.checked_mul(6)?)?
            .checked_add(self.name_bytes)?
            .checked_add(leaps)?
            .checked_add(self.standard_marks)?
            .checked_add(self.utc_marks)
    }
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn header(&mut self) -> Option<(u8, Counts)> {
        let header = self.take(HEADER_BYTES)?;
        let counts = header.strip_prefix(b"TZif")?.get(16..)?;
        let mut counts = counts.chunks_exact(4).map(number);
        let mut next = || usize::try_from(counts.next()??).ok();
        let counts = Counts {
            utc_marks: next()?,
            standard_marks: next()?,
            leaps: next()?,
            changes: next()?,
            types: next()?,
            name_bytes: next()?,
        };
        Some((header[4], counts))
    }

    fn block(&mut self, counts: &Counts, time_bytes: usize) -> Option<Zone> {
        let mut block = Reader(self.take(counts.bytes(time_bytes)?)?);
        let times = block.take(counts.changes * time_bytes)?;
        let kinds = block.take(counts.changes)?;
        let types = block.take(counts.types * 6)?;
        let offset = |kind: usize| i32::try_from(number(types.get(kind * 6..kind * 6 + 4)?)?).ok();
        let times = times.chunks_exact(time_bytes).map(number);
        let changes = times.zip(kinds);
        Some(Zone {
            first: offset(0)?,
            changes: changes
                .map(|(time, kind)| Some((time?, offset(usize::from(*kind))?)))
                .collect::<Option<_>>()?,
            rule: None,
        })
    }
}

/// A signed number in four or eight bytes, the highest first.
fn number(bytes: &[u8]) -> Option<i64> {
    match bytes.len() {
        4 => Some(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        8 => Some(i64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_file_is_none() {
        let whole = std::fs::read("/usr/share/zoneinfo/Europe/Berlin").unwrap();
        assert!(parse(&whole).is_some_and(|zone| zone.changes.len() > 50));
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in 0usize..2000, byte: u8, moment: i64) {
            let mut bytes = std::fs::read("/usr/share/zoneinfo/America/Havana").unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Some(zone) = parse(&bytes) {
                zone.offset_at(moment / 1000);
            }
        }
    }
}
