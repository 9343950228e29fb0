//! What the libraries tell while they work, for those who asked to be told: one line for each event, on standard error.

use std::fmt::{self, Write as _};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};

use crate::ui;

/// Prints the events of one library, or of a module of it, down to a level, from now on.
///
/// Neither library puts a secret into an event.
pub(crate) fn print(module: &'static str, level: Level) {
    // There is no other, as a program has one command.
    let _ = tracing::subscriber::set_global_default(Log {
        module,
        level,
        print: ui::log,
    });
}

struct Log<P> {
    module: &'static str,
    level: Level,
    /// Takes a line.
    print: P,
}

impl<P: Fn(&str) + 'static> Subscriber for Log<P> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let within = metadata.target().strip_prefix(self.module);
        let is_there = within.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        metadata.is_event() && is_there && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.into())
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        (self.print)(&format!("{}{}", line.message, line.fields));
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

    #[test]
    fn an_event_is_one_line_whatever_is_in_its_fields() {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let printed = Arc::clone(&lines);
        let log = Log {
            module: "pod",
            level: Level::INFO,
            print: move |line: &str| printed.lock().unwrap().push(line.to_owned()),
        };
        tracing::subscriber::with_default(log, || {
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
