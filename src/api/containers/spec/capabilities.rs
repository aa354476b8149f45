//! `cap_add` and `cap_drop`: names of capabilities in any case, with or without `CAP_`, or `ALL`.
#![forbid(unsafe_code)]

use super::error::{SpecError, quote};

/// Reads the field `field`. Which capabilities exist, the engine's kernel knows.
pub(super) fn read(field: &str, names: &[String]) -> Result<Vec<String>, SpecError> {
    let mut all = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let Some(full) = full_name(name) else {
            let what = format!(
                "is {}; expected a capability such as `NET_ADMIN`, or `ALL`",
                quote(name)
            );
            return Err(SpecError::item(field, index, what));
        };
        if !all.contains(&full) {
            all.push(full);
        }
    }
    Ok(all)
}

fn full_name(name: &str) -> Option<String> {
    let upper = name.trim().to_ascii_uppercase();
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let fits = bare.starts_with(|letter: char| letter.is_ascii_uppercase())
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    fits.then(|| {
        if bare == "ALL" {
            upper.clone()
        } else {
            format!("CAP_{bare}")
        }
    })
}
