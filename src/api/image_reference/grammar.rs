//! The grammar of a reference's parts.
#![forbid(unsafe_code)]

/// Most bytes of a tag, as registries have it.
const MAX_TAG_BYTES: usize = 128;
/// Digests that registries know: the algorithm and its number of hex digits.
const DIGESTS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// `host`, `host:port` or `[::1]:port`.
pub(super) fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (domain, None),
    };
    let port_fits =
        port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let host_fits = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(is_host_label),
    };
    port_fits && host_fits
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Runs of letters and digits, between them `.`, `_`, `__` or any number of `-`.
pub(super) fn is_path_component(component: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    bytes.first().is_some_and(is_word)
        && bytes.last().is_some_and(is_word)
        && bytes
            .chunk_by(|left, right| is_word(left) == is_word(right))
            .all(|run| {
                run.first().is_some_and(is_word)
                    || matches!(run, b"." | b"_" | b"__")
                    || run.iter().all(|byte| *byte == b'-')
            })
}

/// What may stand after the colon.
pub(super) fn is_tag(tag: &str) -> bool {
    tag.len() <= MAX_TAG_BYTES
        && !tag.is_empty()
        && !tag.starts_with(['.', '-'])
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// What may stand after the `@`.
pub(super) fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        DIGESTS
            .iter()
            .any(|(name, digits)| *name == algorithm && is_hex(hex, *digits))
    })
}

/// Exactly that many lower-case hex digits.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
