//! Lays out to-be-signed structures with rcgen, splices names and keys in octet for octet, and assembles the signed
//! result.
//!
//! rcgen's own names are a map (two OUs become one) and its key algorithms are a fixed list, so it gets a placeholder for
//! the names, and a key that signs with nothing; what it lays out around them is kept.

use rand_core::CryptoRng;
use rcgen::{
    CertificateParams, DistinguishedName as RcgenName, DnType, Issuer, KeyIdMethod, SanType,
};

use crate::{
    DistinguishedName, Error, KeyAlgorithm, PrivateKey, PublicKey, SignatureAlgorithm,
    SubjectAltName,
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

/// A `TBSCertificate` (RFC 5280, section 4.1) around rcgen's extensions.
pub(crate) fn certificate(
    mut params: CertificateParams,
    algorithm: SignatureAlgorithm,
    issuer: &DistinguishedName,
    authority_key_identifier: &[u8],
    subject: &DistinguishedName,
    subject_key: &PublicKey,
) -> Result<Vec<u8>, Error> {
    params.distinguished_name = placeholder(subject);
    params.use_authority_key_identifier_extension = true;
    let layout_key = LayoutKey(algorithm);
    let mut issuer_params = CertificateParams::default();
    issuer_params.key_identifier_method =
        KeyIdMethod::PreSpecified(authority_key_identifier.to_vec());
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
            (2, algorithm.algorithm_identifier()),
            (3, issuer.as_der()),
            (5, subject.as_der()),
            (6, subject_key.spki_der()),
        ],
    )
}

/// A `CertificationRequestInfo` (RFC 2986, section 4.1) around rcgen's extension request.
pub(crate) fn request(
    mut params: CertificateParams,
    algorithm: SignatureAlgorithm,
    subject: &DistinguishedName,
    subject_key: &PublicKey,
) -> Result<Vec<u8>, Error> {
    params.distinguished_name = placeholder(subject);
    let laid_out = params
        .serialize_request(&LayoutKey(algorithm))
        .map_err(layout_failed)?;
    // version, subject, subjectPKInfo, attributes
    splice(
        laid_out.der(),
        &[der::INTEGER, der::SEQUENCE, der::SEQUENCE, der::EXPLICIT_0],
        &[(1, subject.as_der()), (2, subject_key.spki_der())],
    )
}

/// Signs, verifies the signature, and assembles `SEQUENCE { tbs, algorithm, signature }`, the form of certificates and
/// requests alike.
pub(crate) fn sign(
    tbs: &[u8],
    algorithm: SignatureAlgorithm,
    key: &PrivateKey,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, Error> {
    let signature = key.sign(algorithm, tbs, rng)?;
    assemble(tbs, algorithm, &signature, key.public_key())
}

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
    let signature = der::tlv(der::BIT_STRING, &[&[0], signature]);
    Ok(der::sequence(&[
        tbs,
        algorithm.algorithm_identifier(),
        &signature,
    ]))
}

/// The subject alternative names in rcgen's terms.
pub(crate) fn alt_names(names: &[SubjectAltName]) -> Result<Vec<SanType>, Error> {
    names
        .iter()
        .map(|name| {
            let not_granted = |reason| Error::InvalidSubjectAltName {
                name: name.to_string(),
                reason,
            };
            let ascii = |text: &str| {
                text.try_into()
                    .map_err(|_| not_granted("only ASCII can be carried in it"))
            };
            Ok(match name {
                SubjectAltName::Dns(name) => SanType::DnsName(ascii(name.as_str())?),
                SubjectAltName::Email(address) => SanType::Rfc822Name(ascii(address.as_str())?),
                SubjectAltName::Uri(uri) => SanType::URI(ascii(uri.as_str())?),
                SubjectAltName::Ip(address) => SanType::IpAddress(*address),
                SubjectAltName::Directory(_) | SubjectAltName::Other { .. } => {
                    return Err(not_granted("names of this form are not granted"));
                }
            })
        })
        .collect()
}

/// rcgen makes a SAN critical exactly when its name is empty, so the placeholder is empty exactly when the subject is.
fn placeholder(subject: &DistinguishedName) -> RcgenName {
    let mut name = RcgenName::new();
    if !subject.is_empty() {
        name.push(DnType::CommonName, "placeholder");
    }
    name
}

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
    use crate::{KeyKind, rng};

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
