# What the cases share, made by the program alone. PASS is the passphrase of everything that has one.

bank='/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB'

countersign ca create --subject '/CN=Excelsior Bank Root CA/O=Excelsior Bank/C=GB' --bits 2048 --days 3650 \
    --passout env:PASS --out-cert root.crt.pem --out-key root.key.pem
countersign ca create --subject "/CN=Excelsior Bank Signing CA$bank" --bits 2048 --days 3285 --path-len 0 \
    --parent-cert root.crt.pem --parent-key root.key.pem --parent-passin env:PASS \
    --passout env:PASS --out-cert signing.crt.pem --out-key signing.key.pem
cat signing.crt.pem root.crt.pem > issuers.pem

# The workflow's client.
countersign key generate --passout env:PASS --out bot.key.pem
countersign csr create --key bot.key.pem --passin env:PASS --subject "/CN=demo-bot1$bank" --out bot.csr.pem
countersign ca sign --ca-cert signing.crt.pem --ca-key signing.key.pem --ca-passin env:PASS \
    --csr bot.csr.pem --days 2922 --serial 0x1 --out bot.crt.pem
countersign p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PASS --chain issuers.pem \
    --name demo-bot1 --passout env:PASS --out bot.p12
cat bot.crt.pem signing.crt.pem > bot.chain.pem

# A server.
countersign key generate --bits 2048 --out rsa.key.pem
countersign csr create --key rsa.key.pem --subject /CN=localhost --dns localhost --dns bot.example.com \
    --out server.csr.pem
countersign ca sign --ca-cert signing.crt.pem --ca-key signing.key.pem --ca-passin env:PASS \
    --csr server.csr.pem --profile server --out server.crt.pem
cat server.crt.pem signing.crt.pem > server.chain.pem

# The other kinds of key.
for kind in ec-p256 ec-p384 ec-p521 ed25519; do
    countersign key generate --type $kind --out $kind.key.pem
    countersign csr create --key $kind.key.pem --subject "/CN=$kind" --out $kind.csr.pem
done

# CRLs, of which the second keeps what is in the first.
countersign ca crl --ca-cert signing.crt.pem --ca-key signing.key.pem --ca-passin env:PASS \
    --revoke 0x11:keyCompromise:2026-01-02T03:04:05Z --revoke 0x8000:certificateHold:2026-01-01 \
    --revoke 0x12:certificateHold:2026-01-01 --out signing.1.crl.pem
countersign ca crl --ca-cert signing.crt.pem --ca-key signing.key.pem --ca-passin env:PASS \
    --previous signing.1.crl.pem --release 0x12 --revoke 0x13 --out signing.crl.pem

# Names that are easily lost on the way, and EC from top to bottom.
countersign ca create --type ec-p256 --subject '/DC=com/DC=example/O=Excelsior Bank/OU=Security/OU=PKI+CN=Intricate CA' \
    --out-cert intricate-root.crt.pem --out-key intricate-root.key.pem
countersign ca sign --ca-cert intricate-root.crt.pem --ca-key intricate-root.key.pem \
    --csr ec-p384.csr.pem --out intricate-bot.crt.pem
cp intricate-bot.crt.pem intricate-bot.chain.pem
countersign p12 export --cert intricate-bot.crt.pem --key ec-p384.key.pem --chain intricate-root.crt.pem \
    --name intricate --passout env:PASS --out intricate-bot.p12
