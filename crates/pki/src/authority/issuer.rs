use super::{
    limits::Limits,
    policies::{self, POLICY_CONSTRAINTS, POLICY_MAPPINGS},
};
use crate::{
    Certificate, Error, Issuance, PreparedCertificate, Profile, PublicKey, Version, chain,
    issuance::Signing,
};

/// The issuing side of a CA without its private key: its certificate, and those of its issuers as far as they are known. It
/// makes all checks, and leaves the signature to a [`Signer`](crate::Signer), or to whoever has the key.
///
/// ```
/// # use pki::{CertificateAuthority, KeyKind, PrivateKey};
/// use pki::{Issuance, Issuer, Profile, Signer};
///
/// fn issue(issuer: &Issuer, token: &dyn Signer, issuance: &Issuance) -> Result<pki::Certificate, pki::Error> {
///     issuer.prepare(issuance, &Profile::client())?.sign(token)
/// }
/// # let key = PrivateKey::generate(KeyKind::EcP256)?;
/// # let ca = CertificateAuthority::create_root("/CN=Demo CA".parse()?, key, &Profile::root())?;
/// # let issuer = Issuer::new(ca.certificate().clone())?;
/// # let key = PrivateKey::generate(KeyKind::EcP256)?;
/// # let issuance = Issuance::for_key(key.public_key(), "/CN=demo-bot1".parse()?);
/// # issue(&issuer, ca.private_key(), &issuance)?.verify_issued_by(issuer.certificate())?;
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The first of the chain, on its own too: a slice doesn't say that it isn't empty.
    certificate: Certificate,
    chain: Vec<Certificate>,
    key: PublicKey,
}

impl Issuer {
    /// A CA that exists: its certificate. The limits that its issuers may have set are not known to it.
    ///
    /// # Errors
    /// [`Error::UnsupportedKey`] for a certificate with a key that this crate doesn't handle;
    /// [`Error::NotAnAuthority`] when the certificate is not v3, lacks the CA bit or keyCertSign, or has no subject;
    /// [`Error::UnsupportedCriticalExtension`]. Dates are checked at each issuance.
    pub fn new(certificate: Certificate) -> Result<Self, Error> {
        Self::with_issuers(certificate, Vec::new())
    }

    /// A CA that exists, with the certificates of its issuers, in any order: one chain, upwards from it, as far as
    /// it is known. An issuer whose signature is of an algorithm that this crate doesn't verify (SHA-1 for example) has
    /// its place by its name and its key identifier.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), the last two for an issuer that is no CA, too (a root of version 1 is one, as it has
    /// no extensions to say so); [`Error::NotInChain`] for a certificate that isn't in that chain, or
    /// [`Error::CertificateSignatureInvalid`] and [`Error::SignatureAlgorithmMismatch`] where its place would be there.
    /// One that is given twice is taken once.
    pub fn with_issuers(
        certificate: Certificate,
        issuers: Vec<Certificate>,
    ) -> Result<Self, Error> {
        let key = certificate.public_key()?;
        certificate.check_authority()?;
        let chain: Vec<Certificate> = chain::upwards_all(&certificate, &issuers)?
            .into_iter()
            .cloned()
            .collect();
        chain.iter().skip(1).try_for_each(check_issuer)?;
        chain.iter().try_for_each(check_extensions)?;
        Ok(Self {
            certificate,
            chain,
            key,
        })
    }

    /// A CA that exists, from PEM: the first certificate is its own, those after it are its issuers, in any
    /// order.
    ///
    /// # Errors
    /// Those of [`with_issuers`](Self::with_issuers) and [`Certificate::from_pem`].
    pub fn from_pem(certificates: impl AsRef<[u8]>) -> Result<Self, Error> {
        let (certificate, issuers) = own_and_issuers(certificates)?;
        Self::with_issuers(certificate, issuers)
    }

    /// The CA's own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The CA's own certificate, then those of its issuers as far as they are known: what a leaf that it signs
    /// needs in its bundle.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The public half of the key that signs.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Makes all checks, and lays the certificate out that is to be signed, with what `profile` grants.
    ///
    /// # Errors
    /// For the limits that this CA's certificate, or that of one of its issuers, sets:
    /// - [`Error::AuthorityExpired`], [`Error::AuthorityNotYetValid`];
    /// - [`Error::ValidityExceedsAuthority`], [`Error::ValidityPrecedesAuthority`];
    /// - [`Error::PathLengthExceeded`] when a path below would be longer than one of them allows;
    /// - [`Error::PurposeNotPermitted`] for a purpose that the extended key usage of one of them lacks;
    /// - [`Error::NameNotPermitted`], [`Error::NameExcluded`], [`Error::UnsupportedNameConstraint`] and
    ///   [`Error::BudgetExceeded`] under name constraints. A common name that looks like a host name counts as one where
    ///   there is no other, as OpenSSL has it;
    /// - [`Error::PolicyNotPermitted`] where policy constraints of one of them require a certificate policy, and there is none that
    ///   their policies and mappings allow.
    ///
    /// For what was asked for:
    /// - [`Error::KeyTooSmall`], an RSA key below the profile's minimum, and [`Error::KeyNotAllowed`], also where a key has no use for the profile's
    ///   key usage;
    /// - [`Error::SubjectIsIssuer`], a subject that is this CA's own;
    /// - [`Error::AttributeMissing`] and [`Error::AttributeNotAllowed`], for a subject;
    /// - [`Error::NameNotGranted`], a name that no pattern of the profile grants; [`Error::BudgetExceeded`] for more comparisons
    ///   with patterns than a million;
    /// - [`Error::InvalidSubjectAltName`], a name that is granted and isn't well-formed, or of a form that isn't granted;
    /// - [`Error::NameMissing`] for a server without alternative names, a CA without a subject, or a subject that is empty where
    ///   there are no alternative names;
    /// - [`Error::InvalidProfile`] for a root profile, a path length without a CA, and whatever else can't be valid;
    /// - [`Error::InvalidSerialNumber`] for one that was read from a certificate and that no new one may have;
    /// - [`Error::InvalidValidity`], [`Error::UnsupportedSignatureAlgorithm`];
    /// - [`Error::IssuerMismatch`] and [`Error::CertificateSignatureInvalid`], a certificate to be renewed that is not this CA's.
    ///
    /// And [`Error::Randomness`]. [`Error::fault`] tells them apart.
    pub fn prepare(
        &self,
        issuance: &Issuance,
        profile: &Profile,
    ) -> Result<PreparedCertificate, Error> {
        if profile.is_root {
            return Err(Error::InvalidProfile {
                reason: "a CA does not sign another root",
            });
        }
        if let Some(renewed) = issuance.renewed() {
            renewed.verify_issued_by(&self.certificate)?;
        }
        let granted = issuance.granted_by(profile)?;
        if granted.subject.matches(self.certificate.subject()) {
            return Err(Error::SubjectIsIssuer {
                subject: granted.subject.to_string(),
            });
        }
        let limits = Limits::of(&self.certificate, &self.chain);
        let validity = limits.validity_at(issuance.now())?;
        // The issuer's own identifier, where it has one, and not a hash that may have been made otherwise.
        let key_identifier = match self.certificate.subject_key_identifier() {
            Some(identifier) => identifier.to_vec(),
            None => self.key.key_identifier().to_vec(),
        };
        let prepared = granted.prepare(&Signing {
            name: self.certificate.subject(),
            key: &self.key,
            key_identifier: &key_identifier,
            validity: Some(validity),
        })?;
        // What is judged is what will be signed, wherever it came from.
        limits.check(prepared.unsigned())?;
        policies::check(&self.chain, prepared.unsigned())?;
        Ok(prepared)
    }
}

/// The first certificate of a PEM file, and the others.
pub(super) fn own_and_issuers(
    pem: impl AsRef<[u8]>,
) -> Result<(Certificate, Vec<Certificate>), Error> {
    let mut certificates = Certificate::all_from_pem(pem)?.into_iter();
    match certificates.next() {
        Some(own) => Ok((own, certificates.collect())),
        None => Err(Error::PemNotFound {
            expected: "CERTIFICATE",
            found: Vec::new(),
        }),
    }
}

/// An old root is one of version 1, which can't say that it is a CA: whoever set the CA up chose it. In between, a
/// certificate that doesn't say so is none (RFC 5280, section 6.1.4 (k)).
fn check_issuer(certificate: &Certificate) -> Result<(), Error> {
    if certificate.version() == Version::V1 && certificate.is_self_signed() {
        return Ok(());
    }
    certificate.check_authority()
}

/// RFC 5280, section 4.2: what is critical and not evaluated is a reason to refuse the certificate, and all below it.
fn check_extensions(certificate: &Certificate) -> Result<(), Error> {
    // These two are evaluated at each issuance.
    match certificate.critical_extension_beyond(&[POLICY_CONSTRAINTS, POLICY_MAPPINGS]) {
        None => Ok(()),
        Some(oid) => Err(Error::UnsupportedCriticalExtension {
            subject: certificate.subject().to_string(),
            extension: oid.to_owned(),
        }),
    }
}
