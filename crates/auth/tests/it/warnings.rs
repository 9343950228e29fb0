//! What is logged as a warning.

use std::sync::{Arc, Mutex};

use tracing::{Event, Level, Metadata, Subscriber, span};

/// What `work` gives, and the module that each of its warnings came from.
pub(crate) fn warnings_of<T>(work: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
    let log = Warnings::default();
    let result = tracing::subscriber::with_default(log.clone(), work);
    let warnings = log.0.lock().unwrap().clone();
    (result, warnings)
}

/// Where each warning came from.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<&'static str>>>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(event.metadata().target());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
