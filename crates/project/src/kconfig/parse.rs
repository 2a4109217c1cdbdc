//! Kconfig text to the menu tree.

use super::lex::{Token, expand, tokens};
use super::tree::{Choice, Expr, Item, Kconfig, Kind, Node, NodeId};
use crate::config::Environment;
use crate::error::ProjectError;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// The most files that are read.
const MAX_FILES: usize = 2000;
/// The deepest nesting of `source`, and of parentheses.
pub(super) const MAX_DEPTH: usize = 32;

struct Line {
    number: u32,
    text: String,
}

pub(super) struct Parser<'a> {
    pub out: Kconfig,
    env: &'a Environment,
    /// Where `source` starts from.
    base: PathBuf,
    variables: BTreeMap<String, String>,
    /// Files being read, the present one last, each with the lines to come.
    files: Vec<(PathBuf, VecDeque<Line>)>,
    /// How many files were opened.
    opened: usize,
    line: u32,
}

pub(super) type Result<T> = std::result::Result<T, ProjectError>;

impl Kconfig {
    /// Reads `file` and what it sources: relative to the variable `srctree`
    /// of `env`, else to `base`.
    pub fn read(file: &Path, base: &Path, env: &Environment) -> Result<Kconfig> {
        let base = env.get("srctree").map_or_else(|| base.to_owned(), |tree| base.join(tree));
        let mut parser = Parser {
            out: Kconfig::empty(),
            env,
            base,
            variables: BTreeMap::new(),
            files: Vec::new(),
            opened: 0,
            line: 0,
        };
        parser.out.symbol("MODULES");
        parser.open(file)?;
        let root = parser.out.root;
        parser.block(root, &[])?;
        let mut out = parser.out;
        out.finish();
        Ok(out)
    }
}

impl Parser<'_> {
    pub fn fail<T>(&self, problem: impl Into<String>) -> Result<T> {
        let file = self.files.last().map(|(file, _)| file.clone()).unwrap_or_default();
        Err(ProjectError::Kconfig { file, line: self.line, problem: problem.into() })
    }

    fn open(&mut self, file: &Path) -> Result<()> {
        if self.files.len() > MAX_DEPTH {
            return self.fail(format!("more than {MAX_DEPTH} files source each other"));
        }
        self.opened += 1;
        if self.opened > MAX_FILES {
            return self.fail(format!("more than {MAX_FILES} files are sourced"));
        }
        let text = std::fs::metadata(file).and_then(|data| match data.is_file() && data.len() <= MAX_BYTES {
            true => std::fs::read_to_string(file),
            false => Err(std::io::Error::other("no regular file of up to 1 MiB")),
        });
        let text = match text {
            Ok(text) => text,
            Err(e) => return self.fail(format!("`{}` cannot be read: {e}", file.display())),
        };
        let mut lines: VecDeque<Line> = VecDeque::new();
        let mut joined = false;
        for (text, number) in text.lines().zip(1..) {
            let (text, more) = text.strip_suffix('\\').map_or((text, false), |text| (text, true));
            match lines.back_mut().filter(|_| joined) {
                Some(line) => line.text += text,
                None => lines.push_back(Line { number, text: text.to_owned() }),
            }
            joined = more;
        }
        self.files.push((file.to_owned(), lines));
        Ok(())
    }

    /// The words of the next line that has any; files end in order.
    fn next(&mut self) -> Result<Option<Vec<Token>>> {
        loop {
            let Some((_, lines)) = self.files.last_mut() else { return Ok(None) };
            let Some(line) = lines.pop_front() else {
                if self.files.len() == 1 {
                    return Ok(None);
                }
                self.files.pop();
                continue;
            };
            self.line = line.number;
            let trimmed = line.text.trim_start();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let text = match expand(&line.text, &self.variables, self.env) {
                Ok(text) => text,
                Err(problem) => return self.fail(problem),
            };
            if self.assignment(&text) {
                continue;
            }
            match tokens(&text) {
                Ok(words) if words.is_empty() => {}
                Ok(words) => return Ok(Some(words)),
                Err(problem) => return self.fail(problem),
            }
        }
    }

    /// `NAME = value`, `NAME := value` at the start of a line.
    fn assignment(&mut self, text: &str) -> bool {
        let Some((name, value)) = text.split_once('=') else { return false };
        let name = name.trim_end_matches([':', '+']).trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
        if is_name && !text.starts_with([' ', '\t']) && !value.starts_with('=') {
            self.variables.insert(name.to_owned(), value.trim().to_owned());
            return true;
        }
        false
    }

    /// Puts a line back.
    fn unread(&mut self, text: String) {
        let number = self.line;
        if let Some((_, lines)) = self.files.last_mut() {
            lines.push_front(Line { number, text });
        }
    }

    /// Statements up to one of `ends`, as children of `parent`.
    fn block(&mut self, parent: NodeId, ends: &[&str]) -> Result<()> {
        while let Some(words) = self.next()? {
            let Some(Token::Word(keyword)) = words.first() else {
                return self.fail("a statement is expected");
            };
            let keyword = keyword.clone();
            if ends.contains(&keyword.as_str()) {
                return Ok(());
            }
            self.statement(parent, &keyword, &words[1..])?;
        }
        if ends.is_empty() { Ok(()) } else { self.fail(format!("`{}` is missing", ends.join("` or `"))) }
    }

    fn statement(&mut self, parent: NodeId, keyword: &str, rest: &[Token]) -> Result<()> {
        match (keyword, rest) {
            ("config" | "menuconfig", [Token::Word(name)]) => {
                let sym = self.out.symbol(name);
                let node = self.add(parent, Item::Sym(sym));
                self.out.syms[sym].nodes.push(node);
                self.out.nodes[node].menuconfig = keyword == "menuconfig";
                self.properties(node)
            }
            ("choice", _) => {
                let choice = self.out.choices.len();
                self.out.choices.push(Choice::default());
                let node = self.add(parent, Item::Choice(choice));
                self.out.choices[choice].nodes.push(node);
                self.out.nodes[node].menuconfig = true;
                self.properties(node)?;
                self.block(node, &["endchoice"])
            }
            ("menu", [Token::Text(title)]) => {
                let node = self.add(parent, Item::Menu);
                self.out.nodes[node].prompt = Some((title.clone(), Expr::Yes));
                self.out.nodes[node].menuconfig = true;
                self.properties(node)?;
                self.block(node, &["endmenu"])
            }
            ("comment", [Token::Text(text)]) => {
                let node = self.add(parent, Item::Comment);
                self.out.nodes[node].prompt = Some((text.clone(), Expr::Yes));
                self.properties(node)
            }
            ("if", condition) => {
                let node = self.add(parent, Item::If);
                self.out.nodes[node].dep = self.condition(condition)?;
                self.block(node, &["endif"])
            }
            ("mainmenu", [Token::Text(title)]) => {
                self.out.title = title.clone();
                Ok(())
            }
            ("source" | "rsource" | "osource" | "orsource", [Token::Text(name)]) => {
                self.source(keyword, name)
            }
            _ => self.fail(format!("`{keyword}` is not understood here")),
        }
    }

    fn source(&mut self, keyword: &str, name: &str) -> Result<()> {
        let beside =
            self.files.last().and_then(|(file, _)| file.parent()).map(Path::to_owned).unwrap_or_default();
        let file = if keyword.contains("rsource") { beside.join(name) } else { self.base.join(name) };
        if keyword.starts_with('o') && !file.exists() {
            return Ok(());
        }
        self.open(&file)
    }

    fn add(&mut self, parent: NodeId, item: Item) -> NodeId {
        let id = self.out.nodes.len();
        self.out.nodes.push(Node::new(item));
        self.out.nodes[parent].children.push(id);
        id
    }

    /// The indented lines below a statement.
    fn properties(&mut self, node: NodeId) -> Result<()> {
        loop {
            let before = self.files.len();
            let raw = self.files.last().and_then(|(_, lines)| lines.front()).map(|line| line.text.clone());
            let Some(words) = self.next()? else { return Ok(()) };
            let Some(Token::Word(keyword)) = words.first() else {
                return self.fail("a property is expected");
            };
            let keyword = keyword.clone();
            let ended = self.files.len() != before;
            if keyword == "help" || keyword == "---help---" {
                self.out.nodes[node].help = Some(self.help());
            } else if ended || !self.property(node, &keyword, &words[1..])? {
                // the line belongs to the next statement
                let text = match raw.filter(|raw| raw.trim_start().starts_with(&keyword)) {
                    Some(raw) => raw,
                    None => unlex(&words),
                };
                self.unread(text);
                return Ok(());
            }
        }
    }

    /// One property; `false` if it is none.
    fn property(&mut self, node: NodeId, keyword: &str, rest: &[Token]) -> Result<bool> {
        let kind = match keyword.strip_prefix("def_").unwrap_or(keyword) {
            "bool" | "boolean" | "tristate" => Some(Kind::Bool),
            "string" => Some(Kind::String),
            "int" => Some(Kind::Int),
            "hex" => Some(Kind::Hex),
            _ => None,
        };
        if let Some(kind) = kind {
            if let Item::Sym(sym) = self.out.nodes[node].item {
                self.out.syms[sym].kind = kind;
            }
            match keyword.starts_with("def_") {
                true => self.default(node, rest)?,
                false if !rest.is_empty() => self.prompt(node, rest)?,
                false => {}
            }
            return Ok(true);
        }
        match keyword {
            "prompt" => self.prompt(node, rest)?,
            "default" => self.default(node, rest)?,
            "depends" => {
                let Some((Token::Word(on), condition)) = rest.split_first() else {
                    return self.fail("`on` is missing");
                };
                if on != "on" {
                    return self.fail("`on` is expected after `depends`");
                }
                let condition = self.condition(condition)?;
                let dep = self.out.nodes[node].dep.clone();
                self.out.nodes[node].dep = dep.and(condition);
            }
            "visible" => {
                let (_, condition) = self.split_if(rest)?;
                let visible = self.out.nodes[node].visible_if.clone();
                self.out.nodes[node].visible_if = visible.and(condition);
            }
            "select" | "imply" => {
                let (words, condition) = self.split_if(rest)?;
                let [Token::Word(name)] = words else {
                    return self.fail(format!("`{keyword}` needs a symbol"));
                };
                let sym = self.out.symbol(name);
                let node = &mut self.out.nodes[node];
                if keyword == "select" { &mut node.selects } else { &mut node.implies }
                    .push((sym, condition));
            }
            "range" => {
                let (words, condition) = self.split_if(rest)?;
                let [low, high] = words else { return self.fail("`range` needs two values") };
                let (low, high) = (self.operand(low)?, self.operand(high)?);
                self.out.nodes[node].ranges.push((low, high, condition));
            }
            "optional" => {
                if let Item::Choice(choice) = self.out.nodes[node].item {
                    self.out.choices[choice].optional = true;
                }
            }
            "option" | "modules" | "transitional" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn prompt(&mut self, node: NodeId, rest: &[Token]) -> Result<()> {
        let (words, condition) = self.split_if(rest)?;
        let [Token::Text(text)] = words else { return self.fail("a prompt is a text in quotes") };
        self.out.nodes[node].prompt = Some((text.clone(), condition));
        Ok(())
    }

    fn default(&mut self, node: NodeId, rest: &[Token]) -> Result<()> {
        let (words, condition) = self.split_if(rest)?;
        let value = self.condition(words)?;
        self.out.nodes[node].defaults.push((value, condition));
        Ok(())
    }

    /// The text below `help`: as far as it is indented like its first line.
    fn help(&mut self) -> String {
        let Some((_, lines)) = self.files.last_mut() else { return String::new() };
        let width = |text: &str| {
            text.chars()
                .take_while(|c| c.is_whitespace())
                .map(|c| if c == '\t' { 8 } else { 1 })
                .sum::<usize>()
        };
        let mut out: Vec<String> = Vec::new();
        let mut indent = None;
        while let Some(line) = lines.front() {
            let blank = line.text.trim().is_empty();
            let own = width(&line.text);
            let indent = *indent.get_or_insert(if blank { 0 } else { own });
            if !blank && (own < indent || own == 0) {
                break;
            }
            out.push(line.text.trim().to_owned());
            lines.pop_front();
        }
        out.join("\n").trim().to_owned()
    }
}

/// Words as a line again.
fn unlex(words: &[Token]) -> String {
    let word = |word: &Token| match word {
        Token::Word(word) => word.clone(),
        Token::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Token::Op(op) => (*op).to_owned(),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(files: &[(String, String)]) -> String {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let file = dir.path().join("f0");
        Kconfig::read(&file, dir.path(), &Environment::new()).unwrap_err().to_string()
    }

    #[test]
    fn files_that_are_sourced_too_deep_or_too_often_are_refused() {
        let itself = problem(&[("f0".to_owned(), "source \"f0\"\n".to_owned())]);
        assert!(itself.contains("source each other"), "{itself}");
        let twice = |i: usize| (format!("f{i}"), format!("source \"f{0}\"\nsource \"f{0}\"\n", i + 1));
        let mut files: Vec<_> = (0..25).map(twice).collect();
        files.push(("f25".to_owned(), String::new()));
        assert!(problem(&files).contains("more than 2000 files"));
    }
}
