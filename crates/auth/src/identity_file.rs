use std::{
    convert::Infallible,
    fmt, mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use pki::Passphrase;
use zeroize::Zeroizing;

use crate::{Client, Error, Identity, file::read};

/// The file of an identity, PKCS#12 or PEM, that is replaced from time to time, as certificates are.
///
/// ```no_run
/// # use auth::{Client, Endpoints, IdentityFile};
/// # use std::time::Duration;
/// # async fn bot(endpoints: Endpoints, passphrase: pki::Passphrase) -> Result<(), auth::Error> {
/// let mut file = IdentityFile::new("/run/secrets/demo-bot1.p12", passphrase);
/// let client = Client::builder(endpoints, file.load()?).build()?;
/// let follower = client.clone();
/// tokio::spawn(async move {
///     file.follow(&follower, Duration::from_secs(60), |outcome| {
///         if let Err(error) = outcome {
///             eprintln!("the identity stays what it was: {error}");
///         }
///     })
///     .await
/// });
/// # Ok(())
/// # }
/// ```
pub struct IdentityFile {
    path: PathBuf,
    passphrase: Arc<Option<Passphrase>>,
    /// What was in it when it was taken over, or found to be broken. Times and inodes say less: copies keep the one, and
    /// Kubernetes swaps symbolic links above the file.
    seen: Option<Zeroizing<Vec<u8>>>,
}

impl IdentityFile {
    /// The file at `path`, and the passphrase that opens it, if it needs one. Nothing is read yet.
    pub fn new(path: impl Into<PathBuf>, passphrase: impl Into<Option<Passphrase>>) -> Self {
        Self {
            path: path.into(),
            passphrase: Arc::new(passphrase.into()),
            seen: None,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file and opens it. This blocks, for as long as its key derivation takes.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it can't be read or is larger than a mebibyte; [`Error::Identity`] as for [`Identity::read`].
    pub fn load(&mut self) -> Result<Identity, Error> {
        let content = read(&self.path, LIMIT)?;
        let identity = Identity::read(&content, (*self.passphrase).as_ref());
        self.seen = Some(content);
        identity
    }

    /// Looks at the file at this interval, and when its content has changed, makes the client
    /// [use it](Client::replace_identity). Runs until it is dropped; for a task of its own.
    ///
    /// `report` is told of each identity that was taken over, and of each failure, after which the client goes on with
    /// the identity that it has. A content that can't be opened is not tried again, since it can't get better; a file
    /// that can't be read, and an identity that can't authenticate (yet), are tried each time, and reported when the
    /// failure is of another kind than the one before.
    pub async fn follow(
        mut self,
        client: &Client,
        every: Duration,
        mut report: impl FnMut(Result<(), Error>),
    ) -> Infallible {
        let mut latest = None;
        loop {
            tokio::time::sleep(every).await;
            let result = match self.changed().await {
                Ok(None) => {
                    tracing::trace!(path = %self.path.display(), "the identity's file is unchanged");
                    latest = None;
                    continue;
                }
                Ok(Some((identity, content))) => {
                    let result = client.replace_identity(&identity).await;
                    if result.is_ok() {
                        self.seen = Some(content);
                    }
                    result
                }
                Err(error) => Err(error),
            };
            latest = latest.filter(|_| result.is_err());
            if let Err(error) = &result {
                // Not by value: of two endpoints that refuse, the quicker one is named.
                let kind = Some(mem::discriminant(error));
                if mem::replace(&mut latest, kind) == kind && !matches!(error, Error::Identity(_)) {
                    tracing::trace!(path = %self.path.display(), %error, "the same failure again");
                    continue;
                }
                tracing::warn!(path = %self.path.display(), %error, "the identity stays what it was");
            }
            report(result);
        }
    }

    /// What is in the file, if it isn't what was there before.
    async fn changed(&mut self) -> Result<Option<(Identity, Zeroizing<Vec<u8>>)>, Error> {
        let (path, passphrase) = (self.path.clone(), Arc::clone(&self.passphrase));
        let seen = self.seen.take();
        let look = move || {
            let content = match read(&path, LIMIT) {
                Ok(content) if seen.as_ref() == Some(&content) => return (seen, Ok(None)),
                Ok(content) => content,
                Err(error) => return (seen, Err(error)),
            };
            match Identity::read(&content, (*passphrase).as_ref()) {
                Ok(identity) => (seen, Ok(Some((identity, content)))),
                Err(error) => (Some(content), Err(error)),
            }
        };
        // Deriving the key takes its time.
        let (seen, result) = match tokio::task::spawn_blocking(look).await {
            Ok(looked) => looked,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => std::future::pending().await, // the runtime is shutting down
            },
        };
        self.seen = seen;
        result
    }
}

impl fmt::Debug for IdentityFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// In octets; a bundle takes five thousand.
const LIMIT: u64 = 1 << 20;
