//! Keys and certificates, made once per run, and a client that fits them.

use std::sync::{Arc, OnceLock};

use auth::{
    Client, ClientBuilder, Endpoints, Error, Identity, RetryPolicy, Session, Token, TrustAnchors,
};
use pki::{
    Certificate, CertificateAuthority, CertificateRequest, DistinguishedName, KeyKind, PrivateKey,
    Profile, SubjectAltName,
};
use rustls::{
    SignatureScheme,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    version::{TLS12, TLS13},
};

use crate::server::{Answer, Server, Setup};

/// Every combination of TLS and HTTP that a server may choose.
pub(crate) const PROTOCOLS: [(Tls, &str); 4] = [
    (&TLS12, "http/1.1"),
    (&TLS12, "h2"),
    (&TLS13, "http/1.1"),
    (&TLS13, "h2"),
];

pub(crate) type Tls = &'static rustls::SupportedProtocolVersion;

pub(crate) struct Lab {
    pub(crate) root: CertificateAuthority,
    pub(crate) signing: CertificateAuthority,
    pub(crate) bot: Pair,
    pub(crate) server: Arc<Pair>,
    /// For `other.test` only.
    pub(crate) other_server: Arc<Pair>,
}

/// A key and its certificate.
pub(crate) struct Pair {
    pub(crate) key: PrivateKey,
    pub(crate) certificate: Certificate,
}

impl Pair {
    pub(crate) fn key_pem(&self) -> String {
        self.key.to_pem().unwrap().to_string()
    }

    pub(crate) fn certificate_der(&self) -> CertificateDer<'static> {
        self.certificate.as_der().to_vec().into()
    }

    pub(crate) fn pkcs8(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.to_pkcs8_der().unwrap().to_vec()).into()
    }
}

pub(crate) fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let root =
            CertificateAuthority::create_root(name("/CN=Test Root"), key(), &Profile::root())
                .unwrap();
        let signing = root
            .create_intermediate(name("/CN=Test Signing"), key(), &Profile::intermediate())
            .unwrap();
        let bot = issue(
            &signing,
            "/CN=demo-bot1/O=Excelsior Bank",
            &[],
            &Profile::client(),
        );
        let addresses = [
            SubjectAltName::dns("localhost").unwrap(),
            SubjectAltName::Ip("127.0.0.1".parse().unwrap()),
        ];
        let server = issue(&root, "/CN=localhost", &addresses, &Profile::server());
        let others = [SubjectAltName::dns("other.test").unwrap()];
        let other_server = issue(&root, "/CN=other.test", &others, &Profile::server());
        Lab {
            root,
            signing,
            bot,
            server: Arc::new(server),
            other_server: Arc::new(other_server),
        }
    })
}

pub(crate) fn name(text: &str) -> DistinguishedName {
    text.parse().unwrap()
}

pub(crate) fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

pub(crate) fn issue(
    authority: &CertificateAuthority,
    subject: &str,
    names: &[SubjectAltName],
    profile: &Profile,
) -> Pair {
    let key = key();
    let request = names
        .iter()
        .cloned()
        .fold(
            CertificateRequest::builder(name(subject)),
            |request, name| request.subject_alt_name(name),
        )
        .sign(&key)
        .unwrap();
    let certificate = authority
        .issue(&request.verify().unwrap(), profile)
        .unwrap();
    Pair { key, certificate }
}

/// The same certificate as X.509 version 1: without version, without extensions, signed anew.
pub(crate) fn as_version_1(
    certificate: &Certificate,
    issuer: &CertificateAuthority,
) -> Certificate {
    let (_, certificate, _) = tlv(certificate.as_der());
    let (tbs, _, rest) = tlv_whole(certificate);
    let (algorithm, _, _) = tlv_whole(rest);
    let (_, mut fields, _) = tlv(tbs);
    let mut kept = Vec::new();
    while !fields.is_empty() {
        let (whole, tag, rest) = tlv_whole(fields);
        if tag & 0xe0 != 0xa0 {
            kept.extend_from_slice(whole); // all but [0] version and [3] extensions
        }
        fields = rest;
    }
    signed(&sequence(&kept), algorithm, issuer)
}

/// The same certificate with other octets of the same number in the place of some, signed anew: what no CA of ours would issue.
pub(crate) fn altered(
    certificate: &Certificate,
    issuer: &CertificateAuthority,
    old: &[u8],
    new: &[u8],
) -> Certificate {
    let (_, certificate, _) = tlv(certificate.as_der());
    let (tbs, _, rest) = tlv_whole(certificate);
    let (algorithm, _, _) = tlv_whole(rest);
    let mut tbs = tbs.to_vec();
    let at = tbs
        .windows(old.len())
        .position(|found| found == old)
        .unwrap();
    tbs[at..at + old.len()].copy_from_slice(new);
    signed(&tbs, algorithm, issuer)
}

fn signed(tbs: &[u8], algorithm: &[u8], issuer: &CertificateAuthority) -> Certificate {
    let key = PrivatePkcs8KeyDer::from(issuer.private_key().to_pkcs8_der().unwrap().to_vec());
    let signature = auth::provider::graviola()
        .unwrap()
        .key_provider
        .load_private_key(key.into())
        .unwrap()
        .choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256])
        .unwrap()
        .sign(tbs)
        .unwrap();
    let mut bits = vec![0x03, u8::try_from(signature.len() + 1).unwrap(), 0];
    bits.extend_from_slice(&signature);
    Certificate::from_der(&sequence(&[tbs, algorithm, &bits].concat())).unwrap()
}

/// Tag, content and what follows.
fn tlv(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (header, length) = match der[1] {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        short => (2, usize::from(short)),
    };
    (
        der[0],
        &der[header..header + length],
        &der[header + length..],
    )
}

/// The element with its header, its tag, and what follows.
fn tlv_whole(der: &[u8]) -> (&[u8], u8, &[u8]) {
    let (tag, _, rest) = tlv(der);
    (&der[..der.len() - rest.len()], tag, rest)
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let header = match u16::try_from(content.len()).unwrap().to_be_bytes() {
        [0, short @ ..0x80] => vec![0x30, short],
        [0, long] => vec![0x30, 0x81, long],
        [high, low] => vec![0x30, 0x82, high, low],
    };
    [&header[..], content].concat()
}

/// The bot's identity, with the signing certificate and the root after the leaf.
pub(crate) fn identity() -> Identity {
    let Lab { bot, signing, .. } = lab();
    identity_of(bot, signing.chain())
}

pub(crate) fn identity_of(pair: &Pair, issuers: &[Certificate]) -> Identity {
    let mut pem = pair.certificate.to_pem();
    for issuer in issuers {
        pem.push_str(&issuer.to_pem());
    }
    Identity::from_pem(pem, pair.key_pem(), None).unwrap()
}

pub(crate) fn trust() -> TrustAnchors {
    TrustAnchors::pem(lab().root.certificate().to_pem()).unwrap()
}

/// A client for a Pod and a Key Manager that both run here, which tries everything once.
pub(crate) fn client(pod: &Server, key_manager: &Server) -> ClientBuilder {
    Client::builder(
        Endpoints::new(pod.url(), key_manager.url()).unwrap(),
        identity(),
    )
    .trust(trust())
    .retry(RetryPolicy::none())
}

/// Authenticates against a Pod that is set up like this, beside a Key Manager that behaves.
pub(crate) async fn authenticate_at(pod: Setup) -> (Result<Arc<Session>, Error>, Server) {
    let pod = Server::start(pod).await;
    let key_manager = Server::start(Setup::new(key_manager_answer)).await;
    let client = client(&pod, &key_manager).build().unwrap();
    (client.session().await, pod)
}

/// As [`authenticate_at`], for what must fail.
pub(crate) async fn failure_at(pod: Setup) -> (Error, String) {
    let (result, pod) = authenticate_at(pod).await;
    let error = result.expect_err("authentication should have failed");
    let authority = pod.authority();
    (error, authority)
}

/// That of somebody else, for servers that take any.
pub(crate) fn session() -> Session {
    Session::new(Token::new("sessionToken", "s").unwrap(), None).unwrap()
}

pub(crate) const POD_REPLY: &str = r#"{"name":"sessionToken","token":"s3ss10n"}"#;
pub(crate) const KEY_MANAGER_REPLY: &str = r#"{"name":"keyManagerToken","token":"k3ym4n"}"#;

pub(crate) fn pod_answer() -> Answer {
    Answer::json(200, POD_REPLY)
}

pub(crate) fn key_manager_answer() -> Answer {
    Answer::json(200, KEY_MANAGER_REPLY)
}
