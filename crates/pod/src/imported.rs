//! Imported certificates, in the words of the Pod's admin API.
use std::{fmt, time::SystemTime};

use pki::Certificate;

/// What a certificate is imported as, in the words of the Pod's admin API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateType {
    /// `USERSIGNING`: a root or signing certificate, which admits every user whose certificate it signed.
    UserSigning,
    /// `USER`: a client certificate, which admits one user. It is matched octet for octet, self-signed or not; to
    /// [revoke](Status::Revoked) it revokes every copy of it, whatever the encoding of its signature.
    User,
}

/// What the Pod thinks of an imported certificate, in the words of its admin API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// It admits users. What an import begins with.
    Trusted,
    /// It is listed, and neither admits nor refuses anybody: as if it had not been imported.
    Known,
    /// It is refused, wherever it stands in a chain, with the alert `certificate_revoked`.
    Revoked,
    /// It is refused, wherever it stands in a chain, with the alert `access_denied`.
    Disabled,
}

/// The SHA-256 of a certificate's DER. Displays as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// A certificate in the Pod's store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportedCertificate {
    /// Identifies it.
    pub fingerprint: Fingerprint,
    /// What it was imported as.
    pub kind: CertificateType,
    /// What the Pod thinks of it.
    pub status: Status,
    /// Its subject, in RFC 4514 form.
    pub subject: String,
    /// Its issuer, in RFC 4514 form.
    pub issuer: String,
    /// The end of its validity.
    pub not_after: SystemTime,
}

impl Fingerprint {
    pub(crate) fn of(certificate: &Certificate) -> Self {
        Self(certificate.fingerprint_sha256())
    }

    /// The 32 octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for CertificateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserSigning => "USERSIGNING",
            Self::User => "USER",
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trusted => "TRUSTED",
            Self::Known => "KNOWN",
            Self::Revoked => "REVOKED",
            Self::Disabled => "DISABLED",
        })
    }
}
