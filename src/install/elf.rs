//! For which machine a program is, by the first bytes of its file. elf(5)
#![forbid(unsafe_code)]

/// Bytes of the header that are looked at.
pub(super) const HEAD_BYTES: usize = 20;

/// The class and the machine of programs that run here, and what the latter is called.
const OWN: (u8, u16) = match std::env::consts::ARCH.as_bytes() {
    b"x86_64" => (2, 62),
    b"aarch64" => (2, 183),
    b"riscv64" => (2, 243),
    b"x86" => (1, 3),
    b"arm" => (1, 40),
    // No program has this.
    _ => (0, 0),
};

const MACHINES: &[(u16, &str)] = &[
    (3, "32-bit x86"),
    (8, "MIPS"),
    (21, "64-bit PowerPC"),
    (22, "s390x"),
    (40, "32-bit ARM"),
    (62, "x86_64"),
    (183, "aarch64"),
    (243, "RISC-V"),
];

/// That `head`, the beginning of a file, is a program for this machine; otherwise what it is.
pub(super) fn check(head: &[u8]) -> Result<(), String> {
    let Some(head) = head.first_chunk::<HEAD_BYTES>() else {
        return Err("too short for a program".to_owned());
    };
    if !head.starts_with(b"\x7fELF") {
        return Err(guess(head).to_owned());
    }
    let pair = [head[18], head[19]];
    // EI_DATA: 2 is big-endian, which none of ours is.
    let (machine, is_little) = match head[5] {
        2 => (u16::from_be_bytes(pair), false),
        _ => (u16::from_le_bytes(pair), true),
    };
    if (head[4], machine) == OWN && is_little {
        return Ok(());
    }
    let known = MACHINES.iter().find(|(number, _)| *number == machine);
    Err(match known {
        Some((_, name)) => format!("one for {name}"),
        None => format!("one for machine {machine} of elf(5)"),
    })
}

fn guess(head: &[u8]) -> &'static str {
    match head {
        [b'#', b'!', ..] => "a script",
        [0x1f, 0x8b, ..] => "compressed (gzip); unpack it first",
        [b'P', b'K', ..] => "an archive (zip); unpack it first",
        [0xfd, b'7', b'z', ..] => "compressed (xz); unpack it first",
        [b'<', ..] => {
            "text that begins as HTML does, perhaps a page that says why there was no download"
        }
        _ => "not even an ELF file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_program_is_one() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        check(&program).unwrap();
    }

    #[test]
    fn others_are_told_what_they_are() {
        let mut foreign = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        foreign.truncate(HEAD_BYTES);
        foreign[18] = 22;
        assert_eq!(check(&foreign).unwrap_err(), "one for s390x");
        foreign[18] = 255;
        assert!(check(&foreign).unwrap_err().contains("255"));
        assert!(
            check(b"#!/bin/sh\necho node-agent 9.9.9\n")
                .unwrap_err()
                .contains("script")
        );
        assert!(
            check(b"<!DOCTYPE html><html></html>")
                .unwrap_err()
                .contains("HTML")
        );
        for short in [&b""[..], b"\x7fELF"] {
            assert!(check(short).unwrap_err().contains("short"));
        }
    }
}
