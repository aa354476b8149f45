//! The files of the jobs, below the state directory in `cron/`: `ID.json` is the job, `ID.runs` what is known of its
//! runs, `ID.lock` is locked by the run that goes on, `lock` by whoever changes anything. All are for root alone: the
//! environment of a job may have secrets.
#![forbid(unsafe_code)]

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::record::{LastRun, Record};
use super::schedule::Schedule;
use super::{CronError, Job, JobId};
use crate::limits;
use crate::store::atomic::{self, Mode};
use crate::sys::lock::Lock;

/// The files.
#[derive(Clone, Debug)]
pub struct JobStore {
    directory: PathBuf,
}

/// The right to change anything, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "it is only held")] Lock);

/// A job with its schedule, read again.
#[derive(Debug)]
pub struct Known {
    /// The job.
    pub job: Job,
    /// Its schedule.
    pub schedule: Schedule,
}

/// A run that may begin: nobody else runs the job as long as this is held.
#[derive(Debug)]
pub struct RunRight {
    /// The job.
    pub known: Known,
    _lock: Lock,
}

impl JobStore {
    /// Those below the state directory `state`.
    pub fn new(state: &Path) -> Self {
        Self {
            directory: state.join("cron"),
        }
    }

    fn file(&self, id: &JobId, ending: &str) -> PathBuf {
        self.directory.join(format!("{id}.{ending}"))
    }

    /// Waits for the right to change anything.
    pub(super) fn turn(&self) -> Result<Turn, CronError> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory);
        made.map_err(CronError::disk("making", &self.directory))?;
        let file = self.directory.join("lock");
        let lock =
            Lock::take(&file, limits::CRON_TURN).map_err(CronError::disk("locking", file))?;
        lock.map(Turn).ok_or(CronError::Busy)
    }

    /// That there is such a job: where there is none, nothing is to be made for it.
    pub(super) fn need(&self, id: &JobId) -> Result<(), CronError> {
        let exists = self.file(id, "json").exists();
        exists
            .then_some(())
            .ok_or_else(|| CronError::Unknown(id.clone()))
    }

    /// The ids of all jobs, damaged ones too, in the order of their names.
    pub(super) fn ids(&self) -> Result<Vec<JobId>, CronError> {
        let failed = || CronError::disk("reading", &self.directory);
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed()(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed())?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json"));
            ids.extend(id.and_then(JobId::parse));
        }
        ids.sort();
        Ok(ids)
    }

    /// The job `id`.
    pub fn read(&self, id: &JobId) -> Result<Known, CronError> {
        let damaged = |problem: String| CronError::Damaged {
            id: id.clone(),
            problem,
        };
        let Some(job) = read_json::<Job>(&self.file(id, "json"), 2 * limits::CRON_JOB_BYTES)
            .map_err(damaged)?
        else {
            return Err(CronError::Unknown(id.clone()));
        };
        if job.id != *id {
            return Err(damaged(format!("it is about `{}`", job.id)));
        }
        let schedule = Schedule::parse(&job.schedule)
            .map_err(|error| damaged(format!("the schedule {error}")))?;
        Ok(Known { job, schedule })
    }

    /// What is known of the runs of `id`, and whether one goes on. What cannot be read is as good as nothing: the next
    /// run writes it anew.
    pub(super) fn runs(&self, id: &JobId) -> (Record, bool) {
        let is_running = Lock::is_held(&self.file(id, "lock")).unwrap_or(false);
        let mut record = self.record(id);
        if !is_running {
            record.settle();
        }
        (record, is_running)
    }

    fn record(&self, id: &JobId) -> Record {
        match read_json(&self.file(id, "runs"), limits::CRON_JOB_BYTES) {
            Ok(record) => record.unwrap_or_default(),
            Err(problem) => {
                log::warn!("what was known of the runs of cron job {id} is lost: {problem}");
                Record::default()
            }
        }
    }

    /// Writes a new job.
    pub(super) fn write(&self, job: &Job, _turn: &Turn) -> Result<(), CronError> {
        // Strings and JSON always serialize.
        let bytes = serde_json::to_vec(job).unwrap_or_default();
        if bytes.len() > limits::CRON_JOB_BYTES {
            return Err(CronError::TooLarge);
        }
        let file = self.file(&job.id, "json");
        atomic::write(&file, &bytes, Mode::Exactly(0o600)).map_err(CronError::disk("writing", file))
    }

    /// Removes everything about `id`. A run that goes on does so, and its result goes nowhere.
    pub(super) fn remove(&self, id: &JobId, _turn: &Turn) -> Result<(), CronError> {
        let file = self.file(id, "json");
        match fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(CronError::Unknown(id.clone()));
            }
            Err(error) => return Err(CronError::disk("removing", file)(error)),
        }
        for ending in ["runs", "lock"] {
            // It may never have run; and what stays is in nobody's way.
            let _ = fs::remove_file(self.file(id, ending));
        }
        Ok(())
    }

    /// Removes what an interrupted removal left of jobs that are gone.
    pub(super) fn sweep(&self, _turn: &Turn) -> Result<(), CronError> {
        let failed = || CronError::disk("reading", &self.directory);
        for entry in fs::read_dir(&self.directory).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            let id = path
                .file_stem()
                .and_then(|stem| JobId::parse(stem.to_str()?));
            if id.is_some_and(|id| !self.file(&id, "json").exists()) {
                // What stays is in nobody's way.
                let _ = fs::remove_file(&path);
            }
        }
        Ok(())
    }

    /// The right to run the job `id`. `None`: a run of it goes on, and that this one was left out is noted.
    pub fn begin(&self, id: &JobId) -> Result<Option<RunRight>, CronError> {
        self.need(id)?;
        let turn = self.turn()?;
        let known = self.read(id)?;
        let file = self.file(id, "lock");
        let lock =
            Lock::take(&file, limits::CRON_RUN_LOCK).map_err(CronError::disk("locking", file))?;
        let Some(lock) = lock else {
            self.note_skipped(id, &turn)?;
            return Ok(None);
        };
        Ok(Some(RunRight { known, _lock: lock }))
    }

    /// Notes that a run was left out because its container still runs.
    pub fn skip(&self, right: &RunRight) -> Result<(), CronError> {
        self.note_skipped(&right.known.job.id, &self.turn()?)
    }

    fn note_skipped(&self, id: &JobId, turn: &Turn) -> Result<(), CronError> {
        self.change_record(id, turn, |record| {
            record.skipped = Some(crate::clock::Timestamp::now().to_string());
        })
    }

    /// Notes that the run begins.
    pub fn note_begin(&self, right: &RunRight) -> Result<(), CronError> {
        self.change_record(&right.known.job.id, &self.turn()?, Record::begin)
    }

    /// Notes how the run ended.
    pub fn note_end(&self, right: &RunRight, last: LastRun) -> Result<(), CronError> {
        self.change_record(&right.known.job.id, &self.turn()?, |record| {
            record.end(last);
        })
    }

    /// Changes what is known of the runs; of a job that was removed meanwhile nothing is to be known.
    fn change_record(
        &self,
        id: &JobId,
        _turn: &Turn,
        change: impl FnOnce(&mut Record),
    ) -> Result<(), CronError> {
        if !self.file(id, "json").exists() {
            return Ok(());
        }
        let mut record = self.record(id);
        change(&mut record);
        let bytes = serde_json::to_vec(&record).unwrap_or_default();
        let file = self.file(id, "runs");
        atomic::write(&file, &bytes, Mode::Exactly(0o600)).map_err(CronError::disk("writing", file))
    }
}

/// The file's content; `None` when there is no file, and a sentence when it makes no sense.
fn read_json<T: DeserializeOwned>(file: &Path, most: usize) -> Result<Option<T>, String> {
    let mut bytes = Vec::new();
    let most = most as u64;
    let read = File::open(file).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(_) if bytes.len() as u64 > most => return Err(format!("it has more than {most} bytes")),
        Ok(_) => {}
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| error.to_string())
}
