//! Tricky TOML, and text that is none.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn a_path_is_found_in_every_spelling() {
    for text in [
        "[project]\nrequires-python = \">=3.11\"",
        "project.requires-python = '>=3.11'",
        "[ project ] # c\r\n  \"requires-python\"=\">=3.11\" # c\r\n",
        "project = { name = \"x\", requires-python = \">=3.11\" }",
        "[a]\nx = [1,\n 2] # [project]\n[project]\nname='n'\nrequires-python = \">=3.11\"",
    ] {
        assert_eq!(
            Toml(text).string("project.requires-python"),
            Some(">=3.11"),
            "{text}"
        );
    }
}

#[test]
fn what_only_looks_like_a_key_is_none() {
    for text in [
        "# [project]\n# requires-python = \">=3.11\"",
        "x = \"\"\"\n[project]\nrequires-python = '3'\n\"\"\"",
        "x = '''\n[project]\n'''\nrequires-python = '3'",
        "[projects]\nrequires-python = '3'",
        "[project.more]\nrequires-python = '3'",
        "[project]\nrequires-python-x = '3'\nrequires-python = 3",
        "[project]\nrequires-python = \"3",
        "[project]\nrequires-python",
    ] {
        assert_eq!(Toml(text).string("project.requires-python"), None, "{text}");
    }
}

#[test]
fn strings_with_escapes_or_quotes_are_not_taken() {
    assert_eq!(Toml(r#"a = "x\ny""#).string("a"), None);
    assert_eq!(Toml(r#"a = "x" "y""#).string("a"), None);
    assert_eq!(Toml(r"a = 'x\y'").string("a"), None);
    assert_eq!(Toml("a = \"#x=[\" # c").string("a"), Some("#x=["));
}

#[test]
fn arrays_reach_over_lines_and_comments() {
    let text = "a = [ # first\n  \"x[extra]>=1\", # \"no\"\n  'y', {n = 'z'},\n ['w'] , \"v\" ]\nb = 'after'";
    assert_eq!(Toml(text).strings("a"), ["x[extra]>=1", "y", "v"]);
    assert_eq!(Toml(text).string("b"), Some("after"));
    assert!(Toml(text).strings("b").is_empty());
}

#[test]
fn inline_tables_are_looked_into() {
    let text = "[tool.poetry.dependencies]\npython = {version = \"^3.10\", optional = false}\ndjango = '5'";
    assert_eq!(
        Toml(text).string("tool.poetry.dependencies.python.version"),
        Some("^3.10")
    );
    let keys: Vec<_> = Toml(text).keys("tool.poetry.dependencies").collect();
    assert_eq!(keys, ["python", "django"]);
}

#[test]
fn tables_of_an_array_are_told_apart() {
    let text = "[[bin]]\nname = 'a'\npath = 'x.rs'\n[[bin]]\npath = 'y.rs'\n[package]\nname = 'p'\n[[bin]]\nname = 'c'";
    assert_eq!(Toml(text).each("bin", "name"), [Some("a"), None, Some("c")]);
    assert_eq!(Toml(text).string("package.name"), Some("p"));
}

#[test]
fn tables_are_known_even_when_empty() {
    let text = "[tool.poetry]\n[workspace]\n";
    assert!(Toml(text).has_table("workspace"));
    assert!(Toml(text).has_table("tool"));
    assert!(Toml(text).has_table("tool.poetry"));
    assert!(!Toml(text).has_table("tool.poet"));
    assert!(Toml("a = {}").has_table("a"));
}

#[test]
fn dotted_and_quoted_keys() {
    let text = "[package]\nrust-version.workspace = true\n\"a b\" = 'c'";
    assert_eq!(Toml(text).string("package.rust-version"), None);
    assert_eq!(Toml(text).string("package.a b"), Some("c"));
}

#[test]
fn text_that_is_no_toml_is_survived() {
    for text in [
        "",
        "[",
        "]",
        "=",
        "= =",
        "a =",
        "a = [",
        "a = {",
        "a = \"",
        "a = '''",
        "[[",
        "[[a",
        "a = ]]]",
        "}\n{",
        "a = [[[[",
        "ä = 'ö'\n= 'x'",
        "a = \"\\",
        "\"a\" 'b' = c",
        "a = [#",
        "a = {b",
        "\u{0}=\u{0}",
    ] {
        let toml = Toml(text);
        let _ = (
            toml.value("a"),
            toml.strings("a"),
            toml.string("a.b"),
            toml.each("a", "b"),
            toml.has_table("a"),
        );
    }
}
