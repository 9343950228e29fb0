//! `countersign p12 export`

use std::path::PathBuf;

use pki::{Pkcs12, Pkcs12Profile};

use crate::{
    error::{Context, Error},
    input,
    output::{self, Access},
    passphrase::{self, Flag, Source, SourceParser},
    ui,
};

/// Pack a key and its certificates into a PKCS#12 bundle
///
/// The key and the certificate must belong together. The certificates are written leaf first, whatever order they are
/// given in. Without --profile, encryption is AES-256 and the MAC is SHA-256, which openssl, Java 8u301 and later, GnuTLS
/// and NSS read.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{}", passphrase::SOURCES))]
pub(crate) struct Args {
    /// Certificate, in PEM or DER; further certificates in the file are taken as its chain
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,

    /// Its private key, in PEM or DER
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Passphrase of the key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    /// Certificates of its issuers; may be repeated
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,

    /// Name (alias) of the entry
    #[arg(long, value_name = "ALIAS")]
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

    /// Where to write the bundle; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

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
Example:
  countersign p12 export --cert bot.crt.pem --key bot.key.pem --passin env:KEY_PASS --chain ca.crt.pem \\
    --name demo-bot1 --passout env:P12_PASS --out bot.p12";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let [out] = output::claim([(&args.out, Access::Owner)], args.force)?;
    out.holds_binary()?;
    let key = input::private_key(&args.key, Flag::new("--passin", &args.passin))?;
    let mut certificates = input::certificates(&args.cert)?.into_iter();
    let Some(certificate) = certificates.next() else {
        return Err(Error::failed(format!(
            "{}: no certificate",
            input::Name(&args.cert)
        )));
    };
    let mut chain: Vec<_> = certificates.collect();
    for path in &args.chain {
        chain.extend(input::certificates(path)?);
    }

    let mut builder = Pkcs12::builder(&key, &certificate)
        .about(format!(
            "{} with {}",
            input::Name(&args.key),
            input::Name(&args.cert)
        ))?
        .chain(chain)
        .profile(args.profile.into());
    if let Some(name) = &args.name {
        builder = builder.alias(name);
    }
    if let Some(iterations) = args.iterations {
        builder = builder.iterations(iterations);
    }
    let passphrase = Flag::new("--passout", &args.passout).chosen_or_asked("the bundle")?;
    for warning in builder.warnings(&passphrase) {
        ui::warn(warning);
    }

    let bundle = {
        let _progress = ui::progress("encrypting the bundle");
        builder.to_der(&passphrase).about(output::Name(&args.out))?
    };
    output::write([(out, &bundle)])?;
    ui::note(format!(
        "{}: PKCS#12 bundle of {}",
        output::Name(&args.out),
        certificate.subject()
    ));
    Ok(())
}
