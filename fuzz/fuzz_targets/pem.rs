//! PEM with whatever is in it, but for what is encrypted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(report) = pki::inspect::inspect(input, None) {
        assert!(report.to_string().ends_with('\n') || report.to_string().is_empty());
    }
    let _ = pki::Certificate::all_from_pem(input);
});
