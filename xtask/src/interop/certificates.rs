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
            "a certificate that its own key signed, for a server",
            "countersign cert self-sign --key $OURS/rsa.key.pem --subject /CN=localhost --dns localhost --ip 127.0.0.1 --days 30 --out s.pem
            openssl verify -x509_strict -purpose sslserver -verify_hostname localhost -CAfile s.pem s.pem
            openssl verify -purpose sslserver -verify_ip 127.0.0.1 -CAfile s.pem s.pem
            fails openssl verify -purpose sslclient -CAfile s.pem s.pem
            openssl x509 -in s.pem -noout -text | has 'CA:FALSE'
            countersign cert renew --cert s.pem --key $OURS/ec-p256.key.pem --days 90 --out r.pem
            openssl verify -x509_strict -purpose sslserver -verify_hostname localhost -CAfile r.pem r.pem
            same \"$(openssl x509 -in r.pem -noout -pubkey)\" \"$(openssl pkey -in $OURS/ec-p256.key.pem -pubout)\"",
        ),
        reads_ours(
            Openssl,
            "a renewed certificate, with its key and with another",
            "renew() { countersign cert renew --cert $OURS/bot.crt.pem --ca-cert $OURS/signing.crt.pem --ca-key $OURS/signing.key.pem \\
                --ca-passin env:PASS --days 90 \"$@\"; }
            said() { openssl x509 -in $1 -noout -subject -ext subjectAltName,keyUsage,extendedKeyUsage,basicConstraints,authorityKeyIdentifier; }
            openssl req -new -key $OURS/ec-p256.key.pem -subj \"$(openssl x509 -in $OURS/bot.crt.pem -noout -subject -nameopt compat | sed 's/subject=//')\" \\
                -out new.csr
            renew --out same.pem; renew --csr new.csr --out new.pem
            for made in same new; do
                openssl verify -x509_strict -purpose sslclient -CAfile $OURS/root.crt.pem -untrusted $OURS/signing.crt.pem $made.pem
                same \"$(said $OURS/bot.crt.pem)\" \"$(said $made.pem)\"
                fails openssl x509 -in $made.pem -noout -checkend $((91 * 86400))
            done
            same \"$(openssl x509 -in $OURS/bot.crt.pem -noout -pubkey)\" \"$(openssl x509 -in same.pem -noout -pubkey)\"
            same \"$(openssl req -in new.csr -noout -pubkey)\" \"$(openssl x509 -in new.pem -noout -pubkey)\"",
        ),
        read_by_us(
            Openssl,
            "a certificate with extensions of theirs, renewed",
            "openssl req -x509 -new -newkey rsa:2048 -noenc -keyout ca.key -subj '/CN=Their Root' -days 3650 \\
                -addext keyUsage=critical,keyCertSign,cRLSign -out ca.crt
            printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=critical,codeSigning\ncertificatePolicies=1.2.3\nnsComment=theirs\n' > ext
            openssl x509 -req -in $OURS/bot.csr.pem -CA ca.crt -CAkey ca.key -extfile ext -days 10 -set_serial 7 -out c.pem
            countersign cert renew --cert c.pem --ca-cert ca.crt --ca-key ca.key --days 90 --out r.pem 2>&1 | has 'kept as it was'
            openssl verify -CAfile ca.crt r.pem
            said() { openssl x509 -in $1 -noout -subject -pubkey -ext extendedKeyUsage,certificatePolicies,nsComment,basicConstraints; }
            said c.pem | has 'critical'; same \"$(said c.pem)\" \"$(said r.pem)\"",
        ),
        reads_ours(
            Openssl,
            "a server from one call, and its key without a passphrase",
            "countersign issue --ca-cert $OURS/signing.crt.pem --ca-key $OURS/signing.key.pem --ca-passin env:PASS --type ec-p256 \\
                --subject /CN=pod --dns pod.example.com --ip 192.0.2.1 --profile server --no-passphrase --dir .
            openssl verify -x509_strict -purpose sslserver -verify_hostname pod.example.com -CAfile $OURS/root.crt.pem \\
                -untrusted $OURS/signing.crt.pem pod.crt.pem
            same \"$(openssl pkey -in pod.key.pem -passin pass: -pubout)\" \"$(openssl x509 -in pod.crt.pem -noout -pubkey)\"
            openssl req -in pod.csr.pem -noout -text | has 'DNS:pod.example.com, IP Address:192.0.2.1'
            [ ! -e pod.p12 ]",
        ),
        agrees(
            Openssl,
            "what is due: cert check and x509 -checkend",
            "countersign cert self-sign --key $OURS/ec-p256.key.pem --subject /CN=a --dns a --days 30 --out c.pem
            for days in 0 1 29 31 3650; do
                ours=0; countersign cert check c.pem --expires-in ${days}d || ours=$?
                theirs=0; openssl x509 -in c.pem -noout -checkend $((days * 86400)) || theirs=$?
                same $theirs $ours
            done",
        ),
        reads_ours(
            Openssl,
            "a client is no server",
            "fails openssl verify -purpose sslserver -CAfile $OURS/root.crt.pem -untrusted $OURS/signing.crt.pem $OURS/bot.crt.pem",
        ),
    ]);

    for hash in ["256", "384", "512"] {
        for (name, theirs) in [
            (format!("rsa-pss-sha{hash}"), "rsassaPss".to_owned()),
            (
                format!("rsa-sha{hash}"),
                format!("sha{hash}WithRSAEncryption"),
            ),
        ] {
            let script = format!(
                "key=$OURS/rsa.key.pem; chosen=\"--signature-algorithm {name}\"
                countersign ca create --bits 2048 --subject /CN=R $chosen --out-cert root.pem --out-key root.key
                countersign csr create --key $key --subject /CN=bot $chosen --out bot.csr
                countersign ca sign --ca-cert root.pem --ca-key root.key --csr bot.csr $chosen --out bot.pem
                countersign cert self-sign --key $key --subject /CN=a --dns a $chosen --out self.pem
                openssl req -in bot.csr -verify -noout 2>&1 | has 'verify OK'
                openssl verify -x509_strict -check_ss_sig -purpose sslclient -CAfile root.pem bot.pem
                certtool --verify --load-ca-certificate root.pem --infile bot.pem
                openssl verify -x509_strict -check_ss_sig -CAfile self.pem self.pem
                for made in root bot self; do openssl x509 -in $made.pem -noout -text | has 'Signature Algorithm: {theirs}'; done
                openssl req -in bot.csr -noout -text > text; has 'Signature Algorithm: {theirs}' < text
                case {name} in *pss*) has 'Hash Algorithm: sha{hash}' < text ;; esac"
            );
            cases.push(reads_ours(
                Openssl,
                format!("all that a key signs with {name}"),
                script,
            ));
        }
    }

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
