//! What the README's commands speak of: images in registries, files to send, the address of the machine.

use crate::Droplet;
use crate::support::agent::{KEY, TOKEN};

/// Files to send, a directory to build, an address that the client is given. `curl` fails here when the answer is an
/// error, and what would go on for ever is ended after three seconds: those are the only two things that are changed.
const FILES: &str = r#"
mkdir -p /root/readme/bin /root/readme/app /root/readme/release /tmp/context /root/.config/node-agent
cd /root/readme
cat > bin/curl <<'END'
#!/bin/sh
case "$*" in
    *follow=true*) timeout 3 /usr/bin/curl --silent --fail-with-body "$@"; [ $? = 124 ] ;;
    *) exec /usr/bin/curl --silent --show-error --fail-with-body "$@" ;;
esac
END
cat > bin/node-agent <<'END'
#!/bin/sh
case "$*" in
    "logs -f"*) timeout 3 /usr/local/bin/node-agent "$@"; [ $? = 124 ] ;;
    *) exec /usr/local/bin/node-agent "$@" ;;
esac
END
chmod +x bin/*
head -c 9000000 /dev/urandom > app/data
echo released > release/file
head -c 2000 /dev/urandom > app.bin
echo '{}' > config.json
printf 'FROM busybox\nARG NODE_ENV\nRUN echo "$NODE_ENV" > /made\n' | tee Dockerfile > /tmp/context/Dockerfile
(umask 077; cp /etc/node-agent/api-key /root/.config/node-agent/key)
ip address add 10.0.0.5/32 dev lo
"#;

/// Two registries: one with everything that the Docker Hub is asked for, which the engine takes for its mirror, and
/// registry.example.com, with a certificate and a login.
const REGISTRIES: &str = r#"
cd /root/readme
mkdir -p root/bin /etc/docker/certs.d/registry.example.com
cp /bin/busybox root/bin
for name in $(busybox --list); do [ $name = busybox ] || ln -s busybox root/bin/$name; done
printf '#!/bin/sh\nexit 0\n' > root/bin/nginx
chmod +x root/bin/nginx
serves='CMD ["sh", "-c", "trap exit TERM; echo serves; while :; do sleep 0.1; done"]'
tar -C root -c . | docker import --change "$serves" - readme
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=registry.example.com \
    -addext subjectAltName=DNS:registry.example.com -keyout registry.key -out registry.crt 2>/dev/null
cp registry.crt /etc/docker/certs.d/registry.example.com/ca.crt
echo '127.0.0.1 registry.example.com' >> /etc/hosts
storage='storage: {filesystem: {rootdirectory: /root/readme/registry}}'
printf 'version: 0.1\n%s\nhttp: {addr: "127.0.0.1:5001"}\n' "$storage" > hub.yml
printf 'version: 0.1\n%s\nhttp: {addr: "127.0.0.1:443", tls: {certificate: %s, key: %s}}\nauth: {htpasswd: {realm: test, path: %s}}\n' \
    "$storage" /root/readme/registry.crt /root/readme/registry.key /root/readme/htpasswd > private.yml
systemd-run --unit=readme-hub docker-registry serve /root/readme/hub.yml
systemd-run --unit=readme-private docker-registry serve /root/readme/private.yml
until /usr/bin/curl --silent 127.0.0.1:5001 && /usr/bin/curl --silent --insecure https://127.0.0.1:443; do sleep 0.1; done
for name in library/nginx:latest library/nginx:1.28 library/busybox:latest team/app:1.1; do
    docker tag readme 127.0.0.1:5001/$name
    docker push --quiet 127.0.0.1:5001/$name
    docker rmi 127.0.0.1:5001/$name
done
cp /etc/docker/daemon.json daemon.json
echo '{"storage-driver": "vfs", "registry-mirrors": ["http://127.0.0.1:5001"]}' > /etc/docker/daemon.json
systemctl restart docker
"#;

/// All of that is gone, and whatever the commands made.
const TIDY: &str = r"
cd /root/readme
docker rm --force --volumes web
docker network rm app-network
docker volume rm web-data
docker rmi --force $(docker images --quiet nginx) busybox myapp:1.0 registry.example.com/team/app:1.1 readme
systemctl stop readme-hub readme-private
cp daemon.json /etc/docker/daemon.json
sed '/registry.example.com/d' /etc/hosts > hosts && cat hosts > /etc/hosts
ip address del 10.0.0.5/32 dev lo
ufw delete allow proto tcp from 10.0.0.0/8 to any port 8080
rm -rf /root/readme /root/.config/node-agent /tmp/context /local/* /etc/docker/certs.d /root/.docker
rm -rf /var/lib/node-agent/cron /etc/cron.d/node-agent
systemctl restart docker
";

/// The droplet with all that.
pub struct World<'d>(&'d Droplet);

impl<'d> World<'d> {
    pub fn made(droplet: &'d Droplet) -> Self {
        let world = Self(droplet);
        droplet.shell(FILES);
        droplet.write("/root/readme/token-file", TOKEN.as_bytes());
        // bcrypt of "pass".
        let login = std::process::Command::new("htpasswd")
            .args(["-Bbn", "user", "pass"])
            .output()
            .unwrap();
        droplet.write("/root/readme/htpasswd", &login.stdout);
        droplet.shell(REGISTRIES);
        droplet.wait_until_ok();
        world
    }

    /// What the README says in words before the block that begins so.
    pub fn prepare(&self, first: &str) {
        let script = match first {
            // The client makes it again.
            line if line.starts_with("export NODE_AGENT_HOST") => "docker network rm app-network",
            // It was removed just before.
            line if line.starts_with("node-agent cron-run") => {
                "node-agent --key-file /etc/node-agent/api-key cron add '0 2 * * *' busybox true"
            }
            _ => return,
        };
        self.0.shell(script);
    }

    /// A block with the id of the job that there is, in the place of the one that the README shows.
    pub fn with_job(&self, block: &str) -> String {
        const SHOWN: &str = "cron_1f0c6a9e72b4";
        if !block.contains(SHOWN) {
            return block.to_owned();
        }
        let jobs = self.0.get("/cron/jobs").expect(200).json();
        block.replace(SHOWN, jobs["jobs"][0]["id"].as_str().unwrap())
    }

    /// Runs a block, where the files are; every command has to succeed.
    #[track_caller]
    pub fn run(&self, line: usize, block: &str) {
        let script =
            format!("cd /root/readme\nPATH=/root/readme/bin:$PATH\nDO_TOKEN={TOKEN}\n{block}");
        let output = self.0.run(&["sh", "-exc", &script]);
        let (said, trace) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        // A stream that breaks off has 200, and says so in its last line.
        assert!(
            output.status.success() && !said.contains(r#"{"error":"#),
            "README.md:{line}: {}\n{said}\n{}",
            output.status,
            trace.replace(KEY, "KEY")
        );
    }
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        // No assertions: the test may have failed already.
        self.0.run(&["sh", "-c", TIDY]);
    }
}
