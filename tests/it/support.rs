//! The fixtures, and parts of them as the toolkit's own types.
use std::{path::Path, sync::LazyLock};

use fixtures::{Entry, Fixtures};
use pki::{Certificate, CertificateAuthority, PrivateKey};

/// Made on first use in `target/fixtures`.
static FIXTURES: LazyLock<Fixtures> = LazyLock::new(|| {
    fixtures::ensure(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("fixtures")).unwrap()
});

/// An entry of `fixtures/hierarchy.toml`.
pub(crate) fn entry(name: &str) -> &'static Entry {
    FIXTURES.entry(name).unwrap()
}

/// The CA that an entry is.
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
