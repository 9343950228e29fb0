mod limits;
mod policies;
mod issuer;

use std::time::SystemTime;

use rand_core::CryptoRng;

pub use self::issuer::Issuer;
use self::issuer::own_and_issuers;
use crate::{
    Certificate, DistinguishedName, Error, Issuance, Passphrase, PreparedCertificate, PrivateKey,
    Profile, PublicKey, SerialNumber, VerifiedRequest, rng,
};

/// A certificate with its private key that may sign other certificates. Where the key is elsewhere, it is an [`Issuer`].
///
/// It refuses to sign what wouldn't be accepted below its own chain: before each signature it holds the dates, path lengths,
/// purposes, name and policy constraints of its certificate, and of those of its issuers that it was given, against what it is
/// asked for (RFC 5280, section 6.1). After each signature it verifies what it made.
///
/// ```
/// use pki::{CertificateAuthority, CertificateRequest, KeyKind, PrivateKey, Profile, SerialNumber};
///
/// let ca = CertificateAuthority::create_root(
///     "/CN=Demo Root CA/O=Excelsior Bank/C=GB".parse()?,
///     PrivateKey::generate(KeyKind::EcP256)?,
///     &Profile::root(),
/// )?;
/// let bot_key = PrivateKey::generate(KeyKind::EcP256)?;
/// let request = CertificateRequest::builder("/CN=demo-bot1".parse()?).sign(&bot_key)?;
///
/// let profile = Profile::client().valid_for_days(90);
/// let certificate = ca.issue_with_serial(&request.verify()?, &profile, SerialNumber::try_from(1)?)?;
/// certificate.verify_issued_by(ca.certificate())?;
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Debug)]
pub struct CertificateAuthority {
    issuer: Issuer,
    key: PrivateKey,
}

impl CertificateAuthority {
    /// A CA that exists: its certificate, and the matching key. The limits that its issuers may have set are not
    /// known to it.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`]; [`Error::UnsupportedKey`] for a certificate with a key that this crate doesn't handle;
    /// [`Error::NotAnAuthority`] when the certificate is not v3, lacks the CA bit or keyCertSign, or has no subject;
    /// [`Error::UnsupportedCriticalExtension`]. Dates are checked at each issuance.
    pub fn new(certificate: Certificate, key: PrivateKey) -> Result<Self, Error> {
        Self::with_issuers(certificate, Vec::new(), key)
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
        key: PrivateKey,
    ) -> Result<Self, Error> {
        certificate.check_key(key.public_key())?;
        let issuer = Issuer::with_issuers(certificate, issuers)?;
        Ok(Self { issuer, key })
    }

    /// A CA that exists, from PEM: the first certificate is its own, those after it are its issuers, in any
    /// order. `passphrase` opens the key where it is encrypted.
    ///
    /// # Errors
    /// Those of [`with_issuers`](Self::with_issuers), [`Certificate::from_pem`] and [`PrivateKey::from_pem`].
    pub fn from_pem<'p>(
        certificates: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        let (certificate, issuers) = own_and_issuers(certificates)?;
        Self::with_issuers(certificate, issuers, PrivateKey::from_pem(key, passphrase)?)
    }

    /// Makes a root: a certificate that `key` signs for itself.
    ///
    /// # Errors
    /// [`Error::InvalidProfile`] when `profile` is not [`Profile::root`], [`Error::NameMissing`] when the subject is empty,
    /// [`Error::KeyTooSmall`], [`Error::InvalidValidity`], [`Error::UnsupportedSignatureAlgorithm`], [`Error::Randomness`] and
    /// [`Error::SignatureFailed`].
    pub fn create_root(
        subject: DistinguishedName,
        key: PrivateKey,
        profile: &Profile,
    ) -> Result<Self, Error> {
        Self::create_root_at(
            subject,
            key,
            profile,
            SystemTime::now(),
            &mut rng::system()?,
        )
    }

    /// The variant of [`create_root`](Self::create_root) with an explicit clock and RNG.
    ///
    /// # Errors
    /// Those of [`create_root`](Self::create_root).
    pub fn create_root_at(
        subject: DistinguishedName,
        key: PrivateKey,
        profile: &Profile,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Error> {
        if !profile.is_root {
            return Err(Error::InvalidProfile {
                reason: "a root needs the root profile",
            });
        }
        let issuance = Issuance::for_key(key.public_key(), subject)
            .serial_number(SerialNumber::random_with_rng(rng))
            .at(now);
        let prepared = issuance.prepare_self_signed(profile)?;
        let certificate = sign(&prepared, &key, rng)?;
        Self::new(certificate, key)
    }

    /// Makes a CA below this one: what Symphony calls a signing certificate.
    ///
    /// # Errors
    /// [`Error::InvalidProfile`] when `profile` is not [`Profile::intermediate`], [`Error::NameMissing`] when the
    /// subject is empty, and those of [`issue`](Self::issue).
    pub fn create_intermediate(
        &self,
        subject: DistinguishedName,
        key: PrivateKey,
        profile: &Profile,
    ) -> Result<Self, Error> {
        self.create_intermediate_at(
            subject,
            key,
            profile,
            SystemTime::now(),
            &mut rng::system()?,
        )
    }

    /// The variant of [`create_intermediate`](Self::create_intermediate) with an explicit clock and RNG.
    ///
    /// # Errors
    /// Those of [`create_intermediate`](Self::create_intermediate).
    pub fn create_intermediate_at(
        &self,
        subject: DistinguishedName,
        key: PrivateKey,
        profile: &Profile,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Error> {
        if !profile.is_authority() {
            return Err(Error::InvalidProfile {
                reason: "an intermediate needs the intermediate profile",
            });
        }
        let issuance = Issuance::for_key(key.public_key(), subject);
        let certificate = self.issue_as(issuance, profile, now, rng)?;
        Self::with_issuers(certificate, self.chain().to_vec(), key)
    }

    /// Signs a certificate for the subject and the key of `request`, with what `profile` grants.
    ///
    /// # Errors
    /// Those of [`Issuer::prepare`], which [`Error::fault`] tells apart; [`Error::SignatureFailed`] when the signature that was
    /// made doesn't verify.
    pub fn issue(
        &self,
        request: &VerifiedRequest<'_>,
        profile: &Profile,
    ) -> Result<Certificate, Error> {
        self.issue_at(request, profile, SystemTime::now(), &mut rng::system()?)
    }

    /// The variant of [`issue`](Self::issue) with an explicit clock and RNG.
    ///
    /// # Errors
    /// Those of [`issue`](Self::issue).
    pub fn issue_at(
        &self,
        request: &VerifiedRequest<'_>,
        profile: &Profile,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Certificate, Error> {
        self.issue_as(Issuance::for_request(request), profile, now, rng)
    }

    /// Like [`issue`](Self::issue), with a serial number of your own instead of a random one. No two certificates of one
    /// CA may have the same (RFC 5280, section 4.1.2.2), and this type keeps no record of those that it gave out.
    ///
    /// # Errors
    /// Those of [`issue`](Self::issue).
    pub fn issue_with_serial(
        &self,
        request: &VerifiedRequest<'_>,
        profile: &Profile,
        serial: SerialNumber,
    ) -> Result<Certificate, Error> {
        self.issue_with_serial_at(
            request,
            profile,
            serial,
            SystemTime::now(),
            &mut rng::system()?,
        )
    }

    /// The variant of [`issue_with_serial`](Self::issue_with_serial) with an explicit clock and RNG.
    ///
    /// # Errors
    /// Those of [`issue`](Self::issue).
    pub fn issue_with_serial_at(
        &self,
        request: &VerifiedRequest<'_>,
        profile: &Profile,
        serial: SerialNumber,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Certificate, Error> {
        let issuance = Issuance::for_request(request).serial_number(serial);
        self.issue_as(issuance, profile, now, rng)
    }

    /// Signs a certificate for this key and subject, without a request, with what `profile` grants. That the subject has the
    /// private key is for the caller to know ([`Issuance::for_key`]).
    ///
    /// # Errors
    /// Those of [`issue`](Self::issue).
    pub fn issue_for(
        &self,
        public_key: &PublicKey,
        subject: DistinguishedName,
        profile: &Profile,
    ) -> Result<Certificate, Error> {
        let issuance = Issuance::for_key(public_key, subject);
        self.prepare(&issuance, profile)?.sign(&self.key)
    }

    /// The first of the three steps of issuing: [`Issuer::prepare`].
    ///
    /// # Errors
    /// Those of [`Issuer::prepare`].
    pub fn prepare(
        &self,
        issuance: &Issuance,
        profile: &Profile,
    ) -> Result<PreparedCertificate, Error> {
        self.issuer.prepare(issuance, profile)
    }

    /// The CA without its private key.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The CA's own certificate.
    pub fn certificate(&self) -> &Certificate {
        self.issuer.certificate()
    }

    /// The CA's own certificate, then those of its issuers as far as they are known: what a leaf that it signs
    /// needs in its bundle.
    pub fn chain(&self) -> &[Certificate] {
        self.issuer.chain()
    }

    /// The CA's private key, for writing it down.
    pub fn private_key(&self) -> &PrivateKey {
        &self.key
    }

    fn issue_as(
        &self,
        issuance: Issuance,
        profile: &Profile,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Certificate, Error> {
        let issuance = issuance.or_serial_number(|| SerialNumber::random_with_rng(rng));
        let prepared = self.prepare(&issuance.at(now), profile)?;
        sign(&prepared, &self.key, rng)
    }
}

/// Signs with the caller's randomness.
fn sign(
    prepared: &PreparedCertificate,
    key: &PrivateKey,
    rng: &mut impl CryptoRng,
) -> Result<Certificate, Error> {
    prepared.assemble(&key.sign(prepared.signature_algorithm(), prepared.as_der(), rng)?)
}

#[cfg(test)]
mod tests;
