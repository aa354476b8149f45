//! An agent that may touch one directory, and repositories to clone into it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::agent::Setup;
use super::file_lab::FileLab;
use super::git_host::GitHost;
use super::http::Response;

/// `root/`, which the agent may touch, and `repositories/`, which a server serves.
pub struct GitLab {
    pub files: FileLab,
    pub host: GitHost,
    place: tempfile::TempDir,
}

impl GitLab {
    /// A fresh one, with a repository `a.git`: branches `main` and `other`, two commits and the tag `v1` at the first.
    pub fn new() -> Self {
        Self::with(|setup| setup)
    }

    /// The same with an agent of its own setup.
    pub fn with(setup: impl FnOnce(Setup) -> Setup) -> Self {
        let place = tempfile::tempdir().unwrap();
        let repositories = place.path().join("repositories");
        std::fs::create_dir(&repositories).unwrap();
        let lab = Self {
            files: started(place.path(), setup),
            host: GitHost::start(&repositories),
            place,
        };
        let work = lab.work("a");
        for number in ["1", "2"] {
            std::fs::write(work.join("file"), number).unwrap();
            git(&work, &["add", "."]);
            git(&work, &["commit", "-qm", number]);
            if number == "1" {
                git(&work, &["tag", "v1"]);
                git(&work, &["branch", "other"]);
            }
        }
        lab.publish("a");
        lab
    }

    /// Where the repositories are.
    pub fn repositories(&self) -> PathBuf {
        self.place.path().join("repositories")
    }

    /// A new repository to be filled, and published as `name`.
    pub fn work(&self, name: &str) -> PathBuf {
        let work = self.place.path().join("work").join(name);
        std::fs::create_dir_all(&work).unwrap();
        git(&work, &["init", "-q", "-b", "main"]);
        work
    }

    /// Puts the repository `name` where it is served, as `name.git`.
    pub fn publish(&self, name: &str) {
        let target = self.repositories().join(format!("{name}.git"));
        let work = self.place.path().join("work").join(name);
        let (work, target) = (work.to_str().unwrap(), target.to_str().unwrap());
        git(self.place.path(), &["clone", "-q", "--bare", work, target]);
        git(
            Path::new(target),
            &["config", "uploadpack.allowFilter", "true"],
        );
    }

    /// A repository `name.git` with `a.git`'s commit as the submodule `sub`, said to be at `url`.
    pub fn with_submodule(&self, name: &str, url: &str) {
        self.with_submodule_at(name, url, "main");
    }

    /// The same with the commit that `at` names there.
    pub fn with_submodule_at(&self, name: &str, url: &str, at: &str) {
        let work = self.work(name);
        let inner = url.rsplit('/').next().unwrap_or_default();
        let inner = inner.trim_end_matches(".git");
        let known = self.repositories().join(format!("{inner}.git")).exists();
        let commit = self.commit(if known { inner } else { "a" }, at);
        let module = format!("[submodule \"sub\"]\n\tpath = sub\n\turl = \"{url}\"\n");
        std::fs::write(work.join(".gitmodules"), module).unwrap();
        git(&work, &["add", ".gitmodules"]);
        let entry = format!("160000,{commit},sub");
        git(&work, &["update-index", "--add", "--cacheinfo", &entry]);
        git(&work, &["commit", "-qm", "with a submodule"]);
        self.publish(name);
    }

    /// The commit that `name` in the repository `repository` has.
    pub fn commit(&self, repository: &str, name: &str) -> String {
        let path = self.repositories().join(format!("{repository}.git"));
        git(&path, &["rev-parse", &format!("{name}^{{commit}}")])
    }

    /// `POST /git/clone` of `url` into `root/<below>`.
    pub fn clone(&self, url: &str, below: &str) -> Response {
        self.clone_with(url, below, json!({}))
    }

    /// The same with `more` in the body.
    pub fn clone_with(&self, url: &str, below: &str, more: Value) -> Response {
        let body = self.body(url, below, more);
        self.files.agent.post("/git/clone", &body)
    }

    /// The body of such a request.
    pub fn body(&self, url: &str, below: &str, more: Value) -> Value {
        let mut body = more;
        body["url"] = json!(url);
        body["target_path"] = json!(self.files.text(&format!("root/{below}")));
        body
    }

    /// Fails unless nothing is in `root/` but `names`, and nothing is noted in the state directory.
    #[track_caller]
    pub fn expect_only(&self, names: &[&str]) {
        assert_eq!(self.files.names("root"), names);
        assert_eq!(self.noted(), 0);
    }

    /// How many staging directories are noted in the state directory.
    pub fn noted(&self) -> usize {
        let state = self.files.names("state");
        let noted = state.iter().filter(|name| name.starts_with("staging-"));
        noted.count()
    }

    /// Kills the agent and starts another one in its place.
    pub fn start_again(&mut self) {
        self.files.agent.signal("KILL");
        self.files.agent.wait();
        self.files = started(self.place.path(), |setup| setup);
    }

    /// The path of something.
    pub fn path(&self, below: &str) -> PathBuf {
        self.place.path().join(below)
    }

    /// The text of a file.
    #[track_caller]
    pub fn text(&self, below: &str) -> String {
        std::fs::read_to_string(self.path(below)).unwrap()
    }
}

fn started(place: &Path, setup: impl FnOnce(Setup) -> Setup) -> FileLab {
    FileLab::at(place, |usual| {
        setup(usual.env("NODE_AGENT_STATE_DIR", place.join("state")))
    })
}

/// Runs git in `directory`; what it prints.
#[track_caller]
pub fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "test")
        .env("GIT_AUTHOR_EMAIL", "test@example.com")
        .env("GIT_COMMITTER_NAME", "test")
        .env("GIT_COMMITTER_EMAIL", "test@example.com")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}
