//! Images made to measure: with their own time, names, parents and size, as an archive that the engine loads.

use node_agent::clock::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An image to be. Its layer has one file, `/busybox`.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// Its names; none makes a dangling one.
    pub tags: Vec<String>,
    /// The image it is built on: the place of an earlier one in the list.
    pub parent: Option<usize>,
    /// Seconds since 1970.
    pub created: i64,
    /// The file; an image that has a parent may do without a layer of its own.
    pub content: Vec<u8>,
}

impl Made {
    /// A small image without a parent, whose layer no other has.
    pub fn new(tags: &[&str], created: i64) -> Self {
        Self {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            parent: None,
            created,
            content: format!("{tags:?} {created}").into_bytes(),
        }
    }

    /// The same on another one, without a layer of its own.
    pub fn on(parent: usize, tags: &[&str], created: i64) -> Self {
        Self {
            parent: Some(parent),
            content: Vec::new(),
            ..Self::new(tags, created)
        }
    }

    /// The same with this file.
    pub fn with(self, content: impl Into<Vec<u8>>) -> Self {
        Self {
            content: content.into(),
            ..self
        }
    }
}

/// A program for an image that is to run: `/busybox sleep 1000`.
pub fn busybox() -> Vec<u8> {
    std::fs::read("/bin/busybox").expect("package busybox-static")
}

/// The archive, and the images' ids.
pub fn archive(images: &[Made]) -> (Vec<u8>, Vec<String>) {
    let mut built: Vec<Built> = Vec::new();
    let mut tar = Vec::new();
    for (place, image) in images.iter().enumerate() {
        let mut next = image
            .parent
            .map_or_else(Built::default, |parent| built[parent].clone());
        next.add(place, image, &mut tar);
        next.parent = image.parent.map(|parent| built[parent].id.clone());
        next.finish(&mut tar);
        built.push(next);
    }
    let manifest: Vec<Value> = images.iter().zip(&built).map(manifest_item).collect();
    file(
        &mut tar,
        "manifest.json",
        json!(manifest).to_string().as_bytes(),
    );
    tar.resize(tar.len() + 1024, 0);
    (tar, built.into_iter().map(|image| image.id).collect())
}

#[derive(Clone, Default)]
struct Built {
    id: String,
    parent: Option<String>,
    created: String,
    history: Vec<Value>,
    layers: Vec<String>,
    sums: Vec<String>,
}

impl Built {
    fn add(&mut self, place: usize, image: &Made, tar: &mut Vec<u8>) {
        self.created = Timestamp::from_seconds(image.created).to_string();
        self.history.push(json!({
            "created": self.created, "created_by": format!("image {place}"),
            "empty_layer": image.content.is_empty(),
        }));
        if !image.content.is_empty() {
            let mut layer = Vec::new();
            file(&mut layer, "busybox", &image.content);
            layer.resize(layer.len() + 1024, 0);
            let name = format!("layer{place}.tar");
            file(tar, &name, &layer);
            self.layers.push(name);
            self.sums.push(format!("sha256:{}", hex(&layer)));
        }
    }

    fn finish(&mut self, tar: &mut Vec<u8>) {
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": self.created, "config": {},
            "history": self.history, "rootfs": { "type": "layers", "diff_ids": self.sums },
        });
        let config = config.to_string();
        self.id = format!("sha256:{}", hex(config.as_bytes()));
        file(tar, &self.config(), config.as_bytes());
    }

    fn config(&self) -> String {
        format!("{}.json", &self.id["sha256:".len()..])
    }
}

fn manifest_item((image, built): (&Made, &Built)) -> Value {
    json!({ "Config": built.config(), "RepoTags": image.tags, "Layers": built.layers, "Parent": built.parent })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// Appends a file as ustar has it.
fn file(tar: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut header = [0; 512];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000755\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        0");
    put(257, "ustar\u{0}00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}
