//! The session that a client keeps: one for all callers, and renewed once for all of them.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{FutureExt, Shared, WeakShared};
use tokio::time::Instant;

use crate::{Endpoint, Error, RetryPolicy, Session};

type Renewal = Pin<Box<dyn Future<Output = Result<Arc<Session>, Error>> + Send>>;

/// A session that is being got, and how hard it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// As the policy says: somebody needs it.
    Full,
    /// One attempt: the session that is there may hold yet.
    Once,
}

/// Keeps a session, and lets at most one renewal be under way.
///
/// Whoever needs the session drives the renewal, and it goes on as long as anybody does: a caller that is dropped leaves
/// it to the others, and after the last one nothing is left behind.
#[derive(Default)]
pub(crate) struct Keeper {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    renewal: Option<(WeakShared<Renewal>, Effort)>,
    /// Counts the sessions that were put here from elsewhere; a renewal begun before that comes too late.
    epoch: u64,
    held_back: [HeldBack; 3],
}

struct Kept {
    session: Arc<Session>,
    /// When it came, or when a renewal for its age was last tried.
    since: Instant,
    /// The endpoints that answered 401 to it when it was new.
    refused: [bool; 3],
}

/// Renewals that would not help: an endpoint answers 401 to fresh sessions too.
#[derive(Default, Clone, Copy)]
struct HeldBack {
    in_a_row: u32,
    until: Option<Instant>,
}

impl Keeper {
    /// The session that is kept, or one that `renew` gets.
    pub(crate) async fn session(
        self: &Arc<Self>,
        renew: impl Fn(Effort) -> BoxedSession,
    ) -> Result<Arc<Session>, Error> {
        self.obtain(None, renew).await
    }

    /// Another session than this one, which is over: the one that replaced it, or one that `renew` gets.
    pub(crate) async fn renewed(
        self: &Arc<Self>,
        over: &Arc<Session>,
        renew: impl Fn(Effort) -> BoxedSession,
    ) -> Result<Arc<Session>, Error> {
        self.obtain(Some(over), renew).await
    }

    async fn obtain(
        self: &Arc<Self>,
        over: Option<&Arc<Session>>,
        renew: impl Fn(Effort) -> BoxedSession,
    ) -> Result<Arc<Session>, Error> {
        loop {
            let (renewal, effort) = {
                let mut state = self.lock();
                match &state.kept {
                    Some(kept) if over.is_none_or(|over| !Arc::ptr_eq(over, &kept.session)) => {
                        return Ok(Arc::clone(&kept.session));
                    }
                    // Whoever comes now joins the renewal instead of trying it in vain.
                    Some(_) => state.kept = None,
                    None => {}
                }
                self.join_or_begin(&mut state, Effort::Full, &renew)
            };
            match renewal.await {
                // Somebody else's attempt for the session's age; ours is in earnest.
                Err(_) if effort == Effort::Once => {}
                result => return result,
            }
        }
    }

    /// Renews the session once it is this old. One caller does; the others go on with what is there, and so does this
    /// one if it doesn't work out: the next try comes after the same time.
    pub(crate) async fn renew_by_age(
        self: &Arc<Self>,
        age: Duration,
        renew: impl Fn(Effort) -> BoxedSession,
    ) {
        let renewal = {
            let mut state = self.lock();
            let now = Instant::now();
            match &mut state.kept {
                Some(kept) if now.saturating_duration_since(kept.since) >= age => kept.since = now,
                _ => return,
            }
            self.join_or_begin(&mut state, Effort::Once, &renew).0
        };
        if let Err(error) = renewal.await {
            tracing::warn!(%error, "session not renewed before its end; keeping the old one");
        }
    }

    fn join_or_begin(
        self: &Arc<Self>,
        state: &mut State,
        effort: Effort,
        renew: &impl Fn(Effort) -> BoxedSession,
    ) -> (Shared<Renewal>, Effort) {
        if let Some((renewal, effort)) = &state.renewal
            && let Some(renewal) = renewal.upgrade()
        {
            return (renewal, *effort);
        }
        let (keeper, renewing, epoch) = (Arc::clone(self), renew(effort), state.epoch);
        let renewal: Renewal = Box::pin(async move {
            let result = renewing.await.map(Arc::new);
            keeper.settle(epoch, &result);
            result
        });
        let renewal = renewal.shared();
        state.renewal = renewal.downgrade().map(|weak| (weak, effort));
        (renewal, effort)
    }

    fn settle(&self, epoch: u64, result: &Result<Arc<Session>, Error>) {
        let mut state = self.lock();
        if state.epoch == epoch {
            state.renewal = None;
            if let Ok(session) = result {
                state.kept = Some(Kept::new(Arc::clone(session)));
            }
        }
    }

    /// Keeps this session from now on, whatever is under way.
    pub(crate) fn put(&self, session: Arc<Session>) {
        let mut state = self.lock();
        state.epoch = state.epoch.wrapping_add(1);
        state.renewal = None;
        state.kept = Some(Kept::new(session));
    }

    /// The session that is kept at the moment.
    pub(crate) fn peek(&self) -> Option<Arc<Session>> {
        let state = self.lock();
        state.kept.as_ref().map(|kept| Arc::clone(&kept.session))
    }

    /// Takes the session out, after waiting for the renewal that may be under way.
    pub(crate) async fn take(&self) -> Option<Arc<Session>> {
        let renewal = self
            .lock()
            .renewal
            .as_ref()
            .and_then(|(renewal, _)| renewal.upgrade());
        if let Some(renewal) = renewal {
            let _ = renewal.await; // its waiters are told
        }
        self.lock().kept.take().map(|kept| kept.session)
    }

    /// An endpoint accepted the session. If it had refused it for another call, that call is refused whatever the
    /// session, and renewals are held back further.
    pub(crate) fn accepted(&self, endpoint: Endpoint, session: &Arc<Session>) {
        let mut state = self.lock();
        let refused = match &mut state.kept {
            Some(kept) if Arc::ptr_eq(&kept.session, session) => *kept.refused(endpoint),
            _ => false,
        };
        if !refused {
            *state.held_back(endpoint) = HeldBack::default();
        }
    }

    /// An endpoint answered 401 to a session that was got for this very call.
    pub(crate) fn refused(&self, endpoint: Endpoint, session: &Arc<Session>, policy: &RetryPolicy) {
        let mut state = self.lock();
        let first = match &mut state.kept {
            Some(kept) if Arc::ptr_eq(&kept.session, session) => {
                !std::mem::replace(kept.refused(endpoint), true)
            }
            _ => false,
        };
        if first {
            let held_back = state.held_back(endpoint);
            held_back.in_a_row = held_back.in_a_row.saturating_add(1);
            let pause = policy.pause_after(held_back.in_a_row, 1.0);
            held_back.until = Instant::now().checked_add(pause);
            tracing::warn!(%endpoint, ?pause, "401 with fresh tokens: they are not renewed for a while");
        }
    }

    /// Whether a renewal may help against a 401 of this endpoint.
    pub(crate) fn may_renew(&self, endpoint: Endpoint) -> bool {
        let until = self.lock().held_back(endpoint).until;
        until.is_none_or(|until| Instant::now() >= until)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session on its way.
pub(crate) type BoxedSession = Pin<Box<dyn Future<Output = Result<Session, Error>> + Send>>;

impl State {
    fn held_back(&mut self, endpoint: Endpoint) -> &mut HeldBack {
        of(endpoint, &mut self.held_back)
    }
}

impl Kept {
    fn new(session: Arc<Session>) -> Self {
        Self {
            session,
            since: Instant::now(),
            refused: [false; 3],
        }
    }

    fn refused(&mut self, endpoint: Endpoint) -> &mut bool {
        of(endpoint, &mut self.refused)
    }
}

fn of<T>(endpoint: Endpoint, [pod, key_manager, agent]: &mut [T; 3]) -> &mut T {
    match endpoint {
        Endpoint::Pod => pod,
        Endpoint::KeyManager => key_manager,
        Endpoint::Agent => agent,
    }
}
