//! A client of the tests' own (never `auth`, so that a shared mistake can't hide), and the certificates that it shows.
mod certificates;
mod client;

pub(crate) use certificates::{
    Forgery, Identity, authority, bot, bot_with, key, malleated, name, tlv, v1_certificate,
};
pub(crate) use client::{Answer, Client, alert_of};

use pki::Certificate;
use pod::{CertificateType, ImportedCertificate, Pod, Port};
use rustls::{AlertDescription, SupportedProtocolVersion, version};

pub(crate) const BOTH_TLS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];
pub(crate) const AUTHENTICATE: &str = "/sessionauth/v1/authenticate";

/// The name of the service user in most tests.
pub(crate) const BOT: &str = "demo-bot1";

/// A pod with one trusted CA and one service user, and a client that may authenticate.
pub(crate) struct World {
    pub(crate) pod: Pod,
    pub(crate) ca: pki::CertificateAuthority,
    pub(crate) signing: ImportedCertificate,
    pub(crate) bot: Identity,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Pod::builder()).await
    }

    pub(crate) async fn with(builder: pod::PodBuilder) -> Self {
        let pod = builder.start().await.unwrap();
        let ca = authority("Test Root");
        let signing = pod
            .import_certificate(ca.certificate().as_der(), CertificateType::UserSigning)
            .unwrap();
        pod.create_service_user(BOT).unwrap();
        let bot = bot(&ca, BOT);
        Self {
            pod,
            ca,
            signing,
            bot,
        }
    }

    /// A client that shows the bot's certificate.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.pod).showing(&self.bot)
    }

    /// Refused for the same reason, and with the same alert, under both versions of TLS.
    pub(crate) async fn assert_refused(
        &self,
        identity: &Identity,
        alert: AlertDescription,
        reason: &str,
    ) {
        for tls in BOTH_TLS {
            let client = Client::new(&self.pod).showing(identity).tls(tls);
            let found = alert_of(&client, Port::Api).await;
            let refused = self.pod.refused_certificates().pop().unwrap();
            assert_eq!((found, &*refused.reason), (alert, reason), "{tls:?}");
            assert_eq!(refused.port, Port::Api);
        }
    }

    /// Let in under both versions of TLS, and known as the bot.
    pub(crate) async fn assert_authenticates(&self, identity: &Identity) {
        for tls in BOTH_TLS {
            let client = Client::new(&self.pod).showing(identity).tls(tls);
            let answer = client.post(Port::Api, AUTHENTICATE).await;
            assert_eq!(
                answer.status,
                http::StatusCode::OK,
                "{tls:?}: {answer:?}, {:?}",
                self.pod.refused_certificates()
            );
        }
    }

    /// Imports a signing certificate.
    pub(crate) fn trust(&self, certificate: &Certificate) -> ImportedCertificate {
        self.import(certificate, CertificateType::UserSigning)
    }

    pub(crate) fn import(
        &self,
        certificate: &Certificate,
        kind: CertificateType,
    ) -> ImportedCertificate {
        self.pod
            .import_certificate(certificate.as_der(), kind)
            .unwrap()
    }

    /// Both tokens: session first.
    pub(crate) async fn tokens(&self) -> (String, String) {
        let session = self.client().post(Port::Api, AUTHENTICATE).await;
        let key_manager = self
            .client()
            .post(Port::KeyManager, "/keyauth/v1/authenticate")
            .await;
        (session.token(), key_manager.token())
    }
}
