//! A profile as TOML.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, SystemTime},
};

use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Extension, Profile, SubjectPolicy};
use crate::{
    AccessDescription, BasicConstraints, Digest, DistinguishedName, DistributionPoint,
    DistributionPointName, Error, ExtendedKeyUsage, Fault, GeneralSubtree, KeyAlgorithm, KeyUsage,
    NameConstraints, NoticeReference, PolicyConstraints, PolicyInformation, PolicyMapping,
    PolicyQualifier, ReasonFlags, SignatureAlgorithm, SubjectAltName, Uri, UserNotice,
    time::from_timestamp,
};

impl Profile {
    /// A profile in TOML. What the text doesn't say is as in [`Profile::end_entity`]; a key that isn't known is an error.
    ///
    /// | key | value |
    /// |---|---|
    /// | `root` | `true` for a CA that signs itself |
    /// | `signature-algorithm` | the name of the CA's signature algorithm: `"sha384WithRSAEncryption"` |
    /// | `subject.fixed` | the subject: `"/CN=a/O=b"`, or RFC 4514 text |
    /// | `subject.required`, `subject.allowed`, `subject.repeated` | types of attributes that the request's subject has once, may have once, may have several times |
    /// | `subject.values` | types of attributes that it has once with this value: `{ O = "Excelsior Bank" }` |
    /// | `names.requested` | `true` for the names that the request asks for |
    /// | `names.matching` | patterns of names, as [`NamePattern`](crate::NamePattern) has them: `["DNS:*.example.com"]`; a common name that looks like a host name or an IP address, and an `emailAddress`, have to match one, too |
    /// | `names.fixed` | these names, as [`SubjectAltName`] is displayed: `["DNS:a.example.com", "UPN:a@example.com", "otherName:1.2.3:0500"]`; also `IP:`, `email:`, `URI:`, `dirName:` and `registeredID:` |
    /// | `names.required`, `names.critical` | `true` if there must be one; if they are critical |
    /// | `keys.allowed` | algorithms of keys: `"RSA 3072"` and larger, `"RSASSA-PSS 3072"` and larger, `"ECDSA P-256"`, `"ECDSA P-384"`, `"ECDSA P-521"`, `"Ed25519"` |
    /// | `keys.minimum-rsa-bits` | the shortest RSA key |
    /// | `validity.for` | how long: `"90m"`, `"12h"`, `"30d"` |
    /// | `validity.not-before`, `validity.not-after` | exact dates (RFC 3339), both of them: `2027-01-01T00:00:00Z` |
    /// | `validity.forever` | `true` for no well-defined expiration date |
    /// | `validity.backdated` | how long before the issuance it starts: `"5m"` |
    /// | `validity.clamped` | `true` if it is cut where that of the CA ends |
    /// | `basic-constraints` | `{ ca = true, path-len = 0 }` |
    /// | `without-basic-constraints` | `true` for none |
    /// | `key-usage` | names of RFC 5280: `["digitalSignature"]` |
    /// | `extended-key-usage` | names of RFC 5280, or object identifiers: `["clientAuth", "1.2.3"]` |
    /// | `name-constraints` | `{ permitted = ["DNS:example.com", "IP:10.0.0.0/8"], excluded = ["email:example.com"] }`; also `URI:` and `dirName:` |
    /// | `crl-distribution-points`, `freshest-crl` | URIs, or `{ names = ["URI:http://...", "dirName:CN=a"], reasons = ["keyCompromise"], crl-issuer = ["dirName:CN=b"] }`; `relative-name = "CN=a"` in the place of `names` |
    /// | `ocsp`, `ca-issuers` | URIs of the authority information access |
    /// | `subject-information-access` | `[{ method = "caRepository", location = "URI:http://..." }]`; also `"timeStamping"`, or an object identifier |
    /// | `issuer-alt-names` | names, as in `names.fixed` |
    /// | `certificate-policies` | `[{ policy = "1.2.3", cps = ["http://..."], notice = "a text" }]`, where `"anyPolicy"` is all policies; a notice with a reference is `{ text = "a text", organization = "b", numbers = [1] }` |
    /// | `policy-mappings` | `[{ issuer = "1.2.3", subject = "1.2.4" }]` |
    /// | `policy-constraints` | `{ require-explicit-policy = 0, inhibit-policy-mapping = 0 }` |
    /// | `inhibit-any-policy` | the number of certificates that may still follow |
    /// | `tls-feature` | numbers of TLS extensions: `[5]` |
    /// | `custom-extensions` | `[{ oid = "1.2.3.4", critical = false, der = "0500" }]`, in hexadecimal digits |
    /// | `critical`, `not-critical` | keys of extensions that are critical, or not, where it would be the other way: `["extended-key-usage"]` |
    ///
    /// ```
    /// let profile = pki::Profile::from_toml(r#"
    ///     key-usage = ["digitalSignature"]
    ///     extended-key-usage = ["clientAuth"]
    ///     crl-distribution-points = ["http://ca.example.com/ca.crl"]
    ///     subject = { required = ["CN"], values = { O = "Excelsior Bank" } }
    ///     validity = { for = "30d", clamped = true }
    /// "#)?;
    /// # Ok::<(), pki::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidProfileFile`] for what isn't TOML, a key that isn't known, a value of the wrong type, or one that its type
    /// doesn't allow; [`Error::InvalidExtension`] for an extension that can't be; [`Error::InvalidProfile`] for what can't stand
    /// together; and [`Error::TooLarge`] above 256 KiB.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_SIZE {
            return Err(Error::TooLarge {
                what: "profile",
                found: text.len(),
                limit: MAX_SIZE,
            });
        }
        let file: File = toml::from_str(text).map_err(|error| Error::InvalidProfileFile {
            line: error
                .span()
                .and_then(|span| text.get(..span.start))
                .map(|before| before.matches('\n').count().saturating_add(1)),
            reason: error.message().to_owned(),
        })?;
        let profile = file.profile().map_err(of_file)?;
        profile.check()?;
        Ok(profile)
    }
}

/// Whoever's fault a value would be in a request, here it is that of the file.
fn of_file(error: Error) -> Error {
    match error.fault() {
        Fault::Profile => error,
        _ => Error::InvalidProfileFile {
            line: None,
            reason: error.to_string(),
        },
    }
}

/// In octets. Real ones have a few hundred.
const MAX_SIZE: usize = 1 << 18;

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct File {
    root: bool,
    signature_algorithm: Option<String>,
    subject: Option<Subject>,
    names: Names,
    keys: Keys,
    validity: Validity,
    basic_constraints: Option<Constraints>,
    without_basic_constraints: bool,
    key_usage: Option<Vec<String>>,
    extended_key_usage: Option<Vec<String>>,
    name_constraints: Option<Subtrees>,
    crl_distribution_points: Option<Vec<Point>>,
    freshest_crl: Option<Vec<Point>>,
    ocsp: Vec<String>,
    ca_issuers: Vec<String>,
    subject_information_access: Option<Vec<Access>>,
    issuer_alt_names: Option<Vec<String>>,
    certificate_policies: Option<Vec<Policy>>,
    policy_mappings: Option<Vec<Mapping>>,
    policy_constraints: Option<ExplicitPolicy>,
    inhibit_any_policy: Option<u32>,
    tls_feature: Option<Vec<u16>>,
    custom_extensions: Vec<Custom>,
    critical: Vec<String>,
    not_critical: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Subject {
    fixed: Option<String>,
    required: Vec<String>,
    allowed: Vec<String>,
    repeated: Vec<String>,
    values: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Names {
    requested: bool,
    matching: Option<Vec<String>>,
    fixed: Option<Vec<String>>,
    required: bool,
    critical: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Keys {
    allowed: Option<Vec<String>>,
    minimum_rsa_bits: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Validity {
    r#for: Option<String>,
    not_before: Option<toml::Value>,
    not_after: Option<toml::Value>,
    forever: bool,
    backdated: Option<String>,
    clamped: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Constraints {
    ca: bool,
    path_len: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Subtrees {
    permitted: Vec<String>,
    excluded: Vec<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a URI, or a table of names or relative-name, reasons and crl-issuer"
)]
enum Point {
    Uri(String),
    Named(NamedPoint),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct NamedPoint {
    names: Option<Vec<String>>,
    relative_name: Option<String>,
    reasons: Option<Vec<String>>,
    crl_issuer: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Access {
    method: String,
    location: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Policy {
    policy: String,
    #[serde(default)]
    cps: Vec<String>,
    notice: Option<Notice>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text, or a table of text, organization and numbers"
)]
enum Notice {
    Text(String),
    Referring(ReferringNotice),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ReferringNotice {
    text: Option<String>,
    organization: String,
    numbers: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Mapping {
    issuer: String,
    subject: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct ExplicitPolicy {
    require_explicit_policy: Option<u32>,
    inhibit_policy_mapping: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Custom {
    oid: String,
    #[serde(default)]
    critical: bool,
    der: String,
}

impl File {
    fn profile(self) -> Result<Profile, Error> {
        let extensions = self.extensions()?;
        let mut profile = Profile::end_entity();
        match (
            self.basic_constraints.is_some(),
            self.without_basic_constraints,
        ) {
            (true, true) => {
                return Err(contradiction(
                    "it has basic constraints, and is to have none",
                ));
            }
            (false, false) => {}
            _ => profile.extensions.clear(),
        }
        // Each has an object identifier of its own.
        profile.extensions.extend(extensions);
        profile.is_root = self.root;
        if let Some(name) = &self.signature_algorithm {
            profile = profile.signature_algorithm(algorithm(name)?);
        }
        if let Some(subject) = self.subject {
            profile = profile.subject(subject.policy()?);
        }
        self.names
            .add_to(self.keys.add_to(self.validity.add_to(profile)?)?)
    }

    /// Each extension, as critical as it is to be.
    fn extensions(&self) -> Result<Vec<Extension>, Error> {
        let mut extensions = Vec::new();
        let mut found = Vec::new();
        let mut add = |key: &'static str, extension: Option<Result<Extension, Error>>| {
            if let Some(extension) = extension {
                found.push(key);
                extensions.push(self.marked(key, extension?)?);
            }
            Ok::<(), Error>(())
        };
        add(
            "basic-constraints",
            self.basic_constraints.as_ref().map(|it| {
                Ok(Extension::basic_constraints(BasicConstraints {
                    ca: it.ca,
                    path_len: it.path_len,
                }))
            }),
        )?;
        add(
            "key-usage",
            self.key_usage.as_ref().map(|names| {
                KeyUsage::from_names(names.iter().map(String::as_str)).map(Extension::key_usage)
            }),
        )?;
        add(
            "extended-key-usage",
            self.extended_key_usage.as_ref().map(|purposes| {
                Extension::extended_key_usage(all::<ExtendedKeyUsage>(purposes, str::parse)?)
            }),
        )?;
        add(
            "name-constraints",
            self.name_constraints.as_ref().map(|it| {
                let permitted: Vec<GeneralSubtree> = all(&it.permitted, str::parse)?;
                let excluded: Vec<GeneralSubtree> = all(&it.excluded, str::parse)?;
                NameConstraints::new(permitted, excluded)
                    .map(|constraints| Extension::name_constraints(&constraints))
            }),
        )?;
        let points = |points: &[Point]| {
            points
                .iter()
                .map(Point::read)
                .collect::<Result<Vec<_>, _>>()
        };
        add(
            "crl-distribution-points",
            self.crl_distribution_points
                .as_ref()
                .map(|listed| Extension::crl_distribution_points(points(listed)?)),
        )?;
        add(
            "freshest-crl",
            self.freshest_crl
                .as_ref()
                .map(|listed| Extension::freshest_crl(points(listed)?)),
        )?;
        let access = || {
            let mut all_of_it = all(&self.ocsp, |uri| Uri::new(uri).map(AccessDescription::ocsp))?;
            all_of_it.extend(all(&self.ca_issuers, |uri| {
                Uri::new(uri).map(AccessDescription::ca_issuers)
            })?);
            Extension::authority_information_access(all_of_it)
        };
        let has_access = !(self.ocsp.is_empty() && self.ca_issuers.is_empty());
        add("ocsp", has_access.then(access))?;
        add(
            "subject-information-access",
            self.subject_information_access.as_ref().map(|services| {
                let services: Result<Vec<_>, _> = services.iter().map(Access::read).collect();
                Extension::subject_information_access(services?)
            }),
        )?;
        add(
            "issuer-alt-names",
            self.issuer_alt_names.as_ref().map(|names| {
                Extension::issuer_alt_names(all::<SubjectAltName>(names, str::parse)?)
            }),
        )?;
        add(
            "certificate-policies",
            self.certificate_policies.as_ref().map(|policies| {
                let policies: Result<Vec<_>, _> =
                    policies.iter().map(Policy::information).collect();
                Extension::certificate_policies(policies?)
            }),
        )?;
        add(
            "policy-mappings",
            self.policy_mappings.as_ref().map(|mappings| {
                Extension::policy_mappings(mappings.iter().map(|mapping| PolicyMapping {
                    issuer_domain: mapping.issuer.clone(),
                    subject_domain: mapping.subject.clone(),
                }))
            }),
        )?;
        add(
            "policy-constraints",
            self.policy_constraints.as_ref().map(|it| {
                Extension::policy_constraints(PolicyConstraints {
                    require_explicit_policy: it.require_explicit_policy,
                    inhibit_policy_mapping: it.inhibit_policy_mapping,
                })
            }),
        )?;
        add(
            "inhibit-any-policy",
            self.inhibit_any_policy
                .map(|number| Ok(Extension::inhibit_any_policy(number))),
        )?;
        add(
            "tls-feature",
            self.tls_feature
                .as_ref()
                .map(|features| Extension::tls_feature(features.iter().copied())),
        )?;
        let marked = || self.critical.iter().chain(&self.not_critical);
        if let Some(unknown) = marked().find(|key| !found.contains(&key.as_str())) {
            return Err(Error::InvalidProfileFile {
                line: None,
                reason: format!("it has no extension {unknown:?} to be critical or not"),
            });
        }
        let mut customs = HashSet::new();
        for custom in &self.custom_extensions {
            let value =
                base16ct::mixed::decode_vec(&custom.der).map_err(|_| Error::InvalidExtension {
                    extension: "custom extension",
                    reason: "its value is not in hexadecimal digits",
                })?;
            let extension = Extension::custom(&custom.oid, custom.critical, value)?;
            if !customs.insert(*extension.id()) {
                return Err(contradiction(
                    "two custom extensions have one object identifier",
                ));
            }
            extensions.push(extension);
        }
        Ok(extensions)
    }

    fn marked(&self, key: &str, extension: Extension) -> Result<Extension, Error> {
        let has = |keys: &[String]| keys.iter().any(|it| it == key);
        match (has(&self.critical), has(&self.not_critical)) {
            (true, true) => Err(contradiction("an extension is critical and not critical")),
            (true, false) => extension.critical(true),
            (false, true) => extension.critical(false),
            (false, false) => Ok(extension),
        }
    }
}

impl Subject {
    fn policy(self) -> Result<SubjectPolicy, Error> {
        let has_rules = !(self.required.is_empty()
            && self.allowed.is_empty()
            && self.repeated.is_empty()
            && self.values.is_empty());
        if let Some(fixed) = &self.fixed {
            if has_rules {
                return Err(contradiction("a fixed subject has no rules for attributes"));
            }
            return Ok(SubjectPolicy::fixed(fixed.parse::<DistinguishedName>()?));
        }
        let mut policy = SubjectPolicy::attributes();
        for attribute in &self.required {
            policy = policy.require(attribute)?;
        }
        for (attribute, value) in self.values {
            policy = policy.require_value(&attribute, value)?;
        }
        for attribute in &self.allowed {
            policy = policy.allow(attribute)?;
        }
        for attribute in &self.repeated {
            policy = policy.allow_repeated(attribute)?;
        }
        Ok(policy)
    }
}

impl Names {
    fn add_to(self, mut profile: Profile) -> Result<Profile, Error> {
        profile.needs_alt_names = self.required;
        if self.critical {
            profile = profile.critical_subject_alt_names();
        }
        match (self.requested, &self.matching, &self.fixed) {
            (false, None, None) => Ok(profile),
            (true, None, None) => Ok(profile.requested_subject_alt_names()),
            (false, Some(patterns), None) => {
                Ok(profile.matching_subject_alt_names(all(patterns, str::parse)?))
            }
            (false, None, Some(names)) => Ok(profile.subject_alt_names(all(names, str::parse)?)),
            _ => Err(contradiction(
                "names are requested, matching or fixed, and not several of these",
            )),
        }
    }
}

impl Keys {
    fn add_to(&self, mut profile: Profile) -> Result<Profile, Error> {
        if let Some(bits) = self.minimum_rsa_bits {
            profile = profile.minimum_rsa_bits(bits);
        }
        match self.allowed.as_deref() {
            None => Ok(profile),
            Some([]) => Err(contradiction("no key is allowed")),
            Some(keys) => Ok(profile.allowed_keys(all(keys, key)?)),
        }
    }
}

impl Validity {
    fn add_to(&self, mut profile: Profile) -> Result<Profile, Error> {
        if self.clamped {
            profile = profile.clamped();
        }
        if let Some(backdated) = &self.backdated {
            profile = profile.backdated(duration(backdated)?);
        }
        let dates = match (&self.not_before, &self.not_after) {
            (None, None) => None,
            (Some(not_before), Some(not_after)) => Some(crate::Validity {
                not_before: date(not_before)?,
                not_after: date(not_after)?,
            }),
            _ => {
                return Err(contradiction(
                    "exact dates are two: not-before and not-after",
                ));
            }
        };
        match (&self.r#for, dates, self.forever) {
            (None, None, false) => Ok(profile),
            (Some(text), None, false) => Ok(profile.valid_for(duration(text)?)),
            (None, Some(dates), false) if self.backdated.is_none() => Ok(profile.validity(dates)),
            (None, Some(_), false) => Err(contradiction("exact dates are not backdated")),
            (None, None, true) => Ok(profile.valid_forever()),
            _ => Err(contradiction(
                "it is valid for a time, between two dates or forever, and not several of these",
            )),
        }
    }
}

impl Point {
    fn read(&self) -> Result<DistributionPoint, Error> {
        let named = match self {
            Self::Uri(uri) => return Uri::new(uri).map(DistributionPoint::uri),
            Self::Named(named) => named,
        };
        let name = match (&named.names, &named.relative_name) {
            (None, None) => None,
            (Some(names), None) => Some(DistributionPointName::Full(all(names, str::parse)?)),
            (None, Some(name)) => Some(DistributionPointName::RelativeToIssuer(name.parse()?)),
            (Some(_), Some(_)) => {
                return Err(contradiction(
                    "a distribution point has names or a relative name, and not both",
                ));
            }
        };
        let reasons = named.reasons.as_ref();
        Ok(DistributionPoint {
            name,
            reasons: reasons
                .map(|names| ReasonFlags::from_names(names.iter().map(String::as_str)))
                .transpose()?,
            crl_issuer: all(&named.crl_issuer, str::parse)?,
        })
    }
}

impl Access {
    fn read(&self) -> Result<AccessDescription, Error> {
        let method = match self.method.as_str() {
            "caRepository" => AccessDescription::CA_REPOSITORY,
            "timeStamping" => AccessDescription::TIME_STAMPING,
            dotted => dotted,
        };
        Ok(AccessDescription {
            method: method.to_owned(),
            location: self.location.parse()?,
        })
    }
}

impl Policy {
    fn information(&self) -> Result<PolicyInformation, Error> {
        let mut qualifiers = all(&self.cps, |uri| Uri::new(uri).map(PolicyQualifier::Cps))?;
        let notice = self.notice.as_ref().map(|notice| match notice {
            Notice::Text(text) => UserNotice::text(text),
            Notice::Referring(notice) => UserNotice {
                explicit_text: notice.text.clone(),
                notice_ref: Some(NoticeReference {
                    organization: notice.organization.clone(),
                    numbers: notice.numbers.clone(),
                }),
            },
        });
        qualifiers.extend(notice.map(PolicyQualifier::UserNotice));
        let policy = match self.policy.as_str() {
            "anyPolicy" => PolicyInformation::ANY,
            dotted => dotted,
        };
        Ok(PolicyInformation {
            policy: policy.to_owned(),
            qualifiers,
        })
    }
}

fn all<T>(texts: &[String], read: impl Fn(&str) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    texts.iter().map(|text| read(text)).collect()
}

fn contradiction(reason: &'static str) -> Error {
    Error::InvalidProfile { reason }
}

/// A whole number of seconds, minutes, hours or days.
fn duration(text: &str) -> Result<Duration, Error> {
    let invalid = || Error::InvalidProfileFile {
        line: None,
        reason: format!("{text:?} is no duration such as \"90m\", \"12h\" or \"30d\""),
    };
    let unit = text.chars().next_back().ok_or_else(invalid)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(invalid()),
    };
    let number = text.strip_suffix(unit).ok_or_else(invalid)?;
    if !number.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(invalid());
    }
    let number: u64 = number.parse().map_err(|_| invalid())?;
    let seconds = number.checked_mul(seconds).ok_or_else(invalid)?;
    Ok(Duration::from_secs(seconds))
}

/// A date with its offset, in TOML's own form or as text.
fn date(value: &toml::Value) -> Result<SystemTime, Error> {
    let text = match value {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text.clone(),
        other => other.type_str().to_owned(),
    };
    OffsetDateTime::parse(&text, &Rfc3339)
        .ok()
        .and_then(|date| from_timestamp(date.unix_timestamp()))
        .ok_or_else(|| Error::InvalidProfileFile {
            line: None,
            reason: format!("{text:?} is no date such as 2027-01-01T00:00:00Z"),
        })
}

/// An algorithm of keys as it is displayed.
fn key(text: &str) -> Result<KeyAlgorithm, Error> {
    let bits = |digits: &str| digits.parse().ok();
    let sized = match text.split_once(' ') {
        Some(("RSA", digits)) => bits(digits).map(|bits| KeyAlgorithm::Rsa { bits }),
        Some(("RSASSA-PSS", digits)) => {
            bits(digits).map(|bits| KeyAlgorithm::RsaPss { bits, digest: None })
        }
        _ => None,
    };
    let curves = [
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::EcP521,
        KeyAlgorithm::Ed25519,
    ];
    sized
        .or_else(|| curves.into_iter().find(|known| known.to_string() == text))
        .ok_or_else(|| Error::UnsupportedKey {
            found: text.to_owned(),
            oid: None,
        })
}

/// A signature algorithm by its name.
fn algorithm(name: &str) -> Result<SignatureAlgorithm, Error> {
    let digests = [Digest::Sha256, Digest::Sha384, Digest::Sha512];
    let mut known = digests
        .into_iter()
        .flat_map(|digest| {
            [
                SignatureAlgorithm::RsaPkcs1(digest),
                SignatureAlgorithm::RsaPss(digest),
                SignatureAlgorithm::Ecdsa(digest),
            ]
        })
        .chain([SignatureAlgorithm::Ed25519]);
    known
        .find(|known| known.name() == name)
        .ok_or_else(|| Error::InvalidProfileFile {
            line: None,
            reason: format!("{name:?} is no signature algorithm that is made here"),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GeneralName;

    fn read(text: &str) -> Result<Profile, Error> {
        Profile::from_toml(text)
    }

    #[test]
    fn the_profiles_of_this_crate_are_written_so() {
        for (text, profile, days) in [
            (
                include_str!("../../profiles/root.toml"),
                Profile::root(),
                3650,
            ),
            (
                include_str!("../../profiles/intermediate.toml"),
                Profile::intermediate(),
                1825,
            ),
            (
                include_str!("../../profiles/client.toml"),
                Profile::client(),
                365,
            ),
            (
                include_str!("../../profiles/server.toml"),
                Profile::server(),
                365,
            ),
            (
                include_str!("../../profiles/peer.toml"),
                Profile::peer(),
                365,
            ),
        ] {
            // What they have of their own is cut where the CA ends.
            let profile = profile.valid_for_days(days).clamped();
            assert_eq!(read(text), Ok(profile), "{text}");
        }
        assert_eq!(read(""), Ok(Profile::end_entity()));
    }

    #[test]
    fn every_key_is_read_for_what_it_is() {
        let uri = || Uri::new("http://a.example/").unwrap();
        let point = || [DistributionPoint::uri(uri())];
        let end_entity = Profile::end_entity;
        let authority = || {
            Profile::intermediate()
                .valid_for_days(1)
                .extension(Extension::key_usage(KeyUsage::KEY_CERT_SIGN))
        };
        let ca =
            "basic-constraints = { ca = true }\nkey-usage = ['keyCertSign']\nvalidity.for = '1d'\n";
        let attributes = || SubjectPolicy::attributes();
        let subtrees = NameConstraints::new(
            [
                GeneralSubtree::dns(".example.com").unwrap(),
                GeneralSubtree::directory(&"O=b".parse().unwrap()).unwrap(),
            ],
            [
                GeneralSubtree::ip("10.0.0.0/8").unwrap(),
                GeneralSubtree::email("example.com").unwrap(),
                GeneralSubtree::uri("example.com").unwrap(),
            ],
        )
        .unwrap();
        let policy = PolicyInformation {
            policy: "1.2.3".to_owned(),
            qualifiers: vec![
                PolicyQualifier::Cps(uri()),
                PolicyQualifier::UserNotice(UserNotice::text("t")),
            ],
        };
        for (text, profile) in [
            (
                "signature-algorithm = 'ecdsa-with-SHA384'",
                end_entity().signature_algorithm(SignatureAlgorithm::Ecdsa(Digest::Sha384)),
            ),
            (
                "subject.fixed = '/CN=a/O=b'",
                end_entity().subject(SubjectPolicy::fixed("/CN=a/O=b".parse().unwrap())),
            ),
            (
                "subject = { required = ['CN'], values = { O = 'b' }, allowed = ['C'], repeated = ['OU'] }",
                end_entity().subject(
                    attributes()
                        .require("CN")
                        .and_then(|it| it.require_value("O", "b"))
                        .and_then(|it| it.allow("C"))
                        .and_then(|it| it.allow_repeated("OU"))
                        .unwrap(),
                ),
            ),
            (
                "names.requested = true",
                end_entity().requested_subject_alt_names(),
            ),
            (
                "names.matching = ['DNS:*.example.com']",
                end_entity().matching_subject_alt_names(["DNS:*.example.com".parse().unwrap()]),
            ),
            (
                "names = { fixed = ['DNS:a.example', 'IP:::1', 'email:a@b.example', 'URI:http://a.example/', 'dirName:CN=a', 'registeredID:1.2.3', 'UPN:a@b'], critical = true }",
                end_entity()
                    .subject_alt_names([
                        SubjectAltName::dns("a.example").unwrap(),
                        SubjectAltName::Ip("::1".parse().unwrap()),
                        SubjectAltName::email("a@b.example").unwrap(),
                        SubjectAltName::Uri(uri()),
                        SubjectAltName::Directory("CN=a".parse().unwrap()),
                        SubjectAltName::registered_id("1.2.3").unwrap(),
                        SubjectAltName::user_principal_name("a@b").unwrap(),
                    ])
                    .critical_subject_alt_names(),
            ),
            (
                "keys = { allowed = ['RSA 3072', 'RSASSA-PSS 2048', 'ECDSA P-256', 'ECDSA P-384', 'ECDSA P-521', 'Ed25519'], minimum-rsa-bits = 4096 }",
                end_entity()
                    .allowed_keys([
                        KeyAlgorithm::Rsa { bits: 3072 },
                        KeyAlgorithm::RsaPss {
                            bits: 2048,
                            digest: None,
                        },
                        KeyAlgorithm::EcP256,
                        KeyAlgorithm::EcP384,
                        KeyAlgorithm::EcP521,
                        KeyAlgorithm::Ed25519,
                    ])
                    .minimum_rsa_bits(4096),
            ),
            (
                "validity = { for = '90m', backdated = '30s' }",
                end_entity()
                    .valid_for(Duration::from_secs(5400))
                    .backdated(Duration::from_secs(30)),
            ),
            (
                "validity.for = '12h'",
                end_entity().valid_for(Duration::from_secs(43_200)),
            ),
            (
                "validity = { forever = true, clamped = true }",
                end_entity().valid_forever().clamped(),
            ),
            (
                "without-basic-constraints = true",
                end_entity().without_extension("2.5.29.19"),
            ),
            (ca, authority()),
            (
                "basic-constraints = { ca = true, path-len = 3 }\nkey-usage = ['keyCertSign']\nvalidity.for = '1d'",
                authority().path_len(3),
            ),
            (
                "extended-key-usage = ['codeSigning', '1.2.3']\ncritical = ['extended-key-usage']",
                end_entity().extension(
                    Extension::extended_key_usage(
                        ["codeSigning", "1.2.3"].map(|purpose| purpose.parse().unwrap()),
                    )
                    .and_then(|it| it.critical(true))
                    .unwrap(),
                ),
            ),
            (
                "key-usage = ['digitalSignature']\nnot-critical = ['key-usage']",
                end_entity().extension(
                    Extension::key_usage(KeyUsage::DIGITAL_SIGNATURE)
                        .critical(false)
                        .unwrap(),
                ),
            ),
            (
                &format!(
                    "{ca}name-constraints = {{ permitted = ['DNS:.example.com', 'dirName:O=b'], excluded = ['IP:10.0.0.0/8', 'email:example.com', 'URI:example.com'] }}"
                ),
                authority().extension(Extension::name_constraints(&subtrees)),
            ),
            (
                "crl-distribution-points = ['http://a.example/']",
                end_entity().extension(Extension::crl_distribution_points(point()).unwrap()),
            ),
            (
                "freshest-crl = ['http://a.example/']",
                end_entity().extension(Extension::freshest_crl(point()).unwrap()),
            ),
            (
                "ocsp = ['http://a.example/']\nca-issuers = ['http://a.example/']",
                end_entity().extension(
                    Extension::authority_information_access([
                        AccessDescription::ocsp(uri()),
                        AccessDescription::ca_issuers(uri()),
                    ])
                    .unwrap(),
                ),
            ),
            (
                "issuer-alt-names = ['URI:http://a.example/']",
                end_entity()
                    .extension(Extension::issuer_alt_names([GeneralName::Uri(uri())]).unwrap()),
            ),
            (
                "certificate-policies = [{ policy = '1.2.3', cps = ['http://a.example/'], notice = 't' }]",
                end_entity().extension(Extension::certificate_policies([policy]).unwrap()),
            ),
            (
                &format!("{ca}policy-mappings = [{{ issuer = '1.2.3', subject = '1.2.4' }}]"),
                authority().extension(
                    Extension::policy_mappings([PolicyMapping {
                        issuer_domain: "1.2.3".to_owned(),
                        subject_domain: "1.2.4".to_owned(),
                    }])
                    .unwrap(),
                ),
            ),
            (
                &format!(
                    "{ca}policy-constraints = {{ require-explicit-policy = 1, inhibit-policy-mapping = 2 }}"
                ),
                authority().extension(
                    Extension::policy_constraints(PolicyConstraints {
                        require_explicit_policy: Some(1),
                        inhibit_policy_mapping: Some(2),
                    })
                    .unwrap(),
                ),
            ),
            (
                &format!("{ca}inhibit-any-policy = 4"),
                authority().extension(Extension::inhibit_any_policy(4)),
            ),
            (
                "tls-feature = [5]",
                end_entity().extension(Extension::tls_feature([5]).unwrap()),
            ),
            (
                "custom-extensions = [{ oid = '1.2.3.4', critical = true, der = '0500' }, { oid = '1.2.3.5', der = '0500' }]",
                end_entity()
                    .extension(Extension::custom("1.2.3.4", true, [5, 0]).unwrap())
                    .extension(Extension::custom("1.2.3.5", false, [5, 0]).unwrap()),
            ),
        ] {
            assert_eq!(read(text), Ok(profile), "{text}");
        }
    }

    #[test]
    fn every_key_is_in_the_reference() {
        let reference = include_str!("file.rs");
        for table in ["", "subject.", "names.", "keys.", "validity."] {
            let Err(Error::InvalidProfileFile { reason, .. }) = read(&format!("{table}x = 1"))
            else {
                panic!("{table}");
            };
            // unknown field `x`, expected one of `requested`, `matching` ...
            let keys: Vec<&str> = reason.split('`').skip(1).step_by(2).skip(1).collect();
            assert!(keys.len() > 1, "{reason}");
            for key in keys {
                let has = |named: String| reference.contains(&named);
                assert!(
                    has(format!("/// | `{table}{key}`"))
                        || has(format!("/// | `{key}."))
                        || has(format!(", `{table}{key}`")),
                    "{table}{key}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_known_is_told_with_its_line() {
        let line_of = |text: &str| match read(text) {
            Err(Error::InvalidProfileFile { line, reason }) => (line, reason),
            other => panic!("{other:?}"),
        };
        for (text, line, reason) in [
            ("a b", Some(1), ""),
            ("\nunknown = 1", Some(2), "unknown"),
            ("root = true\nsubject = { unknown = 1 }", Some(2), "unknown"),
            ("names.unknown = 1", Some(1), "unknown"),
            ("keys.unknown = 1", Some(1), "unknown"),
            ("validity.unknown = 1", Some(1), "unknown"),
            (
                "basic-constraints = { ca = true, unknown = 1 }",
                Some(1),
                "unknown",
            ),
            ("name-constraints.unknown = 1", Some(1), "unknown"),
            (
                "certificate-policies = [{ policy = '1.2', unknown = 1 }]",
                Some(1),
                "unknown",
            ),
            (
                "policy-mappings = [{ issuer = '1.2', subject = '1.3', unknown = 1 }]",
                Some(1),
                "unknown",
            ),
            ("policy-constraints.unknown = 1", Some(1), "unknown"),
            (
                "custom-extensions = [{ oid = '1.2', der = '', unknown = 1 }]",
                Some(1),
                "unknown",
            ),
            ("root = 1", Some(1), "boolean"),
            ("key_usage = []", Some(1), "key_usage"),
            ("validity.for = '1w'", None, "1w"),
            ("validity.for = '-1d'", None, "-1d"),
            ("validity.for = 'd'", None, "\"d\""),
            ("validity.for = ''", None, "\"\""),
            ("validity.for = '1dd'", None, "1dd"),
            ("validity.backdated = '99999999999999999999d'", None, "9d"),
            (
                "signature-algorithm = 'sha1WithRSAEncryption'",
                None,
                "sha1",
            ),
            ("critical = ['key-usage']", None, "key-usage"),
            ("not-critical = ['key-usage']", None, "key-usage"),
        ] {
            let (found, told) = line_of(text);
            assert_eq!(found, line, "{text}: {told}");
            assert!(told.contains(reason), "{text}: {told}");
        }
        let long = " ".repeat((1 << 18) + 1);
        assert!(matches!(read(&long), Err(Error::TooLarge { .. })));
        assert!(read(&long[1..]).is_ok());
    }

    #[test]
    fn values_that_can_not_be_are_the_fault_of_the_profile() {
        for text in [
            "subject.fixed = 'CN'",
            "subject.required = ['unknown']",
            "names.fixed = ['a.example']",
            "names.fixed = ['FTP:a']",
            "names.matching = ['a.example']",
            "keys.allowed = ['RSA']",
            "keys.allowed = ['DSA 2048']",
            "key-usage = ['signing']",
            "extended-key-usage = []",
            "name-constraints = {}",
            "name-constraints.permitted = ['example.com']",
            "name-constraints.permitted = ['UPN:example.com']",
            "crl-distribution-points = []",
            "ocsp = ['a']",
            "tls-feature = []",
            "custom-extensions = [{ oid = '1.2.3', der = 'x' }]",
            "custom-extensions = [{ oid = '1.2.3', der = '05' }]",
            "key-usage = ['digitalSignature']\nocsp = ['http://a.example']\ncritical = ['ocsp']",
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.fault(), Fault::Profile, "{text}: {error}");
            assert!(!matches!(error, Error::InvalidProfile { .. }), "{text}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for text in [
            "subject = { fixed = '/CN=a', required = ['CN'] }",
            "subject = { required = ['CN'], allowed = ['CN'] }",
            "names = { requested = true, fixed = [] }",
            "names = { requested = true, matching = [] }",
            "names = { fixed = [], matching = [] }",
            "keys.allowed = []",
            "validity = { for = '1d', forever = true }",
            "without-basic-constraints = true\nbasic-constraints = { ca = false }",
            "key-usage = ['digitalSignature']\ncritical = ['key-usage']\nnot-critical = ['key-usage']",
            "custom-extensions = [{ oid = '1.2.3', der = '0500' }, { oid = '1.2.3', der = '0500' }]",
            // What Profile::check finds.
            "key-usage = ['keyCertSign']",
            "basic-constraints = { ca = true }",
            "inhibit-any-policy = 0",
        ] {
            assert!(
                matches!(read(text), Err(Error::InvalidProfile { .. })),
                "{text}"
            );
        }
    }
}
