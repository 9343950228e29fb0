//! A bot, from the `config.yaml` of an official client: calls `echo` ten times, once a second, whatever becomes of its tokens.
//!
//! Against the embedded pod, in a directory that holds the files of the certificate workflow:
//!
//! ```text
//! countersign pod serve --import ca.crt.pem --user demo-bot1
//! cargo run -p countersign-auth --example bot -- config.yaml
//! ```
#![allow(clippy::print_stdout)] // a program that talks to people

use std::time::Duration;

use auth::{BoxError, Client, Endpoint, Idempotent, http::Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let client = Client::from_config(std::env::args().nth(1).ok_or("usage: bot CONFIG")?)?;
    for number in 1..=10 {
        let echo = Request::post("/agent/v1/util/echo").header("content-type", "application/json");
        let echo = echo.extension(Idempotent); // an echo that is heard twice does no harm
        let echo = echo.body(format!(r#"{{"message":"hello {number}"}}"#).into())?;
        let reply = client.call(Endpoint::Agent, echo).await?;
        println!("{}", String::from_utf8_lossy(reply.body()));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(client.logout().await?)
}
