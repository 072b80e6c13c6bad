//! Slows down the guessing of passwords without locking the owner of an account out (ASVS 5 V6.3).
//!
//! Every attempt comes from a source. A known device and a session have counts of their own. All other attempts count
//! for their client address and for the account; [`rules`] says who must wait for how long. An attempt is counted before
//! the password is checked, so that parallel guesses cannot overtake the count, and a right password takes it back.

mod rules;

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::FromRequestParts;
use chrono::{DateTime, Utc};
use http::{StatusCode, request::Parts};
use sha2::{Digest, Sha256};
use souk_http::Problem;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use self::rules::{Counted, Decision};
use crate::{email::Email, token};

/// Set by the gateway, which removes it from what clients send.
const CLIENT_ADDRESS: &str = "x-internal-client-address";

/// The client's address as the gateway saw it. Requests without one share one source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let value = parts.headers.get(CLIENT_ADDRESS);
        Ok(Self(value.and_then(|value| value.to_str().ok()?.parse().ok())))
    }
}

/// Where an attempt comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// A browser in which the owner has logged in before, by the hash of its cookie.
    Device([u8; 32]),
    /// A session that asks for the password again.
    Session(Uuid),
    /// Anyone else.
    Address(ClientAddress),
}

impl Source {
    /// Whether the owner has proved to be there; such a source is not slowed down by what others do.
    fn is_trusted(self) -> bool {
        !matches!(self, Self::Address(_))
    }

    /// The source of one account: the same address is another source for another account.
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

/// An IPv6 customer has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Counts an attempt as failed, until [`succeed`] takes that back; 429 when its source must wait first.
pub(crate) async fn begin(
    connection: &mut PgConnection,
    email: &Email,
    source: Source,
) -> Result<(), Problem> {
    let (email_sha256, source_sha256) = (token::hash(email.as_str()), source.hash(email));
    let mut transaction = connection.begin().await?;
    let account = lock_account(&mut transaction, email_sha256).await?;
    let counted = find_source(&mut transaction, email_sha256, source_sha256).await?;
    let decision = rules::decide(account.failures, counted, source.is_trusted(), account.now);
    let (counted, refused) = match decision {
        Decision::Refuse(until) => {
            return Err(too_many(until, account.now));
        }
        Decision::Wait(counted, until) => (counted, Some(until)),
        Decision::Check(counted) => {
            if !source.is_trusted() {
                count_failure(&mut transaction, email_sha256).await?;
            }
            (counted, None)
        }
    };
    store_source(&mut transaction, email_sha256, source_sha256, counted).await?;
    transaction.commit().await?;
    refused.map_or(Ok(()), |until| Err(too_many(until, account.now)))
}

/// The password was right: forgets the failures of the source, and those of all addresses if it is one of them.
pub(crate) async fn succeed(
    connection: &mut PgConnection,
    email: &Email,
    source: Source,
) -> sqlx::Result<()> {
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

/// Forgets all failures of an account, whose owner has proved to be there in another way.
pub(crate) async fn forget_account(connection: &mut PgConnection, email: &Email) -> sqlx::Result<()> {
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
    /// Failed attempts from addresses, with no pause of a day between them.
    failures: i32,
    /// By the database's clock, which all replicas share.
    now: DateTime<Utc>,
}

/// Makes attempts at one account wait for each other until the transaction ends, whether or not the account exists.
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
) -> sqlx::Result<Option<Counted>> {
    sqlx::query_as!(
        Counted,
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
    counted: Counted,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO login_sources (email_sha256, source_sha256, failures, last_at, blocked_until)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (email_sha256, source_sha256) DO UPDATE SET
             failures = excluded.failures, last_at = excluded.last_at, blocked_until = excluded.blocked_until",
        &email_sha256[..],
        &source_sha256[..],
        counted.failures,
        counted.last_at,
        counted.blocked_until
    )
    .execute(connection)
    .await
    .map(drop)
}

fn too_many(until: DateTime<Utc>, now: DateTime<Utc>) -> Problem {
    let seconds = (until - now).num_seconds().max(0).unsigned_abs() + 1;
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-failed-logins",
        "There were too many failed logins for this account. Wait, then try again from the same device.",
    )
    .retry_after(seconds)
}
