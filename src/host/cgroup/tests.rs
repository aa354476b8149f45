//! Machines made of files: both versions, both drivers, mixed, nested and odd.
#![forbid(unsafe_code)]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::host::machine::Machine;

const ID: &str = "7c2e6b3042d0187ae5bcdb7c06c3e4a27fa7af4555ea4258ba748bd1c589e2b3";

/// A machine with these mounts, and process 7 in these groups.
struct Fixture {
    root: tempfile::TempDir,
    machine: Machine,
}

impl Fixture {
    fn new(mounts: &[&str], groups: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let fixture = Self {
            machine: Machine::below(root.path()),
            root,
        };
        fixture.write("proc/self/mountinfo", &mounts.join("\n"));
        fixture.write("proc/7/cgroup", groups);
        fixture
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn places(&self) -> Option<Places> {
        let mounts = self.machine.mounts().unwrap();
        Hierarchies::among(&self.machine, &mounts).places(&self.machine, 7, ID)
    }

    fn below(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path)
    }
}

/// A mount of version 1 with these controllers.
fn old(controllers: &str, root: &str) -> String {
    format!("30 20 0:30 {root} /sys/fs/cgroup/{controllers} rw - cgroup cgroup rw,{controllers}")
}

const NEW: &str = "31 20 0:31 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";

fn version_1() -> Fixture {
    let mounts = [
        old("cpu,cpuacct", "/"),
        old("memory", "/"),
        old("blkio", "/"),
        old("pids", "/"),
    ];
    let mounts: Vec<&str> = mounts.iter().map(String::as_str).collect();
    let group = format!("/docker/{ID}");
    let groups = format!(
        "9:name=systemd:{group}\n4:memory:{group}\n3:cpu,cpuacct:{group}\n2:blkio:{group}\n1:pids:{group}\n"
    );
    let fixture = Fixture::new(&mounts, &groups);
    let file =
        |controller: &str, name: &str| format!("sys/fs/cgroup/{controller}/docker/{ID}/{name}");
    fixture.write(&file("cpu,cpuacct", "cpuacct.usage"), "24441181\n");
    fixture.write(&file("memory", "memory.usage_in_bytes"), "1835008\n");
    fixture.write(
        &file("memory", "memory.stat"),
        "cache 1507328\ninactive_file 7\nhierarchical_memory_limit 9223372036854771712\ntotal_inactive_anon 3\ntotal_inactive_file 1507328\n",
    );
    fixture.write(
        &file("blkio", "blkio.throttle.io_service_bytes_recursive"),
        "254:0 Read 4096\n254:0 Write 100\n254:0 Sync 4196\n254:0 Total 4196\n8:0 Read 1\n8:0 Write 2\nTotal 4199\n",
    );
    fixture.write(&file("pids", "pids.current"), "3\n");
    fixture
}

#[test]
fn the_first_version() {
    let places = version_1().places().unwrap();
    assert_eq!(places.unified, None);
    let fixture = version_1();
    let places = fixture.places().unwrap();
    assert_eq!(places.cpu().unwrap(), Duration::from_nanos(24_441_181));
    let expected = Figures {
        memory: Some(MemoryUse {
            used: 327_680,
            limit: Some(9_223_372_036_854_771_712),
        }),
        block_io: Some(BlockIo {
            read: 4097,
            written: 102,
        }),
        pids: Some(3),
    };
    assert_eq!(places.figures(), expected);
    assert!(fixture.machine.is_of_container(7, ID));
}

#[test]
fn the_second_version_by_systemd() {
    let scope = format!("/system.slice/docker-{ID}.scope");
    let fixture = Fixture::new(&[NEW], &format!("0::{scope}\n"));
    let file = |name: &str| format!("sys/fs/cgroup{scope}/{name}");
    fixture.write(
        &file("cpu.stat"),
        "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
    );
    fixture.write(&file("memory.current"), "5000000\n");
    fixture.write(&file("memory.max"), "67108864\n");
    fixture.write(
        &file("memory.stat"),
        "anon 1\ninactive_anon 9\ninactive_file 1000000\n",
    );
    fixture.write(
        &file("io.stat"),
        "254:0 rbytes=4096 wbytes=100 rios=1 wios=2 dbytes=0 dios=0\n8:0 rbytes=1 wbytes=2 rios=0 wios=0\n",
    );
    fixture.write(&file("pids.current"), "3\n");
    let places = fixture.places().unwrap();
    assert_eq!(places.cpu().unwrap(), Duration::from_millis(1500));
    let memory = MemoryUse {
        used: 4_000_000,
        limit: Some(67_108_864),
    };
    let block_io = BlockIo {
        read: 4097,
        written: 102,
    };
    let expected = Figures {
        memory: Some(memory),
        block_io: Some(block_io),
        pids: Some(3),
    };
    assert_eq!(places.figures(), expected);
    fixture.write(&file("memory.max"), "max\n");
    assert_eq!(places.figures().memory.unwrap().limit, None);
    // More cache than use: the two are read one after the other.
    fixture.write(&file("memory.current"), "900\n");
    assert_eq!(places.figures().memory.unwrap().used, 900);
}

#[test]
fn the_other_driver_of_each_version() {
    let by_systemd = format!("/system.slice/docker-{ID}.scope");
    let fixture = Fixture::new(&[&old("memory", "/")], &format!("4:memory:{by_systemd}\n"));
    let expected = fixture.below(&format!("sys/fs/cgroup/memory{by_systemd}"));
    assert_eq!(fixture.places().unwrap().memory, Some(expected));
    let fixture = Fixture::new(&[NEW], &format!("0::/docker/{ID}\n"));
    let expected = fixture.below(&format!("sys/fs/cgroup/docker/{ID}"));
    assert_eq!(fixture.places().unwrap().unified, Some(expected));
}

#[test]
fn both_versions_at_once() {
    // As systemd's hybrid mode has it: version 2 is there and counts nothing.
    let unified = "31 20 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
    let fixture = Fixture::new(
        &[&old("cpuacct", "/"), unified],
        &format!("2:cpuacct:/docker/{ID}\n0::/docker/{ID}\n"),
    );
    let places = fixture.places().unwrap();
    assert!(places.cpuacct.is_some() && places.unified.is_some());
    fixture.write(
        &format!("sys/fs/cgroup/cpuacct/docker/{ID}/cpuacct.usage"),
        "5",
    );
    assert_eq!(places.cpu().unwrap(), Duration::from_nanos(5));
    assert_eq!(places.figures(), Figures::default());
}

#[test]
fn groups_below_the_containers_own_count_with_it() {
    let fixture = Fixture::new(&[NEW], &format!("0::/docker/{ID}/init.scope\n"));
    let expected = fixture.below(&format!("sys/fs/cgroup/docker/{ID}"));
    assert_eq!(fixture.places().unwrap().unified, Some(expected));
}

#[test]
fn a_part_of_the_hierarchy_is_mounted() {
    let nested = "31 20 0:31 /docker/outer /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
    let fixture = Fixture::new(&[nested], &format!("0::/docker/outer/docker/{ID}\n"));
    let expected = fixture.below(&format!("sys/fs/cgroup/docker/{ID}"));
    assert_eq!(fixture.places().unwrap().unified, Some(expected));
    let elsewhere = Fixture::new(&[nested], &format!("0::/docker/{ID}\n"));
    assert_eq!(elsewhere.places(), None);
}

#[test]
fn a_process_of_somebody_else_gives_nothing() {
    let other = ID.replace('7', "8");
    for groups in [
        format!("0::/docker/{other}\n"),
        format!("0::/../docker/{ID}\n"),
        "0::/\n".to_owned(),
        String::new(),
        "nonsense\n:\n::\n".to_owned(),
    ] {
        let fixture = Fixture::new(&[NEW], &groups);
        assert_eq!(fixture.places(), None, "{groups:?}");
    }
    let fixture = Fixture::new(&[NEW], &format!("0::/docker/{other}\n"));
    assert!(!fixture.machine.is_of_container(7, ID) && !fixture.machine.is_of_container(8, ID));
    assert!(fixture.machine.is_of_container(7, &other) && !fixture.machine.is_of_container(7, "8"));
}

#[test]
fn what_is_gone_or_damaged_is_an_error_or_absent() {
    let fixture = Fixture::new(&[NEW], &format!("0::/docker/{ID}\n"));
    let places = fixture.places().unwrap();
    assert!(places.cpu().is_err() && places.run().is_err());
    assert_eq!(places.figures(), Figures::default());
    for odd in [
        "",
        "usage_usec\n",
        "usage_usec x\n",
        "usage_usec -1\n",
        "usage_usecs 5\n",
    ] {
        fixture.write(&format!("sys/fs/cgroup/docker/{ID}/cpu.stat"), odd);
        assert!(places.cpu().is_err(), "{odd:?}");
    }
}

#[test]
fn each_run_has_its_own_number() {
    let fixture = version_1();
    let places = fixture.places().unwrap();
    let first = places.run().unwrap();
    assert_eq!(places.run().unwrap(), first);
    let directory = places.cpuacct.clone().unwrap();
    // Kept under another name, so that the filesystem does not give the number to the next one.
    std::fs::rename(&directory, directory.with_extension("old")).unwrap();
    std::fs::create_dir(&directory).unwrap();
    assert_ne!(places.run().unwrap(), first);
}

#[test]
fn the_scheduler_counts_where_the_throttling_layer_does_not() {
    let fixture = version_1();
    let file = |name: &str| format!("sys/fs/cgroup/blkio/docker/{ID}/blkio.{name}");
    let read = || {
        fixture
            .places()
            .unwrap()
            .figures()
            .block_io
            .map(|sum| (sum.read, sum.written))
    };
    fixture.write(&file("bfq.io_service_bytes_recursive"), "Total 0\n");
    assert_eq!(read(), Some((4097, 102)));
    fixture.write(
        &file("bfq.io_service_bytes_recursive"),
        "8:0 Read 7\n8:0 Write 8\nTotal 15\n",
    );
    assert_eq!(read(), Some((7, 8)));
    std::fs::remove_file(fixture.below(&file("bfq.io_service_bytes_recursive"))).unwrap();
    std::fs::remove_file(fixture.below(&file("throttle.io_service_bytes_recursive"))).unwrap();
    assert_eq!(read(), None);
    fixture.write(&file("throttle.io_service_bytes"), "Total 0\n");
    assert_eq!(read(), Some((0, 0)));
}

proptest! {
    #[test]
    fn no_group_leads_out_of_what_is_mounted(path in "(/|\\.\\.|docker|[a-z]{1,3}|7c2e6b3042d0187ae5bcdb7c06c3e4a27fa7af4555ea4258ba748bd1c589e2b3){0,8}") {
        let fixture = Fixture::new(&[NEW], &format!("0::{path}\n"));
        if let Some(place) = fixture.places().and_then(|places| places.unified) {
            prop_assert!(place.starts_with(fixture.root.path().join("sys/fs/cgroup")));
            prop_assert!(place.components().all(|part| part != std::path::Component::ParentDir));
        }
    }
}
