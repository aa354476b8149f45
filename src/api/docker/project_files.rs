//! A confined directory as the project that the Dockerfile generator looks at.
#![forbid(unsafe_code)]

use std::io::{self, Read};
use std::path::Path;

use crate::dockerfile::{Entry, Kind, ProjectFiles};
use crate::store::jail::{Directory, EntryKind, JailError};

/// The files below a directory. What leads out of it does not exist.
pub(super) struct Below<'d>(pub(super) &'d Directory);

impl ProjectFiles for Below<'_> {
    fn read(&self, relative: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = there(self.0.open_file(Path::new(relative)))? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn list(&self, relative_dir: &str, limit: usize) -> io::Result<Option<Vec<Entry>>> {
        let opened = self.0.open_directory(Path::new(relative_dir));
        let Some(mut entries) = there(opened.and_then(|directory| directory.entries()))? else {
            return Ok(None);
        };
        let mut listed = Vec::new();
        while listed.len() < limit {
            let Some((name, kind)) = entries.next_name()? else {
                break;
            };
            let Some(name) = name.to_str().map(str::to_owned) else {
                continue;
            };
            let kind = match kind {
                Some(EntryKind::File) => Kind::File,
                Some(EntryKind::Directory) => Kind::Directory,
                Some(EntryKind::Special) => Kind::Other,
                // A link is what it leads to.
                Some(EntryKind::Link) | None => kind_behind(entries.directory(), &name)?,
            };
            listed.push(Entry { name, kind });
        }
        Ok(Some(listed))
    }
}

fn kind_behind(directory: &Directory, name: &str) -> io::Result<Kind> {
    if there(directory.open_directory(Path::new(name)))?.is_some() {
        return Ok(Kind::Directory);
    }
    let file = there(directory.open_file(Path::new(name)))?;
    Ok(file.map_or(Kind::Other, |_| Kind::File))
}

fn there<T>(opened: Result<T, JailError>) -> io::Result<Option<T>> {
    match opened {
        Ok(found) => Ok(Some(found)),
        Err(JailError::Io { source, .. }) => Err(source),
        Err(_) => Ok(None),
    }
}
