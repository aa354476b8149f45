//! What was packed comes out as it was; and whatever happens to an archive on its way, it comes out so or not at all.

use std::fs::{FileTimes, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use node_agent::store::context;
use node_agent::store::ignore::Rules;
use node_agent::store::jail::Jail;
use node_agent::store::unpack::Mode;
use proptest::prelude::*;

use super::lab::Lab;
use crate::support::seen::tree;
use crate::support::tar_builder::gzip;

/// One thing of a tree.
#[derive(Clone, Debug)]
enum Thing {
    File(Vec<u8>),
    Directory,
    Link(String),
    SecondName(usize),
}

type Plan = Vec<(Vec<String>, Thing, u32, u32)>;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "d e", "\u{e9}", "-", "..."]).prop_map(str::to_owned),
        1 => "[a-z]{90,120}",
        1 => "[a-z]{200,255}",
    ]
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2000).prop_map(Thing::File),
        Just(Thing::Directory),
        prop::sample::select(vec!["a", "./b/c", "..", "nowhere"])
            .prop_map(|target| Thing::Link(target.to_owned())),
        "[a-z]{90,300}".prop_map(Thing::Link),
        (0..10usize).prop_map(Thing::SecondName),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let path = prop::collection::vec(name(), 1..4);
    prop::collection::vec((path, thing(), 0..0o1000u32, 0..2_000_000_000u32), 0..12)
}

/// Makes what `plan` says, as far as it can be made.
fn make(top: &Path, plan: &Plan) {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut directories = vec![(top.to_owned(), 0o755, 1_000_000)];
    for (names, thing, mode, time) in plan {
        let path = names
            .iter()
            .fold(top.to_owned(), |path, name| path.join(name));
        // Not through a link of the plan's own, which may lead out of the tree.
        let mut above = path.ancestors().take(names.len()).skip(1);
        if path.symlink_metadata().is_ok()
            || above.any(Path::is_symlink)
            || std::fs::create_dir_all(path.parent().unwrap()).is_err()
        {
            continue;
        }
        match thing {
            Thing::File(contents) => {
                std::fs::write(&path, contents).unwrap();
                std::fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
                files.push(path.clone());
                date(&path, *time);
            }
            Thing::Directory => {
                std::fs::create_dir(&path).unwrap();
                directories.push((path, *mode, *time));
            }
            Thing::Link(target) => symlink(target, &path).unwrap(),
            Thing::SecondName(number) if !files.is_empty() => {
                std::fs::hard_link(&files[number % files.len()], &path).unwrap();
            }
            Thing::SecondName(_) => {}
        }
    }
    for (path, mode, time) in directories.iter().rev() {
        std::fs::set_permissions(path, Permissions::from_mode(*mode)).unwrap();
        date(path, *time);
    }
}

fn date(path: &Path, seconds: u32) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
    let file = std::fs::File::open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// A tree without what archives do not say: fractions of seconds, and the top's own time.
fn content(top: &Path) -> Vec<(PathBuf, u32, i64, u64, Vec<u8>)> {
    let is_link = |path: &Path| top.join(path).is_symlink();
    let tree = tree(top).into_iter();
    tree.filter(|(path, _)| !path.as_os_str().is_empty())
        .map(|(path, seen)| {
            // A link's own time: tar keeps it, and touch by its path does not set it.
            let modified = if is_link(&path) { 0 } else { seen.modified.0 };
            (path, seen.mode, modified, seen.names, seen.content)
        })
        .collect()
}

fn packed_by_tar(top: &Path, format: &str) -> Vec<u8> {
    let output = Command::new("tar")
        .arg(format!("--format={format}"))
        .args(["-cf", "-", "-C"])
        .arg(top)
        .arg(".")
        .output()
        .unwrap();
    assert!(output.status.success());
    output.stdout
}

fn packed_by_us(top: &Path) -> Vec<u8> {
    let jail = Jail::new(vec![top.to_owned()]);
    let directory = jail.directory(top.to_str().unwrap()).unwrap();
    let mut archive = Vec::new();
    context::pack(&directory, &Rules::default(), &mut archive).unwrap();
    archive
}

/// A tree made after `plan`, and a target for it.
fn laid(plan: &Plan) -> (tempfile::TempDir, Lab) {
    let source = tempfile::tempdir().unwrap();
    make(source.path(), plan);
    let mut lab = Lab::new();
    lab.options.mode = Mode::Replace;
    (source, lab)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_was_packed_comes_out(plan in plan()) {
        let (source, lab) = laid(&plan);
        let expected = content(source.path());
        let archives = [
            packed_by_tar(source.path(), "gnu"),
            packed_by_tar(source.path(), "posix"),
            packed_by_us(source.path()),
        ];
        for archive in archives {
            lab.unpacked(&gzip(&archive));
            prop_assert_eq!(&content(&lab.path("root/target")), &expected);
        }
    }

    #[test]
    fn what_was_damaged_comes_out_whole_or_not_at_all(
        plan in plan(),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
        is_cut in any::<bool>(),
    ) {
        let (source, lab) = laid(&plan);
        let mut archive = gzip(&packed_by_us(source.path()));
        let at = at.index(archive.len());
        if is_cut {
            archive.truncate(at);
        } else {
            archive[at] ^= 1 << bit;
        }
        let before = lab.seen();
        // A flag or the time in gzip's own header says nothing about the contents.
        if lab.unpack(&archive).is_ok() {
            prop_assert_eq!(content(&lab.path("root/target")), content(source.path()));
        } else {
            prop_assert_eq!(lab.seen(), before);
        }
    }

    /// Without gzip's sum, damage to contents cannot be seen; but nothing outside changes, and nothing by halves.
    #[test]
    fn damage_to_a_plain_tar_stays_inside(
        plan in plan(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let (source, lab) = laid(&plan);
        let mut archive = packed_by_us(source.path());
        let at = at.index(archive.len());
        archive[at] = byte;
        let (before, outside) = (lab.seen(), lab.outside());
        if lab.unpack(&archive).is_err() {
            prop_assert_eq!(lab.seen(), before);
        }
        prop_assert_eq!(lab.outside(), outside);
    }
}

/// So that the properties are not about empty trees.
#[test]
fn the_plan_makes_all_kinds_of_things() {
    let place = tempfile::tempdir().unwrap();
    let plan = vec![
        (vec!["f".to_owned()], Thing::File(vec![1]), 0o600, 5),
        (
            vec!["d".to_owned(), "s".to_owned()],
            Thing::SecondName(0),
            0,
            0,
        ),
        (vec!["l".to_owned()], Thing::Link("f".to_owned()), 0, 0),
    ];
    make(place.path(), &plan);
    let meta = place.path().join("d/s").metadata().unwrap();
    assert_eq!(
        (meta.nlink(), meta.mtime(), meta.mode() & 0o777),
        (2, 5, 0o600)
    );
    assert!(place.path().join("l").is_symlink());
}
