//! PHP: Laravel, Symfony, what composer installs, and plain pages, behind Apache in the same image.
#![forbid(unsafe_code)]

mod extensions;

use super::Stack;
use super::error::DetectError;
use super::node::build::Assets;
use super::plan::{Plan, Verdict, copy_existing};
use super::project::{Project, below};
use super::read::json::Json;
use super::text::Text;
use super::versions::choice::{Choice, pin_file, tool_pin};
use super::versions::defaults::PHP;
use super::versions::range::Tilde;

/// Directories that hold the front controller, the root last.
const DOCUMENT_ROOTS: &[&str] = &["public", "web", "webroot", "htdocs", "www"];

/// What composer says.
struct Composer {
    requires: Vec<String>,
    php: Option<String>,
}

/// An `index.php`, or Laravel's `artisan`.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let composer = project
        .json("composer.json", false)?
        .map(|json| Composer::new(&json));
    let laravel = project.has("artisan")?;
    let Some(root) = document_root(project, laravel)? else {
        return Ok(if composer.is_some() {
            Verdict::unfinished("composer.json", "an index.php in the project or in public/")
        } else {
            Verdict::No
        });
    };
    plan(project, composer.as_ref(), root, laravel).map(Verdict::Match)
}

impl Composer {
    fn new(json: &Json) -> Self {
        Self {
            requires: json
                .get("require")
                .map(|require| require.keys())
                .unwrap_or_default(),
            php: json
                .string_at(&["config", "platform", "php"])
                .or_else(|| json.string_at(&["require", "php"])),
        }
    }
}

fn document_root(project: &Project, laravel: bool) -> Result<Option<&'static str>, DetectError> {
    for directory in DOCUMENT_ROOTS {
        if project.has(&format!("{directory}/index.php"))? {
            return Ok(Some(directory));
        }
    }
    if project.has("index.php")? {
        return Ok(Some(""));
    }
    Ok(laravel.then_some("public"))
}

fn plan(
    project: &Project,
    composer: Option<&Composer>,
    root: &'static str,
    laravel: bool,
) -> Result<Plan, DetectError> {
    let php = php_version(project, composer)?;
    let requires = composer
        .map(|composer| composer.requires.as_slice())
        .unwrap_or_default();
    let (vendor, from_vendor, sources) = if composer.is_some() {
        let copy = "COPY --from=vendor --chown=33:33 /app ./";
        (vendor_stage(project)?, "COPY --from=vendor /app ./", copy)
    } else {
        (Text::default(), "COPY . .", "COPY --chown=33:33 . .")
    };
    let assets = Assets::of(project, from_vendor)?;
    let writable = Text::when(laravel, include_str!("../templates/php-laravel"));
    let dockerfile = Text::fill(
        include_str!("../templates/php.Dockerfile"),
        &[
            ("vendor", vendor),
            (
                "sources",
                assets.or("COPY --from=assets --chown=33:33 /app ./", sources),
            ),
            ("assets", assets.stage),
            ("php", php.version.into()),
            (
                "extensions",
                extensions::lines(requires, laravel, php.version),
            ),
            ("root", document_root_line(root)),
            ("env", environment(laravel, requires)),
            ("writable", writable),
        ],
    );
    let mut reasons = vec![why(laravel, composer.is_some(), root), php.reason("PHP")];
    reasons.extend(assets.reason);
    Ok(Plan {
        stack: Stack::Php,
        dockerfile,
        reasons,
    })
}

fn why(laravel: bool, composer: bool, root: &str) -> String {
    let page = below(root, "index.php");
    match (laravel, composer) {
        (true, _) => "artisan (Laravel)".to_owned(),
        (false, true) => format!("composer.json with {page}"),
        (false, false) => page,
    }
}

fn environment(laravel: bool, requires: &[String]) -> Text {
    let symfony = requires
        .iter()
        .any(|package| package == "symfony/framework-bundle");
    Text::from(match (laravel, symfony) {
        (true, _) => "ENV APP_ENV=production LOG_CHANNEL=stderr",
        (false, true) => "ENV APP_ENV=prod",
        (false, false) => "",
    })
}

/// What `sed` does to the site's configuration, beside the port.
fn document_root_line(root: &'static str) -> Text {
    if root.is_empty() {
        return Text::default();
    }
    Text::fill(
        "; s#/var/www/html#/var/www/html/{{root}}#",
        &[("root", root.into())],
    )
}

fn php_version(project: &Project, composer: Option<&Composer>) -> Result<Choice, DetectError> {
    if let Some(choice) = pin_file(project, ".php-version", "", &PHP)? {
        return Ok(choice);
    }
    if let Some(choice) = tool_pin(project, &["php"], &PHP)? {
        return Ok(choice);
    }
    let required = composer.and_then(|composer| composer.php.as_deref());
    // A patch in composer.json is what is required at least, not what is deployed.
    let choice = required
        .and_then(|range| Choice::of(range, "composer.json", Tilde::Minor, &PHP))
        .map(|choice| Choice {
            version: choice.version.cut(2),
            ..choice
        });
    Ok(choice.unwrap_or_else(|| Choice::default(&PHP)))
}

fn vendor_stage(project: &Project) -> Result<Text, DetectError> {
    Ok(Text::fill(
        include_str!("../templates/php-vendor.Dockerfile"),
        &[(
            "manifests",
            copy_existing(project, &["composer.json", "composer.lock", "symfony.lock"])?,
        )],
    ))
}
