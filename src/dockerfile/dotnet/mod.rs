//! .NET: ASP.NET, workers, console programs and Blazor pages, in C#, F# or Visual Basic.
#![forbid(unsafe_code)]

mod project_file;

use super::Stack;
use super::error::DetectError;
use super::node::site::served;
use super::plan::{Plan, Verdict, bash_healthcheck, copy_existing};
use super::project::Project;
use super::text::Text;
use super::token::Token;
use super::versions::Version;
use super::versions::choice::Choice;
use super::versions::defaults::DOTNET;
use project_file::{ProjectFile, Sdk};

/// Files beside the project files that restoring reads.
const SHARED: &[&str] = &[
    "global.json",
    "Directory.Build.props",
    "Directory.Build.targets",
    "Directory.Packages.props",
    "nuget.config",
    "NuGet.Config",
    "NuGet.config",
];

const PORT: u16 = 8080;

/// A project file of something that runs.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let files = project_file::find(project)?;
    if files.is_empty() {
        return Ok(Verdict::No);
    }
    let Some(main) = files
        .iter()
        .filter(|file| file.sdk != Sdk::Library)
        .min_by_key(|file| file.sdk)
    else {
        return Ok(Verdict::unfinished(
            "a .NET project file",
            "a project that runs (Sdk.Web, Sdk.Worker or OutputType Exe)",
        ));
    };
    plan(project, &files, main).map(Verdict::Match)
}

fn plan(project: &Project, files: &[ProjectFile], main: &ProjectFile) -> Result<Plan, DetectError> {
    let path = Token::path(&main.path)
        .ok_or_else(|| DetectError::unusable(&main.path, "its path", &main.path))?;
    let name = main
        .assembly()
        .ok_or_else(|| DetectError::unusable(&main.path, "AssemblyName", &main.assembly_name))?;
    let runtime = match main.framework {
        Some(version) => Choice {
            version,
            from: Some("TargetFramework"),
        },
        None => shared_framework(project)?.unwrap_or_else(|| Choice::default(&DOTNET)),
    };
    let sdk = pinned_sdk(project)?;
    let stage = Text::fill(
        include_str!("../templates/dotnet-build.Dockerfile"),
        &[
            ("sdk", sdk.map_or(runtime, |sdk| sdk).version.into()),
            ("restore", restore(project, files, &path)?),
            ("project", (&path).into()),
        ],
    );
    let dockerfile = match main.sdk {
        Sdk::Pages => served(
            stage,
            "COPY --from=build /out/wwwroot /usr/share/nginx/html".into(),
            true,
        ),
        _ => run_stage(main.sdk, stage, runtime, &name),
    };
    let mut reasons = vec![format!("{} is {}", path.as_str(), main.sdk.what())];
    reasons.push(runtime.reason(".NET"));
    reasons.extend(sdk.map(|sdk| sdk.reason("SDK")));
    Ok(Plan {
        stack: Stack::Dotnet,
        dockerfile,
        reasons,
    })
}

fn run_stage(sdk: Sdk, stage: Text, runtime: Choice, name: &Token) -> Text {
    let web = sdk == Sdk::Web;
    // From 8 on, 8080 is the image's own setting.
    let older = web && !runtime.version.at_least(8, 0);
    Text::fill(
        include_str!("../templates/dotnet.Dockerfile"),
        &[
            ("build_stage", stage),
            ("image", if web { "aspnet" } else { "runtime" }.into()),
            ("runtime", runtime.version.into()),
            (
                "urls",
                if older {
                    "ENV ASPNETCORE_URLS=http://+:8080"
                } else {
                    ""
                }
                .into(),
            ),
            ("port", PORT.into()),
            ("healthcheck", bash_healthcheck(PORT).only_if(web)),
            ("name", name.into()),
        ],
    )
}

/// The lines that restore packages before the sources are there; project files refer to each other, so all are copied.
fn restore(project: &Project, files: &[ProjectFile], main: &Token) -> Result<Text, DetectError> {
    let paths: Option<Vec<Token>> = files.iter().map(|file| Token::path(&file.path)).collect();
    let Some(paths) = paths else {
        return Ok(Text::default());
    };
    let mut lines = vec![copy_existing(project, SHARED)?];
    for path in &paths {
        let directory = path
            .as_str()
            .rsplit_once('/')
            .and_then(|(directory, _)| Token::path(directory));
        let to = directory.map_or_else(
            || "./".into(),
            |directory| Text::concat(["./".into(), directory.into(), "/".into()]),
        );
        lines.push(Text::words(["COPY".into(), path.into(), to]));
    }
    lines.push(Text::words(["RUN dotnet restore".into(), main.into()]));
    Ok(Text::lines(lines))
}

/// `TargetFramework` of `Directory.Build.props`.
fn shared_framework(project: &Project) -> Result<Option<Choice>, DetectError> {
    let text = project.text("Directory.Build.props")?.unwrap_or_default();
    let version = project_file::framework(&text);
    Ok(version.map(|version| Choice {
        version,
        from: Some("Directory.Build.props"),
    }))
}

/// The SDK of `global.json`. It must be of the same feature band unless `rollForward` says otherwise, and only its own
/// image is sure to be.
fn pinned_sdk(project: &Project) -> Result<Option<Choice>, DetectError> {
    let Some(json) = project.json("global.json", true)? else {
        return Ok(None);
    };
    let roll = json.string_at(&["sdk", "rollForward"]).unwrap_or_default();
    let version = json
        .string_at(&["sdk", "version"])
        .as_deref()
        .and_then(Version::parse);
    let version = version
        .filter(|version| version.parts() >= 2)
        .map(|version| match roll.as_str() {
            "feature" | "minor" | "major" | "latestFeature" | "latestMinor" | "latestMajor" => {
                version.cut(2)
            }
            _ => version,
        });
    Ok(version.map(|version| Choice {
        version,
        from: Some("global.json"),
    }))
}
