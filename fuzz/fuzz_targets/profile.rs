//! Profiles in TOML: what is read can be issued by or is told, and what is said about it names a line that it has.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pki::{Error, Issuance, KeyKind, PrivateKey, Profile};

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeyKind::EcP256).unwrap());

fuzz_target!(|text: &str| {
    match Profile::from_toml(text) {
        Ok(profile) => {
            let issuance = Issuance::for_key(KEY.public_key(), "/CN=a".parse().unwrap());
            if let Ok(prepared) = issuance.prepare_self_signed(&profile) {
                let certificate = prepared.sign(&*KEY).unwrap();
                certificate.verify_issued_by(&certificate).unwrap();
            }
        }
        Err(Error::InvalidProfileFile { line: Some(line), .. }) => {
            assert!((1..=1 + text.matches('\n').count()).contains(&line));
        }
        Err(_) => {}
    }
});
