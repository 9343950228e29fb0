//! A small bot: logs in with a `.p12`, calls `echo` once a second, survives the end of its tokens and a new `.p12`.
//!
//! Against the embedded pod, in a directory that holds the files of the certificate workflow:
//!
//! ```text
//! countersign pod serve --import ca.crt.pem --user demo-bot1
//! P12_PASSPHRASE=changeit cargo run -p countersign-auth --example bot -- \
//!     demo-bot1.p12 pod-root.pem https://localhost:8444 https://localhost:8445 https://localhost:8444 60
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)] // a program that talks to people

use std::{error::Error, time::Duration};

use auth::{Client, Endpoint, Endpoints, Idempotent, IdentityFile, TrustAnchors, doctor::Kind};
use http::Request;

const USAGE: &str =
    "usage: P12_PASSPHRASE=... bot P12 TRUST POD_URL KEY_MANAGER_URL AGENT_URL [SECONDS]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or(USAGE);
    let (p12, trust) = (next()?, next()?);
    let endpoints = Endpoints::new(next()?, next()?)?.agent(next()?)?;
    let seconds = next().map_or(Ok(60), |text| text.parse())?;
    let passphrase = std::env::var("P12_PASSPHRASE").map_err(|_| USAGE)?;

    let mut file = IdentityFile::new(p12, passphrase.into());
    let identity = file.load()?;
    println!("I am {}", identity.leaf().subject());
    let client = Client::builder(endpoints, identity)
        .trust(TrustAnchors::pem(std::fs::read(trust)?)?)
        .build()?;

    // A new certificate is taken over while the bot runs.
    let follower = client.clone();
    tokio::spawn(async move {
        file.follow(
            &follower,
            Duration::from_secs(10),
            |outcome| match outcome {
                Ok(()) => println!("there is a new identity, and it works"),
                Err(error) => eprintln!("the identity stays what it was: {error}"),
            },
        )
        .await
    });

    for number in 1..=seconds {
        let mut echo = Request::post("/agent/v1/util/echo")
            .header("content-type", "application/json")
            .body(format!(r#"{{"message":"hello {number}"}}"#).into())?;
        // An echo that is heard twice does no harm; a message that is sent twice would.
        echo.extensions_mut().insert(Idempotent);
        match client.call(Endpoint::Agent, echo).await {
            Ok(reply) => println!("{}", String::from_utf8_lossy(reply.body())),
            Err(error) => {
                eprintln!("{error}");
                if let Some(hint) = Kind::of(&error).and_then(Kind::next_step) {
                    eprintln!("  {hint}");
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    client.logout().await?;
    Ok(())
}
