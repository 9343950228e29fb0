//! Rules about single sources: where `unsafe` may stand, that an ignored test says why, and that errors can grow.
use anyhow::Result;
use proc_macro2::{Delimiter, TokenTree};

use super::tokens::{self, is_group, is_ident, line, punct};
use crate::workspace::Metadata;

/// The one crate that may contain `unsafe`.
const MAY_BE_UNSAFE: &str = "kernels";

/// The crates in whose errors each struct variant is non-exhaustive, and the variants that needn't be: other crates report
/// them, too, and their evidence is complete.
const ERRORS_GROW: [(&str, &[&str]); 6] = [
    (
        "pki",
        &["PassphraseRequired", "WrongPassphrase", "Pkcs12Lacks"],
    ),
    ("rsa-private", &[]),
    ("fileset", &[]),
    ("fixtures", &[]),
    ("pod", &[]),
    ("auth", &[]),
];

/// Tells which sources break these rules.
pub(crate) fn check(metadata: &Metadata) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for package in &metadata.packages {
        let roots = package.targets.iter().filter(|target| {
            target
                .kind
                .iter()
                .any(|kind| kind == "lib" || kind == "bin")
        });
        for root in roots.filter(|_| package.short_name() != MAY_BE_UNSAFE) {
            if !forbids_unsafe(&tokens::read(&root.src_path)?) {
                violations.push(format!(
                    "{}: #![forbid(unsafe_code)] is missing",
                    root.src_path.display()
                ));
            }
        }
        for path in package.sources()? {
            let source = tokens::read(&path)?;
            for line in ignored_without_reason(&source) {
                violations.push(format!(
                    "{}:{line}: #[ignore] needs a reason",
                    path.display()
                ));
            }
        }
        let errors = ERRORS_GROW
            .iter()
            .find(|(name, _)| *name == package.short_name());
        if let Some((_, complete)) = errors {
            let path = package.folder().join("src/error.rs");
            for (line, variant) in exhaustive_variants(&tokens::read(&path)?) {
                if !complete.contains(&variant.as_str()) {
                    violations.push(format!(
                        "{}:{line}: {variant} is not #[non_exhaustive]",
                        path.display()
                    ));
                }
            }
        }
    }
    Ok(violations)
}

fn forbids_unsafe(source: &[TokenTree]) -> bool {
    source.windows(3).any(|window| match window {
        [hash, bang, TokenTree::Group(attribute)] => {
            punct(hash) == Some('#')
                && punct(bang) == Some('!')
                && attribute.stream().to_string().replace(' ', "") == "forbid(unsafe_code)"
        }
        _ => false,
    })
}

/// The lines of `#[ignore]` without `= "reason"`.
fn ignored_without_reason(source: &[TokenTree]) -> Vec<usize> {
    let mut lines = Vec::new();
    tokens::for_each_run(source, &mut |run| {
        for pair in run.windows(2) {
            let [hash, TokenTree::Group(attribute)] = pair else {
                continue;
            };
            if punct(hash) != Some('#') || attribute.delimiter() != Delimiter::Bracket {
                continue;
            }
            let inner: Vec<_> = attribute.stream().into_iter().collect();
            if matches!(&inner[..], [only] if is_ident(only, "ignore")) {
                lines.push(line(hash));
            }
        }
    });
    lines
}

/// The struct variants of enums that callers can build, and match without `..`.
fn exhaustive_variants(source: &[TokenTree]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for item in source.windows(3) {
        let [keyword, _, TokenTree::Group(variants)] = item else {
            continue;
        };
        if !is_ident(keyword, "enum") {
            continue;
        }
        let variants: Vec<_> = variants.stream().into_iter().collect();
        let mut is_non_exhaustive = false;
        for pair in variants.windows(2) {
            match pair {
                [hash, TokenTree::Group(attribute)] if punct(hash) == Some('#') => {
                    is_non_exhaustive |= attribute.stream().to_string() == "non_exhaustive";
                }
                [TokenTree::Ident(name), fields]
                    if is_group(fields, Delimiter::Brace) && !is_non_exhaustive =>
                {
                    found.push((name.span().start().line, name.to_string()));
                }
                [comma, _] if punct(comma) == Some(',') => is_non_exhaustive = false,
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<TokenTree> {
        tokens::parse(text).unwrap()
    }

    #[test]
    fn a_root_forbids_unsafe_code_in_so_many_words() {
        assert!(forbids_unsafe(&parse(
            "//! docs\n#![forbid(unsafe_code)]\nmod a;"
        )));
        for text in [
            "mod a;",
            "#![deny(unsafe_code)]",
            "// #![forbid(unsafe_code)]",
            "#[forbid(unsafe_code)] mod a {}",
        ] {
            assert!(!forbids_unsafe(&parse(text)), "{text}");
        }
    }

    #[test]
    fn a_struct_variant_of_an_error_can_grow() {
        let source = "pub enum Error {\n#[non_exhaustive]\nA { a: u8 },\nB { b: u8 },\n#[non_exhaustive]\nC,\nD(u8),\n\
                      #[error(\"e\")]\n#[non_exhaustive]\nE { e: u8 },\nF { f: u8 } }";
        let found = exhaustive_variants(&parse(source));
        assert_eq!(found, [(4, "B".to_owned()), (11, "F".to_owned())]);
    }

    #[test]
    fn an_ignored_test_says_why() {
        assert!(
            ignored_without_reason(&parse("#[ignore = \"needs the vectors\"] fn f() {}"))
                .is_empty()
        );
        assert_eq!(
            ignored_without_reason(&parse("mod tests {\n#[test]\n#[ignore]\nfn f() {}\n}")),
            [3]
        );
    }
}
