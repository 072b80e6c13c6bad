//! A mail server that stores or rejects the emails it receives. It implements as much of RFC 5321 as the tests need.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// How the server treats emails.
#[derive(Debug, Clone, Copy)]
pub enum Behavior {
    /// Stores each email and confirms it.
    Accept,
    /// Discards each email and replies with this line, such as `550 no such mailbox`.
    Reject(&'static str),
    /// Replies to every new connection with this line instead of a greeting, such as `554 no mail here`.
    RejectConnection(&'static str),
    /// Stores each email, but closes the connection without confirming it.
    AcceptWithoutReply,
}

/// A mail server for a test. Clones share the stored emails.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Port on 127.0.0.1 that the server listens on.
    pub port: u16,
    behavior: Arc<Mutex<Behavior>>,
    mails: Arc<Mutex<Vec<Mail>>>,
}

/// An email that the test server has received.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Recipient address of the SMTP envelope.
    pub to: String,
    /// The whole message, including its headers.
    pub text: String,
}

impl Mail {
    /// Returns the value of a header.
    ///
    /// # Panics
    /// If the email has no header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let mut lines = self.text.lines().take_while(|line| !line.is_empty());
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.text))
            .to_owned()
    }
}

impl Smtp {
    /// Starts a server on that port, or on any free port if it is 0. It runs until the test's runtime ends.
    ///
    /// # Panics
    /// If the port cannot be bound.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let this = Self {
            port: listener.local_addr().expect("a bound address").port(),
            behavior: Arc::new(Mutex::new(Behavior::Accept)),
            mails: Arc::default(),
        };
        let server = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                // An I/O error ends only the connection of that client.
                tokio::spawn(async move { drop(server.serve_connection(stream).await) });
            }
        });
        this
    }

    /// Changes how the server treats emails from now on.
    ///
    /// # Panics
    /// If another thread panicked while it held the lock.
    pub fn set_behavior(&self, behavior: Behavior) {
        *self.behavior.lock().expect("no panic while locked") = behavior;
    }

    /// Returns all emails stored so far.
    ///
    /// # Panics
    /// If another thread panicked while it held the lock.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().expect("no panic while locked").clone()
    }

    async fn serve_connection(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let behavior = *self.behavior.lock().expect("no panic while locked");
        let greeting = match behavior {
            Behavior::RejectConnection(greeting) => greeting,
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
                    stream.write_all(b"354 continue\r\n").await?;
                    let mut text = String::new();
                    while !text.ends_with("\r\n.\r\n") {
                        stream.read_line(&mut text).await?;
                    }
                    let behavior = *self.behavior.lock().expect("no panic while locked");
                    if !matches!(behavior, Behavior::Reject(_)) {
                        self.mails
                            .lock()
                            .expect("no panic while locked")
                            .push(Mail { to: to.clone(), text });
                    }
                    match behavior {
                        Behavior::Accept | Behavior::RejectConnection(_) => "250 ok",
                        Behavior::Reject(answer) => answer,
                        Behavior::AcceptWithoutReply => return Ok(()),
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
