//! Starts a private RabbitMQ with its own node name, ports and Erlang port mapper, so that it does not conflict with other
//! nodes on this machine.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::Result;

use super::Stack;
use crate::system::{install::Servers, ports};

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
    let password = stack.state.secret("rabbitmq");
    stack.save()?;

    // If RabbitMQ started epmd itself, it would leave it behind as a daemon.
    let mut epmd = stack.program(
        &servers.epmd,
        &["-port", &epmd_port.to_string(), "-address", "127.0.0.1"],
    );
    epmd.environment = vec![("HOME".into(), home.clone())];
    stack.ensure("epmd", &epmd, Duration::from_secs(10), |_| {
        ports::is_open(epmd_port)
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
        // RabbitMQ finds its data by this name, which only has to be unique within this port mapper.
        ("RABBITMQ_NODENAME", "souk@localhost".to_owned()),
        ("RABBITMQ_NODE_PORT", port.to_string()),
        ("RABBITMQ_DIST_PORT", distribution.to_string()),
        // Makes the script replace itself by the server, so that its pid is the server's.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
        // Ignore the machine's own settings.
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
    stack.ensure("rabbitmq", &server, Duration::from_mins(2), |_| {
        accepts_amqp(port)
    })
}

/// Whether the broker answers an AMQP handshake. It already listens before it is ready.
fn accepts_amqp(port: u16) -> bool {
    let mut frame = [0; 7];
    let mut greet = || {
        let mut socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        socket.write_all(b"AMQP\x00\x00\x09\x01")?;
        socket.read_exact(&mut frame)
    };
    greet().is_ok() && frame[0] == 1
}

/// AMQP URL of the broker, with its password.
pub(crate) fn url(stack: &mut Stack) -> Result<String> {
    let (password, port) = (stack.state.secret("rabbitmq"), stack.state.port("rabbitmq")?);
    Ok(format!("amqp://{USER}:{password}@127.0.0.1:{port}/%2f"))
}

/// URL of the broker's management pages and HTTP API, with its password.
pub(crate) fn management_url(stack: &mut Stack) -> Result<String> {
    let (password, port) = (
        stack.state.secret("rabbitmq"),
        stack.state.port("rabbitmq-management")?,
    );
    Ok(format!("http://{USER}:{password}@127.0.0.1:{port}"))
}
