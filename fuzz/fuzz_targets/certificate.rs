//! Certificates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::Certificate;

fuzz_target!(|input: &[u8]| {
    if let Ok(certificate) = Certificate::from_pem_or_der(input) {
        let _ = (certificate.is_self_signed(), certificate.public_key());
        let _ = pki::open(certificate.as_der(), None);
        assert_eq!(Certificate::from_pem(certificate.to_pem()).unwrap(), certificate);
    }
});
