use std::fmt;

use super::mac::MacKind;
use crate::{kdf::Hash, pbe::Encryption};

/// Which algorithms a PKCS#12 file is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Pkcs12Profile {
    /// PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC, and a MAC with HMAC-SHA-256. OpenSSL 1.1.1 and later, Java 8u301
    /// and later, NSS, GnuTLS and Python read it. The default.
    #[default]
    Modern,
    /// The encryption of [`Modern`](Self::Modern), and a MAC with PBMAC1 (RFC 9579) from PBKDF2-HMAC-SHA-256: what FIPS
    /// 140 allows. OpenSSL 3.4 and later reads it; most other programs refuse it.
    Pbmac1,
    /// Three-key 3DES and SHA-1 in the schemes of PKCS#12 itself, for Java before 8u301 and for older macOS and Windows,
    /// which read nothing else. **Weak**: give such a file a long random passphrase, or keep it short-lived.
    Legacy,
}

impl Pkcs12Profile {
    pub(super) fn encryption(self) -> Encryption {
        match self {
            Self::Modern | Self::Pbmac1 => Encryption::Aes256,
            Self::Legacy => Encryption::Pkcs12TripleDes,
        }
    }

    pub(super) fn mac(self) -> MacKind {
        match self {
            Self::Modern => MacKind::Classic(Hash::Sha256),
            Self::Pbmac1 => MacKind::Pbmac1,
            Self::Legacy => MacKind::Classic(Hash::Sha1),
        }
    }
}

/// `modern`, `pbmac1` or `legacy`.
impl fmt::Display for Pkcs12Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Modern => "modern",
            Self::Pbmac1 => "pbmac1",
            Self::Legacy => "legacy",
        })
    }
}

/// Something about a PKCS#12 file to be written that its readers may stumble over. It is written all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pkcs12Warning {
    /// The passphrase has characters outside ASCII, which Java refuses and others encode in their own ways.
    PassphraseNotAscii,
    /// The passphrase is empty, which some programs take for none.
    PassphraseEmpty,
}

impl fmt::Display for Pkcs12Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PassphraseNotAscii => {
                "the passphrase of the bundle is not ASCII: Java will refuse it"
            }
            Self::PassphraseEmpty => {
                "the passphrase of the bundle is empty: some programs take that for none"
            }
        })
    }
}
