//! A discrete-event simulation of a network of queues. A job is a list of steps; it waits at stations whose servers are busy,
//! first come, first served. Nothing here knows about Souk.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    rc::Rc,
};

/// Index of a station.
pub(super) type Id = usize;

/// What a job does next. Times are mean values in milliseconds, and vary exponentially.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Occupies a server of the station for a time.
    Serve(Id, f64),
    /// The same at the station that has the shortest queue at that moment, as a load balancer does.
    ServeAtAny(Rc<[Id]>, f64),
    /// As `Serve`, but it takes longer by the factor for each unit of the counter.
    ServeGrowing(Id, f64, Counter, f64),
    /// Occupies a server, such as a lock, until `Leave`.
    Enter(Id),
    Leave(Id),
    /// Adds one to a counter.
    Increment(Counter),
    /// Subtracts one from a counter.
    Decrement(Counter),
    /// Waits for a uniform time of at most this length, without a server.
    Pause(f64),
    /// The measured latency starts here.
    Start,
    /// The measured latency ends here.
    End,
}

pub(super) type Counter = usize;

/// A queue with one or more servers.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) name: String,
    servers: usize,
    busy: usize,
    waiting: VecDeque<usize>,
    /// Integral of the busy servers over time, up to `since`.
    busy_time: f64,
    since: f64,
}

impl Station {
    pub(super) fn new(name: impl Into<String>, servers: usize) -> Self {
        Self {
            name: name.into(),
            servers,
            busy: 0,
            waiting: VecDeque::new(),
            busy_time: 0.0,
            since: 0.0,
        }
    }

    fn advance(&mut self, now: f64) {
        self.busy_time += float(self.busy) * (now - self.since);
        self.since = now;
    }

    fn enter(&mut self, job: usize, now: f64) -> bool {
        self.advance(now);
        if self.busy == self.servers {
            self.waiting.push_back(job);
            return false;
        }
        self.busy += 1;
        true
    }

    /// Frees a server, and returns the job that gets it.
    fn leave(&mut self, now: f64) -> Option<usize> {
        self.advance(now);
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.busy -= 1;
        }
        next
    }
}

#[derive(Debug, Default)]
struct Job {
    steps: Vec<Step>,
    position: usize,
    /// The station whose server the job occupies for its current step.
    at: Option<Id>,
    started: f64,
}

/// When new checkouts enter the simulation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arrivals {
    /// This many clients each start their next job when the previous one ends.
    Clients(usize),
    /// This many jobs arrive per second, at random times.
    Rate(f64),
}

/// Results of a run, without its warm-up.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Finished checkouts per second.
    pub(super) rate: f64,
    /// Milliseconds between `Start` and `End`, sorted.
    pub(super) latencies: Vec<f64>,
    /// Share of the servers' time that each station was busy, by station.
    pub(super) utilization: Vec<f64>,
}

impl Outcome {
    /// Returns the latency that this percentage of the jobs does not exceed.
    pub(super) fn percentile(&self, percent: usize) -> f64 {
        self.latencies[(self.latencies.len() - 1) * percent / 100]
    }
}

/// Random numbers of the generator `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to 1, without 1.
    pub(super) fn uniform(&mut self) -> f64 {
        let half = u32::try_from(self.next() >> 32).unwrap_or_default();
        f64::from(half) / (f64::from(u32::MAX) + 1.0)
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.uniform()).ln()
    }

    /// An index below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap_or_default() % count
    }
}

/// The state of a simulation: its stations, and the events that are due.
pub(super) struct Simulation<'a> {
    stations: Vec<Station>,
    counters: Vec<f64>,
    steps: &'a dyn Fn(&mut Random) -> Vec<Step>,
    random: Random,
    jobs: Vec<Job>,
    /// Jobs and the times, in nanoseconds, at which they continue.
    events: BinaryHeap<Reverse<(u64, usize)>>,
    now: f64,
    latencies: Vec<f64>,
    ended: usize,
}

impl<'a> Simulation<'a> {
    /// Prepares a run with these stations and `counters`. `steps` returns the steps of a new job.
    pub(super) fn new(
        stations: Vec<Station>,
        counters: usize,
        seed: u64,
        steps: &'a dyn Fn(&mut Random) -> Vec<Step>,
    ) -> Self {
        Self {
            stations,
            counters: vec![0.0; counters],
            steps,
            random: Random(seed),
            jobs: vec![],
            events: BinaryHeap::new(),
            now: 0.0,
            latencies: vec![],
            ended: 0,
        }
    }

    /// Runs until `count` jobs have ended after a warm-up of a quarter as many, or one for each client.
    pub(super) fn run(mut self, arrivals: Arrivals, count: usize) -> Outcome {
        let (clients, mut measured_from) = match arrivals {
            Arrivals::Clients(clients) => (clients, None),
            Arrivals::Rate(_) => (1, None),
        };
        (0..clients).for_each(|_| self.arrive());
        let warm_up = clients.max(count / 4);
        let mut next_arrival = self.interval(arrivals);
        while self.ended < count || measured_from.is_none() {
            if measured_from.is_none() && self.ended >= warm_up {
                measured_from = Some(self.now);
                self.reset();
            }
            match self.events.peek() {
                Some(Reverse((at, job))) if milliseconds(*at) <= next_arrival => {
                    let (at, job) = (*at, *job);
                    self.events.pop();
                    self.now = milliseconds(at);
                    self.complete(job, arrivals);
                }
                _ => {
                    self.now = next_arrival;
                    self.arrive();
                    next_arrival = self.now + self.interval(arrivals);
                }
            }
        }
        self.outcome(measured_from.unwrap_or_default())
    }

    fn interval(&mut self, arrivals: Arrivals) -> f64 {
        match arrivals {
            Arrivals::Clients(_) => f64::INFINITY,
            Arrivals::Rate(rate) => self.random.exponential(1_000.0 / rate),
        }
    }

    fn arrive(&mut self) {
        let steps = (self.steps)(&mut self.random);
        self.jobs.push(Job {
            steps,
            ..Job::default()
        });
        self.proceed(self.jobs.len() - 1);
    }

    /// Ends the current step of a job, and continues with its next ones. A client whose job has ended starts another.
    fn complete(&mut self, job: usize, arrivals: Arrivals) {
        if let Some(station) = self.jobs[job].at.take() {
            self.leave(station);
        }
        self.jobs[job].position += 1;
        self.proceed(job);
        let ended = &mut self.jobs[job];
        if ended.position == ended.steps.len() && !ended.steps.is_empty() {
            ended.steps = vec![];
            self.ended += 1;
            if matches!(arrivals, Arrivals::Clients(_)) {
                let steps = (self.steps)(&mut self.random);
                self.jobs[job] = Job {
                    steps,
                    ..Job::default()
                };
                self.proceed(job);
            }
        }
    }

    fn leave(&mut self, station: Id) {
        if let Some(next) = self.stations[station].leave(self.now) {
            self.begin(next, station);
        }
    }

    /// A waiting job gets a server of the station.
    fn begin(&mut self, job: usize, station: Id) {
        let (mean, growth) = match &self.jobs[job].steps[self.jobs[job].position] {
            Step::Serve(_, mean) | Step::ServeAtAny(_, mean) => (*mean, 1.0),
            Step::ServeGrowing(_, mean, counter, factor) => (*mean, 1.0 + factor * self.counters[*counter]),
            // A job that has waited at `Enter` does nothing there: it continues now.
            _ => return self.schedule(job, 0.0),
        };
        self.jobs[job].at = Some(station);
        let time = self.random.exponential(mean * growth);
        self.schedule(job, time);
    }

    fn schedule(&mut self, job: usize, delay: f64) {
        self.events.push(Reverse((nanoseconds(self.now + delay), job)));
    }

    /// Performs steps until one takes time or has to wait.
    fn proceed(&mut self, job: usize) {
        while let Some(step) = self.jobs[job].steps.get(self.jobs[job].position).cloned() {
            match step {
                Step::Serve(station, _) | Step::ServeGrowing(station, ..) => {
                    return self.request(job, station);
                }
                Step::ServeAtAny(stations, _) => {
                    let load = |id: &Id| self.stations[*id].busy + self.stations[*id].waiting.len();
                    let shortest = stations.iter().copied().min_by_key(load).unwrap_or_default();
                    return self.request(job, shortest);
                }
                Step::Enter(station) => {
                    if !self.stations[station].enter(job, self.now) {
                        return;
                    }
                }
                Step::Leave(station) => self.leave(station),
                Step::Increment(counter) => self.counters[counter] += 1.0,
                Step::Decrement(counter) => self.counters[counter] -= 1.0,
                Step::Pause(longest) => {
                    let time = longest * self.random.uniform();
                    return self.schedule(job, time);
                }
                Step::Start => self.jobs[job].started = self.now,
                Step::End => self.latencies.push(self.now - self.jobs[job].started),
            }
            self.jobs[job].position += 1;
        }
    }

    fn request(&mut self, job: usize, station: Id) {
        if self.stations[station].enter(job, self.now) {
            self.begin(job, station);
        }
    }

    /// Forgets what was measured during the warm-up.
    fn reset(&mut self) {
        for station in &mut self.stations {
            station.advance(self.now);
            station.busy_time = 0.0;
        }
        self.latencies.clear();
        self.ended = 0;
    }

    fn outcome(mut self, from: f64) -> Outcome {
        let took = self.now - from;
        let now = self.now;
        let utilization = self.stations.iter_mut().map(|station| {
            station.advance(now);
            station.busy_time / (took * float(station.servers))
        });
        let utilization = utilization.collect();
        self.latencies.sort_by(f64::total_cmp);
        Outcome {
            rate: 1_000.0 * float(self.ended) / took,
            latencies: self.latencies,
            utilization,
        }
    }
}

/// Converts a count, which is far below 2^32.
pub(super) fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are positive, and minutes at most"
)]
fn nanoseconds(milliseconds: f64) -> u64 {
    (milliseconds * 1e6) as u64
}

#[expect(clippy::cast_precision_loss, reason = "minutes in nanoseconds are below 2^52")]
fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
