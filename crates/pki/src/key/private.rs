use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use getrandom::SysRng;
use pkcs1::UintRef;
use pkcs8::{EncodePrivateKey, EncodePublicKey};
use rand_core::{CryptoRng, TryCryptoRng};
use rsa::{
    BoxedUint, Pss,
    pkcs8::der::Encode,
    traits::{PrivateKeyParts, PublicKeyParts},
};
use sha2::{Sha256, Sha384, Sha512};
use signature::{Signer, hazmat::PrehashSigner};
use zeroize::Zeroizing;

use super::{
    KeyAlgorithm, KeyEncryption, PublicKey, encrypted,
    signature::{SignatureAlgorithm, hash, pkcs1v15},
};
use crate::{
    Digest, Error, Passphrase,
    der::{self as tlv},
    pem,
};

/// A private key. Its numbers are wiped when it is dropped; it can't be cloned, and `Debug` elides it.
///
/// ```
/// use pki::{KeyAlgorithm, KeyEncryption, KeyKind, Passphrase, PrivateKey};
///
/// let key = PrivateKey::generate(KeyKind::Rsa4096)?;
/// let passphrase = Passphrase::from("secret");
/// let pem = key.to_encrypted_pem(&passphrase, KeyEncryption::default())?;
///
/// let again = PrivateKey::from_pem(&pem, &passphrase)?;
/// assert_eq!(again.public_key(), key.public_key());
/// assert_eq!(again.algorithm(), KeyAlgorithm::Rsa { bits: 4096 });
/// # Ok::<(), pki::Error>(())
/// ```
pub struct PrivateKey {
    secret: Secret,
    public: PublicKey,
    /// What signs with the numbers of an RSA key: made for its first signature, and wiped with the last who holds it. `None` for a key that it can't sign with.
    rsa_signer: OnceLock<Option<Arc<rsa_private::SigningKey>>>,
}

impl PrivateKey {
    /// The same key with the larger prime as its first.
    ///
    /// Both orders are valid (RFC 8017, section 3.2), but graviola's CRT step gives a wrong signature now and then when
    /// the first prime is the smaller one, and OpenSSL never writes it so.
    pub(super) fn with_larger_prime_first(self) -> Result<Self, Error> {
        let Secret::Rsa(key) = &self.secret else {
            return Ok(self);
        };
        let [p, q] = key.primes() else {
            return Ok(self);
        };
        if p > q {
            return Ok(self);
        }
        let (n, e) = (key.n().as_ref().clone(), key.e().clone());
        let primes = [q.clone().get(), p.clone().get()];
        rsa_key(n, e, key.d().clone(), primes)
            .map_err(|_| invalid("its primes can't change places"))
            .and_then(|key| Self::new(Secret::Rsa(Box::new(key))))
    }

    /// The key as an unencrypted PKCS#8 `PrivateKeyInfo` (RFC 5208) in DER.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if an RSA key's primes have no coefficient, which no key that was read or made here has.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let invalid = || invalid("its primes have no coefficient");
        let (algorithm, octets) = match &self.secret {
            // `rsa` knows the identifier of keys for RSA, and not the one of keys for RSASSA-PSS alone.
            Secret::Rsa(key) => (
                self.public.algorithm_identifier()?.to_vec(),
                rsa_private_key(key).ok_or_else(invalid)?,
            ),
            Secret::EcP256(key) => {
                let document = key.to_pkcs8_der().map_err(|_| invalid())?;
                return Ok(document.to_bytes());
            }
            Secret::EcP384(key) => {
                let document = key.to_pkcs8_der().map_err(|_| invalid())?;
                return Ok(document.to_bytes());
            }
            Secret::EcP521(key) => {
                let document = key.to_pkcs8_der().map_err(|_| invalid())?;
                return Ok(document.to_bytes());
            }
            // Version 1: ed25519-dalek would write version 2, which older OpenSSL and Java don't read.
            Secret::Ed25519(key) => (
                SignatureAlgorithm::Ed25519.algorithm_identifier().to_vec(),
                Zeroizing::new(tlv::tlv(tlv::OCTET_STRING, &[key.as_bytes()])),
            ),
        };
        Ok(Zeroizing::new(tlv::sequence(&[
            &tlv::uint(0),
            &algorithm,
            &Zeroizing::new(tlv::tlv(tlv::OCTET_STRING, &[&octets])),
        ])))
    }

    /// The key as an unencrypted `PRIVATE KEY` PEM block (RFC 7468, section 10).
    ///
    /// # Errors
    /// Those of [`to_pkcs8_der`](Self::to_pkcs8_der).
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        Ok(pem::encode("PRIVATE KEY", &self.to_pkcs8_der()?))
    }

    /// The key as an `ENCRYPTED PRIVATE KEY` PEM block (RFC 7468, section 11): PBES2 with PBKDF2-HMAC-SHA-256, a random
    /// salt of 16 octets, and AES-256-CBC. OpenSSL, Java, NSS, GnuTLS and Python read it.
    ///
    /// # Errors
    /// [`Error::ParameterOutOfRange`] for the iterations and [`Error::Randomness`].
    pub fn to_encrypted_pem(
        &self,
        passphrase: &Passphrase,
        encryption: KeyEncryption,
    ) -> Result<String, Error> {
        self.encrypt(passphrase, encryption, &mut SysRng)
    }

    /// Like [`to_encrypted_pem`](Self::to_encrypted_pem), with the caller's randomness.
    ///
    /// # Errors
    /// [`Error::ParameterOutOfRange`] for the iterations.
    pub fn to_encrypted_pem_with_rng(
        &self,
        passphrase: &Passphrase,
        encryption: KeyEncryption,
        rng: &mut impl CryptoRng,
    ) -> Result<String, Error> {
        self.encrypt(passphrase, encryption, rng)
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The algorithm, and the size where it has one.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.public.algorithm()
    }

    /// The key as `rsa-private` signs with it, fast: with PKCS#1 v1.5 or PSS padding, in a TLS handshake for example. `None` for other algorithms, RSA keys
    /// for RSASSA-PSS alone among them, and for RSA keys of other sizes than 2048, 3072, 4096 and 8192 bits or with primes of different lengths. It is made once; its
    /// numbers are wiped when nobody has it any more.
    pub fn rsa_signing_key(&self) -> Option<Arc<rsa_private::SigningKey>> {
        match self.algorithm() {
            KeyAlgorithm::Rsa { .. } => self.rsa_signer().cloned(),
            _ => None,
        }
    }

    /// A signature over `message`: RSA's by `rsa-private` or, for a key that it can't sign with, by `rsa`, blinded with `rng`;
    /// ECDSA's with the nonce of RFC 6979, in DER. `rng` also makes the salt of RSASSA-PSS.
    ///
    /// # Errors
    /// `UnsupportedSignatureAlgorithm`, `SignatureFailed` and `InvalidKey`.
    pub(crate) fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        algorithm.check_signs_with(self.algorithm())?;
        let unfit = || invalid("it can not sign");
        match (&self.secret, algorithm) {
            (Secret::Rsa(key), SignatureAlgorithm::RsaPkcs1(digest)) => self.rsa_sign(
                rsa_private::Scheme::Pkcs1v15(digest.into()),
                message,
                rng,
                |rng| key.sign_with_rng(rng, pkcs1v15(digest), &hash(digest, message)),
            ),
            (Secret::Rsa(key), SignatureAlgorithm::RsaPss(digest)) => self.rsa_sign(
                rsa_private::Scheme::Pss(digest.into()),
                message,
                rng,
                |rng| {
                    let hashed = hash(digest, message);
                    match digest {
                        Digest::Sha256 => key.sign_with_rng(rng, Pss::<Sha256>::new(), &hashed),
                        Digest::Sha384 => key.sign_with_rng(rng, Pss::<Sha384>::new(), &hashed),
                        Digest::Sha512 => key.sign_with_rng(rng, Pss::<Sha512>::new(), &hashed),
                    }
                },
            ),
            (Secret::EcP256(key), SignatureAlgorithm::Ecdsa(digest)) => key
                .sign_prehash(&hash(digest, message))
                .map(|signature: p256::ecdsa::DerSignature| signature.as_bytes().to_vec())
                .map_err(|_| unfit()),
            (Secret::EcP384(key), SignatureAlgorithm::Ecdsa(digest)) => key
                .sign_prehash(&hash(digest, message))
                .map(|signature: p384::ecdsa::DerSignature| signature.as_bytes().to_vec())
                .map_err(|_| unfit()),
            (Secret::EcP521(key), SignatureAlgorithm::Ecdsa(digest)) => key
                .sign_prehash(&hash(digest, message))
                .map(|signature: p521::ecdsa::DerSignature| signature.as_bytes().to_vec())
                .map_err(|_| unfit()),
            (Secret::Ed25519(key), SignatureAlgorithm::Ed25519) => Ok(key.sign(message).to_vec()),
            // `check_signs_with` let none of these through.
            _ => Err(unfit()),
        }
    }

    /// The same RSA key under another AlgorithmIdentifier in DER: that of a key for RSASSA-PSS, for example.
    pub(super) fn for_algorithm(self, identifier: &[u8]) -> Result<Self, Error> {
        let key = tlv::tlv(tlv::BIT_STRING, &[&[0], self.public.key_octets()]);
        let public = PublicKey::from_spki_der(&tlv::sequence(&[identifier, &key]))?;
        Ok(Self { public, ..self })
    }

    /// The key with its public half, which is worked out here once.
    pub(super) fn new(secret: Secret) -> Result<Self, Error> {
        let spki = match &secret {
            Secret::Rsa(key) => key.as_public_key().to_public_key_der(),
            Secret::EcP256(key) => key.verifying_key().to_public_key_der(),
            Secret::EcP384(key) => key.verifying_key().to_public_key_der(),
            Secret::EcP521(key) => key.verifying_key().to_public_key_der(),
            Secret::Ed25519(key) => key.verifying_key().to_public_key_der(),
        }
        .map_err(|_| invalid("it has no public key"))?;
        let public = PublicKey::from_spki_der(spki.as_bytes())?;
        Ok(Self {
            secret,
            public,
            rsa_signer: OnceLock::new(),
        })
    }

    /// `None` for keys of other algorithms, too.
    fn rsa_signer(&self) -> Option<&Arc<rsa_private::SigningKey>> {
        let Secret::Rsa(key) = &self.secret else {
            return None;
        };
        self.rsa_signer
            .get_or_init(|| rsa_signer(key).map(Arc::new))
            .as_ref()
    }

    /// Signs with `rsa-private`, or in the other way where it can't use the key.
    fn rsa_sign<R: CryptoRng + ?Sized>(
        &self,
        scheme: rsa_private::Scheme,
        message: &[u8],
        rng: &mut R,
        otherwise: impl FnOnce(&mut R) -> rsa::errors::Result<Vec<u8>>,
    ) -> Result<Vec<u8>, Error> {
        match self.rsa_signer() {
            // The only one of its errors that is left: the salt comes from `rng`.
            Some(signer) => signer
                .sign_with_rng(scheme, message, rng)
                .map_err(|_| Error::SignatureFailed),
            None => otherwise(rng).map_err(|_| invalid("it can not sign")),
        }
    }

    fn encrypt(
        &self,
        passphrase: &Passphrase,
        encryption: KeyEncryption,
        rng: &mut impl TryCryptoRng,
    ) -> Result<String, Error> {
        let der = encrypted::encrypt(&self.to_pkcs8_der()?, passphrase, encryption, rng)?;
        Ok(pem::encode("ENCRYPTED PRIVATE KEY", &der).to_string())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, [secret key elided])", self.algorithm())
    }
}

/// The numbers; each type wipes its own.
pub(super) enum Secret {
    Rsa(Box<rsa::PrivateKey>),
    EcP256(p256::ecdsa::SigningKey),
    EcP384(p384::ecdsa::SigningKey),
    EcP521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

/// The key of these numbers, the first prime first.
///
/// The primes are kept in half the length of the modulus, and where one is longer, in all of it: that one is, which few keys have, is told to those who measure time.
pub(super) fn rsa_key(
    n: BoxedUint,
    e: BoxedUint,
    d: BoxedUint,
    primes: [BoxedUint; 2],
) -> rsa::errors::Result<rsa::PrivateKey> {
    let half = n.bit_width().div_ceil(2);
    let make = if primes.iter().all(|prime| prime.bit_width() <= half) {
        rsa::PrivateKey::from_components
    } else {
        rsa::PrivateKey::from_components_with_wide_primes
    };
    make(n, e, d, Vec::from(primes)) // moved: a copy would stay behind
}

/// p, q, d mod (p - 1), d mod (q - 1) and the coefficient, which `rsa` worked out when it got the key; `None` if there are more than two primes.
fn crt_numbers(key: &rsa::PrivateKey) -> Option<[Zeroizing<Box<[u8]>>; 5]> {
    let [p, q] = key.primes() else { return None };
    let coefficient = Zeroizing::new(key.qinv()?.retrieve());
    let numbers = [p.as_ref(), q.as_ref(), key.dp()?, key.dq()?, &coefficient];
    Some(numbers.map(|number| Zeroizing::new(number.to_be_bytes())))
}

/// An `RSAPrivateKey` (RFC 8017, appendix A.1.2). `rsa` would work out the coefficient once more.
fn rsa_private_key(key: &rsa::PrivateKey) -> Option<Zeroizing<Vec<u8>>> {
    let [p, q, dp, dq, coefficient] = crt_numbers(key)?;
    let (n, e) = (key.n().to_be_bytes(), key.e().to_be_bytes());
    let d = Zeroizing::new(key.d().to_be_bytes());
    let number = |octets| UintRef::new(octets).ok();
    let numbers = pkcs1::RsaPrivateKey {
        modulus: number(&n)?,
        public_exponent: number(&e)?,
        private_exponent: number(&d)?,
        prime1: number(&p)?,
        prime2: number(&q)?,
        exponent1: number(&dp)?,
        exponent2: number(&dq)?,
        coefficient: number(&coefficient)?,
        other_prime_infos: None,
    };
    numbers.to_der().ok().map(Zeroizing::new)
}

/// The key as `rsa-private` signs with it; `None` for one of another size than it takes, or with primes of different lengths.
fn rsa_signer(key: &rsa::PrivateKey) -> Option<rsa_private::SigningKey> {
    let [p, q, dp, dq, qinv] = crt_numbers(key)?;
    rsa_private::SigningKey::new(&rsa_private::Numbers {
        n: &key.n().to_be_bytes(),
        e: &key.e().to_be_bytes(),
        p: &p,
        q: &q,
        dp: &dp,
        dq: &dq,
        qinv: &qinv,
    })
    .ok()
}

pub(super) fn invalid(reason: &'static str) -> Error {
    Error::InvalidKey {
        reason: reason.to_owned(),
    }
}
