use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use pki::Certificate;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::{
    Port,
    certificates::CertificateStore,
    path_validation::{self, Refusal},
    signature::{HandshakeVersion, verify_handshake},
    state::State,
    sync::{lock, read},
};

/// Judges client certificates by what was imported when the handshake began.
pub(crate) struct ClientVerifier {
    state: Arc<State>,
    port: Port,
    store: Arc<CertificateStore>,
    hints: Vec<DistinguishedName>,
    refusal: Arc<OnceLock<String>>,
}

impl ClientVerifier {
    /// Says in `refusal` why it refuses a certificate, if it does.
    pub(crate) fn new(state: Arc<State>, port: Port, refusal: Arc<OnceLock<String>>) -> Self {
        let store = Arc::clone(&read(&state.certificates));
        let mut hints: Vec<DistinguishedName> = store
            .authorities()
            .iter()
            .map(|name| name.as_der().to_vec().into())
            .collect();
        // No hint at all means that any certificate may be tried (RFC 8446, section 4.2.4): better than some of them.
        if hints.iter().map(|hint| hint.as_ref().len()).sum::<usize>() > MAX_HINTS {
            hints.clear();
        }
        Self {
            state,
            port,
            store,
            hints,
            refusal,
        }
    }

    fn verify_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
        version: HandshakeVersion,
    ) -> Result<HandshakeSignatureValid, Error> {
        let certificate = Certificate::from_der(certificate).map_err(Refusal::from)?;
        verify_handshake(
            &certificate,
            message,
            signature,
            version,
            &self.state.policy.algorithms,
        )
        .map_err(|error| {
            // One handshake has one verdict.
            let _ = self
                .refusal
                .set(format!("the signature of the handshake: {error}"));
            // decrypt_error (RFC 8446, section 4.4.3)
            Error::InvalidCertificate(CertificateError::BadSignature)
        })?;
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain: Vec<_> = std::iter::once(end_entity)
            .chain(intermediates)
            .cloned()
            .collect();
        match path_validation::verify(&chain, &self.store, &self.state.policy) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(refusal) => {
                let reason = refusal.to_string();
                lock(&self.state.records).refused(self.port, reason.clone());
                let _ = self.refusal.set(reason);
                Err(refusal.into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, certificate, signature, HandshakeVersion::Tls12)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, certificate, signature, HandshakeVersion::Tls13)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.state.policy.algorithms.supported_schemes()
    }
}

impl fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientVerifier")
            .field("hints", &self.hints.len())
            .finish_non_exhaustive()
    }
}

/// Octets of CA names in one CertificateRequest. The message has room for 65,535.
const MAX_HINTS: usize = 32_768;
