//! `countersign cert check`

use std::{
    ffi::OsStr,
    fmt, fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use pki::{Certificate, Contents, Item, Passphrase, TrustStore, UnreadableCertificate, Validity};
use serde::Serialize;
use serde_json::json;

use crate::{
    error::{Context, Error},
    file_name::InputName,
    help, input,
    passphrase::{self, Flag, Source, SourceParser},
    report::rfc3339,
    ui,
};

/// Tell which certificates expire soon
///
/// Looks at every certificate in every file: PEM (what else is in it doesn't matter), DER, PKCS#12 bundles with their chains, PKCS#7, and
/// JKS keystores. Of a directory, at its files whose names end as those of certificates do (.pem, .crt, .cer, .der, .p12, .pfx, .p7b,
/// .p7c, .jks). Files of keys and requests are passed over. A line for each says its state, its file, its subject and serial number, and how long it is still valid.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{STATUSES}\n\n{}", passphrase::SOURCES)))]
pub(crate) struct Args {
    /// The files, or directories of them; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// For how long from now they must be valid: seconds to years; 0d looks at this moment only
    #[arg(long, value_name = "N(s|m|h|d|w|y)", default_value = "30d", value_parser = pki::parse_duration)]
    expires_in: Duration,

    /// Passphrase of the files that are encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    /// Report in JSON: "certificates" with "state" and "daysLeft" of each, and "unreadable" (docs/json.md)
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign cert check bot.crt.pem ca.crt.pem --expires-in 30d
  countersign cert check *.crt.pem --expires-in 7d --json
  openssl s_client -connect pod.example.com:443 </dev/null | countersign cert check -";

const STATUSES: &str = "\
Exit status:
  0  all of them are valid now, and for as long as --expires-in says
  1  some are due (they expire sooner), expired, or not valid yet
  2  the command line makes no sense
  3  none that was read is, but not everything could be read";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let now = SystemTime::now();
    let passin = Flag::new("--passin", &args.passin);
    let mut checked = Vec::new();
    let mut unread = Vec::new();
    let mut passed_over = Vec::new();
    let files = with_those_of_directories(&args.files)?;
    for (path, found) in input::each(&files, passin, "the files", Found::read)? {
        let found = match found {
            Ok(found) => found,
            Err(error) if error.is_misuse() => return Err(error),
            Err(error) => {
                unread.push((path, error));
                continue;
            }
        };
        if found.certificates.is_empty() && found.unreadable.is_empty() {
            passed_over.push(path);
        }
        for certificate in &found.certificates {
            checked.push(Checked::at(path, certificate, now, args.expires_in));
        }
        for unreadable in found.unreadable {
            let name = match &unreadable.alias {
                Some(alias) => format!("{}, {alias}", InputName(path)),
                None => InputName(path).to_string(),
            };
            let error = Err::<(), _>(unreadable.error).about(name);
            unread.extend(error.err().map(|error| (path, error)));
        }
    }

    let names = passed_over.iter().map(|path| InputName(path).to_string());
    let names: Vec<_> = names.collect();
    if checked.is_empty() && unread.is_empty() {
        let error = Error::failed(format!("{}: no certificate in it", names.join(", ")));
        return Err(error.hint("countersign inspect FILE shows what a file holds"));
    }
    if !names.is_empty() {
        ui::note(format!(
            "passed over, with no certificate in it: {}",
            names.join(", ")
        ));
    }
    if args.json {
        let unreadable = unread.iter().map(|(path, error)| {
            json!({ "file": InputName(path).to_string(), "error": error.message() })
        });
        ui::json(&json!({
            "expiresInSeconds": args.expires_in.as_secs(),
            "certificates": checked,
            "unreadable": unreadable.collect::<Vec<_>>(),
            "passedOver": names,
        }))?;
    } else if !checked.is_empty() {
        let lines: Vec<_> = checked.iter().map(ToString::to_string).collect();
        ui::result(lines.join("\n"))?;
    }
    for (_, error) in &unread {
        ui::failure(error);
    }
    if checked.iter().any(|it| it.state != State::Ok) {
        Err(Error::reported())
    } else if !unread.is_empty() {
        Err(Error::not_judged())
    } else {
        Ok(())
    }
}

/// The files, and those in the directories among them that may hold certificates, in the order of their names.
fn with_those_of_directories(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.about(InputName(path))?;
        let found = entries.into_iter().map(|entry| entry.path());
        let mut found: Vec<_> = found
            .filter(|file| file.is_file() && may_hold_any(file))
            .collect();
        if found.is_empty() {
            return Err(Error::failed(format!(
                "{}: no certificate in it",
                InputName(path)
            )));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

fn may_hold_any(file: &Path) -> bool {
    const ENDINGS: [&str; 9] = [
        "pem", "crt", "cer", "der", "p12", "pfx", "p7b", "p7c", "jks",
    ];
    let ending = file.extension().map(OsStr::to_ascii_lowercase);
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// The certificates in a file.
#[derive(Debug, Default)]
struct Found {
    certificates: Vec<Certificate>,
    unreadable: Vec<UnreadableCertificate>,
}

impl Found {
    /// All certificates, whatever the file is.
    fn read(input: &[u8], passphrase: Option<&Passphrase>) -> Result<Self, pki::Error> {
        // A SEQUENCE is a certificate, PKCS#12 or PKCS#7. Of PEM and JKS, neither private keys nor their passphrases are of interest.
        if input.first() != Some(&0x30) {
            let store = match TrustStore::read(input, passphrase) {
                Ok(store) => store,
                Err(error) => {
                    let contents = pki::open(input, None).map_err(|_| error.clone())?;
                    let has_none = contents.certificates().next().is_none();
                    return has_none.then(Self::default).ok_or(error);
                }
            };
            return Ok(Self {
                certificates: store.certificates().to_vec(),
                unreadable: store.unreadable().to_vec(),
            });
        }
        let mut found = Self::default();
        let contents = pki::open(input, passphrase).and_then(Contents::decrypted)?;
        found.certificates.extend(contents.certificates().cloned());
        for item in contents.items() {
            match item {
                Item::Pkcs12(opened) => found.unreadable.extend_from_slice(opened.unreadable()),
                Item::Pkcs7(opened) => found.unreadable.extend_from_slice(opened.unreadable()),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// What is said of a certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    file: String,
    subject: String,
    serial_number: String,
    not_before: String,
    not_after: String,
    state: State,
    /// Full days; negative ones since it has expired.
    days_left: i64,
    #[serde(skip)]
    says: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    Ok,
    Due,
    Expired,
    NotYetValid,
}

impl Checked {
    fn at(path: &Path, certificate: &Certificate, now: SystemTime, expires_in: Duration) -> Self {
        let validity = certificate.validity();
        let (state, says) = judged(validity, now, expires_in);
        Self {
            file: InputName(path).to_string(),
            subject: certificate.subject().to_string(),
            serial_number: certificate.serial_number().to_string(),
            not_before: rfc3339(validity.not_before),
            not_after: rfc3339(validity.not_after),
            state,
            days_left: days_left(validity, now),
            says,
        }
    }
}

/// The file, the certificate, and how long it is still valid.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}: {}, serial number {}: {}",
            self.state, self.file, self.subject, self.serial_number, self.says
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Due => "due",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
        })
    }
}

/// Its last second belongs to the validity (RFC 5280, section 4.1.2.5).
fn judged(validity: Validity, now: SystemTime, expires_in: Duration) -> (State, String) {
    let until = rfc3339(validity.not_after);
    if let Ok(wait) = validity.not_before.duration_since(now)
        && !wait.is_zero()
    {
        let from = rfc3339(validity.not_before);
        return (
            State::NotYetValid,
            format!("valid in {}, from {from}", Length(wait)),
        );
    }
    match validity.not_after.duration_since(now) {
        Ok(left) if left >= expires_in => {
            (State::Ok, format!("{} left, until {until}", Length(left)))
        }
        Ok(left) => (State::Due, format!("{} left, until {until}", Length(left))),
        Err(past) => (
            State::Expired,
            format!("{} ago, at {until}", Length(past.duration())),
        ),
    }
}

/// In full days, rounded down: -1 from the second on in which it has expired.
fn days_left(validity: Validity, now: SystemTime) -> i64 {
    match validity.not_after.duration_since(now) {
        Ok(left) => (left.as_secs() / DAY).cast_signed(),
        Err(past) => {
            let past = past.duration();
            let seconds = past.as_secs() + u64::from(past.subsec_nanos() > 0);
            -seconds.div_ceil(DAY).cast_signed()
        }
    }
}

const DAY: u64 = 24 * 60 * 60;

/// In full days, or hours or minutes where there are fewer than two.
struct Length(Duration);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (unit, name) = [(DAY, "days"), (60 * 60, "hours")]
            .into_iter()
            .find(|(unit, _)| seconds >= 2 * unit)
            .unwrap_or((60, "minutes"));
        write!(f, "{} {name}", seconds / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_certificate_is_due_once_it_ends_before_the_period() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(20_000 * DAY);
        let days = |count: u64| Duration::from_secs(count * DAY);
        let period = days(30);
        let judged = |not_before, not_after| {
            let validity = Validity {
                not_before,
                not_after,
            };
            let (state, says) = judged(validity, now, period);
            (state, says, days_left(validity, now))
        };
        for (not_before, not_after, state, says, days) in [
            (now, now + period, State::Ok, "30 days left, until ", 30),
            (
                now,
                now + period - SECOND,
                State::Due,
                "29 days left, until ",
                29,
            ),
            (
                now,
                now + days(2) - SECOND,
                State::Due,
                "47 hours left, until ",
                1,
            ),
            (
                now,
                now + days(1) / 12,
                State::Due,
                "2 hours left, until ",
                0,
            ),
            (
                now,
                now + days(1) / 12 - SECOND,
                State::Due,
                "119 minutes left, until ",
                0,
            ),
            // In its last second it is still valid.
            (
                now,
                now,
                State::Due,
                "0 minutes left, until 2024-10-04T00:00:00Z",
                0,
            ),
            (
                now - days(9),
                now - SECOND,
                State::Expired,
                "0 minutes ago, at ",
                -1,
            ),
            (
                now - days(9),
                now - days(3),
                State::Expired,
                "3 days ago, at ",
                -3,
            ),
            (
                now + SECOND,
                now + days(90),
                State::NotYetValid,
                "valid in 0 minutes, from ",
                90,
            ),
            (
                now + days(3),
                now + days(90),
                State::NotYetValid,
                "valid in 3 days, from ",
                90,
            ),
        ] {
            let (found, text, left) = judged(not_before, not_after);
            assert_eq!((found, left), (state, days), "{text}");
            assert!(text.starts_with(says), "{text}");
        }
    }
}
