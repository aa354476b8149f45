//! `serve --dev` is for a try: its jobs go with it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::json;

use crate::support::Client;
use crate::support::cron_lab::CronLab;
use crate::support::dev::Dev;

#[test]
fn the_jobs_of_a_try_go_with_it() {
    let lab = CronLab::new();
    let dev = Dev::start(
        lab.command(env!("CARGO_BIN_EXE_node-agent"), &["serve", "--dev"])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
    );
    let body = json!({ "schedule": "0 0 1 1 *", "image": lab.docker.image(), "command": "true" });
    let headers = [
        ("X-API-Key", dev.key.as_str()),
        ("Content-Type", "application/json"),
    ];
    Client::connect(dev.address)
        .request(
            "POST",
            "/cron/run-docker",
            &headers,
            body.to_string().as_bytes(),
        )
        .expect(201);
    assert!(lab.crontab().contains("cron-run"), "{}", lab.crontab());
    let modified = || lab.path("cron.d").metadata().unwrap().mtime();
    let before = modified();
    dev.stop();
    let left = fs::read_dir(lab.path("cron.d")).unwrap().count();
    assert_eq!(left, 0, "{}", lab.crontab());
    // cron looks at the directory's whole seconds.
    assert!(modified() > before);
}
