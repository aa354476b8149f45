//! What becomes of a directory that is filled, or not.
#![forbid(unsafe_code)]

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use super::{FreshError, Surroundings, Workplace, fill};
use crate::store::jail::{Jail, JailError};
use crate::store::space::Reserve;
use crate::sys::change::{create_file, make_directory};

struct Lab {
    place: tempfile::TempDir,
    jail: Jail,
}

impl Lab {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        for name in ["root", "state", "outside"] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        let jail = Jail::new(vec![place.path().join("root")]);
        Self { place, jail }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.place.path().join(below)
    }

    fn fill(
        &self,
        below: &str,
        work: impl FnOnce(&Workplace<'_>) -> Result<(), FreshError>,
    ) -> Result<(), FreshError> {
        let state = self.path("state");
        let surroundings = Surroundings {
            jail: &self.jail,
            state: &state,
            reserve: Reserve { min_free_bytes: 1 },
        };
        fill(&surroundings, self.path(below).to_str().unwrap(), work)
    }

    fn names(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(below)).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }
}

fn work_in(workplace: &Workplace<'_>) {
    let at = workplace.as_fd();
    make_directory(at, ".git".as_ref(), 0o755).unwrap();
    for name in ["a", "b", ".node-agent-of-the-repository"] {
        create_file(at, name.as_ref(), 0o644).unwrap();
    }
}

fn some_work(workplace: &Workplace<'_>) -> Result<(), FreshError> {
    work_in(workplace);
    workplace.check_room().map_err(FreshError::NoRoom)
}

const MADE: [&str; 4] = [".git", ".node-agent-of-the-repository", "a", "b"];

#[test]
fn it_is_in_its_place_when_it_is_full() {
    let lab = Lab::new();
    for below in ["root/one", "root/x/y/z"] {
        lab.fill(below, |workplace| {
            assert!(!lab.path(below).exists());
            some_work(workplace)
        })
        .unwrap();
        assert_eq!(lab.names(below), MADE);
        assert_eq!(lab.path(below).metadata().unwrap().mode() & 0o777, 0o755);
    }
    assert_eq!(lab.names("root"), ["one", "x"]);
    assert_eq!(lab.names("state").len(), 0);
}

#[test]
fn an_empty_directory_keeps_its_owner_and_mode() {
    let lab = Lab::new();
    fs::create_dir(lab.path("root/empty")).unwrap();
    fs::set_permissions(lab.path("root/empty"), PermissionsExt::from_mode(0o2750)).unwrap();
    std::os::unix::fs::chown(lab.path("root/empty"), Some(1234), Some(1235)).unwrap();
    fs::set_permissions(lab.path("root/empty"), PermissionsExt::from_mode(0o2750)).unwrap();
    lab.fill("root/empty", some_work).unwrap();
    let meta = lab.path("root/empty").metadata().unwrap();
    assert_eq!(
        (meta.mode() & 0o7777, meta.uid(), meta.gid()),
        (0o2750, 1234, 1235)
    );
    assert_eq!(lab.names("root/empty"), MADE);
}

#[test]
fn an_allowed_root_is_filled_where_it_is() {
    let lab = Lab::new();
    let before = lab.path("root").metadata().unwrap().ino();
    lab.fill("root", some_work).unwrap();
    assert_eq!(lab.names("root"), MADE);
    assert_eq!(lab.path("root").metadata().unwrap().ino(), before);
    assert!(matches!(
        lab.fill("root", some_work),
        Err(FreshError::NotEmpty { .. })
    ));
}

#[test]
fn what_is_not_empty_stays() {
    let lab = Lab::new();
    fs::create_dir(lab.path("root/full")).unwrap();
    fs::write(lab.path("root/full/file"), "kept").unwrap();
    fs::write(lab.path("root/file"), "kept").unwrap();
    let refused = |below| lab.fill(below, |_| panic!("it was filled")).unwrap_err();
    assert!(matches!(refused("root/full"), FreshError::NotEmpty { .. }));
    assert!(matches!(
        refused("root/file"),
        FreshError::Target(JailError::NotADirectory { .. })
    ));
    assert!(matches!(
        refused("outside/x"),
        FreshError::Target(JailError::Outside { .. })
    ));
    assert!(matches!(
        refused("root/a/.node-agent-x"),
        FreshError::Target(JailError::Reserved { .. })
    ));
    assert_eq!(lab.names("root"), ["file", "full"]);
}

#[test]
fn a_failure_leaves_nothing() {
    let lab = Lab::new();
    let failing = |workplace: &Workplace<'_>| {
        some_work(workplace)?;
        Err(FreshError::NotEmpty {
            path: PathBuf::new(),
        })
    };
    for below in ["root", "root/one", "root/x/y"] {
        lab.fill(below, failing).unwrap_err();
        assert_eq!(
            lab.names("root").len() + lab.names("state").len(),
            0,
            "{below}"
        );
    }
}

#[test]
fn of_two_at_the_same_time_one_has_it() {
    for below in ["root", "root/one", "root/empty"] {
        let lab = Lab::new();
        fs::create_dir(lab.path("root/other")).unwrap();
        if below == "root" {
            fs::remove_dir(lab.path("root/other")).unwrap();
        }
        if below == "root/empty" {
            fs::create_dir(lab.path(below)).unwrap();
        }
        let slower = lab.fill(below, |workplace| {
            some_work(workplace)?;
            lab.fill(below, some_work)
        });
        assert!(
            matches!(slower, Err(FreshError::Changed { .. })),
            "{below}: {slower:?}"
        );
        assert_eq!(lab.names(below), MADE);
        assert_eq!(lab.names("state").len(), 0);
    }
}
