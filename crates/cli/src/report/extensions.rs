//! What the extensions of a certificate or a CRL say that decide nothing about its key: where CRLs and issuers are, what policies there are,
//! and what is known by its number only.

use pki::{
    AccessDescription, Certificate, Crl, DistributionPoint, DistributionPointName, Error,
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
    let item = item.values(
        "tlsFeatures",
        certificate.tls_features(),
        |number| match number {
            5 => "status_request".to_owned(),
            17 => "status_request_v2".to_owned(),
            other => other.to_string(),
        },
    );
    let is_shown = |oid: &str| {
        let mut shown = SHOWN.iter().filter(|(id, _)| *id == oid);
        shown.any(|(_, name)| item.fields.iter().any(|(field, _)| field == name))
    };
    let others = certificate
        .extensions()
        .filter(|(oid, _)| !is_shown(oid))
        .map(|(oid, critical)| other(oid, critical, certificate.extension_value(oid)))
        .collect();
    item.some_items("otherExtensions", others)
}

/// Those of a CRL. Which of them, or of those of its entries, keeps it from telling anybody's status is said.
pub(super) fn add_to_crl(item: Item, crl: &Crl) -> Item {
    let others = crl
        .extensions()
        .filter(|(oid, _)| !SHOWN_OF_CRL.contains(oid))
        .map(|(oid, critical)| other(oid, critical, None))
        .collect();
    item.some_items("otherExtensions", others).optional_text(
        "unsupportedCriticalExtension",
        crl.unsupported_critical_extension().map(extension_name),
    )
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

fn other(oid: &str, critical: bool, value: Option<&[u8]>) -> Item {
    Item::new("extension")
        .text("id", oid)
        .optional_text("name", pki::oid_name(oid))
        .with("critical", Value::Flag(critical))
        .optional_text("value", value.map(hex))
}

/// What has a property of its own, where there is something to say in it: a key usage without bits, for one, has none.
const SHOWN: [(&str, &str); 20] = [
    ("2.5.29.14", "subjectKeyIdentifier"),
    ("2.5.29.15", "keyUsage"),
    ("2.5.29.17", "subjectAltNames"),
    ("2.5.29.18", "issuerAltNames"),
    ("2.5.29.19", "ca"),
    ("2.5.29.30", "permittedSubtrees"),
    ("2.5.29.30", "excludedSubtrees"),
    ("2.5.29.31", "crlDistributionPoints"),
    ("2.5.29.32", "certificatePolicies"),
    ("2.5.29.33", "policyMappings"),
    ("2.5.29.35", "authorityKeyIdentifier"),
    ("2.5.29.36", "policyConstraints"),
    ("2.5.29.36", "requireExplicitPolicy"),
    ("2.5.29.36", "inhibitPolicyMapping"),
    ("2.5.29.37", "extendedKeyUsage"),
    ("2.5.29.46", "freshestCrl"),
    ("2.5.29.54", "inhibitAnyPolicy"),
    ("1.3.6.1.5.5.7.1.1", "authorityInfoAccess"),
    ("1.3.6.1.5.5.7.1.11", "subjectInfoAccess"),
    ("1.3.6.1.5.5.7.1.24", "tlsFeatures"),
];

/// Likewise, of a CRL.
const SHOWN_OF_CRL: [&str; 4] = [
    "2.5.29.20", // cRLNumber
    "2.5.29.27", // deltaCRLIndicator
    "2.5.29.28", // issuingDistributionPoint
    "2.5.29.35", // authorityKeyIdentifier
];
