mod usages;
mod limits;

use std::time::SystemTime;

use rand_core::CryptoRng;
use rcgen::{CertificateParams, KeyIdMethod, SerialNumber as RcgenSerial};

use self::{limits::Limits, usages::usages};
use crate::{
    Certificate, DistinguishedName, Error, Passphrase, PrivateKey, Profile, PublicKey,
    SerialNumber, SubjectAltName, Validity, VerifiedRequest, Version, chain, profile::Role, rng,
    tbs, time,
};

/// A certificate with its private key that may sign other certificates.
///
/// It refuses to sign what wouldn't be accepted below its own chain: before each signature it holds the dates, path lengths,
/// purposes and name constraints of its certificate, and of those of its issuers that it was given, against what it is
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
    /// The first of the chain, on its own too: a slice doesn't say that it isn't empty.
    certificate: Certificate,
    chain: Vec<Certificate>,
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
        check_authority(&certificate)?;
        let chain: Vec<Certificate> = chain::upwards_all(&certificate, &issuers)?
            .into_iter()
            .cloned()
            .collect();
        chain.iter().skip(1).try_for_each(check_issuer)?;
        chain.iter().try_for_each(check_extensions)?;
        Ok(Self {
            chain,
            certificate,
            key,
        })
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
        let mut certificates = Certificate::all_from_pem(certificates)?.into_iter();
        let Some(certificate) = certificates.next() else {
            return Err(Error::PemNotFound {
                expected: "CERTIFICATE",
                found: Vec::new(),
            });
        };
        Self::with_issuers(
            certificate,
            certificates.collect(),
            PrivateKey::from_pem(key, passphrase)?,
        )
    }

    /// Makes a root: a certificate that `key` signs for itself.
    ///
    /// # Errors
    /// [`Error::InvalidProfile`] when `profile` is not [`Profile::root`] or the subject is empty,
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
        if profile.role != Role::Root {
            return Err(Error::InvalidProfile {
                reason: "a root needs the root profile",
            });
        }
        let key_identifier = key.public_key().key_identifier();
        let signer = Signer {
            name: &subject,
            key_identifier: &key_identifier,
            key: &key,
            validity: None,
        };
        let subject = Subject {
            name: &subject,
            key: key.public_key(),
            requested: &[],
        };
        let certificate = signer.sign(&subject, profile, None, now, rng)?;
        Self::new(certificate, key)
    }

    /// Makes a CA below this one: what Symphony calls a signing certificate.
    ///
    /// # Errors
    /// [`Error::InvalidProfile`] when `profile` is not [`Profile::intermediate`] or the
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
        if profile.role != Role::Intermediate {
            return Err(Error::InvalidProfile {
                reason: "an intermediate needs the intermediate profile",
            });
        }
        let subject = Subject {
            name: &subject,
            key: key.public_key(),
            requested: &[],
        };
        let certificate = self.sign(&subject, profile, None, now, rng)?;
        Self::with_issuers(certificate, self.chain.clone(), key)
    }

    /// Signs a certificate for the subject and the key of `request`, with what `profile` grants.
    ///
    /// # Errors
    /// For the limits that this CA's certificate, or that of one of its issuers, sets:
    /// - [`Error::AuthorityExpired`], [`Error::AuthorityNotYetValid`];
    /// - [`Error::ValidityExceedsAuthority`], [`Error::ValidityPrecedesAuthority`];
    /// - [`Error::PathLengthExceeded`] when a path below would be longer than one of them allows;
    /// - [`Error::PurposeNotPermitted`] for a purpose that the extended key usage of one of them lacks;
    /// - [`Error::NameNotPermitted`], [`Error::NameExcluded`], [`Error::UnsupportedNameConstraint`] and
    ///   [`Error::BudgetExceeded`] under name constraints. A common name that looks like a host name counts as one where
    ///   there is no other, as OpenSSL has it.
    ///
    /// For what was asked for:
    /// - [`Error::KeyTooSmall`], an RSA key below the profile's minimum;
    /// - [`Error::SubjectIsIssuer`], a subject that is this CA's own;
    /// - [`Error::InvalidSubjectAltName`], a name that is granted and isn't well-formed, or of a form that isn't granted;
    /// - [`Error::InvalidProfile`] for a root profile, a path length without a CA, a server without alternative
    ///   names, or a subject that is empty where there are none;
    /// - [`Error::InvalidValidity`], [`Error::UnsupportedSignatureAlgorithm`].
    ///
    /// And [`Error::Randomness`]; [`Error::SignatureFailed`] when the signature that was made doesn't verify.
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
        self.sign(&Subject::of(request), profile, None, now, rng)
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
        self.sign(&Subject::of(request), profile, Some(serial), now, rng)
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

    /// The CA's private key, for writing it down.
    pub fn private_key(&self) -> &PrivateKey {
        &self.key
    }

    fn sign(
        &self,
        subject: &Subject<'_>,
        profile: &Profile,
        serial: Option<SerialNumber>,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Certificate, Error> {
        if profile.role == Role::Root {
            return Err(Error::InvalidProfile {
                reason: "a CA does not sign another root",
            });
        }
        if subject.name.matches(self.certificate.subject()) {
            return Err(Error::SubjectIsIssuer {
                subject: subject.name.to_string(),
            });
        }
        let limits = Limits::of(&self.certificate, &self.chain);
        let below = match profile.role {
            Role::Intermediate => profile.path_len.unwrap_or(0).saturating_add(1),
            _ => 0,
        };
        limits.check_path_len(below)?;
        limits.check_purposes(profile.role)?;
        limits.check_names(
            subject.name,
            profile.granted(subject.requested),
            profile.role,
        )?;
        // The issuer's own identifier, where it has one, and not a hash that may have been made otherwise.
        let key_identifier = match self.certificate.subject_key_identifier() {
            Some(identifier) => identifier.to_vec(),
            None => self.key.public_key().key_identifier().to_vec(),
        };
        let signer = Signer {
            name: self.certificate.subject(),
            key_identifier: &key_identifier,
            key: &self.key,
            validity: Some(limits.validity_at(now)?),
        };
        signer.sign(subject, profile, serial, now, rng)
    }
}

/// RFC 5280, sections 4.2.1.3 and 4.2.1.9: what makes a certificate a CA's. Extensions are a matter of version 3: what
/// looks like them in another version says nothing.
fn check_authority(certificate: &Certificate) -> Result<(), Error> {
    let reason = if certificate.version() != Version::V3 {
        "it is not an X.509 v3 certificate, so nothing says that it is a CA"
    } else if certificate.basic_constraints().is_none() {
        "it has no basic constraints"
    } else if certificate
        .basic_constraints()
        .is_some_and(|constraints| !constraints.ca)
    {
        "its basic constraints say that it is not a CA"
    } else if certificate
        .key_usage()
        .is_some_and(|usage| !usage.key_cert_sign())
    {
        "its key usage lacks keyCertSign"
    } else if certificate.subject().is_empty() {
        "its subject is empty"
    } else {
        return Ok(());
    };
    Err(Error::NotAnAuthority {
        subject: certificate.subject().to_string(),
        reason,
    })
}

/// An old root is one of version 1, which can't say that it is a CA: whoever set the CA up chose it. In between, a
/// certificate that doesn't say so is none (RFC 5280, section 6.1.4 (k)).
fn check_issuer(certificate: &Certificate) -> Result<(), Error> {
    if certificate.version() == Version::V1 && certificate.is_self_signed() {
        return Ok(());
    }
    check_authority(certificate)
}

/// RFC 5280, section 4.2: what is critical and not evaluated is a reason to refuse the certificate, and all below it.
fn check_extensions(certificate: &Certificate) -> Result<(), Error> {
    match certificate.unsupported_critical_extension() {
        None => Ok(()),
        Some(oid) => Err(Error::UnsupportedCriticalExtension {
            subject: certificate.subject().to_string(),
            extension: oid.to_owned(),
        }),
    }
}

/// Whom a certificate is for.
struct Subject<'a> {
    name: &'a DistinguishedName,
    key: &'a PublicKey,
    requested: &'a [SubjectAltName],
}

impl<'a> Subject<'a> {
    fn of(request: &VerifiedRequest<'a>) -> Self {
        let request = request.request();
        Self {
            name: request.subject(),
            key: request.public_key(),
            requested: request.subject_alt_names(),
        }
    }
}

/// The issuing side of one signature: a root signs itself before it is a CA.
struct Signer<'a> {
    name: &'a DistinguishedName,
    key_identifier: &'a [u8],
    key: &'a PrivateKey,
    /// When it may sign; a root says so by itself.
    validity: Option<Validity>,
}

impl Signer<'_> {
    fn sign(
        &self,
        subject: &Subject<'_>,
        profile: &Profile,
        serial: Option<SerialNumber>,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Certificate, Error> {
        let alt_names = profile.granted(subject.requested);
        check_profile(profile, subject, alt_names)?;
        let validity = profile.validity_at(now, self.validity)?;
        let calendar = |time| {
            time::to_calendar(time).ok_or(Error::InvalidValidity {
                reason: "a time lies outside the calendar",
            })
        };
        let serial = serial.unwrap_or_else(|| SerialNumber::random_with_rng(rng));
        let mut params = CertificateParams::default();
        params.not_before = calendar(validity.not_before)?;
        params.not_after = calendar(validity.not_after)?;
        params.serial_number = Some(RcgenSerial::from_slice(serial.as_bytes()));
        params.subject_alt_names = tbs::alt_names(alt_names)?;
        params.key_identifier_method =
            KeyIdMethod::PreSpecified(subject.key.key_identifier().to_vec());
        (params.is_ca, params.key_usages, params.extended_key_usages) =
            usages(profile, subject.key.algorithm())?;

        let algorithm = tbs::algorithm(self.key.algorithm(), profile.signature_algorithm)?;
        let tbs = tbs::certificate(
            params,
            algorithm,
            self.name,
            self.key_identifier,
            subject.name,
            subject.key,
        )?;
        Certificate::from_der(&tbs::sign(&tbs, algorithm, self.key, rng)?)
    }
}

fn check_profile(
    profile: &Profile,
    subject: &Subject<'_>,
    alt_names: &[SubjectAltName],
) -> Result<(), Error> {
    if let Some(bits) = subject.key.algorithm().rsa_bits()
        && bits < profile.minimum_rsa_bits
    {
        return Err(Error::KeyTooSmall {
            found: bits,
            minimum: profile.minimum_rsa_bits,
        });
    }
    let reason = if profile.path_len.is_some() && !profile.role.is_authority() {
        "only a CA has a path length"
    } else if matches!(profile.role, Role::Server | Role::Peer) && alt_names.is_empty() {
        "a server certificate needs at least one subject alternative name"
    } else if subject.name.is_empty() && profile.role.is_authority() {
        "a CA needs a subject"
    } else if subject.name.is_empty() && alt_names.is_empty() {
        "a certificate needs a subject or a subject alternative name"
    } else {
        return Ok(());
    };
    Err(Error::InvalidProfile { reason })
}

#[cfg(test)]
mod tests;
