//! Bad input, each with its own error.
use pki::{
    CertificateAuthority, CertificateRequest, DistinguishedName, Error, Passphrase, Pkcs12,
    PrivateKey, Profile,
};

use crate::support::{authority, certificate, entry, private_key};

const WRONG: &str = "not the passphrase";

#[test]
fn a_wrong_passphrase_opens_neither_key_nor_bundle() {
    let (bot, wrong) = (entry("demo-bot1"), Passphrase::new(WRONG));
    let key = PrivateKey::from_pem(bot.key_pem(), &wrong).unwrap_err();
    let bundle = Pkcs12::open(bot.p12().unwrap(), &wrong).unwrap_err();
    let ca = entry("bank-signing");
    let ca = CertificateAuthority::from_pem(ca.chain_pem(), ca.key_pem(), &wrong).unwrap_err();
    let identity = auth::Identity::from_pkcs12(bot.p12().unwrap(), &wrong).unwrap_err();
    for error in [&key, &bundle, &ca] {
        assert!(matches!(error, Error::WrongPassphrase { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains(WRONG));
    }
    assert_eq!(identity, auth::Error::Identity(bundle));
}

#[test]
fn an_encrypted_key_needs_a_passphrase() {
    let error = PrivateKey::from_pem(entry("demo-bot1").key_pem(), None).unwrap_err();
    assert!(
        matches!(error, Error::PassphraseRequired { .. }),
        "{error:?}"
    );
}

#[test]
fn truncated_pem_is_malformed() {
    let bot = entry("demo-bot1");
    let half = |pem: &[u8]| pem[..pem.len() / 2].to_vec();
    let errors = [
        PrivateKey::from_pem(half(bot.key_pem()), &bot.passphrase()).unwrap_err(),
        pki::Certificate::from_pem(half(bot.certificate_pem())).unwrap_err(),
        CertificateRequest::from_pem(half(bot.request_pem().unwrap())).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::MalformedPem { .. }), "{error:?}");
    }
}

#[test]
fn a_key_belongs_to_its_certificate() {
    let (key, other) = (private_key("ec-bot"), certificate("small-bot"));
    let errors = [
        Pkcs12::builder(&key, &other).map(drop).unwrap_err(),
        CertificateAuthority::new(certificate("bank-root"), key).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::KeyMismatch { .. }), "{error:?}");
    }
    let bot = entry("ec-bot");
    let identity = auth::Identity::from_pem(
        entry("small-bot").chain_pem(),
        bot.key_pem(),
        &bot.passphrase(),
    )
    .unwrap_err();
    assert!(
        matches!(identity, auth::Error::Identity(Error::KeyMismatch { .. })),
        "{identity:?}"
    );
}

#[test]
fn a_request_proves_possession_of_its_key() {
    let request = CertificateRequest::from_pem(entry("demo-bot1").request_pem().unwrap()).unwrap();
    let mut der = request.as_der().to_vec();
    *der.last_mut().unwrap() ^= 1; // the signature stands last
    let forged = CertificateRequest::from_der(&der).unwrap();
    assert_eq!(
        forged.verify().map(drop),
        Err(Error::RequestSignatureInvalid)
    );
}

#[test]
fn a_leaf_is_no_authority() {
    let error =
        CertificateAuthority::new(certificate("demo-bot1"), private_key("demo-bot1")).unwrap_err();
    assert!(matches!(error, Error::NotAnAuthority { .. }), "{error:?}");
}

#[test]
fn an_expired_authority_issues_nothing() {
    let request = CertificateRequest::from_pem(entry("demo-bot1").request_pem().unwrap()).unwrap();
    let error = authority("expired-root")
        .issue(&request.verify().unwrap(), &Profile::client())
        .unwrap_err();
    assert!(
        matches!(error, Error::AuthorityExpired { not_after, now, .. } if not_after < now),
        "{error:?}"
    );
}

#[test]
fn a_subject_has_known_attributes_within_their_limits() {
    let error = |text: &str| text.parse::<DistinguishedName>().unwrap_err();
    assert!(
        matches!(error("/CN=bot/NICK=b"), Error::UnknownAttribute { name, .. } if name == "NICK")
    );
    assert!(
        matches!(error("/CN=bot/C=GBR"), Error::InvalidCountry { found, .. } if found == "GBR")
    );
    let long = "b".repeat(65);
    assert!(matches!(
        error(&format!("/CN={long}")),
        Error::AttributeTooLong { attribute, found: 65, limit: 64, .. } if attribute == "CN"
    ));
}

#[test]
fn a_bundle_whose_mac_does_not_match_is_not_opened() {
    let bot = entry("demo-bot1");
    let mut der = bot.p12().unwrap().to_vec();
    // The MAC's DigestInfo is the last structure with a SHA-256 in it: OID, NULL, OCTET STRING of 32 octets.
    let sha256 = [
        0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
    ];
    let mac = der
        .windows(sha256.len())
        .rposition(|window| window == sha256)
        .unwrap()
        + sha256.len();
    der[mac] ^= 1;
    assert_eq!(
        Pkcs12::open(&der, &bot.passphrase()).map(drop),
        Err(Error::MacMismatch)
    );
}
