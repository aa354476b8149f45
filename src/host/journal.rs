//! Lines for the system's log: the journal's own socket, or else syslog's, or else stderr. systemd's "Native Journal
//! Protocol"; RFC 3164 as syslog(3) writes it.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use super::zone::Zone;
use crate::clock::{Timestamp, date_of_days};
use crate::limits;
use crate::sys::process;

const JOURNAL: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";
/// The facility `cron`: syslog(3).
const FACILITY: u8 = 9;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// How important a line is, in syslog's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something failed.
    Error = 3,
    /// What a program says on stderr.
    Warning = 4,
    /// Everything else.
    Info = 6,
}

/// Where lines about one job go.
#[derive(Debug)]
pub struct Journal {
    target: Target,
    /// What the lines come from: `node-agent-cron`.
    identifier: &'static str,
    /// What they are about; each line begins with it.
    subject: String,
    dropped: u64,
}

#[derive(Debug)]
enum Target {
    Journal(UnixDatagram),
    Syslog(UnixDatagram),
    Stderr,
}

impl Journal {
    /// Opens what is there.
    pub fn open(identifier: &'static str, subject: &str) -> Self {
        Self {
            target: Target::open(),
            identifier,
            subject: subject.to_owned(),
            dropped: 0,
        }
    }

    /// Writes a line. A log that takes nothing costs lines, which are counted, and never the job.
    pub fn line(&mut self, severity: Severity, text: &str) {
        if self.dropped > 0 {
            let words = format!(
                "{} lines were dropped: the system's log did not take them",
                self.dropped
            );
            // One that hangs has been waited for already.
            if !self.target.is_ready_to_try() || self.send(Severity::Warning, &words).is_err() {
                self.dropped += 1;
                return;
            }
            self.dropped = 0;
            self.target.be_patient();
        }
        match self.send(severity, text) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.dropped += 1,
            Err(_) => {
                // It was started again, and has another socket now.
                self.target = Target::open();
                self.dropped += u64::from(self.send(severity, text).is_err());
            }
        }
    }

    fn send(&self, severity: Severity, text: &str) -> io::Result<()> {
        // A datagram is one line, whatever is in it.
        let text: String = text
            .chars()
            .map(|letter| {
                if letter == '\n' || letter == '\0' {
                    ' '
                } else {
                    letter
                }
            })
            .collect();
        match &self.target {
            Target::Journal(socket) => socket
                .send(self.native(severity, &text).as_bytes())
                .map(drop),
            Target::Syslog(socket) => socket
                .send(self.syslog(severity, &text).as_bytes())
                .map(drop),
            Target::Stderr => writeln!(io::stderr(), "{}: {text}", self.subject),
        }
    }

    fn native(&self, severity: Severity, text: &str) -> String {
        let (identifier, subject, pid) = (self.identifier, &self.subject, process::id());
        format!(
            "MESSAGE={subject}: {text}\nPRIORITY={}\nSYSLOG_FACILITY={FACILITY}\nSYSLOG_IDENTIFIER={identifier}\n\
             SYSLOG_PID={pid}\nNODE_AGENT_CRON_JOB={subject}\n",
            severity as u8
        )
    }

    fn syslog(&self, severity: Severity, text: &str) -> String {
        let mut line = format!("<{}>", FACILITY * 8 + severity as u8);
        // Writing to memory does not fail.
        let _ = write_local_time(&mut line);
        let (identifier, subject, pid) = (self.identifier, &self.subject, process::id());
        let _ = write!(line, " {identifier}[{pid}]: {subject}: {text}");
        line
    }
}

impl Target {
    fn open() -> Self {
        let target = connect(JOURNAL)
            .map(Self::Journal)
            .or_else(|_| connect(SYSLOG).map(Self::Syslog));
        target.unwrap_or(Self::Stderr)
    }

    /// Lets it be tried without a wait.
    fn is_ready_to_try(&self) -> bool {
        match self {
            Self::Journal(socket) | Self::Syslog(socket) => socket.set_nonblocking(true).is_ok(),
            Self::Stderr => true,
        }
    }

    fn be_patient(&self) {
        if let Self::Journal(socket) | Self::Syslog(socket) = self {
            // One that stays impatient loses lines, and says so.
            let _ = socket.set_nonblocking(false);
        }
    }
}

fn write_local_time(line: &mut String) -> std::fmt::Result {
    let now = Timestamp::now().seconds;
    let local = now + Zone::local().offset_at(now);
    let (_, month, day) = date_of_days(local.div_euclid(86_400));
    let second = local.rem_euclid(86_400);
    let month = usize::try_from(month - 1)
        .ok()
        .and_then(|month| MONTHS.get(month))
        .unwrap_or(&"Jan");
    write!(
        line,
        "{month} {day:2} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

fn connect(path: &str) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(Path::new(path))?;
    socket.set_write_timeout(Some(limits::JOURNAL_WAIT))?;
    Ok(socket)
}

/// Bytes on their way to be lines.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Takes bytes, and gives the lines that are complete, and those that are longer than
    /// [`limits::JOURNAL_LINE_BYTES`] in pieces.
    pub fn feed(&mut self, mut bytes: &[u8], take: &mut dyn FnMut(&str)) {
        while !bytes.is_empty() {
            let room = limits::JOURNAL_LINE_BYTES - self.begun.len();
            let near = &bytes[..bytes.len().min(room)];
            if let Some(end) = memchr::memchr(b'\n', near) {
                self.begun.extend_from_slice(&near[..end]);
                bytes = &bytes[end + 1..];
                self.finish(take);
                continue;
            }
            self.begun.extend_from_slice(near);
            bytes = &bytes[near.len()..];
            if self.begun.len() == limits::JOURNAL_LINE_BYTES {
                self.give_piece(take);
            }
        }
    }

    /// Gives the line that has no end, if there is one.
    pub fn end(&mut self, take: &mut dyn FnMut(&str)) {
        if !self.begun.is_empty() {
            self.finish(take);
        }
    }

    fn finish(&mut self, take: &mut dyn FnMut(&str)) {
        let line = self.begun.strip_suffix(b"\r").unwrap_or(&self.begun);
        take(&String::from_utf8_lossy(line));
        self.begun.clear();
    }

    /// A piece ends between two characters.
    fn give_piece(&mut self, take: &mut dyn FnMut(&str)) {
        let is_start = |byte: &u8| byte & 0xc0 != 0x80;
        let last = self.begun.iter().rposition(is_start).unwrap_or(0);
        let is_whole = std::str::from_utf8(&self.begun[last..]).is_ok();
        let end = if is_whole || last == 0 {
            self.begun.len()
        } else {
            last
        };
        take(&String::from_utf8_lossy(&self.begun[..end]));
        self.begun.drain(..end);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        let mut take = |line: &str| seen.push(line.to_owned());
        for piece in pieces {
            lines.feed(piece, &mut take);
        }
        lines.end(&mut take);
        seen
    }

    #[test]
    fn lines_come_whole() {
        assert_eq!(lines(&[b"a\r\n\nb", b"c\n", b"d"]), ["a", "", "bc", "d"]);
        assert!(lines(&[b""]).is_empty());
        let long = "é".repeat(limits::JOURNAL_LINE_BYTES);
        let pieces = lines(&[b"x", long.as_bytes()]);
        assert!(
            pieces
                .iter()
                .all(|piece| piece.len() <= limits::JOURNAL_LINE_BYTES
                    && !piece.contains('\u{fffd}'))
        );
        assert_eq!(pieces.concat(), format!("x{long}"));
    }

    #[test]
    fn a_line_is_one_datagram_in_the_words_of_its_log() {
        let journal = Journal {
            target: Target::Stderr,
            identifier: "node-agent-cron",
            subject: "cron_1".to_owned(),
            dropped: 0,
        };
        let native = journal.native(Severity::Warning, "text");
        assert!(native.starts_with("MESSAGE=cron_1: text\nPRIORITY=4\n") && native.ends_with('\n'));
        let syslog = journal.syslog(Severity::Error, "text");
        assert!(
            syslog.starts_with("<75>") && syslog.ends_with("]: cron_1: text"),
            "{syslog}"
        );
        assert_eq!(syslog.as_bytes()[4 + 15], b' ');
    }

    proptest! {
        #[test]
        fn nothing_is_lost(pieces in prop::collection::vec(prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), any::<u8>()], 0..3000), 0..8)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let whole = pieces.concat();
            let count = memchr::memchr_iter(b'\n', &whole).count();
            let seen = lines(&pieces);
            prop_assert!(seen.len() >= count);
            // A byte that is no character becomes three.
            prop_assert!(seen.iter().all(|line| line.len() <= 3 * limits::JOURNAL_LINE_BYTES));
        }
    }
}
