/// The ASN.1 string type that a value is written in. OpenSSL's `string_mask = utf8only` leaves these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StringType {
    Utf8,
    Printable,
    Ia5,
    Numeric,
}

/// A type of attribute: how it is called, and what its values may be (X.520, RFC 4519, RFC 2985).
#[derive(Debug)]
pub(super) struct AttributeType {
    /// Dotted.
    pub(super) oid: &'static str,
    /// OpenSSL's short name.
    short_name: &'static str,
    /// OpenSSL's long name.
    long_name: &'static str,
    pub(super) string_type: StringType,
    /// Upper bound of the length in characters.
    pub(super) max: Option<usize>,
}

impl AttributeType {
    pub(super) fn by_oid(oid: &str) -> Option<&'static Self> {
        TYPES.iter().find(|known| known.oid == oid)
    }

    /// OpenSSL's lookup: short name, long name or dotted object identifier, each exactly as written in its tables.
    pub(super) fn by_openssl_name(name: &str) -> Option<&'static Self> {
        TYPES
            .iter()
            .find(|known| known.short_name == name || known.long_name == name)
            .or_else(|| Self::by_oid(name))
    }

    /// RFC 4514's lookup: a descriptor, without regard to case (section 2.3, with RFC 4512, section 1.4), or a dotted
    /// object identifier. OpenSSL's names are taken where no descriptor contradicts them: `gn`, for one. So are the short
    /// names that Windows writes.
    pub(super) fn by_descriptor(name: &str) -> Option<&'static Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        TYPES
            .iter()
            .find(|known| is(known.descriptor()) || is(known.long_name))
            .or_else(|| TYPES.iter().find(|known| is(known.short_name)))
            .or_else(|| {
                let (_, known) = WINDOWS_NAMES.iter().find(|(known, _)| is(known))?;
                TYPES.iter().find(|it| it.long_name == *known)
            })
            .or_else(|| Self::by_oid(name))
    }

    /// The name in RFC 4514 text. It is OpenSSL's short name but where the registry of descriptors (RFC 4519, section 4,
    /// and RFC 4524) disagrees: `uid` is userId there, whatever its case, while OpenSSL has `UID` for userId and `uid` for
    /// uniqueIdentifier; and `gn` is reserved. Either long name is OpenSSL's too.
    pub(super) fn descriptor(&self) -> &'static str {
        match self.short_name {
            "uid" | "GN" => self.long_name,
            short_name => short_name,
        }
    }

    /// Lower bound of the length in characters.
    pub(super) fn min(&self) -> usize {
        if self.max == Some(3) { 3 } else { 1 } // the three-letter and three-digit country codes
    }

    /// Whether values are country codes (ISO 3166, two letters).
    pub(super) fn is_country(&self) -> bool {
        self.oid == COUNTRY || self.oid == JURISDICTION_COUNTRY
    }
}

/// Short names in what CertNameToStr and Active Directory print (`szOID` names of wincrypt.h), and nobody else's.
const WINDOWS_NAMES: [(&str, &str); 5] = [
    ("E", "emailAddress"),
    ("S", "stateOrProvinceName"),
    ("G", "givenName"),
    ("I", "initials"),
    ("T", "title"),
];

pub(super) const COMMON_NAME: &str = "2.5.4.3";
pub(super) const EMAIL_ADDRESS: &str = "1.2.840.113549.1.9.1";
const COUNTRY: &str = "2.5.4.6";
const JURISDICTION_COUNTRY: &str = "1.3.6.1.4.1.311.60.2.1.3";

const fn t(
    oid: &'static str,
    short_name: &'static str,
    long_name: &'static str,
    string_type: StringType,
    max: Option<usize>,
) -> AttributeType {
    AttributeType {
        oid,
        short_name,
        long_name,
        string_type,
        max,
    }
}

use StringType::{Ia5, Numeric, Printable, Utf8};

// String types and upper bounds are those that OpenSSL enforces (its `tbl_standard.h`, after X.520's annex C).
pub(super) static TYPES: [AttributeType; 43] = [
    t("2.5.4.3", "CN", "commonName", Utf8, Some(64)),
    t("2.5.4.10", "O", "organizationName", Utf8, Some(64)),
    t("2.5.4.11", "OU", "organizationalUnitName", Utf8, Some(64)),
    t("2.5.4.7", "L", "localityName", Utf8, Some(128)),
    t("2.5.4.8", "ST", "stateOrProvinceName", Utf8, Some(128)),
    t("2.5.4.6", "C", "countryName", Printable, Some(2)),
    t(
        "0.9.2342.19200300.100.1.25",
        "DC",
        "domainComponent",
        Ia5,
        None,
    ),
    t("0.9.2342.19200300.100.1.1", "UID", "userId", Utf8, None),
    t(
        "0.9.2342.19200300.100.1.3",
        "mail",
        "rfc822Mailbox",
        Ia5,
        None,
    ),
    t(
        "1.2.840.113549.1.9.1",
        "emailAddress",
        "emailAddress",
        Ia5,
        Some(128),
    ),
    t(
        "1.2.840.113549.1.9.2",
        "unstructuredName",
        "unstructuredName",
        Utf8,
        None,
    ),
    t(
        "1.2.840.113549.1.9.8",
        "unstructuredAddress",
        "unstructuredAddress",
        Utf8,
        None,
    ),
    t("2.5.4.4", "SN", "surname", Utf8, Some(32768)),
    t(
        "2.5.4.5",
        "serialNumber",
        "serialNumber",
        Printable,
        Some(64),
    ),
    t("2.5.4.9", "street", "streetAddress", Utf8, None),
    t("2.5.4.12", "title", "title", Utf8, None),
    t("2.5.4.13", "description", "description", Utf8, None),
    t(
        "2.5.4.15",
        "businessCategory",
        "businessCategory",
        Utf8,
        None,
    ),
    t("2.5.4.16", "postalAddress", "postalAddress", Utf8, None),
    t("2.5.4.17", "postalCode", "postalCode", Utf8, None),
    t("2.5.4.18", "postOfficeBox", "postOfficeBox", Utf8, None),
    t(
        "2.5.4.19",
        "physicalDeliveryOfficeName",
        "physicalDeliveryOfficeName",
        Utf8,
        None,
    ),
    t("2.5.4.20", "telephoneNumber", "telephoneNumber", Utf8, None),
    t("2.5.4.41", "name", "name", Utf8, Some(32768)),
    t("2.5.4.42", "GN", "givenName", Utf8, Some(32768)),
    t("2.5.4.43", "initials", "initials", Utf8, Some(32768)),
    t(
        "2.5.4.44",
        "generationQualifier",
        "generationQualifier",
        Utf8,
        None,
    ),
    t(
        "2.5.4.45",
        "x500UniqueIdentifier",
        "x500UniqueIdentifier",
        Utf8,
        None,
    ),
    t("2.5.4.46", "dnQualifier", "dnQualifier", Printable, None),
    t("2.5.4.51", "houseIdentifier", "houseIdentifier", Utf8, None),
    t("2.5.4.65", "pseudonym", "pseudonym", Utf8, None),
    t("2.5.4.72", "role", "role", Utf8, None),
    t(
        "2.5.4.97",
        "organizationIdentifier",
        "organizationIdentifier",
        Utf8,
        None,
    ),
    t("2.5.4.98", "c3", "countryCode3c", Printable, Some(3)),
    t("2.5.4.99", "n3", "countryCode3n", Numeric, Some(3)),
    t("2.5.4.100", "dnsName", "dnsName", Utf8, None),
    t(
        "1.3.6.1.4.1.311.60.2.1.1",
        "jurisdictionL",
        "jurisdictionLocalityName",
        Utf8,
        None,
    ),
    t(
        "1.3.6.1.4.1.311.60.2.1.2",
        "jurisdictionST",
        "jurisdictionStateOrProvinceName",
        Utf8,
        None,
    ),
    t(
        "1.3.6.1.4.1.311.60.2.1.3",
        "jurisdictionC",
        "jurisdictionCountryName",
        Printable,
        Some(2),
    ),
    t("1.2.643.3.131.1.1", "INN", "INN", Numeric, Some(12)),
    t("1.2.643.100.1", "OGRN", "OGRN", Numeric, Some(13)),
    t("1.2.643.100.3", "SNILS", "SNILS", Numeric, Some(11)),
    t(
        "0.9.2342.19200300.100.1.44",
        "uid",
        "uniqueIdentifier",
        Utf8,
        None,
    ),
];
