//! Every symptom that people report ends in a finding of its own.

use std::{
    path::{Path, PathBuf},
    process::{self, Command},
    sync::Arc,
    time::{Duration, SystemTime},
};

use auth::{
    Endpoints, Proxy, TrustAnchors,
    config::BdkConfig,
    doctor::{CATALOGUE, Doctor, Report, Severity},
    provider,
};
use http::StatusCode;
use pki::{
    Certificate, CertificateAuthority, CertificateRequest, KeyKind, Passphrase, Pkcs12, PrivateKey,
    Profile, Validity,
};
use pod::{
    Answer, BadCertificate, CertificateType, End, Fault, HttpVersion, Pod, Port, ProxyFault, Rule,
    Status, TlsVersion,
};
use rustls::{
    AlertDescription,
    crypto::CryptoProvider,
    version::{TLS12, TLS13},
};

use crate::{
    lab::{Pair, as_version_1, issue, key_manager_answer, lab, name, pod_answer},
    provider::without_keys,
    server::{Answer as Reply, Server, Setup},
};

const PASSPHRASE: &str = "correct horse";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// In TLS 1.3 the client believes the handshake done before the server has judged its certificate.
const TLS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

async fn pod() -> Pod {
    let pod = Pod::builder().start().await.unwrap();
    admit(&pod);
    pod
}

async fn empty_pod(tls: TlsVersion) -> Pod {
    Pod::builder().tls_versions([tls]).start().await.unwrap()
}

fn admit(pod: &Pod) {
    import(pod);
    pod.create_service_user("demo-bot1").unwrap();
}

fn import(pod: &Pod) {
    for authority in [&lab().root, &lab().signing] {
        let pem = authority.certificate().to_pem();
        pod.import_certificate(pem, CertificateType::UserSigning)
            .unwrap();
    }
}

fn endpoints(pod: &Pod) -> Endpoints {
    Endpoints::new(pod.api_url(), pod.key_manager_url())
        .unwrap()
        .agent(pod.agent_url())
        .unwrap()
}

/// The file of a bot, with its issuers.
fn p12(pair: &Pair) -> Vec<u8> {
    Pkcs12::builder(&pair.key, &pair.certificate)
        .unwrap()
        .chain(lab().signing.chain())
        .iterations(1000)
        .to_der(&Passphrase::from(PASSPHRASE))
        .unwrap()
}

fn pem(pair: &Pair) -> String {
    let chain: String = lab().signing.chain().iter().map(|it| it.to_pem()).collect();
    pair.certificate.to_pem() + &chain + &pair.key_pem()
}

fn doctor(pod: &Pod) -> Doctor {
    Doctor::new(
        endpoints(pod),
        p12(&lab().bot),
        Passphrase::from(PASSPHRASE),
    )
    .username("demo-bot1")
    .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
}

/// For what is found before anybody is called.
fn offline(identity: impl Into<Vec<u8>>, passphrase: Option<&str>) -> Doctor {
    let nowhere = "https://127.0.0.1:1";
    let passphrase = passphrase.map(Passphrase::from);
    Doctor::new(
        Endpoints::new(nowhere, nowhere).unwrap(),
        identity,
        passphrase,
    )
    .trust(crate::lab::trust())
}

fn ids(report: &Report, severity: Severity) -> Vec<&'static str> {
    let mut ids: Vec<_> = report
        .findings()
        .iter()
        .filter(|finding| finding.kind().severity() == severity)
        .map(|finding| finding.id())
        .collect();
    ids.dedup();
    ids
}

/// Fails unless there is such a finding, with this in its evidence and that in its next step.
fn assert_told(report: &Report, id: &str, evidence: &str, next_step: &str) {
    let mut findings = report.findings().iter();
    let Some(finding) = findings.find(|finding| finding.id() == id) else {
        panic!("no {id} in\n{report}");
    };
    assert!(finding.evidence().contains(evidence), "{report}");
    let step = finding.kind().next_step().unwrap_or_default();
    assert!(step.contains(next_step), "{report}");
}

fn problems(report: &Report) -> Vec<&'static str> {
    ids(report, Severity::Problem)
}

#[tokio::test]
async fn a_healthy_bot_has_no_problems_and_leaves_no_session_behind() {
    for tls in TLS {
        let pod = empty_pod(tls).await;
        admit(&pod);
        let report = doctor(&pod).examine().await;
        assert!(report.is_healthy(), "{report}");
        let found: Vec<_> = report
            .findings()
            .iter()
            .map(|finding| finding.id())
            .collect();
        assert_eq!(
            found,
            [
                "identity-opens",
                "client-certificate",
                "trust-anchors",
                "name-resolves",
                "tls",
                "server-trusted",
                "certificate-requested",
                "authenticated",
                "name-resolves",
                "tls",
                "server-trusted",
                "certificate-requested",
                "authenticated",
                "answers",
                "name-resolves",
                "answers",
            ]
        );
        let version = if tls == TlsVersion::Tls12 {
            "TLS 1.2"
        } else {
            "TLS 1.3"
        };
        assert!(report.to_string().contains(version), "{report}");
        assert!(report.to_string().ends_with("no problem found"));
        for path in ["/sessionauth/v1/logout", "/keyauth/v1/logout"] {
            assert_eq!(pod.requests_to(path), 1, "{path}");
        }
        assert!(!format!("{report:?}").contains(PASSPHRASE));
    }
}

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
    assert_told(&report, "identity-unprotected", "", "p12 export");
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
        assert_told(&report, "identity-incomplete", evidence, "p12 export");
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
    assert_told(&report, "identity-unreadable", "certificate", "inspect");
}

/// What other programs wrote.
fn pki_data(file: &str) -> Vec<u8> {
    std::fs::read(pki_data_path(file)).unwrap()
}

fn pki_data_path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../pki/tests/data/pkcs12")
        .join(file)
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

fn too_small() -> Pair {
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let request = CertificateRequest::builder(name("/CN=demo-bot1"))
        .sign(&key)
        .unwrap();
    let certificate = lab()
        .signing
        .issue(&request.verify().unwrap(), &Profile::client())
        .unwrap();
    Pair { key, certificate }
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
        let pem = Certificate::from_der(&der).unwrap().to_pem() + &key.to_pem().unwrap();
        let report = offline(pem, None).examine().await;
        assert_eq!(ids(&report, Severity::Warning), ["weak-signature"]);
        assert_told(&report, "weak-signature", algorithm, "SHA-256");
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
async fn an_issuer_that_the_file_lacks_is_mentioned() {
    let alone = lab().bot.certificate.to_pem() + &lab().bot.key_pem();
    let report = offline(alone, None).examine().await;
    assert!(
        ids(&report, Severity::Info).contains(&"issuer-not-in-file"),
        "{report}"
    );
}

/// The Pod's answers and refusals, in the order of the table of symptoms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_fail_at_the_pod_has_its_finding() {
    let refuse = Fault::RefuseClient;
    let status = |code| Fault::status(StatusCode::from_u16(code).unwrap());
    for (fault, expected) in [
        (refuse(AlertDescription::UnknownCA), "client-issuer-unknown"),
        (
            refuse(AlertDescription::BadCertificate),
            "client-certificate-refused",
        ),
        (
            refuse(AlertDescription::CertificateUnknown),
            "client-certificate-refused",
        ),
        (
            refuse(AlertDescription::CertificateExpired),
            "client-certificate-refused-as-expired",
        ),
        (
            refuse(AlertDescription::CertificateRevoked),
            "client-certificate-revoked",
        ),
        (
            Fault::CutAnswer {
                end: End::Close,
                after: 0,
            },
            "closed-without-reason",
        ),
        (
            Fault::CutAnswer {
                end: End::Reset,
                after: 0,
            },
            "connection-reset",
        ),
        (
            Fault::ServerCertificate(BadCertificate::UnknownRoot),
            "server-not-trusted",
        ),
        (
            Fault::ServerCertificate(BadCertificate::Expired),
            "server-certificate-expired",
        ),
        (
            Fault::ServerCertificate(BadCertificate::NotYetValid),
            "server-certificate-not-yet-valid",
        ),
        (
            Fault::ServerCertificate(BadCertificate::WrongHost),
            "server-certificate-wrong-host",
        ),
        (status(401), "unauthorized"),
        (status(403), "forbidden"),
        (status(404), "not-found"),
        (status(429), "throttled"),
        (
            Fault::Answer(Answer::new(StatusCode::BAD_REQUEST).retry_after(DAY)),
            "throttled",
        ),
        (status(302), "redirected"),
        (status(500), "server-error"),
        (status(418), "unexpected-status"),
        (
            Fault::Answer(Answer::new(StatusCode::OK).html()),
            "malformed-reply",
        ),
        (Fault::PlainText, "not-tls"),
        (
            Fault::HelloAlert(AlertDescription::HandshakeFailure),
            "tls-failed",
        ),
        (Fault::Refuse, "connection-refused"),
        (
            Fault::CutHandshake {
                end: End::Silence,
                after: 0,
            },
            "connect-timeout",
        ),
        (Fault::Delay(Duration::from_secs(60)), "read-timeout"),
    ] {
        for tls in TLS {
            let pod = empty_pod(tls).await;
            admit(&pod);
            pod.inject(Rule::new(fault.clone()).port(Port::KeyManager))
                .unwrap();
            let report = doctor(&pod)
                .connect_timeout(Duration::from_secs(2))
                .read_timeout(Duration::from_secs(2))
                .examine()
                .await;
            assert_eq!(problems(&report), [expected], "{tls:?} {fault:?}\n{report}");
            let problem = report.problems().next().unwrap();
            assert!(
                problem.about().starts_with("Key Manager at localhost:"),
                "{report}"
            );
            assert!(problem.kind().next_step().is_some());
        }
    }
}

#[tokio::test]
async fn the_web_port_is_told_by_its_not_asking_for_a_certificate() {
    for tls in TLS {
        let pod = empty_pod(tls).await;
        admit(&pod);
        let endpoints = Endpoints::new(pod.web_url(), pod.key_manager_url()).unwrap();
        let report = Doctor::new(endpoints, p12(&lab().bot), Passphrase::from(PASSPHRASE))
            .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
            .examine()
            .await;
        assert_eq!(problems(&report), ["wrong-port"], "{report}");
        assert_told(&report, "wrong-port", "401", "8444");
    }
}

#[tokio::test]
async fn a_web_front_end_that_redirects_is_a_wrong_port_too() {
    for (tls, http) in [(&TLS12, "http/1.1"), (&TLS13, "h2")] {
        let redirects = || Reply::status(302).header("location", "/login");
        let setup = Setup::new(redirects).without_client_authentication();
        let web = Server::start(setup.over(tls, http)).await;
        let report = Doctor::new(
            Endpoints::new(web.url(), web.url()).unwrap(),
            pem(&lab().bot),
            None,
        )
        .trust(crate::lab::trust())
        .examine()
        .await;
        let both = ["wrong-port", "redirected"];
        assert_eq!(problems(&report), [both, both].concat(), "{report}");
    }
}

/// As behind something that ends TLS, and tells the Pod in its own way who called.
#[tokio::test]
async fn a_port_that_gives_a_token_is_not_wrong_though_it_asks_for_no_certificate() {
    for (tls, http) in [(&TLS12, "http/1.1"), (&TLS13, "h2")] {
        let start = |answer: fn() -> Reply| {
            let setup = Setup::new(answer).without_client_authentication();
            Server::start(setup.over(tls, http))
        };
        let (pod, key_manager) = (start(pod_answer).await, start(key_manager_answer).await);
        let report = Doctor::new(
            Endpoints::new(pod.url(), key_manager.url()).unwrap(),
            pem(&lab().bot),
            None,
        )
        .trust(crate::lab::trust())
        .examine()
        .await;
        assert!(report.is_healthy(), "{report}");
        let noted = ids(&report, Severity::Info);
        let noted = noted
            .iter()
            .filter(|id| **id == "certificate-not-requested");
        assert_eq!(noted.count(), 2, "{report}");
    }
}

#[tokio::test]
async fn a_name_that_differs_in_case_is_told_by_the_file_and_by_the_pod() {
    for tls in TLS {
        let pod = empty_pod(tls).await;
        import(&pod);
        pod.create_service_user("Demo-Bot1").unwrap();
        let report = doctor(&pod).username("Demo-Bot1").examine().await;
        assert_eq!(
            problems(&report),
            ["common-name-case", "unauthorized"],
            "{report}"
        );
    }
}

#[tokio::test]
async fn a_user_who_may_not_use_certificates_is_told() {
    for tls in TLS {
        let pod = empty_pod(tls).await;
        admit(&pod);
        pod.set_certificates_allowed("demo-bot1", false).unwrap();
        let report = doctor(&pod).examine().await;
        assert_eq!(problems(&report), ["forbidden"], "{report}");
        assert_told(&report, "forbidden", "not allowed", "admin portal");
    }
}

#[tokio::test]
async fn a_key_that_is_too_small_is_told_by_the_file_and_by_the_pod() {
    let small = too_small();
    for tls in TLS {
        let pod = empty_pod(tls).await;
        admit(&pod);
        let report = Doctor::new(endpoints(&pod), pem(&small), None)
            .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
            .examine()
            .await;
        assert_eq!(
            problems(&report),
            ["key-too-small", "client-certificate-refused"],
            "{report}"
        );
    }
}

#[tokio::test]
async fn an_issuer_that_was_not_imported_is_missed_in_the_servers_list() {
    let stranger = CertificateAuthority::create_root(
        name("/CN=Stranger"),
        crate::lab::key(),
        &Profile::root(),
    )
    .unwrap();
    for tls in TLS {
        let pod = empty_pod(tls).await;
        pod.import_certificate(
            stranger.certificate().to_pem(),
            CertificateType::UserSigning,
        )
        .unwrap();
        let report = doctor(&pod).examine().await;
        assert_eq!(problems(&report), ["client-issuer-unknown"], "{report}");
        assert_eq!(
            ids(&report, Severity::Warning),
            ["issuer-not-requested"],
            "{report}"
        );
        assert!(report.to_string().contains("of CN=Stranger"), "{report}");
    }
}

#[tokio::test]
async fn an_authority_that_is_no_longer_trusted_is_told() {
    for tls in TLS {
        for (status, expected) in [
            (Status::Revoked, "client-certificate-revoked"),
            (Status::Disabled, "client-certificate-refused"),
        ] {
            let pod = empty_pod(tls).await;
            admit(&pod);
            for certificate in pod.certificates() {
                pod.set_status(certificate.fingerprint, status).unwrap();
            }
            let report = doctor(&pod).examine().await;
            assert_eq!(problems(&report), [expected], "{report}");
        }
    }
}

/// The server's kernel answers what the client still sends with a reset, while the alert is on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_told_even_if_the_server_closes_at_once() {
    for (tls, http) in crate::lab::PROTOCOLS {
        let setup = Setup::new(pod_answer)
            .over(tls, http)
            .refuses_clients(rustls::CertificateError::UnknownIssuer)
            .closes_at_once();
        let server = Server::start(setup).await;
        let report = Doctor::new(
            Endpoints::new(server.url(), server.url()).unwrap(),
            pem(&lab().bot),
            None,
        )
        .trust(crate::lab::trust())
        .examine()
        .await;
        let expected = ["client-issuer-unknown"; 2];
        let problems: Vec<_> = report.problems().map(|finding| finding.id()).collect();
        assert_eq!(problems, expected, "{tls:?} {http}\n{report}");
    }
}

#[tokio::test]
async fn a_server_certificate_that_is_none_for_servers_is_told() {
    let root = &lab().root;
    let localhost = [pki::SubjectAltName::Ip("127.0.0.1".parse().unwrap())];
    let version_1 = Pair {
        certificate: as_version_1(&lab().server.certificate, root),
        key: PrivateKey::from_pem(lab().server.key_pem(), None).unwrap(),
    };
    for (pair, evidence) in [
        (
            issue(root, "/CN=localhost", &localhost, &Profile::client()),
            "does not allow extended key usage for server authentication",
        ),
        (version_1, "X.509 version 1"),
    ] {
        let pair = Arc::new(pair);
        for (tls, http) in crate::lab::PROTOCOLS {
            let setup = Setup::new(pod_answer).certificate(Arc::clone(&pair));
            let server = Server::start(setup.over(tls, http)).await;
            let report = Doctor::new(
                Endpoints::new(server.url(), server.url()).unwrap(),
                pem(&lab().bot),
                None,
            )
            .trust(crate::lab::trust())
            .examine()
            .await;
            assert_eq!(
                problems(&report),
                ["server-certificate-invalid"],
                "{report}"
            );
            assert_told(&report, "server-certificate-invalid", evidence, "replace");
        }
    }
}

#[tokio::test]
async fn tokens_that_are_given_and_not_accepted_are_told() {
    let pod = pod().await;
    pod.inject(Rule::new(Fault::ExpireTokens).path("/pod/v2/sessioninfo"))
        .unwrap();
    let report = doctor(&pod).examine().await;
    assert_eq!(problems(&report), ["token-refused"], "{report}");
    assert_told(&report, "token-refused", "Pod at", "same Pod");
}

#[tokio::test]
async fn a_call_that_the_user_may_not_make_is_told() {
    let pod = pod().await;
    let forbidden = Fault::status(StatusCode::FORBIDDEN);
    pod.inject(Rule::new(forbidden).path("/agent/v1/util/echo"))
        .unwrap();
    let report = doctor(&pod).examine().await;
    assert_eq!(problems(&report), ["call-forbidden"], "{report}");
    assert_told(&report, "call-forbidden", "Agent at", "entitlements");
}

/// Certificate endpoints are there, so that the trouble is another.
#[tokio::test]
async fn a_call_that_is_not_found_is_told_from_an_authentication_that_is_not() {
    for (path, evidence) in [
        ("/pod/v2/sessioninfo", "Pod at"),
        ("/agent/v1/util/echo", "Agent at"),
    ] {
        let pod = pod().await;
        let not_found = Fault::status(StatusCode::NOT_FOUND);
        pod.inject(Rule::new(not_found).path(path)).unwrap();
        let report = doctor(&pod).examine().await;
        assert_eq!(problems(&report), ["call-not-found"], "{report}");
        assert_told(&report, "call-not-found", evidence, "this endpoint's URL");
    }
}

/// By their day, and not in seconds since 1970.
#[tokio::test]
async fn when_a_server_certificate_is_valid_is_told_in_days() {
    for (fault, id, words) in [
        (
            BadCertificate::Expired,
            "server-certificate-expired",
            "it expired on 20",
        ),
        (
            BadCertificate::NotYetValid,
            "server-certificate-not-yet-valid",
            "it is not valid before 20",
        ),
    ] {
        let pod = pod().await;
        pod.inject(Rule::new(Fault::ServerCertificate(fault)).port(Port::Api))
            .unwrap();
        let report = doctor(&pod).examine().await;
        assert_told(&report, id, words, "clock");
    }
}

#[tokio::test]
async fn a_stream_of_http_2_that_is_reset_is_told() {
    let pod = Pod::builder()
        .http_versions([HttpVersion::Http2])
        .start()
        .await
        .unwrap();
    admit(&pod);
    pod.inject(Rule::new(Fault::NoAnswer).port(Port::KeyManager))
        .unwrap();
    let report = doctor(&pod).examine().await;
    assert_eq!(problems(&report), ["http-failed"], "{report}");
    assert_told(&report, "http-failed", "Key Manager at", "HTTP/2");
}

/// Nobody can connect to the broadcast address, and the system says so at once.
#[tokio::test]
async fn an_address_that_can_not_be_reached_is_told() {
    let nowhere = "https://255.255.255.255:8444";
    let endpoints = Endpoints::new(nowhere, nowhere).unwrap();
    let report = Doctor::new(endpoints, pem(&lab().bot), None)
        .trust(crate::lab::trust())
        .no_proxy()
        .examine()
        .await;
    assert_eq!(problems(&report), ["network-failed"], "{report}");
    assert_told(&report, "network-failed", "255.255.255.255", "proxy");
}

#[tokio::test]
async fn a_provider_that_does_not_fit_is_told() {
    let mut without_suites = CryptoProvider::clone(&provider::graviola().unwrap());
    without_suites.cipher_suites.clear();
    let report = offline(pem(&lab().bot), None)
        .provider(without_suites.into())
        .examine()
        .await;
    assert_eq!(problems(&report), ["client-unusable"], "{report}");
    assert_told(&report, "client-unusable", "cipher suites", "ring");

    let report = offline(pem(&lab().bot), None)
        .provider(without_keys())
        .examine()
        .await;
    assert_eq!(problems(&report), ["key-unsupported"], "{report}");
    assert_told(&report, "key-unsupported", "ECDSA P-256", "4096");
}

#[tokio::test]
async fn what_a_configuration_says_in_vain_is_told() {
    let root = pki_data_path("root.crt");
    let text = format!(
        "host: 127.0.0.1\nport: 1\nssl: {{ trustStore: {{ path: {root:?} }} }}\nretries: 3\n"
    );
    let config = BdkConfig::parse(&text, |_| None).unwrap();
    let report = Doctor::of_config(&config, p12(&lab().bot), None)
        .unwrap()
        .examine()
        .await;
    assert_told(
        &report,
        "configuration-ignored",
        "line 4: retries",
        "spelling",
    );
}

#[tokio::test]
async fn a_host_name_that_does_not_resolve_is_told() {
    let endpoints = Endpoints::new("https://pod.invalid", "https://km.invalid").unwrap();
    let report = Doctor::new(endpoints, p12(&lab().bot), Passphrase::from(PASSPHRASE))
        .trust(crate::lab::trust())
        .no_proxy()
        .examine()
        .await;
    assert_eq!(problems(&report), ["name-not-resolved"], "{report}");
}

#[tokio::test]
async fn each_trouble_with_a_proxy_has_its_finding() {
    let pod = pod().await;
    let wants_password = pod::Proxy::builder()
        .basic_auth("me", "s3cret")
        .start()
        .await
        .unwrap();
    let url = |credentials: &str| {
        Proxy::new(
            wants_password
                .url()
                .replace("//", &format!("//{credentials}")),
        )
        .unwrap()
    };
    let report = doctor(&pod).proxy(url("me:s3cret@")).examine().await;
    assert!(report.is_healthy(), "{report}");
    assert!(ids(&report, Severity::Info).contains(&"through-proxy"));
    assert!(!report.to_string().contains("s3cret"));
    for credentials in ["", "me:wrong@"] {
        let report = doctor(&pod).proxy(url(credentials)).examine().await;
        assert_eq!(problems(&report), ["proxy-authentication"], "{report}");
    }

    let proxy = pod::Proxy::builder().start().await.unwrap();
    for (fault, expected) in [
        (ProxyFault::Status(StatusCode::FORBIDDEN), "proxy-refused"),
        (ProxyFault::Close, "proxy-unreachable"),
        (ProxyFault::Silence, "connect-timeout"),
    ] {
        proxy.set_fault(fault);
        let report = doctor(&pod)
            .proxy(Proxy::new(proxy.url()).unwrap())
            .connect_timeout(Duration::from_secs(1))
            .examine()
            .await;
        assert_eq!(problems(&report), [expected], "{report}");
    }
    let report = doctor(&pod)
        .proxy(Proxy::new("http://127.0.0.1:1").unwrap())
        .examine()
        .await;
    assert_eq!(problems(&report), ["proxy-unreachable"], "{report}");
    let web = Proxy::new(pod.web_url().replace("https", "http")).unwrap();
    let report = doctor(&pod).proxy(web).examine().await;
    assert_eq!(problems(&report), ["proxy-failed"], "{report}");
}

#[tokio::test]
async fn a_report_is_json_too() {
    let report = offline(p12(&lab().bot), None).examine().await;
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        serde_json::json!({
            "healthy": false,
            "findings": [{
                "id": "identity-passphrase-missing",
                "severity": "problem",
                "about": "client identity",
                "message": "the identity is encrypted, and no passphrase was given",
                "nextStep": "give its passphrase",
            }],
        })
    );
}

/// What the environment says belongs to a process: a second one runs the test, which is ignored otherwise.
fn assert_passes_in_environment(test: &str, variables: &[(&str, &str)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("doctor::{test}"), "--ignored"])
        .env_remove("SSL_CERT_DIR")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[test]
fn roots_that_replaced_the_platforms_are_told() {
    let file =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("doctor-roots-{}.pem", process::id()));
    std::fs::write(&file, lab().root.certificate().to_pem()).unwrap();
    let server = lab().server.certificate.to_pem() + &lab().server.key_pem();
    assert_passes_in_environment(
        "with_a_stranger_as_only_root_in_an_environment_of_its_own",
        &[
            ("SSL_CERT_FILE", file.to_str().unwrap()),
            ("DOCTOR_KEYS", &server),
        ],
    );
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
#[ignore = "run by `roots_that_replaced_the_platforms_are_told`"]
async fn with_a_stranger_as_only_root_in_an_environment_of_its_own() {
    let keys = std::env::var("DOCTOR_KEYS").unwrap();
    let server = Arc::new(Pair {
        key: PrivateKey::from_pem(&keys, None).unwrap(),
        certificate: Certificate::from_pem(&keys).unwrap(),
    });
    for (tls, http) in crate::lab::PROTOCOLS {
        let setup = Setup::new(pod_answer).certificate(Arc::clone(&server));
        let server = Server::start(setup.over(tls, http)).await;
        // The root of this process' own lab, under which the server is not.
        let report = Doctor::new(
            Endpoints::new(server.url(), server.url()).unwrap(),
            pem(&lab().bot),
            None,
        )
        .trust(crate::lab::trust())
        .examine()
        .await;
        let both = ["server-not-trusted", "trust-excludes-platform"];
        assert_eq!(problems(&report), [both, both].concat(), "{report}");
    }
}

#[test]
fn a_platform_without_roots_is_told() {
    assert_passes_in_environment(
        "without_roots_in_an_environment_of_its_own",
        &[(
            "SSL_CERT_FILE",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/nowhere"),
        )],
    );
}

#[tokio::test]
#[ignore = "run by `a_platform_without_roots_is_told`"]
async fn without_roots_in_an_environment_of_its_own() {
    let nowhere = "https://127.0.0.1:1";
    let endpoints = Endpoints::new(nowhere, nowhere).unwrap();
    let report = Doctor::new(endpoints, pem(&lab().bot), None)
        .examine()
        .await;
    assert_eq!(problems(&report), ["platform-roots-missing"], "{report}");
    assert_told(&report, "platform-roots-missing", "nowhere", "--trust");
}

#[test]
fn a_proxy_in_the_environment_that_can_not_be_used_is_told_before_anybody_is_called() {
    assert_passes_in_environment(
        "with_a_proxy_that_wants_tls_in_an_environment_of_its_own",
        &[
            ("HTTPS_PROXY", "https://me:s3cret@proxy.test"),
            ("NO_PROXY", "pod.test"),
        ],
    );
}

#[tokio::test]
#[ignore = "run by `a_proxy_in_the_environment_that_can_not_be_used_is_told_before_anybody_is_called`"]
async fn with_a_proxy_that_wants_tls_in_an_environment_of_its_own() {
    let endpoints = Endpoints::new("https://pod.test", "https://pod.test")
        .unwrap()
        .agent("https://agent.test")
        .unwrap();
    let report = Doctor::new(endpoints, pem(&lab().bot), None)
        .trust(crate::lab::trust())
        .examine()
        .await;
    assert_eq!(problems(&report), ["proxy-invalid"], "{report}");
    assert_told(&report, "proxy-invalid", "HTTPS_PROXY", "http://host:port");
    assert!(!report.to_string().contains("s3cret"), "{report}");
}

#[test]
fn every_finding_of_the_catalogue_is_brought_about_by_a_test_of_this_file() {
    for kind in CATALOGUE {
        let quoted = format!("\"{}\"", kind.id());
        assert!(include_str!("doctor.rs").contains(&quoted), "{quoted}");
    }
}
