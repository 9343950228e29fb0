//! What is in a file, whatever it is: PEM or DER; certificates, requests, CRLs, keys, PKCS#12 or JKS.

use crate::{
    Certificate, CertificateRequest, Crl, Error, Passphrase, Pkcs12, PrivateKey, PublicKey,
    TrustStore, crl,
    der::{self, Reader},
    pem, trust_store,
};

/// What a file holds, item by item, for those who don't know what it is.
///
/// ```
/// use pki::{Contents, Item};
///
/// let file = include_bytes!("../tests/data/pkcs12/root.crt");
/// for item in Contents::read(file, None)?.items() {
///     match item {
///         Item::Certificate(certificate) => println!("a certificate of {}", certificate.subject()),
///         Item::PrivateKey { encrypted: false, .. } => println!("a private key that anybody can read"),
///         other => println!("{other:?}"), // secrets are elided
///     }
/// }
/// # Ok::<(), pki::Error>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct Contents {
    is_pem: bool,
    items: Vec<Item>,
}

/// One thing in a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Item {
    /// A certificate.
    Certificate(Certificate),
    /// A certificate request. Its signature was not verified.
    CertificateRequest(CertificateRequest),
    /// A certificate revocation list. Its signature was not verified.
    Crl(Crl),
    /// A public key (SubjectPublicKeyInfo).
    PublicKey(PublicKey),
    /// A private key.
    #[non_exhaustive]
    PrivateKey {
        /// The key.
        key: PrivateKey,
        /// Whether it was encrypted in the file.
        encrypted: bool,
    },
    /// A PKCS#12 file.
    Pkcs12(Pkcs12),
    /// A trust store in JKS, the format of Java before version 9.
    Jks(TrustStore),
    /// A PEM block of a kind that this crate doesn't read. What is in it was not looked at.
    #[non_exhaustive]
    OtherPem {
        /// Its label, as it stands in the file.
        label: String,
    },
}

impl Contents {
    /// Finds out what the input is, and reads all of it. DER is one item; PEM is one for each block.
    ///
    /// The passphrase opens what is encrypted. Without one, of a PKCS#12 file nothing is read, and the integrity of JKS is not
    /// checked.
    ///
    /// # Errors
    /// [`Error::PassphraseRequired`] and [`Error::WrongPassphrase`]; [`Error::Malformed`] when the input is none of the things
    /// that this crate reads; and the errors of their readers.
    pub fn read<'p>(
        input: &[u8],
        passphrase: impl Into<Option<&'p Passphrase>>,
    ) -> Result<Self, Error> {
        let passphrase = passphrase.into();
        let is_pem = pem::is_pem(input);
        let items = if is_pem {
            pem::blocks_within(input, crl::MAX_PEM_SIZE)?
                .iter()
                .map(|block| Item::from_block(block, passphrase))
                .collect::<Result<_, _>>()?
        } else {
            vec![Item::from_der(input, passphrase)?]
        };
        Ok(Self { is_pem, items })
    }

    /// Whether the file is PEM, rather than DER or JKS.
    pub fn is_pem(&self) -> bool {
        self.is_pem
    }

    /// The items, in file order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Likewise, for keeps.
    pub fn into_items(self) -> Vec<Item> {
        self.items
    }
}

impl Item {
    fn from_block(block: &pem::Block, passphrase: Option<&Passphrase>) -> Result<Self, Error> {
        Ok(match block.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                Self::Certificate(Certificate::from_der(&block.der)?)
            }
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                Self::CertificateRequest(CertificateRequest::from_der(&block.der)?)
            }
            label if crl::is_label(label) => Self::Crl(Crl::from_der(&block.der)?),
            "PUBLIC KEY" => Self::PublicKey(PublicKey::from_spki_der(&block.der)?),
            label if label.ends_with("PRIVATE KEY") => {
                Self::private_key(passphrase, |passphrase| {
                    PrivateKey::from_block(block, passphrase)
                })?
            }
            label => Self::OtherPem {
                label: label.to_owned(),
            },
        })
    }

    /// Tells DER structures apart by the tags of their first elements.
    fn from_der(input: &[u8], passphrase: Option<&Passphrase>) -> Result<Self, Error> {
        if trust_store::is_jks(input) {
            return Ok(Self::Jks(TrustStore::read(input, passphrase)?));
        }
        // BER with an indefinite length is what NSS writes PKCS#12 in.
        if input.starts_with(&[der::SEQUENCE, 0x80]) {
            return Self::pkcs12(input, passphrase);
        }
        match tags(input).as_deref() {
            Ok([der::SEQUENCE, der::SEQUENCE, der::BIT_STRING]) => {
                // TBSCertificate has six fields or more, CertificationRequestInfo four at most; only TBSCertList has
                // times of its own.
                let mut outer = Reader::enter(input, der::SEQUENCE, WHAT)?;
                let fields = tags(outer.read()?.raw).unwrap_or_default();
                if fields
                    .iter()
                    .any(|tag| matches!(*tag, der::UTC_TIME | der::GENERALIZED_TIME))
                {
                    Ok(Self::Crl(Crl::from_der(input)?))
                } else if (1..=4).contains(&fields.len()) {
                    Ok(Self::CertificateRequest(CertificateRequest::from_der(
                        input,
                    )?))
                } else {
                    Ok(Self::Certificate(Certificate::from_der(input)?))
                }
            }
            Ok([der::SEQUENCE, der::BIT_STRING]) => {
                Ok(Self::PublicKey(PublicKey::from_spki_der(input)?))
            }
            Ok([der::INTEGER, der::SEQUENCE] | [der::INTEGER, der::SEQUENCE, der::SEQUENCE]) => {
                Self::pkcs12(input, passphrase)
            }
            Ok(
                [
                    der::INTEGER,
                    der::SEQUENCE | der::INTEGER | der::OCTET_STRING,
                    ..,
                ]
                | [der::SEQUENCE, der::OCTET_STRING],
            ) => Self::private_key(passphrase, |passphrase| {
                PrivateKey::from_der(input, passphrase)
            }),
            _ => Err(der::malformed(
                WHAT,
                "it is neither PEM, nor the DER of a certificate, a request, a CRL, a key or a PKCS#12 file, nor JKS",
            )),
        }
    }

    /// Whether a key is encrypted shows when it is read without a passphrase.
    fn private_key(
        passphrase: Option<&Passphrase>,
        read: impl Fn(Option<&Passphrase>) -> Result<PrivateKey, Error>,
    ) -> Result<Self, Error> {
        let (key, encrypted) = match read(None) {
            Err(Error::PassphraseRequired { .. }) => (read(passphrase)?, true),
            key => (key?, false),
        };
        Ok(Self::PrivateKey { key, encrypted })
    }

    fn pkcs12(input: &[u8], passphrase: Option<&Passphrase>) -> Result<Self, Error> {
        let passphrase = passphrase.ok_or(Error::PassphraseRequired {
            what: "PKCS#12 file",
        })?;
        Ok(Self::Pkcs12(Pkcs12::open(input, passphrase)?))
    }
}

/// What the input is called in an error.
const WHAT: &str = "input";

/// The tags of the first elements of a SEQUENCE.
fn tags(input: &[u8]) -> Result<Vec<u8>, Error> {
    let mut reader = Reader::enter(input, der::SEQUENCE, WHAT)?;
    let mut tags = Vec::new();
    while !reader.is_empty() && tags.len() < 8 {
        tags.push(reader.read()?.tag);
    }
    Ok(tags)
}
