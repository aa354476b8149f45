//! Programs in a directory of their own, and programs that are looked after.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use super::{ExecError, Exit, Invocation, Program};
use crate::sys::open;

const LONG: Duration = Duration::from_secs(60);

/// Needs CAP_SYS_ADMIN, as the tests' small disks do.
#[test]
fn it_works_in_the_directory_and_sees_it_elsewhere() {
    let place = tempfile::tempdir().unwrap();
    let (work, stand_in) = (place.path().join("work"), place.path().join("stand-in"));
    for directory in [&work, &stand_in] {
        fs::create_dir(directory).unwrap();
        fs::set_permissions(directory, PermissionsExt::from_mode(0o700)).unwrap();
    }
    let directory = open::directory(&work).unwrap();
    // From now on it has another path.
    fs::rename(&work, place.path().join("renamed")).unwrap();
    let sh = Program::find("sh").unwrap();
    let script = "echo made > made; pwd; cat \"$(pwd)/made\" /proc/self/oom_score_adj";
    let invocation = Invocation::new(&sh, LONG).arguments(["-c", script]);
    let finished = invocation
        .inside(directory, &stand_in)
        .unwrap()
        .run()
        .unwrap();
    let said = finished.output.stdout.text();
    assert_eq!(
        finished.exit,
        Exit::Code(0),
        "{}",
        finished.output.stderr.text()
    );
    assert_eq!(said, format!("{}\nmade\n500\n", stand_in.display()));
    let made = place.path().join("renamed/made").metadata().unwrap();
    assert_eq!(made.mode() & 0o777, 0o644);
    assert_eq!(fs::read_dir(&stand_in).unwrap().count(), 0);
}

#[test]
fn a_check_that_fails_ends_it() {
    let sleep = Program::find("sleep").unwrap();
    let mut asked = 0;
    let mut check = || {
        asked += 1;
        if asked < 3 {
            return Ok(());
        }
        Err(io::Error::other("enough"))
    };
    let started = Instant::now();
    let result = Invocation::new(&sleep, LONG)
        .arguments(["60"])
        .checking(Duration::from_millis(10), &mut check)
        .run();
    assert!(matches!(result, Err(ExecError::Check(error)) if error.to_string() == "enough"));
    assert!(started.elapsed() < LONG / 2);
    assert_eq!(asked, 3);
}

#[test]
fn a_check_that_passes_costs_nothing() {
    let sh = Program::find("sh").unwrap();
    let mut check = || Ok(());
    let finished = Invocation::new(&sh, LONG)
        .arguments(["-c", "sleep 0.05; echo done; exit 3"])
        .checking(Duration::from_millis(1), &mut check)
        .run()
        .unwrap();
    assert_eq!(finished.exit, Exit::Code(3));
    assert_eq!(finished.output.stdout.text(), "done\n");
}
