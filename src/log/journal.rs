//! Lines that systemd's journal takes from stderr carry their priority in front (`<3>`, sd-daemon(3)), so that
//! `journalctl -p err` finds them. Nobody else gets to see that.
#![forbid(unsafe_code)]

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What stands in front of a line of this level when stderr is the journal; nothing otherwise.
pub fn priority(level: log::Level) -> &'static str {
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    if is_stream(&stream, Path::new("/proc/self/fd/2")) {
        mark(level)
    } else {
        ""
    }
}

/// The priorities of syslog(3).
pub(super) fn mark(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "<3>",
        log::Level::Warn => "<4>",
        log::Level::Info => "<6>",
        log::Level::Debug | log::Level::Trace => "<7>",
    }
}

/// Whether `file` is what `JOURNAL_STREAM` says the journal reads: device and inode, systemd.exec(5). The variable alone
/// is no proof: a program that somebody runs from a service with its stderr elsewhere has it too.
fn is_stream(stream: &str, file: &Path) -> bool {
    let Some((device, inode)) = stream.split_once(':') else {
        return false;
    };
    let same = |text: &str, number: u64| text.parse() == Ok(number);
    std::fs::metadata(file).is_ok_and(|file| same(device, file.dev()) && same(inode, file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_told_from_other_files() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let of = file.as_file().metadata().unwrap();
        let stream = format!("{}:{}", of.dev(), of.ino());
        assert!(is_stream(&stream, file.path()));
        assert!(!is_stream(&stream, Path::new("/dev/null")));
        assert!(!is_stream(&stream, Path::new("/nobody/is/here")));
        for stream in ["", ":", "1", "1:1", "x:y"] {
            assert!(!is_stream(stream, file.path()), "{stream}");
        }
    }
}
