//! Renders mails as HTML and plain text. All data is inserted by templates, which escape it.

use contracts::{MailTokenKind, MailTokens, MoneyError};
use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use super::{Content, Recipient};
use crate::{
    language::Language,
    notices::{Notice, texts},
};

/// The data that the mail templates use.
#[derive(Debug, Serialize)]
struct Letter {
    language: &'static str,
    title: String,
    greeting: String,
    text: String,
    /// The lines of the order, if the mail confirms one.
    lines: Vec<Line>,
    total: Option<Line>,
    button: Option<Button>,
    closing: &'static str,
}

/// A label with an amount.
#[derive(Debug, Serialize)]
struct Line {
    label: String,
    amount: String,
}

#[derive(Debug, Serialize)]
struct Button {
    label: &'static str,
    url: String,
}

/// A rendered mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) html: String,
    pub(super) text: String,
}

/// Why a mail could not be rendered.
#[derive(Debug, thiserror::Error)]
pub(super) enum RenderError {
    #[error("a template failed")]
    Template(#[from] minijinja::Error),
    #[error("an amount cannot be computed")]
    Money(#[from] MoneyError),
}

/// The HTML and plain-text templates of mails.
#[derive(Debug)]
pub(super) struct Templates(Environment<'static>);

impl Templates {
    pub(super) fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?;
        environment.set_syntax(syntax);
        // The file name extension selects the escaping.
        environment.add_template("mail.html", include_str!("mail.html"))?;
        environment.add_template("mail.txt", include_str!("mail.txt"))?;
        Ok(Self(environment))
    }

    pub(super) fn render(
        &self,
        content: &Content,
        recipient: &Recipient,
        shop_url: &str,
        tokens: &MailTokens,
    ) -> Result<Rendered, RenderError> {
        let letter = Letter::of(content, recipient, shop_url, tokens)?;
        Ok(Rendered {
            html: self.0.get_template("mail.html")?.render(Serde(&letter))?,
            text: self.0.get_template("mail.txt")?.render(Serde(&letter))?,
            subject: letter.title,
        })
    }
}

/// The link of a mail that contains a token.
struct Link {
    kind: MailTokenKind,
    path: &'static str,
    label: &'static str,
    /// Text that replaces the notice's own text if the mail has this link.
    text: Option<&'static str>,
}

impl Link {
    fn of(notice: &Notice, language: Language) -> Self {
        if matches!(notice, Notice::ResetPassword { .. }) {
            return Self {
                kind: MailTokenKind::PasswordReset,
                path: "reset-password",
                label: language.pick("Choose a new password", "Neues Passwort wählen"),
                text: None,
            };
        }
        Self {
            kind: MailTokenKind::Verification,
            path: "verify",
            label: language.pick("Confirm email address", "E-Mail-Adresse bestätigen"),
            text: Some(texts::confirm_address(language)),
        }
    }
}

impl Letter {
    fn of(
        content: &Content,
        recipient: &Recipient,
        shop_url: &str,
        tokens: &MailTokens,
    ) -> Result<Self, RenderError> {
        let language = Language::of(recipient.locale.as_deref());
        let notice_text = texts::of(&content.notice, language);
        let (text, button) = match content.token_id {
            Some(id) => {
                let link = Link::of(&content.notice, language);
                let token = tokens.derive(link.kind, id);
                (
                    link.text.map_or(notice_text.text, str::to_owned),
                    Some(Button {
                        label: link.label,
                        // In the fragment, which browsers do not send to servers, so it is not logged.
                        url: format!("{shop_url}/{}#token={token}", link.path),
                    }),
                )
            }
            None => (
                notice_text.text,
                content.notice.order().map(|order| Button {
                    label: language.pick("View your order", "Zur Bestellung"),
                    url: format!("{shop_url}/orders/{order}"),
                }),
            ),
        };
        let (mut lines, mut total) = (vec![], None);
        if let Notice::OrderConfirmed {
            total: paid,
            lines: order_lines,
            ..
        } = &content.notice
        {
            for line in order_lines {
                let price = line.unit_price.times(line.quantity.get())?;
                lines.push(Line {
                    label: format!("{} × {}", line.quantity.get(), line.name),
                    amount: language.money(price),
                });
            }
            total = Some(Line {
                label: language.pick("Total", "Summe").to_owned(),
                amount: language.money(*paid),
            });
        }
        let name = &recipient.name;
        Ok(Self {
            language: language.tag(),
            title: notice_text.title,
            greeting: language.pick(format!("Hello {name},"), format!("Hallo {name},")),
            text,
            lines,
            total,
            button,
            closing: language.pick("Your Souk", "Ihr Souk"),
        })
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Currency, Money, OrderId, events::Line};
    use uuid::Uuid;

    use super::*;

    fn render(notice: Notice, token: Option<u128>, locale: Option<&str>) -> Rendered {
        let content = Content {
            notice,
            token_id: token.map(Uuid::from_u128),
        };
        let recipient = Recipient {
            email: "ada@souk.test".into(),
            name: "Ada <b>".into(),
            locale: locale.map(str::to_owned),
        };
        Templates::new()
            .unwrap()
            .render(
                &content,
                &recipient,
                "https://shop.test",
                &MailTokens::new("a secret"),
            )
            .unwrap()
    }

    fn order() -> OrderId {
        OrderId(Uuid::from_u128(7))
    }

    fn confirmed() -> Notice {
        let line = |sku: &str, name: &str, quantity: u32, cents| Line {
            sku: serde_json::from_value(sku.into()).unwrap(),
            name: name.into(),
            quantity: serde_json::from_value(quantity.into()).unwrap(),
            unit_price: Money::new(cents, Currency::EUR),
        };
        Notice::OrderConfirmed {
            order_id: order(),
            total: Money::new(3190, Currency::EUR),
            lines: vec![
                line("TEA-1", "Green tea <script>alert('x')</script> & more", 2, 1250),
                line("CUP-1", "Cup", 1, 690),
            ],
        }
    }

    fn returns() -> [Notice; 5] {
        let order_id = order();
        let requested = |needs_receipt| Notice::ReturnRequested {
            order_id,
            needs_receipt,
        };
        let refused = |reason| Notice::ReturnRefused { order_id, reason };
        [
            requested(true),
            requested(false),
            Notice::ReturnReceived { order_id },
            refused(Some("The cup is broken.".into())),
            refused(None),
        ]
    }

    #[test]
    fn every_mail_matches_its_reviewed_text_in_both_languages() {
        for (language, locale) in [("en", None), ("de", Some("de-AT"))] {
            let mails = [
                (Notice::Welcome, Some(1)),
                (Notice::Welcome, None),
                (Notice::VerifyAddress, Some(1)),
                (
                    Notice::ResetPassword {
                        registered_again: false,
                    },
                    Some(1),
                ),
                (
                    Notice::ResetPassword {
                        registered_again: true,
                    },
                    Some(1),
                ),
                (Notice::PasswordChanged, None),
                (confirmed(), None),
                (
                    Notice::OrderRejected {
                        order_id: order(),
                        reason: "out_of_stock".into(),
                    },
                    None,
                ),
                (
                    Notice::OrderRejected {
                        order_id: order(),
                        reason: "payment_declined".into(),
                    },
                    None,
                ),
                (
                    Notice::OrderRejected {
                        order_id: order(),
                        reason: "timeout".into(),
                    },
                    None,
                ),
                (
                    Notice::OrderRejected {
                        order_id: order(),
                        reason: "a_new_one".into(),
                    },
                    None,
                ),
                (
                    Notice::OrderShipped {
                        order_id: order(),
                        carrier: Some("Parcel Co".into()),
                        tracking_number: Some("PC 1".into()),
                    },
                    None,
                ),
                (
                    Notice::OrderShipped {
                        order_id: order(),
                        carrier: None,
                        tracking_number: None,
                    },
                    None,
                ),
                (
                    Notice::PaymentRefunded {
                        order_id: order(),
                        amount: Money::new(690, Currency::EUR),
                    },
                    None,
                ),
            ];
            let mails = mails.into_iter().chain(returns().map(|notice| (notice, None)));
            let texts = mails.map(|(notice, token)| {
                assert!(notice.is_mailed());
                let mail = render(notice, token, locale);
                format!("Subject: {}\n\n{}", mail.subject, mail.text)
            });
            let texts: Vec<_> = texts.collect();
            insta::assert_snapshot!(format!("texts_{language}"), texts.join("\n==========\n"));
        }
    }

    #[test]
    fn html_matches_its_reviewed_text_and_user_input_is_escaped() {
        let mail = render(confirmed(), None, None);
        assert!(
            !mail.html.contains("<script>") && !mail.html.contains("Ada <b>"),
            "{}",
            mail.html
        );
        assert!(
            mail.text.contains("<script>alert('x')</script> & more"),
            "plain text is not escaped"
        );
        insta::assert_snapshot!("html", mail.html);
    }
}
