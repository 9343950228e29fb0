//! Whole processes: start, tables, threads, key, file.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::table::{Sample, Table};
use crate::{peers, timed};

/// `countersign key generate --bits 4096` beside `openssl genrsa 4096`, and `countersign issue` beside the four commands of the workflow, taking turns.
pub fn race(program: &Path, rounds: usize) {
    let directory =
        std::env::temp_dir().join(format!("countersign-benches-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    let run = |program: &Path, line: &str| {
        let mut command = Command::new(program);
        command
            .args(line.split(' '))
            .current_dir(&directory)
            .env("PASS", "a longer one than this")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        assert!(command.status().is_ok_and(|status| status.success()), "{line}");
    };
    let openssl = |line| run(Path::new("openssl"), line);

    let key = || run(program, "key generate --bits 4096 --force --out key.pem");
    table("4096 bits: cold processes", ("countersign key generate", key), (peers::OPENSSL, || peers::openssl(4096)), rounds);

    run(program, "ca create --subject /CN=CA --passout env:PASS --out-cert ca.crt --out-key ca.key");
    let issue = || {
        run(program, "issue --ca-cert ca.crt --ca-key ca.key --ca-passin env:PASS --passout env:PASS --subject /CN=bot --dir bot --force");
    };
    // With our iterations in the bundle. In the key, `genrsa` has 2,048 and no option for more.
    let workflow = || {
        openssl("genrsa -aes256 -passout env:PASS -out bot.key 4096");
        openssl("req -new -key bot.key -passin env:PASS -subj /CN=bot -out bot.csr");
        openssl("x509 -req -in bot.csr -CA ca.crt -CAkey ca.key -passin env:PASS -set_serial 1 -days 365 -out bot.crt");
        openssl("pkcs12 -export -in bot.crt -inkey bot.key -passin env:PASS -certfile ca.crt -passout env:PASS -iter 100000 -out bot.p12");
    };
    table("4096 bits, from nothing to a .p12: cold processes", ("countersign issue", issue), ("four openssl commands", workflow), rounds);
    let _ = std::fs::remove_dir_all(&directory);
}

/// Ours is quick, and has five turns for each of theirs.
fn table(title: &str, ours: (&str, impl Fn()), theirs: (&str, impl Fn()), rounds: usize) {
    let (mut our_times, mut their_times) = (Sample::default(), Sample::default());
    for _ in 0..rounds {
        for _ in 0..5 {
            our_times.push(timed(&ours.1));
        }
        their_times.push(timed(&theirs.1));
    }
    let ratio = their_times.mean_seconds() / our_times.mean_seconds();
    let mut table = Table::new(title, &["mean", "median", "n", "openssl takes"]);
    for ((name, times), ratio) in [
        ((ours.0, our_times), format!("{ratio:.1} times")),
        ((theirs.0, their_times), String::new()),
    ] {
        table.row(name, &[times.mean(), times.median(), times.len().to_string(), ratio]);
    }
    table.print();
}
