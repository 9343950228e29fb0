//! The public functions that take octets or text and may refuse them, as the sources have them.
use std::collections::BTreeSet;

use anyhow::Result;
use proc_macro2::{Delimiter, TokenTree};

use crate::{
    tidy::tokens::{self, ident, is_group, is_ident, punct},
    workspace::Metadata,
};

/// The crates whose input comes from outside.
const CRATES: [&str; 2] = ["pki", "auth"];

/// What takes octets or text and reads no file's format.
const NOT_READERS: [&str; 20] = [
    "pki::KeyGenerator::generate_from_seed", // any octets make a key, and all of them are hashed
    // One value of a profile or an issuance, which the one who writes it chooses: `Profile::from_toml` reads as many as a file holds.
    "pki::ExtendedKeyUsage::from_str",
    "pki::Extension::custom",
    "pki::GeneralSubtree::dns",
    "pki::GeneralSubtree::email",
    "pki::GeneralSubtree::from_str",
    "pki::GeneralSubtree::ip",
    "pki::GeneralSubtree::uri",
    "pki::NamePattern::from_str",
    "pki::OtherName::from_str",
    "pki::OtherName::new",
    "pki::SubjectAltName::from_str",
    "pki::SubjectPolicy::allow",
    "pki::SubjectPolicy::allow_repeated",
    "pki::SubjectPolicy::require",
    "pki::SubjectPolicy::require_value",
    "pki::parse_duration",
    // A signature, which is verified with the key of the CA.
    "pki::PreparedCertificate::assemble",
    "pki::PreparedCrl::assemble",
    "pki::PreparedRequest::assemble",
];

/// For example `pki::Certificate::from_der`: crate, type if there is one, and function.
pub(super) fn all(metadata: &Metadata) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for name in CRATES {
        let package = metadata.package(name)?;
        for path in package.sources()? {
            if path.starts_with(package.folder().join("src")) {
                let source = tokens::without_tests(&tokens::read(&path)?);
                found.extend(
                    in_source(&source)
                        .into_iter()
                        .map(|path| format!("{name}::{path}")),
                );
            }
        }
    }
    found.retain(|reader| !NOT_READERS.contains(&reader.as_str()));
    Ok(found)
}

/// The readers of a source, without the crate.
fn in_source(source: &[TokenTree]) -> Vec<String> {
    let mut found = functions(source);
    let mut rest = source;
    while let [first, after @ ..] = rest {
        rest = after;
        if !is_ident(first, "impl") {
            continue;
        }
        let Some(at) = after
            .iter()
            .position(|token| is_group(token, Delimiter::Brace))
        else {
            continue;
        };
        let (header, [TokenTree::Group(body), ..]) = after.split_at(at) else {
            continue;
        };
        let body: Vec<_> = body.stream().into_iter().collect();
        let header = outside_angles(header);
        match header.iter().position(|word| word == "for") {
            None => {
                let name = header.last().cloned().unwrap_or_default();
                found.extend(functions(&body).into_iter().map(|f| format!("{name}::{f}")));
            }
            Some(at) => {
                let name = header
                    .get(at.saturating_add(1))
                    .cloned()
                    .unwrap_or_default();
                let of_trait = header.get(at.saturating_sub(1)).map(String::as_str);
                if of_trait == Some("FromStr") {
                    found.push(format!("{name}::from_str"));
                }
            }
        }
    }
    found
}

/// The words of an `impl` outside of all angle brackets, up to a `where`.
fn outside_angles(header: &[TokenTree]) -> Vec<String> {
    let mut depth = 0_usize;
    let mut words = Vec::new();
    for token in header {
        match punct(token) {
            Some('<') => depth = depth.saturating_add(1),
            Some('>') => depth = depth.saturating_sub(1),
            _ => {}
        }
        match ident(token) {
            Some(word) if word == "where" => break,
            Some(word) if depth == 0 => words.push(word),
            _ => {}
        }
    }
    words
}

/// The names of the public functions that take octets or text, and return a `Result`.
fn functions(tokens: &[TokenTree]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = tokens;
    while let [first, after @ ..] = rest {
        rest = after;
        let [function, name, signature @ ..] = after else {
            continue;
        };
        // `pub(crate)` has a group in between.
        if !is_ident(first, "pub") || !is_ident(function, "fn") {
            continue;
        }
        let Some(at) = signature
            .iter()
            .position(|t| is_group(t, Delimiter::Parenthesis))
        else {
            continue;
        };
        let end = signature.iter().position(|t| is_group(t, Delimiter::Brace));
        let (Some(TokenTree::Group(parameters)), Some(returned)) = (
            signature.get(at),
            end.and_then(|end| signature.get(at..end)),
        ) else {
            continue;
        };
        let parameters = parameters.stream().to_string().replace(' ', "");
        let takes = ["&[u8]", "AsRef<[u8]>", "&str", "AsRef<str>"];
        if takes.iter().any(|taken| parameters.contains(taken))
            && returned.iter().any(|token| is_ident(token, "Result"))
        {
            found.extend(ident(name));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_public_and_take_octets_or_text() {
        let source = tokens::parse(
            "impl Name { pub fn from_der(der: &[u8]) -> Result<Self, Error> {}
             pub fn parse<'p>(text: impl AsRef<str>, more: Option<&'p X>) -> Result<Self, Error> {}
             pub(crate) fn inner(der: &[u8]) -> Result<Self, Error> {}
             pub fn number(n: usize) -> Result<Self, Error> {}
             pub fn is_name(text: &str) -> bool {} }
             impl<'a, T: From<X>> FromStr for Other<'a, T> where T: Y { fn from_str(text: &str) -> Result<Self, Error> {} }
             impl<T> fmt::Display for Third<T> { }
             pub fn free(input: &[u8]) -> Result<Report, Error> {}",
        )
        .unwrap();
        assert_eq!(
            in_source(&source),
            ["free", "Name::from_der", "Name::parse", "Other::from_str"]
        );
    }
}
