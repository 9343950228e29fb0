use std::collections::HashSet;

use getrandom::SysRng;
use rand_core::{CryptoRng, TryCryptoRng};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::{
    Pkcs12Profile, Pkcs12Warning,
    bags::{self, Attributes, CERTIFICATE_BAG, DATA, ENCRYPTED_DATA, SHROUDED_KEY_BAG},
};
use crate::{
    Certificate, Error, Passphrase, PrivateKey, chain,
    der::{self as tlv},
    kdf,
    pbe::{self, Password, Seal},
};

/// Builds a PKCS#12 file: of one private key, its certificate and the chain above it, or of trusted certificates alone,
/// or of both.
///
/// The certificates and the key are each encrypted, and a MAC is made over all of it, as the
/// [`Pkcs12Profile`] says. The key and its certificate are tied together by a localKeyId.
#[must_use]
#[derive(Debug)]
pub struct Pkcs12Builder<'a> {
    identity: Option<(&'a PrivateKey, &'a Certificate)>,
    others: Vec<Certificate>,
    alias: Option<String>,
    trusted: Vec<(Option<String>, Certificate)>,
    profile: Pkcs12Profile,
    iterations: u32,
    mac_iterations: Option<u32>,
}

impl<'a> Pkcs12Builder<'a> {
    pub(super) fn new(key: &'a PrivateKey, certificate: &'a Certificate) -> Result<Self, Error> {
        certificate.check_key(key.public_key())?;
        Ok(Self::with(Some((key, certificate))))
    }

    pub(super) fn with(identity: Option<(&'a PrivateKey, &'a Certificate)>) -> Self {
        Self {
            identity,
            others: Vec::new(),
            alias: None,
            trusted: Vec::new(),
            profile: Pkcs12Profile::default(),
            iterations: pbe::DEFAULT_ITERATIONS,
            mac_iterations: None,
        }
    }

    /// Adds further certificates, in any order; they are written from the leaf upwards. The leaf itself and repeats are
    /// left out. One that is not part of the chain is an error when the file is written.
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
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.alias = Some(alias.into()).filter(|alias| !alias.is_empty());
        self
    }

    /// Adds a certificate with the attribute by which Java knows a trusted one. Its alias is its common name, or else
    /// its whole subject, with a number behind it where another entry has that already.
    pub fn trusted(mut self, certificate: &Certificate) -> Self {
        self.trusted.push((None, certificate.clone()));
        self
    }

    /// Like [`trusted`](Self::trusted), with this alias. Java tells aliases apart without regard to case; one that is
    /// there twice is an error when the file is written.
    pub fn trusted_as(mut self, alias: impl Into<String>, certificate: &Certificate) -> Self {
        let alias = Some(alias.into()).filter(|alias| !alias.is_empty());
        self.trusted.push((alias, certificate.clone()));
        self
    }

    /// The algorithms. Default: [`Pkcs12Profile::Modern`].
    pub fn profile(mut self, profile: Pkcs12Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Iterations of the key derivations of both the MAC and the encryption, from 1,000 to 1,000,000. Default: 100,000,
    /// as for key files. Opening the file takes three times as many hash blocks, and seven times as many with
    /// [`Pkcs12Profile::Legacy`].
    pub fn iterations(mut self, iterations: u32) -> Self {
        self.iterations = iterations;
        self
    }

    /// Iterations of the key derivation of the MAC, where they are to be others, in the same range.
    pub fn mac_iterations(mut self, iterations: u32) -> Self {
        self.mac_iterations = Some(iterations);
        self
    }

    /// What readers of the file may stumble over if it is written under this passphrase.
    #[must_use]
    pub fn warnings(&self, passphrase: &Passphrase) -> Vec<Pkcs12Warning> {
        if passphrase.is_empty() {
            vec![Pkcs12Warning::PassphraseEmpty]
        } else if passphrase.as_str().is_ascii() {
            Vec::new()
        } else {
            vec![Pkcs12Warning::PassphraseNotAscii]
        }
    }

    /// The file. Java refuses passphrases that are not ASCII: see [`warnings`](Self::warnings).
    ///
    /// # Errors
    /// [`Error::NotInChain`] for a certificate that isn't part of the chain ([`Error::CertificateSignatureInvalid`] or
    /// [`Error::SignatureAlgorithmMismatch`] where it has the name of the next issuer and isn't),
    /// [`Error::DuplicateAlias`], [`Error::NoTrustedCertificate`] when there is nothing to write,
    /// [`Error::Pkcs12Lacks`] for a chain without a key, [`Error::ParameterOutOfRange`] for the iterations,
    /// [`Error::Randomness`].
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
        let mac_iterations = self.mac_iterations.unwrap_or(self.iterations);
        pbe::check_iterations(self.iterations)?;
        pbe::check_iterations(mac_iterations)?;
        let certificates = self.certificate_bags()?;
        let certificates: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();

        let mut seal = || Seal::new(self.profile.encryption(), self.iterations, rng);
        let mut seals = vec![seal()?];
        let mut contents = vec![Content::Certificates(tlv::sequence(&certificates))];
        if let Some((key, _)) = self.identity {
            seals.push(seal()?);
            contents.push(Content::Key(key.to_pkcs8_der()?));
        }
        let salt = pbe::random::<{ pbe::SALT_LEN }>(rng)?;

        let (password, mac) = (Password::new(passphrase), self.profile.mac());
        let (mac_key, keys) = kdf::derive(
            mac.derivation(&password, &salt, mac_iterations),
            seals.iter().map(|seal| seal.derivation(&password)),
        );
        let mut infos = Vec::new();
        for ((content, seal), key) in contents.iter().zip(&seals).zip(&keys) {
            let (algorithm, ciphertext) = seal.encrypt(&password, key, content.octets())?;
            infos.push(match content {
                Content::Certificates(_) => encrypted_data(&algorithm, &ciphertext),
                Content::Key(_) => self.shrouded_key(&algorithm, &ciphertext),
            });
        }
        let infos: Vec<&[u8]> = infos.iter().map(Vec::as_slice).collect();
        let authenticated_safe = tlv::sequence(&infos);
        let mac = mac.mac_data(&mac_key, &salt, mac_iterations, &authenticated_safe)?;
        Ok(bags::pfx(&authenticated_safe, &mac))
    }

    /// The chain, then what is trusted.
    fn certificate_bags(&self) -> Result<Vec<Vec<u8>>, Error> {
        let chain = self.sorted_chain()?;
        if chain.is_empty() && self.trusted.is_empty() {
            return Err(Error::NoTrustedCertificate {
                private_keys: 0,
                unreadable: 0,
            });
        }
        let aliases = self.trusted_aliases()?;
        let identity = self.identity_attributes();
        let nameless = Attributes::default();
        let of_chain = chain.iter().enumerate().map(|(number, certificate)| {
            let attributes = if number == 0 { &identity } else { &nameless };
            certificate_bag(certificate, attributes)
        });
        let of_trusted = self
            .trusted
            .iter()
            .zip(aliases)
            .map(|((_, certificate), alias)| {
                let attributes = Attributes {
                    alias: Some(alias),
                    trusted: true,
                    ..Attributes::default()
                };
                certificate_bag(certificate, &attributes)
            });
        Ok(of_chain.chain(of_trusted).collect())
    }

    /// What is on the key and on its certificate.
    fn identity_attributes(&self) -> Attributes {
        Attributes {
            alias: self.alias.clone(),
            // Java and OpenSSL pair key and certificate by this; as a digest of the key it is the same in every file.
            local_key_id: self
                .identity
                .map(|(key, _)| Sha1::digest(key.public_key().spki_der()).to_vec()),
            trusted: false,
            others: Vec::new(),
        }
    }

    /// An alias for each trusted certificate, all different from each other and from that of the key.
    fn trusted_aliases(&self) -> Result<Vec<String>, Error> {
        let given = self.trusted.iter().filter_map(|(alias, _)| alias.as_ref());
        let mut taken = HashSet::new();
        for alias in self.alias.iter().chain(given) {
            if !taken.insert(alias.to_lowercase()) {
                return Err(Error::DuplicateAlias {
                    alias: alias.clone(),
                });
            }
        }
        let aliases = self.trusted.iter().map(|(alias, certificate)| {
            if let Some(alias) = alias {
                return alias.clone();
            }
            let subject = certificate.subject();
            let name = match subject.common_name() {
                Some(name) if !name.is_empty() => name.to_owned(),
                _ => subject.to_string(),
            };
            let mut alias = name.clone();
            let mut number = 1_usize;
            while alias.is_empty() || !taken.insert(alias.to_lowercase()) {
                number = number.saturating_add(1);
                alias = format!("{name} ({number})").trim_start().to_owned();
            }
            alias
        });
        Ok(aliases.collect())
    }

    /// The `ContentInfo` of the encrypted key.
    fn shrouded_key(&self, algorithm: &[u8], ciphertext: &[u8]) -> Vec<u8> {
        let shrouded = tlv::sequence(&[algorithm, &tlv::tlv(tlv::OCTET_STRING, &[ciphertext])]);
        let bag = bags::bag(&SHROUDED_KEY_BAG, &shrouded, &self.identity_attributes());
        bags::data(&tlv::sequence(&[&bag]))
    }

    /// The leaf and everything that was added, from the leaf upwards.
    fn sorted_chain(&self) -> Result<Vec<&Certificate>, Error> {
        let Some((_, leaf)) = self.identity else {
            return match self.others.as_slice() {
                [] => Ok(Vec::new()),
                _ => Err(Error::Pkcs12Lacks {
                    what: "private key",
                }),
            };
        };
        chain::upwards_all(leaf, &self.others)
    }
}

/// What is encrypted.
enum Content {
    /// A `SafeContents`
    Certificates(Vec<u8>),
    /// PKCS#8
    Key(Zeroizing<Vec<u8>>),
}

impl Content {
    fn octets(&self) -> &[u8] {
        match self {
            Self::Certificates(octets) => octets,
            Self::Key(octets) => octets,
        }
    }
}

/// A `ContentInfo` of type encryptedData (RFC 5652, section 8).
fn encrypted_data(algorithm: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    let info = tlv::sequence(&[
        &tlv::oid(&DATA),
        algorithm,
        &tlv::tlv(tlv::IMPLICIT_0, &[ciphertext]),
    ]);
    let encrypted_data = tlv::sequence(&[&tlv::uint(0), &info]);
    tlv::sequence(&[
        &tlv::oid(&ENCRYPTED_DATA),
        &tlv::tlv(tlv::EXPLICIT_0, &[&encrypted_data]),
    ])
}

fn certificate_bag(certificate: &Certificate, attributes: &Attributes) -> Vec<u8> {
    bags::bag(
        &CERTIFICATE_BAG,
        &bags::x509(certificate.as_der()),
        attributes,
    )
}
