//! Ending processes and starting them again: all of them in order, or one to see what the others make of it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;

use super::{Mode, SERVERS, Stack, extras::Extra, mongodb, postgres, rabbitmq, services};
use crate::{progress::step, system::install};

/// How long a process may take to end in good order.
const PATIENCE: Duration = Duration::from_secs(20);

impl Stack {
    /// Ends one in good order.
    pub(super) fn stop_process(&mut self, name: &str) -> Result<()> {
        // PostgreSQL's SIGTERM would wait for its clients.
        let signal = if name == "postgres" {
            Signal::INT
        } else {
            Signal::TERM
        };
        if let Some(process) = self.state.live(name) {
            process.stop(signal, PATIENCE)?;
        }
        self.state.processes.remove(name);
        self.save()
    }

    /// Ends one whose data is deleted next, and which need not be waited for.
    fn drop_process(&mut self, name: &str) -> Result<()> {
        match self.state.processes.remove(name) {
            // It ends what it has started, which would otherwise write into folders that are being deleted.
            Some(process) if name == "postgres" => process.stop(Signal::QUIT, PATIENCE)?,
            Some(process) => process.kill()?,
            None => {}
        }
        self.save()
    }

    /// Stops these, services before servers and in the opposite order of starting.
    fn stop_all(&mut self, names: &[String]) -> Result<()> {
        let order: Vec<_> = SERVERS.iter().chain(&services::ORDER).copied().rev().collect();
        for name in order
            .iter()
            .filter(|name| names.iter().any(|other| other == *name))
        {
            if self.mode == Mode::Test {
                self.drop_process(name)?;
            } else if self.state.live(name).is_some() {
                step(&format!("stop {name}"), || self.stop_process(name))?;
            } else {
                self.state.processes.remove(*name);
            }
        }
        self.save()
    }

    /// Stops all that runs.
    pub(crate) fn down(&mut self) -> Result<()> {
        let _turn = self.turn()?;
        let names: Vec<_> = self.state.processes.keys().cloned().collect();
        self.stop_all(&names)
    }

    /// Stops what this command has started and nothing else.
    pub(crate) fn stop_started(&mut self) -> Result<()> {
        let names = std::mem::take(&mut self.started);
        let _turn = self.turn()?;
        self.stop_all(&names)
    }

    /// Deletes the data, logs and all else that is known of the system.
    pub(crate) fn delete(self) -> Result<()> {
        let _turn = self.file.turn()?;
        for folder in [&self.state.data, &self.folder] {
            if !folder.as_os_str().is_empty() && folder.exists() {
                std::fs::remove_dir_all(folder)
                    .with_context(|| format!("cannot delete {}", folder.display()))?;
            }
        }
        Ok(())
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self, name: &str) -> Result<()> {
        known(name)?;
        let _turn = self.turn()?;
        self.state
            .live(name)
            .with_context(|| format!("{name} does not run"))?
            .kill()?;
        self.state.processes.remove(name);
        self.save()
    }

    /// A good end of one process.
    pub(crate) fn stop(mut self, name: &str) -> Result<()> {
        known(name)?;
        let _turn = self.turn()?;
        self.state
            .live(name)
            .with_context(|| format!("{name} does not run"))?;
        self.stop_process(name)
    }

    /// Starts one process where it was.
    pub(crate) fn start_again(mut self, name: &str) -> Result<()> {
        known(name)?;
        let _turn = self.turn()?;
        if self.state.data.as_os_str().is_empty() {
            bail!("this system was never up; say `cargo xtask up`");
        }
        if !self.has(name) {
            let asked_as = Extra::of(name).map_or(name, |extra| extra.asked_as());
            bail!("this system has no {name}; say `cargo xtask up --with {asked_as}`");
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

/// Fails for a name that no process has.
pub(super) fn known(name: &str) -> Result<()> {
    if !SERVERS.contains(&name) && !services::ORDER.contains(&name) {
        let names = [&services::ORDER[..], &SERVERS[..]].concat().join(", ");
        bail!("there is no process `{name}`; there are {names}");
    }
    Ok(())
}
