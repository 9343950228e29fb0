//! What the endpoints, and the way to them, say.

use super::*;

/// The Pod's answers and refusals, in the order of the table of symptoms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_fail_at_the_pod_has_its_finding() {
    let refuse = Fault::RefuseClient;
    let status = |code| Fault::status(StatusCode::from_u16(code).unwrap());
    for (fault, expected) in [
        (refuse(AlertDescription::UnknownCA), "client-issuer-unknown"),
        (
            refuse(AlertDescription::BadCertificate),
            "client-certificate-refused",
        ),
        (
            refuse(AlertDescription::CertificateUnknown),
            "client-certificate-refused",
        ),
        (
            refuse(AlertDescription::CertificateExpired),
            "client-certificate-refused-as-expired",
        ),
        (
            refuse(AlertDescription::CertificateRevoked),
            "client-certificate-revoked",
        ),
        (
            Fault::HelloAlert(AlertDescription::CertificateRequired),
            "client-key-not-accepted",
        ),
        (
            Fault::CutAnswer {
                end: End::Close,
                after: 0,
            },
            "closed-without-reason",
        ),
        (
            Fault::CutAnswer {
                end: End::Reset,
                after: 0,
            },
            "connection-reset",
        ),
        (
            Fault::ServerCertificate(BadCertificate::UnknownRoot),
            "server-not-trusted",
        ),
        (
            Fault::ServerCertificate(BadCertificate::Expired),
            "server-certificate-expired",
        ),
        (
            Fault::ServerCertificate(BadCertificate::NotYetValid),
            "server-certificate-not-yet-valid",
        ),
        (
            Fault::ServerCertificate(BadCertificate::WrongHost),
            "server-certificate-wrong-host",
        ),
        (status(401), "unauthorized"),
        (status(403), "forbidden"),
        (status(404), "not-found"),
        (status(429), "throttled"),
        (
            Fault::Answer(Answer::new(StatusCode::BAD_REQUEST).retry_after(DAY)),
            "throttled",
        ),
        (status(302), "redirected"),
        (status(500), "server-error"),
        (status(418), "unexpected-status"),
        (
            Fault::Answer(Answer::new(StatusCode::OK).html()),
            "malformed-reply",
        ),
        (Fault::PlainText, "not-tls"),
        (
            Fault::HelloAlert(AlertDescription::HandshakeFailure),
            "tls-failed",
        ),
        (Fault::Refuse, "connection-refused"),
        (
            Fault::CutHandshake {
                end: End::Silence,
                after: 0,
            },
            "connect-timeout",
        ),
        (Fault::Delay(Duration::from_secs(60)), "read-timeout"),
    ] {
        for tls in TLS {
            let pod = empty_pod(tls).await;
            admit(&pod);
            pod.inject(Rule::new(fault.clone()).port(Port::KeyManager))
                .unwrap();
            let report = doctor(&pod)
                .connect_timeout(Duration::from_secs(2))
                .read_timeout(Duration::from_secs(2))
                .examine()
                .await;
            assert_eq!(problems(&report), [expected], "{tls:?} {fault:?}\n{report}");
            let problem = report.problems().next().unwrap();
            assert!(
                problem.about().starts_with("Key Manager at localhost:"),
                "{report}"
            );
            assert!(problem.kind().next_step().is_some());
        }
    }
}

#[tokio::test]
async fn one_endpoint_is_called_alone_after_those_whose_tokens_it_takes() {
    let at_pod = "/sessionauth/v1/authenticate";
    let at_key_manager = "/keyauth/v1/authenticate";
    let (user, echo) = ("/pod/v2/sessioninfo", "/agent/v1/util/echo");
    for (endpoint, called) in [
        (Endpoint::SessionAuth, &[at_pod][..]),
        (Endpoint::Pod, &[at_pod, user]),
        (Endpoint::KeyManager, &[at_key_manager]),
        (Endpoint::Agent, &[at_pod, at_key_manager, echo]),
    ] {
        let pod = empty_pod(TLS[0]).await;
        admit(&pod);
        let report = doctor(&pod).only(endpoint).unwrap().examine().await;
        assert!(report.is_healthy(), "{report}");
        for path in [at_pod, at_key_manager, user, echo] {
            let expected = u64::from(called.contains(&path));
            assert_eq!(pod.requests_to(path), expected, "{endpoint:?} {path}");
        }
        assert_eq!(pod.sessions("demo-bot1"), 0);
    }
}

#[tokio::test]
async fn what_ails_another_endpoint_is_not_asked_about() {
    let pod = empty_pod(TLS[0]).await;
    admit(&pod);
    let broken = Fault::status(StatusCode::INTERNAL_SERVER_ERROR);
    pod.inject(Rule::new(broken).port(Port::Api)).unwrap();
    for (endpoint, expected) in [
        (Endpoint::KeyManager, &[][..]),
        (Endpoint::SessionAuth, &["server-error"]),
    ] {
        let report = doctor(&pod).only(endpoint).unwrap().examine().await;
        assert_eq!(problems(&report), expected, "{report}");
    }
}

#[tokio::test]
async fn an_agent_without_url_can_not_be_examined() {
    let endpoints = Endpoints::new("https://localhost:1", "https://localhost:1").unwrap();
    let doctor = Doctor::new(endpoints, p12(&lab().bot), Passphrase::from(PASSPHRASE));
    let refused = doctor.only(Endpoint::Agent).unwrap_err();
    assert!(matches!(
        refused,
        Error::EndpointNotConfigured {
            endpoint: Endpoint::Agent,
            ..
        }
    ));
}

#[tokio::test]
async fn the_web_port_is_told_by_its_not_asking_for_a_certificate() {
    for tls in TLS {
        let pod = empty_pod(tls).await;
        admit(&pod);
        let endpoints = Endpoints::new(pod.web_url(), pod.key_manager_url()).unwrap();
        let report = Doctor::new(endpoints, p12(&lab().bot), Passphrase::from(PASSPHRASE))
            .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
            .examine()
            .await;
        assert_eq!(problems(&report), ["wrong-port"], "{report}");
        assert_told(&report, "wrong-port", "401", "8444");
    }
}

#[tokio::test]
async fn a_web_front_end_that_redirects_is_a_wrong_port_too() {
    for (tls, http) in [(&TLS12, "http/1.1"), (&TLS13, "h2")] {
        let redirects = || Reply::json(302, "").header("location", "/login");
        let setup = Setup::new(redirects).without_client_authentication();
        let web = Server::start(setup.over(tls, http)).await;
        let report = Doctor::new(
            Endpoints::new(web.url(), web.url()).unwrap(),
            pem(&lab().bot),
            None,
        )
        .trust(crate::lab::trust())
        .examine()
        .await;
        let both = ["wrong-port", "redirected"];
        assert_eq!(problems(&report), [both, both].concat(), "{report}");
    }
}

/// As behind something that ends TLS, and tells the Pod in its own way who called.
#[tokio::test]
async fn a_port_that_gives_a_token_is_not_wrong_though_it_asks_for_no_certificate() {
    for (tls, http) in [(&TLS12, "http/1.1"), (&TLS13, "h2")] {
        let start = |answer: fn() -> Reply| {
            let setup = Setup::new(answer).without_client_authentication();
            Server::start(setup.over(tls, http))
        };
        let (pod, key_manager) = (start(pod_answer).await, start(key_manager_answer).await);
        let report = Doctor::new(
            Endpoints::new(pod.url(), key_manager.url()).unwrap(),
            pem(&lab().bot),
            None,
        )
        .trust(crate::lab::trust())
        .examine()
        .await;
        assert!(report.is_healthy(), "{report}");
        let noted = ids(&report, Severity::Info);
        let noted = noted
            .iter()
            .filter(|id| **id == "certificate-not-requested");
        assert_eq!(noted.count(), 2, "{report}");
    }
}

#[tokio::test]
async fn a_name_that_differs_in_case_is_told_by_the_file_and_by_the_pod() {
    for tls in TLS {
        let pod = empty_pod(tls).await;
        import(&pod);
        pod.create_service_user("Demo-Bot1").unwrap();
        let report = doctor(&pod).username("Demo-Bot1").examine().await;
        assert_eq!(
            problems(&report),
            ["common-name-case", "unauthorized"],
            "{report}"
        );
    }
}

#[tokio::test]
async fn a_user_who_may_not_use_certificates_is_told() {
    for tls in TLS {
        let pod = empty_pod(tls).await;
        admit(&pod);
        pod.set_certificates_allowed("demo-bot1", false).unwrap();
        let report = doctor(&pod).examine().await;
        assert_eq!(problems(&report), ["forbidden"], "{report}");
        assert_told(&report, "forbidden", "not allowed", "admin portal");
    }
}

#[tokio::test]
async fn a_key_that_is_too_small_is_told_by_the_file_and_by_the_pod() {
    let small = too_small();
    for tls in TLS {
        let pod = empty_pod(tls).await;
        admit(&pod);
        let report = Doctor::new(endpoints(&pod), pem(&small), None)
            .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
            .examine()
            .await;
        assert_eq!(
            problems(&report),
            ["key-too-small", "client-certificate-refused"],
            "{report}"
        );
    }
}

#[tokio::test]
async fn a_file_without_the_intermediate_is_told_where_the_pod_knows_the_root_alone() {
    let bot = &lab().bot;
    for tls in TLS {
        let pod = empty_pod(tls).await;
        pod.create_service_user("demo-bot1").unwrap();
        let root = lab().root.certificate().to_pem();
        pod.import_certificate(root, CertificateType::UserSigning)
            .unwrap();
        let alone = bot.certificate.to_pem() + &bot.key_pem();
        let report = Doctor::new(endpoints(&pod), alone, None)
            .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
            .examine()
            .await;
        assert_eq!(problems(&report), ["client-issuer-unknown"], "{report}");
        assert!(
            ids(&report, Severity::Warning).contains(&"issuer-not-in-file"),
            "{report}"
        );
        assert_told(&report, "client-issuer-unknown", "", "whole chain");
        // With it, nothing else is wrong.
        assert!(doctor(&pod).examine().await.is_healthy());
    }
}

#[tokio::test]
async fn an_issuer_that_was_not_imported_is_missed_in_the_servers_list() {
    let stranger = CertificateAuthority::create_root(
        name("/CN=Stranger"),
        crate::lab::key(),
        &Profile::root(),
    )
    .unwrap();
    for tls in TLS {
        let pod = empty_pod(tls).await;
        pod.import_certificate(
            stranger.certificate().to_pem(),
            CertificateType::UserSigning,
        )
        .unwrap();
        let report = doctor(&pod).examine().await;
        assert_eq!(problems(&report), ["client-issuer-unknown"], "{report}");
        assert_eq!(
            ids(&report, Severity::Warning),
            ["issuer-not-requested"],
            "{report}"
        );
        assert!(report.to_string().contains("of CN=Stranger"), "{report}");
    }
}

#[tokio::test]
async fn an_authority_that_is_no_longer_trusted_is_told() {
    for tls in TLS {
        for (status, expected) in [
            (Status::Revoked, "client-certificate-revoked"),
            (Status::Disabled, "client-certificate-refused"),
        ] {
            let pod = empty_pod(tls).await;
            admit(&pod);
            for certificate in pod.certificates() {
                pod.set_status(certificate.fingerprint, status).unwrap();
            }
            let report = doctor(&pod).examine().await;
            assert_eq!(problems(&report), [expected], "{report}");
        }
    }
}

/// The server's kernel answers what the client still sends with a reset, while the alert is on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_told_even_if_the_server_closes_at_once() {
    for (tls, http) in crate::lab::PROTOCOLS {
        let setup = Setup::new(pod_answer)
            .over(tls, http)
            .refuses_clients(rustls::CertificateError::UnknownIssuer)
            .closes_at_once();
        let server = Server::start(setup).await;
        let report = examine_at(&server).await;
        let expected = ["client-issuer-unknown"; 2];
        let problems: Vec<_> = report.problems().map(|finding| finding.id()).collect();
        assert_eq!(problems, expected, "{tls:?} {http}\n{report}");
    }
}

#[tokio::test]
async fn a_server_certificate_that_is_none_for_servers_is_told() {
    let root = &lab().root;
    let localhost = [pki::SubjectAltName::Ip("127.0.0.1".parse().unwrap())];
    let version_1 = Pair {
        certificate: as_version_1(&lab().server.certificate, root),
        key: PrivateKey::from_pem(lab().server.key_pem(), None).unwrap(),
    };
    for (pair, evidence) in [
        (
            issue(root, "/CN=localhost", &localhost, &Profile::client()),
            "does not allow extended key usage for server authentication",
        ),
        (version_1, "X.509 version 1"),
    ] {
        let pair = Arc::new(pair);
        for (tls, http) in crate::lab::PROTOCOLS {
            let setup = Setup::new(pod_answer).certificate(Arc::clone(&pair));
            let server = Server::start(setup.over(tls, http)).await;
            let report = examine_at(&server).await;
            assert_eq!(
                problems(&report),
                ["server-certificate-invalid"],
                "{report}"
            );
            assert_told(&report, "server-certificate-invalid", evidence, "replace");
        }
    }
}

#[tokio::test]
async fn a_server_without_the_key_of_the_certificate_that_it_shows_is_told() {
    for (tls, http) in crate::lab::PROTOCOLS {
        let stolen = Pair {
            key: crate::lab::key(),
            certificate: lab().server.certificate.clone(),
        };
        let setup = Setup::new(pod_answer).certificate(Arc::new(stolen));
        let server = Server::start(setup.over(tls, http)).await;
        let report = examine_at(&server).await;
        assert_eq!(problems(&report), ["server-not-trusted"], "{report}");
        assert!(server.seen().is_empty(), "nothing may be sent to it");
    }
}

#[tokio::test]
async fn tokens_that_are_given_and_not_accepted_are_told() {
    let pod = pod().await;
    pod.inject(Rule::new(Fault::ExpireTokens).path("/pod/v2/sessioninfo"))
        .unwrap();
    let report = doctor(&pod).examine().await;
    assert_eq!(problems(&report), ["token-refused"], "{report}");
    assert_told(&report, "token-refused", "Pod at", "same Pod");
}

#[tokio::test]
async fn a_call_that_the_user_may_not_make_is_told() {
    let pod = pod().await;
    let forbidden = Fault::status(StatusCode::FORBIDDEN);
    pod.inject(Rule::new(forbidden).path("/agent/v1/util/echo"))
        .unwrap();
    let report = doctor(&pod).examine().await;
    assert_eq!(problems(&report), ["call-forbidden"], "{report}");
    assert_told(&report, "call-forbidden", "Agent at", "entitlements");
}

/// Certificate endpoints are there, so that the trouble is another.
#[tokio::test]
async fn a_call_that_is_not_found_is_told_from_an_authentication_that_is_not() {
    for (path, evidence) in [
        ("/pod/v2/sessioninfo", "Pod at"),
        ("/agent/v1/util/echo", "Agent at"),
    ] {
        let pod = pod().await;
        let not_found = Fault::status(StatusCode::NOT_FOUND);
        pod.inject(Rule::new(not_found).path(path)).unwrap();
        let report = doctor(&pod).examine().await;
        assert_eq!(problems(&report), ["call-not-found"], "{report}");
        assert_told(&report, "call-not-found", evidence, "this endpoint's URL");
    }
}

/// By their day, and not in seconds since 1970.
#[tokio::test]
async fn when_a_server_certificate_is_valid_is_told_in_days() {
    for (fault, id, words) in [
        (
            BadCertificate::Expired,
            "server-certificate-expired",
            "it expired on 20",
        ),
        (
            BadCertificate::NotYetValid,
            "server-certificate-not-yet-valid",
            "it is not valid before 20",
        ),
    ] {
        let pod = pod().await;
        pod.inject(Rule::new(Fault::ServerCertificate(fault)).port(Port::Api))
            .unwrap();
        let report = doctor(&pod).examine().await;
        assert_told(&report, id, words, "clock");
    }
}

#[tokio::test]
async fn a_stream_of_http_2_that_is_reset_is_told() {
    let pod = Pod::builder()
        .http_versions([HttpVersion::Http2])
        .start()
        .await
        .unwrap();
    admit(&pod);
    pod.inject(Rule::new(Fault::NoAnswer).port(Port::KeyManager))
        .unwrap();
    let report = doctor(&pod).examine().await;
    assert_eq!(problems(&report), ["http-failed"], "{report}");
    assert_told(&report, "http-failed", "Key Manager at", "HTTP/2");
}

/// Nobody can connect to the broadcast address, and the system says so at once.
#[tokio::test]
async fn an_address_that_can_not_be_reached_is_told() {
    let nowhere = "https://255.255.255.255:8444";
    let endpoints = Endpoints::new(nowhere, nowhere).unwrap();
    let report = Doctor::new(endpoints, pem(&lab().bot), None)
        .trust(crate::lab::trust())
        .no_proxy()
        .examine()
        .await;
    assert_eq!(problems(&report), ["network-failed"], "{report}");
    assert_told(&report, "network-failed", "255.255.255.255", "proxy");
}

#[tokio::test]
async fn a_provider_that_does_not_fit_is_told() {
    let mut without_suites = CryptoProvider::clone(&provider::graviola().unwrap());
    without_suites.cipher_suites.clear();
    let report = offline(pem(&lab().bot), None)
        .provider(without_suites.into())
        .examine()
        .await;
    assert_eq!(problems(&report), ["client-unusable"], "{report}");
    assert_told(&report, "client-unusable", "cipher suites", "ring");

    let report = offline(pem(&lab().bot), None)
        .provider(without_keys())
        .examine()
        .await;
    assert_eq!(problems(&report), ["key-unsupported"], "{report}");
    assert_told(&report, "key-unsupported", "ECDSA P-256", "4096");
}

#[tokio::test]
async fn what_a_configuration_says_in_vain_is_told() {
    let root = pki_data_path("root.crt");
    let text = format!(
        "host: 127.0.0.1\nport: 1\nssl: {{ trustStore: {{ path: {root:?} }} }}\nretries: 3\n"
    );
    let config = BdkConfig::parse(&text, |_| None).unwrap();
    let report = Doctor::of_config(&config, p12(&lab().bot), None)
        .unwrap()
        .examine()
        .await;
    assert_told(
        &report,
        "configuration-ignored",
        "line 4: retries",
        "spelling",
    );
}

#[tokio::test]
async fn a_host_name_that_does_not_resolve_is_told() {
    let endpoints = Endpoints::new("https://pod.invalid", "https://km.invalid").unwrap();
    let report = Doctor::new(endpoints, p12(&lab().bot), Passphrase::from(PASSPHRASE))
        .trust(crate::lab::trust())
        .no_proxy()
        .examine()
        .await;
    assert_eq!(problems(&report), ["name-not-resolved"], "{report}");
}

#[tokio::test]
async fn each_trouble_with_a_proxy_has_its_finding() {
    let pod = pod().await;
    let wants_password = pod::Proxy::builder()
        .basic_auth("me", "s3cret")
        .start()
        .await
        .unwrap();
    let url = |credentials: &str| {
        Proxy::new(
            wants_password
                .url()
                .replace("//", &format!("//{credentials}")),
        )
        .unwrap()
    };
    let report = doctor(&pod).proxy(url("me:s3cret@")).examine().await;
    assert!(report.is_healthy(), "{report}");
    assert!(ids(&report, Severity::Info).contains(&"through-proxy"));
    assert!(!report.to_string().contains("s3cret"));
    for credentials in ["", "me:wrong@"] {
        let report = doctor(&pod).proxy(url(credentials)).examine().await;
        assert_eq!(problems(&report), ["proxy-authentication"], "{report}");
    }

    let proxy = pod::Proxy::builder().start().await.unwrap();
    for (fault, expected) in [
        (ProxyFault::Status(StatusCode::FORBIDDEN), "proxy-refused"),
        (ProxyFault::Close, "proxy-unreachable"),
        (ProxyFault::Silence, "connect-timeout"),
    ] {
        proxy.set_fault(fault);
        let report = doctor(&pod)
            .proxy(Proxy::new(proxy.url()).unwrap())
            .connect_timeout(Duration::from_secs(1))
            .examine()
            .await;
        assert_eq!(problems(&report), [expected], "{report}");
    }
    let report = doctor(&pod)
        .proxy(Proxy::new("http://127.0.0.1:1").unwrap())
        .examine()
        .await;
    assert_eq!(problems(&report), ["proxy-unreachable"], "{report}");
    let web = Proxy::new(pod.web_url().replace("https", "http")).unwrap();
    let report = doctor(&pod).proxy(web).examine().await;
    assert_eq!(problems(&report), ["proxy-failed"], "{report}");
}

#[tokio::test]
async fn a_bot_that_needs_no_key_manager_is_healthy_without() {
    let pod = Pod::builder()
        .simplified_key_delivery(true)
        .start()
        .await
        .unwrap();
    admit(&pod);
    let endpoints = Endpoints::new(pod.api_url(), "https://127.0.0.1:1")
        .unwrap()
        .agent(pod.agent_url())
        .unwrap();
    let doctor = Doctor::new(endpoints, pem(&lab().bot), None);
    let report = doctor
        .trust(TrustAnchors::pem(pod.trust_anchor_pem()).unwrap())
        .examine()
        .await;
    assert!(report.is_healthy(), "{report}");
    assert_told(&report, "key-manager-dispensable", "", "");
    assert_eq!(pod.requests_to("/agent/v1/util/echo"), 1);
    assert_eq!(pod.sessions("demo-bot1"), 0);
}
