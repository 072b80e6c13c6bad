//! How often the services have called their databases and the broker, by their own metrics.

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::{Context as _, Result};

use crate::stack::Process;

/// A kind of call that the services' metrics count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// A statement of PostgreSQL, and each begin, commit and rollback.
    PostgreSql,
    /// A command of MongoDB.
    MongoDb,
    /// A message that was published over AMQP.
    Amqp,
}

impl Call {
    /// Every kind of call, in the order in which they are printed.
    pub const ALL: [Self; 3] = [Self::PostgreSql, Self::MongoDb, Self::Amqp];

    /// The name and a label of the metric that counts it.
    const fn metric(self) -> (&'static str, &'static str) {
        let calls = "db_client_operation_duration_seconds_count";
        match self {
            Self::PostgreSql => (calls, r#"db_system_name="postgresql""#),
            Self::MongoDb => (calls, r#"db_system_name="mongodb""#),
            Self::Amqp => ("messaging_published_total", ""),
        }
    }
}

/// Calls by service, since it started or each time that something was done.
#[derive(Debug, Clone, Default)]
pub struct Counts(BTreeMap<(Call, String), f64>);

impl Counts {
    /// Those of these processes until now.
    pub async fn read(processes: &[Process]) -> Result<Self> {
        let mut counts = Self::default();
        for process in processes {
            let Some(url) = &process.admin_url else { continue };
            let exposed = reqwest::get(format!("{url}/metrics")).await?.text().await?;
            for call in Call::ALL {
                let (name, label) = call.metric();
                let values = exposed
                    .lines()
                    .filter(|line| line.starts_with(name) && line.contains(label))
                    .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
                let sum: f64 = values.sum();
                if sum > 0.0 {
                    counts.0.insert((call, process.name.clone()), sum);
                }
            }
        }
        Ok(counts)
    }

    /// What these are more than `before`, which was `elapsed` ago and would have become `idle` more each second anyway,
    /// for each of `times`.
    #[must_use]
    pub fn since(&self, before: &Self, elapsed: Duration, idle: &Self, times: f64) -> Self {
        let each = |(key, now): (&(Call, String), &f64)| {
            let of = |other: &Self| other.0.get(key).copied().unwrap_or_default();
            let more = now - of(before) - of(idle) * elapsed.as_secs_f64();
            (key.clone(), more / times)
        };
        Self(self.0.iter().map(each).collect())
    }

    /// The calls of all services together.
    #[must_use]
    pub fn total(&self, call: Call) -> f64 {
        let of = self.0.iter().filter(|((counted, _), _)| *counted == call);
        of.map(|(_, count)| count).sum()
    }

    /// Of one call, by service.
    pub fn by_service(&self, call: Call) -> impl Iterator<Item = (&str, f64)> {
        let of = self.0.iter().filter(move |((counted, _), _)| *counted == call);
        of.map(|((_, service), count)| (service.as_str(), *count))
    }
}

/// One line a call: the total, and of which services.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for call in Call::ALL {
            write!(f, "{call:?} {:.1}:", self.total(call))?;
            for (service, count) in self.by_service(call).filter(|(_, count)| count.abs() >= 0.05) {
                write!(f, " {service} {count:.1}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// How many calls the processes make in a second of doing nothing, over `time`.
pub async fn idle(processes: &[Process], time: Duration) -> Result<Counts> {
    let before = Counts::read(processes).await.context("the metrics before")?;
    tokio::time::sleep(time).await;
    let after = Counts::read(processes).await?;
    Ok(after.since(&before, Duration::ZERO, &Counts::default(), time.as_secs_f64()))
}
