//! What the extensions of a certificate say that decide nothing about its key: where CRLs and issuers are, what policies there are,
//! and what is known by its number only.

use pki::{
    AccessDescription, Certificate, DistributionPoint, DistributionPointName, Error,
    NoticeReference, PolicyInformation, PolicyQualifier,
};

use super::{Item, Value, extension_name, hex};

/// Adds them to the item of the certificate. One that is malformed says so in the place of its values.
pub(super) fn add_to(item: Item, certificate: &Certificate) -> Item {
    let item = match certificate.name_constraints() {
        Some(constraints) => item
            .list("permittedSubtrees", constraints.permitted())
            .list("excludedSubtrees", constraints.excluded()),
        None => item,
    };
    let item = item
        .values("issuerAltNames", certificate.issuer_alt_names(), |name| {
            name.to_string()
        })
        .items(
            "crlDistributionPoints",
            certificate.crl_distribution_points(),
            |it| point("crlDistributionPoint", it),
        )
        .items("freshestCrl", certificate.freshest_crl(), |it| {
            point("freshestCrl", it)
        })
        .items(
            "authorityInfoAccess",
            certificate.authority_information_access(),
            |it| access("authorityInfoAccess", it),
        )
        .items(
            "subjectInfoAccess",
            certificate.subject_information_access(),
            |it| access("subjectInfoAccess", it),
        )
        .items(
            "certificatePolicies",
            certificate.certificate_policies(),
            policy,
        )
        .values("policyMappings", certificate.policy_mappings(), |mapping| {
            format!("{} = {}", mapping.issuer_domain, mapping.subject_domain)
        });
    let item = match certificate.policy_constraints() {
        Ok(constraints) => item
            .optional_text(
                "requireExplicitPolicy",
                constraints.and_then(|it| it.require_explicit_policy),
            )
            .optional_text(
                "inhibitPolicyMapping",
                constraints.and_then(|it| it.inhibit_policy_mapping),
            ),
        Err(error) => item.text("policyConstraints", error),
    };
    let item = match certificate.inhibit_any_policy() {
        Ok(number) => item.optional_text("inhibitAnyPolicy", number),
        Err(error) => item.text("inhibitAnyPolicy", error),
    };
    let others = certificate
        .extensions()
        .filter(|(oid, _)| !SHOWN.contains(oid))
        .map(|(oid, critical)| other(certificate, oid, critical));
    item.values(
        "tlsFeatures",
        certificate.tls_features(),
        |number| match number {
            5 => "status_request".to_owned(),
            17 => "status_request_v2".to_owned(),
            other => other.to_string(),
        },
    )
    .some_items("otherExtensions", others.collect())
}

impl Item {
    /// A list of what was read.
    fn values<T>(
        self,
        name: &'static str,
        read: Result<Vec<T>, Error>,
        shown: impl Fn(&T) -> String,
    ) -> Self {
        match read {
            Ok(values) => self.list(name, values.iter().map(shown)),
            Err(error) => self.text(name, error),
        }
    }

    /// A list of items.
    fn items<T>(
        self,
        name: &'static str,
        read: Result<Vec<T>, Error>,
        item: impl Fn(&T) -> Self,
    ) -> Self {
        match read {
            Ok(values) => self.some_items(name, values.iter().map(item).collect()),
            Err(error) => self.text(name, error),
        }
    }

    fn some_items(self, name: &'static str, items: Vec<Self>) -> Self {
        if items.is_empty() {
            return self;
        }
        self.with(name, Value::Items(items))
    }
}

fn point(kind: &'static str, point: &DistributionPoint) -> Item {
    let item = Item::new(kind);
    let item = match &point.name {
        Some(DistributionPointName::Full(names)) => item.list("names", names),
        Some(DistributionPointName::RelativeToIssuer(name)) => item.text("relativeName", name),
        None => item,
    };
    let reasons = point.reasons.map(pki::ReasonFlags::names);
    item.list("reasons", reasons.unwrap_or_default())
        .list("crlIssuer", &point.crl_issuer)
}

fn access(kind: &'static str, description: &AccessDescription) -> Item {
    Item::new(kind)
        .text("method", extension_name(&description.method))
        .text("location", &description.location)
}

fn policy(information: &PolicyInformation) -> Item {
    let (mut statements, mut texts, mut references, mut others) =
        <(Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
    for qualifier in &information.qualifiers {
        match qualifier {
            PolicyQualifier::Cps(uri) => statements.push(uri),
            PolicyQualifier::UserNotice(notice) => {
                texts.extend(notice.explicit_text.as_deref().map(clean));
                references.extend(notice.notice_ref.as_ref().map(reference));
            }
            PolicyQualifier::Other { id, .. } => others.push(extension_name(id)),
            _ => {}
        }
    }
    Item::new("certificatePolicy")
        .text("policy", &information.policy)
        .optional_text("name", pki::oid_name(&information.policy))
        .list("cps", statements)
        .list("notices", texts)
        .list("noticeReferences", references)
        .list("otherQualifiers", others)
}

fn reference(reference: &NoticeReference) -> String {
    let numbers: Vec<String> = reference.numbers.iter().map(u64::to_string).collect();
    format!("{}: {}", clean(&reference.organization), numbers.join(", "))
}

/// Text from a certificate, which may hold what a terminal obeys.
fn clean(text: &str) -> String {
    let shown = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(shown).collect()
}

fn other(certificate: &Certificate, oid: &str, critical: bool) -> Item {
    Item::new("extension")
        .text("id", oid)
        .optional_text("name", pki::oid_name(oid))
        .with("critical", Value::Flag(critical))
        .optional_text("value", certificate.extension_value(oid).map(hex))
}

/// What has a property of its own.
const SHOWN: [&str; 17] = [
    "2.5.29.14",          // subjectKeyIdentifier
    "2.5.29.15",          // keyUsage
    "2.5.29.17",          // subjectAltName
    "2.5.29.18",          // issuerAltName
    "2.5.29.19",          // basicConstraints
    "2.5.29.30",          // nameConstraints
    "2.5.29.31",          // cRLDistributionPoints
    "2.5.29.32",          // certificatePolicies
    "2.5.29.33",          // policyMappings
    "2.5.29.35",          // authorityKeyIdentifier
    "2.5.29.36",          // policyConstraints
    "2.5.29.37",          // extKeyUsage
    "2.5.29.46",          // freshestCRL
    "2.5.29.54",          // inhibitAnyPolicy
    "1.3.6.1.5.5.7.1.1",  // authorityInfoAccess
    "1.3.6.1.5.5.7.1.11", // subjectInfoAccess
    "1.3.6.1.5.5.7.1.24", // tlsFeature
];
