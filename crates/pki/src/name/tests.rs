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
        parse("CN=a<b"),
        Err(Error::MalformedName { position: 5, .. })
    ));
    assert!(matches!(
        parse(r"CN=a\q"),
        Err(Error::MalformedName { position: 5, .. })
    ));
    assert!(matches!(parse(r"CN=\ff"), Err(Error::MalformedName { .. })));
    for (text, position, reason) in [
        ("CN=#0", 4, "odd number of hexadecimal digits"),
        ("CN=#040,O=a", 4, "odd number of hexadecimal digits"),
        ("CN=#0c01zz", 4, "not hexadecimal"),
        ("CN=#0c01é", 4, "not hexadecimal"),
        (r"CN=a\4", 5, "incomplete escape"),
        (r"CN=a\4g", 5, "incomplete escape"),
        (r"CN=a\4é", 5, "incomplete escape"),
    ] {
        assert_eq!(
            parse(text),
            Err(Error::MalformedName { position, reason }),
            "{text}"
        );
    }
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
fn control_characters_are_refused_where_they_may_be_there_by_mistake() {
    let refused = |attribute: &str, found| {
        Err(Error::ControlCharacter {
            attribute: attribute.to_owned(),
            found,
        })
    };
    assert_eq!(openssl("/O=Bank/CN=bot\r"), refused("CN", '\r'));
    assert_eq!(openssl("/CN=bot\\\r"), refused("CN", '\r'), "escaped");
    assert_eq!(openssl("/C=GB\r"), refused("C", '\r'));
    assert_eq!(openssl("/CN=a\0b"), refused("CN", '\0'));
    assert_eq!(openssl("/CN=\u{85}a"), refused("CN", '\u{85}'));
    assert_eq!(openssl("/DC=a\n"), refused("DC", '\n'));
    let rfc4514 = DistinguishedName::from_rfc4514;
    assert_eq!(rfc4514("CN=bot,O=Bank\r"), refused("O", '\r'));
    assert_eq!(rfc4514("CN=\tbot"), refused("CN", '\t'));
    assert_eq!(
        DistinguishedName::builder().common_name("bot\r\n").build(),
        refused("CN", '\r')
    );
}

#[test]
fn control_characters_that_are_spelled_out_survive_and_can_not_break_a_line() {
    // RFC 4514, section 4.
    let text = r"CN=Before\0DAfter,DC=example,DC=net";
    let name = DistinguishedName::from_rfc4514(text).unwrap();
    assert_eq!(name.common_name(), Some("Before\rAfter"));
    assert_eq!(name.to_string(), text);
}

/// The registry of descriptors (RFC 4519, section 4; RFC 4524 for the last three), as far as names are made of them.
const DESCRIPTORS: [(&str, &str); 37] = [
    ("businessCategory", "2.5.4.15"),
    ("c", "2.5.4.6"),
    ("cn", "2.5.4.3"),
    ("commonName", "2.5.4.3"),
    ("countryName", "2.5.4.6"),
    ("dc", "0.9.2342.19200300.100.1.25"),
    ("description", "2.5.4.13"),
    ("dnQualifier", "2.5.4.46"),
    ("domainComponent", "0.9.2342.19200300.100.1.25"),
    ("generationQualifier", "2.5.4.44"),
    ("givenName", "2.5.4.42"),
    ("houseIdentifier", "2.5.4.51"),
    ("initials", "2.5.4.43"),
    ("l", "2.5.4.7"),
    ("localityName", "2.5.4.7"),
    ("name", "2.5.4.41"),
    ("o", "2.5.4.10"),
    ("organizationName", "2.5.4.10"),
    ("organizationalUnitName", "2.5.4.11"),
    ("ou", "2.5.4.11"),
    ("physicalDeliveryOfficeName", "2.5.4.19"),
    ("postalAddress", "2.5.4.16"),
    ("postalCode", "2.5.4.17"),
    ("postOfficeBox", "2.5.4.18"),
    ("serialNumber", "2.5.4.5"),
    ("sn", "2.5.4.4"),
    ("st", "2.5.4.8"),
    ("street", "2.5.4.9"),
    ("surname", "2.5.4.4"),
    ("telephoneNumber", "2.5.4.20"),
    ("title", "2.5.4.12"),
    ("uid", "0.9.2342.19200300.100.1.1"),
    ("userid", "0.9.2342.19200300.100.1.1"),
    ("x500UniqueIdentifier", "2.5.4.45"),
    ("mail", "0.9.2342.19200300.100.1.3"),
    ("RFC822Mailbox", "0.9.2342.19200300.100.1.3"),
    ("uniqueIdentifier", "0.9.2342.19200300.100.1.44"),
];

#[test]
fn rfc4514_has_the_attributes_of_the_registry_whatever_their_case() {
    for (descriptor, oid) in DESCRIPTORS {
        for descriptor in [
            descriptor.to_owned(),
            descriptor.to_lowercase(),
            descriptor.to_uppercase(),
        ] {
            let name = DistinguishedName::from_rfc4514(&format!("{descriptor}=GB")).unwrap();
            assert_eq!(name.rdns()[0][0].oid(), oid, "{descriptor}");
        }
    }
}

#[test]
fn what_is_printed_is_in_the_registry_or_in_nobody_elses_way() {
    let registered = |name: &str| {
        DESCRIPTORS
            .iter()
            .find(|(descriptor, _)| descriptor.eq_ignore_ascii_case(name))
    };
    let reserved = |name: &str| name.eq_ignore_ascii_case("gn");
    for known in &attribute_type::TYPES {
        let printed = known.descriptor();
        assert!(!reserved(printed), "{printed}");
        if let Some((_, oid)) = registered(printed) {
            assert_eq!(*oid, known.oid.to_string(), "{printed}");
        }
        let read = AttributeType::by_descriptor(printed).unwrap();
        assert_eq!(read.oid, known.oid, "{printed}");
        let openssl = AttributeType::by_openssl_name(printed).unwrap();
        assert_eq!(openssl.oid, known.oid, "{printed} as OpenSSL reads it");
    }
}

#[test]
fn uid_is_the_user_id_but_in_openssls_form_where_its_case_counts() {
    let text = DistinguishedName::from_rfc4514;
    let user_id = openssl("/UID=a").unwrap();
    let unique_identifier = openssl("/uid=a").unwrap();
    assert_eq!(user_id.rdns()[0][0].oid(), "0.9.2342.19200300.100.1.1");
    assert_eq!(
        unique_identifier.rdns()[0][0].oid(),
        "0.9.2342.19200300.100.1.44"
    );
    for spelling in ["uid=a", "UID=a", "Uid=a", "userid=a"] {
        assert_eq!(text(spelling).as_ref(), Ok(&user_id), "{spelling}");
    }
    assert_eq!(user_id.to_string(), "UID=a");
    assert_eq!(unique_identifier.to_string(), "uniqueIdentifier=a");
    assert_eq!(text("uniqueIdentifier=a"), Ok(unique_identifier));
}

#[test]
fn gn_is_read_and_the_given_name_is_printed() {
    // RFC 4519 reserves "gn".
    let name = openssl("/GN=Ada").unwrap();
    assert_eq!(name.to_string(), "givenName=Ada");
    assert_eq!(
        DistinguishedName::from_rfc4514("gn=Ada").as_ref(),
        Ok(&name)
    );
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(
        rdns in prop::collection::vec(prop::collection::vec(("CN|O|OU|L|UID|uid|GN|title", "\\P{Cc}{1,40}"), 1..3), 0..5)
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

#[test]
fn names_as_active_directory_writes_them_are_read() {
    let name = |text: &str| DistinguishedName::from_rfc4514(text).unwrap();
    for (written, plain) in [
        (r#"CN="Bot, the 1st",O=Bank"#, r"CN=Bot\, the 1st,O=Bank"),
        (
            r#"CN=bot; O="A;B+C=D<>" ;C=GB"#,
            r"CN=bot,O=A\;B\+C\=D\<\>,C=GB",
        ),
        (
            r#"CN="say \"hi\" \\",O=" Bank ""#,
            r#"CN=say \"hi\" \\,O=\ Bank\ "#,
        ),
        ("E=a@b.example,CN=bot", "emailAddress=a@b.example,CN=bot"),
        (
            "G=Ada,I=A,T=Dr,S=Kent",
            "givenName=Ada,initials=A,title=Dr,ST=Kent",
        ),
    ] {
        assert_eq!(name(written), name(plain), "{written}");
    }
    // Only there: OpenSSL has no such names.
    assert!(matches!(
        openssl("/E=a@b.example"),
        Err(Error::UnknownAttribute { name }) if name == "E"
    ));
}

#[test]
fn what_is_wrong_with_separators_and_quotation_marks_is_told() {
    for (text, position, reason) in [
        ("CN=bot,", 7, "nothing follows this separator"),
        ("CN=bot; ", 7, "nothing follows this separator"),
        ("CN=bot,,O=Bank", 8, "expected \"type=value\""),
        ("CN=\"bot", 4, "this quotation mark is not closed"),
        ("CN=\"a\"b", 7, "expected \",\" or \"+\""),
        ("CN=a\"b", 5, "this character must be escaped with \"\\\""),
    ] {
        assert_eq!(
            DistinguishedName::from_rfc4514(text),
            Err(Error::MalformedName { position, reason }),
            "{text}"
        );
    }
    assert!(matches!(
        DistinguishedName::from_rfc4514("CN=\"a\nb\""),
        Err(Error::ControlCharacter { found: '\n', .. })
    ));
}

#[test]
fn a_builder_has_a_setter_for_each_field_of_a_requests_subject() {
    let name = DistinguishedName::builder()
        .common_name("a")
        .organization("b")
        .organizational_unit("c")
        .locality("d")
        .state_or_province("e")
        .country("GB")
        .build()
        .unwrap();
    assert_eq!(name, openssl("/CN=a/O=b/OU=c/L=d/ST=e/C=GB").unwrap());
}

#[test]
fn a_numeric_string_has_digits_and_blanks() {
    let name = openssl("/INN=12 34").unwrap();
    assert!(name.as_der().ends_with(b"\x12\x0512 34"));
    for text in ["/INN=1a", "/INN=1-2"] {
        assert!(
            matches!(openssl(text), Err(Error::AttributeCharacter { .. })),
            "{text}"
        );
    }
}

#[test]
fn a_value_that_is_not_of_its_string_type_is_shown_in_hexadecimal_digits() {
    // A PrintableString of UTF-8.
    let value = der::tlv(der::PRINTABLE_STRING, &["\u{e9}".as_bytes()]);
    let attribute = der::sequence(&[b"\x06\x03\x55\x04\x03", &value]);
    let name = der::sequence(&[&der::tlv(0x31, &[&attribute])]);
    let name = DistinguishedName::from_der(&name).unwrap();
    assert_eq!(name.to_string(), "CN=#1302c3a9");
    assert_eq!(
        DistinguishedName::from_rfc4514("CN=#1302c3a9").unwrap(),
        name
    );
}

#[test]
fn hexadecimal_digits_are_one_der_value_and_end_at_a_delimiter() {
    let parse = DistinguishedName::from_rfc4514;
    for text in ["CN=#0500", "CN=#0500 ,O=a", "CN=#0500+O=a", "CN=#0500;O=a"] {
        assert!(parse(text).is_ok(), "{text}");
    }
    for text in [
        "CN=#0500 x",
        "CN=#0500=",
        "CN=#05000500",
        "CN=#05",
        "CN=#0501",
    ] {
        assert!(
            matches!(parse(text), Err(Error::MalformedName { .. })),
            "{text}"
        );
    }
}
