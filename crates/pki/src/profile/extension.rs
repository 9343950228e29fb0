use crate::{
    AccessDescription, BasicConstraints, DistributionPoint, Error, ExtendedKeyUsage, GeneralName,
    KeyAlgorithm, KeyUsage, NameConstraints, PolicyConstraints, PolicyInformation, PolicyMapping,
    der::{self, Reader},
};

/// An extension that a [`Profile`](crate::Profile) writes (RFC 5280, section 4.2).
///
/// It is critical where RFC 5280 says that it must or should be; [`critical`](Self::critical) changes that. Subject and
/// authority key identifiers are in every certificate, and subject alternative names have rules of their own in the
/// profile.
///
/// ```
/// use pki::{DistributionPoint, ExtendedKeyUsage, Extension, KeyUsage, Profile, Uri};
///
/// let crl = DistributionPoint::uri(Uri::new("http://ca.example.com/ca.crl")?);
/// let signs_code = Profile::end_entity()
///     .extension(Extension::key_usage(KeyUsage::DIGITAL_SIGNATURE))
///     .extension(Extension::extended_key_usage(["codeSigning".parse::<ExtendedKeyUsage>()?])?)
///     .extension(Extension::crl_distribution_points([crl])?);
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Dotted.
    oid: String,
    critical: bool,
    value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    /// What is written depends on the key.
    KeyUsage(KeyUsage),
    /// A profile's path length is set on its own.
    BasicConstraints(BasicConstraints),
    /// The DER.
    Encoded(Vec<u8>),
}

impl Extension {
    /// What the key may do (section 4.2.1.3); critical.
    ///
    /// Bits that the algorithm of a certificate's key has no use for are left out of that certificate: keyEncipherment and
    /// dataEncipherment are RSA's, keyAgreement and what goes with it an elliptic curve's for ECDH (RFC 8813, section 3; RFC
    /// 8410, section 5); a key for RSASSA-PSS alone only signs (RFC 4055, section 1.2).
    pub fn key_usage(usage: KeyUsage) -> Self {
        Self::new(KEY_USAGE, true, Value::KeyUsage(usage))
    }

    /// Whether the subject is a CA (section 4.2.1.9); critical.
    pub fn basic_constraints(constraints: BasicConstraints) -> Self {
        Self::new(
            BASIC_CONSTRAINTS,
            true,
            Value::BasicConstraints(constraints),
        )
    }

    /// What the certificate is for (section 4.2.1.12); not critical.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when there is no purpose, one occurs twice, or one is not an object identifier.
    pub fn extended_key_usage(
        purposes: impl IntoIterator<Item = ExtendedKeyUsage>,
    ) -> Result<Self, Error> {
        let what = "extended key usage";
        let oids = purposes.into_iter().map(|purpose| oid(purpose.oid(), what));
        Ok(Self::encoded(
            EXTENDED_KEY_USAGE,
            false,
            list(oids, what, IsSet::Yes)?,
        ))
    }

    /// The names that may stand in certificates below a CA (section 4.2.1.10); always critical.
    pub fn name_constraints(constraints: &NameConstraints) -> Self {
        Self::encoded(NAME_CONSTRAINTS, true, constraints.encode())
    }

    /// Other names of the issuer (section 4.2.1.7); not critical.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when there is none, and [`Error::InvalidSubjectAltName`].
    pub fn issuer_alt_names(names: impl IntoIterator<Item = GeneralName>) -> Result<Self, Error> {
        let names = names.into_iter().map(|name| name.encode());
        let names = list(names, "issuer alternative names", IsSet::No)?;
        Ok(Self::encoded(ISSUER_ALT_NAME, false, names))
    }

    /// Where the CRLs are that would list the certificate (section 4.2.1.13); not critical.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when there is none, or one says nothing; [`Error::InvalidSubjectAltName`].
    pub fn crl_distribution_points(
        points: impl IntoIterator<Item = DistributionPoint>,
    ) -> Result<Self, Error> {
        let points = points.into_iter().map(|point| point.encode());
        let points = list(points, "CRL distribution points", IsSet::No)?;
        Ok(Self::encoded(CRL_DISTRIBUTION_POINTS, false, points))
    }

    /// Where the delta CRLs are (section 4.2.1.15); never critical.
    ///
    /// # Errors
    /// Those of [`crl_distribution_points`](Self::crl_distribution_points).
    pub fn freshest_crl(
        points: impl IntoIterator<Item = DistributionPoint>,
    ) -> Result<Self, Error> {
        let points = points.into_iter().map(|point| point.encode());
        let points = list(points, "freshest CRL", IsSet::No)?;
        Ok(Self::encoded(FRESHEST_CRL, false, points))
    }

    /// Where the issuer's certificate and OCSP responder are (section 4.2.2.1); never critical.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when there is nothing, or a method is not an object identifier;
    /// [`Error::InvalidSubjectAltName`].
    pub fn authority_information_access(
        descriptions: impl IntoIterator<Item = AccessDescription>,
    ) -> Result<Self, Error> {
        let descriptions = descriptions.into_iter().map(|entry| entry.encode());
        let descriptions = list(descriptions, "authority information access", IsSet::No)?;
        Ok(Self::encoded(AUTHORITY_INFO_ACCESS, false, descriptions))
    }

    /// Where the subject's services are (section 4.2.2.2); never critical.
    ///
    /// # Errors
    /// Those of [`authority_information_access`](Self::authority_information_access).
    pub fn subject_information_access(
        descriptions: impl IntoIterator<Item = AccessDescription>,
    ) -> Result<Self, Error> {
        let descriptions = descriptions.into_iter().map(|entry| entry.encode());
        let descriptions = list(descriptions, "subject information access", IsSet::No)?;
        Ok(Self::encoded(SUBJECT_INFO_ACCESS, false, descriptions))
    }

    /// The policies that the certificate is issued under (section 4.2.1.4); not critical.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when there is none, one occurs twice, or one is not an object identifier; and for a
    /// qualifier that is empty or too long.
    pub fn certificate_policies(
        policies: impl IntoIterator<Item = PolicyInformation>,
    ) -> Result<Self, Error> {
        let what = "certificate policies";
        let policies: Vec<PolicyInformation> = policies.into_iter().collect();
        let oids = policies.iter().map(|policy| oid(&policy.policy, what));
        list(oids, what, IsSet::Yes)?;
        let policies = list(
            policies.iter().map(PolicyInformation::encode),
            what,
            IsSet::Yes,
        )?;
        Ok(Self::encoded(CERTIFICATE_POLICIES, false, policies))
    }

    /// Which policies of the issuer count as which of the subject, a CA (section 4.2.1.5); critical.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when there is none, one occurs twice, is of anyPolicy, or not of object identifiers.
    pub fn policy_mappings(
        mappings: impl IntoIterator<Item = PolicyMapping>,
    ) -> Result<Self, Error> {
        let mappings = mappings.into_iter().map(|mapping| mapping.encode());
        let mappings = list(mappings, "policy mappings", IsSet::Yes)?;
        Ok(Self::encoded(POLICY_MAPPINGS, true, mappings))
    }

    /// What paths below a CA must say about policies (section 4.2.1.11); always critical.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when they constrain nothing.
    pub fn policy_constraints(constraints: PolicyConstraints) -> Result<Self, Error> {
        Ok(Self::encoded(
            POLICY_CONSTRAINTS,
            true,
            constraints.encode()?,
        ))
    }

    /// After how many further certificates below a CA anyPolicy no longer counts (section 4.2.1.14); always critical.
    pub fn inhibit_any_policy(skip_certificates: u32) -> Self {
        let number = der::uint(u64::from(skip_certificates));
        Self::encoded(INHIBIT_ANY_POLICY, true, number)
    }

    /// The TLS extensions, by number, that a server with this certificate must answer (RFC 7633): 5 is `status_request`,
    /// "must staple"; not critical.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when there is none, or one occurs twice.
    pub fn tls_feature(features: impl IntoIterator<Item = u16>) -> Result<Self, Error> {
        let features = features
            .into_iter()
            .map(|feature| Ok(der::uint(u64::from(feature))));
        let features = list(features, "TLS feature", IsSet::Yes)?;
        Ok(Self::encoded(TLS_FEATURE, false, features))
    }

    /// Any other extension: its object identifier, dotted, and its value in DER.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when `oid` is none, or that of an extension that is written in another way (those above, the
    /// key identifiers and the subject alternative names); and when `value` is not one DER value, well-formed to its last
    /// octet and at every level, with tag numbers up to 30.
    pub fn custom(oid: &str, critical: bool, value: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let what = "custom extension";
        self::oid(oid, what)?;
        if WRITTEN_OTHERWISE.contains(&oid) {
            return Err(invalid(
                what,
                "an extension with this object identifier is written in another way",
            ));
        }
        let value = value.into();
        if !der::is_well_formed(&value) {
            return Err(invalid(what, "its value is not one well-formed DER value"));
        }
        if critical && NEVER_CRITICAL.contains(&oid) {
            return Err(invalid(what, "this extension is never critical"));
        }
        Ok(Self::encoded(oid, critical, value))
    }

    /// Whether those who don't know the extension must refuse the certificate.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] where RFC 5280 has it one way only.
    pub fn critical(self, critical: bool) -> Result<Self, Error> {
        if critical && NEVER_CRITICAL.contains(&self.id()) {
            return Err(invalid("criticality", "this extension is never critical"));
        }
        let is_ca =
            matches!(self.value, Value::BasicConstraints(BasicConstraints { ca, .. }) if ca);
        if !critical && (ALWAYS_CRITICAL.contains(&self.id()) || is_ca) {
            return Err(invalid("criticality", "this extension is always critical"));
        }
        Ok(Self { critical, ..self })
    }

    /// The object identifier, dotted.
    pub fn oid(&self) -> String {
        self.oid.clone()
    }

    /// Whether it is critical.
    pub fn is_critical(&self) -> bool {
        self.critical
    }

    pub(crate) fn id(&self) -> &str {
        &self.oid
    }

    /// The value in a certificate for a key of this algorithm.
    pub(crate) fn value_for(&self, key: KeyAlgorithm) -> Result<Vec<u8>, Error> {
        match &self.value {
            Value::Encoded(value) => Ok(value.clone()),
            Value::KeyUsage(usage) => {
                let usage = usage.without(useless(key));
                if usage.bits() == 0 {
                    return Err(Error::KeyNotAllowed {
                        found: key.to_string(),
                        allowed: "those that have a use for its key usage".to_owned(),
                    });
                }
                Ok(der::named_bits(usage.bits()))
            }
            Value::BasicConstraints(constraints) => {
                let ca = if constraints.ca {
                    der::ENCODED_TRUE
                } else {
                    &[]
                };
                let path_len = constraints
                    .path_len
                    .map_or_else(Vec::new, |path_len| der::uint(u64::from(path_len)));
                Ok(der::sequence(&[ca, &path_len]))
            }
        }
    }

    /// What it says, where it is a key usage.
    pub(crate) fn as_key_usage(&self) -> Option<KeyUsage> {
        match self.value {
            Value::KeyUsage(usage) => Some(usage),
            _ => None,
        }
    }

    /// What it says, where it is basic constraints.
    pub(crate) fn as_basic_constraints(&self) -> Option<BasicConstraints> {
        match self.value {
            Value::BasicConstraints(constraints) => Some(constraints),
            _ => None,
        }
    }

    /// Where it is an extended key usage: whether TLS servers have one of its purposes, or one of those that OpenSSL takes for
    /// theirs.
    pub(crate) fn is_for_tls_servers(&self) -> Option<bool> {
        let (EXTENDED_KEY_USAGE, Value::Encoded(purposes)) = (self.id(), &self.value) else {
            return None;
        };
        let mut purposes = Reader::enter(purposes, der::SEQUENCE, "extended key usage").ok()?;
        let mut is_for_servers = false;
        while !purposes.is_empty() {
            is_for_servers |= SERVER_PURPOSES.contains(&purposes.dotted_oid().ok()?.as_str());
        }
        Some(is_for_servers)
    }

    /// Whether RFC 5280 has it in certificates of CAs alone.
    pub(crate) fn is_for_authorities(&self) -> bool {
        [
            NAME_CONSTRAINTS,
            POLICY_MAPPINGS,
            POLICY_CONSTRAINTS,
            INHIBIT_ANY_POLICY,
        ]
        .contains(&self.id())
    }

    /// The purposes of a profile of our own: there are some, they differ, and each has an object identifier.
    pub(super) fn purposes(purposes: &[ExtendedKeyUsage]) -> Self {
        let oids: Vec<u8> = purposes
            .iter()
            .filter_map(|purpose| der::dotted_oid(purpose.oid()))
            .flatten()
            .collect();
        Self::encoded(EXTENDED_KEY_USAGE, false, der::sequence(&[&oids]))
    }

    /// An extension whose value is DER already.
    pub(crate) fn encoded(oid: &str, critical: bool, value: Vec<u8>) -> Self {
        Self::new(oid, critical, Value::Encoded(value))
    }

    fn new(oid: &str, critical: bool, value: Value) -> Self {
        Self {
            oid: oid.to_owned(),
            critical,
            value,
        }
    }
}

/// The bits that a key of this algorithm has no use for.
fn useless(key: KeyAlgorithm) -> KeyUsage {
    let enciphers = KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT;
    let agrees = KeyUsage::KEY_AGREEMENT | KeyUsage::ENCIPHER_ONLY | KeyUsage::DECIPHER_ONLY;
    match key {
        KeyAlgorithm::Rsa { .. } => agrees,
        KeyAlgorithm::RsaPss { .. } | KeyAlgorithm::Ed25519 => enciphers | agrees,
        _ => enciphers,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IsSet {
    Yes,
    No,
}

/// A SEQUENCE OF these, at least one; a set has none of them twice.
fn list(
    entries: impl Iterator<Item = Result<Vec<u8>, Error>>,
    what: &'static str,
    is_set: IsSet,
) -> Result<Vec<u8>, Error> {
    let entries: Vec<Vec<u8>> = entries.collect::<Result<_, _>>()?;
    if entries.is_empty() {
        return Err(invalid(what, "there is none"));
    }
    let mut sorted: Vec<&Vec<u8>> = entries.iter().collect();
    sorted.sort();
    sorted.dedup();
    if is_set == IsSet::Yes && sorted.len() < entries.len() {
        return Err(invalid(what, "one occurs twice"));
    }
    Ok(der::sequence(&[&entries.concat()]))
}

/// Encoded.
fn oid(text: &str, what: &'static str) -> Result<Vec<u8>, Error> {
    der::dotted_oid(text).ok_or_else(|| invalid(what, "expected a dotted object identifier"))
}

fn invalid(extension: &'static str, reason: &'static str) -> Error {
    Error::InvalidExtension { extension, reason }
}

pub(crate) const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
pub(crate) const SUBJECT_ALT_NAME: &str = "2.5.29.17";
pub(crate) const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(crate) const KEY_USAGE: &str = "2.5.29.15";
const ISSUER_ALT_NAME: &str = "2.5.29.18";
const NAME_CONSTRAINTS: &str = "2.5.29.30";
const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
const CERTIFICATE_POLICIES: &str = "2.5.29.32";
const POLICY_MAPPINGS: &str = "2.5.29.33";
const POLICY_CONSTRAINTS: &str = "2.5.29.36";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const FRESHEST_CRL: &str = "2.5.29.46";
const INHIBIT_ANY_POLICY: &str = "2.5.29.54";
const AUTHORITY_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
const SUBJECT_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.11";
/// RFC 5280, section 4.2.1.8. It is written as a custom extension: its attributes may be of any type.
const SUBJECT_DIRECTORY_ATTRIBUTES: &str = "2.5.29.9";
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";

/// Any purpose, serverAuth, and what Microsoft and Netscape had for servers with strong cryptography.
const SERVER_PURPOSES: [&str; 4] = [
    "2.5.29.37.0",
    "1.3.6.1.5.5.7.3.1",
    "1.3.6.1.4.1.311.10.3.3",
    "2.16.840.1.113730.4.1",
];

const WRITTEN_OTHERWISE: [&str; 17] = [
    SUBJECT_KEY_IDENTIFIER,
    KEY_USAGE,
    SUBJECT_ALT_NAME,
    ISSUER_ALT_NAME,
    BASIC_CONSTRAINTS,
    NAME_CONSTRAINTS,
    CRL_DISTRIBUTION_POINTS,
    CERTIFICATE_POLICIES,
    POLICY_MAPPINGS,
    AUTHORITY_KEY_IDENTIFIER,
    POLICY_CONSTRAINTS,
    EXTENDED_KEY_USAGE,
    FRESHEST_CRL,
    INHIBIT_ANY_POLICY,
    AUTHORITY_INFO_ACCESS,
    SUBJECT_INFO_ACCESS,
    TLS_FEATURE,
];

const ALWAYS_CRITICAL: [&str; 3] = [NAME_CONSTRAINTS, POLICY_CONSTRAINTS, INHIBIT_ANY_POLICY];

const NEVER_CRITICAL: [&str; 4] = [
    FRESHEST_CRL,
    AUTHORITY_INFO_ACCESS,
    SUBJECT_INFO_ACCESS,
    SUBJECT_DIRECTORY_ATTRIBUTES,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GeneralSubtree, Uri};

    const RSA: KeyAlgorithm = KeyAlgorithm::Rsa { bits: 2048 };

    fn uri() -> Uri {
        Uri::new("a:b").unwrap()
    }

    fn point() -> DistributionPoint {
        DistributionPoint::uri(uri())
    }

    fn mapping() -> PolicyMapping {
        PolicyMapping {
            issuer_domain: "1.2.3".to_owned(),
            subject_domain: "1.2.4".to_owned(),
        }
    }

    /// One of each, with its number, whether it is critical, and its octets.
    fn each() -> Vec<(Extension, &'static str, bool, &'static [u8])> {
        let permitted = [GeneralSubtree::dns("a.b").unwrap()];
        let excluded = [GeneralSubtree::ip("10.0.0.0/8").unwrap()];
        let names = NameConstraints::new(permitted, excluded).unwrap();
        let is_ca = |path_len| BasicConstraints { ca: true, path_len };
        let no_ca = BasicConstraints {
            ca: false,
            path_len: None,
        };
        let usage = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
        let purposes = [ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth];
        let explicit = PolicyConstraints {
            require_explicit_policy: Some(0),
            inhibit_policy_mapping: None,
        };
        vec![
            (
                Extension::key_usage(usage),
                "2.5.29.15",
                true,
                b"\x03\x02\x01\x06",
            ),
            (
                Extension::basic_constraints(is_ca(Some(300))),
                "2.5.29.19",
                true,
                b"\x30\x07\x01\x01\xff\x02\x02\x01\x2c",
            ),
            (
                Extension::basic_constraints(is_ca(None)),
                "2.5.29.19",
                true,
                b"\x30\x03\x01\x01\xff",
            ),
            (
                Extension::basic_constraints(no_ca),
                "2.5.29.19",
                true,
                b"\x30\x00",
            ),
            (
                Extension::extended_key_usage(purposes).unwrap(),
                "2.5.29.37",
                false,
                b"\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02",
            ),
            (
                Extension::name_constraints(&names),
                "2.5.29.30",
                true,
                b"\x30\x17\xa0\x07\x30\x05\x82\x03a.b\xa1\x0c\x30\x0a\x87\x08\x0a\0\0\0\xff\0\0\0",
            ),
            (
                Extension::issuer_alt_names([GeneralName::Uri(uri())]).unwrap(),
                "2.5.29.18",
                false,
                b"\x30\x05\x86\x03a:b",
            ),
            (
                Extension::crl_distribution_points([point()]).unwrap(),
                "2.5.29.31",
                false,
                b"\x30\x0b\x30\x09\xa0\x07\xa0\x05\x86\x03a:b",
            ),
            (
                Extension::freshest_crl([point()]).unwrap(),
                "2.5.29.46",
                false,
                b"\x30\x0b\x30\x09\xa0\x07\xa0\x05\x86\x03a:b",
            ),
            (
                Extension::authority_information_access([AccessDescription::ocsp(uri())]).unwrap(),
                "1.3.6.1.5.5.7.1.1",
                false,
                b"\x30\x11\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x03a:b",
            ),
            (
                Extension::subject_information_access([AccessDescription::ocsp(uri())]).unwrap(),
                "1.3.6.1.5.5.7.1.11",
                false,
                b"\x30\x11\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x03a:b",
            ),
            (
                Extension::certificate_policies([PolicyInformation::new("1.2.3")]).unwrap(),
                "2.5.29.32",
                false,
                b"\x30\x06\x30\x04\x06\x02\x2a\x03",
            ),
            (
                Extension::policy_mappings([mapping()]).unwrap(),
                "2.5.29.33",
                true,
                b"\x30\x0a\x30\x08\x06\x02\x2a\x03\x06\x02\x2a\x04",
            ),
            (
                Extension::policy_constraints(explicit).unwrap(),
                "2.5.29.36",
                true,
                b"\x30\x03\x80\x01\x00",
            ),
            (
                Extension::inhibit_any_policy(3),
                "2.5.29.54",
                true,
                b"\x02\x01\x03",
            ),
            (
                Extension::tls_feature([5, 17]).unwrap(),
                "1.3.6.1.5.5.7.1.24",
                false,
                b"\x30\x06\x02\x01\x05\x02\x01\x11",
            ),
            (
                Extension::custom("1.2.3.4", true, [5, 0]).unwrap(),
                "1.2.3.4",
                true,
                b"\x05\x00",
            ),
        ]
    }

    #[test]
    fn every_extension_is_written_in_the_octets_of_rfc_5280() {
        for (extension, oid, critical, octets) in each() {
            assert_eq!(extension.oid(), oid);
            assert_eq!(extension.is_critical(), critical, "{oid}");
            assert_eq!(extension.value_for(RSA).unwrap(), octets, "{oid}");
        }
    }

    #[test]
    fn criticality_changes_where_rfc_5280_leaves_it_open() {
        let always = ["2.5.29.30", "2.5.29.36", "2.5.29.54"];
        let never = ["2.5.29.46", "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11"];
        for (extension, oid, critical, octets) in each() {
            let is_ca = oid == "2.5.29.19" && octets.len() > 2;
            let other = extension.clone().critical(!critical);
            if always.contains(&oid) || never.contains(&oid) || is_ca {
                assert!(
                    matches!(other, Err(Error::InvalidExtension { .. })),
                    "{oid}"
                );
            } else {
                assert_eq!(other.unwrap().is_critical(), !critical, "{oid}");
            }
            assert_eq!(extension.clone().critical(critical), Ok(extension));
        }
    }

    #[test]
    fn what_says_nothing_or_says_it_twice_is_refused() {
        let point = || [point(), point()];
        let access = || AccessDescription::ocsp(uri());
        let policy = || PolicyInformation::new("1.2.3");
        let qualified = PolicyInformation {
            qualifiers: vec![crate::PolicyQualifier::Cps(uri())],
            ..policy()
        };
        for (number, refused) in [
            Extension::extended_key_usage([]),
            Extension::extended_key_usage([ExtendedKeyUsage::Any, ExtendedKeyUsage::Any]),
            Extension::extended_key_usage([ExtendedKeyUsage::Other("a".to_owned())]),
            Extension::issuer_alt_names([]),
            Extension::crl_distribution_points([]),
            Extension::crl_distribution_points([DistributionPoint::default()]),
            Extension::freshest_crl([]),
            Extension::authority_information_access([]),
            Extension::subject_information_access([]),
            Extension::certificate_policies([]),
            Extension::certificate_policies([policy(), qualified]),
            Extension::policy_mappings([]),
            Extension::policy_mappings([mapping(), mapping()]),
            Extension::policy_constraints(PolicyConstraints::default()),
            Extension::tls_feature([]),
            Extension::tls_feature([5, 5]),
        ]
        .into_iter()
        .enumerate()
        {
            assert!(
                matches!(refused, Err(Error::InvalidExtension { .. })),
                "{number}: {refused:?}"
            );
        }
        // Several ways to the same are no contradiction.
        Extension::crl_distribution_points(point()).unwrap();
        Extension::authority_information_access([access(), access()]).unwrap();
        assert!(NameConstraints::new([], []).is_err());
    }

    #[test]
    fn a_custom_extension_is_one_value_under_a_number_of_its_own() {
        for (_, oid, ..) in each() {
            let refused = Extension::custom(oid, false, [5, 0]);
            assert_eq!(refused.is_ok(), oid == "1.2.3.4", "{oid}");
        }
        for (oid, value) in [
            ("2.5.29.14", &[5, 0][..]),
            ("2.5.29.17", &[5, 0]),
            ("2.5.29.35", &[5, 0]),
            ("a", &[5, 0]),
            ("1.2.3.4", &[]),
            ("1.2.3.4", &[5]),
            ("1.2.3.4", &[5, 0, 0]),
            ("1.2.3.4", &[0x30, 2, 5, 1]),
        ] {
            assert!(
                matches!(
                    Extension::custom(oid, false, value),
                    Err(Error::InvalidExtension { .. })
                ),
                "{oid} {value:?}"
            );
        }
    }

    #[test]
    fn subject_directory_attributes_are_never_critical() {
        let attributes = |critical| Extension::custom("2.5.29.9", critical, [0x30, 0]);
        assert!(attributes(false).is_ok());
        assert!(matches!(
            attributes(true),
            Err(Error::InvalidExtension { .. })
        ));
        assert!(attributes(false).unwrap().critical(true).is_err());
    }

    #[test]
    fn bits_that_a_key_has_no_use_for_are_left_out() {
        let all = Extension::key_usage(
            KeyUsage::from_names([
                "digitalSignature",
                "keyEncipherment",
                "dataEncipherment",
                "keyAgreement",
                "encipherOnly",
                "decipherOnly",
            ])
            .unwrap(),
        );
        for (key, octets) in [
            (RSA, &b"\x03\x02\x04\xb0"[..]),
            (KeyAlgorithm::EcP256, b"\x03\x03\x07\x89\x80"),
            (KeyAlgorithm::Ed25519, b"\x03\x02\x07\x80"),
            (
                KeyAlgorithm::RsaPss {
                    bits: 2048,
                    digest: None,
                },
                b"\x03\x02\x07\x80",
            ),
        ] {
            assert_eq!(all.value_for(key).unwrap(), octets, "{key}");
        }
        let enciphers = Extension::key_usage(KeyUsage::KEY_ENCIPHERMENT);
        enciphers.value_for(RSA).unwrap();
        for key in [KeyAlgorithm::EcP256, KeyAlgorithm::Ed25519] {
            assert!(
                matches!(enciphers.value_for(key), Err(Error::KeyNotAllowed { .. })),
                "{key}"
            );
        }
    }
}
