//! Certificate policies, their mappings and constraints (RFC 5280, sections 4.2.1.4, 4.2.1.5 and 4.2.1.11).

use crate::{
    Error, Uri,
    der::{self, Reader, Tlv},
};

/// A policy that a certificate was issued under (RFC 5280, section 4.2.1.4).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PolicyInformation {
    /// The policy, as a dotted object identifier; [`PolicyInformation::ANY`] is all of them.
    pub policy: String,
    /// What else there is to say about it.
    pub qualifiers: Vec<PolicyQualifier>,
}

/// What else there is to say about a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyQualifier {
    /// Where the certification practice statement is.
    Cps(Uri),
    /// A text for whoever relies on the certificate.
    UserNotice(UserNotice),
    /// Another qualifier, which RFC 5280 doesn't define.
    Other {
        /// Its object identifier, dotted.
        id: String,
        /// Its value in DER.
        value: Vec<u8>,
    },
}

/// A text for whoever relies on the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct UserNotice {
    /// The text: at most 200 characters.
    pub explicit_text: Option<String>,
    /// Where else it stands. RFC 5280 has new certificates do without.
    pub notice_ref: Option<NoticeReference>,
}

/// Texts of an organization, by number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NoticeReference {
    /// The organization: at most 200 characters.
    pub organization: String,
    /// The numbers of its texts.
    pub numbers: Vec<u64>,
}

/// That a policy of the issuer counts as one of the subject (RFC 5280, section 4.2.1.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PolicyMapping {
    /// The policy of the issuer, as a dotted object identifier.
    pub issuer_domain: String,
    /// The policy of the subject.
    pub subject_domain: String,
}

/// What a path below a CA must say about policies (RFC 5280, section 4.2.1.11). Each is a number of certificates that may
/// still follow before it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PolicyConstraints {
    /// From then on, each certificate must be under an acceptable policy.
    pub require_explicit_policy: Option<u32>,
    /// From then on, policies are no longer mapped.
    pub inhibit_policy_mapping: Option<u32>,
}

impl PolicyInformation {
    /// Any policy at all (anyPolicy).
    pub const ANY: &str = "2.5.29.32.0";

    /// A policy without qualifiers.
    pub fn new(policy: impl Into<String>) -> Self {
        Self {
            policy: policy.into(),
            qualifiers: Vec::new(),
        }
    }

    /// Reads CertificatePolicies.
    pub(crate) fn read_all(der: &[u8]) -> Result<Vec<Self>, Error> {
        let mut policies = Reader::enter(der, der::SEQUENCE, POLICIES)?;
        let mut read = Vec::new();
        while !policies.is_empty() {
            let mut fields = policies.nested(der::SEQUENCE)?;
            let mut policy = Self::new(fields.dotted_oid()?);
            if !fields.is_empty() {
                let mut qualifiers = fields.nested(der::SEQUENCE)?;
                while !qualifiers.is_empty() {
                    let qualifier = PolicyQualifier::read(qualifiers.nested(der::SEQUENCE)?)?;
                    policy.qualifiers.push(qualifier);
                }
            }
            fields.finish()?;
            read.push(policy);
        }
        Ok(read)
    }

    /// The SEQUENCE.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let policy = oid(&self.policy, POLICIES)?;
        let qualifiers: Vec<Vec<u8>> = self
            .qualifiers
            .iter()
            .map(PolicyQualifier::encode)
            .collect::<Result<_, _>>()?;
        let qualifiers = match qualifiers.as_slice() {
            [] => Vec::new(),
            some => der::sequence(&[&some.concat()]),
        };
        Ok(der::sequence(&[&policy, &qualifiers]))
    }
}

impl PolicyQualifier {
    /// One that is not in the form that RFC 5280 has for it is an `Other`.
    fn read(mut fields: Reader<'_>) -> Result<Self, Error> {
        let id = fields.dotted_oid()?;
        let value = fields.read()?;
        fields.finish()?;
        let known = match id.as_str() {
            CPS => display(value)
                .filter(|_| value.tag == der::IA5_STRING)
                .and_then(|uri| Uri::new(uri).ok())
                .map(Self::Cps),
            USER_NOTICE => UserNotice::read(value.raw).ok().map(Self::UserNotice),
            _ => None,
        };
        Ok(known.unwrap_or_else(|| Self::Other {
            id,
            value: value.raw.to_vec(),
        }))
    }

    fn encode(&self) -> Result<Vec<u8>, Error> {
        let (id, value) = match self {
            Self::Cps(uri) => (
                oid(CPS, POLICIES)?,
                der::tlv(der::IA5_STRING, &[uri.as_str().as_bytes()]),
            ),
            Self::UserNotice(notice) => (oid(USER_NOTICE, POLICIES)?, notice.encode()?),
            Self::Other { id, value } if der::is_well_formed(value) => {
                (oid(id, POLICIES)?, value.clone())
            }
            Self::Other { .. } => {
                return Err(invalid(
                    POLICIES,
                    "the value of a qualifier is not one well-formed DER value",
                ));
            }
        };
        Ok(der::sequence(&[&id, &value]))
    }
}

impl UserNotice {
    /// A notice with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            explicit_text: Some(text.into()),
            notice_ref: None,
        }
    }

    fn read(der: &[u8]) -> Result<Self, Error> {
        let mut fields = Reader::enter(der, der::SEQUENCE, POLICIES)?;
        let text = |found| {
            display(found).ok_or_else(|| der::malformed(POLICIES, "a text is in no string type"))
        };
        let mut notice = Self::default();
        if fields.peek() == Some(der::SEQUENCE) {
            let mut reference = fields.nested(der::SEQUENCE)?;
            let organization = text(reference.read()?)?;
            let mut all = reference.nested(der::SEQUENCE)?;
            reference.finish()?;
            let mut numbers = Vec::new();
            while !all.is_empty() {
                numbers.push(all.uint()?);
            }
            notice.notice_ref = Some(NoticeReference {
                organization,
                numbers,
            });
        }
        if !fields.is_empty() {
            notice.explicit_text = Some(text(fields.read()?)?);
        }
        fields.finish()?;
        Ok(notice)
    }

    fn encode(&self) -> Result<Vec<u8>, Error> {
        let reference = match &self.notice_ref {
            Some(reference) if reference.numbers.is_empty() => {
                return Err(invalid(POLICIES, "a notice reference has no number"));
            }
            Some(reference) => {
                let numbers: Vec<Vec<u8>> =
                    reference.numbers.iter().copied().map(der::uint).collect();
                der::sequence(&[
                    &display_text(&reference.organization)?,
                    &der::sequence(&[&numbers.concat()]),
                ])
            }
            None => Vec::new(),
        };
        let text = match &self.explicit_text {
            Some(text) => display_text(text)?,
            None => Vec::new(),
        };
        if reference.is_empty() && text.is_empty() {
            return Err(invalid(POLICIES, "a user notice is empty"));
        }
        Ok(der::sequence(&[&reference, &text]))
    }
}

impl PolicyMapping {
    /// Reads PolicyMappings.
    pub(crate) fn read_all(der: &[u8]) -> Result<Vec<Self>, Error> {
        let mut mappings = Reader::enter(der, der::SEQUENCE, "policy mappings")?;
        let mut read = Vec::new();
        while !mappings.is_empty() {
            let mut fields = mappings.nested(der::SEQUENCE)?;
            read.push(Self {
                issuer_domain: fields.dotted_oid()?,
                subject_domain: fields.dotted_oid()?,
            });
            fields.finish()?;
        }
        Ok(read)
    }

    /// The SEQUENCE.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        const WHAT: &str = "policy mappings";
        if [&self.issuer_domain, &self.subject_domain]
            .into_iter()
            .any(|policy| policy == PolicyInformation::ANY)
        {
            return Err(invalid(WHAT, "anyPolicy is mapped neither from nor to"));
        }
        Ok(der::sequence(&[
            &oid(&self.issuer_domain, WHAT)?,
            &oid(&self.subject_domain, WHAT)?,
        ]))
    }
}

impl PolicyConstraints {
    /// Reads the SEQUENCE.
    pub(crate) fn read(der: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "policy constraints";
        let mut fields = Reader::enter(der, der::SEQUENCE, WHAT)?;
        let mut number = |tag| match fields.optional(tag)? {
            Some(contents) => skip_certs(&der::tlv(der::INTEGER, &[contents]), WHAT).map(Some),
            None => Ok(None),
        };
        let constraints = Self {
            require_explicit_policy: number(der::IMPLICIT_0)?,
            inhibit_policy_mapping: number(der::IMPLICIT_1)?,
        };
        fields.finish()?;
        Ok(constraints)
    }

    /// The SEQUENCE.
    pub(crate) fn encode(self) -> Result<Vec<u8>, Error> {
        let number = |tag, number: Option<u32>| match number {
            Some(number) => der::retagged(tag, &der::uint(u64::from(number))),
            None => Ok(Vec::new()),
        };
        let required = number(der::IMPLICIT_0, self.require_explicit_policy)?;
        let inhibited = number(der::IMPLICIT_1, self.inhibit_policy_mapping)?;
        if required.is_empty() && inhibited.is_empty() {
            return Err(invalid("policy constraints", "they constrain nothing"));
        }
        Ok(der::sequence(&[&required, &inhibited]))
    }
}

/// SkipCerts (RFC 5280, section 4.2.1.11): how many certificates may still follow.
pub(crate) fn skip_certs(der: &[u8], what: &'static str) -> Result<u32, Error> {
    let mut value = Reader::new(der, what);
    let number = value.uint()?;
    value.finish()?;
    u32::try_from(number).map_err(|_| der::malformed(what, "a number is longer than any path"))
}

/// DisplayText, in any of its string types.
fn display(text: Tlv<'_>) -> Option<String> {
    match text.tag {
        der::UTF8_STRING | der::IA5_STRING | der::VISIBLE_STRING => {
            str::from_utf8(text.value).ok().map(str::to_owned)
        }
        der::BMP_STRING => {
            let (pairs, []) = text.value.as_chunks::<2>() else {
                return None;
            };
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

/// DisplayText as a UTF8String: RFC 5280 has explicitText in no other string type but IA5String, which it allows.
fn display_text(text: &str) -> Result<Vec<u8>, Error> {
    if !(1..=200).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        return Err(invalid(
            POLICIES,
            "a text has 1 to 200 characters, none of them a control character",
        ));
    }
    Ok(der::tlv(der::UTF8_STRING, &[text.as_bytes()]))
}

fn oid(text: &str, extension: &'static str) -> Result<Vec<u8>, Error> {
    der::dotted_oid(text)
        .ok_or_else(|| invalid(extension, "a policy is not a dotted object identifier"))
}

fn invalid(extension: &'static str, reason: &'static str) -> Error {
    Error::InvalidExtension { extension, reason }
}

const POLICIES: &str = "certificate policies";
const CPS: &str = "1.3.6.1.5.5.7.2.1";
const USER_NOTICE: &str = "1.3.6.1.5.5.7.2.2";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_every_string_type_that_it_may_have() {
        let read = |tag, value: &[u8]| {
            let text = der::tlv(tag, &[value]);
            display(Reader::new(&text, "text").read().unwrap())
        };
        for tag in [der::UTF8_STRING, der::IA5_STRING, der::VISIBLE_STRING] {
            assert_eq!(read(tag, b"a"), Some("a".to_owned()));
        }
        assert_eq!(read(der::BMP_STRING, &[0, 0x61]), Some("a".to_owned()));
        assert_eq!(read(der::BMP_STRING, &[0, 0x61, 0]), None);
        assert_eq!(read(der::OCTET_STRING, b"a"), None);
    }

    #[test]
    fn a_policy_is_written_in_the_octets_of_rfc_5280() {
        let with = |qualifier| PolicyInformation {
            policy: "1.2.3".to_owned(),
            qualifiers: vec![qualifier],
        };
        let notice = UserNotice {
            explicit_text: Some("t".to_owned()),
            notice_ref: Some(NoticeReference {
                organization: "o".to_owned(),
                numbers: vec![1, 128],
            }),
        };
        for (policy, octets) in [
            (PolicyInformation::new("1.2.3"), &b"\x30\x04\x06\x02\x2a\x03"[..]),
            (
                PolicyInformation::new(PolicyInformation::ANY),
                b"\x30\x06\x06\x04\x55\x1d\x20\x00",
            ),
            (
                with(PolicyQualifier::Cps(Uri::new("a:b").unwrap())),
                b"\x30\x17\x06\x02\x2a\x03\x30\x11\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x01\x16\x03a:b",
            ),
            (
                with(PolicyQualifier::UserNotice(UserNotice::text("t"))),
                b"\x30\x17\x06\x02\x2a\x03\x30\x11\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x02\x30\x03\x0c\x01t",
            ),
            (
                with(PolicyQualifier::UserNotice(notice)),
                b"\x30\x25\x06\x02\x2a\x03\x30\x1f\x30\x1d\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x02\x30\x11\x30\x0c\x0c\x01o\x30\x07\x02\x01\x01\x02\x02\x00\x80\x0c\x01t",
            ),
            (
                with(PolicyQualifier::Other { id: "1.2.4".to_owned(), value: vec![5, 0] }),
                b"\x30\x0e\x06\x02\x2a\x03\x30\x08\x30\x06\x06\x02\x2a\x04\x05\x00",
            ),
        ] {
            assert_eq!(policy.encode().unwrap(), octets, "{policy:?}");
        }
    }

    #[test]
    fn what_can_not_stand_in_a_policy_is_refused() {
        let notice =
            |explicit_text: &str| PolicyQualifier::UserNotice(UserNotice::text(explicit_text));
        let reference = |organization: &str, numbers| {
            PolicyQualifier::UserNotice(UserNotice {
                explicit_text: None,
                notice_ref: Some(NoticeReference {
                    organization: organization.to_owned(),
                    numbers,
                }),
            })
        };
        let other = |id: &str, value: &[u8]| PolicyQualifier::Other {
            id: id.to_owned(),
            value: value.to_vec(),
        };
        for qualifier in [
            PolicyQualifier::UserNotice(UserNotice::default()),
            notice(""),
            notice(&"a".repeat(201)),
            notice("a\nb"),
            reference("o", Vec::new()),
            reference("", vec![1]),
            other("a", &[5, 0]),
            other("1.2.3", &[5]),
        ] {
            let policy = PolicyInformation {
                qualifiers: vec![qualifier],
                ..PolicyInformation::new("1.2.3")
            };
            assert!(
                matches!(policy.encode(), Err(Error::InvalidExtension { .. })),
                "{policy:?}"
            );
        }
        assert!(PolicyInformation::new("a").encode().is_err());
        let longest = notice(&"\u{e4}".repeat(200));
        longest.encode().unwrap();
    }

    #[test]
    fn mappings_and_constraints_are_written_in_the_octets_of_rfc_5280() {
        let mapping = |issuer_domain: &str, subject_domain: &str| PolicyMapping {
            issuer_domain: issuer_domain.to_owned(),
            subject_domain: subject_domain.to_owned(),
        };
        assert_eq!(
            mapping("1.2.3", "1.2.4").encode().unwrap(),
            b"\x30\x08\x06\x02\x2a\x03\x06\x02\x2a\x04"
        );
        for (issuer, subject) in [
            (PolicyInformation::ANY, "1.2.3"),
            ("1.2.3", PolicyInformation::ANY),
            ("a", "1.2.3"),
            ("1.2.3", "a"),
        ] {
            assert!(mapping(issuer, subject).encode().is_err());
        }
        let constraints = |require_explicit_policy, inhibit_policy_mapping| PolicyConstraints {
            require_explicit_policy,
            inhibit_policy_mapping,
        };
        for (constraints, octets) in [
            (constraints(Some(0), None), &b"\x30\x03\x80\x01\x00"[..]),
            (constraints(None, Some(200)), b"\x30\x04\x81\x02\x00\xc8"),
            (
                constraints(Some(1), Some(2)),
                b"\x30\x06\x80\x01\x01\x81\x01\x02",
            ),
        ] {
            assert_eq!(constraints.encode().unwrap(), octets);
        }
        assert!(constraints(None, None).encode().is_err());
    }
}
