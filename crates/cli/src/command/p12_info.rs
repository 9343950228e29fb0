//! `countersign p12 info`

use std::path::PathBuf;

use pki::inspect::Report;

use crate::{
    error::Error,
    file_name::InputName,
    help, input,
    passphrase::{self, Flag, Source, SourceParser},
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
    let report = input::open(&args.file, passin, |contents, passphrase| {
        pki::inspect::inspect(contents, passphrase)
    })?;
    if !is_bundle(&report) {
        return Err(
            Error::failed(format!("{}: not a PKCS#12 bundle", InputName(&args.file)))
                .hint("countersign inspect shows what other files hold"),
        );
    }
    if args.json {
        ui::json(&report)
    } else {
        ui::result(report)
    }
}

fn is_bundle(report: &Report) -> bool {
    serde_json::to_value(report).is_ok_and(|report| {
        report
            .pointer("/items/0/type")
            .is_some_and(|kind| kind == "pkcs12")
    })
}
