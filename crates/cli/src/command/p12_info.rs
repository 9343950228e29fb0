//! `countersign p12 info`

use std::path::PathBuf;

use pki::{Contents, Item};

use crate::{
    error::{Context, Error},
    file_name::InputName,
    help, input,
    passphrase::{self, Flag, Source, SourceParser},
    report::Report,
    ui,
};

/// Show what a PKCS#12 bundle holds
///
/// Opens it, which checks its passphrase and its integrity, and shows its alias, its keys (what they are, not their
/// secret) and its certificates.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)))]
pub(crate) struct Args {
    /// The bundle; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Its passphrase
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    /// Report in JSON, as countersign inspect --json does
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign p12 info bot.p12 --passin env:P12_PASS
  countersign p12 info bot.p12 --passin env:P12_PASS --json | jq -r '.items[0].alias'";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let passin = Flag::new("--passin", &args.passin);
    let contents = input::open(&args.file, passin, |contents, passphrase| {
        pki::open(contents, passphrase).and_then(Contents::decrypted)
    })?;
    if !matches!(contents.items(), [Item::Pkcs12(_)]) {
        return Err(
            Error::failed(format!("{}: not a PKCS#12 bundle", InputName(&args.file)))
                .hint("countersign inspect shows what other files hold"),
        );
    }
    let report = Report::of(&contents).about(InputName(&args.file))?;
    if args.json {
        ui::json(&report)
    } else {
        ui::result(report)
    }
}
