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
    signer_command::{self, SignerCommand, SignerCommandParser},
    signing::SigningKey,
    subject::Subject,
    ui,
};

/// Make a certificate request
///
/// The request (PKCS#10, in PEM) carries the subject, the public key and the alternative names, and is signed with the
/// key to prove that you have it. For a bot, the common name must be the name of its service user, in the same case.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}\n\n{}", signer_command::PROTOCOL, passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Subject, as /CN=bot/O=Org, or backwards as O=Org,CN=bot (RFC 4514)
    #[arg(long, value_name = "DN")]
    subject: Subject,

    /// Where to write the request; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    key: KeyArgs,

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

/// The flags that say whose request it is.
#[derive(Debug, clap::Args)]
struct KeyArgs {
    #[command(flatten)]
    key: Key,

    /// Passphrase of the key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser, conflicts_with = "public_key")]
    passin: Option<Source>,

    /// Command that signs with the private key and keeps it
    #[arg(long, value_name = "CMD", value_parser = SignerCommandParser, conflicts_with = "key")]
    signer_command: Option<SignerCommand>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Key {
    /// Private key, in PEM or DER
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Public key, in PEM or DER, of a private key that --signer-command signs with
    #[arg(long, value_name = "FILE", requires = "signer_command")]
    public_key: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  countersign csr create --key bot.key.pem --passin env:KEY_PASS --out bot.csr.pem \\
    --subject '/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB'
  countersign csr create --key server.key.pem --subject /CN=localhost --dns localhost --ip 127.0.0.1 \\
    --out server.csr.pem
  countersign csr create --public-key bot.pub.pem --subject /CN=demo-bot1 \\
    --out bot.csr.pem --signer-command 'openssl dgst -sha256 -sign bot.key.pem'";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let subject = args.subject.checked()?;
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Everyone,
    };
    let inputs = args.key.inputs();
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    let key = args.key.read()?;

    if args.names.is_empty() {
        // A server has names.
        new_key::warn_if_too_short_for_a_pod(key.public_key().algorithm());
    }
    let mut builder = args.names.request(subject);
    if let Some(algorithm) = args.signature.chosen() {
        builder = builder.signature_algorithm(algorithm);
    }
    let prepared = builder
        .prepare(key.public_key())
        .about("the certificate request")?;
    let request = key.sign(
        prepared.signature_algorithm(),
        prepared.as_der(),
        |signature| prepared.assemble(signature),
    )?;

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

impl KeyArgs {
    fn passin(&self) -> Flag<'_> {
        Flag::new("--passin", &self.passin)
    }

    fn inputs(&self) -> Inputs {
        let command = self.signer_command.iter();
        Inputs::new()
            .files("--key", &self.key.key)
            .files("--public-key", &self.key.public_key)
            .files(
                "--signer-command",
                &command.flat_map(SignerCommand::files).collect::<Vec<_>>(),
            )
            .passphrase(self.passin())
    }

    fn read(&self) -> Result<SigningKey, Error> {
        match (&self.key.key, &self.key.public_key, &self.signer_command) {
            (Some(path), ..) => Ok(SigningKey::Private(input::private_key(
                path,
                self.passin(),
            )?)),
            (None, Some(path), Some(command)) => Ok(SigningKey::Command(
                command.clone(),
                input::public_key(path)?,
            )),
            _ => Err(Error::misused(
                "a request needs --key, or --public-key and --signer-command",
            )),
        }
    }
}
