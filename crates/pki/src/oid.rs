//! Names of object identifiers.

use const_oid::ObjectIdentifier;

use crate::Error;

/// The name of an object identifier, or "unknown".
pub(crate) fn name_or_unknown(oid: &ObjectIdentifier) -> &'static str {
    name(oid).unwrap_or("unknown")
}

/// The name of an object identifier, if it has a known one.
pub(crate) fn name(oid: &ObjectIdentifier) -> Option<&'static str> {
    // What `const-oid`, generated from the LDAP registry and RFC 5280, doesn't know.
    const MORE: [(&str, &str); 24] = [
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
        ("1.2.840.113549.3.2", "RC2-CBC"),
        ("1.2.156.10197.1.104.2", "SM4-CBC"),
        ("1.2.156.10197.1.401", "SM3"),
        ("1.2.840.113533.7.66.10", "CAST5-CBC"),
        ("1.3.6.1.4.1.3029.1.2", "Blowfish-CBC"),
        ("1.3.36.3.2.1", "RIPEMD-160"),
        ("2.16.840.1.101.3.4.1.4", "AES-128-CFB"),
        ("2.16.840.1.101.3.4.1.24", "AES-192-CFB"),
        ("2.16.840.1.101.3.4.1.44", "AES-256-CFB"),
        ("1.3.132.0.10", "secp256k1"),
        ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ];
    if let Some(name) = const_oid::db::DB.by_oid(oid) {
        return Some(name);
    }
    let dotted = oid.to_string();
    MORE.iter()
        .find(|(known, _)| *known == dotted)
        .map(|(_, name)| *name)
}

/// The dotted form of the contents of an OBJECT IDENTIFIER; of one that is longer than any in use, what can be said of it.
pub(crate) fn dotted(contents: &[u8]) -> String {
    ObjectIdentifier::from_bytes(contents).map_or_else(
        |_| "an object identifier of more than 39 octets".to_owned(),
        |oid| oid.to_string(),
    )
}

/// The error for a scheme that isn't implemented.
pub(crate) fn unsupported(what: &'static str, oid: &ObjectIdentifier) -> Error {
    Error::UnsupportedScheme {
        what,
        oid: oid.to_string(),
        name: name_or_unknown(oid).to_owned(),
    }
}
