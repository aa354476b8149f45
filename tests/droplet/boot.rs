//! The container that the droplet is, from its first moment to its last.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::machine::Droplet;
use crate::support::docker;

/// Says whose a droplet, and its network, is: our process id and when we started.
const LABEL: &str = "node-agent.droplet";

/// The agent's port.
const PORT: u16 = 9999;

/// What systemd and an engine inside need; less than `--privileged`, which not every machine can give.
const RIGHTS: &[&str] = &[
    "--cap-add=SYS_ADMIN",
    "--cap-add=NET_ADMIN",
    "--cap-add=SYS_PTRACE",
    "--cap-add=NET_RAW",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--cgroupns=private",
    "--tmpfs=/run",
    "--tmpfs=/tmp",
    "--env=container=docker",
    // What makes systemd shut everything down in order.
    "--stop-signal=SIGRTMIN+3",
];

/// Boots one and waits until everything in it runs.
pub fn boot() -> Droplet {
    boot_as("")
}

/// The same for a program that needs several, which `part` of the name tells apart.
pub fn boot_as(part: &str) -> Droplet {
    boot_release(part, "bookworm")
}

/// The same with another release of Debian.
pub fn boot_release(part: &str, release: &str) -> Droplet {
    sweep();
    let image = image(release);
    let owner = owner(std::process::id()).unwrap();
    let name = format!("node-agent-droplet-{owner}{part}");
    let watcher = watch(&name);
    let label = format!("--label={LABEL}={owner}");
    // A network of its own: the machine's default one may be gone or in other hands.
    docker::run(&["network", "create", &label, &name]).unwrap();
    let network = format!("--network={name}");
    let start = [
        "run",
        "--detach",
        "--name",
        &name,
        "--hostname=droplet",
        &label,
        &network,
    ];
    docker::run(&[&start[..], RIGHTS, &[&image]].concat()).unwrap();
    let about = |format: &str| docker::run(&["inspect", "--format", format, &name]).unwrap();
    let ip = about("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
    let droplet = Droplet {
        address: SocketAddr::new(ip.parse().unwrap(), PORT),
        controller: about("{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}"),
        container: name,
        _watcher: watcher,
    };
    wait_until_up(&droplet);
    import_busybox(&droplet);
    droplet
}

/// The image's name; made now when the engine does not have it.
fn image(release: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/droplet/build.sh");
    let output = Command::new(script)
        .arg(release)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "tests/droplet/build.sh");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Starts somebody who removes the droplet as soon as we are no more: a static is never dropped, and a killed program
/// drops nothing. In a process group of its own, so that ^C does not end it too.
fn watch(name: &str) -> Child {
    let script = "cat; docker rm --force --volumes \"$1\"; docker network rm \"$1\"";
    Command::new("sh")
        .args(["-c", script, "sh", name])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Removes the droplets of programs that are no more, when their watcher was killed too.
fn sweep() {
    let label = format!("label={LABEL}");
    let format = format!("{{{{.ID}}}} {{{{.Label {LABEL:?}}}}}");
    let kinds: [(&[&str], &[&str]); 2] = [
        (&["ps", "--all"], &["rm", "--force", "--volumes"]),
        (&["network", "ls"], &["network", "rm"]),
    ];
    for (list, remove) in kinds {
        let all = [list, &["--filter", &label, "--format", &format]].concat();
        for line in docker::run(&all).unwrap().lines() {
            let (id, of) = line.split_once(' ').unwrap();
            let process = of.split('-').next().and_then(|id| id.parse().ok());
            if process.and_then(owner).as_deref() != Some(of) {
                // Somebody else may sweep at this moment.
                let _ = docker::run(&[remove, &[id]].concat());
            }
        }
    }
}

/// The process with this id, told from later ones with the same by when it started (field 22 of proc_pid_stat(5)).
fn owner(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let started = after_name.split_whitespace().nth(19)?;
    Some(format!("{process}-{started}"))
}

fn wait_until_up(droplet: &Droplet) {
    droplet.wait_for("the droplet to boot", || {
        let said = droplet.run(&["systemctl", "is-system-running"]).stdout;
        ["running\n", "degraded\n"].contains(&String::from_utf8_lossy(&said).as_ref())
    });
    for service in ["nginx", "cron", "docker"] {
        assert_eq!(
            droplet.property(service, "ActiveState"),
            "active",
            "{service}"
        );
    }
    droplet.text(&["docker", "version"]);
}

/// Gives the engine inside its first image.
fn import_busybox(droplet: &Droplet) {
    droplet.shell(&format!(
        "root=$(mktemp -d); mkdir $root/bin; cp /bin/busybox $root/bin
         for name in sh cat sleep echo true; do ln -s busybox $root/bin/$name; done
         tar -C $root -c . | docker import --change 'CMD [\"sh\"]' - {}
         rm -r $root",
        Droplet::IMAGE
    ));
}
