//! Distinguished names: what is printed is read back, unless a value breaks a rule that `#` let it past.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::{DistinguishedName, Error};

fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<DistinguishedName>() {
        let printed = name.to_string();
        match DistinguishedName::from_rfc4514(&printed) {
            Ok(again) => assert_eq!(again.to_string(), printed),
            Err(error @ (Error::MalformedName { .. } | Error::UnknownAttribute { .. })) => {
                panic!("{printed:?}: {error}")
            }
            Err(_) => {}
        }
    }
});
