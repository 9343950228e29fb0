//! Signature algorithms: identifiers, and verification with `rsa`, `p256`, `p384` and `ed25519-dalek`.

use const_oid::ObjectIdentifier;
use rsa::{Pkcs1v15Sign, pkcs1::DecodeRsaPublicKey};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use signature::hazmat::PrehashVerifier;

use crate::{
    Digest, Error, KeyAlgorithm, PublicKey,
    der::{self as tlv, Reader},
    oid::{self, unsupported},
};

/// A signature algorithm that this crate makes and verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaPkcs1(Digest),
    /// ECDSA (FIPS 186-5), whose signatures are in DER.
    Ecdsa(Digest),
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl SignatureAlgorithm {
    /// The algorithm for signing with this key.
    ///
    /// # Errors
    /// `UnsupportedDigest`: a P-256 key signs with SHA-256 and a P-384 key with SHA-384, as RFC 5480, section 4
    /// recommends. Ed25519 (RFC 8032) has its own digest inside, so `digest` says nothing.
    pub(crate) fn for_key(key: KeyAlgorithm, digest: Digest) -> Result<Self, Error> {
        match (key, digest) {
            (KeyAlgorithm::Rsa { .. }, _) => Ok(Self::RsaPkcs1(digest)),
            (KeyAlgorithm::EcP256, Digest::Sha256) | (KeyAlgorithm::EcP384, Digest::Sha384) => {
                Ok(Self::Ecdsa(digest))
            }
            (KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384, _) => Err(Error::UnsupportedDigest {
                digest: digest.name(),
                key: key.to_string(),
            }),
            (KeyAlgorithm::Ed25519, _) => Ok(Self::Ed25519),
        }
    }

    /// The algorithm that an AlgorithmIdentifier in DER names. RSA's parameters may be NULL or absent (RFC 4055,
    /// section 5). ECDSA's (RFC 5758, section 3.2) and Ed25519's (RFC 8410, section 3) are to be absent; some writers of
    /// ECDSA put RSA's NULL there, which means the same.
    ///
    /// # Errors
    /// `UnsupportedScheme { what: "signature algorithm", .. }` and `Malformed`.
    pub(crate) fn from_algorithm_identifier(der: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "signature algorithm";
        let mut fields = Reader::enter(der, tlv::SEQUENCE, WHAT)?;
        let oid = fields.oid()?;
        let algorithm = Self::by_oid(&oid).ok_or_else(|| unsupported(WHAT, &oid))?;
        if matches!(algorithm, Self::RsaPkcs1(_) | Self::Ecdsa(_)) {
            fields.optional(tlv::NULL)?;
        }
        fields.finish()?;
        Ok(algorithm)
    }

    /// The name of the algorithm with this encoded object identifier, whether it is supported or not; the object identifier
    /// of one that has no known name.
    pub(crate) fn name_of(oid: &[u8]) -> String {
        let Ok(oid) = ObjectIdentifier::from_bytes(oid) else {
            return "an object identifier of more than 39 octets".to_owned();
        };
        match Self::by_oid(&oid) {
            Some(known) => known.name().to_owned(),
            None => oid::name(&oid).map_or_else(|| oid.to_string(), str::to_owned),
        }
    }

    /// The algorithm with this object identifier.
    fn by_oid(oid: &ObjectIdentifier) -> Option<Self> {
        ALL.into_iter().find(|algorithm| algorithm.oid() == *oid)
    }

    /// The AlgorithmIdentifier in DER (RFC 4055, 5758, 8410): RSA has a NULL parameter, the others none.
    pub(crate) fn algorithm_identifier(self) -> &'static [u8] {
        const RSA_SHA256: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
        const RSA_SHA384: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00";
        const RSA_SHA512: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00";
        const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
        const ECDSA_SHA384: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";
        const ECDSA_SHA512: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04";
        const ED25519: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";
        match self {
            Self::RsaPkcs1(Digest::Sha256) => RSA_SHA256,
            Self::RsaPkcs1(Digest::Sha384) => RSA_SHA384,
            Self::RsaPkcs1(Digest::Sha512) => RSA_SHA512,
            Self::Ecdsa(Digest::Sha256) => ECDSA_SHA256,
            Self::Ecdsa(Digest::Sha384) => ECDSA_SHA384,
            Self::Ecdsa(Digest::Sha512) => ECDSA_SHA512,
            Self::Ed25519 => ED25519,
        }
    }

    /// The name that the standards give it, for example `"sha256WithRSAEncryption"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1(Digest::Sha256) => "sha256WithRSAEncryption",
            Self::RsaPkcs1(Digest::Sha384) => "sha384WithRSAEncryption",
            Self::RsaPkcs1(Digest::Sha512) => "sha512WithRSAEncryption",
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
            Self::Ecdsa(Digest::Sha256) => ECDSA_WITH_SHA_256,
            Self::Ecdsa(Digest::Sha384) => ECDSA_WITH_SHA_384,
            Self::Ecdsa(Digest::Sha512) => ECDSA_WITH_SHA_512,
            Self::Ed25519 => ID_ED_25519,
        }
    }
}

/// Whether `signature` over `message` verifies with `key`. ECDSA takes any of the digests on either curve. An algorithm
/// that is not this key's never verifies.
pub(crate) fn verify(
    key: &PublicKey,
    algorithm: SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let octets = key.key_octets();
    match (key.algorithm(), algorithm) {
        (KeyAlgorithm::Rsa { .. }, SignatureAlgorithm::RsaPkcs1(digest)) => {
            rsa::PublicKey::from_pkcs1_der(octets).is_ok_and(|key| {
                key.verify(pkcs1v15(digest), &hash(digest, message), signature)
                    .is_ok()
            })
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
        (KeyAlgorithm::Ed25519, SignatureAlgorithm::Ed25519) => {
            let signature = ed25519_dalek::Signature::from_slice(signature);
            ed25519_dalek::VerifyingKey::try_from(octets)
                .and_then(|key| key.verify_strict(message, &signature?))
                .is_ok()
        }
        _ => false,
    }
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

const ALL: [SignatureAlgorithm; 7] = [
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
    use getrandom::SysRng;

    use super::*;
    use crate::{KeyKind, PrivateKey};

    #[test]
    fn identifiers_are_read_back_as_what_they_were_written_for() {
        for algorithm in ALL {
            let der = algorithm.algorithm_identifier();
            assert_eq!(
                SignatureAlgorithm::from_algorithm_identifier(der),
                Ok(algorithm)
            );
        }
    }

    #[test]
    fn an_unknown_algorithm_is_named() {
        let sha1 = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00";
        assert_eq!(
            SignatureAlgorithm::from_algorithm_identifier(sha1),
            Err(Error::UnsupportedScheme {
                what: "signature algorithm",
                oid: "1.2.840.113549.1.1.5".to_owned(),
                name: "sha1WithRSAEncryption".to_owned(),
            })
        );
    }

    #[test]
    fn every_kind_of_key_verifies_what_it_signed_and_nothing_else() {
        for (kind, digest) in [
            (KeyKind::Rsa2048, Digest::Sha256),
            (KeyKind::EcP256, Digest::Sha256),
            (KeyKind::EcP384, Digest::Sha384),
            (KeyKind::Ed25519, Digest::Sha256),
        ] {
            let key = PrivateKey::generate(kind).unwrap();
            let algorithm = SignatureAlgorithm::for_key(key.algorithm(), digest).unwrap();
            let mut signature = key.sign(digest, b"message", &mut SysRng).unwrap();
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
    fn rsa_signs_with_each_digest_and_they_differ() {
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        for digest in [Digest::Sha256, Digest::Sha384, Digest::Sha512] {
            let signature = key.sign(digest, b"message", &mut SysRng).unwrap();
            for other in [Digest::Sha256, Digest::Sha384, Digest::Sha512] {
                let algorithm = SignatureAlgorithm::RsaPkcs1(other);
                let verified = verify(key.public_key(), algorithm, b"message", &signature);
                assert_eq!(verified, digest == other);
            }
        }
    }

    #[test]
    fn a_curve_with_another_digest_than_its_own_is_refused_for_signing() {
        assert_eq!(
            SignatureAlgorithm::for_key(KeyAlgorithm::EcP256, Digest::Sha512),
            Err(Error::UnsupportedDigest {
                digest: "SHA-512",
                key: "ECDSA P-256".to_owned()
            })
        );
    }

    #[test]
    fn ecdsa_is_deterministic() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let sign = || key.sign(Digest::Sha256, b"message", &mut SysRng).unwrap();
        assert_eq!(sign(), sign());
    }
}
