//! The order of modules: each `mod` list is in the order in which its modules may use each other, those that are used first.
//!
//! A module and what stands in its own file are not put in order: a type that `fault/mod.rs` opens with may be used by the
//! files beside it, which are how it works.
use std::{
    collections::BTreeMap,
    path::{self, PathBuf},
};

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenTree};

use super::tokens::{self, after_colons, ident, is_group, is_ident, line, punct};
use crate::workspace::{Metadata, rust_files};

/// Tells which modules use one that is declared after them.
pub(crate) fn check(metadata: &Metadata) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for target in metadata
        .packages
        .iter()
        .flat_map(|package| &package.targets)
    {
        if target
            .kind
            .iter()
            .any(|kind| kind == "lib" || kind == "bin")
        {
            violations.extend(check_crate(&target.src_path)?);
        }
    }
    Ok(violations)
}

/// The names that lead from a crate's root to a module.
type Name = Vec<String>;

struct Module {
    path: PathBuf,
    tokens: Vec<TokenTree>,
    /// The modules that it declares, in this order.
    children: Vec<String>,
    /// The path behind each name that it brings in from one of these.
    names: BTreeMap<String, Vec<String>>,
}

fn check_crate(root: &path::Path) -> Result<Vec<String>> {
    let source = root.parent().context("a source without a folder")?;
    let mut files = Vec::new();
    rust_files(source, &mut files)?;
    let mut modules = BTreeMap::new();
    for path in files {
        let name = if path == root {
            Name::new()
        } else {
            name_of(path.strip_prefix(source)?)
        };
        modules.insert(name, Module::read(path)?);
    }
    // Modules for tests alone are in no list.
    let is_declared = |name: &Name| {
        (0..name.len()).all(|at| {
            let list = name.get(..at).and_then(|parent| modules.get(parent));
            list.is_some_and(|list| name.get(at).is_some_and(|it| list.children.contains(it)))
        })
    };
    let mut violations = Vec::new();
    for (from, module) in modules.iter().filter(|(name, _)| is_declared(name)) {
        for used in uses(&module.tokens, from) {
            let place = format!("{}:{}", module.path.display(), used.line);
            match resolve(&modules, &used) {
                Ok(target) => violations.extend(
                    out_of_order(&modules, from, &target).map(|what| format!("{place}: {what}")),
                ),
                Err(what) => violations.push(format!("{place}: {what}")),
            }
        }
    }
    violations.dedup();
    Ok(violations)
}

/// Where two names part, the first one's module uses the second one's: is that declared before it?
fn out_of_order(modules: &BTreeMap<Name, Module>, from: &Name, to: &Name) -> Option<String> {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let (user, used) = (from.get(common)?, to.get(common)?);
    let list = modules.get(from.get(..common)?)?;
    let place = |name: &String| list.children.iter().position(|child| child == name);
    let (user_at, used_at) = (place(user)?, place(used)?);
    (used_at > user_at).then(|| {
        let list = list.path.display();
        format!("{user} uses {used}, which {list} declares after it")
    })
}

/// The module that holds what a path names, as far as `mod` and `use` tell.
fn resolve(modules: &BTreeMap<Name, Module>, used: &Use) -> Result<Name, String> {
    let mut name = used.base.clone();
    // The next one last.
    let mut rest: Vec<_> = used.segments.iter().rev().collect();
    while let Some(segment) = rest.pop()
        && let Some(module) = modules.get(&name)
    {
        if segment == "*" && !module.children.is_empty() {
            return Err("a `*` hides which module is used".to_owned());
        }
        if module.children.contains(segment) {
            name.push(segment.clone());
        } else if let Some(path) = module.names.get(segment) {
            // It leads down to a child, so this ends.
            rest.extend(path.iter().rev());
        } else {
            break;
        }
    }
    Ok(name)
}

impl Module {
    fn read(path: PathBuf) -> Result<Self> {
        let tokens = tokens::without_tests(&tokens::read(&path)?);
        let children = tokens.windows(3).filter_map(|window| match window {
            [word, name, end] if is_ident(word, "mod") && punct(end) == Some(';') => ident(name),
            _ => None,
        });
        let children: Vec<_> = children.collect();
        let mut names = BTreeMap::new();
        for (at, _) in tokens
            .iter()
            .enumerate()
            .filter(|(_, it)| is_ident(it, "use"))
        {
            let mut paths = Vec::new();
            read_paths(tokens.get(at + 1..).unwrap_or_default(), &[], &mut paths);
            for mut path in paths {
                if matches!(path.segments.first(), Some(first) if first == "self" || first == "crate")
                {
                    path.segments.remove(0);
                }
                if let [child, .., last] = &path.segments[..]
                    && children.contains(child)
                    && last != "self"
                {
                    let name = path.renamed.as_ref().unwrap_or(last).clone();
                    names.insert(name, path.segments);
                }
            }
        }
        Ok(Self {
            path,
            tokens,
            children,
            names,
        })
    }
}

/// `name/parse.rs` is `["name", "parse"]`, `name/mod.rs` is `["name"]`.
fn name_of(relative: &path::Path) -> Name {
    let without_extension = relative.with_extension("");
    let parts = without_extension
        .iter()
        .map(|part| part.to_string_lossy().into_owned());
    let mut name: Name = parts.collect();
    name.pop_if(|last| last == "mod");
    name
}

/// A path in the source of a module.
struct Use {
    /// The module that it starts from.
    base: Name,
    segments: Vec<String>,
    line: usize,
}

/// Every path that starts with `crate` or leaves the module with `super`.
fn uses(tokens: &[TokenTree], module: &Name) -> Vec<Use> {
    let mut found = Vec::new();
    collect(tokens, module, 0, &mut found);
    found
}

/// `depth` is how many modules within the file there are around the tokens.
fn collect(tokens: &[TokenTree], module: &Name, depth: usize, found: &mut Vec<Use>) {
    let tokens = tokens::without_tests(tokens);
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        rest = after;
        if is_ident(first, "crate") || is_ident(first, "super") {
            let Some(mut tree) = after_colons(after) else {
                continue;
            };
            let mut up = usize::from(is_ident(first, "super"));
            while let [next, more @ ..] = tree
                && is_ident(next, "super")
                && let Some(more) = after_colons(more)
            {
                up += 1;
                tree = more;
            }
            rest = tree;
            let base = match up.checked_sub(depth) {
                _ if is_ident(first, "crate") => Some(&[][..]),
                Some(0) | None => None,
                Some(levels) => module
                    .len()
                    .checked_sub(levels)
                    .and_then(|n| module.get(..n)),
            };
            let mut paths = Vec::new();
            read_paths(tree, &[], &mut paths);
            if let Some(base) = base {
                let used = |path: Path| Use {
                    base: base.to_vec(),
                    segments: path.segments,
                    line: path.line,
                };
                found.extend(paths.into_iter().map(used));
            }
        } else if let [_, TokenTree::Group(group), behind @ ..] = after
            && is_ident(first, "mod")
        {
            collect(&inside(group), module, depth + 1, found);
            rest = behind;
        } else if let TokenTree::Group(group) = first {
            collect(&inside(group), module, depth, found);
        }
    }
}

/// A path as it is written.
struct Path {
    segments: Vec<String>,
    /// After `as`.
    renamed: Option<String>,
    line: usize,
}

/// The paths of a use tree, or the one path that stands in an expression.
fn read_paths(tree: &[TokenTree], before: &[String], found: &mut Vec<Path>) {
    let Some(first) = tree.first() else { return };
    if let TokenTree::Group(group) = first {
        if is_group(first, Delimiter::Brace) {
            for part in inside(group).split(|token| punct(token) == Some(',')) {
                read_paths(part, before, found);
            }
        }
        return;
    }
    let Some(segment) = ident(first).or_else(|| punct(first).map(String::from)) else {
        return;
    };
    let segments = [before, &[segment]].concat();
    let rest = tree.get(1..).unwrap_or_default();
    match after_colons(rest) {
        // A turbofish is no segment.
        Some(rest) if rest.first().and_then(punct) != Some('<') => {
            read_paths(rest, &segments, found);
        }
        _ => found.push(Path {
            segments,
            renamed: match rest {
                [word, name, ..] if is_ident(word, "as") => ident(name),
                _ => None,
            },
            line: line(first),
        }),
    }
}

fn inside(group: &proc_macro2::Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const LIB: &str = "mod error; pub mod name; mod key; mod authority; #[cfg(test)] mod support;
        pub use authority::CertificateAuthority; pub use self::error::Error; pub use key::{Kind, PrivateKey as Key};";

    /// The violations of a crate with these sources; files that aren't given are empty.
    fn violations(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let defaults = [
            ("lib.rs", LIB),
            ("authority.rs", ""),
            ("error.rs", ""),
            (
                "key/mod.rs",
                "mod pem; mod der; pub use self::der::{Kind, PrivateKey};",
            ),
            ("key/pem.rs", ""),
            ("key/der.rs", ""),
            ("name.rs", ""),
        ];
        for (name, text) in defaults.iter().chain(files) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        check_crate(&folder.path().join("lib.rs")).unwrap()
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
    fn what_is_declared_before_may_be_used() {
        let found = violations(&[
            (
                "authority.rs",
                "use crate::{Error, Key, name::{self, parse}};",
            ),
            (
                "key/der.rs",
                "use super::Kind; use super::pem::f; use super::super::Error; use crate::Kind;",
            ),
            (
                "key/pem.rs",
                "use crate::name::Thing; fn f() -> crate::Error { crate::name::of::<crate::Error>() }",
            ),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn what_is_declared_after_is_told_with_its_line() {
        assert_one(
            &[("name.rs", "use std::fmt;\nuse crate::authority::thing;")],
            "name.rs:2: name uses authority, which ",
        );
    }

    #[test]
    fn the_facade_hides_nothing() {
        let authority = "use crate::{Error, CertificateAuthority};";
        assert_one(&[("name.rs", authority)], "name uses authority");
        assert_one(&[("error.rs", "use crate::Key;")], "error uses key");
        assert_one(&[("key/pem.rs", "use super::PrivateKey;")], "pem uses der");
        assert_one(&[("key/pem.rs", "use crate::key::Kind;")], "pem uses der");
        assert_one(&[("key/pem.rs", "use crate::Kind;")], "pem uses der");
        assert_one(&[("key/pem.rs", "use crate::Key;")], "pem uses der");
    }

    #[test]
    fn paths_in_code_macros_and_submodules_count() {
        for code in [
            "fn f() { crate::authority::g() }",
            "fn f() { matches!(x, crate::CertificateAuthority) }",
            "use super::authority;",
            "mod inner { use super::super::CertificateAuthority; }",
        ] {
            assert_one(&[("name.rs", code)], "name uses authority");
        }
        assert_one(
            &[("key/pem.rs", "use super::super::authority;")],
            "key uses authority",
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
    fn a_circle_has_no_order() {
        let circle = [
            ("name.rs", "use crate::Key;"),
            ("key/mod.rs", "use crate::name::X;"),
        ];
        assert_one(&circle, "name uses key");
        let turned = LIB.replace("pub mod name; mod key;", "mod key; pub mod name;");
        assert_one(
            &[circle[0], circle[1], ("lib.rs", &turned)],
            "key uses name",
        );
    }

    #[test]
    fn a_star_is_refused_where_it_hides_modules() {
        assert_one(&[("key/pem.rs", "use crate::*;")], "`*`");
        assert!(violations(&[("key/pem.rs", "use crate::name::*;")]).is_empty());
    }
}
