//! The order of the modules inside a crate: a module imports from tiers to its left, or from its own without a cycle.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenTree};

use super::tokens::{self, after_colons, ident, is_group, is_ident, line, punct};
use crate::workspace::{Metadata, rust_files};

/// The tiers of the crates that have them, lowest first. ARCHITECTURE.md shows this very list.
pub(crate) const TIERS: &[(&str, &[&[&str]])] = &[
    (
        "pki",
        &[
            &["error", "passphrase", "time", "validity"],
            &["budget", "digest", "der", "oid", "kdf", "rng"],
            &["pbe", "pem"],
            &[
                "name",
                "serial",
                "key",
                "alt_name",
                "name_constraints",
                "extension",
            ],
            &["profile", "signed", "tbs"],
            &["certificate", "request"],
            &["chain"],
            &["pkcs12"],
            &["trust_store"],
            &["contents", "authority"],
        ],
    ),
    (
        "auth",
        &[
            &["peer"],
            &["error", "token", "date", "rsa_key"],
            &["provider", "endpoint", "identity", "trust", "proxy"],
            &["tls", "verifier"],
            &["retry", "session"],
            &["transport"],
            &["channels"],
            &["login"],
            &["keeper"],
            &["client"],
            &["calls"],
            &["layer", "identity_file"],
            &["config"],
            &["doctor"],
        ],
    ),
    (
        "pod",
        &[
            &["sync", "port", "imported", "signature", "reply", "tokens"],
            &[
                "error",
                "tasks",
                "door",
                "open_connections",
                "certificate_rules",
            ],
            &["users", "certificates", "tls", "proxy"],
            &["issuer"],
            &["fault"],
            &["record"],
            &["state"],
            &["path_validation"],
            &["verifier", "endpoints"],
            &["connection"],
            &["pod"],
            &["builder"],
        ],
    ),
];

/// Tells which imports go up or around.
pub(crate) fn check(metadata: &Metadata) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for (name, tiers) in TIERS {
        let source = metadata.package(name)?.folder().join("src");
        violations.extend(CrateModules::read(&source)?.check(tiers));
    }
    Ok(violations)
}

/// The top-level modules of a crate and who imports what from whom.
struct CrateModules {
    /// The crate's root file, for messages.
    root: PathBuf,
    facade: Facade,
    imports: Vec<Import>,
}

struct Import {
    path: PathBuf,
    line: usize,
    /// The top-level module that the file belongs to.
    from: String,
    /// What follows `crate::`: a module, or an item that the facade re-exports.
    name: String,
}

/// What `lib.rs` says: its modules, and the module behind each name that it brings in.
#[derive(Default)]
struct Facade {
    modules: BTreeSet<String>,
    names: BTreeMap<String, String>,
}

impl CrateModules {
    fn read(source: &Path) -> Result<Self> {
        let root = source.join("lib.rs");
        let mut files = Vec::new();
        rust_files(source, &mut files)?;
        let mut imports = Vec::new();
        for path in files.iter().filter(|path| **path != root) {
            let relative = path
                .strip_prefix(source)
                .context("a source outside its folder")?;
            let module = module_path(relative);
            let Some(from) = module.first() else { continue };
            let tokens = tokens::read(path)?;
            for (name, line) in crate_paths(&tokens, module.len()) {
                imports.push(Import {
                    path: path.clone(),
                    line,
                    from: from.clone(),
                    name,
                });
            }
        }
        Ok(Self {
            facade: Facade::read(&tokens::read(&root)?),
            root,
            imports,
        })
    }

    fn check(&self, tiers: &[&[&str]]) -> Vec<String> {
        let tier_of = |module: &str| tiers.iter().position(|tier| tier.contains(&module));
        let root = self.root.display();
        let mut violations = Vec::new();
        for module in &self.facade.modules {
            if tier_of(module).is_none() {
                violations.push(format!(
                    "{root}: module {module} has no tier in xtask/src/tidy/tiers.rs"
                ));
            }
        }
        for module in tiers.iter().flat_map(|tier| tier.iter()) {
            if !self.facade.modules.contains(*module) {
                violations.push(format!("{root}: module {module} has a tier in xtask/src/tidy/tiers.rs, and doesn't exist"));
            }
        }

        let mut same_tier: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for import in &self.imports {
            let place = format!("{}:{}", import.path.display(), import.line);
            let Some(to) = self.facade.module_of(&import.name) else {
                violations.push(format!("{place}: crate::{} is neither a module nor an item of one that lib.rs re-exports by name", import.name));
                continue;
            };
            let (Some(from_tier), Some(to_tier)) = (tier_of(&import.from), tier_of(to)) else {
                continue; // told above
            };
            if to_tier > from_tier {
                violations.push(format!(
                    "{place}: {} imports {} from {to}, which is in a higher tier",
                    import.from, import.name
                ));
            } else if to_tier == from_tier && to != import.from {
                same_tier.entry(&import.from).or_default().insert(to);
            }
        }
        for module in same_tier.keys() {
            if reaches(&same_tier, module, module) {
                violations.push(format!(
                    "{root}: module {module} is part of a cycle within its tier"
                ));
            }
        }
        violations
    }
}

impl Facade {
    fn read(tokens: &[TokenTree]) -> Self {
        let mut facade = Self::default();
        let tokens = tokens::without_tests(tokens);
        let mut rest = tokens.as_slice();
        while let [first, after @ ..] = rest {
            rest = after;
            if is_ident(first, "mod") {
                facade.modules.extend(after.first().and_then(ident));
            } else if is_ident(first, "use") {
                let end = after
                    .iter()
                    .position(|token| punct(token) == Some(';'))
                    .unwrap_or(after.len());
                let (tree, behind) = after.split_at(end);
                facade.add(tree, None);
                rest = behind;
            }
        }
        facade
    }

    /// Adds the names of one use tree; `module` is the first segment, once it is known.
    fn add(&mut self, tree: &[TokenTree], module: Option<&str>) {
        let [first, rest @ ..] = tree else { return };
        if let TokenTree::Group(group) = first {
            let inner: Vec<_> = group.stream().into_iter().collect();
            for part in inner.split(|token| punct(token) == Some(',')) {
                self.add(part, module);
            }
        } else if let Some(segment) = ident(first) {
            if let Some(rest) = after_colons(rest) {
                let is_prefix = segment == "crate" || segment == "self";
                self.add(rest, module.or((!is_prefix).then_some(&segment)));
            } else {
                // `X` or `X as Y`; `self` stands for the module itself.
                let name = rest.last().and_then(ident).unwrap_or(segment);
                if let Some(module) = module {
                    self.names.insert(name, module.to_owned());
                }
            }
        }
    }

    fn module_of<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        match self.modules.get(name) {
            Some(module) => Some(module),
            None => self.names.get(name).map(String::as_str),
        }
    }
}

/// `name/parse.rs` is `["name", "parse"]`, `name/mod.rs` is `["name"]`.
fn module_path(relative: &Path) -> Vec<String> {
    let mut path: Vec<String> = relative
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

/// The first segment of every path that starts at the crate's root, with its line. `depth` is how many `super` lead there.
fn crate_paths(tokens: &[TokenTree], depth: usize) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    collect(&tokens::without_tests(tokens), depth, &mut found);
    found
}

fn collect(tokens: &[TokenTree], depth: usize, found: &mut Vec<(String, usize)>) {
    let mut rest = tokens;
    while let [first, after @ ..] = rest {
        rest = after;
        if is_ident(first, "crate") {
            if let Some(tree) = after_colons(after) {
                heads(tree, found);
            }
        } else if is_ident(first, "super") {
            let (levels, tree) = supers(after);
            if levels == depth {
                heads(tree, found);
            }
            rest = tree;
        } else if let [name, group, behind @ ..] = after
            && is_ident(first, "mod")
            && ident(name).is_some()
            && is_group(group, Delimiter::Brace)
        {
            descend(group, depth + 1, found);
            rest = behind;
        } else {
            descend(first, depth, found);
        }
    }
}

fn descend(token: &TokenTree, depth: usize, found: &mut Vec<(String, usize)>) {
    if let TokenTree::Group(group) = token {
        let inner: Vec<_> = group.stream().into_iter().collect();
        collect(&tokens::without_tests(&inner), depth, found);
    }
}

/// How many `super::` there are, the first one having been read, and what follows them.
fn supers(mut tokens: &[TokenTree]) -> (usize, &[TokenTree]) {
    let mut levels = 1;
    while let Some(after) = after_colons(tokens) {
        match after {
            [next, behind @ ..] if is_ident(next, "super") => {
                levels += 1;
                tokens = behind;
            }
            _ => return (levels, after),
        }
    }
    (levels, tokens)
}

/// The first segments of a use tree or of a path.
fn heads(tree: &[TokenTree], found: &mut Vec<(String, usize)>) {
    match tree.first() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<_> = group.stream().into_iter().collect();
            for part in inner.split(|token| punct(token) == Some(',')) {
                heads(part, found);
            }
        }
        Some(first) => {
            let name = ident(first).or_else(|| punct(first).map(String::from));
            found.extend(name.map(|name| (name, line(first))));
        }
        None => {}
    }
}

/// Whether `to` can be reached from `from` in one step or more.
fn reaches(edges: &BTreeMap<&str, BTreeSet<&str>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in edges.get(module).into_iter().flatten() {
            if *next == to {
                return true;
            }
            if seen.insert(*next) {
                open.push(next);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TIERS: &[&[&str]] = &[&["error"], &["name", "key"], &["authority"]];
    const LIB: &str = "mod authority; mod error; mod key; pub mod name;
        pub use authority::CertificateAuthority; pub use error::Error; pub use key::{Kind, PrivateKey as Key};";

    /// The violations of a crate with these sources; files that aren't given are empty.
    fn violations(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let defaults = [
            ("lib.rs", LIB),
            ("authority.rs", ""),
            ("error.rs", ""),
            ("key/mod.rs", ""),
            ("name.rs", ""),
        ];
        for (name, text) in defaults.iter().chain(files) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        CrateModules::read(folder.path()).unwrap().check(TIERS)
    }

    #[track_caller]
    fn assert_one(files: &[(&str, &str)], part: &str) {
        let found = violations(files);
        assert!(
            matches!(&found[..], [only] if only.contains(part)),
            "{found:?}"
        );
    }

    #[test]
    fn downward_imports_are_fine() {
        let found = violations(&[
            (
                "authority.rs",
                "use crate::{Error, Key, name::{self, parse}};",
            ),
            (
                "key/mod.rs",
                "mod pem; use crate::Error; use crate::name::Thing;",
            ),
            (
                "key/pem.rs",
                "use super::Kind; use super::super::Error; use crate::Kind;",
            ),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn an_upward_import_is_told_with_its_line() {
        assert_one(
            &[("name.rs", "use std::fmt;\nuse crate::authority::thing;")],
            "name.rs:2: name imports authority",
        );
    }

    #[test]
    fn the_facade_hides_nothing() {
        assert_one(
            &[("name.rs", "use crate::{Error, CertificateAuthority};")],
            "CertificateAuthority from authority",
        );
        assert_one(&[("error.rs", "use crate::Key;")], "Key from key");
    }

    #[test]
    fn paths_in_code_macros_and_submodules_count() {
        for code in [
            "fn f() { crate::authority::g() }",
            "fn f() { matches!(x, crate::CertificateAuthority) }",
            "use super::authority;",
            "mod inner { use super::super::CertificateAuthority; }",
        ] {
            assert_one(&[("name.rs", code)], "higher tier");
        }
        assert_one(
            &[("key/pem.rs", "use super::super::authority;")],
            "key imports authority",
        );
    }

    #[test]
    fn comments_strings_and_tests_do_not_count() {
        let found = violations(&[(
            "name.rs",
            "//! [crate::CertificateAuthority]\n// crate::authority\nconst A: &str = \"crate::authority\";\n\
             #[cfg(test)]\n#[allow(unused)]\nmod tests { use crate::CertificateAuthority; }",
        )]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_cycle_within_a_tier_is_told_for_each_of_its_modules() {
        let found = violations(&[
            ("name.rs", "use crate::Key;"),
            ("key/mod.rs", "use crate::name::X;"),
        ]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|violation| violation.contains("cycle")));
    }

    #[test]
    fn names_that_can_not_be_resolved_are_refused() {
        assert_one(
            &[("key/mod.rs", "use crate::Mystery;")],
            "crate::Mystery is neither",
        );
        assert_one(&[("key/mod.rs", "use crate::*;")], "crate::* is neither");
    }

    #[test]
    fn every_module_has_a_tier_and_every_tier_its_modules() {
        assert_one(
            &[("lib.rs", &format!("{LIB} mod extra;"))],
            "module extra has no tier",
        );
        assert_one(
            &[("lib.rs", &LIB.replace("pub mod name;", ""))],
            "module name has a tier",
        );
    }
}
