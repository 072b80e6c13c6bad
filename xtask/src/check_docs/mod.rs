//! `cargo xtask check-docs`: checks texts that compilers do not check. Public items need doc comments of at least four
//! words, texts avoid the words that `words.rs` lists, and links in Markdown files lead somewhere.

mod markdown;
mod rust;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{cargo, output::print, progress::note};

/// Folders without texts of our own.
const SKIPPED: [&str; 4] = ["target", "node_modules", "dist", "test-results"];

/// One fault of a text, with its line counted from 1.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    line: usize,
    what: String,
}

impl Finding {
    fn new(line: usize, what: impl Into<String>) -> Self {
        Self {
            line,
            what: what.into(),
        }
    }
}

/// Prints one line per finding, and fails if there are any.
pub(crate) fn run() -> Result<()> {
    let root = cargo::workspace();
    let mut files = Vec::new();
    list_files(root, &mut files)?;
    files.sort();
    let mut count = 0;
    for file in &files {
        let shown = file.strip_prefix(root).unwrap_or(file);
        for finding in check_file(root, shown).with_context(|| shown.display().to_string())? {
            print(format_args!(
                "{}:{}: {}",
                shown.display(),
                finding.line,
                finding.what
            ))?;
            count += 1;
        }
    }
    if count > 0 {
        bail!("check-docs found {count} texts to correct");
    }
    note("doc comments, texts and links are in order");
    Ok(())
}

fn list_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            list_files(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Checks one file, named relative to the repository's root. Files that hold no texts for readers have no findings.
fn check_file(root: &Path, file: &Path) -> Result<Vec<Finding>> {
    let read = || fs::read_to_string(root.join(file));
    let findings = match file.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => rust::check(&read()?)?,
        Some("md") => markdown::check(root, file, &read()?),
        // The texts of the storefront are tables in its sources.
        Some("ts" | "tsx") => Some(read()?)
            .filter(|source| source.contains("defineMessages"))
            .map(|source| words::check_lines(&source))
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    Ok(findings)
}
