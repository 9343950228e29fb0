use crate::{Digest, DistinguishedName, Error, PrivateKey, PublicKey, SubjectAltName};
use rand_core::CryptoRng;
/// A PKCS#10 certificate request (RFC 2986).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
}
impl CertificateRequest {
    /// build
    pub fn builder(_subject: DistinguishedName) -> CertificateRequestBuilder {
        todo!()
    }
    /// PEM
    pub fn from_pem(_pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        todo!()
    }
    /// DER
    pub fn from_der(_der: &[u8]) -> Result<Self, Error> {
        todo!()
    }
    /// Either
    pub fn from_pem_or_der(_input: &[u8]) -> Result<Self, Error> {
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
    /// subject
    pub fn subject(&self) -> &DistinguishedName {
        todo!()
    }
    /// public key
    pub fn public_key(&self) -> &PublicKey {
        todo!()
    }
    /// SANs asked for
    pub fn subject_alt_names(&self) -> &[SubjectAltName] {
        todo!()
    }
    /// proof of possession
    pub fn verify(&self) -> Result<VerifiedRequest<'_>, Error> {
        todo!()
    }
}
/// builder
#[derive(Debug)]
pub struct CertificateRequestBuilder {
    _todo: (),
}
impl CertificateRequestBuilder {
    /// add a SAN
    pub fn subject_alt_name(self, _name: SubjectAltName) -> Self {
        todo!()
    }
    /// digest (default: the key's natural one)
    pub fn digest(self, _digest: Digest) -> Self {
        todo!()
    }
    /// sign
    pub fn sign(self, _key: &PrivateKey) -> Result<CertificateRequest, Error> {
        todo!()
    }
    /// twin
    pub fn sign_with_rng(
        self,
        _key: &PrivateKey,
        _rng: &mut impl CryptoRng,
    ) -> Result<CertificateRequest, Error> {
        todo!()
    }
}
/// A request whose signature was verified: the only thing that an authority signs.
#[derive(Debug, Clone, Copy)]
pub struct VerifiedRequest<'a> {
    _request: &'a CertificateRequest,
}
