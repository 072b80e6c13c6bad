//! A proxy that delays or blocks the traffic between a test and MongoDB.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use inventory::database::Database;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// Forwards the traffic between a client and a MongoDB server, with optional faults.
pub(crate) struct Proxy {
    address: SocketAddr,
    faults: Arc<Faults>,
}

struct Faults {
    /// Delay of each request in milliseconds.
    delay: AtomicU64,
    /// Name of the command after which replies are blocked.
    cut_after: &'static str,
    is_armed: AtomicBool,
    is_open: watch::Sender<bool>,
}

impl Proxy {
    /// Starts a proxy to the server of `url`. `cut_after` is the command that [`Proxy::arm`] waits for.
    pub(crate) async fn to(url: &str, cut_after: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let rest = url.strip_prefix("mongodb://").unwrap();
        let server = rest.split('/').next().unwrap().to_owned();
        let faults = Arc::new(Faults {
            delay: AtomicU64::new(0),
            cut_after,
            is_armed: AtomicBool::new(false),
            is_open: watch::Sender::new(true),
        });
        let shared = Arc::clone(&faults);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = TcpStream::connect(&server).await.unwrap().into_split();
                tokio::spawn(forward_requests(from_client, to_server, Arc::clone(&shared)));
                tokio::spawn(forward_replies(
                    from_server,
                    to_client,
                    shared.is_open.subscribe(),
                ));
            }
        });
        Self { address, faults }
    }

    /// Connects to the database of `url` through the proxy.
    pub(crate) async fn database(&self, url: &str) -> Database {
        let (_, name) = url.rsplit_once('/').unwrap();
        Database::new(&format!("mongodb://{}/{name}", self.address))
            .await
            .unwrap()
    }

    /// Delays every request from now on.
    pub(crate) fn delay(&self, delay: Duration) {
        self.faults
            .delay
            .store(delay.as_millis().try_into().unwrap(), SeqCst);
    }

    /// Blocks replies once the next `cut_after` command has been forwarded.
    pub(crate) fn arm(&self) {
        self.faults.is_armed.store(true, SeqCst);
    }

    /// Waits until replies are blocked.
    pub(crate) async fn cut(&self) {
        let mut is_open = self.faults.is_open.subscribe();
        is_open.wait_for(|is_open| !is_open).await.unwrap();
    }

    /// Lets the replies of the server through again.
    pub(crate) fn open(&self) {
        self.faults.is_open.send_replace(true);
    }
}

async fn forward_requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, faults: Arc<Faults>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..length];
        let delay = faults.delay.load(SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let is_named = || {
            let name = faults.cut_after.as_bytes();
            bytes.windows(name.len()).any(|window| window == name)
        };
        if faults.is_armed.load(SeqCst) && is_named() {
            faults.is_armed.store(false, SeqCst);
            faults.is_open.send_replace(false);
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

async fn forward_replies(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut is_open: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if is_open.wait_for(|is_open| *is_open).await.is_err()
            || to.write_all(&buffer[..length]).await.is_err()
        {
            return;
        }
    }
}
