//! Every option of the other programs that makes a different PKCS#12 file or trust store: which of them we read, and which
//! programs read ours. docs/formats.md shows these very lists.
use std::fmt::Write;

use super::{
    case::{Case, read_by_us, reads_ours},
    tool::Tool::{self, Gnutls, Java, Nss, Openssl, Python},
};

/// A family of options, with those whose files we open and those whose files we name and refuse.
struct Family {
    tool: Tool,
    /// How docs/formats.md calls the family.
    shown: &'static str,
    /// What makes `b.p12`, with `@` for the option.
    made: &'static str,
    opens: &'static [&'static str],
    /// The option, and what our error has to name.
    refuses: &'static [(&'static str, &'static str)],
}

const EXPORT: &str = "openssl pkcs12 -export -in $OURS/bot.crt.pem -inkey $OURS/bot.key.pem -passin env:PASS -passout env:PASS -name demo-bot1 -out b.p12";
const IMPORT: &str = "keytool -importkeystore -srckeystore $OURS/bot.p12 -srcstorepass $PASS -destkeystore b.p12 -deststoretype PKCS12 -deststorepass $PASS";
const TO_P12: &str = "openssl pkey -in $OURS/bot.key.pem -passin env:PASS -out k.pem
    certtool --to-p12 --load-privkey k.pem --load-certificate $OURS/bot.crt.pem --p12-name demo-bot1 --outder --outfile b.p12";
const PK12UTIL: &str = "mkdir db; certutil -N -d sql:db --empty-password
    pk12util -i $OURS/bot.p12 -d sql:db -W $PASS
    pk12util -o b.p12 -d sql:db -n demo-bot1 -W $PASS";
const KEYSTORE: &str = "keytool -importkeystore -srckeystore $OURS/bot.p12 -srcstorepass $PASS -destkeystore b.p12 -deststorepass $PASS -deststoretype";
const IMPORTCERT: &str = "keytool -importcert -noprompt -alias root -file $OURS/root.crt.pem -keystore b.p12 -storepass $PASS";

const FAMILIES: &[Family] = &[
    Family {
        tool: Openssl,
        shown: "`openssl pkcs12 -export`",
        made: "EXPORT @",
        opens: &[
            "",
            "-legacy",
            "-descert",
            "-certfile $OURS/issuers.pem -caname root",
            "-nomac",
            "-nomaciter",
            "-noiter",
            "-iter 1",
            "-iter 1000000",
            "-nokeys",
            "-nocerts",
            "-keyex",
            "-keysig",
            "-LMK",
            "-CSP x",
            "-certpbe NONE",
            "-keypbe NONE",
            "-nomac -certpbe NONE -keypbe NONE",
        ],
        refuses: &[],
    },
    Family {
        tool: Openssl,
        shown: "`openssl pkcs12 -export -certpbe X -keypbe X`",
        made: "EXPORT -legacy -certpbe @ -keypbe @",
        opens: &[
            "AES-128-CBC",
            "AES-192-CBC",
            "AES-256-CBC",
            "DES-EDE3-CBC",
            "DES-CBC",
            "PBE-SHA1-3DES",
            "PBE-SHA1-2DES",
            "PBE-SHA1-RC2-128",
            "PBE-SHA1-RC2-40",
            "PBE-SHA1-DES",
            "PBE-SHA1-RC2-64",
            "PBE-MD5-DES",
            "PBE-MD5-RC2-64",
            "PBE-SHA1-RC4-128",
            "PBE-SHA1-RC4-40",
            "RC2-CBC",
            "RC2-64-CBC",
            "RC2-40-CBC",
            "CAMELLIA-128-CBC",
            "CAMELLIA-192-CBC",
            "CAMELLIA-256-CBC",
        ],
        refuses: &[
            ("ARIA-128-CBC", "ARIA-128-CBC"),
            ("ARIA-192-CBC", "ARIA-192-CBC"),
            ("ARIA-256-CBC", "ARIA-256-CBC"),
            ("SEED-CBC", "SEED-CBC"),
            ("SM4-CBC", "SM4-CBC"),
            ("BF-CBC", "Blowfish-CBC"),
            ("CAST5-CBC", "CAST5-CBC"),
            ("AES-256-CFB", "AES-256-CFB"),
        ],
    },
    Family {
        tool: Openssl,
        shown: "`openssl pkcs12 -export -macalg X`",
        made: "EXPORT -legacy -macalg @",
        opens: &[
            "SHA1",
            "SHA224",
            "SHA256",
            "SHA384",
            "SHA512",
            "SHA512-224",
            "SHA512-256",
            "MD5",
            "SHA3-224",
            "SHA3-256",
            "SHA3-384",
            "SHA3-512",
        ],
        refuses: &[
            ("MD4", "MD4"),
            ("RIPEMD160", "RIPEMD-160"),
            ("SM3", "SM3"),
            ("BLAKE2b512", "blake2b512"),
        ],
    },
    Family {
        tool: Java,
        shown: "`keytool -importkeystore`",
        made: "IMPORT @",
        opens: &[
            "",
            "-J-Dkeystore.pkcs12.legacy",
            "-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE",
            "-J-Dkeystore.pkcs12.macAlgorithm=NONE",
            "-destkeypass $PASS",
        ],
        refuses: &[],
    },
    Family {
        tool: Java,
        shown: "`keytool` with `keystore.pkcs12.keyProtectionAlgorithm` and `certProtectionAlgorithm`",
        made: "IMPORT -J-Dkeystore.pkcs12.keyProtectionAlgorithm=@ -J-Dkeystore.pkcs12.certProtectionAlgorithm=@",
        opens: &[
            "PBEWithSHA1AndDESede",
            "PBEWithSHA1AndRC2_40",
            "PBEWithSHA1AndRC2_128",
            "PBEWithMD5AndDES",
            "PBEWithHmacSHA1AndAES_128",
            "PBEWithHmacSHA224AndAES_256",
            "PBEWithHmacSHA384AndAES_128",
            "PBEWithHmacSHA512AndAES_256",
            "PBEWithSHA1AndRC4_128",
            "PBEWithSHA1AndRC4_40",
        ],
        refuses: &[],
    },
    Family {
        tool: Java,
        shown: "`keytool` with `keystore.pkcs12.macAlgorithm`",
        made: "IMPORT -J-Dkeystore.pkcs12.macAlgorithm=@",
        opens: &[
            "HmacPBESHA1",
            "HmacPBESHA224",
            "HmacPBESHA256",
            "HmacPBESHA384",
            "HmacPBESHA512",
            "HmacPBESHA512/224",
            "HmacPBESHA512/256",
        ],
        refuses: &[],
    },
    Family {
        tool: Java,
        shown: "`keytool -importcert` (trust stores)",
        made: "IMPORTCERT -storetype @",
        opens: &["PKCS12", "JKS", "JCEKS", "PKCS12 -J-Dkeystore.pkcs12.legacy"],
        refuses: &[],
    },
    Family {
        tool: Java,
        shown: "`keytool -importkeystore -deststoretype` (private keys)",
        made: "KEYSTORE @",
        opens: &["JKS", "JCEKS", "JCEKS -J-Djdk.jceks.iterationCount=10000"],
        refuses: &[],
    },
    Family {
        tool: Java,
        shown: "`keytool -genkeypair -keyalg` in JKS and JCEKS",
        made: "keytool -genkeypair -alias a -dname CN=a -keystore b.p12 -storepass $PASS -keypass $PASS -storetype JCEKS -J-Djdk.jceks.iterationCount=10000 -keyalg @
            keytool -importkeystore -srckeystore b.p12 -srcstoretype JCEKS -srcstorepass $PASS -destkeystore b.jks -deststoretype JKS -deststorepass $PASS
            countersign inspect b.jks --passin env:PASS | has 'encryption: JKS'",
        opens: &["RSA -keysize 2048", "RSASSA-PSS -keysize 2048", "EC -groupname secp256r1", "EC -groupname secp384r1", "DSA -keysize 2048", "Ed25519", "Ed448"],
        refuses: &[],
    },
    Family {
        tool: Openssl,
        shown: "PKCS#7: `openssl crl2pkcs7`",
        made: "openssl crl2pkcs7 -certfile $OURS/issuers.pem -out b.p12 @",
        opens: &["-nocrl", "-nocrl -outform DER", "-in $OURS/signing.crl.pem"],
        refuses: &[],
    },
    Family {
        tool: Openssl,
        shown: "PKCS#7: `openssl cms`",
        made: "openssl pkey -in $OURS/bot.key.pem -passin env:PASS -out k.pem
            echo text > text; openssl cms -in text -signer $OURS/bot.crt.pem -inkey k.pem -out b.p12 @",
        opens: &["-sign -outform PEM", "-sign -outform DER -nodetach", "-sign -outform DER -nodetach -stream -indef -binary"],
        refuses: &[],
    },
    Family {
        tool: Openssl,
        shown: "PKCS#7: `openssl cms -encrypt`",
        made: "echo text > text; openssl cms -in text -outform DER -out b.p12 @ $OURS/bot.crt.pem",
        opens: &[],
        refuses: &[("-encrypt", "PKCS#7 content: id-envelopedData")],
    },
    Family {
        tool: Gnutls,
        shown: "PKCS#7: `certtool --p7-generate`",
        made: "certtool --p7-generate --load-certificate $OURS/bot.crt.pem --outfile b.p12 @",
        opens: &["", "--outder"],
        refuses: &[],
    },
    Family {
        tool: Python,
        shown: "PKCS#7: `pkcs7.serialize_certificates`",
        made: "judge make-pkcs7 @ $OURS/bot.chain.pem b.p12",
        opens: &["PEM", "DER"],
        refuses: &[],
    },
    Family {
        tool: Openssl,
        shown: "keys that aren't used, named: `openssl genpkey`",
        made: "openssl genpkey -out b.p12 @
            countersign inspect b.p12 --json | has otherPrivateKey
            openssl pkey -in b.p12 -pubout -outform DER -out public.der; countersign inspect public.der --json | has otherPublicKey",
        opens: &[
            "-algorithm X25519",
            "-algorithm X448",
            "-algorithm ED448",
            "-algorithm DH -pkeyopt group:ffdhe2048",
            "-algorithm RSA -pkeyopt rsa_keygen_bits:512",
            "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
            "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1",
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-224",
            "-algorithm EC -pkeyopt ec_paramgen_curve:SM2",
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
        ],
        refuses: &[],
    },
    Family {
        tool: Nss,
        shown: "`pk12util -o`",
        made: "PK12UTIL @",
        opens: &[
            "",
            "-C none",
            "-M SHA-1",
            "-M SHA-256",
            "-M SHA-384",
            "-M SHA-512",
            "-c AES-128-CBC -C AES-128-CBC",
            "-c AES-192-CBC -C AES-192-CBC",
            "-c AES-256-CBC -C AES-256-CBC",
            "-c DES-EDE3-CBC -C DES-EDE3-CBC",
            "-c RC2-CBC -C RC2-CBC",
            "-c RC4 -C RC4",
            "-c CAMELLIA-128-CBC -C CAMELLIA-128-CBC",
            "-c CAMELLIA-192-CBC -C CAMELLIA-192-CBC",
            "-c CAMELLIA-256-CBC -C CAMELLIA-256-CBC",
        ],
        refuses: &[],
    },
    Family {
        tool: Gnutls,
        shown: "`certtool --to-p12`",
        made: "TO_P12 --password $PASS @",
        opens: &[
            "",
            "--pkcs-cipher 3des",
            "--pkcs-cipher 3des-pkcs12",
            "--pkcs-cipher aes-128",
            "--pkcs-cipher aes-192",
            "--pkcs-cipher aes-256",
            "--pkcs-cipher rc2-40",
            "--hash SHA1",
            "--hash SHA256",
            "--hash SHA384",
            "--hash SHA512",
            "--pkcs-cipher arcfour",
        ],
        refuses: &[
            ("--pkcs-cipher gost28147-tc26z", "1.2.643.2.2.21"),
        ],
    },
    Family {
        tool: Python,
        shown: "`pkcs12.serialize_key_and_certificates`",
        made: "judge make-bundle @ $OURS/bot.key.pem $PASS $OURS/bot.chain.pem b.p12 $PASS",
        opens: &["modern", "sha512", "legacy"],
        refuses: &[],
    },
    Family {
        tool: Openssl,
        shown: "`openssl pkcs12 -export -passout pass:` (empty)",
        made: "EXPORT -passout pass: @\nexport PASS=",
        opens: &["", "-legacy"],
        refuses: &[],
    },
    Family {
        tool: Gnutls,
        shown: "`certtool --to-p12`, empty or no passphrase",
        made: "TO_P12 @\nexport PASS=",
        opens: &["--empty-password", "--null-password"],
        refuses: &[],
    },
    Family {
        tool: Python,
        shown: "`pkcs12.serialize_key_and_certificates`, no encryption",
        made: "judge make-bundle @ $OURS/bot.key.pem $PASS $OURS/bot.chain.pem b.p12 $PASS\nexport PASS=",
        opens: &["plain"],
        refuses: &[],
    },
];

/// Who reads what our profiles write, in the words of docs/formats.md. Each cell is asserted below.
const READERS: &[(&str, [&str; 5])] = &[
    ("`modern`", ["yes", "yes", "yes", "yes", "yes"]),
    ("`legacy`", ["yes", "yes", "yes", "yes", "yes"]),
    (
        "`pbmac1`",
        [
            "3.0 refuses it",
            "17 refuses it",
            "3.87 refuses it",
            "3.7 refuses it",
            "yes",
        ],
    ),
    (
        "trust store (`--trusted`)",
        ["yes", "yes, as `trustedCertEntry`", "yes", "yes", "yes"],
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for family in FAMILIES {
        for option in family.opens {
            cases.push(read_by_us(
                family.tool,
                family.artefact(option),
                format!(
                    "{}\ncountersign inspect b.p12 --passin env:PASS > info; has 'sha256Fingerprint\\|privateKey' < info",
                    family.script(option)
                ),
            ));
        }
        for (option, named) in family.refuses {
            cases.push(read_by_us(
                family.tool,
                format!("{}: named and refused", family.artefact(option)),
                format!(
                    "{}\nrefuses countersign inspect b.p12 --passin env:PASS 2> error
                    has 'unsupported .*{named}' < error; has 'hint: ' < error",
                    family.script(option)
                ),
            ));
        }
    }
    cases.extend(profiles());
    cases.extend(vectors());
    cases
}

/// The two tables of docs/formats.md.
pub(crate) fn table() -> String {
    let mut text = String::from(
        "\nFiles of other programs, by the option that makes them:\n\n\
         | made by | opens | named and refused |\n|---|---|---|\n",
    );
    for family in FAMILIES {
        let opens = family.opens.iter().map(|option| shown(option));
        let refuses = family.refuses.iter().map(|(option, _)| shown(option));
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            family.shown,
            opens.collect::<Vec<_>>().join(", "),
            refuses.collect::<Vec<_>>().join(", ")
        );
    }
    text.push_str(
        "\nWho reads what `countersign p12 export` writes:\n\n\
         | `--profile` | openssl | keytool | pk12util (NSS) | certtool (GnuTLS) | Python `cryptography` |\n\
         |---|---|---|---|---|---|\n",
    );
    for (profile, cells) in READERS {
        let _ = writeln!(text, "| {profile} | {} |", cells.join(" | "));
    }
    text.push('\n');
    text
}

/// An option as docs/formats.md shows it.
fn shown(option: &str) -> String {
    match option.strip_prefix("-certfile $OURS/issuers.pem") {
        Some(rest) => format!("`-certfile FILE{rest}`"),
        None if option.is_empty() => "default".to_owned(),
        None => format!(
            "`{}`",
            option
                .replace("-J-Dkeystore.pkcs12.", "")
                .replace("-J-D", "")
                .replace("$OURS/signing.crl.pem", "CRL")
                .replace("$PASS", "PASS")
        ),
    }
}

impl Family {
    fn script(&self, option: &str) -> String {
        self.made
            .replace("EXPORT", EXPORT)
            .replace("KEYSTORE", KEYSTORE)
            .replace("IMPORTCERT", IMPORTCERT)
            .replace("IMPORT", IMPORT)
            .replace("TO_P12", TO_P12)
            .replace("PK12UTIL", PK12UTIL)
            .replace('@', option)
    }

    fn artefact(&self, option: &str) -> String {
        let what = self.shown.replace('`', "");
        format!("{what}: {}", shown(option).replace('`', ""))
    }
}

/// What the profiles write, read by everybody, or refused by who is known to.
fn profiles() -> Vec<Case> {
    let mut cases = Vec::new();
    for profile in ["modern", "legacy"] {
        let made = format!(
            "countersign p12 export --cert $OURS/bot.crt.pem --key $OURS/bot.key.pem --passin env:PASS --chain $OURS/issuers.pem \\
                --name demo-bot1 --profile {profile} --passout env:PASS --out b.p12"
        );
        let legacy = if profile == "legacy" { "-legacy" } else { "" };
        for (tool, judged) in [
            (
                Openssl,
                format!(
                    "openssl pkcs12 -in b.p12 {legacy} -passin env:PASS -noenc -out all.pem; same 3 $(grep -c 'BEGIN CERTIFICATE' all.pem)
                    same \"$(openssl pkey -in all.pem -pubout)\" \"$(openssl x509 -in $OURS/bot.crt.pem -pubkey -noout)\""
                ),
            ),
            (
                Java,
                "keytool -list -v -keystore b.p12 -storepass $PASS | has 'chain length: 3'
                keytool -importkeystore -srckeystore b.p12 -srcstorepass $PASS -destkeystore c.p12 -deststorepass $PASS".to_owned(),
            ),
            (
                Nss,
                "mkdir db; certutil -N -d sql:db --empty-password; pk12util -i b.p12 -d sql:db -W $PASS; certutil -K -d sql:db | has demo-bot1".to_owned(),
            ),
            (
                Gnutls,
                "certtool --p12-info --inder --infile b.p12 --password $PASS > info; same 3 $(grep -c 'BEGIN CERTIFICATE' info); has 'PRIVATE KEY' < info".to_owned(),
            ),
            (Python, "same 'demo-bot1 2' \"$(judge bundle b.p12 $PASS)\"".to_owned()),
        ] {
            cases.push(reads_ours(
                tool,
                format!("bundle, --profile {profile}"),
                format!("{made}\n{judged}"),
            ));
        }
    }

    let pbmac1 = "countersign p12 export --cert $OURS/bot.crt.pem --key $OURS/bot.key.pem --passin env:PASS --chain $OURS/issuers.pem \\
            --name demo-bot1 --profile pbmac1 --passout env:PASS --out b.p12";
    cases.push(reads_ours(
        Python,
        "bundle, --profile pbmac1",
        format!("{pbmac1}\nsame 'demo-bot1 2' \"$(judge bundle b.p12 $PASS)\""),
    ));
    // A version that is newer than these may have learnt it: then it finds what is in there. One that hasn't refuses it, and doesn't crash.
    for (tool, version, old, read, found) in [
        (
            Openssl,
            "openssl version | cut -d' ' -f2",
            "3.0.*|3.1.*|3.2.*|3.3.*",
            "openssl pkcs12 -in b.p12 -passin env:PASS -noenc -nokeys -out all.pem",
            "same 3 $(grep -c 'BEGIN CERTIFICATE' all.pem)",
        ),
        (
            Java,
            "java --version | head -n 1 | cut -d' ' -f2",
            "17.*|21.*",
            "keytool -list -keystore b.p12 -storepass $PASS",
            "has demo-bot1 < said",
        ),
        (
            Nss,
            "dpkg-query --show --showformat '${Version}' libnss3-tools | sed 's/^.*://'",
            "3.8*|3.9*",
            "pk12util -l b.p12 -W $PASS",
            "has demo-bot1 < said",
        ),
        (
            Gnutls,
            "certtool --version | head -n 1 | cut -d' ' -f2",
            "3.6.*|3.7.*",
            "certtool --p12-info --inder --infile b.p12 --password $PASS",
            "same 3 $(grep -c 'BEGIN CERTIFICATE' said)",
        ),
    ] {
        cases.push(reads_ours(
            tool,
            "bundle, --profile pbmac1: refused by the versions that are known to",
            format!(
                "{pbmac1}
                case $({version}) in
                    {old}) fails {read} ;;
                    *) if {read} > said; then {found}; else [ $? -lt 126 ]; fi ;;
                esac"
            ),
        ));
    }

    let trusted =
        "countersign p12 export --trusted $OURS/issuers.pem --passout env:PASS --out b.p12";
    for (tool, judged) in [
        (
            Openssl,
            "openssl pkcs12 -in b.p12 -passin env:PASS -nokeys -out all.pem; same 2 $(grep -c 'BEGIN CERTIFICATE' all.pem)",
        ),
        (
            Java,
            "same 2 $(keytool -list -keystore b.p12 -storepass $PASS | grep -c trustedCertEntry)
            keytool -list -keystore b.p12 -storepass $PASS -alias 'Excelsior Bank Root CA' | has trustedCertEntry",
        ),
        (Nss, "pk12util -l b.p12 -W $PASS | has 'Excelsior Bank Root CA'"),
        (
            Gnutls,
            "certtool --p12-info --inder --infile b.p12 --password $PASS > info; same 2 $(grep -c 'BEGIN CERTIFICATE' info)",
        ),
        (Python, "same 2 \"$(judge trust-store b.p12 $PASS)\""),
    ] {
        cases.push(reads_ours(
            tool,
            "trust store, p12 export --trusted",
            format!("{trusted}\n{judged}"),
        ));
    }
    cases
}

/// RFC 9579, appendix A, and the identity that the official Java BDK tests with.
fn vectors() -> Vec<Case> {
    let mut cases = vec![read_by_us(
        Java,
        "published symphony/identity.p12",
        "export PUBLISHED=password; countersign p12 info $VECTORS/symphony/identity.p12 --passin env:PUBLISHED | has CN=bot",
    )];
    for (name, script) in [
        ("a1", "VALID"),
        ("a2", "VALID"),
        ("a3", "VALID"),
        ("a4", "INVALID; has 'MAC .* does not match' < error"),
        ("a5", "INVALID; has 'MAC .* does not match' < error"),
        ("a6", "INVALID; has 'key length' < error"),
    ] {
        let script = script
            .replace(
                "INVALID",
                "refuses countersign p12 info $vector --passin env:PUBLISHED 2> error",
            )
            .replace(
                "VALID",
                "countersign p12 info $vector --passin env:PUBLISHED | has PBMAC1",
            );
        cases.push(read_by_us(
            Openssl,
            format!("published rfc9579/{name}.p12"),
            format!("export PUBLISHED=1234; vector=$VECTORS/rfc9579/{name}.p12\n{script}"),
        ));
    }
    cases
}
