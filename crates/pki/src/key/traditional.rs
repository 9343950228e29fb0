//! Traditional PEM encryption, which OpenSSL 1.x wrote by default: RFC 1421 headers name a cipher and its
//! initialization vector, and one round of MD5 makes the key. Reading only; it has no integrity, and its key derivation
//! protects nothing but strong passphrases.

use md5::{Digest, Md5};
use zeroize::{Zeroize, Zeroizing};

use super::{ENCRYPTION, WHAT};
use crate::{Error, Passphrase, der::malformed, pbe::Cipher, pem::Block};

/// Whether the block says that it is encrypted (`Proc-Type: 4,ENCRYPTED`, RFC 1421, section 4.6.1.1).
pub(super) fn is_encrypted(block: &Block) -> bool {
    block
        .header("Proc-Type")
        .is_some_and(|kind| kind.ends_with("ENCRYPTED"))
}

/// How a block is encrypted, in words.
pub(super) fn encryption(block: &Block) -> String {
    let cipher = block.header("DEK-Info").unwrap_or_default();
    let (cipher, _) = cipher.split_once(',').unwrap_or((cipher, ""));
    format!("{} with a key by MD5", cipher.trim())
}

/// Decrypts a block. What comes out may still be noise that happens to have padding.
pub(super) fn decrypt(block: &Block, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, Error> {
    let info = block
        .header("DEK-Info")
        .ok_or_else(|| malformed(WHAT, "it is encrypted and has no DEK-Info header"))?;
    let (name, iv) = info.split_once(',').unwrap_or((info, ""));
    let cipher = cipher(name.trim())?;
    let iv = unhex(iv.trim())
        .filter(|iv| iv.len() == cipher.iv_len())
        .ok_or_else(|| malformed(WHAT, "initialization vector that is not the cipher's"))?;

    let key = bytes_to_key(passphrase.as_str().as_bytes(), &iv, cipher.key_len());
    cipher
        .decrypt(&key, &iv, &block.der)
        .ok_or(Error::WrongPassphrase { what: WHAT })
}

fn cipher(name: &str) -> Result<Cipher, Error> {
    match name.to_ascii_uppercase().as_str() {
        "AES-128-CBC" => Ok(Cipher::Aes128),
        "AES-192-CBC" => Ok(Cipher::Aes192),
        "AES-256-CBC" => Ok(Cipher::Aes256),
        "DES-EDE3-CBC" => Ok(Cipher::DesEde3),
        "DES-CBC" => Ok(Cipher::Des),
        "RC2-CBC" => Ok(Cipher::Rc2Bits128),
        "RC2-64-CBC" => Ok(Cipher::Rc2Bits64),
        "RC2-40-CBC" => Ok(Cipher::Rc2Bits40),
        #[cfg(feature = "legacy")]
        "CAMELLIA-128-CBC" => Ok(Cipher::Camellia128),
        #[cfg(feature = "legacy")]
        "CAMELLIA-192-CBC" => Ok(Cipher::Camellia192),
        #[cfg(feature = "legacy")]
        "CAMELLIA-256-CBC" => Ok(Cipher::Camellia256),
        _ => Err(Error::UnsupportedScheme {
            what: ENCRYPTION,
            oid: "no object identifier".to_owned(),
            name: name.to_owned(),
        }),
    }
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round. The salt is the first half of an AES vector.
fn bytes_to_key(password: &[u8], iv: &[u8], len: usize) -> Zeroizing<Vec<u8>> {
    let salt = iv.get(..8).unwrap_or(iv);
    let mut key = Zeroizing::new(Vec::with_capacity(len.next_multiple_of(16)));
    let mut block = Zeroizing::new(Vec::with_capacity(16));
    while key.len() < len {
        let mut digest = Md5::new()
            .chain_update(&*block)
            .chain_update(password)
            .chain_update(salt)
            .finalize();
        key.extend_from_slice(&digest);
        block.clear();
        block.extend_from_slice(&digest);
        digest.zeroize();
    }
    key.truncate(len);
    key
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = str::from_utf8(pair).ok()?;
            // from_str_radix would take a sign.
            pair.chars().all(|c| c.is_ascii_hexdigit()).then_some(())?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}
