//! PKCS#7 files: whatever the input is, it is put into a SignedData as certificates, CRLs or signatures, too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::{Item, OpenOptions};

mod limits;

fuzz_target!(|input: &[u8]| {
    let options = OpenOptions::new().budget(limits::budget());
    if let Ok(contents) = options.open(input) {
        for item in contents.items() {
            if let Item::Pkcs7(pkcs7) = item {
                assert!(contents.certificates().count() >= pkcs7.certificates().len());
            }
        }
    }
    for (certificates, crls, signers) in [
        (input, &[][..], &[][..]),
        (&[], input, &[]),
        (&[], &[], input),
    ] {
        let _ = options.open(&signed_data(certificates, crls, signers));
    }
    let _ = pki::TrustStore::read_within(&signed_data(input, &[], &[]), None, limits::budget());
});

fn signed_data(certificates: &[u8], crls: &[u8], signers: &[u8]) -> Vec<u8> {
    let signed = [
        &b"\x02\x01\x01\x31\x00\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"[..],
        &tlv(0xa0, certificates),
        &tlv(0xa1, crls),
        &tlv(0x31, signers),
    ]
    .concat();
    let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    tlv(0x30, &[&oid[..], &tlv(0xa0, &tlv(0x30, &signed))].concat())
}

/// BER, whose lengths need not be in their shortest form.
fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let len = u32::try_from(contents.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &len, contents].concat()
}
