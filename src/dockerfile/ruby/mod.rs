//! Ruby: Rails, Sinatra and Rack applications, and plain programs.
#![forbid(unsafe_code)]

mod gems;

use super::Stack;
use super::error::DetectError;
use super::node::guest::guest;
use super::plan::{Plan, Verdict, copy_existing, debian_packages};
use super::project::Project;
use super::text::Text;
use super::versions::choice::{Choice, pin_file, tool_pin};
use super::versions::defaults::RUBY;
use super::versions::range::Tilde;
use gems::Gems;

/// Libraries that gems are linked with or call, by gem. The full image, which builds, has them all.
const LIBRARIES: &[(&str, &str)] = &[
    ("pg", "libpq5"),
    ("mysql2", "libmariadb3"),
    ("image_processing", "libvips"),
    ("ruby-vips", "libvips"),
];

/// Files that are a program themselves.
const SCRIPTS: &[&str] = &["main.rb", "app.rb", "server.rb", "bot.rb"];

/// What is started.
struct Program {
    command: Text,
    port: u16,
    listens: bool,
    env: &'static str,
    why: String,
}

/// A `Gemfile` and what is started with it.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let Some(gems) = Gems::read(project)? else {
        return Ok(Verdict::No);
    };
    let Some(program) = program(project, &gems)? else {
        return Ok(Verdict::unfinished(
            "Gemfile",
            "Rails, Sinatra, a config.ru or a program (main.rb, app.rb)",
        ));
    };
    plan(project, &gems, program).map(Verdict::Match)
}

fn program(project: &Project, gems: &Gems) -> Result<Option<Program>, DetectError> {
    if gems.has("rails") || (gems.has("railties") && project.has("config/application.rb")?) {
        return Ok(Some(Program {
            command: Text::exec(Text::split(
                "bundle exec rails server --binding 0.0.0.0 --port 3000",
            )),
            port: 3000,
            listens: true,
            env: "ENV RAILS_ENV=production RAILS_LOG_TO_STDOUT=1 RAILS_SERVE_STATIC_FILES=1",
            why: "Gemfile names rails".to_owned(),
        }));
    }
    if project.has("config.ru")? {
        let command = if gems.has("puma") {
            "puma --bind tcp://0.0.0.0:9292 config.ru"
        } else {
            "rackup --host 0.0.0.0 --port 9292 config.ru"
        };
        return Ok(Some(rack(
            Text::split(command),
            "Gemfile with config.ru".to_owned(),
        )));
    }
    let Some(script) = project.first_of(SCRIPTS)? else {
        return Ok(None);
    };
    let ruby = ["ruby", script].map(Text::from).into_iter();
    if gems.has("sinatra") {
        let words = ruby.chain(Text::split("-o 0.0.0.0 -p 9292"));
        return Ok(Some(rack(
            words,
            format!("Gemfile names sinatra, with {script}"),
        )));
    }
    Ok(Some(Program {
        listens: false,
        ..rack(ruby, format!("Gemfile with {script}"))
    }))
}

fn rack(words: impl Iterator<Item = Text>, why: String) -> Program {
    Program {
        command: Text::exec(Text::split("bundle exec").chain(words)),
        port: 9292,
        listens: true,
        env: "ENV RACK_ENV=production APP_ENV=production",
        why,
    }
}

fn plan(project: &Project, gems: &Gems, program: Program) -> Result<Plan, DetectError> {
    let ruby = ruby_version(project, gems)?;
    let locked = project.has("Gemfile.lock")?;
    let rails = program.env.contains("RAILS_ENV");
    let node = guest(project)?;
    let with_node = node.is_some();
    let node = node.unwrap_or_default();
    let dockerfile = Text::fill(
        include_str!("../templates/ruby.Dockerfile"),
        &[
            ("node", node.stage),
            ("node_here", node.bring),
            ("packages", node.packages),
            ("ruby", ruby.version.into()),
            ("frozen", Text::when(locked, "ENV BUNDLE_DEPLOYMENT=1")),
            ("manifests", manifests(project, gems)?),
            ("sources", Text::when(!gems.has_paths(), "COPY . .")),
            ("precompile", precompile(gems, with_node).only_if(rails)),
            ("libraries", libraries(gems)),
            ("env", program.env.into()),
            ("port", program.port.into()),
            (
                "healthcheck",
                healthcheck(program.port).only_if(program.listens),
            ),
            ("command", program.command),
        ],
    );
    let mut reasons = vec![program.why];
    reasons.extend(locked.then(|| "Gemfile.lock".to_owned()));
    reasons.push(ruby.reason("Ruby"));
    reasons.extend(with_node.then_some(node.reason));
    Ok(Plan {
        stack: Stack::Ruby,
        dockerfile,
        reasons,
    })
}

fn libraries(gems: &Gems) -> Text {
    let needed = LIBRARIES.iter().filter(|(gem, _)| gems.has(gem));
    let mut packages: Vec<&str> = needed.map(|(_, library)| *library).collect();
    packages.dedup();
    debian_packages(&packages)
}

fn healthcheck(port: u16) -> Text {
    Text::fill(
        include_str!("../templates/healthcheck.ruby"),
        &[("port", port.into())],
    )
}

fn ruby_version(project: &Project, gems: &Gems) -> Result<Choice, DetectError> {
    if let Some(choice) = pin_file(project, ".ruby-version", "ruby-", &RUBY)? {
        return Ok(choice);
    }
    if let Some(choice) = tool_pin(project, &["ruby"], &RUBY)? {
        return Ok(choice);
    }
    let named = [
        (gems.ruby(), "Gemfile"),
        (gems.locked_ruby(), "Gemfile.lock"),
    ];
    let choice = named
        .into_iter()
        .find_map(|(version, file)| Choice::of(version?, file, Tilde::Patch, &RUBY));
    Ok(choice.unwrap_or_else(|| Choice::default(&RUBY)))
}

fn manifests(project: &Project, gems: &Gems) -> Result<Text, DetectError> {
    if gems.has_paths() {
        return Ok("# Gems of the project itself need the sources, so these come before the gems.\nCOPY . .".into());
    }
    copy_existing(
        project,
        &["Gemfile", "Gemfile.lock", ".ruby-version", ".tool-versions"],
    )
}

/// Precompiles assets where there is a pipeline. The key is needed to load the application, and signs nothing here.
fn precompile(gems: &Gems, with_node: bool) -> Text {
    if !gems.has_assets() {
        return Text::default();
    }
    let dummy = gems.rails_at_least(7, 1);
    Text::words([
        "RUN".into(),
        if dummy {
            "SECRET_KEY_BASE_DUMMY=1"
        } else {
            "SECRET_KEY_BASE=precompile"
        }
        .into(),
        "RAILS_ENV=production bundle exec rails assets:precompile".into(),
        if with_node {
            "&& rm -rf node_modules"
        } else {
            ""
        }
        .into(),
    ])
}
