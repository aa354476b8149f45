//! A project in memory, for the golden tests and for fuzzing.

use std::collections::BTreeMap;
use std::io;

use node_agent::dockerfile::{Entry, Kind, ProjectFiles};

/// A project in memory: paths and contents.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl ProjectFiles for Memory {
    fn read(&self, relative: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        assert_confined(relative);
        let bytes = self.0.get(relative);
        Ok(bytes.map(|bytes| bytes[..bytes.len().min(limit)].to_vec()))
    }

    fn list(&self, relative_dir: &str, limit: usize) -> io::Result<Option<Vec<Entry>>> {
        assert_confined(relative_dir);
        let prefix = if relative_dir.is_empty() {
            String::new()
        } else {
            format!("{relative_dir}/")
        };
        let mut entries: BTreeMap<&str, Kind> = BTreeMap::new();
        for rest in self.0.keys().filter_map(|name| name.strip_prefix(&prefix)) {
            match rest.split_once('/') {
                Some((directory, _)) => entries.insert(directory, Kind::Directory),
                None => entries.insert(rest, Kind::File),
            };
        }
        if entries.is_empty() && !relative_dir.is_empty() {
            return Ok(None);
        }
        let entries = entries.into_iter().take(limit);
        Ok(Some(
            entries
                .map(|(name, kind)| Entry {
                    name: name.to_owned(),
                    kind,
                })
                .collect(),
        ))
    }
}

/// No project may make the detectors ask for anything outside of it.
fn assert_confined(path: &str) {
    let climbs = path.split('/').any(|part| part == ".." || part == ".");
    assert!(
        !climbs && !path.starts_with('/') && !path.contains("//"),
        "asked for {path:?}"
    );
}
