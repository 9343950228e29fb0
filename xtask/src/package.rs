//! That the crates can be published: each package has what its users need, nothing else, and compiles from what was packed.
use std::{ffi::OsStr, fmt::Write as _, fs, process::Command};

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::{self, Metadata, Package};

/// What every package has.
const REQUIRED: &[&str] = &["Cargo.toml", "README.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// What a package may have besides: what cargo adds, sources, and what sources include.
const ALLOWED: &[&str] = &[
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml.orig",
    "examples/",
    "hierarchy.toml",
    "profiles/",
    "src/",
    "tests/data/", // what examples and tests in `src` read
];

pub(crate) fn run() -> Result<()> {
    let metadata = Metadata::read()?;
    let mut problems = Vec::new();
    let mut command = ["package", "--no-verify", "--workspace"].to_vec();
    command.extend(["--allow-dirty", "--locked", "--target-dir", PACKED]);
    let mut published = Vec::new();
    for package in &metadata.packages {
        if !package.is_published() {
            command.extend(["--exclude", &package.name]);
            continue;
        }
        let list = ["package", "--list", "--allow-dirty", "--locked", "-p"];
        let files = workspace::cargo(list.into_iter().chain([package.name.as_str()]))?;
        problems.extend(check(package, &files));
        published.push(package);
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("not fit to be published");
    }
    workspace::cargo(command)?;
    check_packed(&published)?;
    println!("every package is complete, and compiles");
    Ok(())
}

const PACKED: &str = "target/packages";

/// Compiles each package from what was packed, alone: with the features that it asks for, and none that a neighbour asks for.
/// (`cargo package` would verify each by a build of its own. This one shares the checked dependencies of the workspace, for
/// which it has the same profiles.)
fn check_packed(packages: &[&Package]) -> Result<()> {
    let root = workspace::root()?;
    let packed = root.join(PACKED);
    let unpacked = packed.join("unpacked");
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked)?;
    }
    fs::create_dir_all(&unpacked)?;

    let mut members = String::new();
    let mut patches = String::new();
    for Package { name, version, .. } in packages {
        let folder = format!("{name}-{version}");
        let archive = packed.join(format!("package/{folder}.crate"));
        let tar = Command::new("tar")
            .arg("-xzf")
            .arg(&archive)
            .current_dir(&unpacked)
            .status()?;
        ensure!(tar.success(), "{} can't be unpacked", archive.display());
        writeln!(members, "    {folder:?},")?;
        writeln!(patches, "{name} = {{ path = {folder:?} }}")?;
    }
    let workspace = fs::read_to_string(root.join("Cargo.toml"))?;
    let profiles = workspace
        .find("\n[profile.dev]")
        .map_or("", |start| &workspace[start..]);
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\n{members}]\n\n[patch.crates-io]\n{patches}{profiles}"
    );
    fs::write(unpacked.join("Cargo.toml"), manifest)?;
    fs::copy(root.join("Cargo.lock"), unpacked.join("Cargo.lock"))?;

    let (manifest, target) = (unpacked.join("Cargo.toml"), workspace::target()?);
    for package in packages {
        let check = ["check", "--quiet", "--package", &package.name];
        let folders = [
            OsStr::new("--target-dir"),
            target.as_os_str(),
            OsStr::new("--manifest-path"),
            manifest.as_os_str(),
        ];
        workspace::cargo(check.iter().map(OsStr::new).chain(folders))
            .with_context(|| format!("{} as it was packed", package.name))?;
    }
    Ok(())
}

/// Tells what is missing and what is too much; `files` has one path a line.
fn check(package: &Package, files: &str) -> Vec<String> {
    let name = &package.name;
    let mut problems: Vec<_> = package
        .missing_metadata()
        .map(|field| format!("{name}: the manifest has no {field}"))
        .collect();
    let is = |file: &str, allowed: &&str| {
        file == *allowed || allowed.ends_with('/') && file.starts_with(allowed)
    };
    for required in REQUIRED {
        if !files.lines().any(|file| file == *required) {
            problems.push(format!("{name}: {required} is not in the package"));
        }
    }
    for file in files.lines() {
        if !REQUIRED
            .iter()
            .chain(ALLOWED)
            .any(|allowed| is(file, allowed))
        {
            problems.push(format!("{name}: {file} doesn't belong into the package"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_what_its_users_need_and_nothing_else() {
        let mut json = serde_json::json!({
            "name": "a", "version": "1.0.0", "manifest_path": "a/Cargo.toml", "dependencies": [], "targets": [],
            "description": "d", "license": "MIT", "documentation": "https://docs.rs/a",
            "keywords": ["k"], "categories": ["c"],
        });
        let problems = |json: &serde_json::Value, files: &str| {
            let package: Package = serde_json::from_value(json.clone()).unwrap();
            check(&package, files)
        };
        let files = "Cargo.toml\nREADME.md\nLICENSE-APACHE\nLICENSE-MIT\nsrc/lib.rs\n";
        assert!(problems(&json, files).is_empty());
        assert_eq!(
            problems(&json, &files.replace("README.md", "tests/all.rs")),
            [
                "a: README.md is not in the package",
                "a: tests/all.rs doesn't belong into the package"
            ]
        );
        json["keywords"] = serde_json::json!([]);
        assert_eq!(problems(&json, files), ["a: the manifest has no keywords"]);
    }
}
