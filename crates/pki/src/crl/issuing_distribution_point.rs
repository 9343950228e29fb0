use super::WHAT;
use crate::{
    Error, SubjectAltName, Uri,
    der::{self, Reader, malformed},
};

/// What a CRL is about, and where it is (RFC 5280, section 5.2.5): the IssuingDistributionPoint. A CRL without one is about all
/// certificates of its issuer.
///
/// ```
/// use pki::{IssuingDistributionPoint, Uri};
///
/// let point = IssuingDistributionPoint::at([Uri::new("http://ca.example.com/cas.crl")?]).only_ca_certificates();
/// assert!(point.only_contains_ca_certificates());
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct IssuingDistributionPoint {
    names: Vec<SubjectAltName>,
    /// A nameRelativeToCRLIssuer in DER: read, kept, and never made here.
    relative_name: Option<Vec<u8>>,
    scope: Scope,
    /// The contents of onlySomeReasons, a BIT STRING.
    reasons: Option<Vec<u8>>,
    is_indirect: bool,
}

/// Which certificates it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Scope {
    #[default]
    All,
    User,
    Ca,
    Attribute,
}

impl IssuingDistributionPoint {
    /// Of a CRL that is at these addresses, which all lead to the same one. Without any it says only what is set below.
    pub fn at(uris: impl IntoIterator<Item = Uri>) -> Self {
        Self {
            names: uris.into_iter().map(SubjectAltName::Uri).collect(),
            ..Self::default()
        }
    }

    /// Of a CRL about the certificates of end entities alone.
    #[must_use]
    pub fn only_user_certificates(mut self) -> Self {
        self.scope = Scope::User;
        self
    }

    /// Of a CRL about the certificates of CAs alone.
    #[must_use]
    pub fn only_ca_certificates(mut self) -> Self {
        self.scope = Scope::Ca;
        self
    }

    /// The names of the place where the CRL is; most are URIs.
    pub fn names(&self) -> &[SubjectAltName] {
        &self.names
    }

    /// Whether it is about the certificates of end entities alone.
    pub fn only_contains_user_certificates(&self) -> bool {
        self.scope == Scope::User
    }

    /// Whether it is about the certificates of CAs alone.
    pub fn only_contains_ca_certificates(&self) -> bool {
        self.scope == Scope::Ca
    }

    /// Whether it is about attribute certificates alone.
    pub fn only_contains_attribute_certificates(&self) -> bool {
        self.scope == Scope::Attribute
    }

    /// Whether it is about certificates that were revoked for some reasons only: then one that isn't in it may be revoked.
    pub fn only_some_reasons(&self) -> bool {
        self.reasons.is_some()
    }

    /// Whether it may be about certificates of other issuers, too.
    pub fn is_indirect(&self) -> bool {
        self.is_indirect
    }

    /// Whether it is about all certificates that `other` is about, where both are about any reason and one issuer. One that is absent is about all.
    pub(super) fn covers(this: Option<&Self>, other: Option<&Self>) -> bool {
        let scope = |point: Option<&Self>| point.map_or(Scope::All, |it| it.scope);
        scope(this) == Scope::All || scope(this) == scope(other)
    }

    /// Reads the SEQUENCE.
    pub(super) fn read(der: &[u8]) -> Result<Self, Error> {
        let mut fields = Reader::enter(der, der::SEQUENCE, WHAT)?;
        let mut point = Self::default();
        if let Some(name) = fields.optional(der::EXPLICIT_0)? {
            let mut name = Reader::new(name, WHAT);
            let choice = name.read()?;
            name.finish()?;
            match choice.tag {
                FULL_NAME => point.names = general_names(choice.value)?,
                RELATIVE_NAME => point.relative_name = Some(choice.raw.to_vec()),
                _ => return Err(malformed(WHAT, "a distribution point has an unknown name")),
            }
        }
        let user = flag(&mut fields, ONLY_USER_CERTIFICATES)?;
        let ca = flag(&mut fields, ONLY_CA_CERTIFICATES)?;
        point.reasons = fields.optional(ONLY_SOME_REASONS)?.map(<[u8]>::to_vec);
        point.is_indirect = flag(&mut fields, INDIRECT_CRL)?;
        let attribute = flag(&mut fields, ONLY_ATTRIBUTE_CERTIFICATES)?;
        fields.finish()?;
        point.scope = match (user, ca, attribute) {
            (false, false, false) => Scope::All,
            (true, false, false) => Scope::User,
            (false, true, false) => Scope::Ca,
            (false, false, true) => Scope::Attribute,
            _ => {
                return Err(malformed(
                    WHAT,
                    "it is about two kinds of certificates alone",
                ));
            }
        };
        Ok(point)
    }

    /// The SEQUENCE.
    ///
    /// # Errors
    /// `InvalidCrl` when it says nothing, and `InvalidSubjectAltName` for a name that was read and isn't well-formed.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Error> {
        let name = match (&self.relative_name, self.names.as_slice()) {
            (Some(relative), _) => der::tlv(der::EXPLICIT_0, &[relative]),
            (None, []) => Vec::new(),
            (None, names) => {
                let full = der::retagged(FULL_NAME, &SubjectAltName::encode_all(names)?)?;
                der::tlv(der::EXPLICIT_0, &[&full])
            }
        };
        let reasons = match &self.reasons {
            Some(reasons) => der::tlv(ONLY_SOME_REASONS, &[reasons]),
            None => Vec::new(),
        };
        let scope = match self.scope {
            Scope::All => [Vec::new(), Vec::new()],
            Scope::User => [set(ONLY_USER_CERTIFICATES), Vec::new()],
            Scope::Ca => [set(ONLY_CA_CERTIFICATES), Vec::new()],
            Scope::Attribute => [Vec::new(), set(ONLY_ATTRIBUTE_CERTIFICATES)],
        };
        let indirect = if self.is_indirect {
            set(INDIRECT_CRL)
        } else {
            Vec::new()
        };
        let fields: [&[u8]; 5] = [&name, &scope[0], &reasons, &indirect, &scope[1]];
        if fields.iter().all(|field| field.is_empty()) {
            return Err(Error::InvalidCrl {
                about: None,
                reason: "its issuing distribution point says nothing",
            });
        }
        Ok(der::sequence(&fields))
    }
}

/// The names in the contents of GeneralNames.
pub(super) fn general_names(contents: &[u8]) -> Result<Vec<SubjectAltName>, Error> {
    SubjectAltName::read_all(&der::sequence(&[contents]))
}

const FULL_NAME: u8 = 0xa0;
const RELATIVE_NAME: u8 = 0xa1;
const ONLY_USER_CERTIFICATES: u8 = 0x81;
const ONLY_CA_CERTIFICATES: u8 = 0x82;
const ONLY_SOME_REASONS: u8 = 0x83;
const INDIRECT_CRL: u8 = 0x84;
const ONLY_ATTRIBUTE_CERTIFICATES: u8 = 0x85;

/// A BOOLEAN under this tag, which is FALSE where it isn't there.
fn flag(fields: &mut Reader<'_>, tag: u8) -> Result<bool, Error> {
    match fields.optional(tag)? {
        None | Some([0]) => Ok(false),
        Some([0xff]) => Ok(true),
        Some(_) => Err(malformed(WHAT, "a boolean is neither true nor false")),
    }
}

fn set(tag: u8) -> Vec<u8> {
    der::tlv(tag, &[&[0xff]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri() -> Uri {
        Uri::new("a:b").unwrap()
    }

    #[test]
    fn a_point_is_written_in_the_octets_of_rfc_5280_and_read_back() {
        let at = || IssuingDistributionPoint::at([uri()]);
        let nowhere = || IssuingDistributionPoint::at([]);
        for (point, octets) in [
            (at(), &b"\x30\x09\xa0\x07\xa0\x05\x86\x03a:b"[..]),
            (
                at().only_user_certificates(),
                b"\x30\x0c\xa0\x07\xa0\x05\x86\x03a:b\x81\x01\xff",
            ),
            (nowhere().only_user_certificates(), b"\x30\x03\x81\x01\xff"),
            (nowhere().only_ca_certificates(), b"\x30\x03\x82\x01\xff"),
        ] {
            assert_eq!(point.encode().unwrap(), octets);
            assert_eq!(IssuingDistributionPoint::read(octets), Ok(point));
        }
        assert!(matches!(nowhere().encode(), Err(Error::InvalidCrl { .. })));
        let (users, cas) = (at().only_user_certificates(), at().only_ca_certificates());
        assert!(users.only_contains_user_certificates() && cas.only_contains_ca_certificates());
    }

    #[test]
    fn what_is_not_made_here_is_read_and_kept() {
        let relative = b"\x30\x0e\xa0\x0c\xa1\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01a";
        let directory =
            b"\x30\x12\xa0\x10\xa0\x0e\xa4\x0c\x30\x0a\x31\x08\x30\x06\x06\x01\x2a\x0c\x01a";
        let all = b"\x30\x0a\x83\x02\x06\x40\x84\x01\xff\x85\x01\xff";
        for octets in [&relative[..], directory, all] {
            let read = IssuingDistributionPoint::read(octets).unwrap();
            assert_eq!(read.encode().unwrap(), octets);
        }
        let read = IssuingDistributionPoint::read(all).unwrap();
        assert!(read.only_some_reasons() && read.is_indirect());
        assert!(read.only_contains_attribute_certificates());
        assert!(!read.only_contains_user_certificates() && !read.only_contains_ca_certificates());
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for octets in [
            &b"\x30\x03\x81\x01\x01"[..],        // a boolean of 1
            b"\x30\x02\x81\x00",                 // and one of nothing
            b"\x30\x06\x81\x01\xff\x82\x01\xff", // users and CAs alone
            b"\x30\x06\x82\x01\xff\x81\x01\xff", // the wrong order
            b"\x30\x04\xa0\x02\xa2\x00",         // no name that there is
            b"\x30\x06\xa0\x04\xa0\x00\xa0\x00", // two names
        ] {
            assert!(
                IssuingDistributionPoint::read(octets).is_err(),
                "{octets:02x?}"
            );
        }
    }
}
