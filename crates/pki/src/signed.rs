//! Signed structures as they are read: certificates, requests and CRLs have the same form.

use crate::{
    Error, PublicKey, SignatureAlgorithm,
    der::{self, Reader},
    key::signature::{self, Identified},
    oid,
};

/// A signed structure, taken apart.
pub(crate) struct Signed<'a> {
    pub(crate) tbs: &'a [u8],
    /// How many octets into the structure `tbs` ends.
    pub(crate) tbs_end: usize,
    /// The DER of the algorithm identifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn read(der: &'a [u8], what: &'static str) -> Result<Self, Error> {
        let mut fields = Reader::enter(der, der::SEQUENCE, what)?;
        let start = der.len().saturating_sub(fields.remaining());
        let tbs = fields.read_tagged(der::SEQUENCE)?.raw;
        let signed = Self {
            tbs,
            tbs_end: start.saturating_add(tbs.len()),
            algorithm: fields.read_tagged(der::SEQUENCE)?.raw,
            signature: fields.bit_string()?,
        };
        fields.finish()?;
        Ok(signed)
    }

    /// The DER of the algorithm identifier within a `TBSCertificate`.
    pub(crate) fn certificate_algorithm(&self) -> Result<&'a [u8], Error> {
        certificate_algorithm(self.tbs)
    }

    /// The algorithm that a `TBSCertificate` is to be signed with.
    pub(crate) fn algorithm_to_be(tbs: &[u8]) -> Result<SignatureAlgorithm, Error> {
        SignatureAlgorithm::made_as(certificate_algorithm(tbs)?)
    }

    /// Whether `key` made the signature.
    pub(crate) fn verifies_with(&self, key: &PublicKey) -> Result<bool, Error> {
        let algorithm = Identified::read(self.algorithm)?;
        Ok(signature::verify(key, algorithm, self.tbs, self.signature))
    }
}

fn certificate_algorithm(tbs: &[u8]) -> Result<&[u8], Error> {
    let mut fields = Reader::enter(tbs, der::SEQUENCE, "certificate")?;
    fields.optional(der::EXPLICIT_0)?; // version
    fields.read_tagged(der::INTEGER)?; // serialNumber
    Ok(fields.read_tagged(der::SEQUENCE)?.raw)
}

/// The DER of the algorithm identifier within a `TBSCertList` (RFC 5280, section 5.1).
pub(crate) fn crl_algorithm(tbs: &[u8]) -> Result<&[u8], Error> {
    let mut fields = Reader::enter(tbs, der::SEQUENCE, "certificate revocation list")?;
    fields.optional(der::INTEGER)?; // version
    Ok(fields.read_tagged(der::SEQUENCE)?.raw)
}

/// An AlgorithmIdentifier, for an error: two may have the same name and differ in their parameters.
pub(crate) fn shown(identifier: &[u8]) -> String {
    let name = Reader::enter(identifier, der::SEQUENCE, "signature algorithm")
        .and_then(|mut fields| fields.oid())
        .map_or("unknown", |oid| oid::name_or_unknown(&oid));
    format!("{name} ({identifier:02x?})")
}
