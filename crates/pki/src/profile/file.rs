//! A profile as TOML.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    marker::PhantomData,
    time::{Duration, SystemTime},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Extension, Profile, SubjectPolicy, subject::check_values};
use crate::{
    AccessDescription, BasicConstraints, Digest, DistinguishedName, DistributionPoint,
    DistributionPointName, Error, ExtendedKeyUsage, GeneralSubtree, KeyAlgorithm, KeyUsage,
    NameConstraints, NamePattern, NoticeReference, PolicyConstraints, PolicyInformation,
    PolicyMapping, PolicyQualifier, ReasonFlags, SignatureAlgorithm, SubjectAltName, Uri,
    UserNotice, parse_duration,
    time::{from_timestamp, to_calendar},
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
    /// | `names.matching` | patterns of names, as [`NamePattern`](crate::NamePattern) has them: `["DNS:*.example.com"]`; a common name that looks like a host name or an IP address, and an `emailAddress`, have to match one, too; where the certificate may be a TLS server's and has no host name, so has any common name that could be one, such as `localhost` |
    /// | `names.fixed` | these names, as [`SubjectAltName`] is displayed: `["DNS:a.example.com", "UPN:a@example.com", "otherName:1.2.3:0500"]`; also `IP:`, `email:`, `URI:`, `dirName:` and `registeredID:` |
    /// | `names.required`, `names.critical` | `true` if there must be one; if they are critical |
    /// | `keys.allowed` | algorithms of keys: `"RSA 3072"` and larger, `"RSASSA-PSS 3072"` and larger, `"ECDSA P-256"`, `"ECDSA P-384"`, `"ECDSA P-521"`, `"Ed25519"` |
    /// | `keys.minimum-rsa-bits` | the shortest RSA key |
    /// | `validity.for` | how long: `"90m"`, `"12h"`, `"30d"`, `"2w"`, `"1y"` of 365 days |
    /// | `validity.not-before`, `validity.not-after` | exact dates (RFC 3339), both of them: `2027-01-01T00:00:00Z` |
    /// | `validity.forever` | `true` for no well-defined expiration date |
    /// | `validity.backdated` | how long before the issuance it starts: `"5m"` |
    /// | `validity.clamped` | `true` if it is cut where that of the CA ends |
    /// | `basic-constraints` | `{ ca = true, path-len = 0 }` |
    /// | `without-basic-constraints` | `true` for none |
    /// | `key-usage` | names of RFC 5280: `["digitalSignature"]` |
    /// | `extended-key-usage` | names of RFC 5280, or object identifiers: `["clientAuth", "1.2.3"]` |
    /// | `name-constraints` | `{ permitted = ["DNS:example.com", "IP:10.0.0.0/8"], excluded = ["email:example.com"] }`; also `URI:` and `dirName:`; no name of a form is permitted by `excluded` `DNS:`, `IP:0.0.0.0/0` and `IP:::/0`, `dirName:/` |
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
    /// [`Error::InvalidProfileFile`] for what isn't TOML, a key that isn't known, a value of the wrong type, one that can't be, or some
    /// that can't stand together; it names the key and the value. [`Error::TooLarge`] above 256 KiB.
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
        let profile = file.profile().and_then(|profile| {
            profile.check()?;
            Ok(profile)
        });
        profile.map_err(|error| invalid(reason_of(error)))
    }
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::InvalidProfileFile {
        line: None,
        reason: reason.into(),
    }
}

/// What is wrong, without what the key, or its value, says already.
fn reason_of(error: Error) -> String {
    match error {
        Error::InvalidProfileFile { reason, .. } => reason,
        Error::InvalidProfile { reason }
        | Error::InvalidExtension { reason, .. }
        | Error::InvalidSubjectAltName { reason, .. } => reason.to_owned(),
        other => other.to_string(),
    }
}

/// Names the key, or the value, that an error is about.
fn at(place: impl fmt::Display) -> impl FnOnce(Error) -> Error {
    move |error| invalid(format!("{place}: {}", reason_of(error)))
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
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    expecting = "a table"
)]
struct Subject {
    fixed: Option<String>,
    required: Vec<String>,
    allowed: Vec<String>,
    repeated: Vec<String>,
    values: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    expecting = "a table"
)]
struct Names {
    requested: bool,
    matching: Option<Vec<String>>,
    fixed: Option<Vec<String>>,
    required: bool,
    critical: bool,
}

#[derive(Deserialize, Default)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    expecting = "a table"
)]
struct Keys {
    allowed: Option<Vec<String>>,
    minimum_rsa_bits: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    expecting = "a table"
)]
struct Validity {
    r#for: Option<String>,
    not_before: Option<toml::Value>,
    not_after: Option<toml::Value>,
    forever: bool,
    backdated: Option<String>,
    clamped: bool,
}

#[derive(Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    expecting = "a table of ca and path-len"
)]
struct Constraints {
    ca: bool,
    path_len: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    expecting = "a table"
)]
struct Subtrees {
    permitted: Vec<String>,
    excluded: Vec<String>,
}

/// A text where that is enough, or a table that says more.
enum TextOr<T> {
    Text(String),
    Table(T),
}

/// Derived for an untagged enum, it would not tell which key of the table isn't known.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = TextOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a table")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextOr::Text(text.to_owned()))
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(TextOr::Table)
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

type Point = TextOr<NamedPoint>;

#[derive(Deserialize, Default)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    expecting = "a table"
)]
struct NamedPoint {
    names: Option<Vec<String>>,
    relative_name: Option<String>,
    reasons: Option<Vec<String>>,
    crl_issuer: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
struct Access {
    method: String,
    location: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
struct Policy {
    policy: String,
    #[serde(default)]
    cps: Vec<String>,
    notice: Option<TextOr<ReferringNotice>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
struct ReferringNotice {
    text: Option<String>,
    organization: String,
    numbers: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
struct Mapping {
    issuer: String,
    subject: String,
}

#[derive(Deserialize, Default)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    expecting = "a table"
)]
struct ExplicitPolicy {
    require_explicit_policy: Option<u32>,
    inhibit_policy_mapping: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
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
                return Err(invalid("it has basic constraints, and is to have none"));
            }
            (false, false) => {}
            _ => profile.extensions.clear(),
        }
        // Each has an object identifier of its own.
        profile.extensions.extend(extensions);
        profile.is_root = self.root;
        if let Some(name) = &self.signature_algorithm {
            let algorithm = algorithm(name).map_err(at("signature-algorithm"))?;
            profile = profile.signature_algorithm(algorithm);
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
                extensions.push(self.marked(key, extension.map_err(at(key))?)?);
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
                let bits = all(names, |name| KeyUsage::from_names([name]))?;
                let usage = bits.into_iter().reduce(|all, bit| all | bit);
                usage
                    .map(Extension::key_usage)
                    .ok_or_else(|| invalid("there is none"))
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
        let uris = |key, uris, access: fn(Uri) -> AccessDescription| {
            all(uris, |uri| Uri::new(uri).map(access)).map_err(at(key))
        };
        let mut access = uris("ocsp", &self.ocsp, AccessDescription::ocsp)?;
        access.extend(uris(
            "ca-issuers",
            &self.ca_issuers,
            AccessDescription::ca_issuers,
        )?);
        let has_access = !access.is_empty();
        let access = || Extension::authority_information_access(access);
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
                let named = |it: &Policy| it.information().map_err(at(format!("{:?}", it.policy)));
                let policies: Result<Vec<_>, _> = policies.iter().map(named).collect();
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
            return Err(invalid(format!(
                "it has no extension {unknown:?} to be critical or not"
            )));
        }
        let mut customs = HashSet::new();
        for custom in &self.custom_extensions {
            let mut read = || {
                let value = base16ct::mixed::decode_vec(&custom.der)
                    .map_err(|_| invalid("its value is not in hexadecimal digits"))?;
                let extension = Extension::custom(&custom.oid, custom.critical, value)?;
                match customs.insert(extension.oid()) {
                    true => Ok(extension),
                    false => Err(invalid("two custom extensions have this object identifier")),
                }
            };
            let named = read().map_err(at(format!("{:?}", custom.oid)));
            extensions.push(named.map_err(at("custom-extensions"))?);
        }
        Ok(extensions)
    }

    fn marked(&self, key: &str, extension: Extension) -> Result<Extension, Error> {
        let has = |keys: &[String]| keys.iter().any(|it| it == key);
        match (has(&self.critical), has(&self.not_critical)) {
            (true, true) => Err(invalid("it is critical and not critical")),
            (true, false) => extension.critical(true),
            (false, true) => extension.critical(false),
            (false, false) => Ok(extension),
        }
        .map_err(at(key))
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
                return Err(invalid(
                    "subject: a fixed subject has no rules for attributes",
                ));
            }
            let fixed = fixed.parse::<DistinguishedName>().and_then(|fixed| {
                check_values(&fixed)?;
                Ok(fixed)
            });
            return Ok(SubjectPolicy::fixed(fixed.map_err(at("subject.fixed"))?));
        }
        let mut policy = SubjectPolicy::attributes();
        let named = |attribute: &str| at(format!("subject: {attribute:?}"));
        for attribute in &self.required {
            policy = policy.require(attribute).map_err(named(attribute))?;
        }
        for (attribute, value) in self.values {
            policy = policy
                .require_value(&attribute, value)
                .map_err(named(&attribute))?;
        }
        for attribute in &self.allowed {
            policy = policy.allow(attribute).map_err(named(attribute))?;
        }
        for attribute in &self.repeated {
            policy = policy.allow_repeated(attribute).map_err(named(attribute))?;
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
                let patterns: Vec<NamePattern> =
                    all(patterns, str::parse).map_err(at("names.matching"))?;
                Ok(profile.matching_subject_alt_names(patterns))
            }
            (false, None, Some(names)) => {
                let names: Vec<SubjectAltName> =
                    all(names, str::parse).map_err(at("names.fixed"))?;
                Ok(profile.subject_alt_names(names))
            }
            _ => Err(invalid(
                "names: they are requested, matching or fixed, and not several of these",
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
            Some([]) => Err(invalid("keys.allowed: there is none")),
            Some(keys) => {
                let keys = all(keys, key).map_err(at("keys.allowed"))?;
                Ok(profile.allowed_keys(keys))
            }
        }
    }
}

impl Validity {
    fn add_to(&self, mut profile: Profile) -> Result<Profile, Error> {
        if self.clamped {
            profile = profile.clamped();
        }
        if let Some(backdated) = &self.backdated {
            let backdated = parse_duration(backdated).map_err(at("validity.backdated"))?;
            profile = profile.backdated(backdated);
        }
        let dates = match (&self.not_before, &self.not_after) {
            (None, None) => None,
            (Some(not_before), Some(not_after)) => Some(crate::Validity {
                not_before: date(not_before).map_err(at("validity.not-before"))?,
                not_after: date(not_after).map_err(at("validity.not-after"))?,
            }),
            _ => {
                return Err(invalid(
                    "validity: exact dates are two, not-before and not-after",
                ));
            }
        };
        match (&self.r#for, dates, self.forever) {
            (None, None, false) => Ok(profile),
            (Some(text), None, false) => {
                let duration = lifetime(text).map_err(at("validity.for"))?;
                Ok(profile.valid_for(duration))
            }
            (None, Some(dates), false) if dates.not_after < dates.not_before => {
                Err(invalid("validity: it ends before it starts"))
            }
            (None, Some(dates), false) if self.backdated.is_none() => Ok(profile.validity(dates)),
            (None, Some(_), false) => Err(invalid("validity: exact dates are not backdated")),
            (None, None, true) => Ok(profile.valid_forever()),
            _ => Err(invalid(
                "validity: it is for a time, between two dates or forever, and not several of these",
            )),
        }
    }
}

impl TextOr<NamedPoint> {
    fn read(&self) -> Result<DistributionPoint, Error> {
        let named = match self {
            Self::Text(uri) => {
                let uri = Uri::new(uri).map_err(at(format!("{uri:?}")))?;
                return Ok(DistributionPoint::uri(uri));
            }
            Self::Table(named) => named,
        };
        let name = match (&named.names, &named.relative_name) {
            (None, None) => None,
            (Some(names), None) => {
                let names = all(names, str::parse).map_err(at("names"))?;
                Some(DistributionPointName::Full(names))
            }
            (None, Some(name)) => {
                let name = name.parse().map_err(at("relative-name"))?;
                Some(DistributionPointName::RelativeToIssuer(name))
            }
            (Some(_), Some(_)) => {
                return Err(invalid("it has names or a relative name, and not both"));
            }
        };
        let reasons = named.reasons.as_ref().map(|names| {
            all(names, |name| ReasonFlags::from_names([name]))?;
            ReasonFlags::from_names(names.iter().map(String::as_str))
        });
        Ok(DistributionPoint {
            name,
            reasons: reasons.transpose().map_err(at("reasons"))?,
            crl_issuer: all(&named.crl_issuer, str::parse).map_err(at("crl-issuer"))?,
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
            location: self
                .location
                .parse()
                .map_err(at(format!("{:?}", self.location)))?,
        })
    }
}

impl Policy {
    fn information(&self) -> Result<PolicyInformation, Error> {
        let mut qualifiers =
            all(&self.cps, |uri| Uri::new(uri).map(PolicyQualifier::Cps)).map_err(at("cps"))?;
        let notice = self.notice.as_ref().map(|notice| match notice {
            TextOr::Text(text) => UserNotice::text(text),
            TextOr::Table(notice) => UserNotice {
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
        let information = PolicyInformation {
            policy: policy.to_owned(),
            qualifiers,
        };
        // Encoded here, an error is about this one.
        information.encode()?;
        Ok(information)
    }
}

/// All values of a list. An error names the value.
fn all<T>(texts: &[String], read: impl Fn(&str) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let named = |text: &String| read(text).map_err(at(format!("{text:?}")));
    texts.iter().map(named).collect()
}

/// How long a certificate is valid: it lasts, and doesn't end after the year 9999 if it starts in these years.
fn lifetime(text: &str) -> Result<Duration, Error> {
    let duration = parse_duration(text)?;
    let is_short = SystemTime::UNIX_EPOCH
        .checked_add(duration)
        .and_then(to_calendar)
        .is_some();
    match duration {
        Duration::ZERO => Err(invalid("it must last at least one second")),
        _ if !is_short => Err(invalid("it ends after the year 9999")),
        duration => Ok(duration),
    }
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
        .ok_or_else(|| invalid(format!("{text:?} is no date such as 2027-01-01T00:00:00Z")))
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
    known.find(|known| known.name() == name).ok_or_else(|| {
        invalid(format!(
            "{name:?} is no signature algorithm that is made here"
        ))
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
            (
                "freshest-crl = [{ names = ['URI:a:b'], unknown = 1 }]",
                Some(1),
                "`unknown`",
            ),
            (
                "certificate-policies = [{ policy = '1.2.3', notice = { text = 'a', unknown = 1 } }]",
                Some(1),
                "`unknown`",
            ),
            ("freshest-crl = [1]", Some(1), "a text or a table"),
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
    fn an_error_names_the_key_and_the_value() {
        for (text, told) in [
            ("subject.fixed = 'CN'", "subject.fixed: malformed"),
            (
                r"subject.fixed = 'CN=bot\0D'",
                "subject.fixed: the subject has the attribute CN with the value \"bot\\r\": it holds a control character",
            ),
            (
                "subject.required = ['x']",
                "subject: \"x\": unknown attribute",
            ),
            ("subject.values = { x = 'y' }", "subject: \"x\": unknown"),
            ("subject.allowed = ['x']", "subject: \"x\": unknown"),
            ("subject.repeated = ['x']", "subject: \"x\": unknown"),
            (
                "subject = { required = ['CN'], allowed = ['CN'] }",
                "subject: \"CN\": the subject policy has two rules",
            ),
            (
                "names.fixed = ['a.b']",
                "names.fixed: \"a.b\": expected a form",
            ),
            (
                "names.fixed = ['FTP:a']",
                "names.fixed: \"FTP:a\": expected a form",
            ),
            (
                "names.fixed = ['IP:1.2.3']",
                "names.fixed: \"IP:1.2.3\": expected an IP address",
            ),
            ("names.matching = ['a.b']", "names.matching: \"a.b\": "),
            (
                "keys.allowed = ['RSA']",
                "keys.allowed: \"RSA\": unsupported key",
            ),
            (
                "keys.allowed = ['DSA 2048']",
                "keys.allowed: \"DSA 2048\": ",
            ),
            (
                "key-usage = ['signing']",
                "key-usage: \"signing\": it has no bit with this name",
            ),
            ("key-usage = []", "key-usage: there is none"),
            (
                "extended-key-usage = []",
                "extended-key-usage: there is none",
            ),
            (
                "extended-key-usage = ['a']",
                "extended-key-usage: \"a\": a purpose",
            ),
            (
                "extended-key-usage = ['clientAuth', '1.3.6.1.5.5.7.3.2']",
                "extended-key-usage: one occurs twice",
            ),
            ("name-constraints = {}", "name-constraints: "),
            (
                "name-constraints.permitted = ['example.com']",
                "name-constraints: \"example.com\": ",
            ),
            (
                "name-constraints.excluded = ['UPN:example.com']",
                "name-constraints: \"UPN:example.com\": expected a form",
            ),
            (
                "name-constraints.excluded = ['email:@a.b']",
                "name-constraints: \"email:@a.b\": a host is written without",
            ),
            (
                "name-constraints.excluded = ['URI:http://a.b']",
                "name-constraints: \"URI:http://a.b\": it is the host of URIs",
            ),
            (
                "name-constraints.excluded = ['IP:10.0.0.1/8']",
                "name-constraints: \"IP:10.0.0.1/8\": expected a network",
            ),
            (
                "crl-distribution-points = []",
                "crl-distribution-points: there is none",
            ),
            (
                "crl-distribution-points = ['x']",
                "crl-distribution-points: \"x\": expected a URI with a scheme",
            ),
            (
                "freshest-crl = [{ names = ['x'] }]",
                "freshest-crl: names: \"x\": expected a form",
            ),
            (
                "freshest-crl = [{ relative-name = 'x' }]",
                "freshest-crl: relative-name: malformed",
            ),
            (
                "freshest-crl = [{ names = ['URI:a:b'], reasons = ['x'] }]",
                "freshest-crl: reasons: \"x\": ",
            ),
            (
                "freshest-crl = [{ crl-issuer = ['x'] }]",
                "freshest-crl: crl-issuer: \"x\": ",
            ),
            (
                "freshest-crl = [{ crl-issuer = ['DNS:a.example'] }]",
                "freshest-crl: a CRL issuer is a directory name",
            ),
            (
                "freshest-crl = [{ relative-name = 'CN=a', crl-issuer = ['dirName:CN=a', 'dirName:CN=b'] }]",
                "freshest-crl: a name is relative to one CRL issuer",
            ),
            (
                "basic-constraints = true",
                "invalid type: boolean `true`, expected a table of ca and path-len",
            ),
            ("names = 1", "invalid type: integer `1`, expected a table"),
            ("ocsp = ['x']", "ocsp: \"x\": expected a URI with a scheme"),
            (
                "ca-issuers = ['x']",
                "ca-issuers: \"x\": expected a URI with a scheme",
            ),
            (
                "subject-information-access = [{ method = 'caRepository', location = 'x' }]",
                "subject-information-access: \"x\": expected a form",
            ),
            (
                "issuer-alt-names = ['x']",
                "issuer-alt-names: \"x\": expected a form",
            ),
            (
                "certificate-policies = [{ policy = 'x' }]",
                "certificate-policies: \"x\": a policy is not a dotted",
            ),
            (
                "certificate-policies = [{ policy = '1.2.3', cps = ['x'] }]",
                "certificate-policies: \"1.2.3\": cps: \"x\": expected a URI",
            ),
            ("policy-mappings = []", "policy-mappings: there is none"),
            ("tls-feature = []", "tls-feature: there is none"),
            (
                "custom-extensions = [{ oid = '1.2.3', der = 'x' }]",
                "custom-extensions: \"1.2.3\": its value is not in hexadecimal",
            ),
            (
                "custom-extensions = [{ oid = '1.2.3', der = '05' }]",
                "custom-extensions: \"1.2.3\": its value is not one",
            ),
            (
                "key-usage = ['digitalSignature']\nocsp = ['http://a.example']\ncritical = ['ocsp']",
                "ocsp: this extension is never critical",
            ),
            (
                "validity.for = '0s'",
                "validity.for: it must last at least one second",
            ),
            (
                "validity.for = '9000y'",
                "validity.for: it ends after the year 9999",
            ),
            ("validity.for = '1x'", "validity.for: expected seconds"),
            (
                "validity.backdated = '5'",
                "validity.backdated: expected seconds",
            ),
            (
                "validity = { not-before = 1, not-after = 2027-01-01T00:00:00Z }",
                "validity.not-before: \"integer\" is no date",
            ),
            (
                "validity = { not-before = 2027-01-01T00:00:00Z, not-after = 2026-01-01T00:00:00Z }",
                "validity: it ends before it starts",
            ),
            (
                "signature-algorithm = 'x'",
                "signature-algorithm: \"x\" is no",
            ),
        ] {
            match read(text) {
                Err(Error::InvalidProfileFile { reason, .. }) => {
                    assert!(reason.starts_with(told), "{text}: {reason}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for text in [
            "subject = { fixed = '/CN=a', required = ['CN'] }",
            "names = { requested = true, fixed = [] }",
            "names = { requested = true, matching = [] }",
            "names = { fixed = [], matching = [] }",
            "keys.allowed = []",
            "validity = { for = '1d', forever = true }",
            "without-basic-constraints = true\nbasic-constraints = { ca = false }",
            "key-usage = ['digitalSignature']\ncritical = ['key-usage']\nnot-critical = ['key-usage']",
            "custom-extensions = [{ oid = '1.2.3', der = '0500' }, { oid = '1.2.3', der = '0500' }]",
            // What Profile::check finds.
            "key-usage = ['encipherOnly']",
            "key-usage = ['digitalSignature', 'decipherOnly']",
            "key-usage = ['keyCertSign']",
            "basic-constraints = { ca = true }",
            "inhibit-any-policy = 0",
        ] {
            assert!(
                matches!(read(text), Err(Error::InvalidProfileFile { .. })),
                "{text}"
            );
        }
    }
}
