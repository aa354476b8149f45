//! The Prometheus text format, version 0.0.4: a family of samples at a time, with its help and type before the first.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, Write};

/// What kind of figure a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows, until its source starts anew. Its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, their count and sum.
    Histogram,
}

/// A number, whole or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Whole: written with all its digits.
    Whole(u64),
    /// Any.
    Real(f64),
}

/// The labels of a sample.
pub(super) type Labels<'l> = &'l [(&'static str, &'l str)];

/// Where samples are written.
pub(super) struct Exposition<'o> {
    out: &'o mut dyn Write,
}

/// A family that is being written.
pub(super) struct Family<'e, 'o> {
    exposition: &'e mut Exposition<'o>,
    name: &'static str,
    help: &'static str,
    kind: Kind,
    is_begun: bool,
}

impl<'o> Exposition<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Self { out }
    }

    /// Begins a family. One without samples leaves no trace.
    pub(super) fn family<'e>(
        &'e mut self,
        kind: Kind,
        name: &'static str,
        help: &'static str,
    ) -> Family<'e, 'o> {
        Family {
            exposition: self,
            name,
            help,
            kind,
            is_begun: false,
        }
    }

    /// A family of one sample without labels, if there is a value.
    pub(super) fn single(
        &mut self,
        kind: Kind,
        name: &'static str,
        help: &'static str,
        value: Option<Number>,
    ) -> io::Result<()> {
        let mut family = self.family(kind, name, help);
        value.map_or(Ok(()), |value| family.sample(&[], value))
    }
}

impl Family<'_, '_> {
    /// Writes a sample.
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: Number) -> io::Result<()> {
        self.suffixed("", labels, value)
    }

    /// Writes a sample whose name has `suffix`, as those of a histogram have.
    pub(super) fn suffixed(
        &mut self,
        suffix: &str,
        labels: Labels<'_>,
        value: Number,
    ) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.begin()?;
        }
        let out = &mut self.exposition.out;
        write!(out, "{}{suffix}", self.name)?;
        let mut before = "{";
        for (name, text) in labels {
            write!(out, "{before}{name}=\"{}\"", Escaped(text))?;
            before = ",";
        }
        writeln!(out, "{} {value}", if labels.is_empty() { "" } else { "}" })
    }

    fn begin(&mut self) -> io::Result<()> {
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let (name, help) = (self.name, self.help);
        writeln!(
            self.exposition.out,
            "# HELP {name} {help}\n# TYPE {name} {kind}"
        )
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(out),
            Self::Real(number) => number.fmt(out),
        }
    }
}

/// The value of a label: backslash, quote and line feed are escaped.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.split_inclusive(['\\', '"', '\n']) {
            let plain = piece.trim_end_matches(['\\', '"', '\n']);
            out.write_str(plain)?;
            match &piece[plain.len()..] {
                "\n" => out.write_str("\\n")?,
                "" => {}
                special => write!(out, "\\{special}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_family_has_its_head_once_and_only_with_samples() {
        let mut text = Vec::new();
        let mut exposition = Exposition::new(&mut text);
        exposition.family(Kind::Gauge, "nothing", "Not there.");
        exposition
            .single(Kind::Gauge, "nothing_either", "Not there.", None)
            .unwrap();
        let mut family = exposition.family(Kind::Counter, "a_total", "As.");
        family
            .sample(&[("x", "1"), ("y", "\"\\\n")], Number::Whole(u64::MAX))
            .unwrap();
        family.sample(&[], Number::Real(0.5)).unwrap();
        let expected = "# HELP a_total As.\n# TYPE a_total counter\n\
            a_total{x=\"1\",y=\"\\\"\\\\\\n\"} 18446744073709551615\na_total 0.5\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn every_label_can_be_read_back(text in "[a-b\\\\\"\n é]{0,12}") {
            let escaped = Escaped(&text).to_string();
            prop_assert!(!escaped.contains('\n'));
            let mut back = String::new();
            let mut characters = escaped.chars();
            while let Some(character) = characters.next() {
                prop_assert_ne!(character, '"');
                match character {
                    '\\' => back.push(match characters.next() {
                        Some('n') => '\n',
                        Some(other) => other,
                        None => return Err(TestCaseError::fail("a lone backslash")),
                    }),
                    other => back.push(other),
                }
            }
            prop_assert_eq!(back, text);
        }
    }
}
