//! Limits the number of connections by the number of files that the process may open. Without this, the gateway could
//! run out of file descriptors and would then be unable to connect to its upstreams for any client.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files reserved for everything that is not a connection: listeners, logs, the admin port, the storefront's files.
const RESERVED: u64 = 256;

/// Raises the soft limit of open files to the hard limit. Logs a warning if that fails.
pub(crate) fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "raising the limit of open files failed; continuing with the current limit");
    }
}

/// The number of connections that the process has files for, at most `wanted`. A client's connection may need a second
/// file for a connection to an upstream.
pub(crate) fn affordable_connections(wanted: usize) -> usize {
    let Some(files) = getrlimit(Resource::Nofile).current else {
        return wanted;
    };
    let affordable = connections(files).min(wanted);
    if affordable < wanted {
        tracing::warn!(
            wanted,
            affordable,
            files,
            "the limit of open files allows fewer connections than limits.connections; using the lower number"
        );
    }
    affordable
}

fn connections(files: u64) -> usize {
    let connections = files.saturating_sub(RESERVED) / 2;
    usize::try_from(connections).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_unreserved_files_are_for_client_connections() {
        assert_eq!(connections(1024), 384);
        assert_eq!(connections(20_256), 10_000);
        assert_eq!(connections(100), 1);
        assert_eq!(connections(u64::MAX), usize::MAX / 2 - 128);
    }

    #[test]
    fn raises_the_limit_to_the_system_maximum() {
        raise_limit();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert_eq!(affordable_connections(1), 1);
    }
}
