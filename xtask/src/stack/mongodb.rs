//! Starts a private MongoDB server: `mongod` if it is on PATH, and otherwise the wire-compatible stand-in. Both run standalone, because Souk uses
//! neither transactions nor change streams, and both sync every commit to the disk before they acknowledge it.

use std::time::Duration;

use anyhow::Result;

use super::Stack;
use crate::system::{install::MongoServer, ports};

pub(super) fn start(stack: &mut Stack, server: &MongoServer) -> Result<()> {
    let folder = stack.data("mongodb")?;
    let path = folder.to_string_lossy().into_owned();
    let port = stack.state.port("mongodb")?;
    stack.save()?;
    let number = port.to_string();
    let mut program = match server {
        // mongod journals a write before the acknowledgement if the client requests it, as inventory does.
        MongoServer::Mongod(file) => {
            let arguments = [
                "--dbpath",
                &path,
                "--bind_ip",
                "127.0.0.1",
                "--port",
                &number,
                "--nounixsocket",
            ];
            stack.program(file, &arguments)
        }
        // By default the stand-in acts as a replica set and writes an oplog that Souk does not read, which reduces its speed
        // to an eighth.
        MongoServer::StandIn(file) => {
            let arguments = [
                "--host",
                "127.0.0.1",
                "--port",
                &number,
                "--storage-path",
                &path,
                "--standalone",
                "--sync-on-commit",
            ];
            stack.program(file, &arguments)
        }
    };
    program.environment = vec![
        ("HOME".into(), path),
        ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
    ];
    program.folder = folder;
    // Both listen only when they can serve, and a standalone server accepts writes from then on.
    stack.ensure("mongodb", &program, Duration::from_mins(1), |_| {
        ports::is_open(port)
    })
}

/// URL of inventory's database.
pub(crate) fn url(stack: &mut Stack) -> Result<String> {
    Ok(format!(
        "mongodb://127.0.0.1:{}/inventory?directConnection=true",
        stack.state.port("mongodb")?
    ))
}

/// URL of the server without a database, for tests.
pub(crate) fn server_url(stack: &mut Stack) -> Result<String> {
    Ok(format!(
        "mongodb://127.0.0.1:{}/?directConnection=true",
        stack.state.port("mongodb")?
    ))
}
