//! `countersign issue`

use std::path::PathBuf;

use pki::{Certificate, ExtendedKeyUsage, Issuance, Passphrase, Pkcs12, SerialNumber};

use crate::{
    alt_name::AltNameArgs,
    chain,
    error::{Context, Error},
    file_id::Inputs,
    help, issued,
    new_key::{self, KeyArgs},
    output::{self, Access, Output},
    passphrase::{self, Flag, Source, SourceParser},
    profile_choice::ProfileArgs,
    signer_command,
    signing::AuthorityArgs,
    subject::Subject,
    ui,
};

/// Make all that a bot needs: key, request, certificate and .p12
///
/// Writes four files into the directory, named after the common name: NAME.key.pem (encrypted), NAME.csr.pem,
/// NAME.crt.pem and NAME.p12, which also holds the CA's certificate; and prints their paths. The key and
/// the .p12 have the same passphrase. With --no-passphrase the key is not encrypted, and there is no .p12. For Symphony, the common
/// name must be the name of the bot's service user, in the same case.
///
/// The CA's key may be in a file, or be kept by a command that signs; or --print-tbs writes NAME.tbs, which is to be signed on another
/// machine, in place of the certificate and the .p12: ca assemble and p12 export make them.
///
/// What the certificate may be used for is decided by --profile or --profile-file; names are granted by the profiles server and
/// peer only, or as the profile's file says.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}\n\n{}", signer_command::PROTOCOL, passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Certificate of the CA. Its issuers may follow in the file, up to the root: what they allow is then checked,
    /// and they go into the .p12
    #[arg(long, value_name = "FILE")]
    ca_cert: PathBuf,

    /// Subject, as /CN=bot/O=Org, or backwards as O=Org,CN=bot (RFC 4514)
    #[arg(long, value_name = "DN")]
    subject: Subject,

    /// Directory for the files; it is made if it isn't there
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,

    #[command(flatten)]
    signer: AuthorityArgs,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    names: AltNameArgs,

    #[command(flatten)]
    profile: ProfileArgs,

    /// Serial number, decimal or hexadecimal (0x1) [default: random]
    #[arg(long, value_name = "SERIAL")]
    serial: Option<SerialNumber>,

    /// Passphrase of the new key and of the .p12
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passout: Option<Source>,

    /// Leave the new key unencrypted, for programs that can't be given a passphrase: only its mode 0600 protects it. There is no .p12
    /// then: many programs don't open one without a passphrase
    #[arg(long, conflicts_with = "passout")]
    no_passphrase: bool,

    /// Report in JSON: "key", "request", "certificate" and "bundle" are its files, "report" is what inspect --json says of
    /// the certificate, "ungranted" what the profile didn't grant; of --print-tbs, "tbs" and the "signatureAlgorithm" stand in place
    /// of "certificate"
    #[arg(long)]
    json: bool,

    /// Replace the files if they exist
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign issue --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS \\
    --subject '/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB' \\
    --days 2922 --passout env:BOT_PASS --dir bots
  countersign issue --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS \\
    --subject /CN=pod.example.com --dns pod.example.com --ip 192.0.2.1 --profile server \\
    --no-passphrase --dir servers";

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
    let crt_path = match args.signer.prints_tbs() {
        true => args.dir.join(format!("{stem}.tbs")),
        false => crt_path,
    };

    let _made = output::make_directory(&args.dir)?;
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
    let inputs = Inputs::new().file("--ca-cert", &args.ca_cert);
    let inputs = args
        .signer
        .inputs(inputs)
        .files("--profile-file", args.profile.file())
        .passphrase(passout);
    let [key_out, csr_out, crt_out, p12_out] = output::claim(outputs, &inputs, args.force)?;
    let authority = args.signer.authority(&args.ca_cert)?;
    let profile = args.profile.read()?;
    let passphrase = match args.no_passphrase {
        true => None,
        false => Some(new_passphrase(passout)?),
    };
    if args.profile.is_for_clients() {
        new_key::warn_if_too_short_for_a_pod(kind);
    }

    let key = new_key::generate(kind, None)?;
    let request = args.names.request(subject);
    let request = request.sign(&key).about("the certificate request")?;
    let about = || format!("the certificate of {subject}");
    let mut issuance = Issuance::for_request(&request.verify().about(about())?);
    if let Some(serial) = &args.serial {
        issuance = issuance.serial_number(serial.clone());
    }
    let issuer = &authority.issuer;
    let prepared = issuer.prepare(&issuance, &profile).about(about())?;
    args.profile.refuse_ungranted_names(prepared.ungranted())?;
    let certificate = authority.sign(&prepared)?;
    chain::warn_of_unknown_issuers(issuer, &args.ca_cert);
    let unsigned = prepared.unsigned();
    if is_for_clients(unsigned) {
        let certificates: Vec<_> = std::iter::once(certificate.as_ref().unwrap_or(unsigned))
            .chain(issuer.chain())
            .cloned()
            .collect();
        let told = ["key-too-small", "common-name-blanks"];
        chain::warn_of_bundle(key.algorithm(), &certificates, &told);
    }
    let key_pem = new_key::to_pem(&key, passphrase.as_ref())?;
    let bundle = match (&passphrase, &certificate) {
        (Some(passphrase), Some(certificate)) => {
            let _progress = ui::progress("encrypting the bundle");
            let builder = Pkcs12::builder(&key, certificate).about(p12_path.display())?;
            let builder = builder.chain(issuer.chain().to_vec()).alias(common_name);
            Some(builder.to_der(passphrase).about(p12_path.display())?)
        }
        _ => None,
    };

    let certificate_file = issued::file(&prepared, certificate.as_ref());
    let request_pem = request.to_pem();
    let files = [
        (key_out, key_pem.as_bytes()),
        (csr_out, request_pem.as_bytes()),
        (crt_out, certificate_file.as_slice()),
    ];
    match &bundle {
        Some(bundle) => {
            let [key, csr, crt] = files;
            output::write_into(&args.dir, [key, csr, crt, (p12_out, bundle)])?;
        }
        None => {
            output::write_into(&args.dir, files)?;
            new_key::note_written(&key, passphrase.is_some(), &key_path);
            if p12_path.exists() {
                ui::warn(format!(
                    "{}: an earlier one, which does not belong to the new key",
                    p12_path.display()
                ));
            }
        }
    }
    issued::note(&prepared, certificate.as_ref(), &crt_path);
    let p12_path = bundle.map(|_| p12_path);
    if args.json {
        let files = [
            ("key", Some(key_path.as_path())),
            ("request", Some(csr_path.as_path())),
            ("bundle", p12_path.as_deref()),
        ];
        let mut report = issued::report(&prepared, certificate.as_ref(), &crt_path, files)?;
        let ungranted = issued::texts(prepared.ungranted());
        report.insert("ungranted".to_owned(), ungranted.into());
        return ui::json(&report);
    }
    let paths = [key_path, csr_path, crt_path].into_iter().chain(p12_path);
    let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
    ui::result(paths.join("\n"))
}

/// The passphrase of the new key and of the bundle.
fn new_passphrase(passout: Flag<'_>) -> Result<Passphrase, Error> {
    let passphrase = passout.chosen_or_asked("the new key").map_err(|error| {
        match (passout.source, error.next_step()) {
            (None, Some(hint)) => {
                let hint = format!("{hint}; or leave the key unencrypted with --no-passphrase");
                error.hint(hint)
            }
            _ => error,
        }
    })?;
    passphrase::warn_if_java_refuses(&passphrase);
    Ok(passphrase)
}

/// Whether a certificate says that its subject logs in with it.
fn is_for_clients(certificate: &Certificate) -> bool {
    let purposes = certificate.extended_key_usage().unwrap_or_default();
    purposes.contains(&ExtendedKeyUsage::ClientAuth)
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
