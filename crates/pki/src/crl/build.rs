use std::{
    collections::HashSet,
    fmt,
    time::{Duration, SystemTime},
};

use rand_core::CryptoRng;

use super::{
    Crl, CrlNumber, IssuingDistributionPoint, RevocationReason,
    entry::{INVALIDITY_DATE, REASON_CODE},
    extensions::{self, AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, ISSUING_DISTRIBUTION_POINT},
    list::{VERSION_2, check_crl_sign},
};
use crate::{
    Certificate, CertificateAuthority, DistinguishedName, Error, PublicKey, SerialNumber,
    SignatureAlgorithm, Signer, der, rng, signed, tbs, time,
};

/// A certificate that is to be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Revocation {
    serial: SerialNumber,
    date: Option<SystemTime>,
    reason: RevocationReason,
    invalidity_date: Option<SystemTime>,
}

impl Revocation {
    /// Of the certificate with this serial number: when the CRL is made, and without a reason.
    pub fn new(serial: SerialNumber) -> Self {
        Self {
            serial,
            date: None,
            reason: RevocationReason::Unspecified,
            invalidity_date: None,
        }
    }

    /// Why. RFC 5280, section 5.3.1, wants a reason wherever there is one.
    pub fn reason(mut self, reason: RevocationReason) -> Self {
        self.reason = reason;
        self
    }

    /// When it was revoked. Otherwise that is when the CRL is made.
    pub fn date(mut self, date: SystemTime) -> Self {
        self.date = Some(date);
        self
    }

    /// From when on its private key is, or may be, in other hands: often earlier than the revocation.
    pub fn invalidity_date(mut self, date: SystemTime) -> Self {
        self.invalidity_date = Some(date);
        self
    }

    /// The entry in DER.
    fn encode(&self, this_update: SystemTime) -> Result<Vec<u8>, Error> {
        let whole = |date: SystemTime| match time::truncate(date).ok_or(BEYOND)? {
            later if later > this_update => {
                Err(invalid("a certificate is revoked, or invalid, only later"))
            }
            date => Ok(date),
        };
        let date = self.date.map_or(Ok(this_update), whole)?;
        let invalidity_date = self.invalidity_date.map(whole).transpose()?;
        let mut of_entry = Vec::new();
        match self.reason {
            // RFC 5280, section 5.3.1: it SHOULD be absent instead.
            RevocationReason::Unspecified => {}
            RevocationReason::RemoveFromCrl | RevocationReason::Other(_) => {
                return Err(invalid("a reason is none for a complete CRL"));
            }
            reason => of_entry.extend(extensions::encode(
                REASON_CODE,
                false,
                &der::tlv(der::ENUMERATED, &[&[reason.code()]]),
            )),
        }
        if let Some(date) = invalidity_date {
            let date = der::generalized_time(date).ok_or(BEYOND)?;
            of_entry.extend(extensions::encode(INVALIDITY_DATE, false, &date));
        }
        let of_entry = match of_entry.as_slice() {
            [] => Vec::new(),
            some => der::sequence(&[some]),
        };
        Ok(der::sequence(&[
            &self.serial.encode(),
            &der::time(date).ok_or(BEYOND)?,
            &of_entry,
        ]))
    }
}

/// Makes a [`Crl`]: complete, and about certificates of the CA that signs it.
///
/// One that follows another keeps its entries, in their order and octet for octet, and has a greater number. A certificate
/// leaves the list only when it is taken off hold.
///
/// ```
/// use pki::{CrlBuilder, Revocation, RevocationReason, SerialNumber};
///
/// # use pki::{CertificateAuthority, KeyKind, PrivateKey, Profile};
/// # let key = PrivateKey::generate(KeyKind::EcP256)?;
/// # let ca = CertificateAuthority::create_root("/CN=Demo CA".parse()?, key, &Profile::root())?;
/// let first = CrlBuilder::new().sign(&ca)?; // nothing is revoked yet
///
/// let revocation = Revocation::new(SerialNumber::try_from(4096)?).reason(RevocationReason::Superseded);
/// let second = CrlBuilder::after(first).revoke(revocation).sign(&ca)?;
/// assert_eq!(second.entries().len(), 1);
/// assert_eq!(second.number().unwrap().to_string(), "0x2");
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct CrlBuilder {
    previous: Option<Crl>,
    revoked: Vec<Revocation>,
    released: Vec<SerialNumber>,
    number: Option<CrlNumber>,
    next_update: NextUpdate,
    issuing_distribution_point: Option<IssuingDistributionPoint>,
    signature_algorithm: Option<SignatureAlgorithm>,
}

#[derive(Debug, Clone, Copy)]
enum NextUpdate {
    After(Duration),
    At(SystemTime),
}

impl Default for NextUpdate {
    fn default() -> Self {
        Self::After(Duration::from_secs(7 * 24 * 60 * 60))
    }
}

impl CrlBuilder {
    /// The first CRL of a CA: number 1, unless another is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The CRL after this one. Its issuing distribution point stays, too, unless another is set, by which it may be about more
    /// certificates and not about fewer; and so do its other extensions that are not critical, where its delta CRLs are (freshestCRL) for
    /// one. Microsoft's date of the next publication does not.
    pub fn after(previous: Crl) -> Self {
        Self {
            previous: Some(previous),
            ..Self::default()
        }
    }

    /// Revokes a certificate. One that is on hold may be revoked for good: then this takes the place of its entry.
    pub fn revoke(mut self, revocation: Revocation) -> Self {
        self.revoked.push(revocation);
        self
    }

    /// Takes a certificate off hold: it is valid again.
    pub fn release(mut self, serial: SerialNumber) -> Self {
        self.released.push(serial);
        self
    }

    /// The number. Otherwise it is the one after that of the previous CRL.
    pub fn number(mut self, number: CrlNumber) -> Self {
        self.number = Some(number);
        self
    }

    /// How long after it was made the next one will be there at the latest. Otherwise 7 days.
    pub fn next_update_after(mut self, period: Duration) -> Self {
        self.next_update = NextUpdate::After(period);
        self
    }

    /// By when the next one will be there.
    pub fn next_update(mut self, at: SystemTime) -> Self {
        self.next_update = NextUpdate::At(at);
        self
    }

    /// What the CRL is about, and where it is. It is critical: who doesn't know it must not use the CRL.
    pub fn issuing_distribution_point(mut self, point: IssuingDistributionPoint) -> Self {
        self.issuing_distribution_point = Some(point);
        self
    }

    /// The algorithm of the CA's signature, RSASSA-PSS for example. Otherwise it is
    /// [the usual one](SignatureAlgorithm::usual_for) of the CA's key.
    pub fn signature_algorithm(mut self, algorithm: SignatureAlgorithm) -> Self {
        self.signature_algorithm = Some(algorithm);
        self
    }

    /// The CRL, signed by the CA.
    ///
    /// # Errors
    /// Those of [`prepare`](Self::prepare); [`Error::Randomness`]; [`Error::SignatureFailed`] when the signature that was made
    /// doesn't verify.
    pub fn sign(&self, ca: &CertificateAuthority) -> Result<Crl, Error> {
        self.sign_at(ca, SystemTime::now(), &mut rng::system()?)
    }

    /// The variant of [`sign`](Self::sign) with an explicit clock and RNG.
    ///
    /// # Errors
    /// Those of [`sign`](Self::sign).
    pub fn sign_at(
        &self,
        ca: &CertificateAuthority,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Crl, Error> {
        let prepared = self.prepare(ca.certificate(), now)?;
        let signature = ca
            .private_key()
            .sign(prepared.algorithm, &prepared.tbs, rng)?;
        prepared.assemble(&signature)
    }

    /// What is to be signed by the key of `issuer`, wherever that is.
    ///
    /// # Errors
    /// For the issuer: [`Error::NotACrlIssuer`] when its certificate has a key usage without cRLSign, or no subject;
    /// [`Error::AuthorityExpired`], [`Error::AuthorityNotYetValid`]; [`Error::UnsupportedKey`];
    /// [`Error::UnsupportedSignatureAlgorithm`].
    ///
    /// For the previous CRL: those of [`Crl::verify_issued_by`]; [`Error::InvalidCrl`] for a delta or an indirect CRL, one about
    /// some reasons or attribute certificates only, one with an entry that is to be removed (removeFromCRL), with
    /// critical extensions that this crate doesn't evaluate, or with two entries about one certificate, and one that is younger than
    /// `now`.
    ///
    /// For what was asked for: [`Error::AlreadyRevoked`], [`Error::NotOnHold`], [`Error::CrlNumberNotRising`]; and
    /// [`Error::InvalidCrl`] when the next update is not after `now`, when a revocation or an invalidity is, for a reason
    /// that a complete CRL can't have, and for an issuing distribution point that says nothing, or by which the CRL is not
    /// about all certificates that the previous one is about;
    /// [`Error::InvalidSubjectAltName`] for one of the previous CRL that has a name which is not well-formed.
    pub fn prepare(&self, issuer: &Certificate, now: SystemTime) -> Result<PreparedCrl, Error> {
        check_issuer(issuer, now)?;
        let key = issuer.public_key()?;
        let algorithm = tbs::algorithm(key.algorithm(), self.signature_algorithm)?;
        let this_update = time::truncate(now).ok_or(BEYOND)?;
        let next_update = match self.next_update {
            NextUpdate::After(period) => this_update.checked_add(period).ok_or(BEYOND)?,
            NextUpdate::At(at) => at,
        };
        let next_update = time::truncate(next_update).ok_or(BEYOND)?;
        if next_update <= this_update {
            return Err(invalid("the next update is not after this one"));
        }
        if let Some(previous) = &self.previous {
            check_previous(previous, issuer, this_update)?;
            let before = previous.issuing_distribution_point();
            if !IssuingDistributionPoint::covers(self.point(), before) {
                return Err(invalid(
                    "it would be about fewer certificates than the previous one",
                ));
            }
        }
        let number = self.checked_number()?;

        let entries = self.entries(this_update)?;
        let entries = match entries.as_slice() {
            [] => Vec::new(), // RFC 5280, section 5.1.2.6: then there is no list
            some => der::sequence(&[some]),
        };
        let extensions = [
            authority_key_identifier(issuer, &key),
            extensions::encode(CRL_NUMBER, false, &number.encode()),
            self.encoded_point()?,
            self.previous
                .as_ref()
                .map_or_else(Vec::new, |it| it.other_extensions().to_vec()),
        ]
        .concat();
        let tbs = der::sequence(&[
            &der::uint(VERSION_2),
            algorithm.algorithm_identifier(),
            issuer.subject().as_der(),
            &der::time(this_update).ok_or(BEYOND)?,
            &der::time(next_update).ok_or(BEYOND)?,
            &entries,
            &der::tlv(der::EXPLICIT_0, &[&der::sequence(&[&extensions])]),
        ]);
        Ok(PreparedCrl {
            tbs,
            issuer: issuer.subject().clone(),
            algorithm,
            key,
        })
    }

    fn checked_number(&self) -> Result<CrlNumber, Error> {
        let previous = self.previous.as_ref().and_then(Crl::number);
        match (&self.number, previous) {
            (Some(number), Some(previous)) if number <= previous => {
                Err(Error::CrlNumberNotRising {
                    found: number.to_string(),
                    previous: previous.to_string(),
                })
            }
            (Some(number), _) => number.clone().checked(),
            (None, Some(previous)) => previous.next(),
            (None, None) => Ok(CrlNumber::from(1)),
        }
    }

    /// The previous entries but for those that leave it or are replaced, and the new ones.
    fn entries(&self, this_update: SystemTime) -> Result<Vec<u8>, Error> {
        let held = |serial: &SerialNumber| {
            let entry = self.previous.as_ref()?.find(serial)?;
            Some(entry.reason() == RevocationReason::CertificateHold)
        };
        let mut leaving = HashSet::new();
        for serial in &self.released {
            if held(serial) != Some(true) || !leaving.insert(serial.as_bytes()) {
                return Err(Error::NotOnHold {
                    serial: serial.to_string(),
                });
            }
        }
        let mut new = HashSet::new();
        for Revocation { serial, reason, .. } in &self.revoked {
            let stays = match held(serial) {
                None => false,
                Some(is_held) => !is_held || *reason == RevocationReason::CertificateHold,
            };
            if stays || leaving.contains(serial.as_bytes()) || !new.insert(serial.as_bytes()) {
                return Err(Error::AlreadyRevoked {
                    serial: serial.to_string(),
                });
            }
        }
        let mut entries = Vec::new();
        for entry in self.previous.iter().flat_map(Crl::entries) {
            let serial = entry.serial_octets();
            if !leaving.contains(serial) && !new.contains(serial) {
                entries.extend_from_slice(entry.as_der());
            }
        }
        for revocation in &self.revoked {
            entries.extend(
                revocation
                    .encode(this_update)
                    .map_err(|error| match error {
                        Error::InvalidCrl { reason, .. } => {
                            invalid_about(&revocation.serial, reason)
                        }
                        other => other,
                    })?,
            );
        }
        Ok(entries)
    }

    /// The issuing distribution point: that which was set, or that of the previous CRL.
    fn point(&self) -> Option<&IssuingDistributionPoint> {
        let previous = self.previous.as_ref();
        let previous = previous.and_then(Crl::issuing_distribution_point);
        self.issuing_distribution_point.as_ref().or(previous)
    }

    fn encoded_point(&self) -> Result<Vec<u8>, Error> {
        match self.point() {
            None => Ok(Vec::new()),
            Some(point) => Ok(extensions::encode(
                ISSUING_DISTRIBUTION_POINT,
                true,
                &point.encode()?,
            )),
        }
    }
}

/// A CRL that is still to be signed: all checks have been made.
#[must_use]
#[derive(Clone, PartialEq, Eq)]
pub struct PreparedCrl {
    tbs: Vec<u8>,
    issuer: DistinguishedName,
    algorithm: SignatureAlgorithm,
    key: PublicKey,
}

impl PreparedCrl {
    /// What was prepared before, and carried elsewhere as DER. None of the checks of [`CrlBuilder::prepare`] are made again.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::TrailingData`] and [`Error::TooLarge`]; [`Error::CrlIssuerMismatch`] when it names another
    /// issuer; [`Error::UnsupportedScheme`] for a signature algorithm, and [`Error::UnsupportedKey`] for an issuer's key, that
    /// this crate doesn't verify.
    pub fn from_der(tbs: &[u8], issuer: &Certificate) -> Result<Self, Error> {
        let identifier = signed::crl_algorithm(tbs)?;
        let algorithm = SignatureAlgorithm::made_as(identifier)?;
        // Read as the CRL that it will be, with an empty signature.
        let empty = der::tlv(der::BIT_STRING, &[&[0]]);
        let unsigned = Crl::from_der(&der::sequence(&[tbs, identifier, &empty]))?;
        if !unsigned.issuer().matches(issuer.subject()) {
            return Err(Error::CrlIssuerMismatch {
                expected: unsigned.issuer().to_string(),
                found: issuer.subject().to_string(),
                is_other_key: false,
            });
        }
        Ok(Self {
            tbs: tbs.to_vec(),
            issuer: issuer.subject().clone(),
            algorithm,
            key: issuer.public_key()?,
        })
    }

    /// What is to be signed: the DER of the TBSCertList (RFC 5280, section 5.1.1.1).
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

    /// All that it will say: the CRL as it will be, but that its signature is empty, so that it verifies nowhere.
    ///
    /// # Errors
    /// Those of [`Crl::from_der`], where it was made so that this crate would not read it.
    pub fn unsigned(&self) -> Result<Crl, Error> {
        Crl::from_owned(tbs::unverified(&self.tbs, self.algorithm, &[]))
    }

    /// Has it signed.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] for another key than that of the issuer; [`Error::SignerFailed`], or the error of this crate that the
    /// signer gave; and those of [`assemble`](Self::assemble).
    pub fn sign(&self, signer: &dyn Signer) -> Result<Crl, Error> {
        let signature = tbs::sign(&self.tbs, self.algorithm, &self.key, signer, &self.issuer)?;
        self.assemble(&signature)
    }

    /// The CRL with this signature, which is verified first: for RSA as long as the modulus, for ECDSA the SEQUENCE of two
    /// numbers in DER (RFC 3279, section 2.2.3), for Ed25519 64 octets.
    ///
    /// # Errors
    /// [`Error::SignatureFailed`].
    pub fn assemble(&self, signature: &[u8]) -> Result<Crl, Error> {
        Crl::from_owned(tbs::assemble(
            &self.tbs,
            self.algorithm,
            signature,
            &self.key,
        )?)
    }
}

impl fmt::Debug for PreparedCrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedCrl")
            .field("issuer", &self.issuer)
            .field("signature_algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn check_issuer(issuer: &Certificate, now: SystemTime) -> Result<(), Error> {
    check_crl_sign(issuer)?;
    let subject = issuer.subject();
    // RFC 5280, section 5.1.2.3: the issuer has a name.
    if subject.is_empty() {
        return Err(Error::NotACrlIssuer {
            subject: subject.to_string(),
            reason: "its subject is empty",
        });
    }
    let validity = issuer.validity();
    if now > validity.not_after {
        return Err(Error::AuthorityExpired {
            subject: subject.to_string(),
            not_after: validity.not_after,
            now,
        });
    }
    if now < validity.not_before {
        return Err(Error::AuthorityNotYetValid {
            subject: subject.to_string(),
            not_before: validity.not_before,
            now,
        });
    }
    Ok(())
}

fn check_previous(
    previous: &Crl,
    issuer: &Certificate,
    this_update: SystemTime,
) -> Result<(), Error> {
    previous.verify_issued_by(issuer)?;
    if let Some(serial) = previous.first_duplicate() {
        return Err(invalid_about(
            &serial,
            "the previous one has two entries about this certificate",
        ));
    }
    if let Some(oid) = previous.unsupported_critical_extension() {
        return Err(Error::InvalidCrl {
            about: Some(format!("extension {oid}")),
            reason: "the previous one has it, critical, and it is not evaluated",
        });
    }
    let is_about = |what: fn(&IssuingDistributionPoint) -> bool| {
        previous.issuing_distribution_point().is_some_and(what)
    };
    let reason = if previous.base_number().is_some() {
        "the previous one is a delta CRL"
    } else if previous.is_indirect() {
        "the previous one is an indirect CRL"
    } else if is_about(IssuingDistributionPoint::only_some_reasons) {
        "the previous one is about some reasons only"
    } else if is_about(IssuingDistributionPoint::only_contains_attribute_certificates) {
        "the previous one is about attribute certificates"
    } else if previous
        .entries()
        .any(|entry| entry.reason() == RevocationReason::RemoveFromCrl)
    {
        "the previous one removes an entry, as delta CRLs alone do"
    } else if previous.this_update() > this_update {
        "it would be older than the previous one"
    } else {
        return Ok(());
    };
    Err(invalid(reason))
}

/// The issuer's own identifier, where it has one, and not a hash that may have been made otherwise.
fn authority_key_identifier(issuer: &Certificate, key: &PublicKey) -> Vec<u8> {
    let hash = key.key_identifier();
    let identifier = issuer.subject_key_identifier().unwrap_or(&hash);
    let value = der::sequence(&[&der::tlv(der::IMPLICIT_0, &[identifier])]);
    extensions::encode(AUTHORITY_KEY_IDENTIFIER, false, &value)
}

const BEYOND: Error = Error::InvalidCrl {
    about: None,
    reason: "a time lies outside the years that X.509 can express",
};

fn invalid(reason: &'static str) -> Error {
    Error::InvalidCrl {
        about: None,
        reason,
    }
}

fn invalid_about(serial: &SerialNumber, reason: &'static str) -> Error {
    Error::InvalidCrl {
        about: Some(format!("serial number {serial}")),
        reason,
    }
}
