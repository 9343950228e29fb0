//! The part of ARCHITECTURE.md that is written by this program, so that the document can't drift from the rules.
use std::{env, fmt::Write, fs, path::Path};

use anyhow::{Context, Result};

use super::{crate_map::ALLOWED, tiers::TIERS};

const FILE: &str = "ARCHITECTURE.md";
const START: &str = "<!-- layers: written by `cargo xtask tidy` -->\n";
const END: &str = "<!-- end of layers -->\n";

/// Brings ARCHITECTURE.md up to date, or tells in CI that it isn't.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let path = root.join(FILE);
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(vec![format!("{FILE}: missing")]);
    };
    match with_layers(&text, &layers()) {
        Some(wanted) => ensure_file_contents(&path, &wanted),
        None => Ok(vec![format!(
            "{FILE}: the markers {START:?} and {END:?} are missing"
        )]),
    }
}

/// Writes the file if it differs; in CI, where nobody would commit it, tells which command does.
fn ensure_file_contents(path: &Path, wanted: &str) -> Result<Vec<String>> {
    if fs::read_to_string(path).is_ok_and(|found| found == wanted) {
        return Ok(Vec::new());
    }
    let shown = path.display();
    if env::var_os("CI").is_some() {
        return Ok(vec![format!(
            "{shown}: out of date; run `cargo xtask tidy` and commit what it writes"
        )]);
    }
    fs::write(path, wanted).with_context(|| shown.to_string())?;
    println!("{shown} was brought up to date");
    Ok(Vec::new())
}

/// The text with what stands between the markers replaced.
fn with_layers(text: &str, layers: &str) -> Option<String> {
    let (before, rest) = text.split_once(START)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{START}{layers}{END}{after}"))
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
    for (name, tiers) in TIERS {
        let tiers: Vec<_> = tiers.iter().map(|tier| tier.join(", ")).collect();
        let _ = write!(
            text,
            "\nInside `{name}`:\n\n```text\n{}\n```\n",
            tiers.join("\n  -> ")
        );
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let text = format!("# Title\n{START}old\n{END}the rest\n");
        let expected = format!("# Title\n{START}new\n{END}the rest\n");
        assert_eq!(with_layers(&text, "new\n"), Some(expected.clone()));
        assert_eq!(with_layers(&expected, "new\n"), Some(expected));
        assert_eq!(with_layers("# Title\n", "new\n"), None);
    }

    #[test]
    fn the_layers_show_both_maps() {
        let layers = layers();
        assert!(layers.contains("| `auth` | `pki` |"));
        assert!(layers.contains("error, passphrase, time\n  -> digest"));
    }
}
