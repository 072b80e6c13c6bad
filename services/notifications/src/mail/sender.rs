//! Sends mails over SMTP and classifies failures as final or temporary.

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
    letter::{RenderError, Templates},
};

/// Timeout for one exchange with the server.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout for sending one mail. It must be shorter than the time for which a mail is claimed.
const MAIL_TIMEOUT: Duration = Duration::from_secs(20);

/// SMTP reply code for a missing login (RFC 4954, section 6). It is permanent, but says nothing about the mail.
const AUTHENTICATION_REQUIRED: u16 = 530;

/// Sends mails over SMTP.
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

/// Why a mail was not sent. No variant contains the address.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("the mail cannot be rendered")]
    Render(#[from] RenderError),
    #[error("the address is invalid")]
    Address,
    #[error("the mail's link has expired")]
    Expired,
    #[error("the message cannot be built")]
    Message(#[from] lettre::error::Error),
    /// The server rejected the mail permanently. Its text often repeats the address, so only the code is kept.
    #[error("the mail server rejected the mail permanently: {0}")]
    Refused(String),
    #[error("the mail server is unavailable: {0}")]
    Unavailable(&'static str),
}

impl SendError {
    /// The error's kind in one word, for traces.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Render(_) => "render",
            Self::Address => "address",
            Self::Expired => "expired",
            Self::Message(_) => "message",
            Self::Refused(_) => "refused",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// Whether retrying is useless.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Self::Unavailable(_))
    }
}

impl Sender {
    /// Creates a sender that uses the server at `url` (`smtp://host:port` or `smtps://user:password@host`) and the sender
    /// address `from`. Links lead to the storefront at `shop_url` with tokens from `tokens`. It does not connect yet. Fails if
    /// `url` or `from` is invalid.
    pub fn new(url: &str, from: &str, shop_url: &str, tokens: MailTokens) -> anyhow::Result<Self> {
        let server = url.parse::<Uri>().ok();
        Ok(Self {
            host: server
                .as_ref()
                .and_then(|server| server.host().map(str::to_owned)),
            port: server.and_then(|server| server.port_u16()),
            transport: AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
                .context("SOUK_SMTP_URL")?
                .timeout(Some(COMMAND_TIMEOUT))
                .build(),
            templates: Templates::new().context("the mail templates are invalid")?,
            from: from.parse().context("SOUK_MAIL_FROM")?,
            shop_url: shop_url.trim_end_matches('/').to_owned(),
            tokens,
        })
    }

    /// The span in which one mail is sent.
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

    /// Sends a mail that was created `age` ago. Fails with [`SendError::Expired`] if its link is no longer valid.
    pub(super) async fn send(
        &self,
        id: Uuid,
        content: &Content,
        to: &Recipient,
        age: Duration,
    ) -> Result<(), SendError> {
        if age > content.max_age() {
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
        let delivered = tokio::time::timeout(MAIL_TIMEOUT, self.deliver(message)).await;
        delivered.unwrap_or(Err(SendError::Unavailable("sending timed out")))
    }

    async fn deliver(&self, message: Message) -> Result<(), SendError> {
        let Err(error) = self.transport.send(message).await else {
            return Ok(());
        };
        match error.status() {
            Some(code)
                if error.is_permanent()
                    && u16::from(code) != AUTHENTICATION_REQUIRED
                    && self.accepts_our_mail().await =>
            {
                Err(SendError::Refused(code.to_string()))
            }
            _ => Err(unavailable(&error)),
        }
    }

    /// Whether the server accepts mail from us at all. If it does not, for example because of a wrong password, a permanent
    /// error says nothing about the individual mail.
    async fn accepts_our_mail(&self) -> bool {
        matches!(self.transport.test_connection().await, Ok(true))
    }
}

fn unavailable(error: &smtp::Error) -> SendError {
    SendError::Unavailable(if error.is_timeout() {
        "it does not respond"
    } else if error.is_transient() {
        "it asked to retry later"
    } else if error.is_permanent() {
        "it accepts no mail from us"
    } else {
        "no connection"
    })
}
