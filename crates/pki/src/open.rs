//! One door for every file: what is in it, whatever it is.

use std::iter;

use zeroize::Zeroizing;

use crate::{
    Budget, Certificate, CertificateRequest, Crl, Encrypted, Error, JavaKeystore, KeystoreValue,
    OtherKey, Passphrase, Pkcs7, Pkcs12, PrivateKey, PublicKey,
    budget::{self, Spending},
    chain, crl,
    der::{self, Reader},
    java_keystore::is_java_keystore,
    key::{self, Found},
    pem,
    pkcs7::{self, is_pkcs7},
    pkcs12,
};

/// Finds out what a file is, and reads all of it: PEM with any text around its blocks, DER, BER or bare base64; certificates, keys,
/// requests and CRLs, one or several in any order; PKCS#12, PKCS#7, JKS and JCEKS. A text may be UTF-8 or UTF-16, with a byte order mark
/// or without.
///
/// The passphrase opens what is encrypted, and checks the integrity of what has any. Without one, what can be read is read, and the rest
/// is an [`Encrypted`] item: [`Contents::decrypted`] is for those who need all of it. A key of a kind that this crate doesn't use is an
/// [`OtherKey`].
///
/// ```
/// use pki::Item;
///
/// let file = include_bytes!("../tests/data/pkcs12/root.crt");
/// for item in pki::open(file, None)?.items() {
///     match item {
///         Item::Certificate(certificate) => println!("a certificate of {}", certificate.subject()),
///         Item::PrivateKey { encryption: None, .. } => println!("a private key that anybody can read"),
///         other => println!("{other:?}"), // secrets are elided
///     }
/// }
/// # Ok::<(), pki::Error>(())
/// ```
///
/// # Errors
/// [`Error::WrongPassphrase`]; [`Error::MacMismatch`]; [`Error::BudgetExceeded`]; [`Error::Malformed`] when the input is none of the
/// things that this crate reads, or is damaged; [`Error::MalformedPem`]; [`Error::TrailingData`], [`Error::TooLarge`] and
/// [`Error::NestedTooDeeply`]; [`Error::InvalidKey`]; [`Error::UnsupportedScheme`] for a PKCS#12 MAC that isn't implemented, and PKCS#7
/// that isn't signedData.
pub fn open<'p>(
    input: &[u8],
    passphrase: impl Into<Option<&'p Passphrase>>,
) -> Result<Contents, Error> {
    OpenOptions {
        passphrase: passphrase.into(),
        ..OpenOptions::new()
    }
    .open(input)
}

/// [`open()`] with more to say than a passphrase.
///
/// ```
/// # let file = include_bytes!("../tests/data/trust/keytool-trust.jks");
/// let (keystore, key) = (pki::Passphrase::from("correct"), pki::Passphrase::from("another one"));
/// let options = pki::OpenOptions::new().passphrase(&keystore).key_passphrase(&key);
/// for certificate in options.open(file)?.certificates() {
///     println!("{}", certificate.subject());
/// }
/// # Ok::<(), pki::Error>(())
/// ```
#[must_use]
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenOptions<'p> {
    passphrase: Option<&'p Passphrase>,
    key_passphrase: Option<&'p Passphrase>,
    budget: Budget,
}

impl<'p> OpenOptions<'p> {
    /// No passphrase, and the default budget.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the passphrase of the file.
    pub fn passphrase(self, passphrase: &'p Passphrase) -> Self {
        Self {
            passphrase: Some(passphrase),
            ..self
        }
    }

    /// With the passphrase of the private keys in JKS and JCEKS, which may be another than the keystore's. It is tried first. The
    /// default is the keystore's alone.
    pub fn key_passphrase(self, passphrase: &'p Passphrase) -> Self {
        Self {
            key_passphrase: Some(passphrase),
            ..self
        }
    }

    /// With other limits than the default ones, for the file as a whole.
    pub fn budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Finds out what a file is, and reads all of it.
    ///
    /// # Errors
    /// Those of [`open()`].
    pub fn open(&self, input: &[u8]) -> Result<Contents, Error> {
        budget::check_size(input, crl::MAX_PEM_SIZE, WHAT)?;
        let mut file = File {
            options: *self,
            spending: Spending::new(self.budget),
            keys: 0,
        };
        if is_java_keystore(input) {
            let store = JavaKeystore::read(
                input,
                self.passphrase,
                self.key_passphrase,
                &mut file.spending,
            )?;
            return Ok(Contents {
                encoding: Encoding::Java,
                items: vec![Item::JavaKeystore(store)],
            });
        }
        if pem::is_pem(input) {
            let items = pem::blocks_within(input, crl::MAX_PEM_SIZE)?
                .iter()
                .map(|block| file.block(block))
                .collect::<Result<_, _>>()?;
            return Ok(Contents {
                encoding: Encoding::Pem,
                items,
            });
        }
        if let Some(body) = lone_body(input) {
            return Ok(Contents {
                encoding: Encoding::Base64,
                items: file.values(&body)?,
            });
        }
        let items = file.values(input)?;
        let is_der = values(input).all(der::is_one_value);
        Ok(Contents {
            encoding: if is_der { Encoding::Der } else { Encoding::Ber },
            items,
        })
    }
}

/// What a file holds, item by item: what [`open()`] gives.
#[must_use]
#[derive(Debug)]
pub struct Contents {
    encoding: Encoding,
    items: Vec<Item>,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// PEM (RFC 7468).
    Pem,
    /// The base64 of a PEM block without its first and its last line.
    Base64,
    /// DER.
    Der,
    /// BER that isn't DER.
    Ber,
    /// That of JKS and JCEKS.
    Java,
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
    /// A public key.
    PublicKey(PublicKey),
    /// A private key.
    #[non_exhaustive]
    PrivateKey {
        /// The key.
        key: PrivateKey,
        /// How it was encrypted in the file, for example `PBES2 (AES-256-CBC, PBKDF2-HMAC-SHA-256, 100000 iterations)`; `None`
        /// where it wasn't.
        encryption: Option<String>,
    },
    /// A key, private or public, of a kind that this crate doesn't use.
    OtherKey(OtherKey),
    /// A private key that stayed encrypted.
    Encrypted(Encrypted),
    /// A PKCS#12 file.
    Pkcs12(Pkcs12),
    /// A PKCS#7 or CMS file of certificates and CRLs.
    Pkcs7(Pkcs7),
    /// A keystore in JKS or JCEKS, the formats of Java before version 9.
    JavaKeystore(JavaKeystore),
    /// A certificate request for a key of a kind that this crate doesn't use.
    OtherRequest(OtherKey),
    /// A PEM block of a kind that this crate doesn't read. What is in it was not looked at.
    #[non_exhaustive]
    OtherPem {
        /// Its label, as it stands in the file.
        label: String,
    },
}

impl Contents {
    /// How the file is written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The items, in file order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Likewise, for keeps.
    pub fn into_items(self) -> Vec<Item> {
        self.items
    }

    /// What stayed encrypted, in file order, that within bundles and keystores among it.
    pub fn encrypted(&self) -> impl Iterator<Item = &Encrypted> {
        self.items.iter().flat_map(Item::encrypted)
    }

    /// The same contents, if nothing in them stayed encrypted.
    ///
    /// # Errors
    /// The reason that the first [`Encrypted`] gives: [`Error::PassphraseRequired`], for example.
    pub fn decrypted(self) -> Result<Self, Error> {
        let closed = self.encrypted().next().map(|closed| closed.error.clone());
        closed.map_or(Ok(self), Err)
    }

    /// Every certificate, in file order, those within bundles and keystores among them.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.items.iter().flat_map(Item::certificates)
    }

    /// The private key, wherever in the file it is.
    ///
    /// # Errors
    /// [`Error::SeveralPrivateKeys`]. Where there is none: the reason that the first [`Encrypted`] gives, such as
    /// [`Error::PassphraseRequired`], or else [`Error::UnsupportedKey`] for one that isn't used, or else [`Error::NotInFile`].
    pub fn private_key(&self) -> Result<&PrivateKey, Error> {
        let keys: Vec<_> = self.items.iter().flat_map(Item::private_keys).collect();
        match keys.as_slice() {
            [key] => Ok(key),
            [] => Err(self.why_no_private_key()),
            several => Err(Error::SeveralPrivateKeys {
                count: several.len(),
            }),
        }
    }

    /// The private key and its certificate, then its issuers as far as they are there, whatever order the file has them in.
    ///
    /// # Errors
    /// Those of [`private_key`](Self::private_key), and [`Error::NotInFile`] when there is no certificate for the key.
    pub fn into_identity(mut self) -> Result<(PrivateKey, Vec<Certificate>), Error> {
        let public = self.private_key()?.public_key();
        let leaf = self
            .items
            .iter()
            .filter_map(Item::leaf)
            .chain(self.certificates())
            .find(|certificate| certificate.public_key().is_ok_and(|key| key == *public))
            .cloned()
            .ok_or_else(|| self.not_in_file("certificate for the private key"))?;
        let certificates: Vec<_> = self.certificates().cloned().collect();
        let chain = chain::upwards(&leaf, &certificates);
        let chain = chain.into_iter().cloned().collect();
        let mut keys = self.items.drain(..).flat_map(Item::into_private_keys);
        match keys.next() {
            Some(key) => Ok((key, chain)),
            None => Err(Error::NotInFile {
                expected: "private key",
                found: Vec::new(),
            }),
        }
    }

    fn why_no_private_key(&self) -> Error {
        let other = |key: &OtherKey| key.is_private.then(|| key.unsupported());
        let closed = self.encrypted().next().map(|closed| closed.error.clone());
        closed
            .or_else(|| {
                let mut others = self.items.iter().flat_map(Item::other_keys);
                others.find_map(other)
            })
            .unwrap_or_else(|| self.not_in_file("private key"))
    }

    fn not_in_file(&self, expected: &'static str) -> Error {
        let mut found: Vec<String> = Vec::new();
        for item in &self.items {
            let name = item.name();
            if !found.contains(&name) {
                found.push(name);
            }
            if found.len() >= MAX_NAMES {
                break;
            }
        }
        Error::NotInFile { expected, found }
    }
}

impl Item {
    /// In words.
    fn name(&self) -> String {
        match self {
            Self::Certificate(_) => "certificate",
            Self::CertificateRequest(_) | Self::OtherRequest(_) => "certificate request",
            Self::Crl(_) => "CRL",
            Self::PublicKey(_) => "public key",
            Self::PrivateKey { .. } => "private key",
            Self::OtherKey(key) if key.is_private => "private key of another kind",
            Self::OtherKey(_) => "public key of another kind",
            Self::Encrypted(closed) => closed.what,
            Self::Pkcs12(_) => "PKCS#12 file",
            Self::Pkcs7(_) => "PKCS#7 file",
            Self::JavaKeystore(store) => store.format(),
            Self::OtherPem { label } => label,
        }
        .to_owned()
    }

    fn encrypted(&self) -> Vec<&Encrypted> {
        match self {
            Self::Encrypted(closed) => vec![closed],
            Self::Pkcs12(bundle) => bundle.encrypted().iter().collect(),
            Self::JavaKeystore(store) => store.encrypted().collect(),
            _ => Vec::new(),
        }
    }

    fn certificates(&self) -> Vec<&Certificate> {
        match self {
            Self::Certificate(certificate) => vec![certificate],
            Self::Pkcs12(bundle) => bundle.certificates().iter().collect(),
            Self::Pkcs7(pkcs7) => pkcs7.certificates().iter().collect(),
            Self::JavaKeystore(store) => store.certificates().collect(),
            _ => Vec::new(),
        }
    }

    /// The certificate of the private key, where the item says which one it is.
    fn leaf(&self) -> Option<&Certificate> {
        match self {
            Self::Pkcs12(bundle) => bundle.certificate().ok(),
            Self::JavaKeystore(store) => store.leaf(),
            _ => None,
        }
    }

    fn private_keys(&self) -> Vec<&PrivateKey> {
        match self {
            Self::PrivateKey { key, .. } => vec![key],
            Self::Pkcs12(bundle) => bundle.private_keys().iter().collect(),
            Self::JavaKeystore(store) => store.private_keys().collect(),
            _ => Vec::new(),
        }
    }

    fn into_private_keys(self) -> Vec<PrivateKey> {
        match self {
            Self::PrivateKey { key, .. } => vec![key],
            Self::Pkcs12(bundle) => bundle.into_private_keys(),
            Self::JavaKeystore(store) => store.into_private_keys(),
            _ => Vec::new(),
        }
    }

    fn other_keys(&self) -> Vec<&OtherKey> {
        match self {
            Self::OtherKey(key) => vec![key],
            Self::Pkcs12(bundle) => bundle.other_keys().iter().collect(),
            Self::JavaKeystore(store) => store
                .entries()
                .iter()
                .filter_map(|entry| match &entry.value {
                    KeystoreValue::OtherKey(key) => Some(key),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A file while it is read.
struct File<'p> {
    options: OpenOptions<'p>,
    /// Of all its items together.
    spending: Spending,
    /// How many private keys were met outside of bundles and keystores.
    keys: usize,
}

impl File<'_> {
    fn block(&mut self, block: &pem::Block) -> Result<Item, Error> {
        let der = &block.der;
        match block.label.as_str() {
            label if Certificate::is_label(label) => {
                Certificate::from_der(der).map(Item::Certificate)
            }
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => request(der),
            label if crl::is_label(label) => Crl::from_der(der).map(Item::Crl),
            "PUBLIC KEY" => public_key(PublicKey::from_spki_der(der)),
            "RSA PUBLIC KEY" => public_key(PublicKey::from_pkcs1_der(der)),
            label if key::is_label(label) => {
                self.count_key()?;
                let passphrase = self.options.passphrase;
                Found::in_block(block, passphrase, &mut self.spending).map(Item::from)
            }
            label if pkcs7::is_label(label) => self.pkcs7(der),
            "PKCS12" => self.pkcs12(der),
            label => Ok(Item::OtherPem {
                label: label.to_owned(),
            }),
        }
    }

    fn values(&mut self, input: &[u8]) -> Result<Vec<Item>, Error> {
        values(input).map(|value| self.value(value)).collect()
    }

    /// Tells structures apart by the tags of their first elements.
    fn value(&mut self, input: &[u8]) -> Result<Item, Error> {
        if is_pkcs7(input) {
            return self.pkcs7(input);
        }
        match tags(input).as_deref() {
            Ok([der::SEQUENCE, der::SEQUENCE, der::BIT_STRING]) => signed(input),
            Ok([der::SEQUENCE, der::BIT_STRING]) => public_key(PublicKey::from_spki_der(input)),
            Ok([der::INTEGER, der::INTEGER]) => public_key(PublicKey::from_pkcs1_der(input)),
            // A DSA key as OpenSSL wrote it: the version, and five numbers.
            Ok(all) if all == [der::INTEGER; 6] => {
                self.count_key()?;
                Ok(Item::OtherKey(OtherKey::dsa()))
            }
            Ok([der::INTEGER, der::SEQUENCE] | [der::INTEGER, der::SEQUENCE, der::SEQUENCE]) => {
                self.pkcs12(input)
            }
            Ok(
                [
                    der::INTEGER,
                    der::SEQUENCE | der::INTEGER | der::OCTET_STRING,
                    ..,
                ]
                | [der::SEQUENCE, der::OCTET_STRING],
            ) => {
                self.count_key()?;
                let passphrase = self.options.passphrase;
                Found::in_der(input, passphrase, &mut self.spending).map(Item::from)
            }
            // BER, in which NSS writes PKCS#12.
            Err(_) if pkcs12::is_pkcs12(input) => self.pkcs12(input),
            _ => Err(der::malformed(
                WHAT,
                "it is neither PEM, nor the DER of a certificate, a request, a CRL, a key, a PKCS#12 or a PKCS#7 file, nor JKS or JCEKS",
            )),
        }
    }

    fn pkcs12(&mut self, input: &[u8]) -> Result<Item, Error> {
        pkcs12::open(input, self.options.passphrase, &mut self.spending).map(Item::Pkcs12)
    }

    fn pkcs7(&self, input: &[u8]) -> Result<Item, Error> {
        Pkcs7::read(input, self.spending.budget()).map(Item::Pkcs7)
    }

    fn count_key(&mut self) -> Result<(), Error> {
        self.keys = self.keys.saturating_add(1);
        self.spending.check_keys(self.keys)
    }
}

impl From<Found> for Item {
    fn from(found: Found) -> Self {
        match found {
            Found::Key { key, encryption } => Self::PrivateKey { key, encryption },
            Found::Other(other) => Self::OtherKey(other),
            Found::Closed(closed) => Self::Encrypted(closed),
        }
    }
}

/// What the input is called in an error.
const WHAT: &str = "input";
/// Of what there is instead of what was looked for.
const MAX_NAMES: usize = 8;

/// A certificate, a request or a CRL. TBSCertificate has six fields or more, CertificationRequestInfo four at most; only TBSCertList
/// has times of its own.
fn signed(input: &[u8]) -> Result<Item, Error> {
    let mut outer = Reader::enter(input, der::SEQUENCE, WHAT)?;
    let fields = tags(outer.read()?.raw).unwrap_or_default();
    if fields
        .iter()
        .any(|tag| matches!(*tag, der::UTC_TIME | der::GENERALIZED_TIME))
    {
        Crl::from_der(input).map(Item::Crl)
    } else if (1..=4).contains(&fields.len()) {
        request(input)
    } else {
        Certificate::from_der(input).map(Item::Certificate)
    }
}

fn request(der: &[u8]) -> Result<Item, Error> {
    match CertificateRequest::from_der(der) {
        Ok(request) => Ok(Item::CertificateRequest(request)),
        Err(error) => OtherKey::of(&error, false)
            .map(Item::OtherRequest)
            .ok_or(error),
    }
}

fn public_key(read: Result<PublicKey, Error>) -> Result<Item, Error> {
    match read {
        Ok(key) => Ok(Item::PublicKey(key)),
        Err(error) => OtherKey::of(&error, false).map(Item::OtherKey).ok_or(error),
    }
}

/// DER values that follow each other, or else the input as it is.
fn values(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let start = Reader::new(input, WHAT);
    let mut all = start.clone();
    while all.read_tagged(der::SEQUENCE).is_ok() {}
    let are_values = all.is_empty() && !input.is_empty();

    let mut rest = start;
    let values = iter::from_fn(move || rest.read_tagged(der::SEQUENCE).ok())
        .take_while(move |_| are_values)
        .map(|value| value.raw);
    values.chain((!are_values).then_some(input))
}

/// What is in bare base64, if that is all that the input is. Each thing that is read starts with a SEQUENCE.
fn lone_body(input: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if der::is_sequence(input) {
        return None;
    }
    pem::lone_body(input).filter(|octets| octets.first() == Some(&der::SEQUENCE))
}

/// The tags of the first elements of a SEQUENCE.
fn tags(input: &[u8]) -> Result<Vec<u8>, Error> {
    let mut reader = Reader::enter(input, der::SEQUENCE, WHAT)?;
    let mut tags = Vec::new();
    while !reader.is_empty() && tags.len() < 8 {
        tags.push(reader.read()?.tag);
    }
    Ok(tags)
}
