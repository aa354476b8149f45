//! What `packaging/` makes and describes, used by the tools that it is for: dpkg, lintian, cloud-init, Ansible, nginx,
//! promtool and Prometheus. Each way to install has a freshly booted droplet (two for the fleet).
#![allow(clippy::unwrap_used, clippy::expect_used)]
// A test program is nobody's library.
#![allow(unreachable_pub)]

// Made for the other test programs; not all of these is needed here.
#[allow(dead_code)]
#[path = "../droplet/boot.rs"]
mod boot;
mod built;
mod cloud_init;
mod deb;
mod debian_13;
mod fleet;
#[allow(dead_code)]
#[path = "../droplet/machine.rs"]
mod machine;
mod metrics_front;
mod reproducible;
mod scrape;
mod site;
mod static_program;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
mod tls_front;
