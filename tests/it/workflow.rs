//! The workflow of Symphony's certificate authentication, as a consumer of the libraries writes it.
use auth::{Client, Endpoint, Endpoints, Error, Identity, TrustAnchors};
use fixtures::Entry;
use http::Request;
use pki::{
    CertificateAuthority, CertificateRequest, DistinguishedName, KeyKind, Passphrase, Pkcs12,
    PrivateKey, Profile, SerialNumber,
};
use pod::{CertificateType, Pod};

use crate::support::entry;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const PASSPHRASE: &str = "changeit";

/// From the name to the bundle: the first half of the design's sketch. `ca` is what an administrator keeps.
fn bundle_for(name: &str, key: &PrivateKey, ca: &Entry) -> Result<Vec<u8>> {
    let name: DistinguishedName = name.parse()?;
    let request = CertificateRequest::builder(name).sign(key)?;

    let ca = CertificateAuthority::from_pem(ca.chain_pem(), ca.key_pem(), &ca.passphrase())?;
    let profile = Profile::client().valid_for_days(2922);
    let serial = SerialNumber::try_from(1)?;
    let certificate = ca.issue_with_serial(&request.verify()?, &profile, serial)?;

    let bundle = Pkcs12::builder(key, &certificate)?
        .chain(ca.chain())
        .iterations(1000);
    Ok(bundle.to_der(&PASSPHRASE.into())?)
}

/// From the bundle to a client: the second half.
pub(crate) fn client_for(bundle: &[u8], passphrase: &Passphrase, pod: &Pod) -> Result<Client> {
    let identity = Identity::from_pkcs12(bundle, passphrase)?;
    let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())?.agent(pod.agent_url())?;
    let trust = TrustAnchors::pem(pod.trust_anchor_pem())?;
    Ok(Client::builder(endpoints, identity).trust(trust).build()?)
}

#[tokio::test]
async fn a_bot_gets_from_its_name_to_an_echo_and_out_again() -> Result {
    let key = PrivateKey::generate(KeyKind::Rsa4096)?;
    let name = "/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB";
    let bundle = bundle_for(name, &key, entry("bank-signing"))?;

    let pod = Pod::builder().start().await?;
    pod.import_certificate(
        entry("bank-signing").certificate_pem(),
        CertificateType::UserSigning,
    )?;
    pod.create_service_user("demo-bot1")?;
    let client = client_for(&bundle, &PASSPHRASE.into(), &pod)?;

    let session = client.session().await?;
    assert_eq!(
        session.session_token().header_name().as_str(),
        "sessiontoken"
    );
    assert_eq!(
        session.key_manager_token().unwrap().header_name().as_str(),
        "keymanagertoken"
    );

    let echo = || {
        Request::post("/agent/v1/util/echo")
            .header("content-type", "application/json")
            .body(r#"{"message":"hello"}"#.into())
    };
    let reply = client.send(&session, Endpoint::Agent, echo()?).await?;
    assert_eq!(reply.body(), r#"{"message":"hello"}"#);

    pod.expire_tokens();
    let expired = client.send(&session, Endpoint::Agent, echo()?).await;
    assert!(
        matches!(&expired, Err(Error::Unauthorized { peer, .. }) if peer.endpoint() == Endpoint::Agent),
        "{expired:?}"
    );

    let renewed = client.renewed(&session).await?;
    client.send(&renewed, Endpoint::Agent, echo()?).await?;
    client.logout().await?;
    pod.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn a_root_admits_what_was_signed_below_it() -> Result {
    let pod = Pod::builder().start().await?;
    pod.import_certificate(
        entry("bank-root").certificate_pem(),
        CertificateType::UserSigning,
    )?;
    pod.create_service_user("demo-bot1")?;

    let bot = entry("demo-bot1");
    client_for(bot.p12()?, &bot.passphrase(), &pod)?
        .session()
        .await?;
    Ok(())
}

#[tokio::test]
async fn the_user_name_is_the_common_name_in_the_same_case() -> Result {
    let pod = Pod::builder().start().await?;
    pod.import_certificate(
        entry("bank-signing").certificate_pem(),
        CertificateType::UserSigning,
    )?;
    pod.create_service_user("Demo-Bot1")?;

    let bot = entry("demo-bot1");
    let refused = client_for(bot.p12()?, &bot.passphrase(), &pod)?
        .session()
        .await;
    assert!(
        matches!(refused, Err(Error::Unauthorized { .. })),
        "{refused:?}"
    );
    Ok(())
}
