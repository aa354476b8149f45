//! A strict little reader of Dockerfiles: what every generated file keeps to, said as a program.
#![forbid(unsafe_code)]

use std::process::{Command, Stdio};

use super::{Memory, golden_files};

const INSTRUCTIONS: &[&str] = &[
    "CMD",
    "COPY",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "RUN",
    "USER",
    "WORKDIR",
];

/// One instruction, its continuation lines joined.
#[derive(Debug)]
pub(super) struct Instruction {
    pub(super) name: String,
    pub(super) rest: String,
}

/// Reads the instructions of a file.
pub(super) fn instructions(text: &str) -> Result<Vec<Instruction>, String> {
    let mut all = Vec::new();
    let mut open: Option<Instruction> = None;
    for line in text.lines() {
        if line.starts_with('#') || (open.is_none() && line.is_empty()) {
            continue;
        }
        let (line, goes_on) = line
            .strip_suffix('\\')
            .map_or((line, false), |line| (line, true));
        let instruction = if let Some(mut instruction) = open.take() {
            instruction.rest.push_str(line);
            instruction
        } else {
            let (name, rest) = line
                .split_once(' ')
                .ok_or(format!("no arguments: {line}"))?;
            Instruction {
                name: name.to_owned(),
                rest: rest.to_owned(),
            }
        };
        if goes_on {
            open = Some(instruction);
        } else {
            all.push(instruction);
        }
    }
    if let Some(open) = open {
        return Err(format!("never ends: {open:?}"));
    }
    Ok(all)
}

/// Checks a file against everything that generated files promise.
pub(super) fn check(text: &str, project: &Memory) -> Result<(), String> {
    if !text.ends_with('\n') || text.chars().any(|c| c != '\n' && !(' '..='~').contains(&c)) {
        return Err("other characters than printable ASCII".to_owned());
    }
    for forbidden in [
        "latest", "--mount", "--link", "--chmod", "<<", "syntax=", "{{",
    ] {
        if text.contains(forbidden) {
            return Err(format!("contains {forbidden}"));
        }
    }
    let all = instructions(text)?;
    if all.first().is_none_or(|first| first.name != "FROM") {
        return Err("does not begin with FROM".to_owned());
    }
    let mut stages: Vec<String> = Vec::new();
    for instruction in &all {
        one(instruction, &mut stages, project)
            .map_err(|problem| format!("{problem}: {} {}", instruction.name, instruction.rest))?;
    }
    last_stage(&all)
}

fn one(
    instruction: &Instruction,
    stages: &mut Vec<String>,
    project: &Memory,
) -> Result<(), String> {
    let rest = instruction.rest.as_str();
    match instruction.name.as_str() {
        "FROM" => from(rest, stages),
        "COPY" => copy(rest, stages, project),
        "CMD" => exec_form(rest),
        "HEALTHCHECK" => exec_form(rest.split_once("CMD ").ok_or("no command")?.1),
        "EXPOSE" => rest
            .parse::<u16>()
            .map(|_| ())
            .map_err(|error| error.to_string()),
        "ENV" => truth(
            rest.split(' ').all(|pair| pair.contains('=')),
            "not key=value",
        ),
        "WORKDIR" => truth(rest.starts_with('/'), "not absolute"),
        "USER" => truth(
            rest.split(':')
                .all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)),
            "not a fixed number",
        ),
        "RUN" => truth(!rest.trim().is_empty(), "empty"),
        name => truth(INSTRUCTIONS.contains(&name), "unknown"),
    }
}

fn truth(holds: bool, problem: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(problem.to_owned())
    }
}

fn from(rest: &str, stages: &mut Vec<String>) -> Result<(), String> {
    let words: Vec<&str> = rest.split(' ').collect();
    let (image, name) = match words.as_slice() {
        [image] => (image, ""),
        [image, "AS", name] => (image, *name),
        _ => return Err("not IMAGE or IMAGE AS NAME".to_owned()),
    };
    let (_, tag) = image.rsplit_once(':').ok_or("no tag")?;
    let names_release =
        tag.starts_with(|c: char| c.is_ascii_digit()) || tag.starts_with("bookworm");
    truth(names_release, "the tag is no release")?;
    truth(
        !stages.iter().any(|stage| stage == name && !name.is_empty()),
        "a stage twice",
    )?;
    stages.push(name.to_owned());
    Ok(())
}

fn copy(rest: &str, stages: &[String], project: &Memory) -> Result<(), String> {
    let (flags, words): (Vec<&str>, Vec<&str>) =
        rest.split(' ').partition(|word| word.starts_with("--"));
    truth(
        words.len() >= 2 && words.iter().all(|word| !word.is_empty()),
        "too few arguments",
    )?;
    let (to, sources) = words.split_last().ok_or("no arguments")?;
    truth(
        sources.len() == 1 || to.ends_with('/'),
        "several files to no directory",
    )?;
    let mut stage = None;
    for flag in flags {
        match flag.split_once('=') {
            Some(("--from", name)) => stage = Some(name),
            Some(("--chown", owner)) => truth(
                owner.split(':').all(|id| id.parse::<u32>().is_ok()),
                "owner",
            )?,
            _ => return Err("an unknown flag".to_owned()),
        }
    }
    match stage {
        Some(name) => {
            let earlier = stages
                .split_last()
                .map(|(_, earlier)| earlier)
                .unwrap_or_default();
            truth(
                earlier.iter().any(|stage| stage == name),
                "no earlier stage",
            )?;
            truth(
                sources.iter().all(|source| source.starts_with('/')),
                "not absolute",
            )
        }
        None => truth(
            sources.iter().all(|source| project.has(source)),
            "not in the context",
        ),
    }
}

fn exec_form(json: &str) -> Result<(), String> {
    let words: Vec<String> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    truth(
        !words.is_empty() && words.iter().all(|word| !word.is_empty()),
        "an empty word",
    )
}

fn last_stage(all: &[Instruction]) -> Result<(), String> {
    let start = all
        .iter()
        .rposition(|instruction| instruction.name == "FROM")
        .unwrap_or(0);
    let (before, last) = all.split_at(start);
    let count = |name: &str| {
        last.iter()
            .filter(|instruction| instruction.name == name)
            .count()
    };
    for name in ["USER", "EXPOSE", "CMD"] {
        truth(
            count(name) == 1,
            &format!("the last stage has {} {name}", count(name)),
        )?;
    }
    truth(
        last.last()
            .is_some_and(|instruction| instruction.name == "CMD"),
        "CMD is not at the end",
    )?;
    truth(
        !before.iter().any(|instruction| instruction.name == "CMD"),
        "CMD in another stage",
    )?;
    // Whoever runs as another user than root has installed before.
    let user = last
        .iter()
        .position(|instruction| instruction.name == "USER")
        .unwrap_or(0);
    truth(
        !last[user..]
            .iter()
            .any(|instruction| ["RUN", "COPY"].contains(&instruction.name.as_str())),
        "work after USER",
    )
}

#[test]
fn every_golden_file_keeps_the_rules() {
    for (name, project, text) in golden_files() {
        if let Err(problem) = check(&text, &project) {
            panic!("{name}: {problem}\n{text}");
        }
    }
}

/// Every generated file is in stages, but those that only copy.
#[test]
fn compilers_stay_behind() {
    for (name, _, text) in golden_files() {
        let stages = text
            .lines()
            .filter(|line| line.starts_with("FROM "))
            .count();
        let copies_only = [
            "static-",
            "php-plain",
            "python-script",
            "both-page-and-tooling",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix));
        assert!(stages >= 2 || copies_only, "{name}:\n{text}");
    }
}

#[test]
fn every_shell_command_is_one() {
    for (name, _, text) in golden_files() {
        for instruction in instructions(&text).unwrap() {
            if instruction.name == "RUN" {
                let status = Command::new("sh")
                    .args(["-n", "-c", &instruction.rest])
                    .stdin(Stdio::null())
                    .status()
                    .unwrap();
                assert!(status.success(), "{name}: {}", instruction.rest);
            }
        }
    }
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let project = Memory::of(&[("a", "")]);
    let good = "FROM x:1 AS b\nRUN y\nFROM x:1\nCOPY --from=b /o ./\nCOPY a ./\nUSER 1:1\nEXPOSE 1\nCMD [\"c\"]\n";
    assert_eq!(check(good, &project), Ok(()));
    for (part, broken) in [
        ("FROM x:1 AS b\nRUN y\n", "RUN y\n"),
        ("x:1\nCOPY", "x\nCOPY"),
        ("x:1\nCOPY", "x:latest\nCOPY"),
        ("--from=b", "--from=c"),
        ("--from=b", "--link"),
        ("COPY a ./", "COPY z ./"),
        ("USER 1:1", "USER root"),
        ("USER 1:1", "USER 0"),
        ("USER 1:1\n", ""),
        ("EXPOSE 1\n", ""),
        ("[\"c\"]", "c"),
        ("[\"c\"]", "[\"c\", 1]"),
        ("RUN y", "RUNY y"),
        ("RUN y", "RUN y \\"),
        ("RUN y", "RUN --mount=type=cache y"),
        ("RUN y", "RUN {{y}}"),
        ("RUN y", "RUN \u{e9}"),
        ("USER 1:1", "USER 1:1\nRUN z"),
    ] {
        let text = good.replacen(part, broken, 1);
        assert_ne!(text, good, "{part}");
        assert!(check(&text, &project).is_err(), "{text}");
    }
}
