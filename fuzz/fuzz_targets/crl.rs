//! Certificate revocation lists.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::{Certificate, Crl, PreparedCrl};

fuzz_target!(|input: &[u8]| {
    let issuer = Certificate::from_pem(include_bytes!("../../crates/pki/tests/data/crls/ca.crt")).unwrap();
    let _ = PreparedCrl::from_der(input, &issuer);
    if let Ok(crl) = Crl::from_pem_or_der(input) {
        for entry in crl.entries() {
            let found = crl.find(&entry.serial_number());
            assert!(found.is_some() || !entry.is_of_crl_issuer());
        }
        let _ = crl.verify_issued_by(&issuer);
        let _ = pki::open(crl.as_der(), None);
        assert_eq!(Crl::from_pem(crl.to_pem()).unwrap(), crl);
    }
});
