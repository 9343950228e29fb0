//! Private keys in: which form an input has, and the numbers in the unencrypted forms.

use pkcs1::{RsaPrivateKeyRef, UintRef, Version};
use rsa::{BoxedUint, pkcs8::der::Decode, traits::PrivateKeyParts};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    OtherKey, PrivateKey, WHAT, encrypted,
    private::{Secret, invalid, rsa_key},
    public::{KeyType, rsa_bits},
    traditional,
};
use crate::{
    Budget, Encrypted, Error, Passphrase,
    budget::Spending,
    der::{self as tlv, Reader, malformed},
    pem,
};

impl PrivateKey {
    /// Reads the first private key of a PEM file: PKCS#8 (RFC 5958), encrypted PKCS#8, PKCS#1 (RFC 8017), SEC 1
    /// (RFC 5915), or one with traditional `Proc-Type: 4,ENCRYPTED` encryption. Other blocks, certificates for example,
    /// may stand before it. A passphrase that turns out not to be needed is ignored.
    ///
    /// # Errors
    /// [`Error::PemNotFound`] and [`Error::MalformedPem`]; [`Error::PassphraseRequired`], [`Error::WrongPassphrase`]
    /// and [`Error::BudgetExceeded`] for encrypted keys; [`Error::UnsupportedScheme`] for encryption and
    /// [`Error::UnsupportedKey`] for keys that this crate doesn't handle; [`Error::InvalidKey`] for numbers that don't
    /// belong together; [`Error::Malformed`], [`Error::TrailingData`] and [`Error::TooLarge`].
    pub fn from_pem<'p>(
        pem: impl AsRef<[u8]>,
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        from_pem(pem.as_ref(), passphrase.into(), Budget::default())
    }

    /// Reads a private key in DER: PKCS#8, encrypted PKCS#8, PKCS#1 or SEC 1.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem), but for the two about PEM.
    pub fn from_der<'p>(
        der: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        from_der(
            der,
            passphrase.into(),
            &mut Spending::new(Budget::default()),
        )
    }

    /// Finds out by itself whether the input is PEM or DER.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem).
    pub fn from_pem_or_der<'p>(
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        Self::from_pem_or_der_within(input, passphrase, Budget::default())
    }

    /// Like [`from_pem_or_der`](Self::from_pem_or_der), with other limits for key derivation than the default ones.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem).
    pub fn from_pem_or_der_within<'p>(
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
        budget: Budget,
    ) -> Result<Self, Error> {
        if pem::is_pem(input) {
            from_pem(input, passphrase.into(), budget)
        } else {
            from_der(input, passphrase.into(), &mut Spending::new(budget))
        }
    }
}

/// A private key as a file has it.
pub(crate) enum Found {
    Key {
        key: PrivateKey,
        /// How it was encrypted, where it was.
        encryption: Option<String>,
    },
    Other(OtherKey),
    Closed(Encrypted),
}

impl Found {
    /// The key of a PEM block with one of the [`is_label`]s.
    pub(crate) fn in_block(
        block: &pem::Block,
        passphrase: Option<&Passphrase>,
        spending: &mut Spending,
    ) -> Result<Self, Error> {
        let read = from_block(block, passphrase, spending);
        if traditional::is_encrypted(block) {
            Self::new(read, Some(traditional::encryption(block)))
        } else {
            Self::new(read, encrypted::encryption(&block.der))
        }
    }

    /// The key in DER.
    pub(crate) fn in_der(
        der: &[u8],
        passphrase: Option<&Passphrase>,
        spending: &mut Spending,
    ) -> Result<Self, Error> {
        let read = from_der(der, passphrase, spending);
        Self::new(read, encrypted::encryption(der))
    }

    /// What came of reading a key that is encrypted like this, or not at all.
    pub(crate) fn new(
        read: Result<PrivateKey, Error>,
        encryption: Option<String>,
    ) -> Result<Self, Error> {
        match (read, encryption) {
            (Ok(key), encryption) => Ok(Self::Key { key, encryption }),
            (
                Err(error @ (Error::PassphraseRequired { .. } | Error::UnsupportedScheme { .. })),
                Some(encryption),
            ) => Ok(Self::Closed(Encrypted {
                what: WHAT,
                encryption,
                alias: None,
                error,
            })),
            (Err(error), encryption) => match OtherKey::of(&error, true) {
                Some(other) => Ok(Self::Other(OtherKey {
                    encryption,
                    ..other
                })),
                None => Err(error),
            },
        }
    }
}

/// Whether a PEM block with this label is a private key that this crate reads, or knows by name.
pub(crate) fn is_label(label: &str) -> bool {
    label == DSA || LABELS.contains(&label)
}

/// The first private key of a PEM file.
fn from_pem(
    input: &[u8],
    passphrase: Option<&Passphrase>,
    budget: Budget,
) -> Result<PrivateKey, Error> {
    let blocks = pem::blocks_within(input, budget.max_size)?;
    let block = blocks
        .iter()
        .find(|block| block.label.ends_with("PRIVATE KEY"))
        .ok_or_else(|| Error::PemNotFound {
            expected: "private key",
            found: blocks.iter().map(|block| block.label.clone()).collect(),
        })?;
    from_block(block, passphrase, &mut Spending::new(budget))
}

/// The private key of a PEM block whose label ends in `PRIVATE KEY`.
fn from_block(
    block: &pem::Block,
    passphrase: Option<&Passphrase>,
    spending: &mut Spending,
) -> Result<PrivateKey, Error> {
    match block.label.as_str() {
        // OpenSSL's own form of such a key has no identifier in it.
        DSA => return Err(OtherKey::dsa().unsupported()),
        label if !LABELS.contains(&label) => {
            return Err(Error::UnsupportedKey {
                found: label.to_owned(),
                oid: None,
            });
        }
        _ => {}
    }
    if traditional::is_encrypted(block) {
        let passphrase = passphrase.ok_or(Error::PassphraseRequired { what: WHAT })?;
        let der = traditional::decrypt(block, passphrase)?;
        return unencrypted(&der).map_err(opened_by_chance);
    }
    from_der(&block.der, passphrase, spending)
}

/// A private key in DER, encrypted or not.
fn from_der(
    der: &[u8],
    passphrase: Option<&Passphrase>,
    spending: &mut Spending,
) -> Result<PrivateKey, Error> {
    spending.budget().check_size(der, WHAT)?;
    let fields = Reader::enter(der, tlv::SEQUENCE, WHAT)?;
    if fields.peek() != Some(tlv::SEQUENCE) {
        return unencrypted(der);
    }
    if let Some(found) = what_else(der) {
        return Err(malformed(WHAT, format!("it is {found}")));
    }
    let passphrase = passphrase.ok_or(Error::PassphraseRequired { what: WHAT })?;
    let der = encrypted::decrypt(der, passphrase, spending)?;
    unencrypted(&der).map_err(opened_by_chance)
}

/// A PKCS#8, PKCS#1 or SEC 1 key: the first has a SEQUENCE, the second an INTEGER and the third an OCTET STRING after
/// the version.
pub(crate) fn unencrypted(der: &[u8]) -> Result<PrivateKey, Error> {
    let mut fields = Reader::enter(der, tlv::SEQUENCE, WHAT)?;
    let version = fields.uint()?;
    match fields.peek() {
        Some(tlv::SEQUENCE) => pkcs8(version, fields),
        Some(tlv::INTEGER) => rsa(der),
        Some(tlv::OCTET_STRING) => sec1(der, None),
        _ => Err(malformed(WHAT, "it has none of the forms of a private key")),
    }
}

/// What a structure is that starts as an encrypted private key does (RFC 5958, section 3) and has no ciphertext next: a file
/// that somebody took for the key's.
fn what_else(der: &[u8]) -> Option<&'static str> {
    let mut fields = Reader::enter(der, tlv::SEQUENCE, WHAT).ok()?;
    let first = fields.value(tlv::SEQUENCE).ok()?;
    match fields.peek()? {
        tlv::BIT_STRING => return Some("a public key"), // RFC 5280, section 4.1.2.7
        tlv::SEQUENCE => {}
        _ => return None,
    }
    // What is signed: of a certificate (RFC 5280, section 4.1), a request (RFC 2986, section 4.1) or a list of revoked
    // certificates (RFC 5280, section 5.1).
    let mut signed = Reader::new(first, WHAT);
    if signed.peek()? == tlv::EXPLICIT_0 {
        return Some("a certificate");
    }
    let mut tags = [0; 4];
    for tag in &mut tags {
        *tag = signed.read().ok()?.tag;
    }
    match tags {
        [tlv::INTEGER, tlv::SEQUENCE, tlv::SEQUENCE, tlv::SEQUENCE] => Some("a certificate"),
        [tlv::INTEGER, tlv::SEQUENCE, tlv::SEQUENCE, tlv::EXPLICIT_0] => {
            Some("a certificate request")
        }
        [tlv::INTEGER, tlv::SEQUENCE, tlv::SEQUENCE, _] => Some("a certificate revocation list"),
        _ => None,
    }
}

const DSA: &str = "DSA PRIVATE KEY";
const LABELS: [&str; 4] = [
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
];

/// A wrong passphrase leaves well-formed padding once in 256 times, and then noise: what isn't even DER was not opened.
fn opened_by_chance(error: Error) -> Error {
    match error {
        Error::Malformed { .. } | Error::TrailingData { .. } => {
            Error::WrongPassphrase { what: WHAT }
        }
        other => other,
    }
}

/// `PrivateKeyInfo` (RFC 5208, section 5) and `OneAsymmetricKey` (RFC 5958, section 2) after their version.
fn pkcs8(version: u64, mut fields: Reader<'_>) -> Result<PrivateKey, Error> {
    if version == 3 {
        return Err(malformed(WHAT, "it is a PKCS#12 file")); // RFC 7292, section 4
    }
    if version > 1 {
        return Err(malformed(WHAT, format!("unknown version {version}")));
    }
    let identifier = fields.read_tagged(tlv::SEQUENCE)?;
    let octets = fields.value(tlv::OCTET_STRING)?;
    fields.optional(tlv::EXPLICIT_0)?;
    let public = fields
        .optional(tlv::IMPLICIT_1)?
        .map(|value| tlv::whole_octets(value, WHAT))
        .transpose()?;
    fields.finish()?;

    let key = match KeyType::read(identifier.value, WHAT)? {
        KeyType::Rsa => rsa(octets)?,
        KeyType::RsaPss(_) => rsa(octets)?.for_algorithm(identifier.raw)?,
        curve @ (KeyType::EcP256 | KeyType::EcP384 | KeyType::EcP521) => sec1(octets, Some(curve))?,
        KeyType::Ed25519 => ed25519(octets)?,
    };
    check_public(&key, public)?;
    Ok(key)
}

/// `RSAPrivateKey` (RFC 8017, appendix A.1.2).
fn rsa(der: &[u8]) -> Result<PrivateKey, Error> {
    let numbers = RsaPrivateKeyRef::from_der(der)
        .map_err(|error| malformed(WHAT, format!("it is not an RSAPrivateKey: {error}")))?;
    if numbers.version() == Version::Multi {
        return Err(Error::UnsupportedKey {
            found: "RSA with more than two primes".to_owned(),
            oid: None,
        });
    }
    let bits = rsa_bits(numbers.modulus.as_bytes())?;
    let inconsistent = || invalid("its RSA numbers are inconsistent");
    let number = |number: UintRef<'_>| {
        u32::try_from(bits.next_multiple_of(8))
            .ok()
            .and_then(|bits| BoxedUint::from_be_slice(number.as_bytes(), bits).ok())
            .ok_or_else(inconsistent) // none of them is longer than the modulus
    };
    // Once it has a key, `rsa` wipes it, also when it finds that it is none. Where the primes' product is not the modulus it
    // has none yet, and drops its copies of the caller's octets as they are.
    let key = rsa_key(
        number(numbers.modulus)?,
        BoxedUint::from_be_slice_vartime(numbers.public_exponent.as_bytes()),
        number(numbers.private_exponent)?,
        [number(numbers.prime1)?, number(numbers.prime2)?],
    )
    .map_err(|_| inconsistent())?;
    check_crt(&numbers, &key)?;
    PrivateKey::new(Secret::Rsa(Box::new(key)))?.with_larger_prime_first()
}

/// `rsa` works out d mod (p - 1), d mod (q - 1) and the coefficient by itself, and looks at none of the file's. Wrong ones
/// mean damage: other programs that use them would sign wrongly, and give the primes away (Boneh, DeMillo, Lipton 1997).
fn check_crt(numbers: &RsaPrivateKeyRef<'_>, key: &rsa::PrivateKey) -> Result<(), Error> {
    let same = |found: &[u8], own: Option<&rsa::BoxedUint>| {
        own.is_some_and(|own| {
            let own = Zeroizing::new(own.to_be_bytes_trimmed_vartime());
            strip_zeros(found).ct_eq(&own).into()
        })
    };
    let coefficient = key.qinv().map(|qinv| Zeroizing::new(qinv.retrieve()));
    let matches = same(numbers.exponent1.as_bytes(), key.dp())
        & same(numbers.exponent2.as_bytes(), key.dq())
        & same(numbers.coefficient.as_bytes(), coefficient.as_deref());
    if matches {
        Ok(())
    } else {
        Err(invalid(
            "its RSA exponents or coefficient are not those of its primes",
        ))
    }
}

fn strip_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

/// `ECPrivateKey` (RFC 5915, section 3). Inside PKCS#8 the curve stands outside, and may stand inside, too.
fn sec1(der: &[u8], curve: Option<KeyType>) -> Result<PrivateKey, Error> {
    let mut fields = Reader::enter(der, tlv::SEQUENCE, WHAT)?;
    if fields.uint()? != 1 {
        return Err(malformed(WHAT, "unknown version of an ECPrivateKey"));
    }
    let octets = fields.value(tlv::OCTET_STRING)?;
    let named = match fields.optional(tlv::EXPLICIT_0)? {
        Some(parameters) => {
            let mut parameters = Reader::new(parameters, WHAT);
            let curve = KeyType::from_curve(&mut parameters)?;
            parameters.finish()?;
            Some(curve)
        }
        None => None,
    };
    let public = match fields.optional(tlv::EXPLICIT_1)? {
        Some(public) => {
            let mut public = Reader::new(public, WHAT);
            let octets = public.bit_string()?;
            public.finish()?;
            Some(octets)
        }
        None => None,
    };
    fields.finish()?;
    if let (Some(outside), Some(inside)) = (curve, named)
        && outside != inside
    {
        return Err(invalid("it names two curves"));
    }
    let out_of_range = |_| invalid("its number is not in the range of its curve");
    let secret = match curve.or(named) {
        Some(KeyType::EcP256) => {
            p256::ecdsa::SigningKey::from_slice(scalar::<32>(octets)?.as_slice())
                .map(Secret::EcP256)
                .map_err(out_of_range)?
        }
        Some(KeyType::EcP384) => {
            p384::ecdsa::SigningKey::from_slice(scalar::<48>(octets)?.as_slice())
                .map(Secret::EcP384)
                .map_err(out_of_range)?
        }
        Some(KeyType::EcP521) => {
            p521::ecdsa::SigningKey::from_slice(scalar::<66>(octets)?.as_slice())
                .map(Secret::EcP521)
                .map_err(out_of_range)?
        }
        _ => return Err(malformed(WHAT, "it doesn't say on which curve it is")),
    };
    let key = PrivateKey::new(secret)?;
    check_public(&key, public)?;
    Ok(key)
}

/// `CurvePrivateKey` (RFC 8410, section 7).
fn ed25519(octets: &[u8]) -> Result<PrivateKey, Error> {
    let mut fields = Reader::new(octets, WHAT);
    let seed = fields.value(tlv::OCTET_STRING)?;
    fields.finish()?;
    let seed = seed
        .try_into()
        .map_err(|_| malformed(WHAT, "an Ed25519 key has 32 octets"))?;
    PrivateKey::new(Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed)))
}

/// The octets of a number with all its leading zeros, some of which a few writers leave out or add.
fn scalar<const N: usize>(octets: &[u8]) -> Result<Zeroizing<[u8; N]>, Error> {
    let zeros = octets.len().saturating_sub(N);
    let (extra, digits) = octets.split_at_checked(zeros).unwrap_or_default();
    let mut out = Zeroizing::new([0; N]);
    let start = N.saturating_sub(digits.len());
    match out.get_mut(start..) {
        Some(end) if extra.iter().all(|octet| *octet == 0) => end.copy_from_slice(digits),
        _ => return Err(invalid("its number is not in the range of its curve")),
    }
    Ok(out)
}

/// Where a file carries the public key beside the private one, they must match.
fn check_public(key: &PrivateKey, public: Option<&[u8]>) -> Result<(), Error> {
    let own = key.public_key().key_octets();
    let matches = match (public, own) {
        (None, _) => true,
        // A compressed point (SEC 1, section 2.3.3) is the parity of y, and x.
        (Some([parity @ (2 | 3), x @ ..]), [4, point @ .., last]) => {
            point.starts_with(x) && x.len() == point.len().div_ceil(2) && parity & 1 == last & 1
        }
        (Some(public), own) => public == own,
    };
    if matches {
        Ok(())
    } else {
        Err(invalid("its public key is another one's"))
    }
}
