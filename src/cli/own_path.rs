//! Where this program is, for those who start it again later.
#![forbid(unsafe_code)]

use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What the kernel adds to the path of a program whose file was removed, as an upgrade does. proc_pid_exe(5)
const DELETED: &[u8] = b" (deleted)";

/// An absolute path that leads to this program also after its next upgrade. The one it was started by, if that is
/// absolute (systemd's is): it may be a link that an upgrade turns to the next version. Otherwise the file itself. In a
/// root without /proc the first one is all that there is.
pub(super) fn own_path() -> io::Result<PathBuf> {
    let called = std::env::args_os().next().map(PathBuf::from);
    let file = match std::env::current_exe() {
        Ok(file) => file,
        Err(error) => return without_proc(called).ok_or(error),
    };
    let running = Path::new("/proc/self/exe").metadata()?;
    let is_running = |path: &PathBuf| {
        path.is_absolute()
            && path
                .metadata()
                .is_ok_and(|meta| (meta.dev(), meta.ino()) == (running.dev(), running.ino()))
    };
    Ok(called
        .filter(is_running)
        .unwrap_or_else(|| without_mark(file)))
}

fn without_proc(called: Option<PathBuf>) -> Option<PathBuf> {
    called.filter(|path| path.is_absolute() && path.is_file())
}

fn without_mark(file: PathBuf) -> PathBuf {
    if file.exists() {
        return file;
    }
    match file.as_os_str().as_bytes().strip_suffix(DELETED) {
        Some(path) => PathBuf::from(std::ffi::OsString::from_vec(path.to_vec())),
        None => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_of_a_removed_file_is_taken_off() {
        assert_eq!(
            without_mark("/nowhere/node-agent (deleted)".into()),
            Path::new("/nowhere/node-agent")
        );
        assert_eq!(
            without_mark("/nowhere/node-agent".into()),
            Path::new("/nowhere/node-agent")
        );
        assert!(own_path().unwrap().is_absolute());
    }

    #[test]
    fn without_proc_only_an_absolute_path_that_is_there_will_do() {
        let here = std::env::current_exe().unwrap();
        assert_eq!(without_proc(Some(here.clone())), Some(here));
        for other in ["/nowhere/node-agent", "node-agent", "/"] {
            assert_eq!(without_proc(Some(other.into())), None, "{other}");
        }
        assert_eq!(without_proc(None), None);
    }
}
