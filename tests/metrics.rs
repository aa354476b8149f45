//! `GET /metrics`: its formats, and the figures of the machine and of the agent beside those of `/proc`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::agent::{KEY, Setup};
use crate::support::figures::{are_close, metrics};
use crate::support::lab::Lab;
use crate::support::{Agent, Response, eventually};

#[test]
fn the_machines_figures_agree_with_proc() {
    let agent = Agent::start();
    let before = proc_cpu();
    let system = metrics(&agent)["system"].take();
    let after = proc_cpu();
    let seconds = system["cpu"]["seconds"].as_object().unwrap();
    for (place, mode) in [
        "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal",
    ]
    .iter()
    .enumerate()
    {
        let ours = seconds[*mode].as_f64().unwrap();
        // Idle time is estimated while a processor sleeps, and may be corrected downwards.
        assert!(
            before[place] - 0.5 <= ours && ours <= after[place] + 0.5,
            "{mode} {ours}"
        );
    }
    let cores = std::fs::read_to_string("/proc/cpuinfo")
        .unwrap()
        .matches("processor\t")
        .count();
    assert_eq!(system["cpu"]["cores"], cores);
    assert!((0.0..=100.0).contains(&system["cpu"]["percent"].as_f64().unwrap()));
    let free = output("free", &["-b"]);
    let total: u64 = free
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(system["memory"]["total_bytes"], total);
    let used = system["memory"]["used_bytes"].as_u64().unwrap();
    assert_eq!(
        used + system["memory"]["available_bytes"].as_u64().unwrap(),
        total
    );
    assert_eq!(
        system["hostname"],
        std::fs::read_to_string("/proc/sys/kernel/hostname")
            .unwrap()
            .trim()
    );
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    assert!(are_close(
        system["uptime_seconds"].as_f64().unwrap(),
        uptime,
        0.0,
        10.0
    ));
    let networks = system["networks"].as_array().unwrap();
    assert!(
        networks
            .iter()
            .any(|one| one["interface"] == "lo" && one["rx_bytes"].as_u64().unwrap() > 0)
    );
}

/// Seconds of all processors by mode.
fn proc_cpu() -> Vec<f64> {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let line = stat.lines().next().unwrap();
    line.split_whitespace()
        .skip(1)
        .map(|ticks| ticks.parse::<f64>().unwrap() / 100.0)
        .collect()
}

fn output(program: &str, args: &[&str]) -> String {
    String::from_utf8(Command::new(program).args(args).output().unwrap().stdout).unwrap()
}

#[test]
fn disks_agree_with_df() {
    let system = metrics(&Agent::start())["system"].take();
    let disks = system["disks"].as_array().unwrap();
    assert!(!disks.is_empty(), "{system}");
    let mut devices: Vec<_> = disks
        .iter()
        .map(|disk| disk["device"].as_str().unwrap())
        .collect();
    devices.sort_unstable();
    devices.dedup();
    assert_eq!(devices.len(), disks.len(), "each once");
    let disk = disks
        .iter()
        .min_by_key(|disk| disk["mount_point"].as_str().unwrap().len())
        .unwrap();
    let point = disk["mount_point"].as_str().unwrap();
    let df = output("df", &["-B1", "--output=size,used,avail,itotal", point]);
    let theirs: Vec<f64> = df
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    for (field, theirs) in [
        "total_bytes",
        "used_bytes",
        "available_bytes",
        "total_inodes",
    ]
    .iter()
    .zip(theirs)
    {
        // Others write to it meanwhile.
        assert!(
            are_close(disk[*field].as_f64().unwrap(), theirs, 0.05, 1e9),
            "{field} {disk} {df}"
        );
    }
}

#[test]
fn the_agent_counts_its_own_work() {
    let agent = Agent::start();
    for _ in 0..3 {
        agent
            .connect()
            .request("GET", "/ping", &[], b"")
            .expect(200);
    }
    agent
        .connect()
        .request("HEAD", "/ping", &[], b"")
        .expect(200);
    agent.get("/containers/nobody/status").expect(404);
    agent.get("/no/such/path").expect(404);
    agent.get("/no/other/path").expect(404);
    agent
        .connect()
        .request("GET", "/metrics", &[], b"")
        .expect(401);
    agent
        .connect()
        .request("POST", "/ping", &[("X-API-Key", KEY)], b"")
        .expect(405);
    let mut idle = agent.connect();
    idle.request("GET", "/ping", &[], b"").expect(200);
    metrics(&agent);
    let own = metrics(&agent)["agent"].take();
    let mut counted = BTreeMap::new();
    for one in own["requests"].as_array().unwrap() {
        let key = format!(
            "{} {} {}",
            one["method"].as_str().unwrap(),
            one["route"].as_str().unwrap(),
            one["status"]
        );
        counted.insert(key, one["count"].as_u64().unwrap());
    }
    let expected = [
        (" none 401", 1),
        (" none 404", 2),
        (" none 405", 1),
        ("GET /containers/{n}/status 404", 1),
        ("GET /metrics 200", 1),
        ("GET /ping 200", 5),
    ];
    assert_eq!(
        counted,
        expected.map(|(key, count)| (key.to_owned(), count)).into()
    );
    let durations = &own["durations"];
    assert_eq!(durations["count"], 11);
    let buckets = durations["buckets"].as_array().unwrap();
    let counts: Vec<_> = buckets
        .iter()
        .map(|bucket| bucket["count"].as_u64().unwrap())
        .collect();
    assert!(
        counts.is_sorted() && counts.last() == Some(&11),
        "{durations}"
    );
    assert!(durations["sum_seconds"].as_f64().unwrap() > 0.0);
    assert!(own["connections"].as_u64().unwrap() >= 2, "{own}");
    assert!(
        own["workers"]["busy"] == 1 && own["workers"]["total"].as_u64().unwrap() >= 2,
        "{own}"
    );
    assert_eq!(own["uploads"], json!({ "open": 0, "finished": 0 }));
    // It takes and lets go of memory meanwhile: once they have to agree.
    eventually("the resident size to agree with the kernel's", || {
        let told = metrics(&agent)["agent"]["resident_bytes"].as_f64().unwrap();
        let resident = f64::from(u32::try_from(agent.proc_status("VmRSS")).unwrap()) * 1024.0;
        are_close(told, resident, 0.3, 1e6).then_some(())
    });
    assert!(own["open_descriptors"].as_u64().unwrap() >= 8 && own["cpu_seconds"].is_number());
    assert!(
        own["started_at"].as_str().unwrap().ends_with('Z')
            && own["uptime_seconds"].as_f64().unwrap() < 100.0
    );
    drop(idle);
    // Nothing was uploaded, and nothing was made for it.
    assert!(!agent.state_files().contains(&"uploads".to_owned()));
}

#[test]
fn without_an_engine_the_machine_is_still_told() {
    let agent = Setup::new().engine("/nowhere/docker.sock".as_ref()).start();
    let all = metrics(&agent);
    assert_eq!(all["containers"], json!([]));
    let why = all["containers_error"].as_str().unwrap();
    assert!(
        why.contains("cannot be reached at /nowhere/docker.sock"),
        "{why}"
    );
    assert!(all["system"]["memory"]["total_bytes"].as_u64().unwrap() > 0);
    let text = agent.get("/metrics?format=prometheus").expect(200);
    assert!(text.text().contains("\nnode_agent_containers_complete 0\n"));
}

#[test]
fn the_format_is_chosen_by_name_or_by_accept() {
    let agent = Agent::start();
    let ask = |query: &str, accept: Option<&str>| -> Response {
        let mut headers = vec![("X-API-Key", KEY)];
        headers.extend(accept.map(|accept| ("Accept", accept)));
        agent
            .connect()
            .request("GET", &format!("/metrics{query}"), &headers, b"")
    };
    let kind = |response: Response| {
        response
            .expect(200)
            .header("content-type")
            .unwrap()
            .to_owned()
    };
    let text = "text/plain; version=0.0.4; charset=utf-8";
    // What Prometheus 2.42 and 3 send.
    let scrapers = [
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
        "text/plain",
        "Text/Plain;version=0.0.4",
    ];
    for accept in scrapers {
        assert_eq!(kind(ask("", Some(accept))), text, "{accept}");
        assert_eq!(
            kind(ask("?format=json", Some(accept))),
            "application/json",
            "{accept}"
        );
    }
    let others = [
        None,
        Some("*/*"),
        Some("application/json"),
        Some("application/json, text/plain, */*"),
        Some("text/html,*/*;q=0.8"),
    ];
    for accept in others {
        assert_eq!(kind(ask("", accept)), "application/json", "{accept:?}");
        assert_eq!(kind(ask("?format=prometheus", accept)), text, "{accept:?}");
    }
    assert_eq!(kind(ask("?format=", None)), "application/json");
    for query in [
        "?format=xml",
        "?format=Prometheus",
        "?format=json&format=json",
    ] {
        assert!(
            ask(query, None).expect(400).error().contains("`format`"),
            "{query}"
        );
    }
    for path in ["/metrics", "/metrics?format=prometheus"] {
        let head = agent
            .connect()
            .request("HEAD", path, &[("X-API-Key", KEY)], b"")
            .expect(200);
        assert!(head.body.is_empty());
    }
    agent
        .connect()
        .request("POST", "/metrics", &[("X-API-Key", KEY)], b"")
        .expect(405);
}

#[test]
fn promtool_finds_nothing_to_say() {
    let lab = Lab::new();
    lab.run(
        "a",
        &json!({ "network": "none", "health_check": { "test": "true", "interval": 1 } }),
    )
    .expect(201);
    let failing = json!({ "network": "none", "command": ["sh", "-c", "exit 1"] });
    lab.run("b", &failing).expect(201);
    eventually("a to be healthy", || {
        (lab.get("a", "health").json()["health_status"] == "healthy").then_some(())
    });
    let answer = lab.agent.get("/metrics?format=prometheus").expect(200);
    let text = answer.text();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("package prometheus");
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success() && said.is_empty(),
        "{}",
        String::from_utf8_lossy(&said)
    );
    let (a, b) = (lab.name("a"), lab.name("b"));
    for line in [
        format!("node_agent_container_state{{name=\"{a}\",state=\"running\"}} 1"),
        format!("node_agent_container_state{{name=\"{b}\",state=\"exited\"}} 1"),
        format!("node_agent_container_health{{name=\"{a}\",health=\"healthy\"}} 1"),
        format!("node_agent_container_restarts_total{{name=\"{a}\"}} 0"),
        "node_agent_containers_complete 1".to_owned(),
    ] {
        assert!(text.lines().any(|known| known == line), "{line}");
    }
    let has = |start: String| text.lines().any(|line| line.starts_with(&start));
    for figure in [
        "cpu_usage_ratio",
        "cpu_seconds_total",
        "memory_usage_bytes",
        "memory_limit_bytes",
        "pids",
    ] {
        assert!(
            has(format!("node_agent_container_{figure}{{name=\"{a}\"}} ")),
            "{figure}"
        );
        assert!(
            !has(format!("node_agent_container_{figure}{{name=\"{b}\"}} ")),
            "{figure}"
        );
    }
    assert!(has("node_agent_http_request_duration_seconds_bucket{method=\"POST\",route=\"/containers/run\",le=\"+Inf\"} 2".into()));
    assert!(!has("node_agent_container_health{name=\"none\"".into()));
}
