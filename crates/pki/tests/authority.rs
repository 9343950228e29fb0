//! What a CA signs, and what it refuses to.
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

#[macro_use]
mod support;

use std::time::{Duration, SystemTime};

use pki::{
    BasicConstraints, Certificate, CertificateAuthority, CertificateRequest, Digest,
    DistinguishedName, Error, ExtendedKeyUsage, Fault, KeyAlgorithm, KeyKind, PrivateKey, Profile,
    SerialNumber, SignatureAlgorithm, SubjectAltName, Validity, Version,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

fn name(text: &str) -> DistinguishedName {
    text.parse().unwrap()
}

fn root() -> CertificateAuthority {
    CertificateAuthority::create_root(
        name("/CN=Root/O=Excelsior Bank/C=GB"),
        key(),
        &Profile::root(),
    )
    .unwrap()
}

fn request(subject: &str) -> CertificateRequest {
    CertificateRequest::builder(name(subject))
        .sign(&key())
        .unwrap()
}

fn issue(ca: &CertificateAuthority, profile: &Profile) -> Result<Certificate, Error> {
    ca.issue(&request("/CN=demo-bot1").verify().unwrap(), profile)
}

#[test]
fn a_client_certificate_is_v3_with_both_key_identifiers() {
    let ca = root();
    let certificate = ca
        .issue_with_serial(
            &request("/CN=demo-bot1").verify().unwrap(),
            &Profile::client().valid_for_days(30),
            SerialNumber::try_from(1).unwrap(),
        )
        .unwrap();

    assert_eq!(certificate.version(), Version::V3);
    assert_eq!(certificate.serial_number().to_string(), "0x1");
    assert_eq!(certificate.issuer(), ca.certificate().subject());
    assert_eq!(
        certificate.basic_constraints(),
        Some(BasicConstraints {
            ca: false,
            path_len: None
        })
    );
    assert_eq!(
        certificate.key_usage().unwrap().names(),
        ["digitalSignature"]
    );
    assert_eq!(
        certificate.extended_key_usage(),
        Some([ExtendedKeyUsage::ClientAuth].as_slice())
    );
    assert_eq!(
        certificate.authority_key_identifier(),
        ca.certificate().subject_key_identifier()
    );
    let expected = certificate.public_key().unwrap().key_identifier();
    assert_eq!(
        certificate.subject_key_identifier(),
        Some(expected.as_slice())
    );
    assert_eq!(certificate.signature_algorithm(), "ecdsa-with-SHA256");
    certificate.verify_issued_by(ca.certificate()).unwrap();
    assert!(!certificate.is_self_signed());
    assert!(ca.certificate().is_self_signed());
}

#[test]
fn awkward_issuer_names_are_carried_octet_for_octet() {
    for subject in [
        "/C=GB/O=Bank/OU=One/OU=Two/CN=Two OUs",
        "/DC=com/DC=example/DC=corp/CN=Several DCs",
        "/O=Bank+OU=Trading+L=London/CN=Multi-valued+UID=7",
    ] {
        let ca = CertificateAuthority::create_root(name(subject), key(), &Profile::root()).unwrap();
        let signing = ca
            .create_intermediate(
                name(&format!("{subject}+title=x")),
                key(),
                &Profile::intermediate(),
            )
            .unwrap();
        let certificate = issue(&signing, &Profile::client()).unwrap();
        assert_eq!(
            signing.certificate().issuer().as_der(),
            name(subject).as_der()
        );
        assert_eq!(
            certificate.issuer().as_der(),
            signing.certificate().subject().as_der()
        );
        certificate.verify_issued_by(signing.certificate()).unwrap();
    }
}

#[test]
fn every_kind_of_key_signs_and_is_signed() {
    for kind in [
        KeyKind::Rsa2048,
        KeyKind::EcP256,
        KeyKind::EcP384,
        KeyKind::EcP521,
        KeyKind::Ed25519,
    ] {
        let ca = CertificateAuthority::create_root(
            name("/CN=Root"),
            PrivateKey::generate(kind).unwrap(),
            &Profile::root(),
        )
        .unwrap();
        assert!(ca.certificate().is_self_signed(), "{kind:?}");
        for subject_kind in [KeyKind::Rsa2048, KeyKind::Ed25519] {
            let subject_key = PrivateKey::generate(subject_kind).unwrap();
            let request = CertificateRequest::builder(name("/CN=a"))
                .sign(&subject_key)
                .unwrap();
            let certificate = ca
                .issue(&request.verify().unwrap(), &Profile::client())
                .unwrap();
            certificate.verify_issued_by(ca.certificate()).unwrap();
            assert_eq!(certificate.spki_der(), subject_key.public_key().spki_der());
        }
    }
}

#[test]
fn the_signature_algorithm_can_be_chosen_where_the_key_allows_it() {
    let rsa = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let ca = CertificateAuthority::create_root(name("/CN=Root"), rsa, &Profile::root()).unwrap();
    for (algorithm, name) in [
        (
            SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
            "sha256WithRSAEncryption",
        ),
        (
            SignatureAlgorithm::RsaPkcs1(Digest::Sha384),
            "sha384WithRSAEncryption",
        ),
        (
            SignatureAlgorithm::RsaPkcs1(Digest::Sha512),
            "sha512WithRSAEncryption",
        ),
        (
            SignatureAlgorithm::RsaPss(Digest::Sha256),
            "RSASSA-PSS with SHA-256",
        ),
        (
            SignatureAlgorithm::RsaPss(Digest::Sha384),
            "RSASSA-PSS with SHA-384",
        ),
        (
            SignatureAlgorithm::RsaPss(Digest::Sha512),
            "RSASSA-PSS with SHA-512",
        ),
    ] {
        let profile = Profile::client().signature_algorithm(algorithm);
        let certificate = issue(&ca, &profile).unwrap();
        assert_eq!(certificate.signature_algorithm(), name);
        certificate.verify_issued_by(ca.certificate()).unwrap();
    }
    let other = SignatureAlgorithm::Ecdsa(Digest::Sha512);
    assert!(matches!(
        issue(&root(), &Profile::client().signature_algorithm(other)),
        Err(Error::UnsupportedSignatureAlgorithm {
            algorithm: "ecdsa-with-SHA512",
            ..
        })
    ));
}

#[test]
fn a_request_is_signed_with_the_algorithm_that_was_chosen() {
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let pss = SignatureAlgorithm::RsaPss(Digest::Sha384);
    let builder = || CertificateRequest::builder(name("/CN=a"));
    let request = builder().signature_algorithm(pss).sign(&key).unwrap();
    assert_eq!(request.signature_algorithm(), "RSASSA-PSS with SHA-384");
    request.verify().unwrap();
    assert!(matches!(
        builder()
            .signature_algorithm(SignatureAlgorithm::Ed25519)
            .sign(&key),
        Err(Error::UnsupportedSignatureAlgorithm {
            algorithm: "Ed25519",
            ..
        })
    ));
}

#[test]
fn a_key_for_rsassa_pss_alone_signs_and_is_signed() {
    let pem = include_bytes!("data/keys/rsa-pss-sha384.pem");
    let key = || PrivateKey::from_pem(pem, None).unwrap();
    let ca = CertificateAuthority::create_root(name("/CN=Root"), key(), &Profile::root()).unwrap();
    assert_eq!(
        ca.certificate().signature_algorithm(),
        "RSASSA-PSS with SHA-384"
    );
    assert!(ca.certificate().is_self_signed());

    let request = CertificateRequest::builder(name("/CN=a"))
        .sign(&key())
        .unwrap();
    let request = request.verify().unwrap();
    let names = Profile::server().subject_alt_names([SubjectAltName::dns("a.example").unwrap()]);
    let certificate = ca.issue(&request, &names).unwrap();
    // RFC 4055, section 1.2: such a key enciphers nothing.
    assert_eq!(
        certificate.key_usage().unwrap().names(),
        ["digitalSignature"]
    );
    assert!(matches!(
        ca.issue(&request, &Profile::client().minimum_rsa_bits(2049)),
        Err(Error::KeyTooSmall {
            found: 2048,
            minimum: 2049,
            ..
        })
    ));
    for other in [
        SignatureAlgorithm::RsaPss(Digest::Sha256),
        SignatureAlgorithm::RsaPkcs1(Digest::Sha384),
    ] {
        assert!(matches!(
            ca.issue(&request, &Profile::client().signature_algorithm(other)),
            Err(Error::UnsupportedSignatureAlgorithm { .. })
        ));
    }
}

#[test]
fn a_server_gets_the_names_it_asks_for_and_a_client_does_not() {
    let names = [
        SubjectAltName::dns("pod.example.com").unwrap(),
        SubjectAltName::Ip([127, 0, 0, 1].into()),
    ];
    let mut builder = CertificateRequest::builder(name("/CN=pod.example.com"));
    for name in names.clone() {
        builder = builder.subject_alt_name(name);
    }
    let request = builder.sign(&key()).unwrap();
    assert_eq!(request.subject_alt_names(), names);
    let verified = request.verify().unwrap();

    let ca = root();
    assert_eq!(
        ca.issue(&verified, &Profile::server())
            .unwrap()
            .subject_alt_names(),
        names
    );
    assert_eq!(
        ca.issue(&verified, &Profile::client())
            .unwrap()
            .subject_alt_names(),
        []
    );
    let granted = ca
        .issue(&verified, &Profile::client().requested_subject_alt_names())
        .unwrap();
    assert_eq!(granted.subject_alt_names(), names);
}

#[test]
fn every_profile_has_usages_of_its_own() {
    use ExtendedKeyUsage::{ClientAuth, ServerAuth};
    let signs: &[&str] = &["digitalSignature"];
    // A TLS 1.2 server may be asked for RSA key exchange.
    let deciphers: &[&str] = &["digitalSignature", "keyEncipherment"];
    let names = [SubjectAltName::dns("a.example").unwrap()];
    let server = Profile::server().subject_alt_names(names.clone());
    let peer = Profile::peer().subject_alt_names(names);
    let ca = root();
    let ec = key();
    let rsa = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let of = |key: &PrivateKey| {
        CertificateRequest::builder(name("/CN=a"))
            .sign(key)
            .unwrap()
    };
    for (profile, of_rsa, of_ec, purposes) in [
        (Profile::client(), signs, signs, &[ClientAuth][..]),
        (server, deciphers, signs, &[ServerAuth]),
        (peer, deciphers, signs, &[ServerAuth, ClientAuth]),
    ] {
        for (key, usages) in [(&rsa, of_rsa), (&ec, of_ec)] {
            let certificate = ca.issue(&of(key).verify().unwrap(), &profile).unwrap();
            assert_eq!(certificate.key_usage().unwrap().names(), usages);
            assert_eq!(certificate.extended_key_usage(), Some(purposes));
            assert!(!certificate.basic_constraints().unwrap().ca);
        }
    }
    let below = ca
        .create_intermediate(name("/CN=b"), ec, &Profile::intermediate())
        .unwrap();
    for ca in [&ca, &below] {
        let certificate = ca.certificate();
        assert_eq!(
            certificate.key_usage().unwrap().names(),
            ["keyCertSign", "cRLSign"]
        );
        assert_eq!(certificate.extended_key_usage(), None);
        assert!(certificate.basic_constraints().unwrap().ca);
    }
}

#[test]
fn names_that_stand_alone_are_critical() {
    let request = CertificateRequest::builder(name("/"))
        .subject_alt_name(SubjectAltName::dns("a.example").unwrap())
        .sign(&key())
        .unwrap();
    let certificate = root()
        .issue(&request.verify().unwrap(), &Profile::server())
        .unwrap();
    assert!(certificate.subject().is_empty());
    let is_critical = |certificate: &Certificate| {
        let mut extensions = certificate.extensions();
        extensions.find(|(oid, _)| *oid == "2.5.29.17").unwrap().1
    };
    assert!(is_critical(&certificate));
    let beside = Profile::server().subject_alt_names([SubjectAltName::dns("a.example").unwrap()]);
    assert!(!is_critical(&issue(&root(), &beside).unwrap()));
}

#[test]
fn profiles_that_can_not_apply_are_refused() {
    let ca = root();
    let invalid =
        |result: Result<Certificate, Error>| matches!(result, Err(Error::InvalidProfile { .. }));
    let lacks_a_name = |result: Result<Certificate, Error>| {
        result.is_err_and(|error| {
            matches!(error, Error::NameMissing { .. }) && error.fault() == Fault::Request
        })
    };
    assert!(
        lacks_a_name(issue(&ca, &Profile::server())),
        "a server without names"
    );
    assert!(invalid(issue(&ca, &Profile::root())), "another root");
    assert!(
        invalid(issue(&ca, &Profile::client().path_len(0))),
        "a path length on a leaf"
    );
    let nameless = CertificateRequest::builder(name("/")).sign(&key()).unwrap();
    assert!(
        lacks_a_name(ca.issue(&nameless.verify().unwrap(), &Profile::client())),
        "no name at all"
    );
    assert!(
        lacks_a_name(ca.issue(&nameless.verify().unwrap(), &Profile::intermediate())),
        "a CA without a subject"
    );
    assert!(matches!(
        CertificateAuthority::create_root(name("/"), key(), &Profile::root()),
        Err(Error::NameMissing { .. })
    ));
    assert!(matches!(
        CertificateAuthority::create_root(name("/CN=x"), key(), &Profile::client()),
        Err(Error::InvalidProfile { .. })
    ));
    for profile in [Profile::root(), Profile::client()] {
        assert!(matches!(
            ca.create_intermediate(name("/CN=x"), key(), &profile),
            Err(Error::InvalidProfile { .. })
        ));
    }
}

#[test]
fn path_lengths_are_kept() {
    let ca =
        CertificateAuthority::create_root(name("/CN=Root"), key(), &Profile::root().path_len(1))
            .unwrap();
    let intermediate = Profile::intermediate().path_len(0);
    let signing = ca
        .create_intermediate(name("/CN=Signing"), key(), &intermediate)
        .unwrap();
    assert_eq!(
        signing.certificate().basic_constraints(),
        Some(BasicConstraints {
            ca: true,
            path_len: Some(0)
        })
    );
    assert!(issue(&signing, &Profile::client()).is_ok());
    assert!(matches!(
        signing.create_intermediate(name("/CN=Third"), key(), &Profile::intermediate()),
        Err(Error::PathLengthExceeded { .. })
    ));
    assert!(matches!(
        ca.create_intermediate(
            name("/CN=Greedy"),
            key(),
            &Profile::intermediate().path_len(1)
        ),
        Err(Error::PathLengthExceeded { .. })
    ));
}

#[test]
fn short_rsa_keys_are_certified_on_request_only() {
    let small = rsa::PrivateKey::new(&mut rand_core::UnwrapErr(getrandom::SysRng), 1024).unwrap();
    let der = rsa::pkcs8::EncodePrivateKey::to_pkcs8_der(&small).unwrap();
    let small = PrivateKey::from_der(der.as_bytes(), None).unwrap();
    let usual = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let ca = root();
    let issue = |key: &PrivateKey, profile: &Profile| {
        let request = CertificateRequest::builder(name("/CN=a"))
            .sign(key)
            .unwrap();
        ca.issue(&request.verify().unwrap(), profile)
    };
    let is_too_small = |error, bits, least| {
        assert_error!(
            error,
            Error::KeyTooSmall {
                found: bits,
                minimum: least
            }
        );
    };
    let client = Profile::client();
    is_too_small(issue(&small, &client).unwrap_err(), 1024, 2048);
    issue(&usual, &client).unwrap();
    issue(&small, &client.clone().minimum_rsa_bits(1024)).unwrap();
    is_too_small(
        issue(&usual, &client.clone().minimum_rsa_bits(2049)).unwrap_err(),
        2048,
        2049,
    );
    is_too_small(
        CertificateAuthority::create_root(name("/CN=Root"), small, &Profile::root()).unwrap_err(),
        1024,
        2048,
    );
    assert!(matches!(
        ca.create_intermediate(
            name("/CN=Signing"),
            usual,
            &Profile::intermediate().minimum_rsa_bits(3072)
        ),
        Err(Error::KeyTooSmall { .. })
    ));
}

#[test]
fn nobody_gets_the_name_of_the_authority() {
    let ca = root();
    for subject in [
        "/CN=Root/O=Excelsior Bank/C=GB",
        "/CN=root /O=EXCELSIOR  BANK/C=gb",
    ] {
        let subject = name(subject);
        let request = CertificateRequest::builder(subject.clone())
            .sign(&key())
            .unwrap();
        for error in [
            ca.issue(&request.verify().unwrap(), &Profile::client())
                .unwrap_err(),
            ca.create_intermediate(subject.clone(), key(), &Profile::intermediate())
                .unwrap_err(),
        ] {
            assert_error!(
                error,
                Error::SubjectIsIssuer {
                    subject: subject.to_string()
                }
            );
        }
    }
}

#[test]
fn a_profile_that_is_used_twice_gives_two_serial_numbers() {
    let (ca, profile) = (root(), Profile::client());
    let serial = || issue(&ca, &profile).unwrap().serial_number().clone();
    assert_ne!(serial(), serial());
}

#[test]
fn dates_from_2050_on_have_four_digits_of_the_year() {
    // 2049-12-31T23:59:59Z and the second after it (RFC 5280, section 4.1.2.5).
    let last_short = SystemTime::UNIX_EPOCH + Duration::from_secs(2_524_607_999);
    let first_long = last_short + Duration::from_secs(1);
    let validity = Validity {
        not_before: last_short,
        not_after: first_long,
    };
    let profile = Profile::root().validity(validity);
    let ca = CertificateAuthority::create_root(name("/CN=Root"), key(), &profile).unwrap();
    assert_eq!(ca.certificate().validity(), validity);
    let encoded = b"\x17\x0d491231235959Z\x18\x0f20500101000000Z";
    let der = ca.certificate().as_der();
    assert!(der.windows(encoded.len()).any(|window| window == encoded));
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let request = request("/CN=a");
    let leaf = ca
        .issue_at(
            &request.verify().unwrap(),
            &Profile::client(),
            first_long,
            &mut rng,
        )
        .unwrap();
    assert_eq!(leaf.validity(), validity);
}

#[test]
fn an_authority_signs_only_within_its_own_time() {
    let ca = root();
    let Validity {
        not_before,
        not_after,
    } = ca.certificate().validity();
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let request = request("/CN=demo-bot1");
    let verified = request.verify().unwrap();
    let late = not_after + DAY;
    assert_error!(
        ca.issue_at(&verified, &Profile::client(), late, &mut rng)
            .unwrap_err(),
        Error::AuthorityExpired {
            subject: ca.certificate().subject().to_string(),
            not_after: not_after,
            now: late
        }
    );
    let early = not_before - DAY;
    assert_error!(
        ca.issue_at(&verified, &Profile::client(), early, &mut rng)
            .unwrap_err(),
        Error::AuthorityNotYetValid {
            subject: ca.certificate().subject().to_string(),
            not_before: not_before,
            now: early
        }
    );
    let last_day = not_after - DAY;
    let clamped = ca
        .issue_at(&verified, &Profile::client(), last_day, &mut rng)
        .unwrap();
    assert_eq!(clamped.validity().not_after, not_after);
    assert!(matches!(
        issue(&ca, &Profile::client().valid_for_days(4000)),
        Err(Error::ValidityExceedsAuthority { .. })
    ));
}

#[test]
fn the_same_time_and_randomness_make_the_same_certificate() {
    let now = SystemTime::UNIX_EPOCH + 20_000 * DAY;
    let root_key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let pem = root_key.to_pem().unwrap();
    let make = || {
        let key = PrivateKey::from_pem(pem.as_bytes(), None).unwrap();
        CertificateAuthority::create_root_at(
            name("/CN=Root"),
            key,
            &Profile::root(),
            now,
            &mut Counter(0),
        )
        .unwrap()
    };
    assert_eq!(make().certificate(), make().certificate());
}

#[test]
fn what_is_no_authority_can_not_become_one() {
    let leaf_key = key();
    let request = CertificateRequest::builder(name("/CN=leaf"))
        .sign(&leaf_key)
        .unwrap();
    let leaf = root()
        .issue(&request.verify().unwrap(), &Profile::client())
        .unwrap();
    assert!(matches!(
        CertificateAuthority::new(leaf, leaf_key),
        Err(Error::NotAnAuthority {
            reason: "its basic constraints say that it is not a CA",
            ..
        })
    ));
    let ca = root();
    assert_error!(
        CertificateAuthority::new(ca.certificate().clone(), key()).unwrap_err(),
        Error::KeyMismatch {
            subject: ca.certificate().subject().to_string()
        }
    );
}

#[test]
fn the_chain_runs_from_the_authority_to_its_root() {
    let ca = root();
    let first = ca
        .create_intermediate(name("/CN=First"), key(), &Profile::intermediate())
        .unwrap();
    let second = first
        .create_intermediate(name("/CN=Second"), key(), &Profile::intermediate())
        .unwrap();
    let chain = [second.certificate(), first.certificate(), ca.certificate()].map(Clone::clone);
    assert_eq!(second.chain(), chain);

    let shuffled: String = [&chain[0], &chain[2], &chain[1]]
        .map(Certificate::to_pem)
        .concat();
    let key_pem = second.private_key().to_pem().unwrap();
    let loaded = CertificateAuthority::from_pem(shuffled, key_pem.as_bytes(), None).unwrap();
    assert_eq!(loaded.chain(), chain);
}

#[test]
fn a_request_proves_possession_or_is_refused() {
    let request = request("/CN=demo-bot1");
    let mut broken = request.as_der().to_vec();
    let signed_octet = broken
        .windows(9)
        .position(|window| window == b"demo-bot1")
        .unwrap();
    broken[signed_octet] = b'D';
    let broken = CertificateRequest::from_der(&broken).unwrap();
    assert_eq!(broken.verify(), Err(Error::RequestSignatureInvalid));
}

#[test]
fn requests_and_certificates_survive_pem() {
    let request = request("/CN=demo-bot1");
    assert_eq!(
        CertificateRequest::from_pem(request.to_pem()).unwrap(),
        request
    );
    let ca = root();
    let text = format!(
        "a comment\n{}more\n{}",
        ca.certificate().to_pem(),
        ca.certificate().to_pem()
    );
    assert_eq!(Certificate::all_from_pem(&text).unwrap().len(), 2);
    assert_eq!(&Certificate::from_pem(&text).unwrap(), ca.certificate());
    assert_error!(
        Certificate::from_pem(request.to_pem()).unwrap_err(),
        Error::PemNotFound {
            expected: "CERTIFICATE",
            found: vec!["CERTIFICATE REQUEST".into()]
        }
    );
}

#[test]
fn truncated_input_is_an_error() {
    let ca = root();
    let pem = ca.certificate().to_pem();
    assert!(matches!(
        Certificate::from_pem(&pem[..pem.len() - 30]),
        Err(Error::MalformedPem { .. })
    ));
    let der = ca.certificate().as_der();
    for len in 0..der.len() {
        assert!(
            matches!(
                Certificate::from_der(&der[..len]),
                Err(Error::Malformed { .. })
            ),
            "{len}"
        );
    }
    let longer = [der, b"\0"].concat();
    assert_error!(
        Certificate::from_der(&longer).unwrap_err(),
        Error::TrailingData {
            what: "certificate",
            count: 1
        }
    );
}

#[test]
fn a_requested_ca_bit_is_not_obeyed() {
    // Made by `openssl req -new` on P-256 with `-addext basicConstraints=critical,CA:TRUE` and
    // `-addext keyUsage=critical,keyCertSign,cRLSign`.
    let request = CertificateRequest::from_pem(include_str!("data/greedy.csr.pem")).unwrap();
    assert!(request.requested_extensions().any(|oid| oid == "2.5.29.19"));
    let certificate = root()
        .issue(&request.verify().unwrap(), &Profile::client())
        .unwrap();
    assert_eq!(
        certificate.basic_constraints(),
        Some(BasicConstraints {
            ca: false,
            path_len: None
        })
    );
    assert_eq!(
        certificate.key_usage().unwrap().names(),
        ["digitalSignature"]
    );
    assert_eq!(
        certificate.public_key().unwrap().algorithm(),
        KeyAlgorithm::EcP256
    );
}

/// Randomness that repeats itself.
struct Counter(u8);

impl rand_core::TryRng for Counter {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Self::Error> {
        for octet in octets {
            self.0 = self.0.wrapping_add(1);
            *octet = self.0;
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counter {}
