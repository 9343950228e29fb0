use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use pki::{
    AccessDescription, Certificate, DistributionPoint, DistributionPointName, GeneralName,
    PolicyQualifier,
};
use serde_json::{Map, Value, json};

/// What a certificate says, read with the functions that this library has for it.
pub(super) fn describe(certificate: &Certificate) -> Result<Value> {
    let mut extensions = Map::new();
    for (oid, critical) in certificate.extensions() {
        let value = value(certificate, oid).with_context(|| oid.to_owned())?;
        extensions.insert(oid.to_owned(), json!([critical, value]));
    }
    let validity = certificate.validity();
    Ok(json!({
        "validity": [seconds(validity.not_before)?, seconds(validity.not_after)?],
        "extensions": extensions,
    }))
}

fn value(certificate: &Certificate, oid: &str) -> Result<Value> {
    Ok(match oid {
        "2.5.29.14" => json!(certificate.subject_key_identifier().map(hex)),
        "2.5.29.15" => json!(certificate.key_usage().context("unread")?.names()),
        "2.5.29.17" => names(certificate.subject_alt_names()),
        "2.5.29.18" => names(&certificate.issuer_alt_names()?),
        "2.5.29.19" => {
            let constraints = certificate.basic_constraints().context("unread")?;
            json!([constraints.ca, constraints.path_len])
        }
        "2.5.29.30" => {
            let constraints = certificate.name_constraints().context("unread")?;
            let shown = |subtrees: &[pki::GeneralSubtree]| -> Vec<String> {
                subtrees.iter().map(ToString::to_string).collect()
            };
            json!([
                shown(constraints.permitted()),
                shown(constraints.excluded())
            ])
        }
        "2.5.29.31" => points(&certificate.crl_distribution_points()?),
        "2.5.29.46" => points(&certificate.freshest_crl()?),
        "2.5.29.32" => {
            let policies = certificate.certificate_policies()?;
            let policies = policies.iter().map(|information| {
                let qualifiers = information.qualifiers.iter().map(qualifier);
                json!([information.policy, qualifiers.collect::<Vec<_>>()])
            });
            policies.collect()
        }
        "2.5.29.33" => {
            let mappings = certificate.policy_mappings()?;
            let mappings = mappings
                .iter()
                .map(|mapping| json!([mapping.issuer_domain, mapping.subject_domain]));
            mappings.collect()
        }
        "2.5.29.35" => json!(certificate.authority_key_identifier().map(hex)),
        "2.5.29.36" => {
            let constraints = certificate.policy_constraints()?.context("unread")?;
            json!([
                constraints.require_explicit_policy,
                constraints.inhibit_policy_mapping
            ])
        }
        "2.5.29.37" => {
            let purposes = certificate.extended_key_usage().context("unread")?;
            purposes
                .iter()
                .map(|purpose| json!(purpose.oid()))
                .collect()
        }
        "2.5.29.54" => json!(certificate.inhibit_any_policy()?),
        "1.3.6.1.5.5.7.1.1" => access(&certificate.authority_information_access()?),
        "1.3.6.1.5.5.7.1.11" => access(&certificate.subject_information_access()?),
        "1.3.6.1.5.5.7.1.24" => json!(certificate.tls_features()?),
        other => json!(certificate.extension_value(other).map(hex)),
    })
}

fn qualifier(qualifier: &PolicyQualifier) -> Value {
    match qualifier {
        PolicyQualifier::Cps(uri) => json!(["cps", uri.as_str()]),
        PolicyQualifier::UserNotice(notice) => {
            let reference = notice.notice_ref.as_ref();
            let reference = reference.map(|it| json!([it.organization, it.numbers]));
            json!(["notice", notice.explicit_text, reference])
        }
        other => json!(format!("{other:?}")),
    }
}

fn points(points: &[DistributionPoint]) -> Value {
    let points = points.iter().map(|point| {
        let (full, relative) = match &point.name {
            Some(DistributionPointName::Full(full)) => (names(full), Value::Null),
            Some(DistributionPointName::RelativeToIssuer(name)) => {
                (Value::Null, json!(name.to_string()))
            }
            None => (Value::Null, Value::Null),
        };
        let reasons = point.reasons.map(pki::ReasonFlags::names);
        json!([full, relative, reasons, names(&point.crl_issuer)])
    });
    points.collect()
}

fn access(descriptions: &[AccessDescription]) -> Value {
    let shown = |it: &AccessDescription| json!([it.method, name(&it.location)]);
    descriptions.iter().map(shown).collect()
}

fn names(names: &[GeneralName]) -> Value {
    names.iter().map(|it| json!(name(it))).collect()
}

/// As it is displayed, but for user principal names, which have no form of their own here.
fn name(name: &GeneralName) -> String {
    match name {
        GeneralName::OtherName(other) => {
            format!("otherName:{}:{}", other.type_id(), hex(other.value_der()))
        }
        name => name.to_string(),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Since 1970.
fn seconds(time: SystemTime) -> Result<i64> {
    Ok(match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs())?,
        Err(before) => -i64::try_from(before.duration().as_secs())?,
    })
}
