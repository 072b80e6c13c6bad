//! Simulates checkouts on one to sixteen machines. The result shows ratios and bottlenecks, not promises: see
//! docs/scaling.md for what the model leaves out.

mod costs;
mod engine;
mod model;

use anyhow::Result;
use clap::Args;

use self::{
    costs::Stock,
    engine::{Arrivals, Outcome, float},
    model::Design,
};
use crate::output::print;

/// The MongoDB server of every design but the first: assumed, not measured, because docs/performance.md has no mongod.
const FAST_STOCK: Stock = Stock {
    speed: 10.0,
    threads: 64,
};
/// Machines of one cell.
const CELL: usize = 2;
/// Parts of a striped stock.
const STRIPES: usize = 8;
/// Buyers for each machine who saturate it.
const BUYERS: usize = 32;
/// Share of the highest rate at which the latency is simulated.
const LOAD: f64 = 0.7;

/// Simulates throughput and latency at 1, 2, 4, 8 and 16 machines.
#[derive(Args)]
pub(crate) struct Simulated {
    /// Confirmed checkouts of each simulated run.
    #[arg(long, default_value_t = 2_000)]
    checkouts: usize,
    /// Numbers of machines, each with two cores.
    #[arg(long, value_delimiter = ',', default_value = "1,2,4,8,16")]
    machines: Vec<usize>,
}

/// The designs of docs/scaling.md by name. The second value is the number of equal cells.
fn designs(machines: usize) -> [(&'static str, usize, Design); 6] {
    let replicas = Design::replicas(machines);
    let fast = Design {
        stock: FAST_STOCK,
        in_flight: costs::IN_FLIGHT * machines,
        ..replicas
    };
    let partitioned = Design {
        partitions: machines,
        broker_nodes: 3,
        ..fast
    };
    let popular = Design {
        documents: 1,
        ..partitioned
    };
    let striped = Design {
        documents: STRIPES,
        ..partitioned
    };
    let cells = machines.div_ceil(CELL);
    let cell = Design {
        stock: FAST_STOCK,
        ..Design::replicas(machines.min(CELL))
    };
    [
        ("a: replicas, stand-in for MongoDB", 1, replicas),
        ("a: replicas, faster MongoDB", 1, fast),
        ("b: partitioned databases, queues", 1, partitioned),
        ("c: b, one popular product", 1, popular),
        ("c: the same, stock in 8 stripes", 1, striped),
        ("d: cells of two machines", cells, cell),
    ]
}

pub(crate) fn run(options: &Simulated) -> Result<()> {
    validate(options.checkouts)?;
    print("\ndesign                                machines  orders/s  ratio   p99 ms  bottleneck")?;
    let names = designs(1).map(|(name, ..)| name);
    for (index, name) in names.iter().enumerate() {
        let mut first = None;
        for machines in &options.machines {
            let (_, cells, design) = designs(*machines)[index];
            let (saturated, stations) =
                design.simulate(Arrivals::Clients(BUYERS * design.machines), options.checkouts);
            let usual = Arrivals::Rate(LOAD * saturated.rate);
            let p99 = design.simulate(usual, options.checkouts).0.percentile(99);
            let rate = saturated.rate * float(cells);
            let ratio = rate / *first.get_or_insert(rate);
            let (busiest, share) = bottleneck(&saturated, &stations);
            print(format_args!(
                "{name:37} {machines:8}  {rate:8.0}  {ratio:5.1}  {p99:7.0}  {busiest} ({:.0} %)",
                share * 100.0
            ))?;
        }
    }
    Ok(())
}

/// Compares the model of one machine with docs/performance.md.
fn validate(checkouts: usize) -> Result<()> {
    print("buyers        orders/s: model  measured   p50 ms: model  measured")?;
    let measured = Design {
        has_load_generator: true,
        ..Design::replicas(1)
    };
    for (buyers, rate, p50) in [
        (8, 21.6, 248.0),
        (32, 22.5, 1_181.0),
        (64, 22.9, 2_546.0),
        (128, 19.4, 5_997.0),
    ] {
        let model = measured.simulate(Arrivals::Clients(buyers), checkouts).0;
        print(format_args!(
            "{buyers:6}  {:15.1}  {rate:8.1}  {:14.0}  {p50:8.0}",
            model.rate,
            model.percentile(50)
        ))?;
    }
    let of = |documents| Design {
        documents,
        ..measured
    };
    let rate = |documents| of(documents).simulate(Arrivals::Clients(200), checkouts).0.rate;
    let ratio = rate(1) / rate(200);
    print(format_args!(
        "one product instead of 200, 200 buyers: model {ratio:.2}, measured 0.71"
    ))?;
    Ok(())
}

/// Returns the busiest station and its utilization. Of those that are almost as busy, it is the first: while a job waits for
/// a core, it may also occupy a lock, but the core is the cause.
fn bottleneck<'a>(outcome: &Outcome, stations: &'a [String]) -> (&'a str, f64) {
    let most = outcome.utilization.iter().copied().fold(0.0, f64::max);
    let mut busy = outcome.utilization.iter().copied().zip(stations);
    let busiest = busy.find(|(share, _)| *share > most - 0.015);
    busiest.map_or(("", 0.0), |(share, name)| (name, share))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKOUTS: usize = 3_000;

    fn saturated(design: Design) -> Outcome {
        design
            .simulate(Arrivals::Clients(BUYERS * design.machines), CHECKOUTS)
            .0
    }

    fn assert_close(actual: f64, expected: f64) {
        assert!(
            (actual / expected - 1.0).abs() < 0.04,
            "{actual} instead of {expected}"
        );
    }

    /// Utilization law: a station is busy for its rate times the time that each job needs there.
    #[test]
    fn cores_are_busy_for_the_rate_times_the_cost_of_a_checkout() {
        let outcome = Design::replicas(1).simulate(Arrivals::Rate(15.0), CHECKOUTS).0;
        let seconds = costs::CPU_MS / 1_000.0;
        assert_close(
            outcome.utilization[0] * float(costs::CORES),
            outcome.rate * seconds,
        );
    }

    /// Little's law: the mean number of checkouts in flight is their rate times the mean time that each stays.
    #[test]
    fn checkouts_in_flight_are_the_rate_times_their_latency() {
        for rate in [5.0, 15.0, 22.0] {
            let outcome = Design::replicas(1).simulate(Arrivals::Rate(rate), CHECKOUTS).0;
            let mean = outcome.latencies.iter().sum::<f64>() / float(outcome.latencies.len());
            let [.., places] = outcome.utilization[..] else {
                panic!("no stations")
            };
            assert_close(places * float(costs::IN_FLIGHT), outcome.rate * mean / 1_000.0);
        }
    }

    #[test]
    fn replicas_that_are_no_bottleneck_bring_nothing() {
        let [eight, sixteen] = [8, 16].map(|machines| saturated(Design::replicas(machines)));
        assert_close(sixteen.rate, eight.rate);
    }

    #[test]
    fn a_popular_product_is_bounded_by_the_lock_of_its_document() {
        let [.., (_, _, popular), (_, _, striped), _] = designs(16);
        let (outcome, stations) = popular.simulate(Arrivals::Clients(BUYERS * 16), CHECKOUTS);
        assert_eq!(bottleneck(&outcome, &stations).0, "the stock document");
        let update = costs::scaled(costs::MONGODB) / costs::STOCK_COMMANDS / FAST_STOCK.speed;
        let bound = 1_000.0 / (3.0 * update);
        assert!(
            outcome.rate < bound,
            "{} instead of at most {bound}",
            outcome.rate
        );
        let with_stripes = saturated(striped).rate;
        assert!(
            with_stripes > 2.0 * outcome.rate,
            "{with_stripes} with stripes, {} without",
            outcome.rate
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_result() {
        let [one, other] = [(); 2].map(|()| saturated(Design::replicas(2)));
        assert_eq!(one.latencies, other.latencies);
    }
}
