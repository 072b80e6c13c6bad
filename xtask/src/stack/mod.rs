//! One running Souk: its servers and services, under one folder with state, data and logs.

mod control;
pub(crate) mod extras;
pub(crate) mod logs;
mod mongo_wire;
pub(crate) mod mongodb;
pub(crate) mod postgres;
pub(crate) mod rabbitmq;
pub(crate) mod services;
mod state;
pub(crate) mod status;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    cargo, interrupt,
    progress::{note, step},
    system::{
        account::{self, Account},
        install::{self, Servers},
        ports,
        process::{self, Process, Program},
    },
};
use extras::Extra;
use state::{State, StateFile, Turn};

/// What the system is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// For a person; data survives a crash of the machine.
    Demo,
    /// For tests; data need not survive, so nothing waits for the disk.
    Test,
}

/// A server that can be started alone, for a test that kills its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Alone {
    Kafka,
    Mongodb,
}

/// A system, running or not.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) folder: PathBuf,
    pub(crate) mode: Mode,
    pub(crate) state: State,
    file: StateFile,
    account: Option<Account>,
    /// What this command has started, to be stopped if it fails.
    started: Vec<String>,
}

/// The servers, in the order of starting.
pub(crate) const SERVERS: [&str; 8] = [
    "postgres",
    "epmd",
    "rabbitmq",
    "mongodb",
    "kafka",
    "prometheus",
    "mailpit",
    "jaeger",
];
/// Those that hold what the services work with: they are not ended for new settings while they run.
const KEPT: [&str; 5] = ["postgres", "epmd", "rabbitmq", "mongodb", "kafka"];

impl Stack {
    /// The system in that folder as it was left.
    pub(crate) fn open(folder: &Path, mode: Mode) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let file = StateFile::open(&folder)?;
        let state = file.load()?;
        let account = if state.data.as_os_str().is_empty() {
            None
        } else {
            account::unprivileged()?
        };
        Ok(Self {
            folder,
            mode,
            state,
            file,
            account,
            started: vec![],
        })
    }

    /// Waits until no other command changes this system, and looks at it anew.
    pub(crate) fn turn(&mut self) -> Result<Turn> {
        let turn = self.file.turn()?;
        self.state = self.file.load()?;
        Ok(turn)
    }

    /// Looks at it anew without waiting; for those who change nothing.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        self.state = self.file.load()?;
        Ok(())
    }

    /// Whether this command has started anything.
    pub(crate) fn has_started(&self) -> bool {
        !self.started.is_empty()
    }

    pub(crate) fn save(&self) -> Result<()> {
        self.file.save(&self.state)
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    /// The data folder of a server, which only the servers' account may use.
    fn data(&self, name: &str) -> Result<PathBuf> {
        let folder = self.state.data.join(name);
        account::private_folder(&folder, self.account)?;
        Ok(folder)
    }

    /// A file of settings in a server's data folder, as it should be.
    fn settings(&self, name: &str, file: &str, text: &str) -> Result<PathBuf> {
        let file = self.data(name)?.join(file);
        if std::fs::read_to_string(&file).is_ok_and(|present| present == text) {
            return Ok(file);
        }
        account::private_file(&file, text, self.account)?;
        Ok(file)
    }

    /// Installs what is missing, and starts the servers that do not run.
    pub(crate) fn start_servers(&mut self) -> Result<()> {
        let servers = self.prepare()?;
        step("PostgreSQL", || postgres::start(self, &servers))?;
        step("RabbitMQ", || rabbitmq::start(self, &servers))?;
        step("MongoDB", || mongodb::start(self, &servers.mongodb))?;
        for extra in self.state.extras.clone() {
            // One that is being built starts when it is there.
            if !extra.is_missing(self) {
                extra.start(self)?;
            }
        }
        Ok(())
    }

    /// Starts one server that the others are not needed for.
    pub(crate) fn start_only(&mut self, only: Alone) -> Result<()> {
        self.ready_folders()?;
        match only {
            Alone::Kafka => {
                self.state.extras.insert(Extra::Kafka);
                self.save()?;
                Extra::Kafka.start(self)
            }
            Alone::Mongodb => {
                let server = install::mongodb(&self.tools(), &self.log("install"))?;
                step("MongoDB", || mongodb::start(self, &server))
            }
        }
    }

    /// Whether this system is to have that server or service.
    pub(crate) fn has(&self, name: &str) -> bool {
        Extra::of(name).is_none_or(|extra| self.state.extras.contains(&extra))
    }

    /// As [`Stack::start_servers`], for those who need only PostgreSQL.
    pub(crate) fn start_postgres(&mut self) -> Result<Servers> {
        let servers = self.prepare()?;
        step("PostgreSQL", || postgres::start(self, &servers))?;
        Ok(servers)
    }

    fn prepare(&mut self) -> Result<Servers> {
        self.ready_folders()?;
        self.servers()
    }

    /// Makes the folders, and the account that servers run as.
    pub(crate) fn ready_folders(&mut self) -> Result<()> {
        self.account = account::unprivileged()?;
        if self.state.data.as_os_str().is_empty() {
            self.state.data = new_data(&self.folder, self.account);
            if !self.state.data.starts_with(&self.folder) {
                note(&format!(
                    "{} is closed to the servers' account; their data is in {}",
                    self.folder.display(),
                    self.state.data.display()
                ));
            }
        }
        std::fs::create_dir_all(&self.state.data)
            .with_context(|| format!("cannot make {}", self.state.data.display()))?;
        self.renew_ports();
        self.save()
    }

    /// The servers' programs, installed if need be.
    fn servers(&self) -> Result<Servers> {
        install::servers(&self.tools(), &self.log("install"))
    }

    /// Where what pip, Maven and Go bring is, which all systems of this checkout share.
    pub(crate) fn tools(&self) -> PathBuf {
        home(&cargo::workspace().join("target/souk-tools"), self.account)
    }

    /// From where the gateway serves the storefront.
    pub(crate) fn storefront(&self) -> Result<PathBuf> {
        let folder = self.state.data.join("files");
        std::fs::create_dir_all(&folder)?;
        Ok(folder.join("storefront"))
    }

    /// Gives up ports that others have taken while nothing of ours ran.
    fn renew_ports(&mut self) {
        if self.state.processes.values().any(Process::is_alive) {
            return;
        }
        self.state
            .ports
            .retain(|what, port| what == "gateway" || ports::is_free(*port));
    }

    /// A program of the servers' account.
    pub(crate) fn program(&self, file: &Path, arguments: &[&str]) -> Program {
        Program {
            file: file.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: vec![],
            folder: self.state.data.clone(),
            account: self.account,
            reads: vec![],
        }
    }

    /// A file that the servers' account can read: itself, or a copy in the data folder.
    pub(crate) fn reachable(&self, file: &Path) -> Result<PathBuf> {
        if self.account.is_none() || account::is_public(file) {
            return Ok(file.to_owned());
        }
        let folder = self.state.data.join("files");
        std::fs::create_dir_all(&folder)?;
        let copy = folder.join(file.file_name().unwrap_or_default());
        let is_newer = |one: &Path, other: &Path| -> Result<bool> {
            Ok(!other.exists() || one.metadata()?.modified()? > other.metadata()?.modified()?)
        };
        if is_newer(file, &copy)? {
            // Not over the old one, which may be running.
            let _ = std::fs::remove_file(&copy);
            std::fs::copy(file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
        }
        Ok(copy)
    }

    /// Starts a process, unless it runs and is what it should be, and waits until `ready`.
    pub(crate) fn ensure(
        &mut self,
        name: &str,
        program: &Program,
        patience: Duration,
        mut ready: impl FnMut(&Self) -> bool,
    ) -> Result<()> {
        let changed = self
            .state
            .live(name)
            .map(|process| Ok::<_, anyhow::Error>(process.stamp != program.stamp()?));
        match changed.transpose()? {
            Some(false) if ready(self) => return Ok(()),
            Some(true) if !KEPT.contains(&name) => self.stop_process(name)?,
            _ => {}
        }
        let log = self.log(name);
        let from = log.metadata().map_or(0, |data| data.len());
        if self.state.live(name).is_none() {
            let process = program.spawn(&log)?;
            self.state.processes.insert(name.to_owned(), process);
            self.started.push(name.to_owned());
            self.save()?;
        }
        let is_ready = interrupt::wait(patience, || {
            interrupt::check()?;
            if self.state.live(name).is_none() {
                bail!(
                    "{name} ended at once. The end of {}:\n{}",
                    log.display(),
                    process::tail(&log, from)
                );
            }
            Ok(ready(self))
        })?;
        if !is_ready {
            let log_end = process::tail(&log, from);
            bail!(
                "{name} is not ready after {} s. The end of {}:\n{log_end}",
                patience.as_secs(),
                log.display()
            );
        }
        Ok(())
    }
}

/// Where the data of a system without a state go. What is there already, outside its folder, belongs to one whose state
/// was deleted, and with it the passwords: it is not opened, and not deleted either, for it may be somebody's.
fn new_data(folder: &Path, account: Option<Account>) -> PathBuf {
    let data = home(folder, account);
    if data == folder || is_empty(&data) {
        return data;
    }
    note(&format!(
        "{} is left of a system whose state is gone; delete it if nobody needs it",
        data.display()
    ));
    let others = (2..).map(|number| data.with_extension(number.to_string()));
    others.into_iter().find(|other| is_empty(other)).unwrap_or(data)
}

/// Whether nothing is in a folder, or no folder is there.
fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Where files of the servers' account can be: `folder`, or one that is open to it where `folder` is closed.
fn home(folder: &Path, account: Option<Account>) -> PathBuf {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    if account.is_none() || account::is_public(&folder.join("data")) {
        return folder.to_owned();
    }
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    Path::new("/var/lib").join(format!("souk-{:08x}", hasher.finish() & 0xffff_ffff))
}
