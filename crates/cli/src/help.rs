//! Text in `--help` that keeps its lines.

/// Text whose lines are left alone, however narrow the terminal is: examples are there to be pasted.
///
/// clap wraps at spaces. Here they are no-break spaces, until the help [is shown](shown).
pub(crate) fn verbatim(text: &str) -> String {
    text.replace(' ', NO_BREAK_SPACE)
}

/// The help as it is printed.
pub(crate) fn shown(help: &str) -> String {
    help.replace(NO_BREAK_SPACE, " ")
}

const NO_BREAK_SPACE: &str = "\u{a0}";
