//! The verdict on a server's certificate: that of webpki, by way of rustls.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use rustls::{
    DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        VerifierBuilderError, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{Error, TrustAnchors};

/// Trusts what leads to the roots that were given, and then what leads to those or the platform's.
pub(crate) struct Verifier {
    given: Arc<WebPkiServerVerifier>,
    trust: TrustAnchors,
    provider: Arc<CryptoProvider>,
    with_platform: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
}

impl Verifier {
    pub(crate) fn new(trust: TrustAnchors, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let given = webpki(trust.store(), &provider)
            .map_err(|error| Error::TlsConfiguration(TlsError::General(error.to_string())))?;
        Ok(Self {
            given,
            trust,
            provider,
            with_platform: OnceLock::new(),
        })
    }

    fn with_platform(&self) -> Option<&WebPkiServerVerifier> {
        let verifier = self.with_platform.get_or_init(|| {
            let store = self.trust.store_with_platform()?;
            webpki(store, &self.provider).ok()
        });
        verifier.as_deref()
    }
}

fn webpki(
    store: &RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, VerifierBuilderError> {
    let store = Arc::new(store.clone());
    WebPkiServerVerifier::builder_with_provider(store, Arc::clone(provider)).build()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let by = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        by(&self.given).or_else(|error| self.with_platform().map_or(Err(error), by))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.given
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.given
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.given.supported_verify_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.trust).finish()
    }
}

#[cfg(test)]
mod tests {
    use pki::{CertificateAuthority, KeyKind, PrivateKey, Profile};

    use super::*;

    #[test]
    fn debug_counts_what_is_trusted() {
        let root = CertificateAuthority::create_root(
            "/CN=Root".parse().unwrap(),
            PrivateKey::generate(KeyKind::EcP256).unwrap(),
            &Profile::root(),
        )
        .unwrap();
        let trust = TrustAnchors::pem(root.certificate().to_pem()).unwrap();
        let verifier = Verifier::new(trust, crate::provider::graviola().unwrap()).unwrap();
        assert_eq!(
            format!("{verifier:?}"),
            "Verifier(TrustAnchors(1 certificates))"
        );
    }
}
