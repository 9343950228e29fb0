//! The server's side of TLS: its provider, its certificate, its configuration for one handshake.
use std::sync::Arc;

use pki::{Certificate, PrivateKey};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::CryptoProvider,
    server::{NoServerSessionStorage, danger::ClientCertVerifier},
    sign::{CertifiedKey, SigningKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Error, rsa_key::RsaKey};

/// The provider, once it is known that the processor has what it takes: it would panic in its first call.
pub(crate) fn provider() -> Result<CryptoProvider, Error> {
    let missing = missing_cpu_features();
    if missing.is_empty() {
        Ok(rustls_graviola::default_provider())
    } else {
        Err(Error::UnsupportedCpu { missing })
    }
}

/// What every handshake of the pod has in common.
pub(crate) struct Tls {
    provider: Arc<CryptoProvider>,
    versions: Vec<&'static SupportedProtocolVersion>,
    alpn: Vec<Vec<u8>>,
    certificate: Arc<SingleCertAndKey>,
}

impl Tls {
    pub(crate) fn new(
        provider: Arc<CryptoProvider>,
        versions: Vec<&'static SupportedProtocolVersion>,
        alpn: Vec<Vec<u8>>,
        identity: &ServerIdentity,
    ) -> Result<Self, Error> {
        let certificate = identity.certified_key(&provider)?;
        Ok(Self {
            provider,
            versions,
            alpn,
            certificate: Arc::new(SingleCertAndKey::from(certificate)),
        })
    }

    /// A handshake that asks for no client certificate when there is no verifier.
    pub(crate) fn handshake(&self, verifier: Option<Arc<dyn ClientCertVerifier>>) -> Handshake {
        Handshake {
            certificate: Arc::clone(&self.certificate),
            verifier,
        }
    }

    /// The configuration of one handshake.
    ///
    /// Sessions are not resumed: a resumption would let a client in under a certificate that was revoked since.
    pub(crate) fn config(&self, handshake: Handshake) -> Result<Arc<ServerConfig>, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&self.versions)?;
        let builder = match handshake.verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(handshake.certificate);
        config.alpn_protocols.clone_from(&self.alpn);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

/// What may differ from one handshake to the next.
pub(crate) struct Handshake {
    /// What is shown.
    pub(crate) certificate: Arc<SingleCertAndKey>,
    /// Judges what the client shows. `None`: it is not asked.
    pub(crate) verifier: Option<Arc<dyn ClientCertVerifier>>,
}

/// The server's certificate, its chain, and its key.
#[derive(Debug)]
pub(crate) struct ServerIdentity {
    chain: Vec<Certificate>,
    /// What a client should trust.
    anchor: Certificate,
    key: PrivateKey,
}

impl ServerIdentity {
    /// An identity from elsewhere: the last certificate of the chain is what clients should trust.
    pub(crate) fn new(chain: Vec<Certificate>, key: PrivateKey) -> Result<Self, Error> {
        let anchor = chain
            .last()
            .ok_or(Error::UnusableServerCertificate(
                rustls::Error::NoCertificatesPresented,
            ))?
            .clone();
        Ok(Self { chain, anchor, key })
    }

    /// A certificate of the pod's own CA.
    pub(crate) fn issued(
        certificate: Certificate,
        authority: &Certificate,
        key: PrivateKey,
    ) -> Self {
        Self {
            chain: vec![certificate],
            anchor: authority.clone(),
            key,
        }
    }

    pub(crate) fn anchor(&self) -> &Certificate {
        &self.anchor
    }

    pub(crate) fn certified_key(&self, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
        let key = self.signing_key(provider)?;
        let chain = self
            .chain
            .iter()
            .map(|certificate| CertificateDer::from(certificate.as_der().to_vec()))
            .collect();
        let certified = CertifiedKey::new(chain, key);
        certified
            .keys_match()
            .map_err(Error::UnusableServerCertificate)?;
        Ok(certified)
    }

    /// The provider's, but for RSA.
    fn signing_key(&self, provider: &CryptoProvider) -> Result<Arc<dyn SigningKey>, Error> {
        if let Some(key) = RsaKey::new(&self.key) {
            return Ok(Arc::new(key));
        }
        let pkcs8 = self.key.to_pkcs8_der().map_err(Error::ServerCertificate)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pkcs8.as_slice()));
        provider
            .key_provider
            .load_private_key(key.clone_key())
            .map_err(Error::UnusableServerCertificate)
    }
}

/// As graviola asserts them (its message names fewer).
#[cfg(target_arch = "x86_64")]
fn missing_cpu_features() -> Vec<&'static str> {
    let features = [
        ("aes", is_x86_feature_detected!("aes")),
        ("ssse3", is_x86_feature_detected!("ssse3")),
        ("pclmulqdq", is_x86_feature_detected!("pclmulqdq")),
        ("bmi1", is_x86_feature_detected!("bmi1")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("adx", is_x86_feature_detected!("adx")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
    ];
    missing(&features)
}

#[cfg(target_arch = "aarch64")]
fn missing_cpu_features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected;

    let features = [
        ("neon", is_aarch64_feature_detected!("neon")),
        ("aes", is_aarch64_feature_detected!("aes")),
        ("pmull", is_aarch64_feature_detected!("pmull")),
        ("sha2", is_aarch64_feature_detected!("sha2")),
    ];
    missing(&features)
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn missing(features: &[(&'static str, bool)]) -> Vec<&'static str> {
    features
        .iter()
        .filter(|(_, present)| !present)
        .map(|(name, _)| *name)
        .collect()
}
