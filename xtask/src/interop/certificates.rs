//! Certificates and CAs.
use super::{
    case::{Case, agrees, read_by_us, reads_ours},
    tool::Tool::{Gnutls, Java, Nss, Openssl, Python},
};

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
