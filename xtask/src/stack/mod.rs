//! One Souk system: its servers and services, with one folder for state, data and logs.

pub(crate) mod certificates;
mod control;
pub(crate) mod extras;
pub(crate) mod logs;
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
use state::{State, StateFile, StateLock};

/// The purpose of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// For a user; data survives a crash of the machine.
    Demo,
    /// For tests; data need not survive a crash, so servers do not sync it to disk.
    Test,
}

/// A server that can be started without the others, for a test that kills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SingleServer {
    Kafka,
    Mongodb,
}

/// A system, which may be running or stopped.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) folder: PathBuf,
    pub(crate) mode: Mode,
    pub(crate) state: State,
    file: StateFile,
    account: Option<Account>,
    /// Processes that this command has started, to stop them if it fails.
    started: Vec<String>,
}

/// Names of the server processes, in start order.
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
const NEVER_RESTARTED: [&str; 5] = ["postgres", "epmd", "rabbitmq", "mongodb", "kafka"];

impl Stack {
    /// The system in that folder as it was left.
    pub(crate) fn open(folder: &Path, mode: Mode) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
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

    /// Waits until no other command changes this system, locks it, and reads its state again.
    pub(crate) fn lock(&mut self) -> Result<StateLock> {
        let lock = self.file.lock()?;
        self.state = self.file.load()?;
        Ok(lock)
    }

    /// Reads the state again without the lock, for callers that change nothing.
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

    /// Data folder of a server, which only the servers' account can access. Created if necessary.
    fn data(&self, name: &str) -> Result<PathBuf> {
        let folder = self.state.data.join(name);
        account::private_folder(&folder, self.account)?;
        Ok(folder)
    }

    /// Writes a settings file into a server's data folder, unless it has this text already.
    fn settings(&self, name: &str, file: &str, text: &str) -> Result<PathBuf> {
        let file = self.data(name)?.join(file);
        if std::fs::read_to_string(&file).is_ok_and(|present| present == text) {
            return Ok(file);
        }
        account::private_file(&file, text, self.account)?;
        Ok(file)
    }

    /// Installs missing servers, and starts those that are not running.
    pub(crate) fn start_servers(&mut self) -> Result<()> {
        let servers = self.prepare()?;
        step("PostgreSQL", || postgres::start(self, &servers))?;
        step("RabbitMQ", || rabbitmq::start(self, &servers))?;
        step("MongoDB", || mongodb::start(self, &servers.mongodb))?;
        for extra in self.state.extras.clone() {
            // One that is being built starts after its build.
            if !extra.is_missing(self) {
                extra.start(self)?;
            }
        }
        Ok(())
    }

    /// Starts a single server.
    pub(crate) fn start_only(&mut self, only: SingleServer) -> Result<()> {
        self.ready_folders()?;
        match only {
            SingleServer::Kafka => {
                self.state.extras.insert(Extra::Kafka);
                self.save()?;
                Extra::Kafka.start(self)
            }
            SingleServer::Mongodb => {
                let server = install::mongodb(&self.tools(), &self.log("install"))?;
                step("MongoDB", || mongodb::start(self, &server))
            }
        }
    }

    /// Whether that process belongs to this system. Extras belong to it only if they were requested.
    pub(crate) fn has(&self, name: &str) -> bool {
        Extra::of(name).is_none_or(|extra| self.state.extras.contains(&extra))
    }

    /// Installs missing servers, and starts only PostgreSQL.
    pub(crate) fn start_postgres(&mut self) -> Result<Servers> {
        let servers = self.prepare()?;
        step("PostgreSQL", || postgres::start(self, &servers))?;
        Ok(servers)
    }

    fn prepare(&mut self) -> Result<Servers> {
        self.ready_folders()?;
        self.servers()
    }

    /// Creates the folders, and the account that servers run as.
    pub(crate) fn ready_folders(&mut self) -> Result<()> {
        self.account = account::unprivileged()?;
        if self.state.data.as_os_str().is_empty() {
            self.state.data = new_data(&self.folder, self.account);
            if !self.state.data.starts_with(&self.folder) {
                note(&format!(
                    "the servers' account cannot access {}; their data is in {}",
                    self.folder.display(),
                    self.state.data.display()
                ));
            }
        }
        std::fs::create_dir_all(&self.state.data)
            .with_context(|| format!("cannot create {}", self.state.data.display()))?;
        self.renew_ports();
        self.save()
    }

    /// Paths of the servers' programs, which are installed if necessary.
    fn servers(&self) -> Result<Servers> {
        install::servers(&self.tools(), &self.log("install"))
    }

    /// Folder of the tools installed by pip, Maven and Go, shared by all systems of this checkout.
    pub(crate) fn tools(&self) -> PathBuf {
        home(&cargo::workspace().join("target/souk-tools"), self.account)
    }

    /// Folder from which the gateway serves the storefront.
    pub(crate) fn storefront(&self) -> Result<PathBuf> {
        let folder = self.state.data.join("files");
        std::fs::create_dir_all(&folder)?;
        Ok(folder.join("storefront"))
    }

    /// Forgets ports that other programs have taken while the system was stopped.
    fn renew_ports(&mut self) {
        if self.state.processes.values().any(Process::is_alive) {
            return;
        }
        self.state
            .ports
            .retain(|what, port| what == "gateway" || ports::is_free(*port));
    }

    /// A program that runs as the servers' account, in the data folder.
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

    /// Path at which the servers' account can read the file: its own path, or that of a copy in the data folder.
    pub(crate) fn reachable(&self, file: &Path) -> Result<PathBuf> {
        if self.account.is_none() || account::is_public(file) {
            return Ok(file.to_owned());
        }
        let folder = self.state.data.join("files");
        std::fs::create_dir_all(&folder)?;
        let copy = folder.join(file.file_name().unwrap_or_default());
        // The file may be another version of a program, and older than the copy. So the copy has the time of its original.
        let modified = file.metadata()?.modified()?;
        if !copy.exists() || copy.metadata()?.modified()? != modified {
            // Do not overwrite the old copy, which may be running.
            let _ = std::fs::remove_file(&copy);
            std::fs::copy(file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
            let copied = std::fs::File::options().append(true).open(&copy)?;
            copied.set_modified(modified)?;
        }
        Ok(copy)
    }

    /// Starts a process and waits until it is ready. A running process whose program or settings have changed is restarted,
    /// except servers with data. Fails if it ends or is not ready in time.
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
            Some(true) if !NEVER_RESTARTED.contains(&name) => self.stop_process(name)?,
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
                    "{name} ended during its start. The end of {}:\n{}",
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

/// Chooses the data folder of a new system. Data outside its own folder belongs to a system whose state, and thus its
/// passwords, was deleted. It cannot be opened, and is not deleted either, because the user may still need it.
fn new_data(folder: &Path, account: Option<Account>) -> PathBuf {
    let data = home(folder, account);
    if data == folder || is_empty(&data) {
        return data;
    }
    note(&format!(
        "{} belongs to a system whose state was deleted; delete it if you do not need it",
        data.display()
    ));
    let others = (2..).map(|number| data.with_extension(number.to_string()));
    others.into_iter().find(|other| is_empty(other)).unwrap_or(data)
}

/// Whether the folder is empty or does not exist.
fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Returns `folder` if the servers' account can access it, and otherwise a folder below `/var/lib`.
fn home(folder: &Path, account: Option<Account>) -> PathBuf {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    if account.is_none() || account::is_public(&folder.join("data")) {
        return folder.to_owned();
    }
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    Path::new("/var/lib").join(format!("souk-{:08x}", hasher.finish() & 0xffff_ffff))
}
