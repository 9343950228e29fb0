//! What happens when a signal ends or stops the program.
//!
//! The signals are blocked, and a thread waits for them: it can do what no signal handler may. It leaves the terminal and the
//! directories as they should be, and then lets the signal do what it does to every program, so that whoever started this
//! one sees how it ended.

use fileset::Unfinished;

/// All that the program has begun to write.
pub(crate) static UNFINISHED: Unfinished = Unfinished::new();

#[cfg(unix)]
pub(crate) use unix::{End, asked_to_end, end_by, watch};

#[cfg(unix)]
mod unix {
    use std::{
        fs, io, process,
        sync::{Mutex, PoisonError},
        thread,
    };

    use nix::sys::signal::{SigSet, Signal, raise};
    use tokio::sync::oneshot;

    use super::UNFINISHED;
    use crate::{helper, terminal};

    /// Who ends by itself when it is asked to.
    static LISTENER: Mutex<Option<oneshot::Sender<End>>> = Mutex::new(None);

    /// The signal by which somebody asked for the end.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct End(Signal);

    /// Waits for signals from now on. Threads that are started later leave them to the one that waits.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when no thread can be started.
    pub(crate) fn watch() -> io::Result<()> {
        let ignored = ignored();
        let signals: SigSet = [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGALRM,
            Signal::SIGUSR1,
            Signal::SIGUSR2,
            Signal::SIGTSTP,
            Signal::SIGCONT,
        ]
        .into_iter()
        .collect();
        signals.thread_block()?;
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                loop {
                    if let Ok(signal) = signals.wait() {
                        handle(signal, ignored.contains(&signal));
                    }
                }
            })?;
        Ok(())
    }

    /// Comes back when somebody asks the program to end (Ctrl-C, `kill`). Who calls this has to put everything in order then,
    /// and [end by the signal](end_by); a second request ends the program on the spot.
    ///
    /// The request is heard from the call on, not from the first poll.
    pub(crate) fn asked_to_end() -> impl Future<Output = End> {
        let (sender, receiver) = oneshot::channel();
        *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        async {
            // There is no other sender, and this one is dropped only by a newer call.
            receiver.await.unwrap_or(End(Signal::SIGTERM))
        }
    }

    /// Ends the program as the signal would have ended it, whether or not the signal is ignored.
    pub(crate) fn end_by(End(signal): End) {
        act_by_default(signal);
        // Process 1 of a container isn't ended by a signal that it sends itself, nor is who was started to ignore it.
        process::exit(status_of(signal));
    }

    /// As a shell has it.
    fn status_of(signal: Signal) -> i32 {
        128_i32.saturating_add(signal as i32)
    }

    fn handle(signal: Signal, is_ignored: bool) {
        match signal {
            Signal::SIGCONT => terminal::continued(),
            Signal::SIGTSTP if !is_ignored => {
                {
                    let _files = UNFINISHED.hold();
                    let _terminal = terminal::restore();
                    act_by_default(signal);
                }
                // Where nobody is there to continue a program (the first one of a session, as in a container), the system doesn't
                // stop it, and no SIGCONT comes.
                terminal::ask_again();
            }
            // A server ends although a script has started it in the background, where shells have SIGINT ignored.
            Signal::SIGINT | Signal::SIGTERM if is_listened_to(signal) => {}
            _ if is_ignored => {}
            _ => {
                let _helper = helper::end_by(signal);
                let _terminal = terminal::restore();
                let _files = UNFINISHED.abandon();
                act_by_default(signal);
                // Process 1 of a container isn't ended by a signal that it sends itself.
                process::exit(status_of(signal));
            }
        }
    }

    fn is_listened_to(signal: Signal) -> bool {
        LISTENER
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .is_some_and(|listener| listener.send(End(signal)).is_ok())
    }

    /// Lets a signal do what it would have done to a program that doesn't care.
    fn act_by_default(signal: Signal) {
        let this = SigSet::from(signal);
        // Neither fails for a signal that exists.
        let _ = this.thread_unblock().and_then(|()| raise(signal));
        let _ = this.thread_block();
    }

    /// The signals that whoever started the program wants it to ignore: `nohup` does so with SIGHUP, a shell with the SIGINT
    /// of a job in the background. Linux queues them nevertheless for a thread that waits.
    fn ignored() -> Vec<Signal> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .unwrap_or(0);
        Signal::iterator()
            .filter(|signal| {
                mask.checked_shr(*signal as u32 - 1)
                    .is_some_and(|bit| bit & 1 == 1)
            })
            .collect()
    }
}

#[cfg(not(unix))]
pub(crate) fn watch() -> std::io::Result<()> {
    // The system ends the program on the spot. What it was writing is removed or completed by the next run.
    Ok(())
}

/// That somebody asked for the end.
#[cfg(not(unix))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct End;

#[cfg(not(unix))]
pub(crate) fn asked_to_end() -> impl Future<Output = End> {
    async {
        let _ = tokio::signal::ctrl_c().await;
        End
    }
}

/// There is no status for it here: the job is done.
#[cfg(not(unix))]
pub(crate) fn end_by(_: End) {}
