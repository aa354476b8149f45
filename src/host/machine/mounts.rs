//! What is mounted where, for this process. `/proc/self/mountinfo`, proc(5)
#![forbid(unsafe_code)]

use std::io;

use super::Machine;

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Major and minor number of its device, `254:0`. Filesystems without a device of their own have major 0.
    pub device: String,
    /// What of the filesystem is mounted; `/` unless it is a bind mount, a subvolume or a cgroup namespace.
    pub root: String,
    /// Where.
    pub point: String,
    /// The type: `ext4`, `cgroup2`.
    pub kind: String,
    /// What is mounted, in the filesystem's own words: `/dev/vda1`.
    pub source: String,
    /// The filesystem's options; those of a cgroup (v1) name its controllers.
    pub options: String,
}

impl Machine {
    /// All mounts, in the order in which they were made.
    pub fn mounts(&self) -> io::Result<Vec<Mount>> {
        let text = self.read("/proc/self/mountinfo")?;
        Ok(text.lines().filter_map(parse).collect())
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn parse(line: &str) -> Option<Mount> {
    let (place, filesystem) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(2);
    let mut filesystem = filesystem.split(' ');
    Some(Mount {
        device: place.next()?.to_owned(),
        root: unescape(place.next()?),
        point: unescape(place.next()?),
        kind: filesystem.next()?.to_owned(),
        source: unescape(filesystem.next()?),
        options: filesystem.next()?.to_owned(),
    })
}

/// The kernel writes space, tab, line feed, backslash and `#` as `\040` and so on.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = if first == b'\\' { octal(after) } else { None };
        bytes.push(escaped.unwrap_or(first));
        rest = &after[if escaped.is_some() { 3 } else { 0 }..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that three octal digits stand for.
fn octal(digits: &[u8]) -> Option<u8> {
    let digits = digits.get(..3)?;
    let all_octal = digits.iter().all(|digit| matches!(digit, b'0'..=b'7'));
    let value = digits
        .iter()
        .fold(0u32, |value, digit| value * 8 + u32::from(*digit & 7));
    u8::try_from(value).ok().filter(|_| all_octal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_mounts() {
        let mount = parse("36 35 98:0 / /mnt/a\\040b\\134c rw,noatime shared:1 master:2 - ext4 /dev/sd\\040a rw,errors=continue").unwrap();
        let expected = Mount {
            device: "98:0".into(),
            root: "/".into(),
            point: "/mnt/a b\\c".into(),
            kind: "ext4".into(),
            source: "/dev/sd a".into(),
            options: "rw,errors=continue".into(),
        };
        assert_eq!(mount, expected);
    }

    #[test]
    fn odd_lines_are_left_out() {
        for odd in [
            "",
            "36 35 98:0 / /mnt rw",
            "36 35 98:0 / - ext4 /dev/sda rw",
            "36 35 98:0 / /mnt rw - ext4",
            " - ",
        ] {
            assert_eq!(parse(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn escapes_that_are_none_stay() {
        for (text, plain) in [
            ("\\04", "\\04"),
            ("\\999", "\\999"),
            ("\\777", "\\777"),
            ("a\\", "a\\"),
            ("\\040\\040", "  "),
        ] {
            assert_eq!(unescape(text), plain);
        }
    }

    #[test]
    fn the_root_is_mounted() {
        let mounts = Machine::this().mounts().unwrap();
        assert!(mounts.iter().any(|mount| mount.point == "/"));
        assert!(mounts.iter().any(|mount| mount.kind == "proc"));
    }

    proptest! {
        #[test]
        fn every_path_comes_back(path in "[ -~\t\n#é]{0,20}") {
            let escaped: String = path.chars().map(|character| match character {
                ' ' => "\\040".to_owned(),
                '\t' => "\\011".to_owned(),
                '\n' => "\\012".to_owned(),
                '\\' => "\\134".to_owned(),
                '#' => "\\043".to_owned(),
                other => other.to_string(),
            }).collect();
            prop_assert_eq!(unescape(&escaped), path);
        }
    }
}
