//! Ciphers, for reading mostly.

use aes::{Aes128, Aes192, Aes256};
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm, aead::AeadInOut, aead::consts::U12};
#[cfg(feature = "legacy")]
use camellia::{Camellia128, Camellia192, Camellia256};
use cbc::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit,
    KeyInit, KeyIvInit, block_padding::Pkcs7,
};
use des::{Des, TdesEde2, TdesEde3};
use rc2::Rc2;
use zeroize::Zeroizing;

/// A block cipher in CBC mode with the padding of PKCS#7, or in GCM; or RC4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Aes128Gcm,
    Aes192Gcm,
    Aes256Gcm,
    Des,
    DesEde3,
    DesEde2,
    Rc2Bits128,
    Rc2Bits64,
    Rc2Bits40,
    #[cfg(feature = "legacy")]
    Rc4Bits128,
    #[cfg(feature = "legacy")]
    Rc4Bits40,
    #[cfg(feature = "legacy")]
    Camellia128,
    #[cfg(feature = "legacy")]
    Camellia192,
    #[cfg(feature = "legacy")]
    Camellia256,
}

impl Cipher {
    pub(crate) fn key_len(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes128Gcm | Self::DesEde2 | Self::Rc2Bits128 => 16,
            Self::Aes192 | Self::Aes192Gcm | Self::DesEde3 => 24,
            Self::Aes256 | Self::Aes256Gcm => 32,
            Self::Des | Self::Rc2Bits64 => 8,
            Self::Rc2Bits40 => 5,
            #[cfg(feature = "legacy")]
            Self::Rc4Bits128 | Self::Camellia128 => 16,
            #[cfg(feature = "legacy")]
            Self::Rc4Bits40 => 5,
            #[cfg(feature = "legacy")]
            Self::Camellia192 => 24,
            #[cfg(feature = "legacy")]
            Self::Camellia256 => 32,
        }
    }

    /// Whether keys may have this length: RC2 takes any (RFC 2268, section 2).
    pub(crate) fn takes_key_of(self, len: usize) -> bool {
        match self.rc2_bits() {
            Some(_) => (1..=128).contains(&len),
            None => len == self.key_len(),
        }
    }

    /// The effective key bits of RC2.
    fn rc2_bits(self) -> Option<usize> {
        match self {
            Self::Rc2Bits128 => Some(128),
            Self::Rc2Bits64 => Some(64),
            Self::Rc2Bits40 => Some(40),
            _ => None,
        }
    }

    /// The length of the initialization vector: a block, but for GCM (RFC 5084, section 3.2) and RC4, which has none.
    pub(crate) fn iv_len(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm => 12,
            Self::Des
            | Self::DesEde3
            | Self::DesEde2
            | Self::Rc2Bits128
            | Self::Rc2Bits64
            | Self::Rc2Bits40 => 8,
            #[cfg(feature = "legacy")]
            Self::Rc4Bits128 | Self::Rc4Bits40 => 0,
            #[cfg(feature = "legacy")]
            Self::Camellia128 | Self::Camellia192 | Self::Camellia256 => 16,
        }
    }

    pub(crate) fn is_gcm(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm)
    }

    /// Decrypts; `None` without proper padding (or, for GCM, its tag), or when key or initialization vector have another
    /// length. RC4 has no padding: whatever it decrypts to is a result.
    pub(crate) fn decrypt(self, key: &[u8], iv: &[u8], text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes128 => decrypt_cbc::<Aes128>(key, iv, text),
            Self::Aes192 => decrypt_cbc::<Aes192>(key, iv, text),
            Self::Aes256 => decrypt_cbc::<Aes256>(key, iv, text),
            Self::Aes128Gcm => decrypt_gcm::<Aes128Gcm>(key, iv, text),
            Self::Aes192Gcm => decrypt_gcm::<AesGcm<Aes192, U12>>(key, iv, text),
            Self::Aes256Gcm => decrypt_gcm::<Aes256Gcm>(key, iv, text),
            Self::Des => decrypt_cbc::<Des>(key, iv, text),
            Self::DesEde3 => decrypt_cbc::<TdesEde3>(key, iv, text),
            Self::DesEde2 => decrypt_cbc::<TdesEde2>(key, iv, text),
            Self::Rc2Bits128 | Self::Rc2Bits64 | Self::Rc2Bits40 => {
                decrypt_rc2(self.rc2_bits()?, key, iv, text)
            }
            #[cfg(feature = "legacy")]
            Self::Rc4Bits128 | Self::Rc4Bits40 => decrypt_rc4(key, text),
            #[cfg(feature = "legacy")]
            Self::Camellia128 => decrypt_cbc::<Camellia128>(key, iv, text),
            #[cfg(feature = "legacy")]
            Self::Camellia192 => decrypt_cbc::<Camellia192>(key, iv, text),
            #[cfg(feature = "legacy")]
            Self::Camellia256 => decrypt_cbc::<Camellia256>(key, iv, text),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "AES-128-CBC",
            Self::Aes192 => "AES-192-CBC",
            Self::Aes256 => "AES-256-CBC",
            Self::Aes128Gcm => "AES-128-GCM",
            Self::Aes192Gcm => "AES-192-GCM",
            Self::Aes256Gcm => "AES-256-GCM",
            Self::Des => "DES-CBC",
            Self::DesEde3 => "3DES-CBC",
            Self::DesEde2 => "two-key 3DES-CBC",
            Self::Rc2Bits128 => "RC2-128-CBC",
            Self::Rc2Bits64 => "RC2-64-CBC",
            Self::Rc2Bits40 => "RC2-40-CBC",
            #[cfg(feature = "legacy")]
            Self::Rc4Bits128 => "RC4-128",
            #[cfg(feature = "legacy")]
            Self::Rc4Bits40 => "RC4-40",
            #[cfg(feature = "legacy")]
            Self::Camellia128 => "Camellia-128-CBC",
            #[cfg(feature = "legacy")]
            Self::Camellia192 => "Camellia-192-CBC",
            #[cfg(feature = "legacy")]
            Self::Camellia256 => "Camellia-256-CBC",
        }
    }
}

/// What is written by default; `None` when key or initialization vector have another length.
pub(super) fn encrypt_aes256(key: &[u8], iv: &[u8], plaintext: &[u8]) -> Option<Vec<u8>> {
    encrypt_cbc::<Aes256>(key, iv, plaintext)
}

/// What old readers need.
pub(super) fn encrypt_3des(key: &[u8], iv: &[u8], plaintext: &[u8]) -> Option<Vec<u8>> {
    encrypt_cbc::<TdesEde3>(key, iv, plaintext)
}

fn encrypt_cbc<C>(key: &[u8], iv: &[u8], plaintext: &[u8]) -> Option<Vec<u8>>
where
    C: BlockCipherEncrypt + KeyInit,
{
    let cipher = cbc::Encryptor::<C>::new_from_slices(key, iv).ok()?;
    Some(cipher.encrypt_padded_vec::<Pkcs7>(plaintext))
}

fn decrypt_cbc<C>(key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    C: BlockCipherDecrypt + KeyInit,
{
    unpadded(
        cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?,
        ciphertext,
    )
}

/// The effective key bits limit the key whatever its length.
fn decrypt_rc2(
    bits: usize,
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if !(1..=128).contains(&key.len()) {
        return None;
    }
    let cipher = Rc2::new_with_eff_key_len(key, bits);
    unpadded(
        cbc::Decryptor::<Rc2>::inner_iv_init(cipher, iv.try_into().ok()?),
        ciphertext,
    )
}

fn unpadded(decryptor: impl BlockModeDecrypt, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let len = decryptor.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(len);
    Some(buffer)
}

#[cfg(feature = "legacy")]
fn decrypt_rc4(key: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    use rc4::{KeyInit, Rc4, StreamCipher};

    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    Rc4::new_from_slice(key).ok()?.apply_keystream(&mut buffer);
    Some(buffer)
}

/// The tag of 16 octets ends the text.
fn decrypt_gcm<C>(key: &[u8], iv: &[u8], text: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    C: AeadInOut + KeyInit,
{
    let (ciphertext, tag) = text.split_last_chunk::<16>()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    C::new_from_slice(key)
        .ok()?
        .decrypt_inout_detached(
            iv.try_into().ok()?,
            &[],
            buffer.as_mut_slice().into(),
            tag.as_slice().try_into().ok()?,
        )
        .ok()?;
    Some(buffer)
}
