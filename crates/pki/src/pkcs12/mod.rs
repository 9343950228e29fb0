//! PKCS#12 bundles (RFC 7292).

mod bags;
mod build;
mod chain;
mod mac;
mod open;

use std::fmt;

pub use self::build::Pkcs12Builder;
use crate::{Certificate, Error, KdfBudget, Passphrase, PrivateKey};

/// How the integrity of an opened file was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Integrity {
    /// A MAC over the contents that matched.
    Mac {
        /// The digest under the HMAC, for example `"SHA-256"`, or `"SHA-256 (PBMAC1)"` where RFC 9579 is used.
        digest: String,
        /// Iterations of the key derivation.
        iterations: u64,
    },
    /// The file has no MAC: nothing vouches for its contents.
    Absent,
}

/// A PKCS#12 file that was opened.
///
/// Which certificate belongs to which key is told by their public keys, and the order of a chain by names and
/// signatures, whatever order the file has.
#[derive(Debug)]
pub struct Pkcs12 {
    private_keys: Vec<PrivateKey>,
    aliases: Vec<Option<String>>,
    certificates: Vec<Certificate>,
    /// For each private key, where its certificate is.
    leaves: Vec<Option<usize>>,
    integrity: Integrity,
    encryption: Vec<String>,
}

impl Pkcs12 {
    /// Opens a file of at most 4 MiB that OpenSSL, Java, NSS, GnuTLS, Windows or this crate wrote: DER or BER; with a
    /// MAC from SHA-1 to SHA-512, PBMAC1 (RFC 9579) or none; encrypted with PBES2 (AES or 3DES; PBKDF2 or scrypt), with
    /// the 3DES and RC2 schemes of PKCS#12, or not at all.
    ///
    /// The MAC is checked over the octets as they stand before anything is decrypted. That a file has none is no error:
    /// see [`integrity`](Self::integrity). An empty passphrase also opens files that were made without any.
    ///
    /// # Errors
    /// [`Error::WrongPassphrase`]; [`Error::MacMismatch`] when the passphrase opens the contents, and they aren't those
    /// that the MAC was made for; [`Error::BudgetExceeded`] before any derivation; [`Error::UnsupportedScheme`] with
    /// the scheme's name; [`Error::UnsupportedKey`] and [`Error::InvalidKey`]; [`Error::Malformed`],
    /// [`Error::TrailingData`], [`Error::TooLarge`] and [`Error::NestedTooDeeply`].
    pub fn open(der: &[u8], passphrase: &Passphrase) -> Result<Self, Error> {
        Self::open_within(der, passphrase, KdfBudget::default())
    }

    /// Like [`open`](Self::open), with other limits for key derivation than the default ones.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_within(
        der: &[u8],
        passphrase: &Passphrase,
        budget: KdfBudget,
    ) -> Result<Self, Error> {
        open::open(der, passphrase, budget)
    }

    /// Starts a file with this private key and its certificate.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] when they don't belong together.
    pub fn builder<'a>(
        key: &'a PrivateKey,
        certificate: &'a Certificate,
    ) -> Result<Pkcs12Builder<'a>, Error> {
        Pkcs12Builder::new(key, certificate)
    }

    /// The private key.
    ///
    /// # Errors
    /// [`Error::Pkcs12Lacks`] when there is none and [`Error::Pkcs12SeveralKeys`] when there are several.
    pub fn private_key(&self) -> Result<&PrivateKey, Error> {
        match self.private_keys.as_slice() {
            [key] => Ok(key),
            [] => Err(Error::Pkcs12Lacks {
                what: "private key",
            }),
            several => Err(Error::Pkcs12SeveralKeys {
                count: several.len(),
            }),
        }
    }

    /// The certificate of the private key. Where several have its public key, the one with its localKeyId, or else the
    /// first.
    ///
    /// # Errors
    /// Those of [`private_key`](Self::private_key), and [`Error::Pkcs12Lacks`] when the file has no certificate for it.
    pub fn certificate(&self) -> Result<&Certificate, Error> {
        self.private_key()?;
        self.leaves
            .first()
            .copied()
            .flatten()
            .and_then(|leaf| self.certificates.get(leaf))
            .ok_or(Error::Pkcs12Lacks {
                what: "certificate for the private key",
            })
    }

    /// The certificate of the private key, then its issuers as far as the file has them, whatever order it has them in.
    ///
    /// # Errors
    /// Those of [`certificate`](Self::certificate).
    pub fn chain(&self) -> Result<Vec<&Certificate>, Error> {
        Ok(chain::upwards(self.certificate()?, &self.certificates))
    }

    /// Every certificate in the file, in file order.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Every private key in the file, in file order; one that is there twice is listed once.
    pub fn private_keys(&self) -> &[PrivateKey] {
        &self.private_keys
    }

    /// The friendlyName of the first private key that has one.
    pub fn alias(&self) -> Option<&str> {
        self.aliases.iter().flatten().next().map(String::as_str)
    }

    /// Whether, and how, the integrity of the file was checked.
    pub fn integrity(&self) -> &Integrity {
        &self.integrity
    }

    /// The encryption schemes of the file, without repeats, for example
    /// `PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 2048 iterations)`. None when nothing is encrypted.
    pub fn encryption(&self) -> &[String] {
        &self.encryption
    }

    /// The private key and its [`chain`](Self::chain), for presenting them.
    ///
    /// # Errors
    /// Those of [`chain`](Self::chain).
    pub fn into_identity(mut self) -> Result<(PrivateKey, Vec<Certificate>), Error> {
        let chain = self.chain()?.into_iter().cloned().collect();
        let key = self.private_keys.pop().ok_or(Error::Pkcs12Lacks {
            what: "private key",
        })?;
        Ok((key, chain))
    }

    fn new(
        entries: Vec<Entry>,
        certificates: Vec<Certificate>,
        ids: Vec<Option<Vec<u8>>>,
        integrity: Integrity,
        encryption: Vec<String>,
    ) -> Self {
        let mut this = Self {
            private_keys: Vec::new(),
            aliases: Vec::new(),
            certificates,
            leaves: Vec::new(),
            integrity,
            encryption,
        };
        for entry in entries {
            let public = entry.key.public_key();
            if this
                .private_keys
                .iter()
                .any(|key| key.public_key() == public)
            {
                continue;
            }
            let ours = |at: &usize| {
                this.certificates
                    .get(*at)
                    .is_some_and(|certificate| belongs(&entry.key, certificate))
            };
            let same_id = |at: &usize| {
                entry.local_key_id.is_some() && ids.get(*at) == Some(&entry.local_key_id)
            };
            let range = 0..this.certificates.len();
            let leaf = range
                .clone()
                .filter(same_id)
                .find(&ours)
                .or_else(|| range.clone().find(&ours));
            this.leaves.push(leaf);
            this.private_keys.push(entry.key);
            this.aliases.push(entry.alias);
        }
        this
    }
}

/// What a bundle is called in an error.
const WHAT: &str = "PKCS#12 file";
/// What its encryption is called there.
const ENCRYPTION: &str = "PKCS#12 encryption";

/// A private key with what its bag said about it.
struct Entry {
    key: PrivateKey,
    alias: Option<String>,
    local_key_id: Option<Vec<u8>>,
}

/// Whether the certificate is about this key. The octets of the key itself are compared: encodings around them vary.
fn belongs(key: &PrivateKey, certificate: &Certificate) -> bool {
    let own = key.public_key();
    certificate.spki_der() == own.spki_der()
        || certificate.public_key().is_ok_and(|theirs| {
            theirs.algorithm() == own.algorithm() && theirs.key_octets() == own.key_octets()
        })
}

/// For example `SHA-256, 2048 iterations`, or `none`.
impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac { digest, iterations } => write!(f, "{digest}, {iterations} iterations"),
            Self::Absent => f.write_str("none"),
        }
    }
}
