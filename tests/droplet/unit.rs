//! The agent as a service of systemd.

use crate::{droplet, droplet_alone};

#[test]
fn it_is_installed_as_the_readme_says() {
    let droplet = droplet();
    let is = |name, value| assert_eq!(droplet.property("node-agent", name), value, "{name}");
    is("ActiveState", "active");
    is("SubState", "running");
    is("UnitFileState", "enabled");
    is("StatusText", "serving");
    is("WatchdogUSec", "30s");
    let stat = |path| droplet.text(&["stat", "--format=%a %U", path]);
    assert_eq!(stat("/var/lib/node-agent"), "700 root");
    assert_eq!(stat("/etc/node-agent"), "700 root");
    assert_eq!(stat("/etc/node-agent/env"), "600 root");
    assert_eq!(stat("/etc/node-agent/api-key"), "600 root");
}
