//! A tower stack: a time limit over everything, the tokens, and a time limit over each attempt.
#![allow(clippy::print_stdout)] // a program that talks to people

use std::time::Duration;

use auth::{Client, http};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{Service, ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let config = std::env::args().nth(1).unwrap_or("config.yaml".into());
    let url = std::env::args().nth(2).ok_or("usage: tower CONFIG URL")?;

    let bot = Client::from_config(config)?;
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    let https = HttpsConnector::from((tcp, bot.tls_config()));
    let http = legacy::Client::builder(TokioExecutor::new()).build(https);
    let mut service = ServiceBuilder::new()
        .timeout(Duration::from_secs(120))
        .layer(bot.layer())
        .timeout(Duration::from_secs(30))
        .service(http);

    let request = http::Request::get(url).body(Full::<bytes::Bytes>::default())?;
    let reply = service.ready().await?.call(request).await?;
    let (head, body) = reply.into_parts();
    println!(
        "{}: {} octets",
        head.status,
        body.collect().await?.to_bytes().len()
    );
    bot.logout().await?;
    Ok(())
}
