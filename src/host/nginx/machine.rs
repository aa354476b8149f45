//! The nginx of the machine itself.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use super::processes::Processes;
use super::{NginxError, Ran, Target};
use crate::host::systemd::{Service, SystemdError};
use crate::host::tool::{self, Tool, ToolError};
use crate::limits;

const NGINX: Tool = Tool {
    name: "nginx",
    package: "nginx",
};

/// Whether it is installed.
pub(super) fn is_installed() -> bool {
    NGINX.is_installed()
}

/// Whether it runs, as a service or started by hand.
pub(super) fn is_running() -> Result<bool, ToolError> {
    Ok(is_active_service()? || Processes::on_machine().has_master())
}

/// Whether systemd runs it. A machine without systemd has no services.
fn is_active_service() -> Result<bool, ToolError> {
    match Service::Nginx.status() {
        Ok(status) => Ok(status.is_active()),
        Err(SystemdError::Tool(ToolError::Missing(_))) => Ok(false),
        Err(SystemdError::Tool(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Runs it with `arguments`.
pub(super) fn run(arguments: &[&str]) -> Result<Ran, NginxError> {
    let finished = NGINX.ask(arguments, limits::NGINX_COMMAND)?;
    match finished.exit {
        crate::exec::Exit::Code(code) => Ok(Ran {
            code: code.into(),
            output: finished.output,
        }),
        crate::exec::Exit::Signal(_) => Err(NGINX.failed(&finished).into()),
    }
}

/// Tells it to reload: by systemd where it is a service, so that systemd knows; with its own signal otherwise.
pub(super) fn tell() -> Result<(), NginxError> {
    let refused = |words| NginxError::NotTold {
        target: Target::Host,
        words,
    };
    if is_active_service()? {
        return Service::Nginx.reload().map_err(|error| match error {
            ToolError::Failed { words, .. } => refused(words),
            error => error.into(),
        });
    }
    let ran = run(&["-s", "reload"])?;
    if ran.code == 0 {
        Ok(())
    } else {
        Err(refused(tool::words_of(&ran.output)))
    }
}

/// Where the masters' error log stands. A master's standard error is its main error log (nginx's ngx_set_stderr), so that
/// nobody needs to know what the configuration calls it. A log that is no file (a terminal, the journal) is left alone.
pub(super) struct LogMark(Vec<(PathBuf, u64)>);

impl LogMark {
    /// Now.
    pub(super) fn set(processes: &Processes) -> Self {
        let mark = |id: u32| {
            let log = PathBuf::from(format!("/proc/{id}/fd/2"));
            let metadata = fs::metadata(&log).ok()?;
            metadata.is_file().then_some((log, metadata.len()))
        };
        Self(processes.masters().filter_map(mark).collect())
    }

    /// The end of what was written since then.
    pub(super) fn said(&self) -> String {
        let said = self.0.iter().filter_map(|(log, from)| read(log, *from));
        said.collect::<Vec<_>>().join("\n").trim().to_owned()
    }
}

fn read(log: &PathBuf, from: u64) -> Option<String> {
    if !fs::metadata(log).ok()?.is_file() {
        return None;
    }
    let mut file = fs::File::open(log).ok()?;
    let end = file.metadata().ok()?.len();
    let most = limits::TOOL_WORDS_BYTES as u64;
    file.seek(SeekFrom::Start(from.max(end.saturating_sub(most))))
        .ok()?;
    let mut text = Vec::new();
    file.take(most).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}
