//! A way through an HTTP proxy: `CONNECT` (RFC 9110, section 9.3.6).

use http::{StatusCode, Uri};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use zeroize::Zeroizing;

use super::fault::{Fault, ProxyFault};
use crate::proxy::Proxy;

/// Asks the proxy at the other end for a connection to the target. From then on, the stream is that connection.
pub(super) async fn open(
    mut stream: TcpStream,
    proxy: &Proxy,
    target: &Uri,
) -> Result<TcpStream, Fault> {
    let fault = |kind| Fault::Proxy(proxy.clone(), kind);
    let cut_off = || {
        fault(ProxyFault::Unreachable(
            "it closed the connection".to_owned(),
        ))
    };

    stream
        .write_all(request(proxy, target).as_bytes())
        .await
        .map_err(|_| cut_off())?;
    let mut head = Vec::with_capacity(256);
    loop {
        if stream.read_buf(&mut head).await.map_err(|_| cut_off())? == 0 {
            return Err(cut_off());
        }
        match status(&head) {
            Ok(Some(status)) if status.is_success() => return Ok(stream),
            Ok(Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED)) => {
                return Err(fault(ProxyFault::AuthenticationRequired));
            }
            Ok(Some(status)) => return Err(fault(ProxyFault::Refused(status))),
            Ok(None) => {}
            Err(reason) => return Err(fault(ProxyFault::Failed(reason))),
        }
    }
}

fn request(proxy: &Proxy, target: &Uri) -> Zeroizing<String> {
    let host = target.host().unwrap_or_default();
    let port = target.port_u16().unwrap_or(443);
    let mut request = Zeroizing::new(format!(
        "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"
    ));
    if let Some(Ok(credentials)) = proxy.authorization().map(http::HeaderValue::to_str) {
        request.push_str("Proxy-Authorization: ");
        request.push_str(credentials);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request
}

/// The status of a reply's head, once that is complete.
fn status(head: &[u8]) -> Result<Option<StatusCode>, &'static str> {
    const NOT_HTTP: &str = "it does not answer in HTTP";

    let fits = head
        .iter()
        .zip(STATUS_LINE)
        .all(|(found, expected)| found == expected || *expected == b'?');
    if !fits {
        return Err(NOT_HTTP);
    }
    let end = head
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .and_then(|end| end.checked_add(4));
    let Some(end) = end else {
        return if head.len() > HEAD_LIMIT {
            Err("the head of its answer is too large")
        } else {
            Ok(None)
        };
    };
    let status = head
        .get(9..12)
        .and_then(|digits| StatusCode::from_bytes(digits).ok())
        .ok_or(NOT_HTTP)?;
    // In TLS the client speaks first: nothing of the server can be here yet.
    if status.is_success() && head.len() > end {
        return Err("it sent data before the connection was used");
    }
    Ok(Some(status))
}

/// How an answer starts; `?` is any character.
const STATUS_LINE: &[u8] = b"HTTP/1.? ???";

/// In octets; well-formed heads have some hundreds.
const HEAD_LIMIT: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_names_host_and_port() {
        let proxy = Proxy::new("me:pw@proxy.test").unwrap();
        for (target, host) in [
            ("https://pod.test:8444/x", "pod.test:8444"),
            ("https://pod.test", "pod.test:443"),
            ("https://[::1]:8444", "[::1]:8444"),
        ] {
            assert_eq!(
                *request(&proxy, &target.parse().unwrap()),
                format!(
                    "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\n"
                )
            );
        }
    }

    #[test]
    fn the_answer_is_read_to_the_end_of_its_head() {
        assert_eq!(
            status(b"HTTP/1.1 200 Connection established\r\n\r\n"),
            Ok(Some(StatusCode::OK))
        );
        assert_eq!(status(b"HTTP/1.0 200\r\n\r\n"), Ok(Some(StatusCode::OK)));
        assert_eq!(
            status(b"HTTP/1.1 407 Who?\r\nContent-Length: 9\r\n\r\ngo away"),
            Ok(Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED))
        );
        assert_eq!(status(b"HTTP/1.1 200 OK\r\nVia: x\r\n"), Ok(None));
        assert_eq!(status(b"HT"), Ok(None));
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (head, reason) in [
            (&b"SSH-2.0-x"[..], "it does not answer in HTTP"),
            (b"\x15\x03\x01", "it does not answer in HTTP"),
            (b"HTTP/1.1 abc\r\n\r\n", "it does not answer in HTTP"),
            (
                b"HTTP/1.1 200 OK\r\n\r\nmore",
                "it sent data before the connection was used",
            ),
            (
                &[b"HTTP/1.1 200 ".as_slice(), &[b'a'; HEAD_LIMIT]].concat(),
                "the head of its answer is too large",
            ),
        ] {
            assert_eq!(status(head), Err(reason));
        }
    }
}
