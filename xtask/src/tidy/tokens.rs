//! Rust sources as token trees: comments and the insides of strings are gone, macros are as readable as the rest.
use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The tokens of a file, without the items that only tests see.
pub(crate) fn read(path: &Path) -> Result<Vec<TokenTree>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    parse(&text).with_context(|| path.display().to_string())
}

/// The tokens of a source text.
pub(crate) fn parse(text: &str) -> Result<Vec<TokenTree>> {
    // A `#!` line would be a syntax error; an inner attribute is not one.
    let stream: TokenStream = text.parse().map_err(|error| anyhow!("{error}"))?;
    Ok(stream.into_iter().collect())
}

/// What no program contains: tests, and the gate for constant time.
const TEST_ONLY: [&str; 3] = [
    "cfg(test)",
    "cfg(any(test,constant_time))",
    "cfg(all(test,constant_time))",
];

/// Leaves out every item that is for tests.
pub(crate) fn without_tests(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let [first, after @ ..] = rest {
        if let (Some('#'), [TokenTree::Group(attribute), item @ ..]) = (punct(first), after)
            && TEST_ONLY.contains(&attribute.stream().to_string().replace(' ', "").as_str())
        {
            rest = after_item(item);
        } else {
            kept.push(first.clone());
            rest = after;
        }
    }
    kept
}

/// What follows an item: its end is a semicolon or a group in braces.
fn after_item(mut tokens: &[TokenTree]) -> &[TokenTree] {
    while let [first, after @ ..] = tokens {
        tokens = after;
        if punct(first) == Some(';') || is_group(first, Delimiter::Brace) {
            break;
        }
    }
    tokens
}

pub(crate) fn ident(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    }
}

pub(crate) fn is_ident(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

pub(crate) fn punct(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

pub(crate) fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// What follows a `::`, if one is there.
pub(crate) fn after_colons(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    match tokens {
        [a, b, rest @ ..] if punct(a) == Some(':') && punct(b) == Some(':') => Some(rest),
        _ => None,
    }
}

pub(crate) fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

/// Calls `visit` with every run of tokens: the file's own, and those inside each group.
pub(crate) fn for_each_run(tokens: &[TokenTree], visit: &mut impl FnMut(&[TokenTree])) {
    visit(tokens);
    for token in tokens {
        if let TokenTree::Group(group) = token {
            let inner: Vec<_> = group.stream().into_iter().collect();
            for_each_run(&inner, visit);
        }
    }
}
