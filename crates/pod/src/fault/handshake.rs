use std::{fmt, io, sync::Arc};

use bytes::Bytes;
use rustls::{
    AlertDescription, CertificateError, DigitallySignedStruct, DistinguishedName, Error,
    OtherError, PeerMisbehaved, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::danger::{ClientCertVerified, ClientCertVerifier},
    sign::SingleCertAndKey,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{End, Layer, Wire};
use crate::{Fault, tls::Handshake};

/// What goes wrong in one handshake.
pub(crate) enum HandshakeFault {
    /// The client's hello is answered with these octets.
    Answer(Bytes),
    Certificate(Arc<SingleCertAndKey>),
    RefuseClient(Error),
    Cut {
        end: End,
        after: u64,
    },
}

impl HandshakeFault {
    pub(super) fn new(fault: Fault, certificate: Option<Arc<SingleCertAndKey>>) -> Option<Self> {
        Some(match fault {
            Fault::PlainText => Self::Answer(Bytes::from_static(PLAIN_TEXT)),
            Fault::HelloAlert(alert) => Self::Answer(Bytes::copy_from_slice(&alert_record(alert))),
            Fault::ServerCertificate(_) => Self::Certificate(certificate?),
            Fault::RefuseClient(alert) => Self::RefuseClient(refusal(alert)?),
            Fault::CutHandshake { end, after } => Self::Cut { end, after },
            _ => return None,
        })
    }

    /// Spoils a handshake that is about to begin.
    ///
    /// # Errors
    ///
    /// When it was answered already.
    pub(crate) async fn spoil<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        handshake: &mut Handshake,
        wire: &mut Wire<S>,
    ) -> io::Result<()> {
        match self {
            Self::Answer(octets) => {
                // The hello has to come first: an answer to nothing would not be one.
                let mut hello = [0; 1];
                wire.read_exact(&mut hello).await?;
                wire.write_all(&octets).await?;
                Err(io::Error::other(Scripted))
            }
            Self::Certificate(certificate) => {
                handshake.certificate = certificate;
                Ok(())
            }
            Self::RefuseClient(error) => {
                let inner = handshake.verifier.take();
                handshake.verifier =
                    inner.map(|inner| Arc::new(Refusing { inner, error }) as Arc<_>);
                Ok(())
            }
            Self::Cut { end, after } => {
                wire.line().cut_after(Layer::Tls, end, after);
                Ok(())
            }
        }
    }
}

/// The error for which rustls refuses a client's certificate with this alert.
pub(super) fn refusal(alert: AlertDescription) -> Option<Error> {
    let error = match alert {
        AlertDescription::BadCertificate => CertificateError::BadEncoding,
        AlertDescription::UnsupportedCertificate => CertificateError::InvalidPurpose,
        AlertDescription::CertificateRevoked => CertificateError::Revoked,
        AlertDescription::CertificateExpired => CertificateError::Expired,
        AlertDescription::CertificateUnknown => {
            CertificateError::Other(OtherError(Arc::new(Scripted)))
        }
        AlertDescription::UnknownCA => CertificateError::UnknownIssuer,
        AlertDescription::AccessDenied => CertificateError::ApplicationVerificationFailure,
        AlertDescription::DecryptError => CertificateError::BadSignature,
        AlertDescription::BadCertificateStatusResponse => CertificateError::InvalidOcspResponse,
        AlertDescription::IllegalParameter => {
            return Some(Error::PeerMisbehaved(
                PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme,
            ));
        }
        AlertDescription::HandshakeFailure => return Some(Error::General(Scripted.to_string())),
        _ => return None,
    };
    Some(Error::InvalidCertificate(error))
}

/// A fatal alert before there are keys (RFC 8446, sections 5.1 and 6).
fn alert_record(alert: AlertDescription) -> [u8; 7] {
    const ALERT: u8 = 21;
    const FATAL: u8 = 2;
    [ALERT, 3, 3, 0, 2, FATAL, alert.into()]
}

/// Refuses every certificate, and does all else as the verifier does that it stands for.
#[derive(Debug)]
struct Refusing {
    inner: Arc<dyn ClientCertVerifier>,
    error: Error,
}

impl ClientCertVerifier for Refusing {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Err(self.error.clone())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Why a handshake failed that was meant to.
#[derive(Debug)]
struct Scripted;

impl fmt::Display for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault was injected")
    }
}

impl std::error::Error for Scripted {}

const PLAIN_TEXT: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
Content-Type: text/plain\r\n\
Content-Length: 33\r\n\
Connection: close\r\n\
\r\n\
There is no TLS on this port now.";
