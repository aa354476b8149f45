//! nginx, on the machine itself or in a container: testing its configuration, reloading it, and seeing whether it took it.
//!
//! A reload tests first. After it new workers are waited for: nginx takes the signal in any case, and when it cannot use the
//! configuration (a port that another program has, which a test does not notice) it says so in its log alone and goes on
//! with the old one.
#![forbid(unsafe_code)]

mod choice;
mod error;
mod image;
mod inside;
mod machine;
mod processes;
mod switches;

pub use error::NginxError;

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::engine::{Engine, EngineError};
use crate::exclusive::Exclusive;
use crate::exec::Output;
use crate::host::tool;
use crate::limits;
use inside::Inside;
use machine::LogMark;
use processes::{Processes, Progress};

/// The nginx of this machine, whichever that is when it is asked for.
#[derive(Debug)]
pub struct Nginx {
    engine: Engine,
    container: Option<String>,
    /// A test that was passed must be about the configuration that is then loaded, and new workers must be those of the
    /// own reload.
    reloading: Exclusive,
}

/// Which nginx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The machine's own.
    Host,
    /// The one in a container.
    Container {
        /// Its name, without a slash.
        name: String,
    },
}

/// What a test says.
#[derive(Debug)]
pub struct Tested {
    /// Which nginx.
    pub target: Target,
    /// Whether the configuration can be used. Warnings do no harm.
    pub is_valid: bool,
    /// nginx's own words.
    pub output: String,
}

/// What a reload says.
#[derive(Debug)]
pub struct Reloaded {
    /// Which nginx.
    pub target: Target,
    /// nginx's own words about its configuration.
    pub output: String,
    /// Whether its new workers were seen. `false`: the engine cannot list processes.
    pub is_confirmed: bool,
}

/// A run of nginx's own program.
struct Ran {
    code: i64,
    output: Output,
}

/// Where it is.
enum Place<'e> {
    Machine,
    Inside(Inside<'e>),
}

impl Nginx {
    /// The nginx in the container of this name or id; without one, whichever is found.
    pub fn new(engine: Engine, container: Option<String>) -> Self {
        Self {
            engine,
            container,
            reloading: Exclusive::default(),
        }
    }

    /// Tests its configuration, `nginx -t`.
    pub fn test(&self) -> Result<Tested, NginxError> {
        Self::test_in(&self.place()?)
    }

    /// Tests the configuration of the machine's own, whatever else runs.
    pub fn test_on_machine(&self) -> Result<Tested, NginxError> {
        Self::test_in(&Place::Machine)
    }

    fn test_in(place: &Place<'_>) -> Result<Tested, NginxError> {
        let ran = place.run(&["-t"])?;
        Ok(Tested {
            target: place.target(),
            is_valid: ran.code == 0,
            output: said(&ran.output),
        })
    }

    /// Tests it, has it loaded, and waits until nginx has done so. One at a time.
    pub fn reload(&self) -> Result<Reloaded, NginxError> {
        let _turn = self
            .reloading
            .turn("nginx", limits::NGINX_TURN_WAIT)
            .ok_or(NginxError::NoTurn)?;
        let place = self.place()?;
        let start = Instant::now();
        let test = place.run(&["-t"])?;
        if test.code != 0 {
            return Err(NginxError::Invalid {
                target: place.target(),
                words: tool::words_of(&test.output),
            });
        }
        // The master reads the same as the test did, names to be looked up included, and then opens its ports.
        let patience = start.elapsed() + limits::NGINX_NEW_WORKERS;
        let is_confirmed = place.reload(patience)?;
        Ok(Reloaded {
            target: place.target(),
            output: said(&test.output),
            is_confirmed,
        })
    }

    fn place(&self) -> Result<Place<'_>, NginxError> {
        choice::choose(&self.engine, self.container.as_deref())
    }
}

impl Place<'_> {
    fn target(&self) -> Target {
        match self {
            Self::Machine => Target::Host,
            Self::Inside(inside) => inside.target(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Result<Ran, NginxError> {
        match self {
            Self::Machine => machine::run(arguments),
            Self::Inside(inside) => inside.run(arguments),
        }
    }

    /// Tells nginx to reload, and waits until it has; whether that could be seen.
    fn reload(&self, patience: Duration) -> Result<bool, NginxError> {
        let before = match self.processes() {
            Ok(processes) => processes,
            // The engine's machine has no `ps`.
            Err(EngineError::Answer { .. }) => return self.tell().map(|()| false),
            Err(error) => return Err(error.into()),
        };
        if !before.has_master() {
            return Err(NginxError::NoMaster {
                target: self.target(),
            });
        }
        let (mark, since) = (LogMark::set(&before), Timestamp::now());
        self.tell()?;
        if self.is_loaded(&before, patience)? {
            return Ok(true);
        }
        Err(NginxError::Kept {
            target: self.target(),
            after: patience,
            words: match self {
                Self::Machine => mark.said(),
                Self::Inside(inside) => inside.said_since(since),
            },
        })
    }

    fn tell(&self) -> Result<(), NginxError> {
        match self {
            Self::Machine => machine::tell(),
            Self::Inside(inside) => inside.tell(),
        }
    }

    /// Waits until new connections meet the new configuration alone; whether it was loaded at all. Old workers that are
    /// busy with something that blocks them do not make it fail.
    fn is_loaded(&self, before: &Processes, within: Duration) -> Result<bool, NginxError> {
        let until = Instant::now() + within;
        loop {
            let progress = self.processes()?.progress_since(before);
            if progress == Progress::Done {
                return Ok(true);
            }
            if Instant::now() > until {
                return Ok(progress == Progress::Begun);
            }
            thread::sleep(limits::NGINX_LOOK_PAUSE);
        }
    }

    fn processes(&self) -> Result<Processes, EngineError> {
        match self {
            Self::Machine => Ok(Processes::on_machine()),
            Self::Inside(inside) => inside.processes(),
        }
    }
}

/// All that is kept of what nginx said; it speaks on standard error.
fn said(output: &Output) -> String {
    match output.stderr.text().trim() {
        "" => output.stdout.text().trim().to_owned(),
        said => said.to_owned(),
    }
}

impl Target {
    /// For a sentence.
    pub fn in_words(&self) -> String {
        match self {
            Self::Host => "nginx on this machine".to_owned(),
            Self::Container { name } => format!("nginx in container `{name}`"),
        }
    }
}

impl fmt::Display for Target {
    /// `host`, or `container:NAME`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => out.write_str("host"),
            Self::Container { name } => write!(out, "container:{name}"),
        }
    }
}
