use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A passphrase: wiped when it is dropped and elided in `Debug`. It can't be cloned, displayed or serialized.
///
/// Key files take its UTF-8 octets; PKCS#12 (RFC 7292, appendix B.1) takes it as a BMPString. The empty passphrase is a
/// passphrase: it is not the same as none.
///
/// Two of them are compared in a time that tells nothing but their lengths.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes ownership of the text, so that no copy stays behind.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for handing on to a cipher.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no character in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Passphrase {}

impl From<String> for Passphrase {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Passphrase {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[passphrase elided]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passphrases_are_equal_when_every_octet_is() {
        let one = Passphrase::from("pässwörd");
        assert_eq!(one, Passphrase::from("pässwörd"));
        for other in ["", "pässwör", "pässwörD", "Pässwörd", "pässwörd "] {
            assert_ne!(one, Passphrase::from(other));
        }
    }
}
