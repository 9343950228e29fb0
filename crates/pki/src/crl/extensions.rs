//! The extensions of a CRL (RFC 5280, section 5.2), and of its entries.

use std::collections::HashSet;

use super::{CrlNumber, IssuingDistributionPoint, WHAT};
use crate::{
    Error,
    der::{self, Reader, malformed},
    oid,
};

/// An extension, taken apart but for its value.
pub(super) struct Extension<'a> {
    /// The contents of its object identifier.
    pub(super) oid: &'a [u8],
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

impl<'a> Extension<'a> {
    /// The next one of `Extensions` (RFC 5280, section 4.1).
    pub(super) fn read(extensions: &mut Reader<'a>, what: &'static str) -> Result<Self, Error> {
        let mut fields = extensions.nested(der::SEQUENCE)?;
        let extension = Self {
            oid: fields.value(der::OID)?,
            critical: match fields.optional(der::BOOLEAN)? {
                None | Some([0]) => false,
                Some([0xff]) => true,
                Some(_) => return Err(malformed(what, "a boolean is neither true nor false")),
            },
            value: fields.value(der::OCTET_STRING)?,
        };
        fields.finish()?;
        Ok(extension)
    }
}

/// What the extensions of a CRL say.
#[derive(Debug, Clone, Default)]
pub(super) struct Extensions {
    pub(super) number: Option<CrlNumber>,
    pub(super) base_number: Option<CrlNumber>,
    pub(super) issuing_distribution_point: Option<IssuingDistributionPoint>,
    pub(super) authority_key_identifier: Option<Vec<u8>>,
    /// Each that is there: dotted object identifier, and whether it is critical.
    pub(super) present: Vec<(String, bool)>,
    /// The octets of those that are not critical and not evaluated, as they stand there. The next CRL says the same.
    pub(super) others: Vec<u8>,
    /// The first that is critical and not evaluated.
    pub(super) unsupported_critical: Option<String>,
}

impl Extensions {
    /// Reads the contents of `Extensions`. All that this crate evaluates must be decoded to its last octet.
    pub(super) fn read(contents: &[u8]) -> Result<Self, Error> {
        let mut extensions = Reader::new(contents, WHAT);
        let mut read = Self::default();
        let mut seen = HashSet::new();
        while !extensions.is_empty() {
            let raw = extensions.read_tagged(der::SEQUENCE)?.raw;
            let extension = Extension::read(&mut Reader::new(raw, WHAT), WHAT)?;
            let dotted = oid::dotted(extension.oid);
            if !seen.insert(extension.oid) {
                return Err(malformed(WHAT, format!("extension {dotted} occurs twice")));
            }
            match extension.oid {
                CRL_NUMBER => read.number = Some(number(extension.value)?),
                DELTA_CRL_INDICATOR => read.base_number = Some(number(extension.value)?),
                ISSUING_DISTRIBUTION_POINT => {
                    let point = IssuingDistributionPoint::read(extension.value)?;
                    read.issuing_distribution_point = Some(point);
                }
                AUTHORITY_KEY_IDENTIFIER => {
                    let mut fields = Reader::enter(extension.value, der::SEQUENCE, WHAT)?;
                    read.authority_key_identifier =
                        fields.optional(der::IMPLICIT_0)?.map(<[u8]>::to_vec);
                }
                _ if extension.critical => {
                    read.unsupported_critical
                        .get_or_insert_with(|| dotted.clone());
                }
                NEXT_PUBLICATION => {}
                _ => read.others.extend_from_slice(raw),
            }
            read.present.push((dotted, extension.critical));
        }
        Ok(read)
    }
}

/// An encoded extension.
pub(super) fn encode(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { der::ENCODED_TRUE } else { &[] };
    der::sequence(&[
        &der::tlv(der::OID, &[oid]),
        critical,
        &der::tlv(der::OCTET_STRING, &[value]),
    ])
}

fn number(value: &[u8]) -> Result<CrlNumber, Error> {
    let mut value = Reader::new(value, WHAT);
    let number = CrlNumber::read(value.value(der::INTEGER)?)?;
    value.finish()?;
    Ok(number)
}

pub(super) const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
/// When Microsoft's CA publishes the one after this (1.3.6.1.4.1.311.21.4): a date of this one alone.
const NEXT_PUBLICATION: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 4];
const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
pub(super) const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
pub(super) const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_critical_extension_that_is_not_evaluated_is_named() {
        let named = |extensions: &[(u8, bool)]| {
            let encoded: Vec<_> = extensions
                .iter()
                .map(|(last, critical)| encode(&[0x2a, *last], *critical, &[5, 0]))
                .collect();
            let read = Extensions::read(&encoded.concat()).unwrap();
            assert_eq!(read.present.len(), extensions.len());
            read.unsupported_critical
        };
        assert_eq!(named(&[(1, false)]), None);
        let of = |oid: &str| Some(oid.to_owned());
        assert_eq!(
            named(&[(1, false), (2, true), (3, true), (4, false)]),
            of("1.2.2")
        );
        assert_eq!(named(&[(3, true), (2, true)]), of("1.2.3"));
    }
}
