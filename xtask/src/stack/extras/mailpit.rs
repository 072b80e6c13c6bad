//! Starts a private Mailpit, which receives every mail of the shop, shows it, and forwards none.

use std::time::Duration;

use anyhow::Result;

use super::{Extra, Stack, reachable_program};
use crate::{system::golang::MAILPIT, web};

/// Port of the web pages if it is free, the same as under Compose.
pub(super) const USUAL_PORT: u16 = 8025;

pub(super) fn start(stack: &mut Stack) -> Result<()> {
    let file = reachable_program(stack, &MAILPIT)?;
    let folder = stack.data("mailpit")?;
    let url = Extra::Mail.url(stack)?.unwrap_or_default();
    let smtp = format!("127.0.0.1:{}", smtp_port(stack)?);
    stack.save()?;
    let pages = url.trim_start_matches("http://");
    let mut program = stack.program(&file, &["--listen", pages, "--smtp", &smtp]);
    let under = |name: &str| folder.join(name).to_string_lossy().into_owned();
    // Variables instead of options: an older Mailpit ignores unknown variables but rejects unknown options.
    program.environment = vec![
        ("HOME".into(), under("")),
        ("MP_DATABASE".into(), under("mails.db")),
        ("MP_DISABLE_VERSION_CHECK".into(), "true".into()),
        ("MP_SMTP_DISABLE_RDNS".into(), "true".into()),
    ];
    let ready = format!("{url}/readyz");
    stack.ensure("mailpit", &program, Duration::from_secs(20), |_| {
        web::is_ok(&ready)
    })
}

pub(super) fn smtp_port(stack: &mut Stack) -> Result<u16> {
    stack.state.port("mailpit-smtp")
}
