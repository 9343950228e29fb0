//! The workspace as cargo sees it.
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The folder of the root manifest.
pub(crate) fn root() -> Result<PathBuf> {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    parent
        .map(Path::to_owned)
        .context("xtask has no parent folder")
}

/// The folder that cargo builds into.
pub(crate) fn target() -> Result<PathBuf> {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || root().map(|root| root.join("target")),
        |dir| Ok(dir.into()),
    )
}

/// The output of a cargo command that succeeded.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Result<String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output = command.args(arguments).current_dir(root()?).output()?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Builds the program as users do.
pub(crate) fn release() -> Result<PathBuf> {
    executable([
        "build",
        "--release",
        "--locked",
        "--package",
        "countersign-cli",
    ])
}

/// The executable that a cargo command builds.
pub(crate) fn executable<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<PathBuf> {
    let format = ["--message-format", "json-render-diagnostics"];
    cargo(arguments.into_iter().chain(format))?
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .next_back()
        .context("cargo built no program")
}

/// What `cargo metadata --no-deps` says about our own packages.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
    /// Where it may be published: nothing for everywhere, an empty list for nowhere.
    #[serde(default)]
    publish: Option<Vec<String>>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    license: Option<String>,
    #[serde(default)]
    documentation: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) rename: Option<String>,
    /// "dev", "build" or nothing for a normal dependency.
    pub(crate) kind: Option<String>,
    /// Where a dependency inside the workspace lives.
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

impl Metadata {
    pub(crate) fn read() -> Result<Self> {
        let json = cargo(["metadata", "--no-deps", "--format-version", "1", "--locked"])?;
        serde_json::from_str(&json).context("cargo metadata")
    }

    pub(crate) fn package(&self, short_name: &str) -> Result<&Package> {
        let found = self
            .packages
            .iter()
            .find(|package| package.short_name() == short_name);
        found.with_context(|| format!("the workspace has no package {short_name}"))
    }
}

impl Package {
    /// The name without the project's prefix: what its sources and the design call it.
    pub(crate) fn short_name(&self) -> &str {
        short_name(&self.name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }

    pub(crate) fn is_published(&self) -> bool {
        self.publish
            .as_ref()
            .is_none_or(|where_to| !where_to.is_empty())
    }

    /// What the manifest doesn't say, and a registry shows.
    pub(crate) fn missing_metadata(&self) -> impl Iterator<Item = &'static str> {
        let fields = [
            ("description", self.description.is_none()),
            ("license", self.license.is_none()),
            ("documentation", self.documentation.is_none()),
            ("keywords", self.keywords.is_empty()),
            ("categories", self.categories.is_empty()),
        ];
        fields
            .into_iter()
            .filter_map(|(field, missing)| missing.then_some(field))
    }

    /// Every Rust file of the package, in a stable order.
    pub(crate) fn sources(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        rust_files(self.folder(), &mut found)?;
        Ok(found)
    }
}

impl Dependency {
    /// What the manifest calls it.
    pub(crate) fn key(&self) -> &str {
        self.rename.as_ref().unwrap_or(&self.name)
    }
}

/// The name of one of our packages without the project's prefix.
pub(crate) fn short_name(package: &str) -> &str {
    package.strip_prefix("countersign-").unwrap_or(package)
}

/// Adds every Rust file under a folder, in a stable order.
pub(crate) fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            rust_files(&path, found)?;
        } else if path.extension() == Some(OsStr::new("rs")) {
            found.push(path);
        }
    }
    Ok(())
}
