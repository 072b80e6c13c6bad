//! Doc comments of Rust sources, and the other texts in attributes: those of OpenAPI, errors and command lines.

use anyhow::Result;
use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Expr, Lit, Meta, Visibility,
    visit::{self, Visit},
};

use super::{Finding, words};

/// The fewest words of a doc comment on a public item.
const FEWEST: usize = 4;
/// Derives that show doc comments even of private types to users: in the OpenAPI document, or in the help of a command.
const SHOWN_BY: [&str; 5] = ["ToSchema", "IntoParams", "Parser", "Subcommand", "Args"];

pub(super) fn check(source: &str) -> Result<Vec<Finding>> {
    let file = syn::parse_file(source)?;
    let mut reader = Reader::default();
    reader.visit_file(&file);
    reader.finish_comment();
    reader.findings.sort_by_key(|finding| finding.line);
    Ok(reader.findings)
}

#[derive(Default)]
struct Reader {
    findings: Vec<Finding>,
    /// The lines of the doc comment that is being read.
    comment: Vec<(usize, String)>,
    /// Whether fields, variants and methods inside the current item are public with it.
    is_inside_public: bool,
}

impl Reader {
    fn finish_comment(&mut self) {
        let lines = std::mem::take(&mut self.comment);
        self.findings.extend(words::check(&lines));
    }

    /// Reports a doc comment that is too short, if there is one. `missing_docs` reports those that do not exist.
    fn check_length(&mut self, is_public: bool, attributes: &[Attribute]) {
        let lines: Vec<_> = attributes.iter().filter_map(doc_line).collect();
        let Some((line, first)) = lines.first() else {
            return;
        };
        let count: usize = lines
            .iter()
            .flat_map(|(_, text)| text.split_whitespace())
            .filter(|word| word.contains(char::is_alphanumeric))
            .count();
        if is_public && count < FEWEST {
            let what = format!("\"{}\" is shorter than {FEWEST} words", first.trim());
            self.findings.push(Finding::new(*line, what));
        }
    }

    /// Reads the inside of an item whose parts are as public as the item.
    fn inside(&mut self, is_public: bool, read: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.is_inside_public, is_public);
        read(self);
        self.is_inside_public = outside;
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether an attribute shows the item's doc comments to strangers.
fn is_shown(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("derive") => {
            let derives = list.tokens.to_string();
            derives
                .split(|character: char| !character.is_alphanumeric())
                .any(|name| SHOWN_BY.contains(&name))
        }
        Meta::List(list) => list
            .path
            .segments
            .first()
            .is_some_and(|first| first.ident == "utoipa"),
        _ => false,
    })
}

/// The line and the text of `/// text`, which Rust reads as `#[doc = " text"]`.
fn doc_line(attribute: &Attribute) -> Option<(usize, String)> {
    let Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    if !meta.path.is_ident("doc") {
        return None;
    }
    let Expr::Lit(value) = &meta.value else {
        return None;
    };
    let Lit::Str(text) = &value.lit else { return None };
    Some((text.span().start().line, text.value()))
}

/// The string literals of an attribute's arguments.
fn strings(tokens: TokenStream, found: &mut Vec<(usize, String)>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => strings(group.stream(), found),
            TokenTree::Literal(literal) => {
                if let Lit::Str(text) = Lit::new(literal) {
                    found.push((text.span().start().line, text.value()));
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// Visits items that are public only by their own visibility.
macro_rules! visit_items {
    ($($visit:ident: $item:ident),+ $(,)?) => {
        $(fn $visit(&mut self, item: &'ast syn::$item) {
            self.check_length(is_public(&item.vis), &item.attrs);
            visit::$visit(self, item);
        })+
    };
}

impl<'ast> Visit<'ast> for Reader {
    visit_items! {
        visit_item_const: ItemConst,
        visit_item_mod: ItemMod,
        visit_item_static: ItemStatic,
        visit_item_type: ItemType,
        visit_impl_item_const: ImplItemConst,
        visit_impl_item_fn: ImplItemFn,
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Some((line, text)) = doc_line(attribute) {
            if self.comment.last().is_some_and(|(last, _)| last + 1 != line) {
                self.finish_comment();
            }
            self.comment.push((line, text));
        } else if let Meta::List(list) = &attribute.meta {
            let mut texts = Vec::new();
            strings(list.tokens.clone(), &mut texts);
            for text in texts {
                self.findings.extend(words::check(&[text]));
            }
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.check_length(is_public(&item.vis) || is_shown(&item.attrs), &item.attrs);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        let is_shown = is_shown(&item.attrs);
        self.check_length(is_public(&item.vis) || is_shown, &item.attrs);
        // Fields have a visibility of their own.
        self.inside(is_shown, |reader| visit::visit_item_struct(reader, item));
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let is_public = is_public(&item.vis) || is_shown(&item.attrs);
        self.check_length(is_public, &item.attrs);
        self.inside(is_public, |reader| visit::visit_item_enum(reader, item));
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.check_length(self.is_inside_public, &variant.attrs);
        visit::visit_variant(self, variant);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.check_length(self.is_inside_public || is_public(&field.vis), &field.attrs);
        visit::visit_field(self, field);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let is_public = is_public(&item.vis);
        self.check_length(is_public, &item.attrs);
        self.inside(is_public, |reader| visit::visit_item_trait(reader, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.check_length(self.is_inside_public, &item.attrs);
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<String> {
        check(source)
            .unwrap()
            .into_iter()
            .map(|finding| format!("{}: {}", finding.line, finding.what))
            .collect()
    }

    #[test]
    fn short_comments_on_public_items_are_found() {
        let source = "/// Whose.\npub struct Cart {\n    /// So many.\n    pub items: u8,\n    /// Private.\n    id: u8,\n}\n\
                      /// Ends.\npub enum End {\n    /// Good.\n    Good,\n}";
        let short = "is shorter than 4 words";
        assert_eq!(
            found(source),
            [
                format!("1: \"Whose.\" {short}"),
                format!("3: \"So many.\" {short}"),
                "3: \"so many\": write a number with its unit".to_owned(),
                format!("8: \"Ends.\" {short}"),
                format!("10: \"Good.\" {short}"),
            ]
        );
    }

    #[test]
    fn what_open_api_and_help_show_is_public() {
        assert_eq!(
            found("#[derive(ToSchema)]\nstruct Cart {\n    /// The owner.\n    owner: u8,\n}").len(),
            1
        );
        assert_eq!(
            found("#[utoipa::path(get)]\n/// Lists.\nasync fn list() {}").len(),
            1
        );
        assert_eq!(
            found("#[derive(Debug)]\nstruct Cart {\n    /// The owner.\n    owner: u8,\n}").len(),
            0
        );
        assert_eq!(found("/// Returns the cart's owner.\npub fn owner() {}").len(), 0);
    }

    #[test]
    fn words_are_checked_in_private_comments_and_attributes() {
        let source = "//! Tells nothing.\n/// One line,\n/// told on the next.\nfn private() {}\n\
                      #[utoipa::path(responses((status = 200, description = \"Goods.\")))]\nfn get() {}";
        let lines: Vec<_> = check(source)
            .unwrap()
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [1, 3, 5]);
    }
}
