//! The MAC of a bundle: the classic one (RFC 7292, section 4) and PBMAC1 (RFC 9579).

use const_oid::ObjectIdentifier;
#[cfg(feature = "legacy")]
use const_oid::db::fips202::{ID_SHA_3_224, ID_SHA_3_256, ID_SHA_3_384, ID_SHA_3_512};
use const_oid::db::rfc5912::{ID_SHA_1, ID_SHA_224, ID_SHA_256, ID_SHA_384, ID_SHA_512};
use subtle::ConstantTimeEq;

use super::Integrity;
use crate::{
    Error,
    budget::Spending,
    der::{self as tlv, Reader, malformed},
    kdf::{Derivation, Function, Hash, Key, Purpose},
    oid::unsupported,
    pbe::{Password, Pbkdf2, hmac_sha256, pbkdf2_sha256, read_hmac, read_iterations},
};

/// A MAC as it stands in a file.
pub(super) struct Mac {
    scheme: Scheme,
    digest: Vec<u8>,
}

impl Mac {
    /// Reads the contents of a `MacData`.
    pub(super) fn read(mac_data: &[u8]) -> Result<Self, Error> {
        let mut fields = Reader::new(mac_data, WHAT);
        let mut digest_info = fields.nested(tlv::SEQUENCE)?;
        let salt = fields.value(tlv::OCTET_STRING)?.to_vec();
        let iterations = match fields.is_empty() {
            true => 1,
            false => read_iterations(&mut fields, WHAT)?,
        };
        fields.finish()?;

        let mut algorithm = digest_info.nested(tlv::SEQUENCE)?;
        let digest = digest_info.value(tlv::OCTET_STRING)?.to_vec();
        digest_info.finish()?;

        let oid = algorithm.oid()?;
        let scheme = if oid == PBMAC1 {
            read_pbmac1(algorithm.nested(tlv::SEQUENCE)?)?
        } else {
            algorithm.optional_null()?;
            let hash = HASHES
                .iter()
                .find_map(|(known, hash)| (*known == oid).then_some(*hash))
                .ok_or_else(|| unsupported(WHAT, &oid))?;
            Scheme::Classic {
                hash,
                salt,
                iterations,
            }
        };
        algorithm.finish()?;
        Ok(Self { scheme, digest })
    }

    /// Charges what one verification costs.
    pub(super) fn charge(&self, spending: &mut Spending) -> Result<(), Error> {
        match &self.scheme {
            Scheme::Classic { iterations, .. } => spending.charge(*iterations, 1),
            Scheme::Pbmac1 { kdf, key_len, .. } => kdf.charge(*key_len, spending),
        }
    }

    /// How its key is derived. Charge for it first.
    pub(super) fn derivation<'a>(&'a self, password: &'a Password<'_>) -> Derivation<'a> {
        match &self.scheme {
            Scheme::Classic {
                hash,
                salt,
                iterations,
            } => classic(*hash, password, salt, *iterations),
            Scheme::Pbmac1 { kdf, key_len, .. } => kdf.derivation(password, *key_len),
        }
    }

    /// Whether it is the MAC of these octets under this key, in constant time.
    pub(super) fn verifies(&self, key: &Key, octets: &[u8]) -> Result<bool, Error> {
        let hash = match &self.scheme {
            Scheme::Classic { hash, .. } | Scheme::Pbmac1 { hash, .. } => hash,
        };
        Ok(hash.hmac(key, octets)?.ct_eq(&self.digest).into())
    }

    pub(super) fn integrity(&self) -> Integrity {
        match &self.scheme {
            Scheme::Classic {
                hash, iterations, ..
            } => Integrity::Mac {
                digest: hash.name().to_owned(),
                iterations: (*iterations).into(),
            },
            Scheme::Pbmac1 { kdf, hash, .. } => Integrity::Mac {
                digest: format!("{} (PBMAC1)", hash.name()),
                iterations: kdf.iterations.into(),
            },
        }
    }
}

/// How the MAC of a file that is written is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MacKind {
    /// RFC 7292, appendix B, with this hash.
    Classic(Hash),
    /// RFC 9579 with PBKDF2-HMAC-SHA-256 and HMAC-SHA-256.
    Pbmac1,
}

impl MacKind {
    /// How the key is derived.
    pub(super) fn derivation<'a>(
        self,
        password: &'a Password<'_>,
        salt: &'a [u8],
        iterations: u32,
    ) -> Derivation<'a> {
        match self {
            Self::Classic(hash) => classic(hash, password, salt, iterations),
            Self::Pbmac1 => Derivation {
                function: Function::Pbkdf2,
                hash: Hash::Sha256,
                password: password.utf8(),
                salt,
                iterations,
                key_len: 32,
            },
        }
    }

    /// The `MacData` of the octets, in DER.
    pub(super) fn mac_data(
        self,
        key: &Key,
        salt: &[u8],
        iterations: u32,
        octets: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let (algorithm, digest) = match self {
            Self::Classic(hash) => {
                let oid = HASHES.iter().find(|(_, known)| *known == hash);
                let oid = oid.map_or(ID_SHA_256, |(oid, _)| *oid);
                (
                    tlv::sequence(&[&tlv::oid(&oid), tlv::ENCODED_NULL]),
                    hash.hmac(key, octets)?,
                )
            }
            Self::Pbmac1 => {
                let parameters =
                    tlv::sequence(&[&pbkdf2_sha256(salt, iterations, Some(32)), &hmac_sha256()]);
                (
                    tlv::sequence(&[&tlv::oid(&PBMAC1), &parameters]),
                    Hash::Sha256.hmac(key, octets)?,
                )
            }
        };
        let (salt, iterations) = match self {
            Self::Classic(_) => (salt, tlv::uint(iterations.into())),
            // RFC 9579, section 4 has them ignored; its examples have this salt. A count of one is the default, which
            // DER leaves out.
            Self::Pbmac1 => (b"NOT USED".as_slice(), Vec::new()),
        };
        Ok(tlv::sequence(&[
            &tlv::sequence(&[&algorithm, &tlv::tlv(tlv::OCTET_STRING, &[&digest])]),
            &tlv::tlv(tlv::OCTET_STRING, &[salt]),
            &iterations,
        ]))
    }
}

const WHAT: &str = "PKCS#12 MAC";
/// With a shorter key there is a MAC that fits whatever the passphrase is, soon found by trying: RFC 9579 has it refused in its
/// security considerations.
const MIN_KEY_LEN: u64 = 20;
/// A key longer than the longest block of a hash would be hashed first.
const MAX_KEY_LEN: u64 = 128;

const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");
const PBKDF2: ObjectIdentifier = const_oid::db::rfc5911::ID_PBKDF_2;
const SHA_512_224: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.5");
const SHA_512_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.6");
const MD5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.5");
const HASHES: &[(ObjectIdentifier, Hash)] = &[
    (MD5, Hash::Md5),
    (ID_SHA_1, Hash::Sha1),
    (ID_SHA_224, Hash::Sha224),
    (ID_SHA_256, Hash::Sha256),
    (ID_SHA_384, Hash::Sha384),
    (ID_SHA_512, Hash::Sha512),
    (SHA_512_224, Hash::Sha512_224),
    (SHA_512_256, Hash::Sha512_256),
    #[cfg(feature = "legacy")]
    (ID_SHA_3_224, Hash::Sha3_224),
    #[cfg(feature = "legacy")]
    (ID_SHA_3_256, Hash::Sha3_256),
    #[cfg(feature = "legacy")]
    (ID_SHA_3_384, Hash::Sha3_384),
    #[cfg(feature = "legacy")]
    (ID_SHA_3_512, Hash::Sha3_512),
];

enum Scheme {
    Classic {
        hash: Hash,
        salt: Vec<u8>,
        iterations: u32,
    },
    Pbmac1 {
        kdf: Pbkdf2,
        hash: Hash,
        key_len: usize,
    },
}

/// `PBMAC1-params` (RFC 8018, appendix A.5). RFC 9579, section 5 makes the key length mandatory.
fn read_pbmac1(mut parameters: Reader<'_>) -> Result<Scheme, Error> {
    let mut derivation = parameters.nested(tlv::SEQUENCE)?;
    let hash = read_hmac(parameters.value(tlv::SEQUENCE)?, WHAT)?;
    parameters.finish()?;
    let oid = derivation.oid()?;
    if oid != PBKDF2 {
        return Err(unsupported(WHAT, &oid));
    }
    let (kdf, key_len) = Pbkdf2::read(derivation.nested(tlv::SEQUENCE)?, WHAT)?;
    derivation.finish()?;
    let key_len = key_len
        .filter(|len| (MIN_KEY_LEN..=MAX_KEY_LEN).contains(len))
        .and_then(|len| usize::try_from(len).ok())
        .ok_or_else(|| malformed(WHAT, "PBMAC1 without a proper key length"))?;
    Ok(Scheme::Pbmac1 { kdf, hash, key_len })
}

fn classic<'a>(
    hash: Hash,
    password: &'a Password<'_>,
    salt: &'a [u8],
    iterations: u32,
) -> Derivation<'a> {
    Derivation {
        function: Function::Pkcs12(Purpose::Mac),
        hash,
        password: password.bmp(),
        salt,
        iterations,
        key_len: hash.output_len(),
    }
}
