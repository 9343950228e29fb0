use std::hash::{Hash, Hasher};

use const_oid::ObjectIdentifier;
use const_oid::db::{
    rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1},
    rfc8410::ID_ED_25519,
};
use rsa::pkcs1::DecodeRsaPublicKey;
use sha1::{Digest, Sha1};

use super::KeyAlgorithm;
use crate::{
    Error,
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
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER and checks that the key in it is one: an RSA modulus of 1024 to 8192 bits,
    /// a point on its curve.
    ///
    /// # Errors
    /// [`Error::UnsupportedKey`] for other algorithms, curves and sizes, RSASSA-PSS among them; [`Error::Malformed`]
    /// and [`Error::TrailingData`].
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, Error> {
        let mut fields = Reader::enter(spki, tlv::SEQUENCE, WHAT)?;
        let identifier = fields.read_tagged(tlv::SEQUENCE)?;
        let octets = fields.bit_string()?;
        fields.finish()?;

        let algorithm = match KeyType::read(identifier.value, WHAT)? {
            KeyType::Rsa => rsa_algorithm(octets)?,
            KeyType::EcP256 | KeyType::EcP384 if !is_point(octets) => {
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
            KeyType::Ed25519 => ed25519_dalek::VerifyingKey::try_from(octets)
                .map(|_| KeyAlgorithm::Ed25519)
                .map_err(|_| malformed(WHAT, "it is not a point on edwards25519"))?,
        };
        Ok(Self {
            spki: spki.to_vec(),
            algorithm,
            key_len: octets.len(),
        })
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
    /// What is the same for the same key: an RSA modulus and exponent in DER; an Ed25519 key; a point's x coordinate, and
    /// whether its y coordinate is odd (SEC 1, section 2.3.3).
    fn identity(&self) -> (KeyAlgorithm, bool, &[u8]) {
        let octets = self.key_octets();
        let (is_odd, number) = match (self.algorithm, octets) {
            (KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384, [4, point @ ..]) => {
                let (x, y) = point.split_at(point.len() / 2);
                (y.last().is_some_and(|octet| octet & 1 == 1), x)
            }
            (KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384, [form, x @ ..]) => (*form == 3, x),
            _ => (false, octets),
        };
        (self.algorithm, is_odd, number)
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
    EcP256,
    EcP384,
    Ed25519,
}

impl KeyType {
    /// Reads the contents of an AlgorithmIdentifier.
    pub(super) fn read(identifier: &[u8], what: &'static str) -> Result<Self, Error> {
        let mut fields = Reader::new(identifier, what);
        match fields.oid()? {
            RSA_ENCRYPTION => {
                // RFC 3279, section 2.3.1 wants a NULL; some leave it out.
                fields.optional(tlv::NULL)?;
                fields.finish()?;
                Ok(Self::Rsa)
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
            });
        }
        match parameters.oid()? {
            SECP_256_R_1 => Ok(Self::EcP256),
            SECP_384_R_1 => Ok(Self::EcP384),
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
        })
    }
}

const WHAT: &str = "public key";

/// RFC 5480, section 2.2: a point is compressed or uncompressed. The curves' crates would take a "compact" one, too.
fn is_point(octets: &[u8]) -> bool {
    matches!(octets.first(), Some(2..=4))
}

fn rsa_algorithm(octets: &[u8]) -> Result<KeyAlgorithm, Error> {
    let mut numbers = Reader::enter(octets, tlv::SEQUENCE, WHAT)?;
    let bits = rsa_bits(numbers.value(tlv::INTEGER)?)?;
    rsa::PublicKey::from_pkcs1_der(octets)
        .map(|_| KeyAlgorithm::Rsa { bits })
        .map_err(|_| malformed(WHAT, "it is not an RSA modulus and exponent"))
}

fn unsupported_key(oid: &ObjectIdentifier) -> Error {
    Error::UnsupportedKey {
        found: format!("{} ({oid})", oid::name_or_unknown(oid)),
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
            KeyKind::Ed25519,
        ] {
            let key = PrivateKey::generate(kind).unwrap();
            let public = key.public_key();
            let read = PublicKey::from_spki_der(public.spki_der()).unwrap();
            assert_eq!(&read, public);
            assert_eq!(read.algorithm(), key.algorithm());
        }
    }

    #[test]
    fn rsassa_pss_is_told_apart() {
        let identifier = tlv::sequence(&[&tlv::oid(&const_oid::db::rfc5912::ID_RSASSA_PSS)]);
        let spki = tlv::sequence(&[&identifier, &tlv::tlv(tlv::BIT_STRING, &[&[0, 1]])]);
        assert_eq!(
            PublicKey::from_spki_der(&spki),
            Err(Error::UnsupportedKey {
                found: "id-RSASSA-PSS (1.2.840.113549.1.1.10)".to_owned()
            })
        );
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let mut spki = key.public_key().spki_der().to_vec();
        *spki.last_mut().unwrap() ^= 1;
        assert!(matches!(
            PublicKey::from_spki_der(&spki),
            Err(Error::Malformed { .. })
        ));
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
