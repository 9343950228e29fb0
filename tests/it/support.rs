//! The fixtures, and parts of them as the toolkit's own types.
use std::{path::Path, sync::LazyLock};

use fixtures::{Entry, Fixtures};
use pki::{Certificate, CertificateAuthority, PrivateKey};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// Made on first use in `target/fixtures`.
static FIXTURES: LazyLock<Fixtures> = LazyLock::new(|| {
    fixtures::ensure(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("fixtures")).unwrap()
});

/// An entry of `fixtures/hierarchy.toml`.
pub(crate) fn entry(name: &str) -> &'static Entry {
    FIXTURES.entry(name).unwrap()
}

/// The authority that an entry is.
pub(crate) fn authority(name: &str) -> CertificateAuthority {
    let entry = entry(name);
    CertificateAuthority::from_pem(entry.chain_pem(), entry.key_pem(), &entry.passphrase()).unwrap()
}

/// The private key of an entry.
pub(crate) fn private_key(name: &str) -> PrivateKey {
    let entry = entry(name);
    PrivateKey::from_pem(entry.key_pem(), &entry.passphrase()).unwrap()
}

/// The certificate of an entry.
pub(crate) fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(entry(name).certificate_pem()).unwrap()
}

/// Whether webpki accepts a chain, the last certificate of which is the root.
pub(crate) fn webpki_accepts(
    chain: &[Certificate],
    usage: KeyUsage,
    at: UnixTime,
) -> Result<(), webpki::Error> {
    let chain: Vec<CertificateDer<'_>> = chain
        .iter()
        .map(|certificate| certificate.as_der().into())
        .collect();
    let [leaf, intermediates @ .., root] = &chain[..] else {
        panic!("a chain has a leaf and a root");
    };
    let algorithms = rustls_graviola::default_provider()
        .signature_verification_algorithms
        .all;
    let anchor = anchor_from_trusted_cert(root)?;
    EndEntityCert::try_from(leaf)?
        .verify_for_usage(algorithms, &[anchor], intermediates, at, usage, None, None)
        .map(drop)
}
