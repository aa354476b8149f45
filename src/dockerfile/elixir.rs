//! Elixir: releases of Phoenix and other applications.
#![forbid(unsafe_code)]

use super::Stack;
use super::error::DetectError;
use super::node::guest::guest_in_assets;
use super::plan::{Plan, Verdict, bash_healthcheck, copy_existing};
use super::project::Project;
use super::read::source::{Syntax, assigned, without_comments, words};
use super::text::Text;
use super::token::Token;
use super::versions::choice::{Choice, tool_pin};
use super::versions::defaults::ELIXIR;
use super::versions::range::Tilde;

/// Applications that listen.
const LISTENING: &[&str] = &[":phoenix", ":bandit", ":plug_cowboy"];

const PORT: u16 = 4000;

/// `mix.exs` with an application or a release in it.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let Some(mix) = project.text("mix.exs")? else {
        return Ok(Verdict::No);
    };
    let mix = without_comments(&mix, Syntax::Hash);
    match release(&mix) {
        Some(release) => plan(project, &mix, &release).map(Verdict::Match),
        None => Ok(Verdict::unfinished(
            "mix.exs",
            "the name of an application or, in an umbrella, of a release",
        )),
    }
}

/// The first of `releases: [name: [`, else `app: :name`.
fn release(mix: &str) -> Option<Token> {
    let named = words(mix, "releases").find_map(|after| {
        let list = after.strip_prefix(':')?.trim_start().strip_prefix('[')?;
        Token::name(list.split(':').next()?.trim())
    });
    named.or_else(|| {
        words(mix, "app").find_map(|after| {
            let name = after.strip_prefix(':')?.trim_start().strip_prefix(':')?;
            let end = name
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(name.len());
            Token::name(&name[..end])
        })
    })
}

fn plan(project: &Project, mix: &str, release: &Token) -> Result<Plan, DetectError> {
    let elixir = version(project, mix)?;
    let phoenix = mix.contains(":phoenix");
    let listens = LISTENING.iter().any(|name| mix.contains(name));
    let node = guest_in_assets(project)?;
    let also = if phoenix { " and phoenix" } else { "" };
    let mut reasons = vec![format!("mix.exs names {}{also}", release.as_str())];
    reasons.push(elixir.reason("Elixir"));
    reasons.extend(node.as_ref().map(|node| node.reason.clone()));
    let node = node.unwrap_or_default();
    Ok(Plan {
        stack: Stack::Elixir,
        dockerfile: Text::fill(
            include_str!("templates/elixir.Dockerfile"),
            &[
                ("node", node.stage),
                ("node_here", node.bring),
                ("packages", node.packages),
                ("elixir", elixir.version.into()),
                ("manifests", manifests(project, mix)?),
                ("sources", Text::when(!is_umbrella(mix), "COPY . .")),
                (
                    "assets",
                    Text::when(mix.contains("assets.deploy"), "RUN mix assets.deploy"),
                ),
                ("server", Text::when(phoenix, "ENV PHX_SERVER=true")),
                ("release", release.into()),
                ("port", PORT.into()),
                ("healthcheck", bash_healthcheck(PORT).only_if(listens)),
            ],
        ),
        reasons,
    })
}

fn version(project: &Project, mix: &str) -> Result<Choice, DetectError> {
    if let Some(choice) = tool_pin(project, &["elixir"], &ELIXIR)? {
        return Ok(choice);
    }
    let required = assigned(mix, "elixir")
        .and_then(|range| Choice::of(range, "mix.exs", Tilde::Patch, &ELIXIR));
    Ok(required.unwrap_or_else(|| Choice::default(&ELIXIR)))
}

fn is_umbrella(mix: &str) -> bool {
    mix.contains("apps_path:")
}

/// What fetching and compiling dependencies reads; an umbrella's are named in its applications.
fn manifests(project: &Project, mix: &str) -> Result<Text, DetectError> {
    if is_umbrella(mix) {
        return Ok("# The applications of the umbrella name the dependencies.\nCOPY . .\nRUN mix deps.get --only prod\nRUN mix deps.compile".into());
    }
    let files = project.existing(&["config/config.exs", "config/prod.exs"])?;
    let config = if files.is_empty() {
        Text::default()
    } else {
        let names = files.into_iter().map(Text::from);
        Text::words(
            ["COPY".into()]
                .into_iter()
                .chain(names)
                .chain(["./config/".into()]),
        )
    };
    Ok(Text::lines([
        copy_existing(project, &["mix.exs", "mix.lock"])?,
        "RUN mix deps.get --only prod".into(),
        config,
        "RUN mix deps.compile".into(),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_come_before_applications() {
        let name = |mix| release(mix).map(|token| token.as_str().to_owned());
        assert_eq!(
            name("app: :my_shop,\n elixir: \"~> 1.15\"").as_deref(),
            Some("my_shop")
        );
        assert_eq!(
            name("apps_path: \"apps\", releases: [\n  web: [applications: []]]").as_deref(),
            Some("web")
        );
        assert_eq!(name("app: @app"), None);
        assert_eq!(name("apps_path: \"apps\""), None);
        assert_eq!(name("releases: [ $(id): [] ]"), None);
    }
}
