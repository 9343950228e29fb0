//! From a client's certificate up to one that was imported (after RFC 5280, section 6.1).
use std::{sync::Arc, time::SystemTime};

use pki::{Certificate, ExtendedKeyUsage};
use rustls::{CertificateError, OtherError};
use rustls_pki_types::CertificateDer;

use crate::{
    CertificateType, Status,
    certificates::{CertificateStore, Origin, authority_of, rsa_bits},
    signature::{SignatureError, verify_certificate},
    state::Policy,
};

/// The client's certificate, when the chain that it heads is accepted.
///
/// A certificate imported as `USER` is accepted by itself; any other needs a path over the certificates that were sent
/// to a trusted signing certificate.
pub(crate) fn verify(
    chain: &[CertificateDer<'_>],
    store: &CertificateStore,
    policy: &Policy,
) -> Result<Certificate, Refusal> {
    if chain.len() > MAX_CHAIN {
        return Err(Refusal::ChainTooLong { found: chain.len() });
    }
    let mut chain = chain.iter().map(|der| Certificate::from_der(der));
    let leaf = chain.next().ok_or(Refusal::NoCertificate)??;
    let sent = chain.collect::<Result<Vec<_>, _>>()?;

    let now = policy.clock.now();
    check_standing(&leaf, store)?;
    check_dates(&leaf, now)?;
    match store.find(&leaf) {
        // Nobody looks at the signature of such a certificate, so that it has to be the imported one in every octet.
        Some(entry) if entry.admits(&leaf) => {}
        Some(entry) if entry.kind == CertificateType::UserSigning => {
            return Err(Refusal::NotForClients {
                subject: leaf.subject().to_string(),
                reason: "it was imported as a signing certificate",
            });
        }
        _ => Search {
            sent: &sent,
            store,
            policy,
            now,
            signatures: 0,
        }
        .authority_above(&leaf, 0, 0)?,
    }
    // Last, because who doesn't trust the issuer has no use for its purposes.
    check_leaf(&leaf, policy)?;
    Ok(leaf)
}

/// Why a client certificate is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no certificate was presented")]
    NoCertificate,
    #[error("{found} certificates were sent, more than the limit of {MAX_CHAIN}")]
    ChainTooLong { found: usize },
    #[error(transparent)]
    Malformed(#[from] pki::Error),
    #[error("the certificate of {subject} has expired")]
    Expired { subject: String },
    #[error("the certificate of {subject} is not valid yet")]
    NotYetValid { subject: String },
    #[error("the certificate of {subject} is revoked")]
    Revoked { subject: String },
    #[error("the certificate of {subject} is disabled")]
    Disabled { subject: String },
    #[error("no trusted signing certificate of {issuer} was imported")]
    UnknownIssuer { issuer: String },
    #[error("the certificate of {subject}: {error}")]
    Signature {
        subject: String,
        error: SignatureError,
    },
    #[error("the certificate of {subject} may not sign certificates: {reason}")]
    NotAnAuthority {
        subject: String,
        reason: &'static str,
    },
    #[error("the path length constraint of {subject} is exceeded")]
    PathTooLong { subject: String },
    #[error("the certificate of {subject} is not meant for clients: {reason}")]
    NotForClients {
        subject: String,
        reason: &'static str,
    },
    #[error("the RSA key has {bits} bits, fewer than the minimum of {minimum}")]
    KeyTooSmall { bits: usize, minimum: usize },
    #[error("the certificate of {subject} has a critical extension that is not evaluated: {oid}")]
    CriticalExtension { subject: String, oid: String },
    #[error("finding a path takes more than {MAX_SIGNATURES} signature checks")]
    TooMuchWork,
}

/// Each refusal as the error whose alert (RFC 8446, section 6.2) fits it.
impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        let error = match refusal {
            Refusal::NoCertificate => return Self::NoCertificatesPresented,
            // bad_certificate: "corrupt, contained signatures that did not verify correctly, etc."
            Refusal::Malformed(_)
            | Refusal::Signature {
                error: SignatureError::Malformed | SignatureError::Mismatch,
                ..
            } => CertificateError::BadEncoding,
            Refusal::CriticalExtension { .. } => CertificateError::UnhandledCriticalExtension,
            Refusal::Expired { .. } => CertificateError::Expired,
            Refusal::NotYetValid { .. } => CertificateError::NotValidYet,
            Refusal::Revoked { .. } => CertificateError::Revoked,
            // access_denied
            Refusal::Disabled { .. } => CertificateError::ApplicationVerificationFailure,
            Refusal::UnknownIssuer { .. } => CertificateError::UnknownIssuer,
            // unsupported_certificate
            Refusal::NotForClients { .. } => CertificateError::InvalidPurpose,
            // certificate_unknown: "some other (unspecified) issue"
            other => CertificateError::Other(OtherError(Arc::new(other))),
        };
        Self::InvalidCertificate(error)
    }
}

struct Search<'a> {
    sent: &'a [Certificate],
    store: &'a CertificateStore,
    policy: &'a Policy,
    now: SystemTime,
    signatures: usize,
}

impl Search<'_> {
    /// Looks for an accepted issuer of `child`, which stands `depth` steps above the client's certificate, with
    /// `below` authorities under the issuer that count towards its path length constraint.
    fn authority_above(
        &mut self,
        child: &Certificate,
        depth: usize,
        below: u32,
    ) -> Result<(), Refusal> {
        let name = child.issuer();
        let mut refusals = Refusals::default();
        let (store, sent) = (self.store, self.sent);

        for signer in store.signers(name) {
            if signer.status == Status::Known || !may_be_issuer(child, &signer.certificate) {
                continue;
            }
            match self.check_issuer(child, &signer.certificate, Origin::Imported, below) {
                Ok(()) => return Ok(()),
                Err(refusal) => refusals.note(refusal)?,
            }
        }
        for issuer in sent {
            if depth >= MAX_CHAIN || issuer.subject() != name || !may_be_issuer(child, issuer) {
                continue;
            }
            // A self-signed certificate leads nowhere from itself.
            if issuer == child {
                continue;
            }
            // RFC 5280, section 4.2.1.9: self-issued certificates don't count.
            let counted = u32::from(issuer.subject() != issuer.issuer());
            let above = below.saturating_add(counted);
            let path = self
                .check_issuer(child, issuer, Origin::Sent, below)
                .and_then(|()| self.authority_above(issuer, depth.saturating_add(1), above));
            match path {
                Ok(()) => return Ok(()),
                Err(refusal) => refusals.note(refusal)?,
            }
        }
        Err(refusals.most_telling().unwrap_or(Refusal::UnknownIssuer {
            issuer: name.to_string(),
        }))
    }

    /// Whether `issuer` signed `child` and was allowed to.
    fn check_issuer(
        &mut self,
        child: &Certificate,
        issuer: &Certificate,
        origin: Origin,
        below: u32,
    ) -> Result<(), Refusal> {
        if self.signatures >= MAX_SIGNATURES {
            return Err(Refusal::TooMuchWork);
        }
        self.signatures = self.signatures.saturating_add(1);
        verify_certificate(child, issuer, &self.policy.algorithms).map_err(|error| {
            Refusal::Signature {
                subject: child.subject().to_string(),
                error,
            }
        })?;

        let subject = || issuer.subject().to_string();
        check_standing(issuer, self.store)?;
        check_dates(issuer, self.now)?;
        check_extensions(issuer)?;
        let path_len = authority_of(issuer, origin).map_err(|reason| Refusal::NotAnAuthority {
            subject: subject(),
            reason,
        })?;
        if path_len.is_some_and(|limit| below > limit) {
            return Err(Refusal::PathTooLong { subject: subject() });
        }
        Ok(())
    }
}

/// The refusals of the paths that were tried.
#[derive(Default)]
struct Refusals {
    first: Option<Refusal>,
}

impl Refusals {
    /// Keeps the first that says more than that there is no issuer. Fails when there is no point in going on.
    fn note(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        match (&self.first, refusal) {
            (_, Refusal::TooMuchWork) => return Err(Refusal::TooMuchWork),
            (None | Some(Refusal::UnknownIssuer { .. }), refusal) => self.first = Some(refusal),
            _ => {}
        }
        Ok(())
    }

    fn most_telling(self) -> Option<Refusal> {
        self.first
    }
}

/// Two authorities may share a name: where both key identifiers are there and differ, this is not the one
/// (RFC 5280, section 4.2.1.1).
fn may_be_issuer(child: &Certificate, issuer: &Certificate) -> bool {
    match (
        child.authority_key_identifier(),
        issuer.subject_key_identifier(),
    ) {
        (Some(wanted), Some(found)) => wanted == found,
        _ => true,
    }
}

/// Whether an administrator put the certificate out of use.
fn check_standing(certificate: &Certificate, store: &CertificateStore) -> Result<(), Refusal> {
    let subject = || certificate.subject().to_string();
    match store.find(certificate).map(|entry| entry.status) {
        Some(Status::Revoked) => Err(Refusal::Revoked { subject: subject() }),
        Some(Status::Disabled) => Err(Refusal::Disabled { subject: subject() }),
        Some(Status::Trusted | Status::Known) | None => Ok(()),
    }
}

fn check_dates(certificate: &Certificate, now: SystemTime) -> Result<(), Refusal> {
    let validity = certificate.validity();
    let subject = || certificate.subject().to_string();
    if now < validity.not_before {
        return Err(Refusal::NotYetValid { subject: subject() });
    }
    if now > validity.not_after {
        return Err(Refusal::Expired { subject: subject() });
    }
    Ok(())
}

/// RFC 5280, section 4.2: a certificate is refused for an extension that is critical and not evaluated.
fn check_extensions(certificate: &Certificate) -> Result<(), Refusal> {
    match certificate
        .extensions()
        .find(|(oid, critical)| *critical && !EVALUATED.contains(oid))
    {
        None => Ok(()),
        Some((oid, _)) => Err(Refusal::CriticalExtension {
            subject: certificate.subject().to_string(),
            oid: oid.to_owned(),
        }),
    }
}

fn check_leaf(leaf: &Certificate, policy: &Policy) -> Result<(), Refusal> {
    check_extensions(leaf)?;
    let minimum = policy.minimum_rsa_bits;
    if let Some(bits) = rsa_bits(leaf)?
        && bits < minimum
    {
        return Err(Refusal::KeyTooSmall { bits, minimum });
    }
    let purposes = leaf.extended_key_usage();
    if !purposes.is_empty()
        && !purposes.contains(&ExtendedKeyUsage::ClientAuth)
        && !purposes.contains(&ExtendedKeyUsage::Any)
    {
        return Err(Refusal::NotForClients {
            subject: leaf.subject().to_string(),
            reason: "its extendedKeyUsage lacks clientAuth",
        });
    }
    if leaf
        .key_usage()
        .is_some_and(|usage| !usage.digital_signature())
    {
        return Err(Refusal::NotForClients {
            subject: leaf.subject().to_string(),
            reason: "its keyUsage lacks digitalSignature",
        });
    }
    Ok(())
}

/// Certificates that a client may send, its own included.
const MAX_CHAIN: usize = 10;

/// Signature checks that one handshake may cost. An honest chain takes one for each certificate.
const MAX_SIGNATURES: usize = 32;

/// keyUsage, subjectAltName (that users are not found by it is a decision), basicConstraints, extendedKeyUsage.
const EVALUATED: [&str; 4] = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37"];
