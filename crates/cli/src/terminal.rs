//! Asking on the terminal without showing what is typed, and leaving the terminal as it was, whatever ends that.

#[cfg(unix)]
pub(crate) use unix::{ask, ask_again, restore};

#[cfg(unix)]
mod unix {
    use std::{
        fs::File,
        io::{self, Read, Write},
        os::fd::AsFd,
        sync::{Mutex, MutexGuard, PoisonError},
    };

    use nix::{
        errno::Errno,
        poll::{PollFd, PollFlags, PollTimeout, poll},
        sys::termios::{
            FlushArg, InputFlags, LocalFlags, SetArg, Termios, tcdrain, tcflush, tcgetattr,
            tcsetattr,
        },
        unistd::{getpgrp, tcgetpgrp},
    };

    /// What is being asked. Whoever holds the lock may change how the terminal behaves.
    static ASKED: Mutex<Option<Question>> = Mutex::new(None);

    struct Question {
        terminal: File,
        text: String,
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
        // In the background, this stops the program until it is in the foreground.
        while let Err(error) = tcdrain(&terminal) {
            if error != Errno::EINTR {
                return Err(error.into());
            }
        }
        let mut answer = Answer(terminal.try_clone()?);
        let question = {
            let mut asked = asked();
            let usual = tcgetattr(&terminal)?;
            let mut silent = usual.clone();
            silent.local_flags.remove(LocalFlags::ECHO);
            // The end of the line is shown. The rest is how terminals are, unless another program has left this one in disorder.
            silent
                .local_flags
                .insert(LocalFlags::ECHONL | LocalFlags::ICANON | LocalFlags::ISIG);
            silent.input_flags.insert(InputFlags::ICRNL);
            let question = asked.insert(Question {
                terminal,
                text: text.to_owned(),
                usual,
                silent,
            });
            question.put()?;
            Restored
        };
        let value = read(&mut answer);
        drop(question);
        Ok(value)
    }

    /// Leaves the terminal as it was before a question, which isn't answered any more. Nothing is asked until what this
    /// returns is dropped.
    pub(crate) fn restore() -> impl Drop {
        let asked = asked();
        if let Some(question) = &*asked
            && question.is_in_foreground()
        {
            // What was typed so far is for nobody.
            let _ = tcflush(&question.terminal, FlushArg::TCIFLUSH);
            let _ = tcsetattr(&question.terminal, SetArg::TCSANOW, &question.usual);
            let _ = (&question.terminal).write_all(b"\n");
        }
        asked
    }

    /// Asks again after the program was stopped and continued, if it was asking and is in the foreground.
    pub(crate) fn ask_again() {
        if let Some(question) = &*asked()
            && question.is_in_foreground()
        {
            // If the terminal is gone, reading from it says so.
            let _ = question.put();
        }
    }

    fn asked() -> MutexGuard<'static, Option<Question>> {
        ASKED.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl Question {
        fn put(&self) -> io::Result<()> {
            tcsetattr(&self.terminal, SetArg::TCSANOW, &self.silent)?;
            (&self.terminal).write_all(self.text.as_bytes())
        }

        /// In the background, the terminal is another program's, which has it as it likes it.
        fn is_in_foreground(&self) -> bool {
            tcgetpgrp(&self.terminal) == Ok(getpgrp())
        }
    }

    /// Ends the question when it is dropped.
    struct Restored;

    impl Drop for Restored {
        fn drop(&mut self) {
            if let Some(question) = asked().take() {
                let _ = tcsetattr(&question.terminal, SetArg::TCSANOW, &question.usual);
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
