//! `countersign csr create`

use std::path::PathBuf;

use serde_json::json;

use crate::{
    alt_name::AltNameArgs,
    error::{Context, Error},
    file_id::Inputs,
    file_name::OutputName,
    help, input, new_key,
    output::{self, Access, Output},
    passphrase::{self, Flag, Source, SourceParser},
    report::Report,
    signature_choice::SignatureArgs,
    subject::Subject,
    ui,
};

/// Make a certificate request
///
/// The request (PKCS#10, in PEM) carries the subject, the public key and the alternative names, and is signed with the
/// key to prove that you have it. For a bot, the common name must be the name of its service user, in the same case.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Private key, in PEM or DER
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Subject, as /CN=bot/O=Org, or backwards as O=Org,CN=bot (RFC 4514)
    #[arg(long, value_name = "DN")]
    subject: Subject,

    /// Where to write the request; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Passphrase of the key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    #[command(flatten)]
    names: AltNameArgs,

    #[command(flatten)]
    signature: SignatureArgs,

    /// Report in JSON: "request" is its file, "report" what inspect --json says of it
    #[arg(long)]
    json: bool,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign csr create --key bot.key.pem --passin env:KEY_PASS --out bot.csr.pem \\
    --subject '/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB'
  countersign csr create --key server.key.pem --subject /CN=localhost --dns localhost --ip 127.0.0.1 \\
    --out server.csr.pem";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let subject = args.subject.checked()?;
    let passin = Flag::new("--passin", &args.passin);
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Everyone,
    };
    let inputs = Inputs::new().file("--key", &args.key).passphrase(passin);
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    let key = input::private_key(&args.key, passin)?;

    if args.names.is_empty() {
        // A server has names.
        new_key::warn_if_too_short_for_a_pod(key.algorithm());
    }
    let mut builder = args.names.request(subject);
    if let Some(algorithm) = args.signature.chosen() {
        builder = builder.signature_algorithm(algorithm);
    }
    let request = builder.sign(&key).about("the certificate request")?;

    let pem = request.to_pem();
    output::write([(out, pem.as_bytes())])?;
    ui::note(format!(
        "{}: certificate request of {}",
        OutputName(&args.out),
        request.subject()
    ));
    if args.json {
        let report = Report::read(pem.as_bytes(), None).about(args.out.display())?;
        ui::json(&json!({
            "request": args.out.display().to_string(),
            "report": report,
        }))?;
    }
    Ok(())
}
