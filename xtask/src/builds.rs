//! What is built beside the start of the shop, which does not wait for it: each program starts when it is there.

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
    progress::{Waiting, note},
    stack::{Stack, extras::Extra},
    system::{golang::Tool, install::Node},
};

/// Builds, one after the other, in the background. Dropping it gives up what is not done.
pub(crate) struct Builds {
    /// In the order of building; the first is in the works.
    pending: VecDeque<(Extra, &'static Tool)>,
    failed: Vec<&'static str>,
    results: Receiver<Result<()>>,
    worker: Option<JoinHandle<()>>,
    cancelled: Arc<AtomicBool>,
    /// When the first of `pending` was begun.
    since: Instant,
    shown: Option<Waiting>,
}

impl Builds {
    /// Begins. Node.js, which pages are built with, is brought before, since the storefront needs it too.
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
                "{} is not on PATH; it is built with Go in the background, which takes minutes the first time",
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

    /// Shows from now on that something is being built; whoever waits for nothing else has looked away by then.
    pub(crate) fn show(&mut self) {
        self.shown = self
            .pending
            .front()
            .map(|(_, tool)| Waiting::start(&format!("build {}", tool.title), self.since));
    }

    /// Starts what was built since it was asked last.
    pub(crate) fn proceed(&mut self, stack: &mut Stack) {
        let Ok(result) = self.results.try_recv() else {
            return;
        };
        let Some((extra, tool)) = self.pending.pop_front() else {
            return;
        };
        if let Some(shown) = self.shown.take() {
            shown.end(result.is_ok());
        }
        if let Err(error) = result.and_then(|()| begin(stack, extra)) {
            self.failed.push(tool.title);
            note(&format!("{error:#}"));
        }
        self.since = Instant::now();
        self.show();
    }

    /// Waits until all are built and started.
    pub(crate) fn finish(mut self, stack: &mut Stack) -> Result<()> {
        self.show();
        while !self.is_done() && !interrupt::requested() {
            interrupt::pause(Duration::from_millis(100));
            self.proceed(stack);
        }
        if interrupt::requested() {
            let names: Vec<_> = self.pending.iter().map(|(extra, _)| extra.asked_as()).collect();
            note(&format!(
                "given up; `cargo xtask up --with {}` tries again",
                names.join(",")
            ));
        } else if !self.failed.is_empty() {
            bail!(
                "the shop runs, but without {}; see above",
                self.failed.join(" and ")
            );
        }
        Ok(())
    }
}

fn begin(stack: &mut Stack, extra: Extra) -> Result<()> {
    let _turn = stack.turn()?;
    // It may have been stopped, or brought up anew without this one.
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
