use std::{fmt, time::SystemTime};

use super::{
    CrlNumber, IssuingDistributionPoint, RevokedCertificate, WHAT, entry::Entry,
    extensions::Extensions, issuing_distribution_point::general_names,
};
use crate::{
    Certificate, DistinguishedName, Error, SerialNumber, SignatureAlgorithm, SubjectAltName,
    budget,
    der::{self, Reader, malformed},
    name::CanonicalName,
    pem,
    signed::{self, Signed},
};

/// The largest CRL that is read, in octets. The largest in use have some tens of millions.
const MAX_SIZE: usize = 128 << 20;

/// A certificate revocation list (RFC 5280, section 5), parsed and immutable, that owns its DER.
///
/// A million entries are read in linear time; beside the DER there are some 60 octets for each.
/// A signature is checked where [`verify_issued_by`](Self::verify_issued_by) is called, and not before. Two CRLs are equal when
/// their DER is.
///
/// ```
/// use pki::{CrlBuilder, Revocation, RevocationReason, SerialNumber};
///
/// # use pki::{CertificateAuthority, KeyKind, PrivateKey, Profile};
/// # let key = PrivateKey::generate(KeyKind::EcP256)?;
/// # let ca = CertificateAuthority::create_root("/CN=Demo CA".parse()?, key, &Profile::root())?;
/// let serial = SerialNumber::try_from(4096)?;
/// let revocation = Revocation::new(serial.clone()).reason(RevocationReason::KeyCompromise);
/// let crl = CrlBuilder::new().revoke(revocation).sign(&ca)?;
///
/// let crl = pki::Crl::from_pem(crl.to_pem())?;
/// crl.verify_issued_by(ca.certificate())?;
/// assert_eq!(crl.find(&serial).map(|entry| entry.reason()), Some(RevocationReason::KeyCompromise));
/// assert!(crl.find(&SerialNumber::try_from(4097)?).is_none());
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Clone)]
pub struct Crl {
    der: Vec<u8>,
    issuer: DistinguishedName,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
    signature_algorithm: String,
    extensions: Extensions,
    entries: Vec<Entry>,
    /// The numbers of the entries about certificates of the CRL's own issuer, by serial number and then by place.
    by_serial: Vec<u32>,
    /// The first extension that is critical and not evaluated, of the CRL or of an entry.
    unsupported_critical: Option<String>,
}

impl Crl {
    /// The first `X509 CRL` block of a PEM file.
    ///
    /// # Errors
    /// [`Error::PemNotFound`], [`Error::MalformedPem`], and those of [`Crl::from_der`].
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let blocks = pem::blocks_within(pem.as_ref(), MAX_PEM_SIZE)?;
        match blocks.iter().find(|block| is_label(&block.label)) {
            Some(block) => Self::from_der(&block.der),
            None => Err(Error::PemNotFound {
                expected: "X509 CRL",
                found: blocks.into_iter().map(|block| block.label).collect(),
            }),
        }
    }

    /// A CRL in DER.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above 128 MiB, [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        budget::check_size(der, MAX_SIZE, WHAT)?;
        Self::from_owned(der.to_vec())
    }

    /// A CRL in PEM or DER.
    ///
    /// # Errors
    /// Those of [`Crl::from_pem`].
    pub fn from_pem_or_der(input: &[u8]) -> Result<Self, Error> {
        if pem::is_pem(input) {
            Self::from_pem(input)
        } else {
            Self::from_der(input)
        }
    }

    /// TBSCertList (RFC 5280, section 5.1).
    pub(super) fn from_owned(der: Vec<u8>) -> Result<Self, Error> {
        let signed = Signed::read(&der, WHAT)?;
        let mut algorithm = Reader::enter(signed.algorithm, der::SEQUENCE, WHAT)?;
        let signature_algorithm = SignatureAlgorithm::name_of(
            algorithm.value(der::OID)?,
            algorithm.optional(der::SEQUENCE)?,
        );
        // Where the contents of the TBSCertList end: its signature follows.
        let tbs_end = signed.tbs_end;
        let mut fields = Reader::enter(signed.tbs, der::SEQUENCE, WHAT)?;
        let is_v2 = fields.peek() == Some(der::INTEGER);
        if is_v2 && fields.uint()? != VERSION_2 {
            return Err(malformed(WHAT, "its version is not 2"));
        }
        fields.read_tagged(der::SEQUENCE)?; // signature
        let issuer = DistinguishedName::from_der(fields.read_tagged(der::SEQUENCE)?.raw)?;
        let this_update = der::read_time(&fields.read()?, WHAT)?;
        let next_update = match fields.peek() {
            Some(der::UTC_TIME | der::GENERALIZED_TIME) => {
                Some(der::read_time(&fields.read()?, WHAT)?)
            }
            _ => None,
        };
        let revoked = fields.optional(der::SEQUENCE)?;
        let revoked_end = tbs_end.saturating_sub(fields.remaining());
        let extensions = match fields.optional(der::EXPLICIT_0)? {
            Some(explicit) => {
                let mut explicit = Reader::new(explicit, WHAT);
                let extensions = Extensions::read(explicit.value(der::SEQUENCE)?)?;
                explicit.finish()?;
                extensions
            }
            None => Extensions::default(),
        };
        fields.finish()?;

        let mut list = List {
            crl_issuer: issuer.canonical(),
            is_indirect: extensions
                .issuing_distribution_point
                .as_ref()
                .is_some_and(IssuingDistributionPoint::is_indirect),
            unsupported_critical: extensions.unsupported_critical.clone(),
        };
        let entries = list.read(revoked.unwrap_or_default(), revoked_end)?;
        let unsupported_critical = list.unsupported_critical;
        Ok(Self {
            by_serial: by_serial(&entries, &der)?,
            issuer,
            this_update,
            next_update,
            signature_algorithm,
            extensions,
            entries,
            unsupported_critical,
            der,
        })
    }

    /// The DER, as it was read or signed.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// An `X509 CRL` block.
    pub fn to_pem(&self) -> String {
        pem::encode("X509 CRL", &self.der).to_string()
    }

    /// Who signed it.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// When it was made.
    pub fn this_update(&self) -> SystemTime {
        self.this_update
    }

    /// By when there will be a newer one. RFC 5280 wants it to be there.
    pub fn next_update(&self) -> Option<SystemTime> {
        self.next_update
    }

    /// The signature algorithm: its name, for example `sha256WithRSAEncryption`, whether this crate verifies it or not;
    /// the object identifier of one that has no known name.
    pub fn signature_algorithm(&self) -> &str {
        &self.signature_algorithm
    }

    /// Its number, when it has one.
    pub fn number(&self) -> Option<&CrlNumber> {
        self.extensions.number.as_ref()
    }

    /// Of a delta CRL (RFC 5280, section 5.2.4): the number of the complete CRL that it tells the changes since. On its own it
    /// says nothing about a certificate that isn't in it.
    pub fn base_number(&self) -> Option<&CrlNumber> {
        self.extensions.base_number.as_ref()
    }

    /// What it is about, when that is not all the certificates of its issuer.
    pub fn issuing_distribution_point(&self) -> Option<&IssuingDistributionPoint> {
        self.extensions.issuing_distribution_point.as_ref()
    }

    /// Whether it may be about certificates of other issuers, too (RFC 5280, section 5.2.5).
    pub fn is_indirect(&self) -> bool {
        self.issuing_distribution_point()
            .is_some_and(IssuingDistributionPoint::is_indirect)
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
            .map(|(oid, critical)| (oid.as_str(), *critical))
    }

    /// The first extension, of the CRL or of one of its entries, that is critical and that this type says nothing about, as a
    /// dotted object identifier: such a CRL tells nobody's status (RFC 5280, sections 5.2 and 5.3).
    pub fn unsupported_critical_extension(&self) -> Option<&str> {
        self.unsupported_critical.as_deref()
    }

    /// The octets of the extensions that are neither critical nor known to this type.
    pub(super) fn other_extensions(&self) -> &[u8] {
        &self.extensions.others
    }

    /// The revoked certificates, in file order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = RevokedCertificate<'_>> {
        self.entries
            .iter()
            .map(|entry| RevokedCertificate::new(&self.der, entry))
    }

    /// The entry about the certificate of the CRL's issuer with this serial number; the first, should there be several. It is
    /// looked up by halving, so that many certificates are looked up quickly.
    ///
    /// Entries of an indirect CRL about certificates of other issuers are not found; they are among
    /// [`entries`](Self::entries). Nothing else is considered: neither the signature nor the dates, nor what the CRL is about.
    pub fn find(&self, serial: &SerialNumber) -> Option<RevokedCertificate<'_>> {
        let serial_of = |number: u32| {
            let entry = self.entries.get(number as usize)?;
            Some((entry, entry.serial_in(&self.der)))
        };
        let at = self.by_serial.partition_point(|number| {
            serial_of(*number).is_some_and(|(_, found)| found < serial.as_bytes())
        });
        let (entry, found) = serial_of(*self.by_serial.get(at)?)?;
        (found == serial.as_bytes()).then(|| RevokedCertificate::new(&self.der, entry))
    }

    /// The first serial number, in order of value, that the CRL issuer has two entries about.
    pub(super) fn first_duplicate(&self) -> Option<SerialNumber> {
        let serials = self.by_serial.iter().filter_map(|number| {
            let entry = self.entries.get(*number as usize)?;
            Some(entry.serial_in(&self.der))
        });
        let mut pairs = serials.clone().zip(serials.skip(1));
        pairs
            .find(|(serial, next)| serial == next)
            .map(|(serial, _)| SerialNumber::as_found(serial))
    }

    /// Checks that `issuer` signed it and may have: the issuer's subject [matches](DistinguishedName::matches) the CRL's, its
    /// key usage, if it has one, has cRLSign, the key identifiers are the same where both are there, and its key verifies
    /// the signature. Dates, and the path up from the issuer, are not looked at.
    ///
    /// # Errors
    /// [`Error::CrlIssuerMismatch`], [`Error::NotACrlIssuer`], [`Error::CrlSignatureInvalid`];
    /// [`Error::CrlSignatureAlgorithmMismatch`] when it names two signature algorithms; [`Error::UnsupportedScheme`] for a
    /// signature algorithm, SHA-1 for example, and [`Error::UnsupportedKey`] for a key that this crate doesn't verify.
    pub fn verify_issued_by(&self, issuer: &Certificate) -> Result<(), Error> {
        let identifiers = (
            self.authority_key_identifier(),
            issuer.subject_key_identifier(),
        );
        let is_named = self.issuer.matches(issuer.subject());
        let is_other_key = matches!(identifiers, (Some(named), Some(found)) if named != found);
        if !is_named || is_other_key {
            return Err(Error::CrlIssuerMismatch {
                expected: self.issuer.to_string(),
                found: issuer.subject().to_string(),
                is_other_key: is_named,
            });
        }
        check_crl_sign(issuer)?;
        let signed = Signed::read(&self.der, WHAT)?;
        let inner = signed::crl_algorithm(signed.tbs)?;
        if inner != signed.algorithm {
            return Err(Error::CrlSignatureAlgorithmMismatch {
                issuer: self.issuer.to_string(),
                inner: signed::shown(inner),
                outer: signed::shown(signed.algorithm),
            });
        }
        if signed.verifies_with(&issuer.public_key()?)? {
            return Ok(());
        }
        Err(Error::CrlSignatureInvalid {
            issuer: self.issuer.to_string(),
        })
    }
}

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crl")
            .field("issuer", &self.issuer)
            .field("number", &self.number())
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

/// RFC 5280, section 4.2.1.3.
pub(super) fn check_crl_sign(issuer: &Certificate) -> Result<(), Error> {
    match issuer.key_usage() {
        Some(usage) if !usage.crl_sign() => Err(Error::NotACrlIssuer {
            subject: issuer.subject().to_string(),
            reason: "its key usage lacks cRLSign",
        }),
        _ => Ok(()),
    }
}

/// Whether a PEM block with this label is a CRL.
pub(crate) fn is_label(label: &str) -> bool {
    matches!(label, "X509 CRL" | "CRL")
}

/// RFC 5280, section 5.1.2.1: v2 is 1.
pub(super) const VERSION_2: u64 = 1;

/// Of a CRL of the largest size: base64 makes a third more of it, and lines and other blocks come on top.
pub(crate) const MAX_PEM_SIZE: usize = 192 << 20;

/// What is known while the entries are read.
struct List {
    crl_issuer: CanonicalName,
    is_indirect: bool,
    unsupported_critical: Option<String>,
}

impl List {
    /// The entries, whose contents end `end` octets into the CRL.
    fn read(&mut self, contents: &[u8], end: usize) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::with_capacity(count(contents)?);
        let mut rest = Reader::new(contents, WHAT);
        let mut is_of_crl_issuer = true;
        while !rest.is_empty() {
            let start = end.saturating_sub(rest.remaining());
            let tlv = rest.read_tagged(der::SEQUENCE)?;
            let mut read = Entry::read(&tlv, start)?;
            if let Some(issuer) = read.certificate_issuer {
                is_of_crl_issuer = self.is_crl_issuer(&issuer)?;
            }
            read.entry.set_is_of_crl_issuer(is_of_crl_issuer);
            entries.push(read.entry);
            if self.unsupported_critical.is_none() {
                self.unsupported_critical = read.unsupported_critical;
            }
        }
        Ok(entries)
    }

    /// Whether a certificateIssuer, GeneralNames, is the CRL's own (RFC 5280, section 5.3.3).
    fn is_crl_issuer(&self, names: &[u8]) -> Result<bool, Error> {
        if !self.is_indirect {
            return Err(malformed(
                WHAT,
                "an entry names its certificate's issuer, and it is no indirect CRL",
            ));
        }
        Ok(general_names(names)?.iter().any(
            |name| matches!(name, SubjectAltName::Directory(name) if name.canonical() == self.crl_issuer),
        ))
    }
}

/// How many entries there are, so that room is made for as many and no more. What is too short for one is none: an entry here
/// takes more room than that.
fn count(contents: &[u8]) -> Result<usize, Error> {
    let mut rest = Reader::new(contents, WHAT);
    let mut count = 0_usize;
    while !rest.is_empty() {
        if rest.read_tagged(der::SEQUENCE)?.raw.len() < SHORTEST_ENTRY {
            return Err(malformed(
                WHAT,
                "an entry lacks its serial number or its date",
            ));
        }
        count = count.saturating_add(1);
    }
    Ok(count)
}

/// In octets: a serial number of one, a UTCTime, and their headers.
const SHORTEST_ENTRY: usize = 20;

fn by_serial(entries: &[Entry], crl: &[u8]) -> Result<Vec<u32>, Error> {
    let mut own = Vec::with_capacity(entries.len());
    for (number, entry) in entries.iter().enumerate() {
        if entry.is_of_crl_issuer() {
            own.push(u32::try_from(number).map_err(|_| malformed(WHAT, "too many entries"))?);
        }
    }
    let serial = |number: &u32| {
        entries
            .get(*number as usize)
            .map(|entry| entry.serial_in(crl))
    };
    own.sort_by(|a, b| serial(a).cmp(&serial(b))); // stable: the first of several stays the first
    Ok(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_for_entries_alone() {
        let date = der::tlv(der::UTC_TIME, &[b"260101000000Z"]);
        let shortest = der::sequence(&[&der::tlv(der::INTEGER, &[&[1]]), &date]);
        assert_eq!(count(&shortest.repeat(3)), Ok(3));
        for short in [&[5, 0][..], &[0x30, 0], &der::sequence(&[&date])] {
            let entries = [shortest.as_slice(), short].concat();
            assert!(
                matches!(count(&entries), Err(Error::Malformed { .. })),
                "{short:?}"
            );
        }
    }
}
