//! Links of Markdown files, and paths of the repository between backticks, such as `xtask/src/main.rs::run`.

use std::{fs, path::Path};

use super::Finding;

/// Checks a file, named relative to the repository's root: relative links, headings they name, and paths in backticks with
/// the items they name.
pub(super) fn check(root: &Path, file: &Path, text: &str) -> Vec<Finding> {
    let folder = root.join(file.parent().unwrap_or(Path::new("")));
    let mut findings = Vec::new();
    for (line, span) in spans(text) {
        let fault = match &span {
            Span::Link(target) => link_fault(root, &folder, text, target),
            Span::Code(code) => path_fault(root, &folder, code),
        };
        findings.extend(fault.map(|what| Finding::new(line, what)));
    }
    findings
}

/// A part of a text that may name a file.
#[derive(Debug, PartialEq, Eq)]
enum Span {
    /// The target in `[text](target)`.
    Link(String),
    /// What stands between backticks.
    Code(String),
}

/// The links and code spans of a text, with their lines, without its code blocks.
fn spans(text: &str) -> Vec<(usize, Span)> {
    let mut spans = Vec::new();
    let (mut is_block, mut code, mut code_line) = (false, None::<String>, 0);
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if line.trim().is_empty() {
            // A code span ends with its paragraph.
            code = None;
        } else if !is_block {
            let mut rest = line;
            while !rest.is_empty() {
                if let Some(open) = &mut code {
                    let Some((inside, after)) = rest.split_once('`') else {
                        open.push_str(rest);
                        open.push(' ');
                        break;
                    };
                    open.push_str(inside);
                    spans.push((code_line, Span::Code(std::mem::take(open))));
                    code = None;
                    rest = after;
                } else if let Some(after) = rest.strip_prefix("](") {
                    let (target, after) = after.split_once(')').unwrap_or((after, ""));
                    let target = target.split(' ').next().unwrap_or_default();
                    spans.push((number, Span::Link(target.to_owned())));
                    rest = after;
                } else if let Some(after) = rest.strip_prefix('`') {
                    code = Some(String::new());
                    code_line = number;
                    rest = after;
                } else {
                    let mut characters = rest.chars();
                    characters.next();
                    rest = characters.as_str();
                }
            }
        }
    }
    spans
}

fn link_fault(root: &Path, folder: &Path, text: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let linked = match path.strip_prefix('/') {
        Some(path) => root.join(path),
        None => folder.join(path),
    };
    if !path.is_empty() && !linked.exists() {
        return Some(format!("the link {target} leads to no file"));
    }
    let is_markdown = path.is_empty() || linked.extension().is_some_and(|extension| extension == "md");
    if heading.is_empty() || !is_markdown {
        return None;
    }
    let linked = if path.is_empty() {
        text.to_owned()
    } else {
        fs::read_to_string(linked).unwrap_or_default()
    };
    (!anchors(&linked).iter().any(|anchor| anchor == heading))
        .then(|| format!("the link {target} names no heading"))
}

/// The anchors that GitHub makes of a file's headings.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let mut is_block = false;
    for line in text.lines() {
        is_block ^= line.starts_with("```");
        let title = line.trim_start_matches('#');
        if is_block || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let anchor: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|character| character.is_alphanumeric() || " -_".contains(*character))
            .map(|character| if character == ' ' { '-' } else { character })
            .collect();
        let same = anchors
            .iter()
            .filter(|other| {
                other.strip_prefix(&anchor).is_some_and(|rest| {
                    rest.is_empty()
                        || rest
                            .strip_prefix('-')
                            .is_some_and(|rest| rest.parse::<u32>().is_ok())
                })
            })
            .count();
        anchors.push(if same == 0 {
            anchor
        } else {
            format!("{anchor}-{same}")
        });
    }
    anchors
}

fn path_fault(root: &Path, folder: &Path, code: &str) -> Option<String> {
    let is_path = |character: char| character.is_ascii_alphanumeric() || "/._-*".contains(character);
    let (path, item) = code.split_once("::").unwrap_or((code, ""));
    let (first, _) = path.split_once('/')?;
    if !path.chars().all(is_path) || first.is_empty() || first.starts_with('.') || first == "target" {
        return None;
    }
    let bases = [root, folder].map(|base| (base, base.join(first).exists()));
    // Something else with a slash, such as a media type.
    if bases.iter().all(|(_, exists)| !exists) {
        return None;
    }
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let exists = bases
        .iter()
        .any(|(base, exists)| *exists && any_matches(base, &parts));
    if !exists {
        return Some(format!("the path {path} does not exist"));
    }
    let sources = bases.map(|(base, _)| fs::read_to_string(base.join(path)).unwrap_or_default());
    let is_defined = item.is_empty() || sources.iter().any(|source| defines(source, item));
    (!is_defined).then(|| format!("{path} defines no {item}"))
}

/// Whether the source contains a definition with the last name of `item`, which may be `Type::method`.
fn defines(source: &str, item: &str) -> bool {
    let (_, name) = item.rsplit_once("::").unwrap_or(("", item));
    let continues = |character: char| character.is_alphanumeric() || character == '_';
    ["fn", "struct", "enum", "trait", "const"].iter().any(|kind| {
        let definition = format!("{kind} {name}");
        let mut found = source.match_indices(&definition);
        found.any(|(at, _)| !source[at + definition.len()..].starts_with(continues))
    })
}

/// Whether a file matches the path, in which `*` stands for any text of a name, and `NAME` for any name.
fn any_matches(folder: &Path, parts: &[&str]) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return true;
    };
    if *part == "**" || folder.join(part).exists() {
        return *part == "**" || any_matches(&folder.join(part), rest);
    }
    let is_placeholder = part.chars().all(|character| character.is_ascii_uppercase());
    let (start, end) = if is_placeholder {
        ("", "")
    } else if let Some(halves) = part.split_once('*') {
        halves
    } else {
        return false;
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with(start) && name.ends_with(end) && any_matches(&entry.path(), rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo;

    fn found(text: &str) -> Vec<String> {
        check(cargo::workspace(), Path::new("docs/page.md"), text)
            .into_iter()
            .map(|finding| format!("{}: {}", finding.line, finding.what))
            .collect()
    }

    #[test]
    fn links_to_missing_files_and_headings_are_found() {
        let text = "# Some `code` here\n\n[up](../README.md), [web](https://example.org/none), [down](none.md)\n\
                    ![image](images/saga.png) [here](#some-code-here) [nowhere](#none)\n\n```\n[no link](none.md)\n```\n";
        assert_eq!(
            found(text),
            [
                "3: the link none.md leads to no file",
                "4: the link #none names no heading"
            ]
        );
        assert_eq!(found("[heading](../README.md#none)").len(), 1);
    }

    #[test]
    fn repeated_headings_have_numbered_anchors() {
        assert_eq!(
            anchors("## A b\n# A b\n### A: b!\n```\n# no\n```"),
            ["a-b", "a-b-1", "a-b-2"]
        );
    }

    #[test]
    fn paths_in_backticks_that_do_not_exist_are_found() {
        assert_eq!(
            found(
                "`xtask/src/main.rs` `xtask/src/none.rs`\n`services/NAME/src/app.rs`, `services/*/none.rs`"
            ),
            [
                "1: the path xtask/src/none.rs does not exist",
                "2: the path services/*/none.rs does not exist"
            ]
        );
    }

    #[test]
    fn items_that_a_named_file_does_not_define_are_found() {
        let text = "`xtask/src/main.rs::run`, `xtask/src/main.rs::Command` `xtask/src/check_docs/mod.rs::Finding::new`\n\
                    `xtask/src/main.rs::ru` `xtask/src/none.rs::run` `std::fs::read`";
        assert_eq!(
            found(text),
            [
                "2: xtask/src/main.rs defines no ru",
                "2: the path xtask/src/none.rs does not exist"
            ]
        );
    }

    #[test]
    fn other_code_with_slashes_is_no_path() {
        assert_eq!(
            found("`application/json` `/v1/orders` `target/souk/` `a cargo/xtask`"),
            [""; 0]
        );
    }

    #[test]
    fn code_may_continue_on_the_next_line() {
        let expected = [
            (1, Span::Code("cargo xtask up".into())),
            (2, Span::Link("x.md".into())),
        ];
        assert_eq!(spans("Run `cargo xtask\nup` as [x](x.md)"), expected);
    }
}
