//! Lays out to-be-signed structures with rcgen, splices names, keys and extensions in octet for octet, and assembles the signed
//! result.
//!
//! rcgen's own names are a map (two OUs become one), its key algorithms are a fixed list, and its extensions have the
//! criticality that it gives them, and arcs of 64 bits. So it gets placeholders, and a key that signs with nothing; what it lays
//! out around them is kept.

use rcgen::{
    CertificateParams, DistinguishedName as RcgenName, Issuer, SerialNumber as RcgenSerial,
};
use time::OffsetDateTime;

use crate::{
    DistinguishedName, Error, KeyAlgorithm, PublicKey, SerialNumber, SignatureAlgorithm, Signer,
    SignerError,
    der::{self, Reader},
    key::signature,
};

/// The algorithm that `key` signs with: the one asked for, or what is usual for the key.
pub(crate) fn algorithm(
    key: KeyAlgorithm,
    asked: Option<SignatureAlgorithm>,
) -> Result<SignatureAlgorithm, Error> {
    let algorithm = asked.unwrap_or(SignatureAlgorithm::usual_for(key));
    algorithm.check_signs_with(key)?;
    Ok(algorithm)
}

/// An extension, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// Dotted.
    pub(crate) oid: String,
    pub(crate) critical: bool,
    pub(crate) value: Vec<u8>,
}

/// What a certificate says.
pub(crate) struct Fields<'a> {
    pub(crate) serial: &'a SerialNumber,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) issuer: &'a DistinguishedName,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) subject: &'a DistinguishedName,
    pub(crate) key: &'a PublicKey,
    pub(crate) authority_key_identifier: &'a [u8],
    pub(crate) extensions: Vec<Encoded>,
}

/// A `TBSCertificate` (RFC 5280, section 4.1) with these extensions after the authority key identifier.
pub(crate) fn certificate(fields: Fields<'_>) -> Result<Vec<u8>, Error> {
    let mut params = params();
    params.not_before = fields.not_before;
    params.not_after = fields.not_after;
    params.serial_number = Some(RcgenSerial::from_slice(fields.serial.as_bytes()));
    params.use_authority_key_identifier_extension = true;
    let layout_key = LayoutKey(fields.algorithm);
    let issuer_params = CertificateParams::default();
    let key_identifier = der::tlv(der::IMPLICIT_0, &[fields.authority_key_identifier]);
    let mut all = vec![Encoded {
        oid: AUTHORITY_KEY_IDENTIFIER.to_owned(),
        critical: false,
        value: der::sequence(&[&key_identifier]),
    }];
    all.extend(fields.extensions);
    let extensions = der::tlv(der::EXPLICIT_3, &[&extensions(&all)?]);
    let laid_out = params
        .signed_by(
            &layout_key,
            &Issuer::from_params(&issuer_params, &layout_key),
        )
        .map_err(layout_failed)?;
    // version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, extensions
    splice(
        laid_out.der(),
        &[
            der::EXPLICIT_0,
            der::INTEGER,
            der::SEQUENCE,
            der::SEQUENCE,
            der::SEQUENCE,
            der::SEQUENCE,
            der::SEQUENCE,
            der::EXPLICIT_3,
        ],
        &[
            (2, fields.algorithm.algorithm_identifier()),
            (3, fields.issuer.as_der()),
            (5, fields.subject.as_der()),
            (6, fields.key.spki_der()),
            (7, &extensions),
        ],
    )
}

/// A `CertificationRequestInfo` (RFC 2986, section 4.1) that asks for these extensions.
pub(crate) fn request(
    algorithm: SignatureAlgorithm,
    subject: &DistinguishedName,
    subject_key: &PublicKey,
    extensions: Vec<Encoded>,
) -> Result<Vec<u8>, Error> {
    let attributes = match extensions.as_slice() {
        [] => Vec::new(),
        some => {
            let values = der::tlv(der::SET, &[&self::extensions(some)?]);
            der::sequence(&[&oid(EXTENSION_REQUEST)?, &values])
        }
    };
    let laid_out = params()
        .serialize_request(&LayoutKey(algorithm))
        .map_err(layout_failed)?;
    // version, subject, subjectPKInfo, attributes
    splice(
        laid_out.der(),
        &[der::INTEGER, der::SEQUENCE, der::SEQUENCE, der::EXPLICIT_0],
        &[
            (1, subject.as_der()),
            (2, subject_key.spki_der()),
            (3, &der::tlv(der::EXPLICIT_0, &[&attributes])),
        ],
    )
}

/// Has `signer` sign for the key that shall sign.
pub(crate) fn sign(
    tbs: &[u8],
    algorithm: SignatureAlgorithm,
    key: &PublicKey,
    signer: &dyn Signer,
    subject: &DistinguishedName,
) -> Result<Vec<u8>, Error> {
    if signer.public_key() != key {
        return Err(Error::KeyMismatch {
            subject: subject.to_string(),
        });
    }
    signer.sign(algorithm, tbs).map_err(SignerError::of)
}

/// Verifies a signature, and assembles `SEQUENCE { tbs, algorithm, signature }`, the form of certificates and requests
/// alike.
///
/// A wrong signature doesn't leave this crate: with RSA and the Chinese remainder theorem, it would give the key away.
pub(crate) fn assemble(
    tbs: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
    key: &PublicKey,
) -> Result<Vec<u8>, Error> {
    if !signature::verify(key, algorithm, tbs, signature) {
        return Err(Error::SignatureFailed);
    }
    Ok(unverified(tbs, algorithm, signature))
}

/// The same form, whatever the signature.
pub(crate) fn unverified(tbs: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    let signature = der::tlv(der::BIT_STRING, &[&[0], signature]);
    der::sequence(&[tbs, algorithm.algorithm_identifier(), &signature])
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = RcgenName::new(); // a placeholder
    params
}

/// `Extensions` (RFC 5280, section 4.1).
fn extensions(extensions: &[Encoded]) -> Result<Vec<u8>, Error> {
    let encoded = extensions.iter().map(|extension| {
        let critical = match extension.critical {
            true => der::ENCODED_TRUE,
            false => &[],
        };
        let value = der::tlv(der::OCTET_STRING, &[&extension.value]);
        Ok(der::sequence(&[&oid(&extension.oid)?, critical, &value]))
    });
    let encoded: Vec<Vec<u8>> = encoded.collect::<Result<_, Error>>()?;
    Ok(der::sequence(&[&encoded.concat()]))
}

fn oid(dotted: &str) -> Result<Vec<u8>, Error> {
    der::dotted_oid(dotted).ok_or_else(|| der::malformed(WHAT, "invalid object identifier"))
}

/// RFC 2985, section 5.4.2
pub(crate) const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";

/// RFC 5280, section 4.2.1.1
const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";

/// The to-be-signed part of a structure that rcgen laid out, with the elements at these positions replaced. `tags` are
/// those of its elements: were they others, the positions would not be what they are taken for.
fn splice(laid_out: &[u8], tags: &[u8], replacements: &[(usize, &[u8])]) -> Result<Vec<u8>, Error> {
    let mut fields = Reader::enter(laid_out, der::SEQUENCE, WHAT)?.nested(der::SEQUENCE)?;
    let mut elements = Vec::new();
    for tag in tags {
        elements.push(fields.read_tagged(*tag)?.raw);
    }
    fields.finish()?;
    for (position, replacement) in replacements {
        let Some(element) = elements.get_mut(*position) else {
            return Err(der::malformed(
                WHAT,
                format!("it has no element {position}"),
            ));
        };
        *element = replacement;
    }
    Ok(der::sequence(&elements))
}

const WHAT: &str = "structure to be signed";

fn layout_failed(error: rcgen::Error) -> Error {
    der::malformed(WHAT, error.to_string())
}

/// Stands in for every key while rcgen lays out: it names the algorithm and signs with nothing.
struct LayoutKey(SignatureAlgorithm);

impl rcgen::PublicKeyData for LayoutKey {
    fn der_bytes(&self) -> &[u8] {
        &[]
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        // What it names is replaced, in certificates, or stands nowhere in what is signed, in requests.
        match self.0 {
            SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(_) => {
                &rcgen::PKCS_RSA_SHA256
            }
            SignatureAlgorithm::Ecdsa(_) => &rcgen::PKCS_ECDSA_P256_SHA256,
            SignatureAlgorithm::Ed25519 => &rcgen::PKCS_ED25519,
        }
    }
}

impl rcgen::SigningKey for LayoutKey {
    fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyKind, PrivateKey, rng};

    #[test]
    fn a_signature_that_does_not_verify_is_not_given_out() {
        let keys = [(); 2].map(|()| PrivateKey::generate(KeyKind::EcP256).unwrap());
        let algorithm = algorithm(keys[0].algorithm(), None).unwrap();
        let mut rng = rng::system().unwrap();
        let signature = keys[0].sign(algorithm, b"tbs", &mut rng).unwrap();
        let assemble = |key: &PrivateKey| assemble(b"tbs", algorithm, &signature, key.public_key());
        assemble(&keys[0]).unwrap();
        assert_eq!(assemble(&keys[1]), Err(Error::SignatureFailed));
    }

    #[test]
    fn what_is_laid_out_otherwise_than_expected_is_not_spliced() {
        let laid_out = |elements: &[&[u8]]| der::sequence(&[&der::sequence(elements)]);
        let tags = [der::INTEGER, der::SEQUENCE];
        let replacement: &[u8] = &der::sequence(&[&[5, 0]]);
        let splice =
            |laid_out: &[u8], position| splice(laid_out, &tags, &[(position, replacement)]);
        let right = laid_out(&[&[2, 1, 7], &[0x30, 0]]);
        assert_eq!(
            splice(&right, 1).unwrap(),
            der::sequence(&[&[2, 1, 7], replacement])
        );
        for wrong in [
            splice(&right, 2),
            splice(&laid_out(&[&[2, 1, 7]]), 1),
            splice(&laid_out(&[&[0x30, 0], &[0x30, 0]]), 1),
        ] {
            assert!(matches!(wrong, Err(Error::Malformed { what: WHAT, .. })));
        }
        assert!(matches!(
            splice(&laid_out(&[&[2, 1, 7], &[0x30, 0], &[0x30, 0]]), 1),
            Err(Error::TrailingData { what: WHAT, .. })
        ));
    }
}
