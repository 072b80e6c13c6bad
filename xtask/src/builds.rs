//! Builds Go programs in the background while the shop starts, and starts each one when it is built.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{
    frontend, interrupt,
    progress::{Progress, note},
    stack::{Stack, extras::Extra},
    system::{golang::Tool, install::Node},
};

/// Builds that run one after the other in the background. Dropping it cancels the unfinished ones.
pub(crate) struct Builds {
    /// Remaining programs in build order; the first one is being built.
    pending: VecDeque<(Extra, &'static Tool)>,
    failed: Vec<&'static str>,
    results: Receiver<Result<()>>,
    worker: Option<JoinHandle<()>>,
    cancelled: Arc<AtomicBool>,
    /// When the build of the first pending program began.
    since: Instant,
    shown: Option<Progress>,
}

impl Builds {
    /// Starts the builds. If one of them needs Node.js, installs it first; the storefront needs it too.
    pub(crate) fn start(stack: &Stack, extras: &[Extra]) -> Result<Self> {
        let pending: VecDeque<_> = extras
            .iter()
            .filter_map(|extra| Some((*extra, extra.tool()?)))
            .collect();
        let node = if pending.iter().any(|(_, tool)| tool.has_pages) {
            Some(frontend::node(stack)?)
        } else {
            None
        };
        let tools = stack.tools();
        let jobs: Vec<_> = pending
            .iter()
            .map(|(extra, tool)| (*tool, stack.log(extra.name())))
            .collect();
        for (_, tool) in &pending {
            note(&format!(
                "{} is not on PATH and is being built with Go in the background; this takes some minutes the first time",
                tool.title
            ));
        }
        let cancelled = Arc::<AtomicBool>::default();
        let (sender, results) = mpsc::channel();
        let flag = Arc::clone(&cancelled);
        let worker = std::thread::spawn(move || {
            for (tool, log) in jobs {
                let node: Option<&Node> = node.as_ref().filter(|_| tool.has_pages);
                if sender.send(tool.build(&tools, node, &log, &flag)).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            pending,
            failed: vec![],
            results,
            worker: Some(worker),
            cancelled,
            since: Instant::now(),
            shown: None,
        })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.pending.is_empty()
    }

    pub(crate) fn is_pending(&self, name: &str) -> bool {
        self.pending.iter().any(|(extra, _)| extra.name() == name)
    }

    /// Shows the progress of the current build from now on. Called when nothing else is shown any more.
    pub(crate) fn show(&mut self) {
        self.shown = self
            .pending
            .front()
            .map(|(_, tool)| Progress::start(&format!("build {}", tool.title), self.since));
    }

    /// Starts the program that was built since the last call, if there is one.
    pub(crate) fn start_finished(&mut self, stack: &mut Stack) {
        let Ok(result) = self.results.try_recv() else {
            return;
        };
        let Some((extra, tool)) = self.pending.pop_front() else {
            return;
        };
        if let Some(shown) = self.shown.take() {
            shown.end(result.is_ok());
        }
        if let Err(error) = result.and_then(|()| start_built(stack, extra)) {
            self.failed.push(tool.title);
            note(&format!("{error:#}"));
        }
        self.since = Instant::now();
        self.show();
    }

    /// Waits until all programs are built and started, or the user interrupts.
    pub(crate) fn finish(mut self, stack: &mut Stack) -> Result<()> {
        self.show();
        while !self.is_done() && !interrupt::requested() {
            interrupt::pause(Duration::from_millis(100));
            self.start_finished(stack);
        }
        if interrupt::requested() {
            let names: Vec<_> = self
                .pending
                .iter()
                .map(|(extra, _)| extra.option_name())
                .collect();
            note(&format!(
                "build cancelled; `cargo xtask up --with {}` starts it again",
                names.join(",")
            ));
        } else if !self.failed.is_empty() {
            bail!(
                "the shop is running, but without {}; see the error above",
                self.failed.join(" and ")
            );
        }
        Ok(())
    }
}

fn start_built(stack: &mut Stack, extra: Extra) -> Result<()> {
    let _lock = stack.lock()?;
    // Meanwhile another command may have restarted the system without this tool.
    if !stack.has(extra.name()) {
        return Ok(());
    }
    extra.start(stack)?;
    if let Some(url) = extra.url(stack)? {
        note(&format!(
            "{}: {}",
            extra.title(),
            url.replace("127.0.0.1", "localhost")
        ));
    }
    Ok(())
}

impl Drop for Builds {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}
