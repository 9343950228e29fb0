//! How a command ends that has issued a certificate.

use std::path::Path;

use pki::{Certificate, PreparedCertificate, Ungranted};
use serde_json::{Map, Value, json};

use crate::{
    error::{Context, Error},
    output::{self, Target},
    report::Report,
    signer_command, signing, ui,
};

/// Writes the certificate, or what somebody else is to sign, and says so: in JSON, with what is in it and what the profile didn't
/// grant.
///
/// # Errors
///
/// [`Error`] when the file, or the report, can't be written.
pub(crate) fn write(
    (out, path): (Target, &Path),
    prepared: &PreparedCertificate,
    certificate: Option<&Certificate>,
    json: bool,
) -> Result<(), Error> {
    output::write([(out, file(prepared, certificate).as_slice())])?;
    note(prepared, certificate, path);
    if json {
        let mut report = report(prepared, certificate, path, [])?;
        report.insert("ungranted".to_owned(), texts(prepared.ungranted()).into());
        ui::json(&report)?;
    }
    Ok(())
}

/// What is written: the certificate in PEM; or, where nobody signs here, what is to be signed in DER.
pub(crate) fn file(prepared: &PreparedCertificate, certificate: Option<&Certificate>) -> Vec<u8> {
    match certificate {
        Some(certificate) => certificate.to_pem().into_bytes(),
        None => prepared.as_der().to_vec(),
    }
}

/// Tells what was written.
pub(crate) fn note(prepared: &PreparedCertificate, certificate: Option<&Certificate>, path: &Path) {
    match certificate {
        Some(certificate) => ui::note_certificate(certificate, path),
        None => {
            let unsigned = prepared.unsigned();
            let is_own = unsigned.public_key().as_ref() == Ok(prepared.signing_key());
            let ca = (!is_own).then(|| unsigned.issuer());
            signing::note_to_be_signed(prepared.signature_algorithm(), ca, None, path);
        }
    }
}

/// The same in JSON: with the other files that were written, and with all that the certificate says, or will say.
///
/// # Errors
///
/// [`Error`] when it can't be read back.
pub(crate) fn report<const N: usize>(
    prepared: &PreparedCertificate,
    certificate: Option<&Certificate>,
    path: &Path,
    others: [(&str, Option<&Path>); N],
) -> Result<Map<String, Value>, Error> {
    let read = |der| Report::read(der, None).about(path.display());
    let file = path.display().to_string();
    let algorithm = prepared.signature_algorithm();
    let (name, contents) = match certificate {
        Some(certificate) => ("certificate", read(certificate.to_pem().as_bytes())?),
        None => ("tbs", read(prepared.unsigned().as_der())?.unsigned()),
    };
    let mut report = Map::new();
    let mut tell = |name: &str, value| report.insert(name.to_owned(), value);
    tell(name, file.into());
    if certificate.is_none() {
        tell("signatureAlgorithm", algorithm.name().into());
        tell("digest", signer_command::digest(algorithm).into());
    }
    for (name, path) in others {
        tell(name, path.map(|path| path.display().to_string()).into());
    }
    tell("report", json!(contents));
    Ok(report)
}

/// As reports in JSON have it.
pub(crate) fn texts(ungranted: &[Ungranted]) -> Vec<String> {
    ungranted.iter().map(ToString::to_string).collect()
}
