//! `cap_add` and `cap_drop`: names of capabilities in any case, with or without `CAP_`, or `ALL`.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::error::{SpecError, quote};

/// Reads the field `field`. Which capabilities exist, the engine's kernel knows.
pub(super) fn read(field: &str, names: &[String]) -> Result<BTreeSet<String>, SpecError> {
    let mut all = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let Some(full) = full_name(name) else {
            let what = format!(
                "is {}; expected a capability such as `NET_ADMIN`, or `ALL`",
                quote(name)
            );
            return Err(SpecError::item(field, index, what));
        };
        all.insert(full);
    }
    Ok(all)
}

fn full_name(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    if upper == "ALL" {
        return Some(upper);
    }
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let fits = bare.starts_with(|letter: char| letter.is_ascii_uppercase())
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    fits.then(|| format!("CAP_{bare}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{create, refusal};

    #[test]
    fn names_are_made_whole() {
        let created = create(&json!({
            "cap_add": ["net_admin", "CAP_SYS_TIME", "Cap_Net_Admin"],
            "cap_drop": ["all"]
        }));
        assert_eq!(
            created["HostConfig"]["CapAdd"],
            json!(["CAP_NET_ADMIN", "CAP_SYS_TIME"])
        );
        assert_eq!(created["HostConfig"]["CapDrop"], json!(["ALL"]));
    }

    #[test]
    fn refuses_with_a_reason() {
        for name in ["", "CAP_", "net admin", "NET-ADMIN", "1X", "é"] {
            let message = refusal(&json!({"cap_drop": ["ALL", name]}));
            assert_eq!(
                message,
                format!(
                    "field `cap_drop[1]` is `{name}`; expected a capability such as `NET_ADMIN`, or `ALL`"
                )
            );
        }
    }
}
