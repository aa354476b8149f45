//! Everything that is tested from outside: the real binary, the real engine.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may end by a panic"
)]
#![expect(unreachable_pub, reason = "a test program is nobody's library")]

mod auth;
mod build_api;
mod build_faults;
mod build_tar;
mod buildkit;
mod cleanup;
mod cleanup_digests;
mod cleanup_foretold;
mod client;
mod clock_step;
mod command_line;
mod container_api;
mod container_streams;
mod context;
mod cron;
mod cron_daemon;
mod cron_dev;
mod cron_engine;
mod cron_run;
mod cron_schedules;
mod crontab;
mod dockerfile;
mod dockerfile_api;
mod engine_crash;
mod engine_restart;
mod engine_socket;
mod faults;
mod faults_machine;
mod files_api;
mod files_confinement;
mod files_durability;
mod files_look;
mod firewall;
mod framing;
mod git_clone;
mod git_faults;
mod git_logins;
mod git_refusals;
mod git_ssh;
mod git_submodules;
mod haproxy;
mod image_api;
mod image_faults;
mod lanes;
mod layers;
mod lifecycle;
mod login_api;
mod login_helpers;
mod logins;
mod metrics;
mod metrics_containers;
mod metrics_formats;
mod networks;
mod nginx;
mod nginx_host;
mod openapi;
mod own_engine;
mod ping;
mod pull;
mod pull_api;
mod pull_faults;
mod replace;
mod replace_crash;
mod run_generated;
mod run_spec;
mod self_install;
mod services;
mod state_directory;
mod support;
mod unpack;
mod upload_ahead;
mod upload_api;
mod upload_attacks;
mod upload_chunked;
mod upload_crash;
mod upload_faults;
mod upload_race;
mod uploads;
