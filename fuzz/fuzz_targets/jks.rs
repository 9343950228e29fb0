//! Trust stores, JKS among them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::TrustStore;

mod limits;

fuzz_target!(|input: &[u8]| {
    let _ = TrustStore::read_within(input, &limits::passphrase(), limits::budget());
    if let Ok(store) = TrustStore::read_within(input, None, limits::budget()) {
        assert_eq!(store.entries().count(), store.certificates().len());
    }
});
