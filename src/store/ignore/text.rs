//! Text as Go sees it: bytes that are runes where they are UTF-8, and U+FFFD byte by byte where they are not.
#![forbid(unsafe_code)]

/// The rune at the start of `bytes` and its length. Nothing at the end.
pub(super) fn rune(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii() {
        return Some((char::from(first), 1));
    }
    let whole = (2..=4).filter_map(|length| bytes.get(..length));
    for part in whole {
        if let Ok(text) = std::str::from_utf8(part) {
            return text.chars().next().map(|rune| (rune, part.len()));
        }
    }
    Some((char::REPLACEMENT_CHARACTER, 1))
}

/// The runes of `bytes`.
pub(super) fn runes(mut bytes: &[u8]) -> impl Iterator<Item = char> {
    std::iter::from_fn(move || {
        let (rune, length) = rune(bytes)?;
        bytes = &bytes[length..];
        Some(rune)
    })
}

/// strings.TrimSpace: Unicode's white space at both ends.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let Some((first, length)) = rune(bytes)
        && first.is_whitespace()
    {
        bytes = &bytes[length..];
    }
    let mut end = 0;
    let mut position = 0;
    while let Some((next, length)) = rune(&bytes[position..]) {
        position += length;
        if !next.is_whitespace() {
            end = position;
        }
    }
    &bytes[..end]
}

/// path.Clean: the shortest name for the same path, going by the text alone.
pub(super) fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_is_gos() {
        for (path, cleaned) in [
            ("", "."),
            ("a/", "a"),
            ("./a//b/.", "a/b"),
            ("a/../..", ".."),
            ("../../a", "../../a"),
            ("/..", "/"),
            ("//a/../b", "/b"),
            ("a/..", "."),
            ("!a/../b", "b"),
            ("..a", "..a"),
        ] {
            assert_eq!(clean(path.as_bytes()), cleaned.as_bytes(), "{path}");
        }
    }

    #[test]
    fn broken_utf8_is_a_rune_a_byte() {
        let text: String = runes(b"a\xe2\x82b\xc3\xa9\xff").collect();
        assert_eq!(text, "a\u{fffd}\u{fffd}b\u{e9}\u{fffd}");
        assert_eq!(trim(b"\xc2\xa0 a b\xff\t\xe3\x80\x80"), b"a b\xff");
        assert_eq!(trim(b" \t"), b"");
    }
}
