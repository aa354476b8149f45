//! A root with a target in it, and things outside that have to stay as they are.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use node_agent::store::jail::Jail;
use node_agent::store::space::Reserve;
use node_agent::store::unpack::{self, Links, Mode, Options, UnpackError, Unpacked};

use crate::support::seen::{Tree, place_in_memory, tree};

/// `root/target`, `outside` and the agent's `state`.
pub struct Lab {
    place: tempfile::TempDir,
    pub options: Options,
    pub target: String,
}

impl Lab {
    pub fn new() -> Self {
        let place = place_in_memory();
        let path = |name: &str| place.path().join(name);
        for name in ["root/target/old", "outside/directory", "state"] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        for name in ["root/target/keep", "root/target/old/file", "outside/secret"] {
            std::fs::write(path(name), name).unwrap();
        }
        symlink("keep", path("root/target/inner")).unwrap();
        symlink(path("outside"), path("root/target/planted")).unwrap();
        symlink(path("outside/secret"), path("root/target/planted-file")).unwrap();
        let options = Options {
            mode: Mode::Merge,
            links: Links::Inside,
            strip_components: 0,
            expected_sha256: None,
            reserve: Reserve { min_free_bytes: 0 },
            state: path("state"),
        };
        let target = path("root/target").to_str().unwrap().to_owned();
        Self {
            place,
            options,
            target,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    pub fn jail(&self) -> Jail {
        Jail::new(vec![self.path("root")])
    }

    pub fn unpack(&self, archive: &[u8]) -> Result<Unpacked, UnpackError> {
        let mut source = archive;
        unpack::unpack(&mut source, &self.jail(), &self.target, &self.options)
    }

    /// Everything but the directory that staging was in for a while.
    pub fn seen(&self) -> Tree {
        let mut tree = tree(self.place.path());
        for name in ["root", "state"] {
            let seen = tree.get_mut(Path::new(name)).unwrap();
            seen.modified = (0, 0);
        }
        tree
    }

    /// What is outside of the target.
    pub fn outside(&self) -> Tree {
        let mut seen = self.seen();
        seen.retain(|path, _| !path.starts_with("root/target"));
        seen
    }

    /// Unpacks, in either mode, what has to fail and to change nothing. Both errors are the same one.
    pub fn refused(&self, archive: &[u8]) -> UnpackError {
        let before = self.seen();
        let mut errors = Vec::new();
        for mode in [Mode::Merge, Mode::Replace] {
            let mut options = self.options.clone();
            options.mode = mode;
            let mut source = archive;
            let result = unpack::unpack(&mut source, &self.jail(), &self.target, &options);
            errors.push(result.expect_err("it was unpacked"));
            assert_eq!(self.seen(), before);
        }
        let error = errors.pop().unwrap();
        assert_eq!(errors[0].to_string(), error.to_string());
        error
    }

    /// Unpacks what has to succeed, with nothing outside of the target changed or left.
    pub fn unpacked(&self, archive: &[u8]) -> Unpacked {
        let before = self.outside();
        let unpacked = self.unpack(archive).unwrap();
        assert_eq!(self.outside(), before);
        unpacked
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path("root/target").join(name)).unwrap()
    }
}
