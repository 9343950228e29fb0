//! Where CRLs are: CRL distribution points, and the freshest CRL (RFC 5280, sections 4.2.1.13 and 4.2.1.15).

use crate::{
    DistinguishedName, Error, GeneralName, Uri,
    der::{self, Reader},
};

/// A place where a CRL is (RFC 5280, section 4.2.1.13).
///
/// Nearly all of them are one URI: [`DistributionPoint::uri`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct DistributionPoint {
    /// Where it is.
    pub name: Option<DistributionPointName>,
    /// The reasons that the CRL is about; all of them where there are none.
    pub reasons: Option<ReasonFlags>,
    /// Who signs the CRL, where that is not the issuer of the certificate.
    pub crl_issuer: Vec<GeneralName>,
}

/// The name of a [`DistributionPoint`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DistributionPointName {
    /// The names of one place; several are several ways to it.
    Full(Vec<GeneralName>),
    /// A name of one RDN, which is to be added to that of the CRL's issuer.
    RelativeToIssuer(DistinguishedName),
}

/// A set of reasons for a revocation: bits in the order of RFC 5280, section 4.2.1.13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReasonFlags(u16);

impl DistributionPoint {
    /// A CRL of the certificate's issuer, about every reason, at this address.
    pub fn uri(uri: Uri) -> Self {
        Self {
            name: Some(DistributionPointName::Full(vec![GeneralName::Uri(uri)])),
            ..Self::default()
        }
    }

    /// Reads CRLDistributionPoints.
    pub(crate) fn read_all(der: &[u8]) -> Result<Vec<Self>, Error> {
        let mut points = Reader::enter(der, der::SEQUENCE, WHAT)?;
        let mut read = Vec::new();
        while !points.is_empty() {
            read.push(Self::read(points.nested(der::SEQUENCE)?)?);
        }
        Ok(read)
    }

    fn read(mut fields: Reader<'_>) -> Result<Self, Error> {
        let name = fields.optional(der::EXPLICIT_0)?;
        let reasons = fields.optional(der::IMPLICIT_1)?;
        let crl_issuer = fields.optional(der::EXPLICIT_2)?;
        fields.finish()?;
        Ok(Self {
            name: name.map(DistributionPointName::read).transpose()?,
            reasons: reasons.map(ReasonFlags::read).transpose()?,
            crl_issuer: match crl_issuer {
                Some(names) => GeneralName::read_all(&der::sequence(&[names]))?,
                None => Vec::new(),
            },
        })
    }

    /// The SEQUENCE.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let name = match &self.name {
            Some(name) => der::tlv(der::EXPLICIT_0, &[&name.encode()?]),
            None => Vec::new(),
        };
        let reasons = self.reasons.map_or_else(Vec::new, |reasons| {
            der::tlv(der::IMPLICIT_1, &[&der::named_bits_value(reasons.0)])
        });
        let issuer = match self.crl_issuer.as_slice() {
            [] => Vec::new(),
            names => der::retagged(der::EXPLICIT_2, &GeneralName::encode_all(names)?)?,
        };
        if name.is_empty() && issuer.is_empty() {
            return Err(invalid("a distribution point has a name or a CRL issuer"));
        }
        // RFC 5280, section 4.2.1.13: it is the issuer's name in the CRL.
        let directories = self.crl_issuer.iter();
        let directories = directories
            .filter(|it| matches!(it, GeneralName::Directory(_)))
            .count();
        if !issuer.is_empty() && directories == 0 {
            return Err(invalid("a CRL issuer is a directory name"));
        }
        if directories > 1 && matches!(self.name, Some(DistributionPointName::RelativeToIssuer(_)))
        {
            return Err(invalid(
                "a name is relative to one CRL issuer, and not to several",
            ));
        }
        Ok(der::sequence(&[&name, &reasons, &issuer]))
    }
}

impl DistributionPointName {
    /// Reads the CHOICE.
    fn read(der: &[u8]) -> Result<Self, Error> {
        let mut choice = Reader::new(der, WHAT);
        let name = choice.read()?;
        choice.finish()?;
        match name.tag {
            der::EXPLICIT_0 => GeneralName::read_all(&der::sequence(&[name.value])).map(Self::Full),
            der::EXPLICIT_1 => {
                let rdn = der::tlv(der::SET, &[name.value]);
                DistinguishedName::from_der(&der::sequence(&[&rdn])).map(Self::RelativeToIssuer)
            }
            _ => Err(der::malformed(WHAT, "a name is neither full nor relative")),
        }
    }

    /// The CHOICE.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Full(names) if names.is_empty() => {
                Err(invalid("the name of a distribution point is empty"))
            }
            Self::Full(names) => der::retagged(der::EXPLICIT_0, &GeneralName::encode_all(names)?),
            Self::RelativeToIssuer(name) => {
                let mut rdns = Reader::enter(name.as_der(), der::SEQUENCE, WHAT)?;
                match (name.rdns().len(), rdns.read()) {
                    (1, Ok(rdn)) => der::retagged(der::EXPLICIT_1, rdn.raw),
                    _ => Err(invalid(
                        "a name that is relative to that of the CRL issuer has one RDN",
                    )),
                }
            }
        }
    }
}

impl ReasonFlags {
    const NAMES: [&str; 8] = [
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "privilegeWithdrawn",
        "aACompromise",
    ];

    /// The reasons with these names, as RFC 5280 spells them: `keyCompromise`, `cACompromise` and so on.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] for another name, and when there is none.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut bits = 0;
        for name in names {
            let known = Self::NAMES.iter().zip(1_u32..);
            let bit = known
                .filter(|(known, _)| **known == name)
                .find_map(|(_, bit)| 1_u16.checked_shl(bit));
            bits |= bit.ok_or_else(|| invalid("an unknown reason for a revocation"))?;
        }
        if bits == 0 {
            return Err(invalid("a set of reasons is empty"));
        }
        Ok(Self(bits))
    }

    /// Reads the contents of the BIT STRING.
    fn read(contents: &[u8]) -> Result<Self, Error> {
        let octets = match contents {
            [0..=7, first, second, ..] => [*first, *second],
            [0..=7, first] => [*first, 0],
            [0] => [0, 0],
            _ => return Err(der::malformed(WHAT, "its reasons are no bit string")),
        };
        Ok(Self(u16::from_be_bytes(octets).reverse_bits()))
    }

    /// The names of the reasons, as RFC 5280 spells them and in its order.
    pub fn names(self) -> Vec<&'static str> {
        Self::NAMES
            .iter()
            .zip(1_u32..)
            .filter(|(_, bit)| self.0.checked_shr(*bit).is_some_and(|rest| rest & 1 == 1))
            .map(|(name, _)| *name)
            .collect()
    }
}

fn invalid(reason: &'static str) -> Error {
    Error::InvalidExtension {
        extension: WHAT,
        reason,
    }
}

const WHAT: &str = "CRL distribution points";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_written_in_the_octets_of_rfc_5280() {
        let named = |name| DistributionPoint {
            name: Some(name),
            ..DistributionPoint::default()
        };
        let relative = DistributionPointName::RelativeToIssuer("/CN=a".parse().unwrap());
        for (point, octets) in [
            (
                DistributionPoint::uri(Uri::new("a:b").unwrap()),
                &b"\x30\x09\xa0\x07\xa0\x05\x86\x03a:b"[..],
            ),
            (
                named(relative),
                b"\x30\x0e\xa0\x0c\xa1\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01a",
            ),
            (
                DistributionPoint {
                    reasons: Some(
                        ReasonFlags::from_names(["keyCompromise", "aACompromise"]).unwrap(),
                    ),
                    crl_issuer: vec![GeneralName::Directory("/CN=a".parse().unwrap())],
                    name: None,
                },
                b"\x30\x17\x81\x03\x07\x40\x80\xa2\x10\xa4\x0e\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01a",
            ),
        ] {
            assert_eq!(point.encode().unwrap(), octets, "{point:?}");
        }
    }

    #[test]
    fn what_says_nothing_is_refused() {
        let two: DistinguishedName = "/O=a/CN=b".parse().unwrap();
        let none: DistinguishedName = "/".parse().unwrap();
        let named = |name| DistributionPoint {
            name: Some(name),
            ..DistributionPoint::default()
        };
        for point in [
            DistributionPoint::default(),
            DistributionPoint {
                reasons: Some(ReasonFlags::from_names(["superseded"]).unwrap()),
                ..DistributionPoint::default()
            },
            named(DistributionPointName::Full(Vec::new())),
            named(DistributionPointName::RelativeToIssuer(two)),
            named(DistributionPointName::RelativeToIssuer(none)),
        ] {
            assert!(
                matches!(point.encode(), Err(Error::InvalidExtension { .. })),
                "{point:?}"
            );
        }
    }

    #[test]
    fn reasons_are_known_by_the_names_of_rfc_5280() {
        let names = ["keyCompromise", "certificateHold", "aACompromise"];
        let reasons = ReasonFlags::from_names(names).unwrap();
        assert_eq!(reasons.names(), names);
        assert_eq!(reasons, ReasonFlags(1 << 1 | 1 << 6 | 1 << 8));
        assert!(ReasonFlags::from_names(["unused"]).is_err());
        assert!(ReasonFlags::from_names([]).is_err());
        let read = |contents: &[u8]| ReasonFlags::read(contents).map(ReasonFlags::names);
        assert_eq!(read(&[0]), Ok(vec![]));
        assert_eq!(read(&[6, 0x40]), Ok(vec!["keyCompromise"]));
        assert_eq!(
            read(&[7, 0x40, 0x80]),
            Ok(vec!["keyCompromise", "aACompromise"])
        );
        for contents in [&[][..], &[1], &[8, 0]] {
            assert!(matches!(read(contents), Err(Error::Malformed { .. })));
        }
    }
}
