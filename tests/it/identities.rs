//! Who is admitted and who isn't, with the same CA imported.
use auth::Error;
use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::DecodePrivateKey,
};
use pki::{Certificate, DistinguishedName, Passphrase, Pkcs12, PrivateKey, Version};
use pod::{CertificateType, Pod};
use rustls::AlertDescription;

use crate::{
    support::{certificate, entry, private_key},
    workflow::client_for,
};

/// A pod that knows the CAs and a user for each bot of the fixtures.
async fn pod() -> Pod {
    let pod = Pod::builder().start().await.unwrap();
    for authority in ["bank-signing", "intricate-root"] {
        pod.import_certificate(
            entry(authority).certificate_pem(),
            CertificateType::UserSigning,
        )
        .unwrap();
    }
    for bot in [
        "demo-bot1",
        "small-bot",
        "ec-bot",
        "expired-bot",
        "intricate-bot",
        "v1-bot",
    ] {
        pod.create_service_user(bot).unwrap();
    }
    pod
}

async fn authenticate(bot: &str) -> Result<(), Error> {
    let bot = entry(bot);
    let pod = pod().await;
    let client = client_for(bot.p12().unwrap(), &bot.passphrase(), &pod).unwrap();
    client.session().await.map(drop)
}

#[tokio::test]
async fn bots_of_an_imported_authority_are_admitted() {
    for bot in ["demo-bot1", "ec-bot", "intricate-bot"] {
        assert_eq!(authenticate(bot).await, Ok(()), "{bot}");
    }
}

#[tokio::test]
async fn others_are_refused_each_with_its_alert() {
    for (bot, expected) in [
        ("small-bot", AlertDescription::CertificateUnknown),
        ("expired-bot", AlertDescription::CertificateExpired),
        ("stranger-bot", AlertDescription::UnknownCA),
    ] {
        let refused = authenticate(bot).await;
        assert!(
            matches!(&refused, Err(Error::ClientCertificateRefused { alert, .. }) if *alert == expected),
            "{bot}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn an_x509_v1_certificate_authenticates() {
    let (key, ca_key) = (private_key("ec-bot"), private_key("stranger-root"));
    let issuer = certificate("stranger-root");
    let leaf = v1_certificate(
        issuer.subject(),
        &ca_key,
        &"/CN=v1-bot".parse().unwrap(),
        &key,
    );
    assert_eq!(leaf.version(), Version::V1);
    leaf.verify_issued_by(&issuer).unwrap();

    let passphrase = Passphrase::new("changeit");
    let bundle = Pkcs12::builder(&key, &leaf)
        .unwrap()
        .iterations(1000)
        .to_der(&passphrase)
        .unwrap();
    let pod = pod().await;
    pod.import_certificate(issuer.to_pem(), CertificateType::UserSigning)
        .unwrap();
    client_for(&bundle, &passphrase, &pod)
        .unwrap()
        .session()
        .await
        .unwrap();
}

/// What `openssl x509 -req` makes without extensions, and `pki` doesn't. The issuer's key is on P-256.
fn v1_certificate(
    issuer: &DistinguishedName,
    issuer_key: &PrivateKey,
    subject: &DistinguishedName,
    subject_key: &PrivateKey,
) -> Certificate {
    let ecdsa_with_sha256 = sequence(&[&[0x06, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]]);
    let validity = sequence(&[b"\x17\x0D200101000000Z", b"\x17\x0D491231235959Z"]);
    let spki = subject_key.public_key().spki_der();
    let tbs = sequence(&[
        &[0x02, 1, 1],
        &ecdsa_with_sha256,
        issuer.as_der(),
        &validity,
        subject.as_der(),
        spki,
    ]);
    let signer = SigningKey::from_pkcs8_der(&issuer_key.to_pkcs8_der().unwrap()).unwrap();
    let signature: Signature = signer.sign(&tbs);
    let signature = signature.to_der();
    let header = [
        0x03,
        u8::try_from(signature.as_bytes().len()).unwrap() + 1,
        0,
    ];
    let signature = [&header, signature.as_bytes()].concat();
    Certificate::from_der(&sequence(&[&tbs, &ecdsa_with_sha256, &signature])).unwrap()
}

/// A DER SEQUENCE of less than 64 KiB.
fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let header = match contents.len() {
        0..=127 => vec![0x30, low],
        128..=255 => vec![0x30, 0x81, low],
        _ => vec![0x30, 0x82, high, low],
    };
    [header, contents].concat()
}
