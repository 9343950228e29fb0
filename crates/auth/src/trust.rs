use std::fmt;

use pki::Certificate;
use rustls::{CertificateError, RootCertStore, pki_types::CertificateDer};

use crate::Error;

/// The roots that a server's certificate must lead to.
///
/// There is no way to switch this check off. A server with a private root is trusted by naming that root.
#[derive(Clone)]
pub struct TrustAnchors {
    certificates: Vec<CertificateDer<'static>>,
    store: RootCertStore,
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

    /// The roots that the operating system trusts (or those in `SSL_CERT_FILE` and `SSL_CERT_DIR`). This reads files;
    /// do it once.
    ///
    /// Entries of the store that can't be used are skipped, and counted in the log.
    ///
    /// # Errors
    ///
    /// [`Error::NoPlatformRoots`] if not one root could be loaded.
    pub fn platform() -> Result<Self, Error> {
        let found = rustls_native_certs::load_native_certs();
        let mut anchors = Self::empty();
        let mut skipped = 0_usize;
        for der in found.certs {
            if anchors.add(der).is_err() {
                skipped = skipped.saturating_add(1);
            }
        }
        let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        tracing::debug!(
            loaded = anchors.certificates.len(),
            skipped,
            problems = reasons.len(),
            "loaded the platform's roots"
        );
        if anchors.certificates.is_empty() {
            return Err(Error::NoPlatformRoots { reasons });
        }
        Ok(anchors)
    }

    /// These certificates too.
    ///
    /// # Errors
    ///
    /// As for [`TrustAnchors::pem`].
    pub fn and_pem(mut self, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let certificates = Certificate::all_from_pem(pem).map_err(Error::TrustAnchors)?;
        for (index, certificate) in (1..).zip(certificates) {
            self.add(CertificateDer::from(certificate.as_der().to_vec()))
                .map_err(|reason| Error::InvalidTrustAnchor { index, reason })?;
        }
        Ok(self)
    }

    /// What was loaded, in order, without repeats.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    pub(crate) fn into_store(self) -> RootCertStore {
        self.store
    }

    fn empty() -> Self {
        Self {
            certificates: Vec::new(),
            store: RootCertStore::empty(),
        }
    }

    fn add(&mut self, der: CertificateDer<'static>) -> Result<(), CertificateError> {
        if self.certificates.contains(&der) {
            return Ok(());
        }
        self.store.add(der.clone()).map_err(|error| match error {
            rustls::Error::InvalidCertificate(reason) => reason,
            _ => CertificateError::BadEncoding,
        })?;
        self.certificates.push(der);
        Ok(())
    }
}

impl fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustAnchors({} certificates)", self.certificates.len())
    }
}
