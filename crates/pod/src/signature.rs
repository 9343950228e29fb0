//! Signatures over certificates and handshakes, checked with the TLS provider's algorithms.
//!
//! webpki would do this, were it not that it refuses X.509 v1, which is what Symphony's own recipe makes.
use der::{AnyRef, Reader, SliceReader, Tag, Tagged, asn1::BitStringRef};
use pki::Certificate;
use rustls::{DigitallySignedStruct, SignatureScheme, crypto::WebPkiSupportedAlgorithms};

/// Whether `certificate` was signed with the key of `issuer`.
pub(crate) fn verify_certificate(
    certificate: &Certificate,
    issuer: &Certificate,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), SignatureError> {
    let signed = Signed::parse(certificate.as_der())?;
    if inner_algorithm(signed.tbs)? != signed.algorithm {
        return Err(SignatureError::TwoAlgorithms);
    }
    let key = SubjectKey::parse(issuer.spki_der())?;
    let algorithm = algorithms
        .all
        .iter()
        .find(|algorithm| {
            algorithm.signature_alg_id().as_ref() == signed.algorithm
                && algorithm.public_key_alg_id().as_ref() == key.algorithm
        })
        .ok_or(SignatureError::Unsupported)?;
    algorithm
        .verify_signature(key.octets, signed.tbs, signed.signature)
        .map_err(|_| SignatureError::Mismatch)
}

/// What was signed: the TBSCertificate (RFC 5280, section 4.1).
///
/// All of the certificate, when what surrounds that part isn't DER. [`verify_certificate`] accepts none such.
pub(crate) fn signed_part(certificate: &Certificate) -> &[u8] {
    let der = certificate.as_der();
    Signed::parse(der).map_or(der, |signed| signed.tbs)
}

/// Whether a TLS handshake was signed with the key of `certificate`.
pub(crate) fn verify_handshake(
    certificate: &Certificate,
    message: &[u8],
    signature: &DigitallySignedStruct,
    version: HandshakeVersion,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), SignatureError> {
    let key = SubjectKey::parse(certificate.spki_der())?;
    let (_, candidates) = algorithms
        .mapping
        .iter()
        .find(|(scheme, _)| *scheme == signature.scheme)
        .ok_or(SignatureError::Unsupported)?;
    let candidates = match version {
        // RFC 5246, section 7.4.1.4.1: the scheme doesn't fix the curve.
        HandshakeVersion::Tls12 => candidates,
        // RFC 8446, section 4.2.3: it does, and PKCS #1 v1.5 is left to certificates.
        HandshakeVersion::Tls13 if is_pkcs1(signature.scheme) => {
            return Err(SignatureError::Unsupported);
        }
        HandshakeVersion::Tls13 => candidates.get(..1).unwrap_or_default(),
    };
    let algorithm = candidates
        .iter()
        .find(|algorithm| algorithm.public_key_alg_id().as_ref() == key.algorithm)
        .ok_or(SignatureError::Unsupported)?;
    algorithm
        .verify_signature(key.octets, message, signature.signature())
        .map_err(|_| SignatureError::Mismatch)
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("the encoding is not DER")]
    Malformed,
    #[error("the signature algorithm is not supported, or not with this kind of key")]
    Unsupported,
    #[error("the signature algorithm within what was signed is another than the one beside it")]
    TwoAlgorithms,
    #[error("the signature does not match")]
    Mismatch,
}

impl From<der::Error> for SignatureError {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

/// The TLS version whose rules bind a scheme to keys.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HandshakeVersion {
    Tls12,
    Tls13,
}

/// The three parts of a certificate (RFC 5280, section 4.1).
struct Signed<'a> {
    tbs: &'a [u8],
    /// Contents of the AlgorithmIdentifier, without its tag and length.
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    fn parse(certificate: &'a [u8]) -> Result<Self, SignatureError> {
        let mut reader = SliceReader::new(certificate)?;
        let signed = reader.sequence(|parts| {
            Ok::<_, SignatureError>(Self {
                tbs: parts.tlv_bytes()?,
                algorithm: sequence_contents(parts)?,
                signature: whole_octets(parts)?,
            })
        })?;
        reader.finish()?;
        Ok(signed)
    }
}

/// The signature algorithm as the TBSCertificate names it, where nobody can alter it (RFC 5280, section 4.1.2.3).
fn inner_algorithm(tbs: &[u8]) -> Result<&[u8], SignatureError> {
    SliceReader::new(tbs)?.sequence(|fields| {
        let first: AnyRef<'_> = fields.decode()?;
        // The version is left out in v1, and the serial number comes next.
        if first.tag() != Tag::Integer {
            fields.tlv_bytes()?;
        }
        let algorithm = sequence_contents(fields)?;
        while !fields.is_finished() {
            fields.tlv_bytes()?;
        }
        Ok(algorithm)
    })
}

/// The two parts of a subjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
struct SubjectKey<'a> {
    /// Contents of the AlgorithmIdentifier, without its tag and length.
    algorithm: &'a [u8],
    octets: &'a [u8],
}

impl<'a> SubjectKey<'a> {
    fn parse(spki: &'a [u8]) -> Result<Self, SignatureError> {
        SliceReader::new(spki)?.sequence(|parts| {
            Ok(Self {
                algorithm: sequence_contents(parts)?,
                octets: whole_octets(parts)?,
            })
        })
    }
}

fn sequence_contents<'a>(reader: &mut SliceReader<'a>) -> Result<&'a [u8], SignatureError> {
    let sequence: AnyRef<'a> = reader.decode()?;
    sequence.tag().assert_eq(Tag::Sequence)?;
    Ok(sequence.value())
}

fn whole_octets<'a>(reader: &mut SliceReader<'a>) -> Result<&'a [u8], SignatureError> {
    let bits: BitStringRef<'a> = reader.decode()?;
    bits.as_bytes().ok_or(SignatureError::Malformed)
}

fn is_pkcs1(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::RSA_PKCS1_SHA256
            | SignatureScheme::RSA_PKCS1_SHA384
            | SignatureScheme::RSA_PKCS1_SHA512
    )
}
