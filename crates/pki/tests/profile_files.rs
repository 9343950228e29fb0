//! Profiles in TOML: what is more than a key and a value.
#![allow(clippy::unwrap_used)] // tests

use std::time::{Duration, SystemTime};

use pki::{
    AccessDescription, CertificateAuthority, DistributionPoint, DistributionPointName, Error,
    Extension, Fault, GeneralName, GeneralSubtree, KeyKind, NameConstraints, NoticeReference,
    PolicyInformation, PolicyQualifier, PrivateKey, Profile, ReasonFlags, SubjectAltName,
    SubjectPolicy, Uri, UserNotice, Validity,
};

fn read(text: &str) -> Result<Profile, Error> {
    Profile::from_toml(text)
}

fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

fn with(extension: Result<Extension, Error>) -> Profile {
    Profile::end_entity().extension(extension.unwrap())
}

#[test]
fn exact_dates_are_dates_of_toml_or_texts() {
    let validity = Validity {
        not_before: SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600),
        not_after: SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 + 3600),
    };
    let exact = Profile::end_entity().validity(validity);
    for text in [
        "validity = { not-before = 2026-01-01T00:00:00Z, not-after = 2026-01-01T01:00:00Z }",
        "validity = { not-before = '2026-01-01T00:00:00Z', not-after = '2026-01-01T02:00:00+01:00' }",
        "[validity]\nnot-before = 2025-12-31 23:00:00-01:00\nnot-after = 2026-01-01T01:00:00.5Z",
    ] {
        assert_eq!(read(text), Ok(exact.clone()), "{text}");
    }
    assert_eq!(
        read(
            "validity = { not-before = 2026-01-01T00:00:00Z, not-after = 2026-01-01T01:00:00Z, clamped = true }"
        ),
        Ok(exact.clamped())
    );
}

#[test]
fn dates_that_say_no_time_are_refused() {
    for date in [
        "2026-01-01",
        "2026-01-01T00:00:00",
        "1",
        "'tomorrow'",
        "''",
        "'2026-13-01T00:00:00Z'",
    ] {
        let text =
            format!("validity = {{ not-before = {date}, not-after = 2027-01-01T00:00:00Z }}");
        let refused = read(&text);
        assert!(
            matches!(&refused, Err(Error::InvalidProfileFile { reason, .. }) if reason.contains("is no date")),
            "{refused:?}"
        );
    }
    let dates = "not-before = 2026-01-01T00:00:00Z, not-after = 2027-01-01T00:00:00Z";
    for validity in [
        "not-before = 2026-01-01T00:00:00Z",
        "not-after = 2026-01-01T00:00:00Z",
        &format!("{dates}, for = '1d'"),
        &format!("{dates}, forever = true"),
        &format!("{dates}, backdated = '1d'"),
        "for = '1d', forever = true",
    ] {
        let refused = read(&format!("validity = {{ {validity} }}"));
        assert!(
            matches!(refused, Err(Error::InvalidProfileFile { .. })),
            "{validity}: {refused:?}"
        );
    }
    let refused = read(&format!("validity = {{ {dates}, backdated = '1d' }}"));
    assert!(matches!(
        refused,
        Err(Error::InvalidProfileFile { reason, .. })
            if reason == "validity: exact dates are not backdated"
    ));
}

#[test]
fn a_distribution_point_is_a_uri_or_says_more() {
    let named = DistributionPoint {
        name: Some(DistributionPointName::Full(vec![
            GeneralName::Uri(uri("http://a.example/")),
            GeneralName::Directory("CN=a".parse().unwrap()),
        ])),
        reasons: Some(ReasonFlags::from_names(["keyCompromise", "cACompromise"]).unwrap()),
        crl_issuer: vec![GeneralName::Directory("CN=b".parse().unwrap())],
    };
    let relative = DistributionPoint {
        name: Some(DistributionPointName::RelativeToIssuer(
            "CN=c".parse().unwrap(),
        )),
        ..DistributionPoint::default()
    };
    let issuer = DistributionPoint {
        crl_issuer: vec![GeneralName::Directory("CN=d".parse().unwrap())],
        ..DistributionPoint::default()
    };
    let points = [
        DistributionPoint::uri(uri("http://b.example/")),
        named,
        relative,
        issuer,
    ];
    let listed = "[
        'http://b.example/',
        { names = ['URI:http://a.example/', 'dirName:CN=a'], reasons = ['keyCompromise', 'cACompromise'], crl-issuer = ['dirName:CN=b'] },
        { relative-name = 'CN=c' },
        { crl-issuer = ['dirName:CN=d'] },
    ]";
    assert_eq!(
        read(&format!("crl-distribution-points = {listed}")),
        Ok(with(Extension::crl_distribution_points(points.clone())))
    );
    assert_eq!(
        read(&format!("freshest-crl = {listed}")),
        Ok(with(Extension::freshest_crl(points)))
    );
}

#[test]
fn the_subject_information_access_is_read_for_what_it_is() {
    let other = AccessDescription {
        method: "1.2.3".to_owned(),
        location: "dirName:CN=a".parse().unwrap(),
    };
    let services = [
        AccessDescription::ca_repository(uri("http://a.example/")),
        AccessDescription::time_stamping(uri("http://b.example/")),
        other,
    ];
    assert_eq!(
        read(
            "subject-information-access = [
            { method = 'caRepository', location = 'URI:http://a.example/' },
            { method = 'timeStamping', location = 'URI:http://b.example/' },
            { method = '1.2.3', location = 'dirName:CN=a' },
        ]"
        ),
        Ok(with(Extension::subject_information_access(services)))
    );
}

#[test]
fn a_notice_is_a_text_or_refers_to_one() {
    let notice = |explicit_text: Option<&str>| PolicyInformation {
        policy: PolicyInformation::ANY.to_owned(),
        qualifiers: vec![PolicyQualifier::UserNotice(UserNotice {
            explicit_text: explicit_text.map(str::to_owned),
            notice_ref: Some(NoticeReference {
                organization: "o".to_owned(),
                numbers: vec![1, 2],
            }),
        })],
    };
    for (text, notice) in [
        (
            "{ text = 't', organization = 'o', numbers = [1, 2] }",
            notice(Some("t")),
        ),
        ("{ organization = 'o', numbers = [1, 2] }", notice(None)),
    ] {
        assert_eq!(
            read(&format!(
                "certificate-policies = [{{ policy = 'anyPolicy', notice = {text} }}]"
            )),
            Ok(with(Extension::certificate_policies([notice])))
        );
    }
}

#[test]
fn names_of_any_form_are_granted_by_a_file() {
    let other = "otherName:1.2.3:0c0161".parse::<SubjectAltName>().unwrap();
    assert_eq!(other.to_string(), "otherName:1.2.3:0c0161");
    assert_eq!(
        read("names.fixed = ['otherName:1.2.3:0c0161']"),
        Ok(Profile::end_entity().subject_alt_names([other]))
    );
}

#[test]
fn what_is_not_known_or_well_formed_is_the_fault_of_the_file() {
    for (text, line) in [
        ("crl-distribution-points = [{ unknown = 1 }]", Some(1)),
        ("crl-distribution-points = [1]", Some(1)),
        (
            "\ncertificate-policies = [{ policy = '1.2', notice = 1 }]",
            Some(2),
        ),
        (
            "certificate-policies = [{ policy = '1.2', notice = { text = 'a' } }]",
            Some(1),
        ),
        ("subject-information-access = [{ method = '1.2' }]", Some(1)),
        (
            "subject-information-access = [{ method = '1.2', location = 'a' }]",
            None,
        ),
        ("crl-distribution-points = ['a']", None),
        ("crl-distribution-points = [{ names = ['a'] }]", None),
        ("names.fixed = ['otherName:1.2.3:050100']", None),
    ] {
        let refused = read(text);
        assert!(
            matches!(&refused, Err(Error::InvalidProfileFile { line: found, .. }) if *found == line),
            "{text}: {refused:?}"
        );
    }
    for text in [
        "crl-distribution-points = [{ reasons = ['keyCompromise'] }]",
        "crl-distribution-points = [{ names = ['URI:a:b'], reasons = ['unspecified'] }]",
        "crl-distribution-points = [{ names = ['URI:a:b'], relative-name = 'CN=a' }]",
        "crl-distribution-points = [{ relative-name = 'CN=a,O=b' }]",
        "subject-information-access = []",
        "subject-information-access = [{ method = 'ocsp', location = 'URI:a:b' }]",
        "certificate-policies = [{ policy = '1.2', notice = { organization = 'o', numbers = [] } }]",
        // A NULL with contents, and a BOOLEAN that is neither.
        "custom-extensions = [{ oid = '1.2.3', der = '050100' }]",
        "custom-extensions = [{ oid = '1.2.3', der = '3003010101' }]",
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.fault(), Fault::Profile, "{text}: {error}");
    }
}

#[test]
fn a_list_of_expectations_names_the_table() {
    let error = read("crl-distribution-points = [{ name = 'a' }]").unwrap_err();
    assert!(error.to_string().contains("crl-issuer"), "{error}");
    let error = read("certificate-policies = [{ policy = '1.2', notice = {} }]").unwrap_err();
    assert!(error.to_string().contains("organization"), "{error}");
}

#[test]
fn the_first_rule_that_was_said_is_the_one_that_is_missed() {
    let rules = SubjectPolicy::attributes()
        .require("O")
        .and_then(|rules| rules.require("CN"))
        .unwrap();
    let key = pki::PrivateKey::generate(pki::KeyKind::EcP256).unwrap();
    let issuance = pki::Issuance::for_key(key.public_key(), "/C=GB".parse().unwrap());
    let refused =
        issuance.prepare_self_signed(&Profile::end_entity().subject(rules.allow("C").unwrap()));
    assert!(
        matches!(&refused, Err(Error::AttributeMissing { attribute, .. }) if attribute == "O"),
        "{refused:?}"
    );
}

/// RFC 5280, section 4.2.1.10: the empty name is above all others.
#[test]
fn all_directory_names_can_be_excluded() {
    let key = || PrivateKey::generate(KeyKind::EcP256).unwrap();
    let root =
        CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key(), &Profile::root())
            .unwrap();
    let constrained = |excluded: &str| {
        let constraints =
            NameConstraints::new([], [excluded.parse::<GeneralSubtree>().unwrap()]).unwrap();
        let profile = Profile::intermediate().extension(Extension::name_constraints(&constraints));
        root.create_intermediate("/CN=Sub".parse().unwrap(), key(), &profile)
            .unwrap()
    };
    let issue = |ca: &CertificateAuthority| {
        ca.issue_for(
            key().public_key(),
            "/CN=a".parse().unwrap(),
            &Profile::client(),
        )
    };
    assert!(matches!(
        issue(&constrained("dirName:/")),
        Err(Error::NameExcluded { excluded, .. }) if excluded == "dirName:"
    ));
    assert!(issue(&constrained("dirName:/CN=b")).is_ok());
}
