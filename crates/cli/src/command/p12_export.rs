//! `countersign p12 export`

use std::path::{Path, PathBuf};

use pki::{Certificate, Pkcs12, Pkcs12Builder, Pkcs12Profile, PrivateKey};
use serde_json::json;

use crate::{
    chain,
    error::{Context, Error},
    file_id::Inputs,
    file_name::{InputName, OutputName},
    help, input,
    output::{self, Access, Output},
    passphrase::{self, Flag, Source, SourceParser},
    report::Report,
    ui,
};

/// Pack a key and its certificates into a PKCS#12 bundle
///
/// The key and the certificate must belong together. The certificates are written leaf first, whatever order they are
/// given in. Without --profile, encryption is AES-256 and the MAC is SHA-256, which openssl, Java 8u301 and later, GnuTLS
/// and NSS read.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Where to write the bundle; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Certificate, in PEM or DER; further certificates in the file, before or after it, are taken as its chain
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "trusted",
        requires = "key"
    )]
    cert: Option<PathBuf>,

    /// Its private key, in PEM or DER
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// Passphrase of the key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    /// Certificates of its issuers; may be repeated
    #[arg(long, value_name = "FILE", requires = "cert")]
    chain: Vec<PathBuf>,

    /// Trust store (PEM, DER, PKCS#12 or JKS) whose certificates go into the bundle as trusted ones; may be repeated.
    /// Alone, it makes a trust store for Java
    #[arg(long, value_name = "FILE")]
    trusted: Vec<PathBuf>,

    /// Passphrase of the trust stores
    #[arg(long, value_name = "SRC", value_parser = SourceParser, requires = "trusted")]
    trusted_passin: Option<Source>,

    /// Name (alias) of the entry [default: the certificate's common name]
    #[arg(long, value_name = "ALIAS", requires = "cert")]
    name: Option<String>,

    /// Algorithms
    #[arg(long, value_enum, default_value_t = Profile::Modern)]
    profile: Profile,

    /// Iterations of the key derivation
    #[arg(long, value_name = "N")]
    iterations: Option<u32>,

    /// Passphrase of the bundle
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passout: Option<Source>,

    /// Report in JSON: "bundle" is its file, "report" what p12 info --json says of it
    #[arg(long)]
    json: bool,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Profile {
    /// AES-256 and SHA-256
    Modern,
    /// AES-256 and a PBMAC1 (RFC 9579), which OpenSSL 3.4 and later reads and most others refuse
    Pbmac1,
    /// 3DES and SHA-1, weak, for old Java, macOS and Windows
    Legacy,
}

impl From<Profile> for Pkcs12Profile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Modern => Self::Modern,
            Profile::Pbmac1 => Self::Pbmac1,
            Profile::Legacy => Self::Legacy,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  countersign p12 export --cert bot.crt.pem --key bot.key.pem --passin env:KEY_PASS --chain ca.crt.pem \\
    --name demo-bot1 --passout env:P12_PASS --out bot.p12
  countersign p12 export --trusted ca.crt.pem --passout env:STORE_PASS --out trust.p12";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let passout = Flag::new("--passout", &args.passout);
    let trusted_passin = Flag::new("--trusted-passin", &args.trusted_passin);
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Owner,
    };
    let inputs = Inputs::new()
        .files("--cert", &args.cert)
        .files("--key", &args.key)
        .passphrase(Flag::new("--passin", &args.passin))
        .files("--chain", &args.chain)
        .files("--trusted", &args.trusted)
        .passphrase(trusted_passin)
        .passphrase(passout);
    let [out] = output::claim([out], &inputs, args.force)?;
    out.holds_binary()?;
    output::keep_for_report(args.json, &[&out])?;
    let identity = match (&args.cert, &args.key) {
        (Some(cert), Some(key)) => Some(Identity::read(args, cert, key)?),
        _ => None,
    };
    let mut builder = match &identity {
        Some(identity) => identity.builder()?,
        None => Pkcs12::trust_builder(),
    };
    let trusted = input::trust_stores(&args.trusted, trusted_passin)?;
    for store in &trusted {
        for (alias, certificate) in store.entries() {
            builder = match alias {
                Some(alias) => builder.trusted_as(alias, certificate),
                None => builder.trusted(certificate),
            };
        }
    }
    builder = builder.profile(args.profile.into());
    let common_name = || identity.as_ref()?.certificate.subject().common_name();
    if let Some(name) = args.name.as_deref().or_else(common_name) {
        builder = builder.alias(name);
    }
    if let Some(iterations) = args.iterations {
        builder = builder.iterations(iterations);
    }
    let passphrase = passout.chosen_or_asked("the bundle")?;
    for warning in builder.warnings(&passphrase) {
        ui::warn(warning);
    }

    let bundle = {
        let _progress = ui::progress("encrypting the bundle");
        builder.to_der(&passphrase).about(OutputName(&args.out))?
    };
    if let Some(identity) = &identity {
        identity.warn();
    }
    output::write([(out, &bundle)])?;
    let out = OutputName(&args.out);
    ui::note(match &identity {
        Some(identity) => format!(
            "{out}: PKCS#12 bundle of {}",
            identity.certificate.subject()
        ),
        None => format!("{out}: PKCS#12 bundle of trusted certificates"),
    });
    if args.json {
        let report = Report::read(&bundle, Some(&passphrase)).about(&out)?;
        ui::json(&json!({
            "bundle": args.out.display().to_string(),
            "report": report,
        }))?;
    }
    Ok(())
}

/// What a bundle is about, unless it holds trusted certificates alone.
struct Identity<'a> {
    key: PrivateKey,
    certificate: Certificate,
    chain: Vec<Certificate>,
    /// Where key and certificate come from, for messages.
    paths: (&'a Path, &'a Path),
}

impl<'a> Identity<'a> {
    fn read(args: &Args, cert: &'a Path, key: &'a Path) -> Result<Self, Error> {
        let paths = (key, cert);
        // What can fail without a passphrase comes before one is asked for.
        let mut chain = input::certificates(cert)?;
        let key = input::private_key(key, Flag::new("--passin", &args.passin))?;
        // In whatever order: the key's own. If there is none, the first one's mismatch is told.
        let own = chain
            .iter()
            .position(|it| it.public_key().is_ok_and(|it| it == *key.public_key()))
            .unwrap_or(0);
        if own >= chain.len() {
            return Err(Error::failed(format!(
                "{}: no certificate",
                InputName(cert)
            )));
        }
        let certificate = chain.remove(own);
        for path in &args.chain {
            chain.extend(input::certificates(path)?);
        }
        Ok(Self {
            key,
            certificate,
            chain,
            paths,
        })
    }

    fn builder(&self) -> Result<Pkcs12Builder<'_>, Error> {
        let (key, cert) = self.paths;
        let about = format!("{} with {}", InputName(key), InputName(cert));
        let builder = Pkcs12::builder(&self.key, &self.certificate).about(about)?;
        Ok(builder.chain(&self.chain))
    }

    /// Says what would be in the way of a login, as the doctor does.
    fn warn(&self) {
        let certificates: Vec<_> = std::iter::once(&self.certificate)
            .chain(&self.chain)
            .cloned()
            .collect();
        chain::warn_of_bundle(self.key.algorithm(), &certificates, &[]);
    }
}
