//! Values that are built from files, and built again when the files change.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use arc_swap::ArcSwap;

/// Time between two reads of the files.
const READ_INTERVAL: Duration = Duration::from_secs(5);

/// Reads files, and remembers their content.
#[derive(Debug, Default)]
pub struct Reader(Vec<Vec<u8>>);

impl Reader {
    /// Reads a file. The error names it.
    pub fn read(&mut self, path: &Path) -> anyhow::Result<Vec<u8>> {
        let content = std::fs::read(path).with_context(|| path.display().to_string())?;
        self.0.push(content.clone());
        Ok(content)
    }
}

type Make<T> = Box<dyn Fn(&mut Reader) -> anyhow::Result<T> + Send + Sync>;

/// A value that is built from the content of files. When it is used, the files are read again if the last read was more
/// than 5 seconds ago, and the value is built again if they have changed. If that fails, the previous value stays in
/// use.
pub struct Watched<T> {
    make: Make<T>,
    current: ArcSwap<Made<T>>,
    created: Instant,
    /// Milliseconds from `created` to the last read.
    read_at: AtomicU64,
}

struct Made<T> {
    value: Arc<T>,
    files: Vec<Vec<u8>>,
}

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Watched").finish_non_exhaustive()
    }
}

impl<T> Watched<T> {
    /// Builds the value for the first time. `make` reads all files with the [`Reader`]. Fails if `make` does.
    pub fn new(
        make: impl Fn(&mut Reader) -> anyhow::Result<T> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let first = Made::make(&make)?;
        Ok(Self {
            make: Box::new(make),
            current: ArcSwap::from_pointee(first),
            created: Instant::now(),
            read_at: AtomicU64::new(0),
        })
    }

    /// The value for the current content of the files.
    pub fn current(&self) -> Arc<T> {
        if self.is_due() {
            self.read_again();
        }
        Arc::clone(&self.current.load().value)
    }

    /// Whether the files should be read again. True for one caller only.
    fn is_due(&self) -> bool {
        let now = u64::try_from(self.created.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.read_at.load(Relaxed);
        u128::from(now.saturating_sub(last)) >= READ_INTERVAL.as_millis()
            && self.read_at.compare_exchange(last, now, Relaxed, Relaxed).is_ok()
    }

    fn read_again(&self) {
        match Made::make(&self.make) {
            Ok(made) if made.files != self.current.load().files => {
                self.current.store(Arc::new(made));
                tracing::info!("changed certificates are in use from now on");
            }
            Ok(_) => {}
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(
                    error,
                    "certificates cannot be read; the previous ones stay in use"
                );
            }
        }
    }
}

impl<T> Made<T> {
    fn make(make: &dyn Fn(&mut Reader) -> anyhow::Result<T>) -> anyhow::Result<Self> {
        let mut reader = Reader::default();
        let value = Arc::new(make(&mut reader)?);
        Ok(Self {
            value,
            files: reader.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_again_if_its_file_has_changed_and_kept_if_that_fails() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("number");
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        write("1");
        let path = file.clone();
        let number = Watched::new(move |reader| {
            let text = String::from_utf8(reader.read(&path)?)?;
            Ok(text.parse::<u32>()?)
        })
        .unwrap();
        let first = number.current();
        number.read_again();
        assert!(Arc::ptr_eq(&first, &number.current()), "the file has not changed");
        write("2");
        assert_eq!(*number.current(), 1, "the file was read less than 5 seconds ago");
        number.read_again();
        assert_eq!(*number.current(), 2);
        write("two");
        number.read_again();
        assert_eq!(*number.current(), 2);
        std::fs::remove_file(&file).unwrap();
        number.read_again();
        assert_eq!(*number.current(), 2);
    }
}
