//! `countersign csr create`

use std::path::PathBuf;

use pki::{PreparedRequest, PublicKey};
use serde_json::json;

use crate::{
    alt_name::AltNameArgs,
    error::{Context, Error},
    file_id::Inputs,
    help, input, new_key,
    output::{self, Access, Output, Target},
    passphrase::{self, Flag, Source, SourceParser},
    report::Report,
    signature_choice::SignatureArgs,
    signer_command::{self, SignerCommand, SignerCommandParser},
    signing::{self, SigningKey},
    subject::Subject,
    ui,
};

/// Make a certificate request
///
/// The request (PKCS#10, in PEM) carries the subject, the public key and the alternative names, and is signed with the
/// key to prove that you have it. The key may be in a file, or be kept by a command that signs; or --print-tbs writes what is to be
/// signed on another machine, and ca assemble makes the request of it. For a bot, the common name must be the name of its service user, in the same case.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}\n\n{}", signer_command::PROTOCOL, passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Subject, as /CN=bot/O=Org, or backwards as O=Org,CN=bot (RFC 4514)
    #[arg(long, value_name = "DN")]
    subject: Subject,

    /// Where to write the request, or what is to be signed; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    names: AltNameArgs,

    #[command(flatten)]
    signature: SignatureArgs,

    /// Report in JSON: "request" is its file, "report" what inspect --json says of it; of --print-tbs, "tbs" and the
    /// "signatureAlgorithm" stand in place of "request"
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

    #[command(flatten)]
    signer: Signer,
}

/// Who signs with the private half of a public key.
#[derive(Debug, clap::Args)]
#[group(multiple = false, conflicts_with = "key")]
struct Signer {
    /// Command that signs with the private key and keeps it
    #[arg(long, value_name = "CMD", value_parser = SignerCommandParser)]
    signer_command: Option<SignerCommand>,

    /// Sign nothing: write what is to be signed (DER), for ca assemble
    #[arg(long)]
    print_tbs: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Key {
    /// Private key, in PEM or DER
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Public key, in PEM or DER, whose private key is elsewhere: for --signer-command or --print-tbs
    #[arg(long, value_name = "FILE", requires = "Signer")]
    public_key: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  countersign csr create --key bot.key.pem --passin env:KEY_PASS --out bot.csr.pem \\
    --subject '/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB'
  countersign csr create --key server.key.pem --subject /CN=localhost --dns localhost --ip 127.0.0.1 \\
    --out server.csr.pem
  openssl pkey -in bot.key.pem -passin env:KEY_PASS -pubout -out bot.pub.pem
  countersign csr create --public-key bot.pub.pem --subject /CN=demo-bot1 --out bot2.csr.pem \\
    --signer-command 'openssl dgst -sha256 -sign bot.key.pem -passin env:KEY_PASS'
  countersign csr create --public-key bot.pub.pem --subject /CN=demo-bot1 --print-tbs --out bot3.tbs";

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
    if args.key.signer.print_tbs {
        out.holds_binary()?;
    }
    let (key, signer) = args.key.read()?;

    if args.names.is_empty() {
        // A server has names.
        new_key::warn_if_too_short_for_a_pod(key.algorithm());
    }
    let mut builder = args.names.request(subject);
    if let Some(algorithm) = args.signature.chosen() {
        builder = builder.signature_algorithm(algorithm);
    }
    let prepared = builder.prepare(&key).about("the certificate request")?;
    let Some(signer) = signer else {
        return write_to_be_signed(args, out, &prepared);
    };
    let request = signer.sign(
        prepared.signature_algorithm(),
        prepared.as_der(),
        |signature| prepared.assemble(signature),
    )?;

    let pem = request.to_pem();
    output::write([(out, pem.as_bytes())])?;
    ui::note_request(&request, &args.out);
    if args.json {
        let report = Report::read(pem.as_bytes(), None).about(args.out.display())?;
        ui::json(&json!({
            "request": args.out.display().to_string(),
            "report": report,
        }))?;
    }
    Ok(())
}

/// Writes what somebody else is to sign.
fn write_to_be_signed(args: &Args, out: Target, prepared: &PreparedRequest) -> Result<(), Error> {
    let algorithm = prepared.signature_algorithm();
    output::write([(out, prepared.as_der())])?;
    let flag = args.signature.as_flag();
    signing::note_to_be_signed(algorithm, None, flag.as_deref(), &args.out);
    if args.json {
        let unsigned = prepared.unsigned().as_der();
        let report = Report::read(unsigned, None).about(args.out.display())?;
        ui::json(&json!({
            "tbs": args.out.display().to_string(),
            "signatureAlgorithm": algorithm.name(),
            "digest": signer_command::digest(algorithm),
            "report": report.unsigned(),
        }))?;
    }
    Ok(())
}

impl KeyArgs {
    fn passin(&self) -> Flag<'_> {
        Flag::new("--passin", &self.passin)
    }

    fn inputs(&self) -> Inputs {
        SignerCommand::inputs(self.signer.signer_command.as_ref(), Inputs::new())
            .files("--key", &self.key.key)
            .files("--public-key", &self.key.public_key)
            .passphrase(self.passin())
    }

    /// The key that is asked for, and who signs with it: nobody here, where that is carried elsewhere.
    fn read(&self) -> Result<(PublicKey, Option<SigningKey>), Error> {
        let signer = match (&self.key.key, &self.key.public_key) {
            (Some(path), _) => SigningKey::Private(input::private_key(path, self.passin())?),
            (None, Some(path)) => {
                let key = input::public_key(path)?;
                match self.signer.signer_command.clone() {
                    Some(command) => SigningKey::Command(command, key),
                    None => return Ok((key, None)),
                }
            }
            (None, None) => return Err(Error::misused("a request needs --key or --public-key")),
        };
        Ok((signer.public_key().clone(), Some(signer)))
    }
}
