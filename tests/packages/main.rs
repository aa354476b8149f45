//! What `packaging/` makes and describes, used by the tools that it is for: dpkg, lintian, cloud-init, Ansible, nginx,
//! promtool and Prometheus. Each way to install has a freshly booted droplet (two for the fleet).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may end by a panic"
)]
#![expect(unreachable_pub, reason = "a test program is nobody's library")]

#[expect(dead_code, reason = "made for another test program too")]
#[path = "../droplet/boot.rs"]
mod boot;
mod built;
mod cloud_init;
mod deb;
mod debian_13;
mod fleet;
#[expect(dead_code, reason = "made for another test program too")]
#[path = "../droplet/machine.rs"]
mod machine;
mod metrics_front;
mod reproducible;
mod scrape;
mod site;
mod static_program;
#[expect(dead_code, reason = "made for another test program too")]
#[path = "../support/mod.rs"]
mod support;
mod tls_front;
