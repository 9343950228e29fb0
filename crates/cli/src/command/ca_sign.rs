//! `countersign ca sign`

use std::path::PathBuf;

use pki::{Issuance, SerialNumber};
use serde_json::json;

use crate::{
    chain,
    error::{Context, Error},
    file_id::Inputs,
    file_name::InputName,
    help, input, new_key,
    output::{self, Access, Output},
    passphrase::{self, Flag, Source, SourceParser},
    profile_choice::ProfileArgs,
    report::Report,
    subject, ui,
};

/// Sign a certificate request
///
/// The request's signature is checked first. What the certificate may be used for is decided by --profile or
/// --profile-file, and never by the request; its alternative names are granted by the profiles server and peer only, or
/// as the profile's file says. What the request asks for and doesn't get is told.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Certificate of the CA, in PEM or DER. Its issuers may follow in the file, up to the root: what they allow is
    /// then checked
    #[arg(long, value_name = "FILE")]
    ca_cert: PathBuf,

    /// Its private key, in PEM or DER
    #[arg(long, value_name = "FILE")]
    ca_key: PathBuf,

    /// Certificate request, in PEM or DER
    #[arg(long, value_name = "FILE")]
    csr: PathBuf,

    /// Where to write the certificate; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Passphrase of the CA's key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    ca_passin: Option<Source>,

    #[command(flatten)]
    profile: ProfileArgs,

    /// Serial number, decimal or hexadecimal (0x1) [default: random]
    #[arg(long, value_name = "SERIAL")]
    serial: Option<SerialNumber>,

    /// Report in JSON: "certificate" is its file, "report" what inspect --json says of it, "ungranted" what the request
    /// asks for and doesn't get
    #[arg(long)]
    json: bool,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS \\
    --csr bot.csr.pem --days 2922 --serial 0x1 --out bot.crt.pem
  countersign ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS \\
    --csr server.csr.pem --profile server --out server.crt.pem
  countersign ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS \\
    --csr bot.csr.pem --profile-file bot.toml --out bot.crt.pem

A profile's file, bot.toml (docs/profiles.md has all of its keys):
  key-usage = [\"digitalSignature\"]
  extended-key-usage = [\"clientAuth\"]
  crl-distribution-points = [\"http://ca.example.com/ca.crl\"]
  subject = { required = [\"CN\"], values = { O = \"Excelsior Bank\" } }
  validity = { for = \"30d\", clamped = true }";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let ca_passin = Flag::new("--ca-passin", &args.ca_passin);
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Everyone,
    };
    let inputs = Inputs::new()
        .file("--ca-cert", &args.ca_cert)
        .file("--ca-key", &args.ca_key)
        .passphrase(ca_passin)
        .file("--csr", &args.csr)
        .files("--profile-file", args.profile.file());
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    let (authority, _) = input::authority(&args.ca_cert, &args.ca_key, ca_passin)?;
    let request = input::request(&args.csr)?;
    let verified = request.verify().about(InputName(&args.csr))?;
    subject::check(request.subject(), InputName(&args.csr)).map_err(|error| {
        error.hint("have the request made again, with a subject that holds no control character")
    })?;
    if args.profile.is_for_clients() {
        new_key::warn_if_too_short_for_a_pod(request.public_key().algorithm());
    }

    let profile = args.profile.read()?;
    let mut issuance = Issuance::for_request(&verified);
    if let Some(serial) = &args.serial {
        issuance = issuance.serial_number(serial.clone());
    }
    let about = || format!("signing {}", InputName(&args.csr));
    let prepared = authority.prepare(&issuance, &profile).about(about())?;
    let certificate = prepared.sign(authority.private_key()).about(about())?;

    chain::warn_of_unknown_issuers(&authority, &args.ca_cert);
    let pem = certificate.to_pem();
    output::write([(out, pem.as_bytes())])?;
    args.profile.warn_of_ungranted(prepared.ungranted());
    ui::note_certificate(&certificate, &args.out);
    if args.json {
        let report = Report::read(pem.as_bytes(), None).about(args.out.display())?;
        ui::json(&json!({
            "certificate": args.out.display().to_string(),
            "report": report,
            "ungranted": prepared.ungranted().iter().map(ToString::to_string).collect::<Vec<_>>(),
        }))?;
    }
    Ok(())
}
