//! What the file says, before anybody is called.

use super::*;

#[tokio::test]
async fn what_is_wrong_with_the_file_is_told_before_anybody_is_called() {
    let bot = &lab().bot;
    let other = issue(&lab().signing, "/CN=other", &[], &Profile::client());
    let mixed = Pair {
        key: PrivateKey::from_pem(other.key_pem(), None).unwrap(),
        certificate: bot.certificate.clone(),
    };
    for (identity, passphrase, expected) in [
        (
            p12(bot),
            Some("battery staple"),
            "identity-wrong-passphrase",
        ),
        (p12(bot), None, "identity-passphrase-missing"),
        (
            bot.certificate.to_pem().into_bytes(),
            None,
            "identity-not-pkcs12",
        ),
        (b"hello".to_vec(), Some(PASSPHRASE), "identity-not-pkcs12"),
        (
            b"\x30\x03\x02\x01\x01".to_vec(),
            Some(PASSPHRASE),
            "identity-unreadable",
        ),
        (pem(&mixed).into_bytes(), None, "key-mismatch"),
    ] {
        let report = offline(identity, passphrase).examine().await;
        assert_eq!(problems(&report), [expected], "{report}");
    }
}

#[tokio::test]
async fn a_file_with_old_encryption_is_opened_and_told() {
    let report = offline(pki_data("openssl-legacy.p12"), Some("correct"))
        .examine()
        .await;
    assert!(
        ids(&report, Severity::Warning).contains(&"identity-legacy-encryption"),
        "{report}"
    );
}

#[tokio::test]
async fn a_file_without_a_mac_is_opened_and_told() {
    let report = offline(pki_data("openssl-nomac.p12"), Some("correct"))
        .examine()
        .await;
    assert_eq!(ids(&report, Severity::Warning), ["identity-unprotected"]);
    assert_told(&report, "identity-opens", "MAC none", "");
    assert_told(&report, "identity-unprotected", "", "with a MAC");
}

#[tokio::test]
async fn a_file_that_lacks_something_or_has_too_much_is_told() {
    for (file, evidence) in [
        ("openssl-nokeys.p12", "private key"),
        ("openssl-nocerts.p12", "certificate for the private key"),
        ("keytool-two.p12", "2 private keys"),
    ] {
        let report = offline(pki_data(file), Some("correct")).examine().await;
        assert_eq!(problems(&report), ["identity-incomplete"], "{file}");
        assert_told(
            &report,
            "identity-incomplete",
            evidence,
            "one key and its certificate",
        );
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_the_keys_is_told_from_one_that_can_not_be_read() {
    // Nothing is encrypted in this file, nor is there a MAC.
    let file = pki_data("openssl-plain-nomac.p12");
    let leaf = Certificate::from_pem(pki_data("leaf.crt")).unwrap();
    let altered = |from: &[u8], to: &[u8]| {
        let start = file
            .windows(from.len())
            .position(|window| window == from)
            .unwrap();
        let mut file = file.clone();
        file[start..][..to.len()].copy_from_slice(to);
        file
    };

    let stranger = altered(leaf.spki_der(), lab().bot.certificate.spki_der());
    let report = offline(stranger, Some("correct")).examine().await;
    assert_eq!(problems(&report), ["key-mismatch"], "{report}");

    let damaged = altered(&leaf.as_der()[4..], &[0; 4]);
    let report = offline(damaged, Some("correct")).examine().await;
    assert_eq!(problems(&report), ["identity-unreadable"], "{report}");
    assert_told(&report, "identity-unreadable", "certificate", "fresh copy");
}

#[tokio::test]
async fn pem_with_key_and_certificate_is_an_identity_too() {
    let pod = pod().await;
    let report = Doctor::new(endpoints(&pod), pem(&lab().bot), None)
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .examine()
        .await;
    assert!(report.is_healthy(), "{report}");
    assert_eq!(report.findings()[0].id(), "identity-is-pem");
}

#[tokio::test]
async fn what_is_wrong_with_the_certificate_is_told() {
    let now = SystemTime::now();
    let signing = &lab().signing;
    let bot = |subject, profile: &Profile| issue(signing, subject, &[], profile);
    let plain = || bot("/CN=demo-bot1", &Profile::client());
    let between = |from, to| {
        Profile::client().validity(Validity {
            not_before: from,
            not_after: to,
        })
    };
    let version_1 = Pair {
        certificate: as_version_1(&lab().bot.certificate, signing),
        key: PrivateKey::from_pem(lab().bot.key_pem(), None).unwrap(),
    };
    let soon = between(signing.certificate().validity().not_before, now + 10 * DAY);
    let server_names = [pki::SubjectAltName::dns("bot.test").unwrap()];
    for (pair, at, severity, expected) in [
        (version_1, now, Severity::Warning, "client-certificate-v1"),
        (too_small(), now, Severity::Problem, "key-too-small"),
        (
            plain(),
            now + 4000 * DAY,
            Severity::Problem,
            "client-certificate-expired",
        ),
        (
            plain(),
            now - DAY,
            Severity::Problem,
            "client-certificate-not-yet-valid",
        ),
        (
            bot("/CN=demo-bot1", &soon),
            now,
            Severity::Warning,
            "client-certificate-expires-soon",
        ),
        (
            issue(signing, "/CN=demo-bot1", &server_names, &Profile::server()),
            now,
            Severity::Problem,
            "no-client-auth",
        ),
        (
            bot("/O=Nobody", &Profile::client()),
            now,
            Severity::Problem,
            "common-name-missing",
        ),
        (
            bot("/CN=Demo-Bot1", &Profile::client()),
            now,
            Severity::Problem,
            "common-name-case",
        ),
        (
            bot("/CN=demo-bot2", &Profile::client()),
            now,
            Severity::Problem,
            "common-name-differs",
        ),
    ] {
        let report = offline(pem(&pair), None)
            .username("demo-bot1")
            .at(at)
            .examine()
            .await;
        let mut found = ids(&report, severity);
        found.retain(|id| *id != "connection-refused");
        assert_eq!(found, [expected], "{report}");
    }
}

#[tokio::test]
async fn a_broken_digest_is_told_by_the_name_of_its_algorithm() {
    let rsa = CertificateAuthority::create_root(
        name("/CN=Old Root"),
        PrivateKey::generate(KeyKind::Rsa2048).unwrap(),
        &Profile::root(),
    )
    .unwrap();
    let Pair { key, certificate } = issue(&rsa, "/CN=demo-bot1", &[], &Profile::client());
    for (last, algorithm) in [
        (0x05, "sha1WithRSAEncryption"),
        (0x04, "md5WithRSAEncryption"),
    ] {
        let mut der = certificate.as_der().to_vec();
        // The object identifiers differ in their last octet alone (RFC 8017, appendix C).
        let sha256 = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
        for start in 0..der.len() - sha256.len() {
            if der[start..].starts_with(sha256) {
                der[start + sha256.len() - 1] = last;
            }
        }
        let pem_of_leaf = Certificate::from_der(&der).unwrap().to_pem();
        let pem = pem_of_leaf.clone() + &key.to_pem().unwrap();
        let report = offline(pem, None).examine().await;
        assert_eq!(
            ids(&report, Severity::Warning),
            ["weak-signature", "issuer-not-in-file"]
        );
        assert_told(&report, "weak-signature", algorithm, "SHA-256");
        // An issuer is known by its name and key identifier, where nobody can verify the signature.
        let pem = pem_of_leaf + &rsa.certificate().to_pem() + &key.to_pem().unwrap();
        let report = offline(pem, None).examine().await;
        assert_eq!(ids(&report, Severity::Warning), ["weak-signature"]);
    }
}

#[tokio::test]
async fn in_pem_the_certificate_comes_before_its_issuers() {
    let pem = lab().signing.certificate().to_pem()
        + &lab().bot.certificate.to_pem()
        + &lab().bot.key_pem();
    let report = offline(pem, None).username("demo-bot1").examine().await;
    assert_eq!(problems(&report), ["key-mismatch"], "{report}");
    assert_told(
        &report,
        "key-mismatch",
        "Test Signing",
        "before those of its issuers",
    );
}

#[tokio::test]
async fn an_issuer_that_the_file_lacks_is_a_warning() {
    let alone = lab().bot.certificate.to_pem() + &lab().bot.key_pem();
    let report = offline(alone, None).examine().await;
    assert_eq!(
        ids(&report, Severity::Warning),
        ["issuer-not-in-file"],
        "{report}"
    );
    let evidence = format!(
        "that of {} was issued by {}",
        lab().bot.certificate.subject(),
        lab().signing.certificate().subject()
    );
    assert_told(&report, "issuer-not-in-file", &evidence, "add the issuers");
}

#[test]
fn an_issuer_is_found_whatever_the_string_type_of_its_name() {
    let root_key = || PrivateKey::from_pem(lab().bot.key_pem(), None).unwrap();
    // One key and one name, in UTF8String and in PrintableString.
    let utf8: pki::DistinguishedName = "/CN=Root".parse().unwrap();
    let mut der = utf8.as_der().to_vec();
    let tag = der.iter().position(|octet| *octet == 0x0c).unwrap();
    der[tag] = 0x13;
    let printable = pki::DistinguishedName::from_der(&der).unwrap();
    assert_ne!(utf8, printable);
    let [issued_by, in_file] = [utf8, printable]
        .map(|name| CertificateAuthority::create_root(name, root_key(), &Profile::root()).unwrap());
    let leaf = issue(&issued_by, "/CN=demo-bot1", &[], &Profile::client());

    let certificates = [leaf.certificate, in_file.certificate().clone()];
    let key = leaf.key.algorithm();
    let report = auth::doctor::examine_chain(key, &certificates, std::time::SystemTime::now());
    assert!(
        ids(&report, Severity::Warning)
            .iter()
            .all(|id| *id != "issuer-not-in-file"),
        "{report}"
    );
}

#[tokio::test]
async fn a_common_name_with_what_nobody_sees_is_told() {
    // Such names are not typed, but spelled out or made elsewhere.
    for (subject, username, problems_expected, warnings_expected) in [
        (
            r"CN=demo-bot1\0D",
            Some("demo-bot1"),
            &["common-name-control-character", "common-name-padded"][..],
            &[][..],
        ),
        (
            r"CN=demo\1B-bot1",
            None,
            &["common-name-control-character"],
            &[],
        ),
        (
            r"CN=demo-bot1\ ",
            Some("demo-bot1"),
            &["common-name-padded"],
            &["common-name-blanks"],
        ),
        (
            r"CN=demo-bot1\ ",
            Some("demo-bot1 "),
            &[],
            &["common-name-blanks"],
        ),
        ("CN=\u{feff}demo-bot1", None, &[], &["common-name-blanks"]),
        (
            "CN=demo-bot1",
            Some("demo-bot1 "),
            &["common-name-padded"],
            &[],
        ),
        ("CN=demo bot1", Some("demo bot1"), &[], &[]),
    ] {
        // No CA of ours signs control characters.
        let control = [("\\0D", b'\r'), ("\\1B", 0x1b)];
        let control = control.iter().find(|(text, _)| subject.contains(text));
        let asked = control.map_or(subject.to_owned(), |(text, _)| subject.replace(text, "?"));
        let mut pair = issue(&lab().signing, &asked, &[], &Profile::client());
        if let Some((_, octet)) = control {
            let old = asked.trim_start_matches("CN=").as_bytes();
            let new: Vec<u8> = old
                .iter()
                .map(|found| if *found == b'?' { *octet } else { *found })
                .collect();
            pair.certificate = crate::lab::altered(&pair.certificate, &lab().signing, old, &new);
        }
        let mut examination = offline(pem(&pair), None);
        if let Some(username) = username {
            examination = examination.username(username);
        }
        let report = examination.examine().await;
        let mut found = problems(&report);
        found.retain(|id| *id != "connection-refused");
        assert_eq!(found, problems_expected, "{report}");
        assert_eq!(
            ids(&report, Severity::Warning),
            warnings_expected,
            "{report}"
        );
    }
}

#[tokio::test]
async fn a_certificate_of_an_authority_is_told() {
    let names = [];
    let pair = issue(
        &lab().root,
        "/CN=demo-bot1",
        &names,
        &Profile::intermediate(),
    );
    let report = offline(pem(&pair), None).examine().await;
    assert_eq!(
        ids(&report, Severity::Warning),
        ["client-certificate-is-ca"],
        "{report}"
    );
}
