//! Asking on the terminal without showing what is typed, and leaving the terminal as it was, whatever ends that.

#[cfg(unix)]
pub(crate) use unix::{ask, ask_again, continued, restore};

#[cfg(unix)]
mod unix {
    use std::{
        fs::File,
        io::{self, Read, Write},
        os::fd::AsFd,
        sync::{Condvar, Mutex, MutexGuard, PoisonError},
        time::Duration,
    };

    use nix::{
        errno::Errno,
        poll::{PollFd, PollFlags, PollTimeout, poll},
        sys::{
            signal::{Signal, kill},
            termios::{
                FlushArg, InputFlags, LocalFlags, SetArg, Termios, tcflush, tcgetattr, tcsetattr,
            },
        },
        unistd::{Pid, getpgrp, tcgetpgrp},
    };

    /// What is being asked. Whoever holds the lock may change how the terminal behaves, and does so only in the foreground:
    /// elsewhere that would stop the program, with the lock held, and a signal that is to end it would wait for the lock.
    static ASKED: Mutex<Option<Question>> = Mutex::new(None);

    /// Notified when the program was continued.
    static CONTINUED: Condvar = Condvar::new();

    /// More than it takes to hear of that.
    const PATIENCE: Duration = Duration::from_secs(2);

    struct Question {
        terminal: File,
        text: String,
        /// How the terminal was before the question was put for the first time.
        modes: Option<Modes>,
        /// Whether it was put, and not taken back since.
        is_put: bool,
        /// Whether the program was continued since it began to ask.
        was_continued: bool,
    }

    struct Modes {
        /// How the terminal was, and will be.
        usual: Termios,
        /// The same, without echo.
        silent: Termios,
    }

    /// Asks, and has the answer read.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when there is no terminal.
    pub(crate) fn ask<T>(text: &str, read: impl FnOnce(&mut dyn Read) -> T) -> io::Result<T> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let mut answer = Answer(terminal.try_clone()?);
        let question = put(terminal, text)?;
        let value = read(&mut answer);
        drop(question);
        Ok(value)
    }

    /// Puts a question. In the background, that waits until the program is in the foreground, as with every program.
    fn put(terminal: File, text: &str) -> io::Result<Restored> {
        let mut asked = asked();
        let question = asked.insert(Question {
            terminal,
            text: text.to_owned(),
            modes: None,
            is_put: false,
            was_continued: false,
        });
        // From here on, since a question may fail when it is half put.
        let restored = Restored;
        if question.is_in_foreground() {
            let put = question.put();
            drop(asked);
            return put.map(|()| restored);
        }
        drop(asked);
        stop();
        // Whether that has stopped the program, whoever continues it is heard of: see `continued`. Nobody does when nobody is
        // there to do so (an orphaned process group), and then the system doesn't stop the program.
        let is_unheard = |asked: &mut Option<Question>| {
            asked
                .as_ref()
                .is_some_and(|question| !question.was_continued)
        };
        let (asked, waited) = CONTINUED
            .wait_timeout_while(self::asked(), PATIENCE, is_unheard)
            .unwrap_or_else(PoisonError::into_inner);
        drop(asked);
        if waited.timed_out() {
            return Err(io::Error::other("the program is in the background"));
        }
        Ok(restored)
    }

    /// Leaves the terminal as it was before a question, which isn't answered any more. Nothing is asked until what this
    /// returns is dropped.
    pub(crate) fn restore() -> impl Drop {
        let mut asked = asked();
        if let Some(question) = &mut *asked
            && question.is_in_foreground()
        {
            // What was typed so far is for nobody.
            let _ = tcflush(&question.terminal, FlushArg::TCIFLUSH);
            question.take_back();
            question.is_put = false;
            let _ = (&question.terminal).write_all(b"\n");
        }
        asked
    }

    /// Asks again, if the program was asking and is in the foreground.
    pub(crate) fn ask_again() {
        if let Some(question) = &mut *asked()
            && question.is_in_foreground()
            && !question.is_asked()
        {
            // If the terminal is gone, reading from it says so.
            let _ = question.put();
        }
    }

    /// Asks again after the program was stopped and continued. In the background it stops once more, if it is asking:
    /// nothing would tell it that it is in the foreground.
    pub(crate) fn continued() {
        ask_again();
        let is_in_background = asked().as_mut().is_some_and(|question| {
            question.was_continued = true;
            !question.is_in_foreground()
        });
        CONTINUED.notify_all();
        if is_in_background {
            stop();
        }
    }

    /// Stops the job, as the system does when a program in the background wants something from the terminal. The system would
    /// do it again and again, though, before this program has heard of the signal that is to end it.
    fn stop() {
        let _ = kill(Pid::from_raw(0), Signal::SIGTTOU);
    }

    fn asked() -> MutexGuard<'static, Option<Question>> {
        ASKED.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl Question {
        fn put(&mut self) -> io::Result<()> {
            let modes = match &mut self.modes {
                Some(modes) => modes,
                None => self.modes.insert(Modes::of(&self.terminal)?),
            };
            tcsetattr(&self.terminal, SetArg::TCSANOW, &modes.silent)?;
            (&self.terminal).write_all(self.text.as_bytes())?;
            self.is_put = true;
            Ok(())
        }

        /// Whether it is on the screen, and nobody has changed the terminal since.
        fn is_asked(&self) -> bool {
            self.is_put
                && tcgetattr(&self.terminal)
                    .is_ok_and(|modes| !modes.local_flags.contains(LocalFlags::ECHO))
        }

        /// Leaves the terminal as it was.
        fn take_back(&mut self) {
            if let Some(modes) = &self.modes {
                let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, &modes.usual);
            }
        }

        /// In the background, the terminal is another program's, which has it as it likes it. A terminal that isn't that of the
        /// session has no background.
        fn is_in_foreground(&self) -> bool {
            tcgetpgrp(&self.terminal).map_or(true, |group| group == getpgrp())
        }
    }

    impl Modes {
        fn of(terminal: &File) -> io::Result<Self> {
            let usual = tcgetattr(terminal)?;
            let mut silent = usual.clone();
            silent.local_flags.remove(LocalFlags::ECHO);
            // The end of the line is shown. The rest is how terminals are, unless another program has left this one in disorder.
            silent
                .local_flags
                .insert(LocalFlags::ECHONL | LocalFlags::ICANON | LocalFlags::ISIG);
            silent.input_flags.insert(InputFlags::ICRNL);
            Ok(Self { usual, silent })
        }
    }

    /// Ends the question when it is dropped.
    #[derive(Debug)]
    struct Restored;

    impl Drop for Restored {
        fn drop(&mut self) {
            if let Some(mut question) = asked().take()
                && question.is_in_foreground()
            {
                question.take_back();
            }
        }
    }

    /// What is typed.
    struct Answer(File);

    impl Read for Answer {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            // A program that was continued in the background, and is to end there, must not read: that would stop it again
            // before it could. Where a terminal can't be waited for, reading does.
            let mut terminal = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            while poll(&mut terminal, PollTimeout::NONE) == Err(Errno::EINTR) {}
            let size = self.0.read(buffer)?;
            if size == 0 {
                // Ctrl-D, which doesn't end the line on the screen.
                self.0.write_all(b"\n")?;
            }
            Ok(size)
        }
    }

    #[cfg(all(test, target_os = "linux"))]
    mod tests {
        use std::os::fd::AsRawFd;

        use super::*;

        #[test]
        fn a_question_that_can_not_be_written_leaves_the_terminal_as_it_was() {
            let (_pty, pts) = pty_process::blocking::open().unwrap();
            let path = format!("/proc/self/fd/{}", pts.as_fd().as_raw_fd());
            // It can be made silent, and not written to.
            let terminal = File::open(path).unwrap();
            let echoes = |terminal: &File| {
                let modes = tcgetattr(terminal).unwrap();
                modes.local_flags.contains(LocalFlags::ECHO)
            };
            assert!(echoes(&terminal));
            let error = put(terminal.try_clone().unwrap(), "passphrase: ").unwrap_err();
            assert_eq!(error.raw_os_error(), Some(Errno::EBADF as i32));
            assert!(echoes(&terminal));
        }
    }
}

/// Asks, and has the answer read.
///
/// # Errors
///
/// [`std::io::Error`] when there is no terminal.
#[cfg(not(unix))]
pub(crate) fn ask<T>(
    text: &str,
    read: impl FnOnce(&mut dyn std::io::Read) -> T,
) -> std::io::Result<T> {
    let mut line = zeroize::Zeroizing::new(rpassword::prompt_password(text)?);
    line.push('\n');
    Ok(read(&mut line.as_bytes()))
}
