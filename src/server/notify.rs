//! What systemd is told: READY, RELOADING, STOPPING, STATUS and the watchdog. sd_notify(3)
#![forbid(unsafe_code)]

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::sys::process::monotonic_time;

/// The system manager's ear, or nobody's when the agent was started by hand.
#[derive(Debug, Default)]
pub struct Notifier {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// How often the watchdog wants to hear from us; half of `WATCHDOG_USEC`.
    pub watchdog: Option<Duration>,
}

impl Notifier {
    /// Finds it in the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` (and `WATCHDOG_PID`, when it is for us).
    pub fn from_environment() -> Self {
        let address = std::env::var_os("NOTIFY_SOCKET").and_then(|path| match path.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name).ok(),
            path => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path)).ok(),
        });
        let socket = UnixDatagram::unbound().and_then(|socket| {
            // A manager that hangs must not stop the gate.
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
        let is_ours =
            number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(crate::sys::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|micros| is_ours && *micros > 0);
        Self {
            socket: socket.ok().zip(address),
            watchdog: watchdog.map(|micros| Duration::from_micros(micros / 2)),
        }
    }

    /// The agent serves.
    pub fn ready(&self) {
        self.send("READY=1\nSTATUS=serving");
    }

    /// The agent reads its keys again; [`Self::ready`] follows.
    pub fn reloading(&self) {
        self.send(&format!(
            "RELOADING=1\nMONOTONIC_USEC={}",
            monotonic_time().as_micros()
        ));
    }

    /// The agent is on its way out.
    pub fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=finishing what runs");
    }

    /// The gate is alive.
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.socket {
            // Nothing to be done when the manager does not listen.
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }
}
