//! RSA keys in handshakes: signed with `rsa-private`, whatever provider does the rest.

use std::{fmt, sync::Arc};

use rsa_private::{Hash, Scheme};
use rustls::{
    SignatureAlgorithm, SignatureScheme,
    sign::{Signer, SigningKey},
};

/// A key of any size that `rsa-private` signs with.
pub(crate) struct RsaKey(Arc<rsa_private::SigningKey>);

impl RsaKey {
    pub(crate) fn new(key: Arc<rsa_private::SigningKey>) -> Self {
        Self(key)
    }
}

/// In the order of preference. TLS 1.3 signs with PSS alone (RFC 8446, section 4.2.3).
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

impl SigningKey for RsaKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let (name, scheme) = SCHEMES
            .into_iter()
            .find(|(name, _)| offered.contains(name))?;
        Some(Box::new(RsaSigner {
            key: Arc::clone(&self.0),
            name,
            scheme,
        }))
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
        let failed = |error: rsa_private::Error| rustls::Error::General(error.to_string());
        self.key.sign(self.scheme, message).map_err(failed)
    }

    fn scheme(&self) -> SignatureScheme {
        self.name
    }
}

#[cfg(test)]
mod tests {
    use pki::{KeyKind, PrivateKey};
    use rustls::pki_types::AlgorithmIdentifier;

    use super::*;

    /// What verifies in handshakes is rustls', and no code of ours.
    #[test]
    fn each_scheme_that_is_offered_is_signed_with_and_no_other() {
        let private = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let key = RsaKey::new(private.rsa_signing_key().unwrap());
        let octets = private.public_key().spki_der();
        // The RSAPublicKey is the BIT STRING at the end.
        let start = octets
            .windows(4)
            .position(|it| it == [0x30, 0x82, 1, 0x0a])
            .unwrap();
        let public = &octets[start..];
        let provider = crate::provider::graviola().unwrap();
        for (name, _) in SCHEMES {
            let signer = key
                .choose_scheme(&[SignatureScheme::ED25519, name])
                .unwrap();
            assert_eq!(signer.scheme(), name);
            let signature = signer.sign(b"message").unwrap();
            let algorithms = provider.signature_verification_algorithms.mapping;
            let (_, verifying) = algorithms.iter().find(|(it, _)| *it == name).unwrap();
            assert!(
                verifying.iter().any(|it| {
                    it.public_key_alg_id() == RSA
                        && it.verify_signature(public, b"message", &signature).is_ok()
                }),
                "{name:?}"
            );
        }
        assert!(
            key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256])
                .is_none()
        );
        let all = SCHEMES.map(|(name, _)| name);
        let preferred = key.choose_scheme(&all).unwrap().scheme();
        assert_eq!(preferred, SignatureScheme::RSA_PSS_SHA512);
        assert_eq!(key.algorithm(), SignatureAlgorithm::RSA);
    }

    const RSA: AlgorithmIdentifier = rustls::pki_types::alg_id::RSA_ENCRYPTION;
}
