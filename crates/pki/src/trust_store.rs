//! Trust stores: the certificates that somebody trusts, in whatever file they come.

use crate::{
    Budget, Certificate, CertificateEntry, Error, Integrity, Passphrase, Pkcs7, Pkcs12,
    Pkcs12Builder, UnreadableCertificate,
    budget::Spending,
    java_keystore::{self, is_java_keystore},
    pem,
    pkcs7::{self, is_pkcs7},
    pkcs12::{OpenedCertificates, is_pkcs12, open_certificates},
};

/// Certificates that are trusted, with their aliases where they have any.
///
/// Reading one says nothing about how it came to be trusted: see [`integrity`](Self::integrity).
///
/// ```
/// use pki::{Passphrase, TrustStore};
///
/// let file = include_bytes!("../tests/data/trust/keytool-trust.jks");
/// let store = TrustStore::read(file, &Passphrase::from("correct"))?;
/// for (alias, certificate) in store.entries() {
///     println!("{}: {}", alias.unwrap_or("no alias"), certificate.subject());
/// }
/// # assert_eq!(store.certificates().len(), 2);
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustStore {
    certificates: Vec<Certificate>,
    /// As many as there are certificates.
    aliases: Vec<Option<String>>,
    unreadable: Vec<UnreadableCertificate>,
    private_keys: usize,
    integrity: Integrity,
}

impl TrustStore {
    /// Reads a trust store, whose format it finds out by itself:
    ///
    /// - PEM: every `CERTIFICATE` block, and every certificate in `PKCS7` and `CMS` blocks.
    /// - DER: one certificate.
    /// - PKCS#12: the certificates that are marked as trusted, as Java does it. Where none is marked and there is no
    ///   private key either, every certificate; beside a private key, unmarked ones are its chain and not trusted.
    /// - JKS and JCEKS, Java's formats before version 9: the trusted certificates. Private keys and their chains are skipped.
    /// - PKCS#7 (`.p7b`): every certificate, whatever is signed beside them.
    ///
    /// Without a passphrase, JKS and JCEKS files and PKCS#12 files whose certificates are not encrypted are read, and their
    /// integrity is not checked.
    ///
    /// A certificate that can't be read doesn't keep the others from being read: see [`unreadable`](Self::unreadable).
    ///
    /// # Errors
    /// [`Error::NoTrustedCertificate`] when there is none in it, or none that can be read; [`Error::PemNotFound`] and
    /// [`Error::MalformedPem`]; [`Error::PassphraseRequired`]; [`Error::WrongPassphrase`], which for a JKS or JCEKS file may also
    /// mean that it was altered; [`Error::UnsupportedScheme`] for PKCS#7 that isn't signedData; those of
    /// [`Pkcs12::open`](crate::Pkcs12::open) for PKCS#12; [`Error::Malformed`], [`Error::TrailingData`] and
    /// [`Error::TooLarge`].
    pub fn read<'p>(
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        Self::read_within(input, passphrase, Budget::default())
    }

    /// Like [`read`](Self::read), with other limits for key derivation than the default ones.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub fn read_within<'p>(
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
        budget: Budget,
    ) -> Result<Self, Error> {
        budget.check_size(input, "trust store")?;
        let passphrase = passphrase.into();
        let store = if is_java_keystore(input) {
            from_java(input, passphrase, budget)?
        } else if pem::is_pem(input) {
            from_pem(input, &budget)?
        } else if is_pkcs12(input) {
            open_certificates(input, passphrase, budget)?.into()
        } else if is_pkcs7(input) {
            let mut store = Self::default();
            store.extend(&Pkcs7::read(input, &budget)?);
            store
        } else {
            Self::from_iter([Certificate::from_der(input)?])
        };
        if store.certificates.is_empty() {
            return Err(Error::NoTrustedCertificate {
                private_keys: store.private_keys,
                unreadable: store.unreadable.len(),
            });
        }
        Ok(store)
    }

    /// The certificates, in file order.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The certificates, in file order, with their aliases where they have any.
    pub fn entries(&self) -> impl Iterator<Item = (Option<&str>, &Certificate)> {
        self.aliases
            .iter()
            .map(Option::as_deref)
            .zip(&self.certificates)
    }

    /// The certificates that can't be read. None of them is among [`certificates`](Self::certificates).
    pub fn unreadable(&self) -> &[UnreadableCertificate] {
        &self.unreadable
    }

    /// How many private keys are in the file. They were skipped.
    pub fn private_keys(&self) -> usize {
        self.private_keys
    }

    /// Whether, and how, the integrity of the file was checked. PEM and DER have none.
    pub fn integrity(&self) -> &Integrity {
        &self.integrity
    }

    /// Starts a PKCS#12 file of these certificates, which Java sees as trusted, under their aliases.
    ///
    /// ```
    /// # let pem = include_bytes!("../tests/data/pkcs12/root.crt");
    /// let store = pki::TrustStore::read(pem, None)?;
    /// let passphrase = pki::Passphrase::from("changeit");
    /// let p12 = store.pkcs12().iterations(10_000).to_der(&passphrase)?;
    /// assert_eq!(pki::TrustStore::read(&p12, &passphrase)?.certificates(), store.certificates());
    /// # Ok::<(), pki::Error>(())
    /// ```
    pub fn pkcs12(&self) -> Pkcs12Builder<'static> {
        self.entries().fold(
            Pkcs12::trust_builder(),
            |builder, (alias, certificate)| match alias {
                Some(alias) => builder.trusted_as(alias, certificate),
                None => builder.trusted(certificate),
            },
        )
    }

    fn push(&mut self, alias: Option<String>, certificate: Certificate) {
        self.aliases.push(alias);
        self.certificates.push(certificate);
    }

    /// With the certificates of a PKCS#7 file.
    fn extend(&mut self, pkcs7: &Pkcs7) {
        for certificate in pkcs7.certificates() {
            self.push(None, certificate.clone());
        }
        self.unreadable.extend_from_slice(pkcs7.unreadable());
    }

    fn push_read(&mut self, alias: Option<String>, certificate: Result<Certificate, Error>) {
        match certificate {
            Ok(certificate) => self.push(alias, certificate),
            Err(error) => self.unreadable.push(UnreadableCertificate { alias, error }),
        }
    }
}

impl Default for TrustStore {
    fn default() -> Self {
        Self {
            certificates: Vec::new(),
            aliases: Vec::new(),
            unreadable: Vec::new(),
            private_keys: 0,
            integrity: Integrity::Absent,
        }
    }
}

/// Certificates without aliases.
impl FromIterator<Certificate> for TrustStore {
    fn from_iter<I: IntoIterator<Item = Certificate>>(certificates: I) -> Self {
        let mut store = Self::default();
        for certificate in certificates {
            store.push(None, certificate);
        }
        store
    }
}

/// Certificates with their aliases.
impl FromIterator<(String, Certificate)> for TrustStore {
    fn from_iter<I: IntoIterator<Item = (String, Certificate)>>(entries: I) -> Self {
        let mut store = Self::default();
        for (alias, certificate) in entries {
            store.push(Some(alias), certificate);
        }
        store
    }
}

impl From<OpenedCertificates> for TrustStore {
    fn from(opened: OpenedCertificates) -> Self {
        let marked = opened.certificates.entries().any(|entry| entry.trusted);
        let all = !marked && opened.keys == 0;
        let mut store = Self::default();
        for entry in opened.certificates.entries() {
            let CertificateEntry {
                certificate, alias, ..
            } = entry;
            if all || entry.trusted {
                store.push(alias.map(str::to_owned), certificate.clone());
            }
        }
        store.unreadable = opened.certificates.unreadable;
        store.private_keys = opened.keys;
        store.integrity = opened.integrity;
        store
    }
}

fn from_pem(input: &[u8], budget: &Budget) -> Result<TrustStore, Error> {
    let mut store = TrustStore::default();
    let blocks = pem::blocks_within(input, budget.max_size)?;
    let mut others = Vec::new();
    for block in &blocks {
        if Certificate::is_label(&block.label) {
            store.push_read(None, Certificate::from_der(&block.der));
        } else if pkcs7::is_label(&block.label) {
            store.extend(&Pkcs7::read(&block.der, budget)?);
        } else {
            others.push(block.label.clone());
        }
    }
    if others.len() == blocks.len() {
        return Err(Error::PemNotFound {
            expected: "CERTIFICATE",
            found: others,
        });
    }
    Ok(store)
}

fn from_java(
    input: &[u8],
    passphrase: Option<&Passphrase>,
    budget: Budget,
) -> Result<TrustStore, Error> {
    let parsed = java_keystore::Parsed::read(input, passphrase, &Spending::new(budget))?;
    let mut store = TrustStore::default();
    for (alias, certificate) in parsed.trusted() {
        store.push_read(Some(alias.to_owned()), certificate);
    }
    store.private_keys = parsed.private_keys();
    store.integrity = parsed.integrity;
    Ok(store)
}
