use getrandom::SysRng;
use rand_core::{CryptoRng, TryCryptoRng};
use sha1::{Digest, Sha1};

use super::{
    bags::{self, Attributes, CERTIFICATE_BAG, DATA, ENCRYPTED_DATA, SHROUDED_KEY_BAG},
    belongs, chain, mac,
};
use crate::{
    Certificate, Error, Passphrase, PrivateKey,
    der::{self as tlv},
    pbe::{self, Password},
};

/// Builds a PKCS#12 file of one private key, its certificate and the chain above it.
///
/// What is written: the certificates and the key each encrypted with PBES2 (PBKDF2-HMAC-SHA-256, AES-256-CBC), a MAC
/// with HMAC-SHA-256, the key and its certificate tied together by a localKeyId. OpenSSL 1.1.1 and later, Java 8u301 and
/// later, NSS, GnuTLS and Python read it.
#[derive(Debug)]
pub struct Pkcs12Builder<'a> {
    key: &'a PrivateKey,
    certificate: &'a Certificate,
    others: Vec<Certificate>,
    alias: Option<String>,
    iterations: u32,
}

impl<'a> Pkcs12Builder<'a> {
    pub(super) fn new(key: &'a PrivateKey, certificate: &'a Certificate) -> Result<Self, Error> {
        if !belongs(key, certificate) {
            return Err(Error::KeyMismatch {
                subject: certificate.subject().to_string(),
            });
        }
        Ok(Self {
            key,
            certificate,
            others: Vec::new(),
            alias: None,
            iterations: pbe::DEFAULT_ITERATIONS,
        })
    }

    /// Adds further certificates, in any order; they are written from the leaf upwards. The leaf itself and repeats are
    /// left out. One that is not part of the chain is an error when the file is written.
    #[must_use]
    pub fn chain<C: AsRef<Certificate>>(
        mut self,
        certificates: impl IntoIterator<Item = C>,
    ) -> Self {
        self.others
            .extend(certificates.into_iter().map(|c| c.as_ref().clone()));
        self
    }

    /// The friendlyName of the key and of its certificate, which Java calls the alias. Default: none; an empty one is
    /// none, too.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.alias = Some(alias.into()).filter(|alias| !alias.is_empty());
        self
    }

    /// Iterations of the key derivations of both the MAC and the encryption, from 1,000 to 1,000,000. Default: 100,000,
    /// as for key files. Opening the file takes
    /// three times as many hash blocks.
    #[must_use]
    pub fn iterations(mut self, iterations: u32) -> Self {
        self.iterations = iterations;
        self
    }

    /// The file. Java refuses passphrases that are not ASCII.
    ///
    /// # Errors
    /// [`Error::NotInChain`] for a certificate that isn't part of the chain, [`Error::ParameterOutOfRange`] for the
    /// iterations, [`Error::Randomness`].
    pub fn to_der(&self, passphrase: &Passphrase) -> Result<Vec<u8>, Error> {
        self.write(passphrase, &mut SysRng)
    }

    /// Like [`to_der`](Self::to_der), with the caller's randomness.
    ///
    /// # Errors
    /// Those of [`to_der`](Self::to_der), but for the last.
    pub fn to_der_with_rng(
        &self,
        passphrase: &Passphrase,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, Error> {
        self.write(passphrase, rng)
    }

    fn write(
        &self,
        passphrase: &Passphrase,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<u8>, Error> {
        pbe::check_iterations(self.iterations)?;
        let chain = self.sorted_chain()?;
        // Java and OpenSSL pair key and certificate by this; as a digest of the key it is the same in every file.
        let identity = Attributes {
            alias: self.alias.clone(),
            local_key_id: Some(Sha1::digest(self.key.public_key().spki_der()).to_vec()),
        };

        let nameless = Attributes::default();
        let certificates: Vec<Vec<u8>> = chain
            .iter()
            .enumerate()
            .map(|(number, certificate)| {
                let attributes = if number == 0 { &identity } else { &nameless };
                bags::bag(
                    &CERTIFICATE_BAG,
                    &bags::x509(certificate.as_der()),
                    attributes,
                )
            })
            .collect();
        let certificates: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();
        let certificates = self.encrypted_data(&tlv::sequence(&certificates), passphrase, rng)?;

        let pkcs8 = self.key.to_pkcs8_der()?;
        let (algorithm, ciphertext) = pbe::encrypt(&pkcs8, passphrase, self.iterations, rng)?;
        let shrouded = tlv::sequence(&[&algorithm, &tlv::tlv(tlv::OCTET_STRING, &[&ciphertext])]);
        let key = bags::bag(&SHROUDED_KEY_BAG, &shrouded, &identity);
        let key = bags::data(&tlv::sequence(&[&key]));

        let authenticated_safe = tlv::sequence(&[&certificates, &key]);
        let mut salt = [0; SALT_LEN];
        rng.try_fill_bytes(&mut salt)
            .map_err(|_| Error::Randomness)?;
        let password = Password::new(passphrase);
        let mac = mac::mac_data(&password, &salt, self.iterations, &authenticated_safe);
        Ok(bags::pfx(&authenticated_safe, &mac))
    }

    /// A `ContentInfo` of type encryptedData (RFC 5652, section 8).
    fn encrypted_data(
        &self,
        contents: &[u8],
        passphrase: &Passphrase,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<u8>, Error> {
        let (algorithm, ciphertext) = pbe::encrypt(contents, passphrase, self.iterations, rng)?;
        let info = tlv::sequence(&[
            &tlv::oid(&DATA),
            &algorithm,
            &tlv::tlv(tlv::IMPLICIT_0, &[&ciphertext]),
        ]);
        let encrypted_data = tlv::sequence(&[&tlv::uint(0), &info]);
        Ok(tlv::sequence(&[
            &tlv::oid(&ENCRYPTED_DATA),
            &tlv::tlv(tlv::EXPLICIT_0, &[&encrypted_data]),
        ]))
    }

    /// The leaf and everything that was added, from the leaf upwards.
    fn sorted_chain(&self) -> Result<Vec<&Certificate>, Error> {
        let chain = chain::upwards(self.certificate, &self.others);
        match self.others.iter().find(|other| !chain.contains(other)) {
            None => Ok(chain),
            Some(stranger) => Err(Error::NotInChain {
                subject: stranger.subject().to_string(),
                leaf: self.certificate.subject().to_string(),
            }),
        }
    }
}

const SALT_LEN: usize = 16;
