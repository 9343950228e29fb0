//! Whole processes: start, tables, threads, key, file.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::table::{Sample, Table};
use crate::{peers, timed};

/// `countersign key generate --bits 4096` beside `openssl genrsa 4096`, taking turns.
pub fn race(program: &Path, keys: usize) {
    let directory =
        std::env::temp_dir().join(format!("countersign-benches-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    let (mut ours, mut theirs) = (Sample::default(), Sample::default());
    for i in 0..keys {
        for turn in 0..5 {
            let out = directory.join(format!("{i}-{turn}.pem"));
            let mut command = Command::new(program);
            command
                .args(["key", "generate", "--bits", "4096", "--out"])
                .arg(&out)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            ours.push(timed(|| {
                assert!(
                    command.status().is_ok_and(|status| status.success()),
                    "countersign key generate"
                )
            }));
            let _ = std::fs::remove_file(&out);
        }
        theirs.push(timed(|| peers::openssl(4096)));
    }
    let _ = std::fs::remove_dir_all(&directory);
    let mut table = Table::new(
        "4096 bits: cold processes",
        &["mean", "median", "n", "openssl takes"],
    );
    let ratio = theirs.mean_seconds() / ours.mean_seconds();
    table.row(
        "countersign key generate",
        &[
            ours.mean(),
            ours.median(),
            ours.len().to_string(),
            format!("{ratio:.1} times"),
        ],
    );
    table.row(
        peers::OPENSSL,
        &[theirs.mean(), theirs.median(), theirs.len().to_string()],
    );
    table.print();
}
