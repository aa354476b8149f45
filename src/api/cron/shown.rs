//! A job's container as the `docker run` line that does the same: for people, and quoted so that a shell would take it.
//! The environment is shown without its values, which may be secrets: `-e NAME`, as one would write it to hand a
//! variable on.
#![forbid(unsafe_code)]

use serde_json::Value;

use crate::api::containers::spec::{CreatePlan, PullPolicy};

/// The line for `plan`, whose image was asked for as `image`.
pub(super) fn docker_run(image: &str, plan: &CreatePlan) -> String {
    let mut words = vec!["docker".to_owned(), "run".to_owned(), "--rm".to_owned()];
    let mut add = |flag: &str, value: &str| words.extend([flag.to_owned(), value.to_owned()]);
    match plan.pull {
        PullPolicy::Missing => {}
        PullPolicy::Always => add("--pull", "always"),
        PullPolicy::Never => add("--pull", "never"),
    }
    let create = &plan.create;
    for variable in texts(&create["Env"]) {
        add("-e", variable.split('=').next().unwrap_or_default());
    }
    for volume in texts(&create["HostConfig"]["Binds"]) {
        add("-v", volume);
    }
    for path in create["Volumes"].as_object().into_iter().flatten() {
        add("-v", path.0);
    }
    let first = create["HostConfig"]["NetworkMode"].as_str();
    for network in first
        .into_iter()
        .chain(plan.further_networks.iter().map(String::as_str))
    {
        add("--network", network);
    }
    words.push(image.to_owned());
    words.extend(texts(&create["Cmd"]).map(str::to_owned));
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The word as a POSIX shell takes it.
fn quote(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use std::time::Duration;

    use super::*;
    use crate::api::containers::spec::{JobBody, translate};
    use crate::host::tool::Tool;

    fn shown(body: Value) -> String {
        let body: JobBody = serde_json::from_value(body).unwrap();
        let image = body.image.clone();
        docker_run(&image, &translate(&body.container()).unwrap())
    }

    #[test]
    fn the_examples_of_the_reference() {
        let short = json!({"schedule": "", "image": "myapp", "command": ["/cleanup.sh"]});
        assert_eq!(shown(short), "docker run --rm myapp /cleanup.sh");
        let long = json!({
            "schedule": "", "image": "myapp:latest", "command": ["/bin/sh", "-c", "cleanup.sh"],
            "environment": ["DEBUG=1"], "volumes": ["/local/data:/data"], "networks": ["app-network"]
        });
        assert_eq!(
            shown(long),
            "docker run --rm -e DEBUG -v /local/data:/data --network app-network myapp:latest /bin/sh -c cleanup.sh"
        );
    }

    #[test]
    fn a_shell_would_take_it_and_no_value_is_shown() {
        let body = json!({
            "schedule": "", "image": "a", "command": "echo 'it''s' $(date) && :; \n\"x\"", "pull": "always",
            "environment": {"TOKEN": "secret", "E": null}, "volumes": ["/a b:/c", "/v"], "networks": ["a", "b"]
        });
        let line = shown(body);
        assert!(!line.contains("secret"));
        assert!(line.starts_with(
            "docker run --rm --pull always -e E -e TOKEN -v '/a b:/c' -v /v --network a --network b a sh -c '"
        ), "{line}");
        // A shell takes it apart into the same words.
        let script = format!("set -- {line}; printf '%s|' \"$@\"");
        let shell = Tool {
            name: "sh",
            package: "dash",
        };
        let finished = shell
            .run(&["-c", &script], Duration::from_secs(10))
            .unwrap();
        let words = "docker|run|--rm|--pull|always|-e|E|-e|TOKEN|-v|/a b:/c|-v|/v|--network|a|--network|b|a|sh|-c|";
        let command = "echo 'it''s' $(date) && :; \n\"x\"";
        assert_eq!(finished.output.stdout.text(), format!("{words}{command}|"));
    }
}
