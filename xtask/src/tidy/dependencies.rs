//! What must not be in the dependency tree, and what must not be in the manifest.
use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::workspace::{self, Metadata};

/// Crates that compile C or link to it. Cargo.lock may list them, because features that nobody turned on could bring them:
/// so the tree that is really built is what counts.
pub(crate) const NEEDS_C: &[&str] = &[
    "aws-lc-rs",
    "aws-lc-sys",
    "bindgen",
    "cc",
    "cmake",
    "openssl-sys",
    "pkg-config",
    "ring",
];

/// Tells which dependencies would need a C compiler, and which are declared for nobody.
pub(crate) fn check(root: &Path, metadata: &Metadata) -> Result<Vec<String>> {
    let tree = workspace::cargo([
        "tree",
        "--workspace",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--target",
        "all",
        "--locked",
    ])?;
    // A gate in front of nothing would always be open.
    if !tree.contains("countersign-pki ") {
        bail!("cargo tree doesn't show our own packages: {tree:?}");
    }
    let mut violations = c_code(&tree);
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    violations.extend(unused(&manifest, metadata)?);
    Ok(violations)
}

/// `tree` has one package a line, starting with its name.
fn c_code(tree: &str) -> Vec<String> {
    let names: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    NEEDS_C
        .iter()
        .filter(|name| names.contains(*name))
        .map(|name| format!("Cargo.toml: {name} would need a C compiler; who brings it: cargo tree --workspace -e normal,build -i {name}"))
        .collect()
}

fn unused(manifest: &str, metadata: &Metadata) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let declared = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(toml::Value::as_table)
        .context("the root manifest has no [workspace.dependencies]")?;
    let used: BTreeSet<&str> = metadata
        .packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .map(|dependency| {
            dependency
                .rename
                .as_ref()
                .unwrap_or(&dependency.name)
                .as_str()
        })
        .collect();
    Ok(declared
        .keys()
        .filter(|name| !used.contains(name.as_str()))
        .map(|name| format!("Cargo.toml: no member uses the workspace dependency {name}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_with_c_in_it_is_told_by_its_exact_name() {
        assert!(c_code("cc-like v1.0.0\nring-buffer v1.0.0 (*)\nrustls v0.23.0\n").is_empty());
        assert_eq!(
            c_code("rustls v0.23.0\nring v0.17.0 (*)\nring v0.17.0\n").len(),
            1
        );
    }

    #[test]
    fn a_workspace_dependency_is_used_by_somebody() {
        let metadata: Metadata = serde_json::from_value(serde_json::json!({"packages": [{
            "name": "a", "manifest_path": "a/Cargo.toml", "targets": [],
            "dependencies": [
                {"name": "rustls-webpki", "rename": "webpki", "kind": "dev", "path": null},
                {"name": "serde", "rename": null, "kind": null, "path": null},
            ],
        }]}))
        .unwrap();
        let manifest = "[workspace.dependencies]\nserde = '1'\nwebpki = { package = 'rustls-webpki', version = '1' }\n";
        assert!(unused(manifest, &metadata).unwrap().is_empty());
        assert_eq!(
            unused(&format!("{manifest}left-pad = '1'\n"), &metadata)
                .unwrap()
                .len(),
            1
        );
    }
}
