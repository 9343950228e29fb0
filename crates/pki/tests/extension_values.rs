//! Extensions that OpenSSL wrote, as values.
#![allow(clippy::unwrap_used)] // tests

use pki::{
    AccessDescription, Certificate, CertificateAuthority, DistributionPoint, DistributionPointName,
    Error, GeneralName, Issuance, KeyKind, NoticeReference, PolicyConstraints, PolicyInformation,
    PolicyMapping, PolicyQualifier, PrivateKey, Profile, ReasonFlags, SubjectAltName, Uri,
    UserNotice,
};

fn full() -> Certificate {
    Certificate::from_pem(include_bytes!("data/extensions/full.pem")).unwrap()
}

fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

#[test]
fn distribution_points_are_read() {
    let name = |name| DistributionPoint {
        name: Some(name),
        ..DistributionPoint::default()
    };
    let issuer = "/C=GB/CN=CRL Issuer".parse().unwrap();
    assert_eq!(
        full().crl_distribution_points().unwrap(),
        [
            DistributionPoint {
                reasons: Some(ReasonFlags::from_names(["keyCompromise", "aACompromise"]).unwrap()),
                crl_issuer: vec![GeneralName::Directory(issuer)],
                ..name(DistributionPointName::Full(vec![
                    GeneralName::Uri(uri("http://a.example/1.crl")),
                    GeneralName::Uri(uri("http://b.example/1.crl")),
                ]))
            },
            name(DistributionPointName::RelativeToIssuer(
                "/CN=part".parse().unwrap()
            )),
        ]
    );
    assert_eq!(
        full().freshest_crl().unwrap(),
        [DistributionPoint::uri(uri("http://a.example/delta.crl"))]
    );
}

#[test]
fn information_accesses_are_read() {
    assert_eq!(
        full().authority_information_access().unwrap(),
        [
            AccessDescription::ocsp(uri("http://ocsp.example/")),
            AccessDescription::ca_issuers(uri("http://a.example/ca.cer")),
        ]
    );
    assert_eq!(
        full().subject_information_access().unwrap(),
        [AccessDescription {
            method: "1.3.6.1.5.5.7.48.5".to_owned(),
            location: GeneralName::Uri(uri("http://repository.example/")),
        }]
    );
}

#[test]
fn policies_are_read_with_their_qualifiers() {
    let notice = UserNotice {
        explicit_text: Some("Explicit Text Here".to_owned()),
        notice_ref: Some(NoticeReference {
            organization: "Organisation Name".to_owned(),
            numbers: vec![1, 2, 300],
        }),
    };
    assert_eq!(
        full().certificate_policies().unwrap(),
        [
            PolicyInformation::new("1.2.4"),
            PolicyInformation {
                policy: "1.3.5.8".to_owned(),
                qualifiers: vec![
                    PolicyQualifier::Cps(uri("http://cps.example/")),
                    PolicyQualifier::UserNotice(notice),
                ],
            },
        ]
    );
    assert_eq!(
        full().policy_mappings().unwrap(),
        [PolicyMapping {
            issuer_domain: "1.2.4".to_owned(),
            subject_domain: "1.2.5".to_owned(),
        }]
    );
    assert_eq!(
        full().policy_constraints().unwrap(),
        Some(PolicyConstraints {
            require_explicit_policy: Some(3),
            inhibit_policy_mapping: Some(0),
        })
    );
    assert_eq!(full().inhibit_any_policy(), Ok(Some(2)));
    assert_eq!(full().tls_features(), Ok(vec![5, 17]));
}

#[test]
fn what_is_not_there_is_empty() {
    let plain = Certificate::from_pem(include_bytes!("data/pkcs12/leaf.crt")).unwrap();
    assert_eq!(plain.crl_distribution_points(), Ok(Vec::new()));
    assert_eq!(plain.freshest_crl(), Ok(Vec::new()));
    assert_eq!(plain.authority_information_access(), Ok(Vec::new()));
    assert_eq!(plain.subject_information_access(), Ok(Vec::new()));
    assert_eq!(plain.certificate_policies(), Ok(Vec::new()));
    assert_eq!(plain.policy_mappings(), Ok(Vec::new()));
    assert_eq!(plain.policy_constraints(), Ok(None));
    assert_eq!(plain.inhibit_any_policy(), Ok(None));
    assert_eq!(plain.tls_features(), Ok(Vec::new()));
    assert_eq!(plain.extension_value("2.5.29.31"), None);
}

/// One octet of the value's first length more, and whoever asks is told; the certificate is read all the same.
#[test]
fn what_is_malformed_is_an_error_for_those_who_ask() {
    type Ask = fn(&Certificate) -> Result<(), Error>;
    let questions: [(&str, Ask); 9] = [
        ("2.5.29.31", |it| it.crl_distribution_points().map(drop)),
        ("2.5.29.46", |it| it.freshest_crl().map(drop)),
        ("1.3.6.1.5.5.7.1.1", |it| {
            it.authority_information_access().map(drop)
        }),
        ("1.3.6.1.5.5.7.1.11", |it| {
            it.subject_information_access().map(drop)
        }),
        ("2.5.29.32", |it| it.certificate_policies().map(drop)),
        ("2.5.29.33", |it| it.policy_mappings().map(drop)),
        ("2.5.29.36", |it| it.policy_constraints().map(drop)),
        ("2.5.29.54", |it| it.inhibit_any_policy().map(drop)),
        ("1.3.6.1.5.5.7.1.24", |it| it.tls_features().map(drop)),
    ];
    let full = full();
    for (oid, ask) in questions {
        ask(&full).unwrap();
        let value = full.extension_value(oid).unwrap();
        let mut der = full.as_der().to_vec();
        let at = der
            .windows(value.len())
            .rposition(|part| part == value)
            .unwrap();
        der[at + 1] += 1;
        let broken = Certificate::from_der(&der).unwrap();
        assert!(
            matches!(ask(&broken), Err(Error::Malformed { .. })),
            "{oid}: {:?}",
            ask(&broken)
        );
    }
}

const UUID: &str = "2.25.329800735698586629295641978511506172918";

fn large() -> Certificate {
    Certificate::from_pem(include_bytes!("data/extensions/large-oids.pem")).unwrap()
}

/// What OpenSSL shows of them.
#[test]
fn object_identifiers_of_any_size_are_read() {
    let large = large();
    let name = "CN=large";
    assert_eq!(
        large.subject().to_string(),
        format!("{UUID}=#0c0161,{name}")
    );
    let purposes = large.extended_key_usage().unwrap();
    let purposes: Vec<_> = purposes.iter().map(|it| it.oid()).collect();
    assert_eq!(purposes, [UUID, "2.999.1", "2.48.1"]);
    assert_eq!(
        large.certificate_policies().unwrap(),
        [UUID, "2.999.1"].map(PolicyInformation::new)
    );
    let names: Vec<_> = large
        .subject_alt_names()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        names,
        [
            "registeredID:2.999.1".to_owned(),
            format!("otherName:{UUID}:0500")
        ]
    );
    for oid in [UUID, "1.3.6.1.4.1.4294967296"] {
        assert_eq!(large.extension_value(oid), Some(&[5, 0][..]), "{oid}");
    }
}

#[test]
fn object_identifiers_of_any_size_are_written() {
    let large = large();
    let profile = format!(
        "extended-key-usage = ['{UUID}', '2.999.1', '2.48.1']
         certificate-policies = [{{ policy = '{UUID}' }}, {{ policy = '2.999.1' }}]
         names.fixed = ['registeredID:2.999.1', 'otherName:{UUID}:0500']
         subject.allowed = ['CN', '{UUID}']
         custom-extensions = [
           {{ oid = '{UUID}', der = '0500' }},
           {{ oid = '1.3.6.1.4.1.4294967296', der = '0500' }},
         ]"
    );
    let profile = Profile::from_toml(&profile).unwrap();
    let subject = format!("{UUID}=#0c0161,CN=large").parse().unwrap();
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let ours = Issuance::for_key(key.public_key(), subject)
        .prepare_self_signed(&profile)
        .unwrap()
        .sign(&key)
        .unwrap();
    assert_eq!(ours.subject(), large.subject());
    for (oid, _) in large.extensions() {
        assert_eq!(
            ours.extension_value(oid),
            large.extension_value(oid),
            "{oid}"
        );
    }
}

#[test]
fn a_renewed_certificate_keeps_object_identifiers_of_any_size() {
    let old = large();
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let ca = CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key, &Profile::root())
        .unwrap();
    // Renewed is what the CA has issued.
    let issuance = Issuance::for_key(&old.public_key().unwrap(), old.subject().clone())
        .subject_alt_names(old.subject_alt_names().iter().cloned());
    let profile = Profile::from_toml(&format!(
        "extended-key-usage = ['{UUID}']
         custom-extensions = [{{ oid = '{UUID}', der = '0500' }}]"
    ))
    .unwrap();
    let issued = ca.prepare(&issuance, &profile).unwrap();
    let issued = issued.sign(ca.private_key()).unwrap();
    let issuance = Issuance::renewal(&issued).unwrap();
    let renewed = ca.prepare(&issuance, &Profile::end_entity()).unwrap();
    assert_eq!(
        renewed
            .ungranted()
            .iter()
            .filter(|it| it.to_string().contains(UUID))
            .count(),
        2 // the extension, and the name that no profile grants
    );
    assert!(renewed.unsigned().extensions().eq(issued.extensions()));
    for (oid, _) in issued.extensions() {
        let values = [renewed.unsigned(), &issued].map(|it| it.extension_value(oid));
        assert_eq!(values[0], values[1], "{oid}");
    }
    assert!(SubjectAltName::registered_id(UUID).is_ok());
}
