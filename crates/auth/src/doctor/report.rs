use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::catalogue::{Kind, Severity};

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub(super) kind: &'static Kind,
    pub(super) about: String,
    pub(super) evidence: String,
}

impl Finding {
    /// What it is.
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Its identifier, for example `client-certificate-v1`.
    pub fn id(&self) -> &'static str {
        self.kind.id()
    }

    /// What it is about: `client identity`, or an endpoint such as `Pod at acme.symphony.com:8444`.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// What was seen; empty where the kind says it all. There is no secret in it.
    pub fn evidence(&self) -> &str {
        &self.evidence
    }

    /// What was found, in one sentence: what its kind means, and the evidence.
    pub fn message(&self) -> String {
        if self.evidence.is_empty() {
            self.kind.meaning().to_owned()
        } else {
            format!("{}: {}", self.kind.meaning(), self.evidence)
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.id())?;
        map.serialize_entry("severity", &self.kind.severity().to_string())?;
        map.serialize_entry("about", &self.about)?;
        map.serialize_entry("message", &self.message())?;
        if let Some(next_step) = self.kind.next_step() {
            map.serialize_entry("nextStep", next_step)?;
        }
        map.end()
    }
}

/// Everything that was found, in the order in which it was met.
///
/// It displays as text for people, and serializes as `{"healthy": .., "findings": [{"id", "severity", "about",
/// "message", "nextStep"}]}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "it says what was found"]
pub struct Report {
    pub(super) findings: Vec<Finding>,
}

impl Report {
    /// The findings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The problems among the findings.
    pub fn problems(&self) -> impl Iterator<Item = &Finding> {
        let is_problem = |finding: &&Finding| finding.kind.severity() == Severity::Problem;
        self.findings.iter().filter(is_problem)
    }

    /// Whether no problem was found.
    pub fn is_healthy(&self) -> bool {
        self.problems().next().is_none()
    }

    pub(super) fn add(
        &mut self,
        about: impl fmt::Display,
        kind: &'static Kind,
        evidence: impl fmt::Display,
    ) {
        self.findings.push(Finding {
            kind,
            about: about.to_string(),
            evidence: evidence.to_string(),
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut about = None;
        for finding in &self.findings {
            if about != Some(&finding.about) {
                writeln!(f, "{}", finding.about)?;
                about = Some(&finding.about);
            }
            let severity = finding.kind.severity();
            writeln!(
                f,
                "  {:8} {}: {}",
                severity.to_string(),
                finding.id(),
                finding.message()
            )?;
            if let Some(next_step) = finding.kind.next_step()
                && severity != Severity::Info
            {
                writeln!(f, "           next: {next_step}")?;
            }
        }
        match self.problems().count() {
            0 => f.write_str("no problem found")?,
            1 => f.write_str("1 problem found")?,
            count => write!(f, "{count} problems found")?,
        }
        let warnings = self.findings.iter();
        match warnings
            .filter(|it| it.kind.severity() == Severity::Warning)
            .count()
        {
            0 => Ok(()),
            1 => f.write_str(", 1 warning"),
            count => write!(f, ", {count} warnings"),
        }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("healthy", &self.is_healthy())?;
        map.serialize_entry("findings", &self.findings)?;
        map.end()
    }
}
