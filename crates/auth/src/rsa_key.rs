//! RSA keys in handshakes: signed with `rsa-keygen`, whatever provider does the rest.

use std::{fmt, sync::Arc};

use rsa_keygen::{Hash, Scheme};
use rustls::{
    SignatureAlgorithm, SignatureScheme,
    sign::{Signer, SigningKey},
};

/// A key of any size that `rsa-keygen` signs with.
pub(crate) struct RsaKey(Arc<rsa_keygen::SigningKey>);

impl RsaKey {
    pub(crate) fn new(key: rsa_keygen::SigningKey) -> Self {
        Self(Arc::new(key))
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
    key: Arc<rsa_keygen::SigningKey>,
    name: SignatureScheme,
    scheme: Scheme,
}

impl Signer for RsaSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let failed = |error: rsa_keygen::Error| rustls::Error::General(error.to_string());
        self.key.sign(self.scheme, message).map_err(failed)
    }

    fn scheme(&self) -> SignatureScheme {
        self.name
    }
}
