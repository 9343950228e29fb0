use std::hash::{Hash, Hasher};

use const_oid::ObjectIdentifier;
use const_oid::db::{
    rfc5912::{
        ID_EC_PUBLIC_KEY, ID_RSASSA_PSS, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1,
    },
    rfc8410::ID_ED_25519,
};
use rsa::pkcs1::DecodeRsaPublicKey;
use sha1::{Digest as _, Sha1};

use super::{KeyAlgorithm, pss::PssParameters};
use crate::{
    Digest, Error,
    der::{self as tlv, Reader, malformed},
    oid, pem,
};

/// A public key: its SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), octet for octet.
///
/// Two of them are equal when they are the same key, whatever their encodings: a point may be compressed or not, and RSA's
/// NULL parameter be there or not.
#[derive(Debug, Clone)]
pub struct PublicKey {
    spki: Vec<u8>,
    algorithm: KeyAlgorithm,
    /// How many octets at the end of `spki` are the key itself.
    key_len: usize,
    /// The shortest salt, in octets, that it may be used with in RSASSA-PSS (RFC 4055, section 3.3).
    minimum_salt: usize,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER and checks that the key in it is one: an RSA modulus of 1024 to 8192 bits,
    /// a point on its curve.
    ///
    /// # Errors
    /// [`Error::UnsupportedKey`] for other algorithms, curves and sizes, and for a key for RSASSA-PSS that may be used
    /// with SHA-1 only, for example, or only with a salt longer than the digest; [`Error::Malformed`] and
    /// [`Error::TrailingData`].
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, Error> {
        let mut fields = Reader::enter(spki, tlv::SEQUENCE, WHAT)?;
        let identifier = fields.read_tagged(tlv::SEQUENCE)?;
        let octets = fields.bit_string()?;
        fields.finish()?;

        let key_type = KeyType::read(identifier.value, WHAT)?;
        let algorithm = match key_type {
            KeyType::Rsa => KeyAlgorithm::Rsa {
                bits: modulus_bits(octets)?,
            },
            KeyType::RsaPss(restriction) => KeyAlgorithm::RsaPss {
                bits: modulus_bits(octets)?,
                digest: restriction.map(|(digest, _)| digest),
            },
            KeyType::EcP256 | KeyType::EcP384 | KeyType::EcP521 if !is_point(octets) => {
                return Err(malformed(
                    WHAT,
                    "its point is neither compressed nor uncompressed",
                ));
            }
            KeyType::EcP256 => p256::PublicKey::from_sec1_bytes(octets)
                .map(|_| KeyAlgorithm::EcP256)
                .map_err(|_| malformed(WHAT, "it is not a point on P-256"))?,
            KeyType::EcP384 => p384::PublicKey::from_sec1_bytes(octets)
                .map(|_| KeyAlgorithm::EcP384)
                .map_err(|_| malformed(WHAT, "it is not a point on P-384"))?,
            KeyType::EcP521 => p521::PublicKey::from_sec1_bytes(octets)
                .map(|_| KeyAlgorithm::EcP521)
                .map_err(|_| malformed(WHAT, "it is not a point on P-521"))?,
            KeyType::Ed25519 => ed25519_dalek::VerifyingKey::try_from(octets)
                .map(|_| KeyAlgorithm::Ed25519)
                .map_err(|_| malformed(WHAT, "it is not a point on edwards25519"))?,
        };
        Ok(Self {
            spki: spki.to_vec(),
            algorithm,
            key_len: octets.len(),
            minimum_salt: match key_type {
                KeyType::RsaPss(Some((_, salt_len))) => salt_len,
                _ => 0,
            },
        })
    }

    /// Reads an `RSAPublicKey` (RFC 8017, appendix A.1.1) in DER.
    pub(crate) fn from_pkcs1_der(der: &[u8]) -> Result<Self, Error> {
        let identifier = tlv::sequence(&[&tlv::oid(&RSA_ENCRYPTION), tlv::ENCODED_NULL]);
        let key = tlv::tlv(tlv::BIT_STRING, &[&[0], der]);
        Self::from_spki_der(&tlv::sequence(&[&identifier, &key]))
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// What is in the BIT STRING: an `RSAPublicKey` (RFC 8017, appendix A.1.1), a point (SEC 1), or an Ed25519 key.
    pub(crate) fn key_octets(&self) -> &[u8] {
        let start = self.spki.len().saturating_sub(self.key_len);
        self.spki.get(start..).unwrap_or_default()
    }

    /// The AlgorithmIdentifier in DER.
    pub(super) fn algorithm_identifier(&self) -> Result<&[u8], Error> {
        let mut fields = Reader::enter(&self.spki, tlv::SEQUENCE, WHAT)?;
        Ok(fields.read_tagged(tlv::SEQUENCE)?.raw)
    }

    /// Whether an RSA key may be used for RSASSA-PSS with this digest, and a salt of this many octets.
    pub(super) fn takes_pss(&self, digest: Digest, salt_len: usize) -> bool {
        match self.algorithm {
            KeyAlgorithm::RsaPss {
                digest: Some(only), ..
            } => only == digest && salt_len >= self.minimum_salt,
            KeyAlgorithm::Rsa { .. } | KeyAlgorithm::RsaPss { .. } => true,
            _ => false,
        }
    }

    /// The algorithm, and the size where it has one.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// SHA-1 of the subjectPublicKey BIT STRING content (RFC 5280, section 4.2.1.2, method 1).
    pub fn key_identifier(&self) -> [u8; 20] {
        Sha1::digest(self.key_octets()).into()
    }

    /// The key as a `PUBLIC KEY` PEM block (RFC 7468, section 13).
    pub fn to_pem(&self) -> String {
        pem::encode("PUBLIC KEY", &self.spki).to_string()
    }
}

impl PublicKey {
    /// What is the same for the same key: what it may be used for; an RSA modulus and exponent in DER; an Ed25519 key; a point's x coordinate, and
    /// whether its y coordinate is odd (SEC 1, section 2.3.3).
    fn identity(&self) -> (KeyAlgorithm, usize, bool, &[u8]) {
        let octets = self.key_octets();
        let (is_odd, number) = match (self.algorithm, octets) {
            (
                KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 | KeyAlgorithm::EcP521,
                [4, point @ ..],
            ) => {
                let (x, y) = point.split_at(point.len() / 2);
                (y.last().is_some_and(|octet| octet & 1 == 1), x)
            }
            (
                KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 | KeyAlgorithm::EcP521,
                [form, x @ ..],
            ) => (*form == 3, x),
            _ => (false, octets),
        };
        (self.algorithm, self.minimum_salt, is_odd, number)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// What an AlgorithmIdentifier says about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyType {
    Rsa,
    /// With the digest and the shortest salt where its use is limited to them.
    RsaPss(Option<(Digest, usize)>),
    EcP256,
    EcP384,
    EcP521,
    Ed25519,
}

impl KeyType {
    /// Reads the contents of an AlgorithmIdentifier.
    pub(super) fn read(identifier: &[u8], what: &'static str) -> Result<Self, Error> {
        let mut fields = Reader::new(identifier, what);
        match fields.oid()? {
            RSA_ENCRYPTION => {
                // RFC 3279, section 2.3.1 wants a NULL; some leave it out.
                fields.optional_null()?;
                fields.finish()?;
                Ok(Self::Rsa)
            }
            ID_RSASSA_PSS => {
                // RFC 4055, section 3.1: without parameters it may be used with any.
                let parameters = fields.optional(tlv::SEQUENCE)?;
                fields.finish()?;
                let restriction = parameters
                    .map(|found| pss_restriction(found, what))
                    .transpose()?;
                Ok(Self::RsaPss(restriction))
            }
            ID_EC_PUBLIC_KEY => {
                let curve = Self::from_curve(&mut fields)?;
                fields.finish()?;
                Ok(curve)
            }
            ID_ED_25519 => {
                fields.finish()?;
                Ok(Self::Ed25519)
            }
            other => Err(unsupported_key(&other)),
        }
    }

    /// Reads `ECParameters` (RFC 5480, section 2.1.1), of which only named curves are allowed.
    pub(super) fn from_curve(parameters: &mut Reader<'_>) -> Result<Self, Error> {
        if parameters.peek() != Some(tlv::OID) {
            return Err(Error::UnsupportedKey {
                found: "elliptic curve without a name".to_owned(),
                oid: None,
            });
        }
        match parameters.oid()? {
            SECP_256_R_1 => Ok(Self::EcP256),
            SECP_384_R_1 => Ok(Self::EcP384),
            SECP_521_R_1 => Ok(Self::EcP521),
            other => Err(unsupported_key(&other)),
        }
    }
}

/// The length of an RSA modulus if it is in the range that is handled.
pub(super) fn rsa_bits(modulus: &[u8]) -> Result<usize, Error> {
    let significant = modulus
        .iter()
        .position(|octet| *octet != 0)
        .and_then(|zeros| modulus.get(zeros..))
        .unwrap_or_default();
    let unused = significant.first().map_or(0, |octet| octet.leading_zeros());
    let bits = significant
        .len()
        .saturating_mul(8)
        .saturating_sub(unused as usize);
    if (rsa::PublicKey::MIN_SIZE..=rsa::PublicKey::MAX_SIZE).contains(&bits) {
        Ok(bits)
    } else {
        Err(Error::UnsupportedKey {
            found: format!(
                "RSA {bits} (sizes from {} to {} bits are handled)",
                rsa::PublicKey::MIN_SIZE,
                rsa::PublicKey::MAX_SIZE
            ),
            oid: None,
        })
    }
}

const WHAT: &str = "public key";

/// RFC 5480, section 2.2: a point is compressed or uncompressed. The curves' crates would take a "compact" one, too.
fn is_point(octets: &[u8]) -> bool {
    matches!(octets.first(), Some(2..=4))
}

/// What the parameters of a key for RSASSA-PSS limit it to. We sign with a salt as long as the digest: a key that wants a
/// longer one is of no use here.
fn pss_restriction(contents: &[u8], what: &'static str) -> Result<(Digest, usize), Error> {
    let parameters = PssParameters::read(contents, what)?;
    parameters
        .supported()
        .filter(|(digest, salt_len)| *salt_len <= digest.output_len())
        .ok_or_else(|| Error::UnsupportedKey {
            found: parameters.to_string(),
            oid: None,
        })
}

/// The length of the modulus of an `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn modulus_bits(octets: &[u8]) -> Result<usize, Error> {
    let mut numbers = Reader::enter(octets, tlv::SEQUENCE, WHAT)?;
    let bits = rsa_bits(numbers.value(tlv::INTEGER)?)?;
    rsa::PublicKey::from_pkcs1_der(octets)
        .map(|_| bits)
        .map_err(|_| malformed(WHAT, "it is not an RSA modulus and exponent"))
}

fn unsupported_key(oid: &ObjectIdentifier) -> Error {
    Error::UnsupportedKey {
        found: oid::name_or_unknown(oid).to_owned(),
        oid: Some(oid.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyKind, PrivateKey};

    #[test]
    fn a_public_key_is_read_back_octet_for_octet() {
        for kind in [
            KeyKind::Rsa2048,
            KeyKind::EcP256,
            KeyKind::EcP384,
            KeyKind::EcP521,
            KeyKind::Ed25519,
        ] {
            let key = PrivateKey::generate(kind).unwrap();
            let public = key.public_key();
            let read = PublicKey::from_spki_der(public.spki_der()).unwrap();
            assert_eq!(&read, public);
            assert_eq!(read.algorithm(), key.algorithm());
            let block = pem::blocks(public.to_pem().as_bytes()).unwrap();
            assert_eq!(block[0].label, "PUBLIC KEY");
            assert_eq!(*block[0].der, public.spki_der());
        }
    }

    /// The key under id-RSASSA-PSS, with these parameters.
    fn for_pss(key: &PublicKey, parameters: &[u8]) -> Result<PublicKey, Error> {
        let identifier = tlv::sequence(&[&tlv::oid(&ID_RSASSA_PSS), parameters]);
        let octets = tlv::tlv(tlv::BIT_STRING, &[&[0], key.key_octets()]);
        PublicKey::from_spki_der(&tlv::sequence(&[&identifier, &octets]))
    }

    /// RSASSA-PSS-params with SHA-256 and a salt of this length.
    fn sha256_parameters(salt_len: u8) -> Vec<u8> {
        let identifier =
            super::super::SignatureAlgorithm::RsaPss(Digest::Sha256).algorithm_identifier();
        let mut fields = Reader::enter(identifier, tlv::SEQUENCE, WHAT).unwrap();
        fields.oid().unwrap();
        let mut parameters = fields.read().unwrap().raw.to_vec();
        *parameters.last_mut().unwrap() = salt_len;
        parameters
    }

    #[test]
    fn a_key_for_rsassa_pss_alone_is_told_apart_with_what_limits_it() {
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let public = key.public_key();
        let limited = Some(Digest::Sha256);
        for (parameters, digest) in [
            (&[][..], None),
            (&sha256_parameters(20), limited),
            (&sha256_parameters(32), limited),
        ] {
            let read = for_pss(public, parameters).unwrap();
            assert_eq!(
                read.algorithm(),
                KeyAlgorithm::RsaPss { bits: 2048, digest }
            );
            assert_ne!(&read, public);
        }
        for (parameters, found) in [
            (&[0x30, 0][..], "RSASSA-PSS with SHA-1"),
            (
                &sha256_parameters(33),
                "RSASSA-PSS with SHA-256, salt of 33 octets",
            ),
        ] {
            assert_eq!(
                for_pss(public, parameters),
                Err(Error::UnsupportedKey {
                    found: found.to_owned(),
                    oid: None,
                })
            );
        }
    }

    #[test]
    fn a_key_for_rsassa_pss_verifies_within_its_limits() {
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let unlimited = for_pss(key.public_key(), &[]).unwrap();
        let limited = for_pss(key.public_key(), &sha256_parameters(20)).unwrap();
        assert_ne!(unlimited, limited);
        assert_ne!(
            limited,
            for_pss(key.public_key(), &sha256_parameters(32)).unwrap()
        );
        for (digest, salt_len, expected) in [
            (Digest::Sha256, 19, false),
            (Digest::Sha256, 20, true),
            (Digest::Sha256, 32, true),
            (Digest::Sha384, 48, false),
        ] {
            assert_eq!(
                limited.takes_pss(digest, salt_len),
                expected,
                "{digest} {salt_len}"
            );
            assert!(unlimited.takes_pss(digest, salt_len));
            assert!(key.public_key().takes_pss(digest, salt_len));
        }
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        for kind in [KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521] {
            let key = PrivateKey::generate(kind).unwrap();
            let mut spki = key.public_key().spki_der().to_vec();
            *spki.last_mut().unwrap() ^= 1;
            assert!(matches!(
                PublicKey::from_spki_der(&spki),
                Err(Error::Malformed { .. })
            ));
        }
    }

    #[test]
    fn short_and_long_rsa_moduli_are_refused_by_name() {
        for octets in [64, 1025] {
            let mut modulus = vec![0xff; octets];
            modulus.insert(0, 0);
            let error = rsa_bits(&modulus).unwrap_err();
            let expected = format!("unsupported key: RSA {}", octets * 8);
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
        assert_eq!(rsa_bits(&[0x01; 256]), Ok(2041));
    }
}
