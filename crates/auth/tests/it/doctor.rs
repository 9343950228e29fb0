//! Every symptom that people report ends in a finding of its own.

use std::time::{Duration, SystemTime};

use auth::{
    Endpoints, Proxy, TrustAnchors,
    doctor::{Doctor, Report, Severity},
};
use http::StatusCode;
use pki::{CertificateRequest, KeyKind, Passphrase, Pkcs12, PrivateKey, Profile, Validity};
use pod::{
    Answer, BadCertificate, CertificateType, End, Fault, Pod, Port, ProxyFault, Rule, Status,
    TlsVersion,
};
use rustls::AlertDescription;

use crate::{
    lab::{Pair, as_version_1, issue, lab, name, pod_answer},
    server::{Server, Setup},
};

const PASSPHRASE: &str = "correct horse";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn pod() -> Pod {
    let pod = Pod::builder().start().await.unwrap();
    admit(&pod);
    pod
}

fn admit(pod: &Pod) {
    for authority in [&lab().root, &lab().signing] {
        let pem = authority.certificate().to_pem();
        pod.import_certificate(pem, CertificateType::UserSigning)
            .unwrap();
    }
    pod.create_service_user("demo-bot1").unwrap();
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

fn problems(report: &Report) -> Vec<&'static str> {
    ids(report, Severity::Problem)
}

#[tokio::test]
async fn a_healthy_bot_has_no_problems_and_leaves_no_session_behind() {
    for tls in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let pod = Pod::builder().tls_versions([tls]).start().await.unwrap();
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
    let legacy = include_bytes!("../../../pki/tests/data/pkcs12/openssl-legacy.p12");
    let report = offline(legacy.as_slice(), Some("correct")).examine().await;
    assert!(
        ids(&report, Severity::Warning).contains(&"identity-legacy-encryption"),
        "{report}"
    );
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
    let small = {
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let request = CertificateRequest::builder(name("/CN=demo-bot1"))
            .sign(&key)
            .unwrap();
        let certificate = signing
            .issue(&request.verify().unwrap(), &Profile::client())
            .unwrap();
        Pair { key, certificate }
    };
    let soon = between(signing.certificate().validity().not_before, now + 10 * DAY);
    let server_names = [pki::SubjectAltName::dns("bot.test").unwrap()];
    for (pair, at, severity, expected) in [
        (version_1, now, Severity::Warning, "client-certificate-v1"),
        (small, now, Severity::Problem, "key-too-small"),
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
        for tls in [TlsVersion::Tls12, TlsVersion::Tls13] {
            let pod = Pod::builder().tls_versions([tls]).start().await.unwrap();
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
    let pod = pod().await;
    let endpoints = Endpoints::new(pod.web_url(), pod.key_manager_url()).unwrap();
    let report = Doctor::new(endpoints, p12(&lab().bot), Passphrase::from(PASSPHRASE))
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .examine()
        .await;
    assert_eq!(problems(&report), ["wrong-port"], "{report}");
}

#[tokio::test]
async fn a_name_that_differs_in_case_is_told_by_the_file_and_by_the_pod() {
    let pod = Pod::builder().start().await.unwrap();
    for authority in [&lab().root, &lab().signing] {
        let pem = authority.certificate().to_pem();
        pod.import_certificate(pem, CertificateType::UserSigning)
            .unwrap();
    }
    pod.create_service_user("Demo-Bot1").unwrap();
    let report = doctor(&pod).username("Demo-Bot1").examine().await;
    assert_eq!(
        problems(&report),
        ["common-name-case", "unauthorized"],
        "{report}"
    );
}

#[tokio::test]
async fn an_issuer_that_was_not_imported_is_missed_in_the_servers_list() {
    let pod = Pod::builder().start().await.unwrap();
    let stranger = pki::CertificateAuthority::create_root(
        name("/CN=Stranger"),
        crate::lab::key(),
        &Profile::root(),
    )
    .unwrap();
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

#[tokio::test]
async fn a_disabled_authority_is_told() {
    let pod = pod().await;
    let imported = pod.certificates();
    for certificate in imported {
        pod.set_status(certificate.fingerprint, Status::Revoked)
            .unwrap();
    }
    let report = doctor(&pod).examine().await;
    assert_eq!(
        problems(&report),
        ["client-certificate-revoked"],
        "{report}"
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

/// Where the platform's roots are is said by the environment, which belongs to a process: a second one is started.
#[test]
fn roots_that_replaced_the_platforms_are_told() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("doctor-roots-{}.pem", std::process::id()));
    std::fs::write(&file, lab().root.certificate().to_pem()).unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "doctor::with_a_stranger_as_only_root_in_an_environment_of_its_own",
            "--ignored",
        ])
        .env("SSL_CERT_FILE", &file)
        .env(
            "DOCTOR_KEYS",
            pem(&Pair {
                key: PrivateKey::from_pem(lab().server.key_pem(), None).unwrap(),
                certificate: lab().server.certificate.clone(),
            }),
        )
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[tokio::test]
#[ignore = "run by `roots_that_replaced_the_platforms_are_told`, in an environment made for it"]
async fn with_a_stranger_as_only_root_in_an_environment_of_its_own() {
    let keys = std::env::var("DOCTOR_KEYS").unwrap();
    let server = Pair {
        key: PrivateKey::from_pem(&keys, None).unwrap(),
        certificate: pki::Certificate::from_pem(&keys).unwrap(),
    };
    let setup = Setup::new(pod_answer).certificate(std::sync::Arc::new(server));
    let server = Server::start(setup).await;
    // The root of this process' own lab, under which the server is not.
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
        [
            "server-not-trusted",
            "trust-excludes-platform",
            "server-not-trusted",
            "trust-excludes-platform"
        ],
        "{report}"
    );
}
