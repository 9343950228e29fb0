//! That the crates can be published: each package has what its users need, nothing else, and builds from what was packed.
use anyhow::{Result, bail};

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
];

/// Nothing of the workspace's own build is used. One folder for all packages, so that each dependency is built once and not eight
/// times, and not optimised, since nothing of it runs.
const BUILD: &[&str] = &[
    "package",
    "--workspace",
    "--allow-dirty",
    "--locked",
    "--target-dir",
    "target/packages",
    "--config",
    "profile.dev.debug=false",
];

pub(crate) fn run() -> Result<()> {
    let metadata = Metadata::read()?;
    let mut problems = Vec::new();
    let mut command = BUILD.to_vec();
    for package in &metadata.packages {
        if !package.is_published() {
            command.extend(["--exclude", &package.name]);
            continue;
        }
        let list = ["package", "--list", "--allow-dirty", "--locked", "-p"];
        let files = workspace::cargo(list.into_iter().chain([package.name.as_str()]))?;
        problems.extend(check(package, &files));
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("not fit to be published");
    }
    workspace::cargo(command)?;
    println!("every package is complete, and builds");
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
            "name": "a", "manifest_path": "a/Cargo.toml", "dependencies": [], "targets": [],
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
            problems(&json, &files.replace("README.md", "tests/data/key.pem")),
            [
                "a: README.md is not in the package",
                "a: tests/data/key.pem doesn't belong into the package"
            ]
        );
        json["keywords"] = serde_json::json!([]);
        assert_eq!(problems(&json, files), ["a: the manifest has no keywords"]);
    }
}
