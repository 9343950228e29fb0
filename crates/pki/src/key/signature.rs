//! Signature algorithms: identifiers, and verification with `rsa`, `p256`, `p384`, `p521` and `ed25519-dalek`.

use std::fmt;

use const_oid::{ObjectIdentifier, db::rfc5912::ID_RSASSA_PSS};
use rsa::{Pkcs1v15Sign, Pss, pkcs1::DecodeRsaPublicKey};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use signature::hazmat::PrehashVerifier;

use super::pss::PssParameters;
use crate::{
    Digest, Error, KeyAlgorithm, PublicKey,
    der::{self as tlv, Reader},
    oid::{self, unsupported},
};

/// A signature algorithm that this crate makes and verifies.
///
/// What else is in use is named where it is found, and neither made nor verified: SHA-1 and MD5 above all, which are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2), with a key for RSA.
    RsaPkcs1(Digest),
    /// RSASSA-PSS (RFC 8017, section 8.1), with MGF1 over the same digest and a salt as long as the digest, which is what
    /// RFC 4055 recommends and TLS 1.3 asks for; with a key for RSA or for RSASSA-PSS alone.
    RsaPss(Digest),
    /// ECDSA (FIPS 186-5), with the nonce of RFC 6979. Each curve signs with its own digest: P-256 with SHA-256, P-384 with
    /// SHA-384, P-521 with SHA-512 (RFC 5480, section 4). Any of them is verified.
    Ecdsa(Digest),
    /// Ed25519 (RFC 8032), which has its digest inside.
    Ed25519,
}

impl SignatureAlgorithm {
    /// What a key of this kind signs with where nothing else was chosen: an RSA key with PKCS #1 v1.5 and SHA-256, one for
    /// RSASSA-PSS with its own digest or SHA-256, and a curve with its digest.
    pub fn usual_for(key: KeyAlgorithm) -> Self {
        match key {
            KeyAlgorithm::Rsa { .. } => Self::RsaPkcs1(Digest::Sha256),
            KeyAlgorithm::RsaPss { digest, .. } => Self::RsaPss(digest.unwrap_or_default()),
            KeyAlgorithm::EcP256 => Self::Ecdsa(Digest::Sha256),
            KeyAlgorithm::EcP384 => Self::Ecdsa(Digest::Sha384),
            KeyAlgorithm::EcP521 => Self::Ecdsa(Digest::Sha512),
            KeyAlgorithm::Ed25519 => Self::Ed25519,
        }
    }

    /// The digest that is signed; none for Ed25519, which takes the message as it is.
    pub fn digest(self) -> Option<Digest> {
        match self {
            Self::RsaPkcs1(digest) | Self::RsaPss(digest) | Self::Ecdsa(digest) => Some(digest),
            Self::Ed25519 => None,
        }
    }

    /// Checks that a key of this kind signs with it.
    pub(crate) fn check_signs_with(self, key: KeyAlgorithm) -> Result<(), Error> {
        let fits = match (key, self) {
            (KeyAlgorithm::Rsa { .. }, Self::RsaPkcs1(_) | Self::RsaPss(_)) => true,
            (KeyAlgorithm::RsaPss { digest: only, .. }, Self::RsaPss(digest)) => {
                only.is_none_or(|only| only == digest)
            }
            (_, Self::Ecdsa(_) | Self::Ed25519) => self == Self::usual_for(key),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(Error::UnsupportedSignatureAlgorithm {
            algorithm: self.name(),
            key: key.to_string(),
        })
    }

    /// The algorithm that an AlgorithmIdentifier in DER names, where that is one that this crate writes, octet for octet.
    ///
    /// # Errors
    /// `UnsupportedScheme { what: "signature algorithm", .. }` and `Malformed`.
    pub(crate) fn made_as(identifier: &[u8]) -> Result<Self, Error> {
        let algorithm = Identified::read(identifier)?.algorithm;
        if algorithm.algorithm_identifier() == identifier {
            return Ok(algorithm);
        }
        Err(tlv::malformed(
            WHAT,
            "its identifier is not as it is written here",
        ))
    }

    /// The name of the algorithm of an AlgorithmIdentifier, whether it is supported or not; the object identifier of one
    /// that has no known name. `parameters` is the contents of its parameters where those are a SEQUENCE.
    pub(crate) fn name_of(oid: &[u8], parameters: Option<&[u8]>) -> String {
        let Ok(oid) = ObjectIdentifier::from_bytes(oid) else {
            return "an object identifier of more than 39 octets".to_owned();
        };
        if oid == ID_RSASSA_PSS
            && let Some(Ok(parameters)) = parameters.map(|found| PssParameters::read(found, WHAT))
        {
            return parameters.to_string();
        }
        match Self::by_oid(&oid) {
            Some(known) => known.name().to_owned(),
            None => oid::name(&oid).map_or_else(|| oid.to_string(), str::to_owned),
        }
    }

    /// The algorithm with this object identifier, but for RSASSA-PSS, which has one for all of its digests.
    fn by_oid(oid: &ObjectIdentifier) -> Option<Self> {
        WITHOUT_PARAMETERS
            .into_iter()
            .find(|algorithm| algorithm.oid() == *oid)
    }

    /// The AlgorithmIdentifier in DER (RFC 4055, 5758, 8410): PKCS #1 v1.5 has a NULL parameter, RSASSA-PSS a structure, the
    /// others none.
    pub(crate) fn algorithm_identifier(self) -> &'static [u8] {
        const RSA_SHA256: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
        const RSA_SHA384: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00";
        const RSA_SHA512: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00";
        const PSS_SHA256: &[u8] = b"\
            \x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\
            \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
            \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
            \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
            \xa2\x03\x02\x01\x20";
        const PSS_SHA384: &[u8] = b"\
            \x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\
            \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
            \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
            \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
            \xa2\x03\x02\x01\x30";
        const PSS_SHA512: &[u8] = b"\
            \x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\
            \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\
            \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
            \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\
            \xa2\x03\x02\x01\x40";
        const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
        const ECDSA_SHA384: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";
        const ECDSA_SHA512: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04";
        const ED25519: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";
        match self {
            Self::RsaPkcs1(Digest::Sha256) => RSA_SHA256,
            Self::RsaPkcs1(Digest::Sha384) => RSA_SHA384,
            Self::RsaPkcs1(Digest::Sha512) => RSA_SHA512,
            Self::RsaPss(Digest::Sha256) => PSS_SHA256,
            Self::RsaPss(Digest::Sha384) => PSS_SHA384,
            Self::RsaPss(Digest::Sha512) => PSS_SHA512,
            Self::Ecdsa(Digest::Sha256) => ECDSA_SHA256,
            Self::Ecdsa(Digest::Sha384) => ECDSA_SHA384,
            Self::Ecdsa(Digest::Sha512) => ECDSA_SHA512,
            Self::Ed25519 => ED25519,
        }
    }

    /// The name that the standards give it, for example `"sha256WithRSAEncryption"` or `"RSASSA-PSS with SHA-256"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1(Digest::Sha256) => "sha256WithRSAEncryption",
            Self::RsaPkcs1(Digest::Sha384) => "sha384WithRSAEncryption",
            Self::RsaPkcs1(Digest::Sha512) => "sha512WithRSAEncryption",
            Self::RsaPss(Digest::Sha256) => "RSASSA-PSS with SHA-256",
            Self::RsaPss(Digest::Sha384) => "RSASSA-PSS with SHA-384",
            Self::RsaPss(Digest::Sha512) => "RSASSA-PSS with SHA-512",
            Self::Ecdsa(Digest::Sha256) => "ecdsa-with-SHA256",
            Self::Ecdsa(Digest::Sha384) => "ecdsa-with-SHA384",
            Self::Ecdsa(Digest::Sha512) => "ecdsa-with-SHA512",
            Self::Ed25519 => "Ed25519",
        }
    }

    fn oid(self) -> ObjectIdentifier {
        use const_oid::db::{
            rfc5912::{
                ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512,
                SHA_256_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION,
                SHA_512_WITH_RSA_ENCRYPTION,
            },
            rfc8410::ID_ED_25519,
        };
        match self {
            Self::RsaPkcs1(Digest::Sha256) => SHA_256_WITH_RSA_ENCRYPTION,
            Self::RsaPkcs1(Digest::Sha384) => SHA_384_WITH_RSA_ENCRYPTION,
            Self::RsaPkcs1(Digest::Sha512) => SHA_512_WITH_RSA_ENCRYPTION,
            Self::RsaPss(_) => ID_RSASSA_PSS,
            Self::Ecdsa(Digest::Sha256) => ECDSA_WITH_SHA_256,
            Self::Ecdsa(Digest::Sha384) => ECDSA_WITH_SHA_384,
            Self::Ecdsa(Digest::Sha512) => ECDSA_WITH_SHA_512,
            Self::Ed25519 => ID_ED_25519,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A signature algorithm as somebody named it: where we make RSASSA-PSS with a salt as long as the digest, others may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identified {
    algorithm: SignatureAlgorithm,
    /// In octets; of use to RSASSA-PSS only.
    salt_len: usize,
}

impl Identified {
    /// What an AlgorithmIdentifier in DER names. PKCS #1 v1.5's parameters may be NULL or absent (RFC 4055, section 5).
    /// ECDSA's (RFC 5758, section 3.2) and Ed25519's (RFC 8410, section 3) are to be absent; some writers of ECDSA put RSA's
    /// NULL there, which means the same. RSASSA-PSS' must be there (RFC 4055, section 3.1).
    ///
    /// # Errors
    /// `UnsupportedScheme { what: "signature algorithm", .. }` and `Malformed`.
    pub(crate) fn read(der: &[u8]) -> Result<Self, Error> {
        let mut fields = Reader::enter(der, tlv::SEQUENCE, WHAT)?;
        let oid = fields.oid()?;
        if oid == ID_RSASSA_PSS {
            let parameters = PssParameters::read(fields.value(tlv::SEQUENCE)?, WHAT)?;
            fields.finish()?;
            return match parameters.supported() {
                Some((digest, salt_len)) => Ok(Self {
                    algorithm: SignatureAlgorithm::RsaPss(digest),
                    salt_len,
                }),
                None => Err(Error::UnsupportedScheme {
                    what: WHAT,
                    oid: oid.to_string(),
                    name: parameters.to_string(),
                }),
            };
        }
        let algorithm = SignatureAlgorithm::by_oid(&oid).ok_or_else(|| unsupported(WHAT, &oid))?;
        if algorithm != SignatureAlgorithm::Ed25519 {
            fields.optional_null()?;
        }
        fields.finish()?;
        Ok(algorithm.into())
    }
}

/// As this crate makes it.
impl From<SignatureAlgorithm> for Identified {
    fn from(algorithm: SignatureAlgorithm) -> Self {
        let salt_len = match algorithm {
            SignatureAlgorithm::RsaPss(digest) => digest.output_len(),
            _ => 0,
        };
        Self {
            algorithm,
            salt_len,
        }
    }
}

/// Whether `signature` over `message` verifies with `key`. ECDSA takes any of the digests on any curve. An algorithm
/// that is not this key's never verifies.
pub(crate) fn verify(
    key: &PublicKey,
    algorithm: impl Into<Identified>,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Identified {
        algorithm,
        salt_len,
    } = algorithm.into();
    let octets = key.key_octets();
    match (key.algorithm(), algorithm) {
        (KeyAlgorithm::Rsa { .. }, SignatureAlgorithm::RsaPkcs1(digest)) => {
            rsa::PublicKey::from_pkcs1_der(octets).is_ok_and(|key| {
                key.verify(pkcs1v15(digest), &hash(digest, message), signature)
                    .is_ok()
            })
        }
        (
            KeyAlgorithm::Rsa { .. } | KeyAlgorithm::RsaPss { .. },
            SignatureAlgorithm::RsaPss(digest),
        ) => {
            key.takes_pss(digest, salt_len)
                && rsa::PublicKey::from_pkcs1_der(octets)
                    .is_ok_and(|key| verify_pss(&key, digest, salt_len, message, signature))
        }
        (KeyAlgorithm::EcP256, SignatureAlgorithm::Ecdsa(digest)) => {
            let signature = p256::ecdsa::DerSignature::try_from(signature);
            p256::ecdsa::VerifyingKey::from_sec1_bytes(octets)
                .and_then(|key| key.verify_prehash(&hash(digest, message), &signature?))
                .is_ok()
        }
        (KeyAlgorithm::EcP384, SignatureAlgorithm::Ecdsa(digest)) => {
            let signature = p384::ecdsa::DerSignature::try_from(signature);
            p384::ecdsa::VerifyingKey::from_sec1_bytes(octets)
                .and_then(|key| key.verify_prehash(&hash(digest, message), &signature?))
                .is_ok()
        }
        (KeyAlgorithm::EcP521, SignatureAlgorithm::Ecdsa(digest)) => {
            let signature = p521::ecdsa::DerSignature::try_from(signature);
            p521::ecdsa::VerifyingKey::from_sec1_bytes(octets)
                .and_then(|key| key.verify_prehash(&hash(digest, message), &signature?))
                .is_ok()
        }
        (KeyAlgorithm::Ed25519, SignatureAlgorithm::Ed25519) => {
            let signature = ed25519_dalek::Signature::from_slice(signature);
            ed25519_dalek::VerifyingKey::try_from(octets)
                .and_then(|key| key.verify_strict(message, &signature?))
                .is_ok()
        }
        _ => false,
    }
}

/// RFC 8017, section 8.1.2, with a salt of just this length.
fn verify_pss(
    key: &rsa::PublicKey,
    digest: Digest,
    salt_len: usize,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let hashed = hash(digest, message);
    match digest {
        Digest::Sha256 => key.verify(Pss::<Sha256>::new_with_salt(salt_len), &hashed, signature),
        Digest::Sha384 => key.verify(Pss::<Sha384>::new_with_salt(salt_len), &hashed, signature),
        Digest::Sha512 => key.verify(Pss::<Sha512>::new_with_salt(salt_len), &hashed, signature),
    }
    .is_ok()
}

/// The digest of a message.
pub(crate) fn hash(digest: Digest, message: &[u8]) -> Vec<u8> {
    match digest {
        Digest::Sha256 => Sha256::digest(message).to_vec(),
        Digest::Sha384 => Sha384::digest(message).to_vec(),
        Digest::Sha512 => Sha512::digest(message).to_vec(),
    }
}

/// RSASSA-PKCS1-v1_5 with this digest (RFC 8017, section 8.2).
pub(crate) fn pkcs1v15(digest: Digest) -> Pkcs1v15Sign {
    match digest {
        Digest::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
        Digest::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
        Digest::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
    }
}

const WHAT: &str = "signature algorithm";

/// Those that their object identifier names on its own.
const WITHOUT_PARAMETERS: [SignatureAlgorithm; 7] = [
    SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
    SignatureAlgorithm::RsaPkcs1(Digest::Sha384),
    SignatureAlgorithm::RsaPkcs1(Digest::Sha512),
    SignatureAlgorithm::Ecdsa(Digest::Sha256),
    SignatureAlgorithm::Ecdsa(Digest::Sha384),
    SignatureAlgorithm::Ecdsa(Digest::Sha512),
    SignatureAlgorithm::Ed25519,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyKind, PrivateKey, rng};

    const DIGESTS: [Digest; 3] = [Digest::Sha256, Digest::Sha384, Digest::Sha512];

    fn sign(key: &PrivateKey, algorithm: SignatureAlgorithm) -> Vec<u8> {
        key.sign(algorithm, b"message", &mut rng::system().unwrap())
            .unwrap()
    }

    #[test]
    fn identifiers_are_read_back_as_what_they_were_written_for() {
        let pss = DIGESTS.map(SignatureAlgorithm::RsaPss);
        for algorithm in WITHOUT_PARAMETERS.into_iter().chain(pss) {
            let read = Identified::read(algorithm.algorithm_identifier());
            assert_eq!(read, Ok(algorithm.into()));
        }
    }

    #[test]
    fn sha1_is_named_and_not_verified() {
        for (identifier, oid, name) in [
            (
                &b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"[..],
                "1.2.840.113549.1.1.5",
                "sha1WithRSAEncryption",
            ),
            (
                b"\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01",
                "1.2.840.10045.4.1",
                "ecdsa-with-SHA1",
            ),
            (
                b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00",
                "1.2.840.113549.1.1.10",
                "RSASSA-PSS with SHA-1",
            ),
        ] {
            assert_eq!(
                Identified::read(identifier),
                Err(Error::UnsupportedScheme {
                    what: "signature algorithm",
                    oid: oid.to_owned(),
                    name: name.to_owned(),
                })
            );
        }
    }

    /// What is carried to a signer comes back with another identifier than the signature's otherwise.
    #[test]
    fn an_algorithm_is_made_as_it_is_written_here_and_not_as_it_may_be_read() {
        let algorithm = SignatureAlgorithm::RsaPkcs1(Digest::Sha256);
        assert_eq!(algorithm.to_string(), "sha256WithRSAEncryption");
        let written = algorithm.algorithm_identifier();
        assert_eq!(SignatureAlgorithm::made_as(written), Ok(algorithm));
        let without_null = tlv::sequence(&[&written[2..13]]);
        assert!(Identified::read(&without_null).is_ok());
        assert!(matches!(
            SignatureAlgorithm::made_as(&without_null),
            Err(Error::Malformed { .. })
        ));
    }

    #[test]
    fn every_kind_of_key_verifies_what_it_signed_and_nothing_else() {
        for kind in [
            KeyKind::Rsa2048,
            KeyKind::EcP256,
            KeyKind::EcP384,
            KeyKind::EcP521,
            KeyKind::Ed25519,
        ] {
            let key = PrivateKey::generate(kind).unwrap();
            let algorithm = SignatureAlgorithm::usual_for(key.algorithm());
            let mut signature = sign(&key, algorithm);
            let public = key.public_key();
            assert!(
                verify(public, algorithm, b"message", &signature),
                "{kind:?}"
            );
            assert!(!verify(public, algorithm, b"other", &signature), "{kind:?}");
            let last = signature.last_mut().unwrap();
            *last ^= 1;
            assert!(
                !verify(public, algorithm, b"message", &signature),
                "{kind:?}"
            );
            assert!(!verify(public, algorithm, b"message", &[]), "{kind:?}");
        }
    }

    #[test]
    fn rsa_signs_with_each_padding_and_digest_and_they_differ() {
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let all = DIGESTS
            .into_iter()
            .flat_map(|digest| {
                [
                    SignatureAlgorithm::RsaPkcs1(digest),
                    SignatureAlgorithm::RsaPss(digest),
                ]
            })
            .collect::<Vec<_>>();
        for &made in &all {
            let signature = sign(&key, made);
            for &other in &all {
                let verified = verify(key.public_key(), other, b"message", &signature);
                assert_eq!(verified, made == other, "{made} as {other}");
            }
        }
    }

    #[test]
    fn a_salt_of_another_length_than_the_parameters_say_does_not_verify() {
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let algorithm = SignatureAlgorithm::RsaPss(Digest::Sha256);
        let signature = sign(&key, algorithm);
        for (salt_len, expected) in [(31, false), (32, true), (33, false), (1024, false)] {
            let identified = Identified {
                algorithm,
                salt_len,
            };
            let verified = verify(key.public_key(), identified, b"message", &signature);
            assert_eq!(verified, expected, "{salt_len}");
        }
    }

    #[test]
    fn a_curve_with_another_digest_than_its_own_is_refused_for_signing() {
        for (key, digest) in [
            (KeyAlgorithm::EcP256, Digest::Sha512),
            (KeyAlgorithm::EcP384, Digest::Sha256),
            (KeyAlgorithm::EcP521, Digest::Sha256),
        ] {
            let algorithm = SignatureAlgorithm::Ecdsa(digest);
            assert_eq!(
                algorithm.check_signs_with(key),
                Err(Error::UnsupportedSignatureAlgorithm {
                    algorithm: algorithm.name(),
                    key: key.to_string()
                })
            );
        }
    }

    #[test]
    fn an_algorithm_signs_with_its_own_kind_of_key_alone() {
        let limited = |digest| KeyAlgorithm::RsaPss { bits: 2048, digest };
        let sha256 = Digest::Sha256;
        for (key, algorithm, expected) in [
            (
                KeyAlgorithm::Rsa { bits: 2048 },
                SignatureAlgorithm::RsaPkcs1(sha256),
                true,
            ),
            (
                KeyAlgorithm::Rsa { bits: 2048 },
                SignatureAlgorithm::RsaPss(sha256),
                true,
            ),
            (
                KeyAlgorithm::Rsa { bits: 2048 },
                SignatureAlgorithm::Ecdsa(sha256),
                false,
            ),
            (
                KeyAlgorithm::Rsa { bits: 2048 },
                SignatureAlgorithm::Ed25519,
                false,
            ),
            (limited(None), SignatureAlgorithm::RsaPkcs1(sha256), false),
            (
                limited(None),
                SignatureAlgorithm::RsaPss(Digest::Sha384),
                true,
            ),
            (
                limited(Some(sha256)),
                SignatureAlgorithm::RsaPss(sha256),
                true,
            ),
            (
                limited(Some(sha256)),
                SignatureAlgorithm::RsaPss(Digest::Sha384),
                false,
            ),
            (
                KeyAlgorithm::EcP256,
                SignatureAlgorithm::RsaPss(sha256),
                false,
            ),
            (KeyAlgorithm::EcP256, SignatureAlgorithm::Ed25519, false),
            (
                KeyAlgorithm::Ed25519,
                SignatureAlgorithm::Ecdsa(sha256),
                false,
            ),
        ] {
            assert_eq!(
                algorithm.check_signs_with(key).is_ok(),
                expected,
                "{algorithm} with {key}"
            );
        }
    }

    #[test]
    fn ecdsa_is_deterministic_and_pss_is_not() {
        let key = PrivateKey::generate(KeyKind::EcP521).unwrap();
        let algorithm = SignatureAlgorithm::Ecdsa(Digest::Sha512);
        assert_eq!(sign(&key, algorithm), sign(&key, algorithm));
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let algorithm = SignatureAlgorithm::RsaPss(Digest::Sha256);
        assert_ne!(sign(&key, algorithm), sign(&key, algorithm));
    }
}
