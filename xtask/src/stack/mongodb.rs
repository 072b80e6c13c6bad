//! A private MongoDB: `mongod` as a replica set of one where there is one, for transactions and change streams, else the
//! stand-in, which behaves as one by itself.

use std::time::Duration;

use anyhow::Result;

use super::{Stack, mongo_wire};
use crate::system::install::{MongoServer, Servers};

pub(super) fn start(stack: &mut Stack, servers: &Servers) -> Result<()> {
    let folder = stack.data("mongodb")?;
    let path = folder.to_string_lossy().into_owned();
    let port = stack.state.port("mongodb")?;
    stack.save()?;
    let number = port.to_string();
    let (mut program, is_real) = match &servers.mongodb {
        MongoServer::Mongod(file) => {
            let arguments = [
                "--dbpath",
                &path,
                "--bind_ip",
                "127.0.0.1",
                "--port",
                &number,
                "--replSet",
                "souk",
                "--nounixsocket",
            ];
            (stack.program(file, &arguments), true)
        }
        MongoServer::StandIn(file) => {
            let arguments = ["--host", "127.0.0.1", "--port", &number, "--storage-path", &path];
            (stack.program(file, &arguments), false)
        }
    };
    program.environment = vec![
        ("HOME".into(), path),
        ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
    ];
    program.folder = folder;
    let mut initiated = false;
    stack.ensure("mongodb", &program, Duration::from_mins(1), |_| {
        if is_real && !initiated {
            // Refused when it was done before, which is as good.
            initiated = mongo_wire::initiate(port, "souk").is_ok();
        }
        mongo_wire::is_writable(port).unwrap_or(false)
    })
}

/// The URL with inventory's database.
pub(crate) fn url(stack: &mut Stack) -> Result<String> {
    Ok(format!(
        "mongodb://127.0.0.1:{}/inventory?directConnection=true",
        stack.state.port("mongodb")?
    ))
}

/// The server's URL, for tests.
pub(crate) fn server_url(stack: &mut Stack) -> Result<String> {
    Ok(format!(
        "mongodb://127.0.0.1:{}/?directConnection=true",
        stack.state.port("mongodb")?
    ))
}
