//! Keys, names, certificate requests, certificates, authorities and PKCS#12 bundles, in pure Rust.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod alt_name;
mod authority;
mod budget;
mod certificate;
mod chain;
mod der;
mod digest;
mod error;
mod extension;
pub mod inspect;
mod kdf;
mod key;
mod name;
mod name_constraints;
mod oid;
mod passphrase;
mod pbe;
mod pem;
mod pkcs12;
mod profile;
mod request;
mod rng;
mod serial;
mod signed;
mod tbs;
mod time;
mod trust_store;
mod validity;
#[cfg(test)]
mod wycheproof;

pub use alt_name::{DnsName, EmailAddress, SubjectAltName, Uri};
pub use authority::CertificateAuthority;
pub use budget::Budget;
pub use certificate::{Certificate, Version};
pub use digest::Digest;
pub use error::Error;
pub use extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
pub use key::{KeyAlgorithm, KeyEncryption, KeyGenerator, KeyKind, PrivateKey, PublicKey};
pub use name::{Attribute, DistinguishedName, DistinguishedNameBuilder};
pub use name_constraints::NameConstraints;
pub use passphrase::Passphrase;
pub use pkcs12::{
    CertificateEntry, Integrity, Pkcs12, Pkcs12Builder, Pkcs12Profile, Pkcs12Warning,
    UnreadableCertificate,
};
pub use profile::Profile;
pub use request::{CertificateRequest, CertificateRequestBuilder, VerifiedRequest};
pub use rsa_keygen::Progress;
pub use serial::SerialNumber;
pub use trust_store::TrustStore;
pub use validity::Validity;
