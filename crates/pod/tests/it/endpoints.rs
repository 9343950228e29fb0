//! What the Pod, the Key Manager and the Agent answer.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use crate::support::{Answer, BOT, Client, World, bot, bot_with};
use http::{Method, StatusCode, Version};
use pod::{Pod, Port};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SESSION: (Port, &str) = (Port::Api, "/sessionauth/v1/authenticate");
const KEY_MANAGER: (Port, &str) = (Port::KeyManager, "/keyauth/v1/authenticate");
const SESSION_INFO: &str = "/pod/v2/sessioninfo";
const ECHO: &str = "/agent/v1/util/echo";

async fn call(
    client: &Client,
    port: Port,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let request = client.request(port, method, path, headers, body);
    client.send(port, request).await
}

async fn session_info(world: &World, token: &str) -> Answer {
    call(
        &world.client(),
        Port::Api,
        Method::GET,
        SESSION_INFO,
        &[("sessionToken", token)],
        b"",
    )
    .await
}

#[tokio::test]
async fn both_endpoints_give_a_token_and_the_name_of_its_header() {
    let world = World::new().await;
    for http2 in [false, true] {
        let client = world.client().http2(http2);
        for ((port, path), name) in [(SESSION, "sessionToken"), (KEY_MANAGER, "keyManagerToken")] {
            let answer = client.post(port, path).await;

            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.json()["name"], name);
            let token = answer.token();
            let random = token.rsplit('.').next().unwrap();
            assert_eq!(random.len(), 64);
            // A session token is a JWT, the other one is opaque.
            let parts = if name == "sessionToken" { 3 } else { 1 };
            assert_eq!(token.split('.').count(), parts);
            let expected = if http2 {
                Version::HTTP_2
            } else {
                Version::HTTP_11
            };
            assert_eq!(answer.version, expected);
        }
    }
}

#[tokio::test]
async fn authenticate_takes_no_body_and_no_content_type() {
    let world = World::new().await;
    for http2 in [false, true] {
        let client = world.client().http2(http2);
        for (port, path) in [SESSION, KEY_MANAGER] {
            let post = async |headers: &[(&str, &str)], body: &[u8]| {
                let answer = call(&client, port, Method::POST, path, headers, body).await;
                answer.status.as_u16()
            };
            assert_eq!(
                post(&[("content-type", "application/json")], b"{}").await,
                401
            );
            assert_eq!(
                post(&[("content-type", "application/json")], b"").await,
                401
            );
            assert_eq!(post(&[], b"{}").await, 500);
            assert_eq!(post(&[("content-length", "0")], b"").await, 200);
            assert_eq!(post(&[("content-type", "")], b"").await, 200);
        }
    }
}

#[tokio::test]
async fn the_web_port_knows_no_certificate() {
    let world = World::new().await;

    let answer = world.client().post(Port::Web, SESSION.1).await;

    let refusal = (401, "No client certificate was presented.".to_owned());
    assert_eq!(answer.error(), refusal);
}

#[tokio::test]
async fn the_common_name_must_equal_the_username_in_the_same_case() {
    let world = World::new().await;
    for other in ["Demo-Bot1", "demo-bot2"] {
        let client = Client::new(&world.pod).showing(&bot(&world.ca, other));
        for (port, path) in [SESSION, KEY_MANAGER] {
            let answer = client.post(port, path).await;
            assert_eq!(answer.error().0, 401, "{other}");
        }
    }
}

#[tokio::test]
async fn a_user_who_may_not_use_certificates_is_forbidden() {
    let world = World::new().await;
    world.pod.set_certificates_allowed(BOT, false).unwrap();

    for (port, path) in [SESSION, KEY_MANAGER] {
        let message = "Certificate authentication is not allowed for the requested user.";
        let answer = world.client().post(port, path).await;
        assert_eq!(answer.error(), (403, message.to_owned()));
    }

    world.pod.set_certificates_allowed(BOT, true).unwrap();
    world.tokens().await;
}

#[tokio::test]
async fn a_disabled_user_is_unauthorized_and_loses_the_tokens() {
    let world = World::new().await;
    let (session, _) = world.tokens().await;
    world.pod.set_user_enabled(BOT, false).unwrap();

    assert_eq!(
        world.client().post(SESSION.0, SESSION.1).await.error().0,
        401
    );
    assert_eq!(session_info(&world, &session).await.error().0, 401);

    world.pod.set_user_enabled(BOT, true).unwrap();
    assert_eq!(session_info(&world, &session).await.error().0, 401);
    world.tokens().await;
}

#[tokio::test]
async fn session_info_tells_who_holds_the_token() {
    let world = World::new().await;
    let user = world.pod.create_service_user("second-bot").unwrap();
    let second = Client::new(&world.pod).showing(&bot(&world.ca, "second-bot"));
    let token = second.post(SESSION.0, SESSION.1).await.token();

    let info = session_info(&world, &token).await;
    assert_eq!(info.status, StatusCode::OK);
    let expected = json!({
        "id": user.id,
        "username": "second-bot",
        "displayName": "second-bot",
        "accountType": "SYSTEM",
    });
    assert_eq!(info.json(), expected);

    // The web port serves it too.
    let web = call(
        &Client::new(&world.pod),
        Port::Web,
        Method::GET,
        SESSION_INFO,
        &[("sessionToken", &token)],
        b"",
    )
    .await;
    assert_eq!(web.json(), expected);
}

#[tokio::test]
async fn echo_wants_both_tokens_each_in_its_place() {
    let world = World::new().await;
    let (session, key_manager) = world.tokens().await;
    let body = json!({"message": "Grüße"}).to_string();
    for http2 in [false, true] {
        let client = world.client().http2(http2);
        let cases: [(&[(&str, &str)], u16); 5] = [
            (
                &[
                    ("sessionToken", &session),
                    ("keyManagerToken", &key_manager),
                ],
                200,
            ),
            (&[("sessionToken", &session)], 401),
            (&[("keyManagerToken", &key_manager)], 401),
            (
                &[
                    ("sessionToken", &key_manager),
                    ("keyManagerToken", &session),
                ],
                401,
            ),
            (
                &[("sessionToken", &session), ("keyManagerToken", &session)],
                401,
            ),
        ];
        for (headers, status) in cases {
            let answer = call(
                &client,
                Port::Api,
                Method::POST,
                ECHO,
                headers,
                body.as_bytes(),
            )
            .await;
            assert_eq!(answer.status, status);
            if status == 200 {
                assert_eq!(answer.json(), json!({"message": "Grüße"}));
            }
        }
    }
}

#[tokio::test]
async fn with_simplified_key_delivery_echo_takes_the_session_token_alone() {
    let builder = Pod::builder()
        .simplified_key_delivery(true)
        .agent_version("Agent-24.12.3");
    let world = World::with(builder).await;
    let (session, key_manager) = world.tokens().await;
    let body = json!({"message": "hello"}).to_string();
    let client = world.client();
    let echo = async |headers: &[(&str, &str)]| {
        let body = body.as_bytes();
        let answer = call(&client, Port::Api, Method::POST, ECHO, headers, body).await;
        answer.status.as_u16()
    };
    let both = [
        ("sessionToken", &*session),
        ("keyManagerToken", &*key_manager),
    ];
    assert_eq!(echo(&both[..1]).await, 200);
    assert_eq!(echo(&both).await, 200);
    assert_eq!(echo(&both[1..]).await, 401);
    assert_eq!(
        echo(&[both[0], ("keyManagerToken", "another")]).await,
        401,
        "a token that is there must be right"
    );

    let info = call(&client, Port::Api, Method::GET, "/agent/v1/info", &[], b"").await;
    assert_eq!(info.json(), json!({"version": "Agent-24.12.3"}));
}

#[tokio::test]
async fn sessions_are_counted() {
    let world = World::new().await;
    assert_eq!(world.pod.sessions(BOT), 0);
    let (session, _) = world.tokens().await;
    world.tokens().await;
    assert_eq!(
        (world.pod.sessions(BOT), world.pod.sessions("nobody")),
        (2, 0)
    );
    let client = world.client();
    let logout = "/sessionauth/v1/logout";
    let headers = [("sessionToken", &*session)];
    call(&client, Port::Api, Method::POST, logout, &headers, b"").await;
    assert_eq!(world.pod.sessions(BOT), 1);
    world.pod.expire_tokens();
    assert_eq!(world.pod.sessions(BOT), 0);
}

#[tokio::test]
async fn echo_refuses_tokens_of_different_users_and_bodies_that_are_no_message() {
    let world = World::new().await;
    world.pod.create_service_user("second-bot").unwrap();
    let (session, key_manager) = world.tokens().await;
    let second = Client::new(&world.pod).showing(&bot(&world.ca, "second-bot"));
    let theirs = second.post(KEY_MANAGER.0, KEY_MANAGER.1).await.token();

    let mixed = [("sessionToken", &*session), ("keyManagerToken", &*theirs)];
    let own = [
        ("sessionToken", &*session),
        ("keyManagerToken", &*key_manager),
    ];
    let client = world.client();
    let message = br#"{"message":"x"}"#;
    let answer = call(&client, Port::Api, Method::POST, ECHO, &mixed, message).await;
    assert_eq!(answer.error().0, 401);
    for broken in [
        &b""[..],
        b"{",
        br#"{"message":1}"#,
        br#"{"text":"x"}"#,
        b"\xFF",
    ] {
        let answer = call(&client, Port::Api, Method::POST, ECHO, &own, broken).await;
        assert_eq!(answer.error().0, 400, "{broken:?}");
    }
}

#[tokio::test]
async fn logout_ends_the_one_token() {
    let world = World::new().await;
    let client = world.client();
    let (session, key_manager) = world.tokens().await;
    let (other_session, _) = world.tokens().await;
    let logout = async |port, path: &str, header: &str, token: &str| {
        call(&client, port, Method::POST, path, &[(header, token)], b"").await
    };

    let answer = logout(
        Port::Api,
        "/sessionauth/v1/logout",
        "sessionToken",
        &session,
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.json()["message"].is_string());
    assert_eq!(session_info(&world, &session).await.error().0, 401);
    assert_eq!(
        session_info(&world, &other_session).await.status,
        StatusCode::OK
    );

    let again = logout(
        Port::Api,
        "/sessionauth/v1/logout",
        "sessionToken",
        &session,
    )
    .await;
    assert_eq!(again.error().0, 401);
    let nothing = client.post(Port::Api, "/sessionauth/v1/logout").await;
    assert_eq!(nothing.error().0, 400);

    // Under either name, but never with a token of the other kind.
    let path = "/keyauth/v1/logout";
    let wrong = logout(Port::KeyManager, path, "keyManagerToken", &other_session).await;
    assert_eq!(wrong.error().0, 401);
    let yaml = logout(Port::KeyManager, path, "sessionToken", &key_manager).await;
    assert_eq!(yaml.status, StatusCode::OK);
    let (_, key_manager) = world.tokens().await;
    let page = logout(Port::KeyManager, path, "keyManagerToken", &key_manager).await;
    assert_eq!(page.status, StatusCode::OK);
}

#[tokio::test]
async fn tokens_end_with_their_lifetime() {
    let now = Arc::new(Mutex::new(SystemTime::now()));
    let clock = {
        let now = Arc::clone(&now);
        move || *now.lock().unwrap()
    };
    let lifetime = Duration::from_secs(90);
    let world = World::with(Pod::builder().clock(clock).token_lifetime(lifetime)).await;
    let (session, _) = world.tokens().await;

    *now.lock().unwrap() += lifetime - Duration::from_secs(1);
    assert_eq!(session_info(&world, &session).await.status, StatusCode::OK);

    *now.lock().unwrap() += Duration::from_secs(1);
    assert_eq!(session_info(&world, &session).await.error().0, 401);
}

#[tokio::test]
async fn expire_tokens_ends_those_there_are_and_no_later_ones() {
    let world = World::new().await;
    let (old, _) = world.tokens().await;

    world.pod.expire_tokens();

    assert_eq!(session_info(&world, &old).await.error().0, 401);
    let (new, _) = world.tokens().await;
    assert_eq!(session_info(&world, &new).await.status, StatusCode::OK);
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist() {
    let world = World::new().await;
    for http2 in [false, true] {
        let client = world.client().http2(http2);
        for (port, path) in [
            (Port::Api, "/"),
            (Port::Api, KEY_MANAGER.1),
            (Port::KeyManager, SESSION.1),
            (Port::KeyManager, ECHO),
            (Port::Api, "/login/pubkey/authenticate"),
            (Port::Api, "/sessionauth/v1/authenticate/"),
        ] {
            assert_eq!(
                client.post(port, path).await.error().0,
                404,
                "{port} {path}"
            );
        }

        let answer = call(&client, Port::Api, Method::GET, SESSION.1, &[], b"").await;
        assert_eq!(answer.error().0, 405);
        assert_eq!(answer.headers["allow"], "POST");
        let answer = client.post(Port::Api, SESSION_INFO).await;
        assert_eq!(answer.error().0, 405);
        assert_eq!(answer.headers["allow"], "GET");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_and_the_answer_arrives() {
    let world = World::new().await;
    for _ in 0..5 {
        let mut stream = world.client().handshake(Port::Api).await.unwrap();
        // More than the sockets hold: a server that simply closed would break off the client's writing.
        let body = vec![b' '; 8_000_000];
        let head = format!(
            "POST {ECHO} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();

        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.ends_with(r#"{"code":413,"message":"The request body is too large."}"#));
    }

    let client = world.client().http2(true);
    let body = vec![b' '; 400_000];
    let answer = call(&client, Port::Api, Method::POST, ECHO, &[], &body).await;
    assert_eq!(answer.error().0, 413);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let world = World::new().await;
    let mut stream = world.client().handshake(Port::Api).await.unwrap();
    let head = format!(
        "POST {ECHO} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Once this is here the server waits for the body.
    let mut go_on = *b"HTTP/1.1 100 Continue\r\n\r\n";
    stream.read_exact(&mut go_on).await.unwrap();
    tokio::time::pause();

    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let world = World::new().await;
    let mut stream = world.client().handshake(Port::Api).await.unwrap();
    let head = format!("GET {SESSION_INFO} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 401 "));
    tokio::time::pause();

    // A clean end: an error without the close_notify of TLS.
    assert_eq!(stream.read_to_end(&mut answer).await.unwrap(), 0);
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused() {
    let world = World::new().await;
    let long = "x".repeat(40_000);

    for http2 in [false, true] {
        let client = world.client().http2(http2);
        let headers = [("x-long", &*long)];
        let answer = call(&client, Port::Api, Method::POST, SESSION.1, &headers, b"").await;
        assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
}

#[tokio::test]
async fn requests_are_recorded_without_their_secrets() {
    let world = World::new().await;
    let client = world.client();
    let (session, key_manager) = world.tokens().await;
    let mut connection = client.connect(Port::Api).await;
    for _ in 0..2 {
        let headers = [("sessionToken", &*session), ("accept", "text/html")];
        let path = "/pod/v2/sessioninfo?x=1";
        let request = client.request(Port::Api, Method::GET, path, &headers, b"");
        connection.send(request).await;
    }

    let requests = world.pod.requests();
    assert_eq!(requests.len(), 4);
    let [first, second, third, fourth] = &requests[..] else {
        panic!("four requests");
    };
    assert_eq!(
        (first.port, &*first.path, first.status.as_u16()),
        (SESSION.0, SESSION.1, 200)
    );
    assert_eq!(second.port, Port::KeyManager);
    assert_eq!(first.username.as_deref(), Some(BOT));
    assert_eq!(first.body_len, 0);
    assert!(!first.headers.contains_key("content-type"));
    assert_eq!((third.method.as_str(), &*third.path), ("GET", SESSION_INFO));
    assert_eq!(third.headers["accept"], "text/html");
    assert_eq!(third.headers["sessiontoken"], "[elided]");
    assert_eq!(third.connection, fourth.connection);
    assert_ne!(first.connection, third.connection);
    let text = format!("{requests:?} {:?}", world.pod);
    assert!(!text.contains(&session) && !text.contains(&key_manager));
}

#[tokio::test]
async fn many_requests_share_one_connection() {
    let world = World::new().await;
    for http2 in [false, true] {
        let client = world.client().http2(http2);
        let mut connection = client.connect(Port::Api).await;
        for _ in 0..20 {
            let request = client.request(Port::Api, Method::POST, SESSION.1, &[], b"");
            connection.send(request).await.token();
        }
    }
    assert_eq!(world.pod.handshakes(Port::Api).completed, 2);
}

#[tokio::test]
async fn an_rsa_identity_works_at_both_endpoints() {
    let world = World::with(Pod::builder().minimum_rsa_bits(2048)).await;
    let key = pki::PrivateKey::generate(pki::KeyKind::Rsa2048).unwrap();
    let identity = bot_with(&world.ca, BOT, &key, &pki::Profile::client());
    let client = Client::new(&world.pod).showing(&identity);

    client.post(SESSION.0, SESSION.1).await.token();
    client.post(KEY_MANAGER.0, KEY_MANAGER.1).await.token();
}
