//! The `config.yaml` of the official clients: whatever is said about it names a line that it has.
#![no_main]

use auth::{Error, config::BdkConfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let lines = 1 + text.matches(['\n', '\r']).count();
    // Long names are those of variables that aren't set.
    match BdkConfig::parse(text, |name| (name.len() < 8).then(|| name.to_owned())) {
        Ok(config) => {
            assert!(config.notices().iter().all(|notice| (1..=lines).contains(&notice.line())));
            assert!(config.notices().is_sorted_by_key(|notice| notice.line()));
            let _ = format!("{config:?}");
        }
        Err(Error::Configuration { line, .. }) => assert!(line <= lines),
        Err(error) => assert!(
            matches!(error, Error::InvalidUrl { .. } | Error::InvalidProxy { .. }),
            "{error}"
        ),
    }
});
