use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::DecodePrivateKey,
};
use pki::{
    Certificate, CertificateAuthority, CertificateRequest, DistinguishedName, KeyKind, PrivateKey,
    Profile,
};

/// What a client shows: a chain, its own certificate first, and a key.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: Vec<Certificate>,
    pub(crate) key_pkcs8: Vec<u8>,
}

impl Identity {
    pub(crate) fn new(chain: impl IntoIterator<Item = Certificate>, key: &PrivateKey) -> Self {
        Self {
            chain: chain.into_iter().collect(),
            key_pkcs8: key.to_pkcs8_der().unwrap().to_vec(),
        }
    }

    pub(crate) fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }
}

pub(crate) fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

pub(crate) fn name(common_name: &str) -> DistinguishedName {
    DistinguishedName::builder()
        .common_name(common_name)
        .organization("Excelsior Bank")
        .build()
        .unwrap()
}

pub(crate) fn authority(common_name: &str) -> CertificateAuthority {
    CertificateAuthority::create_root(name(common_name), key(), &Profile::root()).unwrap()
}

/// A client certificate with a P-256 key.
pub(crate) fn bot(ca: &CertificateAuthority, common_name: &str) -> Identity {
    bot_with(ca, common_name, &key(), &Profile::client())
}

pub(crate) fn bot_with(
    ca: &CertificateAuthority,
    common_name: &str,
    key: &PrivateKey,
    profile: &Profile,
) -> Identity {
    let request = CertificateRequest::builder(name(common_name))
        .sign(key)
        .unwrap();
    let certificate = ca.issue(&request.verify().unwrap(), profile).unwrap();
    Identity::new([certificate], key)
}

/// An X.509 v1 certificate, such as `openssl x509 -req` makes without extensions, and `pki` doesn't. The issuer's key is
/// on P-256.
pub(crate) fn v1_certificate(
    issuer: &DistinguishedName,
    issuer_key: &PrivateKey,
    subject: &DistinguishedName,
    subject_key: &PrivateKey,
) -> Certificate {
    // ecdsa-with-SHA256
    let algorithm = tlv(0x30, &[&[0x06, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]]);
    let validity = tlv(
        0x30,
        &[
            &tlv(0x17, &[b"200101000000Z"]),
            &tlv(0x17, &[b"491231235959Z"]),
        ],
    );
    let tbs = tlv(
        0x30,
        &[
            &[0x02, 1, 1],
            &algorithm,
            issuer.as_der(),
            &validity,
            subject.as_der(),
            subject_key.public_key().spki_der(),
        ],
    );
    let signer = SigningKey::from_pkcs8_der(&issuer_key.to_pkcs8_der().unwrap()).unwrap();
    let signature: Signature = signer.sign(&tbs);
    let signature = tlv(0x03, &[&[0], signature.to_der().as_bytes()]);
    Certificate::from_der(&tlv(0x30, &[&tbs, &algorithm, &signature])).unwrap()
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let mut der = vec![tag];
    match contents.len() {
        0..=127 => der.push(length[1]),
        128..=255 => der.extend([0x81, length[1]]),
        _ => der.extend([0x82, length[0], length[1]]),
    }
    der.extend(contents);
    der
}
