//! `countersign cert self-sign`

use std::path::PathBuf;

use pki::{Issuance, SerialNumber};

use crate::{
    alt_name::AltNameArgs,
    error::{Context, Error},
    file_id::Inputs,
    help, input, issued,
    output::{self, Access, Output},
    passphrase::{self, Flag, Source, SourceParser},
    profile_choice::ProfileArgs,
    subject::Subject,
};

/// Make a certificate that its own key signs
///
/// For a test server, or for a peer that is trusted by its certificate and not by a CA. countersign ca create makes a root; a CA by
/// --profile-file is one, too. What it may be used for is decided by --profile or --profile-file; names are granted by the profiles server and peer only, or as
/// the profile's file says.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)),
    mut_arg("profile", |it| it.default_value("server")),
    mut_arg("days", |it| it.help("Days of validity [default: 365]; a profile's file has its own"))
)]
pub(crate) struct Args {
    /// Private key, in PEM or DER
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Subject, as /CN=localhost/O=Org, or backwards as O=Org,CN=localhost (RFC 4514)
    #[arg(long, value_name = "DN")]
    subject: Subject,

    /// Where to write the certificate; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Passphrase of the key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    #[command(flatten)]
    names: AltNameArgs,

    #[command(flatten)]
    profile: ProfileArgs,

    /// Serial number, decimal or hexadecimal (0x1) [default: random]
    #[arg(long, value_name = "SERIAL")]
    serial: Option<SerialNumber>,

    /// Report in JSON: "certificate" is its file, "report" what inspect --json says of it, "ungranted" what the profile
    /// didn't grant
    #[arg(long)]
    json: bool,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign cert self-sign --key server.key.pem --subject /CN=localhost --out test.crt.pem \\
    --dns localhost --ip 127.0.0.1 --days 30
  countersign cert self-sign --key bot.key.pem --passin env:KEY_PASS --subject /CN=peer1 \\
    --out peer.crt.pem --profile client";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let subject = args.subject.checked()?;
    if args.profile.is_intermediate() {
        return Err(Error::misused("a CA that its own key signs is a root")
            .hint("countersign ca create makes one, with its key"));
    }
    let passin = Flag::new("--passin", &args.passin);
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Everyone,
    };
    let inputs = Inputs::new()
        .file("--key", &args.key)
        .passphrase(passin)
        .files("--profile-file", args.profile.file());
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    let profile = args.profile.read()?;
    let key = input::private_key(&args.key, passin)?;

    // A request, because the profile decides what is granted to one; an issuance of its own would have its way.
    let about = || format!("the certificate of {subject}");
    let request = args.names.request(subject).sign(&key).about(about())?;
    let mut issuance = Issuance::for_request(&request.verify().about(about())?);
    if let Some(serial) = &args.serial {
        issuance = issuance.serial_number(serial.clone());
    }
    let prepared = issuance.prepare_self_signed(&profile).about(about())?;
    args.profile.refuse_ungranted_names(prepared.ungranted())?;
    let certificate = prepared.sign(&key).about(about())?;

    issued::write((out, &args.out), &prepared, Some(&certificate), args.json)
}
