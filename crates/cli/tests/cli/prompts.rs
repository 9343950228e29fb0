//! Questions on a terminal, and what becomes of it when they aren't answered.

use std::{fs, thread, time::Instant};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{
    sandbox::{PASSPHRASE, Sandbox},
    terminal::{LIMIT, Terminal},
};

const QUESTION: &str = "passphrase for bot.key.pem: ";

const CREATE: &str =
    "\"$COUNTERSIGN\" csr create --key bot.key.pem --subject /CN=a --out a.csr.pem";

/// Uses the key, and tells how that ended.
const USE_KEY: &str =
    "\"$COUNTERSIGN\" csr create --key bot.key.pem --subject /CN=a --out a.csr.pem; echo ended $?";

/// Each command is a job of its own, as in an interactive shell, and the script goes on after Ctrl-C.
const JOBS: &str = "set -m; trap : INT;";

fn with_encrypted_key() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("key generate --type ec-p256 --passout env:PW --out bot.key.pem");
    sandbox
}

#[test]
fn a_passphrase_is_asked_for_and_not_shown() {
    let sandbox = with_encrypted_key();
    let mut terminal = Terminal::run(&sandbox, &format!("{JOBS} {USE_KEY}; read _"));
    terminal.shows(QUESTION);
    assert!(!terminal.is_in_order());
    // With a mistake, which the terminal corrects.
    terminal.types(&format!("{PASSPHRASE}x\x7f\n"));
    terminal.shows("\r\na.csr.pem: certificate request of CN=a\r\n");
    terminal.shows("ended 0");
    assert!(terminal.is_in_order());
    terminal.types("\n");
    let (ended, shown) = terminal.ends();
    assert_eq!(ended, Ok(0));
    assert!(!shown.contains(PASSPHRASE), "{shown}");
}

#[test]
fn a_new_passphrase_is_asked_for_twice() {
    let sandbox = Sandbox::new();
    let script = "\"$COUNTERSIGN\" key generate --type ec-p256 --passout prompt --out bot.key.pem; echo ended $?";
    for (second, outcome) in [
        (
            PASSPHRASE,
            "bot.key.pem: ECDSA P-256 private key, encrypted",
        ),
        ("another", "error: the two passphrases differ"),
    ] {
        let mut terminal = Terminal::run(&sandbox, &format!("rm -f bot.key.pem; {script}"));
        terminal.shows("new passphrase for the private key: ");
        // Both at once, as they may be pasted.
        terminal.types(&format!("{PASSPHRASE}\n{second}\n"));
        terminal.shows("the same again: ");
        terminal.shows(outcome);
        assert_eq!(terminal.ends().0, Ok(0));
    }
}

#[test]
fn ctrl_c_and_the_signals_that_end_programs_leave_the_terminal_as_it_was() {
    let sandbox = with_encrypted_key();
    for (signal, status) in [
        (Signal::SIGINT, 130),
        (Signal::SIGTERM, 143),
        (Signal::SIGHUP, 129),
        (Signal::SIGQUIT, 131),
        (Signal::SIGALRM, 142),
        (Signal::SIGUSR1, 138),
    ] {
        let script = format!("ulimit -c 0; {JOBS} {USE_KEY}; read _");
        let mut terminal = Terminal::run(&sandbox, &script);
        terminal.shows(QUESTION);
        assert!(!terminal.is_in_order());
        terminal.types("half of it");
        killpg(terminal.job(), signal).unwrap();
        terminal.shows(&format!("ended {status}"));
        assert!(terminal.is_in_order(), "after {signal}");
        terminal.types("\n");
        assert_eq!(terminal.ends().0, Ok(0));
    }

    let mut terminal = Terminal::run(&sandbox, &format!("{JOBS} {USE_KEY}; read _"));
    terminal.shows(QUESTION);
    terminal.types("half of it\x03");
    terminal.shows("ended 130");
    assert!(terminal.is_in_order());
    terminal.types("\n");
    assert_eq!(terminal.ends().0, Ok(0));
    assert_eq!(sandbox.files(), ["bot.key.pem"]);
}

#[test]
fn ctrl_c_at_a_question_ends_the_script_around_it() {
    let sandbox = with_encrypted_key();
    let mut terminal = Terminal::run(&sandbox, USE_KEY);
    terminal.shows(QUESTION);
    terminal.types("\x03");
    let (ended, shown) = terminal.ends();
    assert_eq!(ended, Err(Signal::SIGINT as i32));
    assert!(!shown.contains("ended"), "{shown}");
}

#[test]
fn ctrl_z_suspends_the_question_which_is_asked_again_afterwards() {
    let sandbox = with_encrypted_key();
    let script = format!("{JOBS} {USE_KEY}; read _; fg; echo ended $?; read _");
    let mut terminal = Terminal::run(&sandbox, &script);
    terminal.shows(QUESTION);
    terminal.types("half of it\x1a");
    // 128 and SIGTSTP.
    terminal.shows("ended 148");
    assert!(terminal.is_in_order());
    terminal.types("\n");
    terminal.shows(QUESTION);
    assert!(!terminal.is_in_order());
    terminal.types(&format!("{PASSPHRASE}\n"));
    terminal.shows("a.csr.pem: certificate request of CN=a\r\n");
    terminal.shows("ended 0");
    assert!(terminal.is_in_order());
    terminal.types("\n");
    assert_eq!(terminal.ends().0, Ok(0));
}

#[test]
fn ctrl_z_where_nobody_can_continue_the_program_asks_again() {
    let sandbox = with_encrypted_key();
    // The first process of a session, as in a container.
    let script =
        "exec \"$COUNTERSIGN\" csr create --key bot.key.pem --subject /CN=a --out a.csr.pem";
    let mut terminal = Terminal::run(&sandbox, script);
    terminal.shows(QUESTION);
    for _ in 0..2 {
        terminal.types("half of it\x1a");
        terminal.shows(QUESTION);
        assert!(!terminal.is_in_order());
    }
    terminal.types(&format!("{PASSPHRASE}\n"));
    let (ended, shown) = terminal.ends();
    assert_eq!(ended, Ok(0));
    assert!(!shown.contains(PASSPHRASE), "{shown}");
}

#[test]
fn a_question_that_goes_on_in_the_background_stops_there_and_is_asked_again_in_the_foreground() {
    let sandbox = with_encrypted_key();
    let script = format!("{JOBS} {USE_KEY}; bg; echo goes on; read _; fg; echo ended $?; read _");
    let mut terminal = Terminal::run(&sandbox, &script);
    terminal.shows(QUESTION);
    let job = terminal.job();
    terminal.types("half of it\x1a");
    terminal.shows("ended 148");
    terminal.shows("goes on");
    wait_until_it_is(job, State::Stopped);
    assert!(terminal.is_in_order());
    terminal.types("\n");
    terminal.shows(QUESTION);
    assert!(!terminal.is_in_order());
    terminal.types(&format!("{PASSPHRASE}\n"));
    terminal.shows("ended 0");
    assert!(terminal.is_in_order());
    terminal.types("\n");
    let (ended, shown) = terminal.ends();
    assert_eq!(ended, Ok(0));
    assert!(!shown.contains(PASSPHRASE), "{shown}");
}

#[test]
fn a_suspended_question_can_be_ended() {
    let sandbox = with_encrypted_key();
    let mut terminal = Terminal::run(&sandbox, &format!("{JOBS} {USE_KEY}; read _"));
    terminal.shows(QUESTION);
    let job = terminal.job();
    terminal.types("\x1a");
    terminal.shows("ended 148");
    kill_job(job);
    wait_until_it_is(job, State::Ended);
    assert!(terminal.is_in_order());
    terminal.types("\n");
    assert_eq!(terminal.ends().0, Ok(0));
}

#[test]
fn a_question_waits_in_the_background_and_can_be_ended_there() {
    let sandbox = with_encrypted_key();
    let start = |rest: &str| {
        let script = format!("set -m; {CREATE} & echo \"job $!.\"; read _; {rest}");
        let mut terminal = Terminal::run(&sandbox, &script);
        terminal.shows("job ");
        let job = Pid::from_raw(terminal.reads_until(".").parse().unwrap());
        wait_until_it_is(job, State::Stopped);
        assert!(terminal.is_in_order());
        (terminal, job)
    };

    let (mut terminal, _) = start("fg; echo ended $?; read _");
    terminal.types("\n");
    terminal.shows(QUESTION);
    assert!(!terminal.is_in_order());
    terminal.types(&format!("{PASSPHRASE}\n"));
    terminal.shows("ended 0");
    assert!(terminal.is_in_order());
    terminal.types("\n");
    assert_eq!(terminal.ends().0, Ok(0));
    fs::remove_file(sandbox.path("a.csr.pem")).unwrap();

    // Whatever hears of it first: the thread that asks, or the one that waits for signals.
    for _ in 0..8 {
        let (mut terminal, job) = start("");
        kill_job(job);
        wait_until_it_is(job, State::Ended);
        assert!(terminal.is_in_order());
        terminal.types("\n");
        let (ended, shown) = terminal.ends();
        assert_eq!(ended, Ok(0));
        assert!(!shown.contains(QUESTION), "{shown}");
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    Stopped,
    Ended,
}

#[track_caller]
fn wait_until_it_is(process: Pid, state: State) {
    let is_in_state = |stat: String| match state {
        State::Stopped => stat.contains(") T "),
        State::Ended => stat.contains(") Z "),
    };
    let started = Instant::now();
    while !fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(is_in_state) {
        assert!(started.elapsed() < LIMIT, "it isn't {state:?}");
        thread::yield_now();
    }
}

/// What shells do for `kill %1`.
fn kill_job(job: Pid) {
    killpg(job, Signal::SIGTERM).unwrap();
    killpg(job, Signal::SIGCONT).unwrap();
}

#[test]
fn ctrl_d_is_no_passphrase() {
    let sandbox = with_encrypted_key();
    let mut terminal = Terminal::run(&sandbox, &format!("{JOBS} {USE_KEY}; read _"));
    terminal.shows(QUESTION);
    terminal.types("\x04");
    terminal.shows("\r\nerror: a passphrase was asked for, and nothing was entered\r\n");
    terminal.shows("ended 3");
    assert!(terminal.is_in_order());
    terminal.types("\n");
    assert_eq!(terminal.ends().0, Ok(0));
}

#[test]
fn a_signal_that_the_program_was_told_to_ignore_is_ignored() {
    let sandbox = with_encrypted_key();
    let mut terminal = Terminal::run(&sandbox, &format!("{JOBS} trap '' HUP; {USE_KEY}"));
    terminal.shows(QUESTION);
    killpg(terminal.job(), Signal::SIGHUP).unwrap();
    terminal.types(&format!("{PASSPHRASE}\n"));
    terminal.shows("ended 0");
    assert_eq!(terminal.ends().0, Ok(0));
}

#[test]
fn ctrl_c_ends_the_generation_of_a_key_at_once_and_leaves_nothing() {
    let sandbox = Sandbox::with_authority();
    let before = sandbox.files();
    let script = "set -m; trap : INT; \"$COUNTERSIGN\" issue --ca-cert ca.crt.pem --ca-key ca.key.pem --bits 8192 \
                  --subject /CN=bot --passout env:PW --dir some/bots; echo ended $?; read _";
    let mut terminal = Terminal::run(&sandbox, script);
    terminal.shows("generating the private key");
    terminal.types("\x03");
    terminal.shows("ended 130");
    assert_eq!(sandbox.files(), before);
    terminal.types("\n");
    assert_eq!(terminal.ends().0, Ok(0));
}
