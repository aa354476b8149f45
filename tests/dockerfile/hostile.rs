//! Projects that want more than a Dockerfile: their words must not become instructions, and they decide neither how
//! long it takes nor how much memory.
#![forbid(unsafe_code)]

use std::io;

use node_agent::dockerfile::{DetectError, Entry, Kind, ProjectFiles, generate};

use super::checker::check;
use super::{Memory, cases};

/// What stands in for each value of a project, one after the other. All have the word that must not arrive.
const VALUES: &[&str] = &[
    "1.0\nRUN EVIL",
    "1.0\r\nUSER root\r\nRUN EVIL",
    "$(EVIL)",
    "${EVIL}",
    "`EVIL`",
    "x\", \"EVIL",
    "x' EVIL '",
    "x;EVIL",
    "x\\\nEVIL$",
    "../../climb",
    "/EVIL*",
    "{{EVIL}}",
    "EVIL\u{0}",
];

/// Every value of every project of the cases, replaced by every hostile one.
#[test]
fn no_value_of_a_project_becomes_an_instruction() {
    let (mut made, mut tried) = (0, 0);
    for (name, directory) in cases() {
        let project = Memory::read_from(&directory.join("project"));
        for (file, bytes) in &project.0 {
            let text = String::from_utf8_lossy(bytes).into_owned();
            for (start, end) in values(&text) {
                for hostile in VALUES {
                    let mut changed = project.clone();
                    let value = if is_json(file) {
                        escaped(hostile)
                    } else {
                        (*hostile).to_owned()
                    };
                    let text = format!("{}{value}{}", &text[..start], &text[end..]);
                    changed.0.insert(file.clone(), text.clone().into_bytes());
                    tried += 1;
                    if let Ok(generated) = generate(&changed) {
                        made += 1;
                        let all = format!("{}{}", generated.dockerfile, generated.reason);
                        assert!(!all.contains("EVIL"), "{name}/{file}:\n{text}\n---\n{all}");
                        if let Err(problem) = check(&generated.dockerfile, &changed) {
                            panic!(
                                "{name}/{file}: {problem}\n{text}\n---\n{}",
                                generated.dockerfile
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(tried > 5_000 && made > tried / 2, "{made} of {tried}");
}

fn is_json(file: &str) -> bool {
    file.rsplit('.')
        .next()
        .is_some_and(|extension| extension.starts_with("json"))
}

fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Where the words of a text stand: what lies between quotes, brackets, white space and the like.
fn values(text: &str) -> Vec<(usize, usize)> {
    let outside = |c: char| !(c.is_alphanumeric() || "._-/@^~:+".contains(c));
    let mut all = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if outside(c) {
            if at > start {
                all.push((start, at));
            }
            start = at + c.len_utf8();
        }
    }
    all
}

/// Files that end in the middle are read as far as they go.
#[test]
fn truncated_files_are_survived() {
    for (_, directory) in cases() {
        let project = Memory::read_from(&directory.join("project"));
        for (file, bytes) in &project.0 {
            for end in (0..bytes.len()).step_by(3) {
                let mut changed = project.clone();
                changed.0.insert(file.clone(), bytes[..end].to_vec());
                if let Ok(generated) = generate(&changed) {
                    check(&generated.dockerfile, &changed)
                        .unwrap_or_else(|problem| panic!("{file}: {problem}"));
                }
            }
        }
    }
}

/// File names are a project's words too.
#[test]
fn file_names_are_checked() {
    let projects = [
        Memory::of(&[(
            "a\nRUN EVIL.csproj",
            "<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>",
        )]),
        Memory::of(&[
            ("go.mod", "module x\n"),
            ("cmd/$(EVIL)/main.go", "package main\n"),
        ]),
        Memory::of(&[
            ("Cargo.toml", "[package]\nname = 'x'\n"),
            ("src/bin/a EVIL.rs", ""),
        ]),
        Memory::of(&[
            ("requirements.txt", "flask\n"),
            ("a;EVIL/app.py", "app = Flask(__name__)\n"),
        ]),
        Memory::of(&[
            ("pom.xml", "<project/>"),
            ("src/main/java/A\"EVIL.java", "static void main("),
        ]),
    ];
    for project in projects {
        let error = generate(&project).unwrap_err();
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn an_unusable_name_is_told_and_escaped() {
    let project = Memory::of(&[(
        "Web.csproj",
        "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><AssemblyName>My\nApp</AssemblyName></Project>",
    )]);
    let error = generate(&project).unwrap_err();
    assert!(matches!(&error, DetectError::Unusable { file, .. } if file == "Web.csproj"));
    assert_eq!(
        error.to_string(),
        "Web.csproj: AssemblyName has characters that cannot stand in a Dockerfile: \"My\\nApp\""
    );
}

/// Every directory has every directory; every file that is asked for is as long as it may be.
struct Endless {
    files: &'static [&'static str],
    filling: &'static str,
    most: std::cell::Cell<usize>,
}

impl ProjectFiles for Endless {
    fn read(&self, relative: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let name = relative.rsplit('/').next().unwrap_or_default();
        if !self.files.contains(&name) {
            return Ok(None);
        }
        self.most.set(self.most.get().max(limit));
        let mut text = self
            .filling
            .repeat(limit / self.filling.len() + 1)
            .into_bytes();
        text.truncate(limit);
        Ok(Some(text))
    }

    fn list(&self, _: &str, limit: usize) -> io::Result<Option<Vec<Entry>>> {
        let directories = (0..limit).map(|n| (format!("d{n}"), Kind::Directory));
        let files = self
            .files
            .iter()
            .map(|name| ((*name).to_owned(), Kind::File));
        let all = files.chain(directories).take(limit);
        Ok(Some(all.map(|(name, kind)| Entry { name, kind }).collect()))
    }
}

/// Fillings that are nothing in particular.
const NOISE: &[&str] = &["\n", "[", "a=1\n"];

#[test]
fn endless_projects_come_to_an_end() {
    let projects: &[(&[&str], &[&str])] = &[
        (&["deno.json", "package.json"], &["{\"a\":", "// a\n"]),
        (&["mix.exs"], &["app: :a,", "releases: ["]),
        (&["Gemfile", "Gemfile.lock"], &["gem 'a'\n", "    a (1)\n"]),
        (&["X.csproj"], &["<a>", "</a>", "<!--"]),
        (
            &["pom.xml", "Main.java"],
            &["<project><modules><module>d1</module></modules>", "<a>"],
        ),
        (
            &[
                "build.gradle",
                "settings.gradle",
                "libs.versions.toml",
                "A.kt",
            ],
            &[
                "include 'd1',",
                "include 'd1'\n",
                "[plugins]\na = \"b:c\"\n",
                "application\n",
            ],
        ),
        (&["go.mod", "main.go"], &["package a\n", "module a\n"]),
        (
            &["Cargo.toml", "Cargo.lock"],
            &[
                "members = [\"a/*\",\n",
                "[workspace]\nmembers = [\"a/*\"]\n",
            ],
        ),
        (
            &["requirements.txt", "main.py", "app.py"],
            &["fastapi\nflask\n", "app = \n"],
        ),
        (
            &["pyproject.toml", "Pipfile", "manage.py"],
            &["[a]\n", "[[a]]\n", "DJANGO_SETTINGS_MODULE"],
        ),
    ];
    for (files, own) in projects {
        for filling in NOISE.iter().chain(*own) {
            let project = Endless {
                files,
                filling,
                most: std::cell::Cell::default(),
            };
            let _ = generate(&project);
            let most = project.most.get();
            assert!(
                most > 0 && most <= node_agent::dockerfile::LOCK_LIMIT,
                "{files:?}: {most}"
            );
        }
    }
}

#[test]
fn too_large_a_manifest_is_told() {
    let spaces = " ".repeat(200 * 1024);
    let project = Memory::of(&[("package.json", &format!("{{{spaces}}}"))]);
    let error = generate(&project).unwrap_err();
    assert!(
        matches!(&error, DetectError::TooLarge { file, .. } if file == "package.json"),
        "{error}"
    );
}

/// A file that cannot be read is not the same as none.
#[test]
fn a_project_that_cannot_be_read_is_an_error() {
    struct Denied;
    impl ProjectFiles for Denied {
        fn read(&self, _: &str, _: usize) -> io::Result<Option<Vec<u8>>> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
        fn list(&self, _: &str, _: usize) -> io::Result<Option<Vec<Entry>>> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    let error = generate(&Denied).unwrap_err();
    assert!(matches!(error, DetectError::Io { .. }));
}

#[test]
fn nothing_found_says_what_was_looked_for() {
    let error = generate(&Memory::default()).unwrap_err();
    let DetectError::Nothing {
        looked_for,
        unfinished,
    } = &error
    else {
        panic!("{error}")
    };
    assert!(unfinished.is_empty() && looked_for.len() >= 12);
    for name in [
        "package.json",
        "mix.exs",
        "go.mod",
        "Cargo.toml",
        "index.html",
        "pom.xml",
    ] {
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn byte_order_marks_and_wide_text_are_read() {
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain("Flask==3\r\n".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let mut project = Memory::of(&[("app.py", "\u{feff}app = Flask(__name__)\r\n")]);
    project.0.insert("requirements.txt".to_owned(), wide);
    let generated = generate(&project).unwrap();
    assert!(
        generated
            .reason
            .starts_with("app.py creates the Flask application"),
        "{}",
        generated.reason
    );
}
