//! `countersign key generate`

use std::path::PathBuf;

use serde_json::json;

use crate::{
    error::{Context, Error},
    file_id::Inputs,
    file_name::OutputName,
    help, input,
    new_key::{self, KeyArgs},
    output::{self, Access, Output},
    passphrase::{self, Flag, Source, SourceParser},
    report::Report,
    ui,
};

/// Make a private key
///
/// The file is PKCS#8 in PEM. With --passout it is encrypted (AES-256-CBC under PBKDF2-HMAC-SHA256 with 100,000
/// iterations), which openssl, Java, GnuTLS and NSS read. Without it, only the file's mode 0600 protects it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Where to write the key; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    key: KeyArgs,

    /// Passphrase to encrypt the key with
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passout: Option<Source>,

    /// Make the RSA key that belongs to the contents of this file, 16 octets or more, the same each time (C2SP det-keygen).
    /// For test material: whoever has the file has the key
    #[arg(long, value_name = "FILE")]
    seed_file: Option<PathBuf>,

    /// Report in JSON: "key" is its file, "report" what inspect --json says of it
    #[arg(long)]
    json: bool,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign key generate --passout env:KEY_PASS --out bot.key.pem
  countersign key generate --type ec-p256 --out server.key.pem
  openssl rand -out fixture.seed 32
  countersign key generate --seed-file fixture.seed --out fixture.key.pem";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let kind = args.key.kind()?;
    if args.seed_file.is_some() && !args.key.is_rsa() {
        return Err(Error::misused("--seed-file goes with --type rsa only"));
    }
    let passout = Flag::new("--passout", &args.passout);
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Owner,
    };
    let inputs = Inputs::new()
        .files("--seed-file", &args.seed_file)
        .passphrase(passout);
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    let passphrase = passout.chosen("the private key")?;
    new_key::warn_if_too_short_for_a_pod(kind);

    let key = match &args.seed_file {
        Some(file) => {
            ui::warn(format!(
                "the key is no more secret than {}: whoever has that file has the key",
                OutputName(file)
            ));
            new_key::generate(kind, Some(&input::read(file)?))?
        }
        None => new_key::generate(kind, None)?,
    };
    let pem = new_key::to_pem(&key, passphrase.as_ref())?;
    output::write([(out, pem.as_bytes())])?;
    new_key::note_written(&key, passphrase.is_some(), &args.out);
    if args.json {
        let report = Report::read(pem.as_bytes(), passphrase.as_ref()).about(args.out.display())?;
        ui::json(&json!({
            "key": args.out.display().to_string(),
            "report": report,
        }))?;
    }
    Ok(())
}
