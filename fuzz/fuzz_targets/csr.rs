//! Certificate requests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::CertificateRequest;

fuzz_target!(|input: &[u8]| {
    if let Ok(request) = CertificateRequest::from_pem_or_der(input) {
        let _ = request.verify();
        let _ = (request.subject().to_string(), request.signature_algorithm());
        assert!(CertificateRequest::from_der(request.as_der()).is_ok());
    }
});
