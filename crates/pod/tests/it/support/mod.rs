//! A client of the tests' own (never `auth`, so that a shared mistake can't hide), and the certificates that it shows.
mod certificates;
mod client;

pub(crate) use certificates::{Identity, authority, bot, bot_with, key, name, v1_certificate};
pub(crate) use client::{Answer, Client, alert_of};

use pod::{CertificateType, Pod};

/// The name of the service user in most tests.
pub(crate) const BOT: &str = "demo-bot1";

/// A pod with one trusted authority and one service user, and a client that may authenticate.
pub(crate) struct World {
    pub(crate) pod: Pod,
    pub(crate) ca: pki::CertificateAuthority,
    pub(crate) signing: pod::ImportedCertificate,
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

    /// Both tokens: session first.
    pub(crate) async fn tokens(&self) -> (String, String) {
        let session = self
            .client()
            .post(pod::Port::Api, "/sessionauth/v1/authenticate")
            .await;
        let key_manager = self
            .client()
            .post(pod::Port::KeyManager, "/keyauth/v1/authenticate")
            .await;
        (session.token(), key_manager.token())
    }
}
