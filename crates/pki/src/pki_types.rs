//! To and from the types that rustls, webpki and what is built on them hand around: octets with a name.

use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, CertificateSigningRequestDer, PrivateKeyDer,
    PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer,
};

use crate::{Certificate, CertificateRequest, Crl, Error, PrivateKey, PublicKey};

/// The DER, borrowed; and what is read from DER.
macro_rules! as_der {
    ($(#[$doc:meta])* $ours:ident, $theirs:ident, $as_der:ident, $from_der:ident) => {
        /// The DER as it was read or made, borrowed; `into_owned` copies it.
        impl<'a> From<&'a $ours> for $theirs<'a> {
            fn from(ours: &'a $ours) -> Self {
                ours.$as_der().into()
            }
        }

        $(#[$doc])*
        impl TryFrom<&$theirs<'_>> for $ours {
            type Error = Error;

            fn try_from(theirs: &$theirs<'_>) -> Result<Self, Error> {
                Self::$from_der(theirs)
            }
        }
    };
}

as_der!(
    /// Fails as [`Certificate::from_der`] does.
    Certificate, CertificateDer, as_der, from_der
);
as_der!(
    /// Fails as [`Crl::from_der`] does.
    Crl, CertificateRevocationListDer, as_der, from_der
);
as_der!(
    /// Fails as [`CertificateRequest::from_der`] does.
    CertificateRequest, CertificateSigningRequestDer, as_der, from_der
);
as_der!(
    /// Fails as [`PublicKey::from_spki_der`] does.
    PublicKey, SubjectPublicKeyInfoDer, spki_der, from_spki_der
);

/// PKCS#8. The octets are a secret that nobody wipes: rustls keeps them so.
///
/// Fails as [`PrivateKey::to_pkcs8_der`] does.
impl TryFrom<&PrivateKey> for PrivateKeyDer<'static> {
    type Error = Error;

    fn try_from(key: &PrivateKey) -> Result<Self, Error> {
        let der = key.to_pkcs8_der()?;
        Ok(PrivatePkcs8KeyDer::from(der.to_vec()).into())
    }
}

/// PKCS#8, PKCS#1 or SEC 1, whichever it is said to be.
///
/// Fails as [`PrivateKey::from_der`] does.
impl TryFrom<&PrivateKeyDer<'_>> for PrivateKey {
    type Error = Error;

    fn try_from(der: &PrivateKeyDer<'_>) -> Result<Self, Error> {
        Self::from_der(der.secret_der(), None)
    }
}
