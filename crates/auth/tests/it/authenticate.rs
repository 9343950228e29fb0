use std::time::Duration;

use auth::{Endpoint, Error, RetryPolicy, doctor::Kind};
use http::{Method, StatusCode, Version};
use pod::{End, Fault, HttpVersion, Port, Rule, TlsVersion};

use crate::{
    faults::pod_with,
    lab::{PROTOCOLS, authenticate_at, client, failure_at, key_manager_answer, lab, pod_answer},
    server::{Answer, Server, Setup},
};

#[tokio::test]
async fn both_tokens_come_back_over_every_protocol() {
    for (tls, http) in PROTOCOLS {
        let pod = Server::start(Setup::new(pod_answer).over(tls, http)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer).over(tls, http)).await;
        let client = client(&pod, &key_manager).build().unwrap();

        let session = client.session().await.unwrap();

        assert_eq!(session.session_token().header_name(), "sessionToken");
        assert_eq!(session.session_token().expose(), "s3ss10n");
        let key_manager_token = session.key_manager_token().unwrap();
        assert_eq!(key_manager_token.header_name(), "keyManagerToken");
        assert_eq!(key_manager_token.expose(), "k3ym4n");
        let version = if http == "h2" {
            Version::HTTP_2
        } else {
            Version::HTTP_11
        };
        assert_eq!(pod.seen()[0].version, version);
        assert_eq!((pod.connections(), key_manager.connections()), (1, 1));
    }
}

#[tokio::test]
async fn the_request_is_exactly_what_the_protocol_asks_for() {
    for (tls, http) in PROTOCOLS {
        let pod = Server::start(Setup::new(pod_answer).over(tls, http)).await;
        let key_manager = Server::start(Setup::new(key_manager_answer).over(tls, http)).await;
        client(&pod, &key_manager)
            .build()
            .unwrap()
            .session()
            .await
            .unwrap();

        for (server, path) in [
            (&pod, "/sessionauth/v1/authenticate"),
            (&key_manager, "/keyauth/v1/authenticate"),
        ] {
            let seen = server.seen();
            assert_eq!(seen.len(), 1);
            let request = &seen[0];
            assert_eq!(request.method, Method::POST);
            assert_eq!(request.uri.path(), path);
            assert_eq!(request.uri.query(), None);
            assert_eq!(request.body, "");
            assert_eq!(request.headers["accept"], "application/json");
            assert_eq!(request.headers["content-length"], "0");
            assert!(
                request.headers["user-agent"]
                    .to_str()
                    .unwrap()
                    .starts_with("countersign/")
            );
            let mut names: Vec<_> = request.headers.keys().map(|name| name.as_str()).collect();
            names.sort_unstable();
            names.retain(|name| *name != "host"); // HTTP/1.1 only
            assert_eq!(names, ["accept", "content-length", "user-agent"]);
        }
    }
}

#[tokio::test]
async fn leaf_and_signing_certificate_are_presented_and_the_root_is_not() {
    for (tls, http) in PROTOCOLS {
        let (result, pod) = authenticate_at(Setup::new(pod_answer).over(tls, http)).await;
        result.unwrap();

        let presented = &pod.seen()[0].certificates;
        assert_eq!(presented.len(), 2);
        assert_eq!(*presented[0], *lab().bot.certificate.as_der());
        assert_eq!(*presented[1], *lab().signing.certificate().as_der());
    }
}

#[tokio::test]
async fn the_name_in_the_reply_decides_the_header() {
    let answer = || Answer::json(200, r#"{"name":"X-Session","token":"t"}"#);
    let (session, _) = authenticate_at(Setup::new(answer)).await;
    let mut headers = http::HeaderMap::new();
    session.unwrap().authorize(Endpoint::Pod, &mut headers);
    assert_eq!(headers["x-session"], "t");
    assert_eq!(headers.len(), 1);
}

#[tokio::test]
async fn one_name_for_both_tokens_is_refused() {
    let answer = || Answer::json(200, r#"{"name":"KEYMANAGERTOKEN","token":"t"}"#);
    let (error, _) = failure_at(Setup::new(answer)).await;
    assert!(matches!(
        &error,
        Error::MalformedReply { peer, reason: "`name` is the header of the session token", .. }
            if peer.endpoint() == Endpoint::KeyManager
    ));
}

#[tokio::test]
async fn a_401_is_unauthorized_whatever_its_body() {
    for (body, code, message) in [
        (
            r#"{"code":401,"message":"Unauthorized user"}"#,
            Some(401),
            Some("Unauthorized user"),
        ),
        ("", None, None),
        ("<html>401</html>", None, None),
    ] {
        let (error, authority) = failure_at(Setup::new(move || Answer::json(401, body))).await;
        let Error::Unauthorized {
            peer,
            code: found,
            message: text,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(
            (peer.endpoint(), peer.authority()),
            (Endpoint::Pod, authority.as_str())
        );
        assert_eq!((*found, text.as_deref()), (code, message));
        assert_eq!(Kind::of(&error).map(Kind::id), Some("unauthorized"));
    }
}

#[tokio::test]
async fn a_403_is_forbidden() {
    let body = r#"{"code":403,"message":"Certificate authentication is not allowed for the requested user."}"#;
    let (error, _) = failure_at(Setup::new(move || Answer::json(403, body))).await;
    assert!(matches!(
        error,
        Error::Forbidden { code: Some(403), message: Some(message), .. }
            if message == "Certificate authentication is not allowed for the requested user."
    ));
}

#[tokio::test]
async fn any_other_status_is_kept_with_code_and_message() {
    for status in [301, 400, 404, 429, 500, 503] {
        let answer = move || {
            Answer::json(status, r#"{"code":65,"message":"no"}"#)
                .header("location", "https://evil.test/")
        };
        let (error, _) = failure_at(Setup::new(answer)).await;
        let Error::Status {
            status: found,
            code: Some(65),
            message: Some(message),
            ..
        } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(found, StatusCode::from_u16(status).unwrap());
        assert_eq!(message, "no");
    }
}

#[tokio::test]
async fn an_error_whose_body_can_not_be_had_keeps_its_status() {
    let cut = |end| Fault::CutAnswer { end, after: 150 };
    for fault in [Fault::Endless, cut(End::Silence), cut(End::Reset)] {
        // Over HTTP/2, a reset takes what was not read yet with it.
        let pod = pod_with(fault, TlsVersion::Tls13, HttpVersion::Http1).await;
        let unavailable = Fault::status(StatusCode::SERVICE_UNAVAILABLE);
        pod.inject(Rule::new(unavailable).port(Port::Api)).unwrap();
        let error = crate::life::builder(&pod)
            .retry(RetryPolicy::none())
            .read_timeout(Duration::from_secs(1))
            .build()
            .unwrap()
            .session()
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Status {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    code: None,
                    message: None,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn the_failure_of_either_endpoint_says_which_one_it_was() {
    let pod = Server::start(Setup::new(pod_answer)).await;
    let key_manager = Server::start(Setup::new(|| Answer::json(500, ""))).await;
    let error = client(&pod, &key_manager)
        .build()
        .unwrap()
        .session()
        .await
        .unwrap_err();
    let peer = error.peer().unwrap();
    assert_eq!(peer.endpoint(), Endpoint::KeyManager);
    assert_eq!(peer.authority(), key_manager.authority());
    assert_eq!(
        error.to_string(),
        format!(
            "Key Manager at {} answered 500 Internal Server Error",
            key_manager.authority()
        )
    );
}
