//! What an authority makes of certificates and requests that this crate doesn't write.

use std::time::{Duration, SystemTime};

use super::*;
use crate::{CertificateRequest, KeyKind, der, rng};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::EcP256).unwrap()
}

fn copy(key: &PrivateKey) -> PrivateKey {
    PrivateKey::from_der(&key.to_pkcs8_der().unwrap(), None).unwrap()
}

fn name(text: &str) -> DistinguishedName {
    text.parse().unwrap()
}

/// A certificate of any sort, signed with ECDSA on P-256.
struct Forged<'a> {
    /// The number in the version field; none for X.509 v1.
    version: Option<u8>,
    subject: &'a str,
    spki: Vec<u8>,
    not_after: &'a str,
    extensions: Vec<Vec<u8>>,
    /// The contents of the algorithm identifiers inside and outside.
    algorithms: [&'a [u8]; 2],
}

const ECDSA_SHA256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
const RSASSA_PSS: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
const SHA1_WITH_RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00";

impl Forged<'_> {
    fn signed_by(&self, issuer: &str, issuer_key: &PrivateKey) -> Certificate {
        let [inner, outer] = self.algorithms.map(|contents| der::sequence(&[contents]));
        let version = self.version.map(|number| vec![0xa0, 3, 2, 1, number]);
        let extensions = match self.extensions.as_slice() {
            [] => Vec::new(),
            some => der::tlv(0xa3, &[&der::sequence(&[&some.concat()])]),
        };
        let tbs = der::sequence(&[
            &version.unwrap_or_default(),
            &der::uint(1),
            &inner,
            name(issuer).as_der(),
            &der::sequence(&[
                &der::tlv(0x17, &[b"200101000000Z"]),
                &der::tlv(0x17, &[self.not_after.as_bytes()]),
            ]),
            name(self.subject).as_der(),
            &self.spki,
            &extensions,
        ]);
        let mut rng = rng::system().unwrap();
        let signature = issuer_key
            .sign(crate::Digest::Sha256, &tbs, &mut rng)
            .unwrap();
        let signature = der::tlv(der::BIT_STRING, &[&[0], &signature]);
        Certificate::from_der(&der::sequence(&[&tbs, &outer, &signature])).unwrap()
    }

    fn ca(subject: &'static str, key: &PrivateKey) -> Self {
        Forged {
            version: Some(2),
            subject,
            spki: key.public_key().spki_der().to_vec(),
            not_after: "491231235959Z",
            extensions: vec![is_ca(), key_usage(0x06)],
            algorithms: [ECDSA_SHA256, ECDSA_SHA256],
        }
    }
}

fn extension(number: u8, value: &[u8]) -> Vec<u8> {
    der::sequence(&[
        &der::tlv(der::OID, &[&[0x55, 0x1d, number]]),
        &der::tlv(der::OCTET_STRING, &[value]),
    ])
}

fn is_ca() -> Vec<u8> {
    extension(19, &der::sequence(&[&[0x01, 1, 0xff]]))
}

fn is_ca_with_path_len(path_len: u8) -> Vec<u8> {
    extension(19, &der::sequence(&[&[0x01, 1, 0xff], &[2, 1, path_len]]))
}

fn key_usage(bits: u8) -> Vec<u8> {
    extension(15, &[3, 2, 0, bits])
}

/// A subtree list of name constraints: `[0]` permits, `[1]` excludes.
fn constraint(list: u8, base: &[u8]) -> Vec<u8> {
    let list = der::tlv(list, &[&der::sequence(&[base])]);
    extension(30, &der::sequence(&[&list]))
}

/// A request with these GeneralNames.
fn request_for(subject: &str, names: &[&[u8]]) -> CertificateRequest {
    let key = key();
    let names = extension(17, &der::sequence(&[&names.concat()]));
    let wish = der::sequence(&[
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e", // extensionRequest
        &der::tlv(der::SET, &[&der::sequence(&[&names])]),
    ]);
    let info = der::sequence(&[
        &der::uint(0),
        name(subject).as_der(),
        key.public_key().spki_der(),
        &der::tlv(der::EXPLICIT_0, &[&wish]),
    ]);
    let (algorithm, digest) = tbs::algorithm(key.algorithm(), None).unwrap();
    let mut rng = rng::system().unwrap();
    let signed = tbs::sign(&info, algorithm, digest, &key, &mut rng).unwrap();
    CertificateRequest::from_der(&signed).unwrap()
}

fn issue(
    ca: &CertificateAuthority,
    subject: &str,
    profile: &Profile,
) -> Result<Certificate, Error> {
    let request = CertificateRequest::builder(name(subject))
        .sign(&key())
        .unwrap();
    ca.issue(&request.verify().unwrap(), profile)
}

#[test]
fn what_says_that_it_is_no_authority_is_none() {
    let key = key();
    let no_ca = extension(19, &der::sequence(&[]));
    let not_v3 = "it is not an X.509 v3 certificate, so nothing says that it is a CA";
    let with = |version, extensions| Forged {
        version,
        extensions,
        ..Forged::ca("/CN=a", &key)
    };
    for (forged, reason) in [
        (with(None, Vec::new()), not_v3),
        (with(None, vec![is_ca(), key_usage(0x06)]), not_v3),
        (with(Some(1), vec![is_ca()]), not_v3),
        (
            with(Some(2), vec![key_usage(0x06)]),
            "it has no basic constraints",
        ),
        (
            with(Some(2), vec![no_ca]),
            "its basic constraints say that it is not a CA",
        ),
        (
            with(Some(2), vec![is_ca(), key_usage(0x82)]), // digitalSignature, cRLSign
            "its key usage lacks keyCertSign",
        ),
        (Forged::ca("/", &key), "its subject is empty"),
    ] {
        let certificate = forged.signed_by(forged.subject, &key);
        let subject = certificate.subject().to_string();
        assert_eq!(
            CertificateAuthority::new(certificate, copy(&key)).unwrap_err(),
            Error::NotAnAuthority { subject, reason }
        );
    }
    let certificate = with(Some(2), vec![is_ca()]).signed_by("/CN=a", &key);
    CertificateAuthority::new(certificate, copy(&key)).unwrap();
}

#[test]
fn a_key_is_known_whatever_its_encoding() {
    // The same point, compressed.
    let ec = key();
    let header: &[u8] = b"\x30\x39\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x22\x00";
    let point = ec.public_key().key_octets();
    let form = 2 + (point[64] & 1);
    let compressed = [header, &[form], &point[1..33]].concat();
    // The same numbers, without NULL.
    let rsa = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let identifier = der::sequence(&[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"]);
    let bits = der::tlv(der::BIT_STRING, &[&[0], rsa.public_key().key_octets()]);
    let without_null = der::sequence(&[&identifier, &bits]);

    for (key, spki) in [(&ec, compressed), (&rsa, without_null)] {
        assert_ne!(spki, key.public_key().spki_der());
        let certificate = Forged {
            spki,
            ..Forged::ca("/CN=CA", key)
        }
        .signed_by("/CN=Root", &ec);
        assert_eq!(certificate.public_key().unwrap(), *key.public_key());
        let ca = CertificateAuthority::new(certificate, copy(key)).unwrap();
        let leaf = issue(&ca, "/CN=leaf", &Profile::client()).unwrap();
        leaf.verify_issued_by(ca.certificate()).unwrap();
    }
    // The other point with the same x coordinate is another key.
    let other = [header, &[5 - form], &point[1..33]].concat();
    assert_ne!(PublicKey::from_spki_der(&other).unwrap(), *ec.public_key());
}

#[test]
fn names_that_are_not_well_formed_are_not_granted() {
    let root = key();
    let certificate = Forged::ca("/CN=Root", &root).signed_by("/CN=Root", &root);
    let ca = CertificateAuthority::new(certificate, copy(&root)).unwrap();
    for (tag, value, shown) in [
        (
            0x82,
            &b"good.example\0.evil.example"[..],
            "DNS:good.example\\x00.evil.example",
        ),
        (0x82, b"", "DNS:"),
        (0x82, b"*", "DNS:*"),
        (0x82, b"*.com", "DNS:*.com"),
        (0x82, b"a..b", "DNS:a..b"),
        (0x82, b"127.0.0.1", "DNS:127.0.0.1"),
        (0x82, b"1.2.3", "DNS:1.2.3"),
        (0x82, b"a.example\r\n", "DNS:a.example\\r\\n"),
        (0x82, b"b\xfccher.example", "DNS:b\\xfccher.example"),
        (0x81, b"notmail", "email:notmail"),
        (0x86, b"URI:", "URI:URI:"),
        (0x86, b"https:///path", "URI:https:///path"),
        (0x87, &[127, 0, 0], "IP:\\x7f\\x00\\x00"),
    ] {
        let good: &[u8] = &der::tlv(0x82, &[b"good.example"]);
        let request = request_for("/CN=a", &[good, &der::tlv(tag, &[value])]);
        let verified = request.verify().unwrap();
        assert!(
            matches!(
                ca.issue(&verified, &Profile::server()),
                Err(Error::InvalidSubjectAltName { name, .. }) if name == format!("{shown} (not well-formed)")
            ),
            "{shown}"
        );
        // Who grants no names signs none.
        let client = ca.issue(&verified, &Profile::client()).unwrap();
        assert_eq!(client.subject_alt_names(), []);
        // Nor is it granted when it comes from elsewhere.
        let wished = request.subject_alt_names().to_vec();
        assert!(matches!(
            issue(
                &ca,
                "/CN=a",
                &Profile::server().subject_alt_names(wished.clone())
            ),
            Err(Error::InvalidSubjectAltName { .. })
        ));
        let builder =
            CertificateRequest::builder(name("/CN=a")).subject_alt_name(wished[1].clone());
        assert!(matches!(
            builder.sign(&key()),
            Err(Error::InvalidSubjectAltName { .. })
        ));
    }
    // Forms that are never granted.
    let directory = der::tlv(0xa4, &[name("/CN=b").as_der()]);
    let user_principal_name = der::tlv(0xa0, &[b"\x06\x03\x55\x04\x03\xa0\x02\x05\x00"]);
    for (other, shown) in [(directory, "dirName:CN=b"), (user_principal_name, "[0]")] {
        let request = request_for("/CN=a", &[&other]);
        assert!(matches!(
            ca.issue(&request.verify().unwrap(), &Profile::server()),
            Err(Error::InvalidSubjectAltName { name, .. }) if name == shown
        ));
    }
}

#[test]
fn every_issuer_of_the_chain_limits_the_length_of_paths() {
    let keys = [key(), key(), key()];
    let [root, first, second] = &keys;
    let certificate = |subject, key, extension| Forged {
        extensions: vec![extension],
        ..Forged::ca(subject, key)
    };
    let root_certificate =
        certificate("/CN=Root", root, is_ca_with_path_len(1)).signed_by("/CN=Root", root);
    let first_certificate = certificate("/CN=First", first, is_ca()).signed_by("/CN=Root", root);
    let second_certificate =
        certificate("/CN=Second", second, is_ca()).signed_by("/CN=First", first);
    let exceeded = Error::PathLengthExceeded {
        subject: "CN=Root".into(),
    };

    let ca = CertificateAuthority::with_issuers(
        first_certificate.clone(),
        vec![root_certificate.clone()],
        copy(first),
    )
    .unwrap();
    issue(&ca, "/CN=leaf", &Profile::client()).unwrap();
    assert_eq!(
        ca.create_intermediate(name("/CN=Third"), key(), &Profile::intermediate())
            .unwrap_err(),
        exceeded
    );
    // What stands too low already signs nothing, not even a leaf.
    let ca = CertificateAuthority::with_issuers(
        second_certificate,
        vec![root_certificate, first_certificate],
        copy(second),
    )
    .unwrap();
    assert_eq!(
        issue(&ca, "/CN=leaf", &Profile::client()).unwrap_err(),
        exceeded
    );
}

#[test]
fn self_issued_authorities_do_not_count_towards_a_path_length() {
    let (old, new) = (key(), key());
    let old_root = Forged {
        extensions: vec![
            is_ca_with_path_len(1),
            extension(14, &der::tlv(4, &[b"old"])),
        ],
        ..Forged::ca("/CN=Root", &old)
    }
    .signed_by("/CN=Root", &old);
    // The new key, certified with the old one (RFC 4210, section 4.4).
    let rollover = Forged {
        extensions: vec![is_ca(), extension(14, &der::tlv(4, &[b"new"]))],
        ..Forged::ca("/CN=root", &new)
    }
    .signed_by("/CN=ROOT", &old);
    let ca = CertificateAuthority::with_issuers(rollover, vec![old_root], copy(&new)).unwrap();
    assert_eq!(ca.chain().len(), 2);
    let signing = ca
        .create_intermediate(name("/CN=Signing"), key(), &Profile::intermediate())
        .unwrap();
    assert!(matches!(
        signing.create_intermediate(name("/CN=Third"), key(), &Profile::intermediate()),
        Err(Error::PathLengthExceeded { subject }) if subject == "CN=Root"
    ));
}

#[test]
fn every_issuer_of_the_chain_limits_the_names() {
    let (root, first) = (key(), key());
    let permits_example = constraint(0xa0, &der::tlv(0x82, &[b"example.com"]));
    let root_certificate = Forged {
        extensions: vec![is_ca(), permits_example],
        ..Forged::ca("/CN=Root", &root)
    }
    .signed_by("/CN=Root", &root);
    let excludes_secret = constraint(0xa1, &der::tlv(0x82, &[b"secret.example.com"]));
    let first_certificate = Forged {
        extensions: vec![is_ca(), excludes_secret],
        ..Forged::ca("/CN=First", &first)
    }
    .signed_by("/CN=Root", &root);
    let ca =
        CertificateAuthority::with_issuers(first_certificate, vec![root_certificate], copy(&first))
            .unwrap();

    let server = |host: &str| {
        let names = [SubjectAltName::dns(host).unwrap()];
        issue(
            &ca,
            "/CN=server",
            &Profile::server().subject_alt_names(names),
        )
    };
    server("a.example.com").unwrap();
    assert_eq!(
        server("a.example.org").unwrap_err(),
        Error::NameNotPermitted {
            issuer: "CN=Root".into(),
            name: "DNS:a.example.org".into(),
            permitted: "DNS:example.com".into()
        }
    );
    assert_eq!(
        server("a.secret.example.com").unwrap_err(),
        Error::NameExcluded {
            issuer: "CN=First".into(),
            name: "DNS:a.secret.example.com".into(),
            excluded: "DNS:secret.example.com".into()
        }
    );
    // OpenSSL takes a common name for a host name where there is no other.
    assert!(matches!(
        issue(&ca, "/CN=bot.example.org", &Profile::client()),
        Err(Error::NameNotPermitted { .. })
    ));
    issue(&ca, "/CN=bot.example.com", &Profile::client()).unwrap();
    issue(&ca, "/CN=demo-bot1", &Profile::client()).unwrap();
    // An authority's common name is no host's.
    ca.create_intermediate(name("/CN=ca.example.org"), key(), &Profile::intermediate())
        .unwrap();
}

#[test]
fn an_authority_that_its_own_issuer_forbids_signs_nothing() {
    let (root, first) = (key(), key());
    let permits_bank = constraint(0xa0, &der::tlv(0xa4, &[name("/O=Bank").as_der()]));
    let root_certificate = Forged {
        extensions: vec![is_ca(), permits_bank],
        ..Forged::ca("/CN=Root", &root)
    }
    .signed_by("/CN=Root", &root);
    let stray = Forged::ca("/O=Other/CN=First", &first).signed_by("/CN=Root", &root);
    let ca =
        CertificateAuthority::with_issuers(stray, vec![root_certificate], copy(&first)).unwrap();
    assert!(matches!(
        issue(&ca, "/O=Bank/CN=bot", &Profile::client()),
        Err(Error::NameNotPermitted { name, .. }) if name == "subject CN=First,O=Other"
    ));
}

#[test]
fn every_issuer_of_the_chain_limits_the_dates() {
    let (root, first) = (key(), key());
    let root_certificate = Forged {
        not_after: "300101000000Z",
        ..Forged::ca("/CN=Root", &root)
    }
    .signed_by("/CN=Root", &root);
    let first_certificate = Forged::ca("/CN=First", &first).signed_by("/CN=Root", &root);
    let end = root_certificate.validity().not_after;
    let ca =
        CertificateAuthority::with_issuers(first_certificate, vec![root_certificate], copy(&first))
            .unwrap();
    let request = CertificateRequest::builder(name("/CN=a"))
        .sign(&key())
        .unwrap();
    let issue_at = |profile: Profile, now: SystemTime| {
        ca.issue_at(
            &request.verify().unwrap(),
            &profile,
            now,
            &mut rng::system().unwrap(),
        )
    };
    // What nobody asked for is cut, what somebody asked for is an error.
    let cut = issue_at(Profile::client(), end - DAY).unwrap();
    assert_eq!(cut.validity().not_after, end);
    assert_eq!(
        issue_at(Profile::client().valid_for_days(2), end - DAY).unwrap_err(),
        Error::ValidityExceedsAuthority {
            requested: end + DAY,
            limit: end
        }
    );
    let late = end + DAY;
    assert_eq!(
        issue_at(Profile::client(), late).unwrap_err(),
        Error::AuthorityExpired {
            subject: "CN=Root".into(),
            not_after: end,
            now: late
        }
    );
}

#[test]
fn issuers_are_kept_although_their_signatures_can_not_be_checked() {
    let (root, signing) = (key(), key());
    let identified = |subject: &'static str, key: &PrivateKey, id: &[u8]| Forged {
        extensions: vec![is_ca(), extension(14, &der::tlv(4, &[id]))],
        ..Forged::ca(subject, key)
    };
    let root_certificate = identified("/CN=Root", &root, b"root").signed_by("/CN=Root", &root);
    let namesake = identified("/CN=Root", &root, b"another").signed_by("/CN=Root", &root);
    for algorithm in [SHA1_WITH_RSA, RSASSA_PSS] {
        let authority_key_identifier =
            extension(35, &der::sequence(&[&der::tlv(0x80, &[b"root"])]));
        let mut forged = identified("/CN=Signing", &signing, b"signing");
        forged.extensions.push(authority_key_identifier);
        forged.algorithms = [algorithm, algorithm];
        let certificate = forged.signed_by("/CN=root", &root);
        let ca = CertificateAuthority::with_issuers(
            certificate.clone(),
            vec![root_certificate.clone()],
            copy(&signing),
        )
        .unwrap();
        assert_eq!(ca.chain(), [certificate.clone(), root_certificate.clone()]);
        // Another key of the same name is not its issuer.
        assert!(matches!(
            CertificateAuthority::with_issuers(certificate, vec![namesake.clone()], copy(&signing)),
            Err(Error::NotInChain { .. })
        ));
    }
}

#[test]
fn what_is_not_in_the_chain_is_not_dropped_in_silence() {
    let (root, signing, other) = (key(), key(), key());
    let root_certificate = Forged::ca("/CN=Root", &root).signed_by("/CN=Root", &root);
    let certificate = Forged::ca("/CN=Signing", &signing).signed_by("/CN=Root", &root);
    let unrelated = Forged::ca("/CN=Other", &other).signed_by("/CN=Other", &other);
    // The right name and another key.
    let namesake = Forged::ca("/CN=Root", &other).signed_by("/CN=Root", &other);
    let load = |issuers: &[&Certificate]| {
        let issuers = issuers.iter().copied().cloned();
        CertificateAuthority::with_issuers(certificate.clone(), issuers.collect(), copy(&signing))
    };
    for stray in [&unrelated, &namesake] {
        assert_eq!(
            load(&[&root_certificate, stray]).unwrap_err(),
            Error::NotInChain {
                subject: stray.subject().to_string(),
                leaf: "CN=Signing".into(),
                missing: None,
            }
        );
    }
    // Twice the same loses nothing.
    let ca = load(&[&certificate, &root_certificate, &root_certificate]).unwrap();
    assert_eq!(ca.chain(), [certificate.clone(), root_certificate]);

    let no_ca = Forged {
        extensions: vec![extension(19, &der::sequence(&[]))],
        ..Forged::ca("/CN=Root", &root)
    }
    .signed_by("/CN=Root", &root);
    assert!(matches!(
        load(&[&no_ca]),
        Err(Error::NotAnAuthority { subject, .. }) if subject == "CN=Root"
    ));
    // A root from before extensions is one that somebody chose.
    let v1 = Forged {
        version: None,
        extensions: Vec::new(),
        ..Forged::ca("/CN=Root", &root)
    }
    .signed_by("/CN=Root", &root);
    assert_eq!(load(&[&v1]).unwrap().chain().len(), 2);
}

#[test]
fn only_the_issuer_verifies_a_certificate() {
    let (root, other) = (key(), key());
    let root_certificate = Forged::ca("/CN=Root", &root).signed_by("/CN=Root", &root);
    let namesake = Forged::ca("/CN=ROOT", &other).signed_by("/CN=ROOT", &other);
    let stranger = Forged::ca("/CN=Other", &root).signed_by("/CN=Other", &root);
    let leaf = Forged::ca("/CN=leaf", &other).signed_by("/CN=root", &root);
    leaf.verify_issued_by(&root_certificate).unwrap();
    assert_eq!(
        leaf.verify_issued_by(&namesake),
        Err(Error::CertificateSignatureInvalid {
            subject: "CN=leaf".into(),
            issuer: "CN=ROOT".into()
        })
    );
    assert_eq!(
        leaf.verify_issued_by(&stranger),
        Err(Error::IssuerMismatch {
            subject: "CN=leaf".into(),
            expected: "CN=root".into(),
            found: "CN=Other".into()
        })
    );
    let mut altered = leaf.as_der().to_vec();
    let at = altered
        .windows(4)
        .position(|octets| octets == b"leaf")
        .unwrap();
    altered[at] ^= 0x20;
    assert!(matches!(
        Certificate::from_der(&altered)
            .unwrap()
            .verify_issued_by(&root_certificate),
        Err(Error::CertificateSignatureInvalid { .. })
    ));
}

#[test]
fn a_certificate_that_names_two_signature_algorithms_is_not_verified() {
    let root = key();
    let root_certificate = Forged::ca("/CN=Root", &root).signed_by("/CN=Root", &root);
    let with_null = [ECDSA_SHA256, &[5, 0]].concat();
    for algorithms in [
        [SHA1_WITH_RSA, ECDSA_SHA256],
        [ECDSA_SHA256, SHA1_WITH_RSA],
        [with_null.as_slice(), ECDSA_SHA256],
    ] {
        let leaf = Forged {
            algorithms,
            ..Forged::ca("/CN=leaf", &root)
        }
        .signed_by("/CN=Root", &root);
        assert!(matches!(
            leaf.verify_issued_by(&root_certificate),
            Err(Error::SignatureAlgorithmMismatch { subject, inner, outer })
                if subject == "CN=leaf" && inner != outer
        ));
    }
}
