//! The directory that is unpacked in belongs to somebody else, who renames what is in it at the worst moment.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use node_agent::store::unpack::{self, Mode, UnpackError, Unpacked};

use super::lab::Lab;
use crate::support::tar_builder::Tar;

/// Gives an archive out a block at a time, and once, when the staging directory is there, does `work` with its path.
struct Meanwhile<'a, W: FnMut(&Path)> {
    rest: &'a [u8],
    holder: PathBuf,
    work: Option<W>,
}

impl<W: FnMut(&Path)> Read for Meanwhile<'_, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(staging) = staging(&self.holder)
            && let Some(mut work) = self.work.take()
        {
            work(&staging);
        }
        let count = buffer.len().min(512);
        self.rest.read(&mut buffer[..count])
    }
}

fn staging(holder: &Path) -> Option<PathBuf> {
    let entries = holder.read_dir().unwrap().map(|entry| entry.unwrap());
    let mut found = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_str().unwrap().starts_with(".node-agent-")
    });
    found.next().map(|entry| entry.path())
}

fn unpack(lab: &Lab, work: impl FnMut(&Path)) -> Result<Unpacked, UnpackError> {
    let archive = Tar::new().file("one", "x").file("two", "x").end();
    let mut source = Meanwhile {
        rest: &archive,
        holder: lab.path("root"),
        work: Some(work),
    };
    let unpacked = unpack::unpack(&mut source, &lab.jail(), &lab.target, &lab.options);
    assert!(source.work.is_none(), "nothing was staged");
    unpacked
}

fn precious(lab: &Lab) -> PathBuf {
    let precious = lab.path("root/precious");
    std::fs::create_dir_all(precious.join("deep")).unwrap();
    std::fs::write(precious.join("deep/data"), "").unwrap();
    precious
}

#[test]
fn what_takes_the_name_of_the_staging_directory_is_not_removed() {
    let lab = Lab::new();
    let precious = precious(&lab);
    let mut name = PathBuf::new();
    let unpacked = unpack(&lab, |staging| {
        std::fs::rename(staging, lab.path("root/taken")).unwrap();
        std::fs::rename(&precious, staging).unwrap();
        name = staging.to_owned();
    });
    assert_eq!(unpacked.unwrap().files, 2);
    assert!(name.join("deep/data").exists());
    assert_eq!(lab.path("root/taken").read_dir().unwrap().count(), 0);
    assert_eq!(lab.path("state").read_dir().unwrap().count(), 0);
}

#[test]
fn what_takes_the_name_of_the_target_is_not_replaced() {
    let mut lab = Lab::new();
    lab.options.mode = Mode::Replace;
    let precious = precious(&lab);
    let target = lab.path("root/target");
    let unpacked = unpack(&lab, |_| {
        std::fs::rename(&target, lab.path("root/away")).unwrap();
        std::fs::rename(&precious, &target).unwrap();
    });
    let error = unpacked.unwrap_err();
    assert!(matches!(error, UnpackError::Changed { .. }), "{error}");
    assert!(target.join("deep/data").exists());
    assert!(lab.path("root/away/keep").exists());
    assert_eq!(staging(&lab.path("root")), None);
}

/// Without the mark, which only the record tells, it is not what a killed agent has left.
#[test]
fn what_takes_the_name_of_a_leftover_is_not_swept() {
    let lab = Lab::new();
    let precious = precious(&lab);
    let number = "00000000000000aa";
    let left = lab.path(&format!("root/.node-agent-{number}"));
    std::fs::rename(precious, &left).unwrap();
    let root = lab.path("root").to_str().unwrap().to_owned();
    let record = lab.path(&format!("state/staging-{number}"));
    std::fs::write(&record, ["0123456789abcdef", &root].concat()).unwrap();
    unpack::sweep(&lab.path("state"), &lab.jail()).unwrap();
    assert!(left.join("deep/data").exists() && !record.exists());
}
