//! Names of object identifiers.

use const_oid::ObjectIdentifier;

use crate::{Error, der};

/// The name of an object identifier, or "unknown".
pub(crate) fn name_or_unknown(oid: &ObjectIdentifier) -> &'static str {
    name(oid).unwrap_or("unknown")
}

/// The name of an object identifier, if it has a known one.
pub(crate) fn name(oid: &ObjectIdentifier) -> Option<&'static str> {
    // What `const-oid`, generated from the LDAP registry and RFC 5280, doesn't know, or calls by a name that is less in use.
    const MORE: &[(&str, &str)] = &[
        // Kinds of keys, by the names that they go by.
        ("1.2.840.10040.4.1", "DSA"),
        ("1.2.840.113549.1.3.1", "DH"),
        ("1.2.840.10046.2.1", "DH (X9.42)"),
        ("1.2.840.113549.1.1.7", "RSAES-OAEP"),
        ("1.3.101.110", "X25519"),
        ("1.3.101.111", "X448"),
        ("1.3.101.113", "Ed448"),
        ("1.2.156.10197.1.301", "SM2"),
        ("1.2.643.2.2.19", "GOST R 34.10-2001"),
        ("1.2.643.7.1.1.1.1", "GOST R 34.10-2012 (256 bits)"),
        ("1.2.643.7.1.1.1.2", "GOST R 34.10-2012 (512 bits)"),
        ("1.2.840.10045.3.1.1", "secp192r1"),
        ("2.16.840.1.101.3.4.4.1", "ML-KEM-512"),
        ("2.16.840.1.101.3.4.4.2", "ML-KEM-768"),
        ("2.16.840.1.101.3.4.4.3", "ML-KEM-1024"),
        ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
        ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
        ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
        ("2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s"),
        ("2.16.840.1.101.3.4.3.21", "SLH-DSA-SHA2-128f"),
        ("2.16.840.1.101.3.4.3.22", "SLH-DSA-SHA2-192s"),
        ("2.16.840.1.101.3.4.3.23", "SLH-DSA-SHA2-192f"),
        ("2.16.840.1.101.3.4.3.24", "SLH-DSA-SHA2-256s"),
        ("2.16.840.1.101.3.4.3.25", "SLH-DSA-SHA2-256f"),
        ("2.16.840.1.101.3.4.3.26", "SLH-DSA-SHAKE-128s"),
        ("2.16.840.1.101.3.4.3.27", "SLH-DSA-SHAKE-128f"),
        ("2.16.840.1.101.3.4.3.28", "SLH-DSA-SHAKE-192s"),
        ("2.16.840.1.101.3.4.3.29", "SLH-DSA-SHAKE-192f"),
        ("2.16.840.1.101.3.4.3.30", "SLH-DSA-SHAKE-256s"),
        ("2.16.840.1.101.3.4.3.31", "SLH-DSA-SHAKE-256f"),
        // What else is in the files of keys and certificates.
        ("1.2.840.113549.1.12.10.1.4", "crlBag"),
        ("1.2.840.113549.1.12.10.1.5", "secretBag"),
        ("1.2.840.113549.1.9.22.2", "sdsiCertificate"),
        ("1.3.6.1.4.1.311.17.1", "keyProviderName"),
        ("1.3.6.1.4.1.311.17.2", "localMachineKeyset"),
        ("1.3.6.1.4.1.42.2.17.1.1", "JKS key protector"),
        ("1.3.6.1.4.1.42.2.19.1", "PBEWithMD5AndTripleDES"),
        // Encryption and hashes.
        ("1.2.840.113549.1.5.1", "pbeWithMD2AndDES-CBC"),
        ("1.2.840.113549.1.5.3", "pbeWithMD5AndDES-CBC"),
        ("1.2.840.113549.1.5.6", "pbeWithMD5AndRC2-CBC"),
        ("1.2.840.113549.1.5.10", "pbeWithSHA1AndDES-CBC"),
        ("1.2.840.113549.1.5.11", "pbeWithSHA1AndRC2-CBC"),
        ("1.3.14.3.2.7", "DES-CBC"),
        ("1.2.392.200011.61.1.1.1.2", "Camellia-128-CBC"),
        ("1.2.392.200011.61.1.1.1.3", "Camellia-192-CBC"),
        ("1.2.392.200011.61.1.1.1.4", "Camellia-256-CBC"),
        ("1.2.410.200004.1.4", "SEED-CBC"),
        ("1.2.410.200046.1.1.2", "ARIA-128-CBC"),
        ("1.2.410.200046.1.1.7", "ARIA-192-CBC"),
        ("1.2.410.200046.1.1.12", "ARIA-256-CBC"),
        ("1.2.840.113549.2.4", "MD4"),
        ("1.2.840.113549.3.2", "RC2-CBC"),
        ("1.2.156.10197.1.104.2", "SM4-CBC"),
        ("1.2.156.10197.1.401", "SM3"),
        ("1.2.840.113533.7.66.10", "CAST5-CBC"),
        ("1.3.6.1.4.1.188.7.1.1.2", "IDEA-CBC"),
        ("1.2.840.113549.3.9", "RC5-CBC-PAD"),
        ("1.3.6.1.4.1.3029.1.2", "Blowfish-CBC"),
        ("1.3.36.3.2.1", "RIPEMD-160"),
        ("2.16.840.1.101.3.4.1.4", "AES-128-CFB"),
        ("2.16.840.1.101.3.4.1.24", "AES-192-CFB"),
        ("2.16.840.1.101.3.4.1.44", "AES-256-CFB"),
        ("1.3.132.0.10", "secp256k1"),
        ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
        // Extensions of other standards and of vendors.
        ("1.3.6.1.5.5.7.1.3", "qcStatements"),
        ("1.3.6.1.5.5.7.1.24", "tlsFeature"),
        ("1.3.6.1.5.5.7.1.30", "acmeIdentifier"),
        ("1.3.6.1.5.5.7.48.1.5", "ocspNoCheck"),
        ("1.3.6.1.4.1.11129.2.4.2", "signedCertificateTimestampList"),
        ("1.3.6.1.4.1.11129.2.4.3", "precertificatePoison"),
        ("1.3.6.1.4.1.311.20.2", "certificateTemplateName"),
        ("1.3.6.1.4.1.311.21.1", "caVersion"),
        ("1.3.6.1.4.1.311.21.7", "certificateTemplate"),
        ("1.3.6.1.4.1.311.21.10", "applicationPolicies"),
        ("1.3.6.1.4.1.311.25.2", "ntdsCaSecurity"),
        ("2.16.840.1.113730.1.1", "netscapeCertType"),
        ("2.16.840.1.113730.1.13", "netscapeComment"),
        ("1.2.840.113533.7.65.0", "entrustVersion"),
        // Purposes.
        ("1.3.6.1.5.2.3.4", "pkInitClientAuth"),
        ("1.3.6.1.5.2.3.5", "pkInitKdc"),
        ("1.3.6.1.5.5.7.3.17", "ipsecIKE"),
        ("1.3.6.1.5.5.7.3.21", "secureShellClient"),
        ("1.3.6.1.5.5.7.3.22", "secureShellServer"),
        (
            "1.3.6.1.5.5.7.3.31",
            "brandIndicatorForMessageIdentification",
        ),
        ("1.3.6.1.5.5.7.3.36", "documentSigning"),
        ("1.3.6.1.4.1.311.10.3.4", "encryptingFileSystem"),
        ("1.3.6.1.4.1.311.10.3.12", "microsoftDocumentSigning"),
        ("1.3.6.1.4.1.311.20.2.2", "smartcardLogon"),
        ("1.3.6.1.4.1.311.54.1.2", "remoteDesktopAuthentication"),
        // Policies of the CA/Browser Forum.
        ("2.23.140.1.1", "extended-validation"),
        ("2.23.140.1.2.1", "domain-validated"),
        ("2.23.140.1.2.2", "organization-validated"),
        ("2.23.140.1.2.3", "individual-validated"),
        ("2.23.140.1.3", "extended-validation-codesigning"),
        ("2.23.140.1.4.1", "code-signing-requirements"),
        ("2.23.140.1.5.1.1", "smime-mailbox-validated-legacy"),
        ("2.23.140.1.5.1.2", "smime-mailbox-validated-multipurpose"),
        ("2.23.140.1.5.1.3", "smime-mailbox-validated-strict"),
        // Names.
        ("1.3.6.1.4.1.311.20.2.3", "userPrincipalName"),
        ("1.3.6.1.5.5.7.8.9", "smtpUTF8Mailbox"),
    ];
    let dotted = oid.to_string();
    MORE.iter()
        .find(|(known, _)| *known == dotted)
        .map(|(_, name)| *name)
        .or_else(|| const_oid::db::DB.by_oid(oid))
}

/// The name of an object identifier in dotted form, where it has one that is in use: of an extension, a purpose, a policy, an access
/// method, an algorithm or an attribute. Prefixes that only say which of these it is (`id-ce-`, `id-kp-`) are left out.
///
/// ```
/// assert_eq!(pki::oid_name("2.5.29.15"), Some("keyUsage"));
/// assert_eq!(pki::oid_name("2.23.140.1.2.1"), Some("domain-validated"));
/// assert_eq!(pki::oid_name("1.2.3.4"), None);
/// ```
pub fn oid_name(dotted: &str) -> Option<&'static str> {
    let name = name(&ObjectIdentifier::new(dotted).ok()?)?;
    let mut prefixes = [
        "id-ce-",
        "id-pe-",
        "id-kp-",
        "id-ad-",
        "id-qt-",
        "pkcs-9-at-",
    ]
    .iter();
    Some(
        prefixes
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(name),
    )
}

/// The dotted form of the contents of an OBJECT IDENTIFIER; of what is none, or longer than any in use, what can be said of it.
pub(crate) fn dotted(contents: &[u8]) -> String {
    der::dotted(contents).unwrap_or_else(|| {
        "an object identifier that is not well-formed, or has more than 256 octets".to_owned()
    })
}

/// The error for a scheme that isn't implemented.
pub(crate) fn unsupported(what: &'static str, oid: &ObjectIdentifier) -> Error {
    Error::UnsupportedScheme {
        what,
        oid: oid.to_string(),
        name: name_or_unknown(oid).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_identifier_has_the_name_that_its_standard_gives_it() {
        for (dotted, name) in [
            ("2.5.29.31", "cRLDistributionPoints"),
            ("2.5.29.32.0", "anyPolicy"),
            ("1.3.6.1.5.5.7.1.1", "authorityInfoAccess"),
            ("1.3.6.1.5.5.7.1.24", "tlsFeature"),
            ("1.3.6.1.5.5.7.3.3", "codeSigning"),
            ("1.3.6.1.5.5.7.48.1", "ocsp"),
            ("1.3.6.1.5.5.7.48.5", "caRepository"),
            ("1.3.6.1.4.1.311.20.2.2", "smartcardLogon"),
            ("1.3.6.1.4.1.311.20.2.3", "userPrincipalName"),
            ("1.2.840.10045.2.1", "id-ecPublicKey"),
            ("1.2.840.113549.1.9.7", "challengePassword"),
        ] {
            assert_eq!(oid_name(dotted), Some(name), "{dotted}");
        }
        for nameless in ["", "a", "1.2.3.4", "9.9"] {
            assert_eq!(oid_name(nameless), None, "{nameless}");
        }
    }
}
