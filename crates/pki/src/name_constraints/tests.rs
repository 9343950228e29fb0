use super::*;
use crate::OtherName;

#[derive(Clone, Copy)]
enum List {
    Permitted,
    Excluded,
}
use List::{Excluded, Permitted};

fn subtree(base: &[u8]) -> Vec<u8> {
    der::sequence(&[base])
}

fn general_name(form: &str, value: &str) -> Vec<u8> {
    let network = |value: &str| -> Vec<u8> {
        let (address, mask) = value.split_once('/').unwrap();
        let octets = |text: &str| match text.parse().unwrap() {
            std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
            std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        [octets(address), octets(mask)].concat()
    };
    match form {
        "email" => der::tlv(0x81, &[value.as_bytes()]),
        "DNS" => der::tlv(0x82, &[value.as_bytes()]),
        "dirName" => {
            let name: DistinguishedName = value.parse().unwrap();
            der::tlv(0xa4, &[name.as_der()])
        }
        "URI" => der::tlv(0x86, &[value.as_bytes()]),
        "IP" => der::tlv(0x87, &[&network(value)]),
        "RID" => der::tlv(0x88, &[&[0x2a]]),
        _ => panic!("{form}"),
    }
}

fn constraints(lists: &[(List, &str, &str)]) -> NameConstraints {
    let list = |wanted: fn(&List) -> bool, tag| {
        let subtrees: Vec<Vec<u8>> = lists
            .iter()
            .filter(|(list, ..)| wanted(list))
            .map(|(_, form, value)| subtree(&general_name(form, value)))
            .collect();
        if subtrees.is_empty() {
            Vec::new()
        } else {
            der::tlv(tag, &[&subtrees.concat()])
        }
    };
    let permitted = list(|list| matches!(list, Permitted), 0xa0);
    let excluded = list(|list| matches!(list, Excluded), 0xa1);
    NameConstraints::from_der(&der::sequence(&[&permitted, &excluded])).unwrap()
}

fn alt_name(form: &str, value: &str) -> SubjectAltName {
    match form {
        "email" => SubjectAltName::email(value).unwrap(),
        "DNS" => SubjectAltName::dns(value).unwrap(),
        "dirName" => SubjectAltName::Directory(value.parse().unwrap()),
        "URI" => SubjectAltName::uri(value).unwrap(),
        "IP" => SubjectAltName::Ip(value.parse().unwrap()),
        "RID" => SubjectAltName::Other {
            tag: 8,
            value: vec![0x2a],
        },
        _ => panic!("{form}"),
    }
}

fn name(text: &str) -> DistinguishedName {
    text.parse().unwrap()
}

fn nobody() -> DistinguishedName {
    name("/")
}

fn check(constraints: &NameConstraints, form: &str, value: &str) -> Result<(), Violation> {
    constraints.check(&nobody(), &[alt_name(form, value)], false)
}

/// Under a single constraint: which names are within, and which are not. Permitting and excluding are opposites, but for
/// wildcards.
#[test]
fn each_form_has_its_own_rule() {
    let cases: [(&str, &str, &[&str], &[&str]); 15] = [
        (
            "DNS",
            "Example.com",
            &[
                "example.com",
                "EXAMPLE.com",
                "a.example.com",
                "a.b.example.com",
                "*.example.com",
            ],
            &["example.org", "badexample.com", "com.example", "localhost"],
        ),
        (
            "DNS",
            "",
            &["example.com", "localhost", "*.example.com"],
            &[],
        ),
        (
            "DNS",
            ".example.com",
            &["a.example.com", "a.b.example.com"],
            &["example.com", "badexample.com"],
        ),
        (
            "email",
            "example.com",
            &["a@example.com", "b@EXAMPLE.com"],
            &["a@mail.example.com", "a@example.org"],
        ),
        (
            "email",
            ".example.com",
            &["a@mail.example.com"],
            &["a@example.com", "a@badexample.com"],
        ),
        (
            "email",
            "Root@example.com",
            &["Root@Example.com"],
            &["root@example.com", "a@example.com", "Root@a.example.com"],
        ),
        (
            "URI",
            "example.com",
            &["https://example.com/a", "https://EXAMPLE.com:8443"],
            &["https://a.example.com/", "spiffe://example.org/example.com"],
        ),
        (
            "URI",
            ".example.com",
            &["https://a.example.com/", "https://a.b.example.com?c"],
            &["https://example.com/", "https://badexample.com"],
        ),
        (
            "IP",
            "10.0.0.0/255.0.0.0",
            &["10.0.0.1", "10.255.255.255"],
            &["11.0.0.1", "a00::", "::10.0.0.1"],
        ),
        (
            "IP",
            "192.0.2.16/255.255.255.240",
            &["192.0.2.16", "192.0.2.31"],
            &["192.0.2.15", "192.0.2.32"],
        ),
        ("IP", "0.0.0.0/0.0.0.0", &["192.0.2.15"], &["::1"]),
        (
            "IP",
            "192.0.2.15/255.255.255.255",
            &["192.0.2.15"],
            &["192.0.2.14"],
        ),
        (
            "IP",
            "2001:db8::/ffff:ffff::",
            &["2001:db8::1"],
            &["2001:db9::1", "32.1.13.184"],
        ),
        (
            "dirName",
            "/C=GB/O=Bank",
            &["/C=gb/O=BANK", "/C=GB/O=Bank/CN=a"],
            &["/C=GB", "/O=Bank/C=GB", "/C=GB/O=Banks"],
        ),
        ("dirName", "/", &["/C=GB"], &[]),
    ];
    for (form, base, within, outside) in cases {
        let permitted = constraints(&[(Permitted, form, base)]);
        let excluded = constraints(&[(Excluded, form, base)]);
        for value in within {
            assert_eq!(check(&permitted, form, value), Ok(()), "{base} {value}");
            assert!(
                matches!(
                    check(&excluded, form, value),
                    Err(Violation::Excluded { .. })
                ),
                "{base} {value}"
            );
        }
        for value in outside {
            assert!(
                matches!(
                    check(&permitted, form, value),
                    Err(Violation::NotPermitted { .. })
                ),
                "{base} {value}"
            );
            assert_eq!(check(&excluded, form, value), Ok(()), "{base} {value}");
        }
    }
}

#[test]
fn a_wildcard_is_all_that_it_may_stand_for() {
    let excluded = constraints(&[(Excluded, "DNS", "secret.example.com")]);
    assert!(matches!(
        check(&excluded, "DNS", "*.example.com"),
        Err(Violation::Excluded { .. })
    ));
    assert_eq!(check(&excluded, "DNS", "*.a.example.com"), Ok(()));
    assert!(matches!(
        check(&excluded, "DNS", "*.secret.example.com"),
        Err(Violation::Excluded { .. })
    ));
    let permitted = constraints(&[(Permitted, "DNS", "secret.example.com")]);
    assert!(matches!(
        check(&permitted, "DNS", "*.example.com"),
        Err(Violation::NotPermitted { .. })
    ));
}

#[test]
fn what_is_excluded_is_so_although_it_is_permitted() {
    let both = constraints(&[
        (Permitted, "DNS", "example.com"),
        (Permitted, "DNS", "example.org"),
        (Excluded, "DNS", "a.example.com"),
    ]);
    assert_eq!(check(&both, "DNS", "b.example.com"), Ok(()));
    assert_eq!(check(&both, "DNS", "example.org"), Ok(()));
    assert_eq!(
        check(&both, "DNS", "x.a.example.com"),
        Err(Violation::Excluded {
            name: "DNS:x.a.example.com".into(),
            excluded: "DNS:a.example.com".into()
        })
    );
    assert_eq!(
        check(&both, "DNS", "example.net"),
        Err(Violation::NotPermitted {
            name: "DNS:example.net".into(),
            permitted: "DNS:example.com, DNS:example.org".into()
        })
    );
    let shown = |subtrees: &[GeneralSubtree]| -> Vec<String> {
        subtrees.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        shown(both.permitted()),
        ["DNS:example.com", "DNS:example.org"]
    );
    assert_eq!(shown(both.excluded()), ["DNS:a.example.com"]);
    assert_eq!(
        both.to_string(),
        "permitted DNS:example.com, permitted DNS:example.org, excluded DNS:a.example.com"
    );
}

#[test]
fn constraints_are_printed_as_openssl_prints_them() {
    let all = constraints(&[
        (Permitted, "IP", "10.0.0.0/255.128.0.0"),
        (Permitted, "IP", "2001:db8::/ffff:ffff::"),
        (Permitted, "email", "@\u{e4}"),
        (Excluded, "dirName", "/C=GB/O=Bank"),
        (Excluded, "URI", ".example.com"),
    ]);
    assert_eq!(
        all.to_string(),
        "permitted IP:10.0.0.0/9, permitted IP:2001:db8::/32, \
         permitted email:@\\xc3\\xa4 (not supported), excluded dirName:O=Bank,C=GB, excluded URI:.example.com"
    );
}

#[test]
fn names_of_other_forms_are_free() {
    let hosts = constraints(&[(Permitted, "DNS", "example.com"), (Excluded, "RID", "")]);
    for (form, value) in [
        ("IP", "192.0.2.1"),
        ("email", "a@example.org"),
        ("URI", "urn:a"),
        ("dirName", "/CN=a"),
    ] {
        assert_eq!(check(&hosts, form, value), Ok(()));
    }
    assert_eq!(hosts.check(&name("/CN=example.org"), &[], false), Ok(()));
}

#[test]
fn every_name_counts_not_just_the_first() {
    let hosts = constraints(&[(Permitted, "DNS", "example.com")]);
    let names = ["a.example.com", "a.example.org"].map(|name| alt_name("DNS", name));
    assert!(matches!(
        hosts.check(&nobody(), &names, false),
        Err(Violation::NotPermitted { name, .. }) if name == "DNS:a.example.org"
    ));
}

#[test]
fn the_subject_is_a_directory_name_with_e_mail_addresses_in_it() {
    let bank = constraints(&[(Permitted, "dirName", "/O=Bank")]);
    assert_eq!(bank.check(&name("/O=bank/CN=a"), &[], false), Ok(()));
    assert_eq!(bank.check(&nobody(), &[], false), Ok(()));
    assert!(matches!(
        bank.check(&name("/CN=a"), &[], false),
        Err(Violation::NotPermitted { name, .. }) if name == "subject CN=a"
    ));
    let mail = constraints(&[(Permitted, "email", "example.com")]);
    let subject = |address| name(&format!("/CN=a/emailAddress={address}"));
    assert_eq!(mail.check(&subject("a@example.com"), &[], false), Ok(()));
    let beside = [alt_name("email", "a@example.com")];
    assert!(matches!(
        mail.check(&subject("a@example.org"), &beside, false),
        Err(Violation::NotPermitted { .. })
    ));
    assert!(matches!(
        mail.check(&subject("nobody"), &[], false),
        Err(Violation::Unsupported { .. })
    ));
}

#[test]
fn an_internationalized_mailbox_is_an_e_mail_address() {
    let mail = constraints(&[
        (Permitted, "email", "example.com"),
        (Excluded, "email", "secret@example.com"),
    ]);
    let check = |tag, mailbox: &str| {
        let value = der::tlv(tag, &[mailbox.as_bytes()]);
        let name = OtherName::new("1.3.6.1.5.5.7.8.9", value).unwrap();
        mail.check(&nobody(), &[SubjectAltName::OtherName(name)], false)
    };
    assert_eq!(check(der::UTF8_STRING, "j\u{f6}rg@EXAMPLE.com"), Ok(()));
    assert!(matches!(
        check(der::UTF8_STRING, "j\u{f6}rg@evil.example"),
        Err(Violation::NotPermitted { .. })
    ));
    assert!(matches!(
        check(der::UTF8_STRING, "secret@example.com"),
        Err(Violation::Excluded { .. })
    ));
    for (tag, unclear) in [
        (der::UTF8_STRING, "a@ex\u{e4}mple.com"),
        (der::UTF8_STRING, "nobody"),
        (der::IA5_STRING, "a@example.com"),
    ] {
        assert!(
            matches!(check(tag, unclear), Err(Violation::Unsupported { .. })),
            "{unclear}"
        );
    }
}

#[test]
fn case_beyond_ascii_is_folded_where_that_excludes() {
    let (same, other) = (name("/O=Z\u{fc}rich/CN=a"), name("/O=Z\u{dc}RICH/CN=a"));
    let permitted = constraints(&[(Permitted, "dirName", "/O=Z\u{fc}rich")]);
    assert_eq!(permitted.check(&same, &[], false), Ok(()));
    assert!(permitted.check(&other, &[], false).is_err());
    let excluded = constraints(&[(Excluded, "dirName", "/O=Z\u{fc}rich")]);
    for name in [same, other] {
        assert!(matches!(
            excluded.check(&name, &[], false),
            Err(Violation::Excluded { .. })
        ));
    }
}

/// RFC 5280, section 4.1.2.6: an emailAddress is an IA5String. OpenSSL refuses to judge another one.
#[test]
fn an_e_mail_address_in_the_subject_is_an_ia5_string() {
    let mail = constraints(&[(Permitted, "email", "example.com")]);
    let subject = |tag| {
        let oid = der::tlv(der::OID, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"]);
        subject_of(&oid, tag, b"a@example.com")
    };
    assert_eq!(mail.check(&subject(der::IA5_STRING), &[], false), Ok(()));
    assert!(matches!(
        mail.check(&subject(der::UTF8_STRING), &[], false),
        Err(Violation::Unsupported { .. })
    ));
    let hosts = constraints(&[(Permitted, "DNS", "example.com")]);
    assert_eq!(hosts.check(&subject(der::IA5_STRING), &[], false), Ok(()));
    assert!(matches!(
        hosts.check(&subject(der::UTF8_STRING), &[], false),
        Err(Violation::Unsupported { .. })
    ));
}

/// A name with one attribute.
fn subject_of(oid: &[u8], tag: u8, value: &[u8]) -> DistinguishedName {
    let attribute = der::sequence(&[oid, &der::tlv(tag, &[value])]);
    let rdn = der::tlv(der::SET, &[&attribute]);
    DistinguishedName::from_der(&der::sequence(&[&rdn])).unwrap()
}

/// As OpenSSL has it: `cn2dnsid` in its `v3_ncons.c`.
#[test]
fn no_length_and_no_nul_keeps_a_common_name_from_being_a_host_name() {
    let hosts = constraints(&[(Permitted, "DNS", "example.com")]);
    let check = |common_name: &str| {
        let oid = der::tlv(der::OID, &[&[0x55, 4, 3]]);
        hosts.check(
            &subject_of(&oid, der::UTF8_STRING, common_name.as_bytes()),
            &[],
            true,
        )
    };
    let long = "a".repeat(64);
    for (common_name, permitted) in [
        (format!("{long}.example.com"), true),
        (format!("{long}.org"), false),
        ("a.example.com\0\0".to_owned(), true),
        ("a.example.org\0".to_owned(), false),
    ] {
        let found = check(&common_name);
        assert_eq!(found.is_ok(), permitted, "{common_name:?}: {found:?}");
        if let Err(violation) = found {
            assert!(
                matches!(violation, Violation::NotPermitted { .. }),
                "{violation:?}"
            );
        }
    }
    assert!(matches!(
        check("a\0.example.com"),
        Err(Violation::Unsupported { .. })
    ));
}

#[test]
fn a_common_name_is_a_host_name_where_there_is_no_other() {
    let hosts = constraints(&[(Permitted, "DNS", "example.com")]);
    for (subject, beside, permitted) in [
        ("/CN=a.example.com", None, true),
        ("/CN=a.example.org", None, false),
        (
            "/CN=a.example.org",
            Some(alt_name("DNS", "a.example.com")),
            true,
        ),
        (
            "/CN=a.example.org",
            Some(alt_name("IP", "192.0.2.1")),
            false,
        ),
        ("/CN=a.example.com/CN=a.example.org", None, false),
        ("/CN=192.0.2.1", None, false),
        ("/CN=demo-bot1", None, true),
        ("/CN=Demo Bot v1.2", None, true),
        ("/CN=.example.org", None, false),
        ("/CN=*.example.com", None, true),
        ("/CN=*.example.org", None, false),
        ("/CN=f*.example.org", None, false),
        ("/CN=a.example.com.", None, true),
        ("/CN=a.example.org.", None, false),
        ("/O=a.example.org", None, true),
    ] {
        let names: Vec<SubjectAltName> = beside.into_iter().collect();
        let found = hosts.check(&name(subject), &names, true);
        assert_eq!(found.is_ok(), permitted, "{subject}: {found:?}");
        assert_eq!(hosts.check(&name(subject), &names, false), Ok(()));
    }
}

#[test]
fn what_can_not_be_judged_permits_nothing_of_its_form() {
    // Bases that are not well-formed, and a network mask with a hole.
    for (form, base, of_its_form) in [
        ("DNS", "*.example.com", "a.example.com"),
        ("DNS", "example.com.", "example.com"),
        ("DNS", "a..b", "a.b"),
        ("email", "", "a@example.com"),
        ("email", "a@", "a@example.com"),
        ("URI", "", "https://a.example/"),
        ("URI", "https://a.example/", "https://a.example/"),
        ("IP", "10.0.0.0/255.0.255.0", "10.0.0.1"),
        ("RID", "", ""),
    ] {
        for list in [Permitted, Excluded] {
            let constraints = constraints(&[(list, form, base)]);
            assert!(
                matches!(
                    check(&constraints, form, of_its_form),
                    Err(Violation::Unsupported { .. })
                ),
                "{form}:{base}"
            );
            assert_eq!(constraints.check(&name("/CN=a"), &[], true), Ok(()));
        }
    }
    // Names that are not well-formed, or have no host to compare.
    let excluded = [
        ("DNS", "a"),
        ("email", "a.b"),
        ("URI", "a.b"),
        ("IP", "1.2.3.4/255.255.255.255"),
        ("dirName", "/CN=a"),
    ];
    for (tag, (form, base)) in [2, 1, 6, 7, 4].into_iter().zip(excluded) {
        let other = SubjectAltName::Other {
            tag,
            value: vec![0],
        };
        let found = constraints(&[(Excluded, form, base)]).check(&nobody(), &[other], false);
        assert!(
            matches!(found, Err(Violation::Unsupported { .. })),
            "{form}"
        );
    }
    let hosts = constraints(&[(Excluded, "URI", "a.example")]);
    for uri in ["urn:a:b", "https://192.0.2.1/", "https://[::1]/"] {
        assert!(
            matches!(
                check(&hosts, "URI", uri),
                Err(Violation::Unsupported { .. })
            ),
            "{uri}"
        );
    }
}

#[test]
fn a_minimum_or_a_maximum_is_not_supported() {
    let base = general_name("DNS", "example.com");
    let with = |more: &[u8]| {
        let list = der::tlv(0xa0, &[&der::sequence(&[&base, more])]);
        NameConstraints::from_der(&der::sequence(&[&list])).unwrap()
    };
    let zero = [0x80, 1, 0];
    assert_eq!(check(&with(&zero), "DNS", "example.com"), Ok(()));
    for limit in [&[0x80, 1, 1][..], &[0x81, 1, 0], &[0x80, 1, 0, 0x81, 1, 5]] {
        assert!(matches!(
            check(&with(limit), "DNS", "example.com"),
            Err(Violation::Unsupported { .. })
        ));
    }
}

#[test]
fn malformed_constraints_are_not_read() {
    let base = subtree(&general_name("DNS", "example.com"));
    let list = |tag, contents: &[u8]| der::sequence(&[&der::tlv(tag, &[contents])]);
    for malformed in [
        Vec::new(),
        list(0xa0, &[]),
        list(0xa1, &[]),
        list(0xa0, &[0x30, 0]),
        list(0xa0, &general_name("DNS", "example.com")),
        list(0xa0, &[&base[..], &[0x30]].concat()),
    ] {
        assert!(
            matches!(
                NameConstraints::from_der(&malformed),
                Err(Error::Malformed { .. })
            ),
            "{malformed:x?}"
        );
    }
    for trailing in [
        list(0xa2, &base),
        [list(0xa0, &base), vec![0]].concat(),
        der::sequence(&[&der::tlv(0xa1, &[&base]), &der::tlv(0xa0, &[&base])]),
    ] {
        assert!(
            matches!(
                NameConstraints::from_der(&trailing),
                Err(Error::TrailingData { .. })
            ),
            "{trailing:x?}"
        );
    }
}

#[test]
fn the_work_is_bounded() {
    let many = [(); 501];
    let lists: Vec<(List, &str, &str)> = many
        .iter()
        .map(|()| (Excluded, "DNS", "a.example"))
        .collect();
    let names: Vec<SubjectAltName> = many.iter().map(|()| alt_name("DNS", "b.example")).collect();
    assert_eq!(
        constraints(&lists).check(&nobody(), &names, false),
        Err(Violation::TooMuchWork { found: 501 * 501 })
    );
    for (constraints_count, names_count) in [(501, 499), (500, 500)] {
        let constraints = constraints(&lists[..constraints_count]);
        assert_eq!(
            constraints.check(&nobody(), &names[..names_count], false),
            Ok(())
        );
    }
}

#[test]
fn a_refusal_lists_five_of_what_is_permitted() {
    let permitted = |count: usize| {
        let hosts = ["a", "b", "c", "d", "e", "f", "g"];
        let lists: Vec<_> = hosts[..count]
            .iter()
            .map(|host| (Permitted, "DNS", *host))
            .collect();
        match constraints(&lists).check(&nobody(), &[alt_name("DNS", "x.example")], false) {
            Err(Violation::NotPermitted { permitted, .. }) => permitted,
            other => panic!("{other:?}"),
        }
    };
    let five = "DNS:a, DNS:b, DNS:c, DNS:d, DNS:e";
    assert_eq!(permitted(5), five);
    assert_eq!(permitted(7), format!("{five} and 2 more"));
}
