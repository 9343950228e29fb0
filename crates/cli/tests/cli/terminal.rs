//! A terminal with a shell in it, for what the program does there.

use std::{
    io::{Read, Write},
    os::{fd::AsFd, unix::process::ExitStatusExt},
    process::Child,
    time::Duration,
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::termios::{LocalFlags, tcgetattr},
    unistd::{Pid, tcgetpgrp},
};
use pty_process::blocking::{self, Pts, Pty};

use crate::sandbox::Sandbox;

/// More than anything takes, on a machine that is busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Terminal {
    pty: Pty,
    /// Without it, the terminal would hang up, and be reset, with the last program.
    _open: Pts,
    child: Child,
    shown: String,
}

impl Terminal {
    /// Runs a script of a shell, in which `$COUNTERSIGN` is the program.
    pub(crate) fn run(sandbox: &Sandbox, script: &str) -> Self {
        let (pty, open) = blocking::open().unwrap();
        let program = sandbox.command("");
        let shell = sandbox.shell(script);
        let child = blocking::Command::from(shell)
            .env("COUNTERSIGN", program.get_program())
            .spawn_borrowed(&open)
            .unwrap();
        Self {
            pty,
            _open: open,
            child,
            shown: String::new(),
        }
    }

    /// Waits until this is shown, and forgets everything up to there.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) {
        self.reads_until(text);
    }

    /// The same, and returns what was shown before.
    #[track_caller]
    pub(crate) fn reads_until(&mut self, text: &str) -> String {
        while !self.shown.contains(text) {
            let mut waiting = [PollFd::new(self.pty.as_fd(), PollFlags::POLLIN)];
            let ready = poll(&mut waiting, PollTimeout::try_from(LIMIT).unwrap()).unwrap();
            assert!(ready > 0, "{text:?} is not shown after {:?}", self.shown);
            let mut some = [0; 1024];
            let size = self.pty.read(&mut some).unwrap();
            self.shown.push_str(&String::from_utf8_lossy(&some[..size]));
        }
        let start = self.shown.find(text).unwrap();
        let before = self.shown[..start].to_owned();
        self.shown.drain(..start + text.len());
        before
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).unwrap();
    }

    /// The job in the foreground.
    pub(crate) fn job(&self) -> Pid {
        tcgetpgrp(&self.pty).unwrap()
    }

    /// Whether the terminal shows what is typed and turns Ctrl-C into a signal.
    pub(crate) fn is_in_order(&self) -> bool {
        let flags = tcgetattr(&self.pty).unwrap().local_flags;
        flags.contains(LocalFlags::ECHO | LocalFlags::ISIG | LocalFlags::ICANON)
    }

    /// How the shell ended: its status, or the signal that ended it; and all that was shown and not waited for.
    pub(crate) fn ends(mut self) -> (Result<i32, i32>, String) {
        let status = self.child.wait().unwrap();
        let ended = status.code().ok_or_else(|| status.signal().unwrap());
        loop {
            let mut waiting = [PollFd::new(self.pty.as_fd(), PollFlags::POLLIN)];
            if poll(&mut waiting, 0_u8).unwrap() == 0 {
                break;
            }
            let mut some = [0; 1024];
            match self.pty.read(&mut some) {
                Ok(size) if size > 0 => {
                    self.shown.push_str(&String::from_utf8_lossy(&some[..size]));
                }
                _ => break,
            }
        }
        (ended, self.shown)
    }
}
