//! What a CA grants.

mod extension;
mod lifetime;
mod names;
mod subject;
mod file;

use std::time::{Duration, SystemTime};

pub(crate) use self::extension::{
    AUTHORITY_KEY_IDENTIFIER, KEY_USAGE, SUBJECT_ALT_NAME, SUBJECT_KEY_IDENTIFIER,
};
pub use self::{extension::Extension, names::NamePattern, subject::SubjectPolicy};
use self::{
    lifetime::{Lifetime, Period, days_long},
    names::HostComparison,
};
use crate::{
    BasicConstraints, DistinguishedName, Error, ExtendedKeyUsage, KeyAlgorithm, KeyUsage,
    SignatureAlgorithm, SubjectAltName, Validity,
};

/// What a CA grants. A request asks; the profile decides.
///
/// Every certificate is X.509 v3 with a subject and an authority key identifier. All its other extensions come from the
/// profile alone, whatever the request asks for; its subject and its alternative names are the request's as far as the profile
/// grants them. Where it doesn't, the request is refused, or [`PreparedCertificate::ungranted`] says what was left out.
///
/// | profile | key usage | extended key usage | alternative names | valid for |
/// |---|---|---|---|---|
/// | [`root`](Self::root) | keyCertSign, cRLSign | | none | 3650 days |
/// | [`intermediate`](Self::intermediate) | keyCertSign, cRLSign | | none | 1825 days |
/// | [`client`](Self::client) | digitalSignature | clientAuth | none | 365 days |
/// | [`server`](Self::server) | digitalSignature, keyEncipherment (RSA) | serverAuth | the request's | 365 days |
/// | [`peer`](Self::peer) | digitalSignature, keyEncipherment (RSA) | serverAuth, clientAuth | the request's | 365 days |
/// | [`end_entity`](Self::end_entity) | | | none | 365 days |
///
/// ```
/// use pki::{DistributionPoint, Extension, Profile, SubjectAltName, SubjectPolicy, Uri};
///
/// let server = Profile::server()
///     .subject_alt_names([SubjectAltName::dns("pod.example.com")?])
///     .valid_for_days(90);
/// let signing = Profile::intermediate().path_len(0); // it signs leaves only
///
/// let crl = DistributionPoint::uri(Uri::new("http://ca.example.com/ca.crl")?);
/// let hosts = Profile::server()
///     .subject(SubjectPolicy::attributes().require("CN")?.require_value("O", "Excelsior Bank")?)
///     .matching_subject_alt_names(["DNS:*.example.com".parse()?, "IP:10.0.0.0/8".parse()?])
///     .extension(Extension::crl_distribution_points([crl])?)
///     .valid_for_days(30)
///     .clamped();
/// # Ok::<(), pki::Error>(())
/// ```
///
/// Unless it was set, the end of the validity is clamped to that of the CA and its issuers. RSA keys have 2048 bits
/// at least, unless [`minimum_rsa_bits`](Self::minimum_rsa_bits) says otherwise.
///
/// [`PreparedCertificate::ungranted`]: crate::PreparedCertificate::ungranted
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub(crate) signature_algorithm: Option<SignatureAlgorithm>,
    /// Whether it is for a root: such a certificate signs itself, and no other CA signs it.
    pub(crate) is_root: bool,
    extensions: Vec<Extension>,
    subject: SubjectPolicy,
    alt_names: AltNames,
    /// Whether there must be at least one alternative name.
    needs_alt_names: bool,
    has_critical_alt_names: bool,
    minimum_rsa_bits: usize,
    /// Any of them where it isn't set.
    allowed_keys: Option<Vec<KeyAlgorithm>>,
    lifetime: Lifetime,
}

/// Which subject alternative names are granted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum AltNames {
    Requested,
    Matching(Vec<NamePattern>),
    Fixed(Vec<SubjectAltName>),
}

impl Profile {
    /// A root CA, which signs itself.
    pub fn root() -> Self {
        Self {
            is_root: true,
            ..Self::authority(3650)
        }
    }

    /// A CA below another one: what Symphony calls a signing certificate.
    pub fn intermediate() -> Self {
        Self::authority(1825)
    }

    /// A TLS client: a bot.
    pub fn client() -> Self {
        Self::end_entity()
            .extension(Extension::key_usage(KeyUsage::DIGITAL_SIGNATURE))
            .extension(Extension::purposes(&[ExtendedKeyUsage::ClientAuth]))
    }

    /// A TLS server. It needs at least one subject alternative name.
    pub fn server() -> Self {
        Self::with_names(&[ExtendedKeyUsage::ServerAuth])
    }

    /// A TLS server that is a client too. It needs at least one subject alternative name.
    pub fn peer() -> Self {
        Self::with_names(&[ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth])
    }

    /// Whoever is no CA, without any usage: what certificates of other purposes start from. It has basic constraints, and no
    /// other extension.
    pub fn end_entity() -> Self {
        Self::new(
            BasicConstraints {
                ca: false,
                path_len: None,
            },
            365,
        )
    }

    fn authority(days: u32) -> Self {
        let is_ca = BasicConstraints {
            ca: true,
            path_len: None,
        };
        let signs = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
        Self::new(is_ca, days).extension(Extension::key_usage(signs))
    }

    fn with_names(purposes: &[ExtendedKeyUsage]) -> Self {
        let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
        Self {
            alt_names: AltNames::Requested,
            needs_alt_names: true,
            ..Self::end_entity()
                .extension(Extension::key_usage(usage))
                .extension(Extension::purposes(purposes))
        }
    }

    fn new(constraints: BasicConstraints, days: u32) -> Self {
        Self {
            signature_algorithm: None,
            is_root: false,
            extensions: vec![Extension::basic_constraints(constraints)],
            subject: SubjectPolicy::requested(),
            alt_names: AltNames::Fixed(Vec::new()),
            needs_alt_names: false,
            has_critical_alt_names: false,
            minimum_rsa_bits: 2048,
            allowed_keys: None,
            lifetime: Lifetime::of_days(days),
        }
    }

    /// Writes this extension, in the place of one with the same object identifier where there is one.
    pub fn extension(mut self, extension: Extension) -> Self {
        let mut present = self.extensions.iter_mut();
        match present.find(|present| present.id() == extension.id()) {
            Some(present) => *present = extension,
            None => self.extensions.push(extension),
        }
        self
    }

    /// Leaves the extension with this dotted object identifier out, where there is one: `2.5.29.19` are the basic constraints.
    pub fn without_extension(mut self, oid: &str) -> Self {
        self.extensions.retain(|extension| extension.oid() != oid);
        self
    }

    /// Which subjects are granted. Otherwise it is what the request asks for.
    pub fn subject(mut self, subject: SubjectPolicy) -> Self {
        self.subject = subject;
        self
    }

    /// Validity from five minutes ago (for clocks that are behind) until `days` times 24 hours from now.
    pub fn valid_for_days(self, days: u32) -> Self {
        self.valid_for(days_long(days))
    }

    /// Validity from five minutes ago (for clocks that are behind) until this long from now: minutes, or years.
    pub fn valid_for(mut self, duration: Duration) -> Self {
        self.lifetime.period = Period::For(duration);
        self
    }

    /// Validity between two exact times; fractions of a second are cut off.
    pub fn validity(mut self, validity: Validity) -> Self {
        self.lifetime.period = Period::Exact(validity);
        self
    }

    /// Validity without a well-defined expiration date: until the end of the year 9999 (RFC 5280, section 4.1.2.5). A CA that
    /// expires can't grant it.
    pub fn valid_forever(mut self) -> Self {
        self.lifetime.period = Period::Forever;
        self
    }

    /// How long before the issuance the validity starts, in the place of five minutes; but never before that of the CA. An
    /// exact validity starts where it says.
    pub fn backdated(mut self, duration: Duration) -> Self {
        self.lifetime.backdated = duration;
        self
    }

    /// Cuts the validity off where that of the CA and its issuers ends, where it would be an error otherwise.
    pub fn clamped(mut self) -> Self {
        self.lifetime.is_clamped = true;
        self
    }

    /// The algorithm of the CA's signature, RSASSA-PSS for example. Otherwise it is
    /// [the usual one](SignatureAlgorithm::usual_for) of the CA's key.
    pub fn signature_algorithm(mut self, algorithm: SignatureAlgorithm) -> Self {
        self.signature_algorithm = Some(algorithm);
        self
    }

    /// How many further CAs may stand below this one (0: it signs leaves only). Otherwise it is unlimited.
    pub fn path_len(self, path_len: u32) -> Self {
        let constraints = BasicConstraints {
            ca: self.is_authority(),
            path_len: Some(path_len),
        };
        self.extension(Extension::basic_constraints(constraints))
    }

    /// Grants these subject alternative names, whatever the request asks for.
    pub fn subject_alt_names(mut self, names: impl IntoIterator<Item = SubjectAltName>) -> Self {
        self.alt_names = AltNames::Fixed(names.into_iter().collect());
        self
    }

    /// Grants the subject alternative names that the request asks for: host names, IP addresses, e-mail addresses and URIs.
    pub fn requested_subject_alt_names(mut self) -> Self {
        self.alt_names = AltNames::Requested;
        self
    }

    /// Grants the subject alternative names that the request asks for, where each of them matches one of these patterns. What
    /// may be taken for such a name in the subject has to match one, too: a common name that looks like a host name or an IP
    /// address, and an emailAddress. Where the certificate may be a TLS server's (by its extended key usage, or because it has
    /// none) and has no host name, clients compare any common name with the host that they connect to: then one that could be
    /// such a host has to match, too, of one label as well. One that nobody can judge is refused: a common name with a NUL
    /// inside, and an emailAddress that is not well-formed. A million comparisons of names with patterns are made at most.
    pub fn matching_subject_alt_names(
        mut self,
        patterns: impl IntoIterator<Item = NamePattern>,
    ) -> Self {
        self.alt_names = AltNames::Matching(patterns.into_iter().collect());
        self
    }

    /// Marks subject alternative names as critical. Otherwise they are where the subject is empty, as RFC 5280, section 4.2.1.6
    /// has it.
    pub fn critical_subject_alt_names(mut self) -> Self {
        self.has_critical_alt_names = true;
        self
    }

    /// The shortest RSA key that is certified, in bits. Otherwise it is 2048, below which RSA is no longer held to be
    /// strong enough (NIST SP 800-131A); a Symphony pod wants 4096 of its clients.
    pub fn minimum_rsa_bits(mut self, bits: usize) -> Self {
        self.minimum_rsa_bits = bits;
        self
    }

    /// The keys that are certified: those of these algorithms, where RSA stands for its size and larger ones. Otherwise it is
    /// any that this crate knows.
    pub fn allowed_keys(mut self, keys: impl IntoIterator<Item = KeyAlgorithm>) -> Self {
        self.allowed_keys = Some(keys.into_iter().collect());
        self
    }

    /// Whether what it makes is a CA.
    pub(crate) fn is_authority(&self) -> bool {
        let constraints = self
            .extensions
            .iter()
            .find_map(Extension::as_basic_constraints);
        constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Whether a TLS client takes what it makes for a server's certificate.
    fn may_serve_tls(&self) -> bool {
        let mut purposes = self
            .extensions
            .iter()
            .filter_map(Extension::is_for_tls_servers);
        purposes.next().unwrap_or(true)
    }

    /// The extensions that it writes.
    pub(crate) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The subject that it has of its own.
    pub(crate) fn own_subject(&self) -> Option<&DistinguishedName> {
        self.subject.own()
    }

    /// The alternative names that it has of its own.
    pub(crate) fn own_alt_names(&self) -> Option<&[SubjectAltName]> {
        match &self.alt_names {
            AltNames::Fixed(names) => Some(names),
            AltNames::Requested | AltNames::Matching(_) => None,
        }
    }

    /// Whether alternative names beside this subject are critical.
    pub(crate) fn has_critical_alt_names(&self, subject: &DistinguishedName) -> bool {
        self.has_critical_alt_names || subject.is_empty()
    }

    /// Checks that it can make a certificate at all.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let constraints = self
            .extensions
            .iter()
            .find_map(Extension::as_basic_constraints);
        let usage = self.extensions.iter().find_map(Extension::as_key_usage);
        let is_authority = self.is_authority();
        let signs = usage.is_some_and(KeyUsage::key_cert_sign);
        let reason = if constraints.is_some_and(|it| it.path_len.is_some()) && !is_authority {
            "only a CA has a path length"
        } else if signs && !is_authority {
            "only a CA has the key usage keyCertSign"
        } else if is_authority && !signs {
            "a CA needs the key usage keyCertSign"
        } else if usage.is_some_and(|it| !it.contains(KeyUsage::KEY_AGREEMENT) && it.agrees_only())
        {
            "encipherOnly and decipherOnly say something beside keyAgreement alone"
        } else if !is_authority && self.extensions.iter().any(Extension::is_for_authorities) {
            "only a CA has name constraints, policy mappings, policy constraints or inhibitAnyPolicy"
        } else {
            return Ok(());
        };
        Err(Error::InvalidProfile { reason })
    }

    /// Checks that it grants a certificate for a key of this algorithm.
    pub(crate) fn check_key(&self, key: KeyAlgorithm) -> Result<(), Error> {
        if let Some(bits) = key.rsa_bits()
            && bits < self.minimum_rsa_bits
        {
            return Err(Error::KeyTooSmall {
                found: bits,
                minimum: self.minimum_rsa_bits,
            });
        }
        let is_allowed = |allowed: &KeyAlgorithm| match (allowed, key) {
            (KeyAlgorithm::Rsa { bits: least }, KeyAlgorithm::Rsa { bits })
            | (KeyAlgorithm::RsaPss { bits: least, .. }, KeyAlgorithm::RsaPss { bits, .. }) => {
                bits >= *least
            }
            (allowed, key) => *allowed == key,
        };
        match &self.allowed_keys {
            Some(keys) if !keys.iter().any(is_allowed) => Err(Error::KeyNotAllowed {
                found: key.to_string(),
                allowed: listed(keys),
            }),
            _ => Ok(()),
        }
    }

    /// Checks that it grants this subject.
    pub(crate) fn check_subject(&self, subject: &DistinguishedName) -> Result<(), Error> {
        if subject.is_empty() && self.is_authority() {
            return Err(Error::NameMissing {
                reason: "a CA needs a subject",
            });
        }
        subject::check_values(subject)?;
        self.subject.check(subject)
    }

    /// Checks that it grants these alternative names beside this subject.
    pub(crate) fn check_alt_names(
        &self,
        subject: &DistinguishedName,
        names: &[SubjectAltName],
    ) -> Result<(), Error> {
        let grants_none = self.own_alt_names().is_some_and(<[_]>::is_empty);
        let reason = if self.needs_alt_names && names.is_empty() {
            if grants_none {
                return Err(Error::InvalidProfile {
                    reason: "it requires a subject alternative name, and grants none",
                });
            }
            "it requires at least one subject alternative name"
        } else if subject.is_empty() && names.is_empty() {
            match grants_none {
                true => "the subject is empty, and the profile grants no other name",
                false => "a certificate needs a subject or a subject alternative name",
            }
        } else {
            return match &self.alt_names {
                AltNames::Matching(patterns) => {
                    let has_host = names.iter().any(|it| matches!(it, SubjectAltName::Dns(_)));
                    let comparison = if self.may_serve_tls() && !has_host {
                        HostComparison::Likely
                    } else {
                        HostComparison::Unlikely
                    };
                    names::check(patterns, subject, names, comparison)
                }
                AltNames::Requested | AltNames::Fixed(_) => Ok(()),
            };
        };
        Err(Error::NameMissing { reason })
    }

    /// The validity of a certificate made at `now` under a CA with the given validity (`None` for one that signs itself), perhaps in
    /// the place of one with the validity `replaced`.
    pub(crate) fn validity_at(
        &self,
        now: SystemTime,
        authority: Option<Validity>,
        replaced: Option<Validity>,
    ) -> Result<Validity, Error> {
        let lifetime = replaced.map(|replaced| self.lifetime.clone().lasting_like(replaced));
        lifetime
            .as_ref()
            .unwrap_or(&self.lifetime)
            .validity_at(now, authority)
    }
}

/// For an error.
fn listed(all: &[impl ToString]) -> String {
    match all {
        [] => "none".to_owned(),
        all => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            all.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + 20_000 * DAY
    }

    fn authority() -> Validity {
        Validity {
            not_before: now() - DAY,
            not_after: now() + 10 * DAY,
        }
    }

    #[test]
    fn validity_starts_five_minutes_ago() {
        let validity = Profile::root()
            .valid_for_days(1)
            .validity_at(now(), None, None)
            .unwrap();
        assert_eq!(
            validity,
            Validity {
                not_before: now() - Duration::from_secs(300),
                not_after: now() + DAY
            }
        );
    }

    #[test]
    fn a_default_is_clamped_to_the_authority_on_both_ends() {
        let authority = Validity {
            not_before: now(),
            ..authority()
        };
        let validity = Profile::client()
            .validity_at(now(), Some(authority), None)
            .unwrap();
        assert_eq!(validity, authority);
    }

    #[test]
    fn an_explicit_wish_beyond_the_authority_is_an_error() {
        let limit = authority().not_after;
        assert_eq!(
            Profile::client()
                .valid_for_days(11)
                .validity_at(now(), Some(authority()), None),
            Err(Error::ValidityExceedsAuthority {
                requested: now() + 11 * DAY,
                limit
            })
        );
        let early = Validity {
            not_before: now() - 2 * DAY,
            not_after: now(),
        };
        assert_eq!(
            Profile::client()
                .validity(early)
                .validity_at(now(), Some(authority()), None),
            Err(Error::ValidityPrecedesAuthority {
                requested: now() - 2 * DAY,
                limit: now() - DAY
            })
        );
    }

    #[test]
    fn the_shortest_and_the_oldest_validity_are_granted() {
        // 1950 began 7305 days before 1970.
        let start = SystemTime::UNIX_EPOCH - 7305 * DAY;
        for exact in [
            Validity {
                not_before: start,
                not_after: now(),
            },
            Validity {
                not_before: now(),
                not_after: now(),
            },
        ] {
            let granted = Profile::client()
                .validity(exact)
                .validity_at(now(), None, None);
            assert_eq!(granted, Ok(exact));
        }
    }

    #[test]
    fn impossible_validities_are_errors() {
        let backwards = Validity {
            not_before: now(),
            not_after: now() - DAY,
        };
        let ancient = Validity {
            not_before: SystemTime::UNIX_EPOCH - 7305 * DAY - Duration::from_secs(1),
            not_after: now(),
        };
        for profile in [
            Profile::client().valid_for_days(0),
            Profile::client().valid_for_days(u32::MAX),
            Profile::client().validity(backwards),
            Profile::client().validity(ancient),
        ] {
            assert!(matches!(
                profile.validity_at(now(), None, None),
                Err(Error::InvalidValidity { .. })
            ));
        }
    }
}
