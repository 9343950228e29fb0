//! PEM with whatever is in it, but for what is encrypted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(contents) = pki::Contents::read(input, None) {
        assert!(contents.is_pem() || contents.items().len() == 1);
    }
    let _ = pki::Certificate::all_from_pem(input);
});
