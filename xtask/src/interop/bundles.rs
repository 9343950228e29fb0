//! PKCS#12 bundles.
use super::{
    case::{Case, read_by_us, reads_ours},
    tool::Tool::{Gnutls, Java, Nss, Openssl, Python},
    workflow::login,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        reads_ours(
            Openssl,
            "bundle: key, certificate and chain",
            "openssl pkcs12 -in $OURS/bot.p12 -passin env:PASS -noenc -out all.pem
            same 3 $(grep -c 'BEGIN CERTIFICATE' all.pem)
            has 'friendlyName: demo-bot1' < all.pem
            same \"$(openssl pkey -in all.pem -pubout)\" \"$(openssl x509 -in $OURS/bot.crt.pem -pubkey -noout)\"
            openssl pkcs12 -in $OURS/bot.p12 -passin env:PASS -info -noout 2>&1 | has 'AES-256-CBC'",
        ),
        reads_ours(Openssl, "our bundle under another passphrase is refused", "[ -s $OURS/bot.p12 ]; fails openssl pkcs12 -in $OURS/bot.p12 -passin pass:wrong -noout"),
        reads_ours(
            Java,
            "bundle, keytool -list and -importkeystore",
            "keytool -list -keystore $OURS/bot.p12 -storetype PKCS12 -storepass $PASS | has 'demo-bot1,.*PrivateKeyEntry'
            keytool -list -v -keystore $OURS/bot.p12 -storetype PKCS12 -storepass $PASS | has 'chain length: 3'
            keytool -importkeystore -srckeystore $OURS/bot.p12 -srcstoretype PKCS12 -srcstorepass $PASS \\
                -destkeystore copy.jks -deststoretype JKS -deststorepass $PASS -destkeypass $PASS -alias demo-bot1",
        ),
        reads_ours(
            Nss,
            "bundle, pk12util -i",
            "mkdir db; certutil -N -d sql:db --empty-password
            pk12util -l $OURS/bot.p12 -W $PASS
            pk12util -i $OURS/bot.p12 -d sql:db -W $PASS
            certutil -K -d sql:db | has demo-bot1",
        ),
        reads_ours(
            Gnutls,
            "bundle, certtool --p12-info",
            "certtool --p12-info --inder --infile $OURS/bot.p12 --password $PASS > info
            same 3 $(grep -c 'BEGIN CERTIFICATE' info); has 'PRIVATE KEY' < info",
        ),
        reads_ours(Python, "bundle", "same 'demo-bot1 2' \"$(judge bundle $OURS/bot.p12 $PASS)\""),
        reads_ours(Openssl, "bundle with an EC key", "openssl pkcs12 -in $OURS/intricate-bot.p12 -passin env:PASS -noenc -out all.pem"),
        reads_ours(Java, "bundle with an EC key", "keytool -list -keystore $OURS/intricate-bot.p12 -storepass $PASS | has PrivateKeyEntry"),
    ];

    let export = "openssl pkcs12 -export -in $OURS/bot.crt.pem -inkey $OURS/bot.key.pem -passin env:PASS -passout env:PASS -name demo-bot1 -out b.p12";
    for (tool, what, made) in [
        (Openssl, "pkcs12 -export", export.to_owned()),
        (Openssl, "pkcs12 -export with a chain", format!("{export} -certfile $OURS/issuers.pem")),
        (Openssl, "pkcs12 -export -legacy (RC2-40, 3DES, SHA-1)", format!("{export} -legacy")),
        (Openssl, "pkcs12 -export with 3DES", format!("{export} -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg SHA1")),
        (Openssl, "pkcs12 -export with AES-128 and SHA-512", format!("{export} -keypbe AES-128-CBC -certpbe AES-128-CBC -macalg SHA512")),
        (Openssl, "pkcs12 -export with readable certificates", format!("{export} -certpbe NONE")),
        (
            Java,
            "keytool -importkeystore",
            "keytool -importkeystore -srckeystore $OURS/bot.p12 -srcstorepass $PASS -destkeystore b.p12 -deststoretype PKCS12 -deststorepass $PASS".to_owned(),
        ),
        (
            Java,
            "keytool -genkeypair",
            "keytool -genkeypair -keyalg RSA -keysize 2048 -alias demo-bot1 -dname CN=demo-bot1 -keystore b.p12 -storepass $PASS".to_owned(),
        ),
        (
            Java,
            "keytool in its legacy form",
            "keytool -J-Dkeystore.pkcs12.legacy -genkeypair -keyalg RSA -keysize 2048 -alias demo-bot1 -dname CN=demo-bot1 \\
                -keystore b.p12 -storetype PKCS12 -storepass $PASS"
                .to_owned(),
        ),
        (
            Gnutls,
            "certtool --to-p12",
            "openssl pkey -in $OURS/bot.key.pem -passin env:PASS -out k.pem
            certtool --to-p12 --load-privkey k.pem --load-certificate $OURS/bot.crt.pem --p12-name demo-bot1 \\
                --password $PASS --outder --outfile b.p12"
                .to_owned(),
        ),
        (Python, "bundle, AES-256 and SHA-256", "judge make-bundle modern $OURS/bot.key.pem $PASS $OURS/bot.chain.pem b.p12 $PASS".to_owned()),
        (Python, "bundle, 3DES and SHA-1", "judge make-bundle legacy $OURS/bot.key.pem $PASS $OURS/bot.chain.pem b.p12 $PASS".to_owned()),
        (
            Nss,
            "pk12util -o",
            "mkdir db; certutil -N -d sql:db --empty-password
            pk12util -i $OURS/bot.p12 -d sql:db -W $PASS
            pk12util -o b.p12 -d sql:db -n demo-bot1 -W $PASS"
                .to_owned(),
        ),
    ] {
        // A key that keytool made itself has a self-signed certificate, which the pod doesn't know.
        let login = if made.contains("genkeypair") { String::new() } else { login("b.p12") };
        cases.push(read_by_us(
            tool,
            what,
            format!(
                "{made}
                countersign p12 info b.p12 --passin env:PASS > info
                has 'alias: demo-bot1' < info; has privateKey < info
                {login}
                export WRONG=wrong; refuses countersign p12 info b.p12 --passin env:WRONG 2>&1 | has 'passphrase does not open'"
            ),
        ));
    }
    cases
}
