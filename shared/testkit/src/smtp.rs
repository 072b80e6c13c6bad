//! A mail server that keeps what it is given, or refuses it (RFC 5321, as far as it is needed).

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// What it says to a mail once it has all of it.
#[derive(Debug, Clone, Copy)]
pub enum Verdict {
    /// As usual.
    Accepts,
    /// This, and keeps nothing: `550 no such mailbox`.
    Says(&'static str),
    /// This to whoever connects, instead of a greeting: `554 no mail here`.
    Greets(&'static str),
    /// It has the mail, and dies before it says so.
    Dies,
}

/// The server.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Of 127.0.0.1.
    pub port: u16,
    verdict: Arc<Mutex<Verdict>>,
    mails: Arc<Mutex<Vec<Mail>>>,
}

/// A mail as it came over the wire.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The address of the envelope.
    pub to: String,
    /// All of it, with its headers.
    pub text: String,
}

impl Mail {
    /// One of its headers.
    ///
    /// # Panics
    /// If it has none of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let mut lines = self.text.lines().take_while(|line| !line.is_empty());
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.text))
            .to_owned()
    }
}

impl Smtp {
    /// On that port, or any where it is 0; until the test's runtime ends.
    ///
    /// # Panics
    /// When the port cannot be bound.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let this = Self {
            port: listener.local_addr().expect("a bound address").port(),
            verdict: Arc::new(Mutex::new(Verdict::Accepts)),
            mails: Arc::default(),
        };
        let server = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                // A client that goes away ends its conversation only.
                tokio::spawn(async move { drop(server.converse(stream).await) });
            }
        });
        this
    }

    /// What it says from now on.
    ///
    /// # Panics
    /// After a panic in this.
    pub fn will(&self, verdict: Verdict) {
        *self.verdict.lock().expect("no panic while locked") = verdict;
    }

    /// What has come.
    ///
    /// # Panics
    /// After a panic in this.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().expect("no panic while locked").clone()
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let verdict = *self.verdict.lock().expect("no panic while locked");
        let greeting = match verdict {
            Verdict::Greets(greeting) => greeting,
            _ => "220 test",
        };
        stream.write_all(format!("{greeting}\r\n").as_bytes()).await?;
        let mut to = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let answer = match line.split([' ', '\r']).next().unwrap_or_default() {
                "RCPT" => {
                    to = line
                        .trim()
                        .trim_start_matches("RCPT TO:<")
                        .trim_end_matches('>')
                        .to_owned();
                    "250 ok"
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let mut text = String::new();
                    while !text.ends_with("\r\n.\r\n") {
                        stream.read_line(&mut text).await?;
                    }
                    let verdict = *self.verdict.lock().expect("no panic while locked");
                    if !matches!(verdict, Verdict::Says(_)) {
                        self.mails
                            .lock()
                            .expect("no panic while locked")
                            .push(Mail { to: to.clone(), text });
                    }
                    match verdict {
                        Verdict::Accepts | Verdict::Greets(_) => "250 ok",
                        Verdict::Says(answer) => answer,
                        Verdict::Dies => return Ok(()),
                    }
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await?;
                    return Ok(());
                }
                _ => "250 ok",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
}
