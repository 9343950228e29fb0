//! PEM with whatever is in it, but for what is encrypted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = pki::PrivateKey::from_pem(input, None);
    let _ = pki::Certificate::all_from_pem(input);
});
