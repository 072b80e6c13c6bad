//! Words that make a technical text a riddle, and the phrases in which the same words are right.

use super::Finding;

/// Phrases to avoid, and what to write instead. A full stop stands for the start or the end of a sentence.
#[rustfmt::skip]
const AVOIDED: &[(&str, &[&str])] = &[
    ("publish, notify, log, return or report", &["tell", "tells", "told", "telling"]),
    ("receive, reply or outcome", &["hear", "hears", "heard", "hearing"]),
    ("is unavailable, or does not exist", &["is away", "are away", "was away", "were away", "be away", "been away"]),
    ("has recovered or reconnected", &["is back", "are back", "was back", "be back", "back again"]),
    ("poll, pick up or resume", &["take up", "takes up", "took up", "taken up", "taking up"]),
    ("continue", &["go on", "goes on", "went on", "going on", "gone on"]),
    ("again", &["anew"]),
    ("is redelivered, or is repeated", &["come again", "comes again", "came again"]),
    ("release, refund or return", &[
        "give back", "gives back", "gave back", "given back", "giving back",
        "give it back", "gives it back", "gave it back", "give them back", "gives them back", "gave them back",
    ]),
    ("dead-letter or requeue", &["put aside", "puts aside", "putting aside", "set aside", "sets aside"]),
    ("release", &["set free", "sets free", "setting free"]),
    ("close or release", &["let go", "lets go", "letting go"]),
    ("the remainder", &["what is left", "what was left"]),
    ("the previous value", &["what it was", "what was there"]),
    ("unchanged", &["as it is .", "as it was .", "as they are .", "as they were ."]),
    ("every, or everything", &["all that", "all there is", "of all ."]),
    ("a number with its unit", &[". so many", ". so much"]),
    ("items, stock or product", &["goods"]),
    ("a noun that names it", &["a thing"]),
    ("no client, no process, nothing", &["nobody"]),
    ("another process, the caller, a person", &["somebody"]),
];

/// Phrases that contain an avoided one, and are plain English all the same.
const ALLOWED: &[&str] = &[
    // To distinguish, not to publish.
    "tell apart",
    "told apart",
    "tell them apart",
    "tell the two apart",
    "tell whether",
    "tell which",
    "cannot tell",
    // Activity, not continuation.
    "what is going on",
    // Availability of products.
    "is back in stock",
    "are back in stock",
    "be back in stock",
    // Size and duration, not continuation.
    "takes up space",
    "takes up memory",
    "take up to",
    "takes up to",
];

/// A word of a text in lower case, or a full stop for every border of sentences.
struct Token {
    word: String,
    line: usize,
}

/// Checks texts that are read as one, each with the number of its line.
pub(super) fn check(lines: &[(usize, String)]) -> Vec<Finding> {
    let tokens = tokens(lines);
    let mut findings = Vec::new();
    for at in 0..tokens.len() {
        for (better, phrases) in AVOIDED {
            for phrase in phrases.iter().filter(|phrase| is_at(&tokens, at, phrase)) {
                if !is_allowed(&tokens, at, phrase) {
                    let shown = phrase.trim_matches([' ', '.']);
                    findings.push(Finding::new(
                        tokens[at].line,
                        format!("\"{shown}\": write {better}"),
                    ));
                }
            }
        }
    }
    findings
}

/// Checks every line of a file on its own.
pub(super) fn check_lines(text: &str) -> Vec<Finding> {
    (1..)
        .zip(text.lines())
        .flat_map(|(number, line)| check(&[(number, line.to_owned())]))
        .collect()
}

/// Whether the phrase stands at that token.
fn is_at(tokens: &[Token], at: usize, phrase: &str) -> bool {
    let mut found = tokens[at..].iter();
    phrase
        .split(' ')
        .all(|word| found.next().is_some_and(|token| token.word == word))
}

/// Whether an allowed phrase stands around the avoided one.
fn is_allowed(tokens: &[Token], at: usize, avoided: &str) -> bool {
    ALLOWED.iter().any(|allowed| {
        let Some(offset) = allowed.find(avoided) else {
            return false;
        };
        let before = allowed[..offset].split_whitespace().count();
        at >= before && is_at(tokens, at - before, allowed)
    })
}

/// Splits texts into words, without code between backticks.
fn tokens(lines: &[(usize, String)]) -> Vec<Token> {
    let first = lines.first().map_or(1, |(line, _)| *line);
    let mut tokens = vec![border(first)];
    let (mut is_code, mut is_block) = (false, false);
    for (line, text) in lines {
        if text.trim_start().starts_with("```") {
            is_block = !is_block;
            continue;
        }
        if is_block {
            continue;
        }
        if text.trim().is_empty() {
            is_code = false;
            tokens.push(border(*line));
        }
        let mut word = String::new();
        for character in text.chars().chain([' ']) {
            if character == '`' {
                is_code = !is_code;
                // Code is a word of the sentence, but no word to check.
                tokens.push(Token {
                    word: String::from('`'),
                    line: *line,
                });
            } else if is_code {
                // Skipped up to the closing backtick.
            } else if character.is_alphanumeric() || character == '\'' || character == '_' {
                word.extend(character.to_lowercase());
            } else {
                if !word.is_empty() {
                    tokens.push(Token {
                        word: std::mem::take(&mut word),
                        line: *line,
                    });
                }
                if ".!?;:".contains(character) {
                    tokens.push(border(*line));
                }
            }
        }
    }
    let last = lines.last().map_or(1, |(line, _)| *line);
    tokens.push(border(last));
    tokens
}

fn border(line: usize) -> Token {
    Token {
        word: String::from('.'),
        line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check_lines(text)
            .into_iter()
            .map(|finding| format!("{}: {}", finding.line, finding.what))
            .collect()
    }

    #[test]
    fn avoided_words_are_found_with_their_line_and_a_better_word() {
        assert_eq!(
            found("Is told later.\n\nAnd nobody reads it."),
            [
                "1: \"told\": write publish, notify, log, return or report",
                "3: \"nobody\": write no client, no process, nothing",
            ]
        );
    }

    #[test]
    fn phrases_are_found_across_lines() {
        let lines = [(7, "The items are given".to_owned()), (8, "back.".to_owned())];
        let expected = "\"given back\": write release, refund or return";
        assert_eq!(check(&lines), [Finding::new(7, expected)]);
    }

    #[test]
    fn a_full_stop_ties_a_phrase_to_the_border_of_a_sentence() {
        assert_eq!(found("Kept as it is. So many attempts.").len(), 2);
        assert_eq!(found("Kept as it is written, so many times"), [""; 0]);
    }

    #[test]
    fn allowed_phrases_and_code_are_no_findings() {
        assert_eq!(
            found("We cannot tell the two apart; see `told` and ```nobody```."),
            [""; 0]
        );
        assert_eq!(found("The product is back in stock."), [""; 0]);
        assert_eq!(found("The broker is back.").len(), 1);
    }

    #[test]
    fn words_are_compared_as_a_whole() {
        assert_eq!(found("An untold story in a shell of goodsense."), [""; 0]);
    }
}
