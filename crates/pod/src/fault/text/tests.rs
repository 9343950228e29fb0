use super::*;

fn parse(text: &str) -> Rule {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> Error {
    text.parse::<Rule>().expect_err(text)
}

#[test]
fn a_place_is_any_or_its_parts_in_their_order() {
    let anywhere = Rule::new(Fault::NoAnswer);

    assert_eq!(parse("any=no-answer"), anywhere);
    assert_eq!(parse("web=no-answer"), anywhere.clone().port(Port::Web));
    assert_eq!(parse("GET=no-answer"), anywhere.clone().method(Method::GET));
    assert_eq!(parse("/a*=no-answer"), anywhere.clone().path("/a*"));
    assert_eq!(
        parse("key-manager POST /a=no-answer"),
        anywhere
            .port(Port::KeyManager)
            .method(Method::POST)
            .path("/a")
    );
}

#[test]
fn what_is_no_place_is_named() {
    for wrong in [
        "",
        "*",
        "API",
        "api api",
        "post",
        "POST api",
        "/a POST",
        "/a /b",
        "GET POST",
        "any api",
        "api  POST",
    ] {
        let Error::FaultPlace { place } = error(&format!("{wrong}=no-answer")) else {
            panic!("{wrong}");
        };
        assert_eq!(place, wrong);
    }
    assert!(matches!(error("no-answer"), Error::FaultWithoutPlace { text } if text == "no-answer"));
}

#[test]
fn every_fault_has_a_text() {
    let per_second = std::num::NonZeroU32::new(400).unwrap();
    let cut = |end, after| Fault::CutAnswer { end, after };
    let cut_handshake = |end, after| Fault::CutHandshake { end, after };
    let second = Duration::from_secs(1);
    for (text, fault) in [
        ("refuse", Fault::Refuse),
        ("plain-text", Fault::PlainText),
        (
            "hello-alert:protocol_version",
            Fault::HelloAlert(AlertDescription::ProtocolVersion),
        ),
        (
            "hello-alert:70",
            Fault::HelloAlert(AlertDescription::ProtocolVersion),
        ),
        (
            "server-certificate:wrong-host",
            Fault::ServerCertificate(BadCertificate::WrongHost),
        ),
        (
            "server-certificate:expired",
            Fault::ServerCertificate(BadCertificate::Expired),
        ),
        (
            "server-certificate:not-yet-valid",
            Fault::ServerCertificate(BadCertificate::NotYetValid),
        ),
        (
            "server-certificate:unknown-root",
            Fault::ServerCertificate(BadCertificate::UnknownRoot),
        ),
        (
            "refuse-client:unknown_ca",
            Fault::RefuseClient(AlertDescription::UnknownCA),
        ),
        ("silence", Fault::silence()),
        ("handshake-reset:1", cut_handshake(End::Reset, 1)),
        ("handshake-close:2", cut_handshake(End::Close, 2)),
        ("handshake-silence:3", cut_handshake(End::Silence, 3)),
        ("status:503", Fault::status(StatusCode::SERVICE_UNAVAILABLE)),
        ("throttle:400", Fault::Throttle { per_second }),
        ("expire-tokens", Fault::ExpireTokens),
        ("delay:1000ms", Fault::Delay(second)),
        ("delay:1s", Fault::Delay(second)),
        ("delay:1m", Fault::Delay(60 * second)),
        ("without-token", Fault::WithoutToken),
        ("no-answer", Fault::NoAnswer),
        ("reset:1", cut(End::Reset, 1)),
        ("close:2", cut(End::Close, 2)),
        ("silence:3", cut(End::Silence, 3)),
        ("truncate:4", Fault::Truncate { after: 4 }),
        ("trickle:1s", Fault::Trickle { pause: second }),
        ("oversize:1000000", Fault::Oversize { octets: 1_000_000 }),
        ("endless", Fault::Endless),
        ("hang-up", Fault::HangUp),
    ] {
        let rule = parse(&format!("any={text}"));
        assert_eq!(rule, Rule::new(fault), "{text}");
        assert_eq!(parse(&rule.to_string()), rule, "{text}: {rule}");
    }
}

#[test]
fn a_rule_is_written_in_the_words_that_it_is_read_from() {
    for text in [
        "any=refuse",
        "api POST /sessionauth/*=delay:1500ms,times:3,skip:2",
        "key-manager=endless,probability:0.25,seed:7",
        "web=hello-alert:unrecognized_name",
        "any=refuse-client:unknown_ca",
        "any=hello-alert:unknown_psk_identity",
        "any=hello-alert:199",
        "any=silence",
        "any=silence:0",
        "/a=status:429,retry-after:2s,times:2",
        "any=status:503,retry-after-date:1500ms,html,times:1",
        "any=status:503,empty",
        "any=status:503,content-type:none",
        "any=status:200,content-type:text/plain,times:2,body:a,b\nc",
        "any=status:200,body:",
    ] {
        let rule = parse(text);
        assert_eq!(rule.to_string(), text);
    }
    // What another way of writing says.
    let rule = parse("any=status:503,html,content-type:none,times:2");
    assert_eq!(parse(&rule.to_string()), rule);
}

#[test]
fn options_say_how_often() {
    let delay = Rule::new(Fault::Delay(Duration::from_secs(1)));

    assert_eq!(
        parse("any=delay:1s,times:3,skip:2"),
        delay.clone().times(3).skip(2)
    );
    assert_eq!(
        parse("any=delay:1s,probability:0.25"),
        delay.clone().probability(0.25, 0)
    );
    assert_eq!(
        parse("any=delay:1s,probability:0.25,seed:7"),
        delay.probability(0.25, 7)
    );
}

#[test]
fn options_of_an_answer_are_applied_in_their_order() {
    let status = Answer::new(StatusCode::UNAUTHORIZED);
    let second = Duration::from_secs(1);
    for (text, answer) in [
        ("retry-after:1s", status.clone().retry_after(second)),
        (
            "retry-after-date:1s",
            status.clone().retry_after_date(second),
        ),
        ("html", status.clone().html()),
        ("empty", status.clone().empty()),
        ("content-type:none", status.clone().without_content_type()),
        (
            "content-type:a/b",
            status.clone().content_type(HeaderValue::from_static("a/b")),
        ),
        (
            "content-type:none,body:a,times:2",
            status.clone().without_content_type().body("a,times:2"),
        ),
        (
            "html,content-type:none",
            status.clone().html().without_content_type(),
        ),
    ] {
        let rule = Rule::new(Fault::Answer(answer));
        assert_eq!(parse(&format!("any=status:401,{text}")), rule, "{text}");
        assert_eq!(parse(&rule.to_string()), rule, "{text}: {rule}");
    }
}

#[test]
fn unknown_names_are_named() {
    assert!(matches!(error("any="), Error::UnknownFault { name } if name.is_empty()));
    assert!(matches!(error("any=explode"), Error::UnknownFault { name } if name == "explode"));
    for (text, fault, name) in [
        ("endless,html", "endless", "html"),
        ("endless,", "endless", ""),
        ("status:500,colour:red", "status", "colour"),
        ("status:500,seed:1", "status", "seed"),
    ] {
        let Error::UnknownFaultOption {
            fault: found_fault,
            name: found_name,
        } = error(&format!("any={text}"))
        else {
            panic!("{text}");
        };
        assert_eq!((&*found_fault, &*found_name), (fault, name));
    }
}

#[test]
fn wrong_values_are_named() {
    for (text, name, value) in [
        ("status:99", "status", "99"),
        ("status", "status", ""),
        ("reset:-1", "reset", "-1"),
        ("reset", "reset", ""),
        ("delay:5", "delay", "5"),
        ("delay:s", "delay", "s"),
        ("delay:1h", "delay", "1h"),
        (
            "delay:18446744073709551615m",
            "delay",
            "18446744073709551615m",
        ),
        ("throttle:0", "throttle", "0"),
        ("endless:1", "endless", "1"),
        ("refuse-client:unknown", "refuse-client", "unknown"),
        ("server-certificate:red", "server-certificate", "red"),
        ("endless,times:0", "times", "0"),
        ("endless,probability:often", "probability", "often"),
        ("status:500,html:1", "html", "1"),
        ("status:500,body", "body", ""),
    ] {
        let Error::FaultValue {
            name: found_name,
            value: found_value,
            ..
        } = error(&format!("any={text}"))
        else {
            panic!("{text}");
        };
        assert_eq!((&*found_name, &*found_value), (name, value));
    }
}

#[test]
fn contradictions_are_refused() {
    for text in [
        "POST=refuse",
        "/a=server-certificate:expired",
        "any=refuse,times:1",
        "any=endless,probability:1.5",
        "any=endless,probability:NaN",
        "any=status:100",
        "any=refuse-client:close_notify",
        "web=refuse-client:unknown_ca",
    ] {
        assert!(
            matches!(error(text), Error::FaultContradiction { .. }),
            "{text}"
        );
    }
}

#[test]
fn alerts_go_by_their_names_in_the_rfcs() {
    for (name, alert) in [
        ("close_notify", AlertDescription::CloseNotify),
        ("bad_record_mac", AlertDescription::BadRecordMac),
        ("handshake_failure", AlertDescription::HandshakeFailure),
        ("certificate_unknown", AlertDescription::CertificateUnknown),
        ("unknown_ca", AlertDescription::UnknownCA),
        ("protocol_version", AlertDescription::ProtocolVersion),
        ("unrecognized_name", AlertDescription::UnrecognisedName),
        (
            "bad_certificate_status_response",
            AlertDescription::BadCertificateStatusResponse,
        ),
        (
            "no_application_protocol",
            AlertDescription::NoApplicationProtocol,
        ),
    ] {
        let rule = format!("any=hello-alert:{name}");
        assert_eq!(parse(&rule), Rule::new(Fault::HelloAlert(alert)), "{name}");
    }
}
