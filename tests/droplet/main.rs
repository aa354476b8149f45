//! A droplet as it is in the field: a Debian with systemd, nginx, ufw, cron and Docker, booted in a container, the agent
//! installed in it as the README says. The tests talk to it over its address, from outside, and look with the system's
//! own tools inside. There is one droplet for all tests: [`droplet`] for those that can run beside others, with names of
//! their own, [`droplet_alone`] for those that stop the agent, Docker or the firewall.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may end by a panic"
)]
#![expect(unreachable_pub, reason = "a test program is nobody's library")]

mod boot;
mod cron;
mod doctor;
mod firewall;
mod install;
mod journal;
mod machine;
mod networks;
mod nginx;
mod readme;
mod registry;
mod restarts;
mod self_install;
mod services;
mod sharing;
mod socket_unit;
#[expect(dead_code, reason = "made for another test program too")]
#[path = "../support/mod.rs"]
mod support;
mod tour;
mod unit;
mod upgrade;

use machine::Droplet;
use sharing::{droplet, droplet_alone};
