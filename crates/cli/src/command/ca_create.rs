//! `countersign ca create`

use std::path::{Path, PathBuf};

use pki::{DistinguishedName, Issuance, Profile};

use crate::{
    chain,
    error::{Context, Error},
    file_id::Inputs,
    help, input, issued,
    new_key::{self, KeyArgs},
    output::{self, Access, Output},
    passphrase::{self, Flag, Source, SourceParser},
    signature_choice::SignatureArgs,
    signer_command::{self, SignerCommand, SignerCommandParser},
    signing::{Authority, SigningKey},
    subject::Subject,
    ui,
};

/// Make a CA: its key and its certificate
///
/// Without --parent-cert it is a root, which signs itself; with it, an intermediate that the parent signs. Either is
/// what the Symphony Admin portal imports as a root or signing certificate, to admit every bot that it signs.
///
/// With --public-key the root's key exists, and a command keeps it and signs; or --print-tbs writes what is to be signed on another
/// machine, and ca assemble makes the root of it. The parent's key may be kept so, too. (An intermediate whose own key exists is made by
/// csr create and ca sign --profile intermediate.)
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}\n\n{}", signer_command::PROTOCOL, passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Subject, as '/CN=Bot CA/O=Org', or backwards as 'O=Org,CN=Bot CA' (RFC 4514)
    #[arg(long, value_name = "DN")]
    subject: Subject,

    /// Where to write the certificate, or what is to be signed; - is standard output
    #[arg(long, value_name = "FILE")]
    out_cert: PathBuf,

    #[command(flatten)]
    own_key: OwnKey,

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
    #[arg(long, value_name = "FILE", requires = "Signer")]
    parent_cert: Option<PathBuf>,

    #[command(flatten)]
    signer: Signer,

    /// Passphrase of the parent's key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser, requires = "parent_key", conflicts_with_all = ["signer_command", "print_tbs"])]
    parent_passin: Option<Source>,

    /// Passphrase to encrypt the new key with
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passout: Option<Source>,

    #[command(flatten)]
    signature: SignatureArgs,

    /// Report in JSON: "certificate" and "key" are its files, "report" is what inspect --json says of the certificate; of
    /// --print-tbs, "tbs" and the "signatureAlgorithm" stand in place of "certificate"
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

    /// Public key of a root, in PEM or DER, whose private key is elsewhere: for --signer-command or --print-tbs
    #[arg(
        long,
        value_name = "FILE",
        requires = "Signer",
        conflicts_with_all = ["kind", "bits", "parent_cert", "passout"]
    )]
    public_key: Option<PathBuf>,
}

/// Who signs it, where that is not a key that is made here.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Signer {
    /// Private key of the CA that signs, in PEM or DER
    #[arg(long, value_name = "FILE", requires = "parent_cert")]
    parent_key: Option<PathBuf>,

    /// Command that signs instead, and keeps the key: that of --parent-cert or of --public-key
    #[arg(long, value_name = "CMD", value_parser = SignerCommandParser)]
    signer_command: Option<SignerCommand>,

    /// Sign nothing: write what is to be signed (DER) to --out-cert, for ca assemble
    #[arg(long)]
    print_tbs: bool,
}

const WHAT: &str = "the CA's certificate";

const EXAMPLES: &str = "\
Examples:
  countersign ca create --subject '/CN=Excelsior Bank Root/O=Excelsior Bank/C=GB' --passout env:CA_PASS \\
    --out-cert ca.crt.pem --out-key ca.key.pem
  countersign ca create --subject '/CN=Excelsior Bank Bots/O=Excelsior Bank/C=GB' --passout env:BOTS_PASS \\
    --parent-cert ca.crt.pem --parent-key ca.key.pem --parent-passin env:CA_PASS \\
    --out-cert bots.crt.pem --out-key bots.key.pem
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out far.key.pem
  openssl pkey -in far.key.pem -pubout -out far.pub.pem
  countersign ca create --subject '/CN=Bot CA' --public-key far.pub.pem --out-cert far.crt.pem \\
    --signer-command 'openssl dgst -sha256 -sign far.key.pem'
  countersign ca create --subject '/CN=Bot CA' --public-key far.pub.pem --print-tbs --out-cert far.tbs";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let subject = args.subject.checked()?.clone();
    match (&args.own_key.out_key, &args.own_key.public_key) {
        (Some(out_key), _) => with_new_key(args, subject, out_key),
        (None, Some(public_key)) => with_public_key(args, subject, public_key),
        (None, None) => Err(Error::misused("a CA needs --out-key or --public-key")),
    }
}

/// A root or an intermediate, with a key that is made and written.
fn with_new_key(args: &Args, subject: DistinguishedName, path: &Path) -> Result<(), Error> {
    let kind = args.key.kind()?;
    let signer = &args.signer;
    let is_signed_elsewhere = signer.signer_command.is_some() || signer.print_tbs;
    if args.parent_cert.is_none() && is_signed_elsewhere {
        return Err(Error::misused("a root with a new key is signed with that key").hint(
            "--public-key names a key that exists, --parent-cert the CA that signs an intermediate",
        ));
    }
    let passout = Flag::new("--passout", &args.passout);
    let out_key = Output {
        flag: "--out-key",
        path,
        access: Access::Owner,
    };
    let inputs = args.inputs().passphrase(passout);
    let [out_cert, out_key] = output::claim([args.out_cert(), out_key], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out_cert, &out_key])?;
    if signer.print_tbs {
        out_cert.holds_binary()?;
    }
    let parent = args.parent()?;
    let passphrase = passout.chosen("the CA's key")?;

    let key = new_key::generate(kind, None)?;
    let issuance = Issuance::for_key(key.public_key(), subject);
    let (prepared, certificate) = match &parent {
        None => {
            let profile = args.profile(Profile::root());
            let prepared = issuance.prepare_self_signed(&profile).about(WHAT)?;
            let certificate = prepared.sign(&key).about(WHAT)?;
            (prepared, Some(certificate))
        }
        Some((parent, file)) => {
            let profile = args.profile(Profile::intermediate());
            let prepared = parent.issuer.prepare(&issuance, &profile).about(WHAT)?;
            let certificate = parent.sign(&prepared)?;
            chain::warn_of_unknown_issuers(&parent.issuer, file);
            (prepared, certificate)
        }
    };

    let pem = new_key::to_pem(&key, passphrase.as_ref())?;
    output::write([
        (out_cert, &issued::file(&prepared, certificate.as_ref())),
        (out_key, pem.as_bytes()),
    ])?;
    new_key::note_written(&key, passphrase.is_some(), path);
    issued::note(&prepared, certificate.as_ref(), &args.out_cert);
    if args.json {
        let files = [("key", Some(path))];
        ui::json(&issued::report(
            &prepared,
            certificate.as_ref(),
            &args.out_cert,
            files,
        )?)?;
    }
    Ok(())
}

/// A root, signed by a command that keeps its key, or elsewhere.
fn with_public_key(args: &Args, subject: DistinguishedName, path: &Path) -> Result<(), Error> {
    let [out] = output::claim([args.out_cert()], &args.inputs(), args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    if args.signer.print_tbs {
        out.holds_binary()?;
    }
    let key = input::public_key(path)?;

    let profile = args.profile(Profile::root());
    let prepared = Issuance::for_key(&key, subject).prepare_self_signed(&profile);
    let prepared = prepared.about(WHAT)?;
    let command = args.signer.signer_command.clone();
    let key = command.map(|command| SigningKey::Command(command, key));
    let certificate = key.map(|key| key.certificate(&prepared)).transpose()?;

    let file = issued::file(&prepared, certificate.as_ref());
    output::write([(out, file.as_slice())])?;
    issued::note(&prepared, certificate.as_ref(), &args.out_cert);
    if args.json {
        ui::json(&issued::report(
            &prepared,
            certificate.as_ref(),
            &args.out_cert,
            [],
        )?)?;
    }
    Ok(())
}

impl Args {
    fn parent_passin(&self) -> Flag<'_> {
        Flag::new("--parent-passin", &self.parent_passin)
    }

    /// The files that it reads.
    fn inputs(&self) -> Inputs {
        SignerCommand::inputs(self.signer.signer_command.as_ref(), Inputs::new())
            .files("--public-key", &self.own_key.public_key)
            .files("--parent-cert", &self.parent_cert)
            .files("--parent-key", &self.signer.parent_key)
            .passphrase(self.parent_passin())
    }

    /// The CA that signs an intermediate, and the file of its certificate.
    fn parent(&self) -> Result<Option<(Authority, &Path)>, Error> {
        let Some(file) = &self.parent_cert else {
            return Ok(None);
        };
        let key = self.signer.parent_key.as_ref();
        let key = key.map(|path| input::private_key(path, self.parent_passin()));
        let command = self.signer.signer_command.as_ref();
        let authority = Authority::read(file, key.transpose()?, command)?;
        Ok(Some((authority, file)))
    }

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
