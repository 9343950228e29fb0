use proptest::prelude::*;

use super::*;

fn openssl(text: &str) -> Result<DistinguishedName, Error> {
    DistinguishedName::from_openssl(text)
}

fn values(name: &DistinguishedName) -> Vec<Vec<(&str, &str)>> {
    let pair = |attribute| {
        (
            Attribute::short_name(attribute).unwrap_or("?"),
            Attribute::value(attribute),
        )
    };
    name.rdns()
        .iter()
        .map(|rdn| rdn.iter().map(pair).collect())
        .collect()
}

#[test]
fn the_workflow_subject_is_encoded_as_openssl_does() {
    let name = openssl("/CN=demo-bot1/O=Excelsior Bank/C=GB").unwrap();
    // From `openssl req -new -utf8 -subj ...`: CN and O as UTF8String (0c), C as PrintableString (13).
    let expected = [
        b"\x30\x3a\x31\x12\x30\x10\x06\x03\x55\x04\x03\x0c\x09demo-bot1".as_slice(),
        b"\x31\x17\x30\x15\x06\x03\x55\x04\x0a\x0c\x0eExcelsior Bank",
        b"\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02GB",
    ];
    assert_eq!(name.as_der(), expected.concat());
}

#[test]
fn repeated_attributes_and_multi_valued_rdns_survive() {
    let name = openssl("/DC=com/DC=example/OU=b/OU=a/CN=x+UID=7").unwrap();
    assert_eq!(
        values(&name),
        [
            vec![("DC", "com")],
            vec![("DC", "example")],
            vec![("OU", "b")],
            vec![("OU", "a")],
            vec![("CN", "x"), ("UID", "7")],
        ]
    );
    assert_eq!(name.to_string(), "CN=x+UID=7,OU=a,OU=b,DC=example,DC=com");
}

#[test]
fn the_members_of_one_rdn_are_sorted_as_der_wants_them() {
    assert_eq!(
        openssl("/UID=7+CN=x").unwrap(),
        openssl("/CN=x+UID=7").unwrap()
    );
}

#[test]
fn openssl_escapes_protect_separators() {
    let name = openssl(r"/CN=a\/b\+c\\d=e").unwrap();
    assert_eq!(name.common_name(), Some(r"a/b+c\d=e"));
}

#[test]
fn what_openssl_skips_or_warns_about_is_an_error() {
    let unknown = |name: &str| {
        Err(Error::UnknownAttribute {
            name: name.to_owned(),
        })
    };
    assert_eq!(openssl("/cn=a"), unknown("cn"));
    assert_eq!(openssl("/CN=a/XY=b"), unknown("XY"));
    assert_eq!(openssl("/CN=a//O=b"), unknown("/O"));
    assert_eq!(openssl("/1.2.3.4=a"), unknown("1.2.3.4"));
    assert_eq!(
        openssl("/CN="),
        Err(Error::EmptyAttribute {
            attribute: "CN".into()
        })
    );
    assert_eq!(
        openssl("/CN=a/O"),
        Err(Error::MalformedName {
            position: 7,
            reason: "expected \"type=value\""
        })
    );
    assert_eq!(
        openssl("/CN=a\\"),
        Err(Error::MalformedName {
            position: 6,
            reason: "escape character at the end"
        })
    );
    assert!(matches!(
        openssl("CN=a"),
        Err(Error::MalformedName { position: 1, .. })
    ));
}

#[test]
fn limits_and_alphabets_are_checked() {
    let long = "x".repeat(65);
    assert_eq!(
        openssl(&format!("/CN={long}")),
        Err(Error::AttributeTooLong {
            attribute: "CN".into(),
            found: 65,
            limit: 64
        })
    );
    assert!(
        openssl(&format!("/CN={}", "\u{e9}".repeat(64))).is_ok(),
        "the limit counts characters, not octets"
    );
    assert_eq!(
        openssl("/C=GBR"),
        Err(Error::InvalidCountry {
            found: "GBR".into()
        })
    );
    assert_eq!(
        openssl("/C=1x"),
        Err(Error::InvalidCountry { found: "1x".into() })
    );
    assert_eq!(
        openssl("/DC=b\u{fc}cher"),
        Err(Error::AttributeCharacter {
            attribute: "DC".into(),
            found: '\u{fc}',
            string_type: "IA5String"
        })
    );
    assert_eq!(
        openssl("/serialNumber=a_b"),
        Err(Error::AttributeCharacter {
            attribute: "serialNumber".into(),
            found: '_',
            string_type: "PrintableString"
        })
    );
    assert_eq!(
        openssl("/c3=GB"),
        Err(Error::AttributeTooShort {
            attribute: "c3".into(),
            found: 2,
            limit: 3
        })
    );
}

#[test]
fn rfc4514_reads_the_examples_of_its_section_4() {
    for text in [
        "UID=jsmith,DC=example,DC=net",
        "OU=Sales+CN=J.  Smith,DC=example,DC=net",
        r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#,
        r"CN=Before\0dAfter,DC=example,DC=net",
        "1.3.6.1.4.1.1466.0=#04024869",
        r"CN=Lu\C4\8Di\C4\87",
    ] {
        let name = DistinguishedName::from_rfc4514(text).unwrap();
        let printed = name.to_string();
        assert_eq!(
            DistinguishedName::from_rfc4514(&printed).unwrap(),
            name,
            "{printed}"
        );
    }
    let name = DistinguishedName::from_rfc4514(r"CN=Lu\C4\8Di\C4\87").unwrap();
    assert_eq!(name.common_name(), Some("Lu\u{10d}i\u{107}"));
}

#[test]
fn rfc4514_is_the_reverse_of_the_openssl_form() {
    let name: DistinguishedName = "cn = demo-bot1 , o=Excelsior Bank, C=GB".parse().unwrap();
    assert_eq!(name, "/C=GB/O=Excelsior Bank/CN=demo-bot1".parse().unwrap());
}

#[test]
fn rfc4514_refuses_what_it_can_not_mean() {
    let parse = DistinguishedName::from_rfc4514;
    assert!(matches!(
        parse("CN"),
        Err(Error::MalformedName { position: 1, .. })
    ));
    assert!(matches!(parse("CN=a,"), Err(Error::MalformedName { .. })));
    assert!(matches!(
        parse("CN=a;b"),
        Err(Error::MalformedName { position: 5, .. })
    ));
    assert!(matches!(
        parse(r"CN=a\q"),
        Err(Error::MalformedName { position: 5, .. })
    ));
    assert!(matches!(parse(r"CN=\ff"), Err(Error::MalformedName { .. })));
    assert!(matches!(parse("CN=#0"), Err(Error::MalformedName { .. })));
    assert!(matches!(
        parse("1.2.3=x"),
        Err(Error::UnknownAttribute { .. })
    ));
}

#[test]
fn foreign_string_types_are_read_and_kept() {
    // CN as BMPString, O as TeletexString with a Latin-1 character, unknown type with an INTEGER.
    let der = [
        b"\x30\x29\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x1e\x04\x00h\x00\xe9".as_slice(),
        b"\x31\x0b\x30\x09\x06\x03\x55\x04\x0a\x14\x02h\xe9",
        b"\x31\x0b\x30\x09\x06\x04\x2a\x03\x04\x05\x02\x01\x07",
    ]
    .concat();
    let name = DistinguishedName::from_der(&der).unwrap();
    assert_eq!(name.to_string(), "1.2.3.4.5=#020107,O=h\u{e9},CN=h\u{e9}");
    assert_eq!(name.as_der(), der);
}

#[test]
fn an_empty_text_is_no_name_unless_it_says_so() {
    assert!(matches!(
        "".parse::<DistinguishedName>(),
        Err(Error::MalformedName { position: 1, .. })
    ));
    assert!("/".parse::<DistinguishedName>().unwrap().is_empty());
    assert!(DistinguishedName::from_rfc4514("").unwrap().is_empty());
}

#[test]
fn malformed_der_is_refused() {
    for der in [
        b"".as_slice(),
        b"\x30",
        b"\x31\x00",
        b"\x30\x02\x31\x00",
        b"\x30\x80\x00\x00",
    ] {
        assert!(
            matches!(
                DistinguishedName::from_der(der),
                Err(Error::Malformed { .. })
            ),
            "{der:02x?}"
        );
    }
    assert_eq!(
        DistinguishedName::from_der(b"\x30\x00\x00"),
        Err(Error::TrailingData {
            what: "distinguished name",
            count: 1
        })
    );
    assert!(DistinguishedName::from_der(b"\x30\x00").unwrap().is_empty());
}

#[test]
fn control_characters_can_not_break_a_line() {
    let name = openssl("/CN=a\nb").unwrap();
    assert_eq!(name.to_string(), r"CN=a\0Ab");
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(
        rdns in prop::collection::vec(prop::collection::vec(("CN|O|OU|L|UID|title", "[^\0]{1,40}"), 1..3), 0..5)
    ) {
        let text: String = rdns
            .iter()
            .map(|rdn| {
                let members = rdn.iter().map(|(name, value)| {
                    let escaped: String = value.chars().flat_map(|c| ['\\', c]).collect();
                    format!("{name}={escaped}")
                });
                format!("/{}", members.collect::<Vec<_>>().join("+"))
            })
            .collect();
        let name = openssl(if text.is_empty() { "/" } else { &text }).unwrap();
        prop_assert_eq!(DistinguishedName::from_rfc4514(&name.to_string()).unwrap(), name);
    }

    #[test]
    fn no_text_panics(text in "(/?((CN|O|C|UID|1\\.2|x)?[=+,/#\\\\ ]?){0,9}.{0,9}){0,4}") {
        let _ = openssl(&text);
        let _ = DistinguishedName::from_rfc4514(&text);
    }
}
