//! Published test vectors, which are no part of this repository.
use std::{
    env, fs,
    path::Path,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use pki::{Passphrase, Pkcs12, Version};
use pod::{CertificateType, Pod};

use crate::workflow::client_for;

/// Where the vectors are: `COUNTERSIGN_VECTORS`, or beside the workspace.
fn vectors() -> PathBuf {
    match env::var_os("COUNTERSIGN_VECTORS") {
        Some(vectors) => vectors.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
    }
}

/// The identity that the official Java BDK tests with: RC2-40, 3DES and SHA-1 around a self-signed X.509 v1 certificate.
#[tokio::test]
#[ignore = "needs the published vectors"]
async fn the_identity_of_symphony_s_java_bdk_opens_and_authenticates() {
    let p12 = fs::read(vectors().join("symphony/identity.p12")).unwrap();
    let passphrase = Passphrase::new("password");
    let bundle = Pkcs12::open(&p12, &passphrase).unwrap();
    let certificate = bundle.certificate().unwrap();
    assert_eq!(bundle.alias(), Some("botkey"));
    assert_eq!(certificate.version(), Version::V1);
    assert_eq!(certificate.subject().common_name(), Some("bot"));

    // It is valid until August 2030; these tests are to outlive it.
    let in_2026 = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let pod = Pod::builder().clock(move || in_2026).start().await.unwrap();
    pod.import_certificate(certificate.to_pem(), CertificateType::User)
        .unwrap();
    pod.create_service_user("bot").unwrap();
    client_for(&p12, &passphrase, &pod)
        .unwrap()
        .session()
        .await
        .unwrap();
}
