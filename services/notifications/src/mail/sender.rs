//! The mail server.

use std::time::Duration;

use anyhow::Context as _;
use contracts::MailTokens;
use http::Uri;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp,
};
use tracing::{Span, field::Empty, info_span};
use uuid::Uuid;

use super::{
    Content, Recipient,
    letter::{LetterError, Templates},
};

/// For one exchange with the server.
const PATIENCE: Duration = Duration::from_secs(5);
/// For a whole mail; less than a claim on it lasts.
const AT_MOST: Duration = Duration::from_secs(20);

/// The answer to a mail that is about us all the same (RFC 4954, 6).
const LOG_IN_FIRST: u16 = 530;

/// Sends mails.
#[derive(Debug)]
pub struct Sender {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    templates: Templates,
    from: Mailbox,
    shop_url: String,
    tokens: MailTokens,
    host: Option<String>,
    port: Option<u16>,
}

/// Why a mail was not sent. None of it names the address.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("the mail cannot be written")]
    Letter(#[from] LetterError),
    #[error("the address is none")]
    Address,
    #[error("its link has expired")]
    Expired,
    #[error("the mail cannot be put together")]
    Message(#[from] lettre::error::Error),
    /// The server's text often repeats the address, so only its code is kept.
    #[error("the mail server refused for good: {0}")]
    Refused(String),
    #[error("the mail server is away: {0}")]
    Away(&'static str),
}

impl SendError {
    /// In one word.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Letter(_) => "letter",
            Self::Address => "address",
            Self::Expired => "expired",
            Self::Message(_) => "message",
            Self::Refused(_) => "refused",
            Self::Away(_) => "away",
        }
    }

    /// Whether it is of no use to try again.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Self::Away(_))
    }
}

impl Sender {
    /// Over the server at `url` (`smtp://host:port`, `smtps://user:password@host`), in the name of `from`, with links to
    /// the storefront at `shop_url`, whose tokens are derived by `tokens`. Nothing is connected yet.
    pub fn new(url: &str, from: &str, shop_url: &str, tokens: MailTokens) -> anyhow::Result<Self> {
        let server = url.parse::<Uri>().ok();
        Ok(Self {
            host: server
                .as_ref()
                .and_then(|server| server.host().map(str::to_owned)),
            port: server.and_then(|server| server.port_u16()),
            transport: AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
                .context("SOUK_SMTP_URL")?
                .timeout(Some(PATIENCE))
                .build(),
            templates: Templates::new().context("the mail's templates")?,
            from: from.parse().context("SOUK_MAIL_FROM")?,
            shop_url: shop_url.trim_end_matches('/').to_owned(),
            tokens,
        })
    }

    /// For sending one mail.
    pub(super) fn span(&self, kind: &str) -> Span {
        info_span!(
            "mail",
            otel.name = format!("mail {kind}"),
            otel.kind = "client",
            otel.status_code = Empty,
            network.protocol.name = "smtp",
            server.address = self.host,
            server.port = self.port.map(i64::from),
            mail.kind = kind,
            error.type = Empty,
        )
    }

    /// Sends a mail that was written so long ago.
    pub(super) async fn send(
        &self,
        id: Uuid,
        content: &Content,
        to: &Recipient,
        age: Duration,
    ) -> Result<(), SendError> {
        if age > content.lasts() {
            return Err(SendError::Expired);
        }
        let rendered = self.templates.render(content, to, &self.shop_url, &self.tokens)?;
        let address = to.email.parse().map_err(|_| SendError::Address)?;
        let message = Message::builder()
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .from(self.from.clone())
            .to(Mailbox::new(Some(to.name.clone()), address))
            .subject(rendered.subject)
            .multipart(MultiPart::alternative_plain_html(rendered.text, rendered.html))?;
        let delivered = tokio::time::timeout(AT_MOST, self.deliver(message)).await;
        delivered.unwrap_or(Err(SendError::Away("it takes too long")))
    }

    async fn deliver(&self, message: Message) -> Result<(), SendError> {
        let Err(error) = self.transport.send(message).await else {
            return Ok(());
        };
        match error.status() {
            Some(code)
                if error.is_permanent() && u16::from(code) != LOG_IN_FIRST && self.is_welcome().await =>
            {
                Err(SendError::Refused(code.to_string()))
            }
            _ => Err(away(&error)),
        }
    }

    /// Whether the server takes mail from us at all: what it says for good of that (no mail from here, a wrong password)
    /// is not said of a mail.
    async fn is_welcome(&self) -> bool {
        matches!(self.transport.test_connection().await, Ok(true))
    }
}

fn away(error: &smtp::Error) -> SendError {
    SendError::Away(if error.is_timeout() {
        "it does not answer"
    } else if error.is_transient() {
        "it wants to be asked later"
    } else if error.is_permanent() {
        "it takes no mail from us"
    } else {
        "no connection"
    })
}
