use std::{
    any::Any,
    fmt,
    future::Future,
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper::rt::Executor;
use tokio::task::{JoinError, JoinSet};

use crate::sync::lock;

/// The tasks of one pod: none outlives it, and a panic in one of them isn't lost.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    running: JoinSet<()>,
    panic: Option<Panic>,
    aborted: bool,
}

type Panic = Box<dyn Any + Send>;

impl Tasks {
    /// Starts a task on the current runtime, unless the pod is at its end.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut shared = lock(&self.shared);
        shared.reap();
        if !shared.aborted {
            shared.running.spawn(task);
        }
    }

    /// Waits for all tasks, and for those that they start. What is left at the deadline is aborted.
    pub(crate) async fn finish(&self, patience: Duration) {
        let all = async {
            loop {
                let mut running = mem::take(&mut lock(&self.shared).running);
                if running.is_empty() {
                    break;
                }
                while let Some(ended) = running.join_next().await {
                    lock(&self.shared).note(ended);
                }
            }
        };
        // On a time-out the set that is waited for is dropped, which aborts its tasks.
        let _ = tokio::time::timeout(patience, all).await;
        self.abort();
    }

    /// Aborts all tasks, and starts no more.
    pub(crate) fn abort(&self) {
        let mut shared = lock(&self.shared);
        shared.reap();
        shared.aborted = true;
        shared.running.abort_all();
    }

    /// The first panic among the tasks that have ended.
    pub(crate) fn take_panic(&self) -> Option<Panic> {
        let mut shared = lock(&self.shared);
        shared.reap();
        shared.panic.take()
    }
}

impl Shared {
    fn reap(&mut self) {
        while let Some(ended) = self.running.try_join_next() {
            self.note(ended);
        }
    }

    fn note(&mut self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && let Ok(panic) = error.try_into_panic()
        {
            self.panic.get_or_insert(panic);
        }
    }
}

/// HTTP/2 answers each request in a task of its own.
impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tasks({})", lock(&self.shared).running.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_panic_is_kept() {
        let tasks = Tasks::default();
        tasks.spawn(async { panic!("broken") });
        tasks.finish(PATIENCE).await;

        let panic = tasks.take_panic().expect("the panic");
        assert_eq!(panic.downcast_ref(), Some(&"broken"));
    }

    #[tokio::test]
    async fn tasks_that_tasks_start_are_waited_for() {
        let tasks = Tasks::default();
        let inner = tasks.clone();
        tasks.spawn(async move {
            tokio::task::yield_now().await;
            inner.spawn(async { panic!("inner") });
        });
        tasks.finish(PATIENCE).await;

        assert!(tasks.take_panic().is_some());
    }

    #[tokio::test]
    async fn a_task_that_never_ends_is_aborted_at_the_deadline() {
        let tasks = Tasks::default();
        tasks.spawn(std::future::pending());
        tasks.finish(Duration::ZERO).await;

        assert!(tasks.take_panic().is_none());
    }
}
