//! All files of the crate, and where they break the rules of its rooms.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::source::{Names, Source};
use super::table;

/// The room of the naive twins, which only tests import, and which may import anything.
const REFERENCE: &str = "reference";

pub struct House {
    /// The rooms of each row of the table, from the top row on.
    rows: Vec<Vec<String>>,
    /// The rooms that the root of the crate declares.
    rooms: Vec<String>,
    /// The files of each module that is not for tests alone.
    sources: BTreeMap<Names, Source>,
}

/// For each file, the files that it imports, and which of their items.
type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<String>>>;

impl House {
    /// The house of the files (`name`, `text`), of which src/lib.rs has the table.
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> House {
        let mut rows = Vec::new();
        let mut sources = BTreeMap::new();
        for (file, text) in files {
            if file == "src/lib.rs" {
                rows = table::rows(&text);
            }
            if file != "src/main.rs" {
                let source = Source::new(&file, &text);
                sources.insert(source.module.clone(), source);
            }
        }
        let for_tests: Vec<Names> = sources
            .values()
            .flat_map(|source| source.test_modules.iter().map(|name| inside(&source.module, name)))
            .collect();
        sources.retain(|module, _| !for_tests.iter().any(|tests| module.starts_with(tests)));
        let rooms = sources.get(&Names::new()).map_or(Vec::new(), |root| root.modules.clone());
        House { rows, rooms, sources }
    }

    /// A sentence for each broken rule.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = self.missing_rooms();
        let mut graph = Graph::new();
        for source in self.sources.values().filter(|source| !source.module.is_empty()) {
            let mut rooms = BTreeSet::new();
            for reference in self.references(source) {
                rooms.extend(reference.rooms);
                if let Some((file, item)) = reference.item {
                    graph.entry(&source.file).or_default().entry(file).or_default().insert(item);
                }
            }
            violations.extend(rooms.iter().filter_map(|room| self.upward_import(source, room)));
        }
        violations.extend(circles(&graph));
        violations
    }

    fn missing_rooms(&self) -> Vec<String> {
        let missing = self.rooms.iter().filter(|room| self.row(room).is_none());
        let absent = self.rows.iter().flatten().filter(|room| !self.rooms.contains(room));
        missing
            .map(|room| format!("src/lib.rs: the room {room} is missing from the table"))
            .chain(absent.map(|room| format!("src/lib.rs: the table has a room {room}, which src does not have")))
            .collect()
    }

    /// The row of a room, from 1 at the top.
    fn row(&self, room: &str) -> Option<usize> {
        self.rows.iter().position(|rooms| rooms.iter().any(|name| name == room)).map(|index| index + 1)
    }

    /// What is wrong when `source` imports something of `room`.
    fn upward_import(&self, source: &Source, room: &str) -> Option<String> {
        let (file, own) = (&source.file, source.module[0].as_str());
        if own == room || own == REFERENCE {
            return None;
        }
        if room == REFERENCE {
            return Some(format!("{file} imports crate::{room}, which is for tests, benches and fuzzing alone"));
        }
        let (own_row, row) = (self.row(own)?, self.row(room)?);
        let place = if row < own_row { "above" } else { "beside" };
        (row <= own_row)
            .then(|| format!("{file} imports crate::{room} (row {row}), which is {place} {own} (row {own_row})"))
    }

    /// All that `source` names of other rooms, and of other files of its room.
    fn references<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = Reference<'a>> {
        let imports = source.imports.iter().filter_map(|import| {
            let path = self.absolute(&import.module, &import.path)?;
            let mut reference = self.reference(source, path)?;
            // What a module says of the files under it, such as `pub use`, is no import unless it uses the name itself.
            let is_below = |file| self.sources.values().any(|s| s.file == file && s.module.starts_with(&source.module));
            if import.is_public && !source.names.contains(&import.name) {
                reference.item = reference.item.filter(|(file, _)| !is_below(*file));
            }
            Some(reference)
        });
        let paths = source.paths.iter().filter_map(|(module, path)| {
            let absolute = self.absolute(module, path).or_else(|| {
                let import = source.imports.iter().find(|import| import.name == path[0] && &import.module == module)?;
                Some([self.absolute(&import.module, &import.path)?, path[1..].to_vec()].concat())
            })?;
            self.reference(source, absolute)
        });
        imports.chain(paths)
    }

    fn reference(&self, source: &Source, path: Names) -> Option<Reference<'_>> {
        let written = path.first().filter(|&room| self.rooms.contains(room)).cloned();
        let (module, item) = self.locate(path)?;
        let rooms = written.into_iter().chain(module.first().cloned()).collect();
        let is_other_file = module != source.module && module.first() == source.module.first();
        let item = item.filter(|_| is_other_file).map(|item| (self.sources[&module].file.as_str(), item));
        Some(Reference { rooms, item })
    }

    /// `path`, as written in `module`, from the root of the crate on; nothing of a path to another crate or inside a type.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|&name| name == "super").count();
                Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat())
            }
            _ => self.sources.contains_key(&inside(module, first)).then(|| [module, path].concat()),
        }
    }

    /// The module of the file that defines what `path` names, and the item's name; no item if it names a module.
    fn locate(&self, path: Names) -> Option<(Names, Option<String>)> {
        let mut module = Names::new();
        for (at, name) in path.iter().enumerate() {
            let imported = self.sources.get(&module)?.imports.iter().find(|i| &i.name == name && i.module == module);
            let child = inside(&module, name);
            let is_last = at + 1 == path.len();
            // A module and a function may have one name: the last name of a path is then the function.
            if self.sources.contains_key(&child) && (!is_last || imported.is_none()) {
                module = child;
            } else if let Some(path_of_import) = imported.and_then(|i| self.absolute(&i.module, &i.path)) {
                return self.locate([&path_of_import, &path[at + 1..]].concat());
            } else {
                return Some((module, Some(name.clone())));
            }
        }
        Some((module, None))
    }
}

/// Something of another room, or of another file of the same one.
struct Reference<'a> {
    /// The room that the path names, and the one that the item is defined in.
    rooms: BTreeSet<String>,
    /// The file and the item in it.
    item: Option<(&'a str, String)>,
}

fn inside(module: &[String], name: &str) -> Names {
    [module, &[name.to_owned()]].concat()
}

/// The shortest circle through each file that is in one, each circle once.
fn circles(graph: &Graph) -> Vec<String> {
    let mut found = BTreeSet::new();
    for &start in graph.keys() {
        if let Some(mut circle) = shortest_circle(graph, start) {
            let first = (0..circle.len()).min_by_key(|&at| circle[at]).unwrap();
            circle.rotate_left(first);
            found.insert(circle);
        }
    }
    found.iter().map(|circle| describe(graph, circle)).collect()
}

fn shortest_circle<'a>(graph: &Graph<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for &next in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut circle = vec![file];
                while circle[0] != start {
                    circle.insert(0, from[circle[0]]);
                }
                return Some(circle);
            }
            from.entry(next).or_insert_with(|| {
                queue.push_back(next);
                file
            });
        }
    }
    None
}

fn describe(graph: &Graph, circle: &[&str]) -> String {
    let links = (0..circle.len()).map(|at| {
        let next = circle[(at + 1) % circle.len()];
        let items: Vec<_> = graph[circle[at]][next].iter().map(String::as_str).collect();
        format!("imports {} from {next}", items.join(", "))
    });
    format!("a circle: {} {}", circle[0], links.collect::<Vec<_>>().join(", which "))
}

#[cfg(test)]
mod tests {
    use super::House;

    const TABLE: &str = "//! | room | holds |\n//! |---|---|\n//! | [`top`] | x |\n//! | [`left`] · `right` | x |\n\
                         //! | `low` | x |\n//! | [`reference`] | x |\nmod top; mod left; mod right; mod low; mod reference;";

    fn violations(files: &[(&str, &str)]) -> Vec<String> {
        let lib = ("src/lib.rs", TABLE);
        let rooms =
            ["src/top.rs", "src/left.rs", "src/right.rs", "src/low.rs", "src/reference.rs"].map(|file| (file, ""));
        let all = std::iter::once(&lib).chain(&rooms).chain(files);
        House::new(all.map(|&(file, text)| (file.to_owned(), text.to_owned()))).violations()
    }

    #[test]
    fn imports_from_rows_below_are_right() {
        let top = "use crate::left::A; use crate::{right, low::B}; fn f() { crate::low::g(); right::h(); }";
        assert!(violations(&[("src/top.rs", top), ("src/left.rs", "use super::low::B;")]).is_empty());
    }

    #[test]
    fn an_import_from_a_row_above_or_from_the_same_row_is_found() {
        let found =
            violations(&[("src/low.rs", "fn f() { crate::top::g() }"), ("src/left.rs", "use crate::right::A;")]);
        let expected = [
            "src/left.rs imports crate::right (row 2), which is beside left (row 2)",
            "src/low.rs imports crate::top (row 1), which is above low (row 3)",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_import_through_a_re_export_counts_as_one_from_the_room_that_defines() {
        let lib = format!("{TABLE} pub use top::A;");
        let found = violations(&[("src/lib.rs", &lib), ("src/low.rs", "use crate::A;")]);
        assert_eq!(found, ["src/low.rs imports crate::top (row 1), which is above low (row 3)"]);
    }

    #[test]
    fn only_tests_import_the_reference() {
        let tests = "#[cfg(test)] mod tests { use crate::reference::f; } #[cfg(test)] mod more;";
        let found = violations(&[
            ("src/top.rs", "use crate::reference::f;"),
            ("src/left.rs", tests),
            ("src/left/more.rs", "use crate::top::A;"),
            ("src/reference.rs", "use crate::top::A;"),
        ]);
        assert_eq!(found, ["src/top.rs imports crate::reference, which is for tests, benches and fuzzing alone"]);
    }

    #[test]
    fn a_room_without_a_row_and_a_row_without_a_room_are_found() {
        let lib = TABLE.replace("`low`", "`cellar`");
        let expected = [
            "src/lib.rs: the room low is missing from the table",
            "src/lib.rs: the table has a room cellar, which src does not have",
        ];
        assert_eq!(violations(&[("src/lib.rs", &lib)]), expected);
    }

    #[test]
    fn a_circle_of_files_is_found_through_the_re_exports_of_their_room() {
        let found = violations(&[
            ("src/low.rs", "mod a; mod b; mod c; pub use a::A; pub use b::B;"),
            ("src/low/a.rs", "use super::B;"),
            ("src/low/b.rs", "use super::c::{self};  fn f() { c::g() }"),
            ("src/low/c.rs", "use crate::low::A;"),
        ]);
        let circle = "a circle: src/low/a.rs imports B from src/low/b.rs, which imports g from src/low/c.rs, which imports A \
                      from src/low/a.rs";
        assert_eq!(found, [circle]);
    }

    #[test]
    fn a_file_and_its_parent_are_a_circle_when_the_parent_uses_what_it_re_exports() {
        let child = ("src/low/a.rs", "use super::Shared;");
        let unused = "mod a; pub use a::A; pub struct Shared;";
        assert!(violations(&[("src/low.rs", unused), child]).is_empty());
        let used = "mod a; pub use a::A; pub struct Shared; fn f() -> A {}";
        let circle = "a circle: src/low.rs imports A from src/low/a.rs, which imports Shared from src/low.rs";
        assert_eq!(violations(&[("src/low.rs", used), child]), [circle]);
    }
}
