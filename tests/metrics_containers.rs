//! Containers in `GET /metrics`: figures beside those of `docker stats` and of the engine, on the real engine and kernel.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::agent::Setup;
use crate::support::figures::{are_close, docker_stats, engine_cpu, find, metrics, numbers, of};
use crate::support::lab::Lab;
use crate::support::liar::Liar;
use crate::support::{Over, docker, eventually};

#[test]
fn figures_agree_with_docker_stats() {
    let lab = Lab::new();
    let script = "busybox dd if=/dev/zero of=/dev/shm/held bs=1M count=24; \
        busybox dd if=/dev/zero of=/cached bs=1M count=16; echo ready; while :; do :; done";
    let body = json!({ "command": ["sh", "-c", script], "memory": "128m", "cpus": 0.2, "network": "none" });
    lab.run("busy", &body).expect(201);
    lab.run("idle", &json!({ "network": "none" })).expect(201);
    eventually("the script to be ready", || {
        lab.get("busy", "logs?stderr=0")
            .text()
            .contains("ready")
            .then_some(())
    });
    metrics(&lab.agent);
    let before = engine_cpu(&lab, "busy");
    let ours = metrics(&lab.agent);
    let after = engine_cpu(&lab, "busy");
    let (busy, idle) = (of(&lab, &ours, "busy"), of(&lab, &ours, "idle"));
    let seconds = busy["cpu_seconds"].as_f64().unwrap();
    assert!(
        before <= seconds && seconds <= after,
        "{before} {seconds} {after}"
    );
    // A fifth of a core is what it may have; on a crowded machine it gets less.
    let percent = busy["cpu_percent"].as_f64().unwrap();
    assert!(percent > 1.0 && percent < 40.0, "{percent}");
    assert!(idle["cpu_percent"].as_f64().unwrap() < 1.0, "{idle}");
    let theirs = numbers(&docker_stats(&lab, "busy", "MemUsage"));
    let memory = &busy["memory"];
    let used = memory["usage_bytes"].as_f64().unwrap();
    assert!(are_close(used, theirs[0], 0.02, 1e6), "{used} {theirs:?}");
    assert!(used > 24e6, "what is in /dev/shm counts: {used}");
    assert_eq!(memory["limit_bytes"], 128 * 1024 * 1024);
    assert!(are_close(theirs[1], 134_217_728.0, 0.001, 0.0));
    let shown = numbers(&docker_stats(&lab, "busy", "MemPerc"));
    assert!(are_close(
        memory["percent"].as_f64().unwrap(),
        shown[0],
        0.02,
        0.5
    ));
    assert_eq!(busy["pids"].to_string(), docker_stats(&lab, "busy", "PIDs"));
    for (name, facts) in [("busy", &busy), ("idle", &idle)] {
        assert_eq!(
            (&facts["source"], &facts["state"]),
            (&json!("cgroup"), &json!("running")),
            "{name}"
        );
        assert_eq!(
            (&facts["restarts"], &facts["health"]),
            (&json!(0), &json!("none")),
            "{name}"
        );
        assert_eq!(facts["image"], lab.docker.image());
    }
    // Without a limit the machine's memory is it.
    assert_eq!(
        idle["memory"]["limit_bytes"],
        ours["system"]["memory"]["total_bytes"]
    );
}

#[test]
fn network_and_disk_agree_with_docker_stats() {
    let lab = Lab::new();
    let network = lab.name("net");
    docker::run(&["network", "create", &network]).unwrap();
    let script = "busybox dd if=/dev/zero of=/file bs=1M count=8 oflag=direct; \
        busybox dd if=/file of=/dev/null bs=1M iflag=direct; \
        while ! busybox ping -c 3 -s 1000 -w 9 $TARGET; do :; done; echo ready; busybox sleep 1000";
    lab.run("target", &json!({ "network": network }))
        .expect(201);
    let body = json!({ "command": ["sh", "-c", script], "network": network, "environment": { "TARGET": lab.name("target") } });
    lab.run("talker", &body).expect(201);
    lab.run("host", &json!({ "network": "host" })).expect(201);
    eventually("the script to be ready", || {
        lab.get("talker", "logs?tail=all")
            .text()
            .contains("ready")
            .then_some(())
    });
    let ours = metrics(&lab.agent);
    let talker = of(&lab, &ours, "talker");
    let theirs = numbers(&docker_stats(&lab, "talker", "NetIO"));
    let net = &talker["network"];
    for (ours, theirs) in [("rx_bytes", theirs[0]), ("tx_bytes", theirs[1])] {
        let bytes = net[ours].as_f64().unwrap();
        // The kernel says something to the neighbours now and then.
        assert!(
            bytes > 3000.0 && are_close(bytes, theirs, 0.2, 500.0),
            "{ours} {bytes} {theirs}"
        );
    }
    assert!(
        net["tx_packets"].as_u64().unwrap() >= 3 && net["rx_errors"] == 0,
        "{net}"
    );
    // Kernels without any scheduler that counts say nothing to either of us.
    let theirs = numbers(&docker_stats(&lab, "talker", "BlockIO"));
    for (ours, theirs) in [("read_bytes", theirs[0]), ("write_bytes", theirs[1])] {
        let bytes = talker["block_io"][ours].as_f64().unwrap();
        assert!(
            are_close(bytes, theirs, 0.1, 100_000.0),
            "{ours} {bytes} {theirs}"
        );
    }
    let host = of(&lab, &ours, "host");
    assert_eq!(
        (&host["network_mode"], &host["network"]),
        (&json!("host"), &Value::Null)
    );
    assert!(host["cpu_seconds"].is_number());
    assert_eq!(numbers(&docker_stats(&lab, "host", "NetIO")), [0.0, 0.0]);
}

#[test]
fn the_use_of_a_core_is_the_time_used_over_the_time_passed() {
    let lab = Lab::new();
    let body = json!({ "command": ["sh", "-c", "while :; do :; done"], "network": "none" });
    lab.run("busy", &body).expect(201);
    let timed = || {
        let start = Instant::now();
        let facts = of(&lab, &metrics(&lab.agent), "busy");
        (
            start,
            Instant::now(),
            facts["cpu_seconds"].as_f64().unwrap(),
            facts["cpu_percent"].as_f64().unwrap(),
        )
    };
    // Without an earlier sample there is a short window.
    let first = timed();
    assert!(first.1 - first.0 >= Duration::from_millis(100));
    assert!(first.3 >= 0.0 && first.3 < 250.0, "{}", first.3);
    std::thread::sleep(Duration::from_millis(1200));
    let second = timed();
    // Somebody who asks right after another one gets the use since long before, not since a moment ago.
    let third = timed();
    for later in [&second, &third] {
        let used = later.2 - first.2;
        let least = (later.0 - first.1).as_secs_f64();
        let most = (later.1 - first.0).as_secs_f64();
        let percent = later.3;
        assert!(
            percent <= used / least * 100.0 + 0.1,
            "{percent} {used} {least}"
        );
        assert!(
            percent >= used / most * 100.0 - 0.1,
            "{percent} {used} {most}"
        );
    }
    let idle = lab.agent.get("/metrics").expect(200).json()["system"]["cpu"]["percent"]
        .as_f64()
        .unwrap();
    assert!((0.0..=100.0).contains(&idle), "{idle}");
}

#[test]
fn two_scrapers_at_once_do_not_disturb_one_another() {
    let lab = Lab::new();
    let body =
        json!({ "command": ["sh", "-c", "while :; do :; done"], "network": "none", "cpus": 0.5 });
    lab.run("busy", &body).expect(201);
    metrics(&lab.agent);
    std::thread::sleep(Duration::from_millis(1100));
    let ask = || {
        let mut seen = Vec::new();
        for _ in 0..10 {
            let facts = of(&lab, &metrics(&lab.agent), "busy");
            seen.push(facts["cpu_percent"].as_f64().unwrap());
        }
        seen
    };
    let seen: Vec<f64> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        asking
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    assert_eq!(seen.len(), 40);
    // Half a core at most over a second and more; a window of milliseconds would show 0 and 100 and more.
    assert!(
        seen.iter().all(|percent| *percent > 2.0 && *percent < 75.0),
        "{seen:?}"
    );
}

#[test]
fn containers_that_do_not_run_have_no_figures() {
    let lab = Lab::new();
    let ending = json!({ "command": ["sh", "-c", "exit 3"], "network": "none" });
    lab.run("ended", &ending).expect(201);
    let restarting = json!({ "command": ["sh", "-c", "exit 1"], "restart_policy": "on-failure:2", "network": "none" });
    lab.run("failing", &restarting).expect(201);
    let healthy = json!({ "health_check": { "test": "true", "interval": 1 }, "network": "none" });
    lab.run("paused", &healthy).expect(201);
    lab.docker
        .create_by_cli(&["--name", &lab.name("created")], &["busybox", "true"])
        .unwrap();
    eventually("the restarts to be over and the check to be made", || {
        let seen = metrics(&lab.agent);
        let failing = of(&lab, &seen, "failing");
        let is_over = failing["state"] == "exited" && failing["restarts"] == 2;
        (is_over && of(&lab, &seen, "paused")["health"] == "healthy").then_some(())
    });
    docker::run(&["pause", &lab.name("paused")]).unwrap();
    let seen = metrics(&lab.agent);
    for (name, state) in [
        ("ended", "exited"),
        ("failing", "exited"),
        ("created", "created"),
    ] {
        let facts = of(&lab, &seen, name);
        assert_eq!(facts["state"], state, "{name}");
        for figure in [
            "source",
            "cpu_percent",
            "cpu_seconds",
            "memory",
            "network",
            "block_io",
            "pids",
        ] {
            assert_eq!(facts[figure], Value::Null, "{name} {figure}");
        }
    }
    let paused = of(&lab, &seen, "paused");
    assert_eq!(paused["state"], "paused");
    assert!(
        paused["memory"]["usage_bytes"].as_u64().unwrap() > 0 && paused["pids"] == 1,
        "{paused}"
    );
    docker::run(&["unpause", &lab.name("paused")]).unwrap();
}

#[test]
fn a_container_that_starts_anew_is_seen_as_the_new_one() {
    let lab = Lab::new();
    let script = "while [ ! -e /go ]; do busybox sleep 0.1; done; busybox rm /go; exit 1";
    let body = json!({ "command": ["sh", "-c", script], "restart_policy": "on-failure:3", "network": "none" });
    lab.run("a", &body).expect(201);
    let first = of(&lab, &metrics(&lab.agent), "a");
    assert_eq!(
        (&first["restarts"], &first["source"]),
        (&json!(0), &json!("cgroup"))
    );
    docker::run(&["exec", &lab.name("a"), "busybox", "touch", "/go"]).unwrap();
    let again = eventually("the second run", || {
        let facts = of(&lab, &metrics(&lab.agent), "a");
        (facts["restarts"] == 1 && facts["state"] == "running").then_some(facts)
    });
    assert_eq!(again["source"], "cgroup", "{again}");
    lab.post("a", "restart?timeout=0").expect(200);
    let third = eventually("the third run", || {
        let facts = of(&lab, &metrics(&lab.agent), "a");
        facts["cpu_percent"].is_number().then_some(facts)
    });
    assert_eq!(
        third["restarts"].to_string(),
        lab.inspect("a", ".RestartCount")
    );
}

#[test]
fn containers_come_and_go_while_figures_are_taken() {
    let lab = Lab::new();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _over = Over(&over);
        scope.spawn(|| {
            for round in 0..8 {
                let name = format!("n{round}");
                if lab.run(&name, &json!({ "network": "none" })).status == 201 {
                    lab.post(&name, "remove?force=true");
                }
            }
            over.store(true, Relaxed);
        });
        let mut seen = 0;
        while !over.load(Relaxed) {
            let all = metrics(&lab.agent);
            assert_eq!(all.get("containers_error"), None, "{all}");
            seen += usize::from(
                (0..8).any(|round| find(&all, &lab.name(&format!("n{round}"))).is_some()),
            );
        }
        assert!(seen > 0, "no container was ever seen");
    });
    assert_eq!(find(&metrics(&lab.agent), &lab.name("n0")), None);
    let descriptors = lab.agent.descriptors();
    metrics(&lab.agent);
    eventually("no descriptor to stay", || {
        (lab.agent.descriptors() <= descriptors).then_some(())
    });
}

/// An engine in front of the real one that tells a wrong process for each container, so that nobody finds its files.
#[test]
fn where_the_kernels_files_are_missing_the_engine_is_asked() {
    let lab = Lab::new();
    let body =
        json!({ "command": ["sh", "-c", "while :; do :; done"], "network": "none", "cpus": 0.2 });
    lab.run("busy", &body).expect(201);
    lab.run("other", &json!({ "network": "none", "memory": "64m" }))
        .expect(201);
    let liar = Liar::start(|answer| {
        let mut value: Value = serde_json::from_str(answer).ok()?;
        value
            .get_mut("State")?
            .as_object_mut()?
            .insert("Pid".into(), json!(1));
        Some(value.to_string())
    });
    let agent = Setup::new().engine(liar.socket()).start();
    let start = Instant::now();
    let all = metrics(&agent);
    let took = start.elapsed();
    assert_eq!(all.get("containers_error"), None, "{all:#}");
    let (busy, other) = (of(&lab, &all, "busy"), of(&lab, &all, "other"));
    assert_eq!(
        (&busy["source"], &other["source"]),
        (&json!("engine"), &json!("engine")),
        "{busy}"
    );
    assert!(
        busy["cpu_percent"].as_f64().unwrap() > 1.0 && busy["cpu_seconds"].as_f64().unwrap() > 0.0
    );
    assert!(are_close(
        other["cpu_percent"].as_f64().unwrap(),
        0.0,
        0.0,
        1.0
    ));
    assert_eq!(other["memory"]["limit_bytes"], 64 * 1024 * 1024);
    let direct = of(&lab, &metrics(&lab.agent), "other");
    assert_eq!(direct["source"], "cgroup");
    let used = |facts: &Value| facts["memory"]["usage_bytes"].as_f64().unwrap();
    assert!(are_close(used(&other), used(&direct), 0.1, 1e6));
    assert_eq!(other["pids"], direct["pids"]);
    // All of them at the same time, not two seconds for each.
    assert!(took < Duration::from_secs(5), "{took:?}");
}
