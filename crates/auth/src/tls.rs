//! The TLS configuration: who we are, whom we trust, and what we speak.

use std::{fmt, sync::Arc};

use rustls::{
    ClientConfig, SignatureScheme, SupportedProtocolVersion,
    client::{ResolvesClientCert, Resumption, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, SigningKey},
};

use crate::{Error, Identity, identity::Key, rsa_key::RsaKey};

/// A configuration for every endpoint. ALPN is offered in the order of preference.
pub(crate) fn client_config(
    identity: &Identity,
    verifier: Arc<dyn ServerCertVerifier>,
    provider: Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    http1_only: bool,
) -> Result<ClientConfig, Error> {
    let certified = certified_key(identity, &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(Error::TlsConfiguration)?
        .dangerous() // because of what could be put there; ours asks the one of rustls
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(Present(Arc::new(certified))));
    config.alpn_protocols = if http1_only {
        vec![b"http/1.1".to_vec()]
    } else {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    };
    Ok(config)
}

/// The same, with tickets (RFC 8446, section 4.6.1) of its own.
pub(crate) fn with_its_own_tickets(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.resumption = Resumption::in_memory_sessions(TICKETS);
    config
}

/// For one endpoint, whose host has one name: rustls counts names, and keeps a few tickets of each.
const TICKETS: usize = 8;

fn certified_key(identity: &Identity, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    let key: Arc<dyn SigningKey> = match identity.key() {
        Key::Rsa(key) => Arc::<RsaKey>::clone(key),
        Key::Elsewhere(key) => Arc::clone(key),
        Key::Pkcs8(der) => provider
            .key_provider
            .load_private_key(PrivatePkcs8KeyDer::from(der.to_vec()).into())
            .map_err(|_| Error::UnsupportedKey {
                algorithm: identity.key_algorithm().to_string(),
            })?,
    };
    let chain = identity
        .chain()
        .map(|certificate| CertificateDer::from(certificate.as_der().to_vec()))
        .collect();
    Ok(CertifiedKey::new(chain, key))
}

/// Presents the one identity to every server that asks for any.
///
/// rustls' own resolver parses the certificate and refuses version 1; this one leaves the verdict to the server. The
/// CAs that the server names are not consulted either: a list that lacks our issuer is often just incomplete,
/// and the server's alert says more than an empty certificate message would.
struct Present(Arc<CertifiedKey>);

impl ResolvesClientCert for Present {
    fn resolve(
        &self,
        _authorities: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for Present {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Present([identity elided])")
    }
}
