//! What the libraries tell while they work, for those who asked to be told: one line for each event, on standard error.

use std::fmt::{self, Write as _};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};

use crate::ui;

/// Prints the events of one library, down to a level, from now on.
///
/// Neither library puts a secret into an event.
pub(crate) fn print(library: &'static str, level: Level) {
    // There is no other, as a program has one command.
    let _ = tracing::subscriber::set_global_default(Log { library, level });
}

struct Log {
    library: &'static str,
    level: Level,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let module = metadata.target().split("::").next();
        metadata.is_event() && module == Some(self.library) && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.into())
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        ui::log(&format!("{}{}", line.message, line.fields));
    }

    // Spans are not enabled.

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// `message name=value name="a value"`
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn add(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
            return;
        }
        let is_word = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\\');
        let name = field.name();
        // Writing to a String can't fail.
        let _ = if !value.is_empty() && value.chars().all(is_word) {
            write!(self.fields, " {name}={value}")
        } else {
            write!(self.fields, " {name}={value:?}")
        };
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps what would be printed.
    struct Kept(Log, Arc<Mutex<Vec<String>>>);

    impl Subscriber for Kept {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            self.0.enabled(metadata)
        }

        fn event(&self, event: &Event<'_>) {
            let mut line = Line::default();
            event.record(&mut line);
            let text = format!("{}{}", line.message, line.fields);
            self.1.lock().unwrap().push(text);
        }

        fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
            self.0.new_span(span)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_its_fields() {
        let lines = Arc::default();
        let log = Log {
            library: "pod",
            level: Level::INFO,
        };
        tracing::subscriber::with_default(Kept(log, Arc::clone(&lines)), || {
            let path = "/a\nrequest path=/forged";
            tracing::info!(target: "pod::endpoints", path, status = 200_u16, user = None::<&str>, "request");
            tracing::info!(target: "pod", error = %"x=\"y\"", "handshake");
            tracing::debug!(target: "pod", "too fine");
            tracing::info!(target: "podium", "somebody else's");
        });
        assert_eq!(
            *lines.lock().unwrap(),
            [
                r#"request path="/a\nrequest path=/forged" status=200"#,
                r#"handshake error="x=\"y\"""#,
            ]
        );
    }
}
