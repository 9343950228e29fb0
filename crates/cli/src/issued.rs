//! How a command ends that has issued a certificate.

use std::path::Path;

use pki::{Certificate, Ungranted};
use serde_json::json;

use crate::{
    error::{Context, Error},
    output::{self, Target},
    report::Report,
    ui,
};

/// Writes the certificate, and says so: in JSON, with what is in it and what the profile didn't grant.
///
/// # Errors
///
/// [`Error`] when the file, or the report, can't be written.
pub(crate) fn write(
    (out, path): (Target, &Path),
    certificate: &Certificate,
    ungranted: &[Ungranted],
    json: bool,
) -> Result<(), Error> {
    let pem = certificate.to_pem();
    output::write([(out, pem.as_bytes())])?;
    ui::note_certificate(certificate, path);
    if json {
        let report = Report::read(pem.as_bytes(), None).about(path.display())?;
        ui::json(&json!({
            "certificate": path.display().to_string(),
            "report": report,
            "ungranted": texts(ungranted),
        }))?;
    }
    Ok(())
}

/// As reports in JSON have it.
pub(crate) fn texts(ungranted: &[Ungranted]) -> Vec<String> {
    ungranted.iter().map(ToString::to_string).collect()
}
