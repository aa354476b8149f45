//! What `Gemfile` and `Gemfile.lock` say.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::read::source::{Syntax, assigned, has_word, quoted, without_comments};
use super::super::versions::Version;

/// Gems that turn assets into files.
const PIPELINES: &[&str] = &[
    "propshaft",
    "sprockets-rails",
    "sprockets",
    "webpacker",
    "shakapacker",
    "vite_rails",
];

/// The two files.
pub(super) struct Gems {
    gemfile: String,
    lock: String,
}

impl Gems {
    /// `None` without a `Gemfile`.
    pub(super) fn read(project: &Project) -> Result<Option<Self>, DetectError> {
        let Some(gemfile) = project.text("Gemfile")? else {
            return Ok(None);
        };
        Ok(Some(Self {
            gemfile: without_comments(&gemfile, Syntax::Hash),
            lock: project.lock("Gemfile.lock")?.unwrap_or_default(),
        }))
    }

    /// Whether the `Gemfile` names a gem.
    pub(super) fn has(&self, gem: &str) -> bool {
        self.lines().any(|line| assigned(line, "gem") == Some(gem))
    }

    /// Whether a gem is in the lock file.
    fn locks(&self, gem: &str) -> bool {
        self.locked_version(gem).is_some()
    }

    /// `7.1.2` of `    rails (7.1.2)`.
    fn locked_version(&self, gem: &str) -> Option<&str> {
        self.lock.lines().find_map(|line| {
            let (name, rest) = line.strip_prefix("    ")?.split_once(' ')?;
            (name == gem).then(|| rest.trim_matches(['(', ')']))
        })
    }

    /// Whether gems are read from the project's own directories.
    pub(super) fn has_paths(&self) -> bool {
        self.lines().any(|line| {
            has_word(line, "path")
                || line.trim_start().starts_with("gemspec")
                || has_word(line, "eval_gemfile")
        })
    }

    /// `3.3` of `ruby "~> 3.3"`.
    pub(super) fn ruby(&self) -> Option<&str> {
        self.lines()
            .find_map(|line| quoted(line.trim_start().strip_prefix("ruby ")?.trim_start()))
    }

    /// `3.2.2` of `   ruby 3.2.2p53`.
    pub(super) fn locked_ruby(&self) -> Option<&str> {
        let version = self
            .lock
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("ruby "))?;
        version.split('p').next()
    }

    /// Whether there is something that makes assets.
    pub(super) fn has_assets(&self) -> bool {
        PIPELINES.iter().any(|gem| self.has(gem) || self.locks(gem))
    }

    /// Whether the locked Rails is this version or later; without a lock it is the newest.
    pub(super) fn rails_at_least(&self, major: u32, minor: u32) -> bool {
        let locked = self.locked_version("rails").and_then(Version::parse);
        locked.is_none_or(|version| version.at_least(major, minor))
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.gemfile.lines()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gems() -> Gems {
        Gems {
            gemfile: without_comments(
                "# gem 'rails'\r\nsource \"x\"\r\nruby \"~> 3.3\"\r\ngem \"sinatra\", \"~> 4\" # gem 'puma'\r\ngem('rack')\r\n",
                Syntax::Hash,
            ),
            lock: "GEM\r\n  specs:\r\n    rails (7.0.8)\r\n      actionpack (= 7)\r\n    sprockets-rails (3.4)\r\n\r\nRUBY VERSION\r\n   ruby 3.2.2p53\r\n".to_owned(),
        }
    }

    #[test]
    fn gems_are_those_that_are_named() {
        let gems = gems();
        assert!(gems.has("sinatra") && gems.has("rack"));
        assert!(!gems.has("rails") && !gems.has("puma"));
        assert!(gems.has_assets());
        assert!(!gems.has_paths());
    }

    #[test]
    fn versions_are_found_in_both_files() {
        let gems = gems();
        assert_eq!(gems.ruby(), Some("~> 3.3"));
        assert_eq!(gems.locked_ruby(), Some("3.2.2"));
        assert!(!gems.rails_at_least(7, 1));
        assert!(gems.rails_at_least(7, 0));
    }
}
