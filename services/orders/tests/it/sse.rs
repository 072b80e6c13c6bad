//! A client for Server-Sent Events, and a proxy for the database whose connections can be cut.

use std::time::Duration;

use contracts::OrderId;
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use crate::support::Shop;

const TIMEOUT: Duration = Duration::from_secs(20);

/// One event or comment of a stream.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) event: String,
    pub(crate) id: i64,
    pub(crate) data: Value,
    pub(crate) retry: String,
}

pub(crate) struct Events {
    pub(crate) headers: HeaderMap,
    response: reqwest::Response,
    /// Received text that is not parsed yet.
    unread: String,
}

impl Events {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self {
            headers: response.headers().clone(),
            response,
            unread: String::new(),
        }
    }

    /// Reads the next event or comment. None at the end of the stream.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        let text = loop {
            if let Some((text, rest)) = self.unread.split_once("\n\n") {
                let (text, rest) = (text.to_owned(), rest.to_owned());
                self.unread = rest;
                break text;
            }
            let chunk = timeout(TIMEOUT, self.response.chunk())
                .await
                .expect("nothing was received in time")
                .unwrap()?;
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        };
        let mut frame = Frame::default();
        for line in text.lines() {
            match line
                .split_once(':')
                .map(|(name, value)| (name, value.trim_start()))
            {
                Some(("event", value)) => value.clone_into(&mut frame.event),
                Some(("id", value)) => frame.id = value.parse().unwrap(),
                Some(("data", value)) => frame.data = serde_json::from_str(value).unwrap(),
                Some(("retry", value)) => value.clone_into(&mut frame.retry),
                Some(("", _)) => {}
                _ => panic!("not a line of an event stream: {line}"),
            }
        }
        Some(frame)
    }

    /// Reads the next event and skips comments.
    pub(crate) async fn event(&mut self) -> Frame {
        loop {
            let frame = self.frame().await.expect("the stream has ended");
            if !frame.event.is_empty() {
                return frame;
            }
        }
    }
}

impl Shop {
    pub(crate) fn events_of(&self, order: OrderId, last: Option<&str>) -> RequestBuilder {
        let request = self.as_user(self.user, Method::GET, &format!("/v1/orders/{order}/events"));
        match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        }
    }

    pub(crate) async fn follow(&self, order: OrderId, last: Option<&str>) -> Events {
        Events::of(self.events_of(order, last)).await
    }
}

/// Starts a proxy for the database. Returns its URL, and a switch: sending false closes its connections.
pub(crate) async fn database_proxy(url: &str) -> (String, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (account, address) = url.split_once('@').unwrap();
    let (server, path) = address.split_once('/').unwrap();
    let (server, proxy) = (server.to_owned(), listener.local_addr().unwrap());
    let (connected, state) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (server, mut state) = (server.clone(), state.clone());
            tokio::spawn(async move {
                let Ok(mut database) = TcpStream::connect(server).await else {
                    return;
                };
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut database) => {}
                    _ = state.wait_for(|connected| !connected) => {}
                }
            });
        }
    });
    (format!("{account}@{proxy}/{path}"), connected)
}
