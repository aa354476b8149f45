//! The same file under Debian 13: its systemd, its engine, its nginx, its firewall and its cron. The other tests have
//! Debian 12.

use serde_json::json;

use crate::boot;
use crate::built;
use crate::machine::Droplet;
use crate::support::agent::TOKEN;

#[test]
fn it_installs_itself_and_works_on_debian_13() {
    let droplet = boot::boot_release("-trixie", "trixie");
    let release = droplet.shell(". /etc/os-release; echo $VERSION_ID");
    assert_eq!(release, "13");
    droplet.copy(&built::program().to_string_lossy(), "/root/node-agent");
    droplet.feed(
        &["/root/node-agent", "install", "--token-stdin"],
        TOKEN.as_bytes(),
    );
    droplet.wait_until_ok();
    containers_run(&droplet);
    files_are_written_and_listed(&droplet);
    the_machine_is_managed(&droplet);
    droplet.text(&["node-agent", "uninstall", "--purge"]);
    assert_eq!(droplet.property("node-agent", "LoadState"), "not-found");
}

fn containers_run(droplet: &Droplet) {
    let body = json!({"name": "work", "image": Droplet::IMAGE, "command": ["sleep", "1000"]});
    droplet.post("/containers/run", &body).expect(201);
    let said = droplet.post(
        "/containers/work/exec",
        &json!({"command": ["echo", "done"]}),
    );
    assert_eq!(said.expect(200).json()["stdout"], "done\n");
    let metrics = droplet.get("/metrics").expect(200).json();
    assert!(
        metrics["containers"][0]["memory"].is_object(),
        "{metrics:#}"
    );
    droplet
        .post_nothing("/containers/work/remove?force=true")
        .expect(200);
}

fn files_are_written_and_listed(droplet: &Droplet) {
    let body = json!({"path": "/local/config.json", "content": "{}"});
    droplet.post("/files/write", &body).expect(200);
    let listed = droplet.get("/files/list?path=/local").expect(200);
    assert!(listed.text().contains("config.json"), "{}", listed.text());
}

fn the_machine_is_managed(droplet: &Droplet) {
    droplet.get("/nginx/test").expect(200);
    droplet.post_nothing("/nginx/reload").expect(200);
    droplet.get("/services/nginx/status").expect(200);
    droplet.text(&["ufw", "--force", "enable"]);
    // This connection would be the last one.
    droplet.text(&["ufw", "allow", "9999/tcp"]);
    let body = json!({"port": 8080, "protocol": "tcp"});
    droplet.post("/firewall/allow", &body).expect(200);
    assert!(droplet.text(&["ufw", "status"]).contains("8080/tcp"));
    let body = json!({"schedule": "0 2 * * *", "image": Droplet::IMAGE, "command": ["true"]});
    droplet.post("/cron/run-docker", &body).expect(201);
    assert!(
        droplet
            .text(&["cat", "/etc/cron.d/node-agent"])
            .contains("cron-run")
    );
}
