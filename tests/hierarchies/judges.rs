//! Programs that nobody here wrote.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use integration_tests::hierarchies::forge::Form;
use pki::{Certificate, SubjectAltName};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::case::{Case, Ground, Verdict};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Judge {
    OpenSsl,
    GnuTls,
    Webpki,
}

impl Judge {
    /// Whether this judge says the same, or has nothing to say.
    pub(crate) fn check(self, case: &Case, folder: &Path) -> Result<bool, String> {
        match (self, case.verdict) {
            (Self::OpenSsl, Verdict::Accepted) => {
                accepted_at_all(case, |time| openssl(case, Some(time), folder))
            }
            (Self::OpenSsl, Verdict::Refused(ground)) => {
                refused_by_openssl(case, ground, folder).map(|()| true)
            }
            (Self::GnuTls, Verdict::Accepted) if gnutls_knows(case) => {
                gnutls(case, folder).map(|()| true)
            }
            (Self::Webpki, Verdict::Accepted) if webpki_knows(case) => {
                accepted_at_all(case, |time| webpki(case, time))
            }
            // Those that know less may refuse for other reasons.
            (Self::GnuTls | Self::Webpki, _) => Ok(false),
        }
    }
}

fn accepted_at_all(
    case: &Case,
    judge: impl Fn(SystemTime) -> Result<(), String>,
) -> Result<bool, String> {
    for time in &case.times {
        judge(*time).map_err(|error| format!("refuses at {time:?}: {error}"))?;
    }
    Ok(true)
}

/// Refused, and for the same ground.
fn refused_by_openssl(case: &Case, ground: Ground, folder: &Path) -> Result<(), String> {
    let expected = match ground {
        Ground::PathLength => &["error 25 "][..],
        // not permitted, excluded, a constraint or a name that isn't understood
        Ground::Names => &[
            "error 47 ",
            "error 48 ",
            "error 51 ",
            "error 52 ",
            "error 53 ",
        ],
        Ground::Dates => &["error 9 ", "error 10 "],
    };
    // Whether the leaf itself is valid is not the question.
    let is_expected = |line: &str| {
        expected.iter().any(|code| line.starts_with(code))
            && (ground != Ground::Dates || !line.contains(" at 0 depth"))
    };
    // It looks at dates before it looks at names.
    let time = (ground == Ground::Dates).then_some(case.times[0]);
    match openssl(case, time, folder) {
        Err(said) if said.lines().any(is_expected) => Ok(()),
        Err(said) => Err(format!("refuses for another reason: {said}")),
        // It compares a wildcard with what is excluded as if it were a host's name.
        Ok(()) if ground == Ground::Names && has_wildcard(case) => {
            match webpki(case, case.times[0]) {
                Err(_) => Ok(()),
                Ok(()) => Err("accepts a wildcard, and so does webpki".to_owned()),
            }
        }
        Ok(()) => Err("accepts what was refused".to_owned()),
    }
}

fn has_wildcard(case: &Case) -> bool {
    case.names
        .iter()
        .any(|name| matches!(name, SubjectAltName::Dns(host) if host.as_str().starts_with("*.")))
}

/// GnuTLS has no other time than the system's here, and no constraints of the other forms.
fn gnutls_knows(case: &Case) -> bool {
    case.path[0].is_valid_at(SystemTime::now())
        && case
            .constraints
            .iter()
            .all(|constraint| matches!(constraint.form, Form::Dns | Form::Email | Form::Ip))
}

/// webpki rejects any distinguished name under a constraint of that form, and so with e-mail addresses and URIs.
fn webpki_knows(case: &Case) -> bool {
    let is_there = |form| match form {
        Form::Directory => true,
        Form::Email => case
            .names
            .iter()
            .any(|name| matches!(name, SubjectAltName::Email(_))),
        Form::Uri => case
            .names
            .iter()
            .any(|name| matches!(name, SubjectAltName::Uri(_))),
        Form::Dns | Form::Ip => false,
    };
    !case
        .constraints
        .iter()
        .any(|constraint| is_there(constraint.form))
}

/// Without a time, dates don't count.
fn openssl(case: &Case, time: Option<SystemTime>, folder: &Path) -> Result<(), String> {
    let files = Files::write(case, folder);
    let mut command = Command::new("openssl");
    command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore"]);
    match time {
        Some(time) => command.arg("-attime").arg(seconds(time).to_string()),
        None => command.arg("-no_check_time"),
    };
    command
        .arg("-CAfile")
        .arg(files.root)
        .arg("-untrusted")
        .arg(&files.path)
        .arg(files.path);
    run(command)
}

fn gnutls(case: &Case, folder: &Path) -> Result<(), String> {
    let files = Files::write(case, folder);
    let mut command = Command::new("certtool");
    command
        .arg("--verify")
        .arg("--load-ca-certificate")
        .arg(files.root)
        .arg("--infile")
        .arg(files.path);
    run(command)
}

fn webpki(case: &Case, time: SystemTime) -> Result<(), String> {
    let path: Vec<CertificateDer<'static>> = case
        .path
        .iter()
        .map(|certificate| certificate.as_der().to_vec().into())
        .collect();
    let [leaf, between @ .., root] = path.as_slice() else {
        panic!("a path has a leaf and a root");
    };
    let anchor = anchor_from_trusted_cert(root).map_err(|error| error.to_string())?;
    let algorithms = rustls_graviola::default_provider()
        .signature_verification_algorithms
        .all;
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds(time)));
    EndEntityCert::try_from(leaf)
        .and_then(|leaf| {
            leaf.verify_for_usage(
                algorithms,
                &[anchor],
                between,
                time,
                KeyUsage::client_auth(),
                None,
                None,
            )
            .map(drop)
        })
        .map_err(|error| error.to_string())
}

struct Files {
    /// The leaf, and the CAs up to the root without it.
    path: PathBuf,
    root: PathBuf,
}

impl Files {
    fn write(case: &Case, folder: &Path) -> Self {
        let (root, path) = case.path.split_last().unwrap();
        let files = Self {
            path: folder.join("path.pem"),
            root: folder.join("root.pem"),
        };
        let path: String = path.iter().map(Certificate::to_pem).collect();
        fs::write(&files.path, path).unwrap();
        fs::write(&files.root, root.to_pem()).unwrap();
        files
    }
}

fn run(mut command: Command) -> Result<(), String> {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&said).into_owned())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
