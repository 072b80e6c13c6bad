//! The state of a system that is stored between commands: ports, secrets, processes. Only its owner can read the file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::Extra;
use crate::system::{account, ports, process::Process};

/// The contents of `state.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// Folder with the data of the servers.
    pub(crate) data: PathBuf,
    /// Folder with the programs of the services.
    pub(crate) binaries: PathBuf,
    /// Ports by purpose: `orders`, `orders-admin`, `postgres`.
    pub(crate) ports: BTreeMap<String, u16>,
    /// Passwords and keys by the account or purpose that they belong to.
    pub(crate) secrets: BTreeMap<String, String>,
    /// The extras that were requested besides the shop.
    pub(crate) extras: BTreeSet<Extra>,
    /// Started processes by name; some may have ended since.
    pub(crate) processes: BTreeMap<String, Process>,
    /// Setup steps that are complete and need not be repeated.
    pub(crate) done: BTreeSet<String>,
}

/// The file that stores the state, with a lock that lets one command change it at a time.
#[derive(Debug)]
pub(crate) struct StateFile {
    file: PathBuf,
    lock: File,
}

impl StateFile {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join("logs"))
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let lock = File::create(folder.join("lock"))?;
        Ok(Self {
            file: folder.join("state.json"),
            lock,
        })
    }

    /// Waits for the lock, which is released when the guard is dropped.
    pub(crate) fn lock(&self) -> Result<StateLock> {
        let lock = self.lock.try_clone()?;
        lock.lock().context("cannot lock the state")?;
        Ok(StateLock(lock))
    }

    pub(crate) fn load(&self) -> Result<State> {
        match fs::read(&self.file) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!(
                    "{} is damaged; delete its folder and run `cargo xtask up` again",
                    self.file.display()
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.file.display())),
        }
    }

    /// Replaces the file atomically, so that no reader sees a partial state.
    pub(crate) fn save(&self, state: &State) -> Result<()> {
        let draft = self.file.with_extension("draft");
        account::private_file(&draft, &serde_json::to_string_pretty(state)?, None)?;
        fs::rename(draft, &self.file)?;
        Ok(())
    }
}

/// Guard of the lock on a system's state.
#[derive(Debug)]
pub(crate) struct StateLock(File);

impl Drop for StateLock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl State {
    /// Returns the port for this purpose, and picks a free one on first use.
    pub(crate) fn port(&mut self, what: &str) -> Result<u16> {
        self.port_from(what, None)
    }

    /// Like [`State::port`], but picks the usual port if it is free.
    pub(crate) fn preferred_port(&mut self, what: &str, usual: u16) -> Result<u16> {
        let is_collector_up = self.ports.values().any(|port| *port == usual);
        self.port_from(
            what,
            Some(usual).filter(|port| !is_collector_up && ports::is_free(*port)),
        )
    }

    fn port_from(&mut self, what: &str, wish: Option<u16>) -> Result<u16> {
        if let Some(port) = self.ports.get(what) {
            return Ok(*port);
        }
        let port = wish.map_or_else(|| ports::pick(&self.ports), Ok)?;
        self.ports.insert(what.to_owned(), port);
        Ok(port)
    }

    /// Returns the secret for this purpose, and generates it on first use.
    pub(crate) fn secret(&mut self, what: &str) -> String {
        let random = || format!("{:032x}{:016x}", rand::random::<u128>(), rand::random::<u64>());
        self.secrets.entry(what.to_owned()).or_insert_with(random).clone()
    }

    /// The process of that name, if it is running.
    pub(crate) fn live(&self, name: &str) -> Option<&Process> {
        self.processes.get(name).filter(|process| process.is_alive())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::State;

    #[test]
    fn the_usual_port_is_picked_if_it_is_free() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let usual = listener.local_addr().unwrap().port();
        let mut state = State::default();
        let other = state.preferred_port("jaeger", usual).unwrap();
        assert_ne!(other, usual, "another program listens on the usual port");
        drop(listener);
        assert_eq!(
            state.preferred_port("jaeger", usual).unwrap(),
            other,
            "a picked port does not change"
        );
        assert_eq!(state.preferred_port("mailpit", usual).unwrap(), usual);
        let third = state.preferred_port("prometheus", usual).unwrap();
        assert!(
            third != usual && third != other,
            "the usual port is already assigned to mailpit"
        );
    }
}
