//! Keystores of Java with private keys, whose digest doesn't stand in the way: it is checked only with a passphrase of the keystore.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::{Item, KeystoreValue, OpenOptions};

mod limits;

fuzz_target!(|input: &[u8]| {
    let passphrase = limits::passphrase();
    // What keytool takes at least for JCEKS.
    let mut budget = limits::budget();
    budget.max_iterations = 10_000;
    budget.max_blocks = 100_000;
    let options = OpenOptions::new().budget(budget);
    let Ok(contents) = options.key_passphrase(&passphrase).open(input) else {
        return;
    };
    for item in contents.items() {
        let Item::JavaKeystore(store) = item else {
            continue;
        };
        for entry in store.entries() {
            let is_key = !matches!(
                entry.value,
                KeystoreValue::TrustedCertificate(_) | KeystoreValue::SecretKey
            );
            assert!(is_key || entry.chain.is_empty());
        }
        let _ = format!("{store:?}");
    }
});
