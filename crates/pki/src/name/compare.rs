//! Comparison of names by their meaning (RFC 5280, section 7.1).

use super::{Attribute, DistinguishedName};

impl DistinguishedName {
    /// Whether both name the same entity (RFC 5280, section 7.1): the same RDNs in the same order, each with the same
    /// attributes in any order. Values that are text are compared without regard to their string type, to upper and lower
    /// case, to space at their ends and to the amount of it inside; others octet for octet.
    ///
    /// Issuers are found by this. Equality (`==`) is that of the DER. Text is not normalized (RFC 4518 would apply
    /// NFKC): as with OpenSSL, an accent that is composed in one name and combined in the other makes them differ. (OpenSSL
    /// folds the case of ASCII alone. Where a name constraint permits, this crate asks for what both take for the same.)
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.der == other.der || self.canonical() == other.canonical()
    }

    /// The RDNs in a form that is equal, octet for octet, when they match.
    pub(crate) fn canonical(&self) -> CanonicalName {
        self.canonical_with(canonical_text)
    }

    /// The same where case and space count but those of ASCII, as OpenSSL has it.
    pub(crate) fn canonical_ascii(&self) -> CanonicalName {
        self.canonical_with(canonical_ascii_text)
    }

    fn canonical_with(&self, text: fn(&str) -> String) -> CanonicalName {
        let rdns = self.rdns.iter().map(|rdn| canonical_rdn(rdn, text));
        CanonicalName(rdns.collect())
    }
}

/// A name in the form that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CanonicalName(Vec<Vec<Vec<u8>>>);

impl CanonicalName {
    /// Whether this name is `base`, or has it as its first RDNs.
    pub(crate) fn is_within(&self, base: &Self) -> bool {
        self.0.starts_with(&base.0)
    }
}

fn canonical_rdn(rdn: &[Attribute], text: fn(&str) -> String) -> Vec<Vec<u8>> {
    let mut attributes: Vec<Vec<u8>> = rdn
        .iter()
        .map(|attribute| {
            // A tag and a NUL, which no object identifier has in its dotted form, keep the parts and the kinds apart.
            let (kind, value) = if attribute.is_hex {
                (b'#', attribute.value_der.clone())
            } else {
                (b'=', text(&attribute.value).into_bytes())
            };
            let mut canonical = attribute.oid.clone().into_bytes();
            canonical.extend([0, kind]);
            canonical.extend(value);
            canonical
        })
        .collect();
    attributes.sort();
    attributes
}

fn canonical_text(text: &str) -> String {
    let mut canonical = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !canonical.is_empty() {
            canonical.push(' ');
        }
        canonical.extend(word.chars().flat_map(char::to_lowercase));
    }
    canonical
}

fn canonical_ascii_text(text: &str) -> String {
    let words = text.split_ascii_whitespace();
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der;

    fn name(text: &str) -> DistinguishedName {
        text.parse().unwrap()
    }

    /// A name with one CN, whose value has this tag.
    fn common_name(tag: u8, value: &[u8]) -> DistinguishedName {
        let oid = der::tlv(der::OID, &[&[0x55, 4, 3]]);
        let attribute = der::sequence(&[&oid, &der::tlv(tag, &[value])]);
        let rdn = der::tlv(der::SET, &[&attribute]);
        DistinguishedName::from_der(&der::sequence(&[&rdn])).unwrap()
    }

    #[test]
    fn string_types_case_and_space_do_not_count() {
        let utf8 = common_name(der::UTF8_STRING, b"Excelsior Bank");
        for (tag, value) in [
            (der::PRINTABLE_STRING, &b"Excelsior Bank"[..]),
            (der::TELETEX_STRING, b"EXCELSIOR BANK"),
            (der::IA5_STRING, b"  excelsior \t bank "),
            (
                der::UNIVERSAL_STRING,
                b"\0\0\0E\0\0\0x\0\0\0c\0\0\0e\0\0\0l\0\0\0s\0\0\0i\0\0\0o\0\0\0r\0\0\0 \0\0\0B\0\0\0a\0\0\0n\0\0\0k",
            ),
            (
                der::BMP_STRING,
                b"\0E\0x\0c\0e\0l\0s\0i\0o\0r\0 \0B\0a\0n\0k",
            ),
        ] {
            let other = common_name(tag, value);
            assert_ne!(utf8, other);
            assert!(utf8.matches(&other) && other.matches(&utf8), "{other}");
        }
        assert!(name("/CN=Z\u{dc}RICH").matches(&name("/CN=z\u{fc}rich")));
    }

    #[test]
    fn everything_else_counts() {
        let bank = name("/O=Bank/OU=A+CN=x");
        for other in [
            "/O=Bank",
            "/O=Bank/OU=A+CN=x/CN=y",
            "/OU=A+CN=x/O=Bank",
            "/O=Bank/OU=A/CN=x",
            "/O=Bank/OU=A+CN=y",
            "/O=Bank/OU=A+UID=x",
            "/O=Ba nk/OU=A+CN=x",
            "/",
        ] {
            assert!(!bank.matches(&name(other)), "{other}");
        }
        // What is no text is compared as it stands: a surrogate, and half a character.
        for value in [&b"\0\0\xd8\x00"[..], b"\0\0\0"] {
            let broken = common_name(der::UNIVERSAL_STRING, value);
            assert!(broken.to_string().contains('#'), "{broken}");
        }
        // OCTET STRING and BIT STRING are compared as they stand, and never with text that looks like them.
        let octets = common_name(der::OCTET_STRING, b"a");
        assert!(!octets.matches(&common_name(der::OCTET_STRING, b"A")));
        assert!(!octets.matches(&common_name(der::UTF8_STRING, b"#040161")));
    }

    #[test]
    fn a_name_is_within_its_first_rdns() {
        let whole = name("/C=GB/O=Bank/CN=x").canonical();
        for base in ["/", "/C=gb", "/C=GB/O=BANK", "/C=GB/O=Bank/CN=x"] {
            assert!(whole.is_within(&name(base).canonical()), "{base}");
        }
        for base in ["/O=Bank", "/C=GB/O=Ban", "/C=GB/O=Bank/CN=x/CN=y"] {
            assert!(!whole.is_within(&name(base).canonical()), "{base}");
        }
    }
}
