//! The words and signs of Rust code.

/// The identifiers, numbers, `::` and other single signs of `text`, without comments, literals of text and lifetimes.
pub fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or_else(|| {
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                tokens.push(&rest[..length]);
            }
            length
        });
        rest = &rest[length..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the comment, literal of text or lifetime that `text` starts with.
fn skipped(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment(text));
    }
    if let Some(after) = text.strip_prefix('\'') {
        return Some(1 + character_or_lifetime(after));
    }
    // A literal may have a prefix: b"…", c"…", r"…", br#"…"#.
    let prefix = text.find(|c| !matches!(c, 'b' | 'c' | 'r')).filter(|&length| length <= 2)?;
    let (raw, literal) = (text[..prefix].contains('r'), &text[prefix..]);
    if raw {
        let hashes = literal.find(|c| c != '#')?;
        let body = literal[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(prefix + hashes + 1 + body.find(&end).map_or(body.len(), |at| at + end.len()));
    }
    if prefix > 0 && literal.starts_with('\'') {
        return Some(prefix + 1 + character_or_lifetime(&literal[1..]));
    }
    Some(prefix + 1 + quoted(literal.strip_prefix('"')?, '"'))
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            let Some(c) = text[at..].chars().next() else { return at };
            at += c.len_utf8();
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The length of what follows an opening `'`.
fn character_or_lifetime(after: &str) -> usize {
    let mut characters = after.char_indices();
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), _) => quoted(after, '\''),
        (_, Some((at, '\''))) => at + 1,
        _ => after.find(|c| !is_word(c)).unwrap_or(after.len()),
    }
}

/// The length of `text` up to its first `quote` that no backslash precedes, and of the quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// `tokens` without the items under `#[cfg(test)]` or `#[cfg(all(test, …))]`, and the names of the modules among these
/// that are files of their own.
pub fn without_tests<'a>(tokens: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        if !rest.starts_with(&["#", "[", "cfg", "(", "test", ")"])
            && !rest.starts_with(&["#", "[", "cfg", "(", "all", "(", "test"])
        {
            kept.push(tokens[at]);
            at += 1;
            continue;
        }
        while tokens.get(at) == Some(&"#") {
            at += 1 + group(&tokens[at + 1..]);
        }
        let item = &tokens[at..at + item(&tokens[at..])];
        if let [.., "mod", name, ";"] = item {
            modules.push(*name);
        }
        at += item.len();
    }
    (kept, modules)
}

/// The length of the item that `tokens` starts with: up to a `;` or a closed `{…}`, of a `use` always the `;`.
fn item(tokens: &[&str]) -> usize {
    let is_use = tokens.iter().take_while(|&&token| token != "{" && token != ";").any(|&token| token == "use");
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at] {
            ";" => return at + 1,
            "{" if !is_use => return at + group(&tokens[at..]),
            "(" | "[" | "{" => at += group(&tokens[at..]),
            _ => at += 1,
        }
    }
    at
}

/// The number of tokens up to the bracket that closes the first one.
fn group(tokens: &[&str]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

#[test]
fn comments_literals_and_lifetimes_are_no_tokens() {
    let text = "a /* b /* c */ d */ \"e \\\" f\" 'g' '\\'' h<'i> r#\"j \" k\"# b\"l\" b'm' br // n\n crate::o";
    assert_eq!(tokens(text), ["a", "h", "<", ">", "br", "crate", "::", "o"]);
}

#[test]
fn items_of_tests_are_left_out() {
    let text =
        "#[cfg(test)] #[x(y)] mod tests; a #[cfg(test)] pub fn f([u8; 2]) { { b } } c #[cfg(test)] use d::{e, f}; g";
    assert_eq!(without_tests(&tokens(text)), (vec!["a", "c", "g"], vec!["tests"]));
}
