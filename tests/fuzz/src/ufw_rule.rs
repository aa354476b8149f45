//! A line of ufw's: what is read of it, written again as ufw writes it, is read the same.

use std::fmt::Write;

use node_agent::host::ufw::{Direction, Rule};

pub fn check(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else {
        return;
    };
    // None of its lines has another end within, and no word but the last is a comment.
    let mut words = line.split_ascii_whitespace();
    if line.contains(char::is_control) || words.any(|word| word == "comment=") {
        return;
    }
    let Some(rule) = Rule::parse(line) else {
        return;
    };
    let count = line.split_ascii_whitespace().count();
    assert!((6..=10).contains(&count) || line.contains(" comment="));
    assert_eq!(
        Rule::parse(&written(&rule)).as_ref(),
        Some(&rule),
        "{line:?}"
    );
}

fn written(rule: &Rule) -> String {
    let any = |word: &Option<String>| word.clone().unwrap_or_else(|| "any".to_owned());
    let mut line = String::new();
    if rule.direction == Direction::Forward {
        line.push_str("route:");
    }
    line.push_str(&rule.action);
    if let Some(log) = &rule.log {
        write!(line, "_{log}").unwrap();
    }
    let to = rule.to.as_deref().unwrap_or("::/0");
    let (protocol, port, from_port) = (any(&rule.protocol), any(&rule.port), any(&rule.from_port));
    write!(line, " {protocol} {port} {to} {from_port} {}", rule.from).unwrap();
    if let Some(application) = &rule.application {
        write!(line, " {} -", application.replace(' ', "%20")).unwrap();
    }
    let mut places = Vec::new();
    let mut place = |name: &str, interface: &Option<String>, is_needed: bool| match interface {
        Some(interface) => places.push(format!("{name}_{interface}")),
        None if is_needed => places.push(name.to_owned()),
        None => {}
    };
    // The first one is the direction.
    if rule.direction == Direction::Out {
        place("out", &rule.interface_out, true);
        place("in", &rule.interface_in, false);
    } else {
        place("in", &rule.interface_in, true);
        place("out", &rule.interface_out, false);
    }
    write!(line, " {}", places.join("!")).unwrap();
    if let Some(comment) = &rule.comment {
        line.push_str(" comment=");
        for byte in comment.bytes() {
            write!(line, "{byte:02x}").unwrap();
        }
    }
    line
}
