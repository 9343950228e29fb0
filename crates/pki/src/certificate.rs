use std::{fmt, time::SystemTime};

use sha2::{Digest as _, Sha256};
use x509_parser::{prelude::FromDer, x509::X509Version};

use crate::{
    BasicConstraints, DistinguishedName, Error, ExtendedKeyUsage, KeyUsage, NameConstraints,
    PublicKey, SerialNumber, SignatureAlgorithm, SubjectAltName, Validity, budget,
    der::malformed,
    extension::{self, Extensions, Present},
    pem,
    signed::{self, Signed},
    time,
};

/// The largest certificate that is read, in octets. Ordinary ones have a few thousand.
const MAX_SIZE: usize = 1 << 20;
const WHAT: &str = "certificate";

/// An X.509 certificate (RFC 5280, section 4.1), parsed and immutable, that owns its DER.
///
/// Versions 1 to 3 are read; this crate writes version 3 only. A signature is checked where
/// [`verify_issued_by`](Self::verify_issued_by) is called, and not before. Two certificates are equal when their DER is.
///
/// ```
/// # use pki::{CertificateAuthority, KeyKind, PrivateKey, Profile};
/// # let key = PrivateKey::generate(KeyKind::EcP256)?;
/// # let ca = CertificateAuthority::create_root("/CN=Demo CA".parse()?, key, &Profile::root())?;
/// # let pem = ca.certificate().to_pem();
/// let certificate = pki::Certificate::from_pem(pem)?;
/// println!("{}, until {:?}", certificate.subject(), certificate.validity().not_after);
/// assert!(certificate.basic_constraints().is_some_and(|constraints| constraints.ca));
/// certificate.verify_issued_by(&certificate)?; // it is a root
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    version: Version,
    serial_number: SerialNumber,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    validity: Validity,
    spki: Vec<u8>,
    signature_algorithm: String,
    extensions: Extensions,
}

/// The version of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// X.509 v1: no extensions. What `openssl x509 -req` makes without `-extfile`, before OpenSSL 3.2.
    V1,
    /// X.509 v2: unique identifiers, no extensions.
    V2,
    /// X.509 v3.
    V3,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        })
    }
}

impl Certificate {
    /// The first `CERTIFICATE` block of a PEM file.
    ///
    /// # Errors
    /// [`Error::PemNotFound`], [`Error::MalformedPem`], and those of [`Certificate::from_der`].
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let blocks = Self::blocks(pem.as_ref())?;
        let first = blocks
            .first()
            .map(|block| block.der.as_slice())
            .unwrap_or_default();
        Self::from_der(first)
    }

    /// Every `CERTIFICATE` block of a PEM file, in file order; at least one.
    ///
    /// # Errors
    /// [`Error::PemNotFound`], [`Error::MalformedPem`], and those of [`Certificate::from_der`].
    pub fn all_from_pem(pem: impl AsRef<[u8]>) -> Result<Vec<Self>, Error> {
        Self::blocks(pem.as_ref())?
            .iter()
            .map(|block| Self::from_der(&block.der))
            .collect()
    }

    /// A certificate in DER.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        budget::check_size(der, MAX_SIZE, WHAT)?;
        let (rest, parsed) = x509_parser::certificate::X509Certificate::from_der(der)
            .map_err(|error| malformed(WHAT, extension::decoding(error)))?;
        if !rest.is_empty() {
            return Err(Error::TrailingData {
                what: WHAT,
                count: rest.len(),
            });
        }
        let version = match parsed.version {
            X509Version::V1 => Version::V1,
            X509Version::V2 => Version::V2,
            X509Version::V3 => Version::V3,
            X509Version(other) => {
                return Err(malformed(WHAT, format!("version {other} does not exist")));
            }
        };
        let at = |asn1: x509_parser::time::ASN1Time| {
            time::from_timestamp(asn1.timestamp())
                .ok_or_else(|| malformed(WHAT, "a time can't be represented"))
        };
        Ok(Self {
            version,
            serial_number: SerialNumber::as_found(parsed.raw_serial()),
            issuer: DistinguishedName::from_der(parsed.issuer.as_raw())?,
            subject: DistinguishedName::from_der(parsed.subject.as_raw())?,
            validity: Validity {
                not_before: at(parsed.validity.not_before)?,
                not_after: at(parsed.validity.not_after)?,
            },
            spki: parsed.public_key().raw.to_vec(),
            signature_algorithm: SignatureAlgorithm::name_of(
                parsed.signature_algorithm.algorithm.as_bytes(),
                parsed
                    .signature_algorithm
                    .parameters
                    .as_ref()
                    .map(|parameters| parameters.data),
            ),
            extensions: Extensions::parse(parsed.extensions())?,
            der: der.to_vec(),
        })
    }

    /// A certificate in PEM or DER: the first one.
    ///
    /// # Errors
    /// Those of [`Certificate::from_pem`].
    pub fn from_pem_or_der(input: &[u8]) -> Result<Self, Error> {
        if pem::is_pem(input) {
            Self::from_pem(input)
        } else {
            Self::from_der(input)
        }
    }

    /// Every certificate of a PEM file, or the one of a DER file; at least one.
    ///
    /// # Errors
    /// Those of [`Certificate::from_pem`].
    pub fn all_from_pem_or_der(input: &[u8]) -> Result<Vec<Self>, Error> {
        if pem::is_pem(input) {
            Self::all_from_pem(input)
        } else {
            Ok(vec![Self::from_der(input)?])
        }
    }

    /// The DER, as it was read or signed.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// A `CERTIFICATE` block.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der).to_string()
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The serial number, as found: one made elsewhere may break the rules that [`SerialNumber`]'s constructors keep.
    pub fn serial_number(&self) -> &SerialNumber {
        &self.serial_number
    }

    /// Whom the certificate is about.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// Who signed it.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// From when until when it is valid.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The DER of the SubjectPublicKeyInfo, whatever the algorithm.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The subject's public key.
    ///
    /// # Errors
    /// [`Error::UnsupportedKey`] for an algorithm that this crate doesn't know, [`Error::Malformed`].
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        PublicKey::from_spki_der(&self.spki)
    }

    /// The signature algorithm: its name, for example `sha256WithRSAEncryption`, whether this crate verifies it or not;
    /// the object identifier of one that has no known name.
    pub fn signature_algorithm(&self) -> &str {
        &self.signature_algorithm
    }

    /// The BasicConstraints, when it has them.
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.extensions.basic_constraints
    }

    /// The KeyUsage, when it has one.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.extensions.key_usage
    }

    /// The purposes of the ExtendedKeyUsage, in file order, when it has one. An empty list, which RFC 5280, section
    /// 4.2.1.12 doesn't allow, allows no purpose; a certificate without the extension is good for any.
    pub fn extended_key_usage(&self) -> Option<&[ExtendedKeyUsage]> {
        self.extensions.extended_key_usage.as_deref()
    }

    /// The subject alternative names; none when it has no such extension.
    pub fn subject_alt_names(&self) -> &[SubjectAltName] {
        &self.extensions.subject_alt_names
    }

    /// The NameConstraints, when it has them.
    pub fn name_constraints(&self) -> Option<&NameConstraints> {
        self.extensions.name_constraints.as_ref()
    }

    /// Checks that this CA's name constraints, if it has any, allow a certificate with this subject and these alternative
    /// names somewhere below it (RFC 5280, section 4.2.1.10). The constraints apply to the subject, to the e-mail
    /// addresses in it, and to the alternative names. RFC 5280, section 6.1.3, leaves self-issued certificates in the
    /// middle of a path out: so does the caller.
    ///
    /// # Errors
    /// [`Error::NameNotPermitted`], [`Error::NameExcluded`], [`Error::UnsupportedNameConstraint`], and
    /// [`Error::BudgetExceeded`] beyond 250,000 comparisons.
    pub fn check_name_constraints(
        &self,
        subject: &DistinguishedName,
        alt_names: &[SubjectAltName],
    ) -> Result<(), Error> {
        match self.name_constraints() {
            Some(constraints) => constraints
                .check(subject, alt_names, false)
                .map_err(|violation| violation.of(&self.subject)),
            None => Ok(()),
        }
    }

    /// The subject key identifier, when it has one.
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.extensions.subject_key_identifier.as_deref()
    }

    /// The key identifier within the authority key identifier, when it has one.
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.extensions.authority_key_identifier.as_deref()
    }

    /// Every extension that is there, in order: dotted object identifier, and whether it is critical.
    pub fn extensions(&self) -> impl Iterator<Item = (&str, bool)> {
        self.extensions
            .present
            .iter()
            .map(|extension| (extension.oid.as_str(), extension.critical))
    }

    /// Likewise, with their values.
    pub(crate) fn present_extensions(&self) -> &[Present] {
        &self.extensions.present
    }

    /// The first extension that is critical and that this type says nothing about, as a dotted object identifier: whoever
    /// relies on the certificate must refuse it (RFC 5280, section 4.2).
    ///
    /// The others are keyUsage, subjectAltName, basicConstraints, nameConstraints and extendedKeyUsage; and two that hold
    /// whatever they say where no policy is asked for, certificatePolicies and inhibitAnyPolicy (section 6.1.1: the
    /// user-initial-policy-set is any-policy). Only policyConstraints can demand one, and policyMappings can be wrong in
    /// itself.
    pub fn unsupported_critical_extension(&self) -> Option<&str> {
        self.critical_extension_beyond(&[])
    }

    /// Likewise, for a caller that evaluates these, too.
    pub(crate) fn critical_extension_beyond(&self, evaluated: &[&str]) -> Option<&str> {
        const SUPPORTED: [&str; 7] = [
            "2.5.29.15",
            "2.5.29.17",
            "2.5.29.19",
            "2.5.29.30",
            "2.5.29.32",
            "2.5.29.37",
            "2.5.29.54",
        ];
        let (oid, _) = self.extensions().find(|(oid, critical)| {
            *critical && !SUPPORTED.contains(oid) && !evaluated.contains(oid)
        })?;
        Some(oid)
    }

    /// RFC 5280, sections 4.2.1.3 and 4.2.1.9: what makes a certificate a CA's. Extensions are a matter of version 3: what
    /// looks like them in another version says nothing.
    pub(crate) fn check_authority(&self) -> Result<(), Error> {
        let reason = if self.version != Version::V3 {
            "it is not an X.509 v3 certificate, so nothing says that it is a CA"
        } else if self.basic_constraints().is_none() {
            "it has no basic constraints"
        } else if !self.is_authority() {
            "its basic constraints say that it is not a CA"
        } else if self.key_usage().is_some_and(|usage| !usage.key_cert_sign()) {
            "its key usage lacks keyCertSign"
        } else if self.subject.is_empty() {
            "its subject is empty"
        } else {
            return Ok(());
        };
        Err(Error::NotAnAuthority {
            subject: self.subject.to_string(),
            reason,
        })
    }

    /// Whether its basic constraints say that it is a CA's, in the version that has any.
    pub(crate) fn is_authority(&self) -> bool {
        let constraints = self.basic_constraints();
        self.version == Version::V3 && constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Whether it names itself as its issuer (RFC 5280, section 3.2: self-issued) and its own key verifies it.
    ///
    /// Where this crate can't verify the signature, for it was made with SHA-1 for example, the key
    /// identifiers take its place: it counts as self-signed unless the two differ. This says where a chain ends, and
    /// nothing about trust.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.may_be_issued_by(self)
    }

    /// Checks that `issuer` signed this certificate: its subject [matches](DistinguishedName::matches) this one's issuer,
    /// and its key verifies the signature. Dates, usages and the rest of the path are not looked at.
    ///
    /// # Errors
    /// [`Error::IssuerMismatch`], [`Error::CertificateSignatureInvalid`]; [`Error::SignatureAlgorithmMismatch`] when it
    /// names two signature algorithms; [`Error::UnsupportedScheme`] for a signature algorithm and
    /// [`Error::UnsupportedKey`] for a key that this crate doesn't verify.
    pub fn verify_issued_by(&self, issuer: &Certificate) -> Result<(), Error> {
        if !self.issuer.matches(&issuer.subject) {
            return Err(Error::IssuerMismatch {
                subject: self.subject.to_string(),
                expected: self.issuer.to_string(),
                found: issuer.subject.to_string(),
            });
        }
        let signed = Signed::read(&self.der, WHAT)?;
        let inner = signed.certificate_algorithm()?;
        if inner != signed.algorithm {
            return Err(Error::SignatureAlgorithmMismatch {
                subject: self.subject.to_string(),
                inner: signed::shown(inner),
                outer: signed::shown(signed.algorithm),
            });
        }
        if signed.verifies_with(&issuer.public_key()?)? {
            return Ok(());
        }
        Err(Error::CertificateSignatureInvalid {
            subject: self.subject.to_string(),
            issuer: issuer.subject.to_string(),
        })
    }

    /// Checks that it is about this key, by meaning: one public key has several encodings.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`]; [`Error::UnsupportedKey`] and [`Error::Malformed`] when its own key can't be read.
    pub fn check_key(&self, key: &PublicKey) -> Result<(), Error> {
        if self.public_key()? == *key {
            return Ok(());
        }
        Err(Error::KeyMismatch {
            subject: self.subject.to_string(),
        })
    }

    /// Whether `issuer` signed this certificate or, where that can't be checked because the algorithm isn't supported, may
    /// have: names agree, and so do the key identifiers where both are there.
    pub(crate) fn may_be_issued_by(&self, issuer: &Certificate) -> bool {
        match self.verify_issued_by(issuer) {
            Ok(()) => true,
            Err(Error::UnsupportedScheme { .. } | Error::UnsupportedKey { .. }) => {
                match (
                    self.authority_key_identifier(),
                    issuer.subject_key_identifier(),
                ) {
                    (Some(named), Some(found)) => named == found,
                    _ => true,
                }
            }
            Err(_) => false,
        }
    }

    /// Whether a PEM block with this label is one.
    pub(crate) fn is_label(label: &str) -> bool {
        matches!(label, "CERTIFICATE" | "X509 CERTIFICATE")
    }

    /// The `CERTIFICATE` blocks of a PEM file, not parsed yet; at least one.
    fn blocks(pem: &[u8]) -> Result<Vec<pem::Block>, Error> {
        let (certificates, others): (Vec<_>, Vec<_>) = pem::blocks(pem)?
            .into_iter()
            .partition(|block| Self::is_label(&block.label));
        if certificates.is_empty() {
            let found = others.into_iter().map(|block| block.label).collect();
            return Err(Error::PemNotFound {
                expected: "CERTIFICATE",
                found,
            });
        }
        Ok(certificates)
    }

    /// Whether `time` lies within its validity.
    #[must_use]
    pub fn is_valid_at(&self, time: SystemTime) -> bool {
        self.validity.contains(time)
    }

    /// SHA-256 over the DER.
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl std::hash::Hash for Certificate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.der.hash(state);
    }
}

impl AsRef<Certificate> for Certificate {
    fn as_ref(&self) -> &Certificate {
        self
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject)
            .field("issuer", &self.issuer)
            .field("serial_number", &self.serial_number)
            .finish_non_exhaustive()
    }
}
