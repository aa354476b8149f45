//! Pages that are served as they are.
#![forbid(unsafe_code)]

use super::Stack;
use super::error::DetectError;
use super::node::site::served;
use super::plan::{Plan, Verdict};
use super::project::{Project, below};
use super::text::Text;

/// Directories that hold pages, the root first.
const DIRECTORIES: &[&str] = &["", "public", "dist", "build", "site", "www", "html", "docs"];

/// An `index.html` in the root or in a directory that is made to be served.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    for directory in DIRECTORIES {
        let page = below(directory, "index.html");
        if !project.has(&page)? {
            continue;
        }
        let from = if directory.is_empty() { "." } else { directory };
        let copy = Text::fill(
            "COPY {{from}} /usr/share/nginx/html",
            &[("from", from.into())],
        );
        return Ok(Verdict::Match(Plan {
            stack: Stack::Static,
            dockerfile: served(Text::default(), copy, false),
            reasons: vec![format!("{page}, and nothing that runs")],
        }));
    }
    Ok(Verdict::No)
}
