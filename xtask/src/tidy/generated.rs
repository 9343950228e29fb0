//! The parts of the documents that are written by this program, so that they can't drift from the rules, nor from what
//! `cargo xtask interop` finds out.
use std::{env, fmt::Write, fs, path::Path};

use anyhow::{Context, Result};

use super::crate_map::ALLOWED;
use crate::interop;

/// What stands between two markers of a file.
struct Part {
    file: &'static str,
    start: &'static str,
    end: &'static str,
}

const LAYERS: Part = Part {
    file: "ARCHITECTURE.md",
    start: "<!-- layers: written by `cargo xtask tidy` -->\n",
    end: "<!-- end of layers -->\n",
};

/// What it says is judged by `cargo xtask interop`, which runs the same lists.
const FORMATS: Part = Part {
    file: "docs/formats.md",
    start: "<!-- formats: written by `cargo xtask tidy` -->\n",
    end: "<!-- end of formats -->\n",
};

/// Likewise.
const VERDICTS: Part = Part {
    file: "docs/verdicts.md",
    start: "<!-- verdicts: written by `cargo xtask tidy` -->\n",
    end: "<!-- end of verdicts -->\n",
};

/// What it says is the documentation of the reader, whose tests hold it to the keys that there are.
const PROFILES: Part = Part {
    file: "docs/profiles.md",
    start: "<!-- keys: written by `cargo xtask tidy` -->\n",
    end: "<!-- end of keys -->\n",
};

/// Brings the documents up to date, or tells in CI that they aren't: nobody would commit what was written there.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let may_write = env::var_os("CI").is_none();
    let mut violations = LAYERS.check(root, &layers(), may_write)?;
    violations.extend(FORMATS.check(root, &interop::formats(), may_write)?);
    violations.extend(VERDICTS.check(root, &interop::verdicts(), may_write)?);
    violations.extend(PROFILES.check(root, &profiles(root)?, may_write)?);
    Ok(violations)
}

impl Part {
    fn check(&self, root: &Path, wanted: &str, may_write: bool) -> Result<Vec<String>> {
        let Self { file, start, end } = self;
        let path = root.join(file);
        let Ok(text) = fs::read_to_string(&path) else {
            return Ok(vec![format!("{file}: missing")]);
        };
        match self.replaced(&text, wanted) {
            Some(wanted) => ensure_file_contents(&path, &wanted, may_write),
            None => Ok(vec![format!(
                "{file}: the markers {start:?} and {end:?} are missing"
            )]),
        }
    }

    /// The text with what stands between the markers replaced.
    fn replaced(&self, text: &str, wanted: &str) -> Option<String> {
        let Self { start, end, .. } = self;
        let (before, rest) = text.split_once(start)?;
        let (_, after) = rest.split_once(end)?;
        Some(format!("{before}{start}{wanted}{end}{after}"))
    }
}

/// Writes the file if it differs, or tells which command does.
fn ensure_file_contents(path: &Path, wanted: &str, may_write: bool) -> Result<Vec<String>> {
    if fs::read_to_string(path).is_ok_and(|found| found == wanted) {
        return Ok(Vec::new());
    }
    let shown = path.display();
    if !may_write {
        return Ok(vec![format!(
            "{shown}: out of date; run `cargo xtask tidy` and commit what it writes"
        )]);
    }
    fs::write(path, wanted).with_context(|| shown.to_string())?;
    println!("{shown} was brought up to date");
    Ok(Vec::new())
}

fn layers() -> String {
    let mut text = String::from("\n| crate | may use |\n|---|---|\n");
    for (name, allowed) in ALLOWED {
        let allowed: Vec<_> = allowed.iter().map(|name| format!("`{name}`")).collect();
        let allowed = if allowed.is_empty() {
            "none of ours".to_owned()
        } else {
            allowed.join(", ")
        };
        let _ = writeln!(text, "| `{name}` | {allowed} |");
    }
    text.push('\n');
    text
}

/// The table in the documentation of `Profile::from_toml`.
fn profiles(root: &Path) -> Result<String> {
    let path = root.join("crates/pki/src/profile/file.rs");
    let source = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(table_in(&source))
}

/// The rows of the tables in doc comments, without links into the crate.
fn table_in(source: &str) -> String {
    let rows = source
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("/// "))
        .filter(|row| row.starts_with('|'));
    let mut text = String::from("\n");
    for row in rows {
        let mut parts = row.split("](crate::");
        let mut plain = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            plain.push(']');
            plain += part.split_once(')').map_or("", |(_, rest)| rest);
        }
        let plain = plain.replace("[`", "`").replace("`]", "`");
        let _ = writeln!(text, "{plain}");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let part = Part {
            file: "README.md",
            start: "<start>\n",
            end: "<end>\n",
        };
        let text = "# Title\n<start>\nold\n<end>\nthe rest\n";
        let expected = "# Title\n<start>\nnew\n<end>\nthe rest\n";
        assert_eq!(part.replaced(text, "new\n").as_deref(), Some(expected));
        assert_eq!(part.replaced(expected, "new\n").as_deref(), Some(expected));
        assert_eq!(part.replaced("# Title\n", "new\n"), None);
    }

    #[test]
    fn a_table_is_taken_from_a_doc_comment() {
        let source =
            "    /// Text.\n    /// | a | see [`B`](crate::B) and [`C`] |\n    let x = a | b;\n";
        assert_eq!(table_in(source), "\n| a | see `B` and `C` |\n\n");
    }

    #[test]
    fn a_stale_part_is_a_violation_where_nobody_would_commit_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LAYERS.file);
        let part = |text: &str| format!("{}{text}{}", LAYERS.start, LAYERS.end);
        fs::write(&path, part("stale\n")).unwrap();
        let check = |may_write| LAYERS.check(folder.path(), "new\n", may_write).unwrap();

        assert!(matches!(&check(false)[..], [only] if only.contains("out of date")));
        assert_eq!(fs::read_to_string(&path).unwrap(), part("stale\n"));

        assert!(check(true).is_empty());
        assert_eq!(fs::read_to_string(&path).unwrap(), part("new\n"));
        assert!(check(false).is_empty());
    }

    #[test]
    fn the_layers_show_the_map() {
        assert!(layers().contains("| `pki` | `kernels`, `rsa-private` |"));
    }
}
