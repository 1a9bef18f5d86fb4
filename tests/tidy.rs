//! The invariants of ARCHITECTURE.md that can be seen in the source text. Each is an absence.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The lines of a README that is read in five minutes.
const README_LINES: usize = 120;
const MOST_BYTES: u64 = 1 << 20;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below `folder` with this ending, as (path from the root, text). Never empty: a check of nothing
/// would always pass.
fn sources(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "node_modules" && name != "target" {
                folders.push(path);
            } else if name.ends_with(ending) {
                let text = fs::read_to_string(&path).unwrap();
                out.push((path.strip_prefix(root()).unwrap().display().to_string(), text));
            }
        }
    }
    assert!(!out.is_empty(), "no {ending} file in {folder}");
    out
}

/// `path:line: text` of the lines that offend, tests of the crates left out.
fn offending(files: &[(String, String)], offends: impl Fn(&str) -> bool) -> Vec<String> {
    let ours = files.iter().filter(|(path, _)| !path.contains("/tests") && !path.contains("/examples/"));
    ours.flat_map(|(path, text)| {
        let lines = text.lines().enumerate().filter(|(_, line)| offends(line));
        lines.map(move |(number, line)| format!("{path}:{}: {}", number + 1, line.trim()))
    })
    .collect()
}

fn except<'a>(
    files: &[(String, String)],
    allowed: impl IntoIterator<Item = &'a str>,
) -> Vec<(String, String)> {
    let allowed: Vec<_> = allowed.into_iter().collect();
    let kept = files.iter().filter(|(path, _)| !allowed.iter().any(|start| path.starts_with(start)));
    kept.cloned().collect()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn sql_is_in_the_store_alone() {
    let files = except(&sources("crates", ".rs"), ["crates/store/", "crates/testkit/"]);
    let is_sql = |line: &str| {
        let pair = |first: &str, second: &str| {
            line.find(first).is_some_and(|at| line[at + first.len()..].contains(second))
        };
        line.contains("INSERT INTO ")
            || line.contains("DELETE FROM ")
            || pair("SELECT ", " FROM ")
            || pair("UPDATE ", " SET ")
    };
    none(offending(&files, is_sql));
}

#[test]
fn a_drivers_name_is_in_the_seam_alone() {
    let files = except(&sources("crates", ".rs"), ["crates/store/src/dialect", "crates/store/src/sql"]);
    let names = ["rusqlite", "tokio_postgres", "deadpool_postgres"];
    none(offending(&files, |line| !is_comment(line) && names.iter().any(|name| line.contains(name))));
}

#[test]
fn the_letter_and_the_decision_know_no_runtime_no_clock_and_no_database() {
    for name in ["model", "mail", "intake"] {
        let files = sources(&format!("crates/{name}/src"), ".rs");
        let words =
            ["tokio", "async fn", ".await", "SystemTime::now", "Timestamp::now", "store::", "getrandom"];
        none(offending(&files, |line| !is_comment(line) && words.iter().any(|word| line.contains(word))));
    }
}

#[test]
fn the_clock_and_chance_are_reached_in_one_place_each() {
    let files = except(
        &sources("crates", ".rs"),
        ["crates/desk/src/clock.rs", "crates/desk/src/random.rs", "crates/testkit/"],
    );
    let words = ["SystemTime::now", "Timestamp::now", "Zoned::now", "UNIX_EPOCH.elapsed", "getrandom::"];
    none(offending(&files, |line| !is_comment(line) && words.iter().any(|word| line.contains(word))));
}

/// Who may use whom (ARCHITECTURE.md); testkit is for tests, lettercase wires all.
/// `sync` names values of the plan that it hands to desk.
const MAY_USE: [(&str, &[&str]); 8] = [
    ("model", &[]),
    ("mail", &["model"]),
    ("wire", &[]),
    ("store", &["model"]),
    ("intake", &["model", "mail"]),
    ("desk", &["model", "mail", "intake", "store"]),
    ("sync", &["model", "intake", "wire", "store", "desk"]),
    ("server", &["model", "mail", "store", "desk"]),
];

#[test]
fn crates_use_only_whom_they_may() {
    for (name, allowed) in MAY_USE {
        let manifest = fs::read_to_string(root().join(format!("crates/{name}/Cargo.toml"))).unwrap();
        let dependencies = manifest.split("\n[").find(|part| part.starts_with("dependencies]")).unwrap();
        let used = dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
        let ours = used
            .filter(|used| root().join("crates").join(used).join("Cargo.toml").exists() && !used.is_empty());
        let refused: Vec<_> = ours.filter(|used| !allowed.contains(used)).collect();
        assert!(refused.is_empty(), "{name} must not use {refused:?}");
    }
}

#[test]
fn foreign_html_reaches_no_page_of_the_interface() {
    none(offending(&sources("ui/src", ".svelte"), |line| line.contains("{@html")));
}

#[test]
fn nothing_is_left_for_later() {
    let marks =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];
    let mut files = sources("crates", ".rs");
    files.extend(sources("ui/src", ".ts"));
    files.extend(sources("ui/src", ".svelte"));
    none(offending(&files, |line| marks.iter().any(|mark| line.contains(mark))));
}

#[test]
fn every_point_where_tests_end_the_program_is_in_the_table_and_in_the_code() {
    let files = except(&sources("crates", ".rs"), ["crates/store/src/point.rs", "crates/testkit/"]);
    let lines = files.iter().flat_map(|(_, text)| text.lines()).filter(|line| !is_comment(line));
    let after = lines.flat_map(|line| line.split("point::reached(\"").skip(1));
    let in_code: BTreeSet<&str> = after.filter_map(|rest| rest.split('"').next()).collect();
    let in_table: BTreeSet<&str> = store::point::POINTS.iter().map(|(point, _)| *point).collect();
    assert_eq!(in_code, in_table);
}

#[test]
fn every_module_says_first_what_it_is_for() {
    let without: Vec<_> = sources("crates", ".rs")
        .into_iter()
        .filter(|(path, text)| {
            path.contains("/src/")
                && !path.ends_with("tests.rs")
                && !path.contains("/tests/")
                && !text.trim_start().starts_with("//!")
        })
        .map(|(path, _)| path)
        .collect();
    none(without);
}

#[test]
fn the_readme_is_read_in_five_minutes() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let lines = text.lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines");
}

#[test]
fn no_tracked_file_is_large() {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    if !listed.status.success() {
        println!("skipped: not a git checkout");
        return;
    }
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    // A tracked file that somebody is just removing is not there.
    let size = |name: &str| fs::metadata(root().join(name)).map_or(0, |meta| meta.len());
    none(
        names
            .split('\0')
            .filter(|name| !name.is_empty() && size(name) > MOST_BYTES)
            .map(str::to_owned)
            .collect(),
    );
}
