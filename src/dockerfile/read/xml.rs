//! A few elements of an XML file (`pom.xml`, `*.csproj`).
//!
//! The text is walked once for each question; the walk keeps the names that are open, slices of the text, and nothing
//! else. Entities are not decoded and no document type is read, so nothing can be expanded.
#![forbid(unsafe_code)]

/// Deeper elements are skipped.
const DEEPEST: usize = 64;

/// The text of the first element at `path`, from the root down, trimmed; `None` when it is empty.
pub(crate) fn text<'t>(xml: &'t str, path: &[&str]) -> Option<&'t str> {
    let mut found = None;
    walk(xml, |open, _, text| {
        if found.is_none() && open == path && !text.is_empty() {
            found = Some(text);
        }
    });
    found
}

/// The text of the first element `name`, wherever it stands.
pub(crate) fn text_of<'t>(xml: &'t str, name: &str) -> Option<&'t str> {
    let mut found = None;
    walk(xml, |open, _, text| {
        if found.is_none() && open.last() == Some(&name) && !text.is_empty() {
            found = Some(text);
        }
    });
    found
}

/// The texts of all elements at `path`.
pub(crate) fn texts<'t>(xml: &'t str, path: &[&str]) -> Vec<&'t str> {
    let mut found = Vec::new();
    walk(xml, |open, _, text| {
        if open == path && !text.is_empty() {
            found.push(text);
        }
    });
    found
}

/// The attribute `attribute` of the first element `name` that has it.
pub(crate) fn attribute<'t>(xml: &'t str, name: &str, attribute: &str) -> Option<&'t str> {
    let mut found = None;
    walk(xml, |open, attributes, _| {
        if found.is_none() && open.last() == Some(&name) {
            found = value_of(attributes, attribute);
        }
    });
    found
}

/// Calls `seen` with the open names, the attributes and the first text of every element, in the order they open.
fn walk<'t>(xml: &'t str, mut seen: impl FnMut(&[&'t str], &'t str, &'t str)) {
    let mut open: Vec<&'t str> = Vec::new();
    let mut too_deep = 0_usize;
    let mut rest = xml;
    while let Some((_, tag)) = rest.split_once('<') {
        if let Some(after) = not_an_element(tag) {
            rest = after;
            continue;
        }
        let Some(end) = tag_length(tag) else { return };
        let (tag, after) = (&tag[..end], &tag[end + 1..]);
        rest = after;
        if tag.starts_with('/') {
            if too_deep > 0 {
                too_deep -= 1;
            } else {
                open.pop();
            }
            continue;
        }
        let closed = tag.ends_with('/');
        if open.len() == DEEPEST {
            too_deep += usize::from(!closed);
            continue;
        }
        let tag = tag.trim_end_matches('/');
        let name_end = tag.find(char::is_whitespace).unwrap_or(tag.len());
        let text = if closed { "" } else { first_text(after) };
        open.push(&tag[..name_end]);
        seen(&open, &tag[name_end..], text);
        if closed {
            open.pop();
        }
    }
}

/// What follows a comment, a character data section, a declaration or a processing instruction.
fn not_an_element(tag: &str) -> Option<&str> {
    let end = if tag.starts_with("!--") {
        "-->"
    } else if tag.starts_with("![CDATA[") {
        "]]>"
    } else if tag.starts_with('?') {
        "?>"
    } else if tag.starts_with('!') {
        ">"
    } else {
        return None;
    };
    Some(tag.split_once(end).map_or("", |(_, after)| after))
}

/// Where the `>` of a tag stands, outside of quotes.
fn tag_length(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '>' => return Some(at),
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
    }
    None
}

/// The text up to the next tag; comments before it are skipped.
fn first_text(after: &str) -> &str {
    let mut rest = after.trim_start();
    while let Some(comment) = rest.strip_prefix("<!--") {
        rest = comment
            .split_once("-->")
            .map_or("", |(_, after)| after)
            .trim_start();
    }
    rest.split('<').next().unwrap_or("").trim()
}

fn value_of<'t>(attributes: &'t str, wanted: &str) -> Option<&'t str> {
    let mut rest = attributes;
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = after[1..].split_once(quote)?;
        if name.trim() == wanted {
            return Some(value);
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const POM: &str = "\u{feff}<?xml version=\"1.0\"?>\r\n<!DOCTYPE project>\r\n<project a='<x>' >\r\n\
        <!-- <version>9</version> -->\r\n<parent><version>1</version></parent>\r\n\
        <version>\r\n <!-- why --> 2 \r\n</version><empty/><properties><java.version>21</java.version></properties>\
        <modules><module>a</module><module>b</module><module/></modules></project>";

    #[test]
    fn paths_count_from_the_root() {
        assert_eq!(text(POM, &["project", "version"]), Some("2"));
        assert_eq!(text(POM, &["project", "parent", "version"]), Some("1"));
        assert_eq!(
            text(POM, &["project", "properties", "java.version"]),
            Some("21")
        );
        assert_eq!(text(POM, &["version"]), None);
        assert_eq!(text(POM, &["project", "empty"]), None);
        assert_eq!(text_of(POM, "version"), Some("1"));
        assert_eq!(texts(POM, &["project", "modules", "module"]), ["a", "b"]);
    }

    #[test]
    fn attributes_are_found() {
        let csproj =
            "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><A B = 'x' C=\"y>z\"/><A D='w'/></Project>";
        assert_eq!(
            attribute(csproj, "Project", "Sdk"),
            Some("Microsoft.NET.Sdk.Web")
        );
        assert_eq!(attribute(csproj, "A", "C"), Some("y>z"));
        assert_eq!(attribute(csproj, "A", "D"), Some("w"));
        assert_eq!(attribute(csproj, "A", "E"), None);
    }

    #[test]
    fn character_data_is_not_markup() {
        assert_eq!(
            text("<a><![CDATA[<b>1</b>]]><b>2</b></a>", &["a", "b"]),
            Some("2")
        );
    }

    #[test]
    fn text_that_is_no_xml_is_survived() {
        for xml in [
            "",
            "<",
            "<a",
            "</a></a>",
            "<a b='",
            "<!--",
            "<![CDATA[",
            "<?",
            "<>",
            "< >",
            "</>",
            "<a/><ä>ö</ä>",
        ] {
            assert_eq!(text(xml, &["a"]), None, "{xml}");
        }
    }

    #[test]
    fn depth_is_bounded_and_comes_back() {
        let deep = format!(
            "<r>{}{}<v>1</v></r>",
            "<x>".repeat(30_000),
            "</x>".repeat(30_000)
        );
        assert_eq!(text(&deep, &["r", "v"]), Some("1"));
    }
}
