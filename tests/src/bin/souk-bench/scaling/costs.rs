//! What a checkout costs, as measured. Every number names its source; the simulation has no other inputs.

/// Cores of a machine, as in docs/performance.md.
pub(super) const CORES: usize = 2;

/// CPU milliseconds of a checkout with 32 buyers, of all processes together (docs/performance.md, "Checkout").
pub(super) const CPU_MS: f64 = 78.0;

/// CPU milliseconds of a checkout by process, with 128 buyers (docs/performance.md, "CPU per checkout"). With so many
/// buyers a checkout costs 89 ms instead of 78, so only the shares are used.
pub(super) const GATEWAY: f64 = 2.1;
pub(super) const ORDERS: f64 = 10.7;
pub(super) const INVENTORY: f64 = 4.7;
pub(super) const PAYMENTS: f64 = 6.4;
pub(super) const PSP: f64 = 3.8;
pub(super) const POSTGRES: f64 = 29.2;
pub(super) const MONGODB: f64 = 19.9;
pub(super) const RABBITMQ: f64 = 12.2;
const ALL: f64 = GATEWAY + ORDERS + INVENTORY + PAYMENTS + PSP + POSTGRES + MONGODB + RABBITMQ;

/// CPU milliseconds of the load generator per checkout. It is not measured: it is what 22.5 checkouts per second with 78 ms
/// each leave of two cores (docs/performance.md, 32 buyers).
pub(super) const LOAD_GENERATOR_MS: f64 = 2_000.0 / 22.5 - CPU_MS;

/// Statements of a checkout by database (docs/performance.md, "Calls per checkout"). PostgreSQL's CPU is divided by them.
pub(super) const STATEMENTS: [(Database, f64); 3] = [
    (Database::Orders, 26.0),
    (Database::Payments, 30.0),
    (Database::Psp, 18.0),
];

/// Commits of a checkout by database, counted in the code: transitions, claims of the relay, commands and requests.
pub(super) const COMMITS: [(Database, f64); 3] = [
    (Database::Orders, 12.0),
    (Database::Payments, 11.0),
    (Database::Psp, 6.0),
];

/// The server that was measured. It is a Python program: in no measurement did it use more than one core.
pub(super) const STAND_IN: Stock = Stock {
    speed: 1.0,
    threads: 1,
};

/// MongoDB commands of a checkout (docs/performance.md, "Calls per checkout"). Three of them update the stock document.
pub(super) const STOCK_COMMANDS: f64 = 7.0;

/// Messages of a checkout: five commands and their replies (docs/performance.md, "Calls per checkout").
pub(super) const MESSAGES: f64 = 10.0;

/// Milliseconds of one commit if a server does nothing else: 12,180 statements/s in transactions of five (docs/performance.md).
pub(super) const COMMIT_MS: f64 = 1_000.0 * 5.0 / 12_180.0;

/// Milliseconds of one message if a queue does nothing else: 7,587 messages/s (docs/performance.md).
pub(super) const QUEUE_MS: f64 = 1_000.0 / 7_587.0;

/// Rows per second that one, two, and three or more relays publish from one outbox (docs/scaling.md, "Single points"). The
/// machine was overloaded and the build not optimised, so these are lower bounds.
pub(super) const RELAYED_ROWS: [f64; 3] = [3_177.0, 3_729.0, 4_127.0];

/// How much longer an update of a stock document takes for each hold in it, as a share of an update of a document without
/// holds (docs/scaling.md, "Single points").
pub(super) const HOLD_GROWTH: f64 = 0.018;

/// Maximum number of checkouts in flight (docs/adr/0013).
pub(super) const IN_FLIGHT: usize = 64;

/// Milliseconds between two polls of a live view (docs/performance.md, "Checkout").
pub(super) const POLL_MS: f64 = 150.0;

/// A server for the stock documents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stock {
    /// How many times faster than the measured stand-in it is.
    pub(super) speed: f64,
    /// Commands that it executes at the same time.
    pub(super) threads: usize,
}

/// A service's PostgreSQL database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Database {
    Orders,
    Payments,
    Psp,
}

impl Database {
    pub(super) const ALL: [Self; 3] = [Self::Orders, Self::Payments, Self::Psp];

    /// CPU milliseconds of this database per checkout.
    pub(super) fn cpu(self) -> f64 {
        let all: f64 = STATEMENTS.iter().map(|(_, statements)| statements).sum();
        scaled(POSTGRES) * of(&STATEMENTS, self) / all
    }

    /// Commits in this database per checkout.
    pub(super) fn commits(self) -> f64 {
        of(&COMMITS, self)
    }
}

/// Converts a share of the CPU with 128 buyers to milliseconds of a checkout with 32 buyers.
pub(super) fn scaled(cpu: f64) -> f64 {
    cpu * CPU_MS / ALL
}

fn of(table: &[(Database, f64)], database: Database) -> f64 {
    let entries = table.iter().filter(|(name, _)| *name == database);
    entries.map(|(_, value)| value).sum()
}
