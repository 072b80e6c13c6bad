//! A slow network between a test and MongoDB.

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

/// Passes on what client and server send, later than they sent it.
pub(crate) struct Proxy {
    address: SocketAddr,
    faults: Arc<Faults>,
}

struct Faults {
    /// Milliseconds that a request is on its way.
    delay: AtomicU64,
    /// A command; once it has reached the server, no answer comes through any more.
    cut_after: &'static str,
    is_armed: AtomicBool,
    is_open: watch::Sender<bool>,
}

impl Proxy {
    /// To the server of `url`. `cut_after` is the command that [`Proxy::arm`] waits for.
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
        let all = Arc::clone(&faults);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = TcpStream::connect(&server).await.unwrap().into_split();
                tokio::spawn(requests(from_client, to_server, Arc::clone(&all)));
                tokio::spawn(answers(from_server, to_client, all.is_open.subscribe()));
            }
        });
        Self { address, faults }
    }

    /// The database of `url` through this.
    pub(crate) async fn database(&self, url: &str) -> Database {
        let (_, name) = url.rsplit_once('/').unwrap();
        Database::new(&format!("mongodb://{}/{name}", self.address))
            .await
            .unwrap()
    }

    /// From now on every request takes that long.
    pub(crate) fn delay(&self, delay: Duration) {
        self.faults
            .delay
            .store(delay.as_millis().try_into().unwrap(), SeqCst);
    }

    /// Lets no answer through once the next command of that name has reached the server.
    pub(crate) fn arm(&self) {
        self.faults.is_armed.store(true, SeqCst);
    }

    /// Waits until that has happened.
    pub(crate) async fn cut(&self) {
        let mut is_open = self.faults.is_open.subscribe();
        is_open.wait_for(|is_open| !is_open).await.unwrap();
    }

    /// Lets the answers through.
    pub(crate) fn open(&self) {
        self.faults.is_open.send_replace(true);
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, faults: Arc<Faults>) {
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

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_open: watch::Receiver<bool>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if is_open.wait_for(|is_open| *is_open).await.is_err()
            || to.write_all(&buffer[..length]).await.is_err()
        {
            return;
        }
    }
}
