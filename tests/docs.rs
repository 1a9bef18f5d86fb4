//! What the documents say and a machine can check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The picture at the top of the README is fetched by everybody who looks at it.
const PICTURE_BYTES: u64 = 400_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What `lettercase ARGUMENTS --help` says.
fn help(arguments: &[&str]) -> String {
    let program =
        Command::new(env!("CARGO_BIN_EXE_lettercase")).args(arguments).arg("--help").output().unwrap();
    assert!(program.status.success(), "lettercase {arguments:?} --help");
    String::from_utf8(program.stdout).unwrap()
}

/// The commands a help text lists.
fn commands(help: &str) -> Vec<String> {
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

/// The long options a help text explains.
fn options(help: &str) -> BTreeSet<String> {
    let words = help.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
    words.map(str::to_owned).filter(|word| word != "--help" && word != "--version").collect()
}

/// The words in backticks, without those of code blocks.
fn code_words(markdown: &str) -> Vec<String> {
    let prose = markdown.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_command_has_its_chapter_and_every_option_its_word() {
    let page = text("docs/commands.md");
    let all = commands(&help(&[]));
    assert!(all.len() >= 10, "the list of commands was not read: {all:?}");
    let mut missing = Vec::new();
    for command in &all {
        if !page.contains(&format!("\n## {command}\n")) {
            missing.push(command.clone());
        }
        let mut calls = vec![vec![command.clone()]];
        calls.extend(commands(&help(&[command])).into_iter().map(|inner| vec![command.clone(), inner]));
        for call in calls {
            let words: Vec<&str> = call.iter().map(String::as_str).collect();
            let unsaid = options(&help(&words)).into_iter().filter(|option| !page.contains(option.as_str()));
            missing.extend(unsaid.map(|option| format!("{} {option}", words.join(" "))));
        }
    }
    assert!(missing.is_empty(), "docs/commands.md does not mention {missing:?}");
}

#[test]
fn every_chapter_of_the_commands_is_a_command() {
    let all = commands(&help(&[]));
    let page = text("docs/commands.md");
    let chapters =
        page.lines().filter_map(|line| line.strip_prefix("## ")).filter(|title| *title != "Settings");
    let unknown: Vec<&str> = chapters.filter(|title| !all.iter().any(|command| command == title)).collect();
    assert!(unknown.is_empty(), "docs/commands.md explains {unknown:?}");
}

#[test]
fn every_file_that_the_documents_name_is_there() {
    let mut named = 0;
    let mut missing = Vec::new();
    for page in ["ARCHITECTURE.md", "STYLE.md"] {
        for word in code_words(&text(page)) {
            let path = word.trim_end_matches('/');
            let is_name = !path.is_empty() && !path.contains([' ', '*', '{', '<', '(', '$', ':']);
            let is_file = path.ends_with(".rs")
                || ["crates/", "ui/", "testdata/"].iter().any(|it| path.starts_with(it));
            if !is_name || !is_file {
                continue;
            }
            named += 1;
            // `desk/receive.rs` is short for crates/desk/src/receive.rs.
            let (name, rest) = path.split_once('/').unwrap_or((path, ""));
            let short = format!("crates/{name}/src/{rest}");
            if ![path.to_owned(), short].iter().any(|path| root().join(path).exists()) {
                missing.push(format!("{page}: {word}"));
            }
        }
    }
    assert!(named >= 40, "only {named} files were found in the documents: the check reads them wrongly");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let mut pages =
        vec!["README.md".to_owned(), "ARCHITECTURE.md".into(), "STYLE.md".into(), "CHANGELOG.md".into()];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    let mut broken = Vec::new();
    for page in &pages {
        let folder = root().join(page).parent().map(Path::to_owned).unwrap_or_default();
        for target in text(page).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !folder.join(file).exists() {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_picture_of_the_readme_is_small() {
    let bytes = fs::metadata(root().join("docs/inbox.png")).unwrap().len();
    assert!(bytes < PICTURE_BYTES, "docs/inbox.png has {bytes} bytes");
}

#[test]
fn the_makes_of_the_readme_can_be_made() {
    let makefile = text("Makefile");
    let readme = text("README.md");
    let words: BTreeSet<&str> = readme
        .split("make ")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next())
        .collect();
    let targets = words.into_iter().filter(|word| !word.is_empty());
    let unknown: Vec<&str> = targets.filter(|target| !makefile.contains(&format!("\n{target}:"))).collect();
    assert!(unknown.is_empty(), "README.md speaks of make {unknown:?}");
}
