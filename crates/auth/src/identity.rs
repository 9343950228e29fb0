use std::{fmt, sync::Arc};

use pki::{Certificate, KeyAlgorithm, Passphrase, Pkcs12, PrivateKey, PublicKey, Version};
use rustls::sign::SigningKey;
use zeroize::Zeroizing;

use crate::{Error, rsa_key::RsaKey};

/// A private key and its certificate chain, ready to be presented in a TLS handshake.
///
/// The first certificate, the leaf, is always sent, also when it is self-signed; self-signed certificates after it are
/// dropped, since a server has its own roots. A leaf of X.509 version 1, as `openssl x509 -req` makes it without an
/// extension file before OpenSSL 3.2, is presented like any other, with a warning in the log.
///
/// The key is elided in `Debug`. An RSA key is shared with the clients that are made of the identity, and wiped with the last of them;
/// of other keys the TLS provider has its own copy, which it treats in its own way. A key that can't leave its place, such as a token's, signs through
/// [`Identity::with_signer`].
///
/// ```
/// # use pki::{CertificateAuthority, CertificateRequest, KeyKind, PrivateKey, Profile};
/// # let key = PrivateKey::generate(KeyKind::EcP256)?;
/// # let ca = PrivateKey::generate(KeyKind::EcP256)?;
/// # let ca = CertificateAuthority::create_root("/CN=Example CA".parse()?, ca, &Profile::root())?;
/// # let request = CertificateRequest::builder("/CN=demo-bot1".parse()?).sign(&key)?;
/// # let certificate = ca.issue(&request.verify()?, &Profile::client())?;
/// # let file = certificate.to_pem() + &key.to_pem()?;
/// use auth::Identity;
///
/// let identity = Identity::read(file.as_bytes(), None)?; // PKCS#12 or PEM
/// assert_eq!(identity.leaf().subject().common_name(), Some("demo-bot1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Identity {
    key: Key,
    algorithm: KeyAlgorithm,
    leaf: Certificate,
    intermediates: Vec<Certificate>,
}

/// What signs in handshakes.
pub(crate) enum Key {
    /// For the TLS provider to load: what isn't RSA, and RSA keys of rare sizes.
    Pkcs8(Zeroizing<Vec<u8>>),
    Rsa(Arc<RsaKey>),
    /// One that lies elsewhere. It may take its time, and ask somebody for a PIN or a finger.
    Elsewhere(Arc<dyn SigningKey>),
}

impl Identity {
    /// Opens a PKCS#12 bundle (RFC 7292), such as the `.p12` file of the certificate workflow.
    ///
    /// # Errors
    ///
    /// [`Error::Identity`] with what [`Pkcs12::open`] and [`Pkcs12::into_identity`] report: a wrong passphrase, a
    /// damaged file, no private key or several, no certificate for it.
    pub fn from_pkcs12(der: &[u8], passphrase: &Passphrase) -> Result<Self, Error> {
        let (key, chain) = Pkcs12::open(der, passphrase)
            .and_then(Pkcs12::into_identity)
            .map_err(Error::Identity)?;
        Self::new(&key, chain)
    }

    /// Reads a PKCS#12 bundle, or PEM that holds a private key and its certificates, whichever it is.
    ///
    /// # Errors
    ///
    /// Those of [`Identity::from_pkcs12`] and [`Identity::from_pem`] (for what is neither, [`pki::Error::PemNotFound`]);
    /// [`pki::Error::PassphraseRequired`] for a bundle without a passphrase.
    pub fn read<'p>(
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        let passphrase = passphrase.into();
        // Whatever is no SEQUENCE is no PKCS#12, and whoever takes it for one need not be asked for a passphrase.
        if is_pem(input) || input.first() != Some(&0x30) {
            return Self::from_pem(input, input, passphrase);
        }
        let required = || {
            Error::Identity(pki::Error::PassphraseRequired {
                what: "PKCS#12 file",
            })
        };
        Self::from_pkcs12(input, passphrase.ok_or_else(required)?)
    }

    /// Reads PEM: certificates, the leaf first, and a private key that may be encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Identity`] with what [`Certificate::all_from_pem`] and [`PrivateKey::from_pem`] report, or with
    /// [`pki::Error::KeyMismatch`] if the key isn't that of the first certificate.
    pub fn from_pem<'p>(
        certificates: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        let chain = Certificate::all_from_pem(certificates).map_err(Error::Identity)?;
        let key = PrivateKey::from_pem(key, passphrase).map_err(Error::Identity)?;
        Self::new(&key, chain)
    }

    /// A private key and its certificates, the leaf first.
    ///
    /// # Errors
    ///
    /// [`Error::Identity`] with [`pki::Error::Pkcs12Lacks`] if there is no certificate, with
    /// [`pki::Error::KeyMismatch`] if the key isn't that of the first one, or with what [`Certificate::public_key`] and
    /// [`PrivateKey::to_pkcs8_der`] report.
    pub fn new(
        key: &PrivateKey,
        chain: impl IntoIterator<Item = Certificate>,
    ) -> Result<Self, Error> {
        let (leaf, others) = split(chain)?;
        // TLS libraries compare the two only when they can read the certificate, and they can't read version 1.
        leaf.check_key(key.public_key()).map_err(Error::Identity)?;
        let signer = match key.rsa_signing_key() {
            Some(key) => Key::Rsa(Arc::new(RsaKey::new(key))),
            None => Key::Pkcs8(key.to_pkcs8_der().map_err(Error::Identity)?),
        };
        Ok(Self::assemble(signer, key.algorithm(), leaf, others))
    }

    /// A key of which nothing is known but how to sign with it, as in a smart card, a TPM or a key management service,
    /// and its certificates, the leaf first. It signs on a thread for blocking work, at most four at a time
    /// for each endpoint. The handshake waits for it within the [time limit for connecting](crate::ClientBuilder::connect_timeout):
    /// one that is slow, or asks for a PIN, needs a longer one.
    ///
    /// # Errors
    ///
    /// [`Error::Identity`] with [`pki::Error::Pkcs12Lacks`] if there is no certificate, or with
    /// [`pki::Error::KeyMismatch`] if the key tells its public key and that isn't the one of the first certificate. One
    /// that doesn't tell is found out by the server. Otherwise with what [`Certificate::public_key`] reports.
    pub fn with_signer(
        key: Arc<dyn SigningKey>,
        chain: impl IntoIterator<Item = Certificate>,
    ) -> Result<Self, Error> {
        let (leaf, others) = split(chain)?;
        let public_key = leaf.public_key().map_err(Error::Identity)?;
        if let Some(told) = key.public_key() {
            PublicKey::from_spki_der(&told)
                .and_then(|told| leaf.check_key(&told))
                .map_err(Error::Identity)?;
        }
        let algorithm = public_key.algorithm();
        Ok(Self::assemble(Key::Elsewhere(key), algorithm, leaf, others))
    }

    fn assemble(
        key: Key,
        algorithm: KeyAlgorithm,
        leaf: Certificate,
        others: impl Iterator<Item = Certificate>,
    ) -> Self {
        if leaf.version() == Version::V1 {
            tracing::warn!(
                subject = %leaf.subject(),
                "the client certificate is X.509 version 1, which many TLS servers refuse; reissue it as version 3"
            );
        }
        Self {
            key,
            algorithm,
            leaf,
            intermediates: others
                .filter(|certificate| !certificate.is_self_signed())
                .collect(),
        }
    }

    /// The certificate that is presented.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// What is sent in the handshake: the leaf, then its issuers as far as they are known, without the root.
    pub fn chain(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.leaf).chain(&self.intermediates)
    }

    /// The kind of the private key.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }
}

fn split(
    chain: impl IntoIterator<Item = Certificate>,
) -> Result<(Certificate, impl Iterator<Item = Certificate>), Error> {
    let mut chain = chain.into_iter();
    let leaf = chain
        .next()
        .ok_or(Error::Identity(pki::Error::Pkcs12Lacks {
            what: "certificate for the private key",
        }))?;
    Ok((leaf, chain))
}

/// Whether it is PEM and not DER, which starts with a SEQUENCE.
pub(crate) fn is_pem(input: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN ";
    input.first() != Some(&0x30) && input.windows(BEGIN.len()).any(|window| window == BEGIN)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.leaf.subject())
            .field(
                "key",
                &format_args!("{}, [secret key elided]", self.algorithm),
            )
            .field("intermediates", &self.intermediates.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use pki::{CertificateAuthority, CertificateRequest, KeyKind, Profile};

    use super::*;

    #[test]
    fn der_is_told_from_pem_even_when_it_quotes_some() {
        assert!(is_pem(b"text before\n-----BEGIN CERTIFICATE-----\n"));
        assert!(!is_pem(b"0\x14-----BEGIN X.509-----"));
        assert!(!is_pem(b"neither the one nor the other"));
        assert!(!is_pem(b""));
    }

    #[test]
    fn a_root_whose_signature_can_not_be_checked_is_not_sent_either() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let ca = CertificateAuthority::create_root(
            "/CN=Root".parse().unwrap(),
            PrivateKey::generate(KeyKind::EcP256).unwrap(),
            &Profile::root(),
        )
        .unwrap();
        let request = CertificateRequest::builder("/CN=leaf".parse().unwrap())
            .sign(&key)
            .unwrap();
        let leaf = ca
            .issue(&request.verify().unwrap(), &Profile::client())
            .unwrap();
        // ecdsa-with-SHA224 in the place of ecdsa-with-SHA256.
        let mut der = ca.certificate().as_der().to_vec();
        let oid = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
        for at in 0..der.len() {
            if der[at..].starts_with(oid) {
                der[at + 7] = 1;
            }
        }
        let root = Certificate::from_der(&der).unwrap();
        let identity = Identity::new(&key, vec![leaf.clone(), root]).unwrap();
        assert_eq!(identity.chain().collect::<Vec<_>>(), [&leaf]);
    }
}
