//! The probe: a thread that asks the engine and the disk how they are, so that `/ping` can answer from memory. As it is
//! the only one that wakes an idle agent, it also lets go of code that nothing needs any more.
#![forbid(unsafe_code)]

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use crate::api::Health;
use crate::limits;
use crate::sys::{image, process};

/// Asks for a probe at once: an engine call has failed.
#[derive(Clone, Debug)]
pub struct Alarm(SyncSender<()>);

impl Alarm {
    /// Raises it. One pending alarm is enough.
    pub fn raise(&self) {
        let _ = self.0.try_send(());
    }
}

/// What the probe looks at.
pub struct Probe {
    /// Where the findings go.
    pub health: Arc<Health>,
    /// The directory that must be writable.
    pub state_directory: PathBuf,
    /// The smallest free space, in bytes; never more than 5 % of the filesystem.
    pub min_free_bytes: u64,
    /// Whether the engine answers; must return within [`limits::PROBE_TIMEOUT`] or so.
    pub engine_answers: Box<dyn Fn() -> bool + Send>,
    /// What is to be done now and then: first at once, then every [`limits::HOUSEKEEPING_INTERVAL`].
    pub keep_house: Box<dyn Fn() + Send>,
}

/// An alarm, and the end that [`Probe::start`] listens to.
pub fn alarm() -> (Alarm, Receiver<()>) {
    let (sender, receiver) = sync_channel(1);
    (Alarm(sender), receiver)
}

impl Probe {
    /// Starts probing: now, then every [`limits::PROBE_INTERVAL`] and whenever the alarm is raised. Waits briefly for
    /// the first findings, so that the first `/ping` of a healthy agent already says so.
    pub fn start(self, alarms: Receiver<()>) -> io::Result<()> {
        let (first, first_done) = mpsc::channel();
        let probing = move || {
            let mut last: Option<Instant> = None;
            loop {
                self.look();
                let _ = first.send(());
                if last.is_none_or(|last| last.elapsed() >= limits::HOUSEKEEPING_INTERVAL) {
                    last = Some(Instant::now());
                    (self.keep_house)();
                }
                // The last thing of a round, so that what it needed goes too. A kernel with larger pages refuses, and
                // they stay.
                let _ = image::let_go();
                if let Err(mpsc::RecvTimeoutError::Disconnected) =
                    alarms.recv_timeout(limits::PROBE_INTERVAL)
                {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("probe".into())
            .stack_size(limits::SMALL_STACK_BYTES)
            .spawn(probing)?;
        let _ = first_done.recv_timeout(limits::FIRST_PROBE_WAIT);
        Ok(())
    }

    fn look(&self) {
        let answers = (self.engine_answers)();
        if self.health.set_engine(answers) {
            if answers {
                log::info!("the engine answers");
            } else {
                log::warn!("the engine does not answer");
            }
        }
        let works = self.agent_works();
        if self.health.set_agent(works) {
            let directory = self.state_directory.display();
            if works {
                log::warn!("the state directory {directory} can be used again");
            } else {
                log::error!("the state directory {directory} is not writable or its disk is full");
            }
        }
    }

    fn agent_works(&self) -> bool {
        if !process::is_writable(&self.state_directory) {
            return false;
        }
        process::filesystem_space(&self.state_directory)
            .is_ok_and(|space| space.usable_bytes(self.min_free_bytes).is_some())
    }
}
