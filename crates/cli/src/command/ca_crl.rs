//! `countersign ca crl`

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::{Duration, SystemTime},
};

use pki::{Certificate, CrlBuilder, CrlNumber, Revocation, RevocationReason, SerialNumber};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    error::{Context, Error},
    file_id::Inputs,
    file_name::{InputName, is_stdout},
    help, input,
    output::{self, Access, Output},
    passphrase,
    report::{Report, rfc3339},
    signature_choice::SignatureArgs,
    signer_command,
    signing::{self, AuthorityArgs},
    ui,
};

/// Revoke certificates: make a certificate revocation list
///
/// The entries of the previous CRL stay, and the number rises. A certificate leaves the list only by --release, when it was on hold.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{REASONS}\n\n{}\n\n{}", signer_command::PROTOCOL, passphrase::SOURCES)))]
pub(crate) struct Args {
    /// Certificate of the CA, in PEM or DER
    #[arg(long, value_name = "FILE")]
    ca_cert: PathBuf,

    /// Where to write the CRL, or what is to be signed; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    signer: AuthorityArgs,

    /// The CRL before this one, in PEM or DER; --out may be the same file [default: none, this is the first one]
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,

    /// Certificate to revoke: its file, or its serial number (openssl prints them in hexadecimal: write 0x before); why; and
    /// when (2026-11-30 or 2026-11-30T12:00:00Z) [default: now]
    #[arg(long, value_name = "FILE|SERIAL[:REASON[:TIME]]")]
    revoke: Vec<Entry>,

    /// File with more of them, one a line; what follows a # is a comment
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// Certificate to take off hold
    #[arg(long, value_name = "SERIAL")]
    release: Vec<SerialNumber>,

    /// When the next CRL will be there at the latest: seconds to years from now
    #[arg(long, value_name = "N(s|m|h|d|w|y)", default_value = "7d", value_parser = next_update)]
    next_update: Duration,

    /// Number of the CRL, decimal or hexadecimal (0x1) [default: the one after the previous CRL's]
    #[arg(long, value_name = "N")]
    number: Option<CrlNumber>,

    #[command(flatten)]
    signature: SignatureArgs,

    /// Report in JSON: "crl" is its file, "report" what inspect --json says of it; or of --print-tbs, "tbs" and the
    /// "signatureAlgorithm"
    #[arg(long)]
    json: bool,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign ca crl --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS --out ca.crl.pem
  countersign ca crl --ca-cert ca.crt.pem --ca-key ca.key.pem --ca-passin env:CA_PASS \\
    --previous ca.crl.pem --revoke 0x1:keyCompromise --next-update 30d --out next.crl.pem
  countersign ca crl --ca-cert ca.crt.pem --previous next.crl.pem --revoke 0x2 --out next2.crl.pem \\
    --signer-command 'openssl dgst -sha256 -sign ca.key.pem -passin env:CA_PASS'";

const REASONS: &str = "\
Reasons:
  unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold,
  privilegeWithdrawn, aACompromise";

/// A certificate to revoke.
#[derive(Debug, Clone)]
struct Entry {
    certificate: Named,
    reason: Option<RevocationReason>,
    date: Option<SystemTime>,
}

/// How a certificate is named.
#[derive(Debug, Clone)]
enum Named {
    Serial(SerialNumber),
    File(PathBuf),
}

impl Entry {
    /// What this CA revokes.
    fn of(&self, ca: &Certificate) -> Result<Revocation, Error> {
        let serial = match &self.certificate {
            Named::Serial(serial) => serial.clone(),
            Named::File(path) => {
                let certificate = input::certificate(path)?;
                certificate.verify_issued_by(ca).about(InputName(path))?;
                certificate.serial_number().clone()
            }
        };
        Ok(self.revocation(serial))
    }

    fn revocation(&self, serial: SerialNumber) -> Revocation {
        let mut revocation = Revocation::new(serial);
        if let Some(reason) = self.reason {
            revocation = revocation.reason(reason);
        }
        if let Some(date) = self.date {
            revocation = revocation.date(date);
        }
        revocation
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':').map(str::trim);
        let named = parts.next().unwrap_or_default();
        let certificate = match named.parse() {
            Ok(serial) => Named::Serial(serial),
            Err(_) if named.contains(['.', '/']) => Named::File(named.into()),
            Err(error) => return Err(format!("{error}, or a file such as bot.crt.pem")),
        };
        let reason = parts.next();
        if reason
            .is_some_and(|it| it.len() == 2 && it.bytes().all(|octet| octet.is_ascii_hexdigit()))
        {
            return Err(format!(
                "expected a serial number in decimal digits, or in hexadecimal ones as one number: 0x{}, if that is meant",
                text.replace(':', "")
            ));
        }
        let reason = reason.map(str::parse).transpose();
        Ok(Self {
            certificate,
            reason: reason.map_err(|error: pki::Error| error.to_string())?,
            date: parts.next().map(moment).transpose()?,
        })
    }
}

/// A date, which is its first moment in UTC, or a time.
fn moment(text: &str) -> Result<SystemTime, String> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    OffsetDateTime::parse(&whole, &Rfc3339)
        .map(SystemTime::from)
        .map_err(|_| format!("{text:?} is not a time such as 2026-11-30 or 2026-11-30T12:00:00Z"))
}

/// How long until the next CRL.
fn next_update(text: &str) -> Result<Duration, String> {
    match pki::parse_duration(text).map_err(|error| error.to_string())? {
        Duration::ZERO => Err("the next CRL comes later than this one".to_owned()),
        duration => Ok(duration),
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Everyone,
    };
    let inputs = Inputs::new().file("--ca-cert", &args.ca_cert);
    let inputs = args.signer.inputs(inputs).files("--from", &args.from);
    // What is to be signed can't follow the CRL that it would replace, and a shell empties a file before anybody reads it.
    let inputs = match args.signer.prints_tbs() || is_stdout(&args.out) {
        true => inputs.files("--previous", &args.previous),
        false => inputs.replaceable_files("--previous", &args.previous),
    };
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    if args.signer.prints_tbs() {
        out.holds_binary()?;
    }
    let authority = args.signer.authority(&args.ca_cert)?;
    if args.previous.is_none() {
        check_forgets_nothing(&args.out, authority.issuer.certificate())?;
    }

    let mut builder = match &args.previous {
        Some(path) => CrlBuilder::after(input::crl(path)?),
        None => CrlBuilder::new(),
    };
    let from = args.from.as_ref().map(|path| listed(path)).transpose()?;
    for entry in args.revoke.iter().chain(from.iter().flatten()) {
        builder = builder.revoke(entry.of(authority.issuer.certificate())?);
    }
    for serial in &args.release {
        builder = builder.release(serial.clone());
    }
    if let Some(number) = &args.number {
        builder = builder.number(number.clone());
    }
    if let Some(algorithm) = args.signature.chosen() {
        builder = builder.signature_algorithm(algorithm);
    }
    let prepared = builder
        .next_update_after(args.next_update)
        .prepare(authority.issuer.certificate(), SystemTime::now())
        .about("making the CRL")?;
    let ends = authority.issuer.certificate().validity().not_after;
    let next = SystemTime::now().checked_add(args.next_update);
    if next.is_none_or(|next| next > ends) {
        ui::warn(format!(
            "the next CRL comes after the end of the CA's certificate, {}: nobody can verify this one by then",
            rfc3339(ends)
        ));
    }
    let (algorithm, tbs) = (prepared.signature_algorithm(), prepared.as_der());
    let Some(key) = &authority.key else {
        output::write([(out, tbs)])?;
        signing::note_to_be_signed(
            algorithm,
            Some(authority.issuer.certificate().subject()),
            None,
            &args.out,
        );
        if args.json {
            let unsigned = prepared.unsigned().about(args.out.display())?;
            let report = Report::read(unsigned.as_der(), None).about(args.out.display())?;
            ui::json(&json!({
                "tbs": args.out.display().to_string(),
                "signatureAlgorithm": algorithm.name(),
                "digest": signer_command::digest(algorithm),
                "report": report.unsigned(),
            }))?;
        }
        return Ok(());
    };
    let crl = key.sign(algorithm, tbs, |signature| prepared.assemble(signature))?;

    let pem = crl.to_pem();
    output::write([(out, pem.as_bytes())])?;
    ui::note_crl(&crl, &args.out);
    if args.json {
        let report = Report::read(pem.as_bytes(), None).about(args.out.display())?;
        ui::json(&json!({
            "crl": args.out.display().to_string(),
            "report": report,
        }))?;
    }
    Ok(())
}

/// Refuses to start anew over a CRL of this CA: whatever it revokes would be revoked no more.
fn check_forgets_nothing(out: &Path, authority: &Certificate) -> Result<(), Error> {
    if is_stdout(out) {
        return Ok(());
    }
    match input::crl(out) {
        Ok(crl) if crl.verify_issued_by(authority).is_ok() => Err(Error::misused(format!(
            "--out would replace {}, a CRL of this CA with {} revoked, by one that doesn't follow it",
            out.display(),
            crl.entries().len(),
        ))
        .hint("go on with it: --previous takes the same file; or name another file")),
        // Another file is what --force is for.
        _ => Ok(()),
    }
}

/// The certificates that a file lists.
fn listed(path: &Path) -> Result<Vec<Entry>, Error> {
    let contents = input::read(path)?;
    let text = str::from_utf8(&contents)
        .map_err(|_| Error::failed(format!("{}: it is not text", InputName(path))))?;
    let lines = text.lines().zip(1_u64..).map(|(line, number)| {
        let content = line.split('#').next().unwrap_or_default().trim();
        (content, number)
    });
    lines
        .filter(|(content, _)| !content.is_empty())
        .map(|(content, number)| {
            content.parse().map_err(|error| {
                Error::failed(format!("{}: line {number}: {error}", InputName(path)))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_crl_comes_later() {
        assert_eq!(next_update("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(
            next_update("0d"),
            Err("the next CRL comes later than this one".to_owned())
        );
    }

    #[test]
    fn entries_have_a_serial_number_and_perhaps_a_reason_and_a_time() {
        let serial = || SerialNumber::try_from(255).unwrap();
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(20_454 * 86_400 + 43_200);
        let compromised = || Revocation::new(serial()).reason(RevocationReason::KeyCompromise);
        for (text, expected) in [
            ("255", Revocation::new(serial())),
            ("0xff", Revocation::new(serial())),
            ("0xff:keycompromise", compromised()),
            (
                "0xff:keyCompromise:2026-01-01T12:00:00Z",
                compromised().date(noon),
            ),
            (
                "0xff : keyCompromise : 2026-01-01T13:00:00+01:00",
                compromised().date(noon),
            ),
            (
                "0xff:keyCompromise:2026-01-02",
                compromised().date(noon + Duration::from_secs(43_200)),
            ),
        ] {
            let entry: Entry = text.parse().unwrap();
            let Named::Serial(serial) = &entry.certificate else {
                panic!("{text}");
            };
            assert_eq!(entry.revocation(serial.clone()), expected, "{text}");
        }
        for text in [
            "",
            ":keyCompromise",
            "1:",
            "1:lost",
            "01:02:03",
            "1:superseded:today",
            "1:superseded:",
        ] {
            assert!(text.parse::<Entry>().is_err(), "{text}");
        }
    }
}
