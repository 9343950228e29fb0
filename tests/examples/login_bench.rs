//! From a `.p12` to both tokens: the program and the library beside curl and the Python BDK, against one embedded pod.
//!
//! `cargo xtask login-bench` builds the program and runs this. The Python BDK takes part when `COUNTERSIGN_BDK_PYTHON`
//! names a Python that has `symphony-bdk-python`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)] // a benchmark talks to people, and may give up

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use auth::{Client, Endpoints, Identity, TrustAnchors};
use pki::{
    CertificateAuthority, CertificateRequest, KeyKind, Passphrase, Pkcs12, PrivateKey, Profile,
};
use pod::{CertificateType, Pod, Port};
use tokio::process::Command;

const ROUNDS: usize = 100;
/// The BDK takes a second for each.
const BDK_ROUNDS: usize = 10;
const PASSPHRASE: &str = "changeit";

/// Logs in once as a process of its own and once more inside it, and prints how long the second took.
const BDK: &str = r#"
import aiohttp, asyncio, sys, time
from symphony.bdk.core.config.model.bdk_config import BdkConfig
from symphony.bdk.core.symphony_bdk import SymphonyBdk
# Its version 3.0.0 sends a Content-Type with the empty body, which the protocol forbids since March 2025.
request = aiohttp.ClientSession._request
async def bare(self, method, url, headers=None, **more):
    headers = {name: value for name, value in (headers or {}).items() if name != "Content-Type"}
    return await request(self, method, url, headers=headers, skip_auto_headers=["Content-Type"], **more)
aiohttp.ClientSession._request = bare
pod, km, pem, root = sys.argv[1:5]
def server(url):
    host, port = url.removeprefix("https://").split(":")
    return {"scheme": "https", "host": host, "port": int(port)}
config = BdkConfig(pod=server(pod), keyManager=server(km), agent=server(pod), sessionAuth=server(pod),
    bot={"username": "demo-bot1", "certificate": {"path": pem}}, ssl={"trustStore": {"path": root}})
async def login():
    async with SymphonyBdk(config) as bdk:
        session = bdk.bot_session()
        assert await session.session_token and await session.key_manager_token
async def main():
    await login()
    if len(sys.argv) > 5:
        start = time.perf_counter()
        await login()
        print(time.perf_counter() - start)
asyncio.run(main())
"#;

struct Lab {
    pod: Pod,
    p12: PathBuf,
    pem: PathBuf,
    root: PathBuf,
}

#[tokio::main]
async fn main() {
    // It lies beside the folder of the examples.
    let here = std::env::current_exe().unwrap();
    let program = here.ancestors().nth(2).unwrap().join("countersign");
    let python = std::env::var("COUNTERSIGN_BDK_PYTHON").ok();
    // As `openssl pkcs12 -export` makes it, and as we do: curl derives the keys twice, once in each process.
    for iterations in [Some(2048), None] {
        race(&program, python.as_deref(), iterations).await;
    }
}

async fn race(program: &Path, python: Option<&str>, iterations: Option<u32>) {
    let dir = std::env::temp_dir().join(format!("countersign-login-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let lab = Lab::new(&dir, iterations).await;

    let mut rows: Vec<(&str, Vec<Duration>, u64)> = Vec::new();
    let names = [
        "two curl processes",
        "countersign auth login",
        "library, client and connections new",
        "library, connections open",
        "Python BDK, a process",
        "Python BDK, in a process",
    ];
    for name in names {
        rows.push((name, Vec::new(), 0));
    }
    let warm = lab.client();
    warm.session().await.unwrap();
    // In turns, so that whatever else the machine does hits all alike; the first round is not counted.
    for round in 0..=ROUNDS {
        for (index, row) in rows.iter_mut().enumerate() {
            let before = lab.handshakes();
            let started = Instant::now();
            match (index, python) {
                (0, _) => lab.curl_twice().await,
                (1, _) => lab.program(program).await,
                (2, _) => drop(lab.client().session().await.unwrap()),
                (3, _) => {
                    let session = warm.session().await.unwrap();
                    warm.renewed(&session).await.unwrap();
                }
                (4 | 5, _) if round > BDK_ROUNDS => continue,
                (4, Some(python)) => {
                    lab.bdk(python, false).await;
                }
                (5, Some(python)) => {
                    let inside = lab.bdk(python, true).await;
                    if round > 0 {
                        row.1.push(inside);
                        row.2 += (lab.handshakes() - before) / 2;
                    }
                    continue;
                }
                _ => continue,
            }
            if round > 0 {
                row.1.push(started.elapsed());
                row.2 += lab.handshakes() - before;
            }
        }
    }

    let curl = median(&mut rows[0].1);
    let file = iterations.map_or("our default number of".to_owned(), |count| {
        count.to_string()
    });
    println!(
        "medians of {ROUNDS} rounds ({BDK_ROUNDS} of the BDK); RSA 4096, PKCS#12 with {file} iterations, TLS 1.3"
    );
    for (name, times, handshakes) in &mut rows {
        if times.is_empty() {
            println!("{name:38} not run: COUNTERSIGN_BDK_PYTHON is not set");
            continue;
        }
        let time = median(times);
        println!(
            "{name:38} {:8.2} ms  {:6.2} x as fast as curl  {:.1} handshakes a login",
            time.as_secs_f64() * 1e3,
            curl.as_secs_f64() / time.as_secs_f64(),
            *handshakes as f64 / times.len() as f64,
        );
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

impl Lab {
    async fn new(dir: &Path, iterations: Option<u32>) -> Self {
        let key = PrivateKey::generate(KeyKind::Rsa4096).unwrap();
        let ca = CertificateAuthority::create_root(
            "/CN=Bench CA".parse().unwrap(),
            PrivateKey::generate(KeyKind::Rsa4096).unwrap(),
            &Profile::root(),
        )
        .unwrap();
        let request = CertificateRequest::builder("/CN=demo-bot1".parse().unwrap())
            .sign(&key)
            .unwrap();
        let certificate = ca
            .issue(&request.verify().unwrap(), &Profile::client())
            .unwrap();
        let builder = Pkcs12::builder(&key, &certificate).unwrap();
        let bundle = match iterations {
            Some(iterations) => builder.iterations(iterations),
            None => builder,
        };
        let bundle = bundle.to_der(&Passphrase::from(PASSPHRASE)).unwrap();
        let pod = Pod::builder().start().await.unwrap();
        pod.import_certificate(ca.certificate().to_pem(), CertificateType::UserSigning)
            .unwrap();
        pod.create_service_user("demo-bot1").unwrap();

        let lab = Self {
            p12: dir.join("bot.p12"),
            pem: dir.join("bot.pem"),
            root: dir.join("root.pem"),
            pod,
        };
        std::fs::write(&lab.p12, bundle).unwrap();
        std::fs::write(&lab.root, lab.pod.trust_anchor_pem()).unwrap();
        let pem = format!("{}{}", &*key.to_pem().unwrap(), certificate.to_pem());
        std::fs::write(&lab.pem, pem).unwrap();
        lab
    }

    fn handshakes(&self) -> u64 {
        [Port::Api, Port::KeyManager]
            .map(|port| self.pod.handshakes(port))
            .iter()
            .map(|counts| counts.completed + counts.failed)
            .sum()
    }

    fn client(&self) -> Client {
        let bundle = std::fs::read(&self.p12).unwrap();
        let identity = Identity::from_pkcs12(&bundle, &Passphrase::from(PASSPHRASE)).unwrap();
        let endpoints = Endpoints::new(self.pod.api_url(), self.pod.key_manager_url()).unwrap();
        Client::builder(endpoints, identity)
            .trust(TrustAnchors::pem(std::fs::read(&self.root).unwrap()).unwrap())
            .build()
            .unwrap()
    }

    /// As the workflow page has it, one after the other.
    async fn curl_twice(&self) {
        for url in [
            format!("{}/sessionauth/v1/authenticate", self.pod.api_url()),
            format!("{}/keyauth/v1/authenticate", self.pod.key_manager_url()),
        ] {
            let mut curl = Command::new("curl");
            curl.args(["-sf", "-X", "POST", "--cert-type", "P12"])
                .arg("--cert")
                .arg(format!("{}:{PASSPHRASE}", self.p12.display()))
                .arg("--cacert")
                .arg(&self.root)
                .arg(url);
            succeed(curl).await;
        }
    }

    async fn program(&self, program: &Path) {
        let mut login = Command::new(program);
        login
            .args([
                "auth",
                "login",
                "--json",
                // It would log out otherwise, which the others don't.
                "--show-tokens",
                "--passin",
                "env:BENCH_PASSPHRASE",
                "--p12",
            ])
            .arg(&self.p12)
            .arg("--trust")
            .arg(&self.root)
            .args(["--pod", &self.pod.api_url()])
            .args(["--key-manager", &self.pod.key_manager_url()])
            .env("BENCH_PASSPHRASE", PASSPHRASE);
        succeed(login).await;
    }

    /// With `twice`, how long the second login took inside the process.
    async fn bdk(&self, python: &str, twice: bool) -> Duration {
        let mut bdk = Command::new(python);
        bdk.args(["-c", BDK, &self.pod.api_url(), &self.pod.key_manager_url()])
            .arg(&self.pem)
            .arg(&self.root)
            .args(twice.then_some("twice"));
        let seconds: f64 = succeed(bdk).await.trim().parse().unwrap_or_default();
        Duration::from_secs_f64(seconds)
    }
}

async fn succeed(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
