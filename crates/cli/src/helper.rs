//! Another program that works for this one. Signals reach it as if a shell had started it, and it ends with this one.

use std::{
    io,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus},
    thread,
    time::Duration,
};

#[cfg(unix)]
pub(crate) use unix::end_by;

/// A program that runs. It is ended when the value is dropped, unless it was waited for.
#[derive(Debug)]
pub(crate) struct Helper(Child);

impl Helper {
    /// Starts it. One at a time.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when it can't be started.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        return unix::start(command).map(Self);
        #[cfg(not(unix))]
        return command.spawn().map(Self);
    }

    /// Its standard input and output, as far as they are pipes and were not taken before.
    pub(crate) fn take_pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        (self.0.stdin.take(), self.0.stdout.take())
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        // It has ended already, or can't resist.
        let _ = self.0.kill();
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when the system doesn't tell.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        // Not in one call: while that waits, a signal that is to end the helper could meet another process with its number.
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        #[cfg(unix)]
        return unix::try_wait(&mut self.0);
        #[cfg(not(unix))]
        return self.0.try_wait();
    }
}

const LONGEST_PAUSE: Duration = Duration::from_millis(50);

impl Drop for Helper {
    fn drop(&mut self) {
        self.kill();
        let _ = self.wait();
    }
}

#[cfg(unix)]
mod unix {
    use std::{
        io,
        process::{Child, Command, ExitStatus},
        sync::{Mutex, MutexGuard, PoisonError},
    };

    use nix::{
        sys::signal::{SigSet, SigmaskHow, Signal, kill},
        unistd::Pid,
    };

    /// The process that runs, until it was waited for: its number is that of no other.
    static RUNNING: Mutex<Option<Pid>> = Mutex::new(None);

    fn running() -> MutexGuard<'static, Option<Pid>> {
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start(command: &mut Command) -> io::Result<Child> {
        let mut running = running();
        // What this program blocks, to wait for it, would be blocked in the other one, too.
        let blocked = SigSet::empty().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        let child = command.spawn();
        blocked.thread_set_mask()?;
        let child = child?;
        *running = i32::try_from(child.id()).ok().map(Pid::from_raw);
        Ok(child)
    }

    pub(super) fn try_wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
        let mut running = running();
        let status = child.try_wait()?;
        if status.is_some() {
            *running = None;
        }
        Ok(status)
    }

    /// Sends the signal that ends this program to the one that works for it. None is started while the value is held.
    pub(crate) fn end_by(signal: Signal) -> impl Sized {
        let running = running();
        if let Some(process) = *running {
            // Where it isn't allowed, because the helper is another user's now, nothing can be done.
            let _ = kill(process, signal);
        }
        running
    }
}
