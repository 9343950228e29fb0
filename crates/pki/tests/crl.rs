//! CRLs: those that OpenSSL and Python's `cryptography` wrote, and those that are made here.
#![allow(clippy::unwrap_used)] // tests

use std::time::{Duration, SystemTime};

use pki::{
    Certificate, CertificateAuthority, Crl, CrlBuilder, CrlNumber, Digest, Error,
    IssuingDistributionPoint, KeyKind, PreparedCrl, PrivateKey, Profile, Revocation,
    RevocationReason, SerialNumber, SignatureAlgorithm, Signer, SubjectAltName, Uri,
};
use rand_core::UnwrapErr;

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/crls/", $name))
    };
}

macro_rules! crl {
    ($name:literal) => {
        Crl::from_pem(data!($name)).unwrap()
    };
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Noon of a day since 1970.
fn noon(day: u32) -> SystemTime {
    SystemTime::UNIX_EPOCH + day * DAY + DAY / 2
}

/// The first of January 2026.
const NEW_YEAR_2026: u32 = 20_454;

fn old_ca() -> Certificate {
    Certificate::from_pem(data!("ca.crt")).unwrap()
}

fn serial(number: u64) -> SerialNumber {
    SerialNumber::try_from(number).unwrap()
}

// --- What others wrote ---

#[test]
fn what_openssl_wrote_is_read_and_verified() {
    let crl = crl!("openssl.crl.pem");
    crl.verify_issued_by(&old_ca()).unwrap();
    assert_eq!(crl.issuer(), old_ca().subject());
    assert_eq!(crl.number(), Some(&CrlNumber::from(0xfff)));
    assert_eq!(crl.signature_algorithm(), "ecdsa-with-SHA256");
    assert_eq!(
        crl.authority_key_identifier(),
        old_ca().subject_key_identifier()
    );
    assert_eq!(
        crl.extensions().collect::<Vec<_>>(),
        [("2.5.29.35", false), ("2.5.29.20", false)]
    );
    assert_eq!(crl.next_update().unwrap(), crl.this_update() + 36_500 * DAY);
    assert_eq!(crl.base_number(), None);
    assert!(!crl.is_indirect());
    assert_eq!(crl.unsupported_critical_extension(), None);

    let found: Vec<_> = crl
        .entries()
        .map(|entry| {
            assert!(entry.is_of_crl_issuer());
            (
                entry.serial_number().to_string(),
                entry.revocation_date(),
                entry.reason(),
                entry.invalidity_date(),
            )
        })
        .collect();
    let at = |day| noon(NEW_YEAR_2026 + day);
    let before_christmas = noon(NEW_YEAR_2026 - 8) - DAY / 2;
    let hold = "0x1234567890abcdef1234567890abcdef12345678";
    let expected = [
        ("0x1", at(0), RevocationReason::KeyCompromise, None),
        ("0x7f", at(1), RevocationReason::Unspecified, None),
        ("0x80", at(2), RevocationReason::Superseded, None),
        (
            "0x100",
            at(4),
            RevocationReason::KeyCompromise,
            Some(before_christmas),
        ),
        (hold, at(3), RevocationReason::CertificateHold, None),
    ];
    let expected = expected
        .map(|(serial, date, reason, invalidity)| (serial.to_owned(), date, reason, invalidity));
    assert_eq!(found, expected);
}

#[test]
fn an_entry_is_found_by_its_serial_number_wherever_it_stands() {
    let crl = crl!("openssl.crl.pem");
    for entry in crl.entries() {
        let found = crl.find(&entry.serial_number()).unwrap();
        assert_eq!(found.revocation_date(), entry.revocation_date());
    }
    for absent in [2, 0x7e, 0x81, 0xff, 0x101] {
        assert!(crl.find(&serial(absent)).is_none(), "{absent}");
    }
    let longer: SerialNumber = "0x1234567890abcdef1234567890abcdef1234567801"
        .parse()
        .unwrap_or(serial(3));
    assert!(crl.find(&longer).is_none());
    // Not in the order of the serial numbers, and without extensions of its own.
    let crl = crl!("unnumbered.crl.pem");
    assert_eq!(crl.number(), None);
    assert_eq!(crl.entries().len(), 2);
    let reason = |number| crl.find(&serial(number)).map(|entry| entry.reason());
    assert_eq!(reason(4), Some(RevocationReason::CertificateHold));
    assert_eq!(reason(5), Some(RevocationReason::Unspecified));
    assert_eq!(reason(6), None);
}

#[test]
fn a_delta_crl_is_named() {
    let crl = crl!("delta.crl.pem");
    crl.verify_issued_by(&old_ca()).unwrap();
    assert_eq!(crl.number(), Some(&CrlNumber::from(9)));
    assert_eq!(crl.base_number(), Some(&CrlNumber::from(7)));
    assert_eq!(crl.unsupported_critical_extension(), None);
    let entry = crl.entries().next().unwrap();
    assert_eq!(entry.reason(), RevocationReason::RemoveFromCrl);
}

#[test]
fn entries_of_an_indirect_crl_are_told_apart_by_their_issuers() {
    let crl = crl!("indirect.crl.pem");
    crl.verify_issued_by(&old_ca()).unwrap();
    assert!(crl.is_indirect());
    assert_eq!(crl.unsupported_critical_extension(), None);
    // An issuer holds for the entries after it, too (RFC 5280, section 5.3.3).
    let own: Vec<_> = crl
        .entries()
        .map(|entry| entry.is_of_crl_issuer())
        .collect();
    assert_eq!(own, [true, false, false, true]);
    let found: Vec<_> = (1..=4).map(|n| crl.find(&serial(n)).is_some()).collect();
    assert_eq!(found, own);

    // Without the declaration, a reader that takes no notice would find the entry of another issuer's certificate.
    let undeclared = Crl::from_pem(data!("undeclared.crl.pem"));
    assert!(matches!(undeclared, Err(Error::Malformed { .. })));
}

#[test]
fn what_a_crl_is_about_is_told() {
    let crl = crl!("users.crl.pem");
    let point = crl.issuing_distribution_point().unwrap();
    let uri = SubjectAltName::uri("http://ca.example.com/a.crl").unwrap();
    assert_eq!(point.names(), [uri]);
    assert!(point.only_contains_user_certificates());
    assert!(!point.only_contains_ca_certificates() && !point.only_some_reasons());
    let entry = crl.find(&serial(1)).unwrap();
    assert_eq!(entry.reason(), RevocationReason::CaCompromise);
    assert_eq!(
        entry.invalidity_date(),
        Some(noon(NEW_YEAR_2026 - 365) - DAY / 2)
    );
    let crl = crl!("reasons.crl.pem");
    assert!(
        crl.issuing_distribution_point()
            .unwrap()
            .only_some_reasons()
    );
}

#[test]
fn a_critical_extension_that_is_not_evaluated_is_named() {
    for (crl, oid) in [
        (crl!("critical.crl.pem"), "1.2.3.4"),
        (crl!("critical-entry.crl.pem"), "1.2.3.5"),
    ] {
        assert_eq!(crl.unsupported_critical_extension(), Some(oid));
    }
}

#[test]
fn pem_and_der_are_the_same_crl() {
    let crl = crl!("openssl.crl.pem");
    assert_ne!(crl, crl!("delta.crl.pem"));
    for input in [crl.as_der(), crl.to_pem().as_bytes()] {
        assert_eq!(Crl::from_pem_or_der(input).unwrap(), crl);
    }
    assert_eq!(crl.to_pem().as_bytes(), data!("openssl.crl.pem"));
    let certificate = data!("ca.crt");
    assert!(matches!(
        Crl::from_pem(certificate),
        Err(Error::PemNotFound { .. })
    ));
    assert!(matches!(
        Crl::from_der(old_ca().as_der()),
        Err(Error::Malformed { .. })
    ));
    let trailing = [crl.as_der(), &[5, 0]].concat();
    assert!(matches!(
        Crl::from_der(&trailing),
        Err(Error::TrailingData { .. })
    ));
    for end in 0..crl.as_der().len() {
        assert!(Crl::from_der(&crl.as_der()[..end]).is_err());
    }
}

#[test]
fn the_most_that_is_read_is_128_mib() {
    const LIMIT: usize = 128 << 20;
    let too_large = vec![0; LIMIT + 1];
    match Crl::from_der(&too_large).unwrap_err() {
        Error::TooLarge { found, limit, .. } => assert_eq!((found, limit), (LIMIT + 1, LIMIT)),
        other => panic!("{other:?}"),
    }
}

/// A list may have millions of entries, and all of its octets.
#[test]
fn debug_tells_whose_it_is_and_not_every_entry() {
    let crl = format!("{:?}", crl!("openssl.crl.pem"));
    assert!(
        crl.contains("entries: 5") && crl.contains("Old CA"),
        "{crl}"
    );
    let prepared = CrlBuilder::new().prepare(&old_ca(), day(&old_ca(), 1));
    let prepared = format!("{:?}", prepared.unwrap());
    assert!(prepared.contains("Ecdsa"), "{prepared}");
    for shown in [&crl, &prepared] {
        assert!(shown.contains("issuer") && shown.len() < 300, "{shown}");
    }
}

/// Whichever octet is another one, the list is refused, or its signature is.
#[test]
fn no_octet_can_be_changed() {
    let crl = crl!("openssl.crl.pem");
    for at in 0..crl.as_der().len() {
        let mut changed = crl.as_der().to_vec();
        changed[at] ^= 1;
        let verified = Crl::from_der(&changed).and_then(|crl| crl.verify_issued_by(&old_ca()));
        assert!(verified.is_err(), "{at}");
    }
}

/// Read as a positive one it would be another certificate's.
#[test]
fn a_serial_number_that_is_negative_or_empty_is_malformed() {
    let ca = ca();
    let crl = CrlBuilder::new()
        .revoke(Revocation::new(serial(0x7f12)))
        .sign(&ca)
        .unwrap();
    for (octets, expected) in [
        ([2, 2, 0xff, 0x12], "a serial number is negative"),
        ([2, 0, 5, 0], "a serial number is empty"),
    ] {
        let mut der = crl.as_der().to_vec();
        let at = der.windows(4).position(|it| it == [2, 2, 0x7f, 0x12]);
        let at = at.unwrap();
        der[at..at + 4].copy_from_slice(&octets);
        assert!(matches!(
            Crl::from_der(&der),
            Err(Error::Malformed { reason, .. }) if reason == expected
        ));
    }
}

#[test]
fn the_two_signature_algorithms_agree() {
    let crl = crl!("openssl.crl.pem");
    let sha256 = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let der = crl.as_der();
    let at = der.windows(8).rposition(|window| window == sha256).unwrap();
    let mut changed = der.to_vec();
    changed[at + 7] = 3; // with SHA-384
    let changed = Crl::from_der(&changed).unwrap();
    assert_eq!(changed.signature_algorithm(), "ecdsa-with-SHA384");
    assert!(matches!(
        changed.verify_issued_by(&old_ca()),
        Err(Error::CrlSignatureAlgorithmMismatch { .. })
    ));
}

// --- What is made here ---

fn ca_of(kind: KeyKind) -> CertificateAuthority {
    let key = PrivateKey::generate(kind).unwrap();
    CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key, &Profile::root()).unwrap()
}

fn ca() -> CertificateAuthority {
    ca_of(KeyKind::EcP256)
}

fn now() -> SystemTime {
    SystemTime::now()
}

fn at(ca: &CertificateAuthority, builder: &CrlBuilder, now: SystemTime) -> Result<Crl, Error> {
    builder.sign_at(ca, now, &mut UnwrapErr(getrandom::SysRng))
}

/// A time within the validity of a CA, so many days after it began.
fn day(ca: &Certificate, days: u32) -> SystemTime {
    ca.validity().not_before + days * DAY
}

fn revoked(number: u64, reason: RevocationReason) -> Revocation {
    Revocation::new(serial(number)).reason(reason)
}

#[test]
fn the_first_crl_is_empty_and_says_when_the_next_one_comes() {
    let ca = ca();
    let crl = CrlBuilder::new().sign(&ca).unwrap();
    crl.verify_issued_by(ca.certificate()).unwrap();
    assert_eq!(crl.entries().len(), 0);
    assert_eq!(crl.number(), Some(&CrlNumber::from(1)));
    assert_eq!(crl.next_update(), Some(crl.this_update() + 7 * DAY));
    assert_eq!(
        crl.authority_key_identifier(),
        ca.certificate().subject_key_identifier()
    );
    assert!(now().duration_since(crl.this_update()).unwrap() < DAY);
}

#[test]
fn every_kind_of_key_signs_crls() {
    for kind in [
        KeyKind::Rsa2048,
        KeyKind::EcP256,
        KeyKind::EcP384,
        KeyKind::EcP521,
        KeyKind::Ed25519,
    ] {
        let ca = ca_of(kind);
        let crl = CrlBuilder::new().sign(&ca).unwrap();
        crl.verify_issued_by(ca.certificate()).unwrap();
    }
    let ca = ca_of(KeyKind::Rsa2048);
    let pss = SignatureAlgorithm::RsaPss(Digest::Sha256);
    let crl = CrlBuilder::new()
        .signature_algorithm(pss)
        .sign(&ca)
        .unwrap();
    assert_eq!(crl.signature_algorithm(), "RSASSA-PSS with SHA-256");
    crl.verify_issued_by(ca.certificate()).unwrap();
    let other = CrlBuilder::new().signature_algorithm(SignatureAlgorithm::Ed25519);
    assert!(matches!(
        other.sign(&ca),
        Err(Error::UnsupportedSignatureAlgorithm { .. })
    ));
}

#[test]
fn what_was_asked_for_is_in_the_crl() {
    let ca = ca();
    let date = now() - 3 * DAY;
    let invalidity = now() - 10 * DAY;
    let revocation = revoked(0x80, RevocationReason::KeyCompromise)
        .date(date)
        .invalidity_date(invalidity);
    let point = IssuingDistributionPoint::at([Uri::new("http://a.example/crl").unwrap()])
        .only_user_certificates();
    let next = now() + 30 * DAY;
    let crl = CrlBuilder::new()
        .revoke(revocation)
        .revoke(Revocation::new(serial(1)))
        .number(CrlNumber::from(500))
        .next_update(next)
        .issuing_distribution_point(point.clone())
        .sign(&ca)
        .unwrap();
    let second = Duration::from_secs(1);
    let same = |found: SystemTime, asked: SystemTime| found <= asked && found + second > asked;
    let entries: Vec<_> = crl.entries().collect();
    assert_eq!(entries[0].serial_number(), serial(0x80));
    assert_eq!(entries[0].reason(), RevocationReason::KeyCompromise);
    assert!(same(entries[0].revocation_date(), date));
    assert!(same(entries[0].invalidity_date().unwrap(), invalidity));
    assert_eq!(entries[1].serial_number(), serial(1));
    assert_eq!(entries[1].reason(), RevocationReason::Unspecified);
    assert_eq!(entries[1].revocation_date(), crl.this_update());
    assert_eq!(entries[1].invalidity_date(), None);
    assert_eq!(crl.number(), Some(&CrlNumber::from(500)));
    assert!(same(crl.next_update().unwrap(), next));
    assert_eq!(crl.issuing_distribution_point(), Some(&point));
    assert_eq!(
        crl.extensions().collect::<Vec<_>>(),
        [
            ("2.5.29.35", false),
            ("2.5.29.20", false),
            ("2.5.29.28", true)
        ]
    );
}

/// What a CRL says has whole seconds, and who revokes has the system's clock.
#[test]
fn a_certificate_is_revoked_within_the_second_in_which_the_crl_is_made() {
    let ca = ca();
    let second = ca.certificate().validity().not_before + DAY;
    let now = second + Duration::from_millis(999);
    let revocation = Revocation::new(serial(1)).date(now).invalidity_date(now);
    let crl = at(&ca, &CrlBuilder::new().revoke(revocation), now).unwrap();
    let entry = crl.find(&serial(1)).unwrap();
    assert_eq!(entry.revocation_date(), second);
    assert_eq!(entry.invalidity_date(), Some(second));
}

#[test]
fn the_next_crl_keeps_what_is_in_the_previous_one() {
    let ca = ca();
    let point = IssuingDistributionPoint::at([]).only_ca_certificates();
    let first = CrlBuilder::new()
        .revoke(revoked(5, RevocationReason::Superseded))
        .issuing_distribution_point(point.clone())
        .sign(&ca)
        .unwrap();
    let second = CrlBuilder::after(first.clone())
        .revoke(revoked(3, RevocationReason::KeyCompromise))
        .sign(&ca)
        .unwrap();
    let third = CrlBuilder::after(second).sign(&ca).unwrap();
    assert_eq!(third.number(), Some(&CrlNumber::from(3)));
    assert_eq!(third.issuing_distribution_point(), Some(&point));
    let serials: Vec<_> = third.entries().map(|entry| entry.serial_number()).collect();
    assert_eq!(serials, [serial(5), serial(3)]);
    let kept = third.find(&serial(5)).unwrap();
    assert_eq!(kept.reason(), RevocationReason::Superseded);
    assert_eq!(kept.revocation_date(), first.this_update());
}

#[test]
fn what_is_not_critical_in_the_previous_crl_is_in_the_next_one() {
    let ca = ca();
    let names = |oids: &[u8]| [&[6, 3, 0x55, 0x1d], oids].concat();
    // What was the authority key identifier is an issuer alternative name now, whatever that says.
    let previous = changed(&ca, &CrlBuilder::new(), &names(&[35]), &names(&[18]));
    let next = CrlBuilder::after(previous).sign(&ca).unwrap();
    let next = CrlBuilder::after(next).sign(&ca).unwrap();
    let extensions: Vec<_> = next.extensions().collect();
    let expected = ["2.5.29.35", "2.5.29.20", "2.5.29.18"];
    assert_eq!(extensions, expected.map(|oid| (oid, false)));
    let value = [
        &[0x30, 0x16, 0x80, 0x14],
        ca.certificate().subject_key_identifier().unwrap(),
    ]
    .concat();
    let kept = [names(&[18]), vec![4, 0x18], value].concat();
    assert!(next.as_der().windows(kept.len()).any(|it| it == kept));
}

#[test]
fn an_error_names_the_entry_or_the_extension() {
    let ca = ca();
    let later = Revocation::new(serial(5)).date(now() + DAY);
    let refused = |crl: &CrlBuilder| at(&ca, crl, now()).unwrap_err().to_string();
    assert_eq!(
        refused(&CrlBuilder::new().revoke(later)),
        "the CRL can not be made: serial number 0x5: a certificate is revoked, or invalid, only later"
    );
    let reason = revoked(6, RevocationReason::RemoveFromCrl);
    assert_eq!(
        refused(&CrlBuilder::new().revoke(reason)),
        "the CRL can not be made: serial number 0x6: a reason is none for a complete CRL"
    );
    let critical = CrlBuilder::after(crl!("critical.crl.pem"));
    let error = critical.prepare(&old_ca(), day(&old_ca(), 1)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the CRL can not be made: extension 1.2."),
        "{error}"
    );
}

#[test]
fn numbers_rise() {
    let ca = ca();
    let first = CrlBuilder::new()
        .number(CrlNumber::from(7))
        .sign(&ca)
        .unwrap();
    for number in [6, 7] {
        assert!(matches!(
            CrlBuilder::after(first.clone()).number(CrlNumber::from(number)).sign(&ca),
            Err(Error::CrlNumberNotRising { found, previous, .. })
                if found == CrlNumber::from(number).to_string() && previous == "0x7"
        ));
    }
    let next = CrlBuilder::after(first)
        .number(CrlNumber::from(9))
        .sign(&ca)
        .unwrap();
    assert_eq!(next.number(), Some(&CrlNumber::from(9)));
    let long = format!("0x7f{}", "ff".repeat(19)).parse().unwrap();
    let longest = CrlBuilder::new().number(long).sign(&ca).unwrap();
    assert!(matches!(
        CrlBuilder::after(longest).sign(&ca),
        Err(Error::InvalidCrl { .. })
    ));
}

#[test]
fn a_certificate_is_revoked_once() {
    let ca = ca();
    let twice = CrlBuilder::new()
        .revoke(Revocation::new(serial(5)))
        .revoke(Revocation::new(serial(5)));
    let already =
        |result| matches!(result, Err(Error::AlreadyRevoked { serial, .. }) if serial == "0x5");
    assert!(already(twice.sign(&ca)));
    let first = CrlBuilder::new()
        .revoke(Revocation::new(serial(5)))
        .sign(&ca)
        .unwrap();
    for reason in [
        RevocationReason::Unspecified,
        RevocationReason::KeyCompromise,
    ] {
        let again = CrlBuilder::after(first.clone()).revoke(revoked(5, reason));
        assert!(already(again.sign(&ca)));
    }
}

#[test]
fn a_certificate_on_hold_is_released_or_revoked_for_good() {
    let ca = ca();
    let held = CrlBuilder::new()
        .revoke(revoked(4, RevocationReason::Superseded))
        .revoke(revoked(5, RevocationReason::CertificateHold))
        .revoke(revoked(6, RevocationReason::CertificateHold))
        .sign(&ca)
        .unwrap();
    let after = || CrlBuilder::after(held.clone());
    let released = after().release(serial(5)).sign(&ca).unwrap();
    assert!(released.find(&serial(5)).is_none());
    assert_eq!(released.entries().len(), 2);

    let gone = after()
        .revoke(revoked(5, RevocationReason::KeyCompromise))
        .sign(&ca)
        .unwrap();
    let found = gone.find(&serial(5)).unwrap();
    assert_eq!(found.reason(), RevocationReason::KeyCompromise);
    assert_eq!(gone.entries().len(), 3);

    let on_hold = RevocationReason::CertificateHold;
    for wrong in [
        after().revoke(revoked(5, on_hold)),
        after()
            .release(serial(5))
            .revoke(revoked(5, RevocationReason::Superseded)),
    ] {
        assert!(matches!(wrong.sign(&ca), Err(Error::AlreadyRevoked { .. })));
    }
    for wrong in [
        after().release(serial(4)),
        after().release(serial(7)),
        after().release(serial(5)).release(serial(5)),
        CrlBuilder::new().release(serial(5)),
    ] {
        assert!(matches!(wrong.sign(&ca), Err(Error::NotOnHold { .. })));
    }
}

#[test]
fn what_a_crl_can_not_say_is_refused() {
    let ca = ca();
    let now = day(ca.certificate(), 1);
    let crl = CrlBuilder::new;
    let revoking = |revocation| CrlBuilder::new().revoke(revocation);
    let one = || Revocation::new(serial(1));
    let not_after = "the next update is not after this one";
    let outside = "a time lies outside the years that X.509 can express";
    let later = "a certificate is revoked, or invalid, only later";
    let no_reason = "a reason is none for a complete CRL";
    let second = Duration::from_secs(1);
    for (builder, expected) in [
        (crl().next_update(now - DAY), not_after),
        (crl().next_update(now), not_after),
        (crl().next_update_after(Duration::ZERO), not_after),
        (crl().next_update_after(Duration::MAX), outside),
        (crl().next_update_after(4_000_000 * DAY), outside), // beyond the year 9999
        (revoking(one().date(now + second)), later),
        (revoking(one().invalidity_date(now + second)), later),
        (
            revoking(revoked(1, RevocationReason::RemoveFromCrl)),
            no_reason,
        ),
        (revoking(revoked(1, RevocationReason::Other(7))), no_reason),
        (
            crl().issuing_distribution_point(IssuingDistributionPoint::at([])),
            "its issuing distribution point says nothing",
        ),
    ] {
        let result = at(&ca, &builder, now);
        assert!(
            matches!(result, Err(Error::InvalidCrl { reason, .. }) if reason == expected),
            "{builder:?} {result:?}"
        );
    }
}

#[test]
fn an_issuer_signs_within_its_validity() {
    let ca = ca();
    let validity = ca.certificate().validity();
    let second = Duration::from_secs(1);
    let crl = |now| at(&ca, &CrlBuilder::new(), now);
    crl(validity.not_before).unwrap();
    crl(validity.not_after).unwrap();
    assert!(matches!(
        crl(validity.not_before - second),
        Err(Error::AuthorityNotYetValid { .. })
    ));
    assert!(matches!(
        crl(validity.not_after + second),
        Err(Error::AuthorityExpired { .. })
    ));
}

#[test]
fn only_a_crl_of_the_same_issuer_is_continued() {
    let (ca, other) = (ca(), ca());
    let crl = CrlBuilder::new().sign(&other).unwrap();
    // The same name, and another key.
    assert!(matches!(
        CrlBuilder::after(crl).sign(&ca),
        Err(Error::CrlIssuerMismatch {
            is_other_key: true,
            ..
        })
    ));
    assert!(matches!(
        CrlBuilder::after(crl!("openssl.crl.pem")).sign(&ca),
        Err(Error::CrlIssuerMismatch {
            is_other_key: false,
            ..
        })
    ));
}

#[test]
fn only_a_complete_crl_that_is_understood_is_continued() {
    let critical = "the previous one has it, critical, and it is not evaluated";
    for (previous, expected) in [
        (crl!("delta.crl.pem"), "the previous one is a delta CRL"),
        (
            crl!("indirect.crl.pem"),
            "the previous one is an indirect CRL",
        ),
        (crl!("critical.crl.pem"), critical),
        (crl!("critical-entry.crl.pem"), critical),
        (
            crl!("reasons.crl.pem"),
            "the previous one is about some reasons only",
        ),
    ] {
        let result = CrlBuilder::after(previous).prepare(&old_ca(), day(&old_ca(), 1));
        assert!(
            matches!(&result, Err(Error::InvalidCrl { reason, .. }) if *reason == expected),
            "{expected}: {result:?}"
        );
    }
    let after = CrlBuilder::after(crl!("openssl.crl.pem"));
    assert!(after.prepare(&old_ca(), day(&old_ca(), 1)).is_ok());
}

#[test]
fn the_next_crl_is_no_older() {
    let ca = ca();
    let previous = at(&ca, &CrlBuilder::new(), day(ca.certificate(), 2)).unwrap();
    let next = CrlBuilder::after(previous);
    let second = Duration::from_secs(1);
    assert!(matches!(
        at(&ca, &next, day(ca.certificate(), 2) - second),
        Err(Error::InvalidCrl { reason, .. }) if reason == "it would be older than the previous one"
    ));
    assert!(at(&ca, &next, day(ca.certificate(), 2)).is_ok());
}

/// A CRL that another CA software made: that of this crate, with other octets, signed anew.
fn changed(ca: &CertificateAuthority, crl: &CrlBuilder, from: &[u8], to: &[u8]) -> Crl {
    let prepared = crl.prepare(ca.certificate(), now()).unwrap();
    let mut tbs = prepared.as_der().to_vec();
    let at = tbs.windows(from.len()).position(|it| it == from).unwrap();
    tbs.splice(at..at + from.len(), to.iter().copied());
    let prepared = PreparedCrl::from_der(&tbs, ca.certificate()).unwrap();
    prepared.sign(ca.private_key()).unwrap()
}

#[test]
fn what_only_other_crls_say_is_not_continued() {
    let ca = ca();
    let refused = |previous: Crl| match CrlBuilder::after(previous).sign(&ca) {
        Err(Error::InvalidCrl { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let users = IssuingDistributionPoint::at([]).only_user_certificates();
    let users = CrlBuilder::new().issuing_distribution_point(users);
    let attributes = changed(&ca, &users, &[0x81, 1, 0xff], &[0x85, 1, 0xff]);
    assert_eq!(
        refused(attributes),
        "the previous one is about attribute certificates"
    );
    let held = CrlBuilder::new().revoke(revoked(1, RevocationReason::CertificateHold));
    let removed = changed(&ca, &held, &[0x0a, 1, 6], &[0x0a, 1, 8]);
    assert_eq!(
        refused(removed),
        "the previous one removes an entry, as delta CRLs alone do"
    );
}

/// Which of two entries holds is for nobody to guess.
#[test]
fn a_crl_that_revokes_a_certificate_twice_is_not_continued() {
    let ca = ca();
    let of = |number| Revocation::new(serial(number));
    let two = CrlBuilder::new().revoke(of(0x55)).revoke(of(0x66));
    let twice = changed(&ca, &two, &[2, 1, 0x66], &[2, 1, 0x55]);
    assert!(matches!(
        CrlBuilder::after(twice).sign(&ca),
        Err(Error::InvalidCrl { about: Some(about), .. }) if about == "serial number 0x55"
    ));
    let once = two.sign(&ca).unwrap();
    assert!(CrlBuilder::after(once).sign(&ca).is_ok());
}

#[test]
fn the_next_crl_is_about_no_fewer_certificates() {
    let ca = ca();
    let at = || IssuingDistributionPoint::at([Uri::new("http://a.example/crl").unwrap()]);
    let (users, cas) = (at().only_user_certificates(), at().only_ca_certificates());
    let after = |before: Option<&IssuingDistributionPoint>, point: &IssuingDistributionPoint| {
        let mut first = CrlBuilder::new();
        if let Some(before) = before {
            first = first.issuing_distribution_point(before.clone());
        }
        let next = CrlBuilder::after(first.sign(&ca).unwrap());
        next.issuing_distribution_point(point.clone()).sign(&ca)
    };
    for (before, point) in [
        (None, &users),
        (Some(&at()), &cas),
        (Some(&users), &cas),
        (Some(&cas), &users),
    ] {
        assert!(
            matches!(after(before, point), Err(Error::InvalidCrl { reason, .. }) if reason.contains("fewer")),
            "{before:?} {point:?}"
        );
    }
    for (before, point) in [(None, &at()), (Some(&users), &users), (Some(&cas), &at())] {
        assert!(after(before, point).is_ok(), "{before:?} {point:?}");
    }
}

#[test]
fn a_certificate_without_crl_sign_signs_and_verifies_none() {
    let ca = ca();
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let request = pki::CertificateRequest::builder("/CN=a".parse().unwrap())
        .sign(&key)
        .unwrap();
    let leaf = ca
        .issue(&request.verify().unwrap(), &Profile::client())
        .unwrap();
    assert!(matches!(
        CrlBuilder::new().prepare(&leaf, now()),
        Err(Error::NotACrlIssuer { .. })
    ));
}

#[test]
fn a_crl_is_signed_elsewhere() {
    let ca = ca();
    let builder = CrlBuilder::new().revoke(Revocation::new(serial(1)));
    let prepared = builder.prepare(ca.certificate(), now()).unwrap();
    assert_eq!(prepared.signing_key(), ca.private_key().public_key());
    let carried = PreparedCrl::from_der(prepared.as_der(), ca.certificate()).unwrap();
    assert_eq!(carried, prepared);
    let unsigned = carried.unsigned().unwrap();
    assert!(unsigned.find(&serial(1)).is_some());
    assert!(unsigned.verify_issued_by(ca.certificate()).is_err());
    assert_eq!(
        carried.signature_algorithm(),
        SignatureAlgorithm::Ecdsa(Digest::Sha256)
    );
    // A signature over something else.
    let other = CrlBuilder::new().sign(&ca).unwrap();
    let signature = &other.as_der()[other.as_der().len() - 70..];
    assert_eq!(prepared.assemble(signature), Err(Error::SignatureFailed));
    assert_eq!(prepared.assemble(&[]), Err(Error::SignatureFailed));
    let own = carried.signature_algorithm();
    let signature = Signer::sign(ca.private_key(), own, carried.as_der()).unwrap();
    for signed in [
        carried.assemble(&signature).unwrap(),
        prepared.sign(ca.private_key()).unwrap(),
    ] {
        signed.verify_issued_by(ca.certificate()).unwrap();
        assert!(signed.find(&serial(1)).is_some());
    }
    let other = PrivateKey::generate(KeyKind::EcP256).unwrap();
    assert!(matches!(
        prepared.sign(&other),
        Err(Error::KeyMismatch { .. })
    ));

    assert!(matches!(
        PreparedCrl::from_der(carried.as_der(), &old_ca()),
        Err(Error::CrlIssuerMismatch { .. })
    ));
}
