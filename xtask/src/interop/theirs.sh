# The workflow page's own commands, as they are typed by those who have openssl. They make an X.509 v1 certificate.

openssl req -x509 -newkey rsa:4096 -sha256 -days 3650 -passout env:PASS -keyout ca.key \
    -subj '/O=Excelsior Bank/OU=Security/OU=PKI/CN=Excelsior Bank OpenSSL CA' -out ca.pem
openssl genrsa -aes256 -passout env:PASS -out bot.key 4096
openssl req -new -key bot.key -passin env:PASS -out bot.csr \
    -subj '/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB'
openssl x509 -req -sha256 -days 2922 -in bot.csr -CA ca.pem -CAkey ca.key -passin env:PASS -set_serial 0x1 -out bot.pem
openssl pkcs12 -export -aes256 -in bot.pem -inkey bot.key -passin env:PASS -name demo-bot1 -passout env:PASS -out bot.p12

# The same for readers of twenty years ago.
openssl pkcs12 -export -legacy -in bot.pem -inkey bot.key -passin env:PASS -name demo-bot1 -passout env:PASS \
    -out bot.legacy.p12

# A client that nobody knows, under a known name.
openssl req -x509 -newkey rsa:4096 -noenc -keyout stranger.key -subj /CN=demo-bot1 -out stranger.pem
openssl pkcs12 -export -in stranger.pem -inkey stranger.key -passout env:PASS -out stranger.p12

# The certificate of the identity that the official Java BDK tests with.
if [ -n "${VECTORS:-}" ]; then
    openssl pkcs12 -legacy -in "$VECTORS/symphony/identity.p12" -passin pass:password -nokeys -out symphony.pem
fi
