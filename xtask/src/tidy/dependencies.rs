//! What must not be in the dependency tree, and what must not be in the manifest.
use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, bail};

use proc_macro2::TokenTree;

use super::tokens::{self, after_colons, ident, is_ident, punct};
use crate::workspace::{self, Dependency, Metadata, Package};

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
    violations.extend(declared_for_nobody(&manifest, metadata)?);
    for package in &metadata.packages {
        violations.extend(unused(package)?);
    }
    violations.extend(newer_than_promised(&workspace::cargo([
        "metadata",
        "--format-version",
        "1",
        "--locked",
    ])?)?);
    Ok(violations)
}

/// Tells which packages ask for a newer Rust than our own do. `metadata` is cargo's, with all dependencies.
fn newer_than_promised(metadata: &str) -> Result<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Resolved {
        packages: Vec<Asking>,
    }
    #[derive(serde::Deserialize)]
    struct Asking {
        name: String,
        version: String,
        rust_version: Option<String>,
    }
    let resolved: Resolved = serde_json::from_str(metadata).context("cargo metadata")?;
    let of = |package: &Asking| -> Option<Vec<u32>> {
        let numbers = package.rust_version.as_ref()?.split('.');
        numbers.map(|number| number.parse().ok()).collect()
    };
    let ours = resolved
        .packages
        .iter()
        .find(|package| package.name == "countersign-pki");
    let promised = ours
        .and_then(of)
        .context("countersign-pki has no rust-version")?;
    let newer = resolved
        .packages
        .iter()
        .filter(|package| of(package) > Some(promised.clone()));
    Ok(newer
        .map(|Asking { name, version, .. }| {
            format!("Cargo.lock: {name} {version} asks for a newer Rust than `rust-version` in Cargo.toml promises")
        })
        .collect())
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

fn declared_for_nobody(manifest: &str, metadata: &Metadata) -> Result<Vec<String>> {
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
        .map(Dependency::key)
        .collect();
    Ok(declared
        .keys()
        .filter(|name| !used.contains(name.as_str()))
        .map(|name| format!("Cargo.toml: no member uses the workspace dependency {name}"))
        .collect())
}

/// Tells which dependencies of a package its sources don't name.
fn unused(package: &Package) -> Result<Vec<String>> {
    let mut words = BTreeSet::new();
    for path in package.sources()? {
        crates(&tokens::read(&path)?, &mut words);
    }
    Ok(package
        .dependencies
        .iter()
        .map(Dependency::key)
        .filter(|name| !words.contains(&plain(name)))
        .map(|name| format!("{}: {name} is not used", package.manifest_path.display()))
        .collect())
}

/// Adds what may be the name of a crate: what a path starts with, or `use` brings in whole.
fn crates(tokens: &[TokenTree], words: &mut BTreeSet<String>) {
    for (at, token) in tokens.iter().enumerate() {
        let (before, after) = (
            tokens.get(..at).unwrap_or_default(),
            tokens.get(at + 1..).unwrap_or_default(),
        );
        // `::name` starts a path, `other::name` doesn't.
        let before = match before {
            [rest @ .., a, b] if punct(a) == Some(':') && punct(b) == Some(':') => {
                if rest
                    .last()
                    .and_then(ident)
                    .is_some_and(|word| word != "use")
                {
                    continue;
                }
                rest
            }
            all => all,
        };
        let is_used = before.last().is_some_and(|word| is_ident(word, "use"));
        match token {
            TokenTree::Group(group) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                if is_used {
                    let parts = inner.split(|token| punct(token) == Some(','));
                    words.extend(parts.filter_map(|part| Some(plain(&ident(part.first()?)?))));
                }
                crates(&inner, words);
            }
            _ if is_used || after_colons(after).is_some() => {
                words.extend(ident(token).map(|word| plain(&word)));
            }
            _ => {}
        }
    }
}

/// A name as packages and crates agree on it: `md-5` is `md5` in the sources.
fn plain(name: &str) -> String {
    name.replace(['-', '_'], "")
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
            "name": "a", "version": "1.0.0", "manifest_path": "a/Cargo.toml", "targets": [],
            "dependencies": [
                {"name": "rustls-webpki", "rename": "webpki", "kind": "dev", "path": null},
                {"name": "serde", "rename": null, "kind": null, "path": null},
            ],
        }]}))
        .unwrap();
        let manifest = "[workspace.dependencies]\nserde = '1'\nwebpki = { package = 'rustls-webpki', version = '1' }\n";
        assert!(declared_for_nobody(manifest, &metadata).unwrap().is_empty());
        assert_eq!(
            declared_for_nobody(&format!("{manifest}left-pad = '1'\n"), &metadata)
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn a_dependency_asks_for_no_newer_rust_than_we_promise() {
        let metadata = |rust_version: Option<&str>| {
            serde_json::json!({"packages": [
                {"name": "countersign-pki", "version": "1.0.0", "rust_version": "1.89"},
                {"name": "a", "version": "1.0.0", "rust_version": rust_version},
            ]})
            .to_string()
        };
        for fine in [None, Some("1.9"), Some("1.88.5"), Some("1.89")] {
            assert!(
                newer_than_promised(&metadata(fine)).unwrap().is_empty(),
                "{fine:?}"
            );
        }
        for newer in ["1.89.1", "1.90", "1.100.0", "2.0"] {
            assert_eq!(
                newer_than_promised(&metadata(Some(newer))).unwrap().len(),
                1,
                "{newer}"
            );
        }
    }

    #[test]
    fn a_dependency_is_named_in_the_sources() {
        let folder = tempfile::tempdir().unwrap();
        let source = "use md5::Md5; pub use ::{http, url}; // unheard of\n\
            fn f(unheard: Unheard) { g(|| serde_json::to_string(&other::unheard::<X>(unheard, 1))) } use other::{unheard::Y, unheard};";
        fs::write(folder.path().join("lib.rs"), source).unwrap();
        let package: Package = serde_json::from_value(serde_json::json!({
            "name": "a", "version": "1.0.0", "manifest_path": folder.path().join("Cargo.toml"), "targets": [],
            "dependencies": [
                {"name": "md-5", "rename": null, "kind": null, "path": null},
                {"name": "serde_json", "rename": null, "kind": null, "path": null},
                {"name": "http", "rename": null, "kind": null, "path": null},
                {"name": "unheard", "rename": null, "kind": "dev", "path": null},
            ],
        }))
        .unwrap();
        let found = unused(&package).unwrap();
        assert!(
            matches!(&found[..], [only] if only.ends_with("unheard is not used")),
            "{found:?}"
        );
    }
}
