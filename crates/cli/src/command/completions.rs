//! `countersign completions`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{command::Cli, error::Error, help, ui};

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(EXAMPLES))]
pub(crate) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples, each in the shell that it is for, from its next start on:
  mkdir -p ~/.local/share/bash-completion/completions
  countersign completions bash > ~/.local/share/bash-completion/completions/countersign
  countersign completions zsh > \"${fpath[1]}/_countersign\"
  mkdir -p ~/.config/fish/completions
  countersign completions fish > ~/.config/fish/completions/countersign.fish";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "countersign", &mut script);
    ui::result_bytes(&script)
}
