//! Counts how often the services call their databases and the message broker, from their metrics.

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::{Context as _, Result};

use crate::stack::Process;

/// A kind of call that the metrics of the services count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// A PostgreSQL statement, including begin, commit and rollback.
    PostgreSql,
    /// A command sent to MongoDB.
    MongoDb,
    /// A message published over AMQP.
    Amqp,
}

impl Call {
    /// Every kind of call, in printing order.
    pub const ALL: [Self; 3] = [Self::PostgreSql, Self::MongoDb, Self::Amqp];

    /// Returns name and label of the metric that counts this kind of call.
    const fn metric(self) -> (&'static str, &'static str) {
        let calls = "db_client_operation_duration_seconds_count";
        match self {
            Self::PostgreSql => (calls, r#"db_system_name="postgresql""#),
            Self::MongoDb => (calls, r#"db_system_name="mongodb""#),
            Self::Amqp => ("messaging_published_total", ""),
        }
    }
}

/// Number of calls by kind and service, in total or per operation.
#[derive(Debug, Clone, Default)]
pub struct Counts(BTreeMap<(Call, String), f64>);

impl Counts {
    /// Reads the current totals from the metrics of these processes.
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

    /// Returns the calls per operation since `before`, which was read `elapsed` ago. Subtracts the `idle` calls per second, and
    /// divides by `times`, the number of operations.
    #[must_use]
    pub fn since(&self, before: &Self, elapsed: Duration, idle: &Self, times: f64) -> Self {
        let per_operation = |(key, now): (&(Call, String), &f64)| {
            let of = |other: &Self| other.0.get(key).copied().unwrap_or_default();
            let increase = now - of(before) - of(idle) * elapsed.as_secs_f64();
            (key.clone(), increase / times)
        };
        Self(self.0.iter().map(per_operation).collect())
    }

    /// Returns the number of calls of one kind over all services.
    #[must_use]
    pub fn total(&self, call: Call) -> f64 {
        let of = self.0.iter().filter(|((kind, _), _)| *kind == call);
        of.map(|(_, count)| count).sum()
    }

    /// Returns the number of calls of one kind for each service.
    pub fn by_service(&self, call: Call) -> impl Iterator<Item = (&str, f64)> {
        let of = self.0.iter().filter(move |((kind, _), _)| *kind == call);
        of.map(|((_, service), count)| (service.as_str(), *count))
    }
}

/// Prints one line per kind of call: the total, and the number for each service.
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

/// Measures the number of calls per second of idle processes, over `time`.
pub async fn idle(processes: &[Process], time: Duration) -> Result<Counts> {
    let before = Counts::read(processes).await.context("the metrics before")?;
    tokio::time::sleep(time).await;
    let after = Counts::read(processes).await?;
    Ok(after.since(&before, Duration::ZERO, &Counts::default(), time.as_secs_f64()))
}
