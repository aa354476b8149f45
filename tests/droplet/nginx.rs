//! nginx as a service of systemd, and in a container beside it.

use serde_json::Value;

use crate::machine::Droplet;
use crate::{droplet_alone, support::Response};

const SITE: &str = "/etc/nginx/conf.d/reload-test.conf";

/// A site on a port of its own that answers with `word`.
fn site(word: &str) -> Vec<u8> {
    format!("server {{ listen 127.0.0.1:8181; location / {{ return 200 {word}; }} }}\n")
        .into_bytes()
}

fn fetch(droplet: &Droplet) -> String {
    droplet.text(&["curl", "-s", "http://127.0.0.1:8181/"])
}

fn test(droplet: &Droplet) -> Value {
    droplet.get("/nginx/test").expect(200).json()
}

fn reload(droplet: &Droplet) -> Response {
    droplet.post_nothing("/nginx/reload")
}

/// nginx as it was when the droplet was booted.
struct Restored<'d>(&'d Droplet);

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        self.0.run(&["docker", "rm", "-f", "front"]);
        self.0.run(&["rm", "-f", SITE]);
        self.0.run(&["systemctl", "restart", "nginx"]);
    }
}

#[test]
fn the_service_is_tested_and_reloaded() {
    let droplet = droplet_alone();
    let _restored = Restored(&droplet);
    let main_pid = droplet.property("nginx", "MainPID");
    for word in ["one", "two", "three"] {
        droplet.write(SITE, &site(word));
        assert_eq!(test(&droplet)["valid"], true);
        let reloaded = reload(&droplet).expect(200).json();
        assert_eq!(fetch(&droplet), word);
        assert_eq!(
            (&reloaded["status"], &reloaded["target"]),
            (&"reloaded".into(), &"host".into())
        );
        assert!(reloaded.get("warnings").is_none(), "{reloaded}");
    }
    assert_eq!(droplet.property("nginx", "MainPID"), main_pid);
    assert!(droplet.journal("nginx").contains("Reloaded nginx"));

    droplet.write(SITE, b"server { no_such_directive on; }\n");
    assert_eq!(test(&droplet)["valid"], false);
    let refused = reload(&droplet).expect(400).json();
    assert!(
        refused["details"]
            .as_str()
            .unwrap()
            .contains("no_such_directive"),
        "{refused}"
    );
    assert_eq!(fetch(&droplet), "three");
}

#[test]
fn what_systemd_takes_for_a_reload_and_nginx_does_not_is_told() {
    let droplet = droplet_alone();
    let _restored = Restored(&droplet);
    droplet.write(SITE, &site("one"));
    reload(&droplet).expect(200);
    // The agent's own port.
    let taken = String::from_utf8(site("two")).unwrap() + "server { listen 9999; }\n";
    droplet.write(SITE, taken.as_bytes());
    assert_eq!(test(&droplet)["valid"], true);
    droplet.text(&["systemctl", "reload", "nginx"]);
    let refused = reload(&droplet).expect(409).json();
    let details = refused["details"].as_str().unwrap();
    assert!(
        details.contains("bind() to 0.0.0.0:9999 failed"),
        "{refused}"
    );
    assert_eq!(fetch(&droplet), "one");
}

#[test]
fn a_stopped_service_leaves_it_to_a_container_or_says_so() {
    let droplet = droplet_alone();
    let _restored = Restored(&droplet);
    droplet.text(&["systemctl", "stop", "nginx"]);
    assert_eq!(test(&droplet)["target"], "host");
    let refused = reload(&droplet).expect(409).json();
    assert!(
        refused["error"].as_str().unwrap().contains("does not run"),
        "{refused}"
    );

    // The droplet's own nginx in a container: its directories are all that it needs.
    droplet.text(&["docker", "tag", Droplet::IMAGE, "team/nginx:1"]);
    let mounts: Vec<_> = ["/usr", "/lib", "/lib64", "/etc"]
        .iter()
        .flat_map(|path| ["-v".to_owned(), format!("{path}:{path}:ro")])
        .collect();
    let mut run = vec![
        "docker",
        "run",
        "-d",
        "--name",
        "front",
        "--network",
        "none",
    ];
    run.extend(mounts.iter().map(String::as_str));
    run.extend([
        "--tmpfs",
        "/run",
        "--tmpfs",
        "/var/lib/nginx",
        "--tmpfs",
        "/var/log/nginx",
    ]);
    run.extend(["team/nginx:1", "/usr/sbin/nginx", "-g", "daemon off;"]);
    droplet.text(&run);
    droplet.wait_for("nginx in the container", || {
        test(&droplet)["target"] == "container:front"
    });
    let reloaded = reload(&droplet).expect(200).json();
    assert_eq!(reloaded["target"], "container:front");

    // The service comes first, also while the container runs.
    droplet.text(&["systemctl", "start", "nginx"]);
    assert_eq!(test(&droplet)["target"], "host");
}
