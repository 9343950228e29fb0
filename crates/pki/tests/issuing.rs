//! Issuing step by step: what a profile grants, says and refuses, and who signs.
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

use std::{
    error::Error as StdError,
    time::{Duration, SystemTime},
};

use pki::{
    BasicConstraints, Certificate, CertificateAuthority, CertificateRequest, Digest,
    DistinguishedName, DistributionPoint, Error, ExtendedKeyUsage, Extension, Fault,
    GeneralSubtree, Issuance, Issuer, KeyAlgorithm, KeyKind, KeyUsage, NameConstraints,
    PreparedCertificate, PreparedRequest, PrivateKey, Profile, PublicKey, SignatureAlgorithm,
    Signer, SubjectAltName, SubjectPolicy, Ungranted, Uri, Validity,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

fn name(text: &str) -> DistinguishedName {
    text.parse().unwrap()
}

fn dns(text: &str) -> SubjectAltName {
    SubjectAltName::dns(text).unwrap()
}

fn request_of(subject: &str) -> CertificateRequest {
    request(subject, &[])
}

fn root() -> CertificateAuthority {
    CertificateAuthority::create_root(name("/CN=Root"), key(), &Profile::root()).unwrap()
}

/// A request for this subject and these names.
fn request(subject: &str, names: &[SubjectAltName]) -> CertificateRequest {
    names
        .iter()
        .fold(CertificateRequest::builder(name(subject)), |builder, it| {
            builder.subject_alt_name(it.clone())
        })
        .sign(&key())
        .unwrap()
}

fn prepare(
    ca: &CertificateAuthority,
    request: &CertificateRequest,
    profile: &Profile,
) -> Result<PreparedCertificate, Error> {
    ca.prepare(&Issuance::for_request(&request.verify().unwrap()), profile)
}

fn crl() -> Extension {
    let uri = Uri::new("http://ca.example.com/ca.crl").unwrap();
    Extension::crl_distribution_points([DistributionPoint::uri(uri)]).unwrap()
}

/// What a certificate says about this extension: whether it is critical.
fn criticality(certificate: &Certificate, oid: &str) -> Option<bool> {
    let mut extensions = certificate.extensions();
    extensions
        .find(|(found, _)| *found == oid)
        .map(|(_, it)| it)
}

/// A key that this test pretends not to have.
struct Token {
    key: PrivateKey,
    answer: Answer,
}

#[derive(Clone, Copy)]
enum Answer {
    Signature,
    WrongSignature,
    Fault,
}

#[derive(Debug)]
struct NoToken;

impl std::fmt::Display for NoToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the token was removed")
    }
}

impl StdError for NoToken {}

impl Signer for Token {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> {
        match self.answer {
            Answer::Signature => Signer::sign(&self.key, algorithm, message),
            Answer::WrongSignature => Signer::sign(&self.key, algorithm, b"another message"),
            Answer::Fault => Err(Box::new(NoToken)),
        }
    }
}

#[test]
fn a_key_elsewhere_signs_certificates_and_requests() {
    for kind in [KeyKind::Rsa2048, KeyKind::EcP384, KeyKind::Ed25519] {
        let token = Token {
            key: PrivateKey::generate(kind).unwrap(),
            answer: Answer::Signature,
        };
        let issuance = Issuance::for_key(token.public_key(), name("/CN=Token CA"));
        let prepared = issuance.prepare_self_signed(&Profile::root()).unwrap();
        assert_eq!(prepared.signing_key(), token.public_key());
        let certificate = prepared.sign(&token).unwrap();
        let issuer = Issuer::from_pem(certificate.to_pem()).unwrap();

        let request = CertificateRequest::builder(name("/CN=a"))
            .sign(&token)
            .unwrap();
        let issuance = Issuance::for_request(&request.verify().unwrap());
        let leaf = issuer
            .prepare(&issuance, &Profile::client())
            .unwrap()
            .sign(&token)
            .unwrap();
        leaf.verify_issued_by(issuer.certificate()).unwrap();
    }
}

#[test]
fn what_a_signer_gets_wrong_makes_no_certificate() {
    let with = |answer| Token { key: key(), answer };
    let prepared = |token: &Token| {
        Issuance::for_key(token.public_key(), name("/CN=a"))
            .prepare_self_signed(&Profile::client())
            .unwrap()
    };
    let wrong = with(Answer::WrongSignature);
    assert_eq!(prepared(&wrong).sign(&wrong), Err(Error::SignatureFailed));

    let broken = with(Answer::Fault);
    let error = prepared(&broken).sign(&broken).unwrap_err();
    assert!(matches!(error, Error::SignerFailed { .. }));
    assert_eq!(error.to_string(), "the signer did not sign");
    assert_eq!(error.source().unwrap().to_string(), "the token was removed");
    assert_eq!(error, error.clone());
    assert_ne!(error, prepared(&broken).sign(&broken).unwrap_err());

    let stranger = with(Answer::Signature);
    assert!(matches!(
        prepared(&wrong).sign(&stranger),
        Err(Error::KeyMismatch { .. })
    ));
    let request = CertificateRequest::builder(name("/CN=a"));
    let prepared = request.clone().prepare(wrong.public_key()).unwrap();
    let own = prepared.signature_algorithm();
    let signature = Signer::sign(&wrong.key, own, prepared.as_der()).unwrap();
    prepared.assemble(&signature).unwrap().verify().unwrap();
    assert_eq!(prepared.sign(&wrong), Err(Error::SignatureFailed));
    assert!(matches!(
        prepared.sign(&stranger),
        Err(Error::KeyMismatch { .. })
    ));
    // A private key that can't sign so says it in this crate's own words.
    let error = Signer::sign(&wrong.key, SignatureAlgorithm::Ed25519, b"").unwrap_err();
    assert!(error.is::<Error>());
}

#[test]
fn a_signature_is_carried_back_to_what_was_prepared() {
    let ca = root();
    let issuance = Issuance::for_key(key().public_key(), name("/CN=a"));
    let prepared = ca.prepare(&issuance, &Profile::client()).unwrap();
    let carried = PreparedCertificate::from_der(prepared.as_der(), ca.certificate()).unwrap();
    assert_eq!(carried, prepared);
    let shown = format!("{prepared:?}");
    for part in ["CN=a", "CN=Root", "Ecdsa", "ungranted: []"] {
        assert!(shown.contains(part), "{shown}");
    }

    let signature = ca
        .private_key()
        .sign(carried.signature_algorithm(), carried.as_der())
        .unwrap();
    let certificate = carried.assemble(&signature).unwrap();
    certificate.verify_issued_by(ca.certificate()).unwrap();
    assert_eq!(certificate.subject(), prepared.subject());
    assert_eq!(certificate.serial_number(), prepared.serial_number());
    assert_eq!(certificate.validity(), prepared.validity());
    assert_eq!(carried.assemble(&[]), Err(Error::SignatureFailed));

    let unsigned = prepared.unsigned();
    assert_eq!(unsigned.subject(), certificate.subject());
    assert!(matches!(
        unsigned.verify_issued_by(ca.certificate()),
        Err(Error::CertificateSignatureInvalid { .. })
    ));
}

#[test]
fn what_is_carried_must_be_whole_and_this_issuers() {
    let ca = root();
    let issuance = Issuance::for_key(key().public_key(), name("/CN=a"));
    let prepared = ca.prepare(&issuance, &Profile::client()).unwrap();
    let from = |tbs: &[u8]| PreparedCertificate::from_der(tbs, ca.certificate()).map(|_| ());
    let whole = prepared.as_der();
    assert_eq!(from(whole), Ok(()));
    assert!(from(&whole[..whole.len() - 1]).is_err());
    assert!(from(&[whole, &[0]].concat()).is_err());
    let other = root_called("/CN=Other");
    assert!(matches!(
        PreparedCertificate::from_der(whole, other.certificate()),
        Err(Error::IssuerMismatch { .. })
    ));
    // Another digest, for which the key's signature isn't one.
    let sha256 = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let at = whole.windows(8).position(|it| it == sha256).unwrap();
    let mut sha1 = whole.to_vec();
    sha1[at + 6] = 1;
    sha1[at + 7] = 1;
    assert!(from(&sha1).is_err());
}

/// Its issuer's certificate doesn't exist before it.
#[test]
fn what_its_own_key_signs_is_carried_too() {
    let key = key();
    let issuance = Issuance::for_key(key.public_key(), name("/CN=a"));
    let prepared = issuance.prepare_self_signed(&Profile::client()).unwrap();
    let carried = PreparedCertificate::self_signed_from_der(prepared.as_der()).unwrap();
    assert_eq!(carried, prepared);
    let signature = key
        .sign(carried.signature_algorithm(), carried.as_der())
        .unwrap();
    let certificate = carried.assemble(&signature).unwrap();
    certificate.verify_issued_by(&certificate).unwrap();
    assert_eq!(carried.assemble(&[]), Err(Error::SignatureFailed));

    let whole = prepared.as_der();
    let from = |tbs: &[u8]| PreparedCertificate::self_signed_from_der(tbs).map(|_| ());
    assert!(from(&whole[..whole.len() - 1]).is_err());
    assert!(from(&[whole, &[0]].concat()).is_err());
    let of_ca = root().prepare(&issuance, &Profile::client()).unwrap();
    assert!(matches!(
        from(of_ca.as_der()),
        Err(Error::IssuerMismatch { .. })
    ));
}

#[test]
fn a_request_is_carried_too() {
    let pss = SignatureAlgorithm::RsaPss(Digest::Sha384);
    for (key, algorithm) in [
        (KeyKind::EcP384, None),
        (KeyKind::Ed25519, None),
        (KeyKind::Rsa2048, Some(pss)),
    ] {
        let key = PrivateKey::generate(key).unwrap();
        let mut builder = CertificateRequest::builder(name("/CN=a"))
            .subject_alt_name(SubjectAltName::dns("a.example").unwrap());
        if let Some(algorithm) = algorithm {
            builder = builder.signature_algorithm(algorithm);
        }
        let prepared = builder.prepare(key.public_key()).unwrap();
        let carried = PreparedRequest::from_der(prepared.as_der(), algorithm).unwrap();
        assert_eq!(carried, prepared);
        assert_eq!(carried.signing_key(), key.public_key());
        let signature = key
            .sign(carried.signature_algorithm(), carried.as_der())
            .unwrap();
        let request = carried.assemble(&signature).unwrap();
        request.verify().unwrap();
        assert_eq!(carried.assemble(&[]), Err(Error::SignatureFailed));
        let unsigned = carried.unsigned();
        assert_eq!(unsigned.subject_alt_names(), request.subject_alt_names());
        assert_eq!(unsigned.verify(), Err(Error::RequestSignatureInvalid));

        let whole = prepared.as_der();
        let from = |info: &[u8]| PreparedRequest::from_der(info, algorithm).map(|_| ());
        assert!(from(&whole[..whole.len() - 1]).is_err());
        assert!(from(&[whole, &[0]].concat()).is_err());
        if algorithm.is_none() {
            assert!(matches!(
                PreparedRequest::from_der(whole, Some(pss)),
                Err(Error::UnsupportedSignatureAlgorithm { .. })
            ));
        }
    }
}

fn root_called(subject: &str) -> CertificateAuthority {
    CertificateAuthority::create_root(name(subject), key(), &Profile::root()).unwrap()
}

#[test]
fn a_signature_algorithm_that_is_not_the_keys_is_refused() {
    let ca = root();
    let issuance = Issuance::for_key(key().public_key(), name("/CN=a"));
    let profile =
        Profile::client().signature_algorithm(SignatureAlgorithm::RsaPkcs1(Digest::Sha256));
    let error = ca.prepare(&issuance, &profile).unwrap_err();
    assert!(matches!(error, Error::UnsupportedSignatureAlgorithm { .. }));
    assert_eq!(error.fault(), Fault::Profile);
}

#[test]
fn a_certificate_is_issued_without_a_request() {
    let ca = root();
    let key = key();
    let certificate = ca
        .issue_for(key.public_key(), name("/CN=a"), &Profile::client())
        .unwrap();
    certificate.check_key(key.public_key()).unwrap();
    certificate.verify_issued_by(ca.certificate()).unwrap();
    // What a request may not ask for, the caller may name.
    let names = [
        dns("a.example"),
        SubjectAltName::Directory(name("/CN=b")),
        SubjectAltName::registered_id("1.2.3").unwrap(),
        SubjectAltName::user_principal_name("a@example.com").unwrap(),
    ];
    let issuance =
        Issuance::for_key(key.public_key(), name("/CN=a")).subject_alt_names(names.clone());
    let prepared = ca.prepare(&issuance, &Profile::server()).unwrap();
    assert_eq!(prepared.unsigned().subject_alt_names(), names);
    assert_eq!(prepared.ungranted(), []);
}

#[test]
fn every_extension_of_a_profile_is_in_the_certificate_as_critical_as_it_says() {
    let profile = Profile::end_entity()
        .extension(
            Extension::key_usage(KeyUsage::NON_REPUDIATION)
                .critical(false)
                .unwrap(),
        )
        .extension(
            Extension::extended_key_usage(["timeStamping".parse::<ExtendedKeyUsage>().unwrap()])
                .unwrap()
                .critical(true)
                .unwrap(),
        )
        .extension(crl())
        .extension(Extension::custom("1.2.3.4", true, [5, 0]).unwrap());
    let ca = root();
    let issue = |profile: &Profile| {
        ca.issue_for(key().public_key(), name("/CN=a"), profile)
            .unwrap()
    };
    let certificate = issue(&profile);
    let names = certificate.key_usage().unwrap().names();
    assert_eq!(names, ["nonRepudiation"]);
    for (oid, critical) in [
        ("2.5.29.15", Some(false)),
        ("2.5.29.37", Some(true)),
        ("2.5.29.31", Some(false)),
        ("2.5.29.19", Some(true)),
        ("1.2.3.4", Some(true)),
        ("2.5.29.14", Some(false)),
        ("2.5.29.35", Some(false)),
        ("2.5.29.17", None),
    ] {
        assert_eq!(criticality(&certificate, oid), critical, "{oid}");
    }
    // One takes the place of another, and none is left where none is wanted.
    let usage = Extension::key_usage(KeyUsage::DIGITAL_SIGNATURE);
    let bare = profile.extension(usage).without_extension("2.5.29.19");
    let certificate = issue(&bare);
    assert_eq!(
        certificate.key_usage().unwrap().names(),
        ["digitalSignature"]
    );
    assert_eq!(certificate.basic_constraints(), None);
    let critical = Profile::client()
        .subject_alt_names([dns("a.example")])
        .critical_subject_alt_names();
    assert_eq!(criticality(&issue(&critical), "2.5.29.17"), Some(true));
}

#[test]
fn what_can_not_stand_together_is_an_invalid_profile() {
    let signs = Extension::key_usage(KeyUsage::KEY_CERT_SIGN);
    let constraints =
        NameConstraints::new([GeneralSubtree::dns("example.com").unwrap()], []).unwrap();
    let constrained = Extension::name_constraints(&constraints);
    for (profile, reason) in [
        (Profile::client().path_len(0), "only a CA has a path length"),
        (
            Profile::client().extension(signs),
            "only a CA has the key usage keyCertSign",
        ),
        (
            Profile::intermediate().without_extension("2.5.29.15"),
            "a CA needs the key usage keyCertSign",
        ),
        (
            Profile::intermediate().extension(Extension::key_usage(KeyUsage::CRL_SIGN)),
            "a CA needs the key usage keyCertSign",
        ),
        (
            Profile::client().extension(constrained),
            "only a CA has name constraints, policy mappings, policy constraints or inhibitAnyPolicy",
        ),
        (
            Profile::client().extension(Extension::inhibit_any_policy(0)),
            "only a CA has name constraints, policy mappings, policy constraints or inhibitAnyPolicy",
        ),
        (Profile::root(), "a CA does not sign another root"),
    ] {
        let error = root()
            .issue_for(key().public_key(), name("/CN=a"), &profile)
            .unwrap_err();
        assert!(
            matches!(error, Error::InvalidProfile { reason: found, .. } if found == reason),
            "{error}"
        );
        assert_eq!(error.fault(), Fault::Profile);
    }
}

#[test]
fn a_subject_is_the_requests_the_profiles_or_that_of_the_issuance() {
    let ca = root();
    let asked = request("/CN=a/O=Bank", &[]);
    let prepared = prepare(&ca, &asked, &Profile::client()).unwrap();
    assert_eq!(prepared.subject(), asked.subject());
    assert_eq!(prepared.ungranted(), []);

    let fixed = Profile::client().subject(SubjectPolicy::fixed(name("/CN=fixed")));
    let prepared = prepare(&ca, &asked, &fixed).unwrap();
    assert_eq!(prepared.subject(), &name("/CN=fixed"));
    let left_out = [Ungranted::Subject(name("/CN=a/O=Bank"))];
    assert_eq!(prepared.ungranted(), left_out);

    let verified = asked.verify().unwrap();
    let issuance = Issuance::for_request(&verified).subject(name("/CN=own"));
    let prepared = ca.prepare(&issuance, &fixed).unwrap();
    assert_eq!(prepared.subject(), &name("/CN=own"));
    assert_eq!(prepared.ungranted(), left_out);

    let issuance = Issuance::for_key(key().public_key(), name("/CN=a/O=Bank"));
    let prepared = ca.prepare(&issuance, &fixed).unwrap();
    assert_eq!(prepared.ungranted(), left_out);

    let same = Issuance::for_request(&verified).subject(name("/CN=a/O=Bank"));
    let prepared = ca.prepare(&same, &Profile::client()).unwrap();
    assert_eq!(prepared.ungranted(), []);
}

#[test]
fn each_policy_has_a_request_that_breaks_it_alone() {
    let ca = root();
    let policy = SubjectPolicy::attributes()
        .require("CN")
        .and_then(|policy| policy.require_value("O", "Bank"))
        .unwrap();
    let profile = Profile::server()
        .subject(policy)
        .matching_subject_alt_names(["DNS:*.example.com".parse().unwrap()])
        .allowed_keys([KeyAlgorithm::EcP256, KeyAlgorithm::Rsa { bits: 3072 }]);
    let names = [dns("a.example.com")];
    let good = request("/CN=a/O=Bank", &names);
    assert_eq!(prepare(&ca, &good, &profile).unwrap().ungranted(), []);

    let refused = |request: &CertificateRequest| {
        let error = prepare(&ca, request, &profile).unwrap_err();
        assert_eq!(error.fault(), Fault::Request, "{error}");
        error
    };
    assert!(matches!(
        refused(&request("/O=Bank", &names)),
        Error::AttributeMissing { attribute, .. } if attribute == "CN"
    ));
    assert!(matches!(
        refused(&request("/CN=a/O=Other", &names)),
        Error::AttributeNotAllowed { attribute, .. } if attribute == "O"
    ));
    assert!(matches!(
        refused(&request("/CN=a/O=Bank", &[dns("a.example.com"), dns("a.example.org")])),
        Error::NameNotGranted { name, .. } if name == "DNS:a.example.org"
    ));
    let with = |kind| {
        CertificateRequest::builder(name("/CN=a/O=Bank"))
            .subject_alt_name(dns("a.example.com"))
            .sign(&PrivateKey::generate(kind).unwrap())
            .unwrap()
    };
    for (kind, shown) in [
        (KeyKind::Rsa2048, "RSA 2048"),
        (KeyKind::EcP384, "ECDSA P-384"),
    ] {
        assert!(matches!(
            refused(&with(kind)),
            Error::KeyNotAllowed { found, allowed, .. }
                if found == shown && allowed == "ECDSA P-256, RSA 3072"
        ));
    }
    let longer = with(KeyKind::Rsa3072);
    assert!(prepare(&ca, &longer, &profile).is_ok());
    let larger = profile.clone().minimum_rsa_bits(4096);
    assert!(matches!(
        prepare(&ca, &longer, &larger),
        Err(Error::KeyTooSmall {
            found: 3072,
            minimum: 4096,
            ..
        })
    ));

    // What the issuer says in the place of a request is held to the same rules.
    let verified = good.verify().unwrap();
    let issuance = || Issuance::for_request(&verified);
    assert!(matches!(
        ca.prepare(&issuance().subject(name("/CN=b")), &profile),
        Err(Error::AttributeMissing { .. })
    ));
    assert!(matches!(
        ca.prepare(
            &issuance().subject_alt_names([dns("b.example.org")]),
            &profile
        ),
        Err(Error::NameNotGranted { .. })
    ));
    assert!(matches!(
        ca.prepare(&issuance().subject_alt_names([]), &profile),
        Err(Error::NameMissing { .. })
    ));
}

/// Whoever built the name: from text, a control character has to be spelled out.
#[test]
fn a_subject_with_what_nobody_could_see_is_refused() {
    let ca = root();
    let attribute = |value: &[u8]| {
        let value = [&[0x0c, u8::try_from(value.len()).unwrap()], value].concat();
        let inner = [b"\x06\x03\x55\x04\x03", &value[..]].concat();
        [&[0x30, u8::try_from(inner.len()).unwrap()], &inner[..]].concat()
    };
    let subject = |rdn: &[u8]| {
        let set = [&[0x31, u8::try_from(rdn.len()).unwrap()], rdn].concat();
        let name = [&[0x30, u8::try_from(set.len()).unwrap()], &set[..]].concat();
        DistinguishedName::from_der(&name).unwrap()
    };
    for (rdn, reason) in [
        (
            attribute(b"good.example\0.evil"),
            "it holds a control character",
        ),
        (attribute(b"bot\r"), "it holds a control character"),
        (
            attribute("bot\u{85}".as_bytes()),
            "it holds a control character",
        ),
        (attribute(b""), "it is empty"),
        (attribute(b"\xff"), "it is no UTF-8"),
        (
            [attribute(b"a"), attribute(b"b")].concat(),
            "its RDN has two of this type",
        ),
    ] {
        let refused = |error: Error| match error {
            Error::AttributeNotAllowed {
                attribute,
                reason: found,
                ..
            } => {
                assert_eq!((attribute.as_str(), found), ("CN", reason));
            }
            error => panic!("{error}"),
        };
        let subject = subject(&rdn);
        let request = CertificateRequest::builder(subject.clone())
            .sign(&key())
            .unwrap();
        refused(prepare(&ca, &request, &Profile::client()).unwrap_err());
        let fixed = Profile::client().subject(SubjectPolicy::fixed(subject.clone()));
        let good = request_of("/CN=a");
        refused(prepare(&ca, &good, &fixed).unwrap_err());
        refused(CertificateAuthority::create_root(subject, key(), &Profile::root()).unwrap_err());
    }
}

#[test]
fn a_profile_that_allows_no_key_and_no_name_says_so() {
    let ca = root();
    let none = Profile::client().allowed_keys([]);
    let error = prepare(&ca, &request_of("/CN=a"), &none).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a key of ECDSA P-256 is not among those that the profile certifies: none"
    );
    let none = Profile::client().matching_subject_alt_names([]);
    let error = prepare(&ca, &request("/CN=a", &[dns("a.example")]), &none).unwrap_err();
    assert_eq!(
        error.to_string(),
        "DNS:a.example is not among the names that the profile grants: none"
    );
    // No request can help.
    let required = Profile::server().subject_alt_names([]);
    let error = prepare(&ca, &request("/CN=a", &[dns("a.example")]), &required).unwrap_err();
    assert_eq!(error.fault(), Fault::Profile, "{error}");
    let error = prepare(&ca, &request("/", &[dns("a.example")]), &Profile::client()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the profile can not be applied: the subject is empty, and the profile grants no other name"
    );
}

#[test]
fn a_name_that_is_asked_for_twice_is_granted_once() {
    let [a, b] = ["a.example", "b.example"].map(dns);
    let twice = request("/CN=a", &[a.clone(), b.clone(), a.clone()]);
    let prepared = prepare(&root(), &twice, &Profile::server()).unwrap();
    assert_eq!(prepared.unsigned().subject_alt_names(), [a, b]);
}

#[test]
fn a_key_without_a_use_for_the_key_usage_is_refused_to_whoever_asks() {
    let usage = Extension::key_usage(KeyUsage::KEY_ENCIPHERMENT);
    let profile = Profile::end_entity().extension(usage);
    let error = prepare(&root(), &request_of("/CN=a"), &profile).unwrap_err();
    assert_eq!(error.fault(), Fault::Request);
    assert_eq!(
        error.to_string(),
        "a key of ECDSA P-256 is not among those that the profile certifies: those that have a use for its key usage"
    );
}

#[test]
fn what_signs_itself_has_a_subject() {
    let key = key();
    let nameless =
        Issuance::for_key(key.public_key(), name("/")).subject_alt_names([dns("a.example")]);
    assert!(matches!(
        nameless.prepare_self_signed(&Profile::server()),
        Err(Error::NameMissing { .. })
    ));
    assert!(root().prepare(&nameless, &Profile::server()).is_ok());
}

/// What `X509_check_host` of OpenSSL does, and the like: a common name is compared where there is no host name.
#[test]
fn a_common_name_of_one_label_is_held_against_patterns_where_clients_compare_it() {
    let ca = root();
    let granted = |purposes: &[&str], names: &[SubjectAltName]| {
        let mut profile = Profile::end_entity().matching_subject_alt_names([
            "DNS:*.example.com".parse().unwrap(),
            "email:@example.com".parse().unwrap(),
        ]);
        if !purposes.is_empty() {
            let purposes = purposes.iter().map(|it| it.parse().unwrap());
            profile = profile.extension(Extension::extended_key_usage(purposes).unwrap());
        }
        match prepare(&ca, &request("/CN=localhost", names), &profile) {
            Ok(_) => true,
            Err(Error::NameNotGranted { name, .. }) => {
                assert_eq!(name, "common name \"localhost\", a host name,");
                false
            }
            Err(error) => panic!("{error}"),
        }
    };
    let mailbox = SubjectAltName::email("a@example.com").unwrap();
    for purposes in [
        &[][..],
        &["serverAuth"],
        &["clientAuth", "serverAuth"],
        &["anyExtendedKeyUsage"],
        &["2.16.840.1.113730.4.1"],
        &["1.3.6.1.4.1.311.10.3.3"],
    ] {
        assert!(!granted(purposes, &[]), "{purposes:?}");
        assert!(
            !granted(purposes, std::slice::from_ref(&mailbox)),
            "{purposes:?}"
        );
        assert!(granted(purposes, &[dns("a.example.com")]), "{purposes:?}");
    }
    assert!(granted(&["clientAuth", "codeSigning"], &[]));
}

/// A certificate that others made is read with whatever serial number it has.
#[test]
fn a_serial_number_of_an_old_certificate_is_held_to_the_rules_again() {
    let ca = root();
    let key = key();
    let issuance = || Issuance::for_key(key.public_key(), name("/CN=a"));
    let longest = format!("0x7f{}", "01".repeat(19));
    for (serial, found, wrong) in [
        ("1", &[2, 1, 1][..], &[2, 1, 0][..]),
        (&longest, &[2, 20, 0x7f, 1], &[2, 20, 0xff, 1]),
    ] {
        let issuance = || issuance().serial_number(serial.parse().unwrap());
        let prepared = ca.prepare(&issuance(), &Profile::client()).unwrap();
        let certificate = prepared.sign(ca.private_key()).unwrap();
        let mut der = certificate.as_der().to_vec();
        // After the version.
        let before = [&[0xa0, 3, 2, 1, 2], found].concat();
        let at = der.windows(before.len()).position(|it| it == before);
        let at = at.unwrap() + 5;
        der[at..at + wrong.len()].copy_from_slice(wrong);
        let odd = Certificate::from_der(&der).unwrap();
        let again = issuance().serial_number(odd.serial_number().clone());
        assert!(
            matches!(
                ca.prepare(&again, &Profile::client()),
                Err(Error::InvalidSerialNumber { .. })
            ),
            "{}",
            odd.serial_number()
        );
    }
}

#[test]
fn names_that_are_not_granted_are_said() {
    let ca = root();
    let names = [dns("a.example"), dns("b.example")];
    let asked = request("/CN=a", &names);
    let said: Vec<_> = names
        .iter()
        .cloned()
        .map(Ungranted::SubjectAltName)
        .collect();

    let prepared = prepare(&ca, &asked, &Profile::client()).unwrap();
    assert_eq!(prepared.ungranted(), said);
    assert_eq!(
        prepared.ungranted()[0].to_string(),
        "the name DNS:a.example"
    );

    let fixed = Profile::server().subject_alt_names([dns("b.example"), dns("c.example")]);
    let prepared = prepare(&ca, &asked, &fixed).unwrap();
    assert_eq!(prepared.ungranted(), &said[..1]);

    let issuance =
        Issuance::for_request(&asked.verify().unwrap()).subject_alt_names([dns("a.example")]);
    let prepared = ca.prepare(&issuance, &fixed).unwrap();
    assert_eq!(prepared.unsigned().subject_alt_names(), [dns("a.example")]);
    assert_eq!(prepared.ungranted(), &said[1..]);
}

#[test]
fn extensions_that_are_not_granted_are_said() {
    // It asks for the basic constraints and the key usage of a CA.
    let greedy = include_bytes!("data/greedy.csr.pem");
    let greedy = CertificateRequest::from_pem(greedy).unwrap();
    let prepared = prepare(&root(), &greedy, &Profile::client()).unwrap();
    let said = ["2.5.29.19", "2.5.29.15"].map(|oid| Ungranted::Extension(oid.to_owned()));
    assert_eq!(prepared.ungranted(), said);
    assert!(!prepared.unsigned().basic_constraints().unwrap().ca);

    // Who grants what is asked for has nothing to say.
    let prepared = prepare(&root(), &greedy, &Profile::intermediate()).unwrap();
    assert_eq!(prepared.ungranted(), []);
    let prepared = prepare(&root(), &greedy, &Profile::intermediate().path_len(0)).unwrap();
    assert_eq!(prepared.ungranted(), &said[..1]);
}

#[test]
fn a_leaf_signs_itself() {
    let key = key();
    let issuance = Issuance::for_key(key.public_key(), name("/CN=localhost"))
        .subject_alt_names([dns("localhost")]);
    let certificate = issuance
        .prepare_self_signed(&Profile::server().valid_for(Duration::from_secs(600)))
        .unwrap()
        .sign(&key)
        .unwrap();
    assert!(certificate.is_self_signed());
    assert_eq!(
        certificate.basic_constraints(),
        Some(BasicConstraints {
            ca: false,
            path_len: None
        })
    );
    assert_eq!(
        certificate.authority_key_identifier(),
        certificate.subject_key_identifier()
    );
}

#[test]
fn a_cross_certificate_leads_from_what_another_ca_signed() {
    let old = root_called("/CN=Old");
    let new = root_called("/CN=New");
    let leaf = new
        .issue_for(key().public_key(), name("/CN=a"), &Profile::client())
        .unwrap();

    let issuance = Issuance::cross_certificate(new.certificate()).unwrap();
    let crossed = old
        .prepare(&issuance, &Profile::intermediate().path_len(0))
        .unwrap()
        .sign(old.private_key())
        .unwrap();
    crossed.verify_issued_by(old.certificate()).unwrap();
    leaf.verify_issued_by(&crossed).unwrap();
    assert_eq!(
        crossed.subject_key_identifier(),
        new.certificate().subject_key_identifier()
    );
    Issuer::with_issuers(crossed, vec![old.certificate().clone()]).unwrap();

    assert!(matches!(
        Issuance::cross_certificate(&leaf),
        Err(Error::NotAnAuthority { .. })
    ));
    let own = Issuance::cross_certificate(old.certificate()).unwrap();
    assert!(matches!(
        old.prepare(&own, &Profile::intermediate()),
        Err(Error::SubjectIsIssuer { .. })
    ));
}

/// What this CA signs for a key, with an identifier of that key which is no hash of it, as other CAs have them.
fn with_another_identifier(ca: &CertificateAuthority, profile: &Profile) -> Certificate {
    let key = key();
    let issuance = Issuance::for_key(key.public_key(), name("/CN=Elsewhere"));
    let prepared = ca.prepare(&issuance, profile).unwrap();
    let own = prepared.unsigned().subject_key_identifier().unwrap();
    let mut tbs = prepared.as_der().to_vec();
    let at = tbs.windows(own.len()).position(|it| it == own).unwrap();
    tbs.splice(at..at + own.len(), [7].repeat(own.len()));
    let prepared = PreparedCertificate::from_der(&tbs, ca.certificate()).unwrap();
    prepared.sign(ca.private_key()).unwrap()
}

/// What is signed with a key names it by its identifier (RFC 5280, section 4.2.1.1): another one would break the chain.
#[test]
fn a_key_that_is_certified_again_keeps_its_identifier() {
    let ca = root();
    let profile = Profile::intermediate();
    let old = with_another_identifier(&ca, &profile);
    let identifier = old.subject_key_identifier().unwrap();
    assert!(identifier.iter().all(|octet| *octet == 7));
    for issuance in [
        Issuance::cross_certificate(&old).unwrap(),
        Issuance::renewal(&old).unwrap(),
    ] {
        let prepared = ca.prepare(&issuance, &profile).unwrap();
        let found = prepared.unsigned().subject_key_identifier();
        assert_eq!(found, Some(identifier));
    }
    let key = key();
    let issuance = Issuance::renewal_with_key(&old, key.public_key());
    let prepared = ca.prepare(&issuance, &profile).unwrap();
    let found = prepared.unsigned().subject_key_identifier();
    assert_eq!(found, Some(&key.public_key().key_identifier()[..]));
}

/// A certificate for a server with RSA, with more than `Profile::server()` grants.
fn to_renew(ca: &CertificateAuthority) -> Certificate {
    let rsa = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let profile = Profile::peer()
        .extension(crl())
        .critical_subject_alt_names()
        .valid_for_days(1);
    let names = [
        dns("a.example"),
        SubjectAltName::user_principal_name("a@b.example").unwrap(),
    ];
    let issuance = Issuance::for_key(rsa.public_key(), name("/CN=a")).subject_alt_names(names);
    ca.prepare(&issuance, &profile)
        .unwrap()
        .sign(ca.private_key())
        .unwrap()
}

#[test]
fn a_renewed_certificate_is_as_it_was_and_says_what_is_no_longer_granted() {
    let ca = root();
    let old = to_renew(&ca);
    let profile = Profile::server()
        .subject(SubjectPolicy::attributes().require("O").unwrap())
        .valid_for_days(30);
    let issuance = Issuance::renewal(&old).unwrap();
    let prepared = ca.prepare(&issuance, &profile).unwrap();
    let renewed = prepared.sign(ca.private_key()).unwrap();

    assert_eq!(renewed.subject(), old.subject());
    assert_eq!(renewed.spki_der(), old.spki_der());
    assert_eq!(renewed.subject_alt_names(), old.subject_alt_names());
    assert_eq!(renewed.extended_key_usage(), old.extended_key_usage());
    assert_eq!(renewed.key_usage(), old.key_usage());
    assert_eq!(
        renewed.subject_key_identifier(),
        old.subject_key_identifier()
    );
    let sorted = |certificate: &Certificate| {
        let mut extensions: Vec<_> = certificate
            .extensions()
            .map(|(oid, critical)| (oid.to_owned(), critical))
            .collect();
        extensions.sort();
        extensions
    };
    assert_eq!(sorted(&renewed), sorted(&old));
    assert_ne!(renewed.serial_number(), old.serial_number());
    assert!(renewed.validity().not_after > old.validity().not_after + 28 * DAY);

    assert_eq!(
        prepared
            .ungranted()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        [
            "the subject has the attribute CN with the value \"a\": the profile allows none",
            "the name UPN:a@b.example",
            "the extension 2.5.29.17, or what it says",
            "the extension 2.5.29.37, or what it says",
            "the extension 2.5.29.31, or what it says",
        ]
    );
    let fixed = Profile::server()
        .subject(SubjectPolicy::fixed(name("/CN=b")))
        .subject_alt_names([dns("a.example")])
        .minimum_rsa_bits(4096)
        .extension(crl());
    let prepared = ca.prepare(&issuance, &fixed).unwrap();
    assert_eq!(
        prepared
            .ungranted()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        [
            "an RSA key of 2048 bits is below the minimum of 4096",
            "the subject CN=a",
            "the name UPN:a@b.example",
            "the extension 2.5.29.17, or what it says",
            "the extension 2.5.29.37, or what it says",
        ]
    );
}

/// A restriction that came into the profile later does not hold for what is renewed.
#[test]
fn a_renewal_says_which_extensions_of_the_profile_it_lacks_or_has_otherwise() {
    let ca = root();
    let key = key();
    let ungranted = |old: &Profile, new: &Profile| {
        let issuance = Issuance::for_key(key.public_key(), name("/CN=Bots"));
        let prepared = ca.prepare(&issuance, old).unwrap();
        let old = prepared.sign(ca.private_key()).unwrap();
        let renewal = Issuance::renewal(&old).unwrap();
        let prepared = ca.prepare(&renewal, new).unwrap();
        prepared.ungranted().to_vec()
    };
    let plain = Profile::intermediate();
    let weak = plain.clone().extension(crl());
    let strict = plain.clone().extension(crl().critical(true).unwrap());
    let oid = || "2.5.29.31".to_owned();
    let missing = Ungranted::MissingExtension(oid());
    assert_eq!(
        missing.to_string(),
        "that the extension 2.5.29.31 is missing"
    );
    assert_eq!(ungranted(&plain, &strict), [missing]);
    assert_eq!(ungranted(&weak, &strict), [Ungranted::Extension(oid())]);
    assert_eq!(ungranted(&strict, &strict), []);
}

#[test]
fn a_certificate_is_renewed_with_a_new_key() {
    let ca = root();
    let old = to_renew(&ca);
    let new = key();
    let issuance = Issuance::renewal_with_key(&old, new.public_key());
    let renewed = ca
        .prepare(&issuance, &Profile::peer())
        .unwrap()
        .sign(ca.private_key())
        .unwrap();
    renewed.check_key(new.public_key()).unwrap();
    assert_ne!(
        renewed.subject_key_identifier(),
        old.subject_key_identifier()
    );
    // An elliptic curve has no use for keyEncipherment.
    assert_eq!(renewed.key_usage().unwrap().names(), ["digitalSignature"]);
    assert_eq!(renewed.subject_alt_names(), old.subject_alt_names());
    // A new key is no less checked than that of a request.
    let rsa_only = Profile::peer().allowed_keys([KeyAlgorithm::Rsa { bits: 2048 }]);
    assert!(matches!(
        ca.prepare(&issuance, &rsa_only),
        Err(Error::KeyNotAllowed { .. })
    ));
}

/// The key usage follows the key, so that nothing of it is kept for want of a grant.
#[test]
fn a_key_usage_that_is_as_the_profile_has_it_for_the_new_key_is_granted() {
    let ca = root();
    let keys = [KeyKind::Rsa2048, KeyKind::EcP256].map(|kind| PrivateKey::generate(kind).unwrap());
    let profile = Profile::server().subject_alt_names([dns("a.example")]);
    let ungranted = |old: &PrivateKey, new: &PrivateKey| {
        let old = ca
            .issue_for(old.public_key(), name("/CN=a"), &profile)
            .unwrap();
        let issuance = Issuance::renewal_with_key(&old, new.public_key());
        ca.prepare(&issuance, &profile)
            .unwrap()
            .ungranted()
            .to_vec()
    };
    assert_eq!(ungranted(&keys[0], &keys[1]), []);
    assert_eq!(ungranted(&keys[0], &keys[0]), []);
    // What it never had, it doesn't get.
    assert_eq!(
        ungranted(&keys[1], &keys[0]),
        [Ungranted::Extension("2.5.29.15".to_owned())]
    );
}

#[test]
fn a_renewed_certificate_has_another_serial_number() {
    let ca = root();
    let old = ca
        .issue_for(key().public_key(), name("/CN=a"), &Profile::client())
        .unwrap();
    let renewal = Issuance::renewal(&old).unwrap();
    let with = |serial| ca.prepare(&renewal.clone().serial_number(serial), &Profile::client());
    assert!(matches!(
        with(old.serial_number().clone()),
        Err(Error::InvalidSerialNumber { .. })
    ));
    assert!(with(7.try_into().unwrap()).is_ok());
}

#[test]
fn a_renewed_certificate_is_valid_for_as_long_as_the_old_one() {
    let key = key();
    let now = SystemTime::UNIX_EPOCH + 20_000 * DAY;
    let later = now + 9 * DAY;
    let prepare = |issuance: &Issuance, profile: &Profile| {
        let prepared = issuance.prepare_self_signed(profile).unwrap();
        prepared.sign(&key).unwrap()
    };
    let length = |it: &Validity| it.not_after.duration_since(it.not_before).unwrap();
    let issuance = Issuance::for_key(key.public_key(), name("/CN=a")).at(now);
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (profile, expected) in [
        (Profile::client(), 365 * DAY + minutes(5)),
        (Profile::client().valid_for_days(30), 30 * DAY + minutes(5)),
        (
            Profile::client()
                .valid_for(minutes(1))
                .backdated(minutes(0)),
            minutes(1),
        ),
    ] {
        let old = prepare(&issuance, &profile);
        assert_eq!(length(&old.validity()), expected);
        let renewal = Issuance::renewal(&old).unwrap().at(later);
        let new = prepare(&renewal, &Profile::client()).validity();
        let longest = expected.max(minutes(6));
        assert_eq!(length(&new), longest);
        assert_eq!(new.not_before, later - minutes(5));
        // What the profile, or the caller, says goes before.
        let new = prepare(&renewal, &Profile::client().valid_for_days(9)).validity();
        assert_eq!(new.not_after, later + 9 * DAY);
    }
    let old = prepare(&issuance, &Profile::client().valid_forever());
    let renewal = Issuance::renewal(&old).unwrap().at(later);
    let new = prepare(&renewal, &Profile::client()).validity();
    assert_eq!(new.not_after, old.validity().not_after);
}

#[test]
fn a_certificate_that_signed_itself_is_renewed_by_itself() {
    let key = key();
    let old = Issuance::for_key(key.public_key(), name("/CN=a"))
        .prepare_self_signed(&Profile::client())
        .unwrap()
        .sign(&key)
        .unwrap();
    let renew = |old: &Certificate| {
        Issuance::renewal(old)
            .unwrap()
            .prepare_self_signed(&Profile::client())
    };
    let renewed = renew(&old).unwrap().sign(&key).unwrap();
    assert!(renewed.is_self_signed());
    assert_ne!(renewed.serial_number(), old.serial_number());
    let issued = root()
        .issue_for(key.public_key(), name("/CN=a"), &Profile::client())
        .unwrap();
    assert!(matches!(renew(&issued), Err(Error::IssuerMismatch { .. })));
}

#[test]
fn only_its_own_issuer_renews_a_certificate_and_within_its_limits() {
    let ca = root();
    let old = to_renew(&ca);
    let issuance = Issuance::renewal(&old).unwrap();
    assert!(matches!(
        root().prepare(&issuance, &Profile::peer()),
        Err(Error::CertificateSignatureInvalid { .. })
    ));
    assert!(matches!(
        root_called("/CN=Other").prepare(&issuance, &Profile::peer()),
        Err(Error::IssuerMismatch { .. })
    ));
    for renamed in [
        issuance.clone().subject(name("/CN=b")),
        issuance.clone().subject_alt_names([]),
    ] {
        assert!(matches!(
            ca.prepare(&renamed, &Profile::peer()),
            Err(Error::InvalidProfile { .. })
        ));
    }
    // The same CA, once it is limited: what it signed before is no excuse.
    let limited = |extension| {
        let key = PrivateKey::from_der(&ca.private_key().to_pkcs8_der().unwrap(), None).unwrap();
        let profile = Profile::root().extension(extension);
        CertificateAuthority::create_root(name("/CN=Root"), key, &profile).unwrap()
    };
    let nowhere = NameConstraints::new([], [GeneralSubtree::dns("a.example").unwrap()]).unwrap();
    let error = limited(Extension::name_constraints(&nowhere))
        .prepare(&issuance, &Profile::peer())
        .unwrap_err();
    assert!(matches!(error, Error::NameExcluded { .. }));
    assert_eq!(error.fault(), Fault::Authority);
    let clients = Extension::extended_key_usage([ExtendedKeyUsage::ClientAuth]).unwrap();
    assert!(matches!(
        limited(clients).prepare(&issuance, &Profile::client()),
        Err(Error::PurposeNotPermitted { purpose, .. }) if purpose == "serverAuth"
    ));
}

#[test]
fn validity_counts_from_the_issuance() {
    let now = SystemTime::now();
    let key = key();
    let issue = |profile: &Profile| {
        Issuance::for_key(key.public_key(), name("/CN=a"))
            .at(now)
            .prepare_self_signed(profile)
            .unwrap()
            .validity()
    };
    let seconds = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs()
    };
    let minutes = issue(
        &Profile::client()
            .valid_for(Duration::from_secs(90))
            .backdated(Duration::from_secs(30)),
    );
    assert_eq!(seconds(minutes.not_before), seconds(now) - 30);
    assert_eq!(seconds(minutes.not_after), seconds(now) + 90);
    let forever = issue(&Profile::client().valid_forever());
    assert_eq!(seconds(forever.not_after), 253_402_300_799);
}

#[test]
fn a_cas_end_is_a_limit_or_where_validity_is_cut() {
    let now = SystemTime::now();
    let until = |days: u32| Validity {
        not_before: now - DAY,
        not_after: now + days * DAY,
    };
    let ca = CertificateAuthority::create_root(
        name("/CN=Root"),
        key(),
        &Profile::root().validity(until(10)),
    )
    .unwrap();
    let end = ca.certificate().validity().not_after;
    let prepare = |profile: Profile| {
        let issuance = Issuance::for_key(key().public_key(), name("/CN=a"));
        ca.prepare(&issuance, &profile)
            .map(|it| it.validity().not_after)
    };
    for profile in [
        Profile::client().valid_for_days(11),
        Profile::client().valid_forever(),
        Profile::client().validity(until(11)),
    ] {
        let error = prepare(profile.clone()).unwrap_err();
        assert!(matches!(error, Error::ValidityExceedsAuthority { .. }));
        assert_eq!(error.fault(), Fault::Authority);
        assert_eq!(prepare(profile.clamped()), Ok(end));
    }
    assert!(prepare(Profile::client().valid_for_days(9).clamped()).unwrap() < end);
    let before = Validity {
        not_before: now - 2 * DAY,
        not_after: now + DAY,
    };
    assert!(matches!(
        prepare(Profile::client().validity(before)),
        Err(Error::ValidityPrecedesAuthority { .. })
    ));
    prepare(Profile::client().validity(before).clamped()).unwrap();
    let beyond = Validity {
        not_before: now + 20 * DAY,
        not_after: now + 30 * DAY,
    };
    assert!(matches!(
        prepare(Profile::client().validity(beyond).clamped()),
        Err(Error::InvalidValidity { .. })
    ));
}
