//! Which subjects a profile grants.

use std::collections::{HashMap, HashSet};

use crate::{Attribute, DistinguishedName, Error, name};

/// Which subjects a [`Profile`](crate::Profile) grants: the request's as it is, one of its own, or the request's where its
/// attributes are those that it may have.
///
/// ```
/// use pki::{Profile, SubjectPolicy};
///
/// let bots = SubjectPolicy::attributes()
///     .require("CN")?
///     .require_value("O", "Excelsior Bank")?
///     .allow_repeated("OU")?;
/// let profile = Profile::client().subject(bots);
/// # Ok::<(), pki::Error>(())
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectPolicy(Policy);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Policy {
    Requested,
    Fixed(DistinguishedName),
    Attributes(Rules),
}

/// Rules in the order in which they were said, one at most for a type of attribute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Rules {
    rules: Vec<Rule>,
    /// Where the rule for a type is, whose object identifier is dotted.
    by_type: HashMap<String, usize>,
}

/// What is said about one type of attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// The type's object identifier, dotted.
    oid: String,
    /// As it was named.
    attribute: String,
    is_required: bool,
    may_repeat: bool,
    value: Option<String>,
}

impl SubjectPolicy {
    /// The request's subject, whatever it is: what a profile starts with.
    pub fn requested() -> Self {
        Self(Policy::Requested)
    }

    /// This subject, whatever the request asks for.
    pub fn fixed(subject: DistinguishedName) -> Self {
        Self(Policy::Fixed(subject))
    }

    /// The request's subject, where it has the attributes that are required, and none but those that are required or
    /// allowed. Names of attributes are those of RFC 4514 text: `CN`, `emailAddress`, or a dotted object identifier.
    pub fn attributes() -> Self {
        Self(Policy::Attributes(Rules::default()))
    }

    /// It has one attribute of this type.
    ///
    /// # Errors
    /// [`Error::UnknownAttribute`]; [`Error::InvalidProfile`] for a type that has a rule already, or when the policy is not
    /// one of [`attributes`](Self::attributes). So have those below.
    pub fn require(self, attribute: &str) -> Result<Self, Error> {
        self.rule(attribute, true, false, None)
    }

    /// It has one attribute of this type, with this value, character for character.
    ///
    /// # Errors
    /// Those of [`require`](Self::require).
    pub fn require_value(self, attribute: &str, value: impl Into<String>) -> Result<Self, Error> {
        self.rule(attribute, true, false, Some(value.into()))
    }

    /// It may have one attribute of this type.
    ///
    /// # Errors
    /// Those of [`require`](Self::require).
    pub fn allow(self, attribute: &str) -> Result<Self, Error> {
        self.rule(attribute, false, false, None)
    }

    /// It may have any number of attributes of this type: `OU` and `DC` are used so.
    ///
    /// # Errors
    /// Those of [`require`](Self::require).
    pub fn allow_repeated(self, attribute: &str) -> Result<Self, Error> {
        self.rule(attribute, false, true, None)
    }

    fn rule(
        self,
        attribute: &str,
        is_required: bool,
        may_repeat: bool,
        value: Option<String>,
    ) -> Result<Self, Error> {
        let invalid = |reason| Error::InvalidProfile { reason };
        let Policy::Attributes(mut rules) = self.0 else {
            return Err(invalid(
                "only a subject policy of attributes has rules for them",
            ));
        };
        let oid = name::attribute_oid(attribute).ok_or_else(|| Error::UnknownAttribute {
            name: attribute.to_owned(),
        })?;
        let oid = oid.to_owned();
        let at = rules.rules.len();
        if rules.by_type.insert(oid.clone(), at).is_some() {
            return Err(invalid(
                "the subject policy has two rules for one attribute",
            ));
        }
        rules.rules.push(Rule {
            oid,
            attribute: attribute.to_owned(),
            is_required,
            may_repeat,
            value,
        });
        Ok(Self(Policy::Attributes(rules)))
    }

    /// The subject that is fixed, if one is.
    pub(crate) fn own(&self) -> Option<&DistinguishedName> {
        match &self.0 {
            Policy::Fixed(subject) => Some(subject),
            _ => None,
        }
    }

    /// Checks the attributes of a subject.
    pub(crate) fn check(&self, subject: &DistinguishedName) -> Result<(), Error> {
        let Policy::Attributes(rules) = &self.0 else {
            return Ok(());
        };
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for attribute in subject.rdns().iter().flatten() {
            let count = counts.entry(attribute.oid()).or_default();
            *count = count.saturating_add(1);
        }
        for attribute in subject.rdns().iter().flatten() {
            let not_allowed = |reason| Error::AttributeNotAllowed {
                attribute: shown(attribute),
                value: attribute.value().to_owned(),
                reason,
            };
            let rule = rules
                .about(attribute)
                .ok_or_else(|| not_allowed("the profile allows none"))?;
            if rule
                .value
                .as_deref()
                .is_some_and(|it| it != attribute.value())
            {
                return Err(not_allowed("the profile asks for another value"));
            }
            let is_repeated = counts.get(attribute.oid()).is_some_and(|count| *count > 1);
            if is_repeated && !rule.may_repeat {
                return Err(not_allowed("the profile allows one only"));
            }
        }
        let is_missing = |rule: &&Rule| rule.is_required && !counts.contains_key(rule.oid.as_str());
        match rules.rules.iter().find(is_missing) {
            Some(missing) => Err(Error::AttributeMissing {
                attribute: missing.attribute.clone(),
            }),
            None => Ok(()),
        }
    }
}

/// Checks that each value is a text which those who see it can tell from others; whatever the profile says, nobody could have meant
/// anything else.
pub(super) fn check_values(subject: &DistinguishedName) -> Result<(), Error> {
    for rdn in subject.rdns() {
        let mut types = HashSet::new();
        for attribute in rdn {
            let reason = if attribute.value().chars().any(char::is_control) {
                "it holds a control character"
            } else if attribute.value().is_empty() {
                "it is empty"
            } else if attribute.is_malformed_utf8() {
                "it is no UTF-8"
            } else if !types.insert(attribute.oid()) {
                "its RDN has two of this type"
            } else {
                continue;
            };
            return Err(Error::AttributeNotAllowed {
                attribute: shown(attribute),
                value: attribute.value().to_owned(),
                reason,
            });
        }
    }
    Ok(())
}

impl Rules {
    fn about(&self, attribute: &Attribute) -> Option<&Rule> {
        let at = self.by_type.get(attribute.oid())?;
        self.rules.get(*at)
    }
}

fn shown(attribute: &Attribute) -> String {
    attribute
        .short_name()
        .map_or_else(|| attribute.oid().to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DistinguishedName {
        text.parse().unwrap()
    }

    fn bots() -> SubjectPolicy {
        SubjectPolicy::attributes()
            .require("CN")
            .and_then(|policy| policy.require_value("O", "Bank"))
            .and_then(|policy| policy.allow("C"))
            .and_then(|policy| policy.allow_repeated("OU"))
            .unwrap()
    }

    #[test]
    fn a_subject_with_the_attributes_of_the_policy_is_granted() {
        for subject in [
            "/CN=a/O=Bank",
            "/C=GB/O=Bank/OU=x/OU=y/CN=a",
            "/O=Bank+CN=a",
        ] {
            assert_eq!(bots().check(&name(subject)), Ok(()), "{subject}");
        }
    }

    #[test]
    fn each_rule_has_a_subject_that_breaks_it_alone() {
        let missing = |attribute: &str| Error::AttributeMissing {
            attribute: attribute.to_owned(),
        };
        let not_allowed = |attribute: &str, value: &str, reason| Error::AttributeNotAllowed {
            attribute: attribute.to_owned(),
            value: value.to_owned(),
            reason,
        };
        for (subject, error) in [
            ("/O=Bank", missing("CN")),
            ("/CN=a", missing("O")),
            ("/", missing("CN")),
            (
                "/CN=a/O=bank",
                not_allowed("O", "bank", "the profile asks for another value"),
            ),
            (
                "/CN=a/O=Bank/O=Bank",
                not_allowed("O", "Bank", "the profile allows one only"),
            ),
            (
                "/CN=a/O=Bank+CN=b",
                not_allowed("CN", "a", "the profile allows one only"),
            ),
            (
                "/CN=a/O=Bank/C=GB/C=FR",
                not_allowed("C", "GB", "the profile allows one only"),
            ),
            (
                "/CN=a/O=Bank/L=London",
                not_allowed("L", "London", "the profile allows none"),
            ),
        ] {
            assert_eq!(bots().check(&name(subject)), Err(error), "{subject}");
        }
    }

    #[test]
    fn rules_that_contradict_each_other_are_refused() {
        let invalid = |policy: Result<SubjectPolicy, Error>| {
            matches!(policy, Err(Error::InvalidProfile { .. }))
        };
        assert!(invalid(bots().allow("commonName")));
        assert!(invalid(SubjectPolicy::requested().allow("CN")));
        assert!(invalid(SubjectPolicy::fixed(name("/CN=a")).require("CN")));
        assert!(matches!(
            bots().allow("nothing"),
            Err(Error::UnknownAttribute { .. })
        ));
        assert!(bots().allow("1.2.3.4").is_ok());
    }
}
