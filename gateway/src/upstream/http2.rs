//! The HTTP/2 connections of one core to one upstream. Requests share a connection up to the number that the instance
//! allows; then a further one is opened.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use souk_tls::Connector;

use super::connect::{ConnectError, Http2Sender, connect_http2};

/// The connections to all instances.
#[derive(Debug, Default)]
pub(super) struct Connections(Mutex<HashMap<SocketAddr, Arc<OfInstance>>>);

/// The connections to one instance.
#[derive(Debug, Default)]
struct OfInstance {
    open: Mutex<Vec<Connection>>,
    /// Held while a connection is opened, so that requests that arrive together open one.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Connection {
    sender: Http2Sender,
    /// Has one clone for each request in flight, so its reference count is the number of requests.
    places: Arc<()>,
}

/// A place for one request on a connection. Dropping it allows another request.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) sender: Http2Sender,
    _place: Arc<()>,
}

impl Connection {
    fn place(&self) -> Option<Place> {
        let requests = Arc::strong_count(&self.places) - 1;
        (requests < self.sender.max.load(Ordering::Relaxed)).then(|| Place {
            sender: self.sender.clone(),
            _place: Arc::clone(&self.places),
        })
    }
}

impl OfInstance {
    /// A place on an open connection, if there is one.
    fn place(&self) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|one| !one.sender.requests.is_closed());
        open.iter().find_map(Connection::place)
    }
}

impl Connections {
    /// A place on a connection to this instance. With `reuse`, an open connection is used if one has a place; otherwise one
    /// is opened within `timeout`. `known` are the addresses of all instances.
    pub(super) async fn place(
        &self,
        address: SocketAddr,
        reuse: bool,
        (tls, timeout): (Option<&Connector>, Duration),
        known: impl Fn(SocketAddr) -> bool,
    ) -> Result<Place, ConnectError> {
        let instance = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // A new instance often replaces another one, so connections to instances that no longer exist are removed
            // now.
            if !all.contains_key(&address) {
                all.retain(|address, _| known(*address));
            }
            Arc::clone(all.entry(address).or_default())
        };
        if reuse && let Some(place) = instance.place() {
            return Ok(place);
        }
        let _opening = instance.opening.lock().await;
        if reuse && let Some(place) = instance.place() {
            return Ok(place);
        }
        let new = Connection {
            sender: connect_http2(address, tls, timeout).await?,
            places: Arc::new(()),
        };
        let place =
            (new.place()).ok_or_else(|| ConnectError::Tcp(io::ErrorKind::ConnectionRefused.into()))?;
        let mut open = instance.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push(new);
        Ok(place)
    }
}
