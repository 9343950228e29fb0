//! Password-based encryption: PBES2 (RFC 8018, section 6.2), PBES1 (section 6.1) and the schemes of PKCS#12 (RFC 7292,
//! appendix C), as key files and bundles use them.

mod cipher;
mod encrypt;

use std::fmt;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{
    DES_EDE_3_CBC, ID_AES_128_CBC, ID_AES_128_GCM, ID_AES_192_CBC, ID_AES_192_GCM, ID_AES_256_CBC,
    ID_AES_256_GCM, ID_PBKDF_2,
};
use zeroize::Zeroizing;

pub(crate) use self::{
    cipher::Cipher,
    encrypt::{
        DEFAULT_ITERATIONS, Encryption, SALT_LEN, Seal, check_iterations, hmac_sha256,
        pbkdf2_sha256, random,
    },
};
use crate::{
    Error, Passphrase,
    budget::Spending,
    der::{self as tlv, Reader, malformed},
    kdf::{self, Function, Hash, Key, Pbkdf1Hash, Purpose, pbkdf1, scrypt},
    oid::unsupported,
};

/// An encryption scheme with its parameters, all of which have been checked but for what they cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheme {
    cipher: Cipher,
    /// The cipher's, but for RC2, which takes keys of any length.
    key_len: usize,
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
        // The parameters of all others are a salt and a count (RFC 8018, appendix A.3; RFC 7292, appendix C).
        let (cipher, pbkdf1) = match oid {
            PBE_SHA_3DES_3KEY => (Cipher::DesEde3, None),
            PBE_SHA_3DES_2KEY => (Cipher::DesEde2, None),
            PBE_SHA_RC2_128 => (Cipher::Rc2Bits128, None),
            PBE_SHA_RC2_40 => (Cipher::Rc2Bits40, None),
            #[cfg(feature = "legacy")]
            PBE_SHA_RC4_128 => (Cipher::Rc4Bits128, None),
            #[cfg(feature = "legacy")]
            PBE_SHA_RC4_40 => (Cipher::Rc4Bits40, None),
            PBE_MD5_DES => (Cipher::Des, Some(Pbkdf1Hash::Md5)),
            PBE_MD5_RC2 => (Cipher::Rc2Bits64, Some(Pbkdf1Hash::Md5)),
            PBE_SHA1_DES => (Cipher::Des, Some(Pbkdf1Hash::Sha1)),
            PBE_SHA1_RC2 => (Cipher::Rc2Bits64, Some(Pbkdf1Hash::Sha1)),
            _ => return Err(unsupported(what, &oid)),
        };
        let salt = parameters.value(tlv::OCTET_STRING)?.to_vec();
        let iterations = read_iterations(&mut parameters, what)?;
        parameters.finish()?;
        let derivation = match pbkdf1 {
            None => Derivation::Pkcs12 { salt, iterations },
            Some(hash) => Derivation::Pbkdf1 {
                hash,
                salt,
                iterations,
            },
        };
        Ok(Self {
            cipher,
            key_len: cipher.key_len(),
            derivation,
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
            ID_AES_128_GCM => Cipher::Aes128Gcm,
            ID_AES_192_GCM => Cipher::Aes192Gcm,
            ID_AES_256_GCM => Cipher::Aes256Gcm,
            DES_EDE_3_CBC => Cipher::DesEde3,
            DES_CBC => Cipher::Des,
            RC2_CBC => read_rc2_version(&mut encryption, what)?,
            #[cfg(feature = "legacy")]
            CAMELLIA_128_CBC => Cipher::Camellia128,
            #[cfg(feature = "legacy")]
            CAMELLIA_192_CBC => Cipher::Camellia192,
            #[cfg(feature = "legacy")]
            CAMELLIA_256_CBC => Cipher::Camellia256,
            _ => return Err(unsupported(what, &oid)),
        };
        let iv = if cipher.is_gcm() {
            read_gcm_nonce(&mut encryption, what)?
        } else {
            encryption.value(tlv::OCTET_STRING)?.to_vec()
        };
        encryption.finish()?;
        if iv.len() != cipher.iv_len() {
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
        let key_len = match key_len.map(usize::try_from) {
            None => cipher.key_len(),
            Some(Ok(len)) if cipher.takes_key_of(len) => len,
            Some(_) => return Err(malformed(what, "key length that is not the cipher's")),
        };
        Ok(Self {
            cipher,
            key_len,
            derivation,
        })
    }

    /// Charges what opening something under this scheme costs once.
    pub(crate) fn charge(&self, spending: &mut Spending) -> Result<(), Error> {
        let key_len = self.key_len;
        match &self.derivation {
            Derivation::Pbkdf2 { parameters, .. } => parameters.charge(key_len, spending),
            Derivation::Scrypt { n, r, p, .. } => spending.charge_scrypt(*n, *r, *p),
            Derivation::Pkcs12 { iterations, .. } => {
                // One more block for the initialization vector.
                let blocks = Hash::Sha1.blocks(key_len).saturating_add(1);
                spending.charge(*iterations, blocks)
            }
            Derivation::Pbkdf1 { iterations, .. } => spending.charge(*iterations, 1),
        }
    }

    /// Whether the passphrase is taken as a BMPString, of which the empty one and none are two.
    pub(crate) fn takes_bmp(&self) -> bool {
        matches!(self.derivation, Derivation::Pkcs12 { .. })
    }

    /// How the key is derived, if that may be done ahead, beside others: the same for a passphrase in all its forms.
    pub(crate) fn derivation<'a>(&'a self, password: &Password<'a>) -> Option<kdf::Derivation<'a>> {
        match &self.derivation {
            Derivation::Pbkdf2 { parameters, .. } => {
                Some(parameters.derivation(password, self.key_len))
            }
            _ => None,
        }
    }

    /// Decrypts; `None` when the result has no proper padding, for which the passphrase is to blame, or damage. The key is that of
    /// [`derivation`](Self::derivation), or `None` to have it derived.
    ///
    /// Charge for it first.
    pub(crate) fn decrypt(
        &self,
        password: &Password<'_>,
        key: Option<&Key>,
        ciphertext: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let key_len = self.key_len;
        match &self.derivation {
            Derivation::Pbkdf2 { parameters, iv } => {
                let decrypt = |key: &Key| self.cipher.decrypt(key, iv, ciphertext);
                Ok(match key {
                    Some(key) => decrypt(key),
                    None => decrypt(&parameters.derivation(password, key_len).derive()),
                })
            }
            Derivation::Scrypt { salt, n, r, p, iv } => {
                let mut key = Zeroizing::new(vec![0; key_len]);
                scrypt(password.utf8(), salt, *n, *r, *p, &mut key)?;
                Ok(self.cipher.decrypt(&key, iv, ciphertext))
            }
            Derivation::Pkcs12 { salt, iterations } => {
                let derive =
                    |purpose, len| pkcs12_sha1(password, salt, *iterations, purpose, len).derive();
                let key = derive(Purpose::Key, key_len);
                let iv = match self.cipher.iv_len() {
                    0 => Key::default(),
                    len => derive(Purpose::Iv, len),
                };
                Ok(self.cipher.decrypt(&key, &iv, ciphertext))
            }
            Derivation::Pbkdf1 {
                hash,
                salt,
                iterations,
            } => {
                // Eight octets of key, and eight of initialization vector.
                let derived = pbkdf1(*hash, password.utf8(), salt, *iterations);
                let (key, iv) = derived.split_at(8);
                Ok(self.cipher.decrypt(key, iv, ciphertext))
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
            Derivation::Pbkdf1 {
                hash, iterations, ..
            } => {
                let hash = hash.name();
                write!(f, "PBES1 ({cipher}, {hash}, {iterations} iterations)")
            }
        }
    }
}

/// A scheme in words, whether it is implemented or not; `None` for one that can't be read.
pub(crate) fn described(scheme: &Result<Scheme, Error>) -> Option<String> {
    match scheme {
        Ok(scheme) => Some(scheme.to_string()),
        Err(Error::UnsupportedScheme { name, oid, .. }) => Some(format!("{name} ({oid})")),
        Err(_) => None,
    }
}

/// A passphrase in the two forms that the schemes take.
#[derive(Debug)]
pub(crate) struct Password<'a> {
    passphrase: &'a Passphrase,
    bmp: Zeroizing<Vec<u8>>,
}

impl<'a> Password<'a> {
    pub(crate) fn new(passphrase: &'a Passphrase) -> Self {
        let text = passphrase.as_str();
        let len = text.len().saturating_mul(2).saturating_add(2);
        let mut bmp = Zeroizing::new(Vec::with_capacity(len));
        bmp.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        bmp.extend([0, 0]);
        Self { passphrase, bmp }
    }

    /// The passphrase as no BMPString at all, if it is empty: some writers take the empty passphrase for none.
    pub(crate) fn null(passphrase: &'a Passphrase) -> Option<Self> {
        passphrase.is_empty().then(|| Self {
            passphrase,
            bmp: Zeroizing::default(),
        })
    }

    pub(crate) fn utf8(&self) -> &'a [u8] {
        self.passphrase.as_str().as_bytes()
    }

    /// A BMPString with its terminator (RFC 7292, appendix B.1). Characters outside the Basic Multilingual Plane become
    /// surrogate pairs, as OpenSSL and Java have them.
    pub(crate) fn bmp(&self) -> &[u8] {
        &self.bmp
    }
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

    pub(crate) fn derivation<'a>(
        &'a self,
        password: &Password<'a>,
        key_len: usize,
    ) -> kdf::Derivation<'a> {
        kdf::Derivation {
            function: Function::Pbkdf2,
            hash: self.prf,
            password: password.utf8(),
            salt: &self.salt,
            iterations: self.iterations,
            key_len,
        }
    }
}

/// As the schemes of PKCS#12 itself derive keys and initialization vectors.
fn pkcs12_sha1<'a>(
    password: &'a Password<'_>,
    salt: &'a [u8],
    iterations: u32,
    purpose: Purpose,
    key_len: usize,
) -> kdf::Derivation<'a> {
    kdf::Derivation {
        function: Function::Pkcs12(purpose),
        hash: Hash::Sha1,
        password: password.bmp(),
        salt,
        iterations,
        key_len,
    }
}

/// Reads the contents of the AlgorithmIdentifier of an HMAC.
pub(crate) fn read_hmac(identifier: &[u8], what: &'static str) -> Result<Hash, Error> {
    let mut fields = Reader::new(identifier, what);
    let oid = fields.oid()?;
    fields.optional_null()?;
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

const ID_PBES_2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const RC2_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.3.2");
#[cfg(feature = "legacy")]
const CAMELLIA_128_CBC: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.392.200011.61.1.1.1.2");
#[cfg(feature = "legacy")]
const CAMELLIA_192_CBC: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.392.200011.61.1.1.1.3");
#[cfg(feature = "legacy")]
const CAMELLIA_256_CBC: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.392.200011.61.1.1.1.4");
const DES_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.7");
const PBE_MD5_DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.3");
const PBE_MD5_RC2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.6");
const PBE_SHA1_DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.10");
const PBE_SHA1_RC2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.11");
const SCRYPT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.4.11");
const PBE_SHA_3DES_3KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const PBE_SHA_3DES_2KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.4");
#[cfg(feature = "legacy")]
const PBE_SHA_RC4_128: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.1");
#[cfg(feature = "legacy")]
const PBE_SHA_RC4_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.2");
const PBE_SHA_RC2_128: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.5");
const PBE_SHA_RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMACS: &[(ObjectIdentifier, Hash)] = &[
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.6"),
        Hash::Md5,
    ),
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
    #[cfg(feature = "legacy")]
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.13"),
        Hash::Sha3_224,
    ),
    #[cfg(feature = "legacy")]
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.14"),
        Hash::Sha3_256,
    ),
    #[cfg(feature = "legacy")]
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.15"),
        Hash::Sha3_384,
    ),
    #[cfg(feature = "legacy")]
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.16"),
        Hash::Sha3_512,
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
    Pbkdf1 {
        hash: Pbkdf1Hash,
        salt: Vec<u8>,
        iterations: u32,
    },
}

/// `GCMParameters` (RFC 5084, section 3.2) with a tag of 16 octets, or the bare nonce that some writers put there.
fn read_gcm_nonce(fields: &mut Reader<'_>, what: &'static str) -> Result<Vec<u8>, Error> {
    if let Some(nonce) = fields.optional(tlv::OCTET_STRING)? {
        return Ok(nonce.to_vec());
    }
    let mut parameters = fields.nested(tlv::SEQUENCE)?;
    let nonce = parameters.value(tlv::OCTET_STRING)?.to_vec();
    let tag_len = match parameters.is_empty() {
        true => 12,
        false => parameters.uint()?,
    };
    parameters.finish()?;
    match tag_len {
        16 => Ok(nonce),
        other => Err(malformed(
            what,
            format!("AES-GCM tag of {other} octets, not 16"),
        )),
    }
}

/// The version in `RC2-CBC-Parameter` (RFC 8018, appendix B.2.3), which stands for the effective key bits, without the initialization
/// vector after it. The reader goes on within the parameters.
fn read_rc2_version(fields: &mut Reader<'_>, what: &'static str) -> Result<Cipher, Error> {
    let parameters = fields.nested(tlv::SEQUENCE)?;
    fields.finish()?;
    *fields = parameters;
    match fields.uint()? {
        58 => Ok(Cipher::Rc2Bits128),
        120 => Ok(Cipher::Rc2Bits64),
        160 => Ok(Cipher::Rc2Bits40),
        other => Err(Error::UnsupportedScheme {
            what,
            oid: RC2_CBC.to_string(),
            name: format!("RC2-CBC with the effective key bits of version {other}"),
        }),
    }
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
