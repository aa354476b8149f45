//! What is made of the table of commands: completions and the manual page, as they are packaged.

use std::path::PathBuf;
use std::process::Command;

use crate::support::agent::program;
use crate::support::operator::finish;

/// The packaged file and the words that print it.
const PAPERS: &[(&str, &[&str])] = &[
    ("completions/node-agent.bash", &["completions", "bash"]),
    ("completions/_node-agent", &["completions", "zsh"]),
    ("completions/node-agent.fish", &["completions", "fish"]),
    ("man/node-agent.1", &["man"]),
];

fn packaged(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(name)
}

#[test]
fn the_packaged_ones_are_current() {
    for (name, words) in PAPERS {
        let printed = finish(program().args(*words), b"").well();
        let path = packaged(name);
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == printed,
            "{} is not current: node-agent {} > {0}",
            path.display(),
            words.join(" ")
        );
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What bash offers behind these words, the last of which is being typed.
fn offered(words: &[&str]) -> Vec<String> {
    let file = packaged("completions/node-agent.bash");
    let script = format!(
        "source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _node_agent; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file.display(),
        words
            .iter()
            .map(|word| format!("'{word}'"))
            .collect::<Vec<_>>()
            .join(" "),
        words.len() - 1
    );
    output("bash", &["-c", &script])
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_completes_commands_and_options() {
    assert_eq!(
        offered(&["node-agent", "p"]),
        ["ping", "ps", "pull", "push-image", "put"]
    );
    assert_eq!(
        offered(&["node-agent", "--host", "exec", "logs", "--f"]),
        ["--follow"]
    );
    assert_eq!(offered(&["node-agent", "cron", ""]), ["list", "add", "rm"]);
    assert_eq!(offered(&["node-agent", "cron", "add", "--v"]), ["--volume"]);
    assert_eq!(offered(&["node-agent", "completions", "f"]), ["fish"]);
    assert!(offered(&["node-agent", "put", "/etc/host"]).contains(&"/etc/hostname".to_owned()));
}

#[test]
fn fish_completes_them_too() {
    let file = packaged("completions/node-agent.fish");
    let ask = |line: &str| {
        let script = format!("source {}; complete -C '{line}'", file.display());
        output("fish", &["--no-config", "-c", &script])
    };
    assert!(ask("node-agent pu").contains("push-image\t"));
    assert!(ask("node-agent logs --fol").starts_with("--follow\t"));
    assert!(ask("node-agent cron ").contains("list\t"));
}

#[test]
fn zsh_and_mandoc_have_nothing_to_say_against_them() {
    output(
        "zsh",
        &["-n", packaged("completions/_node-agent").to_str().unwrap()],
    );
    let script = format!(
        "autoload -U compinit; compinit -u -D; source {}",
        packaged("completions/_node-agent").display()
    );
    // Outside of a completion it may only complain about that, not about the file.
    let checked = Command::new("zsh")
        .args(["-f", "-c", &script])
        .output()
        .unwrap();
    let errors = String::from_utf8(checked.stderr).unwrap();
    assert!(
        !errors.contains("parse error") && !errors.contains("not found"),
        "{errors}"
    );
    let page = packaged("man/node-agent.1");
    let page = page.to_str().unwrap();
    assert_eq!(output("mandoc", &["-T", "lint", "-W", "warning", page]), "");
    // Bold is a character over itself.
    let shown = output("mandoc", &["-T", "ascii", page]);
    let mut plain = String::new();
    for character in shown.chars() {
        if character == '\u{8}' {
            plain.pop();
        } else {
            plain.push(character);
        }
    }
    for text in ["push-image", "EXIT STATUS", "NODE_AGENT_KEY_FILE"] {
        assert!(plain.contains(text), "{text} is not in the manual page");
    }
}
