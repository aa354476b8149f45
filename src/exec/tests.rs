//! Runs of real programs.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::*;
use crate::limits;
use crate::sys::signal::Signals;

const LONG: Duration = Duration::from_secs(60);
const MEGABYTE: usize = 1024 * 1024;

fn shell() -> Program {
    Program::find("sh").unwrap()
}

/// Runs a shell script with this to read.
fn run_with(script: &str, stdin: Stdin<'_>) -> Result<Finished, ExecError> {
    let program = shell();
    let invocation = Invocation::new(&program, LONG).arguments(["-c", script]);
    invocation.stdin(stdin).run()
}

fn run(script: &str) -> Finished {
    run_with(script, Stdin::Nothing).unwrap()
}

/// Waits until the process is gone, or a zombie that only its new parent can wait for.
fn assert_gone(pid: &str) {
    let until = Instant::now() + LONG;
    let stat = format!("/proc/{}/stat", pid.trim());
    while let Ok(stat) = fs::read_to_string(&stat) {
        if stat.contains(") Z ") {
            return;
        }
        assert!(Instant::now() < until, "still there: {stat}");
        std::thread::yield_now();
    }
}

/// A producer of `count` megabytes.
fn megabytes(count: usize) -> Stdin<'static> {
    Stdin::Producer(Box::new(move |out| {
        (0..count).try_for_each(|_| out.write_all(&vec![b'x'; MEGABYTE]))
    }))
}

#[test]
fn code_and_signal_are_told_apart() {
    let finished = run("echo out; echo err >&2; exit 137");
    assert_eq!(finished.exit, Exit::Code(137));
    assert_eq!(finished.output.stdout.text(), "out\n");
    assert_eq!(finished.output.stderr.text(), "err\n");
    assert_eq!(run("kill -9 $$").exit, Exit::Signal(9));
}

#[test]
fn arguments_are_no_shell_words_and_the_environment_is_cleared() {
    let echo = Program::find("echo").unwrap();
    let said = Invocation::new(&echo, LONG).arguments(["$PATH; *"]).run();
    assert_eq!(said.unwrap().output.stdout.text(), "$PATH; *\n");
    let env = Program::find("env").unwrap();
    let said = Invocation::new(&env, LONG).variable("ADDED", "1").run();
    let text = said.unwrap().output.stdout.text();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    let path = format!("PATH={SEARCH_PATH}");
    assert_eq!(lines, ["ADDED=1", "LANG=C", &path]);
}

#[test]
fn no_signal_is_blocked_or_ignored() {
    // The mask is the thread's own.
    let status = std::thread::spawn(|| {
        let _signals = Signals::block().unwrap();
        // Not through a shell: dash blocks signals while it forks.
        let cat = Program::find("cat").unwrap();
        let status = Invocation::new(&cat, LONG).arguments(["/proc/self/status"]);
        status.run().unwrap().output.stdout.text()
    })
    .join()
    .unwrap();
    let mask = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
    };
    assert_eq!(mask("SigBlk:"), 0);
    // SIGPIPE is 13.
    assert_eq!(mask("SigIgn:") & (1 << 12), 0);
}

#[test]
fn no_descriptor_of_ours_is_passed_on() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (near, _far) = UnixStream::pair().unwrap();
    let own = fs::read_link(format!("/proc/self/fd/{}", near.as_raw_fd()));
    let links = run("ls -l /proc/$$/fd").output.stdout.text();
    assert!(links.contains("/dev/null") && links.contains("pipe:"));
    assert!(!links.contains(&*file.path().to_string_lossy()), "{links}");
    assert!(!links.contains(&*own.unwrap().to_string_lossy()), "{links}");
}

#[test]
fn no_zombie_and_no_pipe_is_left() {
    let script = "echo $$; readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2";
    let text = run_with(script, Stdin::Bytes(b"x")).unwrap().output.stdout;
    let text = text.text();
    let mut lines = text.lines();
    let pid = lines.next().unwrap();
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap());
    let pipes: Vec<_> = lines.collect();
    assert_eq!(pipes.len(), 3);
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        // Other tests open and close theirs meanwhile.
        let Ok(link) = fs::read_link(entry.unwrap().path()) else {
            continue;
        };
        assert!(!pipes.contains(&&*link.to_string_lossy()), "{link:?}");
    }
}

#[test]
fn at_the_deadline_the_whole_group_ends() {
    let program = shell();
    // Both ignore SIGTERM; the grandchild holds the pipes.
    let script = "trap '' TERM; sleep 1000 & echo $! $$; echo last >&2; while :; do sleep 1; done";
    let short = Duration::from_secs(1);
    let start = Instant::now();
    let error = Invocation::new(&program, short)
        .arguments(["-c", script])
        .run()
        .unwrap_err();
    assert!(start.elapsed() >= short + limits::PROGRAM_GRACE);
    let ExecError::Deadline { after, output, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(after, short);
    assert_eq!(output.stderr.text(), "last\n");
    let pids = output.stdout.text();
    let (grandchild, child) = pids.trim().split_once(' ').unwrap();
    assert_gone(grandchild);
    assert!(!fs::exists(format!("/proc/{child}")).unwrap());
}

#[test]
fn whoever_cleans_up_on_sigterm_is_given_the_time() {
    let program = shell();
    // A shell runs its trap after the command that it waits for, `wait` ends at once.
    let script = "trap 'echo cleaned; exit 0' TERM; sleep 1000 & wait";
    let error = Invocation::new(&program, Duration::from_secs(1))
        .arguments(["-c", script])
        .run()
        .unwrap_err();
    let ExecError::Deadline { output, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(output.stdout.text(), "cleaned\n");
}

#[test]
fn a_client_that_hangs_up_ends_the_group() {
    let program = shell();
    let (near, far) = UnixStream::pair().unwrap();
    let mut client = Some(near);
    let mut pid = String::new();
    let result = Invocation::new(&program, LONG)
        .arguments(["-c", "sleep 1000 & echo $!; wait"])
        .watching(Some(far.as_fd()))
        .stream(&mut |_, bytes| {
            pid.push_str(&String::from_utf8_lossy(bytes));
            client = None;
            Ok(())
        });
    assert!(matches!(result, Err(ExecError::Abandoned)), "{result:?}");
    assert_gone(&pid);
}

#[test]
fn a_taker_that_fails_ends_a_program_that_never_would() {
    let program = Program::find("yes").unwrap();
    let mut left = 10;
    let result = Invocation::new(&program, LONG).stream(&mut |_, _| {
        left -= 1;
        match left {
            0 => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            _ => Ok(()),
        }
    });
    assert!(matches!(result, Err(ExecError::Taker(_))), "{result:?}");
}

#[test]
fn a_panic_ends_the_group_too() {
    let program = shell();
    let mut pid = String::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let invocation = Invocation::new(&program, LONG).arguments(["-c", "echo $$; sleep 1000"]);
        invocation.stream(&mut |_, bytes| {
            pid.push_str(&String::from_utf8_lossy(bytes));
            panic!("a bug");
        })
    }));
    assert!(panicked.is_err());
    assert!(!fs::exists(format!("/proc/{}", pid.trim())).unwrap());
}

#[test]
fn an_endless_talker_meets_its_deadline() {
    let program = Program::find("yes").unwrap();
    let result = Invocation::new(&program, Duration::from_millis(50)).run();
    let Err(ExecError::Deadline { output, .. }) = result else {
        panic!("{result:?}");
    };
    assert!(output.stdout.left_out() > 0);
}

#[test]
fn of_ten_megabytes_head_and_tail_are_kept() {
    let out = run("echo first; head -c 10485760 /dev/zero; echo last")
        .output
        .stdout;
    let text = out.text();
    assert!(text.starts_with("first\n\0") && text.ends_with("\0last\n"));
    let all = (10 * MEGABYTE + "first\nlast\n".len()) as u64;
    assert_eq!(out.left_out(), all - limits::PROGRAM_OUTPUT_BYTES as u64);
}

#[test]
fn a_program_that_reads_nothing_still_has_its_say() {
    let bytes = vec![b'x'; 10 * MEGABYTE];
    for stdin in [Stdin::Bytes(&bytes), megabytes(10)] {
        let finished = run_with("echo no, thanks; exit 3", stdin).unwrap();
        assert_eq!(finished.exit, Exit::Code(3));
        assert_eq!(finished.output.stdout.text(), "no, thanks\n");
    }
}

#[test]
fn a_program_that_talks_before_it_listens_blocks_nobody() {
    let bytes = vec![b'x'; 10 * MEGABYTE];
    for stdin in [Stdin::Bytes(&bytes), megabytes(10)] {
        let finished = run_with("head -c 1000000 /dev/zero; wc -c >&2", stdin).unwrap();
        assert_eq!(finished.output.stderr.text().trim(), "10485760");
    }
}

#[test]
fn what_goes_in_comes_out() {
    let program = Program::find("cat").unwrap();
    let mut count = 0;
    let exit = Invocation::new(&program, LONG)
        .stdin(megabytes(20))
        .stream(&mut |_, bytes| {
            count += bytes.len();
            Ok(())
        });
    assert_eq!((exit.unwrap(), count), (Exit::Code(0), 20 * MEGABYTE));
}

#[test]
fn a_part_is_never_taken_for_the_whole() {
    let directory = tempfile::tempdir().unwrap();
    let done = directory.path().join("done");
    let script = format!("cat > /dev/null; touch {}", done.display());
    let fail = |out: &mut dyn Write| {
        out.write_all(b"a part")?;
        Err(io::Error::other("no more"))
    };
    let panic = |out: &mut dyn Write| {
        out.write_all(b"a part")?;
        panic!("a bug");
    };
    for produce in [Box::new(fail) as Produce<'_>, Box::new(panic)] {
        let result = run_with(&script, Stdin::Producer(produce));
        assert!(matches!(result, Err(ExecError::Producer(_))), "{result:?}");
        assert!(!done.exists());
    }
}

#[test]
fn a_producer_that_waits_for_a_hanging_program_is_let_go() {
    let program = Program::find("sleep").unwrap();
    let result = Invocation::new(&program, Duration::from_millis(200))
        .arguments(["1000"])
        .stdin(megabytes(1000))
        .run();
    assert!(
        matches!(result, Err(ExecError::Deadline { .. })),
        "{result:?}"
    );
}

#[test]
fn a_producer_that_has_nothing_to_write_is_let_go_when_it_asks() {
    let program = Program::find("sleep").unwrap();
    let produce = |out: &mut dyn Write| {
        loop {
            out.flush()?;
            std::thread::yield_now();
        }
    };
    let result = Invocation::new(&program, Duration::from_millis(200))
        .arguments(["1000"])
        .stdin(Stdin::Producer(Box::new(produce)))
        .run();
    let is_right = matches!(result, Err(ExecError::Deadline { .. }));
    assert!(is_right, "{result:?}");
}

#[test]
fn what_was_left_in_the_background_ends_too() {
    let finished = run("sleep 1000 & echo $!");
    assert_eq!(finished.exit, Exit::Code(0));
    assert_gone(&finished.output.stdout.text());
}

#[test]
fn a_daemon_that_holds_the_pipes_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    // It is a daemon when it says so.
    let script =
        "mkfifo up; setsid sh -c 'echo $$ > up; exec sleep 1000' & read pid < up; echo $pid";
    let program = shell();
    let finished = Invocation::new(&program, LONG)
        .arguments(["-c", script])
        .in_directory(directory.path())
        .run()
        .unwrap();
    assert_eq!(finished.exit, Exit::Code(0));
    let pid = finished.output.stdout.text();
    assert_eq!(run(&format!("kill {pid}")).exit, Exit::Code(0));
}

#[test]
fn what_cannot_be_started_says_so() {
    let program = shell();
    let result = Invocation::new(&program, LONG)
        .in_directory(std::path::Path::new("/nowhere"))
        .run();
    assert!(matches!(result, Err(ExecError::Spawn { .. })), "{result:?}");
}
