//! One file of the crate: its module, and what it imports.

use std::collections::HashSet;

use super::tokens::{tokens, without_tests};

/// The names of modules from the root of the crate on, and perhaps of an item.
pub type Names = Vec<String>;

/// A file, as far as it is compiled without tests.
pub struct Source {
    /// The file's name, as in src/pca/fit.rs.
    pub file: String,
    /// The module that it is, as in pca, fit.
    pub module: Names,
    /// The modules that are files of their own, and declared here.
    pub modules: Vec<String>,
    /// Those of them that only tests have.
    pub test_modules: Vec<String>,
    pub imports: Vec<Import>,
    /// Paths of two names and more in the code, each with the module that it is in.
    pub paths: Vec<(Names, Names)>,
    /// Names in the code that are no part of a path, a field, or a method.
    pub names: HashSet<String>,
}

/// One name of a `use`.
pub struct Import {
    /// The module that the `use` is in: that of the file, or one inside it.
    pub module: Names,
    pub path: Names,
    /// What the file calls it; `*` for all that the path holds.
    pub name: String,
    pub is_public: bool,
}

impl Source {
    /// Reads the text of `file`, as in src/pca/fit.rs.
    pub fn new(file: &str, text: &str) -> Source {
        let all = tokens(text);
        let (tokens, test_modules) = without_tests(&all);
        let mut source = Source {
            file: file.to_owned(),
            module: module(file),
            modules: Vec::new(),
            test_modules: test_modules.into_iter().map(String::from).collect(),
            imports: Vec::new(),
            paths: Vec::new(),
            names: HashSet::new(),
        };
        source.walk(&tokens);
        source
    }

    fn walk(&mut self, tokens: &[&str]) {
        // For each open brace, the module that it opens, if it opens one.
        let mut braces: Vec<Option<&str>> = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let before = if at == 0 { "" } else { tokens[at - 1] };
            let inside =
                || self.module.iter().cloned().chain(braces.iter().flatten().map(|&name| name.to_owned())).collect();
            match &tokens[at..] {
                ["mod", name, ";", ..] => {
                    self.modules.push((*name).to_owned());
                    at += 3;
                }
                ["mod", name, "{", ..] => {
                    braces.push(Some(name));
                    at += 3;
                }
                ["{", ..] => {
                    braces.push(None);
                    at += 1;
                }
                ["}", ..] => {
                    braces.pop();
                    at += 1;
                }
                // `use<…>` is a bound.
                ["use", next, ..] if *next != "<" => {
                    let (module, is_public): (Names, _) = (inside(), before == "pub" || before == ")");
                    let mut found = Vec::new();
                    at += 1 + tree(&tokens[at + 1..], &[], &mut found);
                    self.imports.extend(found.into_iter().map(|(path, name)| Import {
                        module: module.clone(),
                        path,
                        name,
                        is_public,
                    }));
                }
                [word, ..] if is_name(word) => {
                    let path = path(&tokens[at..]);
                    let after = at + 2 * path.len() - 1;
                    if path.len() > 1 {
                        let path = path.iter().map(|&name| name.to_owned()).collect();
                        self.paths.push((inside(), path));
                    }
                    // A small letter starts a function, or the name of something in a function: it must be called.
                    let counts = word.starts_with(|c: char| c.is_uppercase()) || tokens.get(after) == Some(&"(");
                    if path.len() > 1 || (counts && !matches!(before, "." | "fn" | "::")) {
                        self.names.insert((*word).to_owned());
                    }
                    at = after;
                }
                _ => at += 1,
            }
        }
    }
}

/// The module that a file is, from the root of the crate on.
fn module(file: &str) -> Names {
    let path = file.strip_prefix("src/").unwrap_or(file).trim_end_matches(".rs");
    let mut names: Names = path.split('/').map(String::from).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib")) {
        names.pop();
    }
    names
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The names at the start of `tokens` that `::` joins.
fn path<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    let more = tokens[1..].chunks_exact(2).take_while(|pair| pair[0] == "::" && is_name(pair[1])).map(|pair| pair[1]);
    std::iter::once(tokens[0]).chain(more).collect()
}

/// Adds the path and the name of each import of the tree that `tokens` start with, under `prefix`, to `found`; the number
/// of tokens up to the `,`, `}` or `;` after the tree, and that of `;`.
fn tree(tokens: &[&str], prefix: &[String], found: &mut Vec<(Names, String)>) -> usize {
    let mut path = prefix.to_vec();
    let mut at = 0;
    loop {
        match tokens[at] {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens[at] != "}" {
                    at += tree(&tokens[at..], &path, found);
                    at += usize::from(tokens[at] == ",");
                }
                at += 1;
                break;
            }
            "self" if !path.is_empty() => at += 1,
            "*" => {
                found.push((path, "*".to_owned()));
                at += 1;
                break;
            }
            "as" => {
                found.push((path, tokens[at + 1].to_owned()));
                at += 2;
                break;
            }
            "," | "}" | ";" => {
                let name = path.last().cloned().unwrap_or_default();
                found.push((path, name));
                break;
            }
            name => {
                path.push(name.to_owned());
                at += 1;
            }
        }
    }
    at + usize::from(tokens.get(at) == Some(&";"))
}

#[test]
fn each_name_of_a_use_is_an_import() {
    let source = Source::new("src/a/b.rs", "pub(crate) use super::{c::{self, D as E}, f}; use std::g;");
    let imports: Vec<_> = source.imports.iter().map(|i| (i.path.join("::"), i.name.as_str(), i.is_public)).collect();
    let expected =
        [("super::c", "c", true), ("super::c::D", "E", true), ("super::f", "f", true), ("std::g", "g", false)];
    assert_eq!(imports, expected.map(|(path, name, is_public)| (path.to_owned(), name, is_public)));
    assert_eq!(source.module, ["a", "b"]);
}

#[test]
fn a_path_in_the_code_knows_the_module_that_it_is_in() {
    let source = Source::new("src/a.rs", "mod b; mod c { fn d() { super::e(x.f()); G } }");
    assert_eq!(source.modules, ["b"]);
    let path = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Names>();
    assert_eq!(source.paths, [(path(&["a", "c"]), path(&["super", "e"]))]);
    assert!(source.names.contains("G") && !source.names.contains("f"));
}
