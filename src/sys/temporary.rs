//! Files without a name: gone when they are closed, whatever ends the process. open(2), O_TMPFILE.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::process::random_bytes;

/// A new file on the filesystem of `directory`, for reading and writing by nobody else.
pub fn nameless_file(directory: &Path) -> io::Result<File> {
    let path = CString::new(directory.as_os_str().as_bytes())?;
    let flags = libc::O_TMPFILE | libc::O_RDWR | libc::O_CLOEXEC;
    // SAFETY: `path` is NUL-terminated; the mode is there, as O_TMPFILE wants it.
    let opened = super::check(unsafe { libc::open(path.as_ptr(), flags, 0o600) });
    match opened {
        // SAFETY: the descriptor is new and ours alone.
        Ok(descriptor) => Ok(File::from(unsafe { OwnedFd::from_raw_fd(descriptor) })),
        // overlayfs before Linux 6.3, NFS: a name that is taken away at once does it too.
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EOPNOTSUPP | libc::EISDIR | libc::ENOENT)
            ) && directory.is_dir() =>
        {
            unlinked_file(directory)
        }
        Err(error) => Err(error),
    }
}

fn unlinked_file(directory: &Path) -> io::Result<File> {
    let number = u64::from_ne_bytes(random_bytes()?);
    let path = directory.join(format!(".node-agent-{number:016x}"));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, Write};

    #[test]
    fn a_nameless_file_holds_bytes_and_has_no_name() {
        let directory = tempfile::tempdir().unwrap();
        for mut file in [
            nameless_file(directory.path()).unwrap(),
            unlinked_file(directory.path()).unwrap(),
        ] {
            file.write_all(b"kept").unwrap();
            file.rewind().unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "kept");
            assert_eq!(directory.path().read_dir().unwrap().count(), 0);
        }
        assert!(nameless_file(Path::new("/nowhere/at/all")).is_err());
    }
}
