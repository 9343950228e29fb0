//! What is logged on this thread.

use std::sync::{Arc, Mutex};

use tracing::{Event, Level, Metadata, Subscriber, span, subscriber::DefaultGuard};

/// What `work` gives, and the module that each of its warnings came from.
pub(crate) fn warnings_of<T>(work: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
    let (log, _guard) = listen(Level::WARN);
    (work(), log.targets())
}

/// Hears what is logged at this level until the guard is dropped.
pub(crate) fn listen(level: Level) -> (Log, DefaultGuard) {
    let log = Log {
        level,
        targets: Arc::default(),
    };
    let guard = tracing::subscriber::set_default(log.clone());
    (log, guard)
}

#[derive(Clone)]
pub(crate) struct Log {
    level: Level,
    targets: Arc<Mutex<Vec<&'static str>>>,
}

impl Log {
    /// The module that each event came from.
    pub(crate) fn targets(&self) -> Vec<&'static str> {
        self.targets.lock().unwrap().clone()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == self.level
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let target = event.metadata().target();
        self.targets.lock().unwrap().push(target);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
