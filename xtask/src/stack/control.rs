//! Stops and restarts processes: all of them in order, or a single one.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;

use super::{Mode, SERVERS, Stack, extras::Extra, mongodb, postgres, rabbitmq, services};
use crate::{progress::step, system::install};

/// How long a process may take to stop cleanly before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

impl Stack {
    /// Stops a process cleanly.
    pub(super) fn stop_process(&mut self, name: &str) -> Result<()> {
        // On SIGTERM, PostgreSQL would wait for its clients to disconnect.
        let signal = if name == "postgres" {
            Signal::INT
        } else {
            Signal::TERM
        };
        if let Some(process) = self.state.live(name) {
            process.stop(signal, STOP_TIMEOUT)?;
        }
        self.state.processes.remove(name);
        self.save()
    }

    /// Ends a process whose data will be deleted, without a clean stop.
    fn kill_process_before_deletion(&mut self, name: &str) -> Result<()> {
        match self.state.processes.remove(name) {
            // With SIGQUIT it ends its child processes, which would otherwise write to folders that are being deleted.
            Some(process) if name == "postgres" => process.stop(Signal::QUIT, STOP_TIMEOUT)?,
            Some(process) => process.kill()?,
            None => {}
        }
        self.save()
    }

    /// Stops these processes in reverse start order, services before servers.
    fn stop_all(&mut self, names: &[String]) -> Result<()> {
        let order: Vec<_> = SERVERS.iter().chain(&services::ORDER).copied().rev().collect();
        for name in order
            .iter()
            .filter(|name| names.iter().any(|other| other == *name))
        {
            if self.mode == Mode::Test {
                self.kill_process_before_deletion(name)?;
            } else if self.state.live(name).is_some() {
                step(&format!("stop {name}"), || self.stop_process(name))?;
            } else {
                self.state.processes.remove(*name);
            }
        }
        self.save()
    }

    /// Stops all running processes.
    pub(crate) fn down(&mut self) -> Result<()> {
        let _lock = self.lock()?;
        let names: Vec<_> = self.state.processes.keys().cloned().collect();
        self.stop_all(&names)
    }

    /// Stops only the processes that this command has started.
    pub(crate) fn stop_started(&mut self) -> Result<()> {
        let names = std::mem::take(&mut self.started);
        let _lock = self.lock()?;
        self.stop_all(&names)
    }

    /// Deletes the data, logs and state of the system.
    pub(crate) fn delete(self) -> Result<()> {
        let _lock = self.file.lock()?;
        for folder in [&self.state.data, &self.folder] {
            if !folder.as_os_str().is_empty() && folder.exists() {
                std::fs::remove_dir_all(folder)
                    .with_context(|| format!("cannot delete {}", folder.display()))?;
            }
        }
        Ok(())
    }

    /// Kills one process with SIGKILL.
    pub(crate) fn kill(mut self, name: &str) -> Result<()> {
        check_name(name)?;
        let _lock = self.lock()?;
        self.state
            .live(name)
            .with_context(|| format!("{name} is not running"))?
            .kill()?;
        self.state.processes.remove(name);
        self.save()
    }

    /// Stops one process cleanly.
    pub(crate) fn stop(mut self, name: &str) -> Result<()> {
        check_name(name)?;
        let _lock = self.lock()?;
        self.state
            .live(name)
            .with_context(|| format!("{name} is not running"))?;
        self.stop_process(name)
    }

    /// Starts one process again on its previous ports.
    pub(crate) fn start_again(mut self, name: &str) -> Result<()> {
        check_name(name)?;
        let _lock = self.lock()?;
        if self.state.data.as_os_str().is_empty() {
            bail!("this system was never started; run `cargo xtask up`");
        }
        if !self.has(name) {
            let option_name = Extra::of(name).map_or(name, |extra| extra.option_name());
            bail!("this system has no {name}; run `cargo xtask up --with {option_name}`");
        }
        if services::ORDER.contains(&name) {
            return services::start(&mut self, name);
        }
        if let Some(extra) = Extra::of(name) {
            return extra.start(&mut self);
        }
        if name == "mongodb" {
            let server = install::mongodb(&self.tools(), &self.log("install"))?;
            return mongodb::start(&mut self, &server);
        }
        let servers = self.servers()?;
        match name {
            "postgres" => postgres::start(&mut self, &servers),
            _ => rabbitmq::start(&mut self, &servers),
        }
    }
}

/// Fails if no process has that name.
pub(super) fn check_name(name: &str) -> Result<()> {
    if !SERVERS.contains(&name) && !services::ORDER.contains(&name) {
        let names = [&services::ORDER[..], &SERVERS[..]].concat().join(", ");
        bail!("there is no process `{name}`; the processes are {names}");
    }
    Ok(())
}
