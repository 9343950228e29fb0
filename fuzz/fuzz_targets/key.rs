//! Private keys, encrypted or not: what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::PrivateKey;

mod limits;

fuzz_target!(|input: &[u8]| {
    let read = PrivateKey::from_pem_or_der_within(input, &limits::passphrase(), limits::budget());
    if let Ok(key) = read {
        let der = key.to_pkcs8_der().unwrap();
        let again = PrivateKey::from_der(&der, None).unwrap();
        assert_eq!(again.public_key(), key.public_key());
    }
});
