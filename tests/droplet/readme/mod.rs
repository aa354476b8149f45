//! Every command of the README is run: here, word for word and in its order, on the droplet, or by the test that
//! [`ELSEWHERE`] names. A command that is new is one of the former.

mod world;

use std::fs;
use std::path::Path;

use crate::droplet_alone;

/// How the blocks begin that need a machine of their own, the function that runs them, and where that is.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "cargo run",
        "tests/command_line.rs",
        r#"args(["serve", "--dev"])"#,
    ),
    (
        "tests/run.sh",
        "tests/run.sh",
        "\ncargo test --test droplet",
    ),
    (
        "./node-agent install ",
        "tests/droplet/self_install.rs",
        "fn each_way_of_the_readme_works",
    ),
    (
        "node-agent doctor",
        "tests/droplet/self_install.rs",
        r#"readme_block("and no others.")"#,
    ),
    (
        "node-agent upgrade",
        "tests/droplet/self_install.rs",
        r#"readme_block("only the program:\n")"#,
    ),
    (
        "install -m 755 node-agent ",
        "tests/droplet/install.rs",
        r#"readme_block("\n## Under systemd\n")"#,
    ),
    (
        "install -m 644 packaging/node-agent.socket",
        "tests/droplet/socket_unit.rs",
        r#"readme_block("\nSockets that systemd"#,
    ),
    (
        "packaging/build-static.sh",
        "tests/packages/built.rs",
        "fn package(",
    ),
    (
        "dpkg --install",
        "tests/packages/deb.rs",
        r#"readme("Debian and Ubuntu")"#,
    ),
    (
        "tar -xzf node-agent-",
        "tests/packages/site.rs",
        r#"readme("Sites without a network")"#,
    ),
    (
        "packaging/build-cloud-init.sh",
        "tests/packages/cloud_init.rs",
        r#""packaging/build-cloud-init.sh""#,
    ),
    (
        "cd packaging/ansible",
        "tests/packages/fleet.rs",
        r#"readme("Ansible")"#,
    ),
    (
        "cp packaging/nginx-tls-front.conf",
        "tests/packages/site.rs",
        r#"readme("TLS")"#,
    ),
    // A repository needs a host with its name and certificate: the tests of clones have one, with a port.
    (
        "curl -H \"X-API-Key: $KEY\" $URL/git/clone",
        "tests/git_logins.rs",
        "fn logins_are_used_wherever_they_come_from",
    ),
];

/// Commands of the README: where they are, and what they are.
struct Block {
    line: usize,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in include_str!("../../../README.md").lines().enumerate() {
        match &mut open {
            None if line == "```sh" => {
                open = Some(Block {
                    line: index + 1,
                    text: String::new(),
                });
            }
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => block.text.extend([line, "\n"]),
            None => {}
        }
    }
    blocks
}

fn is_elsewhere(block: &Block) -> bool {
    ELSEWHERE
        .iter()
        .any(|(beginning, _, _)| block.text.starts_with(beginning))
}

#[test]
fn what_runs_elsewhere_does() {
    let blocks = blocks();
    for (beginning, file, words) in ELSEWHERE {
        let begins = |block: &&Block| block.text.starts_with(beginning);
        assert_eq!(blocks.iter().filter(begins).count(), 1, "{beginning}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(words), "{file} has no {words}");
    }
}

#[test]
fn every_other_command_works_in_its_order() {
    let droplet = droplet_alone();
    let world = world::World::made(&droplet);
    let mut names = String::new();
    let mut client = String::new();
    let mut run = 0;
    for block in blocks().iter().filter(|block| !is_elsewhere(block)) {
        let first = block.text.lines().next().unwrap();
        if first.starts_with("KEY=") {
            names = block.text.replace('…', crate::support::agent::KEY);
        }
        if first.starts_with("export NODE_AGENT_HOST") {
            let lines = block.text.split_inclusive('\n');
            client = lines.filter(|line| line.starts_with("export ")).collect();
        }
        world.prepare(first);
        let text = world.with_job(&block.text);
        world.run(block.line, &format!("{names}{client}{text}"));
        run += 1;
    }
    assert!(run >= 40, "{run} blocks");
}
