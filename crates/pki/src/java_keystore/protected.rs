//! How private keys are encrypted in a keystore: an `EncryptedPrivateKeyInfo` (RFC 5958, section 3) with schemes of Java's own.
//!
//! Nobody specified them but the sources of OpenJDK (`sun.security.provider.KeyProtector` and
//! `com.sun.crypto.provider.PBES1Core`).

use const_oid::ObjectIdentifier;
use md5::Md5;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Error, Passphrase,
    budget::Spending,
    der::{self, Reader, malformed},
    oid::unsupported,
    pbe::{Cipher, read_iterations},
};

/// A private key before it is opened.
pub(super) struct Protected<'a> {
    scheme: Scheme<'a>,
    ciphertext: &'a [u8],
}

enum Scheme<'a> {
    /// An exclusive or with a chain of SHA-1 digests, which one more digest ends.
    Jks,
    /// PBEWithMD5AndTripleDES: two chains of MD5, one for each half of the salt.
    Jceks {
        salt: &'a [u8; 8],
        iterations: u32,
    },
    Other(Error),
}

impl<'a> Protected<'a> {
    pub(super) fn read(info: &'a [u8]) -> Result<Self, Error> {
        let mut fields = Reader::enter(info, der::SEQUENCE, WHAT)?;
        let mut identifier = fields.nested(der::SEQUENCE)?;
        let ciphertext = fields.value(der::OCTET_STRING)?;
        fields.finish()?;
        let scheme = match identifier.oid()? {
            JKS => {
                identifier.optional_null()?;
                identifier.finish()?;
                Scheme::Jks
            }
            JCEKS => {
                let mut parameters = identifier.nested(der::SEQUENCE)?;
                identifier.finish()?;
                let salt = parameters.value(der::OCTET_STRING)?;
                let iterations = read_iterations(&mut parameters, WHAT)?;
                parameters.finish()?;
                let salt = salt
                    .try_into()
                    .map_err(|_| malformed(WHAT, "salt that is not of eight octets"))?;
                Scheme::Jceks { salt, iterations }
            }
            other => Scheme::Other(unsupported("private key encryption", &other)),
        };
        Ok(Self { scheme, ciphertext })
    }

    /// How it is encrypted, in words.
    pub(super) fn encryption(&self) -> String {
        match &self.scheme {
            Scheme::Jks => "JKS (SHA-1)".to_owned(),
            Scheme::Jceks { iterations, .. } => {
                format!("PBEWithMD5AndTripleDES (3DES-CBC, MD5, {iterations} iterations)")
            }
            Scheme::Other(Error::UnsupportedScheme { name, oid, .. }) => format!("{name} ({oid})"),
            Scheme::Other(_) => String::new(),
        }
    }

    /// The key in PKCS#8, or `None` where the passphrase isn't the right one. What comes out of JCEKS may still be noise that happens to
    /// have padding.
    ///
    /// # Errors
    /// `BudgetExceeded`, before anything is derived; `UnsupportedScheme`.
    pub(super) fn opened(
        &self,
        passphrase: &Passphrase,
        spending: &mut Spending,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        match &self.scheme {
            Scheme::Jks => {
                let digests = self.ciphertext.len().div_ceil(DIGEST_LEN);
                spending.charge(1, digests as u64)?;
                Ok(jks(self.ciphertext, passphrase))
            }
            Scheme::Jceks { salt, iterations } => {
                spending.charge(*iterations, 2)?;
                let derived = md5_chains(**salt, *iterations, passphrase);
                let (key, iv) = derived.split_at(24);
                Ok(Cipher::DesEde3.decrypt(key, iv, self.ciphertext))
            }
            Scheme::Other(error) => Err(error.clone()),
        }
    }
}

const WHAT: &str = "private key";
const JKS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.42.2.17.1.1");
const JCEKS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.42.2.19.1");
const DIGEST_LEN: usize = 20;

/// The passphrase as Java's characters, two octets each, hashed: every digest starts with them.
pub(super) fn hashed(passphrase: &Passphrase) -> Sha1 {
    let mut hasher = Sha1::new();
    for unit in passphrase.as_str().encode_utf16() {
        hasher.update(unit.to_be_bytes());
    }
    hasher
}

/// Salt, ciphertext, and the digest of the plaintext.
fn jks(protected: &[u8], passphrase: &Passphrase) -> Option<Zeroizing<Vec<u8>>> {
    let (salt, rest) = protected.split_first_chunk::<DIGEST_LEN>()?;
    let (ciphertext, digest) = rest.split_last_chunk::<DIGEST_LEN>()?;
    let start = hashed(passphrase);
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    let mut key = Zeroizing::new(*salt);
    for block in plaintext.chunks_mut(DIGEST_LEN) {
        *key = start.clone().chain_update(*key).finalize().into();
        for (octet, mask) in block.iter_mut().zip(key.iter()) {
            *octet ^= mask;
        }
    }
    let found = start.chain_update(&*plaintext).finalize();
    bool::from(found.as_slice().ct_eq(digest)).then_some(plaintext)
}

/// 24 octets of key and eight of initialization vector. Java's characters are ASCII here.
fn md5_chains(mut salt: [u8; 8], iterations: u32, passphrase: &Passphrase) -> Zeroizing<[u8; 32]> {
    let [a, b, c, d, rest @ ..] = salt;
    if [a, b, c, d] == rest {
        // Two equal chains would make no key: the first half is turned round.
        salt = [d, c, b, a, a, b, c, d];
    }
    let mut derived = Zeroizing::new([0; 32]);
    for (half, out) in salt.chunks(4).zip(derived.chunks_mut(16)) {
        let mut digest = Md5::new()
            .chain_update(half)
            .chain_update(passphrase.as_str())
            .finalize();
        for _ in 1..iterations {
            digest = Md5::new()
                .chain_update(digest)
                .chain_update(passphrase.as_str())
                .finalize();
        }
        out.copy_from_slice(&digest);
        digest.zeroize();
    }
    derived
}

#[cfg(test)]
mod tests {
    use super::*;

    // `Cipher.getInstance("PBEWithMD5AndTripleDES")` of OpenJDK 17 encrypted it.
    #[test]
    fn md5_chains_are_those_of_java_also_for_a_salt_of_two_equal_halves() {
        for (salt, ciphertext) in [
            ([1, 2, 3, 4, 5, 6, 7, 8], "dcc7a73499ea3840fdfd8d682e46b93b"),
            ([1, 2, 3, 4, 1, 2, 3, 4], "e35cd22c03249f53e64b0f80b37aa2fd"),
        ] {
            let ciphertext = base16ct::lower::decode_vec(ciphertext).unwrap();
            let derived = md5_chains(salt, 3, &Passphrase::from("correct"));
            let (key, iv) = derived.split_at(24);
            let plaintext = Cipher::DesEde3.decrypt(key, iv, &ciphertext).unwrap();
            assert_eq!(*plaintext, b"0123456789");
        }
    }

    #[test]
    fn what_is_too_short_to_be_a_key_of_jks_does_not_open() {
        for len in [0, 20, 39] {
            assert!(jks(&vec![0; len], &Passphrase::from("correct")).is_none());
        }
    }
}
