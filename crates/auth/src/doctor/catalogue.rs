//! Every finding that there is, in the order in which it would be met. This is the one place that documents them.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// It works here and now, and may not elsewhere or later.
    Warning,
    /// It doesn't work.
    Problem,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

/// A finding as such: what it means, and what to do about it. All of them are in the [`CATALOGUE`].
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    id: &'static str,
    severity: Severity,
    meaning: &'static str,
    next_step: Option<&'static str>,
}

impl Kind {
    /// Its identifier, for example `client-certificate-v1`. It will not change.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What was found, in one sentence.
    pub fn meaning(&self) -> &'static str {
        self.meaning
    }

    /// What to do about it.
    pub fn next_step(&self) -> Option<&'static str> {
        self.next_step
    }
}

macro_rules! catalogue {
    ($($name:ident, $id:literal, $severity:ident, $meaning:literal $(, $next_step:literal)?;)*) => {
        $(pub(super) static $name: Kind = Kind {
            id: $id,
            severity: Severity::$severity,
            meaning: $meaning,
            next_step: catalogue!(@ $($next_step)?),
        };)*

        /// Every finding that there is.
        pub static CATALOGUE: &[&Kind] = &[$(&$name),*];
    };
    (@) => { None };
    (@ $next_step:literal) => { Some($next_step) };
}

catalogue! {
    // --- The configuration file -----------------------------------------------------------------------------------
    CONFIGURATION_IGNORED, "configuration-ignored", Warning,
        "a key of the configuration is not used",
        "none if it has nothing to do with authentication; otherwise check its spelling and its place";

    // --- The identity, before anybody is called -------------------------------------------------------------------
    IDENTITY_OPENS, "identity-opens", Info,
        "the PKCS#12 file opens";
    IDENTITY_IS_PEM, "identity-is-pem", Info,
        "the identity is PEM, not PKCS#12, which Java clients do not read",
        "make a PKCS#12 file of it, for clients that want one";
    IDENTITY_UNPROTECTED, "identity-unprotected", Warning,
        "the PKCS#12 file has no MAC: nothing shows whether it was altered",
        "make one with a MAC";
    IDENTITY_LEGACY_ENCRYPTION, "identity-legacy-encryption", Warning,
        "the PKCS#12 file is encrypted with old algorithms, which OpenSSL 3 opens with -legacy only",
        "encrypt it again, with PBES2 and AES";
    IDENTITY_PASSPHRASE_MISSING, "identity-passphrase-missing", Problem,
        "the identity is encrypted, and no passphrase was given",
        "give its passphrase";
    IDENTITY_WRONG_PASSPHRASE, "identity-wrong-passphrase", Problem,
        "the passphrase does not open the identity",
        "check the passphrase, a newline at its end too";
    IDENTITY_NOT_PKCS12, "identity-not-pkcs12", Problem,
        "the file is neither a PKCS#12 bundle nor PEM with key and certificate",
        "look at what it is; a bot needs its private key and its certificate";
    IDENTITY_UNREADABLE, "identity-unreadable", Problem,
        "the identity can not be read",
        "check that it is what it is taken for, PKCS#12 or PEM; get a fresh copy, or make it again from key and certificates";
    IDENTITY_INCOMPLETE, "identity-incomplete", Problem,
        "the file lacks the private key or its certificate, or holds several keys",
        "make a file of one key and its certificate";
    KEY_MISMATCH, "key-mismatch", Problem,
        "the certificate was not issued for the private key beside it",
        "put the certificate of this key beside it; in PEM, before those of its issuers";
    CLIENT_CERTIFICATE, "client-certificate", Info,
        "the client certificate was read";
    CLIENT_CERTIFICATE_V1, "client-certificate-v1", Warning,
        "the client certificate is X.509 version 1, which many servers and clients refuse (UnsupportedCertVersion)",
        "reissue it as version 3: openssl x509 -req needs -extfile for that";
    CLIENT_CERTIFICATE_IS_CA, "client-certificate-is-ca", Warning,
        "the client certificate is that of a CA, which many servers refuse from a client",
        "issue one for the bot alone, with a profile for clients";
    KEY_TOO_SMALL, "key-too-small", Problem,
        "the RSA key is shorter than the 4096 bits that a Pod asks for",
        "make a new key of 4096 bits, and a certificate for it";
    CLIENT_CERTIFICATE_EXPIRED, "client-certificate-expired", Problem,
        "the client certificate has expired",
        "issue a new one, and import it if the Pod knows this one and not its issuer";
    CLIENT_CERTIFICATE_NOT_YET_VALID, "client-certificate-not-yet-valid", Problem,
        "the client certificate is not valid yet",
        "check this machine's clock";
    CLIENT_CERTIFICATE_EXPIRES_SOON, "client-certificate-expires-soon", Warning,
        "the client certificate expires in less than 30 days",
        "issue a new one in time";
    NO_CLIENT_AUTH, "no-client-auth", Problem,
        "the certificate is not for TLS clients (no clientAuth in its extended key usage)",
        "reissue it with a profile for clients";
    WEAK_SIGNATURE, "weak-signature", Warning,
        "the client certificate is signed with a broken digest",
        "reissue it with SHA-256";
    COMMON_NAME_MISSING, "common-name-missing", Problem,
        "the client certificate has no Common Name, by which a Pod finds the service user",
        "reissue it with the service user's name as Common Name";
    COMMON_NAME_CONTROL_CHARACTER, "common-name-control-character", Problem,
        "the Common Name holds a control character, which no username does",
        "reissue it without it: scripts that read files from Windows leave a carriage return (\\r) at the end";
    COMMON_NAME_BLANKS, "common-name-blanks", Warning,
        "the Common Name starts or ends with a blank, or with a character that can not be seen",
        "reissue it without it, or name the service user with it";
    COMMON_NAME_PADDED, "common-name-padded", Problem,
        "the Common Name and the username differ in what surrounds them only: blanks or control characters",
        "reissue the certificate with the username as it stands, or correct the username";
    COMMON_NAME_CASE, "common-name-case", Problem,
        "the Common Name differs from the username in case only, and a Pod tells them apart",
        "name the service user exactly like the Common Name, or reissue the certificate";
    COMMON_NAME_DIFFERS, "common-name-differs", Problem,
        "the Common Name is not the username",
        "use the certificate of this user, or name the service user like the Common Name";
    ISSUER_NOT_IN_FILE, "issuer-not-in-file", Warning,
        "the chain ends before a root: a Pod must know the missing issuer itself, and not only one further up",
        "add the issuers to the file, if the Pod knows only the root";

    // --- Reaching an endpoint -------------------------------------------------------------------------------------
    CLIENT_UNUSABLE, "client-unusable", Problem,
        "the TLS provider does not work here",
        "allow TLS 1.2 or 1.3 with its cipher suites; on an old processor use a newer one, or in a program of your own the cargo feature ring or aws-lc-rs";
    KEY_UNSUPPORTED, "key-unsupported", Problem,
        "TLS can not use the private key",
        "make a new key and certificate: RSA of 4096 bits is what a Pod asks for";
    PLATFORM_ROOTS_MISSING, "platform-roots-missing", Problem,
        "there is no root by which a server could be trusted",
        "install the system's CA certificates, or name the server's root as a trust anchor";
    PROXY_INVALID, "proxy-invalid", Problem,
        "the proxy that is named can not be used, and nobody was called without it",
        "name it as http://host:port, or use none";
    TRUST_ANCHORS, "trust-anchors", Info,
        "servers must lead to one of the trusted roots";
    THROUGH_PROXY, "through-proxy", Info,
        "a proxy stands before the endpoint";
    NAME_RESOLVES, "name-resolves", Info,
        "the host name resolves";
    NAME_NOT_RESOLVED, "name-not-resolved", Problem,
        "the host name does not resolve",
        "check the host name; behind a proxy, outside names may not resolve at all: name the proxy";
    CONNECTION_REFUSED, "connection-refused", Problem,
        "nothing listens on this port",
        "check host and port: the API ports that ask for a client certificate are usually 8444, not 443";
    CONNECTION_RESET, "connection-reset", Problem,
        "the connection was reset",
        "a firewall may cut it, or the server may refuse the client certificate without saying so: check that its issuer is imported and trusted in the Pod";
    CLOSED_WITHOUT_REASON, "closed-without-reason", Problem,
        "the connection was closed without a reason, as servers do that refuse a client certificate silently",
        "check that the certificate's issuer is imported and trusted in the Pod; a firewall may also cut the connection";
    NETWORK_FAILED, "network-failed", Problem,
        "the network gives no connection",
        "check the route to the host, and whether a proxy is needed";
    CONNECT_TIMEOUT, "connect-timeout", Problem,
        "no connection came about in time",
        "a firewall may drop packets to this port: check whether a proxy is needed, or blocks 8444";
    READ_TIMEOUT, "read-timeout", Problem,
        "the server accepts connections and does not answer",
        "try again later; a proxy or firewall in between may swallow the request";
    PROXY_UNREACHABLE, "proxy-unreachable", Problem,
        "the proxy can not be reached",
        "check host and port of the proxy, or connect without it";
    PROXY_AUTHENTICATION, "proxy-authentication", Problem,
        "the proxy wants a user name and a password, or others (407)",
        "give the proxy as http://user:password@host:port, with special characters percent-encoded";
    PROXY_REFUSED, "proxy-refused", Problem,
        "the proxy does not connect to this host and port",
        "have the proxy's operator allow CONNECT to it (many proxies allow port 443 only); a status of 5xx may mean that the proxy can not resolve or reach the host";
    PROXY_FAILED, "proxy-failed", Problem,
        "what was taken for a proxy does not behave like one",
        "check host and port of the proxy";

    // --- TLS ------------------------------------------------------------------------------------------------------
    NOT_TLS, "not-tls", Problem,
        "whatever answers there does not speak TLS",
        "check the port";
    TLS_FAILED, "tls-failed", Problem,
        "no TLS connection came about",
        "check which TLS versions and cipher suites the server allows";
    TLS, "tls", Info,
        "the server speaks TLS";
    SERVER_TRUSTED, "server-trusted", Info,
        "the server's certificate is trusted";
    SERVER_NOT_TRUSTED, "server-not-trusted", Problem,
        "the server's certificate leads to no root that is trusted here",
        "add the root that issued it to the trust anchors, beside the platform's";
    TRUST_EXCLUDES_PLATFORM, "trust-excludes-platform", Problem,
        "the platform's roots, which were replaced by others, would trust the server",
        "add the given roots to the platform's instead of replacing them";
    SERVER_CERTIFICATE_EXPIRED, "server-certificate-expired", Problem,
        "the server's certificate has expired",
        "have the server's operator renew it; check this machine's clock";
    SERVER_CERTIFICATE_NOT_YET_VALID, "server-certificate-not-yet-valid", Problem,
        "the server's certificate is not valid yet",
        "check this machine's clock";
    SERVER_CERTIFICATE_WRONG_HOST, "server-certificate-wrong-host", Problem,
        "the server's certificate is for other hosts",
        "check the host in the URL";
    SERVER_CERTIFICATE_INVALID, "server-certificate-invalid", Problem,
        "the server's certificate is unusable",
        "have the server's operator replace it";
    CERTIFICATE_REQUESTED, "certificate-requested", Info,
        "the server asks for a client certificate";
    CERTIFICATE_NOT_REQUESTED, "certificate-not-requested", Info,
        "the server does not ask for a client certificate, and gives a token all the same: something in front of it must know the bot in another way";
    ISSUER_NOT_REQUESTED, "issuer-not-requested", Warning,
        "the issuers that the server asks for do not include that of the client certificate",
        "import the issuing certificate in the Pod, if the server refuses the client certificate";
    WRONG_PORT, "wrong-port", Problem,
        "the server never asks for a client certificate: this is not a port for certificate authentication",
        "use the API port, usually 8444, or the host name that your Pod has for certificates";

    // --- What the server made of the client certificate -----------------------------------------------------------
    CLIENT_ISSUER_UNKNOWN, "client-issuer-unknown", Problem,
        "the server does not know the issuer of the client certificate (unknown_ca)",
        "import the root and signing certificates that issued it in the admin portal, or have the file hold the whole chain up to one that is imported";
    CLIENT_CERTIFICATE_REFUSED_AS_EXPIRED, "client-certificate-refused-as-expired", Problem,
        "the server says that the client certificate, or one of its issuers, has expired",
        "issue a new one; check both clocks";
    CLIENT_CERTIFICATE_REVOKED, "client-certificate-revoked", Problem,
        "the client certificate or its issuer is revoked or disabled in the Pod",
        "have an administrator trust it again, or issue a new one";
    CLIENT_CERTIFICATE_REFUSED, "client-certificate-refused", Problem,
        "the server refuses the client certificate",
        "check that it is valid, that its RSA key has 4096 bits, that its root and signing certificates are imported and trusted in the Pod, and that its service user exists";
    CLIENT_KEY_NOT_ACCEPTED, "client-key-not-accepted", Problem,
        "the server accepts none of the signature schemes of the client's key (certificate_required)",
        "use an RSA key, and a certificate for it";

    // --- Answers --------------------------------------------------------------------------------------------------
    AUTHENTICATED, "authenticated", Info,
        "the endpoint gave a token";
    KEY_MANAGER_DISPENSABLE, "key-manager-dispensable", Info,
        "the Pod and the Agent deliver keys without the Key Manager, which is not asked";
    ANSWERS, "answers", Info,
        "the endpoint accepts the tokens";
    UNAUTHORIZED, "unauthorized", Problem,
        "401: no service user has the certificate's Common Name, case included, or it is disabled",
        "name the service user exactly like the Common Name; use a port that asks for a certificate, usually 8444; and check for proxies that add a body or a Content-Type to the login";
    TOKEN_REFUSED, "token-refused", Problem,
        "401: the endpoint does not accept the tokens that were just given",
        "check that all URLs belong to the same Pod";
    FORBIDDEN, "forbidden", Problem,
        "403: the service user may not authenticate with a certificate",
        "allow certificate authentication for it in the admin portal";
    CALL_FORBIDDEN, "call-forbidden", Problem,
        "403: the service user may not make this call",
        "check its roles and entitlements in the admin portal";
    NOT_FOUND, "not-found", Problem,
        "404: certificate endpoints are not here; those for RSA keys (JWT) have other hosts and paths",
        "check host, port and context of the URL";
    CALL_NOT_FOUND, "call-not-found", Problem,
        "404: the endpoint that is called with the tokens does not know the call",
        "check host, port and context of this endpoint's URL: the Pod, the Agent and the one that authenticates may differ";
    REDIRECTED, "redirected", Problem,
        "the URL leads to a web front end, which redirects",
        "use the host and port of the API";
    THROTTLED, "throttled", Problem,
        "the server throttles: 429, or a 400 that says how long to wait",
        "wait before trying again";
    SERVER_ERROR, "server-error", Problem,
        "the server has a problem of its own",
        "try again later";
    UNEXPECTED_STATUS, "unexpected-status", Problem,
        "the server's answer means no success",
        "check the URL";
    MALFORMED_REPLY, "malformed-reply", Problem,
        "the answer is not what the protocol says",
        "check the URL: a web page or a proxy may answer instead of the API";
    HTTP_FAILED, "http-failed", Problem,
        "the HTTP exchange broke off",
        "try again; if it stays, something in between may not cope with HTTP/2";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn identifiers_are_unique_and_every_problem_has_a_next_step() {
        let ids: BTreeSet<_> = CATALOGUE.iter().map(|kind| kind.id).collect();
        assert_eq!(ids.len(), CATALOGUE.len());
        for kind in CATALOGUE {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(kind.id.chars().all(plain), "{}", kind.id);
            assert!(!kind.meaning.ends_with('.'), "{}", kind.id);
            assert!(
                kind.severity == Severity::Info || kind.next_step.is_some(),
                "{}",
                kind.id
            );
        }
    }
}
