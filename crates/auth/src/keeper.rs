//! The session that a client keeps: one for all callers, and renewed once for all of them.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tracing::{Instrument, debug_span};

use crate::{
    Endpoint, Error, RetryPolicy, Session,
    channels::Channels,
    login::Known,
    retry::{Deadline, Progress},
    session::Tokens,
};

/// Keeps a session together with the connections that it belongs to, and lets at most one renewal be under way.
///
/// A renewal runs in a task of its own, for whoever waits. What it brings when it has been overtaken, by another
/// identity or by a logout, is ended again.
pub(crate) struct Keeper {
    state: Mutex<State>,
    retry: RetryPolicy,
    renew_after: Option<Duration>,
}

/// A session and the connections under the identity that it was got with.
pub(crate) struct Login {
    pub(crate) session: Arc<Session>,
    pub(crate) channels: Arc<Channels>,
    /// Dropped with the last use: see [`Kept::in_use`].
    _use: mpsc::Sender<Infallible>,
}

struct State {
    channels: Arc<Channels>,
    kept: Option<Kept>,
    renewal: Option<Renewal>,
    /// How many renewals were begun.
    begun: u64,
    /// Logins that failed in a row, and how the latest one did.
    failed: Option<(HeldBack, Error)>,
    held_back: [HeldBack; 3],
}

struct Kept {
    login: Arc<Login>,
    in_use: mpsc::Receiver<Infallible>,
    /// When it came, or when a renewal for its age was last tried.
    since: Instant,
    /// An endpoint answered 401 to these tokens.
    expired: Tokens,
    /// The endpoints that answered 401 to it when it was new.
    refused: [bool; 3],
}

struct Renewal {
    number: u64,
    effort: Effort,
    outcome: watch::Sender<Option<Result<(), Error>>>,
    progress: Arc<Progress>,
}

/// How hard a renewal is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// As the policy says: somebody needs it.
    Full,
    /// One attempt: the session that is there may not have expired.
    Once,
}

/// What would not help: an endpoint answers 401 to fresh sessions too, or logins fail.
#[derive(Default, Clone, Copy)]
struct HeldBack {
    in_a_row: u32,
    until: Option<Instant>,
}

impl HeldBack {
    /// `asked` is how long a server asked to be left alone.
    fn further(self, policy: &RetryPolicy, asked: Option<Duration>) -> (Self, Duration) {
        let in_a_row = self.in_a_row.saturating_add(1);
        let pause = policy.hold_back(in_a_row, asked);
        let until = Instant::now().checked_add(pause);
        (Self { in_a_row, until }, pause)
    }

    fn has_elapsed(self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }
}

impl Keeper {
    pub(crate) fn new(
        channels: Channels,
        session: Option<Session>,
        retry: RetryPolicy,
        renew_after: Option<Duration>,
    ) -> Self {
        let channels = Arc::new(channels);
        Self {
            state: Mutex::new(State {
                kept: session.map(|session| Kept::new(session, Arc::clone(&channels))),
                channels,
                renewal: None,
                begun: 0,
                failed: None,
                held_back: Default::default(),
            }),
            retry,
            renew_after,
        }
    }

    /// The connections of the moment.
    pub(crate) fn channels(&self) -> Arc<Channels> {
        Arc::clone(&self.lock().channels)
    }

    /// A login of whose tokens these are not known to have expired: the one that is kept, or the one that a renewal
    /// gets. While logins are held back, the error of the latest one.
    pub(crate) async fn login(
        self: &Arc<Self>,
        needed: Tokens,
        deadline: Deadline,
    ) -> Result<Arc<Login>, Error> {
        loop {
            let (mut outcome, effort, progress, task) = {
                let mut state = self.lock();
                if let Some(login) = state.usable(needed) {
                    let task = self.renew_by_age(&mut state);
                    drop(state);
                    task.into_iter().for_each(Task::spawn);
                    return Ok(login);
                }
                if state.renewal.is_none()
                    && let Some((held_back, error)) = &state.failed
                    && !held_back.has_elapsed()
                {
                    return Err(error.clone());
                }
                let (renewal, task) = self.join_or_begin(&mut state, Effort::Full);
                let progress = Arc::clone(&renewal.progress);
                (renewal.outcome.subscribe(), renewal.effort, progress, task)
            };
            task.into_iter().for_each(Task::spawn);
            let came = deadline.limit(outcome.wait_for(Option::is_some)).await;
            match came.map(|came| came.map(|outcome| outcome.clone())) {
                Err(after) => return Err(progress.exceeded(after)),
                // One attempt, for the session's age, is not all that can be done.
                Ok(Ok(Some(Err(error)))) if effort == Effort::Full => return Err(error),
                // Whatever came, or came to nothing: what is kept now counts.
                Ok(_) => {}
            }
        }
    }

    /// As [`Keeper::login`], after an endpoint answered 401 to these tokens of a session. One that was renewed in the
    /// meantime is another one, about which nothing is said; the other may be in the session that is kept all the same.
    pub(crate) async fn renewed(
        self: &Arc<Self>,
        session: &Arc<Session>,
        expired: Tokens,
        deadline: Deadline,
    ) -> Result<Arc<Login>, Error> {
        if let Some(kept) = &mut self.lock().kept {
            kept.expired = kept.expired | expired.and(kept.login.session.shared_with(session));
        }
        self.login(expired, deadline).await
    }

    /// Begins to renew a session that is old enough. Nobody waits for it; if it fails, the next try comes after the same
    /// time.
    fn renew_by_age(self: &Arc<Self>, state: &mut State) -> Option<Task> {
        let since = state.kept.as_ref()?.since;
        if since.elapsed() < self.renew_after? {
            return None;
        }
        self.join_or_begin(state, Effort::Once).1
    }

    /// The renewal under way, or a new one with the task that it needs: to be spawned when the lock is released, since a
    /// runtime that shuts down drops it at once.
    fn join_or_begin<'s>(
        self: &Arc<Self>,
        state: &'s mut State,
        effort: Effort,
    ) -> (&'s Renewal, Option<Task>) {
        let State {
            channels,
            kept,
            renewal,
            begun,
            ..
        } = state;
        let mut task = None;
        let renewal = renewal.get_or_insert_with(|| {
            *begun = begun.wrapping_add(1);
            let progress = Arc::new(Progress::new(channels.session_auth().peer().clone()));
            let known = match (effort, kept) {
                (Effort::Full, Some(kept)) => Known {
                    session: Some(Session::clone(&kept.login.session)),
                    tokens: !kept.expired,
                },
                _ => Known::default(),
            };
            task = Some(Task {
                keeper: Arc::downgrade(self),
                channels: Arc::clone(channels),
                known,
                retry: match effort {
                    Effort::Full => self.retry.clone(),
                    Effort::Once => RetryPolicy::none(),
                },
                progress: Arc::clone(&progress),
                number: *begun,
            });
            Renewal {
                number: *begun,
                effort,
                outcome: watch::Sender::new(None),
                progress,
            }
        });
        (renewal, task)
    }

    /// Takes over what a renewal brought. If it has been overtaken, nothing is kept, and this is false.
    fn settle(
        &self,
        number: u64,
        channels: &Arc<Channels>,
        known: &Known,
        result: &Result<Session, Error>,
    ) -> bool {
        let mut state = self.lock();
        let Some(renewal) = state.renewal.take_if(|renewal| renewal.number == number) else {
            return false;
        };
        match result {
            Ok(session) => {
                let mut new = Kept::new(session.clone(), Arc::clone(channels));
                state.failed = None;
                if let Some(old) = state.kept.take() {
                    // What was taken over may have met a 401 in the meantime.
                    new.expired = old.expired.and(known.tokens);
                    let shared = session.shared_with(&old.login.session);
                    old.end_after_use(!(known.tokens | shared));
                }
                state.kept = Some(new);
            }
            Err(error) if renewal.effort == Effort::Once => {
                tracing::warn!(%error, "session not renewed before its end; keeping the old one");
                if let Some(kept) = &mut state.kept {
                    kept.since = Instant::now();
                }
            }
            Err(error) => {
                let before = state.failed.take().map(|(held_back, _)| held_back);
                let asked = match error {
                    Error::Status { retry_after, .. } => *retry_after,
                    _ => None,
                };
                let (held_back, pause) = before.unwrap_or_default().further(&self.retry, asked);
                tracing::warn!(%error, ?pause, "login failed, and is not tried again for a while");
                state.failed = Some((held_back, error.clone()));
            }
        }
        let outcome = result.as_ref().map(drop).map_err(Error::clone);
        renewal.outcome.send_replace(Some(outcome));
        true
    }

    /// Keeps this session and uses these connections from now on, whatever is under way. Whoever waits gets them.
    pub(crate) fn put(&self, session: Session, channels: Arc<Channels>) {
        let mut state = self.lock();
        if let Some(old) = state.kept.take() {
            old.end_after_use(Tokens::BOTH);
        }
        state.kept = Some(Kept::new(session, Arc::clone(&channels)));
        state.channels = channels;
        state.failed = None;
        state.held_back = Default::default();
        state.renewal = None; // its waiters look again
    }

    /// The session that is kept at the moment.
    pub(crate) fn peek(&self) -> Option<Arc<Session>> {
        let state = self.lock();
        state
            .kept
            .as_ref()
            .map(|kept| Arc::clone(&kept.login.session))
    }

    /// Takes the session out, whether it has expired or not. A renewal that is under way is overtaken by this.
    pub(crate) fn take(&self) -> Option<Arc<Login>> {
        let mut state = self.lock();
        state.renewal = None; // its waiters look again
        state.kept.take().map(|kept| kept.login)
    }

    /// An endpoint accepted the session. If it had refused it for another call, that call is refused whatever the
    /// session, and renewals are held back further.
    pub(crate) fn accepted(&self, endpoint: Endpoint, session: &Arc<Session>) {
        let mut state = self.lock();
        let refused = state
            .kept_as(session)
            .is_some_and(|kept| *of(endpoint, &mut kept.refused));
        if !refused {
            *of(endpoint, &mut state.held_back) = HeldBack::default();
        }
    }

    /// An endpoint answered 401 to a session that was got for this very call.
    pub(crate) fn refused(&self, endpoint: Endpoint, session: &Arc<Session>) {
        let mut state = self.lock();
        let first = state
            .kept_as(session)
            .is_some_and(|kept| !std::mem::replace(of(endpoint, &mut kept.refused), true));
        if first {
            let held_back = of(endpoint, &mut state.held_back);
            let pause;
            (*held_back, pause) = held_back.further(&self.retry, None);
            tracing::warn!(%endpoint, ?pause, "401 with fresh tokens: they are not renewed for a while");
        }
    }

    /// Whether a renewal may help against a 401 of this endpoint.
    pub(crate) fn may_renew(&self, endpoint: Endpoint) -> bool {
        of(endpoint, &mut self.lock().held_back).has_elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn usable(&self, needed: Tokens) -> Option<Arc<Login>> {
        let kept = self.kept.as_ref()?;
        (kept.expired.and(needed) == Tokens::NONE).then(|| Arc::clone(&kept.login))
    }

    fn kept_as(&mut self, session: &Arc<Session>) -> Option<&mut Kept> {
        let is_it = |kept: &&mut Kept| Arc::ptr_eq(&kept.login.session, session);
        self.kept.as_mut().filter(is_it)
    }
}

impl Kept {
    fn new(session: Session, channels: Arc<Channels>) -> Self {
        let (sender, in_use) = mpsc::channel(1);
        Self {
            login: Arc::new(Login {
                session: Arc::new(session),
                channels,
                _use: sender,
            }),
            in_use,
            since: Instant::now(),
            expired: Tokens::NONE,
            refused: [false; 3],
        }
    }

    /// Ends these of its tokens once the calls under way with it have ended.
    fn end_after_use(self, tokens: Tokens) {
        let Self {
            login, mut in_use, ..
        } = self;
        let (session, channels) = (Arc::clone(&login.session), Arc::clone(&login.channels));
        drop(login);
        tokio::spawn(async move {
            in_use.recv().await;
            channels.give_back(&session, tokens).await;
        });
    }
}

/// A renewal under way.
struct Task {
    /// Nobody is left to keep it for when this is gone.
    keeper: Weak<Keeper>,
    channels: Arc<Channels>,
    known: Known,
    retry: RetryPolicy,
    progress: Arc<Progress>,
    number: u64,
}

impl Task {
    fn spawn(self) {
        let renewal = async move {
            let Self {
                channels,
                known,
                retry,
                progress,
                ..
            } = &self;
            let result = channels.log_in(known, retry, progress).await;
            let kept = self
                .keeper
                .upgrade()
                .is_some_and(|keeper| keeper.settle(self.number, channels, known, &result));
            if !kept && let Ok(session) = result {
                channels.give_back(&session, !known.tokens).await;
            }
        };
        tokio::spawn(renewal.instrument(debug_span!(parent: None, "renew")));
    }
}

/// A runtime that shuts down drops its tasks, and the client may go on in another one.
impl Drop for Task {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.upgrade() {
            let mut state = keeper.lock();
            state
                .renewal
                .take_if(|renewal| renewal.number == self.number);
        }
    }
}

fn of<T>(endpoint: Endpoint, [pod, key_manager, agent]: &mut [T; 3]) -> &mut T {
    match endpoint {
        Endpoint::Pod | Endpoint::SessionAuth => pod,
        Endpoint::KeyManager => key_manager,
        Endpoint::Agent => agent,
    }
}
