//! `name`, `hostname`, `user` and `workdir`.
#![forbid(unsafe_code)]

use super::error::{SpecError, quote, refuse_nul};

/// Most bytes of a host name: the kernel's.
const MAX_HOSTNAME_BYTES: usize = 64;

/// The engine's rule for containers and volumes: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
pub(super) fn is_restricted_name(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Reads `name`. The slash in front that the engine's own listings have may stand.
pub(super) fn read_name(text: &str) -> Result<String, SpecError> {
    let name = text.strip_prefix('/').unwrap_or(text);
    if is_restricted_name(name) {
        return Ok(name.to_owned());
    }
    let expected =
        "expected at least two of letters, digits, `_`, `.` and `-`, the first a letter or digit";
    Err(SpecError::field(
        "name",
        format!("is {}; {expected}", quote(text)),
    ))
}

/// Reads `hostname`. The engine takes any text; the kernel refuses the long at start, and one with white space would be
/// several words or lines of the container's `/etc/hosts`.
pub(super) fn read_hostname(text: &str) -> Result<(), SpecError> {
    let fits = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if fits && text.len() <= MAX_HOSTNAME_BYTES {
        return Ok(());
    }
    let what = format!(
        "is {}; expected at most 64 letters, digits, `-`, `_` and `.`",
        quote(text)
    );
    Err(SpecError::field("hostname", what))
}

/// Reads `user`: a name or number, perhaps with a group. Whether the image knows it, the engine says at start.
pub(super) fn read_user(text: &str) -> Result<(), SpecError> {
    refuse_nul("user", text)
}

/// Reads `workdir`.
pub(super) fn read_workdir(text: &str) -> Result<(), SpecError> {
    if !text.starts_with('/') {
        return Err(SpecError::field(
            "workdir",
            format!("is {}; expected an absolute path", quote(text)),
        ));
    }
    refuse_nul("workdir", text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{create, plan, refusal};
    use super::*;

    #[test]
    fn names() {
        for (given, name) in [("web", "web"), ("/web_1.x-y", "web_1.x-y"), ("1a", "1a")] {
            assert_eq!(
                plan(&json!({"name": given})).unwrap().name.as_deref(),
                Some(name)
            );
        }
        assert_eq!(plan(&json!({"name": null})).unwrap().name, None);
        for bad in [
            "", "a", "/", "//web", "-web", ".web", "we b", "wé", "a/b", "web\n",
        ] {
            let message = refusal(&json!({"name": bad}));
            assert!(
                message.starts_with(&format!("field `name` is {}; expected", quote(bad))),
                "{message}"
            );
        }
    }

    #[test]
    fn host_names() {
        let longest = "a".repeat(64);
        for name in ["web", "web.example.com", "a_b-c", &longest] {
            assert_eq!(create(&json!({"hostname": name}))["Hostname"], name);
        }
        let too_long = "a".repeat(65);
        for bad in ["a b", "a\nb", "wé", "a/b", &too_long] {
            let message = refusal(&json!({"hostname": bad}));
            assert!(message.starts_with("field `hostname` is `"), "{message}");
        }
    }

    #[test]
    fn users() {
        assert_eq!(create(&json!({"user": 1000}))["User"], "1000");
        assert_eq!(create(&json!({"user": "app:www"}))["User"], "app:www");
        assert!(refusal(&json!({"user": "a\0"})).starts_with("field `user` has a NUL"));
        assert!(
            refusal(&json!({"user": true}))
                .starts_with("field `user`: invalid type: boolean `true`")
        );
    }

    #[test]
    fn work_directories() {
        assert_eq!(create(&json!({"workdir": "/app"}))["WorkingDir"], "/app");
        assert_eq!(
            refusal(&json!({"workdir": "app"})),
            "field `workdir` is `app`; expected an absolute path"
        );
        assert!(refusal(&json!({"workdir": "/a\0"})).starts_with("field `workdir` has a NUL"));
    }

    #[test]
    fn an_empty_text_says_nothing() {
        let created = create(&json!({"hostname": "", "user": "", "workdir": ""}));
        assert_eq!(created, json!({"Image": "app:1"}));
    }
}
