//! What a network of containers must not take away from the machine. Not on the developer's own: there, a mistake would.

use serde_json::json;

use crate::{Droplet, droplet};

#[test]
fn the_machines_own_network_stays_its_own() {
    let droplet = droplet();
    let routes = droplet.text(&["ip", "-4", "route", "show", "dev", "eth0", "scope", "link"]);
    let subnet = routes.split_whitespace().next().unwrap();
    assert!(subnet.contains('/'), "{routes}");
    // A part of it, with the gateway in it, would cut the machine off.
    let (address, _) = subnet.split_once('/').unwrap();
    for taken in [subnet, &format!("{address}/29")] {
        let body = json!({"name": "net-taken", "ipam_config": {"subnet": taken}});
        let refused = droplet.post("/networks/create", &body).expect(409);
        assert!(refused.error().contains("interface eth0"), "{taken}");
    }
    droplet.get("/networks/net-taken").expect(404);
}

#[test]
fn bridges_of_others_stay_theirs() {
    let droplet = droplet();
    for (interface, owner) in [
        ("docker0", "default network"),
        ("eth0", "no bridge"),
        ("lo", "no bridge"),
    ] {
        let options = json!({ "com.docker.network.bridge.name": interface });
        let body = json!({"name": "net-bridge", "options": options});
        let refused = droplet.post("/networks/create", &body).expect(409);
        assert!(refused.error().contains(owner), "{}", refused.error());
    }
    droplet.get("/networks/net-bridge").expect(404);
    // What 20.10 makes impossible when it is given docker0: a container in the default network.
    droplet.text(&["docker", "run", "--rm", Droplet::IMAGE, "true"]);
}

#[test]
fn a_bridge_has_the_name_it_was_given() {
    let droplet = droplet();
    let options = json!({ "com.docker.network.bridge.name": "br-named" });
    let body = json!({"name": "net-named", "options": options});
    droplet.post("/networks/create", &body).expect(201);
    droplet.text(&["test", "-d", "/sys/class/net/br-named/bridge"]);
    droplet.text(&["docker", "network", "rm", "net-named"]);
}
