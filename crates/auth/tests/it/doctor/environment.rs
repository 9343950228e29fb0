//! What the environment says, which belongs to a process.

use super::*;
use crate::environment::assert_passes_in_environment;

#[test]
fn roots_that_replaced_the_platforms_are_told() {
    let file =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("doctor-roots-{}.pem", process::id()));
    std::fs::write(&file, lab().root.certificate().to_pem()).unwrap();
    let server = lab().server.certificate.to_pem() + &lab().server.key_pem();
    assert_passes_in_environment(
        "doctor::environment::with_a_stranger_as_only_root_in_an_environment_of_its_own",
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
        let report = examine_at(&server).await;
        let both = ["server-not-trusted", "trust-excludes-platform"];
        assert_eq!(problems(&report), [both, both].concat(), "{report}");
    }
}

#[test]
fn a_platform_without_roots_is_told() {
    assert_passes_in_environment(
        "doctor::environment::without_roots_in_an_environment_of_its_own",
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
    assert_told(&report, "platform-roots-missing", "nowhere", "trust anchor");
}

#[test]
fn a_proxy_in_the_environment_that_can_not_be_used_is_told_before_anybody_is_called() {
    assert_passes_in_environment(
        "doctor::environment::with_a_proxy_that_wants_tls_in_an_environment_of_its_own",
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
