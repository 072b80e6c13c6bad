//! Quotas that all replicas of the gateway share, in Redis or a server that speaks its protocol.

use std::{
    num::NonZeroU32,
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    Client as Connector, IntoConnectionInfo as _, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{
    config::{self, ConfigError},
    message::Client,
};

/// How long Redis is not used after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How long connecting to Redis may take.
const CONNECT: Duration = Duration::from_secs(1);
/// Longest pause between two attempts to connect.
const RECONNECT: Duration = Duration::from_secs(2);

/// A Redis server, with one connection that all cores share. A failure never fails a request.
pub struct Redis {
    connector: Connector,
    timeout: Duration,
    connection: OnceLock<ConnectionManager>,
    script: Script,
    /// Until when the server is not used, because it has failed.
    paused: Mutex<Option<Instant>>,
}

/// The result of counting a request against a quota.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    pub(super) remaining: u32,
    /// Set if the request is rejected: how long until the next one is allowed.
    pub(super) rejected: Option<Duration>,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

impl Redis {
    /// Checks the URL of the server.
    pub(crate) fn check(config: &config::Redis) -> Result<(), ConfigError> {
        let url = config.url.value.as_str();
        let is_known = url.starts_with("redis://") && url.into_connection_info().is_ok();
        if is_known {
            Ok(())
        } else {
            let message = "this is not the URL of a Redis server, such as redis://redis:6379";
            Err(ConfigError::on(&config.url, message))
        }
    }

    /// Prepares the connection, which is made when it is first needed.
    pub fn new(config: &config::Redis) -> Result<Self, RedisError> {
        Ok(Self {
            connector: Connector::open(config.url.value.as_str())?,
            timeout: config.timeout.0,
            connection: OnceLock::new(),
            script: Script::new(include_str!("gcra.lua")),
            paused: Mutex::default(),
        })
    }

    /// Counts a request of a client. `None` means that the server did not answer in time.
    pub(super) async fn count(
        &self,
        policy: &str,
        client: &Client,
        quota: NonZeroU32,
        window: Duration,
    ) -> Option<Verdict> {
        let paused = *self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if paused.is_some_and(|until| until > Instant::now()) {
            return None;
        }
        let asked = tokio::time::timeout(self.timeout, self.ask(policy, client, quota, window)).await;
        let error = match asked {
            Ok(Ok((is_allowed, remaining, wait))) => {
                return Some(Verdict {
                    remaining,
                    rejected: (is_allowed == 0).then(|| Duration::from_micros(wait)),
                });
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(
            error,
            "Redis failed; quotas are counted by this replica alone for 1 s"
        );
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
        None
    }

    async fn ask(
        &self,
        policy: &str,
        client: &Client,
        quota: NonZeroU32,
        window: Duration,
    ) -> Result<(u8, u32, u64), RedisError> {
        let mut connection = self.connection()?;
        let client = match client {
            Client::User(user) => format!("user:{user}"),
            Client::Address(address) => format!("address:{address}"),
        };
        self.script
            // A policy may have several limits.
            .key(format!(
                "souk:rate:{policy}:{quota}:{}:{client}",
                window.as_millis()
            ))
            .arg(u64::try_from(window.as_micros()).unwrap_or(u64::MAX))
            .arg(quota.get())
            .invoke_async(&mut connection)
            .await
    }

    /// The connection. If it breaks, it is made again in the background.
    fn connection(&self) -> Result<ConnectionManager, RedisError> {
        if let Some(connection) = self.connection.get() {
            return Ok(connection.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT))
            .set_max_delay(RECONNECT)
            .set_number_of_retries(usize::MAX);
        let connection = ConnectionManager::new_lazy_with_config(self.connector.clone(), config)?;
        Ok(self.connection.get_or_init(|| connection).clone())
    }
}
