//! Whether a pattern is well-formed: what Go's filepath.Match refuses, the docker CLI refuses. It is asked whether the
//! pattern matches `.`, and notices a mistake only as far as it had to read for the answer: `[-x]` is refused and
//! `a*[-x]` is not. So that question is answered here in the same way.
#![forbid(unsafe_code)]

use super::text::rune;

/// What is no pattern.
struct Malformed;

/// Whether Go's filepath.Match takes `pattern`, asked about `.`.
pub(super) fn is_accepted(pattern: &[u8]) -> bool {
    compare(pattern, b".").is_ok()
}

fn compare(mut pattern: &[u8], mut name: &[u8]) -> Result<(), Malformed> {
    while !pattern.is_empty() {
        let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
        pattern = &pattern[stars..];
        let (chunk, rest) = pattern.split_at(chunk_length(pattern));
        if stars > 0 && chunk.is_empty() {
            return Ok(());
        }
        pattern = rest;
        // A star may skip the one character that there is.
        let starts = if stars > 0 { name.len() + 1 } else { 1 };
        let mut after = None;
        for start in 0..starts {
            let found = after_chunk(chunk, &name[start..])?;
            after = found.filter(|after| after.is_empty() || !pattern.is_empty());
            if after.is_some() {
                break;
            }
        }
        match after {
            Some(after) => name = after,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Up to the next star outside of brackets. These brackets are counted more simply than those of [`class`], as in Go.
fn chunk_length(pattern: &[u8]) -> usize {
    let mut in_brackets = false;
    let mut position = 0;
    while position < pattern.len() {
        match pattern[position] {
            b'\\' => position += 1,
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            b'*' if !in_brackets => return position,
            _ => {}
        }
        position += 1;
    }
    pattern.len()
}

/// What `chunk`, which has no star, leaves of `name`. All of it is read, also when it cannot match any more.
fn after_chunk<'a>(mut chunk: &[u8], name: &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
    let mut left = Some(name);
    while let Some((first, mut rest)) = chunk.split_first() {
        let next = left.and_then(rune);
        let matches = match first {
            b'[' => {
                let (after, matches) = class(rest, next.map(|(rune, _)| rune))?;
                rest = after;
                matches
            }
            b'?' => next.is_some_and(|(rune, _)| rune != '/'),
            b'\\' => {
                let (escaped, after) = rest.split_first().ok_or(Malformed)?;
                rest = after;
                left.is_some_and(|left| left.first() == Some(escaped))
            }
            byte => left.is_some_and(|left| left.first() == Some(byte)),
        };
        // All that is ever asked about is ASCII: a character is a byte.
        left = left.filter(|_| matches).and_then(|left| left.get(1..));
        chunk = rest;
    }
    Ok(left)
}

/// What follows the class whose `[` is already read, and whether `asked` is in it.
fn class(mut rest: &[u8], asked: Option<char>) -> Result<(&[u8], bool), Malformed> {
    let is_negated = rest.starts_with(b"^");
    rest = &rest[usize::from(is_negated)..];
    let mut is_first = true;
    let mut is_in = false;
    loop {
        if !is_first && rest.first() == Some(&b']') {
            return Ok((&rest[1..], asked.is_some() && is_in != is_negated));
        }
        is_first = false;
        let (low, after) = member(rest)?;
        let (high, after) = match after.strip_prefix(b"-") {
            Some(after) => member(after)?,
            None => (low, after),
        };
        rest = after;
        is_in |= asked.is_some_and(|asked| (low..=high).contains(&asked));
    }
}

/// One member of a class and what follows; that is never empty, the class has to be closed.
fn member(rest: &[u8]) -> Result<(char, &[u8]), Malformed> {
    if matches!(rest.first(), None | Some(b'-' | b']')) {
        return Err(Malformed);
    }
    let rest = rest.strip_prefix(b"\\").unwrap_or(rest);
    let (member, length) = rune(rest).ok_or(Malformed)?;
    let is_broken = member == char::REPLACEMENT_CHARACTER && length == 1;
    let rest = &rest[length..];
    if is_broken || rest.is_empty() {
        return Err(Malformed);
    }
    Ok((member, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_and_bad() {
        for good in [
            "", "*", "a]", "[a]", "[^a-z]", "[\\]]", "[\\-x]", "a\\[", "[a*]", "x", "[z-a]",
            "**/[ab]*", "[!a]", "[[]", "\\*", "[a\\]*]",
        ] {
            assert!(is_accepted(good.as_bytes()), "{good}");
        }
        for bad in [
            "[",
            "[]",
            "[]a]",
            "[^]",
            "[a",
            "a\\",
            "[-a]",
            "[a-]",
            "[a-",
            "[^]a]",
            "[\\",
            "*[b",
            "?*[b",
            ".*\\",
            "[.]*[",
            "[]*]",
            "[^a]*[-b]",
        ] {
            assert!(!is_accepted(bad.as_bytes()), "{bad}");
        }
        // Never read so far.
        for good in ["x*[", "[a]*[b", "a*[-b]", "a*\\"] {
            assert!(is_accepted(good.as_bytes()), "{good}");
        }
        assert!(!is_accepted(b"[\xff]"));
        assert!(is_accepted(b"\xff"));
    }
}
