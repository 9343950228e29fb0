//! Our chains, judged by webpki.
use std::time::Duration;

use pki::Certificate;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use crate::support::entry;

/// Whether webpki accepts the fixture's chain, the last certificate of which is the root.
fn judge(name: &str, usage: KeyUsage, at: UnixTime) -> Result<(), Error> {
    let chain: Vec<CertificateDer<'static>> = Certificate::all_from_pem(entry(name).chain_pem())
        .unwrap()
        .iter()
        .map(|certificate| certificate.as_der().to_vec().into())
        .collect();
    let [leaf, intermediates @ .., root] = &chain[..] else {
        panic!("a chain has a leaf and a root");
    };
    let algorithms = rustls_graviola::default_provider()
        .signature_verification_algorithms
        .all;
    let anchor = anchor_from_trusted_cert(root)?;
    EndEntityCert::try_from(leaf)?
        .verify_for_usage(algorithms, &[anchor], intermediates, at, usage, None, None)
        .map(drop)
}

#[test]
fn client_certificates_are_for_clients() {
    for bot in [
        "demo-bot1",
        "small-bot",
        "ec-bot",
        "intricate-bot",
        "stranger-bot",
    ] {
        assert_eq!(
            judge(bot, KeyUsage::client_auth(), UnixTime::now()),
            Ok(()),
            "{bot}"
        );
        let as_server = judge(bot, KeyUsage::server_auth(), UnixTime::now());
        assert!(
            matches!(as_server, Err(Error::RequiredEkuNotFoundContext(_))),
            "{bot}: {as_server:?}"
        );
    }
}

#[test]
fn server_certificates_are_for_servers_of_their_name() {
    assert_eq!(
        judge("pod-server", KeyUsage::server_auth(), UnixTime::now()),
        Ok(())
    );
    let as_client = judge("pod-server", KeyUsage::client_auth(), UnixTime::now());
    assert!(
        matches!(as_client, Err(Error::RequiredEkuNotFoundContext(_))),
        "{as_client:?}"
    );

    let leaf = Certificate::from_pem(entry("pod-server").certificate_pem()).unwrap();
    let der = CertificateDer::from(leaf.as_der());
    let server = EndEntityCert::try_from(&der).unwrap();
    for name in ["localhost", "127.0.0.1", "::1"] {
        let name = ServerName::try_from(name).unwrap();
        assert_eq!(
            server.verify_is_valid_for_subject_name(&name),
            Ok(()),
            "{name:?}"
        );
    }
    let other = ServerName::try_from("example.com").unwrap();
    assert!(server.verify_is_valid_for_subject_name(&other).is_err());
}

#[test]
fn validity_ends_when_it_was_said_to() {
    let expired = judge("expired-bot", KeyUsage::client_auth(), UnixTime::now());
    assert!(
        matches!(expired, Err(Error::CertExpired { .. })),
        "{expired:?}"
    );

    let days_from_now = |days: u64| {
        UnixTime::since_unix_epoch(Duration::from_secs(
            UnixTime::now().as_secs() + days * 86_400,
        ))
    };
    // Made at most a week ago, for 2922 days.
    assert_eq!(
        judge("demo-bot1", KeyUsage::client_auth(), days_from_now(2914)),
        Ok(())
    );
    let later = judge("demo-bot1", KeyUsage::client_auth(), days_from_now(2923));
    assert!(matches!(later, Err(Error::CertExpired { .. })), "{later:?}");
}
