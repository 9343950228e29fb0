//! JKS and JCEKS, the keystore formats that Java had before PKCS#12. Certificates are in the clear, private keys are encrypted one by
//! one, and a keyed SHA-1 digest ends the file.
//!
//! Nobody specified them but the sources of OpenJDK (`sun.security.provider.JavaKeyStore`, `com.sun.crypto.provider.JceKeyStore`).

mod fields;
mod serialized;
mod protected;

use std::time::SystemTime;

use subtle::ConstantTimeEq;

use self::{
    fields::{Encoded, Fields, ends_early},
    protected::Protected,
};
use crate::{
    Certificate, Encrypted, Error, Integrity, OtherKey, Passphrase, PrivateKey,
    UnreadableCertificate,
    budget::Spending,
    der::malformed,
    key::{self, Found},
};

/// A keystore in JKS or JCEKS.
#[derive(Debug)]
pub struct JavaKeystore {
    format: Format,
    entries: Vec<KeystoreEntry>,
    unreadable: Vec<UnreadableCertificate>,
    integrity: Integrity,
}

/// An entry of a [`JavaKeystore`].
#[derive(Debug)]
#[non_exhaustive]
pub struct KeystoreEntry {
    /// Its alias. Java's own are in lower case.
    pub alias: String,
    /// When it was made, by the clock of whoever made it; `None` for a time that no clock shows.
    pub created: Option<SystemTime>,
    /// What it is.
    pub value: KeystoreValue,
    /// Of a private key its certificate, then those of its issuers, as far as they are there and can be read; of others nothing.
    pub chain: Vec<Certificate>,
}

/// What an entry of a [`JavaKeystore`] is.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeystoreValue {
    /// A private key (`PrivateKeyEntry`), decrypted.
    #[non_exhaustive]
    PrivateKey {
        /// The key.
        key: PrivateKey,
        /// How it was encrypted in the file.
        encryption: String,
    },
    /// A private key of a kind that this crate doesn't use.
    OtherKey(OtherKey),
    /// A private key that stayed encrypted.
    Encrypted(Encrypted),
    /// A certificate that is trusted (`trustedCertEntry`).
    TrustedCertificate(Certificate),
    /// A secret key (`SecretKeyEntry`), which only JCEKS has. It is not read.
    SecretKey,
}

impl JavaKeystore {
    /// `JKS` or `JCEKS`.
    pub fn format(&self) -> &'static str {
        self.format.name()
    }

    /// The entries, in file order.
    pub fn entries(&self) -> &[KeystoreEntry] {
        &self.entries
    }

    /// The certificates that can't be read. None of them is in an entry.
    pub fn unreadable(&self) -> &[UnreadableCertificate] {
        &self.unreadable
    }

    /// Whether, and how, the integrity of the file was checked: its digest is no MAC.
    pub fn integrity(&self) -> &Integrity {
        &self.integrity
    }

    /// The certificates of all entries.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.entries.iter().flat_map(|entry| {
            let trusted = match &entry.value {
                KeystoreValue::TrustedCertificate(certificate) => Some(certificate),
                _ => None,
            };
            trusted.into_iter().chain(&entry.chain)
        })
    }

    /// The certificate of the first private key that was opened.
    pub(crate) fn leaf(&self) -> Option<&Certificate> {
        let mut entries = self.entries.iter();
        let own = |entry: &&KeystoreEntry| matches!(entry.value, KeystoreValue::PrivateKey { .. });
        entries.find(own)?.chain.first()
    }

    pub(crate) fn private_keys(&self) -> impl Iterator<Item = &PrivateKey> {
        self.entries.iter().filter_map(|entry| match &entry.value {
            KeystoreValue::PrivateKey { key, .. } => Some(key),
            _ => None,
        })
    }

    pub(crate) fn into_private_keys(self) -> Vec<PrivateKey> {
        let values = self.entries.into_iter().map(|entry| entry.value);
        values
            .filter_map(|value| match value {
                KeystoreValue::PrivateKey { key, .. } => Some(key),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn encrypted(&self) -> impl Iterator<Item = &Encrypted> {
        self.entries.iter().filter_map(|entry| match &entry.value {
            KeystoreValue::Encrypted(closed) => Some(closed),
            _ => None,
        })
    }

    /// Reads a keystore. With a passphrase its digest is checked before anything else. Private keys are opened with their own passphrase
    /// or, where that is none or another, with that of the keystore.
    ///
    /// # Errors
    /// `WrongPassphrase` for that of the keystore, and for an altered one; `BudgetExceeded`, `TooLarge`, `Malformed` and
    /// `TrailingData`; `InvalidKey`.
    pub(crate) fn read(
        input: &[u8],
        passphrase: Option<&Passphrase>,
        key_passphrase: Option<&Passphrase>,
        spending: &mut Spending,
    ) -> Result<Self, Error> {
        let parsed = Parsed::read(input, passphrase, spending)?;
        let passphrases: Vec<_> = key_passphrase.into_iter().chain(passphrase).collect();
        let mut read = Self {
            format: parsed.format,
            entries: Vec::new(),
            unreadable: Vec::new(),
            integrity: parsed.integrity,
        };
        for Entry {
            alias,
            created,
            value,
        } in parsed.entries
        {
            let mut readable = |certificate: &Encoded<'_>| match certificate.parse() {
                Ok(certificate) => Some(certificate),
                Err(error) => {
                    read.unreadable.push(UnreadableCertificate {
                        alias: Some(alias.clone()),
                        error,
                    });
                    None
                }
            };
            let (value, chain) = match value {
                Value::PrivateKey { protected, chain } => {
                    let chain = chain.iter().filter_map(&mut readable).collect();
                    (opened(&protected, &passphrases, &alias, spending)?, chain)
                }
                Value::TrustedCertificate(certificate) => match readable(&certificate) {
                    Some(certificate) => {
                        (KeystoreValue::TrustedCertificate(certificate), Vec::new())
                    }
                    None => continue,
                },
                Value::SecretKey => (KeystoreValue::SecretKey, Vec::new()),
            };
            read.entries.push(KeystoreEntry {
                alias,
                created,
                value,
                chain,
            });
        }
        Ok(read)
    }
}

/// Opens a private key with the first of the passphrases that does.
fn opened(
    protected: &Protected<'_>,
    passphrases: &[&Passphrase],
    alias: &str,
    spending: &mut Spending,
) -> Result<KeystoreValue, Error> {
    let mut read = Err(match passphrases {
        [] => Error::PassphraseRequired { what: KEY },
        _ => Error::WrongPassphrase { what: KEY },
    });
    for passphrase in passphrases {
        match protected.opened(passphrase, spending) {
            Ok(None) => {}
            Ok(Some(der)) => match key::unencrypted(&der) {
                // Padding that noise has by chance.
                Err(Error::Malformed { .. } | Error::TrailingData { .. }) => {}
                key => {
                    read = key;
                    break;
                }
            },
            Err(error) => {
                read = Err(error);
                break;
            }
        }
    }
    let alias = Some(alias.to_owned());
    let encryption = protected.encryption();
    if let Err(error @ Error::WrongPassphrase { .. }) = read {
        return Ok(KeystoreValue::Encrypted(Encrypted {
            what: KEY,
            encryption,
            alias,
            error,
        }));
    }
    Ok(match Found::new(read, Some(encryption.clone()))? {
        Found::Key { key, .. } => KeystoreValue::PrivateKey { key, encryption },
        Found::Other(other) => KeystoreValue::OtherKey(OtherKey { alias, ..other }),
        Found::Closed(closed) => KeystoreValue::Encrypted(Encrypted { alias, ..closed }),
    })
}

/// A keystore whose form was checked, and of which nothing was opened.
pub(crate) struct Parsed<'a> {
    format: Format,
    entries: Vec<Entry<'a>>,
    pub(crate) integrity: Integrity,
}

struct Entry<'a> {
    alias: String,
    created: Option<SystemTime>,
    value: Value<'a>,
}

enum Value<'a> {
    PrivateKey {
        protected: Protected<'a>,
        chain: Vec<Encoded<'a>>,
    },
    TrustedCertificate(Encoded<'a>),
    SecretKey,
}

impl<'a> Parsed<'a> {
    pub(crate) fn read(
        input: &'a [u8],
        passphrase: Option<&Passphrase>,
        spending: &Spending,
    ) -> Result<Self, Error> {
        let format = if input.starts_with(&JCEKS) {
            Format::Jceks
        } else {
            Format::Jks
        };
        let what = format.what();
        spending.budget().check_size(input, what)?;
        let (body, digest) = input
            .split_last_chunk::<DIGEST_LEN>()
            .ok_or_else(|| ends_early(what))?;
        let mut parsed = Self {
            format,
            entries: Vec::new(),
            integrity: check(body, digest, passphrase, what)?,
        };

        let mut fields = Fields { rest: body, what };
        fields.take(JKS.len())?;
        let version = fields.u32()?;
        if !matches!(version, 1 | 2) {
            return Err(malformed(what, format!("version {version}, not 1 or 2")));
        }
        let count = fields.u32()?;
        let mut keys = 0_usize;
        for _ in 0..count {
            let kind = fields.u32()?;
            let alias = fields.text()?;
            let created = fields.time()?;
            let value = match kind {
                PRIVATE_KEY => {
                    keys = keys.saturating_add(1);
                    spending.check_keys(keys)?;
                    let protected = Protected::read(fields.octets()?)?;
                    let chain = (0..fields.u32()?)
                        .map(|_| fields.certificate(version))
                        .collect::<Result<_, _>>()?;
                    Value::PrivateKey { protected, chain }
                }
                TRUSTED_CERTIFICATE => Value::TrustedCertificate(fields.certificate(version)?),
                SECRET_KEY if format == Format::Jceks => {
                    serialized::skip(&mut fields)?;
                    Value::SecretKey
                }
                other => return Err(malformed(what, format!("unknown kind of entry {other}"))),
            };
            parsed.entries.push(Entry {
                alias,
                created,
                value,
            });
        }
        match fields.rest {
            [] => Ok(parsed),
            rest => Err(Error::TrailingData {
                what,
                count: rest.len(),
            }),
        }
    }

    /// The trusted certificates with their aliases.
    pub(crate) fn trusted(
        &self,
    ) -> impl Iterator<Item = (&str, Result<Certificate, Error>)> + use<'_, 'a> {
        self.entries.iter().filter_map(|entry| match &entry.value {
            Value::TrustedCertificate(certificate) => {
                Some((entry.alias.as_str(), certificate.parse()))
            }
            _ => None,
        })
    }

    pub(crate) fn private_keys(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| matches!(entry.value, Value::PrivateKey { .. }))
            .count()
    }
}

/// Whether the input starts like one of the two formats.
pub(crate) fn is_java_keystore(input: &[u8]) -> bool {
    input.starts_with(&JKS) || input.starts_with(&JCEKS)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Jks,
    Jceks,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Jks => "JKS",
            Self::Jceks => "JCEKS",
        }
    }

    /// What errors call it.
    fn what(self) -> &'static str {
        match self {
            Self::Jks => "JKS file",
            Self::Jceks => "JCEKS file",
        }
    }
}

const KEY: &str = "private key";
const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const JCEKS: [u8; 4] = [0xce, 0xce, 0xce, 0xce];
const DIGEST_LEN: usize = 20;
/// What is digested between the passphrase and the file.
const WHITENER: &[u8] = b"Mighty Aphrodite";

const PRIVATE_KEY: u32 = 1;
const TRUSTED_CERTIFICATE: u32 = 2;
const SECRET_KEY: u32 = 3;

/// A wrong passphrase and an altered file are the same to the digest.
fn check(
    body: &[u8],
    digest: &[u8; DIGEST_LEN],
    passphrase: Option<&Passphrase>,
    what: &'static str,
) -> Result<Integrity, Error> {
    use sha1::Digest;

    let Some(passphrase) = passphrase else {
        return Ok(Integrity::Unchecked);
    };
    let found: [u8; DIGEST_LEN] = protected::hashed(passphrase)
        .chain_update(WHITENER)
        .chain_update(body)
        .finalize()
        .into();
    if bool::from(found.ct_eq(digest)) {
        Ok(Integrity::KeyedDigest)
    } else {
        Err(Error::WrongPassphrase { what })
    }
}
