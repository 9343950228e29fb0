use std::env;

use anyhow::{Context, Result};

/// What the environment says of how much is to be tried, and of the seed.
pub(super) fn number(variable: &str, default: u64) -> Result<u64> {
    match env::var(variable) {
        Ok(value) => value.parse().with_context(|| format!("{variable}={value}")),
        Err(_) => Ok(default),
    }
}
