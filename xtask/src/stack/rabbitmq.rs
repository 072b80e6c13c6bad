//! A private RabbitMQ with its own node name, ports and Erlang port mapper, so that it neither meets nor is met by
//! another node on this machine.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::Result;

use super::Stack;
use crate::system::install::Servers;

const USER: &str = "souk";

pub(super) fn start(stack: &mut Stack, servers: &Servers) -> Result<()> {
    let folder = stack.data("rabbitmq")?;
    let home = folder.to_string_lossy().into_owned();
    let epmd_port = stack.state.port("epmd")?;
    let (port, management) = (
        stack.state.port("rabbitmq")?,
        stack.state.port("rabbitmq-management")?,
    );
    let metrics = stack.state.port("rabbitmq-prometheus")?;
    let distribution = stack.state.port("rabbitmq-distribution")?;
    let password = stack.state.secret("rabbitmq")?;
    stack.save()?;

    // Started here and not by RabbitMQ, which would leave it behind as a daemon.
    let mut epmd = stack.program(
        &servers.epmd,
        &["-port", &epmd_port.to_string(), "-address", "127.0.0.1"],
    );
    epmd.environment = vec![("HOME".into(), home.clone())];
    stack.ensure("epmd", &epmd, Duration::from_secs(10), |_| {
        answers(epmd_port).is_some()
    })?;

    let settings = format!(
        "listeners.tcp.1 = 127.0.0.1:{port}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {management}\n\
         prometheus.tcp.ip = 127.0.0.1\n\
         prometheus.tcp.port = {metrics}\n\
         default_user = {USER}\n\
         default_pass = {password}\n\
         log.file = false\n\
         log.console = true\n\
         log.console.level = info\n"
    );
    let plugins = "[rabbitmq_management,rabbitmq_prometheus].\n";
    stack.settings("rabbitmq", "rabbitmq.conf", &settings)?;
    stack.settings("rabbitmq", "enabled_plugins", plugins)?;
    let mut server = stack.program(&servers.rabbitmq, &[]);
    let under = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let environment = [
        ("HOME", home.clone()),
        ("ERL_EPMD_PORT", epmd_port.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        // The data is found by this name. It need be unique only under this port mapper.
        ("RABBITMQ_NODENAME", "souk@localhost".to_owned()),
        ("RABBITMQ_NODE_PORT", port.to_string()),
        ("RABBITMQ_DIST_PORT", distribution.to_string()),
        // Become the server instead of watching over it from a shell: its pid is then the server's.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
        // The system's own settings are not for this instance.
        ("RABBITMQ_CONF_ENV_FILE", "/dev/null".to_owned()),
        ("RABBITMQ_CONFIG_FILE", under("rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", under("advanced.config")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", under("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", under("mnesia")),
        ("RABBITMQ_LOG_BASE", under("log")),
        ("RABBITMQ_LOGS", "-".to_owned()),
        ("RABBITMQ_PID_FILE", under("pid")),
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-kernel inet_dist_use_interface {127,0,0,1}".to_owned(),
        ),
    ];
    server.environment = environment.map(|(key, value)| (key.to_owned(), value)).into();
    server.folder = folder;
    stack.ensure("rabbitmq", &server, Duration::from_mins(2), |_| speaks_amqp(port))
}

/// A connection, if anybody listens.
fn answers(port: u16) -> Option<TcpStream> {
    let socket = TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(1)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    Some(socket)
}

/// Whether the broker greets: it listens before it is ready to.
fn speaks_amqp(port: u16) -> bool {
    let mut frame = [0; 7];
    answers(port)
        .and_then(|mut socket| {
            socket.write_all(b"AMQP\x00\x00\x09\x01").ok()?;
            socket.read_exact(&mut frame).ok()
        })
        .is_some_and(|()| frame[0] == 1)
}

/// The AMQP URL.
pub(crate) fn url(stack: &mut Stack) -> Result<String> {
    let (password, port) = (stack.state.secret("rabbitmq")?, stack.state.port("rabbitmq")?);
    Ok(format!("amqp://{USER}:{password}@127.0.0.1:{port}/%2f"))
}

/// The URL of the broker's own pages and HTTP API.
pub(crate) fn management_url(stack: &mut Stack) -> Result<String> {
    let (password, port) = (
        stack.state.secret("rabbitmq")?,
        stack.state.port("rabbitmq-management")?,
    );
    Ok(format!("http://{USER}:{password}@127.0.0.1:{port}"))
}
