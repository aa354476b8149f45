//! Completions for bash, zsh and fish, made of the table of commands.
#![forbid(unsafe_code)]

use super::commands::{COMMANDS, Command, group};
use super::failure::Failure;
use super::options::{GLOBAL, Opt};
use super::paper::put;

/// Prints those of a shell.
pub(super) fn completions(words: &[String]) -> Result<String, Failure> {
    match words.first().map(String::as_str) {
        Some("bash") => Ok(bash()),
        Some("zsh") => Ok(zsh()),
        Some("fish") => Ok(fish()),
        other => Err(Failure::Usage(format!(
            "there are completions for bash, zsh and fish, not for {:?}",
            other.unwrap_or_default()
        ))),
    }
}

/// The first words, each once.
fn first_words() -> Vec<&'static str> {
    let mut words: Vec<_> = COMMANDS
        .iter()
        .filter_map(|command| command.name.split(' ').next())
        .collect();
    words.dedup();
    words
}

fn options(command: &Command) -> impl Iterator<Item = &'static Opt> {
    let global = if command.is_client() { GLOBAL } else { &[] };
    command.options.iter().chain(global)
}

/// `--name` and `-n` of each.
fn spellings(command: &Command) -> String {
    let mut words = Vec::new();
    for option in options(command) {
        words.push(format!("--{}", option.long));
        words.extend(option.short.map(|letter| format!("-{letter}")));
    }
    words.join(" ")
}

/// The second words of the group `first`; none if it is a command.
fn second_words(first: &str) -> Vec<&'static str> {
    let names = group(first).into_iter();
    names
        .filter_map(|name| name.split_once(' '))
        .map(|(_, second)| second)
        .collect()
}

fn bash() -> String {
    let mut text = format!(
        "# bash completion for node-agent; made by `node-agent completions bash`\n\
         _node_agent() {{\n\
         \x20   local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} i command='' second=''\n\
         \x20   for ((i = 1; i < COMP_CWORD; i++)); do\n\
         \x20       case ${{COMP_WORDS[i]}} in\n\
         \x20           --host | --key-file) ((i++)) ;;\n\
         \x20           -*) ;;\n\
         \x20           *) if [ -z \"$command\" ]; then command=${{COMP_WORDS[i]}}; elif [ -z \"$second\" ]; then second=${{COMP_WORDS[i]}}; fi ;;\n\
         \x20       esac\n\
         \x20   done\n\
         \x20   local words='' files=\n\
         \x20   case $before in\n\
         \x20       --key-file | --env-file | --file) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n\
         \x20   esac\n\
         \x20   case $command in\n\
         \x20       '') words='{} --host --key-file --json --help --version' ;;\n",
        first_words().join(" ")
    );
    for first in first_words() {
        let seconds = second_words(first);
        if seconds.is_empty() {
            let Some(command) = COMMANDS.iter().find(|command| command.name == first) else {
                continue;
            };
            let words = if first == "completions" {
                "bash zsh fish".to_owned()
            } else {
                spellings(command)
            };
            put(
                &mut text,
                format_args!("        {first}) words='{words}'{} ;;\n", files(command)),
            );
            continue;
        }
        bash_second_words(&mut text, first, &seconds);
    }
    text.push_str(
        "    esac\n\
         \x20   COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n\
         \x20   if [ -n \"$files\" ] && [[ $word != -* ]]; then COMPREPLY=($(compgen -f -- \"$word\")); fi\n\
         }\n\
         complete -o filenames -F _node_agent node-agent\n",
    );
    text
}

/// What follows `first`, which has commands of its own.
fn bash_second_words(text: &mut String, first: &str, seconds: &[&str]) {
    put(
        text,
        format_args!(
            "        {first})\n            case $second in\n                '') words='{}' ;;\n",
            seconds.join(" ")
        ),
    );
    for second in seconds {
        let name = format!("{first} {second}");
        if let Some(command) = COMMANDS.iter().find(|command| command.name == name) {
            put(
                text,
                format_args!(
                    "                {second}) words='{}' ;;\n",
                    spellings(command)
                ),
            );
        }
    }
    text.push_str("            esac ;;\n");
}

/// Whether its words are files here.
fn takes_files(command: &Command) -> bool {
    ["push-image", "build", "upload", "put", "get"].contains(&command.name)
}

fn files(command: &Command) -> &'static str {
    if takes_files(command) { " files=1" } else { "" }
}

/// Within single quotes and an `_arguments` description.
fn zsh_text(text: &str) -> String {
    text.replace('\'', "'\\''")
        .replace('[', "\\[")
        .replace(']', "\\]")
        .replace(':', "\\:")
}

fn zsh() -> String {
    let mut text = String::from(
        "#compdef node-agent\n# made by `node-agent completions zsh`\n\n_node_agent() {\n  local context state line\n  typeset -A opt_args\n  _arguments -C \\\n",
    );
    for option in GLOBAL {
        put(&mut text, format_args!("    {} \\\n", zsh_option(option)));
    }
    text.push_str("    '1: :->command' '*:: :->words'\n  case $state in\n    command)\n      local -a commands=(\n");
    for first in first_words() {
        let summary = COMMANDS
            .iter()
            .find(|command| command.name == first)
            .map_or("Scheduled jobs", |command| command.summary);
        put(
            &mut text,
            format_args!(
                "        '{first}:{}'\n",
                zsh_text(summary).replace("\\[", "[").replace("\\]", "]")
            ),
        );
    }
    text.push_str(
        "      )\n      _describe command commands ;;\n    words)\n      case $line[1] in\n",
    );
    for first in first_words() {
        let seconds = second_words(first);
        if !seconds.is_empty() {
            put(
                &mut text,
                format_args!("        {first}) _values action {} ;;\n", seconds.join(" ")),
            );
            continue;
        }
        let Some(command) = COMMANDS.iter().find(|command| command.name == first) else {
            continue;
        };
        put(&mut text, format_args!("        {first}) _arguments"));
        for option in options(command) {
            put(
                &mut text,
                format_args!(" \\\n          {}", zsh_option(option)),
            );
        }
        let words = match command.name {
            "completions" => "'1:shell:(bash zsh fish)'",
            _ if takes_files(command) => "'*:file:_files'",
            _ => "'*::word:_default'",
        };
        put(&mut text, format_args!(" \\\n          {words} ;;\n"));
    }
    text.push_str("      esac ;;\n  esac\n}\n\n_node_agent \"$@\"\n");
    text
}

fn zsh_option(option: &Opt) -> String {
    let help = zsh_text(option.help);
    let value = match option.value {
        Some(value) if value.contains("FILE") => format!(":{}:_files", zsh_text(value)),
        Some(value) => format!(":{}:", zsh_text(value)),
        None => String::new(),
    };
    match option.short {
        Some(letter) => format!("'*'{{-{letter},--{}}}'[{help}]{value}'", option.long),
        None => format!("'*--{}[{help}]{value}'", option.long),
    }
}

fn fish() -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let mut text =
        String::from("# fish completion for node-agent; made by `node-agent completions fish`\n");
    text.push_str("complete -c node-agent -f\n");
    for option in GLOBAL {
        put(
            &mut text,
            format_args!("complete -c node-agent {}\n", fish_option(option, &quoted)),
        );
    }
    for command in COMMANDS {
        let mut words = command.name.split(' ');
        let first = words.next().unwrap_or_default();
        let summary = quoted(command.summary);
        match words.next() {
            None => put(
                &mut text,
                format_args!(
                    "complete -c node-agent -n __fish_use_subcommand -a {first} -d {summary}\n"
                ),
            ),
            Some(second) => put(
                &mut text,
                format_args!(
                    "complete -c node-agent -n __fish_use_subcommand -a {first}\ncomplete -c node-agent -n '__fish_seen_subcommand_from {first}' -a {second} -d {summary}\n"
                ),
            ),
        }
        let seen = format!("-n '__fish_seen_subcommand_from {first}'");
        for option in command.options {
            put(
                &mut text,
                format_args!(
                    "complete -c node-agent {seen} {}\n",
                    fish_option(option, &quoted)
                ),
            );
        }
        if takes_files(command) {
            put(
                &mut text,
                format_args!("complete -c node-agent {seen} -F\n"),
            );
        }
        if command.name == "completions" {
            put(
                &mut text,
                format_args!("complete -c node-agent {seen} -a 'bash zsh fish'\n"),
            );
        }
    }
    text
}

fn fish_option(option: &Opt, quoted: &dyn Fn(&str) -> String) -> String {
    let letter = option
        .short
        .map_or_else(String::new, |letter| format!(" -s {letter}"));
    let value = match option.value {
        Some(value) if value.contains("FILE") => " -r -F",
        Some(_) => " -x",
        None => "",
    };
    format!(
        "-l {}{letter}{value} -d {}",
        option.long,
        quoted(option.help)
    )
}
