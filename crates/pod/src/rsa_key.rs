//! The server's RSA key in handshakes: signed with `rsa-private`, whatever provider does the rest.
//!
//! `auth` has the like for clients. It isn't shared: the pod judges what `auth` does, and a mistake in both would hide.

use std::{fmt, sync::Arc};

use rsa_private::{Hash, Scheme};
use rustls::{
    SignatureAlgorithm, SignatureScheme,
    sign::{Signer, SigningKey},
};
use rustls_pki_types::SubjectPublicKeyInfoDer;

/// A key of a size that `rsa-private` signs with.
pub(crate) struct RsaKey {
    key: Arc<rsa_private::SigningKey>,
    spki: Vec<u8>,
}

impl RsaKey {
    /// `None` for keys of other algorithms and sizes.
    pub(crate) fn new(key: &pki::PrivateKey) -> Option<Self> {
        key.rsa_signing_key().map(|signing| Self {
            key: signing,
            spki: key.public_key().spki_der().to_vec(),
        })
    }
}

impl SigningKey for RsaKey {
    /// The first of ours that the client offers, as rustls' own server keys do. TLS 1.3 offers PSS alone (RFC 8446, section 4.2.3).
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let (name, scheme) = SCHEMES
            .into_iter()
            .find(|(name, _)| offered.contains(name))?;
        Some(Box::new(RsaSigner {
            key: Arc::clone(&self.key),
            name,
            scheme,
        }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.spki.as_slice()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey([secret key elided])")
    }
}

#[derive(Debug)]
struct RsaSigner {
    key: Arc<rsa_private::SigningKey>,
    name: SignatureScheme,
    scheme: Scheme,
}

impl Signer for RsaSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.key
            .sign(self.scheme, message)
            .map_err(|error| rustls::Error::General(error.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.name
    }
}

const SCHEMES: [(SignatureScheme, Scheme); 6] = [
    (SignatureScheme::RSA_PSS_SHA512, Scheme::Pss(Hash::Sha512)),
    (SignatureScheme::RSA_PSS_SHA384, Scheme::Pss(Hash::Sha384)),
    (SignatureScheme::RSA_PSS_SHA256, Scheme::Pss(Hash::Sha256)),
    (
        SignatureScheme::RSA_PKCS1_SHA512,
        Scheme::Pkcs1v15(Hash::Sha512),
    ),
    (
        SignatureScheme::RSA_PKCS1_SHA384,
        Scheme::Pkcs1v15(Hash::Sha384),
    ),
    (
        SignatureScheme::RSA_PKCS1_SHA256,
        Scheme::Pkcs1v15(Hash::Sha256),
    ),
];

#[cfg(test)]
mod tests {
    use pki::{KeyKind, PrivateKey};
    use rustls_pki_types::alg_id::RSA_ENCRYPTION;

    use super::*;

    /// What verifies in handshakes is rustls', and no code of ours.
    #[test]
    fn the_first_scheme_of_ours_that_is_offered_is_signed_with() {
        let private = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let key = RsaKey::new(&private).unwrap();
        let public = key.public_key().unwrap();
        // The RSAPublicKey is the BIT STRING at the end.
        let public = &public[public.len() - 270..];
        let provider = crate::tls::provider().unwrap();
        for (at, (name, _)) in SCHEMES.into_iter().enumerate() {
            let mut offered: Vec<_> = SCHEMES[at..].iter().map(|(name, _)| *name).collect();
            offered.insert(0, SignatureScheme::ED25519);
            offered.reverse();
            let signer = key.choose_scheme(&offered).unwrap();
            assert_eq!(signer.scheme(), name);
            let signature = signer.sign(b"message").unwrap();
            let algorithms = provider.signature_verification_algorithms.mapping;
            let (_, verifying) = algorithms.iter().find(|(it, _)| *it == name).unwrap();
            assert!(
                verifying.iter().any(|it| {
                    it.public_key_alg_id() == RSA_ENCRYPTION
                        && it.verify_signature(public, b"message", &signature).is_ok()
                }),
                "{name:?}"
            );
        }
        assert!(key.choose_scheme(&[SignatureScheme::ED25519]).is_none());
    }

    #[test]
    fn other_keys_are_the_providers() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        assert!(RsaKey::new(&key).is_none());
    }
}
