//! `countersign ca sign`

use std::path::PathBuf;

use pki::{Issuance, SerialNumber};

use crate::{
    chain,
    error::{Context, Error},
    file_id::Inputs,
    file_name::InputName,
    help, input, issued, new_key,
    output::{self, Access, Output},
    passphrase,
    profile_choice::ProfileArgs,
    signer_command,
    signing::AuthorityArgs,
    subject,
};

/// Sign a certificate request
///
/// The request's signature is checked first. What the certificate may be used for is decided by --profile or
/// --profile-file, and never by the request; its alternative names are granted by the profiles server and peer only, or
/// as the profile's file says. What the request asks for and doesn't get is told.
///
/// The CA's key may be in a file, or be kept by a command that signs; or --print-tbs writes what is to be signed on another
/// machine, and ca assemble makes the certificate of it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}\n\n{}", signer_command::PROTOCOL, passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Certificate of the CA, in PEM or DER. Its issuers may follow in the file, up to the root: what they allow is
    /// then checked
    #[arg(long, value_name = "FILE")]
    ca_cert: PathBuf,

    /// Certificate request, in PEM or DER
    #[arg(long, value_name = "FILE")]
    csr: PathBuf,

    /// Where to write the certificate, or what is to be signed; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    signer: AuthorityArgs,

    #[command(flatten)]
    profile: ProfileArgs,

    /// Serial number, decimal or hexadecimal (0x1) [default: random]
    #[arg(long, value_name = "SERIAL")]
    serial: Option<SerialNumber>,

    /// Report in JSON: "certificate" is its file, "report" what inspect --json says of it, "ungranted" what the request
    /// asks for and doesn't get; or of --print-tbs, "tbs" and the "signatureAlgorithm"
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
    --csr bot.csr.pem --profile-file bot.toml --out bot2.crt.pem
  countersign ca sign --ca-cert ca.crt.pem --csr bot.csr.pem --out bot3.crt.pem \\
    --signer-command 'openssl dgst -sha256 -sign ca.key.pem -passin env:CA_PASS'
  countersign ca sign --ca-cert ca.crt.pem --csr bot.csr.pem --print-tbs --out bot.tbs

A profile's file, bot.toml (docs/profiles.md has all of its keys):
  key-usage = [\"digitalSignature\"]
  extended-key-usage = [\"clientAuth\"]
  crl-distribution-points = [\"http://ca.example.com/ca.crl\"]
  subject.required = [\"CN\"]
  subject.allowed = [\"OU\", \"L\", \"ST\", \"C\"]
  subject.values = { O = \"Excelsior Bank\" }
  validity = { for = \"30d\", clamped = true }";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Everyone,
    };
    let inputs = Inputs::new().file("--ca-cert", &args.ca_cert);
    let inputs = args
        .signer
        .inputs(inputs)
        .file("--csr", &args.csr)
        .files("--profile-file", args.profile.file());
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    if args.signer.prints_tbs() {
        out.holds_binary()?;
    }
    let authority = args.signer.authority(&args.ca_cert)?;
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
    let prepared = authority
        .issuer
        .prepare(&issuance, &profile)
        .about(format!("signing {}", InputName(&args.csr)))?;
    let certificate = authority.sign(&prepared)?;

    chain::warn_of_unknown_issuers(&authority.issuer, &args.ca_cert);
    args.profile.warn_of_ungranted(prepared.ungranted());
    let out = (out, args.out.as_path());
    issued::write(out, &prepared, certificate.as_ref(), args.json)
}
