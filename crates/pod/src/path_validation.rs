//! From a client's certificate up to one that was imported (after RFC 5280, section 6.1).
use std::{iter::successors, sync::Arc, time::SystemTime};

use pki::{Certificate, ExtendedKeyUsage, Version};
use rustls::{CertificateError, OtherError};
use rustls_pki_types::CertificateDer;

use crate::{
    CertificateType, Status,
    certificate_rules::{Origin, authority_of, rsa_bits},
    certificates::CertificateStore,
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
    let (leaf, others) = chain.split_first().ok_or(Refusal::NoCertificate)?;
    let leaf = Certificate::from_der(leaf)?;
    // Of the others, what nobody needs may be malformed.
    let (mut sent, mut malformed) = (Vec::new(), None);
    for der in others {
        match Certificate::from_der(der) {
            Ok(certificate) => sent.push(certificate),
            Err(error) => malformed = malformed.or(Some(error)),
        }
    }

    let now = policy.clock.now();
    check_standing(&leaf, store)?;
    check_dates(&leaf, now)?;
    match store.find(&leaf) {
        // Nobody looks at the signature of such a certificate, so that it has to be the imported one in every octet.
        Some(entry) if entry.admits(&leaf) => {}
        Some(entry)
            if entry.kind == CertificateType::UserSigning && entry.status != Status::Known =>
        {
            return Err(Refusal::NotForClients {
                subject: subject_of(&leaf),
                reason: "it was imported as a signing certificate",
            });
        }
        _ => {
            let mut search = Search {
                sent: &sent,
                store,
                policy,
                now,
                signatures: 0,
            };
            let path = Path {
                top: &leaf,
                below: None,
            };
            search.issuer_of(&path).map_err(|refusal| match malformed {
                // Perhaps it would have been the issuer.
                Some(error) if matches!(refusal, Refusal::UnknownIssuer { .. }) => error.into(),
                _ => refusal,
            })?;
        }
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
    #[error("the certificate of {subject}: {error}")]
    NameConstraints { subject: String, error: pki::Error },
    #[error("the certificate of {subject} is not meant for clients: {reason}")]
    NotForClients {
        subject: String,
        reason: &'static str,
    },
    #[error("the RSA key has {bits} bits, fewer than the minimum of {minimum}")]
    KeyTooSmall { bits: usize, minimum: usize },
    #[error("the certificate of {subject} has a critical extension that is not evaluated: {oid}")]
    CriticalExtension { subject: String, oid: String },
    #[error("the certificate of {subject} has extensions, which {version} doesn't know")]
    ExtensionsBeforeV3 { subject: String, version: Version },
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
            | Refusal::ExtensionsBeforeV3 { .. }
            | Refusal::Signature {
                error:
                    SignatureError::Malformed | SignatureError::Mismatch | SignatureError::TwoAlgorithms,
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

/// The part of a path that is accepted so far.
struct Path<'a> {
    /// Whose issuer is looked for.
    top: &'a Certificate,
    /// What stands below. Nothing below the client's own certificate.
    below: Option<&'a Path<'a>>,
}

impl Path<'_> {
    /// From the top down to the client's own.
    fn steps(&self) -> impl Iterator<Item = &Self> {
        successors(Some(self), |step| step.below)
    }
}

impl Search<'_> {
    /// Looks for an accepted issuer of the certificate on top.
    fn issuer_of(&mut self, path: &Path<'_>) -> Result<(), Refusal> {
        let child = path.top;
        let name = child.issuer();
        let mut refusals = Refusals::default();
        let (store, sent) = (self.store, self.sent);

        for signer in store.signers(name) {
            if signer.status == Status::Known || !may_be_issuer(child, &signer.certificate) {
                continue;
            }
            let found = self
                .check_issuer(path, &signer.certificate, Origin::Imported)
                // Now that it leads somewhere: comparing names is work that a stranger could pile up.
                .and_then(|()| check_name_constraints(path, &signer.certificate));
            match found {
                Ok(()) => return Ok(()),
                Err(refusal) => refusals.note(refusal),
            }
        }
        for issuer in sent {
            if !issuer.subject().matches(name) || !may_be_issuer(child, issuer) {
                continue;
            }
            // From a certificate that is in the path already, it goes on to where it went.
            if path.steps().any(|step| step.top == issuer) {
                continue;
            }
            let found = self
                .check_issuer(path, issuer, Origin::Sent)
                .and_then(|()| {
                    self.issuer_of(&Path {
                        top: issuer,
                        below: Some(path),
                    })
                });
            match found {
                Ok(()) => return Ok(()),
                Err(refusal) => refusals.note(refusal),
            }
        }
        Err(refusals.most_telling().unwrap_or(Refusal::UnknownIssuer {
            issuer: name.to_string(),
        }))
    }

    /// Whether `issuer` signed the certificate on top, and was allowed to.
    fn check_issuer(
        &mut self,
        path: &Path<'_>,
        issuer: &Certificate,
        origin: Origin,
    ) -> Result<(), Refusal> {
        if self.signatures >= MAX_SIGNATURES {
            return Err(Refusal::TooMuchWork);
        }
        self.signatures = self.signatures.saturating_add(1);
        verify_certificate(path.top, issuer, &self.policy.algorithms).map_err(|error| {
            Refusal::Signature {
                subject: subject_of(path.top),
                error,
            }
        })?;

        check_standing(issuer, self.store)?;
        check_dates(issuer, self.now)?;
        check_extensions(issuer)?;
        let path_len = authority_of(issuer, origin).map_err(|reason| Refusal::NotAnAuthority {
            subject: subject_of(issuer),
            reason,
        })?;
        // RFC 5280, section 4.2.1.9: neither the client's own certificate counts, nor a self-issued one.
        let counted = |step: &&Path<'_>| step.below.is_some() && !is_self_issued(step.top);
        let between = path.steps().filter(counted).count();
        if path_len.is_some_and(|limit| between > limit as usize) {
            return Err(Refusal::PathTooLong {
                subject: subject_of(issuer),
            });
        }
        // That the purposes of a CA bound those of what it signs is no rule of RFC 5280, and what TLS libraries do.
        check_purposes(issuer)
    }
}

/// RFC 5280, section 6.1.3 (b) and (c): the name constraints of each issuer bind all that stands below it, but for the
/// self-issued CAs.
fn check_name_constraints(path: &Path<'_>, anchor: &Certificate) -> Result<(), Refusal> {
    let issuers = std::iter::once(anchor).chain(path.steps().map(|step| step.top));
    for (issuer, below) in issuers.zip(path.steps()) {
        for step in below.steps() {
            if step.below.is_some() && is_self_issued(step.top) {
                continue;
            }
            let certificate = step.top;
            issuer
                .check_name_constraints(certificate.subject(), certificate.subject_alt_names())
                .map_err(|error| Refusal::NameConstraints {
                    subject: subject_of(certificate),
                    error,
                })?;
        }
    }
    Ok(())
}

/// The refusals of the paths that were tried.
#[derive(Default)]
struct Refusals {
    first: Option<Refusal>,
}

impl Refusals {
    /// Keeps the first that says more than that there is no issuer.
    fn note(&mut self, refusal: Refusal) {
        if matches!(self.first, None | Some(Refusal::UnknownIssuer { .. })) {
            self.first = Some(refusal);
        }
    }

    fn most_telling(self) -> Option<Refusal> {
        self.first
    }
}

/// Two CAs may share a name: where both key identifiers are there and differ, this is not the one
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
    match store.find(certificate).map(|entry| entry.status) {
        Some(Status::Revoked) => Err(Refusal::Revoked {
            subject: subject_of(certificate),
        }),
        Some(Status::Disabled) => Err(Refusal::Disabled {
            subject: subject_of(certificate),
        }),
        Some(Status::Trusted | Status::Known) | None => Ok(()),
    }
}

fn check_dates(certificate: &Certificate, now: SystemTime) -> Result<(), Refusal> {
    let validity = certificate.validity();
    if now < validity.not_before {
        return Err(Refusal::NotYetValid {
            subject: subject_of(certificate),
        });
    }
    if now > validity.not_after {
        return Err(Refusal::Expired {
            subject: subject_of(certificate),
        });
    }
    Ok(())
}

/// The subject, for a refusal.
fn subject_of(certificate: &Certificate) -> String {
    if certificate.subject().is_empty() {
        return "(no name)".to_owned();
    }
    certificate.subject().to_string()
}

fn is_self_issued(certificate: &Certificate) -> bool {
    certificate.subject().matches(certificate.issuer())
}

/// RFC 5280, section 4.2: a certificate is refused for an extension that is critical and not evaluated. And section
/// 4.1.2.9: only version 3 has extensions. (That users are not found by subjectAltName is a decision.)
fn check_extensions(certificate: &Certificate) -> Result<(), Refusal> {
    if certificate.version() != Version::V3 && certificate.extensions().next().is_some() {
        return Err(Refusal::ExtensionsBeforeV3 {
            subject: subject_of(certificate),
            version: certificate.version(),
        });
    }
    match certificate.unsupported_critical_extension() {
        None => Ok(()),
        Some(oid) => Err(Refusal::CriticalExtension {
            subject: subject_of(certificate),
            oid: oid.to_owned(),
        }),
    }
}

/// RFC 5280, section 4.2.1.12: whether what the certificate is used for is among its purposes, when it names any.
fn check_purposes(certificate: &Certificate) -> Result<(), Refusal> {
    match certificate.extended_key_usage() {
        Some(purposes)
            if !purposes.contains(&ExtendedKeyUsage::ClientAuth)
                && !purposes.contains(&ExtendedKeyUsage::Any) =>
        {
            Err(Refusal::NotForClients {
                subject: subject_of(certificate),
                reason: "its extendedKeyUsage lacks clientAuth",
            })
        }
        _ => Ok(()),
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
    check_purposes(leaf)?;
    if leaf
        .key_usage()
        .is_some_and(|usage| !usage.digital_signature())
    {
        return Err(Refusal::NotForClients {
            subject: subject_of(leaf),
            reason: "its keyUsage lacks digitalSignature",
        });
    }
    Ok(())
}

/// Certificates that a client may send, its own included.
const MAX_CHAIN: usize = 10;

/// Signature checks that one handshake may cost. A well-formed chain takes one for each certificate.
const MAX_SIGNATURES: usize = 32;
