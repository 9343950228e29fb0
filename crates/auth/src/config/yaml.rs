//! YAML as a tree of texts: scalars keep their spelling, so that a password of `0123` stays what it is.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use zeroize::Zeroizing;

/// A value, and the line that it starts on.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    /// It may be a password.
    Text(Zeroizing<String>),
    Sequence,
    Mapping(Vec<(String, Node)>),
}

/// Why the text is not read, and where.
pub(super) struct Problem {
    pub(super) line: usize,
    pub(super) reason: String,
}

/// The one document of a text.
pub(super) fn parse(text: &str) -> Result<Node, Problem> {
    if text.len() > MAX_SIZE {
        return Err(Problem::new(0, "it is larger than a mebibyte"));
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        last_line: text.lines().count(),
        anchors: HashMap::new(),
        room: MAX_NODES,
        room_for_copies: MAX_COPIED,
    };
    let mut document = None;
    loop {
        let (event, line) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            _ if document.is_some() => {
                return Err(Problem::new(line, "a second document"));
            }
            event => document = Some(reader.node(event, line, 0)?),
        }
    }
    Ok(document.unwrap_or(Node {
        line: 0,
        value: Value::Null,
    }))
}

/// Configurations take a few kilobytes. In octets.
const MAX_SIZE: usize = 1 << 20;

const MAX_NODES: usize = 10_000;

/// Aliases are copies: without a limit, a few lines could grow to gigabytes. In octets.
const MAX_COPIED: usize = MAX_SIZE;

const MAX_DEPTH: usize = 32;

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// The parser counts one more at the end of a text.
    last_line: usize,
    anchors: HashMap<usize, Node>,
    /// How many nodes there may still be.
    room: usize,
    /// How many octets of text may still be copied.
    room_for_copies: usize,
}

impl<'t> Reader<'t> {
    /// The next event, and its line.
    fn next(&mut self) -> Result<(Event<'t>, usize), Problem> {
        let line = |line: usize| line.min(self.last_line);
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, line(span.start.line()))),
            // The parser quotes no values.
            Some(Err(error)) => Err(Problem::new(line(error.marker().line()), error.info())),
            None => Ok((Event::StreamEnd, self.last_line)),
        }
    }

    fn node(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<Node, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::new(line, "nested too deeply"));
        }
        self.count(1, line)?;
        let (anchor, value) = match event {
            Event::Scalar(text, ScalarStyle::Plain, anchor, _)
                if matches!(&*text, "" | "~" | "null" | "Null" | "NULL") =>
            {
                (anchor, Value::Null)
            }
            Event::Scalar(text, _, anchor, _) => (anchor, Value::Text(text.into_owned().into())),
            Event::SequenceStart(anchor, _) => {
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, line) => self.node(event, line, depth.saturating_add(1))?,
                    };
                }
                (anchor, Value::Sequence)
            }
            Event::MappingStart(anchor, _) => (anchor, Value::Mapping(self.entries(depth)?)),
            Event::Alias(anchor) => {
                let size = self.anchors.get(&anchor).map(size);
                self.count_copy(size.unwrap_or_default(), line)?;
                let node = self.anchors.get(&anchor).cloned();
                return node.ok_or_else(|| Problem::new(line, "an unknown alias"));
            }
            _ => return Err(Problem::new(line, "it ends early")),
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.count_copy(size(&node), line)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(String, Node)>, Problem> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(entries);
            }
            let key = self.node(event, line, depth.saturating_add(1))?;
            let (event, line) = self.next()?;
            let mut value = self.node(event, line, depth.saturating_add(1))?;
            value.line = key.line; // an alias has the line of its anchor, and a mapping that of its first key
            let key = match key.value {
                Value::Text(text) => text.to_string(),
                _ => return Err(Problem::new(key.line, "a key that is not a text")),
            };
            if !seen.insert(key.clone()) {
                return Err(Problem::new(value.line, "a key that is given twice"));
            }
            entries.push((key, value));
        }
    }

    fn count_copy(&mut self, copied: Size, line: usize) -> Result<(), Problem> {
        self.count(copied.nodes, line)?;
        self.room_for_copies = self
            .room_for_copies
            .checked_sub(copied.octets)
            .ok_or_else(|| Problem::new(line, "too much text behind aliases"))?;
        Ok(())
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), Problem> {
        self.room = self
            .room
            .checked_sub(nodes)
            .ok_or_else(|| Problem::new(line, "too many values"))?;
        Ok(())
    }
}

/// What a copy of a node takes.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    nodes: usize,
    octets: usize,
}

fn size(node: &Node) -> Size {
    let plain = |octets| Size { nodes: 1, octets };
    match &node.value {
        Value::Null | Value::Sequence => plain(0),
        Value::Text(text) => plain(text.len()),
        Value::Mapping(entries) => entries.iter().fold(plain(0), |sum, (key, node)| {
            let Size { nodes, octets } = size(node);
            Size {
                nodes: sum.nodes.saturating_add(nodes),
                octets: sum.octets.saturating_add(key.len()).saturating_add(octets),
            }
        }),
    }
}

impl Problem {
    fn new(line: usize, reason: impl Into<String>) -> Self {
        Self {
            line,
            reason: reason.into(),
        }
    }
}
