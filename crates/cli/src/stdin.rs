//! Standard input, which has lines with passphrases first and then one file.

use std::{
    fmt,
    io::{self, StdinLock},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::error::Error;

/// Whether it was read to its end, as a file.
static IS_READ: AtomicBool = AtomicBool::new(false);

/// What is left of it, for this reader: a file, whose end is its end.
///
/// # Errors
///
/// [`Error`] when another file was read from it.
pub(crate) fn as_file(reader: impl fmt::Display) -> Result<StdinLock<'static>, Error> {
    let stdin = as_lines(reader)?;
    IS_READ.store(true, Ordering::Relaxed);
    Ok(stdin)
}

/// The same for a reader of lines, which leaves the rest to others.
///
/// # Errors
///
/// [`Error`] when a file was read from it.
pub(crate) fn as_lines(reader: impl fmt::Display) -> Result<StdinLock<'static>, Error> {
    if IS_READ.load(Ordering::Relaxed) {
        return Err(Error::misused(format!(
            "{reader}: standard input was read to its end already, as another file"
        ))
        .hint("only one file can be -, and passphrases must come before it"));
    }
    Ok(io::stdin().lock())
}
