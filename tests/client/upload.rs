//! `upload`: what is there afterwards is what was here, whatever it was.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::operator::{Came, client, client_at, finish};
use crate::support::peer::Peer;
use crate::support::seen::tree;
use crate::support::upload_lab::UploadLab;

fn upload(lab: &UploadLab, options: &[&str], from: &str, to: &str) -> Came {
    let (from, to) = (lab.text(from), lab.text(to));
    let words: Vec<_> = ["upload"]
        .iter()
        .chain(options)
        .copied()
        .chain([from.as_str(), to.as_str()])
        .collect();
    client(lab.agent(), &words)
}

/// A tree with everything that a tree may have: deep, wide, empty, long names, links of both kinds, modes, and a file of
/// several chunks.
fn grow(top: &Path) {
    let make = |name: &str, content: &[u8], mode: u32| {
        let path = top.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let large: Vec<u8> = (0..5_000_000_u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    make("large", &large, 0o644);
    make("d/e/f/small", b"small", 0o600);
    make("d/empty", b"", 0o755);
    make("ü \n", b"odd name", 0o644);
    make(
        &format!("{0}/{0}/file", "long".repeat(50)),
        b"long name",
        0o644,
    );
    for size in [1, 511, 512, 513] {
        make(&format!("sizes/{size}"), &vec![b'x'; size], 0o644);
    }
    fs::create_dir_all(top.join("d/nothing")).unwrap();
    fs::set_permissions(top.join("d/nothing"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("../large", top.join("d/link")).unwrap();
    fs::hard_link(top.join("large"), top.join("second name of large")).unwrap();
}

/// Both trees, without what an upload does not bring: parts of a second, and the top's own time.
#[track_caller]
fn assert_same(left: &Path, right: &Path) {
    let plain = |top: &Path| {
        let mut seen = tree(top);
        seen.remove(Path::new(""));
        for one in seen.values_mut() {
            one.modified.1 = 0;
        }
        seen
    };
    let (left, right) = (plain(left), plain(right));
    assert_eq!(
        left.keys().collect::<Vec<_>>(),
        right.keys().collect::<Vec<_>>()
    );
    for (name, one) in &left {
        let other = &right[name];
        assert!(
            one == other,
            "{} differs: {:o} {:?} {:o} {:?}",
            name.display(),
            one.mode,
            one.modified,
            other.mode,
            other.modified
        );
    }
}

#[test]
fn a_directory_arrives_as_it_is() {
    let lab = UploadLab::new();
    grow(&lab.path("here"));
    for (to, options) in [
        ("root/a", &[][..]),
        ("root/b", &["--level", "0"]),
        ("root/c", &["--level", "9", "--connections", "1"]),
    ] {
        let came = upload(&lab, options, "here", to);
        assert_eq!(came.err, "", "{came:?}");
        let said = came.well();
        assert!(
            said.starts_with(&lab.text(to)) && said.contains("files"),
            "{said}"
        );
        assert_same(&lab.path("here"), &lab.path(to));
    }
    fs::write(lab.path("root/a/more"), "more").unwrap();
    // Within the hour the agent still knows the answer of the first: it has to be done all the same.
    fs::remove_file(lab.path("root/a/large")).unwrap();
    upload(&lab, &[], "here", "root/a").well();
    assert_eq!(lab.content("root/a/more"), "more");
    assert!(lab.path("root/a/large").exists());
    let answer = upload(&lab, &["--json", "--replace"], "here", "root/a").json();
    assert_eq!(answer["status"], "extracted");
    assert_same(&lab.path("here"), &lab.path("root/a"));
    assert!(lab.leftovers().is_empty());
}

#[test]
fn an_archive_is_unpacked_and_another_file_is_put_there() {
    let lab = UploadLab::new();
    grow(&lab.path("here"));
    let (archive, here) = (lab.text("archive.tgz"), lab.text("here"));
    let made = Command::new("tar")
        .args(["-czf", &archive, "-C", &here, "."])
        .status()
        .unwrap();
    assert!(made.success());
    upload(&lab, &[], "archive.tgz", "root/unpacked").well();
    assert_same(&lab.path("here"), &lab.path("root/unpacked"));
    let answer = upload(
        &lab,
        &["--json", "--strip-components", "1"],
        "archive.tgz",
        "root/stripped",
    )
    .json();
    assert_eq!(answer["sha256"].as_str().unwrap().len(), 64);
    upload(&lab, &[], "here/d/e/f/small", "root/single").well();
    assert_eq!(lab.names("root/single"), ["small"]);
    fs::write(lab.path("empty"), "").unwrap();
    upload(&lab, &[], "empty", "root/single").well();
    assert_eq!(lab.content("root/single/empty"), "");
}

#[test]
fn what_cannot_be_uploaded_is_told_and_leaves_nothing() {
    let lab = UploadLab::new();
    fs::create_dir_all(lab.path("here")).unwrap();
    fs::write(lab.path("here/file"), "file").unwrap();
    upload(&lab, &[], "nothing", "root/x").badly(4);
    let came = client(
        lab.agent(),
        &["upload", &lab.text("here"), "/etc/elsewhere"],
    );
    assert!(came.err.contains("outside"), "{came:?}");
    came.badly(1);
    symlink("/etc/passwd", lab.path("here/leads out")).unwrap();
    let message = upload(&lab, &[], "here", "root/x").badly(1);
    assert!(message.contains("leads out"), "{message}");
    upload(&lab, &["--links", "any"], "here", "root/x").well();
    let made = Command::new("mkfifo")
        .arg(lab.path("here/fifo"))
        .status()
        .unwrap();
    assert!(made.success());
    let came = upload(&lab, &["--links", "any"], "here", "root/y");
    assert!(
        came.err
            .contains("1 sockets, FIFOs or devices are left out"),
        "{came:?}"
    );
    came.well();
    assert!(!lab.path("root/y/fifo").exists());
    assert!(lab.leftovers().is_empty());
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut command = client_at(gone);
    finish(command.args(["upload", &lab.text("here"), "/tmp/x"]), b"").badly(3);
}

#[test]
fn connections_that_break_are_made_again() {
    let lab = UploadLab::new();
    grow(&lab.path("here"));
    // Each connection through it ends somewhere in the middle of a chunk, and others come through whole.
    let address = lab.agent().address();
    let relay = Peer::start(breaking(address));
    let mut command = client_at(relay.address());
    command.args([
        "upload",
        "--level",
        "0",
        &lab.text("here"),
        &lab.text("root/through"),
    ]);
    finish(&mut command, b"").well();
    assert_same(&lab.path("here"), &lab.path("root/through"));
}

/// Hands on both ways; every second connection only the first megabyte of what the client sends.
fn breaking(to: std::net::SocketAddr) -> impl Fn(std::net::TcpStream) + Send + Sync {
    use std::io::{Read, Write, copy};
    use std::net::{Shutdown, TcpStream};
    let count = std::sync::atomic::AtomicU64::new(0);
    move |mut client| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut agent = TcpStream::connect(to).unwrap();
        let (mut answers, mut back) = (agent.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let _ = copy(&mut answers, &mut back);
                let _ = back.shutdown(Shutdown::Both);
            });
            let most = if number % 2 == 1 { 1 << 20 } else { u64::MAX };
            let _ = copy(&mut (&mut client).take(most), &mut agent);
            let _ = agent.flush();
            let _ = agent.shutdown(Shutdown::Write);
            if most != u64::MAX {
                let _ = client.shutdown(Shutdown::Both);
            }
        });
    }
}

#[test]
fn a_client_that_was_killed_goes_on_where_it_was() {
    let lab = UploadLab::new();
    grow(&lab.path("here"));
    let arguments = ["upload", "--level", "0", "--connections", "1"];
    let place = [lab.text("here"), lab.text("root/again")];
    let mut child = client_at(lab.agent().address())
        .args(arguments)
        .args(&place)
        .spawn()
        .unwrap();
    crate::support::eventually("a chunk", || (accepted(&lab) > 0).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    finish(
        client_at(lab.agent().address())
            .args(arguments)
            .args(&place),
        b"",
    )
    .well();
    assert_same(&lab.path("here"), &lab.path("root/again"));
    // 20 MB are three chunks; one may have been on its way.
    assert!(accepted(&lab) <= 4, "{} chunks were sent", accepted(&lab));
}

fn accepted(lab: &UploadLab) -> usize {
    let log = lab.agent().log();
    log.iter()
        .filter(|line| line.contains("method=POST") && line.contains("status=200"))
        .count()
}
