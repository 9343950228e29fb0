//! Which of our crates may use which.
use crate::workspace::{Metadata, short_name};

/// Each crate with those of ours that it may depend on. The order is the order of the layers, lowest first.
pub(crate) const ALLOWED: &[(&str, &[&str])] = &[
    ("kernels", &[]),
    ("rsa-private", &["kernels"]),
    ("pki", &["kernels", "rsa-private"]),
    ("auth", &["rsa-private", "pki"]),
    ("pod", &["rsa-private", "pki"]),
    ("fileset", &[]),
    ("fixtures", &["fileset", "pki"]),
    ("cli", &["auth", "pod", "fileset", "pki"]),
    ("xtask", &["fixtures", "pki"]),
    (
        "integration-tests",
        &["rsa-private", "pki", "auth", "pod", "fixtures", "cli"],
    ),
];

/// A crate and one that it doesn't even use in its tests. The Pod judges the client: a mistake that both shared would
/// stay hidden.
const STRANGERS: (&str, &str) = ("pod", "auth");

/// Tells which dependencies inside the workspace go where they may not.
pub(crate) fn check(metadata: &Metadata) -> Vec<String> {
    let mut violations = Vec::new();
    for package in &metadata.packages {
        let name = package.short_name();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            violations.push(format!(
                "{}: {name} is not in the crate map of xtask/src/tidy/crate_map.rs",
                package.manifest_path.display()
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some())
        {
            let target = short_name(&dependency.name);
            let is_dev = dependency.kind.as_deref() == Some("dev");
            let fine = if is_dev {
                (name, target) != STRANGERS
            } else {
                allowed.contains(&target)
            };
            if !fine {
                violations.push(format!(
                    "{}: {name} must not depend on {target}",
                    package.manifest_path.display()
                ));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(package: &str, dependency: &str, kind: &str) -> Metadata {
        serde_json::from_value(serde_json::json!({"packages": [{
            "name": package,
            "version": "0.1.0",
            "manifest_path": "Cargo.toml",
            "dependencies": [{"name": dependency, "rename": null, "kind": (kind != "normal").then_some(kind), "path": "x"}],
            "targets": [],
        }]}))
        .unwrap()
    }

    #[test]
    fn dependencies_go_down_only() {
        assert!(check(&workspace("countersign-auth", "countersign-pki", "normal")).is_empty());
        for (package, dependency, kind) in [
            ("countersign-pki", "countersign-auth", "normal"),
            ("countersign-auth", "countersign-pod", "normal"),
            ("countersign-pki", "countersign-fixtures", "build"),
            ("countersign-unheard-of", "countersign-pki", "normal"),
        ] {
            assert_eq!(
                check(&workspace(package, dependency, kind)).len(),
                1,
                "{package} -> {dependency} ({kind})"
            );
        }
    }

    #[test]
    fn tests_may_use_anything_but_the_pod_never_uses_auth() {
        assert!(check(&workspace("countersign-auth", "countersign-pod", "dev")).is_empty());
        assert_eq!(
            check(&workspace("countersign-pod", "countersign-auth", "dev")).len(),
            1
        );
    }
}
