//! PHP extensions: those that composer requires (`ext-intl`), with the libraries that building them takes.
#![forbid(unsafe_code)]

use super::super::text::Text;
use super::super::versions::Version;

/// An extension that has to be built, and Debian's packages for it.
struct Extension {
    name: &'static str,
    packages: &'static [&'static str],
    /// What `docker-php-ext-configure` is told.
    configure: &'static str,
}

const fn extension(name: &'static str, packages: &'static [&'static str]) -> Extension {
    Extension {
        name,
        packages,
        configure: "",
    }
}

/// Extensions that come with PHP's sources but not with its image. Those that are in the image, or in no list of ours,
/// are not touched.
const KNOWN: &[Extension] = &[
    extension("bcmath", &[]),
    extension("calendar", &[]),
    extension("exif", &[]),
    Extension {
        name: "gd",
        packages: &[
            "libfreetype-dev",
            "libjpeg-dev",
            "libpng-dev",
            "libwebp-dev",
        ],
        configure: "docker-php-ext-configure gd --with-freetype --with-jpeg --with-webp",
    },
    extension("gettext", &[]),
    extension("gmp", &["libgmp-dev"]),
    extension("intl", &["libicu-dev"]),
    extension("mysqli", &[]),
    extension("opcache", &[]),
    extension("pcntl", &[]),
    extension("pdo_mysql", &[]),
    extension("pdo_pgsql", &["libpq-dev"]),
    extension("pgsql", &["libpq-dev"]),
    extension("soap", &["libxml2-dev"]),
    extension("sockets", &[]),
    extension("xsl", &["libxslt1-dev"]),
    extension("zip", &["libzip-dev"]),
];

/// What Laravel's own requirements and its usual databases take.
const LARAVEL: &[&str] = &["bcmath", "pcntl", "pdo_mysql", "pdo_pgsql"];

/// From this version on, opcache is a part of PHP.
const OPCACHE_BUILT_IN: (u32, u32) = (8, 5);

/// The lines that build what is required, and opcache.
pub(super) fn lines(requires: &[String], laravel: bool, php: Version) -> Text {
    let (major, minor) = OPCACHE_BUILT_IN;
    let asks_for = |name: &str| {
        requires
            .iter()
            .any(|package| package.strip_prefix("ext-") == Some(name))
    };
    let wanted = |name: &str| match name {
        "opcache" => !php.at_least(major, minor),
        _ => asks_for(name) || (laravel && LARAVEL.contains(&name)),
    };
    let built: Vec<&Extension> = KNOWN
        .iter()
        .filter(|extension| wanted(extension.name))
        .collect();
    let mut steps = packages(&built);
    steps.extend(built.iter().map(|extension| extension.configure.into()));
    if !built.is_empty() {
        let names = built.iter().map(|extension| Text::from(extension.name));
        steps.push(Text::words(
            Text::split("docker-php-ext-install").chain(names),
        ));
    }
    if asks_for("redis") {
        steps.push("pecl install redis".into());
        steps.push("docker-php-ext-enable redis".into());
    }
    chained(steps)
}

/// The steps that install what building takes.
fn packages(built: &[&Extension]) -> Vec<Text> {
    let mut names: Vec<&'static str> = Vec::new();
    for extension in built {
        names.extend(extension.packages);
    }
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Vec::new();
    }
    let install = Text::split("apt-get install --yes --no-install-recommends");
    vec![
        "apt-get update".into(),
        Text::words(install.chain(names.into_iter().map(Text::from))),
        "rm -rf /var/lib/apt/lists/*".into(),
    ]
}

/// `RUN a \` `&& b`.
fn chained(steps: Vec<Text>) -> Text {
    let mut lines = Text::default();
    for step in steps.into_iter().filter(|step| !step.is_empty()) {
        lines = if lines.is_empty() {
            Text::words(["RUN".into(), step])
        } else {
            Text::concat([lines, " \\\n    && ".into(), step])
        };
    }
    lines
}
