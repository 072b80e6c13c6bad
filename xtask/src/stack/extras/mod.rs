//! Optional processes that a system has on request: Kafka, Prometheus, Mailpit and Jaeger.

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

/// An optional process that `up --with` starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Extra {
    /// Apache Kafka, for domain events.
    Kafka,
    /// Prometheus, for metrics and alerts.
    Prometheus,
    /// Mailpit, a mailbox that receives every mail of the shop.
    #[value(alias = "mailpit")]
    Mail,
    /// Jaeger, for traces.
    Jaeger,
}

impl Extra {
    /// Every extra, in start order.
    pub(crate) const ALL: [Self; 4] = [Self::Kafka, Self::Prometheus, Self::Mail, Self::Jaeger];
    /// The extras that the tests need.
    pub(crate) const TESTED: [Self; 1] = [Self::Kafka];

    /// The extra whose process has that name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extra| extra.name() == name)
    }

    /// Name of the process.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Prometheus => "prometheus",
            Self::Mail => "mailpit",
            Self::Jaeger => "jaeger",
        }
    }

    /// Name of the extra in `--with`.
    pub(crate) fn option_name(self) -> &'static str {
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

    /// The extra that this one depends on: Mailpit needs Kafka, because domain events trigger mails.
    pub(crate) fn needs(self) -> Option<Self> {
        (self == Self::Mail).then_some(Self::Kafka)
    }

    /// Starts the process unless it is running with its current settings.
    pub(crate) fn start(self, stack: &mut Stack) -> Result<()> {
        step(self.title(), || match self {
            Self::Kafka => kafka::start(stack),
            Self::Prometheus => prometheus::start(stack),
            Self::Mail => mailpit::start(stack),
            Self::Jaeger => jaeger::start(stack),
        })
    }

    /// URL of the tool's web pages; `None` for Kafka, which has none.
    pub(crate) fn url(self, stack: &mut Stack) -> Result<Option<String>> {
        let usual = match self {
            Self::Kafka => return Ok(None),
            Self::Prometheus => prometheus::USUAL_PORT,
            Self::Mail => mailpit::USUAL_PORT,
            Self::Jaeger => jaeger::USUAL_PORT,
        };
        let port = stack.state.preferred_port(self.name(), usual)?;
        Ok(Some(format!("http://127.0.0.1:{port}")))
    }

    /// How to build the program with Go if it is not on PATH; `None` if a package manager installs it.
    pub(crate) fn tool(self) -> Option<&'static Tool> {
        match self {
            Self::Kafka | Self::Prometheus => None,
            Self::Mail => Some(&golang::MAILPIT),
            Self::Jaeger => Some(&golang::JAEGER),
        }
    }

    /// Whether the program must be built before it can start.
    pub(crate) fn is_missing(self, stack: &Stack) -> bool {
        self.tool().is_some_and(|tool| program(stack, tool).is_none())
    }
}

/// The program on PATH, or else the one that was built.
fn program(stack: &Stack, tool: &Tool) -> Option<PathBuf> {
    find(tool.name).or_else(|| tool.built(&stack.tools()))
}

/// Path at which the servers' account can run the tool. Fails if it has not been built.
fn reachable_program(stack: &Stack, tool: &Tool) -> Result<PathBuf> {
    let program = program(stack, tool).with_context(|| {
        format!(
            "{} is not installed on this machine; `cargo xtask up --with {}` builds it",
            tool.title, tool.name
        )
    })?;
    stack.reachable(&program)
}

/// Quotes a path as a YAML string.
fn quoted(file: &Path) -> String {
    format!("'{}'", file.to_string_lossy().replace('\'', "''"))
}

/// SMTP URL of this system's Mailpit; `None` if it has none.
pub(super) fn smtp_url(stack: &mut Stack) -> Result<Option<String>> {
    if !stack.state.extras.contains(&Extra::Mail) {
        return Ok(None);
    }
    Ok(Some(format!("smtp://127.0.0.1:{}", mailpit::smtp_port(stack)?)))
}

/// Port of Jaeger's web pages; the usual port if this system has no Jaeger.
pub(crate) fn jaeger_port(stack: &mut Stack) -> Result<u16> {
    if !stack.state.extras.contains(&Extra::Jaeger) {
        return Ok(jaeger::USUAL_PORT);
    }
    stack
        .state
        .preferred_port(Extra::Jaeger.name(), jaeger::USUAL_PORT)
}

/// OTLP URL of this system's Jaeger; `None` if it has none.
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
    fn every_extra_has_a_process_and_an_option_name() {
        for extra in Extra::ALL {
            assert!(SERVERS.contains(&extra.name()), "{extra:?}");
            assert_eq!(Extra::of(extra.name()), Some(extra));
            assert_eq!(extra.to_possible_value().unwrap().get_name(), extra.option_name());
        }
        // The name of its process is accepted as well.
        assert_eq!(Extra::from_str("mailpit", false), Ok(Extra::Mail));
        assert_eq!(Extra::of("postgres"), None);
    }
}
