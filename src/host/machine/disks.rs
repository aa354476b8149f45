//! The filesystems that are on disks of this machine, each once. Only those are asked: a dead NFS server or a hanging
//! FUSE program must not hold up the others.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;

use serde::Serialize;

use super::{Machine, Mount};
use crate::sys::process::filesystem_space;

/// Types that are on no block device that `source` names, but on disks all the same.
const POOLED: [&str; 2] = ["zfs", "bcachefs"];
/// Types that are full by nature: images of software (snap), CDs.
const IMAGES: [&str; 5] = ["squashfs", "iso9660", "erofs", "udf", "cramfs"];

/// A filesystem, in bytes and inodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// `/dev/vda1`
    pub device: String,
    /// Where it is mounted; the shortest path when there are several.
    pub mount_point: String,
    /// `ext4`
    pub filesystem: String,
    /// Whether nothing can be written to it.
    pub read_only: bool,
    /// All bytes.
    pub total_bytes: u64,
    /// Bytes in use.
    pub used_bytes: u64,
    /// Bytes that an ordinary user can still write; less than the rest where some are kept for root.
    pub available_bytes: u64,
    /// All inodes; 0 where the filesystem does not count them.
    pub total_inodes: u64,
    /// Inodes in use.
    pub used_inodes: u64,
    /// Inodes that are left.
    pub available_inodes: u64,
}

impl Machine {
    /// The filesystems of its disks, by mount point. One that cannot be asked is left out.
    pub fn disks(&self) -> io::Result<Vec<Disk>> {
        let mounts = self.mounts()?;
        let disks = choose(&mounts).into_iter();
        Ok(disks.filter_map(|mount| self.ask(mount).ok()).collect())
    }

    fn ask(&self, mount: &Mount) -> io::Result<Disk> {
        let space = filesystem_space(&self.place(Path::new(&mount.point)))?;
        Ok(Disk {
            device: mount.source.clone(),
            mount_point: mount.point.clone(),
            filesystem: mount.kind.clone(),
            read_only: space.read_only,
            total_bytes: space.total_bytes,
            used_bytes: space.total_bytes.saturating_sub(space.free_bytes),
            available_bytes: space.available_bytes,
            total_inodes: space.total_inodes,
            used_inodes: space.total_inodes.saturating_sub(space.available_inodes),
            available_inodes: space.available_inodes,
        })
    }
}

/// One mount for each filesystem on a disk: the whole one rather than a part of it, then the one with the shortest path.
fn choose(mounts: &[Mount]) -> Vec<&Mount> {
    let mut chosen: Vec<&Mount> = Vec::new();
    for mount in mounts.iter().filter(|mount| is_on_disk(mount)) {
        match chosen
            .iter_mut()
            .find(|other| filesystem_of(other) == filesystem_of(mount))
        {
            Some(other) if rank(mount) < rank(other) => *other = mount,
            Some(_) => {}
            None => chosen.push(mount),
        }
    }
    chosen.sort_by(|a, b| a.point.cmp(&b.point));
    chosen
}

fn is_on_disk(mount: &Mount) -> bool {
    let is_local = mount.source.starts_with("/dev/") && !mount.kind.starts_with("fuse");
    (is_local || POOLED.contains(&mount.kind.as_str())) && !IMAGES.contains(&mount.kind.as_str())
}

/// What tells filesystems apart. Subvolumes of btrfs have an invented device number each; their source is the same.
fn filesystem_of(mount: &Mount) -> &str {
    if mount.device.starts_with("0:") {
        &mount.source
    } else {
        &mount.device
    }
}

fn rank(mount: &Mount) -> (bool, usize) {
    (mount.root != "/", mount.point.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(device: &str, root: &str, point: &str, kind: &str, source: &str) -> Mount {
        Mount {
            device: device.into(),
            root: root.into(),
            point: point.into(),
            kind: kind.into(),
            source: source.into(),
            options: "rw".into(),
        }
    }

    #[test]
    fn disks_are_there_once_and_nothing_else_is() {
        let mounts = [
            mount("254:0", "/lib/hosts", "/h", "ext4", "/dev/vda1"),
            mount("254:0", "/", "/srv/long", "ext4", "/dev/vda1"),
            mount("254:0", "/", "/", "ext4", "/dev/vda1"),
            mount("254:0", "/", "/var/lib/docker", "ext4", "/dev/vda1"),
            mount("0:30", "/@", "/data", "btrfs", "/dev/vdb"),
            mount("0:31", "/@home", "/home", "btrfs", "/dev/vdb"),
            mount("0:40", "/", "/tank", "zfs", "tank"),
            mount("0:22", "/", "/run", "tmpfs", "tmpfs"),
            mount(
                "0:50",
                "/",
                "/var/lib/docker/overlay2/x/merged",
                "overlay",
                "overlay",
            ),
            mount("0:51", "/", "/nfs", "nfs4", "server:/export"),
            mount("0:52", "/", "/ntfs", "fuseblk", "/dev/sdc1"),
            mount("7:1", "/", "/snap/core", "squashfs", "/dev/loop1"),
        ];
        let points: Vec<_> = choose(&mounts)
            .iter()
            .map(|mount| mount.point.as_str())
            .collect();
        assert_eq!(points, ["/", "/data", "/tank"]);
    }

    #[test]
    fn this_machines_disks_are_plausible() {
        for disk in Machine::this().disks().unwrap() {
            assert!(disk.total_bytes >= disk.used_bytes, "{disk:?}");
            assert!(
                disk.available_bytes <= disk.total_bytes - disk.used_bytes,
                "{disk:?}"
            );
        }
    }
}
