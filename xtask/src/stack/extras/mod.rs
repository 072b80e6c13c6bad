//! What the shop does without, and a system has if it is asked for: Kafka, and the tools that watch.

mod jaeger;
pub(crate) mod kafka;
mod mailpit;
mod prometheus;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::Stack;
use crate::{
    progress::step,
    system::{
        find,
        golang::{self, Tool},
    },
};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Extra {
    /// Domain events: a real Apache Kafka.
    Kafka,
    /// Metrics and alerts.
    Prometheus,
    /// A mailbox for every mail of the shop: Mailpit.
    #[value(alias = "mailpit")]
    Mail,
    /// Traces.
    Jaeger,
}

impl Extra {
    /// All there are.
    pub(crate) const ALL: [Self; 4] = [Self::Kafka, Self::Prometheus, Self::Mail, Self::Jaeger];
    /// Those that tests need.
    pub(crate) const TESTED: [Self; 1] = [Self::Kafka];

    /// The one whose process has that name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extra| extra.name() == name)
    }

    /// The process.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Prometheus => "prometheus",
            Self::Mail => "mailpit",
            Self::Jaeger => "jaeger",
        }
    }

    /// What `--with` calls it.
    pub(crate) fn asked_as(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            other => other.name(),
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Kafka => "Kafka",
            Self::Prometheus => "Prometheus",
            Self::Mail => "Mailpit",
            Self::Jaeger => "Jaeger",
        }
    }

    /// The one without which it would have nothing to show: mails are made of domain events.
    pub(crate) fn needs(self) -> Option<Self> {
        (self == Self::Mail).then_some(Self::Kafka)
    }

    /// Starts it, unless it runs as it should.
    pub(crate) fn start(self, stack: &mut Stack) -> Result<()> {
        step(self.title(), || match self {
            Self::Kafka => kafka::start(stack),
            Self::Prometheus => prometheus::start(stack),
            Self::Mail => mailpit::start(stack),
            Self::Jaeger => jaeger::start(stack),
        })
    }

    /// Where a person looks at it; Kafka has no pages.
    pub(crate) fn url(self, stack: &mut Stack) -> Result<Option<String>> {
        let usual = match self {
            Self::Kafka => return Ok(None),
            Self::Prometheus => prometheus::USUAL_PORT,
            Self::Mail => mailpit::USUAL_PORT,
            Self::Jaeger => jaeger::USUAL_PORT,
        };
        let port = stack.state.port_like(self.name(), usual)?;
        Ok(Some(format!("http://127.0.0.1:{port}")))
    }

    /// The recipe of one that no system's packages have, and that is built where it is not on PATH.
    pub(crate) fn tool(self) -> Option<&'static Tool> {
        match self {
            Self::Kafka | Self::Prometheus => None,
            Self::Mail => Some(&golang::MAILPIT),
            Self::Jaeger => Some(&golang::JAEGER),
        }
    }

    /// Whether it must be built before it can start.
    pub(crate) fn is_missing(self, stack: &Stack) -> bool {
        self.tool().is_some_and(|tool| program(stack, tool).is_none())
    }
}

/// The program on PATH, or the one that was built.
fn program(stack: &Stack, tool: &Tool) -> Option<PathBuf> {
    find(tool.name).or_else(|| tool.built(&stack.tools()))
}

/// Where the servers' account can run it.
fn reachable_program(stack: &Stack, tool: &Tool) -> Result<PathBuf> {
    let program = program(stack, tool).with_context(|| {
        format!(
            "there is no {} on this machine yet; `cargo xtask up --with {}` builds one",
            tool.title, tool.name
        )
    })?;
    stack.reachable(&program)
}

/// As a YAML string.
fn quoted(file: &Path) -> String {
    format!("'{}'", file.to_string_lossy().replace('\'', "''"))
}

/// Where the services' mails go, if this system has a mailbox.
pub(super) fn smtp_url(stack: &mut Stack) -> Result<Option<String>> {
    if !stack.state.extras.contains(&Extra::Mail) {
        return Ok(None);
    }
    Ok(Some(format!("smtp://127.0.0.1:{}", mailpit::smtp_port(stack)?)))
}

/// Where Jaeger's pages are, or would be.
pub(crate) fn jaeger_port(stack: &mut Stack) -> Result<u16> {
    if !stack.state.extras.contains(&Extra::Jaeger) {
        return Ok(jaeger::USUAL_PORT);
    }
    stack.state.port_like(Extra::Jaeger.name(), jaeger::USUAL_PORT)
}

/// Where traces go, if this system has a Jaeger.
pub(super) fn otlp_url(stack: &mut Stack) -> Result<Option<String>> {
    if !stack.state.extras.contains(&Extra::Jaeger) {
        return Ok(None);
    }
    Ok(Some(format!("http://127.0.0.1:{}", jaeger::otlp_port(stack)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::SERVERS;

    #[test]
    fn each_has_a_process_and_the_name_that_it_is_asked_for_by() {
        for extra in Extra::ALL {
            assert!(SERVERS.contains(&extra.name()), "{extra:?}");
            assert_eq!(Extra::of(extra.name()), Some(extra));
            assert_eq!(extra.to_possible_value().unwrap().get_name(), extra.asked_as());
        }
        // As its process and Compose call it.
        assert_eq!(Extra::from_str("mailpit", false), Ok(Extra::Mail));
        assert_eq!(Extra::of("postgres"), None);
    }
}
