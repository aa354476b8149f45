//! nginx's processes, told by the titles that they give themselves, and what they show about a reload.
//!
//! `nginx -s reload` and `systemctl reload` end well when the master got its signal. The master then reads the
//! configuration again, opens its ports (a port that another program has is tried for 2.5 s), and only when all of that
//! went well starts new workers and asks the old ones to finish (nginx's ngx_master_process_cycle). If not, it writes to its
//! log and goes on as before. New workers are therefore the one sign of a reload that took place. Until the old ones were
//! asked to finish, 0.1 s later, they take new connections too.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;

use crate::engine::processes::Process;
use crate::sys::process;

/// The beginning of all their titles.
const PREFIX: &str = "nginx: ";
/// The beginning of the title of a master; its command line follows.
const MASTER: &str = "nginx: master process";
/// The title of a worker; one that finishes its last connections has ` is shutting down` behind it.
const WORKER: &str = "nginx: worker process";
/// Bytes of a title that are read: all that is compared, and some of the master's command line.
const TITLE_BYTES: u64 = 4096;

/// How far a reload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There are no new workers.
    Nothing,
    /// There are, and old ones that take connections.
    Begun,
    /// New connections meet the new configuration alone.
    Done,
}

/// The processes of one nginx, or of several in one place, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Processes {
    masters: BTreeSet<u32>,
    workers: BTreeSet<u32>,
}

impl Processes {
    /// Those of `all` that are nginx's.
    pub(super) fn among(all: impl IntoIterator<Item = Process>) -> Self {
        let all: Vec<_> = all
            .into_iter()
            .filter(|process| process.title.starts_with(PREFIX))
            .collect();
        let masters: BTreeSet<_> = all
            .iter()
            .filter(|process| process.title.starts_with(MASTER))
            .map(|process| process.id)
            .collect();
        let workers = all
            .iter()
            .filter(|process| process.title.trim_end() == WORKER)
            .filter(|process| masters.contains(&process.parent))
            .map(|process| process.id)
            .collect();
        Self { masters, workers }
    }

    /// Those on the machine itself: of the processes that containers run, /proc shows an id for each process namespace
    /// that they are in (`NSpid`, proc(5)), two or more. Masters of another
    /// user than the agent's own are left out: a title is easily forged, and nginx's master runs as root.
    pub(super) fn on_machine() -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        Self::among(entries.filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?)))
    }

    /// Whether a master is there.
    pub(super) fn has_master(&self) -> bool {
        !self.masters.is_empty()
    }

    /// The masters' ids.
    pub(super) fn masters(&self) -> impl Iterator<Item = u32> {
        self.masters.iter().copied()
    }

    /// How far a reload is, seen from how it was `before`.
    pub(super) fn progress_since(&self, before: &Self) -> Progress {
        let has_new = self.workers.difference(&before.workers).next().is_some();
        let has_old = self.workers.intersection(&before.workers).next().is_some();
        match (has_new, has_old) {
            (false, _) => Progress::Nothing,
            (true, true) => Progress::Begun,
            (true, false) => Progress::Done,
        }
    }
}

/// The process `id`, if it is still there, has nginx's title, and is the machine's own.
fn read(id: u32) -> Option<Process> {
    let mut title = Vec::new();
    let file = fs::File::open(format!("/proc/{id}/cmdline")).ok()?;
    file.take(TITLE_BYTES).read_to_end(&mut title).ok()?;
    if !title.starts_with(PREFIX.as_bytes()) {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    // Kernels without namespaces have no such line.
    let is_in_container = field("NSpid:").is_some_and(|ids| ids.split_whitespace().count() > 1);
    let is_master = title.starts_with(MASTER.as_bytes());
    let user: u32 = field("Uid:")?.split_whitespace().next()?.parse().ok()?;
    if is_in_container || is_master && process::user() != user {
        return None;
    }
    // nginx writes its title over its arguments and fills the rest with NUL.
    let title = String::from_utf8_lossy(&title).replace('\0', " ");
    Some(Process {
        id,
        parent: field("PPid:")?.trim().parse().ok()?,
        title: title.trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(all: &[(u32, u32, &str)]) -> Processes {
        Processes::among(all.iter().map(|(id, parent, title)| Process {
            id: *id,
            parent: *parent,
            title: (*title).to_owned(),
        }))
    }

    const MASTER_TITLE: &str = "nginx: master process nginx -g daemon off;";
    const OLD: &str = "nginx: worker process is shutting down";

    #[test]
    fn new_workers_show_a_reload_and_old_ones_its_end() {
        let before = processes(&[(1, 0, MASTER_TITLE), (7, 1, WORKER), (8, 1, WORKER)]);
        let during = [
            (1, 0, MASTER_TITLE),
            (7, 1, OLD),
            (8, 1, WORKER),
            (9, 1, WORKER),
        ];
        let after = [(1, 0, MASTER_TITLE), (8, 1, OLD), (9, 1, WORKER)];
        assert!(before.has_master());
        assert_eq!(before.progress_since(&before), Progress::Nothing);
        assert_eq!(processes(&during).progress_since(&before), Progress::Begun);
        assert_eq!(processes(&after).progress_since(&before), Progress::Done);
    }

    #[test]
    fn fewer_workers_and_other_processes_show_nothing() {
        let before = processes(&[(1, 0, MASTER_TITLE), (7, 1, WORKER), (8, 1, WORKER)]);
        let after = processes(&[
            (1, 0, MASTER_TITLE),
            (7, 1, WORKER),
            (8, 1, OLD),
            (9, 1, "nginx: cache manager process"),
            (10, 1, "nginx: cache loader process"),
            (11, 1, "nginx -s reload"),
            (12, 2, WORKER),
            (13, 1, "tail -f nginx: worker process"),
        ]);
        assert_eq!(after.progress_since(&before), Progress::Nothing);
        assert!(!processes(&[(3, 1, "nginx -t"), (4, 3, WORKER)]).has_master());
    }
}
