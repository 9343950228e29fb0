use std::fmt;

use crate::{
    Certificate, DistinguishedName, Error, PublicKey, SerialNumber, SignatureAlgorithm, Signer,
    SubjectAltName, Validity, signed::Signed, tbs,
};

/// A certificate that is still to be signed: all of a CA's checks have been made.
///
/// Issuing has three steps that can be taken apart: [`Issuer::prepare`](crate::Issuer::prepare) checks, a [`Signer`] signs, and
/// [`assemble`](Self::assemble) verifies the signature before it gives a certificate out. Where the key is on another machine,
/// the octets go there, and the signature comes back:
///
/// ```
/// # use pki::{CertificateAuthority, KeyKind, PrivateKey, Signer};
/// use pki::{Issuance, Issuer, PreparedCertificate, Profile};
///
/// # let key = PrivateKey::generate(KeyKind::EcP256)?;
/// # let ca = CertificateAuthority::create_root("/CN=Demo CA".parse()?, key, &Profile::root())?;
/// # let key = ca.private_key();
/// # let ca_pem = ca.certificate().to_pem();
/// # let public_key = PrivateKey::generate(KeyKind::EcP256)?.public_key().clone();
/// let issuer = Issuer::from_pem(ca_pem)?;
/// let issuance = Issuance::for_key(&public_key, "/CN=demo-bot1".parse()?);
/// let to_be_signed = issuer.prepare(&issuance, &Profile::client())?.as_der().to_vec();
///
/// // On the machine with the key, for example: openssl dgst -sha256 -sign ca.key.pem
/// let prepared = PreparedCertificate::from_der(&to_be_signed, issuer.certificate())?;
/// # let signature = key.sign(prepared.signature_algorithm(), prepared.as_der())?;
///
/// let certificate = prepared.assemble(&signature)?;
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[must_use]
#[derive(Clone, PartialEq, Eq)]
pub struct PreparedCertificate {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
    key: PublicKey,
    /// What was laid out, read back.
    unsigned: Certificate,
    ungranted: Vec<Ungranted>,
}

impl PreparedCertificate {
    /// What `prepare` laid out.
    pub(crate) fn new(
        tbs: Vec<u8>,
        algorithm: SignatureAlgorithm,
        key: &PublicKey,
        ungranted: Vec<Ungranted>,
    ) -> Result<Self, Error> {
        Ok(Self {
            unsigned: Certificate::from_der(&tbs::unverified(&tbs, algorithm, &[]))?,
            tbs,
            algorithm,
            key: key.clone(),
            ungranted,
        })
    }

    /// What was prepared before, and carried elsewhere as DER. None of the checks of [`Issuer::prepare`](crate::Issuer::prepare)
    /// are made again: what its key signs is what the CA issues.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::TrailingData`] and [`Error::TooLarge`]; [`Error::IssuerMismatch`] when it names another
    /// issuer; [`Error::UnsupportedScheme`] for a signature algorithm, and [`Error::UnsupportedKey`] for an issuer's key, that
    /// this crate doesn't verify.
    pub fn from_der(tbs: &[u8], issuer: &Certificate) -> Result<Self, Error> {
        let algorithm = Signed::algorithm_to_be(tbs)?;
        let key = issuer.public_key()?;
        let prepared = Self::new(tbs.to_vec(), algorithm, &key, Vec::new())?;
        let (named, found) = (prepared.unsigned.issuer(), issuer.subject());
        if !named.matches(found) {
            return Err(Error::IssuerMismatch {
                subject: prepared.subject().to_string(),
                expected: named.to_string(),
                found: found.to_string(),
            });
        }
        Ok(prepared)
    }

    /// Likewise, of a certificate that its own key signs.
    ///
    /// # Errors
    /// Those of [`from_der`](Self::from_der), where its issuer is another than its subject, or where its own key is one that this crate
    /// doesn't verify with.
    pub fn self_signed_from_der(tbs: &[u8]) -> Result<Self, Error> {
        let algorithm = Signed::algorithm_to_be(tbs)?;
        let unsigned = Certificate::from_der(&tbs::unverified(tbs, algorithm, &[]))?;
        Self::from_der(tbs, &unsigned)
    }

    /// What is to be signed: the DER of the TBSCertificate (RFC 5280, section 4.1.1.1).
    pub fn as_der(&self) -> &[u8] {
        &self.tbs
    }

    /// The algorithm that it is to be signed with.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The public half of the key that is to sign it.
    pub fn signing_key(&self) -> &PublicKey {
        &self.key
    }

    /// Whom the certificate will be about.
    pub fn subject(&self) -> &DistinguishedName {
        self.unsigned.subject()
    }

    /// Its serial number.
    pub fn serial_number(&self) -> &SerialNumber {
        self.unsigned.serial_number()
    }

    /// From when until when it will be valid.
    pub fn validity(&self) -> Validity {
        self.unsigned.validity()
    }

    /// All that it will say, for a linter: the certificate as it will be, but that its signature is empty, so that it verifies
    /// nowhere.
    pub fn unsigned(&self) -> &Certificate {
        &self.unsigned
    }

    /// What was asked for, and is not granted by the profile: see [`Ungranted`].
    pub fn ungranted(&self) -> &[Ungranted] {
        &self.ungranted
    }

    /// Has it signed.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] for another key than that of the issuer; [`Error::SignerFailed`], or the error of this crate that the
    /// signer gave; and those of [`assemble`](Self::assemble).
    pub fn sign(&self, signer: &dyn Signer) -> Result<Certificate, Error> {
        let issuer = self.unsigned.issuer();
        let signature = tbs::sign(&self.tbs, self.algorithm, &self.key, signer, issuer)?;
        self.assemble(&signature)
    }

    /// The certificate with a signature that was made elsewhere, which is verified first. That of ECDSA is in DER.
    ///
    /// # Errors
    /// [`Error::SignatureFailed`] when the signature doesn't verify with the issuer's key.
    pub fn assemble(&self, signature: &[u8]) -> Result<Certificate, Error> {
        Certificate::from_der(&tbs::assemble(
            &self.tbs,
            self.algorithm,
            signature,
            &self.key,
        )?)
    }
}

impl fmt::Debug for PreparedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedCertificate")
            .field("subject", self.subject())
            .field("issuer", self.unsigned.issuer())
            .field("serial_number", self.serial_number())
            .field("algorithm", &self.algorithm)
            .field("ungranted", &self.ungranted)
            .finish_non_exhaustive()
    }
}

/// Something that a request asks for, or that a renewed certificate has or lacks, and that the profile doesn't grant.
///
/// Of a request, or of what the caller asks for, it is left out of the certificate, or replaced. Of a renewed certificate, it is in the new one as it was in
/// the old, or is missing as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ungranted {
    /// A subject: the certificate has another one, of the profile or of the issuance.
    Subject(DistinguishedName),
    /// A subject alternative name.
    SubjectAltName(SubjectAltName),
    /// An extension, or what it says, by its object identifier in dotted form; of a renewed certificate also whether it is critical.
    Extension(String),
    /// An attribute of a request that this crate doesn't read, by its object identifier in dotted form.
    Attribute(String),
    /// An extension of the profile, by its object identifier in dotted form, that a renewed certificate doesn't have: a restriction,
    /// name constraints for example, that holds for a new certificate and not for this one.
    MissingExtension(String),
    /// Something of a renewed certificate for which a request would be refused.
    Refused(Error),
}

/// For example `the name DNS:a.example`.
impl fmt::Display for Ungranted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(subject) => write!(f, "the subject {subject}"),
            Self::SubjectAltName(name) => write!(f, "the name {name}"),
            Self::Extension(oid) => write!(f, "the extension {oid}, or what it says"),
            Self::Attribute(oid) => write!(f, "the attribute {oid}"),
            Self::MissingExtension(oid) => write!(f, "that the extension {oid} is missing"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}
