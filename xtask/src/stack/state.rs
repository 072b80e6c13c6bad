//! What is remembered of a system between commands: ports, secrets, processes. The file is for its owner only.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::Extra;
use crate::system::{account, ports, process::Process, random};

/// The contents of `state.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// Where the servers keep their data.
    pub(crate) data: PathBuf,
    /// Where the services' programs are.
    pub(crate) binaries: PathBuf,
    /// By what they are for: `orders`, `orders-admin`, `postgres`.
    pub(crate) ports: BTreeMap<String, u16>,
    /// By what they open.
    pub(crate) secrets: BTreeMap<String, String>,
    /// What was asked for beside the shop.
    pub(crate) extras: BTreeSet<Extra>,
    /// By name.
    pub(crate) processes: BTreeMap<String, Process>,
    /// What need not be done again.
    pub(crate) done: BTreeSet<String>,
}

/// The state while a command works with it. Two commands take turns.
#[derive(Debug)]
pub(crate) struct StateFile {
    file: PathBuf,
    lock: File,
}

impl StateFile {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join("logs"))
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let lock = File::create(folder.join("lock"))?;
        Ok(Self {
            file: folder.join("state.json"),
            lock,
        })
    }

    /// Waits for its turn; dropping the guard ends it.
    pub(crate) fn turn(&self) -> Result<Turn> {
        let lock = self.lock.try_clone()?;
        lock.lock().context("cannot lock the state")?;
        Ok(Turn(lock))
    }

    pub(crate) fn load(&self) -> Result<State> {
        match fs::read(&self.file) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!(
                    "{} is damaged; delete its folder and start anew",
                    self.file.display()
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.file.display())),
        }
    }

    /// Replaces the file as a whole, so that a reader never sees half of it.
    pub(crate) fn save(&self, state: &State) -> Result<()> {
        let draft = self.file.with_extension("draft");
        account::private_file(&draft, &serde_json::to_string_pretty(state)?, None)?;
        fs::rename(draft, &self.file)?;
        Ok(())
    }
}

/// Held while the state is being changed.
#[derive(Debug)]
pub(crate) struct Turn(File);

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl State {
    /// The port for this, picked at the first time.
    pub(crate) fn port(&mut self, what: &str) -> Result<u16> {
        self.port_from(what, None)
    }

    /// The same, but the usual one if nobody has it.
    pub(crate) fn port_like(&mut self, what: &str, usual: u16) -> Result<u16> {
        let is_taken = self.ports.values().any(|port| *port == usual);
        self.port_from(
            what,
            Some(usual).filter(|port| !is_taken && ports::is_free(*port)),
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

    /// The secret for this, made at the first time.
    pub(crate) fn secret(&mut self, what: &str) -> Result<String> {
        if let Some(secret) = self.secrets.get(what) {
            return Ok(secret.clone());
        }
        let secret = random::hex()?;
        self.secrets.insert(what.to_owned(), secret.clone());
        Ok(secret)
    }

    /// The process of that name, if it lives.
    pub(crate) fn live(&self, name: &str) -> Option<&Process> {
        self.processes.get(name).filter(|process| process.is_alive())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::State;

    #[test]
    fn the_usual_port_is_taken_where_nobody_has_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let usual = listener.local_addr().unwrap().port();
        let mut state = State::default();
        let other = state.port_like("jaeger", usual).unwrap();
        assert_ne!(other, usual, "somebody listens there");
        drop(listener);
        assert_eq!(state.port_like("jaeger", usual).unwrap(), other, "it stays");
        assert_eq!(state.port_like("mailpit", usual).unwrap(), usual);
        let third = state.port_like("prometheus", usual).unwrap();
        assert!(third != usual && third != other, "it is one of our own");
    }
}
