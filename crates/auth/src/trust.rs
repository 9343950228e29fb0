use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use pki::{Certificate, Passphrase, TrustStore};
use rustls::{CertificateError, RootCertStore, pki_types::CertificateDer};

use crate::Error;

/// The roots that a server's certificate must lead to.
///
/// There is no way to switch this check off. A server with a private root is trusted by naming that root: beside the
/// platform's (`TrustAnchors::platform()?.and_pem(..)?`), or instead of them (`TrustAnchors::pem(..)?`).
///
/// ```no_run
/// # use auth::TrustAnchors;
/// # fn load(passphrase: &pki::Passphrase) -> Result<(), Box<dyn std::error::Error>> {
/// let store = std::fs::read("truststore.jks")?;
/// let anchors = TrustAnchors::read("truststore.jks", &store, passphrase)?.and_platform();
/// for anchor in anchors.certificates() {
///     println!("{anchor}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it is not changed in place, and does nothing until a client is built with it"]
pub struct TrustAnchors {
    roots: Roots,
    /// These and the platform's, which are some hundred files: read when the first server needs one of them.
    with_platform: Option<Arc<OnceLock<Roots>>>,
}

impl TrustAnchors {
    /// These certificates and no others. Version 1 roots are accepted here.
    ///
    /// # Errors
    ///
    /// [`Error::TrustAnchors`] if the PEM holds no certificate or a malformed one; [`Error::InvalidTrustAnchor`] if
    /// TLS can't use one of them.
    pub fn pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::empty().and_pem(pem)
    }

    /// The certificates in a trust store, and no others: PEM, DER, PKCS#12 or JKS, as [`TrustStore::read`] finds out.
    ///
    /// `source` is what they are listed under, mostly the name of a file.
    ///
    /// # Errors
    ///
    /// [`Error::TrustAnchors`] with what [`TrustStore::read`] reports; [`Error::InvalidTrustAnchor`] if TLS can't use
    /// one of them.
    pub fn read<'p>(
        source: impl Into<String>,
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        Self::empty().and_read(source, input, passphrase)
    }

    /// The roots that the operating system trusts (or those in `SSL_CERT_FILE` and `SSL_CERT_DIR`). This reads files;
    /// do it once.
    ///
    /// Entries of the store that can't be used are skipped, and counted in the log.
    ///
    /// # Errors
    ///
    /// [`Error::NoPlatformRoots`] if not one root could be loaded.
    pub fn platform() -> Result<Self, Error> {
        let mut anchors = Self::empty();
        let reasons = anchors.roots.add_platform();
        if anchors.roots.certificates.is_empty() {
            return Err(Error::NoPlatformRoots { reasons });
        }
        Ok(anchors)
    }

    /// These certificates too.
    ///
    /// # Errors
    ///
    /// As for [`TrustAnchors::pem`].
    pub fn and_pem(self, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let certificates = Certificate::all_from_pem(pem).map_err(Error::TrustAnchors)?;
        self.and(&TrustSource::Given("PEM".into()), &certificates)
    }

    /// The certificates in a trust store too.
    ///
    /// # Errors
    ///
    /// As for [`TrustAnchors::read`].
    pub fn and_read<'p>(
        self,
        source: impl Into<String>,
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        let source = source.into();
        let store = TrustStore::read(input, passphrase).map_err(Error::TrustAnchors)?;
        if !store.unreadable().is_empty() {
            let count = store.unreadable().len();
            tracing::warn!(source, count, "trust store with unreadable certificates");
        }
        self.and(&TrustSource::Given(source.into()), store.certificates())
    }

    /// The roots of the platform too, if it has any. They are read when a server's certificate doesn't lead to one of
    /// the others, or when they are [listed](TrustAnchors::certificates), and not again after that.
    pub fn and_platform(mut self) -> Self {
        self.with_platform = Some(Arc::default());
        self
    }

    /// What is trusted, in order, without repeats.
    pub fn certificates(&self) -> &[TrustAnchor] {
        let roots = self.with_platform().unwrap_or(&self.roots);
        &roots.certificates
    }

    /// The roots that were given.
    pub(crate) fn store(&self) -> &RootCertStore {
        &self.roots.store
    }

    /// Those and the platform's, if it is trusted too and has other ones.
    pub(crate) fn store_with_platform(&self) -> Option<&RootCertStore> {
        let roots = self.with_platform()?;
        (roots.store.len() > self.roots.store.len()).then_some(&roots.store)
    }

    fn with_platform(&self) -> Option<&Roots> {
        let roots = self.with_platform.as_deref()?;
        Some(roots.get_or_init(|| {
            let mut roots = self.roots.clone();
            roots.add_platform();
            roots
        }))
    }

    fn empty() -> Self {
        Self {
            roots: Roots::default(),
            with_platform: None,
        }
    }

    fn and(mut self, source: &TrustSource, certificates: &[Certificate]) -> Result<Self, Error> {
        for (index, certificate) in (1..).zip(certificates) {
            let der = CertificateDer::from(certificate.as_der().to_vec());
            self.roots
                .add(der, source)
                .map_err(|reason| Error::InvalidTrustAnchor { index, reason })?;
        }
        match self.with_platform {
            Some(_) => Ok(self.and_platform()),
            None => Ok(self),
        }
    }
}

impl fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let and_platform = match self.with_platform {
            Some(_) => " and the platform's",
            None => "",
        };
        let count = self.roots.certificates.len();
        write!(f, "TrustAnchors({count} certificates{and_platform})")
    }
}

#[derive(Clone)]
struct Roots {
    certificates: Vec<TrustAnchor>,
    store: RootCertStore,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            certificates: Vec::new(),
            store: RootCertStore::empty(),
        }
    }
}

impl Roots {
    fn add(
        &mut self,
        der: CertificateDer<'static>,
        source: &TrustSource,
    ) -> Result<(), CertificateError> {
        if self.certificates.iter().any(|known| known.der == der) {
            return Ok(());
        }
        self.store.add(der.clone()).map_err(|error| match error {
            rustls::Error::InvalidCertificate(reason) => reason,
            _ => CertificateError::BadEncoding,
        })?;
        self.certificates.push(TrustAnchor {
            der,
            source: source.clone(),
        });
        Ok(())
    }

    /// Adds what the platform has and TLS can use, and tells what was in the way.
    fn add_platform(&mut self) -> Vec<String> {
        let found = rustls_native_certs::load_native_certs();
        let mut skipped = 0_usize;
        for der in found.certs {
            if self.add(der, &TrustSource::Platform).is_err() {
                skipped = skipped.saturating_add(1);
            }
        }
        let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        tracing::debug!(
            roots = self.certificates.len(),
            skipped,
            problems = reasons.len(),
            "loaded the platform's roots"
        );
        reasons
    }
}

/// One of the [`TrustAnchors`]. It displays as subject, expiry and source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchor {
    der: CertificateDer<'static>,
    source: TrustSource,
}

impl TrustAnchor {
    /// The certificate.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Where it comes from.
    pub fn source(&self) -> &TrustSource {
        &self.source
    }

    /// Its subject; `None` if only TLS can read it.
    pub fn subject(&self) -> Option<String> {
        Some(self.parsed()?.subject().to_string())
    }

    /// When it expires. A trust anchor is trusted beyond that; its operator should have replaced it.
    pub fn not_after(&self) -> Option<SystemTime> {
        Some(self.parsed()?.validity().not_after)
    }

    fn parsed(&self) -> Option<Certificate> {
        Certificate::from_der(&self.der).ok()
    }
}

impl AsRef<[u8]> for TrustAnchor {
    fn as_ref(&self) -> &[u8] {
        &self.der
    }
}

impl fmt::Display for TrustAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parsed() {
            Some(certificate) => write!(
                f,
                "{}, until {}",
                certificate.subject(),
                crate::date::Date(certificate.validity().not_after)
            )?,
            None => f.write_str("a certificate that only TLS can read")?,
        }
        write!(f, ", from {}", self.source)
    }
}

/// Where a trust anchor comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustSource {
    /// The operating system's certificate store.
    Platform,
    /// Something that was given, under this name.
    Given(Arc<str>),
}

impl fmt::Display for TrustSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("the platform"),
            Self::Given(name) => f.write_str(name),
        }
    }
}
