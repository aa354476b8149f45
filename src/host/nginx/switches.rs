//! The switches that nginx was started with in a container and that change what its configuration is: a test without them
//! would be about another file. They are read from how the container was started, which nobody inside can change, and not
//! from the master's title, which any process there can write.
#![forbid(unsafe_code)]

/// `-c` file, `-p` prefix, `-g` directives; nginx(8).
const SWITCHES: [&str; 3] = ["-c", "-p", "-g"];

/// Those behind the word `nginx` in a command of `path` and `arguments`. None when it is hidden in a script.
pub(super) fn of_start(path: &str, arguments: &[String]) -> Vec<String> {
    let mut words = std::iter::once(path)
        .chain(arguments.iter().map(String::as_str))
        .skip_while(|word| word.rsplit('/').next() != Some("nginx"))
        .skip(1);
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        if SWITCHES.contains(&word) {
            // One without its value would have kept nginx from starting.
            found.extend(
                words
                    .next()
                    .map(|value| [word.to_owned(), value.to_owned()]),
            );
        } else if let Some(switch) = SWITCHES.iter().find(|switch| word.starts_with(**switch)) {
            found.push([(*switch).to_owned(), word[switch.len()..].to_owned()]);
        }
    }
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switches(command: &[&str]) -> Vec<String> {
        let arguments: Vec<_> = command[1..].iter().map(|word| (*word).to_owned()).collect();
        of_start(command[0], &arguments)
    }

    #[test]
    fn what_changes_the_configuration_is_kept() {
        let daemon = ["-g", "daemon off;"];
        assert_eq!(
            switches(&["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"]),
            daemon
        );
        let custom = [
            "/usr/sbin/nginx",
            "-q",
            "-c/etc/custom.conf",
            "-p",
            "/srv",
            "-e",
            "stderr",
        ];
        assert_eq!(switches(&custom), ["-c", "/etc/custom.conf", "-p", "/srv"]);
        assert_eq!(switches(&["nginx", "-c"]), [""; 0]);
    }

    #[test]
    fn what_is_not_nginxs_is_not_taken() {
        assert_eq!(switches(&["sh", "-c", "exec nginx -c /x"]), [""; 0]);
        assert_eq!(
            switches(&["supervisord", "-c", "/etc/supervisord.conf"]),
            [""; 0]
        );
        assert_eq!(switches(&["app", "-p", "80", "nginx.conf"]), [""; 0]);
    }
}
