//! The version of Java that a project wants.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::versions::Version;
use super::super::versions::choice::{Choice, tool_pin};
use super::super::versions::defaults::JAVA;

/// Long-term releases, which have maintained images.
const LONG_TERM: &[&str] = &["8", "11", "17", "21", "25"];

/// What developers' tools pin; else what the build file requires; else the default.
pub(crate) fn java_version(
    project: &Project,
    required: Option<Choice>,
) -> Result<Choice, DetectError> {
    if let Some(choice) = developer_pin(project)? {
        return Ok(choice);
    }
    Ok(required.unwrap_or_else(|| Choice::default(&JAVA)))
}

fn developer_pin(project: &Project) -> Result<Option<Choice>, DetectError> {
    if let Some(text) = project.text(".java-version")?
        && let Some(choice) = release(&text, ".java-version")
    {
        return Ok(Some(choice));
    }
    if let Some(text) = project.text(".sdkmanrc")? {
        let pin = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("java="));
        if let Some(choice) = pin.and_then(|pin| release(pin, ".sdkmanrc")) {
            return Ok(Some(choice));
        }
    }
    let pinned = tool_pin(project, &["java"], &JAVA)?;
    Ok(pinned
        .and_then(|choice| release(&choice.version.to_string(), choice.from.unwrap_or_default())))
}

/// `17`, `1.8`, `temurin-21.0.2`: a release to compile for. Any later JDK can, so it becomes the next long-term one.
pub(crate) fn release(text: &str, from: &'static str) -> Option<Choice> {
    let wanted = feature(text)?;
    let known = LONG_TERM
        .iter()
        .filter_map(|release| Version::parse(release));
    let version = known
        .into_iter()
        .find(|release| release.at_least(wanted.major(), 0))
        .unwrap_or(wanted);
    Some(Choice {
        version,
        from: Some(from),
    })
}

/// The same for a Gradle toolchain, which takes no later JDK.
pub(crate) fn toolchain(text: &str, from: &'static str) -> Option<Choice> {
    feature(text).map(|version| Choice {
        version,
        from: Some(from),
    })
}

/// The feature release: 8 of `1.8`, 17 of `17.0.2-tem`.
fn feature(text: &str) -> Option<Version> {
    let text = text.trim();
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let version = Version::parse(&text[start..])?;
    let number = if version.major() == 1 {
        version.minor()
    } else {
        version.major()
    };
    (8..100)
        .contains(&number)
        .then(|| Version::parse(&number.to_string()))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_become_images_that_exist() {
        for (text, image) in [
            ("1.8", Some("8")),
            ("17", Some("17")),
            ("19", Some("21")),
            ("21.0.2-tem", Some("21")),
            ("temurin-21.0.2+13", Some("21")),
            ("26", Some("26")),
            ("7", None),
            ("${java.version}", None),
            ("", None),
        ] {
            let found = release(text, "f").map(|choice| choice.version.to_string());
            assert_eq!(found.as_deref(), image, "{text}");
        }
        assert_eq!(toolchain("19", "f").unwrap().version.to_string(), "19");
    }
}
