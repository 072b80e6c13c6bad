//! Follows the configuration file: a change of its text, or the signal SIGHUP, replaces the configuration. The file is
//! read once a second instead of being watched, because editors and Kubernetes replace it by another file or link.

use std::{path::Path, time::Duration};

use tokio::signal::unix::{SignalKind, signal};

use super::{Gateway, Source};
use crate::config::{Config, ConfigError, environment};

/// Time between two reads of the file.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// Follows the file for as long as this is polled. `text` is the text of the configuration in force.
pub async fn follow(gateway: &Gateway, path: &Path, mut text: String) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        let source = tokio::select! {
            _ = hangup.recv() => Source::Signal,
            () = tokio::time::sleep(READ_INTERVAL) => Source::File,
        };
        let config = match tokio::fs::read_to_string(path).await {
            // An empty file is one that is being written.
            Ok(read) if source == Source::File && (read == text || read.is_empty()) => continue,
            Ok(read) => {
                text = read;
                Config::parse(&text, environment).map(|config| config.in_folder(folder))
            }
            // A file that is being replaced may be missing for a moment.
            Err(_) if source == Source::File => continue,
            Err(error) => Err(ConfigError::Unreadable(error)),
        };
        // The error is in the log and in the history.
        let _ = gateway.reload(config, source).await;
    }
}
