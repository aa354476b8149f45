//! An agent to be attacked, and what an attack must not do to it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::pinger::Pinger;
use crate::shipped::shipped_program;
use crate::support::agent::Setup;
use crate::support::{Agent, Client, eventually};

/// One attack at a time: each takes all the processors it can get.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What 99 of 100 pings keep during an attack, beyond what they take at an agent beside it that nobody attacks: the
/// attacker and the other tests use the same processors. The worst one is at the mercy of the machine.
const MOST_PINGS: Duration = Duration::from_millis(100);
/// What other tests beside cost: an agent under attack wants the processor more often than a calm one, and waits for it
/// each time as long as that.
const LATENESS: u32 = 4;
const WORST_PING: Duration = Duration::from_secs(1);
/// Peak resident size of what ships, in kB.
const MOST_MEMORY: u64 = 16 * 1024;
/// The same of a build for tests: it works with frames that nobody made small, and glibc gives every thread an arena of
/// its own (seen: 23 MB with 200 slow readers).
const MOST_MEMORY_OF_TEST_BUILD: u64 = 2 * MOST_MEMORY;

/// An agent under attack. The attackers come from 127.0.0.1, who pings comes from ::1.
pub struct Target {
    pub agent: Agent,
    pub threads: u64,
    descriptors: usize,
    /// kB of the program's file that are mapped before the attack.
    files: u64,
}

impl Target {
    /// One that has answered once.
    pub fn new() -> Self {
        let agent = Setup::of(shipped_program())
            .env("NODE_AGENT_BIND", "[::]:0")
            .start();
        let mut target = Self {
            agent,
            threads: 0,
            descriptors: 0,
            files: 0,
        };
        Client::connect(target.for_others())
            .request("GET", "/ping", &[], b"")
            .expect(200);
        target.threads = target.agent.proc_status("Threads");
        target.descriptors = target.agent.descriptors();
        target.files = target.agent.proc_status("RssFile");
        target
    }

    /// Where attackers connect.
    pub fn for_attackers(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.agent.address().port()))
    }

    /// Where everybody else connects.
    pub fn for_others(&self) -> SocketAddr {
        SocketAddr::from((Ipv6Addr::LOCALHOST, self.agent.address().port()))
    }

    /// Runs `attack`, whose result holds its connections, and checks what an attack must not do.
    pub fn endure<T>(self, attack: impl FnOnce(&Self) -> T) {
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let calm = Agent::start();
        let beside = Pinger::start(calm.address());
        let pinger = Pinger::start(self.for_others());
        let connections = attack(&self);
        let (most, worst) = pinger.stop();
        let (calm_most, _) = beside.stop();
        drop(connections);
        // What is mapped of the program's file is none of the attack's doing; a build for tests has 10 MB of it.
        let memory = self.agent.proc_status("VmHWM") - self.files;
        assert!(
            most < MOST_PINGS + LATENESS * calm_most && worst < WORST_PING,
            "99 of 100 pings within {most:?} (beside: {calm_most:?}), worst {worst:?}"
        );
        let most_memory = if std::env::var_os("NODE_AGENT_TEST_BINARY").is_some() {
            MOST_MEMORY
        } else {
            MOST_MEMORY_OF_TEST_BUILD
        };
        println!("99 of 100 pings within {most:?}, beside {calm_most:?}; memory {memory} kB");
        assert!(memory < most_memory, "{memory} kB");
        eventually("threads and descriptors to be as before", || {
            let is_back = self.agent.proc_status("Threads") <= self.threads
                && self.agent.descriptors() <= self.descriptors;
            is_back.then_some(())
        });
    }
}

/// Counts for three seconds: an attack must last long enough to be felt.
pub fn rounds() -> impl Iterator<Item = usize> {
    let until = Instant::now() + Duration::from_secs(3);
    (0..).take_while(move |_| Instant::now() < until)
}

/// Lets this process have at least `wanted` descriptors; prlimit is in util-linux.
pub fn allow_descriptors(wanted: u64) {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let now = line.split_whitespace().nth(3).unwrap();
    if now.parse().is_ok_and(|now: u64| now < wanted) {
        // The soft limit alone; the hard one stays as it is.
        let status = Command::new("prlimit")
            .arg(format!("--pid={}", std::process::id()))
            .arg(format!("--nofile={wanted}:"))
            .status()
            .unwrap();
        assert!(status.success(), "prlimit --nofile={wanted}:");
    }
}
