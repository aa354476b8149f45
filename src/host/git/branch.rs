//! The name of a branch or tag, by the rules of git-check-ref-format(1): what is none cannot be on any server, and what
//! begins with a dash would be an option.
#![forbid(unsafe_code)]

use crate::limits;

/// Why a text is not the name of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchFault {
    /// It begins with a dash.
    Option,
    /// It is longer than a name can be.
    TooLong,
    /// It breaks a rule of git's.
    Form,
}

impl BranchFault {
    /// What is wrong, after the field's name.
    pub fn words(self) -> &'static str {
        match self {
            Self::Option => "begins with a dash: that would be an option of git",
            Self::TooLong => "is longer than the name of a branch can be",
            Self::Form => "is not the name of a branch or tag (git-check-ref-format)",
        }
    }
}

/// What git adds to a name while it changes the branch.
const LOCK: &str = ".lock";

/// Fails when `name` can be the name of no branch and no tag.
pub fn check(name: &str) -> Result<(), BranchFault> {
    if name.starts_with('-') {
        return Err(BranchFault::Option);
    }
    if name.len() > limits::NAME_BYTES {
        return Err(BranchFault::TooLong);
    }
    let is_bad = |c: char| c <= ' ' || c == '\u{7f}' || "~^:?*[\\".contains(c);
    let is_bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(LOCK);
    let is_bad_name = name.contains(is_bad)
        || name.contains("..")
        || name.contains("@{")
        || name.ends_with('.')
        || name.split('/').any(is_bad_part);
    if is_bad_name {
        return Err(BranchFault::Form);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::{Invocation, Program};
    use std::time::Duration;

    /// git's own word for it.
    fn git_takes(name: &str) -> bool {
        let git = Program::find("git").unwrap();
        Invocation::new(&git, Duration::from_secs(30))
            .arguments(["check-ref-format", &format!("refs/heads/{name}")])
            .run()
            .unwrap()
            .exit
            .is_success()
    }

    #[test]
    fn it_is_as_git_says() {
        for name in [
            "main",
            "feature/x",
            "v1.2.3",
            "a@b",
            "ü",
            "HEADS",
            "a.b",
            "x{y",
            "a-b",
            "@x",
            "-x",
            "--upload-pack=x",
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a..b",
            "a.",
            "@",
            "a@{b",
            "a b",
            "a~b",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[b",
            "a\\b",
            "a\tb",
            "a\nb",
            "a\u{7f}",
        ] {
            let expected = git_takes(name) && !name.starts_with('-');
            assert_eq!(check(name).is_ok(), expected, "{name:?}");
        }
        assert_eq!(check(&"a".repeat(256)), Err(BranchFault::TooLong));
    }
}
