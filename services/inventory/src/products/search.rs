//! Search by word prefixes. Words are normalized to lower-case letters and digits without accents, and stored in an indexed
//! array. Unlike text indexes, such an index works on every MongoDB-compatible server.

use std::collections::BTreeSet;

use bson::{Document, doc};

/// Maximum number of words of a query that are used, which limits the load of a search.
const MAX_WORDS: usize = 8;

/// Converts text to lower case and removes accents.
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
            // Combining marks of decomposed text.
            '\u{300}'..='\u{36f}' => {}
            other => folded.push(other),
        }
    }
    folded
}

/// The normalized words of a text, sorted and without duplicates.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words: BTreeSet<_> = folded
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.into_iter().map(str::to_owned).collect()
}

/// The normalized words of a search query.
#[derive(Debug, Clone)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// Extracts the words of `q`, up to the maximum. The result may be empty.
    pub(super) fn of(q: &str) -> Self {
        let mut words = tokens(q);
        words.truncate(MAX_WORDS);
        Self(words)
    }

    /// Filter for products in which each word is the beginning of a word. Words consist of letters and digits only, so they
    /// need no escaping in a regular expression. Without words, nothing matches.
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

    /// Expression for the relevance of a product: a complete word counts 3 in the name and 1 elsewhere.
    pub(super) fn score(&self) -> Document {
        let found = |field: &str| doc! {"$size": {"$setIntersection": [field, &self.0]}};
        doc! {"$add": [{"$multiply": [2, found("$name_tokens")]}, found("$search")]}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_normalized_and_unique() {
        assert_eq!(
            tokens("Crème brûlée, CRÈME — Größe 0.3 l"),
            ["0", "3", "brulee", "creme", "grosse", "l"]
        );
        assert_eq!(tokens("cafe\u{301}"), ["cafe"]);
    }

    #[test]
    fn only_letters_and_digits_of_a_query_reach_the_pattern() {
        assert_eq!(Words::of(".* $where (a|b) [x").0, ["a", "b", "where", "x"]);
        assert_eq!(Words::of("!!!").filter(), doc! {"search": {"$in": []}});
        assert_eq!(Words::of("a b c d e f g h i j").0.len(), MAX_WORDS);
    }
}
