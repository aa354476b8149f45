//! The droplet's firewall, as ufw and the kernel have it. One test at a time: of two ufw that run at once, one forgets what
//! the other one did.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::droplet_alone;
use crate::machine::Droplet;
use crate::support::Client;
use crate::support::agent::KEY;

/// Takes rules away again, and turns the firewall on, also when the test fails.
struct Rules<'d>(&'d Droplet, &'static [&'static str]);

impl Drop for Rules<'_> {
    fn drop(&mut self) {
        for rule in self.1 {
            let script = format!("ufw --force delete {rule}");
            self.0.run(&["sh", "-c", &script]);
        }
        self.0
            .run(&["sed", "-i", "s/^IPV6=.*/IPV6=yes/", "/etc/default/ufw"]);
        self.0.run(&["ufw", "--force", "enable"]);
    }
}

#[track_caller]
fn allow(droplet: &Droplet, body: &Value) -> Value {
    droplet.post("/firewall/allow", body).expect(200).json()
}

#[track_caller]
fn status(droplet: &Droplet) -> Value {
    droplet.get("/firewall/status").expect(200).json()
}

/// The rules about this port.
fn rules(status: &Value, port: &Value) -> Vec<Value> {
    let rules = status["rules"].as_array().unwrap().iter();
    rules
        .filter(|rule| rule["port"] == *port)
        .cloned()
        .collect()
}

/// The lines of `ufw status` with this word.
fn shown(droplet: &Droplet, word: &str) -> Vec<String> {
    let text = droplet.text(&["ufw", "status"]);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines()
        .filter(|line| line.contains(word))
        .map(words)
        .collect()
}

#[test]
fn a_port_is_opened_to_one_protocol_or_both() {
    let droplet = droplet_alone();
    let _rules = Rules(&droplet, &["allow 7101", "allow 7102/udp"]);
    let both = allow(&droplet, &json!({ "port": 7101 }));
    assert_eq!(
        both,
        json!({"status": "allowed", "changed": true, "active": true, "rule":
            {"action": "ALLOW", "port": 7101, "protocol": "any", "from_ip": "0.0.0.0/0", "direction": "in"}})
    );
    assert_eq!(
        shown(&droplet, "7101"),
        ["7101 ALLOW Anywhere", "7101 (v6) ALLOW Anywhere (v6)"]
    );
    assert_eq!(allow(&droplet, &json!({"port": 7101}))["changed"], false);
    assert_eq!(shown(&droplet, "7101").len(), 2);
    let one = json!({"port": "7102", "protocol": "udp"});
    assert_eq!(allow(&droplet, &one)["changed"], true);
    assert_eq!(
        rules(&status(&droplet), &json!(7102)),
        ["0.0.0.0/0", "::/0"].map(|from| json!({
            "action": "ALLOW", "port": 7102, "protocol": "udp", "from_ip": from, "direction": "in",
        }))
    );
}

#[test]
fn ranges_and_sources_of_both_families() {
    let droplet = droplet_alone();
    let _rules = Rules(
        &droplet,
        &[
            "allow proto tcp from 10.9.0.0/16 to any port 7111:7113",
            "allow from fd00:9::/32 to any port 7114",
            "allow from 10.9.0.1 to any port 7115",
        ],
    );
    let range = json!({"port": "7111:7113", "protocol": "tcp", "from_ip": "10.9.0.0/16"});
    for changed in [true, false] {
        assert_eq!(allow(&droplet, &range)["changed"], changed);
    }
    allow(&droplet, &json!({"port": 7114, "from_ip": "fd00:9::/32"}));
    // Both are one address.
    for (from, changed) in [("10.9.0.1/32", true), ("10.9.0.1", false)] {
        let answer = allow(&droplet, &json!({"port": 7115, "from_ip": from}));
        assert_eq!(answer["changed"], changed);
        assert_eq!(answer["rule"]["from_ip"], "10.9.0.1");
    }
    assert_eq!(
        shown(&droplet, "711"),
        [
            "7111:7113/tcp ALLOW 10.9.0.0/16",
            "7115 ALLOW 10.9.0.1",
            "7114 ALLOW fd00:9::/32",
        ]
    );
    let status = status(&droplet);
    assert_eq!(
        rules(&status, &json!("7111:7113"))[0]["from_ip"],
        "10.9.0.0/16"
    );
    assert_eq!(rules(&status, &json!(7114))[0]["from_ip"], "fd00:9::/32");
}

#[test]
fn who_was_shut_out_gets_in() {
    let droplet = droplet_alone();
    let _rules = Rules(&droplet, &["allow 7121/tcp"]);
    let serve = "systemd-run --quiet --unit=firewall-site busybox httpd -f -p 7121 -h /root";
    droplet.shell(serve);
    let listens = "ss --no-header --listening --tcp 'sport = :7121' | grep -q .";
    droplet.wait_for("a server", || {
        droplet.run(&["sh", "-c", listens]).status.success()
    });
    let address = SocketAddr::new(droplet.address.ip(), 7121);
    let connects =
        |patience| TcpStream::connect_timeout(&address, Duration::from_millis(patience)).is_ok();
    assert!(!connects(500), "the firewall does nothing");
    allow(&droplet, &json!({"port": 7121, "protocol": "tcp"}));
    assert!(connects(10_000));
    droplet.text(&["systemctl", "stop", "firewall-site"]);
}

#[test]
fn rules_that_somebody_made_by_hand_are_all_there() {
    let droplet = droplet_alone();
    let _rules = Rules(
        &droplet,
        &[
            "limit 7131/tcp",
            "deny out 7132",
            "reject from 10.9.1.0/24 to any port 7133 proto udp",
            "allow in on eth0 to any port 7134 proto tcp",
            "allow 'Nginx Full'",
            "allow 7135,7137:7138/tcp",
            "route allow in on eth0 out on docker0 to 10.9.2.3 port 7136 proto tcp",
        ],
    );
    droplet.shell(
        "ufw limit 7131/tcp
         ufw deny out 7132
         ufw reject from 10.9.1.0/24 to any port 7133 proto udp comment 'not you (v6)  # x'
         ufw allow in on eth0 to any port 7134 proto tcp
         ufw allow 'Nginx Full'
         ufw allow 7135,7137:7138/tcp
         ufw route allow in on eth0 out on docker0 to 10.9.2.3 port 7136 proto tcp",
    );
    let status = status(&droplet);
    let first = |port: Value| rules(&status, &port)[0].clone();
    let rule = |action, port: Value, protocol, from, direction| json!({"action": action, "port": port, "protocol": protocol, "from_ip": from, "direction": direction});
    let with = |mut rule: Value, more: Value| {
        let more = more.as_object().unwrap().clone();
        rule.as_object_mut().unwrap().extend(more);
        rule
    };
    let anywhere = "0.0.0.0/0";
    assert_eq!(
        first(json!(7131)),
        rule("LIMIT", json!(7131), "tcp", anywhere, "in")
    );
    assert_eq!(
        first(json!(7132)),
        rule("DENY", json!(7132), "any", anywhere, "out")
    );
    assert_eq!(
        first(json!(7133)),
        with(
            rule("REJECT", json!(7133), "udp", "10.9.1.0/24", "in"),
            json!({"comment": "not you (v6)  # x"})
        )
    );
    assert_eq!(
        first(json!(7134)),
        with(
            rule("ALLOW", json!(7134), "tcp", anywhere, "in"),
            json!({"interface_in": "eth0"})
        )
    );
    assert_eq!(
        first(json!("Nginx Full")),
        with(
            rule("ALLOW", json!("Nginx Full"), "tcp", anywhere, "in"),
            json!({"application_ports": "80,443"})
        )
    );
    assert_eq!(
        first(json!("7135,7137:7138")),
        rule("ALLOW", json!("7135,7137:7138"), "tcp", anywhere, "in")
    );
    assert_eq!(
        first(json!(7136)),
        with(
            rule("ALLOW", json!(7136), "tcp", anywhere, "forward"),
            json!({"to_ip": "10.9.2.3", "interface_in": "eth0", "interface_out": "docker0"})
        )
    );
    // As many as ufw shows.
    let shown = droplet.text(&["ufw", "status"]);
    let lines = shown.lines().filter(|line| {
        ["ALLOW", "DENY", "REJECT", "LIMIT"]
            .iter()
            .any(|word| line.contains(word))
    });
    assert_eq!(status["rules"].as_array().unwrap().len(), lines.count());
    // A limit becomes an allow.
    let answer = allow(&droplet, &json!({"port": 7131, "protocol": "tcp"}));
    assert_eq!(answer["changed"], true);
    assert_eq!(
        self::shown(&droplet, "7131/tcp")[0],
        "7131/tcp ALLOW Anywhere"
    );
    droplet.run(&["ufw", "--force", "delete", "allow", "7131/tcp"]);
}

#[test]
fn an_inactive_firewall_keeps_rules_for_later() {
    let droplet = droplet_alone();
    let _rules = Rules(&droplet, &["allow 7141/tcp"]);
    let before = status(&droplet);
    droplet.text(&["ufw", "disable"]);
    let body = json!({"port": 7141, "protocol": "tcp"});
    let answer = allow(&droplet, &body);
    assert_eq!(
        (&answer["changed"], &answer["active"]),
        (&json!(true), &json!(false))
    );
    assert!(answer["warnings"][0].as_str().unwrap().contains("inactive"));
    assert_eq!(allow(&droplet, &body)["changed"], false);
    let inactive = status(&droplet);
    assert_eq!(inactive["status"], "inactive");
    let count = |status: &Value| status["rules"].as_array().unwrap().len();
    assert_eq!(count(&inactive), count(&before) + 2);
    droplet.text(&["ufw", "--force", "enable"]);
    assert_eq!(shown(&droplet, "7141/tcp").len(), 2);
    assert_eq!(status(&droplet)["status"], "active");
}

#[test]
fn a_firewall_without_ipv6() {
    let droplet = droplet_alone();
    let _rules = Rules(&droplet, &["allow 7151/tcp"]);
    droplet.text(&["sed", "-i", "s/^IPV6=.*/IPV6=no/", "/etc/default/ufw"]);
    let six = json!({"port": 7151, "from_ip": "fd00:9::1"});
    let refused = droplet.post("/firewall/allow", &six).expect(409);
    assert!(refused.error().contains("IPv6"));
    allow(&droplet, &json!({"port": 7151, "protocol": "tcp"}));
    let status = status(&droplet);
    assert_eq!(rules(&status, &json!(7151)).len(), 1);
    let rules = status["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["from_ip"] != "::/0"));
}

#[test]
fn many_at_once_lose_nothing() {
    let droplet = droplet_alone();
    let _rules = Rules(
        &droplet,
        &["allow 7161/tcp", "allow 7162/tcp", "allow 7163/tcp"],
    );
    let changed: Vec<bool> = std::thread::scope(|scope| {
        let droplet: &Droplet = &droplet;
        let threads: Vec<_> = [7161, 7162, 7163, 7161, 7162, 7163]
            .into_iter()
            .map(|port| {
                let body = json!({"port": port, "protocol": "tcp"});
                scope.spawn(move || allow(droplet, &body)["changed"] == true)
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(changed.iter().filter(|changed| **changed).count(), 3);
    assert_eq!(shown(&droplet, "716").len(), 6);
}

#[test]
fn a_rule_stays_though_an_administrator_is_at_work() {
    let droplet = droplet_alone();
    let _rules = Rules(&droplet, &["allow 7171/tcp", "allow 7172/tcp"]);
    std::thread::scope(|scope| {
        let droplet: &Droplet = &droplet;
        let by_hand =
            "for i in 1 2 3 4 5 6; do ufw allow 7172/tcp; ufw --force delete allow 7172/tcp; done";
        let administrator = scope.spawn(move || droplet.shell(by_hand));
        while !administrator.is_finished() {
            // Added, or told not to be.
            let body = json!({"port": 7171, "protocol": "tcp"});
            let answer = droplet.post("/firewall/allow", &body);
            assert!([200, 409].contains(&answer.status), "{answer:?}");
        }
    });
    allow(&droplet, &json!({"port": 7171, "protocol": "tcp"}));
    assert_eq!(shown(&droplet, "7171/tcp").len(), 2);
}

/// Whoever may read ufw's lock, which is everybody, can make all that ufw does wait, its status too.
#[test]
fn a_firewall_that_does_not_answer_keeps_nobody_else_waiting() {
    let droplet = droplet_alone();
    let hold = "import fcntl, time; lock = open('/run/ufw.lock'); fcntl.lockf(lock, fcntl.LOCK_SH); time.sleep(100)";
    let unit = "lock-holder";
    droplet.text(&["ufw", "status"]);
    droplet.text(&[
        "systemd-run",
        "--quiet",
        "--collect",
        "--uid=nobody",
        &format!("--unit={unit}"),
        "python3",
        "-c",
        hold,
    ]);
    let is_held = "grep -q \"READ.*:$(stat -c %i /run/ufw.lock) \" /proc/locks";
    droplet.wait_for("the lock to be held", || {
        droplet.run(&["sh", "-c", is_held]).status.success()
    });
    let request = Client::encode("GET", "/firewall/status", &[("X-API-Key", KEY)], b"");
    let waiting: Vec<_> = (0..40)
        .map(|_| {
            let mut client = droplet.connect();
            client.send(&request);
            client
        })
        .collect();
    // The client's own patience is half as long as that with ufw.
    droplet.get("/containers").expect(200);
    droplet.text(&["systemctl", "stop", unit]);
    for mut client in waiting {
        // Some found no place among those that may take long.
        let status = client.response().status;
        assert!([200, 503].contains(&status), "{status}");
    }
    droplet.get("/firewall/status").expect(200);
}
