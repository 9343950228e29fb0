//! What an administrator has imported.
use std::time::SystemTime;

use pki::{Certificate, DistinguishedName};

use crate::{
    CertificateType, Error, Fingerprint, ImportedCertificate, Status,
    certificate_rules::{Origin, authority_of, rsa_bits},
    signature::signed_part,
};

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

    /// The names of the CAs whose certificates may be presented: those of the signing certificates, and the
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
