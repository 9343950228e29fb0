use crate::{
    BasicConstraints, DistinguishedName, Error, ExtendedKeyUsage, KeyUsage, PublicKey,
    SerialNumber, SubjectAltName, Validity,
};
/// X.509 version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// v1
    V1,
    /// v2
    V2,
    /// v3
    V3,
}
/// A parsed, immutable certificate that owns its DER.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Certificate {
    der: Vec<u8>,
}
impl Certificate {
    /// The first CERTIFICATE block
    pub fn from_pem(_pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        todo!()
    }
    /// All CERTIFICATE blocks, in order; at least one
    pub fn all_from_pem(_pem: impl AsRef<[u8]>) -> Result<Vec<Self>, Error> {
        todo!()
    }
    /// DER
    pub fn from_der(_der: &[u8]) -> Result<Self, Error> {
        todo!()
    }
    /// Either: the first
    pub fn from_pem_or_der(_input: &[u8]) -> Result<Self, Error> {
        todo!()
    }
    /// Either: all
    pub fn all_from_pem_or_der(_input: &[u8]) -> Result<Vec<Self>, Error> {
        todo!()
    }
    /// DER
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }
    /// PEM
    pub fn to_pem(&self) -> String {
        todo!()
    }
    /// version
    pub fn version(&self) -> Version {
        todo!()
    }
    /// serial (as found: may break the rules that ours obey)
    pub fn serial_number(&self) -> SerialNumber {
        todo!()
    }
    /// subject
    pub fn subject(&self) -> DistinguishedName {
        todo!()
    }
    /// issuer
    pub fn issuer(&self) -> DistinguishedName {
        todo!()
    }
    /// validity
    pub fn validity(&self) -> Validity {
        todo!()
    }
    /// subjectPublicKeyInfo DER, whatever the algorithm
    pub fn spki_der(&self) -> &[u8] {
        todo!()
    }
    /// public key (UnsupportedKey)
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        todo!()
    }
    /// extension
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        todo!()
    }
    /// extension
    pub fn key_usage(&self) -> Option<KeyUsage> {
        todo!()
    }
    /// extension; empty when absent
    pub fn extended_key_usage(&self) -> Vec<ExtendedKeyUsage> {
        todo!()
    }
    /// extension; empty when absent
    pub fn subject_alt_names(&self) -> Vec<SubjectAltName> {
        todo!()
    }
    /// extension
    pub fn subject_key_identifier(&self) -> Option<Vec<u8>> {
        todo!()
    }
    /// extension
    pub fn authority_key_identifier(&self) -> Option<Vec<u8>> {
        todo!()
    }
    /// issuer == subject and the signature verifies with its own key
    pub fn is_self_signed(&self) -> bool {
        todo!()
    }
    /// signature check
    pub fn verify_issued_by(&self, _issuer: &Certificate) -> Result<(), Error> {
        todo!()
    }
    /// SHA-256 over the DER
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        todo!()
    }
}
impl AsRef<Certificate> for Certificate {
    fn as_ref(&self) -> &Certificate {
        self
    }
}
impl std::fmt::Debug for Certificate {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
