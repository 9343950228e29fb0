use auth::{Error, TrustAnchors, TrustSource};
use rustls::CertificateError;

use crate::{
    environment::assert_passes_in_environment,
    lab::{as_version_1, client, key_manager_answer, lab, pod_answer, trust},
    log::warnings_of,
    server::{Server, Setup},
};

#[test]
fn what_was_loaded_can_be_listed() {
    let root = lab().root.certificate();
    let signing = lab().signing.certificate();
    let anchors = trust()
        .and_pem(signing.to_pem())
        .unwrap()
        .and_pem(root.to_pem())
        .unwrap();
    let listed: Vec<&[u8]> = anchors
        .certificates()
        .iter()
        .map(|der| der.as_ref())
        .collect();
    assert_eq!(
        listed,
        [root.as_der(), signing.as_der()],
        "in order, without repeats"
    );
}

#[test]
fn pem_without_a_certificate_is_refused() {
    for pem in ["", "nothing here", &lab().bot.key_pem()] {
        let error = TrustAnchors::pem(pem).unwrap_err();
        assert!(
            matches!(error, Error::TrustAnchors(pki::Error::PemNotFound { .. })),
            "{error:?}"
        );
    }
}

#[test]
fn a_version_1_root_is_accepted() {
    let root = as_version_1(lab().root.certificate(), &lab().root);
    assert_eq!(
        TrustAnchors::pem(root.to_pem())
            .unwrap()
            .certificates()
            .len(),
        1
    );
}

#[test]
fn trust_stores_of_every_format_are_read() {
    let root = lab().root.certificate();
    let passphrase = pki::Passphrase::from("changeit");
    let p12 = pki::TrustStore::from_iter([("root".to_owned(), root.clone())])
        .pkcs12()
        .iterations(1000)
        .to_der(&passphrase)
        .unwrap();
    for (name, input) in [
        ("root.pem", root.to_pem().into_bytes()),
        ("root.der", root.as_der().to_vec()),
        ("root.p12", p12.clone()),
    ] {
        let anchors = TrustAnchors::read(name, &input, &passphrase).unwrap();
        let [anchor] = anchors.certificates() else {
            panic!("{anchors:?}");
        };
        assert_eq!(anchor.as_ref(), root.as_der(), "{name}");
        assert_eq!(anchor.subject().unwrap(), "CN=Test Root");
        assert_eq!(anchor.not_after(), Some(root.validity().not_after));
        assert_eq!(*anchor.source(), TrustSource::Given(name.into()));
        let shown = anchor.to_string();
        assert!(
            shown.starts_with("CN=Test Root, until 20")
                && shown.ends_with(&format!(", from {name}")),
            "{shown}"
        );
    }
    let wrong = pki::Passphrase::from("wrong");
    let error = TrustAnchors::read("root.p12", &p12, &wrong).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TrustAnchors(pki::Error::WrongPassphrase { .. })
        ),
        "{error:?}"
    );
}

#[test]
fn a_java_key_store_is_read_with_its_passphrase_or_without() {
    let store = include_bytes!("../../../pki/tests/data/trust/keytool-trust.jks");
    let anchors = TrustAnchors::read("store.jks", store, None).unwrap();
    assert!(!anchors.certificates().is_empty());
    let error =
        TrustAnchors::read("store.jks", store, &pki::Passphrase::from("wrong")).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TrustAnchors(pki::Error::WrongPassphrase { .. })
        ),
        "{error:?}"
    );
}

#[test]
fn debug_counts() {
    assert_eq!(format!("{:?}", trust()), "TrustAnchors(1 certificates)");
    assert_eq!(
        format!("{:?}", trust().and_platform()),
        "TrustAnchors(1 certificates and the platform's)"
    );
}

#[test]
fn a_root_that_tls_cannot_use_is_named_with_its_place_and_reason() {
    let root = lab().root.certificate();
    // The algorithm that was signed is another one than that beside the signature: ecdsa-with-SHA384.
    let mut der = root.as_der().to_vec();
    let sha256 = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let at = der.windows(8).position(|octets| octets == sha256).unwrap();
    der[at + 7] = 3;
    let unusable = pki::Certificate::from_der(&der).unwrap();
    let error = TrustAnchors::pem(root.to_pem() + &unusable.to_pem()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::InvalidTrustAnchor {
                index: 2,
                reason: CertificateError::Other(_),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("SignatureAlgorithmMismatch"),
        "{error}"
    );
}

#[test]
fn unreadable_certificates_of_a_trust_store_are_logged_and_no_others() {
    let root = lab().root.certificate().to_pem();
    let bad = "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n";
    for (store, warnings) in [(root.clone(), 0), (root + bad, 1)] {
        let (anchors, warned) =
            warnings_of(|| TrustAnchors::read("store.pem", store.as_bytes(), None).unwrap());
        assert_eq!(anchors.certificates().len(), 1);
        assert_eq!(warned, vec!["auth::trust"; warnings]);
    }
}

/// Where the platform's roots are is said by the environment, which belongs to a process: a second one is started.
#[test]
fn the_platforms_roots_can_be_extended() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("platform-roots-{}.pem", std::process::id()));
    std::fs::write(&file, lab().root.certificate().to_pem()).unwrap();
    in_process_with_roots(
        &file,
        "trust::platform_with_one_root_in_an_environment_of_its_own",
    );
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_root_of_the_platform_is_trusted_beside_those_that_were_given() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("platform-root-{}.pem", std::process::id()));
    in_process_with_roots(
        &file,
        "trust::given_and_platform_in_an_environment_of_its_own",
    );
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_platform_without_roots_is_an_error() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-such-roots.pem");
    in_process_with_roots(
        &file,
        "trust::platform_without_roots_in_an_environment_of_its_own",
    );
}

fn in_process_with_roots(file: &std::path::Path, test: &str) {
    assert_passes_in_environment(test, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
}

#[test]
#[ignore = "run by `the_platforms_roots_can_be_extended`, in an environment made for it"]
fn platform_with_one_root_in_an_environment_of_its_own() {
    let platform = TrustAnchors::platform().unwrap();
    assert_eq!(platform.certificates().len(), 1);
    let both = platform
        .and_pem(lab().signing.certificate().to_pem())
        .unwrap();
    assert_eq!(both.certificates().len(), 2);
}

#[tokio::test]
#[ignore = "run by `a_root_of_the_platform_is_trusted_...`, in an environment made for it"]
async fn given_and_platform_in_an_environment_of_its_own() {
    let platform = std::env::var("SSL_CERT_FILE").unwrap();
    std::fs::write(platform, lab().root.certificate().to_pem()).unwrap();
    let pod = Server::start(Setup::new(pod_answer)).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let authenticate = async |anchors: &TrustAnchors| {
        let client = client(&pod, &key_manager).trust(anchors.clone());
        client.build().unwrap().session().await
    };

    let given = TrustAnchors::pem(lab().signing.certificate().to_pem()).unwrap();
    let error = authenticate(&given).await.unwrap_err();
    assert!(matches!(error, Error::ServerNotTrusted { .. }), "{error:?}");

    let both = given.and_platform();
    authenticate(&both).await.unwrap();
    let sources: Vec<_> = both.certificates().iter().map(|it| it.source()).collect();
    let pem = TrustSource::Given("PEM".into());
    assert_eq!(sources, [&pem, &TrustSource::Platform]);
}

#[test]
#[ignore = "run by `a_platform_without_roots_is_an_error`, in an environment made for it"]
fn platform_without_roots_in_an_environment_of_its_own() {
    let error = TrustAnchors::platform().unwrap_err();
    let Error::NoPlatformRoots { reasons, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].contains("no-such-roots.pem"), "{reasons:?}");
}
