//! A few keys of a TOML file (`Cargo.toml`, `pyproject.toml`, `Pipfile`, `rust-toolchain.toml`).
//!
//! The text is walked again for every question and nothing is kept: a hostile file cannot make this grow.
//! Strings with escapes are not decoded; they have no place in a version or a name.
#![forbid(unsafe_code)]

/// A TOML text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Toml<'t>(pub(crate) &'t str);

/// One `key = value` of a document.
#[derive(Clone, Copy, Debug)]
struct Item<'t> {
    /// The header above it, without brackets.
    table: &'t str,
    /// Counts the headers, so that the tables of an array (`[[bin]]`) can be told apart.
    header: usize,
    key: &'t str,
    value: &'t str,
}

impl<'t> Toml<'t> {
    /// The string at a dotted path, in whichever way its tables are written: headers, dotted keys or inline tables.
    pub(crate) fn string(self, path: &str) -> Option<&'t str> {
        string(self.value(path)?)
    }

    /// The strings of the array at a dotted path.
    pub(crate) fn strings(self, path: &str) -> Vec<&'t str> {
        let Some(array) = self.value(path).and_then(|value| value.strip_prefix('[')) else {
            return Vec::new();
        };
        Elements(array).filter_map(string).collect()
    }

    /// The value at a dotted path, as it is written.
    pub(crate) fn value(self, path: &str) -> Option<&'t str> {
        let direct = self.items().find(|item| same(item.table, item.key, path));
        direct.map(|item| item.value).or_else(|| {
            let (parent, field) = path.rsplit_once('.')?;
            self.items()
                .find(|item| same(item.table, item.key, parent))
                .and_then(|item| inline(item.value, field))
        })
    }

    /// Whether a table of that name, or one below it, exists.
    pub(crate) fn has_table(self, path: &str) -> bool {
        headers(self.0).any(|header| below(header, path))
            || self.items().any(|item| same(item.table, item.key, path))
    }

    /// The keys of a table.
    pub(crate) fn keys(self, table: &str) -> impl Iterator<Item = &'t str> {
        self.items()
            .filter(move |item| same_path(item.table, table))
            .map(|item| bare(first_part(item.key)))
    }

    /// The string `key` of each table of the array `table`, `None` for those that lack it.
    pub(crate) fn each(self, table: &str, key: &str) -> Vec<Option<&'t str>> {
        let mut found: Vec<(usize, Option<&'t str>)> = Vec::new();
        for item in self.items().filter(|item| same_path(item.table, table)) {
            if found
                .last()
                .is_none_or(|(header, _)| *header != item.header)
            {
                found.push((item.header, None));
            }
            if bare(item.key) == key
                && let Some((_, value)) = found.last_mut()
            {
                *value = string(item.value);
            }
        }
        found.into_iter().map(|(_, value)| value).collect()
    }

    fn items(self) -> impl Iterator<Item = Item<'t>> {
        let (mut rest, mut table, mut header) = (self.0, "", 0);
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let line = rest.trim_start();
                if let Some(name) = line.strip_prefix('[') {
                    (table, rest) = split_line(name);
                    table = table_name(table);
                    header += 1;
                } else if let Some((key, value, after)) = assignment(line) {
                    rest = after;
                    return Some(Item {
                        table,
                        header,
                        key,
                        value,
                    });
                } else {
                    rest = split_line(line).1;
                }
            }
            None
        })
    }
}

/// The names in all headers, those with nothing below them too.
fn headers(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix('['))
        .map(table_name)
}

/// `bin` of `[bin]]  # comment`, whose first bracket is already gone.
fn table_name(header: &str) -> &str {
    let header = header.strip_prefix('[').unwrap_or(header);
    header.split(']').next().unwrap_or(header).trim()
}

fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// Splits `key = value`, the value reaching over lines as long as brackets or a long string are open.
fn assignment(text: &str) -> Option<(&str, &str, &str)> {
    let line = split_line(text).0;
    if line.starts_with('#') {
        return None;
    }
    let equals = unquoted(line, '=')?;
    let value = text[equals + 1..].trim_start_matches([' ', '\t']);
    let end = value_length(value, "\n");
    let (value, after) = value.split_at(end);
    Some((text[..equals].trim(), value.trim_end(), after))
}

/// Where `wanted` stands outside quotes.
fn unquoted(text: &str, wanted: char) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == wanted => return Some(at),
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
    }
    None
}

/// The length of a value: up to one of `ends` outside strings and brackets, or a bracket that closes one around it.
/// A comment after the value is not part of it.
fn value_length(text: &str, ends: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let step = match c {
            '"' | '\'' => string_length(&text[at..]),
            '#' if depth == 0 => return at,
            '#' => split_line(&text[at..]).0.len(),
            c if depth == 0 && (ends.contains(c) || matches!(c, ']' | '}')) => return at,
            '[' | '{' => {
                depth += 1;
                1
            }
            ']' | '}' => {
                depth -= 1;
                1
            }
            c => c.len_utf8(),
        };
        at += step;
    }
    text.len()
}

/// The length of the string that `text` begins with, quotes included. One that is not closed ends with its line.
fn string_length(text: &str) -> usize {
    let basic = text.starts_with('"');
    let long = if basic { "\"\"\"" } else { "'''" };
    if let Some(body) = text.strip_prefix(long) {
        return body.find(long).map_or(text.len(), |end| end + 6);
    }
    let quote = &long[..1];
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == '\n' {
            return at;
        }
        if !escaped && text[at..].starts_with(quote) {
            return at + 1;
        }
        escaped = basic && !escaped && c == '\\';
    }
    text.len()
}

/// The content of a string without escapes.
fn string(value: &str) -> Option<&str> {
    let value = value.trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = value[1..].strip_suffix(quote)?;
    (!inner.contains(['\\', '\n', quote])).then_some(inner)
}

/// The value of `field` in the inline table `value`.
fn inline<'t>(value: &'t str, field: &str) -> Option<&'t str> {
    Elements(value.strip_prefix('{')?).find_map(|pair| {
        let equals = unquoted(pair, '=')?;
        (bare(pair[..equals].trim()) == field).then(|| pair[equals + 1..].trim())
    })
}

/// The elements of an array or inline table whose opening bracket is gone.
struct Elements<'t>(&'t str);

impl<'t> Iterator for Elements<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        loop {
            self.0 = self
                .0
                .trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if !self.0.starts_with('#') {
                break;
            }
            self.0 = split_line(self.0).1;
        }
        let length = value_length(self.0, ",");
        let (element, rest) = self.0.split_at(length);
        self.0 = rest;
        (length > 0).then(|| element.trim())
    }
}

/// Whether `table` and `key` together name `path`.
fn same(table: &str, key: &str, path: &str) -> bool {
    let mut named = parts(table).chain(parts(key));
    path.split('.').all(|part| named.next() == Some(part)) && named.next().is_none()
}

fn same_path(table: &str, path: &str) -> bool {
    same(table, "", path)
}

fn below(table: &str, path: &str) -> bool {
    let mut named = parts(table);
    path.split('.').all(|part| named.next() == Some(part))
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split('.')
        .map(|part| bare(part.trim()))
        .filter(|part| !part.is_empty())
}

fn first_part(key: &str) -> &str {
    match key.chars().next() {
        Some('"' | '\'') => key,
        _ => key.split('.').next().unwrap_or(key).trim(),
    }
}

fn bare(part: &str) -> &str {
    part.trim_matches(['"', '\''])
}

#[cfg(test)]
#[path = "toml_tests.rs"]
mod tests;
