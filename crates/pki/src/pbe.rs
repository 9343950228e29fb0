//! Password-based encryption: PBES2 (RFC 8018, section 6.2) and the schemes of PKCS#12 (RFC 7292, appendix C), as key
//! files and bundles use them. What is written is always PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC.

use std::{fmt, ops::RangeInclusive};

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::{
    BlockCipherDecrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit,
    block_padding::Pkcs7,
};
use const_oid::db::rfc5911::{
    DES_EDE_3_CBC, ID_AES_128_CBC, ID_AES_192_CBC, ID_AES_256_CBC, ID_PBKDF_2,
};
use der::oid::ObjectIdentifier;
use des::{TdesEde2, TdesEde3};
use rand_core::TryCryptoRng;
use rc2::Rc2;
use zeroize::Zeroizing;

use crate::{
    Error, Passphrase,
    der::{self as tlv, Reader, malformed, unsupported},
    kdf::{Hash, Purpose, Spending, scrypt},
};

/// An encryption scheme with its parameters, all of which have been checked but for what they cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheme {
    cipher: Cipher,
    derivation: Derivation,
}

impl Scheme {
    /// Reads the contents of an AlgorithmIdentifier; errors speak of `what`.
    ///
    /// # Errors
    /// `UnsupportedScheme` and `Malformed`.
    pub(crate) fn read(identifier: &[u8], what: &'static str) -> Result<Self, Error> {
        let mut fields = Reader::new(identifier, what);
        let oid = fields.oid()?;
        let mut parameters = fields.nested(tlv::SEQUENCE)?;
        fields.finish()?;
        if oid == ID_PBES_2 {
            return Self::read_pbes2(parameters, what);
        }
        let cipher = [
            (PBE_SHA_3DES_3KEY, Cipher::DesEde3),
            (PBE_SHA_3DES_2KEY, Cipher::DesEde2),
            (PBE_SHA_RC2_128, Cipher::Rc2Bits128),
            (PBE_SHA_RC2_40, Cipher::Rc2Bits40),
        ]
        .into_iter()
        .find_map(|(known, cipher)| (known == oid).then_some(cipher))
        .ok_or_else(|| unsupported(what, &oid))?;
        let salt = parameters.value(tlv::OCTET_STRING)?.to_vec();
        let iterations = read_iterations(&mut parameters, what)?;
        parameters.finish()?;
        Ok(Self {
            cipher,
            derivation: Derivation::Pkcs12 { salt, iterations },
        })
    }

    fn read_pbes2(mut parameters: Reader<'_>, what: &'static str) -> Result<Self, Error> {
        let mut derivation = parameters.nested(tlv::SEQUENCE)?;
        let mut encryption = parameters.nested(tlv::SEQUENCE)?;
        parameters.finish()?;

        let oid = encryption.oid()?;
        let cipher = match oid {
            ID_AES_128_CBC => Cipher::Aes128,
            ID_AES_192_CBC => Cipher::Aes192,
            ID_AES_256_CBC => Cipher::Aes256,
            DES_EDE_3_CBC => Cipher::DesEde3,
            _ => return Err(unsupported(what, &oid)),
        };
        let iv = encryption.value(tlv::OCTET_STRING)?.to_vec();
        encryption.finish()?;
        if iv.len() != cipher.block_len() {
            return Err(malformed(what, "initialization vector of another length"));
        }

        let oid = derivation.oid()?;
        let fields = derivation.nested(tlv::SEQUENCE)?;
        derivation.finish()?;
        let (derivation, key_len) = match oid {
            ID_PBKDF_2 => {
                let (parameters, key_len) = Pbkdf2::read(fields, what)?;
                (Derivation::Pbkdf2 { parameters, iv }, key_len)
            }
            SCRYPT => read_scrypt(fields, iv, what)?,
            _ => return Err(unsupported(what, &oid)),
        };
        if key_len.is_some_and(|len| len != cipher.key_len() as u64) {
            return Err(malformed(what, "key length that is not the cipher's"));
        }
        Ok(Self { cipher, derivation })
    }

    /// Charges what opening something under this scheme costs once.
    pub(crate) fn charge(&self, spending: &mut Spending) -> Result<(), Error> {
        let key_len = self.cipher.key_len();
        match &self.derivation {
            Derivation::Pbkdf2 { parameters, .. } => parameters.charge(key_len, spending),
            Derivation::Scrypt { n, r, p, .. } => spending.charge_scrypt(*n, *r, *p),
            Derivation::Pkcs12 { iterations, .. } => {
                // One more block for the initialization vector.
                let blocks = Hash::Sha1.blocks(key_len).saturating_add(1);
                spending.charge(*iterations, blocks)
            }
        }
    }

    /// Whether the passphrase is taken as a BMPString, of which the empty one and none are two.
    pub(crate) fn takes_bmp(&self) -> bool {
        matches!(self.derivation, Derivation::Pkcs12 { .. })
    }

    /// Decrypts; `None` when the result has no proper padding, for which the passphrase is to blame, or damage.
    ///
    /// Charge for it first.
    pub(crate) fn decrypt(
        &self,
        password: &Password<'_>,
        ciphertext: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let mut key = Zeroizing::new(vec![0; self.cipher.key_len()]);
        match &self.derivation {
            Derivation::Pbkdf2 { parameters, iv } => {
                parameters.derive(password.utf8(), &mut key);
                Ok(self.cipher.decrypt(&key, iv, ciphertext))
            }
            Derivation::Scrypt { salt, n, r, p, iv } => {
                scrypt(password.utf8(), salt, *n, *r, *p, &mut key)?;
                Ok(self.cipher.decrypt(&key, iv, ciphertext))
            }
            Derivation::Pkcs12 { salt, iterations } => {
                let password = password.bmp();
                let mut iv = vec![0; self.cipher.block_len()];
                Hash::Sha1.pkcs12(&password, salt, Purpose::Key, *iterations, &mut key);
                Hash::Sha1.pkcs12(&password, salt, Purpose::Iv, *iterations, &mut iv);
                Ok(self.cipher.decrypt(&key, &iv, ciphertext))
            }
        }
    }
}

/// For example `PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)`.
impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cipher = self.cipher.name();
        match &self.derivation {
            Derivation::Pbkdf2 { parameters, .. } => {
                let prf = parameters.prf.name();
                let iterations = parameters.iterations;
                write!(
                    f,
                    "PBES2 ({cipher}, PBKDF2-HMAC-{prf}, {iterations} iterations)"
                )
            }
            Derivation::Scrypt { n, r, p, .. } => {
                write!(f, "PBES2 ({cipher}, scrypt, N={n}, r={r}, p={p})")
            }
            Derivation::Pkcs12 { iterations, .. } => {
                write!(f, "PKCS#12 PBE ({cipher}, SHA-1, {iterations} iterations)")
            }
        }
    }
}

/// A passphrase in the two forms that the schemes take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Password<'a> {
    passphrase: &'a Passphrase,
    null: bool,
}

impl<'a> Password<'a> {
    pub(crate) fn new(passphrase: &'a Passphrase) -> Self {
        Self {
            passphrase,
            null: false,
        }
    }

    /// The passphrase as no BMPString at all, if it is empty: some writers take the empty passphrase for none.
    pub(crate) fn null(passphrase: &'a Passphrase) -> Option<Self> {
        passphrase.is_empty().then_some(Self {
            passphrase,
            null: true,
        })
    }

    pub(crate) fn utf8(&self) -> &'a [u8] {
        self.passphrase.as_str().as_bytes()
    }

    /// A BMPString with its terminator (RFC 7292, appendix B.1). Characters outside the Basic Multilingual Plane become
    /// surrogate pairs, as OpenSSL and Java have them.
    pub(crate) fn bmp(&self) -> Zeroizing<Vec<u8>> {
        let text = self.passphrase.as_str();
        let mut octets = Zeroizing::new(Vec::with_capacity(
            text.len().saturating_mul(2).saturating_add(2),
        ));
        if !self.null {
            octets.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            octets.extend([0, 0]);
        }
        octets
    }
}

/// Checks an iteration count for writing.
///
/// # Errors
/// `ParameterOutOfRange`.
pub(crate) fn check_iterations(iterations: u32) -> Result<(), Error> {
    if ITERATIONS.contains(&iterations) {
        Ok(())
    } else {
        Err(Error::ParameterOutOfRange {
            parameter: "key derivation iteration count",
            found: iterations.into(),
            min: (*ITERATIONS.start()).into(),
            max: (*ITERATIONS.end()).into(),
        })
    }
}

/// Encrypts with a fresh salt and initialization vector; gives the AlgorithmIdentifier in DER and the ciphertext.
///
/// # Errors
/// `Randomness`.
pub(crate) fn encrypt(
    plaintext: &[u8],
    passphrase: &Passphrase,
    iterations: u32,
    rng: &mut (impl TryCryptoRng + ?Sized),
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let mut salt = [0; SALT_LEN];
    let mut iv = [0; 16];
    rng.try_fill_bytes(&mut salt)
        .map_err(|_| Error::Randomness)?;
    rng.try_fill_bytes(&mut iv).map_err(|_| Error::Randomness)?;

    let mut key = Zeroizing::new([0; 32]);
    let password = Password::new(passphrase);
    Hash::Sha256.pbkdf2(password.utf8(), &salt, iterations, key.as_mut_slice());
    let ciphertext = cbc::Encryptor::<Aes256>::new((&*key).into(), (&iv).into())
        .encrypt_padded_vec::<Pkcs7>(plaintext);

    let prf = tlv::sequence(&[&tlv::oid(&HMAC_SHA256), tlv::ENCODED_NULL]);
    let pbkdf2 = tlv::sequence(&[
        &tlv::tlv(tlv::OCTET_STRING, &[&salt]),
        &tlv::uint(iterations.into()),
        &prf,
    ]);
    let derivation = tlv::sequence(&[&tlv::oid(&ID_PBKDF_2), &pbkdf2]);
    let encryption = tlv::sequence(&[
        &tlv::oid(&ID_AES_256_CBC),
        &tlv::tlv(tlv::OCTET_STRING, &[&iv]),
    ]);
    let parameters = tlv::sequence(&[&derivation, &encryption]);
    Ok((
        tlv::sequence(&[&tlv::oid(&ID_PBES_2), &parameters]),
        ciphertext,
    ))
}

/// PBKDF2 with its parameters (RFC 8018, appendix A.2), also under PBMAC1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pbkdf2 {
    salt: Vec<u8>,
    pub(crate) iterations: u32,
    prf: Hash,
}

impl Pbkdf2 {
    /// Reads the parameters; gives the key length, too, if they state one.
    pub(crate) fn read(
        mut fields: Reader<'_>,
        what: &'static str,
    ) -> Result<(Self, Option<u64>), Error> {
        if fields.peek() != Some(tlv::OCTET_STRING) {
            return Err(malformed(what, "salt that is not a plain string"));
        }
        let salt = fields.value(tlv::OCTET_STRING)?.to_vec();
        let iterations = read_iterations(&mut fields, what)?;
        let key_len = match fields.peek() {
            Some(tlv::INTEGER) => Some(fields.uint()?),
            _ => None,
        };
        let prf = match fields.optional(tlv::SEQUENCE)? {
            Some(identifier) => read_hmac(identifier, what)?,
            None => Hash::Sha1,
        };
        fields.finish()?;
        let parameters = Self {
            salt,
            iterations,
            prf,
        };
        Ok((parameters, key_len))
    }

    pub(crate) fn charge(&self, key_len: usize, spending: &mut Spending) -> Result<(), Error> {
        spending.charge(self.iterations, self.prf.blocks(key_len))
    }

    pub(crate) fn derive(&self, password: &[u8], key: &mut [u8]) {
        self.prf.pbkdf2(password, &self.salt, self.iterations, key);
    }
}

/// Reads the contents of the AlgorithmIdentifier of an HMAC.
pub(crate) fn read_hmac(identifier: &[u8], what: &'static str) -> Result<Hash, Error> {
    let mut fields = Reader::new(identifier, what);
    let oid = fields.oid()?;
    fields.optional(tlv::NULL)?;
    fields.finish()?;
    HMACS
        .iter()
        .find_map(|(known, hash)| (*known == oid).then_some(*hash))
        .ok_or_else(|| unsupported(what, &oid))
}

/// Reads an iteration count: a positive number. What 32 bits can't hold is beyond every budget.
pub(crate) fn read_iterations(fields: &mut Reader<'_>, what: &'static str) -> Result<u32, Error> {
    match fields.uint()? {
        0 => Err(malformed(what, "iteration count of zero")),
        found => u32::try_from(found).map_err(|_| Error::BudgetExceeded {
            parameter: "key derivation iteration count",
            found,
            limit: u32::MAX.into(),
        }),
    }
}

/// A block cipher in CBC mode with the padding of PKCS#7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    DesEde3,
    DesEde2,
    Rc2Bits128,
    Rc2Bits40,
}

impl Cipher {
    pub(crate) fn key_len(self) -> usize {
        match self {
            Self::Aes128 | Self::DesEde2 | Self::Rc2Bits128 => 16,
            Self::Aes192 | Self::DesEde3 => 24,
            Self::Aes256 => 32,
            Self::Rc2Bits40 => 5,
        }
    }

    /// The length of a block and so of the initialization vector.
    pub(crate) fn block_len(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::DesEde3 | Self::DesEde2 | Self::Rc2Bits128 | Self::Rc2Bits40 => 8,
        }
    }

    /// Decrypts; `None` without proper padding, or when key or initialization vector have another length.
    pub(crate) fn decrypt(self, key: &[u8], iv: &[u8], text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes128 => decrypt_cbc::<Aes128>(key, iv, text),
            Self::Aes192 => decrypt_cbc::<Aes192>(key, iv, text),
            Self::Aes256 => decrypt_cbc::<Aes256>(key, iv, text),
            Self::DesEde3 => decrypt_cbc::<TdesEde3>(key, iv, text),
            Self::DesEde2 => decrypt_cbc::<TdesEde2>(key, iv, text),
            Self::Rc2Bits128 | Self::Rc2Bits40 => decrypt_cbc::<Rc2>(key, iv, text),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "AES-128-CBC",
            Self::Aes192 => "AES-192-CBC",
            Self::Aes256 => "AES-256-CBC",
            Self::DesEde3 => "3DES-CBC",
            Self::DesEde2 => "two-key 3DES-CBC",
            Self::Rc2Bits128 => "RC2-128-CBC",
            Self::Rc2Bits40 => "RC2-40-CBC",
        }
    }
}

/// Iterations of the key derivation when the caller doesn't choose.
pub(crate) const DEFAULT_ITERATIONS: u32 = 100_000;

/// NIST SP 800-132, section 5.2 asks for 1,000 at least; some readers refuse more than a million.
const ITERATIONS: RangeInclusive<u32> = 1_000..=1_000_000;
/// NIST SP 800-132, section 5.1 asks for 16 octets at least.
const SALT_LEN: usize = 16;

const ID_PBES_2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const SCRYPT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.4.11");
const PBE_SHA_3DES_3KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const PBE_SHA_3DES_2KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.4");
const PBE_SHA_RC2_128: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.5");
const PBE_SHA_RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMACS: [(ObjectIdentifier, Hash); 7] = [
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.7"),
        Hash::Sha1,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.8"),
        Hash::Sha224,
    ),
    (HMAC_SHA256, Hash::Sha256),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.10"),
        Hash::Sha384,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.11"),
        Hash::Sha512,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.12"),
        Hash::Sha512_224,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.13"),
        Hash::Sha512_256,
    ),
];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Derivation {
    Pbkdf2 {
        parameters: Pbkdf2,
        iv: Vec<u8>,
    },
    Scrypt {
        salt: Vec<u8>,
        n: u64,
        r: u32,
        p: u32,
        iv: Vec<u8>,
    },
    Pkcs12 {
        salt: Vec<u8>,
        iterations: u32,
    },
}

/// `scrypt-params` (RFC 7914, section 7).
fn read_scrypt(
    mut fields: Reader<'_>,
    iv: Vec<u8>,
    what: &'static str,
) -> Result<(Derivation, Option<u64>), Error> {
    let salt = fields.value(tlv::OCTET_STRING)?.to_vec();
    let n = fields.uint()?;
    let [r, p] = [fields.uint()?, fields.uint()?].map(u32::try_from);
    let key_len = match fields.peek() {
        Some(tlv::INTEGER) => Some(fields.uint()?),
        _ => None,
    };
    fields.finish()?;
    let too_high = |_| malformed(what, "scrypt parameters of more than 32 bits");
    let (r, p) = (r.map_err(too_high)?, p.map_err(too_high)?);
    Ok((Derivation::Scrypt { salt, n, r, p, iv }, key_len))
}

fn decrypt_cbc<C>(key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    C: BlockCipherDecrypt + KeyInit,
{
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let len = cbc::Decryptor::<C>::new_from_slices(key, iv)
        .ok()?
        .decrypt_padded::<Pkcs7>(&mut buffer)
        .ok()?
        .len();
    buffer.truncate(len);
    Some(buffer)
}
