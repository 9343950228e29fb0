//! Where the cryptography of TLS comes from, but for signatures with RSA keys of 2048, 3072, 4096 and 8192 bits: `rsa-private` makes them. (Who wants the
//! provider's gives its key to [`Identity::with_signer`](crate::Identity::with_signer).)
//!
//! The default is [graviola](https://docs.rs/graviola), which needs no C compiler to build and a recent x86_64 or
//! aarch64 processor to run. For other hardware the cargo features `ring` and `aws-lc-rs` add a function each; they
//! need a C compiler, and they change nothing until the provider is passed to
//! [`ClientBuilder::provider`](crate::ClientBuilder::provider). Any other [`CryptoProvider`] will do as well.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use crate::Error;

/// The default provider.
///
/// # Errors
///
/// [`Error::UnsupportedCpu`] on a processor that it would refuse to run on.
pub fn graviola() -> Result<Arc<CryptoProvider>, Error> {
    // graviola panics on first use where one of these is missing.
    let missing = missing_features();
    if missing.is_empty() {
        Ok(Arc::new(rustls_graviola::default_provider()))
    } else {
        Err(Error::UnsupportedCpu { missing })
    }
}

/// The provider on top of *ring*.
#[cfg(feature = "ring")]
pub fn ring() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The provider on top of AWS-LC.
#[cfg(feature = "aws-lc-rs")]
pub fn aws_lc_rs() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn missing_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let features = [
        ("aes", std::arch::is_x86_feature_detected!("aes")),
        ("ssse3", std::arch::is_x86_feature_detected!("ssse3")),
        (
            "pclmulqdq",
            std::arch::is_x86_feature_detected!("pclmulqdq"),
        ),
        ("avx", std::arch::is_x86_feature_detected!("avx")),
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("bmi1", std::arch::is_x86_feature_detected!("bmi1")),
        ("bmi2", std::arch::is_x86_feature_detected!("bmi2")),
        ("adx", std::arch::is_x86_feature_detected!("adx")),
    ];
    #[cfg(target_arch = "aarch64")]
    let features = [
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("aes", std::arch::is_aarch64_feature_detected!("aes")),
        ("pmull", std::arch::is_aarch64_feature_detected!("pmull")),
        ("sha2", std::arch::is_aarch64_feature_detected!("sha2")),
    ];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let features = [("x86_64 or aarch64", false)];

    features
        .into_iter()
        .filter(|(_, present)| !present)
        .map(|(name, _)| name)
        .collect()
}
