use std::{fmt, time::SystemTime};

use pki::{Certificate, DistinguishedName, KeyAlgorithm, Version};

use crate::{Error, signature::signed_part};

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

/// The certificates that an administrator imported.
#[derive(Debug, Clone, Default)]
pub(crate) struct CertificateStore {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) certificate: Certificate,
    pub(crate) kind: CertificateType,
    pub(crate) status: Status,
}

impl CertificateStore {
    pub(crate) fn import(
        &mut self,
        input: &[u8],
        kind: CertificateType,
        minimum_rsa_bits: usize,
        now: SystemTime,
    ) -> Result<ImportedCertificate, Error> {
        let mut certificates =
            Certificate::all_from_pem_or_der(input).map_err(Error::MalformedCertificate)?;
        let count = certificates.len();
        let (Some(certificate), 1) = (certificates.pop(), count) else {
            return Err(Error::SeveralCertificates { count });
        };
        if let Some(entry) = self.find(&certificate) {
            return Err(Error::CertificateExists {
                fingerprint: Fingerprint::of(&entry.certificate),
                kind: entry.kind,
            });
        }

        let subject = certificate.subject().to_string();
        let not_after = certificate.validity().not_after;
        if not_after < now {
            return Err(Error::CertificateExpired {
                subject,
                not_after,
                now,
            });
        }
        match kind {
            CertificateType::UserSigning => {
                authority_of(&certificate, Origin::Imported)
                    .map_err(|reason| Error::NotAnAuthority { subject, reason })?;
            }
            CertificateType::User => {
                if let Some(bits) = rsa_bits(&certificate).map_err(Error::MalformedCertificate)?
                    && bits < minimum_rsa_bits
                {
                    return Err(Error::KeyTooSmall {
                        subject,
                        bits,
                        minimum: minimum_rsa_bits,
                    });
                }
            }
        }

        let entry = Entry {
            certificate,
            kind,
            status: Status::Trusted,
        };
        let imported = entry.describe();
        self.entries.push(entry);
        Ok(imported)
    }

    pub(crate) fn set_status(
        &mut self,
        fingerprint: Fingerprint,
        status: Status,
    ) -> Result<(), Error> {
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| Fingerprint::of(&entry.certificate) == fingerprint)
            .ok_or(Error::UnknownCertificate { fingerprint })?;
        entry.status = status;
        Ok(())
    }

    pub(crate) fn list(&self) -> Vec<ImportedCertificate> {
        self.entries.iter().map(Entry::describe).collect()
    }

    /// The entry of this certificate, told by what was signed.
    ///
    /// Not by the whole DER: an ECDSA signature (r, s) holds as (r, n - s) too, so that anybody can make a copy of a
    /// revoked certificate that differs and still verifies. Nor by issuer and serial number: Symphony's own recipe has
    /// `-set_serial 0x1` in it, so that the revocation of one bot would be that of all. What was signed is safe from
    /// both: nobody but the issuer can vary it, and two that are different certificates differ there.
    pub(crate) fn find(&self, certificate: &Certificate) -> Option<&Entry> {
        let wanted = signed_part(certificate);
        self.entries
            .iter()
            .find(|entry| signed_part(&entry.certificate) == wanted)
    }

    /// The signing certificates with this subject, whatever is thought of them.
    pub(crate) fn signers<'a>(
        &'a self,
        subject: &'a DistinguishedName,
    ) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| {
            entry.kind == CertificateType::UserSigning
                && entry.certificate.subject().matches(subject)
        })
    }

    /// The names of the authorities whose certificates may be presented: those of the signing certificates, and the
    /// issuers of client certificates.
    pub(crate) fn authorities(&self) -> Vec<&DistinguishedName> {
        let mut names = Vec::new();
        for entry in &self.entries {
            if entry.status != Status::Trusted {
                continue;
            }
            let name = match entry.kind {
                CertificateType::UserSigning => entry.certificate.subject(),
                CertificateType::User => entry.certificate.issuer(),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl Entry {
    /// Whether `leaf` is this client certificate, octet for octet, and may come in by itself.
    pub(crate) fn admits(&self, leaf: &Certificate) -> bool {
        self.kind == CertificateType::User
            && self.status == Status::Trusted
            && self.certificate == *leaf
    }

    fn describe(&self) -> ImportedCertificate {
        ImportedCertificate {
            fingerprint: Fingerprint::of(&self.certificate),
            kind: self.kind,
            status: self.status,
            subject: self.certificate.subject().to_string(),
            issuer: self.certificate.issuer().to_string(),
            not_after: self.certificate.validity().not_after,
        }
    }
}

/// Where a certificate that is to act as an authority comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An administrator vouches for it.
    Imported,
    /// The client sent it.
    Sent,
}

/// The path length constraint of an authority (`None`: unconstrained), or why the certificate is none.
///
/// RFC 5280, section 6.1.4 (k), leaves it to other means whether a v1 certificate is an authority: the import of a
/// self-signed one as a signing certificate is such a means.
pub(crate) fn authority_of(
    certificate: &Certificate,
    origin: Origin,
) -> Result<Option<u32>, &'static str> {
    // RFC 5280, section 4.1.2.6. An issuer without a name is nobody.
    if certificate.subject().is_empty() {
        return Err("its subject is empty");
    }
    let Some(constraints) = certificate.basic_constraints() else {
        let v1_root = certificate.version() == Version::V1
            && origin == Origin::Imported
            && certificate.subject().matches(certificate.issuer());
        return if v1_root {
            Ok(None)
        } else {
            Err("it has no basicConstraints")
        };
    };
    if !constraints.ca {
        return Err("its basicConstraints say that it is no CA");
    }
    if certificate
        .key_usage()
        .is_some_and(|usage| !usage.key_cert_sign())
    {
        return Err("its keyUsage lacks keyCertSign");
    }
    Ok(constraints.path_len)
}

/// The length of the modulus in bits, if the key is an RSA key.
pub(crate) fn rsa_bits(certificate: &Certificate) -> Result<Option<usize>, pki::Error> {
    Ok(match certificate.public_key()?.algorithm() {
        KeyAlgorithm::Rsa { bits } => Some(bits),
        _ => None,
    })
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
