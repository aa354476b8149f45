//! The machine around the agent: its services, firewall, web server, repositories, cron jobs and figures. Each file
//! builds the arguments of one system tool, runs it through `exec`, and reads what it prints into types; or reads files of
//! `/proc` and `/sys`. Knows no HTTP status and no request. May use `exec`, `store`, `engine`, `sys`, `limits`,
//! `clock`, `cidr`, `exclusive`.
#![forbid(unsafe_code)]

pub mod cgroup;
pub mod cron;
pub mod git;
pub mod interfaces;
pub mod journal;
pub mod machine;
pub mod manager;
pub mod nginx;
pub mod registry;
pub mod systemd;
pub mod tool;
pub mod ufw;
pub mod zone;
