//! Lists the running processes and their addresses, as a table or, with `--json`, for programs.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Serialize;

use super::{
    SERVERS, Stack,
    extras::{Extra, kafka},
    mongodb, postgres, rabbitmq, services,
};
use crate::output;

/// The JSON output of `cargo xtask status --json`, which tests and scripts use.
#[derive(Serialize)]
pub(crate) struct Status {
    gateway: String,
    processes: Vec<Running>,
    databases: BTreeMap<&'static str, String>,
    rabbitmq: String,
    mongodb: String,
    /// Kafka's `host:port`; absent if it is not running.
    #[serde(skip_serializing_if = "Option::is_none")]
    kafka: Option<String>,
}

#[derive(Serialize)]
struct Running {
    name: &'static str,
    pid: i32,
    /// URL of the process's API or web pages; the URLs of databases and brokers are fields of [`Status`].
    url: Option<String>,
    admin_url: Option<String>,
}

/// Fails if the system was never started.
pub(crate) fn check(stack: &Stack) -> Result<()> {
    if stack.state.ports.is_empty() {
        bail!(
            "there is no system in {}; run `cargo xtask up`",
            stack.folder.display()
        );
    }
    Ok(())
}

/// Collects the status of the system. Fails if it was never started.
pub(crate) fn of(stack: &mut Stack) -> Result<Status> {
    check(stack)?;
    let mut processes = Vec::new();
    for name in SERVERS.into_iter().chain(services::ORDER) {
        let Some(pid) = stack.state.live(name).map(|process| process.pid) else {
            continue;
        };
        let is_service = services::ORDER.contains(&name);
        let url = if is_service {
            Some(services::url(stack, name)?)
        } else {
            Extra::of(name).map_or(Ok(None), |extra| extra.url(stack))?
        };
        let admin_url = is_service.then(|| services::admin_url(stack, name)).transpose()?;
        processes.push(Running {
            name,
            pid,
            url,
            admin_url,
        });
    }
    let mut databases = BTreeMap::new();
    for name in postgres::DATABASES {
        databases.insert(name, postgres::url(stack, name, postgres::Role::App)?);
    }
    Ok(Status {
        gateway: services::url(stack, "gateway")?,
        processes,
        databases,
        rabbitmq: rabbitmq::url(stack)?,
        mongodb: mongodb::url(stack)?,
        kafka: if stack.state.live("kafka").is_some() {
            kafka::brokers(stack)?
        } else {
            None
        },
    })
}

/// Prints the status as a table, or as JSON.
pub(crate) fn print(stack: &mut Stack, json: bool) -> Result<()> {
    let status = of(stack)?;
    if json {
        output::print(serde_json::to_string_pretty(&status)?)?;
        return Ok(());
    }
    if status.processes.is_empty() {
        output::print("no process is running; start the system with `cargo xtask up`")?;
        return Ok(());
    }
    output::print(format_args!(
        "{:<14}{:>8}  {:>7}  {:<26}health and metrics",
        "process", "pid", "memory", "url"
    ))?;
    for Running {
        name,
        pid,
        url,
        admin_url,
    } in &status.processes
    {
        let (url, admin_url) = (url.as_deref().unwrap_or("-"), admin_url.as_deref().unwrap_or("-"));
        output::print(format_args!(
            "{name:<14}{pid:>8}  {:>4} MB  {url:<26}{admin_url}",
            memory(*pid)
        ))?;
    }
    output::print(format_args!("\nlogs: {}", stack.folder.join("logs").display()))?;
    Ok(())
}

/// Resident memory of one process, in megabytes.
fn memory(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or_default()
        / 1024
}
