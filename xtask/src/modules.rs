//! Checks the layers inside the gateway: each of its modules uses only those before it in [`LAYERS`].

use std::path::Path;

use anyhow::{Context as _, Result};
use syn::visit::Visit;

/// The modules of the gateway, from the lowest layer to the highest.
const LAYERS: [&str; 11] = [
    "metrics", "config", "message", "report", "upstream", "links", "actions", "openapi", "snapshot", "serve",
    "process",
];

/// The uses that violate the layers, in the gateway's folder `src`.
pub(crate) fn violations(folder: &Path) -> Result<Vec<String>> {
    let mut violations = vec![];
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let module = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !["lib", "main", "docs"].contains(&&*module) {
            check(&path, &module, &mut violations)?;
        }
    }
    violations.sort();
    violations.dedup();
    Ok(violations)
}

/// Checks a file of a module, or all files of its folder.
fn check(path: &Path, module: &str, violations: &mut Vec<String>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            check(&entry?.path(), module, violations)?;
        }
        return Ok(());
    }
    if path.extension().is_none_or(|extension| extension != "rs") {
        return Ok(());
    }
    let text = std::fs::read_to_string(path)?;
    let file = syn::parse_file(&text).with_context(|| path.display().to_string())?;
    for used in used(&file) {
        if !is_allowed(module, &used) {
            violations.push(format!("gateway: `{module}` uses `{used}` ({})", path.display()));
        }
    }
    Ok(())
}

/// Whether one module may use another. Both must be known.
fn is_allowed(module: &str, used: &str) -> bool {
    let layer = |name: &str| LAYERS.iter().position(|one| *one == name);
    matches!((layer(module), layer(used)), (Some(own), Some(used)) if used <= own)
}

/// The names that follow `crate::` in a file.
fn used(file: &syn::File) -> Vec<String> {
    #[derive(Default)]
    struct Uses(Vec<String>);

    impl Visit<'_> for Uses {
        fn visit_use_path(&mut self, path: &syn::UsePath) {
            if path.ident == "crate" {
                roots(&path.tree, &mut self.0);
            }
            syn::visit::visit_use_path(self, path);
        }

        fn visit_path(&mut self, path: &syn::Path) {
            let mut segments = path.segments.iter();
            if segments.next().is_some_and(|first| first.ident == "crate")
                && let Some(module) = segments.next()
            {
                self.0.push(module.ident.to_string());
            }
            syn::visit::visit_path(self, path);
        }
    }

    let mut uses = Uses::default();
    uses.visit_file(file);
    uses.0
}

/// The first names of a tree of imports.
fn roots(tree: &syn::UseTree, found: &mut Vec<String>) {
    match tree {
        syn::UseTree::Path(path) => found.push(path.ident.to_string()),
        syn::UseTree::Name(name) => found.push(name.ident.to_string()),
        syn::UseTree::Rename(rename) => found.push(rename.ident.to_string()),
        syn::UseTree::Glob(_) => {}
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| roots(tree, found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_uses_only_lower_layers_and_itself() {
        assert!(is_allowed("serve", "snapshot") && is_allowed("links", "links"));
        assert!(!is_allowed("links", "snapshot") && !is_allowed("config", "message"));
        assert!(!is_allowed("unknown", "config"));
    }

    #[test]
    fn uses_are_found_in_imports_and_in_paths() {
        let file = syn::parse_str(
            "use crate::{config::{self, A}, links::B as C}; use crate::message;
             fn f() -> crate::snapshot::D { crate::serve::e() }",
        );
        let mut found = used(&file.unwrap());
        found.sort();
        assert_eq!(found, ["config", "links", "message", "serve", "snapshot"]);
    }
}
