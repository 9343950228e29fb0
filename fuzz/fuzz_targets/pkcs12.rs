//! PKCS#12 files, as identities and as trust stores.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::{Pkcs12, TrustStore};

mod limits;

fuzz_target!(|input: &[u8]| {
    if let Ok(bundle) = Pkcs12::open_within(input, &limits::passphrase(), limits::budget()) {
        let _ = (bundle.chain(), format!("{bundle:?}"));
        assert_eq!(bundle.entries().count(), bundle.certificates().len());
    }
    let _ = TrustStore::read_within(input, None, limits::budget());
});
