//! What an administrator may and may not do, and how a pod starts and ends.

use std::time::{Duration, SystemTime};

use crate::support::{
    BOT, Client, Forgery, World, authority, bot, bot_with, key, name, v1_certificate,
};
use pki::{CertificateRequest, Profile, SubjectAltName};
use pod::{CertificateType, Error, Pod, Port, Status};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn an_import_is_described_and_listed() {
    let world = World::new().await;
    let imported = world
        .pod
        .import_certificate(world.bot.leaf().to_pem(), CertificateType::User)
        .unwrap();

    assert_eq!(imported.kind, CertificateType::User);
    assert_eq!(imported.status, Status::Trusted);
    assert_eq!(imported.subject, "O=Excelsior Bank,CN=demo-bot1");
    assert_eq!(imported.issuer, "O=Excelsior Bank,CN=Test Root");
    assert_eq!(imported.not_after, world.bot.leaf().validity().not_after);
    assert_eq!(
        *imported.fingerprint.as_bytes(),
        world.bot.leaf().fingerprint_sha256()
    );
    assert_eq!(imported.fingerprint.to_string().len(), 64);
    assert_eq!(world.pod.certificates(), [world.signing.clone(), imported]);

    world
        .pod
        .set_status(world.signing.fingerprint, Status::Disabled)
        .unwrap();
    assert_eq!(world.pod.certificates()[0].status, Status::Disabled);
}

#[tokio::test]
async fn an_expired_certificate_is_not_imported() {
    let later = SystemTime::now() + 400 * DAY;
    let pod = Pod::builder().clock(move || later).start().await.unwrap();
    let bot = bot(&authority("Root"), BOT);

    let error = pod
        .import_certificate(bot.leaf().to_pem(), CertificateType::User)
        .unwrap_err();

    let Error::CertificateExpired {
        subject,
        not_after,
        now,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(subject, "O=Excelsior Bank,CN=demo-bot1");
    assert_eq!(not_after, bot.leaf().validity().not_after);
    assert_eq!(now, later);
    assert!(pod.certificates().is_empty());
}

#[tokio::test]
async fn a_client_certificate_is_no_signing_certificate() {
    let world = World::new().await;
    let key = key();
    let v1_issued = v1_certificate(&name("Root"), &key, &name("Signing"), &key);
    let nobody = "/".parse().unwrap();
    let root = name("V3 Root");
    let unconstrained = Forgery::new(&root, &key, &root, &key)
        .extension(&[0x55, 0x1D, 15], true, &[3, 2, 2, 0x04])
        .sign();
    let nameless = Forgery::new(&nobody, &key, &nobody, &key).ca().sign();
    for (certificate, expected) in [
        (
            world.bot.leaf(),
            "its basicConstraints say that it is no CA",
        ),
        (&v1_issued, "it has no basicConstraints"),
        (&unconstrained, "it has no basicConstraints"),
        (&nameless, "its subject is empty"),
    ] {
        let error = world
            .pod
            .import_certificate(certificate.as_der(), CertificateType::UserSigning)
            .unwrap_err();
        assert!(
            matches!(error, Error::NotAnAuthority { reason, .. } if reason == expected),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_short_rsa_key_is_not_imported() {
    let pod = Pod::builder().start().await.unwrap();
    let key = pki::PrivateKey::generate(pki::KeyKind::Rsa2048).unwrap();
    let identity = bot_with(&authority("Root"), BOT, &key, &Profile::client());

    let error = pod
        .import_certificate(identity.leaf().as_der(), CertificateType::User)
        .unwrap_err();

    assert!(
        matches!(
            error,
            Error::KeyTooSmall {
                bits: 2048,
                minimum: 4096,
                ..
            }
        ),
        "{error:?}"
    );

    let lenient = Pod::builder().minimum_rsa_bits(2048).start().await.unwrap();
    lenient
        .import_certificate(identity.leaf().as_der(), CertificateType::User)
        .unwrap();
}

#[tokio::test]
async fn one_readable_new_certificate_is_imported_at_a_time() {
    let world = World::new().await;
    let pod = &world.pod;
    let again = world.ca.certificate().to_pem();

    let error = pod
        .import_certificate(&again, CertificateType::User)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::CertificateExists {
                kind: CertificateType::UserSigning,
                ..
            }
        ),
        "{error:?}"
    );

    let two = again + &world.bot.leaf().to_pem();
    let error = pod
        .import_certificate(two, CertificateType::User)
        .unwrap_err();
    assert!(
        matches!(error, Error::SeveralCertificates { count: 2, .. }),
        "{error:?}"
    );

    let key_pem = world.ca.private_key().to_pem().unwrap();
    for nonsense in ["", "nonsense", &key_pem] {
        let error = pod
            .import_certificate(nonsense, CertificateType::User)
            .unwrap_err();
        assert!(matches!(error, Error::MalformedCertificate(_)), "{error:?}");
    }
    assert_eq!(pod.certificates().len(), 1);
}

#[tokio::test]
async fn what_is_not_there_can_not_be_changed() {
    let world = World::new().await;
    let other = World::new().await;

    let error = world
        .pod
        .set_status(other.signing.fingerprint, Status::Known);
    assert!(matches!(error, Err(Error::UnknownCertificate { .. })));
    for unknown in ["nobody", "DEMO-BOT1"] {
        let error = world.pod.set_user_enabled(unknown, false);
        assert!(matches!(error, Err(Error::UnknownUser { .. })));
        let error = world.pod.set_certificates_allowed(unknown, false);
        assert!(matches!(error, Err(Error::UnknownUser { .. })));
    }
}

#[tokio::test]
async fn usernames_are_unique_and_no_longer_than_a_common_name() {
    let world = World::new().await;
    let create = |name: &str| world.pod.create_service_user(name);

    assert!(matches!(create(BOT), Err(Error::UserExists { .. })));
    assert!(matches!(
        create(""),
        Err(Error::InvalidUsername { found: 0, .. })
    ));
    let long = "ü".repeat(64);
    assert_eq!(create(&long).unwrap().username, long);
    assert!(matches!(
        create(&"u".repeat(65)),
        Err(Error::InvalidUsername {
            found: 65,
            limit: 64,
            ..
        })
    ));
}

#[tokio::test]
async fn each_service_has_its_own_url() {
    let pod = Pod::builder().start().await.unwrap();
    let url = |port| format!("https://localhost:{}", pod.address(port).port());

    assert_eq!(pod.web_url(), url(Port::Web));
    assert_eq!(pod.api_url(), url(Port::Api));
    assert_eq!(pod.key_manager_url(), url(Port::KeyManager));
    assert_eq!(pod.agent_url(), pod.api_url());
    assert_ne!(pod.web_url(), pod.api_url());
    assert_ne!(pod.api_url(), pod.key_manager_url());
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = holder.local_addr().unwrap();

    let error = Pod::builder()
        .key_manager_address(taken)
        .start()
        .await
        .unwrap_err();

    let Error::Bind {
        port,
        address,
        source,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!((port, address), (Port::KeyManager, taken));
    assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn something_must_be_spoken() {
    let error = Pod::builder().tls_versions([]).start().await.unwrap_err();
    assert!(matches!(error, Error::NoVersion { what: "TLS", .. }));
    let error = Pod::builder().http_versions([]).start().await.unwrap_err();
    assert!(matches!(error, Error::NoVersion { what: "HTTP", .. }));
}

#[tokio::test]
async fn a_server_certificate_can_be_brought_along() {
    let ca = authority("Server Root");
    let server_key = key();
    let request = CertificateRequest::builder(name("localhost"))
        .subject_alt_name(SubjectAltName::dns("localhost").unwrap())
        .sign(&server_key)
        .unwrap();
    let leaf = ca
        .issue(&request.verify().unwrap(), &Profile::server())
        .unwrap();
    let chain = [leaf, ca.certificate().clone()];

    let error = Pod::builder()
        .server_certificate(chain.clone(), key())
        .start()
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::UnusableServerCertificate(rustls::Error::InconsistentKeys(_))
        ),
        "{error:?}"
    );
    let error = Pod::builder()
        .server_certificate([], key())
        .start()
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::UnusableServerCertificate(_)),
        "{error:?}"
    );

    let pod = Pod::builder()
        .server_certificate(chain, server_key)
        .start()
        .await
        .unwrap();
    assert_eq!(pod.trust_anchor(), ca.certificate());
    assert_eq!(pod.trust_anchor_pem(), ca.certificate().to_pem());
    Client::new(&pod).handshake(Port::Web).await.unwrap();
}

#[tokio::test]
async fn shutdown_closes_ports_and_idle_connections() {
    for http2 in [false, true] {
        let world = World::new().await;
        let client = world.client().http2(http2);
        let mut connection = client.connect(Port::Api).await;
        let request = client.request(Port::Api, http::Method::GET, "/", &[], b"");
        connection.send(request).await;
        let address = client.address(Port::Api);

        let begun = SystemTime::now();
        world.pod.shutdown().await;

        // Far below the time-outs of a pod that waits for its clients.
        assert!(begun.elapsed().unwrap() < Duration::from_secs(4));
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
}

#[tokio::test]
async fn dropping_closes_ports() {
    let world = World::new().await;
    let address = world.pod.address(Port::Web);
    let mut socket = TcpStream::connect(address).await.unwrap();

    drop(world.pod);

    // The connection ends, which shows that the tasks did.
    let mut octets = Vec::new();
    let _ = socket.read_to_end(&mut octets).await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
#[should_panic(expected = "the clock is broken")]
async fn a_panic_of_the_server_is_raised_at_shutdown() {
    let pod = Pod::builder()
        .clock(|| panic!("the clock is broken"))
        .start()
        .await
        .unwrap();
    let client = Client::new(&pod).showing(&bot(&authority("Root"), BOT));
    // The connection breaks off when its task does.
    let mut stream = client.handshake(Port::Api).await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;

    pod.shutdown().await;
}
