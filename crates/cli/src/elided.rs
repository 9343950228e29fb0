//! Values on the command line that may hold a secret: clap's own way of reporting a bad value repeats it.

use std::ffi::OsStr;

use clap::{Arg, Command, builder::StyledStr, error::ErrorKind};

/// Parses a value, for a [`TypedValueParser`](clap::builder::TypedValueParser).
///
/// # Errors
///
/// [`clap::Error`] with the flag and the problem, and without the value.
pub(crate) fn parse<T>(
    command: &Command,
    arg: Option<&Arg>,
    value: &OsStr,
    parse: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Result<T, clap::Error> {
    let parsed = value.to_str().ok_or("it is not UTF-8").and_then(parse);
    parsed.map_err(|problem| {
        let arg = arg.map_or_else(StyledStr::new, |arg| arg.to_string().into());
        command.clone().error(
            ErrorKind::ValueValidation,
            format!("invalid value for '{arg}': {problem}"),
        )
    })
}
