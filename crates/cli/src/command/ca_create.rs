//! `countersign ca create`

use std::path::{Path, PathBuf};

use pki::{CertificateAuthority, Issuance, Profile};
use serde_json::json;

use crate::{
    chain,
    error::{Context, Error},
    file_id::Inputs,
    help, input,
    new_key::{self, KeyArgs},
    output::{self, Access, Output},
    passphrase::{self, Flag, Source, SourceParser},
    report::Report,
    signature_choice::SignatureArgs,
    signer_command::{self, SignerCommand, SignerCommandParser},
    signing::SigningKey,
    subject::Subject,
    ui,
};

/// Make a CA: its key and its certificate
///
/// Without --parent-cert it is a root, which signs itself; with it, an intermediate that the parent signs. Either is
/// what the Symphony Admin portal imports as a root or signing certificate, to admit every bot that it signs.
///
/// With --public-key the key exists, and a command keeps it: it signs the root. (An intermediate with such a key is made by
/// csr create and ca sign --profile intermediate.)
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}\n\n{}", signer_command::PROTOCOL, passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Subject, as '/CN=Bot CA/O=Org', or backwards as 'O=Org,CN=Bot CA' (RFC 4514)
    #[arg(long, value_name = "DN")]
    subject: Subject,

    /// Where to write the certificate; - is standard output
    #[arg(long, value_name = "FILE")]
    out_cert: PathBuf,

    #[command(flatten)]
    own_key: OwnKey,

    /// Command that signs with the private key and keeps it
    #[arg(long, value_name = "CMD", value_parser = SignerCommandParser, conflicts_with = "out_key")]
    signer_command: Option<SignerCommand>,

    /// Days of validity [default: 3650 for a root; 1825 for an intermediate, or until its parent ends]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    days: Option<u32>,

    /// How many further CAs may stand between this one and a bot's certificate
    #[arg(long, value_name = "N")]
    path_len: Option<u32>,

    #[command(flatten)]
    key: KeyArgs,

    /// Certificate of the CA that signs this one. Its issuers may follow in the file, up to the root: what they
    /// allow is then checked
    #[arg(long, value_name = "FILE", requires = "parent_key")]
    parent_cert: Option<PathBuf>,

    /// Its private key
    #[arg(long, value_name = "FILE", requires = "parent_cert")]
    parent_key: Option<PathBuf>,

    /// Passphrase of the parent's key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser, requires = "parent_cert")]
    parent_passin: Option<Source>,

    /// Passphrase to encrypt the new key with
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passout: Option<Source>,

    #[command(flatten)]
    signature: SignatureArgs,

    /// Report in JSON: "certificate" and "key" are its files, "report" is what inspect --json says of the certificate
    #[arg(long)]
    json: bool,

    /// Replace the files if they exist
    #[arg(long)]
    force: bool,
}

/// Whose CA it is.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct OwnKey {
    /// Where to write the private key
    #[arg(long, value_name = "FILE")]
    out_key: Option<PathBuf>,

    /// Public key, in PEM or DER, of a private key that --signer-command signs with
    #[arg(
        long,
        value_name = "FILE",
        requires = "signer_command",
        conflicts_with_all = ["kind", "bits", "parent_cert", "passout"]
    )]
    public_key: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  countersign ca create --subject '/CN=Excelsior Bank Root/O=Excelsior Bank/C=GB' --passout env:CA_PASS \\
    --out-cert ca.crt.pem --out-key ca.key.pem
  countersign ca create --subject '/CN=Excelsior Bank Bots/O=Excelsior Bank/C=GB' --passout env:BOTS_PASS \\
    --parent-cert ca.crt.pem --parent-key ca.key.pem --parent-passin env:CA_PASS \\
    --out-cert bots.crt.pem --out-key bots.key.pem
  countersign ca create --subject '/CN=Bot CA' --out-cert ca.crt.pem \\
    --public-key ca.pub.pem \\
    --signer-command 'openssl dgst -sha256 -sign ca.key.pem'";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let OwnKey {
        out_key,
        public_key,
    } = &args.own_key;
    match (out_key, public_key, &args.signer_command) {
        (Some(out_key), ..) => with_new_key(args, out_key),
        (None, Some(public_key), Some(command)) => with_command(args, public_key, command),
        _ => Err(Error::misused(
            "a CA needs --out-key, or --public-key and --signer-command",
        )),
    }
}

/// A root or an intermediate, with a key that is made and written.
fn with_new_key(args: &Args, path: &Path) -> Result<(), Error> {
    let kind = args.key.kind()?;
    let subject = args.subject.checked()?.clone();
    let parent_passin = Flag::new("--parent-passin", &args.parent_passin);
    let passout = Flag::new("--passout", &args.passout);
    let out_cert = args.out_cert();
    let out_key = Output {
        flag: "--out-key",
        path,
        access: Access::Owner,
    };
    let inputs = Inputs::new()
        .files("--parent-cert", &args.parent_cert)
        .files("--parent-key", &args.parent_key)
        .passphrase(parent_passin)
        .passphrase(passout);
    let [out_cert, out_key] = output::claim([out_cert, out_key], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out_cert, &out_key])?;
    let parent = match (&args.parent_cert, &args.parent_key) {
        (Some(cert), Some(key)) => Some((input::authority(cert, key, parent_passin)?.0, cert)),
        _ => None,
    };
    let passphrase = passout.chosen("the CA's key")?;

    let key = new_key::generate(kind, None)?;
    let authority = match &parent {
        None => CertificateAuthority::create_root(subject, key, &args.profile(Profile::root())),
        Some((parent, _)) => {
            parent.create_intermediate(subject, key, &args.profile(Profile::intermediate()))
        }
    }
    .about("the CA's certificate")?;

    if let Some((parent, cert)) = &parent {
        chain::warn_of_unknown_issuers(parent.issuer(), cert);
    }
    let key = new_key::to_pem(authority.private_key(), passphrase.as_ref())?;
    let certificate = authority.certificate().to_pem();
    output::write([
        (out_cert, certificate.as_bytes()),
        (out_key, key.as_bytes()),
    ])?;
    new_key::note_written(authority.private_key(), passphrase.is_some(), path);
    ui::note_certificate(authority.certificate(), &args.out_cert);
    if args.json {
        let report = Report::read(certificate.as_bytes(), None).about(args.out_cert.display())?;
        ui::json(&json!({
            "certificate": args.out_cert.display().to_string(),
            "key": path.display().to_string(),
            "report": report,
        }))?;
    }
    Ok(())
}

/// A root, signed by a command that keeps its key.
fn with_command(args: &Args, public_key: &Path, command: &SignerCommand) -> Result<(), Error> {
    let subject = args.subject.checked()?.clone();
    let inputs = Inputs::new()
        .file("--public-key", public_key)
        .files("--signer-command", &command.files());
    let [out] = output::claim([args.out_cert()], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    let key = input::public_key(public_key)?;

    let prepared = Issuance::for_key(&key, subject)
        .prepare_self_signed(&args.profile(Profile::root()))
        .about("the CA's certificate")?;
    let certificate = SigningKey::Command(command.clone(), key).sign(
        prepared.signature_algorithm(),
        prepared.as_der(),
        |signature| prepared.assemble(signature),
    )?;

    let pem = certificate.to_pem();
    output::write([(out, pem.as_bytes())])?;
    ui::note_certificate(&certificate, &args.out_cert);
    if args.json {
        let report = Report::read(pem.as_bytes(), None).about(args.out_cert.display())?;
        ui::json(&json!({
            "certificate": args.out_cert.display().to_string(),
            "report": report,
        }))?;
    }
    Ok(())
}

impl Args {
    fn out_cert(&self) -> Output<'_> {
        Output {
            flag: "--out-cert",
            path: &self.out_cert,
            access: Access::Everyone,
        }
    }

    fn profile(&self, mut profile: Profile) -> Profile {
        if let Some(days) = self.days {
            profile = profile.valid_for_days(days);
        }
        if let Some(path_len) = self.path_len {
            profile = profile.path_len(path_len);
        }
        if let Some(algorithm) = self.signature.chosen() {
            profile = profile.signature_algorithm(algorithm);
        }
        profile
    }
}
