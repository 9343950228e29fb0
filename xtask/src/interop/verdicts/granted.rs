//! What a profile can grant, option by option, in TOML; what openssl prints of it; and what becomes of the chain.

use self::Verdict::Accepts;

/// An option of a profile, granted alone.
pub(super) struct Granted {
    pub(super) granted: &'static str,
    /// Keys of the profile, beside the usual ones.
    pub(super) profile: &'static str,
    /// Where the profile is a CA's, likewise for the leaf below it.
    pub(super) leaf: Option<&'static str>,
    /// What stands in `openssl x509 -text`.
    pub(super) prints: &'static [&'static str],
    /// Of openssl, GnuTLS, Java and webpki.
    pub(super) verdicts: [Verdict; 4],
}

#[derive(Clone, Copy)]
pub(super) enum Verdict {
    Accepts,
    Refuses {
        /// A part of what the judge says.
        says: &'static str,
        why: &'static str,
    },
}

impl Verdict {
    /// The verdict, and a part of what the judge says.
    pub(super) fn expected(self) -> (&'static str, &'static str) {
        match self {
            Self::Accepts => ("accepted", ""),
            Self::Refuses { says, .. } => ("refused", says),
        }
    }

    pub(super) fn shown(self) -> String {
        match self {
            Self::Accepts => "accepts".to_owned(),
            Self::Refuses { why, .. } => format!("refuses: {why}"),
        }
    }
}

pub(super) const LEAVES: &[Granted] = &[
    Granted {
        granted: "nothing but key usage and extended key usage",
        profile: "",
        leaf: None,
        prints: &[
            "X509v3 Key Usage: critical Digital Signature X509v3",
            "X509v3 Extended Key Usage: TLS Web Client Authentication S",
            "X509v3 Basic Constraints: critical CA:FALSE",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "key usage, not critical",
        profile: "not-critical = ['key-usage']",
        leaf: None,
        prints: &["X509v3 Key Usage: Digital Signature X509v3"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "key usage of every kind that a key for ECDSA has",
        profile: "key-usage = ['digitalSignature', 'nonRepudiation', 'keyAgreement', 'encipherOnly', 'decipherOnly']",
        leaf: None,
        prints: &[
            "X509v3 Key Usage: critical Digital Signature, Non Repudiation, Key Agreement, Encipher Only, Decipher Only X509v3",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "extended key usage, critical",
        profile: "critical = ['extended-key-usage']",
        leaf: None,
        prints: &["X509v3 Extended Key Usage: critical TLS Web Client Authentication S"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "extended key usage with purposes of every kind",
        profile: "extended-key-usage = ['serverAuth', 'clientAuth', 'codeSigning', 'emailProtection', 'timeStamping', 'OCSPSigning', '1.3.6.1.4.1.311.20.2.2', '1.2.3.4']",
        leaf: None,
        prints: &[
            "X509v3 Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication, Code Signing, E-mail Protection, Time Stamping, OCSP Signing, Microsoft Smartcard Login, 1.2.3.4 S",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "anyExtendedKeyUsage alone",
        profile: "extended-key-usage = ['anyExtendedKeyUsage']",
        leaf: None,
        prints: &["X509v3 Extended Key Usage: Any Extended Key Usage S"],
        verdicts: [
            refuses(
                "unsuitable certificate purpose",
                "any purpose is not that of a client",
            ),
            Accepts,
            Accepts,
            refuses("RequiredEkuNotFound", "any purpose is not that of a client"),
        ],
    },
    Granted {
        granted: "no basic constraints",
        profile: "without-basic-constraints = true",
        leaf: None,
        prints: &["X509v3 Extended Key Usage: TLS Web Client Authentication S"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "basic constraints, not critical",
        profile: "basic-constraints = { ca = false }\nnot-critical = ['basic-constraints']",
        leaf: None,
        prints: &["X509v3 Basic Constraints: CA:FALSE"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names: DNS",
        profile: "names.fixed = ['DNS:a.example.com', 'DNS:*.example.com']",
        leaf: None,
        prints: &["X509v3 Subject Alternative Name: DNS:a.example.com, DNS:*.example.com"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names: IP",
        profile: "names.fixed = ['IP:192.0.2.1', 'IP:2001:db8::1']",
        leaf: None,
        prints: &[
            "X509v3 Subject Alternative Name: IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names: email",
        profile: "names.fixed = ['email:a@example.com']",
        leaf: None,
        prints: &["X509v3 Subject Alternative Name: email:a@example.com"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names: URI",
        profile: "names.fixed = ['URI:spiffe://example.com/a']",
        leaf: None,
        prints: &["X509v3 Subject Alternative Name: URI:spiffe://example.com/a"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names: dirName",
        profile: "names.fixed = ['dirName:CN=a,O=b']",
        leaf: None,
        prints: &["X509v3 Subject Alternative Name: DirName:/O=b/CN=a"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names: registeredID",
        profile: "names.fixed = ['registeredID:1.2.3.4']",
        leaf: None,
        prints: &["X509v3 Subject Alternative Name: Registered ID:1.2.3.4"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names: UPN",
        profile: "names.fixed = ['UPN:u@example.com']",
        leaf: None,
        prints: &["X509v3 Subject Alternative Name: othername: UPN::u@example.com"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names: otherName",
        profile: "names.fixed = ['otherName:1.2.3.4:0c0161']",
        leaf: None,
        prints: &["X509v3 Subject Alternative Name: othername: 1.2.3.4::a"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names, critical",
        profile: "names = { fixed = ['DNS:a.example.com'], critical = true }",
        leaf: None,
        prints: &["X509v3 Subject Alternative Name: critical DNS:a.example.com"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "names beside an empty subject",
        profile: "names.fixed = ['DNS:a.example.com']\nsubject.fixed = '/'",
        leaf: None,
        prints: &[
            "Subject: Subject Public Key Info",
            "X509v3 Subject Alternative Name: critical DNS:a.example.com",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "a fixed subject",
        profile: "subject.fixed = '/CN=fixed/O=Excelsior Bank'",
        leaf: None,
        prints: &["Subject: CN = fixed, O = Excelsior Bank Subject"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "CRL distribution points: a URI",
        profile: "crl-distribution-points = ['http://ca.example.com/ca.crl']",
        leaf: None,
        prints: &["X509v3 CRL Distribution Points: Full Name: URI:http://ca.example.com/ca.crl S"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "CRL distribution points: names, reasons and a CRL issuer",
        profile: "crl-distribution-points = [{ names = ['URI:http://ca.example.com/ca.crl', 'dirName:CN=c'], reasons = ['keyCompromise', 'aACompromise'], crl-issuer = ['dirName:CN=d'] }]",
        leaf: None,
        prints: &[
            "X509v3 CRL Distribution Points: Full Name: URI:http://ca.example.com/ca.crl DirName:CN = c Reasons: Key Compromise, AA Compromise CRL Issuer: DirName:CN = d",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "CRL distribution points: a name relative to the issuer's",
        profile: "crl-distribution-points = [{ relative-name = 'CN=c' }]",
        leaf: None,
        prints: &["X509v3 CRL Distribution Points: Relative Name: CN = c"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "CRL distribution points, critical",
        profile: "crl-distribution-points = ['http://ca.example.com/ca.crl']\ncritical = ['crl-distribution-points']",
        leaf: None,
        prints: &[
            "X509v3 CRL Distribution Points: critical Full Name: URI:http://ca.example.com/ca.crl",
        ],
        verdicts: [Accepts, Accepts, JAVA_KNOWS_NOT, Accepts],
    },
    Granted {
        granted: "freshest CRL",
        profile: "freshest-crl = ['http://ca.example.com/delta.crl']",
        leaf: None,
        prints: &["X509v3 Freshest CRL: Full Name: URI:http://ca.example.com/delta.crl"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "authority information access",
        profile: "ocsp = ['http://ocsp.example.com/']\nca-issuers = ['http://ca.example.com/ca.cer']",
        leaf: None,
        prints: &[
            "Authority Information Access: OCSP - URI:http://ocsp.example.com/ CA Issuers - URI:http://ca.example.com/ca.cer",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "subject information access",
        profile: "subject-information-access = [{ method = 'caRepository', location = 'URI:http://ca.example.com/' }, { method = 'timeStamping', location = 'URI:http://ts.example.com/' }]",
        leaf: None,
        prints: &[
            "Subject Information Access: CA Repository - URI:http://ca.example.com/ AD Time Stamping - URI:http://ts.example.com/",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "issuer alternative names",
        profile: "issuer-alt-names = ['URI:http://ca.example.com/', 'DNS:ca.example.com']",
        leaf: None,
        prints: &["X509v3 Issuer Alternative Name: URI:http://ca.example.com/, DNS:ca.example.com"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "issuer alternative names, critical",
        profile: "issuer-alt-names = ['URI:http://ca.example.com/']\ncritical = ['issuer-alt-names']",
        leaf: None,
        prints: &["X509v3 Issuer Alternative Name: critical URI:http://ca.example.com/"],
        verdicts: [OPENSSL_KNOWS_NOT, Accepts, JAVA_KNOWS_NOT, WEBPKI_KNOWS_NOT],
    },
    Granted {
        granted: "certificate policies",
        profile: "certificate-policies = [{ policy = '1.2.3' }, { policy = '1.2.4' }]",
        leaf: None,
        prints: &["X509v3 Certificate Policies: Policy: 1.2.3 Policy: 1.2.4"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "certificate policies: anyPolicy",
        profile: "certificate-policies = [{ policy = 'anyPolicy' }]",
        leaf: None,
        prints: &["X509v3 Certificate Policies: Policy: X509v3 Any Policy"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "certificate policies with qualifiers",
        profile: "certificate-policies = [{ policy = '1.2.3', cps = ['http://cps.example.com/'], notice = 'Read it' }]",
        leaf: None,
        prints: &[
            "X509v3 Certificate Policies: Policy: 1.2.3 CPS: http://cps.example.com/ User Notice: Explicit Text: Read it",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "certificate policies with a reference to a notice",
        profile: "certificate-policies = [{ policy = '1.2.3', notice = { text = 'Read it', organization = 'Bank', numbers = [1, 2] } }]",
        leaf: None,
        prints: &[
            "X509v3 Certificate Policies: Policy: 1.2.3 User Notice: Organization: Bank Numbers: 1, 2 Explicit Text: Read it",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "certificate policies, critical",
        profile: "certificate-policies = [{ policy = '1.2.3' }]\ncritical = ['certificate-policies']",
        leaf: None,
        prints: &["X509v3 Certificate Policies: critical Policy: 1.2.3"],
        verdicts: [Accepts, Accepts, Accepts, WEBPKI_POLICIES],
    },
    Granted {
        granted: "TLS feature",
        profile: "tls-feature = [5, 17]",
        leaf: None,
        prints: &["TLS Feature: status_request, status_request_v2"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "TLS feature, critical",
        profile: "tls-feature = [5]\ncritical = ['tls-feature']",
        leaf: None,
        prints: &["TLS Feature: critical status_request"],
        verdicts: [OPENSSL_KNOWS_NOT, Accepts, JAVA_KNOWS_NOT, WEBPKI_KNOWS_NOT],
    },
    Granted {
        granted: "a custom extension",
        profile: "custom-extensions = [{ oid = '1.2.3.4.5', der = '0c0161' }]",
        leaf: None,
        prints: &["1.2.3.4.5: ..a"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "a custom extension, critical",
        profile: "custom-extensions = [{ oid = '1.2.3.4.5', critical = true, der = '0c0161' }]",
        leaf: None,
        prints: &["1.2.3.4.5: critical ..a"],
        verdicts: [
            OPENSSL_KNOWS_NOT,
            GNUTLS_KNOWS_NOT,
            JAVA_KNOWS_NOT,
            WEBPKI_KNOWS_NOT,
        ],
    },
    Granted {
        granted: "validity of minutes",
        profile: "validity = { for = '90m', backdated = '1h' }",
        leaf: None,
        prints: &[],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "validity between exact dates",
        profile: "validity = { not-before = 2026-01-01T00:00:00Z, not-after = 2049-12-31T23:59:59Z }",
        leaf: None,
        prints: &["Not Before: Jan 1 00:00:00 2026 GMT Not After : Dec 31 23:59:59 2049 GMT"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "validity beyond 2049",
        profile: "validity = { not-before = 2026-01-01T00:00:00Z, not-after = 2050-01-01T00:00:00Z }",
        leaf: None,
        prints: &["Not After : Jan 1 00:00:00 2050 GMT"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "validity without a well-defined end",
        profile: "validity.forever = true",
        leaf: None,
        prints: &["Not After : Dec 31 23:59:59 9999 GMT"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
];

pub(super) const AUTHORITIES: &[Granted] = &[
    Granted {
        granted: "nothing but key usage",
        profile: "",
        leaf: Some(""),
        prints: &[
            "X509v3 Basic Constraints: critical CA:TRUE X509v3",
            "X509v3 Key Usage: critical Certificate Sign, CRL Sign",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "path length",
        profile: "basic-constraints = { ca = true, path-len = 0 }",
        leaf: Some(""),
        prints: &["X509v3 Basic Constraints: critical CA:TRUE, pathlen:0"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "key usage, not critical",
        profile: "not-critical = ['key-usage']",
        leaf: Some(""),
        prints: &["X509v3 Key Usage: Certificate Sign, CRL Sign"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "extended key usage",
        profile: "extended-key-usage = ['clientAuth', 'serverAuth']",
        leaf: Some(""),
        prints: &[
            "X509v3 Extended Key Usage: TLS Web Client Authentication, TLS Web Server Authentication",
        ],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "extended key usage, critical",
        profile: "extended-key-usage = ['clientAuth']\ncritical = ['extended-key-usage']",
        leaf: Some(""),
        prints: &["X509v3 Extended Key Usage: critical TLS Web Client Authentication"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "name constraints: permitted DNS",
        profile: "name-constraints.permitted = ['DNS:example.com']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Permitted: DNS:example.com"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "name constraints: excluded DNS",
        profile: "name-constraints.excluded = ['DNS:example.org']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Excluded: DNS:example.org"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "name constraints: permitted IP",
        profile: "name-constraints.permitted = ['IP:10.0.0.0/8']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Permitted: IP:10.0.0.0/255.0.0.0"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "name constraints: excluded IP",
        profile: "name-constraints.excluded = ['IP:192.0.2.0/24']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Excluded: IP:192.0.2.0/255.255.255.0"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "name constraints: permitted email",
        profile: "name-constraints.permitted = ['email:example.com']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Permitted: email:example.com"],
        verdicts: [
            Accepts,
            Accepts,
            Accepts,
            refuses(
                "NameConstraintViolation",
                "it doesn't compare e-mail addresses",
            ),
        ],
    },
    Granted {
        granted: "name constraints: excluded email",
        profile: "name-constraints.excluded = ['email:b@example.com']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Excluded: email:b@example.com"],
        verdicts: [
            Accepts,
            Accepts,
            Accepts,
            refuses(
                "NameConstraintViolation",
                "it doesn't compare e-mail addresses",
            ),
        ],
    },
    Granted {
        granted: "name constraints: permitted URI",
        profile: "name-constraints.permitted = ['URI:.example.com']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Permitted: URI:.example.com"],
        verdicts: [
            Accepts,
            Accepts,
            Accepts,
            refuses("NameConstraintViolation", "it doesn't compare URIs"),
        ],
    },
    Granted {
        granted: "name constraints: excluded URI",
        profile: "name-constraints.excluded = ['URI:.example.org']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Excluded: URI:.example.org"],
        verdicts: [
            Accepts,
            refuses(
                "violates the signer's constraints",
                "it doesn't compare URIs",
            ),
            Accepts,
            refuses("NameConstraintViolation", "it doesn't compare URIs"),
        ],
    },
    Granted {
        granted: "name constraints: permitted dirName",
        profile: "name-constraints.permitted = ['dirName:O=b']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Permitted: DirName:O = b"],
        verdicts: [
            Accepts,
            Accepts,
            Accepts,
            refuses(
                "NameConstraintViolation",
                "it doesn't compare directory names",
            ),
        ],
    },
    Granted {
        granted: "name constraints: excluded dirName",
        profile: "name-constraints.excluded = ['dirName:O=c']",
        leaf: Some(
            "names.fixed = ['DNS:a.example.com', 'IP:10.0.0.1', 'email:a@example.com', 'URI:http://a.example.com/']",
        ),
        prints: &["X509v3 Name Constraints: critical Excluded: DirName:O = c"],
        verdicts: [
            Accepts,
            refuses(
                "violates the signer's constraints",
                "it doesn't compare directory names",
            ),
            Accepts,
            refuses(
                "NameConstraintViolation",
                "it doesn't compare directory names",
            ),
        ],
    },
    Granted {
        granted: "certificate policies",
        profile: "certificate-policies = [{ policy = '1.2.3' }]",
        leaf: Some("certificate-policies = [{ policy = '1.2.3' }]"),
        prints: &["X509v3 Certificate Policies: Policy: 1.2.3"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "certificate policies, critical",
        profile: "certificate-policies = [{ policy = '1.2.3' }]\ncritical = ['certificate-policies']",
        leaf: Some("certificate-policies = [{ policy = '1.2.3' }]"),
        prints: &["X509v3 Certificate Policies: critical Policy: 1.2.3"],
        verdicts: [Accepts, Accepts, Accepts, WEBPKI_POLICIES],
    },
    Granted {
        granted: "policy mappings",
        profile: "certificate-policies = [{ policy = '1.2.3' }]\npolicy-mappings = [{ issuer = '1.2.3', subject = '1.2.4' }]",
        leaf: Some("certificate-policies = [{ policy = '1.2.4' }]"),
        prints: &["X509v3 Policy Mappings: critical 1.2.3:1.2.4"],
        verdicts: [
            Accepts,
            refuses("unknown critical extension", "it evaluates no policies"),
            Accepts,
            WEBPKI_POLICIES,
        ],
    },
    Granted {
        granted: "policy mappings, not critical",
        profile: "certificate-policies = [{ policy = '1.2.3' }]\npolicy-mappings = [{ issuer = '1.2.3', subject = '1.2.4' }]\nnot-critical = ['policy-mappings']",
        leaf: Some("certificate-policies = [{ policy = '1.2.4' }]"),
        prints: &["X509v3 Policy Mappings: 1.2.3:1.2.4"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "policy constraints: a policy is required",
        profile: "certificate-policies = [{ policy = '1.2.3' }]\npolicy-constraints = { require-explicit-policy = 0 }",
        leaf: Some("certificate-policies = [{ policy = '1.2.3' }]"),
        prints: &["X509v3 Policy Constraints: critical Require Explicit Policy:0"],
        verdicts: [
            refuses(
                "no explicit policy",
                "it takes none for acceptable unless `-policy` names some (`-policy 2.5.29.32.0` is any of them)",
            ),
            refuses("unknown critical extension", "it evaluates no policies"),
            Accepts,
            WEBPKI_POLICIES,
        ],
    },
    Granted {
        granted: "policy constraints: mappings are inhibited",
        profile: "certificate-policies = [{ policy = '1.2.3' }]\npolicy-constraints = { inhibit-policy-mapping = 0 }",
        leaf: Some("certificate-policies = [{ policy = '1.2.3' }]"),
        prints: &["X509v3 Policy Constraints: critical Inhibit Policy Mapping:0"],
        verdicts: [
            Accepts,
            refuses("unknown critical extension", "it evaluates no policies"),
            Accepts,
            WEBPKI_POLICIES,
        ],
    },
    Granted {
        granted: "inhibitAnyPolicy",
        profile: "certificate-policies = [{ policy = '1.2.3' }]\ninhibit-any-policy = 0",
        leaf: Some("certificate-policies = [{ policy = '1.2.3' }]"),
        prints: &["X509v3 Inhibit Any Policy: critical 0"],
        verdicts: [Accepts, Accepts, Accepts, WEBPKI_POLICIES],
    },
    Granted {
        granted: "freshest CRL, CRL distribution points, authority and subject information access",
        profile: "crl-distribution-points = ['http://ca.example.com/ca.crl']\nfreshest-crl = ['http://ca.example.com/delta.crl']\nocsp = ['http://ocsp.example.com/']\nsubject-information-access = [{ method = 'caRepository', location = 'URI:http://ca.example.com/' }]",
        leaf: Some(""),
        prints: &["Subject Information Access: CA Repository - URI:http://ca.example.com/"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "TLS feature",
        profile: "tls-feature = [5]",
        leaf: Some("tls-feature = [5]"),
        prints: &["TLS Feature: status_request"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
    Granted {
        granted: "a custom extension",
        profile: "custom-extensions = [{ oid = '1.2.3.4.5', der = '0c0161' }]",
        leaf: Some(""),
        prints: &["1.2.3.4.5: ..a"],
        verdicts: [Accepts, Accepts, Accepts, Accepts],
    },
];

const fn refuses(says: &'static str, why: &'static str) -> Verdict {
    Verdict::Refuses { says, why }
}

const UNKNOWN: &str = "a critical extension that it doesn't know";
const OPENSSL_KNOWS_NOT: Verdict = refuses("unhandled critical extension", UNKNOWN);
const GNUTLS_KNOWS_NOT: Verdict = refuses("unknown critical extension", UNKNOWN);
const JAVA_KNOWS_NOT: Verdict = refuses("unrecognized critical extension", UNKNOWN);
const WEBPKI_KNOWS_NOT: Verdict = refuses("UnsupportedCriticalExtension", UNKNOWN);
const WEBPKI_POLICIES: Verdict =
    refuses("UnsupportedCriticalExtension", "it evaluates no policies");
