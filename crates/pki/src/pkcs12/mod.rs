//! PKCS#12 bundles (RFC 7292).

mod sealed;
mod bags;
mod mac;
mod open;
mod profile;
mod build;

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

pub(crate) use self::open::{OpenedCertificates, open, open_certificates};
use self::{bags::Attributes, open::Certificates};
pub use self::{
    build::Pkcs12Builder,
    profile::{Pkcs12Profile, Pkcs12Warning},
};
use crate::{
    Budget, Certificate, Encrypted, Error, OtherKey, Passphrase, PrivateKey, PublicKey,
    budget::Spending, chain, der,
};

/// How the integrity of an opened file was checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Integrity {
    /// A MAC over the contents that matched.
    Mac {
        /// The digest under the HMAC, for example `"SHA-256"`, or `"SHA-256 (PBMAC1)"` where RFC 9579 is used.
        digest: String,
        /// Iterations of the key derivation.
        iterations: u64,
    },
    /// The SHA-1 digest of passphrase and contents that JKS has, which matched. It is no MAC.
    KeyedDigest,
    /// There is a MAC, and no passphrase was given to check it with. Only [`open`](crate::open()) and
    /// [`TrustStore`](crate::TrustStore) read such files.
    Unchecked,
    /// The file has no MAC: nothing vouches for its contents.
    #[default]
    Absent,
}

/// A certificate of a PKCS#12 file with what the file says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateEntry<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// Its friendlyName, which Java calls the alias.
    pub alias: Option<&'a str>,
    /// Whether it carries the attribute by which Java knows a trusted certificate.
    pub trusted: bool,
}

/// A certificate in a PKCS#12 file or a trust store that can't be read. It doesn't keep the others from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadableCertificate {
    /// Its friendlyName or alias.
    pub alias: Option<String>,
    /// What is wrong with it.
    pub error: Error,
}

/// A PKCS#12 file that was opened.
///
/// Which certificate belongs to which key is told by their public keys, and the order of a chain by names and
/// signatures, whatever order the file has.
///
/// ```no_run
/// # let passphrase = pki::Passphrase::from("secret");
/// let bundle = pki::Pkcs12::open(&std::fs::read("demo-bot1.p12")?, &passphrase)?;
/// let key = bundle.private_key()?;
/// for certificate in bundle.chain()? {
///     println!("{}", certificate.subject()); // the key's own, then its issuers
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pkcs12 {
    private_keys: Vec<PrivateKey>,
    aliases: Vec<Option<String>>,
    certificates: Certificates,
    /// For each private key, where its certificate is.
    leaves: Vec<Option<usize>>,
    other_keys: Vec<OtherKey>,
    encrypted: Vec<Encrypted>,
    others: Vec<String>,
    other_attributes: Vec<String>,
    integrity: Integrity,
    encryption: Vec<String>,
}

impl Pkcs12 {
    /// Opens a file of at most 4 MiB that OpenSSL, Java, NSS, GnuTLS, Windows or this crate wrote: DER or BER; with a
    /// MAC from MD5 to SHA-512, PBMAC1 (RFC 9579) or none; encrypted with PBES2 (AES, 3DES or RC2; PBKDF2 or scrypt), with
    /// the 3DES and RC2 schemes of PKCS#12, or not at all. The feature `legacy` adds RC4, Camellia and SHA-3.
    ///
    /// The MAC is checked over the octets as they stand before anything is decrypted. That a file has none is no error:
    /// see [`integrity`](Self::integrity). An empty passphrase also opens files that were made without any. A private key of a kind
    /// that this crate doesn't use is among the [`other_keys`](Self::other_keys).
    ///
    /// # Errors
    /// [`Error::WrongPassphrase`]; [`Error::MacMismatch`] when the passphrase opens the contents, and they aren't those
    /// that the MAC was made for; [`Error::BudgetExceeded`] before any derivation; [`Error::UnsupportedScheme`] with
    /// the scheme's name, after the MAC was found right where it could be checked; [`Error::InvalidKey`]; [`Error::Malformed`],
    /// [`Error::TrailingData`], [`Error::TooLarge`] and [`Error::NestedTooDeeply`].
    pub fn open(der: &[u8], passphrase: &Passphrase) -> Result<Self, Error> {
        Self::open_within(der, passphrase, Budget::default())
    }

    /// Like [`open`](Self::open), with other limits for key derivation than the default ones.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_within(der: &[u8], passphrase: &Passphrase, budget: Budget) -> Result<Self, Error> {
        let opened = open(der, passphrase.into(), &mut Spending::new(budget))?;
        match opened.encrypted.first() {
            None => Ok(opened),
            Some(closed) => Err(closed.error.clone()),
        }
    }

    /// Starts a file with this private key and its certificate.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] when the certificate is for another key; [`Error::UnsupportedKey`] for a certificate with a key that
    /// this crate doesn't handle.
    pub fn builder<'a>(
        key: &'a PrivateKey,
        certificate: &'a Certificate,
    ) -> Result<Pkcs12Builder<'a>, Error> {
        Pkcs12Builder::new(key, certificate)
    }

    /// Starts a file of trusted certificates alone, which [`Pkcs12Builder::trusted`] adds.
    pub fn trust_builder() -> Pkcs12Builder<'static> {
        Pkcs12Builder::with(None)
    }

    /// The private key.
    ///
    /// # Errors
    /// [`Error::Pkcs12Lacks`] when there is none and [`Error::Pkcs12SeveralKeys`] when there are several. Where the only one is of a
    /// kind that this crate doesn't use, [`Error::UnsupportedKey`]; where it stayed encrypted, the reason that
    /// [`Encrypted`](crate::Encrypted) gives.
    pub fn private_key(&self) -> Result<&PrivateKey, Error> {
        match self.private_keys.as_slice() {
            [key] => Ok(key),
            [] => Err(if let Some(closed) = self.encrypted.first() {
                closed.error.clone()
            } else if let Some(other) = self.other_keys.first() {
                other.unsupported()
            } else {
                Error::Pkcs12Lacks {
                    what: "private key",
                }
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
            .and_then(|leaf| self.certificates().get(leaf))
            .ok_or(Error::Pkcs12Lacks {
                what: "certificate for the private key",
            })
    }

    /// The certificate of the private key, then its issuers as far as the file has them, whatever order it has them in.
    ///
    /// # Errors
    /// Those of [`certificate`](Self::certificate).
    pub fn chain(&self) -> Result<Vec<&Certificate>, Error> {
        Ok(chain::upwards(self.certificate()?, self.certificates()))
    }

    /// Every certificate in the file, in file order.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates.parsed
    }

    /// Every certificate in the file, in file order, with its friendlyName and whether it is marked as trusted.
    pub fn entries(&self) -> impl Iterator<Item = CertificateEntry<'_>> {
        self.certificates.entries()
    }

    /// The certificates in the file that can't be read. None of them is among [`certificates`](Self::certificates).
    pub fn unreadable(&self) -> &[UnreadableCertificate] {
        &self.certificates.unreadable
    }

    /// Every private key in the file, in file order; one that is there twice is listed once.
    pub fn private_keys(&self) -> &[PrivateKey] {
        &self.private_keys
    }

    /// The friendlyName of the first private key that has one.
    pub fn alias(&self) -> Option<&str> {
        self.aliases.iter().flatten().next().map(String::as_str)
    }

    /// The friendlyName of each of the [`private_keys`](Self::private_keys), where it has one.
    pub fn aliases(&self) -> &[Option<String>] {
        &self.aliases
    }

    /// The private keys of kinds that this crate doesn't use.
    pub fn other_keys(&self) -> &[OtherKey] {
        &self.other_keys
    }

    /// What stayed encrypted, private keys and parts of the file: of one that [`open`](crate::open()) read without a passphrase, or
    /// with a scheme that isn't implemented. [`Pkcs12::open`] leaves nothing closed.
    pub fn encrypted(&self) -> &[Encrypted] {
        &self.encrypted
    }

    /// The kinds of bags that are none of keys or certificates, by name or object identifier, one for each: CRLs and secrets, for
    /// example. Nothing else is known of them.
    pub fn other_bags(&self) -> &[String] {
        &self.others
    }

    /// The attributes of keys and certificates other than friendlyName, localKeyId and Java's mark of trust, by name or object
    /// identifier, without repeats.
    pub fn other_attributes(&self) -> &[String] {
        &self.other_attributes
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

    pub(crate) fn into_private_keys(self) -> Vec<PrivateKey> {
        self.private_keys
    }

    fn new(parts: Pkcs12Parts) -> Self {
        let entries = parts.keys;
        let attributes = entries.iter().map(|entry| &entry.attributes);
        let attributes = attributes.chain(&parts.certificates.attributes);
        let mut seen = HashSet::new();
        let other_attributes = attributes
            .flat_map(|attributes| &attributes.others)
            .filter(|name| seen.insert(name.as_str()))
            .cloned()
            .collect();
        let mut this = Self {
            private_keys: Vec::new(),
            aliases: Vec::new(),
            certificates: parts.certificates,
            leaves: Vec::new(),
            other_keys: parts.other_keys,
            encrypted: parts.encrypted,
            others: parts.others,
            other_attributes,
            integrity: parts.integrity,
            encryption: parts.encryption,
        };
        // Looked up, not searched: a file may hold thousands of both.
        let mut theirs: HashMap<PublicKey, Vec<usize>> = HashMap::new();
        if !entries.is_empty() {
            for (at, certificate) in this.certificates().iter().enumerate() {
                if let Ok(key) = certificate.public_key() {
                    theirs.entry(key).or_default().push(at);
                }
            }
        }
        let mut seen = HashSet::new();
        for entry in entries {
            let public = entry.key.public_key().clone();
            if !seen.insert(public.clone()) {
                continue;
            }
            let ours = theirs.get(&public).map(Vec::as_slice).unwrap_or_default();
            let same_id = |at: &&usize| {
                let theirs = this.certificates.attributes.get(**at);
                entry.attributes.local_key_id.is_some()
                    && theirs.is_some_and(|a| a.local_key_id == entry.attributes.local_key_id)
            };
            let leaf = ours.iter().find(same_id).or(ours.first()).copied();
            this.leaves.push(leaf);
            this.private_keys.push(entry.key);
            this.aliases.push(entry.attributes.alias);
        }
        this
    }
}

/// Whether the input starts as a PKCS#12 file does, and as no certificate: with its version in a SEQUENCE, whatever the form of
/// their lengths. Private keys start so, too.
pub(crate) fn is_pkcs12(input: &[u8]) -> bool {
    input.first() == Some(&der::SEQUENCE)
        && der::after_header(input).and_then(<[u8]>::first) == Some(&der::INTEGER)
}

/// What a bundle is called in an error.
const WHAT: &str = "PKCS#12 file";
/// What its encryption is called there.
const ENCRYPTION: &str = "PKCS#12 encryption";

/// What was found in a file.
#[derive(Default)]
struct Pkcs12Parts {
    keys: Vec<Entry>,
    other_keys: Vec<OtherKey>,
    encrypted: Vec<Encrypted>,
    certificates: Certificates,
    others: Vec<String>,
    integrity: Integrity,
    encryption: Vec<String>,
}

/// A private key with what its bag said about it.
struct Entry {
    key: PrivateKey,
    attributes: Attributes,
}

/// For example `SHA-256, 2048 iterations`, `not checked`, or `none`.
impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac { digest, iterations } => write!(f, "{digest}, {iterations} iterations"),
            Self::KeyedDigest => f.write_str("SHA-1 of passphrase and contents"),
            Self::Unchecked => f.write_str("not checked"),
            Self::Absent => f.write_str("none"),
        }
    }
}
