//! The inputs: each is of about the size that is asked for, and reaches as deep as its reader goes.

use std::sync::OnceLock;

use pki::{
    CertificateAuthority, CertificateRequest, DistinguishedName, Issuance, KeyKind, PrivateKey,
    Profile, SubjectAltName,
};

/// An input of any size up to a limit.
pub(crate) struct Input {
    pub(crate) name: &'static str,
    /// The largest size that the reader takes, in octets.
    pub(crate) limit: usize,
    pub(crate) make: fn(usize) -> Vec<u8>,
    /// A part of the error, where it is refused.
    pub(crate) refused: Option<&'static str>,
}

impl Input {
    const fn new(name: &'static str, make: fn(usize) -> Vec<u8>) -> Self {
        Self {
            name,
            limit: 1 << 20,
            make,
            refused: None,
        }
    }

    /// For what costs much and is measured up to the limit elsewhere: the reader calls one that is, the input resembles
    /// one that is, or there is no limit.
    pub(crate) const fn short(self) -> Self {
        self.up_to(256 << 10)
    }

    /// What the reader takes where the default is not its limit.
    const fn up_to(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    const fn refused(self, reason: &'static str) -> Self {
        Self {
            refused: Some(reason),
            ..self
        }
    }
}

// --- PEM ---

/// Around a block with this label and this content, which is good.
macro_rules! in_pem {
    ($label:literal, $der:expr, $limit:expr) => {
        vec![
            Input::new("blank-lines", |size| {
                block(
                    $label,
                    &["\n".repeat(size), "a: b\n\n".into()].concat(),
                    &$der,
                )
            })
            .up_to($limit),
            Input::new("headers", |size| {
                block(
                    $label,
                    &["a: b\n".repeat(size / 5), "\n".into()].concat(),
                    &$der,
                )
            })
            .up_to($limit),
            Input::new("folded-header", |size| {
                block(
                    $label,
                    &["a: b\n", &" c\n".repeat(size / 3), "\n"].concat(),
                    &$der,
                )
            })
            .up_to($limit),
            Input::new("long-header", |size| {
                block($label, &["a: ", &":".repeat(size), "\n\n"].concat(), &$der)
            })
            .up_to($limit),
            Input::new("blanks-in-body", |size| {
                block($label, &" \n".repeat(size / 2), &$der)
            })
            .up_to($limit),
            Input::new("lines-before", |size| {
                [
                    " -----BEGIN\n".repeat(size / 12).into(),
                    block($label, "", &$der),
                ]
                .concat()
            })
            .up_to($limit),
            Input::new("begins-in-a-line", |size| {
                let line = ["x", &"-----BEGIN ".repeat(size / 11), "\n"].concat();
                [line.into(), block($label, "", &$der)].concat()
            })
            .up_to($limit),
            Input::new("dashes", |size| {
                [vec![b'-'; size], b"\n".to_vec(), block($label, "", &$der)].concat()
            })
            .up_to($limit),
            Input::new("other-blocks", |size| {
                let other = block("X", "", &[5, 0]);
                [other.repeat(size / other.len()), block($label, "", &$der)].concat()
            })
            .up_to($limit),
            Input::new("without-an-end", |size| {
                [
                    block($label, "", &$der),
                    b"-----BEGIN X-----\n".repeat(size / 18),
                ]
                .concat()
            })
            .up_to($limit)
            .refused("there is no END line"),
        ]
    };
}

pub(crate) fn certificates_in_pem() -> Vec<Input> {
    let mut inputs = in_pem!("CERTIFICATE", certificate(&[]), 1 << 20);
    inputs.push(many_certificates());
    inputs
}

pub(crate) fn keys_in_pem() -> Vec<Input> {
    // The PEM reader is the same; the limit isn't.
    let mut inputs = in_pem!("PRIVATE KEY", pkcs8(), 4 << 20);
    inputs.retain(|input| {
        matches!(
            input.name,
            "blank-lines" | "begins-in-a-line" | "other-blocks"
        )
    });
    inputs
}

pub(crate) const fn begins_in_a_line() -> Input {
    Input::new("begins-in-a-line", |size| {
        let line = ["x", &"-----BEGIN ".repeat(size / 11), "\n"].concat();
        [line.into(), block("CERTIFICATE", "", &certificate(&[]))].concat()
    })
}

pub(crate) const fn many_certificates() -> Input {
    Input::new("certificates", |size| {
        let one = block("CERTIFICATE", "", &certificate(&[]));
        one.repeat(size / one.len())
    })
}

pub(crate) const fn request_in_pem() -> Input {
    Input::new("headers", |size| {
        let headers = ["a: b\n".repeat(size / 5), "\n".into()].concat();
        block("CERTIFICATE REQUEST", &headers, &request(&[], &[]))
    })
}

/// A CA, and its issuer again and again.
pub(crate) const fn issuers() -> Input {
    Input::new("repeated-issuer", |size| {
        let name = |text: &str| text.parse::<DistinguishedName>().unwrap();
        let root_key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let root = CertificateAuthority::create_root(name("/CN=Root"), root_key, &Profile::root());
        let root = root.unwrap();
        let key = PrivateKey::from_pem(key_pem(), None).unwrap();
        let below = root.create_intermediate(name("/CN=Bots"), key, &Profile::intermediate());
        let issuer = root.certificate().to_pem();
        [
            below.unwrap().certificate().to_pem(),
            issuer.repeat(size / issuer.len()),
        ]
        .concat()
        .into()
    })
}

pub(crate) const fn identity_in_pem() -> Input {
    Input::new("issuers", |size| {
        let one = block("CERTIFICATE", "", &certificate(&[]));
        [one.repeat(size / one.len()), key_pem().into()].concat()
    })
}

// --- Certificates and requests ---

pub(crate) fn certificates() -> Vec<Input> {
    vec![
        many_extensions(),
        Input::new("extension-twice", |size| {
            let twice = extension(&[0x2a, 3], &[]).repeat(2);
            certificate(&[extensions(size), twice].concat())
        })
        .short()
        .refused("occurs twice"),
        Input::new("alternative-names", |size| {
            let names = tlv(0x30, &tlv(0x82, b"a.example").repeat(size / 11));
            certificate(&extension(&[0x55, 0x1d, 0x11], &names))
        }),
        Input::new("purposes", |size| {
            let purposes = numbered(size / 10, |n| tlv(0x06, &[&[0x2a, 3], n].concat()));
            certificate(&extension(&[0x55, 0x1d, 0x25], &tlv(0x30, &purposes)))
        }),
        Input::new("policies", |size| {
            let policies = numbered(size / 11, |n| {
                tlv(0x30, &tlv(0x06, &[&[0x2a, 3], n].concat()))
            });
            certificate(&extension(&[0x55, 0x1d, 0x20], &tlv(0x30, &policies)))
        })
        .short(),
        Input::new("distribution-points", |size| {
            let point = tlv(0x30, &tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a"))));
            let points = tlv(0x30, &point.repeat(size / point.len()));
            certificate(&extension(&[0x55, 0x1d, 0x1f], &points))
        }),
        Input::new("long-identifier", |size| {
            let oid = [&[0x2a], vec![0x81; size].as_slice(), &[1]].concat();
            certificate(&extension(&oid, &[]))
        })
        .refused("invalid object identifier"),
        Input::new("long-key-usage", |size| {
            let usage = [vec![0], vec![0xff; size]].concat();
            certificate(&extension(&[0x55, 0x1d, 0x0f], &tlv(0x03, &usage)))
        }),
        many_rdns(),
    ]
}

pub(crate) const fn many_extensions() -> Input {
    Input::new("extensions", |size| certificate(&extensions(size)))
}

pub(crate) const fn many_rdns() -> Input {
    Input::new("rdns", |size| certificate_for(&rdns(size), &[]))
}

pub(crate) fn requests() -> Vec<Input> {
    vec![
        Input::new("extensions", |size| request(&extensions(size), &[])),
        Input::new("attributes", |size| {
            let attributes = numbered(size / 13, |n| {
                let oid = tlv(0x06, &[&[0x2a, 3], n].concat());
                tlv(0x30, &[oid, tlv(0x31, &[])].concat())
            });
            request(&[], &attributes)
        }),
        Input::new("values", |size| {
            let oid = tlv(0x06, &[0x2a, 3]);
            let values = tlv(0x31, &tlv(0x05, &[]).repeat(size / 2));
            request(&[], &tlv(0x30, &[oid, values].concat()))
        }),
    ]
}

/// A request for many names, no two alike, that its key signed.
pub(crate) const fn requested_names() -> Input {
    Input::new("granted-names", |size| {
        let names = (0..size / 11).map(|n| SubjectAltName::dns(format!("{n:07}.a")).unwrap());
        let request = CertificateRequest::builder("/CN=a".parse().unwrap());
        let request = names.fold(request, |request, name| request.subject_alt_name(name));
        request.sign(key()).unwrap().as_der().to_vec()
    })
}

/// What is to be signed for a certificate with many names, by the CA of [`root`].
pub(crate) const fn prepared() -> Input {
    Input::new("names", |size| {
        let request = CertificateRequest::from_der(&(requested_names().make)(size)).unwrap();
        let issuance = Issuance::for_request(&request.verify().unwrap());
        let prepared = root().prepare(&issuance, &Profile::server()).unwrap();
        prepared.as_der().to_vec()
    })
    .up_to(256 << 10)
}

/// What is to be signed for a certificate that signs itself, with many names.
pub(crate) const fn prepared_self_signed() -> Input {
    Input::new("names", |size| {
        let request = CertificateRequest::from_der(&(requested_names().make)(size)).unwrap();
        let issuance = Issuance::for_request(&request.verify().unwrap());
        let prepared = issuance.prepare_self_signed(&Profile::server()).unwrap();
        prepared.as_der().to_vec()
    })
    .up_to(256 << 10)
}

/// What is to be signed for a request for many names.
pub(crate) const fn prepared_request() -> Input {
    Input::new("names", |size| {
        let names = (0..size / 11).map(|n| SubjectAltName::dns(format!("{n:07}.a")).unwrap());
        let request = CertificateRequest::builder("/CN=a".parse().unwrap());
        let request = names.fold(request, |request, name| request.subject_alt_name(name));
        let prepared = request.prepare(key().public_key()).unwrap();
        prepared.as_der().to_vec()
    })
    .up_to(256 << 10)
}

/// A CA that is the same at each call, but for its serial number.
pub(crate) fn root() -> CertificateAuthority {
    let key = PrivateKey::from_pem(key_pem(), None).unwrap();
    CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key, &Profile::root()).unwrap()
}

// --- Profiles ---

pub(crate) fn profiles() -> Vec<Input> {
    const LIMIT: usize = 256 << 10;
    vec![
        Input::new("comments", |size| b"# a comment\n".repeat(size / 12)).up_to(LIMIT),
        Input::new("names", |size| {
            let names = (0..size / 23).map(|n| format!("\"DNS:{n:07}.example\", "));
            format!("names = {{ fixed = [{}] }}\n", names.collect::<String>()).into()
        })
        .up_to(LIMIT),
        Input::new("rules-for-attributes", |size| {
            let attributes = (0..size / 17).map(|n| format!("\"1.2.3.1{n:06}\", "));
            format!("subject.allowed = [{}]\n", attributes.collect::<String>()).into()
        })
        .up_to(LIMIT),
        Input::new("custom-extensions", |size| {
            let extensions =
                (0..size / 42).map(|n| format!("{{ oid = \"1.2.3.1{n:06}\", der = \"0500\" }}, "));
            format!("custom-extensions = [{}]\n", extensions.collect::<String>()).into()
        })
        .up_to(LIMIT),
    ]
}

// --- CRLs ---

pub(crate) fn crls() -> Vec<Input> {
    vec![
        entries(),
        Input::new("entries-backwards", |size| {
            let count = u32::try_from(size / 23).unwrap();
            let entries: Vec<u8> = (1..=count).rev().flat_map(|n| entry(n, &[])).collect();
            crl(&name(b"Issuer"), &entries, &[])
        }),
        // Their comparison goes to the end of each.
        Input::new("long-serial-numbers", |size| {
            let entries = numbered(size / 1050, |n| {
                let serial = tlv(2, &[&[1; 1024], n].concat());
                tlv(0x30, &[serial, tlv(0x17, b"260101000000Z")].concat())
            });
            crl(&name(b"Issuer"), &entries, &[])
        }),
        Input::new("extensions-of-an-entry", |size| {
            let extensions = extensions(size);
            crl(&name(b"Issuer"), &entry(1, &extensions), &[])
        }),
        Input::new("extensions", |size| {
            crl(&name(b"Issuer"), &[], &extensions(size))
        }),
        // Half of the input is the issuer's name, and every other entry has an issuer.
        Input::new("issuers-of-entries", |size| {
            let issuer = name(&b"A".repeat(size / 2));
            let another = tlv(0x30, &tlv(0xa4, &name(b"A")));
            let another = critical(&[0x55, 0x1d, 29], &another);
            let entries = entry(1, &another).repeat(size / 2 / 60);
            crl(&issuer, &entries, &indirect())
        }),
        Input::new("names-of-an-issuer", |size| {
            let names = tlv(0x30, &tlv(0xa4, &name(b"A")).repeat(size / 18));
            let another = critical(&[0x55, 0x1d, 29], &names);
            crl(&name(b"Issuer"), &entry(1, &another), &indirect())
        }),
        Input::new("long-number", |size| {
            let number = tlv(2, &[vec![1], vec![0xff; size]].concat());
            crl(
                &name(b"Issuer"),
                &[],
                &extension(&[0x55, 0x1d, 20], &number),
            )
        }),
        Input::new("names-of-a-point", |size| {
            let names = tlv(0x86, b"http://a").repeat(size / 10);
            let point = tlv(0x30, &tlv(0xa0, &tlv(0xa0, &names)));
            crl(&name(b"Issuer"), &[], &critical(&[0x55, 0x1d, 28], &point))
        }),
    ]
}

pub(crate) const fn entries() -> Input {
    Input::new("entries", |size| {
        crl(&name(b"Issuer"), &many_entries(size), &[])
    })
}

pub(crate) const fn prepared_entries() -> Input {
    Input::new("entries", |size| {
        crl_to_be_signed(crl_issuer().subject().as_der(), &many_entries(size), &[])
    })
}

pub(crate) const fn crl_in_pem() -> Input {
    Input::new("entries", |size| {
        let der = crl(&name(b"Issuer"), &many_entries(size * 3 / 4), &[]);
        block("X509 CRL", "", &der)
    })
    .up_to(4 << 20)
}

/// The certificate of an issuer of CRLs.
pub(crate) fn crl_issuer() -> &'static pki::Certificate {
    static ISSUER: OnceLock<pki::Certificate> = OnceLock::new();
    ISSUER.get_or_init(|| pki::Certificate::from_der(&certificate(&[])).unwrap())
}

fn many_entries(size: usize) -> Vec<u8> {
    numbered(size / 23, |n| {
        let serial = tlv(2, &[&[1], n].concat());
        tlv(0x30, &[serial, tlv(0x17, b"260101000000Z")].concat())
    })
}

fn entry(serial: u32, extensions: &[u8]) -> Vec<u8> {
    let extensions = if extensions.is_empty() {
        Vec::new()
    } else {
        tlv(0x30, extensions)
    };
    let serial = tlv(2, &[&[1][..], &serial.to_be_bytes()].concat());
    tlv(
        0x30,
        &[serial, tlv(0x17, b"260101000000Z"), extensions].concat(),
    )
}

/// The issuing distribution point of an indirect CRL.
fn indirect() -> Vec<u8> {
    critical(&[0x55, 0x1d, 28], &tlv(0x30, &tlv(0x84, &[0xff])))
}

fn critical(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let fields = [tlv(0x06, oid), tlv(0x01, &[0xff]), tlv(0x04, value)];
    tlv(0x30, &fields.concat())
}

/// A CRL whose signature nobody has made.
fn crl(issuer: &[u8], entries: &[u8], extensions: &[u8]) -> Vec<u8> {
    let algorithm = tlv(0x30, b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
    let tbs = crl_to_be_signed(issuer, entries, extensions);
    tlv(0x30, &[tbs, algorithm, tlv(3, &[0, 1])].concat())
}

fn crl_to_be_signed(issuer: &[u8], entries: &[u8], extensions: &[u8]) -> Vec<u8> {
    let time = tlv(0x17, b"260101000000Z");
    let optional = |contents: &[u8], wrapped: Vec<u8>| {
        if contents.is_empty() {
            Vec::new()
        } else {
            wrapped
        }
    };
    let fields = [
        tlv(2, &[1]),
        tlv(0x30, b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"),
        issuer.to_vec(),
        time.clone(),
        time,
        optional(entries, tlv(0x30, entries)),
        optional(extensions, tlv(0xa0, &tlv(0x30, extensions))),
    ];
    tlv(0x30, &fields.concat())
}

// --- Names ---

pub(crate) fn names() -> Vec<Input> {
    vec![
        Input::new("rdns", rdns),
        Input::new("attributes", |size| {
            let one = common_name(b"a");
            tlv(0x30, &tlv(0x31, &one.repeat(size / one.len())))
        }),
        Input::new("value", |size| {
            tlv(0x30, &tlv(0x31, &common_name(&vec![b'a'; size])))
        }),
        Input::new("octets", |size| {
            let value = [tlv(0x06, &[0x55, 4, 3]), tlv(0x04, &vec![0; size])].concat();
            tlv(0x30, &tlv(0x31, &tlv(0x30, &value)))
        })
        .short(),
    ]
}

pub(crate) fn openssl_names() -> Vec<Input> {
    let inputs = vec![
        openssl_rdns(),
        Input::new("attributes", |size| {
            ["/CN=a", &"+CN=b".repeat(size / 5)].concat().into()
        }),
        Input::new("escapes", |size| {
            ["/CN=", &r"\a".repeat(size / 2)].concat().into()
        })
        .refused("more than the limit"),
        Input::new("type", |size| {
            ["/", &"a".repeat(size), "=b"].concat().into()
        })
        .refused("unknown attribute"),
    ];
    inputs.into_iter().map(Input::short).collect()
}

pub(crate) const fn openssl_rdns() -> Input {
    Input::new("rdns", |size| "/CN=a".repeat(size / 5).into()).short()
}

pub(crate) fn rfc4514_names() -> Vec<Input> {
    let inputs = vec![
        Input::new("rdns", |size| {
            ["CN=a", &", CN=b".repeat(size / 6)].concat().into()
        }),
        Input::new("attributes", |size| {
            ["CN=a", &"+CN=b".repeat(size / 5)].concat().into()
        }),
        Input::new("blanks", |size| {
            ["CN=a", &" ".repeat(size), ",CN=b"].concat().into()
        }),
        Input::new("escapes", |size| {
            ["CN=", &r"\41".repeat(size / 3)].concat().into()
        })
        .refused("more than the limit"),
        Input::new("hexadecimal", |size| {
            let value = tlv(0x04, &vec![0; size / 2]);
            let digits: String = value.iter().map(|octet| format!("{octet:02x}")).collect();
            ["CN=#", &digits].concat().into()
        }),
    ];
    inputs.into_iter().map(Input::short).collect()
}

pub(crate) const fn zeros() -> Input {
    Input::new("zeros", |size| [vec![0; size], vec![1]].concat())
}

pub(crate) const fn digits() -> Input {
    Input::new("zeros", |size| {
        ["0x", &"0".repeat(size), "1"].concat().into()
    })
}

pub(crate) const fn letters() -> Input {
    Input::new("letters", |size| vec![b'k'; size]).refused("unknown reason")
}

// --- Keys ---

pub(crate) fn keys() -> Vec<Input> {
    vec![
        Input::new("attributes", |size| {
            let attributes = tlv(0xa0, &tlv(0x30, &[]).repeat(size / 2));
            let fields = [contents(&pkcs8()).to_vec(), attributes].concat();
            tlv(0x30, &fields)
        })
        .up_to(4 << 20),
        Input::new("zeros-before-a-scalar", |size| {
            let scalar = [vec![0; size], vec![7; 32]].concat();
            let curve = tlv(0xa0, &tlv(0x06, P256));
            tlv(0x30, &[tlv(2, &[1]), tlv(4, &scalar), curve].concat())
        })
        .up_to(4 << 20),
        large_exponent(),
    ]
}

/// RSA whose public exponent fills the file.
pub(crate) const fn large_exponent() -> Input {
    Input::new("large-exponent", |size| {
        let exponent = vec![0x7f; size];
        let number = |octets: &[u8]| tlv(2, octets);
        let modulus = [vec![0x7f; 255], vec![0x7d]].concat();
        let prime = vec![0x7f; 128];
        let fields = [
            number(&[0]),
            number(&modulus),
            number(&exponent),
            number(&modulus),
            number(&prime),
            number(&prime),
            number(&prime),
            number(&prime),
            number(&prime),
        ];
        tlv(0x30, &fields.concat())
    })
    .up_to(4 << 20)
    .refused("private key")
}

pub(crate) const fn large_public_exponent() -> Input {
    Input::new("large-exponent", |size| {
        let modulus = [vec![0x7f; 255], vec![0x7d]].concat();
        let numbers = tlv(
            0x30,
            &[tlv(2, &modulus), tlv(2, &vec![0x7f; size])].concat(),
        );
        let rsa = [
            tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"),
            tlv(5, &[]),
        ]
        .concat();
        let octets = [vec![0], numbers].concat();
        tlv(0x30, &[tlv(0x30, &rsa), tlv(3, &octets)].concat())
    })
    .refused("RSA modulus and exponent")
}

// --- Bundles and trust stores ---

pub(crate) fn bundles() -> Vec<Input> {
    const LIMIT: usize = 4 << 20;
    vec![
        Input::new("certificates", |size| {
            let one = certificate_bag(&[]);
            bundle(&one.repeat(size / one.len()))
        })
        .up_to(LIMIT),
        many_bag_attributes(),
        Input::new("keys-and-certificates", |size| {
            let pair = [key_bag(), certificate_bag(&[])].concat();
            bundle(&pair.repeat((size / pair.len()).min(900)))
        }),
        Input::new("nested-bags", |size| {
            let one = bag(6, &tlv(0x30, &certificate_bag(&[])), &[]);
            bundle(&one.repeat(size / one.len()))
        })
        .short(),
        Input::new("indefinite-lengths", |size| {
            let one = certificate_bag(&[]);
            let inner = one.repeat(size / one.len());
            let nested = (0..8).fold(inner, |inner, _| {
                bag_ber(6, &[&[0x30, 0x80], &inner[..], &[0, 0]].concat())
            });
            bundle(&nested)
        })
        .short(),
        Input::new("parts", |size| {
            let part = tlv(4, &[1]);
            let string = [&[0x24, 0x80], &part.repeat(size / 3)[..], &[0, 0]].concat();
            // In a bag that nobody knows.
            bundle(&bag_ber(5, &string))
        })
        .short(),
    ]
}

pub(crate) const fn many_bag_attributes() -> Input {
    Input::new("attributes", |size| {
        let alias = [
            tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14"),
            tlv(0x31, &tlv(0x1e, b"\0a")),
        ];
        let one = tlv(0x30, &alias.concat());
        bundle(&certificate_bag(&one.repeat(size / one.len())))
    })
    .up_to(4 << 20)
}

pub(crate) fn trust_stores() -> Vec<Input> {
    vec![
        jks(),
        many_certificates().up_to(4 << 20),
        Input::new("bundle", |size| {
            let one = certificate_bag(&[]);
            let inner = tlv(0x30, &one.repeat(size / one.len()));
            pfx(&inner)
        })
        .short(),
        many_extensions().short(),
    ]
}

pub(crate) const fn jks() -> Input {
    Input::new("jks", |size| {
        let der = certificate(&[]);
        let len = u32::try_from(der.len()).unwrap().to_be_bytes();
        let entry = [
            &[0, 0, 0, 2, 0, 1, b'a', 0, 0, 0, 0, 0, 0, 0, 0, 0, 5][..],
            b"X.509",
            &len,
            &der,
        ]
        .concat();
        let count = u32::try_from(size / entry.len()).unwrap();
        [
            &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..],
            &count.to_be_bytes(),
            &entry.repeat(size / entry.len()),
            &[0; 20],
        ]
        .concat()
    })
    .up_to(4 << 20)
}

// --- Files of any kind ---

pub(crate) fn files() -> Vec<Input> {
    const CRL_LIMIT: usize = 4 << 20;
    vec![
        many_certificates().up_to(CRL_LIMIT),
        many_rdns().short(),
        Input::new("bare-base64", |size| {
            let der = certificate(&extensions(size / 2));
            let lines = block("X", "", &der);
            let lines = text_of(&lines)
                .lines()
                .filter(|line| !line.starts_with('-'));
            lines.collect::<String>().into()
        }),
        Input::new("utf-16", |size| {
            let text = (many_certificates().make)(size / 2);
            let units = text_of(&text).encode_utf16();
            units.flat_map(u16::to_be_bytes).collect()
        })
        .up_to(CRL_LIMIT),
        Input::new("values-one-after-another", |size| {
            let one = certificate(&[]);
            one.repeat(size / one.len())
        })
        .up_to(CRL_LIMIT),
        Input::new("unknown-values", |size| {
            let one = tlv(0x30, &tlv(0x05, &[]).repeat(9));
            one.repeat(size / one.len())
        })
        .refused("it is neither PEM"),
        Input::new("pkcs7-certificates", |size| {
            let one = certificate(&[]);
            pkcs7(&one.repeat(size / one.len()), &[], &[])
        })
        .up_to(CRL_LIMIT),
        Input::new("pkcs7-others", |size| {
            pkcs7(&tlv(0xa1, &[]).repeat(size / 2), &[], &[])
        }),
        Input::new("pkcs7-crl", |size| {
            let crl = crl(&name(b"Issuer"), &many_entries(size), &[]);
            pkcs7(&[], &crl, &[])
        }),
        Input::new("pkcs7-signers", |size| {
            pkcs7(&[], &[], &tlv(0x30, &[]).repeat(size / 2))
        }),
        // Each level of BER is one of the DER that is made of it.
        Input::new("pkcs7-in-ber", |size| {
            let one = [&[0x30, 0x80][..], &tlv(0x05, &[]), &[0, 0]].concat();
            let der = pkcs7(&one.repeat(size / one.len()), &[], &[]);
            [&[0x30, 0x80][..], contents(&der), &[0, 0]].concat()
        }),
        Input::new("other-keys", |size| {
            let one = block("PUBLIC KEY", "", &x25519());
            one.repeat(size / one.len())
        })
        .up_to(CRL_LIMIT),
        Input::new("encrypted-keys", |size| {
            let aria = b"\x06\x09\x2a\x83\x1a\x8c\x9a\x6e\x01\x01\x07";
            let scheme = tlv(0x30, &[&aria[..], &tlv(0x30, &[])].concat());
            let key = tlv(
                0x30,
                &[scheme, tlv(0x04, &vec![0; size / 2 / 900])].concat(),
            );
            block("ENCRYPTED PRIVATE KEY", "", &key).repeat(900)
        })
        .short(),
    ]
}

fn text_of(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

/// A public key for X25519.
fn x25519() -> Vec<u8> {
    let algorithm = tlv(0x30, b"\x06\x03\x2b\x65\x6e");
    tlv(0x30, &[algorithm, tlv(0x03, &[0; 33])].concat())
}

/// A SignedData with these certificates, CRLs and SignerInfos.
fn pkcs7(certificates: &[u8], crls: &[u8], signers: &[u8]) -> Vec<u8> {
    let data = tlv(0x30, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
    let signed = [
        tlv(0x02, &[1]),
        tlv(0x31, &[]),
        data,
        tlv(0xa0, certificates),
        tlv(0xa1, crls),
        tlv(0x31, signers),
    ]
    .concat();
    let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    tlv(0x30, &[&oid[..], &tlv(0xa0, &tlv(0x30, &signed))].concat())
}

pub(crate) fn java_keystores() -> Vec<Input> {
    const LIMIT: usize = 4 << 20;
    vec![
        jks(),
        Input::new("jks-key", |size| {
            keystore(0xfe, 0xed, &[private_key(JKS_PROTECTOR, size, &[])])
        })
        .up_to(LIMIT),
        Input::new("jceks-key", |size| {
            let parameters = tlv(0x30, &[tlv(0x04, &[7; 8]), tlv(0x02, &[100])].concat());
            let scheme = [JCEKS_PROTECTOR, &parameters].concat();
            keystore(0xce, 0xce, &[private_key(&scheme, size / 8 * 8, &[])])
        })
        .up_to(LIMIT),
        Input::new("jks-keys", |size| {
            let one = private_key(JKS_PROTECTOR, size / 600, &[]);
            keystore(0xfe, 0xed, &vec![one; 300])
        })
        .up_to(LIMIT),
        Input::new("jks-chain", |size| {
            let der = certificate(&[]);
            let len = u32::try_from(der.len()).unwrap().to_be_bytes();
            let one = [&[0, 5][..], b"X.509", &len, &der].concat();
            let chain = vec![one; size / (der.len() + 11)];
            keystore(0xfe, 0xed, &[private_key(JKS_PROTECTOR, 64, &chain)])
        })
        .up_to(LIMIT),
        Input::new("jceks-secret-keys", |size| {
            let one = secret_key(1_000);
            let count = size / one.len();
            keystore(0xce, 0xce, &vec![one; count])
        })
        .up_to(LIMIT),
        // As many references to a long class description as there may be.
        Input::new("jceks-long-class", |size| {
            let count = size / 3_500;
            let one = secret_key_of_a_class_with(1_000);
            keystore(0xce, 0xce, &vec![one; count])
        })
        .up_to(LIMIT),
    ]
}

const JKS_PROTECTOR: &[u8] = b"\x06\x0a\x2b\x06\x01\x04\x01\x2a\x02\x11\x01\x01";
const JCEKS_PROTECTOR: &[u8] = b"\x06\x09\x2b\x06\x01\x04\x01\x2a\x02\x13\x01";

/// A keystore under a digest that nobody has made.
fn keystore(first: u8, second: u8, entries: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(entries.len()).unwrap().to_be_bytes();
    let magic = [first, second, first, second, 0, 0, 0, 2];
    [&magic[..], &count, &entries.concat(), &[0; 20]].concat()
}

const ALIAS_AND_TIME: [u8; 11] = [0, 1, b'a', 0, 0, 0, 0, 0, 0, 0, 0];

fn private_key(scheme: &[u8], size: usize, chain: &[Vec<u8>]) -> Vec<u8> {
    let info = [tlv(0x30, scheme), tlv(0x04, &vec![0; size])].concat();
    let info = tlv(0x30, &info);
    let len = u32::try_from(info.len()).unwrap().to_be_bytes();
    let certificates = u32::try_from(chain.len()).unwrap().to_be_bytes();
    [
        &[0, 0, 0, 1][..],
        &ALIAS_AND_TIME,
        &len,
        &info,
        &certificates,
        &chain.concat(),
    ]
    .concat()
}

/// Of an array of octets.
fn secret_key(size: usize) -> Vec<u8> {
    let len = u32::try_from(size).unwrap().to_be_bytes();
    [
        &[0, 0, 0, 3][..],
        &ALIAS_AND_TIME,
        b"\xac\xed\0\x05\x75\x72\0\x02[B\0\0\0\0\0\0\0\0\x02\0\0\x78\x70",
        &len,
        &vec![0; size],
    ]
    .concat()
}

/// An array of such objects, each of which refers to the class of the first.
fn secret_key_of_a_class_with(fields: u16) -> Vec<u8> {
    let field = b"Z\0\0";
    [
        &[0, 0, 0, 3][..],
        &ALIAS_AND_TIME,
        b"\xac\xed\0\x05\x75\x72\0\x02[L\0\0\0\0\0\0\0\0\x02\0\0\x78\x70\0\0\0\x3b",
        b"\x73\x72\0\x01a\0\0\0\0\0\0\0\0\x02",
        &fields.to_be_bytes(),
        &field.repeat(fields.into()),
        b"\x78\x70",
        &vec![0; fields.into()],
        // Arrays of a class that is none of arrays: nothing is in them.
        &b"\x75\x71\0\x7e\0\x02\0\0\0\0".repeat(58),
    ]
    .concat()
}

// --- Configurations ---

pub(crate) fn configurations() -> Vec<Input> {
    vec![
        Input::new("comments", |size| configuration(&"# a\n".repeat(size / 4))),
        Input::new("keys", |size| {
            // As many as there may be, and as long and alike as they can be.
            let key = "a".repeat(size / 4_900 - 10);
            configuration(
                &(0..4_900)
                    .map(|n| format!("{key}{n}: b\n"))
                    .collect::<String>(),
            )
        }),
        Input::new("headers", |size| {
            let value = "b".repeat(size / 4_900 - 10);
            let headers = (0..4_900).map(|n| format!("  a{n}: {value}\n"));
            configuration(&format!("defaultHeaders:\n{}", headers.collect::<String>()))
        }),
        Input::new("variables", |size| {
            configuration(&format!(
                "bot: {{ username: \"{}\" }}\n",
                "${A}".repeat(size / 4)
            ))
        }),
        Input::new("half-variables", |size| {
            configuration(&format!(
                "bot: {{ username: \"{}\" }}\n",
                "${".repeat(size / 2)
            ))
        }),
        Input::new("half-defaults", |size| {
            configuration(&format!(
                "bot: {{ username: \"{}\" }}\n",
                "${A:-".repeat(size / 5)
            ))
        }),
        Input::new("folded", |size| {
            configuration(&["x: a\n", &"  b\n".repeat(size / 4)].concat())
        }),
        Input::new("literal", |size| {
            configuration(&["x: |\n", &"  b\n".repeat(size / 4)].concat())
        }),
        Input::new("quoted", |size| {
            configuration(&["x: \"", &r"\n".repeat(size / 2), "\"\n"].concat())
        }),
        Input::new("blanks", |size| {
            configuration(&["x:", &" ".repeat(size), "a\n"].concat())
        }),
        Input::new("aliases", |size| {
            let text = "a".repeat(size / 2);
            let aliases = (0..size / 128).map(|n| format!("b{n}: *a\n"));
            configuration(&format!("x: &a {text}\n{}", aliases.collect::<String>()))
        })
        .refused("too much text behind aliases"),
        Input::new("flow", |size| {
            configuration(&["x: [", &"a,".repeat(size / 2), "]\n"].concat())
        })
        .refused("too many values"),
        Input::new("open-brackets", |size| {
            configuration(&["x: ", &"[".repeat(size)].concat())
        })
        .refused("recursion limit exceeded"),
    ]
}

fn configuration(more: &str) -> Vec<u8> {
    ["host: a.example\n", more].concat().into()
}

pub(crate) const fn url() -> Input {
    Input::new("path", |size| {
        ["https://a.example", &"/a".repeat(size / 2)]
            .concat()
            .into()
    })
}

pub(crate) const fn proxy() -> Input {
    Input::new("password", |size| {
        ["http://a:", &"%41".repeat(size / 3), "@b:1"]
            .concat()
            .into()
    })
}

// --- What they are made of ---

const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";

fn key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate(KeyKind::EcP256).unwrap())
}

pub(crate) fn key_pem() -> String {
    key().to_pem().unwrap().to_string()
}

pub(crate) fn certificate_pem() -> Vec<u8> {
    block("CERTIFICATE", "", &certificate(&[]))
}

fn pkcs8() -> Vec<u8> {
    key().to_pkcs8_der().unwrap().to_vec()
}

/// A certificate with these extensions, whose signature nobody has made.
fn certificate(extensions: &[u8]) -> Vec<u8> {
    certificate_for(&name(b"Subject"), extensions)
}

fn certificate_for(subject: &[u8], extensions: &[u8]) -> Vec<u8> {
    let algorithm = tlv(0x30, b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
    let time = tlv(0x17, b"260101000000Z");
    let tbs = [
        tlv(0xa0, &tlv(2, &[2])),
        tlv(2, &[1]),
        algorithm.clone(),
        name(b"Issuer"),
        tlv(0x30, &[time.clone(), time].concat()),
        subject.to_vec(),
        key().public_key().spki_der().to_vec(),
        if extensions.is_empty() {
            Vec::new()
        } else {
            tlv(0xa3, &tlv(0x30, extensions))
        },
    ];
    tlv(
        0x30,
        &[tlv(0x30, &tbs.concat()), algorithm, tlv(3, &[0, 1])].concat(),
    )
}

fn request(extensions: &[u8], attributes: &[u8]) -> Vec<u8> {
    let asked = [
        tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"),
        tlv(0x31, &tlv(0x30, extensions)),
    ];
    let asked = if extensions.is_empty() {
        Vec::new()
    } else {
        tlv(0x30, &asked.concat())
    };
    let info = [
        tlv(2, &[0]),
        name(b"Subject"),
        key().public_key().spki_der().to_vec(),
        tlv(0xa0, &[attributes, &asked].concat()),
    ];
    let algorithm = tlv(0x30, b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
    tlv(
        0x30,
        &[tlv(0x30, &info.concat()), algorithm, tlv(3, &[0, 1])].concat(),
    )
}

fn extensions(size: usize) -> Vec<u8> {
    numbered(size / 13, |n| extension(&[&[0x2a, 3], n].concat(), &[]))
}

fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(0x06, oid), tlv(0x04, value)].concat())
}

fn name(common: &[u8]) -> Vec<u8> {
    tlv(0x30, &tlv(0x31, &common_name(common)))
}

fn rdns(size: usize) -> Vec<u8> {
    let one = tlv(0x31, &common_name(b"a"));
    tlv(0x30, &one.repeat(size / one.len()))
}

fn common_name(value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(0x06, &[0x55, 4, 3]), tlv(0x0c, value)].concat())
}

/// Elements that differ in the last four octets of an object identifier, none of which begins with a zero.
fn numbered(count: usize, element: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let digit = |n: usize, shift: u32| u8::try_from((n >> shift) & 0x7f).unwrap();
    (0..count)
        .flat_map(|n| {
            element(&[
                digit(n, 21) | 0xc0,
                digit(n, 14) | 0x80,
                digit(n, 7) | 0x80,
                digit(n, 0),
            ])
        })
        .collect()
}

fn bundle(bags: &[u8]) -> Vec<u8> {
    pfx(&tlv(
        0x30,
        &[key_bag(), certificate_bag(&[]), bags.to_vec()].concat(),
    ))
}

/// A PKCS#12 file of one part, without a MAC.
fn pfx(safe_contents: &[u8]) -> Vec<u8> {
    let data = |octets: &[u8]| {
        let explicit = tlv(0xa0, &tlv(4, octets));
        tlv(
            0x30,
            &[tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"), explicit].concat(),
        )
    };
    let authenticated_safe = tlv(0x30, &data(safe_contents));
    tlv(0x30, &[tlv(2, &[3]), data(&authenticated_safe)].concat())
}

fn key_bag() -> Vec<u8> {
    bag(1, &pkcs8(), &[])
}

fn certificate_bag(attributes: &[u8]) -> Vec<u8> {
    let x509 = tlv(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01");
    let value = tlv(0xa0, &tlv(4, &certificate(&[])));
    bag(3, &tlv(0x30, &[x509, value].concat()), attributes)
}

fn bag(kind: u8, value: &[u8], attributes: &[u8]) -> Vec<u8> {
    let oid = [b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01", &[kind][..]].concat();
    let attributes = if attributes.is_empty() {
        Vec::new()
    } else {
        tlv(0x31, attributes)
    };
    tlv(
        0x30,
        &[tlv(0x06, &oid), tlv(0xa0, value), attributes].concat(),
    )
}

/// The same with indefinite lengths.
fn bag_ber(kind: u8, value: &[u8]) -> Vec<u8> {
    let oid = [b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01", &[kind][..]].concat();
    [
        &[0x30, 0x80],
        &tlv(0x06, &oid)[..],
        &[0xa0, 0x80],
        value,
        &[0; 4],
    ]
    .concat()
}

/// One PEM block with this text between its BEGIN line and its body.
fn block(label: &str, headers: &str, der: &[u8]) -> Vec<u8> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let body = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{headers}{body}\n-----END {label}-----\n").into()
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let len = contents.len();
    let digits: Vec<u8> = len
        .to_be_bytes()
        .into_iter()
        .skip_while(|octet| *octet == 0)
        .collect();
    let mut out = vec![tag];
    if len < 0x80 {
        out.push(u8::try_from(len).unwrap());
    } else {
        out.push(0x80 | u8::try_from(digits.len()).unwrap());
        out.extend(digits);
    }
    out.extend_from_slice(contents);
    out
}

fn contents(element: &[u8]) -> &[u8] {
    let header = match element.get(1) {
        Some(len @ 0x81..) => 2 + usize::from(len & 0x7f),
        _ => 2,
    };
    element.get(header..).unwrap()
}
