//! The jobs and their crontab together.
#![forbid(unsafe_code)]

use super::crontab::{self, Surroundings};
use super::record::Record;
use super::store::{JobStore, Known, Turn};
use super::{CronError, Job, JobId};
use crate::limits;

/// The jobs, and what cron knows of them.
#[derive(Clone, Debug)]
pub struct CronJobs {
    store: JobStore,
    surroundings: Surroundings,
}

/// A job in the list.
#[derive(Debug)]
pub struct Listed {
    /// The job.
    pub known: Known,
    /// What is known of its runs.
    pub record: Record,
    /// Whether a run goes on.
    pub is_running: bool,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Listing {
    /// The jobs, the oldest first.
    pub jobs: Vec<Listed>,
    /// Those whose files make no sense, and why.
    pub damaged: Vec<(JobId, String)>,
    /// That cron does not know all of them, or nothing runs them: a sentence each.
    pub problems: Vec<String>,
}

/// What a removal came to.
#[derive(Debug)]
pub struct Removed {
    /// Whether a run of the job still goes on.
    pub is_running: bool,
    /// Why the crontab still has the job's line, which does nothing any more.
    pub problem: Option<CronError>,
}

impl CronJobs {
    /// Those in the state directory of `surroundings`.
    pub fn new(surroundings: Surroundings) -> Self {
        Self {
            store: JobStore::new(&surroundings.state_directory),
            surroundings,
        }
    }

    /// All jobs.
    pub fn list(&self) -> Result<Listing, CronError> {
        let mut listing = Listing::default();
        for id in self.store.ids()? {
            match self.store.read(&id) {
                Ok(known) => {
                    let (record, is_running) = self.store.runs(&id);
                    listing.jobs.push(Listed {
                        known,
                        record,
                        is_running,
                    });
                }
                Err(CronError::Damaged { id, problem }) => listing.damaged.push((id, problem)),
                // Removed a moment ago.
                Err(CronError::Unknown(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let by_time = |listed: &Listed| listed.known.job.created.clone();
        listing.jobs.sort_by_key(by_time);
        if !listing.jobs.is_empty() {
            listing.problems.extend(doubts(&listing.jobs));
        }
        Ok(listing)
    }

    /// Adds `job`: sentences about what may keep it from running.
    pub fn add(&self, job: &Job) -> Result<Vec<String>, CronError> {
        Surroundings::need_cron()?;
        self.surroundings.check_owner()?;
        let turn = self.store.turn()?;
        if self.store.ids()?.len() >= limits::CRON_JOBS {
            return Err(CronError::TooMany);
        }
        self.store.write(job, &turn)?;
        if let Err(error) = self.write_crontab(&turn) {
            // The error that counts is the one above. The crontab may have the job's line already, if it was not to be
            // made durable; without the job it is a line that does nothing but complain.
            let _ = self.store.remove(&job.id, &turn);
            let _ = self.write_crontab(&turn);
            return Err(error);
        }
        let is_running = super::daemon::is_running();
        let warning = (!is_running).then(|| super::daemon::NOT_RUNNING.to_owned());
        Ok(warning.into_iter().collect())
    }

    /// Removes the job `id`, damaged or not. The file goes first: a line without it does nothing.
    pub fn remove(&self, id: &JobId) -> Result<Removed, CronError> {
        self.store.need(id)?;
        let turn = self.store.turn()?;
        let (_, is_running) = self.store.runs(id);
        self.store.remove(id, &turn)?;
        let has_crontab = crontab::owner()? == Some(self.surroundings.state_directory.clone());
        let written = if has_crontab {
            self.write_crontab(&turn)
        } else {
            Ok(())
        };
        Ok(Removed {
            is_running,
            problem: written.err(),
        })
    }

    /// Takes all jobs away, and the crontab: for an agent that was tried and goes.
    pub fn clear(&self) -> Result<(), CronError> {
        if crontab::owner()? != Some(self.surroundings.state_directory.clone()) {
            return Ok(());
        }
        let turn = self.store.turn()?;
        for id in self.store.ids()? {
            self.store.remove(&id, &turn)?;
        }
        crontab::remove()
    }

    /// Makes the crontab what the jobs say, for the start of the agent: somebody may have changed it, or the program
    /// may be elsewhere now. A crontab with another agent's jobs stays.
    pub fn repair(&self) -> Result<(), CronError> {
        let has_jobs = !self.store.ids()?.is_empty();
        if !has_jobs && !crontab::exists() {
            return Ok(());
        }
        match self.surroundings.check_owner() {
            Err(CronError::OthersCrontab { .. }) if !has_jobs => return Ok(()),
            checked => checked?,
        }
        Surroundings::need_cron()?;
        let turn = self.store.turn()?;
        self.store.sweep(&turn)?;
        self.write_crontab(&turn)
    }

    fn write_crontab(&self, _turn: &Turn) -> Result<(), CronError> {
        let mut jobs = Vec::new();
        for id in self.store.ids()? {
            match self.store.read(&id) {
                Ok(known) => jobs.push(known),
                Err(error @ CronError::Damaged { .. }) => log::warn!("{error}; it does not run"),
                Err(error) => return Err(error),
            }
        }
        if jobs.is_empty() && !crontab::exists() {
            return Ok(());
        }
        crontab::write(&self.surroundings.render(jobs.iter())?)
    }
}

/// Why cron may not run these jobs.
fn doubts(jobs: &[Listed]) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Err(error) = Surroundings::need_cron() {
        doubts.push(error.to_string());
    } else if !super::daemon::is_running() {
        doubts.push(super::daemon::NOT_RUNNING.to_owned());
    }
    let lines = crontab::job_ids();
    let missing = jobs
        .iter()
        .map(|listed| &listed.known.job.id)
        .filter(|id| !lines.contains(id));
    doubts.extend(missing.map(|id| {
        format!("the crontab has no line for job `{id}`: the next change of any job, or a restart of the agent, repairs it")
    }));
    doubts
}
