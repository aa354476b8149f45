//! What is to be done with an archive, as the query says it.
#![forbid(unsafe_code)]

use crate::api::query::Query;
use crate::api::{ApiError, Context};
use crate::limits;
use crate::store::jail::JailError;
use crate::store::unpack::{Links, Mode, Options};
use crate::store::uploads::Terms;

/// The terms in `query`, as texts.
pub(super) fn of_query(query: &Query) -> Terms {
    let text = |name: &str| query.text(name).map(str::to_owned);
    Terms {
        extract_path: text("extract_path"),
        mode: text("mode"),
        sha256: text("sha256"),
        strip_components: text("strip_components"),
        links: text("links"),
    }
}

/// The directory and the way to unpack into it.
pub(super) fn read(context: &Context, terms: &Terms) -> Result<(String, Options), ApiError> {
    let Some(path) = terms.extract_path.clone() else {
        return Err(ApiError::parameter("extract_path", "is required"));
    };
    let options = Options {
        mode: mode(terms.mode.as_deref())?,
        links: links(terms.links.as_deref())?,
        strip_components: strip(terms.strip_components.as_deref())?,
        expected_sha256: terms.sha256.as_deref().map(sha256).transpose()?,
        reserve: context.spool.reserve,
        state: context.spool.directory.clone(),
    };
    Ok((path, options))
}

/// Refuses a path where nothing may ever be unpacked. What else there is to say about it is said when the set is there:
/// until then it may change, and of a set that was unpacked nothing depends on it any more.
pub(super) fn check_path(context: &Context, path: &str) -> Result<(), ApiError> {
    match context.jail.destination(path) {
        Err(
            error @ (JailError::NotAbsolute { .. }
            | JailError::Nul { .. }
            | JailError::TooLong { .. }
            | JailError::Reserved { .. }
            | JailError::Outside { .. }),
        ) => Err(error.into()),
        _ => Ok(()),
    }
}

fn mode(text: Option<&str>) -> Result<Mode, ApiError> {
    match text {
        None | Some("merge") => Ok(Mode::Merge),
        Some("replace") => Ok(Mode::Replace),
        Some(_) => Err(ApiError::parameter("mode", "must be `merge` or `replace`")),
    }
}

fn links(text: Option<&str>) -> Result<Links, ApiError> {
    match text {
        None | Some("inside") => Ok(Links::Inside),
        Some("any") => Ok(Links::Any),
        Some(_) => Err(ApiError::parameter("links", "must be `inside` or `any`")),
    }
}

fn strip(text: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = text else {
        return Ok(0);
    };
    // parse takes a leading plus, people do not write one.
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let most = limits::TREE_DEPTH;
    match text.parse::<u32>() {
        Ok(parts) if is_digits && parts as usize <= most => Ok(parts),
        _ => Err(ApiError::parameter(
            "strip_components",
            &format!("must be a whole number from 0 to {most}"),
        )),
    }
}

fn sha256(text: &str) -> Result<[u8; 32], ApiError> {
    let wrong = || ApiError::parameter("sha256", "must be 64 hexadecimal digits");
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    let mut sum = [0; 32];
    for (byte, pair) in sum.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_named() {
        assert_eq!(mode(Some("replace")).unwrap(), Mode::Replace);
        assert_eq!(links(Some("any")).unwrap(), Links::Any);
        assert_eq!(strip(Some("12")).unwrap(), 12);
        assert_eq!(sha256(&"0F".repeat(32)).unwrap(), [15; 32]);
        for error in [
            mode(Some("Merge")).unwrap_err(),
            links(Some("all")).unwrap_err(),
            strip(Some("+1")).unwrap_err(),
            strip(Some("257")).unwrap_err(),
            strip(Some("99999999999")).unwrap_err(),
            sha256("").unwrap_err(),
            sha256(&"0g".repeat(32)).unwrap_err(),
            sha256(&"é".repeat(32)).unwrap_err(),
        ] {
            assert_eq!(error.status(), 400);
            assert!(error.to_string().starts_with("parameter `"), "{error}");
        }
    }
}
