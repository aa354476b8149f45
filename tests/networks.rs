//! Networks over HTTP on the real engine.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::support::docker;
use crate::support::lab::Lab;

/// A subnet that nobody else has, far from those that engines choose: each process that tests has a /24, each call one of
/// its sixteen parts.
fn subnet() -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (process, part) = (std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    assert!(part < 16, "there are more subnets than a process has");
    let start = format!("10.{}.{}", 200 + process / 256 % 50, process % 256);
    let first = part * 16;
    (
        format!("{start}.{first}/28"),
        format!("{start}.{}", first + 14),
    )
}

/// What docker says of a network.
#[track_caller]
fn inspect(name: &str) -> Value {
    let text = docker::run(&["network", "inspect", name]).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    all[0].take()
}

/// The names of ours that there are.
fn names(lab: &Lab) -> String {
    let filter = format!("name={}", lab.docker.name);
    docker::run(&["network", "ls", "--filter", &filter, "--format={{.Name}}"]).unwrap()
}

#[test]
fn the_life_of_a_network() {
    let lab = Lab::new();
    let (name, (subnet, gateway)) = (lab.name("net"), subnet());
    let pool = json!({ "subnet": subnet, "gateway": gateway });
    let body = json!({
        "name": name, "driver": "bridge", "ipam_config": pool, "internal": true, "labels": {"a": "b"},
        "options": {"com.docker.network.driver.mtu": 1400}, "oops": 1,
    });
    let created = lab.agent.post("/networks/create", &body).expect(201).json();
    let docker_says = inspect(&name);
    assert_eq!(
        created,
        json!({"id": docker_says["Id"], "name": name, "driver": "bridge", "warnings": ["unknown field: oops"]})
    );
    assert_eq!(
        docker_says["IPAM"]["Config"],
        json!([{"Subnet": subnet, "Gateway": gateway}])
    );

    lab.run("a", &json!({ "network": name })).expect(201);
    let id = created["id"].as_str().unwrap();
    let shown = lab.agent.get(&format!("/networks/{name}")).expect(200);
    for other in [id, &id[..12]] {
        let same = lab.agent.get(&format!("/networks/{other}")).expect(200);
        assert_eq!(same.json(), shown.json());
    }
    let shown = shown.json();
    let is = |field: &str, value: Value| assert_eq!(shown[field], value, "{field}");
    is("id", created["id"].clone());
    is("name", json!(name));
    is("driver", json!("bridge"));
    is("scope", json!("local"));
    is("internal", json!(true));
    is("labels", json!({"a": "b"}));
    is("options", json!({"com.docker.network.driver.mtu": "1400"}));
    assert_eq!(shown["ipam"]["config"][0]["subnet"], subnet);
    assert_eq!(shown["ipam"]["config"][0]["gateway"], gateway);
    assert!(shown["created"].as_str().unwrap().ends_with('Z'));
    let member = &shown["containers"][0];
    assert_eq!(member["name"], lab.name("a"));
    let (_, endpoint) = inspect(&name)["Containers"]
        .as_object()
        .and_then(|all| all.iter().next())
        .map(|(id, endpoint)| (id.clone(), endpoint.clone()))
        .unwrap();
    assert_eq!(member["mac"], endpoint["MacAddress"]);
    assert_eq!(
        format!("{}/28", member["ipv4"].as_str().unwrap()),
        endpoint["IPv4Address"]
    );
    assert_eq!(member["ipv6"], Value::Null);

    lab.post("a", "remove?force=true").expect(200);
    docker::run(&["network", "rm", &name]).unwrap();
    let gone = lab.agent.get(&format!("/networks/{name}")).expect(404);
    assert!(gone.error().contains(&name));
}

#[test]
fn a_name_alone_is_enough() {
    let lab = Lab::new();
    let body = json!({ "name": lab.name("net") });
    let created = lab.agent.post("/networks/create", &body).expect(201).json();
    assert_eq!(created["driver"], "bridge");
    assert_eq!(created["warnings"], json!([]));
}

#[test]
fn what_collides_is_409() {
    let lab = Lab::new();
    let (name, (subnet, _)) = (lab.name("net"), subnet());
    let pool = json!({ "subnet": subnet });
    let body = json!({ "name": name, "ipam_config": pool });
    lab.agent.post("/networks/create", &body).expect(201);
    let again = lab
        .agent
        .post("/networks/create", &json!({ "name": name }))
        .expect(409);
    assert!(again.error().contains(&name));
    let other = json!({ "name": lab.name("other"), "ipam_config": [pool] });
    let overlaps = lab.agent.post("/networks/create", &other).expect(409);
    assert!(overlaps.error().contains(&format!("network `{name}`")));
    // Without a route to tell it by, the engine is the one who says so.
    let hidden = json!({ "name": lab.name("other"), "driver": "macvlan", "ipam_config": [pool] });
    let overlaps = lab.agent.post("/networks/create", &hidden).expect(409);
    assert!(overlaps.json()["details"].is_string());
    for taken in ["bridge", "host", "none"] {
        lab.agent
            .post("/networks/create", &json!({ "name": taken }))
            .expect(409);
    }
    assert_eq!(names(&lab), name);
}

#[test]
fn what_the_engine_would_take_wrongly_is_400() {
    let lab = Lab::new();
    let (subnet, last) = subnet();
    for (more, field) in [
        (json!({"name": "a b"}), "name"),
        (json!({"name": "a/b"}), "name"),
        (
            json!({"ipam_config": {"subnet": "x"}}),
            "ipam_config.subnet",
        ),
        (
            json!({"ipam_config": {"subnet": format!("{last}/28")}}),
            "ipam_config.subnet",
        ),
        (
            json!({"ipam_config": {"gateway": "10.9.9.9"}}),
            "ipam_config.subnet",
        ),
        (
            json!({"ipam_config": [{"subnet": subnet, "gateway": "10.9.9.9"}]}),
            "ipam_config[0].gateway",
        ),
        (
            json!({"ipam_config": {"subnet": subnet, "ip_range": "10.9.9.0/28"}}),
            "ipam_config.ip_range",
        ),
        (
            json!({"ipam_config": {"subnet": subnet, "aux_addresses": {"a": "10.9.9.9"}}}),
            "ipam_config.aux_addresses.a",
        ),
        (json!({"ipam_config": "x"}), "ipam_config"),
        (json!({"internal": "yes"}), "internal"),
        (json!({"labels": {"": "x"}}), "labels."),
        (
            json!({"options": {"com.docker.network.bridge.default_bridge": true}}),
            "options.com.docker.network.bridge.default_bridge",
        ),
    ] {
        let mut body = json!({ "name": lab.name("net") });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let refused = lab.agent.post("/networks/create", &body).expect(400);
        let error = refused.error();
        assert!(error.contains(&format!("`{field}`")), "{more}: {error}");
    }
    assert_eq!(names(&lab), "");
    // The engine still has the subnet that none of them got.
    let body = json!({"name": lab.name("net"), "ipam_config": {"subnet": subnet}});
    lab.agent.post("/networks/create", &body).expect(201);
}

#[test]
fn a_driver_that_the_engine_does_not_have_is_400() {
    let lab = Lab::new();
    let body = json!({ "name": lab.name("net"), "driver": "nosuchdriver" });
    let refused = lab.agent.post("/networks/create", &body).expect(400);
    assert!(refused.error().contains("`driver`"));
    assert!(refused.json()["details"].is_string());
}

#[test]
fn one_of_many_who_want_a_name_gets_it() {
    let lab = Lab::new();
    let body = json!({ "name": lab.name("net") });
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..12)
            .map(|_| scope.spawn(|| lab.agent.post("/networks/create", &body).status))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(201), count(409)), (1, 11), "{statuses:?}");
    assert_eq!(names(&lab), lab.name("net"));
}

#[test]
fn names_that_no_network_can_have() {
    let lab = Lab::new();
    for bad in ["a%20b", "a%2Fb", "..", "-a", "%2e%2e%2fcontainers"] {
        lab.agent.get(&format!("/networks/{bad}")).expect(400);
    }
    lab.agent.get("/networks/nosuchnetwork").expect(404);
    lab.agent
        .post("/networks/nosuchnetwork", &json!({}))
        .expect(405);
}
