//! Every symptom that people report ends in a finding of its own.

mod calls;
mod environment;
mod identity;

use std::{
    path::{Path, PathBuf},
    process,
    sync::Arc,
    time::{Duration, SystemTime},
};

use auth::{
    Endpoint, Endpoints, Error, Proxy, TrustAnchors,
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

/// For a server that is the Pod and the Key Manager.
async fn examine_at(server: &Server) -> Report {
    let endpoints = Endpoints::new(server.url(), server.url()).unwrap();
    let doctor = Doctor::new(endpoints, pem(&lab().bot), None);
    doctor.trust(crate::lab::trust()).examine().await
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

/// What other programs wrote.
fn pki_data(file: &str) -> Vec<u8> {
    std::fs::read(pki_data_path(file)).unwrap()
}

fn pki_data_path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../pki/tests/data/pkcs12")
        .join(file)
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

#[test]
fn every_finding_of_the_catalogue_is_brought_about_by_a_test() {
    let tests = concat!(
        include_str!("mod.rs"),
        include_str!("identity.rs"),
        include_str!("calls.rs"),
        include_str!("environment.rs")
    );
    for kind in CATALOGUE {
        let quoted = format!("\"{}\"", kind.id());
        assert!(tests.contains(&quoted), "{quoted}");
    }
}

/// The program is one way to do it, and not everybody's.
#[test]
fn the_library_names_no_program_of_ours_and_none_of_its_flags() {
    for kind in CATALOGUE {
        let step = kind.next_step().unwrap_or_default();
        assert!(
            !step.contains("countersign") && !step.contains("--"),
            "{step}"
        );
    }
}
