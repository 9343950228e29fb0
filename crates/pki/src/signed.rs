//! Signed structures as they are read: certificates and requests have the same form.

use crate::{
    Error, PublicKey, SignatureAlgorithm,
    der::{self, Reader},
    key::signature::{self, Identified},
};

/// A signed structure, taken apart: certificates and requests have the same form.
pub(crate) struct Signed<'a> {
    pub(crate) tbs: &'a [u8],
    /// The DER of the algorithm identifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn read(der: &'a [u8], what: &'static str) -> Result<Self, Error> {
        let mut fields = Reader::enter(der, der::SEQUENCE, what)?;
        let signed = Self {
            tbs: fields.read_tagged(der::SEQUENCE)?.raw,
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
