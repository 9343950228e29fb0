use std::time::SystemTime;

use rand_core::CryptoRng;
use rcgen::{
    BasicConstraints as RcgenConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa,
    KeyIdMethod, KeyUsagePurpose, SerialNumber as RcgenSerial,
};

use crate::{
    Certificate, DistinguishedName, Error, KeyAlgorithm, Passphrase, PrivateKey, Profile,
    PublicKey, SerialNumber, SubjectAltName, VerifiedRequest,
    profile::{AltNames, Role},
    rng, tbs, time,
};

/// A certificate with its private key that may sign other certificates.
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
/// let profile = Profile::client().valid_for_days(90).serial(SerialNumber::try_from(1)?);
/// let certificate = ca.issue(&request.verify()?, &profile)?;
/// certificate.verify_issued_by(ca.certificate())?;
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Debug)]
pub struct CertificateAuthority {
    chain: Vec<Certificate>,
    certificate: Certificate,
    key: PrivateKey,
}

impl CertificateAuthority {
    /// An authority that exists: its certificate, and the matching key.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`]; [`Error::NotAnAuthority`] when the certificate is not v3, lacks the CA bit or
    /// keyCertSign, or has no subject. Dates are checked at each issuance.
    pub fn new(certificate: Certificate, key: PrivateKey) -> Result<Self, Error> {
        Self::with_issuers(certificate, Vec::new(), key)
    }

    /// An authority that exists, from PEM: the first certificate is its own, those after it are its issuers, in any
    /// order. `passphrase` opens the key where it is encrypted.
    ///
    /// # Errors
    /// Those of [`CertificateAuthority::new`], [`Certificate::from_pem`] and [`PrivateKey::from_pem`].
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
    /// [`Error::InvalidValidity`], [`Error::UnsupportedDigest`] and [`Error::Randomness`].
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

    /// The twin of [`create_root`](Self::create_root) that takes time and randomness.
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
        let certificate = signer.sign(&subject, key.public_key(), &[], profile, now, rng)?;
        Self::new(certificate, key)
    }

    /// Makes an authority below this one: what Symphony calls a signing certificate.
    ///
    /// # Errors
    /// [`Error::PathLengthExceeded`], [`Error::InvalidProfile`] when `profile` is not [`Profile::intermediate`] or the
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

    /// The twin of [`create_intermediate`](Self::create_intermediate) that takes time and randomness.
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
        let certificate = self.sign(&subject, key.public_key(), &[], profile, now, rng)?;
        Self::with_issuers(certificate, self.chain.clone(), key)
    }

    /// Signs a certificate for the subject and the key of `request`, with what `profile` grants.
    ///
    /// # Errors
    /// - [`Error::AuthorityExpired`], [`Error::AuthorityNotYetValid`];
    /// - [`Error::ValidityExceedsAuthority`], [`Error::ValidityPrecedesAuthority`], [`Error::InvalidValidity`];
    /// - [`Error::PathLengthExceeded`] for an intermediate below an authority that may have none;
    /// - [`Error::InvalidProfile`] for a root profile, a path length without an authority, a server without alternative
    ///   names, or a subject that is empty where there are none;
    /// - [`Error::InvalidSubjectAltName`], [`Error::UnsupportedDigest`] and [`Error::Randomness`].
    pub fn issue(
        &self,
        request: &VerifiedRequest<'_>,
        profile: &Profile,
    ) -> Result<Certificate, Error> {
        self.issue_at(request, profile, SystemTime::now(), &mut rng::system()?)
    }

    /// The twin of [`issue`](Self::issue) that takes time and randomness.
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
        let request = request.request();
        self.sign(
            request.subject(),
            request.public_key(),
            request.subject_alt_names(),
            profile,
            now,
            rng,
        )
    }

    /// The authority's own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The authority's own certificate, then those of its issuers as far as they are known: what a leaf that it signs
    /// needs in its bundle.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The authority's private key, for writing it down.
    pub fn private_key(&self) -> &PrivateKey {
        &self.key
    }

    fn with_issuers(
        certificate: Certificate,
        issuers: Vec<Certificate>,
        key: PrivateKey,
    ) -> Result<Self, Error> {
        if certificate.spki_der() != key.public_key().spki_der() {
            return Err(Error::KeyMismatch {
                subject: certificate.subject().to_string(),
            });
        }
        let lacks = |reason| {
            Err(Error::NotAnAuthority {
                subject: certificate.subject().to_string(),
                reason,
            })
        };
        match certificate.basic_constraints() {
            Some(constraints) if constraints.ca => {}
            Some(_) => return lacks("its basic constraints say that it is not a CA"),
            None if certificate.version() != crate::Version::V3 => {
                return lacks("it is not an X.509 v3 certificate, so nothing says that it is a CA");
            }
            None => return lacks("it has no basic constraints"),
        }
        if certificate
            .key_usage()
            .is_some_and(|usage| !usage.key_cert_sign())
        {
            return lacks("its key usage lacks keyCertSign");
        }
        if certificate.subject().is_empty() {
            return lacks("its subject is empty");
        }
        let mut chain = vec![certificate.clone()];
        let mut issuers = issuers;
        while let Some(last) = chain.last()
            && last.issuer() != last.subject()
            && let Some(next) = issuers
                .iter()
                .position(|candidate| last.verify_issued_by(candidate).is_ok())
        {
            chain.push(issuers.swap_remove(next));
        }
        Ok(Self {
            chain,
            certificate,
            key,
        })
    }

    fn sign(
        &self,
        subject: &DistinguishedName,
        subject_key: &PublicKey,
        requested: &[SubjectAltName],
        profile: &Profile,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Certificate, Error> {
        let validity = self.certificate.validity();
        if now > validity.not_after {
            return Err(Error::AuthorityExpired {
                not_after: validity.not_after,
                now,
            });
        }
        if now < validity.not_before {
            return Err(Error::AuthorityNotYetValid {
                not_before: validity.not_before,
                now,
            });
        }
        match profile.role {
            Role::Root => {
                return Err(Error::InvalidProfile {
                    reason: "an authority does not sign another root",
                });
            }
            Role::Intermediate => self.check_path_len(profile)?,
            Role::Client | Role::Server | Role::Peer => {}
        }
        // The issuer's own identifier, where it has one, and not a hash that may have been made otherwise.
        let key_identifier = match self.certificate.subject_key_identifier() {
            Some(identifier) => identifier.to_vec(),
            None => self.key.public_key().key_identifier().to_vec(),
        };
        let signer = Signer {
            name: self.certificate.subject(),
            key_identifier: &key_identifier,
            key: &self.key,
            validity: Some(validity),
        };
        signer.sign(subject, subject_key, requested, profile, now, rng)
    }

    fn check_path_len(&self, profile: &Profile) -> Result<(), Error> {
        let own = self
            .certificate
            .basic_constraints()
            .and_then(|constraints| constraints.path_len);
        let below = profile.path_len.unwrap_or(0);
        match own {
            Some(own) if below >= own => Err(Error::PathLengthExceeded {
                subject: self.certificate.subject().to_string(),
            }),
            _ => Ok(()),
        }
    }
}

/// The issuing side of one signature: a root signs itself before it is an authority.
struct Signer<'a> {
    name: &'a DistinguishedName,
    key_identifier: &'a [u8],
    key: &'a PrivateKey,
    validity: Option<crate::Validity>,
}

impl Signer<'_> {
    fn sign(
        &self,
        subject: &DistinguishedName,
        subject_key: &PublicKey,
        requested: &[SubjectAltName],
        profile: &Profile,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Certificate, Error> {
        let alt_names = match &profile.alt_names {
            AltNames::Requested => requested,
            AltNames::Fixed(names) => names,
        };
        check_profile(profile, subject, alt_names)?;
        let validity = profile.validity_at(now, self.validity)?;
        let calendar = |time| {
            time::to_calendar(time).ok_or(Error::InvalidValidity {
                reason: "a time lies outside the calendar",
            })
        };
        let serial = match &profile.serial {
            Some(serial) => serial.clone(),
            None => SerialNumber::random_with_rng(rng),
        };
        let mut params = CertificateParams::default();
        params.not_before = calendar(validity.not_before)?;
        params.not_after = calendar(validity.not_after)?;
        params.serial_number = Some(RcgenSerial::from_slice(serial.as_bytes()));
        params.subject_alt_names = tbs::alt_names(alt_names)?;
        params.key_identifier_method =
            KeyIdMethod::PreSpecified(subject_key.key_identifier().to_vec());
        (params.is_ca, params.key_usages, params.extended_key_usages) =
            usages(profile, subject_key.algorithm())?;

        let (algorithm, digest) = tbs::algorithm(self.key.algorithm(), profile.digest)?;
        let tbs = tbs::certificate(
            params,
            algorithm,
            self.name,
            self.key_identifier,
            subject,
            subject_key,
        )?;
        Certificate::from_der(&tbs::sign(&tbs, algorithm, digest, self.key, rng)?)
    }
}

fn check_profile(
    profile: &Profile,
    subject: &DistinguishedName,
    alt_names: &[SubjectAltName],
) -> Result<(), Error> {
    let reason = if profile.path_len.is_some() && !profile.role.is_authority() {
        "only an authority has a path length"
    } else if matches!(profile.role, Role::Server | Role::Peer) && alt_names.is_empty() {
        "a server certificate needs at least one subject alternative name"
    } else if subject.is_empty() && profile.role.is_authority() {
        "an authority needs a subject"
    } else if subject.is_empty() && alt_names.is_empty() {
        "a certificate needs a subject or a subject alternative name"
    } else {
        return Ok(());
    };
    Err(Error::InvalidProfile { reason })
}

type Usages = (IsCa, Vec<KeyUsagePurpose>, Vec<ExtendedKeyUsagePurpose>);

fn usages(profile: &Profile, key: KeyAlgorithm) -> Result<Usages, Error> {
    use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
    use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign, KeyEncipherment};

    if profile.role.is_authority() {
        let constraints = match profile.path_len.map(u8::try_from) {
            None => RcgenConstraints::Unconstrained,
            Some(Ok(path_len)) => RcgenConstraints::Constrained(path_len),
            Some(Err(_)) => {
                return Err(Error::InvalidProfile {
                    reason: "a path length is at most 255",
                });
            }
        };
        return Ok((
            IsCa::Ca(constraints),
            vec![KeyCertSign, CrlSign],
            Vec::new(),
        ));
    }
    // RSA key exchange, which a TLS 1.2 server may still be asked for, needs keyEncipherment.
    let server_usage = match key {
        KeyAlgorithm::Rsa { .. } => vec![DigitalSignature, KeyEncipherment],
        _ => vec![DigitalSignature],
    };
    let (usage, purposes) = match profile.role {
        Role::Server => (server_usage, vec![ServerAuth]),
        Role::Peer => (server_usage, vec![ServerAuth, ClientAuth]),
        _ => (vec![DigitalSignature], vec![ClientAuth]),
    };
    Ok((IsCa::ExplicitNoCa, usage, purposes))
}
