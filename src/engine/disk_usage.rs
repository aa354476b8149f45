//! What images take on the disk. Docker API, /system/df. Read as it comes, because it lists all containers and volumes
//! besides.
#![forbid(unsafe_code)]

use std::io::BufReader;
use std::path::PathBuf;
use std::time::Instant;

use serde::Deserialize;

use super::{Engine, EngineError, Patience};
use crate::limits;

#[derive(Deserialize)]
struct Layers {
    #[serde(rename = "LayersSize", default)]
    bytes: i64,
}

#[derive(Deserialize)]
struct Images {
    #[serde(rename = "Images", default)]
    images: Option<Vec<ImageUsage>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ImageUsage {
    id: String,
    size: i64,
    /// Bytes that other images have too.
    shared_size: i64,
}

#[derive(Deserialize)]
struct Info {
    #[serde(rename = "DockerRootDir")]
    root: Option<PathBuf>,
}

impl ImageUsage {
    /// Bytes that no other image has.
    fn own_bytes(&self) -> u64 {
        let bytes = self.size.saturating_sub(self.shared_size.max(0));
        u64::try_from(bytes).unwrap_or_default()
    }
}

impl Engine {
    /// Where the engine keeps images and containers, when that is a directory here too: one in another mount namespace
    /// may name a path that means something else. Docker API, /info.
    pub fn data_root(&self) -> Result<Option<PathBuf>, EngineError> {
        let known = self.memory().data_root.clone();
        if let Some(root) = known {
            return Ok(Some(root));
        }
        let info: Info = self.get("/info", Patience::default())?.json()?;
        let root = info.root.filter(|root| root.is_dir());
        self.memory().data_root.clone_from(&root);
        Ok(root)
    }

    /// Bytes of all layers of all images.
    pub fn layer_bytes(&self) -> Result<u64, EngineError> {
        let layers: Layers = self.disk_usage()?;
        Ok(u64::try_from(layers.bytes).unwrap_or_default())
    }

    /// Bytes that only the images have that `are_meant`, by id.
    pub fn unshared_bytes(&self, are_meant: impl Fn(&str) -> bool) -> Result<u64, EngineError> {
        let usage: Images = self.disk_usage()?;
        let images = usage.images.unwrap_or_default();
        Ok(images
            .iter()
            .filter(|image| are_meant(&image.id))
            .map(ImageUsage::own_bytes)
            .fold(0, u64::saturating_add))
    }

    /// 20.10 adds it up for one at a time, and answers 500 to whoever asks meanwhile.
    fn disk_usage<T: for<'de> Deserialize<'de>>(&self) -> Result<T, EngineError> {
        let until = Instant::now() + limits::DISK_USAGE_TURN;
        loop {
            match self.disk_usage_now() {
                Err(error) if error.status() == Some(500) && Instant::now() < until => {
                    std::thread::sleep(limits::DISK_USAGE_PAUSE);
                }
                result => return result,
            }
        }
    }

    fn disk_usage_now<T: for<'de> Deserialize<'de>>(&self) -> Result<T, EngineError> {
        // `type` is known from API 1.42 on, and passed over before.
        let mut answer = self.get("/system/df?type=image", Self::unhurried())?;
        let read = serde_json::from_reader(BufReader::new(&mut answer));
        read.map_err(|error| answer.failure_of(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_sizes_are_none() {
        let own = |size, shared_size| {
            let usage = ImageUsage {
                size,
                shared_size,
                ..ImageUsage::default()
            };
            usage.own_bytes()
        };
        assert_eq!((own(5, 2), own(5, -1)), (3, 5));
        assert_eq!((own(2, 5), own(i64::MIN, 1)), (0, 0));
    }
}
