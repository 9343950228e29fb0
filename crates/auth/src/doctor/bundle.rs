//! What can be seen of an identity without calling anybody.

use std::time::{Duration, SystemTime};

use pki::{
    Certificate, ExtendedKeyUsage, Integrity, KeyAlgorithm, Passphrase, Pkcs12, PrivateKey, Version,
};

use super::{Kind, Report, catalogue as found, diagnosis};
use crate::{Error, Identity, date::Date, identity::is_pem};

const ABOUT: &str = "client identity";

/// Opens the identity, and looks at it.
pub(super) fn examine(
    report: &mut Report,
    input: &[u8],
    passphrase: Option<&Passphrase>,
    username: Option<&str>,
    now: SystemTime,
) -> Option<Identity> {
    let opened = if is_pem(input) {
        from_pem(report, input, passphrase)
    } else {
        from_pkcs12(report, input, passphrase)
    };
    let (key, certificates) = match opened {
        Ok(opened) => opened,
        Err((kind, evidence)) => {
            report.add(ABOUT, kind, evidence);
            return None;
        }
    };
    // A certificate that isn't the key's would be judged in vain.
    let identity = match Identity::new(&key, certificates.clone()) {
        Ok(identity) => identity,
        Err(error) => {
            let (kind, evidence) = match error {
                Error::Identity(error) => failure(error),
                error => (&found::IDENTITY_UNREADABLE, error.to_string()),
            };
            report.add(ABOUT, kind, evidence);
            return None;
        }
    };
    look_at(
        report,
        identity.key_algorithm(),
        &certificates,
        username,
        now,
    );
    Some(identity)
}

/// Looks at the certificates, the leaf first.
pub(super) fn look_at(
    report: &mut Report,
    key: KeyAlgorithm,
    certificates: &[Certificate],
    username: Option<&str>,
    now: SystemTime,
) {
    if let Some(leaf) = certificates.first() {
        leaf_alone(report, leaf, key, username, now);
    }
    chain(report, certificates);
}

type Opened = Result<(PrivateKey, Vec<Certificate>), (&'static Kind, String)>;

fn from_pem(report: &mut Report, input: &[u8], passphrase: Option<&Passphrase>) -> Opened {
    let certificates = Certificate::all_from_pem(input).map_err(failure)?;
    let key = PrivateKey::from_pem(input, passphrase).map_err(failure)?;
    report.add(ABOUT, &found::IDENTITY_IS_PEM, "");
    Ok((key, certificates))
}

fn from_pkcs12(report: &mut Report, input: &[u8], passphrase: Option<&Passphrase>) -> Opened {
    if input.first() != Some(&0x30) {
        return Err((&found::IDENTITY_NOT_PKCS12, String::new()));
    }
    let Some(passphrase) = passphrase else {
        return Err((&found::IDENTITY_PASSPHRASE_MISSING, String::new()));
    };
    let bundle = Pkcs12::open(input, passphrase).map_err(failure)?;
    let schemes = bundle.encryption().join("; ");
    report.add(
        ABOUT,
        &found::IDENTITY_OPENS,
        format!("MAC {}; {schemes}", bundle.integrity()),
    );
    if *bundle.integrity() == Integrity::Absent {
        report.add(ABOUT, &found::IDENTITY_UNPROTECTED, "");
    }
    if ["RC2", "DES", "RC4"]
        .iter()
        .any(|old| schemes.contains(old))
    {
        report.add(ABOUT, &found::IDENTITY_LEGACY_ENCRYPTION, schemes);
    }
    let unreadable = bundle.unreadable().first().map(|it| it.error.to_string());
    let strangers = !bundle.private_keys().is_empty() && !bundle.certificates().is_empty();
    bundle.into_identity().map_err(|error| match error {
        pki::Error::Pkcs12Lacks { .. } => match unreadable {
            // It may well be the one that is missing.
            Some(reason) => (&found::IDENTITY_UNREADABLE, reason),
            None if strangers => (&found::KEY_MISMATCH, String::new()),
            None => failure(error),
        },
        error => failure(error),
    })
}

fn failure(error: pki::Error) -> (&'static Kind, String) {
    (diagnosis::of_identity(&error), error.to_string())
}

fn leaf_alone(
    report: &mut Report,
    leaf: &Certificate,
    key: KeyAlgorithm,
    username: Option<&str>,
    now: SystemTime,
) {
    let validity = leaf.validity();
    let until = Date(validity.not_after);
    report.add(
        ABOUT,
        &found::CLIENT_CERTIFICATE,
        format!(
            "{}, {key}, {}, until {until}",
            leaf.subject(),
            leaf.version()
        ),
    );
    let mut say = |kind, evidence: String| report.add(ABOUT, kind, evidence);

    if leaf.version() == Version::V1 {
        say(&found::CLIENT_CERTIFICATE_V1, String::new());
    }
    if leaf.basic_constraints().is_some_and(|it| it.ca) {
        say(&found::CLIENT_CERTIFICATE_IS_CA, String::new());
    }
    if let Some(..4096) = key.rsa_bits() {
        say(&found::KEY_TOO_SMALL, key.to_string());
    }
    if now > validity.not_after {
        say(&found::CLIENT_CERTIFICATE_EXPIRED, format!("on {until}"));
    } else if now < validity.not_before {
        let from = Date(validity.not_before);
        say(
            &found::CLIENT_CERTIFICATE_NOT_YET_VALID,
            format!("until {from}"),
        );
    } else if now
        .checked_add(SOON)
        .is_none_or(|soon| soon > validity.not_after)
    {
        say(
            &found::CLIENT_CERTIFICATE_EXPIRES_SOON,
            format!("on {until}"),
        );
    }
    let for_clients = |purpose: &ExtendedKeyUsage| {
        matches!(
            purpose,
            ExtendedKeyUsage::ClientAuth | ExtendedKeyUsage::Any
        )
    };
    if let Some(purposes) = leaf.extended_key_usage()
        && !purposes.iter().any(for_clients)
    {
        let listed: Vec<_> = purposes.iter().map(ToString::to_string).collect();
        let listed = match listed.as_slice() {
            [] => "no purpose at all".to_owned(),
            some => format!("only {}", some.join(", ")),
        };
        say(&found::NO_CLIENT_AUTH, listed);
    }
    if BROKEN.contains(&leaf.signature_algorithm()) {
        say(
            &found::WEAK_SIGNATURE,
            leaf.signature_algorithm().to_owned(),
        );
    }
    match leaf.subject().common_name() {
        Some(name) => common_name(report, name, username),
        None => say(&found::COMMON_NAME_MISSING, leaf.subject().to_string()),
    }
}

fn common_name(report: &mut Report, name: &str, username: Option<&str>) {
    let mut say = |kind, evidence: String| report.add(ABOUT, kind, evidence);
    if name.contains(char::is_control) {
        say(&found::COMMON_NAME_CONTROL_CHARACTER, format!("{name:?}"));
    }
    if name.starts_with(is_blank) || name.ends_with(is_blank) {
        say(&found::COMMON_NAME_BLANKS, format!("{name:?}"));
    }
    let Some(username) = username.filter(|&username| username != name) else {
        return;
    };
    let bare = |text: &str| {
        text.trim_matches(|c: char| is_blank(c) || c.is_control())
            .to_owned()
    };
    let kind = if bare(name) == bare(username) {
        &found::COMMON_NAME_PADDED
    } else if name.to_lowercase() == username.to_lowercase() {
        &found::COMMON_NAME_CASE
    } else {
        &found::COMMON_NAME_DIFFERS
    };
    say(kind, format!("{name:?} and {username:?}"));
}

/// What nobody sees at the end of a name: blanks of all sorts, and the byte order mark and its like.
fn is_blank(c: char) -> bool {
    let is_ignorable = matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
    );
    (c.is_whitespace() && !c.is_control()) || is_ignorable
}

const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Signature algorithms that nobody should accept any more (RFC 3279, section 2.2).
const BROKEN: [&str; 6] = [
    "md2WithRSAEncryption",
    "md5WithRSAEncryption",
    "sha1WithRSAEncryption",
    "dsa-with-sha1",
    "ecdsa-with-SHA1",
    "RSASSA-PSS with SHA-1",
];

/// Tells whose issuer the file doesn't hold.
fn chain(report: &mut Report, certificates: &[Certificate]) {
    let Some(leaf) = certificates.first() else {
        return;
    };
    if let Some(last) = leaf.chain_among(certificates).last()
        && !last.is_self_signed()
    {
        let evidence = format!("that of {} was issued by {}", last.subject(), last.issuer());
        report.add(ABOUT, &found::ISSUER_NOT_IN_FILE, evidence);
    }
}
