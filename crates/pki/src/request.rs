use rand_core::CryptoRng;
use x509_parser::{cri_attributes::ExtensionRequest, prelude::FromDer};

use crate::{
    DistinguishedName, Error, PrivateKey, PublicKey, SignatureAlgorithm, Signer, SubjectAltName,
    budget,
    der::{self, Reader, malformed},
    extension::{self, Extensions, Present},
    pem,
    signed::Signed,
    tbs,
};

/// The largest request that is read, in octets. Ordinary ones have a few thousand.
const MAX_SIZE: usize = 1 << 20;

const WHAT: &str = "certificate request";

/// RFC 2986, section 4.1: "version" is v1.
const VERSION: u64 = 0;

/// That of RFC 2985, section 5.4.2, and Microsoft's, which was there before it and says the same. OpenSSL reads both, too.
const EXTENSION_REQUESTS: [&str; 2] = [tbs::EXTENSION_REQUEST, "1.3.6.1.4.1.311.2.1.14"];

/// RFC 5280, section 4.2.1.6
const SUBJECT_ALT_NAME: &str = "2.5.29.17";

/// A PKCS#10 certificate request (RFC 2986), parsed and immutable, that owns its DER.
///
/// ```
/// use pki::{CertificateRequest, KeyKind, PrivateKey};
///
/// let key = PrivateKey::generate(KeyKind::EcP256)?;
/// let request = CertificateRequest::builder("/CN=demo-bot1/O=Excelsior Bank/C=GB".parse()?).sign(&key)?;
/// let verified = request.verify()?; // proof that the requester has the private key
/// assert_eq!(verified.request().subject().common_name(), Some("demo-bot1"));
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Clone)]
pub struct CertificateRequest {
    der: Vec<u8>,
    subject: DistinguishedName,
    public_key: PublicKey,
    signature_algorithm: String,
    extensions: Extensions,
    /// The types of all other attributes, dotted.
    other_attributes: Vec<String>,
}

impl CertificateRequest {
    /// A builder for a request with this subject.
    pub fn builder(subject: DistinguishedName) -> CertificateRequestBuilder {
        CertificateRequestBuilder {
            subject,
            alt_names: Vec::new(),
            signature_algorithm: None,
        }
    }

    /// The first `CERTIFICATE REQUEST` (or `NEW CERTIFICATE REQUEST`) block of a PEM file.
    ///
    /// # Errors
    /// [`Error::PemNotFound`], [`Error::MalformedPem`], and those of [`CertificateRequest::from_der`].
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let blocks = pem::blocks(pem.as_ref())?;
        let is_request =
            |label: &str| matches!(label, "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST");
        match blocks.iter().find(|block| is_request(&block.label)) {
            Some(block) => Self::from_der(&block.der),
            None => Err(Error::PemNotFound {
                expected: "CERTIFICATE REQUEST",
                found: blocks.into_iter().map(|block| block.label).collect(),
            }),
        }
    }

    /// A request in DER.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::TrailingData`], and [`Error::UnsupportedKey`] for a public key
    /// that this crate can't verify with.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        budget::check_size(der, MAX_SIZE, WHAT)?;
        // CertificationRequestInfo (RFC 2986, section 4.1)
        let signed = Signed::read(der, WHAT)?;
        let mut algorithm = Reader::enter(signed.algorithm, der::SEQUENCE, WHAT)?;
        let (algorithm, parameters) = (
            algorithm.value(der::OID)?,
            algorithm.optional(der::SEQUENCE)?,
        );
        let mut info = Reader::enter(signed.tbs, der::SEQUENCE, WHAT)?;
        let version = info.uint()?;
        if version != VERSION {
            return Err(malformed(WHAT, format!("version {version}, not 0")));
        }
        let subject = info.read_tagged(der::SEQUENCE)?.raw;
        let public_key = info.read_tagged(der::SEQUENCE)?.raw;
        // Some writers leave them out where there is none.
        let attributes = info.optional(der::EXPLICIT_0)?.unwrap_or_default();
        info.finish()?;
        let (extensions, other_attributes) = read_attributes(attributes)?;
        Ok(Self {
            subject: DistinguishedName::from_der(subject)?,
            public_key: PublicKey::from_spki_der(public_key)?,
            signature_algorithm: SignatureAlgorithm::name_of(algorithm, parameters),
            extensions,
            other_attributes,
            der: der.to_vec(),
        })
    }

    /// A request in PEM or DER.
    ///
    /// # Errors
    /// Those of [`CertificateRequest::from_pem`].
    pub fn from_pem_or_der(input: &[u8]) -> Result<Self, Error> {
        if pem::is_pem(input) {
            Self::from_pem(input)
        } else {
            Self::from_der(input)
        }
    }

    /// The DER, as it was read or signed.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// A `CERTIFICATE REQUEST` block.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE REQUEST", &self.der).to_string()
    }

    /// The subject that is asked for.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The public key that the certificate shall be for.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The subject alternative names that are asked for.
    pub fn subject_alt_names(&self) -> &[SubjectAltName] {
        &self.extensions.subject_alt_names
    }

    /// Every extension that is asked for, as a dotted object identifier. A CA looks at the alternative names
    /// only, and at those only where its profile says so; what it doesn't grant of them,
    /// [`PreparedCertificate::ungranted`](crate::PreparedCertificate::ungranted) says.
    pub fn requested_extensions(&self) -> impl Iterator<Item = &str> {
        self.extensions.present.iter().map(|it| it.oid.as_str())
    }

    /// The type of every attribute beside that which asks for extensions, as a dotted object identifier: what is in it isn't read,
    /// nor granted. But for a challengePassword, [`PreparedCertificate::ungranted`](crate::PreparedCertificate::ungranted) says so.
    pub fn other_attributes(&self) -> impl Iterator<Item = &str> {
        self.other_attributes.iter().map(String::as_str)
    }

    /// The requested extensions, with their values.
    pub(crate) fn present_extensions(&self) -> &[Present] {
        &self.extensions.present
    }

    /// The algorithm that the request was signed with, for example `sha256WithRSAEncryption`, whether this crate verifies
    /// it or not; the object identifier of one that has no known name.
    pub fn signature_algorithm(&self) -> &str {
        &self.signature_algorithm
    }

    /// Verifies the request's signature with the public key in it: proof that whoever made it has the private key.
    ///
    /// # Errors
    /// [`Error::RequestSignatureInvalid`], and [`Error::UnsupportedScheme`] for a signature algorithm that this crate
    /// doesn't verify.
    pub fn verify(&self) -> Result<VerifiedRequest<'_>, Error> {
        if !Signed::read(&self.der, WHAT)?.verifies_with(&self.public_key)? {
            return Err(Error::RequestSignatureInvalid);
        }
        Ok(VerifiedRequest { request: self })
    }
}

impl PartialEq for CertificateRequest {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for CertificateRequest {}

impl std::fmt::Debug for CertificateRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateRequest")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// A request whose signature was verified: the only thing that a CA signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedRequest<'a> {
    request: &'a CertificateRequest,
}

impl<'a> VerifiedRequest<'a> {
    /// The request.
    pub fn request(&self) -> &'a CertificateRequest {
        self.request
    }
}

/// Builds a [`CertificateRequest`].
#[must_use]
#[derive(Debug, Clone)]
pub struct CertificateRequestBuilder {
    subject: DistinguishedName,
    alt_names: Vec<SubjectAltName>,
    signature_algorithm: Option<SignatureAlgorithm>,
}

impl CertificateRequestBuilder {
    /// Asks for a subject alternative name; call it again for a second one.
    pub fn subject_alt_name(mut self, name: SubjectAltName) -> Self {
        self.alt_names.push(name);
        self
    }

    /// The algorithm of the signature, RSASSA-PSS for example. Otherwise it is
    /// [the usual one](SignatureAlgorithm::usual_for) of the key.
    pub fn signature_algorithm(mut self, algorithm: SignatureAlgorithm) -> Self {
        self.signature_algorithm = Some(algorithm);
        self
    }

    /// Signs the request with the key whose public half it carries.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`], [`Error::UnsupportedSignatureAlgorithm`] and [`Error::Randomness`]; those of the signer, and
    /// [`Error::SignatureFailed`].
    pub fn sign(self, key: &dyn Signer) -> Result<CertificateRequest, Error> {
        self.prepare(key.public_key())?.sign(key)
    }

    /// The variant of [`sign`](Self::sign) with an explicit RNG, which blinds the signatures of RSA keys of rare sizes, and salts those
    /// of RSASSA-PSS; it is not used for others.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`] and [`Error::UnsupportedSignatureAlgorithm`].
    pub fn sign_with_rng(
        self,
        key: &PrivateKey,
        rng: &mut impl CryptoRng,
    ) -> Result<CertificateRequest, Error> {
        let prepared = self.prepare(key.public_key())?;
        let signature = key.sign(prepared.algorithm, &prepared.info, rng)?;
        prepared.assemble(&signature)
    }

    /// The request for this key, to be signed elsewhere.
    ///
    /// ```
    /// use pki::{CertificateRequest, KeyKind, PrivateKey, Signer};
    ///
    /// let key = PrivateKey::generate(KeyKind::EcP256)?; // in a token, say
    /// let prepared = CertificateRequest::builder("/CN=demo-bot1".parse()?).prepare(key.public_key())?;
    /// let signature = key.sign(prepared.signature_algorithm(), prepared.as_der())?;
    /// prepared.assemble(&signature)?.verify()?;
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`] and [`Error::UnsupportedSignatureAlgorithm`].
    pub fn prepare(self, key: &PublicKey) -> Result<PreparedRequest, Error> {
        let algorithm = tbs::algorithm(key.algorithm(), self.signature_algorithm)?;
        let extensions = match self.alt_names.as_slice() {
            [] => Vec::new(),
            names => vec![tbs::Encoded {
                oid: SUBJECT_ALT_NAME.to_owned(),
                critical: self.subject.is_empty(),
                value: SubjectAltName::encode_all(names)?,
            }],
        };
        PreparedRequest::new(
            tbs::request(algorithm, &self.subject, key, extensions)?,
            algorithm,
        )
    }
}

/// A request that is still to be signed: by a [`Signer`], or elsewhere, by whoever has the key.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedRequest {
    info: Vec<u8>,
    algorithm: SignatureAlgorithm,
    /// What was laid out, read back.
    unsigned: CertificateRequest,
}

impl PreparedRequest {
    fn new(info: Vec<u8>, algorithm: SignatureAlgorithm) -> Result<Self, Error> {
        Ok(Self {
            unsigned: CertificateRequest::from_der(&tbs::unverified(&info, algorithm, &[]))?,
            info,
            algorithm,
        })
    }

    /// What was prepared before, and carried elsewhere as DER. It doesn't name the algorithm of its signature: where none is given, that
    /// is [the usual one](SignatureAlgorithm::usual_for) of the key.
    ///
    /// # Errors
    /// Those of [`CertificateRequest::from_der`], and [`Error::UnsupportedSignatureAlgorithm`] for one that isn't the key's.
    pub fn from_der(info: &[u8], algorithm: Option<SignatureAlgorithm>) -> Result<Self, Error> {
        // Only the key tells which one is usual; it is read with any.
        let any = tbs::unverified(info, SignatureAlgorithm::Ed25519, &[]);
        let key = CertificateRequest::from_der(&any)?.public_key().algorithm();
        Self::new(info.to_vec(), tbs::algorithm(key, algorithm)?)
    }

    /// What is to be signed: the DER of the CertificationRequestInfo (RFC 2986, section 4.1).
    pub fn as_der(&self) -> &[u8] {
        &self.info
    }

    /// The algorithm that it is to be signed with.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The public half of the key that is to sign it.
    pub fn signing_key(&self) -> &PublicKey {
        self.unsigned.public_key()
    }

    /// All that it will say: the request as it will be, but that its signature is empty, so that it doesn't verify.
    pub fn unsigned(&self) -> &CertificateRequest {
        &self.unsigned
    }

    /// Has it signed.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] for another key than that in the request; [`Error::SignerFailed`], or the error of this crate that
    /// the signer gave; and those of [`assemble`](Self::assemble).
    pub fn sign(&self, signer: &dyn Signer) -> Result<CertificateRequest, Error> {
        let (key, subject) = (self.signing_key(), self.unsigned.subject());
        let signature = tbs::sign(&self.info, self.algorithm, key, signer, subject)?;
        self.assemble(&signature)
    }

    /// The request with a signature that was made elsewhere, which is verified first. That of ECDSA is in DER.
    ///
    /// # Errors
    /// [`Error::SignatureFailed`] when the signature doesn't verify.
    pub fn assemble(&self, signature: &[u8]) -> Result<CertificateRequest, Error> {
        let signed = tbs::assemble(&self.info, self.algorithm, signature, self.signing_key())?;
        CertificateRequest::from_der(&signed)
    }
}

/// The extensions in the one value of the one attribute that asks for any, and the types of the other attributes.
fn read_attributes(attributes: &[u8]) -> Result<(Extensions, Vec<String>), Error> {
    let mut found = None;
    let mut others = Vec::new();
    let mut attributes = Reader::new(attributes, WHAT);
    while !attributes.is_empty() {
        let mut attribute = attributes.nested(der::SEQUENCE)?;
        let kind = attribute.dotted_oid()?;
        let mut values = attribute.nested(der::SET)?;
        attribute.finish()?;
        if EXTENSION_REQUESTS.contains(&kind.as_str()) {
            if found.is_some() {
                return Err(malformed(WHAT, "it has two extension request attributes"));
            }
            found = Some(values.read_tagged(der::SEQUENCE)?.raw);
            if !values.is_empty() {
                return Err(malformed(WHAT, "its extension request has two values"));
            }
        } else {
            others.push(kind);
        }
    }
    let Some(requested) = found else {
        return Ok((Extensions::default(), others));
    };
    let (_, requested) = ExtensionRequest::from_der(requested)
        .map_err(|error| malformed(WHAT, extension::decoding(error)))?;
    Ok((Extensions::parse(&requested.extensions)?, others))
}
