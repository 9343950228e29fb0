//! Keys, names, certificate requests, certificates, certification authorities (CAs), CRLs and PKCS#12 bundles, in pure Rust: what
//! `openssl genrsa`, `req`, `x509` and `pkcs12` are used for, without OpenSSL and without a C compiler.
//!
//! From a key to a bundle that a TLS client can show:
//!
//! ```
//! use pki::{CertificateAuthority, CertificateRequest, KeyKind, Passphrase, Pkcs12, PrivateKey, Profile};
//!
//! // The CA. One that exists comes from its files: CertificateAuthority::from_pem.
//! let ca_key = PrivateKey::generate(KeyKind::EcP256)?;
//! let ca = CertificateAuthority::create_root("/CN=Demo CA/O=Excelsior Bank".parse()?, ca_key, &Profile::root())?;
//!
//! // Whoever wants a certificate makes a key and a request; the signature in it proves that they have the key.
//! let key = PrivateKey::generate(KeyKind::Rsa4096)?;
//! let request = CertificateRequest::builder("/CN=demo-bot1/O=Excelsior Bank/C=GB".parse()?).sign(&key)?;
//!
//! // The CA verifies that, and grants what the profile says, whatever the request asks for.
//! let certificate = ca.issue(&request.verify()?, &Profile::client().valid_for_days(365))?;
//!
//! let passphrase = Passphrase::from("a longer one than this");
//! let p12 = Pkcs12::builder(&key, &certificate)?.chain(ca.chain()).alias("demo-bot1").to_der(&passphrase)?;
//! # assert_eq!(Pkcs12::open(&p12, &passphrase)?.certificate()?, &certificate);
//! # Ok::<(), pki::Error>(())
//! ```
//!
//! # The types, in the order in which they meet
//!
//! | to | types |
//! |---|---|
//! | make and read keys | [`PrivateKey`], its [`PublicKey`], [`KeyKind`], [`KeyAlgorithm`]; [`KeyGenerator`] for [`Progress`], cancellation and seeds; [`KeyEncryption`] |
//! | name somebody | [`DistinguishedName`] of [`Attribute`]s, from text or [built](DistinguishedName::builder); [`SubjectAltName`] with [`DnsName`], [`EmailAddress`], [`Uri`] and [`OtherName`] |
//! | ask for a certificate | [`CertificateRequest`], and [`VerifiedRequest`] once its signature was verified; [`PreparedRequest`] before it is signed |
//! | issue one | [`CertificateAuthority`], [`Profile`], [`Validity`], [`SerialNumber`], [`SignatureAlgorithm`] with its [`Digest`] |
//! | revoke one | [`CrlBuilder`] with [`Revocation`]s makes a [`Crl`] of [`RevokedCertificate`]s, whether here or in [steps](PreparedCrl); [`RevocationReason`], [`CrlNumber`], [`IssuingDistributionPoint`] |
//! | say what is granted | [`Profile`] with [`Extension`]s, [`SubjectPolicy`] and [`NamePattern`]s |
//! | write extensions | [`KeyUsage`], [`ExtendedKeyUsage`], [`NameConstraints`] of [`GeneralSubtree`]s, [`DistributionPoint`], [`AccessDescription`], [`PolicyInformation`], [`PolicyMapping`], [`PolicyConstraints`] |
//! | issue without a request, or step by step | [`Issuance`], [`Issuer`], [`PreparedCertificate`] with what is [`Ungranted`], any [`Signer`]; [`Fault`] |
//! | read one | [`Certificate`], with values of all its extensions and [`oid_name`] for what else is in it; [`Version`], [`BasicConstraints`], [`KeyUsage`], [`ExtendedKeyUsage`], [`NameConstraints`] |
//! | bundle it with its key | [`Pkcs12`] with [`CertificateEntry`] and [`Integrity`]; [`Pkcs12Builder`], [`Pkcs12Profile`], [`Pkcs12Warning`] |
//! | **open a file** | [`open()`] for any: [`Contents`] of [`Item`]s, with [`OtherKey`] and [`Encrypted`] for what it had to leave closed; [`OpenOptions`] where there is more to say |
//! | read what is in it | [`Pkcs12`], [`Pkcs7`], [`JavaKeystore`] of [`KeystoreEntry`]s |
//! | read what is trusted | [`TrustStore`] of any format; [`UnreadableCertificate`] for what it had to leave out |
//! | hand over to rustls and webpki | `From` and `TryFrom`, to and from the types of `rustls-pki-types` |
//!
//! Secrets are opened with a [`Passphrase`], and the work that a file may ask for is bounded by a [`Budget`]. Whatever fails is
//! one [`Error`]. Calls that need the time or randomness take the system's; beside each there is a variant with an explicit
//! clock and RNG (`..._at`, `..._with_rng`).
//!
//! ```
//! use pki::{Certificate, KeyKind, PrivateKey};
//! use rustls_pki_types::{CertificateDer, PrivateKeyDer};
//!
//! # fn main() -> Result<(), pki::Error> {
//! let key = PrivateKey::generate(KeyKind::EcP256)?;
//! let for_rustls = PrivateKeyDer::try_from(&key)?;
//! # let issuance = pki::Issuance::for_key(key.public_key(), "/CN=a".parse()?);
//! # let certificate = issuance.prepare_self_signed(&pki::Profile::client())?.sign(&key)?;
//! let shown: CertificateDer<'_> = (&certificate).into();
//! assert_eq!(Certificate::try_from(&shown)?, certificate);
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `legacy`, files are opened that have RC4 or Camellia in them, or a MAC or a key derivation with SHA-3: what some programs
//! write when they are told to. Nothing is written so.
//!
//! This crate does no I/O, and decides nothing about trust: it verifies one signature at a time
//! ([`Certificate::verify_issued_by`]).
//!
//! In debug builds, signatures with RSA keys, and key derivation with SHA-256 where the processor has the SHA extensions, are as fast as elsewhere:
//! they are assembly. Other hashes, and verification, are ten to sixty times slower without `opt-level = 3` for dependencies
//! (`[profile.dev.package."*"]`).
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod digest;
mod passphrase;
mod time;
mod error;
mod duration;
mod budget;
mod encrypted;
mod der;
mod kdf;
mod name;
mod alt_name;
mod network;
mod name_constraints;
mod distribution_point;
mod access_description;
mod certificate_policy;
mod extension;
mod oid;
mod pbe;
mod text;
mod pem;
mod key;
mod rng;
mod signer;
mod serial;
mod signed;
mod tbs;
mod request;
mod validity;
mod certificate;
mod extension_values;
mod chain;
mod pkcs12;
mod profile;
mod prepared;
mod issuance;
mod authority;
mod crl;
mod pkcs7;
mod java_keystore;
mod trust_store;
mod open;
mod pki_types;
#[cfg(test)]
mod wycheproof;

pub use access_description::AccessDescription;
pub use alt_name::{DnsName, EmailAddress, GeneralName, OtherName, SubjectAltName, Uri};
pub use authority::{CertificateAuthority, Issuer};
pub use budget::Budget;
pub use certificate::{Certificate, Version};
pub use certificate_policy::{
    NoticeReference, PolicyConstraints, PolicyInformation, PolicyMapping, PolicyQualifier,
    UserNotice,
};
pub use crl::{
    Crl, CrlBuilder, CrlNumber, IssuingDistributionPoint, PreparedCrl, Revocation,
    RevocationReason, RevokedCertificate,
};
pub use digest::Digest;
pub use distribution_point::{DistributionPoint, DistributionPointName, ReasonFlags};
pub use duration::parse_duration;
pub use encrypted::Encrypted;
pub use error::{Error, Fault, SignerError};
pub use extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
pub use issuance::Issuance;
pub use java_keystore::{JavaKeystore, KeystoreEntry, KeystoreValue};
pub use key::{
    KeyAlgorithm, KeyEncryption, KeyGenerator, KeyKind, OtherKey, PrivateKey, PublicKey,
    SignatureAlgorithm,
};
pub use name::{Attribute, DistinguishedName, DistinguishedNameBuilder};
pub use name_constraints::{GeneralSubtree, NameConstraints};
pub use oid::oid_name;
pub use open::{Contents, Encoding, Item, OpenOptions, open};
pub use passphrase::Passphrase;
pub use pkcs7::Pkcs7;
pub use pkcs12::{
    CertificateEntry, Integrity, Pkcs12, Pkcs12Builder, Pkcs12Profile, Pkcs12Warning,
    UnreadableCertificate,
};
pub use prepared::{PreparedCertificate, Ungranted};
pub use profile::{Extension, NamePattern, Profile, SubjectPolicy};
pub use request::{
    CertificateRequest, CertificateRequestBuilder, PreparedRequest, VerifiedRequest,
};
pub use rsa_private::Progress;
pub use serial::SerialNumber;
pub use signer::Signer;
pub use trust_store::TrustStore;
pub use validity::Validity;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
