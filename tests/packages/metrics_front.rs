//! `/metrics`, and nothing else, for somebody with a password.

use std::process::Command;

use crate::built::run;
use crate::site::{LOGIN, Site, site};

const PORT: u16 = 9998;

fn curl(site: &Site, path: &str, login: &str) -> Command {
    let mut command = site.curl(PORT, path);
    command.args(["--user", login]);
    command
}

#[test]
fn it_gives_the_metrics_for_the_password_and_nothing_else() {
    let site = site();
    let login = format!("{}:{}", LOGIN.0, LOGIN.1);
    let text = run(&mut curl(site, "/metrics?format=prometheus", &login));
    assert!(text.contains("\nnode_agent_"), "{text}");
    let refused = |command: &mut Command, status: &str| {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains(status),
            "{command:?}: {said}"
        );
    };
    refused(&mut curl(site, "/metrics", "prometheus:wrong"), "401");
    refused(&mut site.curl(PORT, "/metrics"), "401");
    for path in [
        "/containers",
        "/metrics/",
        "/openapi.json",
        "/metrics/../containers",
    ] {
        refused(curl(site, path, &login).arg("--path-as-is"), "404");
    }
    refused(
        curl(site, "/metrics", &login).args(["--request", "POST"]),
        "403",
    );
}
