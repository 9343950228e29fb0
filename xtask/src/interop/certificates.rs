//! Certificates and CAs.
use super::{
    case::{Case, agrees, read_by_us, reads_ours},
    tool::Tool::{Gnutls, Java, Nss, Openssl, Python},
};

/// What is asked for in the profile of a leaf and in that of a CA, and what openssl says of it.
const PROFILE_FILE: &str = r#"
    sign() {
        countersign ca sign --ca-cert $OURS/root.crt.pem --ca-key $OURS/root.key.pem --ca-passin env:PASS \
            --csr $OURS/bot.csr.pem --profile-file $1.toml --out $1.pem 2>&1
        openssl x509 -in $1.pem -noout -text | tr -s ' \n' ' ' > $1.text
    }
    cat > leaf.toml <<END
key-usage = ["digitalSignature", "nonRepudiation", "keyEncipherment"]
extended-key-usage = ["clientAuth", "codeSigning", "1.3.6.1.4.1.311.20.2.2"]
crl-distribution-points = ["http://ca.example.com/ca.crl"]
freshest-crl = ["http://ca.example.com/delta.crl"]
ocsp = ["http://ocsp.example.com/"]
ca-issuers = ["http://ca.example.com/ca.cer"]
issuer-alt-names = ["URI:http://ca.example.com/"]
certificate-policies = [{ policy = "1.2.3", cps = ["http://cps.example.com/"], notice = "Read it" }]
tls-feature = [5]
custom-extensions = [{ oid = "1.2.3.4.5", critical = true, der = "0500" }]
critical = ["extended-key-usage"]
not-critical = ["key-usage"]
subject.fixed = "/CN=fixed/O=Excelsior Bank"
validity = { for = "90m", clamped = true }
[names]
fixed = ["DNS:a.example.com", "IP:192.0.2.1", "IP:2001:db8::1", "email:a@example.com", "URI:spiffe://example.com/a",
    "dirName:CN=b,O=c", "registeredID:1.2.3.4", "UPN:u@example.com"]
END
    cat > ca.toml <<END
basic-constraints = { ca = true, path-len = 300 }
key-usage = ["keyCertSign", "cRLSign"]
name-constraints = { permitted = ["DNS:example.com", "IP:10.0.0.0/8", "URI:.example.com"], excluded = ["email:example.com", "dirName:O=d"] }
policy-mappings = [{ issuer = "1.2.3", subject = "1.2.4" }]
policy-constraints = { require-explicit-policy = 3, inhibit-policy-mapping = 0 }
inhibit-any-policy = 2
validity = { for = "1000000d", clamped = true }
END
    sign leaf
    has 'Subject: CN = fixed, O = Excelsior Bank' < leaf.text
    has 'X509v3 Key Usage: Digital Signature, Non Repudiation, Key Encipherment X509v3' < leaf.text
    has 'X509v3 Extended Key Usage: critical TLS Web Client Authentication, Code Signing, Microsoft Smartcard Login X509v3' < leaf.text
    has 'X509v3 CRL Distribution Points: Full Name: URI:http://ca.example.com/ca.crl X509v3' < leaf.text
    has 'X509v3 Freshest CRL: Full Name: URI:http://ca.example.com/delta.crl' < leaf.text
    has 'Authority Information Access: OCSP - URI:http://ocsp.example.com/ CA Issuers - URI:http://ca.example.com/ca.cer' < leaf.text
    has 'X509v3 Issuer Alternative Name: URI:http://ca.example.com/' < leaf.text
    has 'X509v3 Certificate Policies: Policy: 1.2.3 CPS: http://cps.example.com/ User Notice: Explicit Text: Read it' < leaf.text
    has 'TLS Feature: status_request ' < leaf.text
    has '1.2.3.4.5: critical' < leaf.text
    has 'X509v3 Basic Constraints: critical CA:FALSE' < leaf.text
    has 'X509v3 Subject Alternative Name: DNS:a.example.com, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:a@example.com, URI:spiffe://example.com/a, DirName:/\?O *= *c' < leaf.text
    has 'Registered ID:1.2.3.4, othername: UPN' < leaf.text
    openssl x509 -in leaf.pem -noout -checkend 5000
    fails openssl x509 -in leaf.pem -noout -checkend 5460
    sign ca
    has 'X509v3 Basic Constraints: critical CA:TRUE, pathlen:300' < ca.text
    has 'X509v3 Key Usage: critical Certificate Sign, CRL Sign' < ca.text
    has 'X509v3 Name Constraints: critical Permitted: DNS:example.com IP:10.0.0.0/255.0.0.0 URI:.example.com Excluded: email:example.com DirName: *O *= *d' < ca.text
    has 'X509v3 Policy Mappings: critical 1.2.3:1.2.4' < ca.text
    has 'X509v3 Policy Constraints: critical Require Explicit Policy:3, Inhibit Policy Mapping:0' < ca.text
    has 'X509v3 Inhibit Any Policy: critical 2' < ca.text
    same "$(openssl x509 -in ca.pem -noout -enddate)" "$(openssl x509 -in $OURS/root.crt.pem -noout -enddate)"
"#;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // Leaf, its issuer below the root (if there is one), and the root.
    for (what, leaf, root, purpose, python) in [
        ("client chain, RSA 4096", "bot", "root", "client", "client"),
        ("server chain, RSA", "server", "root", "server", "server"),
        (
            "client chain, EC, intricate names",
            "intricate-bot",
            "intricate-root",
            "client",
            "client",
        ),
    ] {
        let host = if purpose == "server" { "localhost" } else { "" };
        let usage = if purpose == "server" { "V" } else { "C" };
        cases.extend([
            reads_ours(
                Openssl,
                what,
                format!("openssl verify -x509_strict -purpose ssl{purpose} -CAfile $OURS/{root}.crt.pem -untrusted $OURS/{leaf}.chain.pem $OURS/{leaf}.crt.pem"),
            ),
            reads_ours(
                Gnutls,
                what,
                format!("certtool --verify --load-ca-certificate $OURS/{root}.crt.pem --infile $OURS/{leaf}.chain.pem"),
            ),
            reads_ours(Java, what, format!("pkix $OURS/{root}.crt.pem $OURS/{leaf}.chain.pem")),
            reads_ours(Python, what, format!("judge {python} $OURS/{root}.crt.pem $OURS/{leaf}.chain.pem {host}")),
            reads_ours(
                Nss,
                what,
                format!(
                    "mkdir db; certutil -N -d sql:db --empty-password
                    certutil -A -d sql:db -n root -t CT,, -a -i $OURS/{root}.crt.pem
                    [ {root} != root ] || certutil -A -d sql:db -n signing -t ,, -a -i $OURS/signing.crt.pem
                    certutil -A -d sql:db -n leaf -t ,, -a -i $OURS/{leaf}.crt.pem
                    certutil -V -d sql:db -n leaf -u {usage} -e"
                ),
            ),
        ]);
    }
    cases.extend([
        reads_ours(
            Openssl,
            "certificate fields of the workflow",
            "openssl x509 -in $OURS/bot.crt.pem -noout -text > text
            has 'Version: 3 ' < text; has 'Serial Number: 1 ' < text; has sha256WithRSAEncryption < text
            has 'TLS Web Client Authentication' < text; has 'Authority Key Identifier' < text
            has 'Subject Key Identifier' < text
            openssl x509 -in $OURS/bot.crt.pem -noout -checkend $((2920 * 86400))",
        ),
        reads_ours(Java, "certificate, keytool -printcert", "keytool -printcert -file $OURS/bot.crt.pem | has 'CN=demo-bot1'"),
        reads_ours(
            Openssl,
            "the issuer's name, octet for octet",
            "for pair in bot:signing signing:root intricate-bot:intricate-root; do
                same \"$(judge name subject $OURS/${pair#*:}.crt.pem)\" \"$(judge name issuer $OURS/${pair%:*}.crt.pem)\"
            done",
        ),
        reads_ours(
            Openssl,
            "every extension of a profile's file",
            PROFILE_FILE,
        ),
        reads_ours(
            Openssl,
            "a client is no server",
            "fails openssl verify -purpose sslserver -CAfile $OURS/root.crt.pem -untrusted $OURS/signing.crt.pem $OURS/bot.crt.pem",
        ),
    ]);

    for (what, subject) in [
        (
            "two OUs",
            "/O=Excelsior Bank/OU=Security/OU=PKI/CN=Their Root",
        ),
        ("several DCs", "/DC=com/DC=example/DC=bank/CN=Their Root"),
        (
            "a multi-valued RDN",
            "/O=Excelsior Bank/OU=Security+CN=Their Root",
        ),
        (
            "everything at once",
            "/DC=com/DC=example/O=Bänk/OU=Security/OU=PKI+CN=Their Root+UID=1",
        ),
    ] {
        cases.push(read_by_us(
            Openssl,
            format!("CA with {what}, key under -aes256"),
            format!(
                "openssl genrsa -aes256 -passout env:PASS -out ca.key 2048
                openssl req -x509 -new -utf8 -key ca.key -passin env:PASS -subj '{subject}' -days 3650 \\
                    -addext keyUsage=critical,keyCertSign,cRLSign -out ca.crt
                {SIGNED_BY_THEIR_AUTHORITY}"
            ),
        ));
    }
    cases.extend([
        read_by_us(
            Openssl,
            "CA with a traditional key and TeletexStrings",
            format!(
                "printf '[req]\\nstring_mask = MASK:0x4\\ndistinguished_name = dn\\n[dn]\\n' > teletex.cnf
                openssl genrsa -traditional -aes256 -passout env:PASS -out ca.key 2048
                openssl req -x509 -new -config teletex.cnf -key ca.key -passin env:PASS -subj '/O=Excelsior Bank/CN=Old Root' \\
                    -days 3650 -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \\
                    -addext subjectKeyIdentifier=hash -out ca.crt
                openssl asn1parse -in ca.crt | has T61STRING
                {SIGNED_BY_THEIR_AUTHORITY}"
            ),
        ),
        read_by_us(
            Openssl,
            "CA with an EC key and no keyUsage",
            format!(
                "STRICT= # openssl calls what it makes by default incomplete
                openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout env:PASS -keyout ca.key \\
                    -subj '/CN=Their Root' -days 3650 -out ca.crt
                {SIGNED_BY_THEIR_AUTHORITY}"
            ),
        ),
        read_by_us(
            Gnutls,
            "CA made by certtool",
            format!(
                "printf 'cn = Their Root\\norganization = Excelsior Bank\\nca\\ncert_signing_key\\nexpiration_days = 3650\\n' > template
                certtool --generate-privkey --key-type rsa --bits 2048 --no-text --outfile ca.key
                certtool --generate-self-signed --load-privkey ca.key --template template --outfile ca.crt
                {SIGNED_BY_THEIR_AUTHORITY}"
            ),
        ),
        read_by_us(
            Openssl,
            "a leaf is no CA",
            "openssl req -x509 -new -newkey rsa:2048 -noenc -keyout ca.key -subj '/CN=Leaf' -out ca.crt -addext basicConstraints=CA:FALSE
            refuses countersign ca sign --ca-cert ca.crt --ca-key ca.key --csr $OURS/bot.csr.pem --out c.pem 2>&1 |
                has 'may not sign certificates'
            [ ! -e c.pem ]",
        ),
        read_by_us(
            Openssl,
            "an X.509 v1 certificate",
            "openssl x509 -req -in $OURS/bot.csr.pem -CA $OURS/signing.crt.pem -CAkey $OURS/signing.key.pem -passin env:PASS \\
                -days 30 -set_serial 0x1 -out v1.pem
            countersign inspect v1.pem --json > report; has demo-bot1 < report",
        ),
        agrees(
            Openssl,
            "a request with a broken signature is refused",
            "openssl req -in $OURS/bot.csr.pem -outform DER | head -c -1 > r.der; printf '\\x00' >> r.der
            { openssl req -inform DER -in r.der -verify -noout 2>&1 || true; } | has 'verif.* failure'
            refuses countersign ca sign --ca-cert $OURS/signing.crt.pem --ca-key $OURS/signing.key.pem --ca-passin env:PASS \\
                --csr r.der --out c.pem 2>&1 | has 'signature of the certificate request'
            [ ! -e c.pem ]",
        ),
    ]);
    cases
}

/// Their CA signs through us: the chain is judged strictly, and the issuer's name is the CA's subject.
const SIGNED_BY_THEIR_AUTHORITY: &str =
    "countersign ca sign --ca-cert ca.crt --ca-key ca.key --ca-passin env:PASS \\
        --csr $OURS/bot.csr.pem --days 30 --out c.pem
    openssl verify ${STRICT--x509_strict} -purpose sslclient -CAfile ca.crt c.pem
    certtool --verify --load-ca-certificate ca.crt --infile c.pem
    same \"$(judge name subject ca.crt)\" \"$(judge name issuer c.pem)\"";
