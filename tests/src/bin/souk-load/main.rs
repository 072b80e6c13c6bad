//! `souk-load`: simulated shoppers for a running demo, until it is stopped. Unlike `souk-bench`, it does not measure the
//! system. It logs in as the demo's operator, so it must only be used with a demo.

mod shopper;

use std::{
    collections::BTreeMap, fmt::Write as _, io, io::Write as _, sync::atomic::Ordering, time::Duration,
};

use anyhow::Result;
use clap::{Parser, ValueEnum as _};
use tokio::{
    sync::mpsc::{self, UnboundedSender},
    time::{self, Instant},
};

use crate::shopper::{LOST_CONNECTIONS, Shopper, Visit};

/// Simulates shoppers in a running demo: they browse, search, abandon carts, buy, have cards declined, cancel and return.
#[derive(Debug, Parser)]
#[command(name = "souk-load")]
struct Load {
    /// Base URL of the gateway.
    #[arg(long, default_value = "http://localhost:8080")]
    url: String,
    /// Number of shoppers. Each has its own account and makes one visit at a time.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    shoppers: u32,
    /// Visits per minute of all shoppers together. There are fewer if the shop is too slow for this number of shoppers.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    visits: u32,
    /// How often each kind of visit is made, relative to the others. A kind that is not named is not made.
    #[arg(
        long,
        value_delimiter = ',',
        value_parser = share,
        default_value = "browse=30,search=20,abandon=18,buy=20,decline=5,cancel=4,return=3"
    )]
    mix: Vec<(Visit, u32)>,
    /// Average number of milliseconds that a shopper looks at each page.
    #[arg(long, default_value_t = 1000)]
    pause: u64,
    /// Seconds between two progress lines.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    progress: u64,
}

/// Parses a share such as `buy=20`.
fn share(text: &str) -> Result<(Visit, u32), String> {
    let (name, weight) = text
        .split_once('=')
        .ok_or("expected a visit and a number, such as buy=20")?;
    Ok((
        Visit::from_str(name, false)?,
        weight.parse().map_err(|_| "expected a number after =")?,
    ))
}

#[tokio::main]
async fn main() -> Result<()> {
    let load = Load::parse();
    let (sender, mut outcomes) = mpsc::unbounded_channel();
    let period = Duration::from_mins(1) * load.shoppers / load.visits;
    for number in 0..load.shoppers {
        let shopper = Shopper::new(&load.url, number + 1, Duration::from_millis(load.pause));
        // The first visits are spread over one period, so that the rate is steady from the start.
        let start = Instant::now() + period * number / load.shoppers;
        tokio::spawn(shop(shopper, load.mix.clone(), start, period, sender.clone()));
    }
    let (started, mut report) = (Instant::now(), Report::default());
    let mut lines = time::interval(Duration::from_secs(load.progress));
    loop {
        tokio::select! {
            Some((visit, result)) = outcomes.recv() => report.add(visit, result),
            _ = lines.tick() => writeln!(io::stdout(), "{}", report.line(started.elapsed()))?,
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
        }
    }
}

/// Makes one visit per period, or the next one at once if a visit takes longer.
async fn shop(
    mut shopper: Shopper,
    mix: Vec<(Visit, u32)>,
    start: Instant,
    period: Duration,
    outcomes: UnboundedSender<(Visit, Result<()>)>,
) {
    let mut ticks = time::interval_at(start, period);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let visit = pick(
            &mix,
            e2e::random::below(mix.iter().map(|(_, share)| u64::from(*share)).sum()),
        );
        if outcomes.send((visit, shopper.visit(visit).await)).is_err() {
            return;
        }
    }
}

/// The kind of visit at a point from 0 to below the sum of all shares.
fn pick(mix: &[(Visit, u32)], mut point: u64) -> Visit {
    for &(visit, share) in mix {
        if point < u64::from(share) {
            return visit;
        }
        point -= u64::from(share);
    }
    Visit::Browse
}

/// Counts of all visits that have ended.
#[derive(Default)]
struct Report {
    succeeded: BTreeMap<Visit, u32>,
    failed: u32,
    last_error: String,
}

impl Report {
    fn add(&mut self, visit: Visit, result: Result<()>) {
        match result {
            Ok(()) => *self.succeeded.entry(visit).or_default() += 1,
            Err(error) => {
                self.failed += 1;
                self.last_error = format!("; last error: {error:#}");
            }
        }
    }

    fn line(&self, elapsed: Duration) -> String {
        let total = self.succeeded.values().sum::<u32>() + self.failed;
        let rate = f64::from(total) * 60.0 / elapsed.as_secs_f64().max(1.0);
        let mut line = format!("{} s: {total} visits ({rate:.0} per minute)", elapsed.as_secs());
        for (visit, count) in &self.succeeded {
            let _ = write!(line, ", {count} {}", format!("{visit:?}").to_lowercase());
        }
        let lost = LOST_CONNECTIONS.load(Ordering::Relaxed);
        let _ = write!(
            line,
            ", {lost} lost connections, {} failed{}",
            self.failed, self.last_error
        );
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visit_is_as_frequent_as_its_share() {
        let mix = ["browse=2", "search=0", "return=1"].map(|text| share(text).unwrap());
        let visits = [0, 1, 2].map(|point| pick(&mix, point));
        assert_eq!(visits, [Visit::Browse, Visit::Browse, Visit::Return]);
        assert!(share("buy").is_err() && share("buy=some").is_err() && share("steal=1").is_err());
    }

    #[test]
    fn the_progress_line_has_counts_a_rate_and_the_last_error() {
        let mut report = Report::default();
        report.add(Visit::Buy, Ok(()));
        report.add(Visit::Return, Err(anyhow::anyhow!("the shop is closed")));
        let line = "120 s: 2 visits (1 per minute), 1 buy, 0 lost connections, 1 failed; last error: the shop is closed";
        assert_eq!(report.line(Duration::from_mins(2)), line);
    }
}
