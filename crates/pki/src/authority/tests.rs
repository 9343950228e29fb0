//! What a CA makes of certificates and requests that this crate doesn't write.

use std::time::{Duration, SystemTime};

use super::*;
use crate::{
    CertificateRequest, ExtendedKeyUsage, Extension, KeyKind, Pkcs12, PolicyInformation,
    SubjectAltName, Validity, der, rng, tbs,
};

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
    not_before: &'a str,
    not_after: &'a str,
    extensions: Vec<Vec<u8>>,
    /// The contents of the algorithm identifiers inside and outside.
    algorithms: [&'a [u8]; 2],
}

const ECDSA_SHA256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
const RSASSA_PSS_SHA1: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00";
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
                &der::tlv(0x17, &[self.not_before.as_bytes()]),
                &der::tlv(0x17, &[self.not_after.as_bytes()]),
            ]),
            name(self.subject).as_der(),
            &self.spki,
            &extensions,
        ]);
        let mut rng = rng::system().unwrap();
        let signature = issuer_key
            .sign(
                crate::SignatureAlgorithm::Ecdsa(crate::Digest::Sha256),
                &tbs,
                &mut rng,
            )
            .unwrap();
        let signature = der::tlv(der::BIT_STRING, &[&[0], &signature]);
        Certificate::from_der(&der::sequence(&[&tbs, &outer, &signature])).unwrap()
    }

    fn ca(subject: &'static str, key: &PrivateKey) -> Self {
        Forged {
            version: Some(2),
            subject,
            spki: key.public_key().spki_der().to_vec(),
            not_before: "200101000000Z",
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

fn critical(number: u8, value: &[u8]) -> Vec<u8> {
    der::sequence(&[
        &der::tlv(der::OID, &[&[0x55, 0x1d, number]]),
        &[0x01, 1, 0xff],
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
    let algorithm = tbs::algorithm(key.algorithm(), None).unwrap();
    let signature = key
        .sign(algorithm, &info, &mut rng::system().unwrap())
        .unwrap();
    let signed = tbs::assemble(&info, algorithm, &signature, key.public_key()).unwrap();
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
        // In a bundle too, where keys and certificates find each other.
        let bundle = Pkcs12::builder(key, ca.certificate()).unwrap();
        let passphrase = Passphrase::from("secret");
        let der = bundle.iterations(1000).to_der(&passphrase).unwrap();
        let opened = Pkcs12::open(&der, &passphrase).unwrap();
        assert_eq!(opened.certificate().unwrap(), ca.certificate());
    }
    // Parameters that are spelled out instead of named are not read, which is another matter than another key.
    let explicit = der::sequence(&[
        &der::sequence(&[
            b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
            &der::sequence(&[&der::uint(1)]),
        ]),
        &der::tlv(der::BIT_STRING, &[&[0], point]),
    ]);
    let certificate = Forged {
        spki: explicit,
        ..Forged::ca("/CN=CA", &ec)
    }
    .signed_by("/CN=CA", &ec);
    for result in [
        Pkcs12::builder(&ec, &certificate).map(drop),
        CertificateAuthority::new(certificate.clone(), copy(&ec)).map(drop),
    ] {
        assert!(
            matches!(result, Err(Error::UnsupportedKey { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn of_two_points_with_the_same_x_coordinate_each_is_a_key_of_its_own() {
    let header: &[u8] = b"\x30\x39\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x22\x00";
    // Until there was one with an odd y coordinate, and one with an even one.
    let mut seen = [false; 2];
    while seen != [true; 2] {
        let ec = key();
        let point = ec.public_key().key_octets();
        let is_odd = point[64] & 1;
        seen[usize::from(is_odd)] = true;
        for form in [2, 3] {
            let compressed = [header, &[form], &point[1..33]].concat();
            let read = PublicKey::from_spki_der(&compressed).unwrap();
            assert_eq!(read == *ec.public_key(), form == 2 + is_odd);
        }
    }
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
    for (other, shown) in [
        (directory, "dirName:CN=b"),
        (user_principal_name, "otherName:2.5.4.3:0500"),
    ] {
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
fn any_policy_counts_in_a_self_issued_authority_although_it_is_inhibited() {
    let (old, new) = (key(), key());
    let required = critical(36, &der::sequence(&[&[0x80, 1, 0]]));
    let any_policy = der::sequence(&[&der::sequence(&[b"\x06\x04\x55\x1d\x20\x00"])]);
    let old_root = Forged {
        extensions: vec![
            is_ca(),
            extension(14, &der::tlv(4, &[b"old"])),
            required,
            critical(54, &[2, 1, 0]),
        ],
        ..Forged::ca("/CN=Root", &old)
    }
    .signed_by("/CN=Root", &old);
    let rollover = Forged {
        extensions: vec![
            is_ca(),
            extension(14, &der::tlv(4, &[b"new"])),
            extension(32, &any_policy),
        ],
        ..Forged::ca("/CN=Root", &new)
    }
    .signed_by("/CN=Root", &old);
    let ca = CertificateAuthority::with_issuers(rollover, vec![old_root], copy(&new)).unwrap();
    let under = |policy| {
        let policies = Extension::certificate_policies([PolicyInformation::new(policy)]);
        issue(
            &ca,
            "/CN=bot",
            &Profile::client().extension(policies.unwrap()),
        )
    };
    under("1.2.3").unwrap();
    assert!(matches!(
        under(PolicyInformation::ANY),
        Err(Error::PolicyNotPermitted { issuer, .. }) if issuer == "CN=Root"
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
    // A CA's common name is no host's.
    ca.create_intermediate(name("/CN=ca.example.org"), key(), &Profile::intermediate())
        .unwrap();
}

/// A CA below two others: `/CN=Low`, whose own extensions these are, below `/CN=Middle` and `/CN=Root`.
fn three_levels(root: Vec<Vec<u8>>, middle: Vec<Vec<u8>>, low: Vec<Vec<u8>>) -> Levels {
    let keys = [key(), key(), key()];
    let levels = [
        ("/CN=Root", &keys[0], root),
        ("/CN=Middle", &keys[1], middle),
        ("/CN=Low", &keys[2], low),
    ];
    let mut issuer = levels[0].0;
    let mut issuer_key = &keys[0];
    let mut certificates = Vec::new();
    for (subject, key, extensions) in levels {
        let forged = Forged {
            extensions: [vec![is_ca()], extensions].concat(),
            ..Forged::ca(subject, key)
        };
        certificates.insert(0, forged.signed_by(issuer, issuer_key));
        (issuer, issuer_key) = (subject, key);
    }
    Levels {
        certificates,
        key: copy(&keys[2]),
    }
}

struct Levels {
    certificates: Vec<Certificate>,
    key: PrivateKey,
}

impl Levels {
    fn authority(self) -> Result<CertificateAuthority, Error> {
        let mut certificates = self.certificates.into_iter();
        let own = certificates.next().unwrap();
        CertificateAuthority::with_issuers(own, certificates.collect(), self.key)
    }
}

#[test]
fn a_ca_in_between_limits_names_of_every_form() {
    let excluded = [
        der::sequence(&[&der::tlv(0xa4, &[name("/O=Secret").as_der()])]),
        der::sequence(&[&der::tlv(0x82, &[b"secret.example"])]),
        der::sequence(&[&der::tlv(0x81, &[b"secret.example"])]),
        der::sequence(&[&der::tlv(0x86, &[b".secret.example"])]),
        der::sequence(&[&der::tlv(0x87, &[&[10, 0, 0, 0, 255, 0, 0, 0]])]),
    ];
    let list = der::tlv(0xa1, &[&excluded.concat()]);
    let middle = extension(30, &der::sequence(&[&list]));
    let ca = three_levels(Vec::new(), vec![middle], Vec::new())
        .authority()
        .unwrap();
    let client = |subject| issue(&ca, subject, &Profile::client());
    let server = |alt_name: SubjectAltName| {
        issue(
            &ca,
            "/CN=server",
            &Profile::server().subject_alt_names([alt_name]),
        )
    };
    let dns = |host| server(SubjectAltName::dns(host).unwrap());
    let email = |address| server(SubjectAltName::email(address).unwrap());
    let uri = |uri| server(SubjectAltName::uri(uri).unwrap());
    let ip = |address: &str| server(SubjectAltName::Ip(address.parse().unwrap()));
    for refused in [
        client("/O=Secret/CN=bot"),
        client("/CN=bot/emailAddress=a@secret.example"),
        dns("a.secret.example"),
        email("a@secret.example"),
        uri("https://a.secret.example/"),
        ip("10.1.2.3"),
    ] {
        assert!(
            matches!(&refused, Err(Error::NameExcluded { issuer, .. }) if issuer == "CN=Middle"),
            "{refused:?}"
        );
    }
    for granted in [
        client("/O=Public/CN=bot"),
        client("/CN=bot/emailAddress=a@public.example"),
        dns("a.public.example"),
        email("a@public.example"),
        uri("https://a.public.example/"),
        ip("11.1.2.3"),
    ] {
        granted.unwrap();
    }
}

#[test]
fn names_of_the_authorities_between_are_limited_but_for_self_issued_ones() {
    let example = || constraint(0xa0, &der::tlv(0x82, &[b"example.com"]));
    let alt_name = |host: &[u8]| extension(17, &der::sequence(&[&der::tlv(0x82, &[host])]));
    let client = |ca: &CertificateAuthority| issue(ca, "/CN=bot", &Profile::client());
    let ca = three_levels(
        vec![example()],
        vec![alt_name(b"ca.example.org")],
        Vec::new(),
    );
    assert_eq!(
        client(&ca.authority().unwrap()).unwrap_err(),
        Error::NameNotPermitted {
            issuer: "CN=Root".into(),
            name: "DNS:ca.example.org".into(),
            permitted: "DNS:example.com".into()
        }
    );
    let ca = three_levels(
        vec![example()],
        vec![alt_name(b"ca.example.com")],
        Vec::new(),
    );
    client(&ca.authority().unwrap()).unwrap();

    // The new key of a root, whose name the root's own constraints don't permit.
    let (old, new) = (key(), key());
    let root = Forged {
        extensions: vec![
            is_ca(),
            constraint(0xa0, &der::tlv(0xa4, &[name("/O=Bank").as_der()])),
            extension(14, &der::tlv(4, &[b"old"])),
        ],
        ..Forged::ca("/CN=Root", &old)
    }
    .signed_by("/CN=Root", &old);
    let rollover = Forged {
        extensions: vec![is_ca(), extension(14, &der::tlv(4, &[b"new"]))],
        ..Forged::ca("/CN=Root", &new)
    }
    .signed_by("/CN=Root", &old);
    let ca = CertificateAuthority::with_issuers(rollover, vec![root], copy(&new)).unwrap();
    assert_eq!(ca.chain().len(), 2);
    issue(&ca, "/O=Bank/CN=bot", &Profile::client()).unwrap();
}

/// An object identifier ends a purpose: serverAuth, clientAuth or any.
fn purposes_of(identifiers: &[&[u8]]) -> Vec<u8> {
    let purposes: Vec<Vec<u8>> = identifiers
        .iter()
        .map(|identifier| der::tlv(der::OID, &[identifier]))
        .collect();
    extension(37, &der::sequence(&[&purposes.concat()]))
}

#[test]
fn every_issuer_of_the_chain_limits_the_purposes() {
    let server_auth: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x01";
    let client_auth: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x02";
    let any: &[u8] = b"\x55\x1d\x25\x00";
    let names = || [SubjectAltName::dns("localhost").unwrap()];
    let client = Profile::client();
    let server = Profile::server().subject_alt_names(names());
    let peer = Profile::peer().subject_alt_names(names());
    let refused = |issuer: &str, purpose: ExtendedKeyUsage| Error::PurposeNotPermitted {
        issuer: issuer.into(),
        purpose: purpose.to_string(),
    };
    for issuer in ["CN=Root", "CN=Middle", "CN=Low"] {
        let ca = |purposes: &[&[u8]]| {
            let at = |level| match level == issuer {
                true => vec![purposes_of(purposes)],
                false => Vec::new(),
            };
            three_levels(at("CN=Root"), at("CN=Middle"), at("CN=Low"))
                .authority()
                .unwrap()
        };
        let servers = ca(&[server_auth]);
        issue(&servers, "/CN=a", &server).unwrap();
        for profile in [&client, &peer] {
            assert_eq!(
                issue(&servers, "/CN=a", profile).unwrap_err(),
                refused(issuer, ExtendedKeyUsage::ClientAuth)
            );
        }
        assert_eq!(
            issue(&ca(&[client_auth]), "/CN=a", &peer).unwrap_err(),
            refused(issuer, ExtendedKeyUsage::ServerAuth)
        );
        for (purposes, profile) in [
            (&[client_auth][..], &client),
            (&[server_auth, client_auth], &peer),
            (&[any], &peer),
        ] {
            issue(&ca(purposes), "/CN=a", profile).unwrap();
        }
        // It says that it is good for nothing.
        assert_eq!(
            issue(&ca(&[]), "/CN=a", &client).unwrap_err(),
            refused(issuer, ExtendedKeyUsage::ClientAuth)
        );
    }
}

#[test]
fn what_is_critical_and_not_evaluated_is_refused_in_the_whole_chain() {
    for (extension, dotted) in [
        (critical(99, b"\x05\x00"), "2.5.29.99"),
        (critical(31, b"\x30\x00"), "2.5.29.31"), // CRL distribution points
    ] {
        for (level, subject) in ["CN=Root", "CN=Middle", "CN=Low"].into_iter().enumerate() {
            let at = |here| match here == level {
                true => vec![extension.clone()],
                false => Vec::new(),
            };
            assert_eq!(
                three_levels(at(0), at(1), at(2)).authority().unwrap_err(),
                Error::UnsupportedCriticalExtension {
                    subject: subject.into(),
                    extension: dotted.into()
                }
            );
        }
    }
    let excludes = der::tlv(
        0xa1,
        &[&der::sequence(&[&der::tlv(0x82, &[b"secret.example"])])],
    );
    let harmless = vec![
        extension(99, b"\x05\x00"),
        critical(15, &[3, 2, 0, 0x06]),
        critical(17, &der::sequence(&[&der::tlv(0x82, &[b"ca.example"])])),
        critical(
            32,
            &der::sequence(&[&der::sequence(&[b"\x06\x04\x55\x1d\x20\x00"])]),
        ), // anyPolicy
        critical(37, &der::sequence(&[b"\x06\x04\x55\x1d\x25\x00"])), // anyExtendedKeyUsage
        critical(54, &[2, 1, 0]),
        critical(30, &der::sequence(&[&excludes])),
    ];
    let ca = three_levels(harmless.clone(), harmless.clone(), harmless)
        .authority()
        .unwrap();
    issue(&ca, "/CN=bot", &Profile::client()).unwrap();
}

#[test]
fn only_a_root_of_version_1_need_not_say_that_it_is_a_ca() {
    let keys = [key(), key(), key()];
    let [root, middle, low] = &keys;
    let with = |version, extensions, subject, key| Forged {
        version,
        extensions,
        ..Forged::ca(subject, key)
    };
    let low_certificate = || Forged::ca("/CN=Low", low).signed_by("/CN=Middle", middle);
    let authority = |middle_version, middle_extensions, root_version, root_extensions| {
        let middle_certificate = with(middle_version, middle_extensions, "/CN=Middle", middle)
            .signed_by("/CN=Root", root);
        let root_certificate =
            with(root_version, root_extensions, "/CN=Root", root).signed_by("/CN=Root", root);
        CertificateAuthority::with_issuers(
            low_certificate(),
            vec![middle_certificate, root_certificate],
            copy(low),
        )
    };
    let refused = |subject: &str, reason| Error::NotAnAuthority {
        subject: subject.into(),
        reason,
    };
    let not_v3 = "it is not an X.509 v3 certificate, so nothing says that it is a CA";
    let none = Vec::new;

    authority(Some(2), vec![is_ca()], None, none()).unwrap();
    assert_eq!(
        authority(None, none(), None, none()).unwrap_err(),
        refused("CN=Middle", not_v3)
    );
    for (level, result) in [
        ("CN=Middle", authority(Some(2), none(), None, none())),
        (
            "CN=Root",
            authority(Some(2), vec![is_ca()], Some(2), none()),
        ),
    ] {
        assert_eq!(
            result.unwrap_err(),
            refused(level, "it has no basic constraints")
        );
    }
}

/// A name with one attribute, whose value has this tag.
fn name_of(attribute: &[u8], tag: u8, value: &[u8]) -> DistinguishedName {
    let attribute = der::sequence(&[&der::tlv(der::OID, &[attribute]), &der::tlv(tag, &[value])]);
    DistinguishedName::from_der(&der::sequence(&[&der::tlv(der::SET, &[&attribute])])).unwrap()
}

#[test]
fn no_string_type_hides_a_name() {
    let universal = |text: &str| -> Vec<u8> {
        text.chars()
            .flat_map(|character| u32::from(character).to_be_bytes())
            .collect()
    };
    let key = key();
    let excludes_secret = constraint(0xa1, &der::tlv(0xa4, &[name("/O=Secret").as_der()]));
    let certificate = Forged {
        extensions: vec![is_ca(), excludes_secret],
        ..Forged::ca("/CN=Root", &key)
    }
    .signed_by("/CN=Root", &key);
    let ca = CertificateAuthority::new(certificate, key).unwrap();
    let client = |subject: DistinguishedName| {
        let request = CertificateRequest::builder(subject)
            .sign(&self::key())
            .unwrap();
        ca.issue(&request.verify().unwrap(), &Profile::client())
    };
    let (cn, o): (&[u8], &[u8]) = (&[0x55, 4, 3], &[0x55, 4, 10]);
    assert_eq!(
        client(name_of(cn, der::UNIVERSAL_STRING, &universal("root"))).unwrap_err(),
        Error::SubjectIsIssuer {
            subject: "CN=root".into()
        }
    );
    assert!(matches!(
        client(name_of(o, der::UNIVERSAL_STRING, &universal("SECRET"))).unwrap_err(),
        Error::NameExcluded { name, .. } if name == "subject O=SECRET"
    ));
    client(name_of(cn, der::UNIVERSAL_STRING, &universal("bot"))).unwrap();
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
        not_before: "210101000000Z",
        not_after: "300101000000Z",
        ..Forged::ca("/CN=Root", &root)
    }
    .signed_by("/CN=Root", &root);
    let first_certificate = Forged::ca("/CN=First", &first).signed_by("/CN=Root", &root);
    let Validity {
        not_before: start,
        not_after: end,
    } = root_certificate.validity();
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
    let early = start - DAY;
    assert_eq!(
        issue_at(Profile::client(), early).unwrap_err(),
        Error::AuthorityNotYetValid {
            subject: "CN=Root".into(),
            not_before: start,
            now: early
        }
    );
    let wish = Validity {
        not_before: early,
        not_after: end,
    };
    assert_eq!(
        issue_at(Profile::client().validity(wish), start).unwrap_err(),
        Error::ValidityPrecedesAuthority {
            requested: early,
            limit: start
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
    for algorithm in [SHA1_WITH_RSA, RSASSA_PSS_SHA1] {
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
fn an_authority_comes_from_pem_with_its_issuers() {
    let Levels { certificates, key } = three_levels(Vec::new(), Vec::new(), Vec::new());
    let [low, middle, root] = &certificates[..] else {
        panic!("{certificates:?}");
    };
    let passphrase = Passphrase::from("secret");
    let pem = [low, root, middle].map(Certificate::to_pem).concat();
    let key_pem = key.to_pem().unwrap();
    let ca = CertificateAuthority::from_pem(&pem, key_pem.as_bytes(), None).unwrap();
    assert_eq!(ca.chain(), certificates);
    // The first certificate is its own.
    assert!(matches!(
        CertificateAuthority::from_pem(root.to_pem() + &pem, key_pem.as_bytes(), &passphrase),
        Err(Error::KeyMismatch { subject }) if subject == "CN=Root"
    ));
    assert!(matches!(
        CertificateAuthority::from_pem(pem + &Forged::ca("/CN=Other", &key).signed_by("/CN=Other", &key).to_pem(), key_pem.as_bytes(), None),
        Err(Error::NotInChain { subject, .. }) if subject == "CN=Other"
    ));
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
    // Where the issuer itself is missing, the reason is what is wrong with the one that has its name.
    assert_eq!(
        load(&[&namesake]).unwrap_err(),
        Error::CertificateSignatureInvalid {
            subject: "CN=Signing".into(),
            issuer: "CN=Root".into(),
        }
    );
    assert_eq!(
        load(&[&unrelated]).unwrap_err(),
        Error::NotInChain {
            subject: "CN=Other".into(),
            leaf: "CN=Signing".into(),
            missing: Some("CN=Root".into()),
        }
    );
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
