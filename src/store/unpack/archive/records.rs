//! PAX records, `length key=value\n` each, taken by their length: a value may have newlines in it, and a reader that
//! splits there sees records that are none. POSIX.1-2008, pax.
#![forbid(unsafe_code)]

use super::super::error::Damage;

/// Digits of a record's length; more would be longer than all records may be.
const LENGTH_DIGITS: usize = 7;

/// What records can say about a member. Empty values count as nothing said.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) modified: Option<i64>,
    pub(super) is_sparse: bool,
}

impl Said {
    /// Adds what `body` says; the last word counts.
    pub(super) fn add(&mut self, mut body: &[u8]) -> Result<(), Damage> {
        while !body.is_empty() {
            let (key, value, rest) = split(body).ok_or(Damage::Records)?;
            self.record(key, value)?;
            body = rest;
        }
        Ok(())
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), Damage> {
        let some = |value: &[u8]| (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" => self.path = some(value),
            b"linkpath" => self.link = some(value),
            b"size" => {
                let size = decimal(value).and_then(|size| u64::try_from(size).ok());
                self.size = Some(size.ok_or(Damage::Number)?);
            }
            b"mtime" => self.modified = Some(time(value).ok_or(Damage::Number)?),
            _ => self.is_sparse |= key.starts_with(b"GNU.sparse."),
        }
        Ok(())
    }
}

/// The first record's key and value, and what is behind it.
fn split(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let digits = body.iter().position(|byte| *byte == b' ')?;
    if digits > LENGTH_DIGITS || !body[..digits].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length = usize::try_from(decimal(&body[..digits])?).ok()?;
    let (record, rest) = body.split_at_checked(length)?;
    let record = record.get(digits + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (&record[..equals], &record[equals + 1..]);
    (!key.is_empty()).then_some((key, value, rest))
}

fn decimal(text: &[u8]) -> Option<i64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whole seconds, rounded down.
fn time(text: &[u8]) -> Option<i64> {
    let (is_negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let dot = text.iter().position(|byte| *byte == b'.');
    let (seconds, fraction) = text.split_at(dot.unwrap_or(text.len()));
    let fraction = fraction.get(1..).unwrap_or_default();
    let seconds = decimal(seconds)?;
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let is_whole = fraction.iter().all(|digit| *digit == b'0');
    Some(match (is_negative, is_whole) {
        (false, _) => seconds,
        (true, true) => -seconds,
        (true, false) => -seconds - 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &[u8]) -> Result<Said, Damage> {
        let mut said = Said::default();
        said.add(body).map(|()| said)
    }

    #[test]
    fn records_are_taken_by_their_length() {
        let records = b"31 comment=x\n17 path=../evil\nx\n9 path=a\n15 mtime=-1.50\n";
        let said = said(records).unwrap();
        assert_eq!(said.path.unwrap(), b"a");
        assert_eq!(said.modified, Some(-2));
    }

    #[test]
    fn what_is_no_record_is_told() {
        for body in [
            b"13 path=a=b/c\n\0".as_slice(),
            b"11 path=abc",
            b"99 path=abc\n",
            b"10 path=abc\n",
            b"13 path=abc\n",
            b"3 =\n",
            b"4 =\n",
            b"4 a\n",
            b" path=a\n",
            b"9path=a\n",
            b"99999999 path=a\n",
            b"0 ",
            b"1",
        ] {
            assert_eq!(said(body).unwrap_err(), Damage::Records, "{body:?}");
        }
        for body in [
            b"11 size=0x\n".as_slice(),
            b"12 size=-10\n",
            b"12 mtime=no\n",
        ] {
            assert_eq!(said(body).unwrap_err(), Damage::Number, "{body:?}");
        }
        assert!(said(b"").is_ok() && said(b"5 a=\n").is_ok());
        assert!(said(b"22 GNU.sparse.major=1\n").unwrap().is_sparse);
    }
}
