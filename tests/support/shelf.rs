//! A registry with an image of our own in it that the engine does not have.

use super::docker::{self, Docker};
use super::registry::Registry;

/// The registry and the image, `team/app:1`. What a test makes the engine pull from it is removed in the end.
pub struct Shelf {
    pub registry: Registry,
    pub docker: Docker,
    /// The image's id.
    pub id: String,
    /// What `docker push` said its digest is.
    pub digest: String,
    /// A directory for the docker CLI in which somebody has logged in.
    pub login: String,
}

impl Shelf {
    /// With an image that has so many bytes that no compression makes less.
    pub fn with_random(bytes: usize) -> Self {
        let registry = Registry::start();
        let docker = Docker::with_random(bytes);
        let mut shelf = Self {
            id: docker::run(&["inspect", "--format", "{{.Id}}", &docker.image()]).unwrap(),
            login: registry.logged_in(),
            registry,
            docker,
            digest: String::new(),
        };
        shelf.digest = shelf.push("team/app:1");
        docker::run(&["rmi", &shelf.docker.image()]).unwrap();
        shelf
    }

    /// The same with a small one.
    pub fn new() -> Self {
        Self::with_random(0)
    }

    /// The image's name.
    pub fn image(&self) -> String {
        self.registry.reference("team/app:1")
    }

    /// Pushes our image under another name too, while the engine has it; its digest.
    pub fn push(&self, name: &str) -> String {
        let reference = self.registry.reference(name);
        docker::run(&["tag", &self.id, &reference]).unwrap();
        let said = docker::run(&["--config", &self.login, "push", &reference]).unwrap();
        docker::run(&["rmi", &reference]).unwrap();
        let (_, rest) = said.split_once("digest: ").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// The names that the engine has of the repository, with tags or digests.
    pub fn pulled(&self, repository: &str) -> Vec<String> {
        let repository = self.registry.reference(repository);
        let format = "{{.Repository}}:{{.Tag}}@{{.Digest}}";
        let listed = docker::run(&["images", "--digests", "--format", format, &repository]);
        let mut names: Vec<_> = listed.unwrap().lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// Whether the engine has the image, under whatever name.
    pub fn is_here(&self) -> bool {
        docker::run(&["inspect", &self.id]).is_ok()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = docker::run(&["rmi", "-f", &self.id]);
    }
}
