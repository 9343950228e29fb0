//! `countersign inspect`

use std::path::PathBuf;

use crate::{
    error::Error,
    help, input,
    passphrase::{self, Flag, Source, SourceParser},
    report::Report,
    ui,
};

/// Show what a file holds
///
/// Finds out by itself what it is: PEM, DER or BER; private or public keys, certificate requests, certificates, CRLs, PKCS#12, PKCS#7 (.p7b), JKS or
/// JCEKS, several of them in any order.
/// Secrets are never shown.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)))]
pub(crate) struct Args {
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Its passphrase, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    /// Report in JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign inspect bot.crt.pem
  countersign inspect bot.p12 --passin env:P12_PASS --json
  openssl s_client -connect pod.example.com:443 </dev/null | countersign inspect -";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let passin = Flag::new("--passin", &args.passin);
    let report = input::open(&args.file, passin, Report::read)?;
    if args.json {
        ui::json(&report)
    } else {
        ui::result(report)
    }
}
