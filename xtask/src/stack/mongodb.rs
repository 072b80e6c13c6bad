//! A private MongoDB server: `mongod` where there is one on PATH, else the stand-in. Both run standalone, because Souk uses
//! neither transactions nor change streams, and both sync every commit to the disk before they acknowledge it.

use std::time::Duration;

use anyhow::Result;

use super::{Stack, mongo_wire};
use crate::system::install::MongoServer;

pub(super) fn start(stack: &mut Stack, server: &MongoServer) -> Result<()> {
    let folder = stack.data("mongodb")?;
    let path = folder.to_string_lossy().into_owned();
    let port = stack.state.port("mongodb")?;
    stack.save()?;
    let number = port.to_string();
    let mut program = match server {
        // It journals every write whose client asks for it, as inventory does.
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
        // By default it calls itself a replica set, and writes an oplog that nothing in Souk reads: an eighth of the speed.
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
    stack.ensure("mongodb", &program, Duration::from_mins(1), |_| {
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
