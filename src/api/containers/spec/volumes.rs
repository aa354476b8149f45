//! `volumes`: `docker run -v`, `source:target[:options]` or a bare target for an anonymous volume. The engine is given
//! the text itself; here it is only checked, so that every refusal names the field.
//!
//! A source is an absolute host path or a volume's name. More is refused than the CLI refuses:
//! - `./data`, as the engine does. The CLI completes it with the directory it is called in; the agent has none that the
//!   client knows. `~` is the shell's business.
//! - `data` alone, which the CLI hands on as an anonymous volume's path, to be mounted somewhere relative; and `/` alone.
//! - `d:/data`: the CLI sees a Windows drive and makes the whole text such a path. The engine has no volume names of one
//!   letter.
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashMap};

use super::error::{SpecError, quote};
use super::identity::is_restricted_name;

/// The form, for messages.
const EXPECTED: &str =
    "expected `/host/path:/path`, `volume:/path` or `/path`, the first two with an optional `:ro`";

/// Options of which one may be given, by what they are about.
const OPTIONS: [(&str, &[&str]); 5] = [
    ("access", &["ro", "rw"]),
    ("labelling", &["z", "Z"]),
    (
        "propagation",
        &[
            "shared", "rshared", "slave", "rslave", "private", "rprivate",
        ],
    ),
    ("copying", &["nocopy"]),
    // For Docker Desktop; without effect on Linux.
    ("consistency", &["consistent", "cached", "delegated"]),
];

/// What the engine is to mount.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Volumes {
    /// Texts for `HostConfig.Binds`.
    pub binds: Vec<String>,
    /// Paths of anonymous volumes.
    pub anonymous: BTreeSet<String>,
    /// Where binds are mounted, and the items that say so. An anonymous volume gives way to a bind, so it is not here.
    pub targets: HashMap<String, usize>,
}

/// Reads the field.
pub(super) fn mount(texts: &[String]) -> Result<Volumes, SpecError> {
    let mut volumes = Volumes::default();
    for (index, text) in texts.iter().enumerate() {
        let error = |reason: String| {
            SpecError::item("volumes", index, format!("is {}: {reason}", quote(text)))
        };
        let (source, target) =
            parse(text).map_err(|reason| error(format!("{reason}; {EXPECTED}")))?;
        if source.is_none() {
            volumes.anonymous.insert(text.to_owned());
            continue;
        }
        match volumes.targets.insert(clean(target), index) {
            // The same twice is one, for the CLI too.
            Some(earlier) if texts.get(earlier) == Some(text) => {}
            Some(earlier) => return Err(error(already_mounted(earlier))),
            None => volumes.binds.push(text.to_owned()),
        }
    }
    Ok(volumes)
}

/// Also for `tmpfs`.
pub(super) fn already_mounted(index: usize) -> String {
    format!("`volumes[{index}]` is mounted there already")
}

fn parse(text: &str) -> Result<(Option<&str>, &str), String> {
    if text.contains('\0') {
        return Err("it has a NUL character".to_owned());
    }
    let parts: Vec<&str> = text.splitn(5, ':').collect();
    if parts.contains(&"") {
        return Err("it has an empty part".to_owned());
    }
    match parts[..] {
        [target] => {
            check_target(target)?;
            Ok((None, target))
        }
        [source, target] => {
            check_source(source)?;
            check_target(target)?;
            Ok((Some(source), target))
        }
        [source, target, options] => {
            check_source(source)?;
            check_target(target)?;
            check_options(options, source.starts_with('/'))?;
            Ok((Some(source), target))
        }
        _ => Err("it has more than two colons".to_owned()),
    }
}

fn check_source(source: &str) -> Result<(), String> {
    if source.starts_with('/') || is_restricted_name(source) {
        return Ok(());
    }
    if source.starts_with(['.', '~']) || source.contains('/') {
        return Err(format!("the host path {} is not absolute", quote(source)));
    }
    Err(format!(
        "the volume name {} must have letters, digits, `_`, `.` and `-`, at least two, and begin with a letter or digit",
        quote(source)
    ))
}

/// Also for `tmpfs`.
pub(super) fn check_target(target: &str) -> Result<(), String> {
    if !target.starts_with('/') {
        return Err(format!(
            "the container path {} is not absolute",
            quote(target)
        ));
    }
    if clean(target) == "/" {
        return Err("the container path cannot be `/`".to_owned());
    }
    Ok(())
}

fn check_options(options: &str, is_bind: bool) -> Result<(), String> {
    let mut given: HashMap<&str, &str> = HashMap::new();
    for option in options.split(',') {
        let Some((kind, _)) = OPTIONS.iter().find(|(_, words)| words.contains(&option)) else {
            return Err(format!("the option {} is not known", quote(option)));
        };
        if let Some(earlier) = given.insert(kind, option) {
            return Err(format!(
                "the options {} and {} exclude each other",
                quote(earlier),
                quote(option)
            ));
        }
    }
    match (given.get("propagation"), given.get("copying")) {
        (Some(option), _) if !is_bind => Err(format!("{} is for host paths only", quote(option))),
        (_, Some(option)) if is_bind => Err(format!("{} is for volumes only", quote(option))),
        _ => Ok(()),
    }
}

/// `path` as the kernel will see it within the container: no empty parts, no `.`, no `..`.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::{create, refusal};
    use super::*;

    #[test]
    fn goes_on_as_it_is() {
        for text in [
            "/local/data:/app/data",
            "/a:/b:ro",
            "/a:/b:rw,z",
            "/a:/b:Z,rslave,ro,cached",
            "/a:/b/../c",
            "/:/host:ro",
            "/a b:/c d",
            "/é:/é",
            "data:/var/lib/data",
            "my_data-1.x:/data:ro,nocopy",
            "data:/data:z,consistent",
            "ro:/data",
        ] {
            let created = create(&json!({"volumes": [text]}));
            assert_eq!(created["HostConfig"]["Binds"], json!([text]));
            assert_eq!(created.get("Volumes"), None);
        }
    }

    #[test]
    fn a_bare_path_is_an_anonymous_volume() {
        let created = create(&json!({"volumes": ["/cache", "/a:/b", "/cache", "/b"]}));
        assert_eq!(created["Volumes"], json!({"/cache": {}, "/b": {}}));
        assert_eq!(created["HostConfig"]["Binds"], json!(["/a:/b"]));
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, reason) in [
            ("", "it has an empty part"),
            (":", "it has an empty part"),
            (":/b", "it has an empty part"),
            ("/a:", "it has an empty part"),
            ("/a:/b:", "it has an empty part"),
            ("/a::ro", "it has an empty part"),
            ("/a:/b:ro:z", "it has more than two colons"),
            ("/a:/b:ro:z:y:x", "it has more than two colons"),
            ("./data:/data", "the host path `./data` is not absolute"),
            ("../data:/data", "the host path `../data` is not absolute"),
            ("data/x:/data", "the host path `data/x` is not absolute"),
            ("~/data:/data", "the host path `~/data` is not absolute"),
            ("C:\\x:/y", "the volume name `C` must have"),
            ("d:/data", "the volume name `d` must have"),
            ("my data:/data", "the volume name `my data` must have"),
            ("-data:/data", "the volume name `-data` must have"),
            ("/a:data", "the container path `data` is not absolute"),
            ("/a:ro", "the container path `ro` is not absolute"),
            ("data", "the container path `data` is not absolute"),
            ("/a:/", "the container path cannot be `/`"),
            ("/a://..", "the container path cannot be `/`"),
            ("/", "the container path cannot be `/`"),
            ("/a:/b:RO", "the option `RO` is not known"),
            ("/a:/b:ro ", "the option `ro ` is not known"),
            ("/a:/b:ro,", "the option `` is not known"),
            ("/a:/b:default", "the option `default` is not known"),
            (
                "/a:/b:ro,rw",
                "the options `ro` and `rw` exclude each other",
            ),
            (
                "/a:/b:ro,ro",
                "the options `ro` and `ro` exclude each other",
            ),
            ("/a:/b:z,Z", "the options `z` and `Z` exclude each other"),
            (
                "/a:/b:shared,slave",
                "the options `shared` and `slave` exclude",
            ),
            ("/a:/b:nocopy", "`nocopy` is for volumes only"),
            ("data:/b:rshared", "`rshared` is for host paths only"),
            ("/a\0b:/c", "it has a NUL character"),
        ] {
            let message = refusal(&json!({"volumes": ["/x:/y", text]}));
            let start = format!("field `volumes[1]` is {}: {reason}", quote(text));
            assert!(message.starts_with(&start), "{message}");
            assert!(message.ends_with(EXPECTED), "{message}");
        }
    }

    #[test]
    fn two_in_one_place() {
        let created = create(&json!({"volumes": ["/a:/x", "/a:/x"]}));
        assert_eq!(created["HostConfig"]["Binds"], json!(["/a:/x"]));
        let message = refusal(&json!({"volumes": ["/a:/x", "/y", "/b:/x/"]}));
        assert_eq!(
            message,
            "field `volumes[2]` is `/b:/x/`: `volumes[0]` is mounted there already"
        );
    }

    #[test]
    fn a_wrong_type_is_named() {
        let message = refusal(&json!({"volumes": {"/a": "/b"}}));
        assert!(
            message.starts_with("field `volumes`: invalid type: map, expected an array of strings")
        );
        let message = refusal(&json!({"volumes": ["/a:/b", 5]}));
        assert!(
            message.starts_with("field `volumes[1]`: invalid type: integer `5`, expected a string")
        );
    }

    #[test]
    fn cleans_paths() {
        for (path, clean_path) in [
            ("/", "/"),
            ("//a//b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../..", "/"),
        ] {
            assert_eq!(clean(path), clean_path);
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_has_absolute_ends(text in "[a-c/:.~,]{0,16}|/[a-z]{1,3}:/[a-z]{1,3}:[a-zA-Z,]{1,12}|.*") {
            if let Ok((source, target)) = parse(&text) {
                prop_assert!(target.starts_with('/') && clean(target) != "/");
                prop_assert!(source.is_none_or(|source| source.starts_with('/') || is_restricted_name(source)));
            }
        }
    }
}
