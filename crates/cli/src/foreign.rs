//! Commands of other programs that are typed out of habit.

use crate::error::Error;

/// What to use instead, when the first word is a command of openssl's, or one that has another name here. What follows it
/// doesn't matter.
pub(crate) fn refuse<'a>(words: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let mut words = words.skip_while(|word| word.starts_with('-'));
    let first = words.next();
    // That of openssl goes on with an option in place of a command.
    let is_openssl = |word: &str| OPTIONS_OF_CA.contains(&word);
    if first == Some("ca") && words.next().is_some_and(is_openssl) {
        return Err(Error::misused("ca with options is a command of openssl").hint(
            "countersign ca sign signs a request; countersign ca crl revokes, and makes a revocation list (-gencrl)",
        ));
    }
    let Some((name, what, advice)) =
        first.and_then(|word| COMMANDS.iter().find(|(name, ..)| *name == word))
    else {
        return Ok(());
    };
    Err(Error::misused(format!("{name} is {what}")).hint(*advice))
}

/// Those that openssl's `ca` is mostly begun with.
const OPTIONS_OF_CA: [&str; 14] = [
    "-batch",
    "-cert",
    "-config",
    "-days",
    "-extensions",
    "-gencrl",
    "-in",
    "-infiles",
    "-keyfile",
    "-name",
    "-notext",
    "-out",
    "-revoke",
    "-selfsign",
];

const OPENSSL: &str = "a command of openssl";
const JAVA: &str = "a command of Java's";
const NONE: &str = "not a command";

const COMMANDS: [(&str, &str, &str); 31] = [
    (
        "genrsa",
        OPENSSL,
        "countersign key generate --out FILE makes a private key",
    ),
    (
        "genpkey",
        OPENSSL,
        "countersign key generate --out FILE makes a private key",
    ),
    (
        "rsa",
        OPENSSL,
        "countersign inspect FILE shows a private key without its secret",
    ),
    (
        "pkey",
        OPENSSL,
        "countersign inspect FILE shows a private key without its secret",
    ),
    (
        "ec",
        OPENSSL,
        "countersign inspect FILE shows a private key without its secret",
    ),
    (
        "ecparam",
        OPENSSL,
        "countersign key generate --type ec-p256 --out FILE makes a private key",
    ),
    (
        "asn1parse",
        OPENSSL,
        "countersign inspect FILE shows what a file says; nothing here shows DER element by element",
    ),
    (
        "s_server",
        OPENSSL,
        "countersign pod serve runs a Pod and a Key Manager to test against",
    ),
    (
        "rand",
        OPENSSL,
        "countersign ca sign chooses serial numbers at random by itself",
    ),
    (
        "ocsp",
        OPENSSL,
        "countersign ca crl makes a revocation list; nothing here answers OCSP",
    ),
    (
        "keytool",
        JAVA,
        "countersign p12 export makes a keystore or, with --trusted, a truststore that Java opens; countersign inspect FILE shows one",
    ),
    (
        "req",
        OPENSSL,
        "countersign csr create --key FILE --subject DN --out FILE makes a request; countersign cert self-sign makes a certificate that signs itself (-x509); countersign inspect FILE shows a request",
    ),
    (
        "x509",
        OPENSSL,
        "countersign ca sign signs a request; countersign cert check FILE tells what expires (-checkend); countersign inspect FILE shows a certificate",
    ),
    (
        "pkcs12",
        OPENSSL,
        "countersign p12 export makes a bundle; countersign p12 info FILE shows one",
    ),
    (
        "crl",
        OPENSSL,
        "countersign ca crl makes a revocation list; countersign inspect FILE shows one",
    ),
    (
        "dgst",
        OPENSSL,
        "countersign ca sign --signer-command 'openssl dgst -sha256 -sign FILE' has it sign a certificate",
    ),
    (
        "verify",
        OPENSSL,
        "countersign auth doctor examines a bot's certificates and the servers that they are for",
    ),
    (
        "s_client",
        OPENSSL,
        "countersign auth doctor examines a server, and what it says to a client certificate",
    ),
    (
        "revoke",
        NONE,
        "countersign ca crl --revoke FILE makes a revocation list",
    ),
    (
        "renew",
        NONE,
        "countersign cert renew makes the certificate that follows another",
    ),
    (
        "check",
        NONE,
        "countersign cert check FILE tells which certificates expire soon",
    ),
    ("sign", NONE, "countersign ca sign signs a request"),
    (
        "assemble",
        NONE,
        "countersign ca assemble puts a certificate together with a signature that was made elsewhere",
    ),
    ("export", NONE, "countersign p12 export makes a bundle"),
    (
        "info",
        NONE,
        "countersign inspect FILE shows what a file is",
    ),
    (
        "generate",
        NONE,
        "countersign key generate makes a private key; countersign issue all that a bot needs",
    ),
    ("version", NONE, "countersign --version says it"),
    (
        "login",
        NONE,
        "countersign auth login authenticates at a Pod and a Key Manager",
    ),
    (
        "logout",
        NONE,
        "countersign auth logout ends a session that auth login --show-tokens left open",
    ),
    (
        "doctor",
        NONE,
        "countersign auth doctor finds out why a login doesn't work",
    ),
    (
        "serve",
        NONE,
        "countersign pod serve runs a Pod and a Key Manager to test against",
    ),
];
