use der::{Reader, SliceReader, asn1::BitStringRef};
use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::DecodePrivateKey,
};
use pki::{
    Certificate, CertificateAuthority, CertificateRequest, DistinguishedName, KeyKind, PrivateKey,
    Profile,
};

/// What a client shows: a chain, its own certificate first, and a key.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: Vec<Certificate>,
    /// What is sent after the chain, certificates or not.
    pub(crate) besides: Vec<Vec<u8>>,
    pub(crate) key_pkcs8: Vec<u8>,
}

impl Identity {
    pub(crate) fn new(chain: impl IntoIterator<Item = Certificate>, key: &PrivateKey) -> Self {
        Self {
            chain: chain.into_iter().collect(),
            besides: Vec::new(),
            key_pkcs8: key.to_pkcs8_der().unwrap().to_vec(),
        }
    }

    pub(crate) fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }
}

pub(crate) fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

pub(crate) fn name(common_name: &str) -> DistinguishedName {
    DistinguishedName::builder()
        .common_name(common_name)
        .organization("Excelsior Bank")
        .build()
        .unwrap()
}

pub(crate) fn authority(common_name: &str) -> CertificateAuthority {
    CertificateAuthority::create_root(name(common_name), key(), &Profile::root()).unwrap()
}

/// A client certificate with a P-256 key.
pub(crate) fn bot(ca: &CertificateAuthority, common_name: &str) -> Identity {
    bot_with(ca, common_name, &key(), &Profile::client())
}

pub(crate) fn bot_with(
    ca: &CertificateAuthority,
    common_name: &str,
    key: &PrivateKey,
    profile: &Profile,
) -> Identity {
    let request = CertificateRequest::builder(name(common_name))
        .sign(key)
        .unwrap();
    let certificate = ca.issue(&request.verify().unwrap(), profile).unwrap();
    Identity::new([certificate], key)
}

/// An X.509 v1 certificate, such as `openssl x509 -req` makes without extensions, and `pki` doesn't. The issuer's key is
/// on P-256.
pub(crate) fn v1_certificate(
    issuer: &DistinguishedName,
    issuer_key: &PrivateKey,
    subject: &DistinguishedName,
    subject_key: &PrivateKey,
) -> Certificate {
    Forgery::new(issuer, issuer_key, subject, subject_key).sign()
}

/// A copy with the other of the two ECDSA signatures that hold: (r, n - s) for (r, s). It takes no key.
pub(crate) fn malleated(certificate: &Certificate) -> Certificate {
    let mut reader = SliceReader::new(certificate.as_der()).unwrap();
    let [tbs, algorithm, signature] = reader
        .sequence(|parts| {
            Ok::<_, der::Error>([parts.tlv_bytes()?, parts.tlv_bytes()?, {
                let bits: BitStringRef<'_> = parts.decode()?;
                bits.as_bytes().unwrap()
            }])
        })
        .unwrap();
    let (r, s) = Signature::from_der(signature).unwrap().split_scalars();
    let other = Signature::from_scalars(r, -s).unwrap();
    let copy = certificate_of(tbs, algorithm, &other);
    assert_ne!(copy, *certificate);
    copy
}

/// A certificate that `pki` doesn't make, laid out by hand. The issuer's key is on P-256.
pub(crate) struct Forgery<'a> {
    issuer: &'a DistinguishedName,
    issuer_key: &'a PrivateKey,
    subject: &'a DistinguishedName,
    subject_key: &'a PrivateKey,
    /// As encoded: 0 is v1.
    version: Option<u8>,
    extensions: Vec<u8>,
    inner_algorithm: Vec<u8>,
}

impl<'a> Forgery<'a> {
    pub(crate) fn new(
        issuer: &'a DistinguishedName,
        issuer_key: &'a PrivateKey,
        subject: &'a DistinguishedName,
        subject_key: &'a PrivateKey,
    ) -> Self {
        Self {
            issuer,
            issuer_key,
            subject,
            subject_key,
            version: None,
            extensions: Vec::new(),
            inner_algorithm: ECDSA_WITH_SHA256.to_vec(),
        }
    }

    /// Adds an extension, which makes the certificate v3 unless it [is told](Self::v1) to be v1.
    pub(crate) fn extension(mut self, oid: &[u8], critical: bool, value: &[u8]) -> Self {
        let critical = if critical { TRUE } else { &[] };
        let extension = tlv(0x30, &[&tlv(6, &[oid]), critical, &tlv(4, &[value])]);
        self.extensions.extend(extension);
        self.version.get_or_insert(2);
        self
    }

    /// basicConstraints with the CA bit.
    pub(crate) fn ca(self) -> Self {
        self.extension(&[0x55, 0x1D, 19], true, &tlv(0x30, &[TRUE]))
    }

    pub(crate) fn v1(mut self) -> Self {
        self.version = Some(0);
        self
    }

    /// Says so within the part that is signed, whatever it is signed with. DER of an AlgorithmIdentifier.
    pub(crate) fn inner_algorithm(mut self, algorithm: &[u8]) -> Self {
        self.inner_algorithm = algorithm.to_vec();
        self
    }

    pub(crate) fn sign(self) -> Certificate {
        let version = match self.version {
            None | Some(0) => Vec::new(),
            Some(version) => tlv(0xA0, &[&[2, 1, version]]),
        };
        let validity = tlv(
            0x30,
            &[
                &tlv(0x17, &[b"200101000000Z"]),
                &tlv(0x17, &[b"491231235959Z"]),
            ],
        );
        let extensions = if self.extensions.is_empty() {
            Vec::new()
        } else {
            tlv(0xA3, &[&tlv(0x30, &[&self.extensions])])
        };
        let tbs = tlv(
            0x30,
            &[
                &version,
                &[2, 1, 1],
                &self.inner_algorithm,
                self.issuer.as_der(),
                &validity,
                self.subject.as_der(),
                self.subject_key.public_key().spki_der(),
                &extensions,
            ],
        );
        let pkcs8 = self.issuer_key.to_pkcs8_der().unwrap();
        let signature: Signature = SigningKey::from_pkcs8_der(&pkcs8).unwrap().sign(&tbs);
        certificate_of(&tbs, ECDSA_WITH_SHA256, &signature)
    }
}

fn certificate_of(tbs: &[u8], algorithm: &[u8], signature: &Signature) -> Certificate {
    let signature = tlv(3, &[&[0], signature.to_der().as_bytes()]);
    Certificate::from_der(&tlv(0x30, &[tbs, algorithm, &signature])).unwrap()
}

/// Tag, length, value.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let mut der = vec![tag];
    match contents.len() {
        0..=127 => der.push(length[1]),
        128..=255 => der.extend([0x81, length[1]]),
        _ => der.extend([0x82, length[0], length[1]]),
    }
    der.extend(contents);
    der
}

/// AlgorithmIdentifier (RFC 5758, section 3.2).
const ECDSA_WITH_SHA256: &[u8] = &[0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];

const TRUE: &[u8] = &[1, 1, 0xFF];
