//! `/etc/cron.d/node-agent`: a line for each job, made anew from the jobs' files at each change.
//!
//! Debian's cron looks once a minute at the whole seconds of the directory's mtime and of each file's (database.c). What
//! changes in the very second of such a look, after it, would not be seen before the next change. So the file and the
//! directory get an mtime that neither has had before: a second later than everything so far.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{CronError, JobId, Known};
use crate::exec::SEARCH_PATH;
use crate::host::tool::Tool;
use crate::limits;
use crate::store::atomic::{self, Mode};
use crate::sys::{change, process};

/// The file. cron passes over names with a dot, so the temporary one beside it is never read.
const FILE: &str = "/etc/cron.d/node-agent";

/// The program that reads it.
const CRON: Tool = Tool {
    name: "cron",
    package: "cron",
};

/// The line of it that tells whose jobs these are.
const STATE: &str = "NODE_AGENT_STATE_DIR";

/// What a run is told by the crontab: everything else is in the job's file.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// This program.
    pub program: PathBuf,
    /// Where the jobs are.
    pub state_directory: PathBuf,
    /// The engine's socket.
    pub docker_socket: PathBuf,
    /// Where registry logins are.
    pub docker_config: PathBuf,
}

impl Surroundings {
    /// That cron is here to read a crontab.
    pub(super) fn need_cron() -> Result<(), CronError> {
        CRON.find().map_err(CronError::Tool)?;
        let directory = directory();
        if directory.is_dir() {
            Ok(())
        } else {
            Err(CronError::NoDirectory(directory.to_owned()))
        }
    }

    /// The crontab of `jobs`.
    pub(super) fn render<'k>(
        &self,
        jobs: impl Iterator<Item = &'k Known>,
    ) -> Result<String, CronError> {
        let program = program(&self.program)?;
        let mut text = format!(
            "# The cron jobs of node-agent, made anew at each change: see POST /cron/run-docker.\n\
             SHELL=/bin/sh\nPATH={SEARCH_PATH}\nMAILTO=\"\"\n"
        );
        for (name, what, path) in [
            (STATE, "the state directory", &self.state_directory),
            (
                "NODE_AGENT_DOCKER_SOCKET",
                "the engine's socket",
                &self.docker_socket,
            ),
            (
                "DOCKER_CONFIG",
                "the directory of registry logins",
                &self.docker_config,
            ),
        ] {
            // Writing to memory does not fail.
            let _ = writeln!(text, "{name}={}", variable(what, path)?);
        }
        for known in jobs {
            let (schedule, id) = (known.schedule.text(), &known.job.id);
            let _ = writeln!(text, "{schedule} root {program} cron-run {id}");
        }
        Ok(text)
    }

    /// That nobody else's jobs are in the crontab. An agent that is gone with its state directory is nobody.
    pub(super) fn check_owner(&self) -> Result<(), CronError> {
        let Some(state) = owner()? else {
            return Ok(());
        };
        let has_jobs = || {
            let store = super::JobStore::new(&state);
            store.ids().is_ok_and(|ids| !ids.is_empty())
        };
        if state == self.state_directory || !has_jobs() {
            return Ok(());
        }
        Err(CronError::OthersCrontab {
            file: FILE.into(),
            state,
        })
    }
}

/// Whether the crontab is there.
pub(super) fn exists() -> bool {
    Path::new(FILE).symlink_metadata().is_ok()
}

/// Makes `text` the crontab, if it is not. cron is made to see it at its next look.
pub(super) fn write(text: &str) -> Result<(), CronError> {
    let file = Path::new(FILE);
    let old = file.symlink_metadata().ok();
    let is_ours = |old: &fs::Metadata| old.is_file() && old.uid() == process::user();
    if old
        .as_ref()
        .is_some_and(|old| is_ours(old) && old.mode() & 0o7777 == 0o644)
        && fs::read(file).is_ok_and(|bytes| bytes == text.as_bytes())
    {
        return Ok(());
    }
    let failed = || CronError::disk("writing", file);
    let earlier = old.as_ref().map(MetadataExt::mtime);
    let directory = File::open(directory()).map_err(failed())?;
    let directory_time = directory.metadata().map_err(failed())?.mtime();
    if old.is_some_and(|old| !is_ours(&old)) {
        // An owner is kept by a replacement, and cron reads root's files only.
        fs::remove_file(file).map_err(failed())?;
    }
    atomic::write(file, text.as_bytes(), Mode::Exactly(0o644)).map_err(failed())?;
    let fresh = 1 + now().max(directory_time).max(earlier.unwrap_or(0));
    let file = File::open(file).map_err(failed())?;
    [&file, &directory]
        .into_iter()
        .try_for_each(|touched| {
            change::set_modified_of(touched.as_fd(), fresh)?;
            change::sync(touched.as_fd())
        })
        .map_err(failed())
}

/// Takes the crontab away. cron is made to see that at its next look.
pub(super) fn remove() -> Result<(), CronError> {
    let failed = || CronError::disk("removing", Path::new(FILE));
    let directory = File::open(directory()).map_err(failed())?;
    let earlier = directory.metadata().map_err(failed())?.mtime();
    fs::remove_file(FILE).map_err(failed())?;
    change::set_modified_of(directory.as_fd(), 1 + now().max(earlier)).map_err(failed())?;
    change::sync(directory.as_fd()).map_err(failed())
}

fn directory() -> &'static Path {
    Path::new(FILE).parent().unwrap_or(Path::new("/"))
}

fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX - 1)
}

/// The state directory of the agent that made the crontab; `None` when there is none, or one that we did not make.
pub(super) fn owner() -> Result<Option<PathBuf>, CronError> {
    let text = match fs::read_to_string(FILE) {
        Ok(text) => text,
        Err(error)
            if [io::ErrorKind::NotFound, io::ErrorKind::InvalidData].contains(&error.kind()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(CronError::disk("reading", FILE)(error)),
    };
    let mut states = text
        .lines()
        .filter_map(|line| line.strip_prefix(STATE)?.strip_prefix('='));
    Ok(states.next().map(PathBuf::from))
}

/// The jobs that the crontab has lines for.
pub(super) fn job_ids() -> Vec<JobId> {
    let text = fs::read_to_string(FILE).unwrap_or_default();
    let ids = text
        .lines()
        .filter_map(|line| JobId::parse(line.rsplit(' ').next()?));
    ids.collect()
}

/// The program as the first word of a command: cron hands it to a shell, and takes `%` for the end of the line.
fn program(path: &Path) -> Result<&str, CronError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:,".contains(&byte);
    let text = path
        .to_str()
        .filter(|text| text.starts_with('/') && text.bytes().all(is_plain));
    text.filter(|text| text.len() <= limits::CRON_LINE_BYTES)
        .ok_or_else(|| CronError::Path {
            what: "the program",
            path: path.to_owned(),
        })
}

/// A path as the value of a variable: no shell looks at it, but blanks at its end would be taken away.
fn variable<'p>(what: &'static str, path: &'p Path) -> Result<&'p str, CronError> {
    let fits = |text: &&str| {
        text.starts_with('/')
            && text.trim_end() == *text
            && !text.contains(char::is_control)
            && text.len() <= limits::CRON_LINE_BYTES
    };
    path.to_str().filter(fits).ok_or_else(|| CronError::Path {
        what,
        path: path.to_owned(),
    })
}
