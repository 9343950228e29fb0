//! Whatever a file is: what is seen without a passphrase is there with it, too, and nothing is both open and closed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::{Item, OpenOptions};

mod limits;

fuzz_target!(|input: &[u8]| {
    let passphrase = limits::passphrase();
    let options = OpenOptions::new().budget(limits::budget());
    let closed = options.open(input);
    let opened = options.passphrase(&passphrase).open(input);
    if let (Ok(closed), Ok(opened)) = (&closed, &opened) {
        assert_eq!(closed.encoding(), opened.encoding());
        assert_eq!(closed.items().len(), opened.items().len());
        assert!(closed.certificates().count() <= opened.certificates().count());
    }
    if let Ok(contents) = opened {
        assert!(!format!("{contents:?}").contains("correct"));
        for item in contents.items() {
            if let Item::PrivateKey { key, .. } = item {
                let der = key.to_pkcs8_der().unwrap();
                let again = OpenOptions::new().open(&der).unwrap();
                assert_eq!(again.private_key().unwrap().public_key(), key.public_key());
            }
        }
        let encrypted = contents.encrypted().count();
        assert_eq!(contents.decrypted().is_ok(), encrypted == 0);
    }
});
