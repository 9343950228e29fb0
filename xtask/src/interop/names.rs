//! Distinguished names: what openssl encodes without a warning, we encode to the same octets; what it skips, warns about
//! or refuses is an error.
use super::{
    case::{Case, agrees},
    tool::Tool::{Openssl, Python},
};

const SAME: &[&str] = &[
    "/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB",
    "/C=GB/ST=London/L=London/O=Excelsior Bank/OU=Collaboration Services/CN=demo-bot1",
    "/CN=bot/emailAddress=bot@example.com",
    "/DC=com/DC=example/OU=Bots/OU=Markets/CN=bot",
    "/O=Excelsior Bank/OU=A/OU=B/OU=A/CN=bot",
    "/O=Bank/OU=Bots+CN=bot",
    "/O=Bank/CN=bot+OU=Bots+UID=7",
    r"/CN=a\/b/O=c\+d/OU=e\\f",
    "/CN=Zoë Müller/O=Ünïted Bänk/L=東京",
    "/CN=a=b/O=c,d;e<f>g#h\"i",
    "/CN= leading and trailing ",
    "/CN=bot/UID=bot1/serialNumber=42/title=Dr/GN=Ada/SN=Lovelace/initials=AL",
    "/CN=bot/street=1 Long Lane/postalCode=EC1A 9HF/businessCategory=Bank",
    "/commonName=bot/organizationName=Bank/countryName=GB",
    "/2.5.4.3=bot/2.5.4.10=Bank",
    "/CN=first/O=Bank/CN=second",
    "/CN=0123456789012345678901234567890123456789012345678901234567890123",
    "/CN=🤖 bot",
    "/CN=bot/UID=jsmith",
    "/CN=bot/userId=jsmith",
    "/CN=bot/uid=jsmith",
    "/CN=bot/uniqueIdentifier=jsmith",
    "/mail=a@example.com/unstructuredName=a/unstructuredAddress=a/dnQualifier=a/houseIdentifier=a/pseudonym=a/role=a",
    "/name=a/surname=a/givenName=a/generationQualifier=a/x500UniqueIdentifier=a/organizationIdentifier=a/dnsName=a",
    "/description=a/postalAddress=a/postOfficeBox=a/physicalDeliveryOfficeName=a/telephoneNumber=1/streetAddress=a",
    "/c3=GBR/n3=826/jurisdictionL=a/jurisdictionST=a/jurisdictionC=GB/INN=012345678901/OGRN=0123456789012/SNILS=01234567890",
];

/// The same name in RFC 4514 text, where case doesn't count, and in OpenSSL's form, where it does.
const RFC_4514: &[(&str, &str)] = &[
    (
        "uid=jsmith,dc=example,dc=net",
        "/DC=net/DC=example/UID=jsmith",
    ),
    (
        "UID=jsmith,DC=example,DC=net",
        "/DC=net/DC=example/UID=jsmith",
    ),
    ("userid=jsmith", "/UID=jsmith"),
    ("UNIQUEIDENTIFIER=7,cn=bot", "/CN=bot/uid=7"),
    ("givenname=Ada,sn=Lovelace", "/SN=Lovelace/GN=Ada"),
    (
        "cn=bot,ou=Bots,o=Bank,st=London,l=London,street=1 Long Lane,c=GB",
        "/C=GB/street=1 Long Lane/L=London/ST=London/O=Bank/OU=Bots/CN=bot",
    ),
];

/// RFC 4514 text that Python reads, too: it has the names of section 3's table alone, and in capitals.
const PYTHON: &[&str] = &[
    "UID=jsmith,DC=example,DC=net",
    "OU=Sales+CN=J.  Smith,DC=example,DC=net",
    r#"CN=James \"Jim\" Smith\, III,O=a\+b\;c\<d\>,L=\#1,ST=\ x\ ,C=GB"#,
    r"CN=Lu\C4\8Di\C4\87",
];

const REFUSED: &[&str] = &[
    "/CN=bot/UNKNOWN=value",
    "/CN=bot/C=GBR",
    "/CN=bot/C=G",
    "/CN=01234567890123456789012345678901234567890123456789012345678901234",
    "/CN=bot/O=",
    "CN=bot/O=Bank+",
    "/CN=bot/O",
    "/CN=bot/serialNumber=ü",
    "/CN=bot/DC=ü",
    "/CN=bot//O=Bank",
    "/CN=bot/1.2.3.4=value",
];

pub(super) fn cases() -> Vec<Case> {
    let same = SAME.iter().map(|subject| {
        agrees(
            Openssl,
            format!("subject {subject}"),
            format!(
                "{script}
                openssl_request || exit 1
                [ ! -s warnings ] || {{ cat warnings >&2; exit 1; }}
                countersign csr create --key $OURS/ec-p256.key.pem --subject \"$SUBJECT\" --out ours.pem
                same \"$(judge name subject theirs.pem)\" \"$(judge name subject ours.pem)\"",
                script = openssl_request(subject),
            ),
        )
    });
    let refused = REFUSED.iter().map(|subject| {
        agrees(
            Openssl,
            format!("no subject {subject}"),
            format!(
                "{script}
                if openssl_request && [ ! -s warnings ]; then echo openssl accepts it >&2; exit 1; fi
                refuses countersign csr create --key $OURS/ec-p256.key.pem --subject \"$SUBJECT\" --out ours.pem
                [ ! -e ours.pem ]",
                script = openssl_request(subject),
            ),
        )
    });
    let text = RFC_4514.iter().map(|(text, subject)| {
        agrees(
            Openssl,
            format!("subject {text}"),
            format!(
                "{script}
                openssl_request || exit 1
                countersign csr create --key $OURS/ec-p256.key.pem --subject '{text}' --out ours.pem
                same \"$(judge name subject theirs.pem)\" \"$(judge name subject ours.pem)\"",
                script = openssl_request(subject),
            ),
        )
    });
    let python = PYTHON.iter().map(|text| {
        agrees(
            Python,
            format!("subject {text}"),
            format!(
                "countersign csr create --key $OURS/ec-p256.key.pem --subject '{text}' --out ours.pem
                same \"$(judge rfc4514 '{text}')\" \"$(judge name subject ours.pem)\"
                PRINTED=$(countersign inspect ours.pem | sed -n 's/^  subject: //p')
                same \"$(judge rfc4514 \"$PRINTED\")\" \"$(judge name subject ours.pem)\""
            ),
        )
    });
    let pasted = [
        agrees(
            Openssl,
            "its own printed names are not read the wrong way round",
            "openssl req -new -key $OURS/ec-p256.key.pem -subj '/C=GB/O=Excelsior Bank/UID=7/CN=bot' -out theirs.pem
            # The last one is what OpenSSL 3.2 and later print unasked.
            for form in oneline RFC2253 compat sep_comma_plus_space,sname,utf8; do
                printed=$(openssl req -in theirs.pem -noout -subject -nameopt $form)
                pasted=${printed#subject=}
                if countersign csr create --key $OURS/ec-p256.key.pem --subject \"$pasted\" --out $form.pem 2> said; then
                    same \"$(judge name subject theirs.pem)\" \"$(judge name subject $form.pem)\"
                else
                    # What it says to write instead is the same name.
                    [ $form != RFC2253 ] && [ $form != compat ]
                    written=$(sed -n \"s/.*: write '\\([^']*\\)' .*/\\1/p\" said)
                    countersign csr create --key $OURS/ec-p256.key.pem --subject \"$written\" --out $form.pem
                    same \"$(judge name subject theirs.pem)\" \"$(judge name subject $form.pem)\"
                fi
            done",
        ),
        agrees(
            Openssl,
            "no subject that ends with a carriage return",
            "refuses countersign csr create --key $OURS/ec-p256.key.pem --subject $'/CN=bot\\r' --out ours.pem
            [ ! -e ours.pem ]",
        ),
    ];
    same.chain(text)
        .chain(python)
        .chain(pasted)
        .chain(refused)
        .collect()
}

/// Defines the shell function that lets openssl encode the subject, with what it has to say in the file `warnings`.
fn openssl_request(subject: &str) -> String {
    let subject = subject.replace('\'', r"'\''");
    format!(
        "SUBJECT='{subject}'
        printf '[req]\\nstring_mask = utf8only\\ndistinguished_name = dn\\n[dn]\\n' > utf8.cnf
        openssl_request() {{
            openssl req -new -utf8 -config utf8.cnf -key $OURS/ec-p256.key.pem -subj \"$SUBJECT\" -out theirs.pem 2> warnings
        }}"
    )
}
