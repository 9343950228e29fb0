//! Rules that nothing else checks: who may use whom, what must not be in the tree, where `unsafe` may stand.
//!
//! The rules themselves are data: [`crate_map::ALLOWED`], the order of each `mod` list, [`dependencies::NEEDS_C`].
pub(crate) mod tokens;
mod commands;
mod crate_map;
mod dependencies;
mod generated;
mod modules;
mod sources;

use anyhow::{Result, bail};

use crate::workspace::{self, Metadata};

/// Checks every rule and tells all that is broken.
pub(crate) fn run() -> Result<()> {
    let root = workspace::root()?;
    let metadata = Metadata::read()?;

    let mut violations = crate_map::check(&metadata);
    violations.extend(modules::check(&metadata)?);
    violations.extend(dependencies::check(&root, &metadata)?);
    violations.extend(sources::check(&metadata)?);
    violations.extend(commands::check(&root));
    violations.extend(generated::check(&root)?);

    let prefix = format!("{}/", root.display());
    for violation in &violations {
        eprintln!("{}", violation.replace(&prefix, ""));
    }
    match violations.len() {
        0 => {
            println!("every rule holds");
            Ok(())
        }
        1 => bail!("1 rule is broken"),
        n => bail!("{n} rules are broken"),
    }
}
