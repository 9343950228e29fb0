//! Certificate revocation lists, and RSASSA-PSS.
use super::{
    case::{Case, read_by_us, reads_ours},
    tool::Tool::{Gnutls, Java, Openssl, Python},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        reads_ours(
            Openssl,
            "CRL: number, reasons, times",
            "openssl crl -in $OURS/signing.crl.pem -CAfile $OURS/signing.crt.pem -noout 2>&1 | has 'verify OK'
            openssl crl -in $OURS/signing.crl.pem -noout -text > text
            tr -s ' \\n' ' ' < text > line
            has 'CRL Number: 2 Revoked' < line
            has 'Serial Number: 11 Revocation Date: Jan 2 03:04:05 2026 GMT CRL entry extensions: X509v3 CRL Reason Code: Key Compromise' < line
            has 'Serial Number: 8000 .* X509v3 CRL Reason Code: Certificate Hold' < line
            has 'Serial Number: 13 Revocation Date: [^:]*:[0-9:]* 20.. GMT Signature' < line",
        ),
        reads_ours(
            Gnutls,
            "CRL",
            "certtool --verify-crl --load-ca-certificate $OURS/signing.crt.pem --infile $OURS/signing.crl.pem 2>&1 | has 'Verified. The certificate is trusted'
            certtool --crl-info --infile $OURS/signing.crl.pem | has 'Revoked certificates (3)'",
        ),
        reads_ours(
            Java,
            "CRL",
            "keytool -printcrl -file $OURS/signing.crl.pem > text
            has 'Revoked Certificates: 3' < text; has 'KEY_COMPROMISE' < text; has 'CERTIFICATE_HOLD' < text",
        ),
        reads_ours(
            Python,
            "CRL",
            "same '2 17:key_compromise 19: 32768:certificate_hold' \"$(judge crl $OURS/signing.crl.pem $OURS/signing.crt.pem)\"",
        ),
        reads_ours(
            Openssl,
            "CRL: what is revoked in it is refused",
            "countersign ca crl --ca-cert $OURS/signing.crt.pem --ca-key $OURS/signing.key.pem --ca-passin env:PASS --revoke 1 --out 1.crl
            countersign ca crl --ca-cert $OURS/root.crt.pem --ca-key $OURS/root.key.pem --ca-passin env:PASS --out root.crl
            cat 1.crl root.crl > crls
            fails openssl verify -crl_check_all -CRLfile crls -CAfile $OURS/root.crt.pem -untrusted $OURS/signing.crt.pem $OURS/bot.crt.pem 2>&1 | has 'certificate revoked'
            openssl verify -crl_check_all -CRLfile crls -CAfile $OURS/root.crt.pem -untrusted $OURS/signing.crt.pem $OURS/server.crt.pem",
        ),
        reads_ours(
            Openssl,
            "CRL with 100,000 entries",
            format!("{MANY}openssl crl -in many.crl -CAfile $OURS/signing.crt.pem -noout 2>&1 | has 'verify OK'"),
        ),
        reads_ours(
            Java,
            "CRL with 100,000 entries",
            format!("{MANY}keytool -printcrl -file many.crl > text; has 'Revoked Certificates: 100000' < text"),
        ),
    ];
    for (what, made) in [
        (
            "ca -gencrl",
            "openssl ca -gencrl -config ca.cnf -cert ca.crt -keyfile ca.key -out t.crl",
        ),
        (
            "ca -gencrl, RSASSA-PSS",
            "openssl ca -gencrl -config ca.cnf -cert ca.crt -keyfile ca.key -sigopt rsa_padding_mode:pss -out t.crl",
        ),
    ] {
        cases.push(read_by_us(
            Openssl,
            what,
            format!(
                "{THEIR_CA}{made}
                countersign inspect t.crl > text
                has 'serialNumber: 0xff' < text; has 'reason: keyCompromise' < text; has 'invalidityDate: 2025-12-24T00:00:00Z' < text
                countersign ca crl --ca-cert ca.crt --ca-key ca.key --previous t.crl --revoke 5 --out next.crl
                openssl crl -in next.crl -CAfile ca.crt -noout 2>&1 | has 'verify OK'
                openssl crl -in next.crl -noout -crlnumber | has 'crlNumber=0x1000'
                openssl crl -in next.crl -noout -text | has 'Invalidity Date'"
            ),
        ));
    }
    for (tool, judged) in [
        (Openssl, "openssl verify -CAfile ca.crt c.pem"),
        (
            Gnutls,
            "certtool --verify --load-ca-certificate ca.crt --infile c.pem | has 'Verified. The certificate is trusted'",
        ),
        (Java, "keytool -printcert -file c.pem | has 'RSASSA-PSS'"),
        (Python, "judge issued-by c.pem ca.crt"),
    ] {
        cases.push(reads_ours(
            tool,
            "certificate with RSASSA-PSS",
            format!(
                "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out ca.key
                openssl req -x509 -key ca.key -subj '/CN=PSS CA' -days 30 -addext keyUsage=critical,keyCertSign,cRLSign -out ca.crt
                countersign ca sign --ca-cert ca.crt --ca-key ca.key --csr $OURS/bot.csr.pem --days 7 --out c.pem
                {judged}"
            ),
        ));
    }
    cases
}

/// A hundred thousand serial numbers of 16 octets.
const MANY: &str = "awk 'BEGIN { for (i = 0; i < 100000; i++) printf \"0x%08x5a5a5a5a5a5a5a5a5a5a5a5a:superseded:2026-01-01\\n\", 2147483648 + i }' > list
countersign ca crl --ca-cert $OURS/signing.crt.pem --ca-key $OURS/signing.key.pem --ca-passin env:PASS --from list --out many.crl
";

const THEIR_CA: &str = "openssl req -x509 -newkey rsa:2048 -noenc -keyout ca.key -subj /CN=theirs -days 30 -out ca.crt \
-addext keyUsage=critical,keyCertSign,cRLSign
printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\ncrlnumber=number\\ndefault_md=sha256\\ndefault_crl_days=7\\n' > ca.cnf
printf '[e]\\nauthorityKeyIdentifier=keyid:always\\n' >> ca.cnf
echo 0FFF > number
printf 'R\\t301231000000Z\\t260101120000Z,keyTime,20251224000000Z\\tFF\\tunknown\\t/CN=a\\n' > index
";
