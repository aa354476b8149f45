//! `tmpfs`: `docker run --tmpfs`, `/run` or `/run:rw,size=64m`. The options are mount(8)'s; the engine knows them.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap};

use super::error::{SpecError, quote};
use super::volumes::{already_mounted, check_target, clean};

/// Reads the field: options by path. `mounted` says which item of `volumes` is mounted where.
pub(super) fn mount(
    texts: &[String],
    mounted: &HashMap<String, usize>,
) -> Result<BTreeMap<String, String>, SpecError> {
    let mut all = BTreeMap::new();
    for (index, text) in texts.iter().enumerate() {
        let (path, options) = text.split_once(':').unwrap_or((text, ""));
        check(path, options, mounted).map_err(|reason| {
            SpecError::item("tmpfs", index, format!("is {}: {reason}", quote(text)))
        })?;
        all.insert(path.to_owned(), options.to_owned());
    }
    Ok(all)
}

fn check(path: &str, options: &str, mounted: &HashMap<String, usize>) -> Result<(), String> {
    check_target(path)?;
    if path.contains('\0') || options.contains('\0') {
        return Err("it has a NUL character".to_owned());
    }
    match mounted.get(&clean(path)) {
        Some(index) => Err(already_mounted(*index)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{create, refusal};

    #[test]
    fn becomes_options_by_path() {
        let texts = json!([
            "/run",
            "/tmp:rw,size=64m,mode=1777",
            "/x:mpol=bind:static:0"
        ]);
        assert_eq!(
            create(&json!({ "tmpfs": texts }))["HostConfig"]["Tmpfs"],
            json!({"/run": "", "/tmp": "rw,size=64m,mode=1777", "/x": "mpol=bind:static:0"})
        );
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, message) in [
            ("", "is ``: the container path `` is not absolute"),
            ("run", "is `run`: the container path `run` is not absolute"),
            (
                ":size=5m",
                "is `:size=5m`: the container path `` is not absolute",
            ),
            ("/", "is `/`: the container path cannot be `/`"),
            (
                "/data/",
                "is `/data/`: `volumes[0]` is mounted there already",
            ),
            ("/a\0", "is `/a\\u{0}`: it has a NUL character"),
        ] {
            let refusal = refusal(&json!({"tmpfs": ["/run", text], "volumes": ["/a:/data"]}));
            assert_eq!(refusal, format!("field `tmpfs[1]` {message}"));
        }
    }
}
