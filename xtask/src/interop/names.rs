//! Distinguished names: what openssl encodes without a warning, we encode to the same octets; what it skips, warns about
//! or refuses is an error.
use super::{
    case::{Case, agrees},
    tool::Tool::Openssl,
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
    same.chain(refused).collect()
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
