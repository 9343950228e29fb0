//! What happens in a TLS handshake, noted down by those who take part in it. They decide nothing by themselves.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::{
        ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
};

use crate::{Error, Identity, TrustAnchors, TrustSource, tls, verifier::Verifier};

/// What was seen of the newest handshake.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The server's chain, once it was shown.
    pub(super) chain: Option<Vec<CertificateDer<'static>>>,
    /// Whether the platform's roots, which are not in use, would trust it.
    pub(super) platform_would_trust: bool,
    /// The version of TLS, once the server proved its key.
    pub(super) version: Option<&'static str>,
    /// Whether a client certificate was asked for, and the issuers that were named (DER).
    pub(super) asked_for: Option<Vec<Vec<u8>>>,
}

#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Mutex<Seen>>);

impl Watch {
    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The configuration that a client has, watched.
pub(super) fn config(
    identity: &Identity,
    trust: &TrustAnchors,
    provider: Arc<CryptoProvider>,
    watch: &Watch,
) -> Result<ClientConfig, Error> {
    let uses_platform = trust
        .certificates()
        .iter()
        .any(|anchor| *anchor.source() == TrustSource::Platform);
    let platform = if uses_platform {
        None
    } else {
        TrustAnchors::platform()
            .and_then(|anchors| Verifier::new(anchors, Arc::clone(&provider)))
            .ok()
    };
    let verifier = WatchedVerifier {
        verifier: Verifier::new(trust.clone(), Arc::clone(&provider))?,
        platform,
        watch: watch.clone(),
    };
    let mut config = tls::client_config(
        identity,
        Arc::new(verifier),
        Arc::clone(&provider),
        rustls::DEFAULT_VERSIONS,
        false,
    )?;
    config.client_auth_cert_resolver = Arc::new(WatchedResolver {
        resolver: Arc::clone(&config.client_auth_cert_resolver),
        watch: watch.clone(),
    });
    Ok(config)
}

struct WatchedResolver {
    resolver: Arc<dyn ResolvesClientCert>,
    watch: Watch,
}

impl ResolvesClientCert for WatchedResolver {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let issuers = issuers.iter().map(|name| name.to_vec()).collect();
        self.watch.lock().asked_for = Some(issuers);
        self.resolver.resolve(&[], schemes)
    }

    fn has_certs(&self) -> bool {
        self.resolver.has_certs()
    }
}

impl fmt::Debug for WatchedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.resolver.fmt(f)
    }
}

#[derive(Debug)]
struct WatchedVerifier {
    verifier: Verifier,
    platform: Option<Verifier>,
    watch: Watch,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl ServerCertVerifier for WatchedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let by = |verifier: &Verifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        let verdict = by(&self.verifier);
        let unknown = matches!(
            verdict,
            Err(TlsError::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature
            ))
        );
        let mut seen = self.watch.lock();
        seen.chain = Some(
            std::iter::once(end_entity)
                .chain(intermediates)
                .map(|certificate| certificate.clone().into_owned())
                .collect(),
        );
        seen.platform_would_trust =
            unknown && self.platform.as_ref().is_some_and(|it| by(it).is_ok());
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let valid = self
            .verifier
            .verify_tls12_signature(message, certificate, signed)?;
        self.watch.lock().version = Some("TLS 1.2");
        Ok(valid)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let valid = self
            .verifier
            .verify_tls13_signature(message, certificate, signed)?;
        self.watch.lock().version = Some("TLS 1.3");
        Ok(valid)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
