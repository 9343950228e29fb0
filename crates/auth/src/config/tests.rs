use super::*;
use crate::Endpoint;

fn config(text: &str) -> BdkConfig {
    BdkConfig::parse(text, variables).unwrap()
}

fn variables(name: &str) -> Option<String> {
    match name {
        "P12_PASS" => Some("changeit".to_owned()),
        "HOME" => Some("/home/bot".to_owned()),
        _ => None,
    }
}

fn failure(text: &str) -> (usize, String, String) {
    match BdkConfig::parse(text, variables) {
        Err(Error::Configuration { line, key, reason }) => (line, key, reason),
        other => panic!("{other:?}"),
    }
}

fn notices(config: &BdkConfig) -> Vec<String> {
    config.notices().iter().map(Notice::to_string).collect()
}

fn urls(config: &BdkConfig) -> Vec<(Endpoint, String)> {
    let at = config.endpoints();
    [
        Some(&at.pod),
        at.session_auth.as_ref(),
        Some(&at.key_manager),
        at.agent.as_ref(),
    ]
    .into_iter()
    .flatten()
    .map(|base| {
        let uri = base.resolve(&"/x".parse().unwrap()).unwrap();
        (base.peer().endpoint(), uri.to_string())
    })
    .collect()
}

/// Like the example in the official documentation.
const FULL: &str = r#"
scheme: https
host: localhost.symphony.com
port: 8443
connectionTimeout: 10000
readTimeout: 30000
defaultHeaders:
  Connection: Keep-Alive
  X-Trace: "${TRACE:-none}"
proxy:
  host: proxy.symphony.com
  port: 1234
  username: proxyuser
  password: proxypassword

pod:
  host: dev.symphony.com
  port: 443
  connectionPoolMax: 20
agent:
  host: dev-agent.symphony.com
  port: 5678
  context: ctx/
  proxy:
    host: agent-proxy
    port: 3396
keyManager:
  host: dev-key.symphony.com
  port: 8444
sessionAuth:
  host: dev-session.symphony.com
  port: 8444
  readTimeout: 5000

bot:
  username: bot-name
  privateKey:
    path: /path/to/bot/rsa-private-key.pem
  certificate:
    path: ${user.home}/bot-certificate.p12
    password: ${P12_PASS}
ssl:
  trustStore:
    path: /path/to/all_symphony_certs_truststore
    password: 0123
app:
  appId: app-id
datafeed:
  version: v1
retry:
  maxAttempts: 6
  initialIntervalMillis: 2000
  multiplier: 1.5
  maxIntervalMillis: 10000
"#;

#[test]
fn a_password_for_the_proxy_without_a_user_name_is_refused() {
    let text = FULL.replace("  username: proxyuser\n", "");
    let (_, key, reason) = failure(&text);
    assert_eq!(
        (key.as_str(), reason.as_str()),
        ("proxy.password", "given without `username`")
    );
}

#[test]
fn the_full_example_is_read_as_it_is() {
    let config = config(FULL);
    assert_eq!(
        urls(&config),
        [
            (Endpoint::Pod, "https://dev.symphony.com/x".to_owned()),
            (
                Endpoint::SessionAuth,
                "https://dev-session.symphony.com:8444/x".to_owned()
            ),
            (
                Endpoint::KeyManager,
                "https://dev-key.symphony.com:8444/x".to_owned()
            ),
            (
                Endpoint::Agent,
                "https://dev-agent.symphony.com:5678/ctx/x".to_owned()
            ),
        ]
    );
    assert_eq!(config.username(), Some("bot-name"));
    let certificate = config.certificate().unwrap();
    assert_eq!(
        certificate.path(),
        Some(Path::new("/home/bot/bot-certificate.p12"))
    );
    assert_eq!(certificate.passphrase().unwrap().as_str(), "changeit");
    let store = config.trust_store().unwrap();
    assert_eq!(store.passphrase().unwrap().as_str(), "0123", "not a number");
}

#[test]
fn services_inherit_what_they_do_not_say() {
    let Links {
        session_auth,
        pod,
        agent,
        ..
    } = config(FULL).links;
    let seconds = |link: &Link| {
        (
            link.timeouts.connect.as_secs(),
            link.timeouts.read.as_secs(),
        )
    };
    assert_eq!((seconds(&pod), seconds(&session_auth)), ((10, 30), (10, 5)));
    let proxy = |link: &Link| match &link.proxy {
        ProxyChoice::Via(proxy) => format!("{proxy:?}"),
        other => format!("{other:?}"),
    };
    assert_eq!(
        proxy(&pod),
        "Proxy(proxy.symphony.com:1234, [credentials elided])"
    );
    assert_eq!(proxy(&agent), "Proxy(agent-proxy:3396)");
    assert_eq!(agent.headers["x-trace"], "none");
    assert!(!agent.headers.contains_key("connection"));
}

#[test]
fn what_is_not_supported_is_named() {
    assert_eq!(
        notices(&config(FULL)),
        [
            "line 7: defaultHeaders.Connection: set by the client itself, and ignored",
            "line 19: pod.connectionPoolMax: not supported, and ignored",
            "line 37: bot.privateKey: RSA authentication, which is another way than by certificate; ignored",
            "line 46: app: not supported, and ignored",
            "line 48: datafeed: not supported, and ignored",
        ]
        .map(str::to_owned)
    );
}

#[test]
fn the_retry_policy_is_read_key_by_key() {
    let policy = RetryPolicy::default()
        .attempts(6)
        .first_pause(Duration::from_secs(2))
        .multiplier(1.5)
        .longest_pause(Duration::from_secs(10));
    assert_eq!(config(FULL).retry, policy);
    assert_eq!(config("host: a.test").retry, RetryPolicy::default());
    assert_eq!(
        config("host: a.test\nretry: { maxAttempts: -1, multiplier: 1 }").retry,
        RetryPolicy::default().attempts(u32::MAX).multiplier(1.0)
    );
}

#[test]
fn secrets_are_elided() {
    let shown = format!("{:?}", config(FULL));
    for secret in ["changeit", "0123", "proxypassword", "cHJveHl1c2Vy"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn one_host_is_enough() {
    let config = config("host: acme.symphony.com\nport: 8444");
    assert_eq!(
        urls(&config),
        [Endpoint::Pod, Endpoint::KeyManager, Endpoint::Agent]
            .map(|endpoint| (endpoint, "https://acme.symphony.com:8444/x".to_owned()))
    );
    assert!(config.notices().is_empty() && config.certificate().is_none());
}

#[test]
fn json_and_older_spellings_are_read() {
    let config = config(
        "{\n\t\"host\": \"acme.test\",\n\t\"bot\": {\"certificatePath\": \"a.p12\", \"certificatePassword\": \"pw\"},\n\t\"ssl\": {\"trustStorePath\": \"t.jks\"}\n}",
    );
    assert_eq!(
        config.certificate().unwrap().path(),
        Some(Path::new("a.p12"))
    );
    assert_eq!(
        config.trust_store().unwrap().path(),
        Some(Path::new("t.jks"))
    );
    assert!(config.trust_store().unwrap().passphrase().is_none());
    assert!(config.notices().is_empty());
}

#[test]
fn content_stands_in_the_configuration() {
    let config = config("host: a.test\nbot: {certificate: {content: 'AQID BA==', password: x}}");
    let certificate = config.certificate().unwrap();
    assert_eq!(*certificate.load().unwrap(), [1, 2, 3, 4]);
    assert_eq!(certificate.path(), None);
}

#[test]
fn mistakes_are_told_with_line_and_key() {
    for (text, line, key, reason) in [
        ("", 0, "pod.host", "missing"),
        ("pod: {host: a.test}", 0, "keyManager.host", "missing"),
        (
            "host: a.test\nport: many",
            2,
            "port",
            "a number is expected",
        ),
        (
            "host: a.test\nport: 70000",
            2,
            "port",
            "a number is expected",
        ),
        (
            "host: a.test\nretry: {maxAttempts: -2}",
            2,
            "retry.maxAttempts",
            "a number is expected",
        ),
        (
            "host: a.test\nretry: {multiplier: 0.5}",
            2,
            "retry.multiplier",
            "a number of at least 1 is expected",
        ),
        (
            "host: a.test\nretry: {multiplier: inf}",
            2,
            "retry.multiplier",
            "a number of at least 1 is expected",
        ),
        (
            "host: a.test\nretry: {multiplier: NaN}",
            2,
            "retry.multiplier",
            "a number of at least 1 is expected",
        ),
        ("host: [a.test]", 1, "host", "a text is expected"),
        (
            "host: a.test\npod: a.test",
            2,
            "pod",
            "keys with values are expected",
        ),
        ("- a", 1, "", "keys with values are expected"),
        (
            "host: ${NOPE}",
            1,
            "host",
            "the environment variable NOPE is not set",
        ),
        ("host: a.test\nproxy: {port: 1}", 2, "proxy.host", "missing"),
        ("host: a\nhost: b", 2, "", "a key that is given twice"),
        ("host: a\n---\nhost: b", 3, "", "a second document"),
        (
            "{host: a,\n port: 1,",
            2,
            "",
            "while parsing a node, did not find expected node content",
        ),
        ("host: a\n? ", 2, "", "a key that is not a text"),
        (
            "host: *nope",
            1,
            "",
            "while parsing node, found unknown anchor",
        ),
        (
            "host: a\nssl: {trustStore: {content: '***'}}",
            2,
            "ssl.trustStore.content",
            "neither base64 nor PEM",
        ),
    ] {
        assert_eq!(
            failure(text),
            (line, key.to_owned(), reason.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn a_variable_that_nobody_needs_may_be_unset() {
    assert_eq!(
        notices(&config("host: a.test\napp: {appId: '${NOPE}'}")).len(),
        1
    );
}

#[test]
fn a_dollar_can_be_kept() {
    let config = config("host: a.test\nbot: {username: 'a$${b}c$d${'}");
    assert_eq!(config.username(), Some("a${b}c$d${"));
}

#[test]
fn braces_around_anything_but_a_name_stand_as_they_are() {
    for kept in [
        "a${b c}d",
        "${}",
        "${1x}",
        "${pa$$}w0rd",
        "x${",
        "${s3cret!}",
        "${:-x}",
    ] {
        let text = format!("host: a.test\nbot: {{username: '{kept}'}}");
        assert_eq!(config(&text).username(), Some(kept), "{kept}");
    }
    // After it, variables are found again.
    let config = config("host: a.test\nbot: {username: '${! ${P12_PASS}'}");
    assert_eq!(config.username(), Some("${! changeit"));
}

#[test]
fn a_password_with_braces_is_no_error_that_would_quote_it() {
    for password in ["pw${s3cret!}", "${s3c ret}", "${s3cret", "a${s3crét}"] {
        let material = format!("{{path: a.p12, password: '{password}'}}");
        let config = config(&format!("host: a.test\nbot: {{certificate: {material}}}"));
        let passphrase = config.certificate().unwrap().passphrase();
        assert_eq!(passphrase.unwrap().as_str(), password);
    }
}

#[test]
fn aliases_are_copied_within_limits() {
    let config = config("host: a.test\npod: &p {port: 1}\nagent: *p");
    assert_eq!(urls(&config).last().unwrap().1, "https://a.test:1/x");

    let mut bomb = "a0: &a0 {x: y}\n".to_owned();
    for level in 1..30 {
        let below = level - 1;
        bomb.push_str(&format!(
            "a{level}: &a{level} {{a: *a{below}, b: *a{below}, c: *a{below}, d: *a{below}}}\n"
        ));
    }
    assert_eq!(failure(&bomb).2, "too many values");
    assert_eq!(failure(&"[".repeat(40)).2, "nested too deeply");
}

#[test]
fn text_behind_aliases_is_limited_like_the_file() {
    let text = "a".repeat(1 << 10);
    let aliases = |count: usize| {
        let lines = (0..count).map(|n| format!("b{n}: *a\n"));
        format!(
            "host: a.example\nx: &a {text}\n{}",
            lines.collect::<String>()
        )
    };
    // The anchor keeps a copy, too.
    BdkConfig::parse(&aliases(1_023), |_| None).unwrap();
    let error = BdkConfig::parse(&aliases(1_024), |_| None).unwrap_err();
    assert!(
        matches!(&error, Error::Configuration { reason, .. } if reason == "too much text behind aliases"),
        "{error}"
    );
}
