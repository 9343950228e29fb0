//! `countersign p12 info`

use std::{fmt, path::PathBuf};

use pki::{Integrity, Pkcs12};
use serde::Serialize;

use crate::{
    error::{Context, Error},
    input,
    passphrase::{self, Flag, Source, SourceParser},
    ui,
};

/// Show what a PKCS#12 bundle holds
///
/// Opens it, which checks its passphrase and its integrity, and shows its alias, its keys (what they are, not their
/// secret) and its certificates.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{}", passphrase::SOURCES))]
pub(crate) struct Args {
    /// The bundle; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Its passphrase
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    /// Report in JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign p12 info bot.p12 --passin env:P12_PASS
  countersign p12 info bot.p12 --passin env:P12_PASS --json | jq -r .alias";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let passin = Flag::new("--passin", &args.passin);
    let bundle = input::open(&args.file, passin, |der, passphrase| match passphrase {
        Some(passphrase) => Pkcs12::open(der, passphrase),
        None => Err(pki::Error::PassphraseRequired {
            what: "PKCS#12 file",
        }),
    })?;
    let report = Report::of(&bundle).about(input::Name(&args.file))?;
    if args.json {
        ui::json(&report)
    } else {
        ui::result(report)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    alias: Option<String>,
    /// `None` when nothing vouches for the contents.
    mac: Option<Mac>,
    encryption: Vec<String>,
    private_keys: Vec<String>,
    /// In the order of the file.
    certificates: Vec<pki::inspect::Report>,
}

#[derive(Debug, Serialize)]
struct Mac {
    digest: String,
    iterations: u64,
}

impl Report {
    fn of(bundle: &Pkcs12) -> Result<Self, pki::Error> {
        Ok(Self {
            alias: bundle.alias().map(str::to_owned),
            mac: match bundle.integrity() {
                Integrity::Mac { digest, iterations } => Some(Mac {
                    digest: digest.clone(),
                    iterations: *iterations,
                }),
                _ => None,
            },
            encryption: bundle.encryption().to_vec(),
            private_keys: bundle
                .private_keys()
                .iter()
                .map(|key| key.algorithm().to_string())
                .collect(),
            certificates: bundle
                .certificates()
                .iter()
                .map(|certificate| pki::inspect::inspect(certificate.as_der(), None))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "PKCS#12 bundle")?;
        writeln!(
            f,
            "  alias:        {}",
            self.alias.as_deref().unwrap_or("none")
        )?;
        match &self.mac {
            Some(Mac { digest, iterations }) => {
                writeln!(f, "  integrity:    HMAC-{digest}, {iterations} iterations")?;
            }
            None => writeln!(f, "  integrity:    not protected")?,
        }
        for scheme in &self.encryption {
            writeln!(f, "  encryption:   {scheme}")?;
        }
        for key in &self.private_keys {
            writeln!(f, "  private key:  {key}")?;
        }
        for certificate in &self.certificates {
            writeln!(f, "\n{}", certificate.to_string().trim_end())?;
        }
        Ok(())
    }
}
