//! Souk as a network of queues: which servers run on which machine, and what a checkout does at each of them.

use std::rc::Rc;

use super::{
    costs::{self, Database, Stock, scaled},
    engine::{Arrivals, Id, Outcome, Random, Simulation, Station, Step, float},
};

/// How a system is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Design {
    /// Machines with two cores each. Every one has a replica of each process.
    pub(super) machines: usize,
    /// The MongoDB server that keeps the stock.
    pub(super) stock: Stock,
    /// Parts of each PostgreSQL database, with an outbox and a queue of its own for each part. An order belongs to one part.
    pub(super) partitions: usize,
    /// Nodes of RabbitMQ that share its queues.
    pub(super) broker_nodes: usize,
    /// Stock documents that checkouts choose from: one for a popular product, several if its stock is striped.
    pub(super) documents: usize,
    /// Whether the load generator shares the machines, as it did when the costs were measured.
    pub(super) has_load_generator: bool,
    /// Maximum number of checkouts in flight.
    pub(super) in_flight: usize,
}

impl Design {
    /// Today's design, with a replica of each process on every machine.
    pub(super) fn replicas(machines: usize) -> Self {
        Self {
            machines,
            stock: costs::STAND_IN,
            partitions: 1,
            broker_nodes: 1,
            documents: 1_000,
            has_load_generator: false,
            in_flight: costs::IN_FLIGHT,
        }
    }

    /// Simulates until `checkouts` have been confirmed.
    pub(super) fn simulate(self, arrivals: Arrivals, checkouts: usize) -> (Outcome, Vec<String>) {
        let (system, stations) = System::build(self);
        let names = stations.iter().map(|station| station.name.clone()).collect();
        let steps = |random: &mut Random| system.checkout(random);
        let simulation = Simulation::new(stations, self.documents, 1, &steps);
        (simulation.run(arrivals, checkouts), names)
    }
}

/// A part that runs on one machine, because it cannot be divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Stock,
    /// One node of RabbitMQ, by its number.
    Broker(usize),
    /// One part of a database.
    Database(Database, usize),
}

/// The stations of a system.
struct System {
    design: Design,
    cores: Rc<[Id]>,
    /// The servers and the cores that they use.
    servers: Vec<(Server, Id)>,
    places: Id,
    stock_threads: Id,
    documents: Vec<Id>,
    parts: Vec<Part>,
}

/// The stations of the orders of one partition.
struct Part {
    number: usize,
    commits: [Id; 3],
    /// The queues of orders, inventory and payments.
    queues: [Id; 3],
    /// The outboxes of orders and payments. Inventory publishes its replies itself.
    outboxes: [Id; 2],
}

const ORDERS: usize = 0;
const INVENTORY: usize = 1;
const PAYMENTS: usize = 2;

impl System {
    fn build(design: Design) -> (Self, Vec<Station>) {
        let mut stations = vec![];
        let mut add = |name: String, servers| {
            stations.push(Station::new(name, servers));
            stations.len() - 1
        };
        let placed = place(design);
        let cores: Rc<[Id]> = (0..design.machines)
            .map(|machine| add(name_of(machine, &placed), costs::CORES))
            .collect();
        let stock_threads = add("MongoDB's threads".into(), design.stock.threads);
        let parts = (0..design.partitions).map(|number| Part {
            number,
            commits: Database::ALL.map(|database| add(format!("commits of {database:?}"), 1)),
            queues: ["orders", "inventory", "payments"].map(|queue| add(format!("the queue of {queue}"), 1)),
            outboxes: ["orders", "payments"].map(|service| add(format!("the outbox of {service}"), 1)),
        });
        let system = Self {
            design,
            stock_threads,
            parts: parts.collect(),
            documents: (0..design.documents)
                .map(|_| add("the stock document".into(), 1))
                .collect(),
            servers: placed
                .iter()
                .map(|(server, machine)| (*server, cores[*machine]))
                .collect(),
            cores,
            // Last, because checkouts also stay in flight while they wait for any other station.
            places: add("places in flight".into(), design.in_flight),
        };
        (system, stations)
    }

    /// The steps of a checkout: the request, five commands and their replies, and the live view.
    fn checkout(&self, random: &mut Random) -> Vec<Step> {
        let document = random.below(self.documents.len());
        let part = &self.parts[random.below(self.parts.len())];
        let mut steps = vec![];
        self.compute(&mut steps, self.client());
        self.compute(&mut steps, scaled(costs::INVENTORY) / 4.0);
        self.read_stock(&mut steps);
        self.move_saga(&mut steps, part, 2.0);
        steps.extend([Step::Start, Step::Enter(self.places)]);
        for command in ["reserve", "authorize", "pin", "capture", "commit"] {
            let is_payment = ["authorize", "capture"].contains(&command);
            let receiver = if is_payment { PAYMENTS } else { INVENTORY };
            self.publish(&mut steps, part, receiver, Some(part.outboxes[0]));
            if is_payment {
                self.pay(&mut steps, part);
            } else {
                self.change_stock(&mut steps, document);
            }
            match command {
                "reserve" => steps.push(Step::Increment(document)),
                "commit" => steps.push(Step::Decrement(document)),
                _ => {}
            }
            self.publish(&mut steps, part, ORDERS, is_payment.then_some(part.outboxes[1]));
            self.move_saga(&mut steps, part, 1.0);
        }
        steps.extend([Step::Leave(self.places), Step::End, Step::Pause(costs::POLL_MS)]);
        self.compute(&mut steps, self.client());
        steps
    }

    /// Half of what the gateway and the load generator do for a checkout.
    fn client(&self) -> f64 {
        let load = if self.design.has_load_generator {
            costs::LOAD_GENERATOR_MS
        } else {
            0.0
        };
        f64::midpoint(load, scaled(costs::GATEWAY))
    }

    /// Work of a process that has a replica on every machine.
    fn compute(&self, steps: &mut Vec<Step>, milliseconds: f64) {
        steps.push(Step::ServeAtAny(Rc::clone(&self.cores), milliseconds));
    }

    /// Work of a server, in slices of 2 ms at most, so that no visitor occupies a core for long.
    fn serve(&self, steps: &mut Vec<Step>, server: Server, mut milliseconds: f64) {
        let cores = self.cores_of(server);
        while milliseconds > 0.0 {
            steps.push(Step::Serve(cores, milliseconds.min(2.0)));
            milliseconds -= 2.0;
        }
    }

    fn cores_of(&self, server: Server) -> Id {
        let found = self.servers.iter().find(|(name, _)| *name == server);
        found.map(|(_, cores)| *cores).unwrap_or_default()
    }

    /// Orders handles a reply: a seventh of its work. Placing the order counts as two.
    fn move_saga(&self, steps: &mut Vec<Step>, part: &Part, times: f64) {
        self.compute(steps, scaled(costs::ORDERS) / 7.0 * times);
        self.query(steps, part, Database::Orders, times / 7.0);
    }

    /// Payments handles a command: half of its work and of the provider's.
    fn pay(&self, steps: &mut Vec<Step>, part: &Part) {
        self.compute(steps, scaled(costs::PAYMENTS) / 2.0);
        self.query(steps, part, Database::Payments, 0.5);
        self.compute(steps, scaled(costs::PSP) / 2.0);
        self.query(steps, part, Database::Psp, 0.5);
    }

    /// A share of a checkout's work in one database.
    fn query(&self, steps: &mut Vec<Step>, part: &Part, database: Database, share: f64) {
        self.serve(
            steps,
            Server::Database(database, part.number),
            database.cpu() * share,
        );
        for (commits, _) in part
            .commits
            .iter()
            .zip(Database::ALL)
            .filter(|(_, name)| *name == database)
        {
            steps.push(Step::Serve(
                *commits,
                costs::COMMIT_MS * database.commits() * share,
            ));
        }
    }

    /// Inventory handles a command: one update of the stock document, which locks it, and one read.
    fn change_stock(&self, steps: &mut Vec<Step>, document: usize) {
        self.compute(steps, scaled(costs::INVENTORY) / 4.0);
        let cores = self.cores_of(Server::Stock);
        steps.extend([
            Step::Enter(self.documents[document]),
            Step::Enter(self.stock_threads),
            Step::ServeGrowing(cores, self.stock_command(), document, costs::HOLD_GROWTH),
            Step::Leave(self.stock_threads),
            Step::Leave(self.documents[document]),
        ]);
        self.read_stock(steps);
    }

    fn read_stock(&self, steps: &mut Vec<Step>) {
        steps.push(Step::Enter(self.stock_threads));
        self.serve(steps, Server::Stock, self.stock_command());
        steps.push(Step::Leave(self.stock_threads));
    }

    fn stock_command(&self) -> f64 {
        scaled(costs::MONGODB) / costs::STOCK_COMMANDS / self.design.stock.speed
    }

    /// A message through the outbox of its sender, if it has one, and the queue of its receiver.
    fn publish(&self, steps: &mut Vec<Step>, part: &Part, to: usize, outbox: Option<Id>) {
        if let Some(outbox) = outbox {
            // All machines have a relay, but they share the outboxes.
            let relays = self.design.machines / self.design.partitions;
            let rate = costs::RELAYED_ROWS[relays.clamp(1, costs::RELAYED_ROWS.len()) - 1];
            steps.push(Step::Serve(outbox, 1_000.0 / rate));
        }
        let node = Server::Broker((part.number + to) % self.design.broker_nodes.min(self.design.machines));
        self.serve(
            steps,
            node,
            scaled(costs::RABBITMQ) / costs::MESSAGES - costs::QUEUE_MS,
        );
        steps.push(Step::Serve(part.queues[to], costs::QUEUE_MS));
    }
}

/// Puts each server on the machine with the least work so far, the largest first. The processes use what remains.
fn place(design: Design) -> Vec<(Server, usize)> {
    let nodes = design.broker_nodes.min(design.machines);
    let broker = scaled(costs::RABBITMQ) / float(nodes);
    let mut servers = vec![(Server::Stock, scaled(costs::MONGODB) / design.stock.speed)];
    servers.extend((0..nodes).map(|node| (Server::Broker(node), broker)));
    for part in 0..design.partitions {
        let work = |database: Database| database.cpu() / float(design.partitions);
        servers.extend(Database::ALL.map(|database| (Server::Database(database, part), work(database))));
    }
    servers.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let mut work = vec![0.0_f64; design.machines];
    let place = servers.into_iter().map(|(server, milliseconds)| {
        let machine = (0..work.len()).min_by(|one, other| work[*one].total_cmp(&work[*other]));
        let machine = machine.unwrap_or_default();
        work[machine] += milliseconds;
        (server, machine)
    });
    place.collect()
}

/// Names the cores of a machine after the servers on it.
fn name_of(machine: usize, placed: &[(Server, usize)]) -> String {
    let here = placed.iter().filter(|(_, on)| *on == machine);
    let here: Vec<_> = here
        .map(|(server, _)| match server {
            Server::Stock => "MongoDB".to_owned(),
            Server::Broker(_) => "RabbitMQ".to_owned(),
            Server::Database(database, _) => format!("{database:?}'s database"),
        })
        .collect();
    match here.len() {
        0 => "cores of processes".to_owned(),
        1 | 2 => format!("cores of {}", here.join(" and ")),
        _ => "all cores".to_owned(),
    }
}
