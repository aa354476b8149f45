//! `volumes`: `docker run -v`, `source:target[:options]` or a bare target for an anonymous volume. The engine is given
//! the text itself; here it is only checked, so that every refusal names the field.
//!
//! A source is an absolute host path or a volume's name. `./data` is refused, as the engine does: the CLI completes it
//! with the directory it is called in, and the agent has none that the client knows. `~` is the shell's business.
#![forbid(unsafe_code)]

use std::collections::HashMap;

use super::error::{SpecError, quote};

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
    (
        "consistency",
        &["consistent", "cached", "delegated", "default"],
    ),
];

/// What the engine is to mount.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Volumes {
    /// Texts for `HostConfig.Binds`.
    pub binds: Vec<String>,
    /// Paths of anonymous volumes.
    pub anonymous: Vec<String>,
    /// Where something is mounted already, and which item said so.
    pub targets: HashMap<String, usize>,
}

/// Reads the field.
pub(super) fn mount(texts: &[String]) -> Result<Volumes, SpecError> {
    let mut volumes = Volumes::default();
    for (index, text) in texts.iter().enumerate() {
        volumes.add(text, index).map_err(|reason| {
            SpecError::item("volumes", index, format!("is {}: {reason}", quote(text)))
        })?;
    }
    Ok(volumes)
}

impl Volumes {
    fn add(&mut self, text: &str, index: usize) -> Result<(), String> {
        // The same twice is one, for the CLI too.
        if self
            .binds
            .iter()
            .chain(&self.anonymous)
            .any(|known| known == text)
        {
            return Ok(());
        }
        let (source, target) = parse(text).map_err(|reason| format!("{reason}; {EXPECTED}"))?;
        if let Some(earlier) = self.targets.insert(clean(target), index) {
            return Err(format!("`volumes[{earlier}]` is mounted there already"));
        }
        if source.is_some() {
            self.binds.push(text.to_owned());
        } else {
            self.anonymous.push(text.to_owned());
        }
        Ok(())
    }
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
    if source.starts_with('/') || is_volume_name(source) {
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

fn is_volume_name(name: &str) -> bool {
    super::identity::is_restricted_name(name)
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
