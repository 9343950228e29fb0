//! What the integration tests in `it/` share: the fixtures, and parts of them as the toolkit's own types.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    reason = "only tests use this, and a fixture that can't be had ends them all"
)]

use std::{path::Path, sync::LazyLock};

use fixtures::{Entry, Fixtures};
use pki::{Certificate, CertificateAuthority, PrivateKey};

static FIXTURES: LazyLock<Fixtures> = LazyLock::new(|| {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(target, Into::into);
    fixtures::ensure(target.join("fixtures")).expect("fixtures can be made in the target directory")
});

/// An entry of `fixtures/hierarchy.toml`, made on first use in `target/fixtures`.
pub fn entry(name: &str) -> &'static Entry {
    FIXTURES
        .entry(name)
        .expect("fixtures/hierarchy.toml declares it")
}

/// The authority that an entry is.
pub fn authority(name: &str) -> CertificateAuthority {
    let entry = entry(name);
    CertificateAuthority::from_pem(entry.chain_pem(), entry.key_pem(), &entry.passphrase())
        .expect("it is an authority")
}

/// The private key of an entry.
pub fn private_key(name: &str) -> PrivateKey {
    let entry = entry(name);
    PrivateKey::from_pem(entry.key_pem(), &entry.passphrase()).expect("it has this key")
}

/// The certificate of an entry.
pub fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(entry(name).certificate_pem()).expect("it has this certificate")
}
