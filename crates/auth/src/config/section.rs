//! Reading the mappings of a configuration, with a note of every key that nobody asked for.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::{
    Notice,
    yaml::{Node, Value},
};
use crate::Error;

/// One mapping of the file. What is taken out of it is known; what is left in the end is unsupported.
pub(super) struct Section<'a> {
    /// With a dot at the end; empty at the top.
    path: String,
    line: usize,
    entries: Vec<(&'a str, &'a Node)>,
    asked: BTreeSet<&'static str>,
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Section<'a> {
    pub(super) fn top(
        node: &'a Node,
        lookup: &'a dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        Self::of(String::new(), node, lookup)
    }

    fn of(
        path: String,
        node: &'a Node,
        lookup: &'a dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let entries = match &node.value {
            Value::Null => Vec::new(),
            Value::Mapping(entries) => entries
                .iter()
                .map(|(key, node)| (key.as_str(), node))
                .collect(),
            _ => {
                let key = path.trim_end_matches('.');
                return Err(problem(node.line, key, "keys with values are expected"));
            }
        };
        Ok(Self {
            path,
            line: node.line,
            entries,
            asked: BTreeSet::new(),
            lookup,
        })
    }

    /// A mapping in this one; an empty one if there is none.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Section<'a>, Error> {
        let path = format!("{}{key}.", self.path);
        match self.take(key) {
            Some(node) => Self::of(path, node, self.lookup),
            None => Ok(Self {
                path,
                line: self.line,
                entries: Vec::new(),
                asked: BTreeSet::new(),
                lookup: self.lookup,
            }),
        }
    }

    /// Whether it holds a key, which is known from now on.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.take(key).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A text, with its variables replaced.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        Ok(self.secret(key)?.map(|text| text.to_string()))
    }

    /// A text that is wiped after use.
    pub(super) fn secret(&mut self, key: &'static str) -> Result<Option<Zeroizing<String>>, Error> {
        match self.take(key) {
            Some(node) => self.resolve(key, node),
            None => Ok(None),
        }
    }

    fn resolve(&self, key: &str, node: &Node) -> Result<Option<Zeroizing<String>>, Error> {
        match &node.value {
            Value::Null => Ok(None),
            Value::Text(text) => interpolate(text, self.lookup).map(Some).map_err(|name| {
                let reason = format!("the environment variable {name} is not set");
                self.problem_at(node.line, key, &reason)
            }),
            _ => Err(self.problem_at(node.line, key, "a text is expected")),
        }
    }

    /// A number, as far as `N` has it.
    pub(super) fn number<N: std::str::FromStr>(
        &mut self,
        key: &'static str,
    ) -> Result<Option<N>, Error> {
        self.text(key)?
            .map(|text| {
                text.trim()
                    .parse()
                    .map_err(|_| self.problem(key, "a number is expected"))
            })
            .transpose()
    }

    /// All texts of a mapping, whatever their keys.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
    ) -> Result<Vec<(&'a str, Zeroizing<String>)>, Error> {
        let section = self.section(key)?;
        section
            .entries
            .iter()
            .filter_map(|(key, node)| match section.resolve(key, node) {
                Ok(text) => text.map(|text| Ok((*key, text))),
                Err(error) => Some(Err(error)),
            })
            .collect()
    }

    /// Names whatever nobody asked for.
    pub(super) fn finish(self, notices: &mut Vec<Notice>) {
        for (key, node) in &self.entries {
            if !self.asked.contains(key) {
                notices.push(Notice {
                    line: node.line,
                    key: format!("{}{key}", self.path),
                    reason: "not supported, and ignored",
                });
            }
        }
    }

    pub(super) fn problem(&self, key: &str, reason: &str) -> Error {
        let entry = self.entries.iter().find(|(known, _)| *known == key);
        let line = entry.map_or(self.line, |(_, node)| node.line);
        self.problem_at(line, key, reason)
    }

    pub(super) fn line_of(&self, key: &str) -> usize {
        let entry = self.entries.iter().find(|(known, _)| *known == key);
        entry.map_or(self.line, |(_, node)| node.line)
    }

    pub(super) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }

    fn problem_at(&self, line: usize, key: &str, reason: &str) -> Error {
        problem(line, &self.key(key), reason)
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.insert(key);
        let (_, node) = self.entries.iter().find(|(known, _)| *known == key)?;
        Some(node)
    }
}

pub(super) fn problem(line: usize, key: &str, reason: &str) -> Error {
    Error::Configuration {
        line,
        key: key.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Replaces `${NAME}` and `${NAME:-default}`; `$${` stands for `${`. What isn't the name of a variable stands as it is, and
/// may be a part of a password. `Err` is a name that has neither value nor default.
fn interpolate(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Zeroizing<String>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut closes = true;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            parts.push(Part::Text(before));
            parts.push(Part::Text("${"));
            rest = after;
            continue;
        }
        parts.push(Part::Text(before));
        let Some((name, default, after)) = variable(after, &mut closes) else {
            parts.push(Part::Text("${"));
            rest = after;
            continue;
        };
        let value = match name {
            // Java's name for it, which the official documentation uses.
            "user.home" => lookup("HOME").or_else(|| lookup("USERPROFILE")),
            name => lookup(name),
        };
        parts.push(match (value, default) {
            (Some(value), _) => Part::Value(value.into()),
            (None, Some(default)) => Part::Text(default),
            (None, None) => return Err(name.to_owned()),
        });
        rest = after;
    }
    parts.push(Part::Text(rest));
    // All at once: what grows leaves copies behind.
    let parts: Vec<&str> = parts.iter().map(Part::as_str).collect();
    Ok(Zeroizing::new(parts.concat()))
}

enum Part<'t> {
    Text(&'t str),
    Value(Zeroizing<String>),
}

impl Part<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Value(value) => value,
        }
    }
}

/// Name, default and what follows, of a text that comes after `${`. `closes`: whether there may be a brace that ends a
/// default, which is looked for in vain once and no more.
fn variable<'t>(text: &'t str, closes: &mut bool) -> Option<(&'t str, Option<&'t str>, &'t str)> {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let end = text.find(|c| !is_inner(c))?;
    let (name, after) = text.split_at_checked(end)?;
    if !name.starts_with(is_start) {
        return None;
    }
    if let Some(after) = after.strip_prefix('}') {
        return Some((name, None, after));
    }
    let default = after.strip_prefix(":-").filter(|_| *closes)?;
    let Some((default, after)) = default.split_once('}') else {
        *closes = false;
        return None;
    };
    Some((name, Some(default), after))
}
