//! Slows down the guessing of passwords without locking the owner of an account out (ASVS 5 V6.3).
//!
//! Every attempt has a source. Failures from a known device or a session count only for that source. All other failures
//! count for the client's network address and for the account as a whole. [`rules`] decides which source must wait, and how
//! long. An attempt is counted as a failure before the password is verified, so that concurrent guesses cannot exceed the
//! limit. A correct password resets the counts.

mod rules;

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::FromRequestParts;
use chrono::{DateTime, Utc};
use http::request::Parts;
use sha2::{Digest, Sha256};
use souk_http::Problem;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use self::rules::{Decision, SourceFailures};
use crate::{email::Email, error::Error, token};

/// Header with the client's network address. The gateway sets it and removes it from client requests.
const CLIENT_ADDRESS: &str = "x-internal-client-address";

/// The client's network address, as seen by the gateway. Requests without one share a single source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let value = parts.headers.get(CLIENT_ADDRESS);
        Ok(Self(value.and_then(|value| value.to_str().ok()?.parse().ok())))
    }
}

/// The source of a login attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// A browser in which the owner has logged in before, identified by the hash of its cookie.
    Device([u8; 32]),
    /// A session that changes the password and therefore has to confirm the current one.
    Session(Uuid),
    /// Any other client, identified by its network address.
    Address(ClientAddress),
}

impl Source {
    /// Whether the owner has logged in from this source before. Failures of other sources do not slow it down.
    fn is_trusted(self) -> bool {
        !matches!(self, Self::Address(_))
    }

    /// Hash of account and source: the same network address is a different source for each account.
    fn hash(self, email: &Email) -> [u8; 32] {
        let kind = match self {
            Self::Device(sha256) => [b"device ", &sha256[..]].concat(),
            Self::Session(id) => [b"session ", &id.as_bytes()[..]].concat(),
            Self::Address(ClientAddress(Some(address))) => {
                format!("address {}", network(address)).into_bytes()
            }
            Self::Address(ClientAddress(None)) => b"address unknown".to_vec(),
        };
        let hash = Sha256::new().chain_update(email.as_str()).chain_update([0]);
        hash.chain_update(kind).finalize().into()
    }
}

/// Reduces an IPv6 address to its /64 network, since a single customer usually has a whole one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Counts an attempt as failed until [`reset`] is called. Fails if its source must wait first.
pub(crate) async fn count_attempt(
    connection: &mut PgConnection,
    email: &Email,
    source: Source,
) -> Result<(), Error> {
    let (email_sha256, source_sha256) = (token::hash(email.as_str()), source.hash(email));
    let mut transaction = connection.begin().await?;
    let account = lock_account(&mut transaction, email_sha256).await?;
    let previous = find_source(&mut transaction, email_sha256, source_sha256).await?;
    let decision = rules::decide(account.failures, previous, source.is_trusted(), account.now);
    let (failures, blocked_until) = match decision {
        Decision::Refuse(until) => {
            return Err(too_many(until, account.now));
        }
        Decision::Wait(failures, until) => (failures, Some(until)),
        Decision::Check(failures) => {
            if !source.is_trusted() {
                count_failure(&mut transaction, email_sha256).await?;
            }
            (failures, None)
        }
    };
    store_source(&mut transaction, email_sha256, source_sha256, failures).await?;
    transaction.commit().await?;
    blocked_until.map_or(Ok(()), |until| Err(too_many(until, account.now)))
}

/// Resets the failures of a source after a correct password, and those of the account unless the source is trusted.
pub(crate) async fn reset(connection: &mut PgConnection, email: &Email, source: Source) -> sqlx::Result<()> {
    let email_sha256 = token::hash(email.as_str());
    sqlx::query!(
        "DELETE FROM login_sources WHERE email_sha256 = $1 AND source_sha256 = $2",
        &email_sha256[..],
        &source.hash(email)[..]
    )
    .execute(&mut *connection)
    .await?;
    if !source.is_trusted() {
        sqlx::query!(
            "DELETE FROM login_failures WHERE email_sha256 = $1",
            &email_sha256[..]
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// Resets all failures of an account, after its owner was authenticated in another way.
pub(crate) async fn reset_account(connection: &mut PgConnection, email: &Email) -> sqlx::Result<()> {
    let email_sha256 = token::hash(email.as_str());
    sqlx::query!(
        "DELETE FROM login_sources WHERE email_sha256 = $1",
        &email_sha256[..]
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "DELETE FROM login_failures WHERE email_sha256 = $1",
        &email_sha256[..]
    )
    .execute(connection)
    .await
    .map(drop)
}

struct LockedAccount {
    /// Failures from all network addresses, without a pause of a day or more between them.
    failures: i32,
    /// Current time of the database, whose clock all replicas share.
    now: DateTime<Utc>,
}

/// Serializes attempts for an account until the transaction ends, whether or not the account exists.
async fn lock_account(connection: &mut PgConnection, email_sha256: [u8; 32]) -> sqlx::Result<LockedAccount> {
    sqlx::query_as!(
        LockedAccount,
        r#"INSERT INTO login_failures AS f (email_sha256, failures, last_at) VALUES ($1, 0, now())
           ON CONFLICT (email_sha256) DO UPDATE SET
               failures = CASE WHEN f.last_at < now() - interval '1 day' THEN 0 ELSE f.failures END
           RETURNING failures, clock_timestamp() AS "now!""#,
        &email_sha256[..]
    )
    .fetch_one(connection)
    .await
}

async fn count_failure(connection: &mut PgConnection, email_sha256: [u8; 32]) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE login_failures SET failures = least(failures + 1, 1000), last_at = now() WHERE email_sha256 = $1",
        &email_sha256[..]
    )
    .execute(connection)
    .await
    .map(drop)
}

async fn find_source(
    connection: &mut PgConnection,
    email_sha256: [u8; 32],
    source_sha256: [u8; 32],
) -> sqlx::Result<Option<SourceFailures>> {
    sqlx::query_as!(
        SourceFailures,
        "SELECT failures, last_at, blocked_until FROM login_sources WHERE email_sha256 = $1 AND source_sha256 = $2",
        &email_sha256[..],
        &source_sha256[..]
    )
    .fetch_optional(connection)
    .await
}

async fn store_source(
    connection: &mut PgConnection,
    email_sha256: [u8; 32],
    source_sha256: [u8; 32],
    source: SourceFailures,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO login_sources (email_sha256, source_sha256, failures, last_at, blocked_until)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (email_sha256, source_sha256) DO UPDATE SET
             failures = excluded.failures, last_at = excluded.last_at, blocked_until = excluded.blocked_until",
        &email_sha256[..],
        &source_sha256[..],
        source.failures,
        source.last_at,
        source.blocked_until
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The error with the time to wait, in whole seconds rounded up.
fn too_many(until: DateTime<Utc>, now: DateTime<Utc>) -> Error {
    Error::TooManyFailedLogins((until - now).num_seconds().max(0).unsigned_abs() + 1)
}
