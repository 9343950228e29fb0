//! The workflow page's own commands, end to end.
use super::case::Case;

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
