//! The base images' versions: what is taken when a project names none, and what its requirements are matched against.
//! To move to newer releases, change this file alone.
//!
//! No tag here is `latest`. They name a release line and not a patch, so a rebuild gets its security fixes; a project
//! that pins a patch gets the patch.
#![forbid(unsafe_code)]

use super::Version;

/// The release lines of one language, the preferred one first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line(&'static [[u32; 2]], usize);

impl Line {
    /// The tags, the preferred one first.
    pub(crate) fn tags(&self) -> impl Iterator<Item = Version> {
        self.0.iter().map(|numbers| self.version(*numbers))
    }

    /// The preferred tag.
    pub(crate) fn default(&self) -> Version {
        self.version(self.0.first().copied().unwrap_or_default())
    }

    /// How many numbers a tag of a release line has.
    pub(crate) fn parts(&self) -> usize {
        self.1
    }

    fn version(self, [major, minor]: [u32; 2]) -> Version {
        let whole = Version {
            numbers: [major, minor, 0],
            parts: 2,
        };
        whole.cut(self.1)
    }
}

/// Long-term releases, the current one first; odd ones only where a project asks for them.
pub(crate) const NODE: Line = Line(
    &[
        [24, 0],
        [22, 0],
        [20, 0],
        [18, 0],
        [16, 0],
        [14, 0],
        [25, 0],
        [23, 0],
        [21, 0],
    ],
    1,
);
/// 3.13 before 3.14: wheels of compiled packages come late.
pub(crate) const PYTHON: Line = Line(
    &[[3, 13], [3, 12], [3, 11], [3, 10], [3, 9], [3, 8], [3, 14]],
    2,
);
/// Go compiles what was written for any older release.
pub(crate) const GO: Line = Line(&[[1, 25]], 2);
/// Rust compiles what was written for any older release.
pub(crate) const RUST: Line = Line(&[[1, 90]], 2);
/// The long-term releases, 21 first.
pub(crate) const JAVA: Line = Line(&[[21, 0], [25, 0], [17, 0], [11, 0], [8, 0]], 1);
/// Ruby's supported lines, then those that are still met.
pub(crate) const RUBY: Line = Line(&[[3, 4], [3, 3], [3, 2], [3, 1], [3, 0], [2, 7]], 2);
/// PHP's supported lines, then those that are still met.
pub(crate) const PHP: Line = Line(&[[8, 4], [8, 3], [8, 2], [8, 1], [8, 0], [7, 4], [8, 5]], 2);
/// .NET: the long-term releases first.
pub(crate) const DOTNET: Line = Line(&[[8, 0], [10, 0], [9, 0], [7, 0], [6, 0]], 2);
/// Elixir.
pub(crate) const ELIXIR: Line = Line(&[[1, 18], [1, 17], [1, 16], [1, 15], [1, 14], [1, 19]], 2);
/// Bun.
pub(crate) const BUN: Line = Line(&[[1, 3]], 2);
/// Gradle, where the project has no wrapper.
pub(crate) const GRADLE: Line = Line(&[[8, 14]], 2);

/// Deno's image has no tags for release lines, only for each release.
pub(crate) const DENO: Version = Version {
    numbers: [2, 5, 6],
    parts: 3,
};
/// Gradle for Java 25, which older ones do not know.
pub(crate) const GRADLE_FOR_NEW_JAVA: Line = Line(&[[9, 2]], 2);
/// What a pin of Deno is matched against.
pub(crate) const DENO_LINE: Line = Line(&[[2, 5]], 3);
