//! The agent gets into the droplet as the README says, word for word.

use std::path::Path;

use crate::machine::Droplet;
use crate::support::agent::TOKEN;

/// Where a user has unpacked what there is to install.
const PLACE: &str = "/root/install";

/// Where changes to the unit are.
const DROP_INS: &str = "/etc/systemd/system/node-agent.service.d";

/// The program under test: the one that `NODE_AGENT_TEST_BINARY` names (`tests/run.sh` names the static one, which
/// ships); else the static one when it has been built since cargo built its own; else that.
pub fn binary() -> String {
    std::env::var("NODE_AGENT_TEST_BINARY").unwrap_or_else(|_| {
        let ours = env!("CARGO_BIN_EXE_node-agent");
        let shipped = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/target/dist/node-agent-x86_64-linux"
        );
        let built = |path| std::fs::metadata(path).and_then(|about| about.modified());
        match (built(shipped), built(ours)) {
            (Ok(shipped_at), Ok(ours_at)) if shipped_at > ours_at => shipped,
            _ => ours,
        }
        .to_owned()
    })
}

/// The first block of commands in the README's section about systemd.
fn steps() -> String {
    readme_block("\n## Under systemd\n")
}

/// The first block of commands in the README after this text.
pub fn readme_block(after: &str) -> String {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once(after).unwrap();
    let (_, block) = section.split_once("\n```sh\n").unwrap();
    block.split_once("\n```\n").unwrap().0.to_owned()
}

/// Installs it, behind the firewall that a droplet has.
pub fn install(droplet: &Droplet) {
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    droplet.text(&["mkdir", "-p", PLACE]);
    droplet.copy(&binary(), &format!("{PLACE}/node-agent"));
    droplet.copy(&packaging.to_string_lossy(), &format!("{PLACE}/packaging"));
    droplet.write(&format!("{PLACE}/token-file"), TOKEN.as_bytes());
    droplet.text(&["ufw", "--force", "enable"]);
    let controller = format!("CONTROLLER={}", droplet.controller);
    let steps = format!("cd {PLACE}\n{}", steps());
    droplet.text(&["env", &controller, "sh", "-exc", &steps]);
    droplet.wait_until_ok();
}

/// Adds settings to the unit, as `systemctl edit` does; [`restore`] takes them away.
pub fn change_unit(droplet: &Droplet, settings: &str) {
    droplet.text(&["mkdir", "-p", DROP_INS]);
    let text = format!("[Service]\n{settings}\n");
    droplet.write(&format!("{DROP_INS}/override.conf"), text.as_bytes());
    droplet.text(&["systemctl", "daemon-reload"]);
}

/// Makes the agent what it was after [`install`]: whatever somebody wrote over it goes, and it runs.
pub fn restore(droplet: &Droplet) {
    droplet.shell(&format!(
        "cd {PLACE}
         rm -rf {DROP_INS}
         install -m 600 packaging/node-agent.env /etc/node-agent/env
         (umask 077; ./node-agent key < token-file > /etc/node-agent/api-key)
         systemctl daemon-reload
         systemctl start docker
         systemctl restart node-agent"
    ));
    droplet.wait_until_ok();
}
