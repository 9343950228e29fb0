//! What is odd about the certificates that go into a bundle, and about those of a CA.

use std::{path::Path, time::SystemTime};

use auth::doctor::{Severity, examine_chain};
use pki::{Certificate, Issuer, KeyAlgorithm};

use crate::{file_name::InputName, ui};

/// Says what would be in the way of a login with these certificates, the leaf first, as the doctor does; but for what was told
/// when the key and its subject were chosen.
pub(crate) fn warn_of_bundle(key: KeyAlgorithm, certificates: &[Certificate], told: &[&str]) {
    let report = examine_chain(key, certificates, SystemTime::now());
    for finding in report.findings() {
        if finding.kind().severity() > Severity::Info && !told.contains(&finding.id()) {
            ui::warn(finding.message());
        }
    }
}

/// Says that not all of a CA's issuers are known, of which some would perhaps refuse what it signs.
pub(crate) fn warn_of_unknown_issuers(issuer: &Issuer, file: &Path) {
    let Some(last) = issuer.chain().last() else {
        return;
    };
    if !last.is_self_signed() {
        ui::warn(format!(
            "{} ends before a root: the path lengths, name constraints, purposes and dates of {}, which issued the \
             certificate of {}, and of its issuers were not checked; append its certificate to the file",
            InputName(file),
            last.issuer(),
            last.subject()
        ));
    }
}
