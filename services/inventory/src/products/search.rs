//! Words as the catalog is searched by: lower case, without accents, letters and digits only. A text index is not to be had
//! on every server; an index over such words is, and finds by their beginnings.

use std::collections::BTreeSet;

use bson::{Document, doc};

/// Words of a query that count; more than that is no search but a load.
const MAX_WORDS: usize = 8;

/// Lower case, without accents.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' => folded.push('e'),
            'ì'..='ï' | 'ī' => folded.push('i'),
            'ñ' | 'ń' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => folded.push('o'),
            'ś' | 'š' => folded.push('s'),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ź' | 'ż' | 'ž' => folded.push('z'),
            'ł' => folded.push('l'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            // Combining marks, which decomposed text has beside its letters.
            '\u{300}'..='\u{36f}' => {}
            other => folded.push(other),
        }
    }
    folded
}

/// The words of a text, each once, sorted.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words: BTreeSet<_> = folded
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.into_iter().map(str::to_owned).collect()
}

/// What a shopper searches for.
#[derive(Debug, Clone)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// The words of `q`; none if it has none.
    pub(super) fn of(q: &str) -> Self {
        let mut words = tokens(q);
        words.truncate(MAX_WORDS);
        Self(words)
    }

    /// Every word begins a word of the product. Words are letters and digits, so nothing in them means anything to a
    /// regular expression. Without any word nothing matches.
    pub(super) fn filter(&self) -> Document {
        if self.0.is_empty() {
            return doc! {"search": {"$in": []}};
        }
        let each: Vec<_> = self
            .0
            .iter()
            .map(|word| doc! {"search": {"$regex": format!("^{word}")}})
            .collect();
        doc! {"$and": each}
    }

    /// How well a product fits: a whole word of its name counts three, a whole word elsewhere one.
    pub(super) fn score(&self) -> Document {
        let found = |field: &str| doc! {"$size": {"$setIntersection": [field, &self.0]}};
        doc! {"$add": [{"$multiply": [2, found("$name_tokens")]}, found("$search")]}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_each_is_there_once() {
        assert_eq!(
            tokens("Crème brûlée, CRÈME — Größe 0.3 l"),
            ["0", "3", "brulee", "creme", "grosse", "l"]
        );
        assert_eq!(tokens("cafe\u{301}"), ["cafe"]);
    }

    #[test]
    fn nothing_of_a_query_reaches_the_pattern_but_letters_and_digits() {
        assert_eq!(Words::of(".* $where (a|b) [x").0, ["a", "b", "where", "x"]);
        assert_eq!(Words::of("!!!").filter(), doc! {"search": {"$in": []}});
        assert_eq!(Words::of("a b c d e f g h i j").0.len(), MAX_WORDS);
    }
}
