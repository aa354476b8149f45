//! Where a member goes: its name as the names below the target, separated by single slashes. Decided by the text alone,
//! which is enough because nothing is ever written through a link.
#![forbid(unsafe_code)]

use super::MemberFault;
use crate::limits;

/// The place of the member called `name`, without its first `strip` parts; empty for the target itself. None, when
/// nothing of the name is left.
pub(super) fn place(name: &[u8], strip: u32) -> Result<Option<Vec<u8>>, MemberFault> {
    let whole = normal(name)?;
    if strip == 0 {
        return Ok(Some(whole));
    }
    // As GNU tar counts, where `./` is a part too.
    let mut rest = name;
    for _ in 0..strip {
        let Some(slash) = rest.iter().position(|byte| *byte == b'/') else {
            return Ok(None);
        };
        rest = &rest[slash..];
        while let Some(shorter) = rest.strip_prefix(b"/") {
            rest = shorter;
        }
    }
    if rest.is_empty() {
        return Ok(None);
    }
    normal(rest).map(Some)
}

fn normal(name: &[u8]) -> Result<Vec<u8>, MemberFault> {
    match name {
        [] => return Err(MemberFault::Nameless),
        [b'/', ..] => return Err(MemberFault::Absolute),
        _ if name.contains(&0) => return Err(MemberFault::Nul),
        _ if name.len() > limits::PATH_BYTES => return Err(MemberFault::TooLong),
        _ => {}
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop().ok_or(MemberFault::Climbs)?),
            _ if part.len() > limits::NAME_BYTES => return Err(MemberFault::TooLong),
            _ if parts.len() == limits::TREE_DEPTH => return Err(MemberFault::TooDeep),
            _ => parts.push(part),
        }
    }
    Ok(parts.join(&b'/'))
}

/// The directory of `place`, empty for the target itself, and the last name.
pub(super) fn split(place: &[u8]) -> (&[u8], &[u8]) {
    match place.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&place[..slash], &place[slash + 1..]),
        None => (b"", place),
    }
}

/// The names of `place`.
pub(super) fn parts(place: &[u8]) -> impl Iterator<Item = &[u8]> {
    place
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_placed_and_stripped() {
        for (name, strip, expected) in [
            ("a/b", 0, Ok(Some("a/b"))),
            ("./a//b/./", 0, Ok(Some("a/b"))),
            ("./", 0, Ok(Some(""))),
            ("a/../b", 0, Ok(Some("b"))),
            ("a/..", 0, Ok(Some(""))),
            ("a/../../b", 0, Err(MemberFault::Climbs)),
            ("..", 0, Err(MemberFault::Climbs)),
            ("/a", 0, Err(MemberFault::Absolute)),
            ("", 0, Err(MemberFault::Nameless)),
            ("a\0b", 0, Err(MemberFault::Nul)),
            ("a/b", 1, Ok(Some("b"))),
            ("./a/b", 1, Ok(Some("a/b"))),
            ("a//b/c", 2, Ok(Some("c"))),
            ("a/", 1, Ok(None)),
            ("a", 1, Ok(None)),
            ("a/b", 9, Ok(None)),
            ("../a", 1, Err(MemberFault::Climbs)),
            ("a/../b", 1, Err(MemberFault::Climbs)),
            ("/a/b", 1, Err(MemberFault::Absolute)),
        ] {
            let expected = expected.map(|place| place.map(|place| place.as_bytes().to_vec()));
            assert_eq!(place(name.as_bytes(), strip), expected, "{name} {strip}");
        }
        let deep = "d/".repeat(limits::TREE_DEPTH);
        assert!(place(deep.as_bytes(), 0).is_ok());
        let deeper = format!("{deep}d");
        assert_eq!(place(deeper.as_bytes(), 0), Err(MemberFault::TooDeep));
        assert_eq!(place(&[b'n'; 256], 0), Err(MemberFault::TooLong));
        assert_eq!(place(&b"n/".repeat(2049), 0), Err(MemberFault::TooLong));
    }
}
