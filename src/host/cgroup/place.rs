//! Where a container's control groups are: what `/proc/<pid>/cgroup` says, below what is mounted. Nothing is guessed from
//! the driver: cgroupfs makes `/docker/<id>`, systemd `/system.slice/docker-<id>.scope`, and both may be below a parent of
//! somebody's own (`--cgroup-parent`).
#![forbid(unsafe_code)]

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::host::machine::{Machine, Mount};

/// The mounted hierarchies: their controllers (none: version 2), what of them is mounted, and where.
#[derive(Clone, Debug, Default)]
pub struct Hierarchies(Vec<Hierarchy>);

#[derive(Clone, Debug)]
struct Hierarchy {
    /// The options of the mount, among them the controllers; empty for version 2.
    controllers: Vec<String>,
    root: String,
    point: PathBuf,
}

/// The directories of one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Version 1, processor time.
    pub cpuacct: Option<PathBuf>,
    /// Version 1, memory.
    pub memory: Option<PathBuf>,
    /// Version 1, disks.
    pub blkio: Option<PathBuf>,
    /// Version 1, processes.
    pub pids: Option<PathBuf>,
    /// Version 2, all of it.
    pub unified: Option<PathBuf>,
}

impl Hierarchies {
    /// Those among the mounts of `machine`.
    pub fn among(machine: &Machine, mounts: &[Mount]) -> Self {
        let hierarchies = mounts.iter().filter_map(|mount| {
            let controllers = match mount.kind.as_str() {
                "cgroup" => mount.options.split(',').map(str::to_owned).collect(),
                "cgroup2" => Vec::new(),
                _ => return None,
            };
            Some(Hierarchy {
                controllers,
                root: mount.root.clone(),
                point: machine.place(Path::new(&mount.point)),
            })
        });
        Self(hierarchies.collect())
    }

    /// The places of the container `id`, to which process `pid` is said to belong. `None`: it does not (the number may
    /// have a new owner), or its control groups are not mounted here.
    pub fn places(&self, machine: &Machine, pid: u32, id: &str) -> Option<Places> {
        let text = machine.read(format!("/proc/{pid}/cgroup")).ok()?;
        self.places_in(&text, id)
    }

    fn places_in(&self, text: &str, id: &str) -> Option<Places> {
        let of = |controller: &str| {
            let path = path_of(text, controller)?;
            self.directory(controller, path, id)
        };
        let places = Places {
            cpuacct: of("cpuacct"),
            memory: of("memory"),
            blkio: of("blkio"),
            pids: of("pids"),
            unified: of(""),
        };
        (places != Places::default()).then_some(places)
    }

    /// The directory of the container `id` in the hierarchy of `controller`.
    fn directory(&self, controller: &str, path: &str, id: &str) -> Option<PathBuf> {
        let inside = up_to(path, id)?;
        self.0
            .iter()
            .filter(|one| one.has(controller))
            .find_map(|hierarchy| {
                // A container that sees the host's names has only a part of the hierarchy mounted.
                let below = inside.strip_prefix(&hierarchy.root).ok()?;
                Some(hierarchy.point.join(below))
            })
    }
}

impl Hierarchy {
    fn has(&self, controller: &str) -> bool {
        if controller.is_empty() {
            self.controllers.is_empty()
        } else {
            self.controllers.iter().any(|known| known == controller)
        }
    }
}

impl Places {
    /// What tells this run of the container from the next: the number of the directory, which the kernel gives to no
    /// other while it is up. A container gets new directories with each start.
    pub fn run(&self) -> io::Result<u64> {
        let directory = self.cpuacct.as_ref().or(self.unified.as_ref());
        let directory = directory.ok_or(io::ErrorKind::NotFound)?;
        Ok(std::fs::metadata(directory)?.ino())
    }
}

/// Whether process `pid` belongs to the container `id` now.
pub(super) fn belongs(text: &str, id: &str) -> bool {
    text.lines()
        .filter_map(parse)
        .any(|(_, path)| up_to(path, id).is_some())
}

impl Machine {
    /// Whether process `pid` belongs to the container `id` now.
    pub fn is_of_container(&self, pid: u32, id: &str) -> bool {
        self.read(format!("/proc/{pid}/cgroup"))
            .is_ok_and(|text| belongs(&text, id))
    }
}

/// `4:memory:/docker/…` or, version 2, `0::/docker/…`
fn parse(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once(':')?;
    rest.split_once(':')
}

fn path_of<'t>(text: &'t str, controller: &str) -> Option<&'t str> {
    let of = |(controllers, path): (&'t str, &'t str)| {
        controllers
            .split(',')
            .any(|known| known == controller)
            .then_some(path)
    };
    text.lines().filter_map(parse).find_map(of)
}

/// `path` up to the part that names the container: systemd in a container makes groups of its own below. `None`: it is not
/// the container's, or leads out of what is mounted (`/../…`: another namespace).
fn up_to(path: &str, id: &str) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for component in Path::new(path).components() {
        if component == Component::ParentDir {
            return None;
        }
        inside.push(component);
        let name = component.as_os_str().to_str()?;
        if id.len() >= SHORTEST_ID && name.contains(id) {
            return Some(inside);
        }
    }
    None
}

/// Ids have 64 digits; anything short would be found in other names too.
const SHORTEST_ID: usize = 12;
