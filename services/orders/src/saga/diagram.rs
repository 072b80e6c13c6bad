//! Draws the diagrams of the sagas in the README from their tables.

use std::fmt::Write as _;

use super::table::{Kind, Saga};

/// Returns a Mermaid flowchart of `saga`: its steps, their undos, and where each outcome leads.
#[must_use]
pub fn mermaid(saga: &Saga) -> String {
    let mut text = String::from("flowchart LR\n");
    // Writing to a String cannot fail.
    let mut line = |line: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "    {line}");
    };
    for (index, step) in saga.steps.iter().enumerate() {
        let label = format!(
            "{}<br/><small>{}</small>",
            step.id.as_str(),
            step.participant.as_str()
        );
        match step.kind {
            Kind::Pivot => line(format_args!("do{index}{{{{\"{label}\"}}}}")),
            Kind::Undoable | Kind::Retriable => line(format_args!("do{index}[\"{label}\"]")),
        }
        if step.kind == Kind::Undoable {
            line(format_args!("undo{index}([\"undo {}\"])", step.id.as_str()));
        }
    }
    line(format_args!("completed(((completed)))"));
    line(format_args!("compensated(((compensated)))"));
    for (index, step) in saga.steps.iter().enumerate() {
        let next = if index + 1 < saga.steps.len() {
            format!("do{}", index + 1)
        } else {
            "completed".into()
        };
        let before = index
            .checked_sub(1)
            .map_or("compensated".into(), |before| format!("undo{before}"));
        line(format_args!("do{index} -->|done| {next}"));
        match step.kind {
            Kind::Undoable => {
                line(format_args!("do{index} -.->|refused| {before}"));
                line(format_args!("do{index} -.->|silent| undo{index}"));
                line(format_args!("undo{index} --> {before}"));
            }
            Kind::Pivot => line(format_args!("do{index} -.->|refused| {before}")),
            Kind::Retriable => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::checkout, *};

    /// If this fails, copy the diagram of the message to the README.
    #[test]
    fn the_readme_shows_the_current_sagas() {
        let readme = include_str!("../../README.md");
        for saga in checkout::ALL {
            let diagram = format!("```mermaid\n{}```\n", mermaid(saga));
            assert!(readme.contains(&diagram), "README.md should contain:\n{diagram}");
        }
    }
}
