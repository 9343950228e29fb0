use crate::Error;

/// Something in a file that stayed encrypted, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encrypted {
    /// What it is, in words: a private key, or a part of a PKCS#12 file.
    pub what: &'static str,
    /// How it is encrypted: the scheme with its parameters, or the name of one that isn't implemented.
    pub encryption: String,
    /// Its friendlyName or alias, where that can be seen from outside.
    pub alias: Option<String>,
    /// Why it wasn't opened: [`Error::PassphraseRequired`]; [`Error::UnsupportedScheme`]; of a private key in a Java keystore,
    /// whose passphrase may be another than the keystore's, [`Error::WrongPassphrase`], too.
    pub error: Error,
}
