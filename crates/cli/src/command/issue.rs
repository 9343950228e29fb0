//! `countersign issue`

use std::path::PathBuf;

use pki::{CertificateRequest, Pkcs12, Profile, SerialNumber};
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
    subject::Subject,
    ui,
};

/// Make all that a bot needs: key, request, certificate and .p12
///
/// Writes four files into the directory, named after the common name: NAME.key.pem (encrypted), NAME.csr.pem,
/// NAME.crt.pem and NAME.p12, which also holds the CA's certificate; and prints their paths. The key and
/// the .p12 have the same passphrase. For Symphony, the common name must be the name of the bot's service user, in the
/// same case.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Certificate of the CA. Its issuers may follow in the file, up to the root: what they allow is then checked,
    /// and they go into the .p12
    #[arg(long, value_name = "FILE")]
    ca_cert: PathBuf,

    /// Its private key, in PEM or DER
    #[arg(long, value_name = "FILE")]
    ca_key: PathBuf,

    /// Subject, as /CN=bot/O=Org, or backwards as O=Org,CN=bot (RFC 4514)
    #[arg(long, value_name = "DN")]
    subject: Subject,

    /// Directory for the files; it is made if it isn't there
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,

    /// Passphrase of the CA's key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    ca_passin: Option<Source>,

    #[command(flatten)]
    key: KeyArgs,

    /// Days of validity [default: 365, or until the CA ends]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    days: Option<u32>,

    /// Serial number, decimal or hexadecimal (0x1) [default: random]
    #[arg(long, value_name = "SERIAL")]
    serial: Option<SerialNumber>,

    /// Passphrase of the new key and of the .p12
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passout: Option<Source>,

    /// Report in JSON: "key", "request", "certificate" and "bundle" are its files, "report" is what inspect --json says of
    /// the certificate
    #[arg(long)]
    json: bool,

    /// Replace the files if they exist
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Example:
  countersign issue --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS \\
    --subject '/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB' \\
    --days 2922 --passout env:BOT_PASS --dir bots";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let kind = args.key.kind()?;
    let subject = args.subject.checked()?;
    let Some(common_name) = subject.common_name() else {
        return Err(Error::misused(format!(
            "the subject {subject} has no common name to call the files by"
        ))
        .hint("start it with CN=, for example /CN=demo-bot1"));
    };
    let stem = file_stem(common_name);
    let [key_path, csr_path, crt_path, p12_path] = ["key.pem", "csr.pem", "crt.pem", "p12"]
        .map(|extension| args.dir.join(format!("{stem}.{extension}")));

    let _made = output::make_directory(&args.dir)?;
    let ca_passin = Flag::new("--ca-passin", &args.ca_passin);
    let passout = Flag::new("--passout", &args.passout);
    let outputs = [
        (&key_path, Access::Owner),
        (&csr_path, Access::Everyone),
        (&crt_path, Access::Everyone),
        (&p12_path, Access::Owner),
    ]
    .map(|(path, access)| Output {
        flag: "--dir",
        path,
        access,
    });
    let inputs = Inputs::new()
        .file("--ca-cert", &args.ca_cert)
        .file("--ca-key", &args.ca_key)
        .passphrase(ca_passin)
        .passphrase(passout);
    let [key_out, csr_out, crt_out, p12_out] = output::claim(outputs, &inputs, args.force)?;
    let (authority, issuers) = input::authority(&args.ca_cert, &args.ca_key, ca_passin)?;
    let passphrase = passout.chosen_or_asked("the new key")?;
    passphrase::warn_if_java_refuses(&passphrase);
    new_key::warn_if_too_short_for_a_pod(kind);

    let key = new_key::generate(kind, None)?;
    let request = CertificateRequest::builder(subject.clone())
        .sign(&key)
        .about("the certificate request")?;
    let mut profile = Profile::client();
    if let Some(days) = args.days {
        profile = profile.valid_for_days(days);
    }
    let certificate = request
        .verify()
        .and_then(|request| match &args.serial {
            Some(serial) => authority.issue_with_serial(&request, &profile, serial.clone()),
            None => authority.issue(&request, &profile),
        })
        .about(format!("the certificate of {subject}"))?;
    chain::warn_of_unknown_issuers(authority.issuer(), &args.ca_cert);
    let certificates: Vec<_> = std::iter::once(&certificate)
        .chain(&issuers)
        .cloned()
        .collect();
    let told = ["key-too-small", "common-name-blanks"];
    chain::warn_of_bundle(key.algorithm(), &certificates, &told);
    let (key_pem, bundle) = {
        let _progress = ui::progress("encrypting the key and the bundle");
        let bundle = Pkcs12::builder(&key, &certificate)
            .and_then(|builder| {
                builder
                    .chain(issuers)
                    .alias(common_name)
                    .to_der(&passphrase)
            })
            .about(p12_path.display())?;
        (new_key::to_pem(&key, Some(&passphrase))?, bundle)
    };

    let certificate_pem = certificate.to_pem();
    output::write_into(
        &args.dir,
        [
            (key_out, key_pem.as_bytes()),
            (csr_out, request.to_pem().as_bytes()),
            (crt_out, certificate_pem.as_bytes()),
            (p12_out, &bundle),
        ],
    )?;
    ui::note_certificate(&certificate, &crt_path);
    if args.json {
        let report = Report::read(certificate_pem.as_bytes(), None).about(crt_path.display())?;
        ui::json(&json!({
            "key": key_path.display().to_string(),
            "request": csr_path.display().to_string(),
            "certificate": crt_path.display().to_string(),
            "bundle": p12_path.display().to_string(),
            "report": report,
        }))
    } else {
        ui::result(
            [key_path, csr_path, crt_path, p12_path]
                .map(|path| path.display().to_string())
                .join("\n"),
        )
    }
}

/// The common name as the start of a file name: one that stays in its directory, is not hidden, and that every file
/// system takes.
fn file_stem(common_name: &str) -> String {
    let stem: String = common_name
        .chars()
        .map(|c| match c {
            '-' | '_' | '.' | '@' | '+' => c,
            c if c.is_alphanumeric() => c,
            _ => '_',
        })
        .collect();
    match stem.strip_prefix(['.', '-']) {
        Some(rest) => format!("_{rest}"),
        None => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_can_not_leave_the_directory() {
        assert_eq!(file_stem("demo-bot1"), "demo-bot1");
        assert_eq!(file_stem("Zoë's bot"), "Zoë_s_bot");
        assert_eq!(file_stem("bot@example.com"), "bot@example.com");
        assert_eq!(file_stem("../../etc/passwd"), "_._.._etc_passwd");
        assert_eq!(file_stem("..\\x:y\0"), "_._x_y_");
        assert_eq!(file_stem("-rf"), "_rf");
        assert_eq!(file_stem("."), "_");
    }
}
