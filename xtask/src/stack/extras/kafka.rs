//! Starts a private Apache Kafka: one node that is both broker and controller (`KRaft`), with a small heap.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::Result;

use super::{Extra, Stack};
use crate::{
    stack::services,
    system::{
        jars::{self, Kafka},
        process::Program,
    },
};

/// JVM options. Kafka's default heap is 1 GB, and 256 MB is enough here. With only the first compiler it starts in half the
/// time.
const JAVA_OPTIONS: [&str; 6] = [
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
];

pub(super) fn start(stack: &mut Stack) -> Result<()> {
    let kafka = jars::kafka(&stack.tools(), &stack.log("install"))?;
    let folder = stack.data("kafka")?;
    let (port, controller) = (stack.state.port("kafka")?, stack.state.port("kafka-controller")?);
    stack.save()?;
    let log = folder.join("log");
    let settings = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         log.dirs={}\n\
         auto.create.topics.enable=false\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=8\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n",
        log.display()
    );
    let file = stack.settings("kafka", "server.properties", &settings)?;
    let file = file.to_string_lossy().into_owned();
    if !log.join("meta.properties").exists() {
        let format = ["kafka.tools.StorageTool", "format", "-t", "souk", "-c", &file];
        java(stack, &kafka, &format).run(&stack.log("kafka"))?;
    }
    let server = java(stack, &kafka, &["kafka.Kafka", &file]);
    stack.ensure("kafka", &server, Duration::from_mins(1), |_| is_ready(port))
}

fn java(stack: &Stack, kafka: &Kafka, arguments: &[&str]) -> Program {
    let jars = kafka.jars.join("*").to_string_lossy().into_owned();
    let all: Vec<_> = JAVA_OPTIONS
        .into_iter()
        .chain(["-cp", &jars])
        .chain(arguments.iter().copied())
        .collect();
    stack.program(&kafka.java, &all)
}

/// Whether the broker answers `ApiVersions` (key 18), which it does only when it is ready.
fn is_ready(port: u16) -> bool {
    let ask = || {
        let address = ([127, 0, 0, 1], port).into();
        let mut socket = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        // Length, key, version, correlation id, and no client id.
        socket
            .write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])
            .ok()?;
        let mut answer = [0; 10];
        socket.read_exact(&mut answer).ok()?;
        // Correlation id and error code follow the length.
        Some(answer[4..] == [0, 0, 0, 1, 0, 0])
    };
    ask().unwrap_or(false)
}

/// Kafka's `host:port`; `None` if this system has no Kafka.
pub(crate) fn brokers(stack: &mut Stack) -> Result<Option<String>> {
    if !stack.state.extras.contains(&Extra::Kafka) {
        return Ok(None);
    }
    Ok(Some(format!("127.0.0.1:{}", stack.state.port("kafka")?)))
}

/// Creates missing topics.
pub(crate) fn topics(stack: &mut Stack) -> Result<()> {
    let Some(brokers) = brokers(stack)? else {
        return Ok(());
    };
    let mut program = services::program(stack, "souk-topics")?;
    program.environment = vec![("SOUK_KAFKA_BROKERS".to_owned(), brokers)];
    program.run(&stack.log("kafka"))
}
