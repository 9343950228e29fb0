//! reqwest with a bot's certificate and tokens, from the `config.yaml` of an official client: `reqwest CONFIG URL`
//!
//! With reqwest 0.13 and its feature `rustls-no-provider`, and tower with `util`.
#![allow(clippy::print_stdout)] // a program that talks to people
use auth::{BoxError, Client, http};
use tower::{Layer, ServiceExt, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: reqwest CONFIG URL");
    let bot = Client::from_config(next()?)?;

    let reqwest = reqwest::Client::builder()
        .tls_backend_preconfigured(bot.tls_config())
        .redirect(reqwest::redirect::Policy::none()) // tokens stay with their host
        .build()?;
    let send = service_fn(move |request: http::Request<&'static str>| {
        let reqwest = reqwest.clone();
        async move {
            reqwest
                .execute(request.try_into()?)
                .await
                .map(http::Response::from)
        }
    });
    let request = http::Request::get(next()?).body("")?;
    let reply = bot.layer().layer(send).oneshot(request).await?;
    println!("{}", reqwest::Response::from(reply).text().await?);
    bot.logout().await?;
    Ok(())
}
