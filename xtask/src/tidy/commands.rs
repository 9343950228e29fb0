//! The commands that the README promises are the ones that CI runs.
use std::{fs, path::Path};

/// All the set-up there is, from a fresh clone.
const PROMISED: &[&str] = &[
    "cargo run --release -- quickstart",
    "cargo test --workspace",
];

/// Tells which command is missing where.
pub(crate) fn check(root: &Path) -> Vec<String> {
    let mut violations = Vec::new();
    for file in ["README.md", ".ci/run"] {
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        violations.extend(
            missing(&text).map(|command| format!("{file}: `{command}` is promised, and not there")),
        );
    }
    violations
}

/// A command counts where nothing but a comment follows it on its line: with more flags it would be another command.
fn missing(text: &str) -> impl Iterator<Item = &'static str> {
    let is_there = |command: &str| {
        text.lines()
            .filter_map(|line| line.split_once(command))
            .map(|(_, rest)| rest.trim_start())
            .any(|rest| rest.is_empty() || rest.starts_with(['#', '`']))
    };
    PROMISED
        .iter()
        .copied()
        .filter(move |command| !is_there(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_more_to_it_is_another_one() {
        let both = "$ cargo run --release -- quickstart   # the whole way\nstep tests cargo test --workspace\n";
        assert_eq!(missing(both).count(), 0);
        assert_eq!(
            missing(&both.replace("--workspace", "--workspace --lib")).collect::<Vec<_>>(),
            ["cargo test --workspace"]
        );
    }
}
