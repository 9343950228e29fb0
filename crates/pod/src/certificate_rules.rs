//! What a certificate must be by itself, to stand where it stands (RFC 5280).
use pki::{Certificate, Version};

/// Where a certificate that is to act as a CA comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An administrator vouches for it.
    Imported,
    /// The client sent it.
    Sent,
}

/// The path length constraint of a CA (`None`: unconstrained), or why the certificate is none.
///
/// RFC 5280, section 6.1.4 (k), leaves it to other means whether a v1 certificate is a CA: the import of a
/// self-signed one as a signing certificate is such a means.
pub(crate) fn authority_of(
    certificate: &Certificate,
    origin: Origin,
) -> Result<Option<u32>, &'static str> {
    // RFC 5280, section 4.1.2.6. An issuer without a name is nobody.
    if certificate.subject().is_empty() {
        return Err("its subject is empty");
    }
    let Some(constraints) = certificate.basic_constraints() else {
        let v1_root = certificate.version() == Version::V1
            && origin == Origin::Imported
            && certificate.subject().matches(certificate.issuer());
        return if v1_root {
            Ok(None)
        } else {
            Err("it has no basicConstraints")
        };
    };
    if !constraints.ca {
        return Err("its basicConstraints say that it is no CA");
    }
    if certificate
        .key_usage()
        .is_some_and(|usage| !usage.key_cert_sign())
    {
        return Err("its keyUsage lacks keyCertSign");
    }
    Ok(constraints.path_len)
}

/// The length of the modulus in bits, if the key is an RSA key.
pub(crate) fn rsa_bits(certificate: &Certificate) -> Result<Option<usize>, pki::Error> {
    Ok(certificate.public_key()?.algorithm().rsa_bits())
}
