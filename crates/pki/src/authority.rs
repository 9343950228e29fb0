use crate::{
    Certificate, DistinguishedName, Error, Passphrase, PrivateKey, Profile, VerifiedRequest,
};
use rand_core::CryptoRng;
use std::time::SystemTime;
/// A certificate with its private key that may sign other certificates.
#[derive(Debug)]
pub struct CertificateAuthority {
    _todo: (),
}
impl CertificateAuthority {
    /// An existing certificate and its key. `chain`: its issuers.
    pub fn new(_certificate: Certificate, _key: PrivateKey) -> Result<Self, Error> {
        todo!()
    }
    /// The first certificate in the PEM is the authority's, the rest its issuers
    pub fn from_pem<'p>(
        _certificate: impl AsRef<[u8]>,
        _key: impl AsRef<[u8]>,
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        let _ = passphrase.into();
        todo!()
    }
    /// A self-signed root
    pub fn create_root(
        _subject: DistinguishedName,
        _key: PrivateKey,
        _profile: &Profile,
    ) -> Result<Self, Error> {
        todo!()
    }
    /// twin
    pub fn create_root_at(
        _subject: DistinguishedName,
        _key: PrivateKey,
        _profile: &Profile,
        _now: SystemTime,
        _rng: &mut impl CryptoRng,
    ) -> Result<Self, Error> {
        todo!()
    }
    /// An authority below this one
    pub fn create_intermediate(
        &self,
        _subject: DistinguishedName,
        _key: PrivateKey,
        _profile: &Profile,
    ) -> Result<Self, Error> {
        todo!()
    }
    /// twin
    pub fn create_intermediate_at(
        &self,
        _subject: DistinguishedName,
        _key: PrivateKey,
        _profile: &Profile,
        _now: SystemTime,
        _rng: &mut impl CryptoRng,
    ) -> Result<Self, Error> {
        todo!()
    }
    /// issue
    pub fn issue(
        &self,
        _request: &VerifiedRequest<'_>,
        _profile: &Profile,
    ) -> Result<Certificate, Error> {
        todo!()
    }
    /// twin
    pub fn issue_at(
        &self,
        _request: &VerifiedRequest<'_>,
        _profile: &Profile,
        _now: SystemTime,
        _rng: &mut impl CryptoRng,
    ) -> Result<Certificate, Error> {
        todo!()
    }
    /// own certificate
    pub fn certificate(&self) -> &Certificate {
        todo!()
    }
    /// own certificate first, then its issuers as far as they are known
    pub fn chain(&self) -> &[Certificate] {
        todo!()
    }
    /// key, for writing it down
    pub fn private_key(&self) -> &PrivateKey {
        todo!()
    }
}
