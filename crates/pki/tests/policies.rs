//! Certificate policies along the path of a CA (RFC 5280, section 6.1): what is issued below policy constraints and mappings.
#![allow(clippy::unwrap_used)] // tests

use pki::{
    Certificate, CertificateAuthority, DistinguishedName, Error, Extension, Fault, Issuance,
    Issuer, KeyKind, PolicyConstraints, PolicyInformation, PolicyMapping, PrivateKey, Profile,
};

const ANY: &str = PolicyInformation::ANY;

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

fn name(text: &str) -> DistinguishedName {
    text.parse().unwrap()
}

fn policies(policies: &[&str]) -> Vec<Extension> {
    let policies = policies
        .iter()
        .map(|policy| PolicyInformation::new(*policy));
    vec![Extension::certificate_policies(policies).unwrap()]
}

fn mapping(issuer: &str, subject: &str) -> Extension {
    Extension::policy_mappings([PolicyMapping {
        issuer_domain: issuer.to_owned(),
        subject_domain: subject.to_owned(),
    }])
    .unwrap()
}

fn constraints(require: impl Into<Option<u32>>, inhibit: impl Into<Option<u32>>) -> Extension {
    Extension::policy_constraints(PolicyConstraints {
        require_explicit_policy: require.into(),
        inhibit_policy_mapping: inhibit.into(),
    })
    .unwrap()
}

/// CAs with these extensions below a root, which has those that come first.
fn chain(authorities: &[Vec<Extension>]) -> CertificateAuthority {
    let (root, below) = authorities.split_first().unwrap();
    let with = |profile: Profile, extensions: &[Extension]| {
        extensions.iter().cloned().fold(profile, Profile::extension)
    };
    let root = with(Profile::root(), root);
    let mut ca = CertificateAuthority::create_root(name("/CN=CA 0"), key(), &root).unwrap();
    for (extensions, number) in below.iter().zip(1..) {
        let profile = with(Profile::intermediate(), extensions);
        let subject = name(&format!("/CN=CA {number}"));
        ca = ca.create_intermediate(subject, key(), &profile).unwrap();
    }
    ca
}

/// Issues a leaf under these policies.
fn issue(ca: &CertificateAuthority, under: &[&str]) -> Result<(), Error> {
    let profile = Profile::client();
    let profile = match under {
        [] => profile,
        some => policies(some).into_iter().fold(profile, Profile::extension),
    };
    let issuance = Issuance::for_key(key().public_key(), name("/CN=leaf"));
    ca.issuer().prepare(&issuance, &profile).map(drop)
}

fn is_refused(outcome: &Result<(), Error>, by: &str) -> bool {
    let is_it = matches!(outcome, Err(Error::PolicyNotPermitted { issuer, .. }) if issuer == by);
    assert!(outcome.is_ok() || outcome.as_ref().unwrap_err().fault() == Fault::Authority);
    is_it
}

#[test]
fn where_no_policy_is_required_any_will_do() {
    let ca = chain(&[
        vec![],
        [policies(&["1.2.3"]), vec![mapping("1.2.3", "1.2.4")]].concat(),
    ]);
    for under in [&[][..], &["1.2.3"], &["1.2.4"], &["1.9"]] {
        assert_eq!(issue(&ca, under), Ok(()), "{under:?}");
    }
}

#[test]
fn a_required_policy_is_one_that_all_issuers_allow() {
    let ca = chain(&[
        vec![],
        [policies(&["1.2.3", "1.2.4"]), vec![constraints(0, None)]].concat(),
        policies(&["1.2.4", "1.2.5"]),
    ]);
    for (under, granted) in [
        (&["1.2.4"][..], true),
        (&["1.2.5", "1.2.4"], true),
        (&[ANY], true),
        (&[], false),
        (&["1.2.3"], false),
        (&["1.2.5"], false),
    ] {
        let outcome = issue(&ca, under);
        assert_eq!(outcome.is_ok(), granted, "{under:?}");
        assert_eq!(is_refused(&outcome, "CN=CA 1"), !granted, "{under:?}");
    }
}

#[test]
fn any_policy_stands_for_all_until_it_is_inhibited() {
    let requires = || constraints(0, None);
    let all = || [policies(&[ANY]), vec![requires()]].concat();
    assert_eq!(issue(&chain(&[vec![], all()]), &["1.2.3"]), Ok(()));
    assert_eq!(issue(&chain(&[vec![], all()]), &[ANY]), Ok(()));
    let inhibited = |number| {
        let inhibits = vec![Extension::inhibit_any_policy(number)];
        chain(&[vec![], [all(), inhibits].concat()])
    };
    assert!(is_refused(&issue(&inhibited(0), &[ANY]), "CN=CA 1"));
    assert_eq!(issue(&inhibited(0), &["1.2.3"]), Ok(()));
    assert_eq!(issue(&inhibited(1), &[ANY]), Ok(()));
    // One more certificate, and it counts no longer.
    let below = |number| {
        let inhibits = vec![Extension::inhibit_any_policy(number)];
        chain(&[vec![], [all(), inhibits].concat(), policies(&[ANY])])
    };
    assert!(is_refused(&issue(&below(1), &[ANY]), "CN=CA 1"));
    assert_eq!(issue(&below(1), &["1.2.3"]), Ok(()));
    assert_eq!(issue(&below(2), &[ANY]), Ok(()));
}

#[test]
fn any_policy_that_is_inhibited_does_not_count_in_a_ca_below() {
    let root = chain(&[vec![constraints(0, None), Extension::inhibit_any_policy(0)]]);
    let below = |policy| {
        let profile = policies(&[policy])
            .into_iter()
            .fold(Profile::intermediate(), Profile::extension);
        root.create_intermediate(name("/CN=CA 1"), key(), &profile)
            .map(drop)
    };
    assert!(is_refused(&below(ANY), "CN=CA 0"));
    assert_eq!(below("1.2.3"), Ok(()));
}

#[test]
fn a_policy_is_required_after_as_many_certificates_as_the_constraints_say() {
    let with = |number| chain(&[vec![], vec![constraints(number, None)]]);
    assert!(is_refused(&issue(&with(0), &[]), "CN=CA 1"));
    assert!(is_refused(&issue(&with(1), &[]), "CN=CA 1"));
    assert_eq!(issue(&with(2), &[]), Ok(()));
    let below = |number| chain(&[vec![], vec![constraints(number, None)], vec![]]);
    assert!(is_refused(&issue(&below(2), &[]), "CN=CA 1"));
    assert_eq!(issue(&below(3), &[]), Ok(()));
}

#[test]
fn the_smallest_number_of_all_constraints_holds() {
    let two = |first: u32, second: u32| {
        chain(&[
            vec![],
            vec![constraints(first, None)],
            vec![constraints(second, None)],
        ])
    };
    assert!(is_refused(&issue(&two(9, 0), &[]), "CN=CA 2"));
    assert!(is_refused(&issue(&two(2, 9), &[]), "CN=CA 1"));
    assert_eq!(issue(&two(9, 9), &[]), Ok(()));
}

#[test]
fn mapped_policies_count_for_what_they_are_mapped_to() {
    let maps = |inhibit: Option<u32>| {
        let requires = constraints(0, inhibit);
        chain(&[
            vec![],
            [policies(&["1.2.3", "1.2.9"]), vec![requires]].concat(),
            [
                policies(&["1.2.3", "1.2.9"]),
                vec![mapping("1.2.3", "1.2.4")],
            ]
            .concat(),
        ])
    };
    let ca = maps(None);
    assert_eq!(issue(&ca, &["1.2.4"]), Ok(()));
    assert_eq!(issue(&ca, &["1.2.9"]), Ok(()));
    assert!(is_refused(&issue(&ca, &["1.2.3"]), "CN=CA 1"));
    let ca = maps(Some(0));
    assert!(is_refused(&issue(&ca, &["1.2.4"]), "CN=CA 1"));
    assert!(is_refused(&issue(&ca, &["1.2.3"]), "CN=CA 1"));
    assert_eq!(issue(&ca, &["1.2.9"]), Ok(()));
    assert_eq!(issue(&maps(Some(1)), &["1.2.9"]), Ok(()));
    assert_eq!(issue(&maps(Some(2)), &["1.2.4"]), Ok(()));
}

#[test]
fn any_policy_is_mapped_policy_by_policy() {
    let ca = chain(&[
        vec![],
        [
            policies(&[ANY]),
            vec![constraints(0, None), mapping("1.2.3", "1.2.4")],
        ]
        .concat(),
    ]);
    for under in ["1.2.4", "1.2.9", ANY] {
        assert_eq!(issue(&ca, &[under]), Ok(()), "{under}");
    }
    // What isn't valid any more is not mapped either.
    let ca = chain(&[
        vec![],
        [
            policies(&["1.2.9"]),
            vec![constraints(0, None), mapping("1.2.3", "1.2.4")],
        ]
        .concat(),
    ]);
    assert!(is_refused(&issue(&ca, &["1.2.4"]), "CN=CA 1"));
}

#[test]
fn what_a_root_says_about_policies_does_not_count_and_its_constraints_do() {
    let ca = chain(&[
        [
            policies(&["1.2.3"]),
            vec![constraints(0, None), mapping("1.2.3", "1.2.4")],
        ]
        .concat(),
        policies(&["1.2.5"]),
    ]);
    assert_eq!(issue(&ca, &["1.2.5"]), Ok(()));
    assert!(is_refused(&issue(&ca, &["1.2.4"]), "CN=CA 0"));
    assert!(is_refused(&issue(&ca, &[]), "CN=CA 0"));
    let alone = chain(&[vec![constraints(0, None)]]);
    assert!(is_refused(&issue(&alone, &[]), "CN=CA 0"));
    assert_eq!(issue(&alone, &["1.2.5"]), Ok(()));
}

#[test]
fn a_ca_below_has_a_required_policy_too() {
    let ca = chain(&[
        vec![],
        [policies(&["1.2.3"]), vec![constraints(0, None)]].concat(),
    ]);
    let below = |extensions: Vec<Extension>| {
        let profile = extensions
            .into_iter()
            .fold(Profile::intermediate(), Profile::extension);
        ca.create_intermediate(name("/CN=below"), key(), &profile)
            .map(drop)
    };
    assert_eq!(below(policies(&["1.2.3"])), Ok(()));
    assert!(is_refused(&below(policies(&["1.2.4"])), "CN=CA 1"));
    assert!(is_refused(&below(vec![]), "CN=CA 1"));
}

#[test]
fn a_mapping_of_any_policy_ends_the_path() {
    // No constructor of an extension makes one: the last octet turns 2.5.29.32.1 into anyPolicy.
    let (written, any) = (b"\x06\x04\x55\x1d\x20\x01", b"\x06\x04\x55\x1d\x20\x00");
    for mapping in [
        mapping("2.5.29.32.1", "1.2.4"),
        mapping("1.2.4", "2.5.29.32.1"),
    ] {
        let ca = chain(&[vec![], vec![mapping]]);
        let mut der = ca.certificate().as_der().to_vec();
        let at = der
            .windows(written.len())
            .position(|window| window == written)
            .unwrap();
        der[at..at + any.len()].copy_from_slice(any);
        let issuer = Issuer::new(Certificate::from_der(&der).unwrap()).unwrap();
        let issuance = Issuance::for_key(key().public_key(), name("/CN=leaf"));
        let refused = issuer.prepare(&issuance, &Profile::client());
        assert!(
            matches!(
                &refused,
                Err(Error::Malformed {
                    what: "policy mappings",
                    ..
                })
            ),
            "{refused:?}"
        );
    }
}
