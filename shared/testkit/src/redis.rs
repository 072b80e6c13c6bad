//! Redis servers for tests. Each is for a single test, which may kill it.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A Redis server without data on disk, which is stopped when this is dropped.
#[derive(Debug)]
pub struct OwnRedis {
    server: Option<Child>,
    address: SocketAddr,
}

impl OwnRedis {
    /// Starts a Redis server on a free port.
    ///
    /// # Panics
    /// If `SOUK_TEST_REDIS` is not the path of `redis-server`, or the server does not start.
    pub async fn start() -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = socket.local_addr().expect("the socket is bound");
        drop(socket);
        let mut this = Self {
            server: None,
            address,
        };
        this.restart().await;
        this
    }

    /// URL of the server, which stays the same after a restart.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Kills the server with SIGKILL. All data is lost.
    ///
    /// # Panics
    /// If the server cannot be killed.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("the server can be killed");
            server.wait().expect("the server has ended");
        }
    }

    /// Starts the killed server again with the same address.
    ///
    /// # Panics
    /// If the server does not start.
    pub async fn restart(&mut self) {
        let port = self.address.port().to_string();
        let mut command = Command::new(crate::setting("SOUK_TEST_REDIS"));
        command
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port,
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null());
        self.server = Some(command.spawn().expect("SOUK_TEST_REDIS is redis-server"));
        crate::eventually("Redis", Duration::from_secs(10), async || {
            TcpStream::connect(self.address).ok()
        })
        .await;
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
