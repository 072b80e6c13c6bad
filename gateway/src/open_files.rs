//! How many connections the process can have, by the files that the system lets it open. A connection without a file is
//! worse than a connection that waits: the gateway could then not reach its services either, for anybody.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files for everything that is not a connection: listeners, logs, the admin port, the storefront's pages.
const OTHERS: u64 = 256;

/// Raises the process's limit of open files as far as the system allows.
pub(crate) fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}

/// As many of the `wanted` connections as the process has files for. Each may need a second one to a service.
pub(crate) fn affordable(wanted: usize) -> usize {
    let Some(files) = getrlimit(Resource::Nofile).current else {
        return wanted;
    };
    let affordable = connections(files).min(wanted);
    if affordable < wanted {
        tracing::warn!(
            wanted,
            affordable,
            files,
            "the limit of open files allows fewer connections than limits.connections"
        );
    }
    affordable
}

fn connections(files: u64) -> usize {
    let connections = files.saturating_sub(OTHERS) / 2;
    usize::try_from(connections).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_files_are_for_clients_and_some_for_everything_else() {
        assert_eq!(connections(1024), 384);
        assert_eq!(connections(20_256), 10_000);
        assert_eq!(connections(100), 1);
        assert_eq!(connections(u64::MAX), usize::MAX / 2 - 128);
    }

    #[test]
    fn the_limit_is_raised_to_what_the_system_allows() {
        raise_limit();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert_eq!(affordable(1), 1);
    }
}
