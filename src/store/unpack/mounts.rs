//! Filesystems that are mounted somewhere below a directory. A directory can be renamed with a mount in it; then the mount
//! would go with the old tree, and its files would be where nobody looks for them.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The first mount point below `directory`. proc_pid_mountinfo(5)
pub(super) fn below(directory: BorrowedFd<'_>) -> io::Result<Option<PathBuf>> {
    let link = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string());
    let top = link.read_link()?;
    let table = BufReader::new(File::open("/proc/self/mountinfo")?);
    for line in table.split(b'\n') {
        let line = line?;
        let Some(field) = line.split(|byte| *byte == b' ').nth(4) else {
            continue;
        };
        let point = plain(field);
        if point.starts_with(&top) && point != top {
            return Ok(Some(point));
        }
    }
    Ok(None)
}

/// Blanks and backslashes are written as a backslash and three octal digits.
fn plain(mut field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    while let Some((byte, rest)) = field.split_first() {
        field = rest;
        match (byte, rest) {
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                path.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                field = after;
            }
            _ => path.push(*byte),
        }
    }
    OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        assert_eq!(plain(b"/a\\040b\\134c\\9"), Path::new("/a b\\c\\9"));
    }
}
