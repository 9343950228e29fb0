//! `countersign cert renew`

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use pki::{Certificate, Issuance, PublicKey, SerialNumber};

use crate::{
    chain,
    error::{Context, Error},
    file_id::Inputs,
    file_name::InputName,
    help, input, issued,
    output::{self, Access, Output},
    passphrase::{self, Flag, Source, SourceParser},
    profile_choice::ProfileArgs,
    signer_command,
    signing::{AuthorityArgs, SigningKey},
    ui,
};

/// Renew a certificate: make the one that follows it
///
/// The new certificate has the subject, the names and all other extensions of the old one, is valid for as long from now on, and has another
/// serial number. It has the same key, or with --csr that of a request, from which nothing else is taken. What --profile or --profile-file would not grant
/// to a new certificate is kept, and told.
///
/// The CA must be the one that issued the old certificate; its key may be in a file, or be kept by a command that signs; or --print-tbs
/// writes what is to be signed on another machine, and ca assemble makes the certificate of it. A certificate that its own key signed is
/// renewed by that key, or by another one, without --ca-cert: by --key, or by a command that keeps it.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}\n\n{}", signer_command::PROTOCOL, passphrase::SOURCES)),
    mut_arg("ca_key", |it| it.requires("ca_cert")),
    mut_arg("ca_passin", |it| it.requires("ca_cert")),
    mut_arg("profile", |it| {
        it.help("What a new certificate would be granted [default: by what the old one is for]")
            .default_value(None)
    }),
)]
pub(crate) struct Args {
    /// The old certificate, in PEM or DER: the first one in the file
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,

    /// Where to write the new certificate, or what is to be signed; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Certificate of the CA, in PEM or DER. Its issuers may follow in the file, up to the root: what they allow is
    /// then checked
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,

    #[command(flatten)]
    signer: AuthorityArgs,

    /// Certificate request with the new key, in PEM or DER [default: the key stays the same]
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    csr: Option<PathBuf>,

    /// Instead of a CA: the key of a certificate that signed itself, or a new one in its place
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "ca_cert",
        group = "CaSigner"
    )]
    key: Option<PathBuf>,

    /// Its passphrase, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser, requires = "key")]
    passin: Option<Source>,

    #[command(flatten)]
    profile: ProfileArgs,

    /// Serial number, decimal or hexadecimal (0x1) [default: random]
    #[arg(long, value_name = "SERIAL")]
    serial: Option<SerialNumber>,

    /// Report in JSON: "certificate" is its file, "report" what inspect --json says of it, "ungranted" what the profile would not
    /// grant to a new one; or of --print-tbs, "tbs" and the "signatureAlgorithm"
    #[arg(long)]
    json: bool,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign cert renew --cert bot.crt.pem --out bot.new.crt.pem \\
    --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS
  countersign key generate --type ec-p256 --out server2.key.pem
  countersign csr create --key server2.key.pem --subject /CN=localhost --out server2.csr.pem
  countersign cert renew --cert server.crt.pem --out server.new.crt.pem --csr server2.csr.pem \\
    --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS --days 90
  countersign cert renew --cert bot.crt.pem --out bot.newer.crt.pem --ca-cert ca.crt.pem \\
    --signer-command 'openssl dgst -sha256 -sign ca.key.pem -passin env:CA_PASS'
  countersign cert renew --cert test.crt.pem --out test.new.crt.pem --key server.key.pem";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let passin = Flag::new("--passin", &args.passin);
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Everyone,
    };
    let inputs = Inputs::new()
        .file("--cert", &args.cert)
        .files("--ca-cert", &args.ca_cert);
    let inputs = args
        .signer
        .inputs(inputs)
        .files("--csr", &args.csr)
        .files("--key", &args.key)
        .passphrase(passin)
        .files("--profile-file", args.profile.file());
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    if args.signer.prints_tbs() {
        out.holds_binary()?;
    }
    let old = input::certificate(&args.cert)?;
    let granted = args.profile.or_that_of(&old);
    let profile = granted.read()?;

    let about = || format!("renewing {}", InputName(&args.cert));
    let requested = || {
        let key = args.csr.as_ref().map(|csr| requested_key(csr, &old));
        key.transpose()
    };
    let (prepared, certificate) = match &args.ca_cert {
        Some(cert) => {
            let authority = args.signer.authority(cert)?;
            let issuance = args.issuance(&old, requested()?.as_ref()).about(about())?;
            let prepared = authority.issuer.prepare(&issuance, &profile);
            let prepared = prepared.about(about())?;
            let certificate = authority.sign(&prepared)?;
            chain::warn_of_unknown_issuers(&authority.issuer, cert);
            (prepared, certificate)
        }
        None if args.key.is_none() && !old.is_self_signed() => {
            return Err(Error::misused(format!(
                "{}: its own key did not sign it",
                InputName(&args.cert)
            ))
            .hint(format!("name its CA with --ca-cert: {}", old.issuer())));
        }
        None => {
            let key = args.key.as_ref();
            let key = key.map(|it| input::private_key(it, passin).map(SigningKey::Private));
            let key = key.transpose()?;
            let public = match &key {
                Some(key) => Some(key.public_key().clone()),
                None => requested()?,
            };
            let issuance = args.issuance(&old, public.as_ref()).about(about())?;
            let prepared = issuance.prepare_self_signed(&profile).about(about())?;
            let key = key.or_else(|| args.signer.command(prepared.signing_key()));
            let certificate = key.map(|key| key.certificate(&prepared)).transpose()?;
            (prepared, certificate)
        }
    };

    granted.warn_of_kept(prepared.ungranted());
    let out = (out, args.out.as_path());
    issued::write(out, &prepared, certificate.as_ref(), args.json)
}

impl Args {
    /// The certificate that follows the old one, with this key or its own.
    fn issuance(&self, old: &Certificate, key: Option<&PublicKey>) -> Result<Issuance, pki::Error> {
        let own = old.public_key();
        let issuance = match key.filter(|key| own.as_ref() != Ok(key)) {
            Some(key) => Issuance::renewal_with_key(old, key),
            None => Issuance::renewal(old)?,
        };
        Ok(match &self.serial {
            Some(serial) => issuance.serial_number(serial.clone()),
            None => issuance,
        })
    }
}

/// The key of a request by whom the old certificate is about.
fn requested_key(path: &Path, old: &Certificate) -> Result<PublicKey, Error> {
    let request = input::request(path)?;
    request.verify().about(InputName(path))?;
    if !request.subject().matches(old.subject()) {
        return Err(Error::refused(format!(
            "{}: a request of {}, while the certificate is about {}",
            InputName(path),
            request.subject(),
            old.subject()
        ))
        .hint("countersign ca sign makes a certificate with another subject"));
    }
    let kept: HashSet<_> = old.subject_alt_names().iter().collect();
    let others: Vec<_> = request
        .subject_alt_names()
        .iter()
        .filter(|name| !kept.contains(name))
        .map(ToString::to_string)
        .collect();
    if !others.is_empty() {
        ui::warn(format!(
            "the certificate keeps the names that it has, and gets none of {}: {}",
            InputName(path),
            others.join(", ")
        ));
    }
    Ok(request.public_key().clone())
}
