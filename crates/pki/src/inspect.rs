//! What is in a file: PEM or DER; key, request, certificates or PKCS#12.
use crate::{Error, Passphrase};
/// A report. Serializes to JSON, displays as text.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Report {}
impl std::fmt::Display for Report {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
/// Finds out by itself what the input is.
pub fn inspect<'p>(
    _input: &[u8],
    passphrase: impl Into<Option<&'p Passphrase>>,
) -> Result<Report, Error> {
    let _ = passphrase.into();
    todo!()
}
