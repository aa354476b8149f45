//! A registry in the droplet that wants a name and a password; its engine takes 127.0.0.0/8 without TLS.

use std::process::Command;
use std::sync::Once;

use crate::Droplet;
pub use crate::support::registry::{PASSWORD, USER};

const ADDRESS: &str = "127.0.0.1:5000";

/// Starts it once, with the image `team/app:1` that the engine does not have; its address, as the droplet says it.
pub fn ready(droplet: &Droplet) -> &'static str {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| start(droplet));
    ADDRESS
}

fn start(droplet: &Droplet) {
    let hashed = Command::new("htpasswd")
        .args(["-Bbn", USER, PASSWORD])
        .output()
        .unwrap();
    droplet.write("/root/htpasswd", &hashed.stdout);
    let configuration = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: /root/registry}}}}\n\
         http: {{addr: \"{ADDRESS}\"}}\nauth: {{htpasswd: {{realm: test, path: /root/htpasswd}}}}\n"
    );
    droplet.write("/root/registry.yml", configuration.as_bytes());
    let serve = ["docker-registry", "serve", "/root/registry.yml"];
    droplet.text(&[&["systemd-run", "--unit=test-registry"][..], &serve].concat());
    // curl comes back with the 401 of a registry that is up.
    droplet.wait_for("the registry to listen", || {
        droplet.run(&["curl", "--silent", ADDRESS]).status.success()
    });
    let (image, from) = (format!("{ADDRESS}/team/app:1"), Droplet::IMAGE);
    droplet.shell(&format!(
        "docker --config /root/login login -u {USER} -p {PASSWORD} {ADDRESS}
         docker tag {from} {image}
         docker --config /root/login push --quiet {image}
         docker rmi {image}"
    ));
}
