//! The menu as a person sees it, and the project file made of the choices.

use super::eval::parse_number;
use super::tree::{Item, Kconfig, Kind, NodeId, SymId};
use crate::error::{Note, ProjectError};
use crate::schema::FORMAT_VERSION;
use crate::value::{Map, Value};

/// One visible line of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it stands for.
    pub node: NodeId,
    /// `[*] Prompt`, indented.
    pub text: String,
    /// The prompt by itself.
    pub prompt: String,
    /// Opens a menu of its own.
    pub opens: bool,
    /// The symbol, if it is one, with its type.
    pub symbol: Option<(SymId, Kind)>,
}

impl Kconfig {
    /// The title of the main menu.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The top of the menu tree.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The visible lines of a menu.
    pub fn entries(&self, menu: NodeId) -> Vec<Entry> {
        let mut out = Vec::new();
        self.collect_entries(menu, 0, &mut out);
        out
    }

    fn collect_entries(&self, menu: NodeId, indent: usize, out: &mut Vec<Entry>) {
        for id in &self.nodes[menu].children {
            out.extend(self.entry(*id, indent));
            let node = &self.nodes[*id];
            let is_choice = matches!(node.item, Item::Choice(_));
            if node.item != Item::Menu && (is_choice || !node.menuconfig) {
                self.collect_entries(*id, indent + 2, out);
            }
        }
    }

    fn entry(&self, id: NodeId, indent: usize) -> Option<Entry> {
        let node = &self.nodes[id];
        let (prompt, condition) = node.prompt.as_ref()?;
        if self.value(condition) == 0 {
            return None;
        }
        let pad = " ".repeat(indent);
        let (text, symbol) = match node.item {
            Item::Menu => (format!("    {pad}{prompt}  --->"), None),
            Item::Choice(_) => (format!("    {pad}{prompt}"), None),
            Item::Comment => (format!("    {pad}*** {prompt} ***"), None),
            Item::If => return None,
            Item::Sym(sym) => {
                let kind = self.syms[sym].kind;
                if kind == Kind::Unknown {
                    return None;
                }
                let arrow = match (node.menuconfig, self.truth(sym) > 0) {
                    (false, _) => "",
                    (true, true) => "  --->",
                    (true, false) => "  ----",
                };
                (format!("{:3} {pad}{prompt}{arrow}", self.marker(sym)), Some((sym, kind)))
            }
        };
        let opens = node.menuconfig && !matches!(node.item, Item::Choice(_));
        Some(Entry { node: id, text, prompt: prompt.clone(), opens, symbol })
    }

    /// The value in front of a prompt.
    fn marker(&self, sym: SymId) -> String {
        let on = self.truth(sym) > 0;
        let mark = if on { "*" } else { " " };
        match self.syms[sym].kind {
            Kind::Bool if self.syms[sym].choice.is_some() => format!("({mark})"),
            Kind::Bool if self.selected(sym) => format!("-{mark}-"),
            Kind::Bool => format!("[{mark}]"),
            _ => format!("({})", self.text(sym)),
        }
    }

    /// The help text of an entry.
    pub fn help(&self, node: NodeId) -> Option<&str> {
        self.nodes[node].help.as_deref().filter(|help| !help.is_empty())
    }

    /// The name of a symbol.
    pub fn name(&self, sym: SymId) -> &str {
        &self.syms[sym].name
    }

    /// Turns a bool on or off; a member of a choice only on.
    pub fn toggle(&mut self, sym: SymId) {
        let on = self.truth(sym) > 0;
        self.assign(sym, if on && self.syms[sym].choice.is_none() { "n" } else { "y" });
    }

    fn assign(&mut self, sym: SymId, text: &str) {
        self.cache.borrow_mut().clear();
        self.syms[sym].user = Some(text.to_owned());
        if let Some(choice) = self.syms[sym].choice.filter(|_| text == "y") {
            self.choices[choice].user = Some(sym);
        }
    }

    /// Sets a text or a number; tells why where that is not possible.
    pub fn set(&mut self, sym: SymId, text: &str) -> Result<(), String> {
        let name = &self.syms[sym].name;
        let hex = self.syms[sym].kind == Kind::Hex;
        let text = if hex && !text.starts_with("0x") { format!("0x{text}") } else { text.to_owned() };
        if matches!(self.syms[sym].kind, Kind::Int | Kind::Hex) {
            let number = parse_number(&text, hex).filter(|number| !hex || *number >= 0);
            let kind = if hex { "hex" } else { "int" };
            let number = number.ok_or(format!("`{text}` is invalid for {name}, which has type {kind}"))?;
            if let Some((low, high)) = self.range(sym).filter(|(low, high)| !(low..=high).contains(&&number))
            {
                return Err(format!("`{text}` for {name} is outside of the range {low} to {high}"));
            }
        }
        self.assign(sym, &text);
        Ok(())
    }

    /// Takes over `menu_configuration` of a project file.
    pub fn load(&mut self, saved: &Map, file: &str) -> Vec<Note> {
        let mut notes = Vec::new();
        for (name, value) in saved {
            let Some(sym) = self.names.get(name.as_str()).copied() else {
                let text = format!("Ignoring unknown configuration variable {name} in {file}");
                notes.push(Note::Warning(text));
                continue;
            };
            let hex = self.syms[sym].kind == Kind::Hex;
            let text = match value {
                Value::Bool(truth) => if *truth { "y" } else { "n" }.to_owned(),
                Value::Int(number) if hex => format!("{number:#x}"),
                Value::Int(number) => number.to_string(),
                Value::Str(text) => text.clone(),
                _ => continue,
            };
            if matches!(self.syms[sym].kind, Kind::Int | Kind::Hex) && parse_number(&text, hex).is_none() {
                let text = format!("the value {text} is invalid for {name} in {file} -- assignment ignored");
                notes.push(Note::Warning(text));
                continue;
            }
            self.assign(sym, &text);
        }
        notes
    }

    /// The project file of the choices. `top_repo` is the repository of the
    /// Kconfig file, `host` the same folder outside of a container.
    pub fn project(&self, top_repo: &str, host: Option<&str>) -> Result<Map, ProjectError> {
        let (mut includes, mut targets) = (Vec::new(), Vec::new());
        let mut system = None;
        let mut variables = Vec::new();
        let mut saved = Map::new();
        for (name, sym) in &self.names {
            let kind = self.syms[*sym].kind;
            if name == "MODULES" || !self.depends(*sym) {
                continue;
            }
            let text = self.text(*sym);
            if self.visible(*sym) {
                saved.insert(name.as_str().into(), saved_value(name, kind, &text)?);
            }
            let special = ["KAS_INCLUDE_", "KAS_TARGET_"].iter().any(|p| name.starts_with(p))
                || name == "KAS_BUILD_SYSTEM";
            if special && kind != Kind::String {
                return Err(ProjectError::Convert(format!("Variable {name} must be of string type")));
            }
            if !special {
                if matches!(kind, Kind::String | Kind::Int | Kind::Hex) {
                    variables.push(format!("{name} = \"{text}\""));
                }
            } else if !text.is_empty() {
                match name.as_str() {
                    "KAS_BUILD_SYSTEM" => system = Some(text),
                    name if name.starts_with("KAS_INCLUDE_") => includes.push(Value::Str(text)),
                    _ => targets.push(Value::Str(text)),
                }
            }
        }
        let mut header = Map::new();
        header.insert("version".into(), Value::Int(FORMAT_VERSION));
        header.insert("includes".into(), includes.into());
        let mut project = Map::new();
        let mut put = |key: &str, value: Value| project.insert(key.into(), value);
        put("header", header.into());
        put("menu_configuration", saved.into());
        put("_source_dir", top_repo.into());
        if let Some(host) = host {
            put("_source_dir_host", host.into());
        }
        if let Some(system) = system {
            put("build_system", system.into());
        }
        if !targets.is_empty() {
            put("target", targets.into());
        }
        if !variables.is_empty() {
            let text: Value = variables.join("\n").into();
            put("local_conf_header", Value::mapping([("__menu_config_vars", text)]));
        }
        Ok(project)
    }
}

fn saved_value(name: &str, kind: Kind, text: &str) -> Result<Value, ProjectError> {
    let number = |hex| {
        let number = parse_number(text, hex).map(Value::Int);
        number
            .ok_or_else(|| ProjectError::Convert(format!("variable {name} has no value; give it a default")))
    };
    match kind {
        Kind::Bool => Ok(Value::Bool(text == "y")),
        Kind::String => Ok(text.into()),
        Kind::Int => number(false),
        Kind::Hex => number(true),
        Kind::Unknown => Err(ProjectError::Convert(format!("variable {name} has no type"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    const TEXT: &str = r#"
mainmenu "Test"
config A
	bool "A"
	default y
	help
	  About A.

	  More.
config B
	string "B" if A
	default "b" if A
	depends on A
menu "Sub"
	visible if A
config C
	int "C"
	range 1 10
	default 20
config H
	hex "H"
	default 0x1f
endmenu
choice
	prompt "One"
	default Y
config X
	bool "X"
config Y
	bool "Y"
	select S
endchoice
config S
	bool "S"
if X
config KAS_INCLUDE_X
	string
	default "x.yml"
endif
config KAS_INCLUDE_Y
	string
	default "y.yml"
	depends on Y
config KAS_TARGET_T
	string
	default "image"
config KAS_BUILD_SYSTEM
	string
	default "oe"
config NAME
	string "Name"
	default "n"
"#;

    fn read(text: &str) -> Result<Kconfig, ProjectError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("Kconfig");
        std::fs::write(&file, text).unwrap();
        Kconfig::read(&file, dir.path(), &Environment::new())
    }

    fn lines(kconfig: &Kconfig, menu: NodeId) -> Vec<String> {
        kconfig.entries(menu).into_iter().map(|entry| entry.text).collect()
    }

    fn symbol(kconfig: &Kconfig, name: &str) -> SymId {
        kconfig.names[name]
    }

    #[test]
    fn the_menu_shows_values_submenus_and_choices() {
        let mut kconfig = read(TEXT).unwrap();
        assert_eq!(kconfig.title(), "Test");
        let top = ["[*] A", "(b)   B", "    Sub  --->", "    One", "( )   X", "(*)   Y", "-*- S", "(n) Name"];
        assert_eq!(lines(&kconfig, kconfig.root()), top);
        let sub = kconfig.entries(kconfig.root())[2].clone();
        assert!(sub.opens);
        assert_eq!(lines(&kconfig, sub.node), ["(10) C", "(0x1f) H"]);
        assert_eq!(kconfig.help(kconfig.entries(kconfig.root())[0].node), Some("About A.\n\nMore."));
        kconfig.toggle(symbol(&kconfig, "A"));
        kconfig.toggle(symbol(&kconfig, "X"));
        let top = ["[ ] A", "    Sub  --->", "    One", "(*)   X", "( )   Y", "[ ] S", "(n) Name"];
        assert_eq!(lines(&kconfig, kconfig.root()), top);
    }

    #[test]
    fn the_project_file_holds_choices_includes_targets_and_variables() {
        let mut kconfig = read(TEXT).unwrap();
        kconfig.set(symbol(&kconfig, "NAME"), "new").unwrap();
        let project = Value::from(kconfig.project("/repo", None).unwrap());
        let options = crate::yaml::EmitOptions { sort: true, null_word: true, ..Default::default() };
        let expected = "_source_dir: /repo\nbuild_system: oe\nheader:\n  includes:\n  - y.yml\n  version: 23\nlocal_conf_header:\n  __menu_config_vars: |-\n    B = \"b\"\n    C = \"10\"\n    H = \"0x1f\"\n    NAME = \"new\"\nmenu_configuration:\n  A: true\n  B: b\n  C: 10\n  H: 31\n  NAME: new\n  S: true\n  X: false\n  Y: true\ntarget:\n- image\n";
        assert_eq!(crate::yaml::emit(&project, &options), expected);
    }

    #[test]
    fn saved_choices_come_back() {
        let mut kconfig = read(TEXT).unwrap();
        let saved = crate::yaml::parse(b"{A: true, B: changed, C: 7, H: 16, X: true, Y: false, NONE: 1}")
            .unwrap()
            .value;
        let notes = kconfig.load(saved.as_map().unwrap(), "f");
        assert_eq!(notes.len(), 1);
        let text = |name: &str| kconfig.text(symbol(&kconfig, name));
        assert_eq!(["B", "C", "H", "X", "Y"].map(text), ["changed", "7", "0x10", "y", "n"]);
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        let mut kconfig = read(TEXT).unwrap();
        let (c, h) = (symbol(&kconfig, "C"), symbol(&kconfig, "H"));
        assert!(kconfig.set(c, "x").unwrap_err().contains("type int"));
        assert!(kconfig.set(c, "11").unwrap_err().contains("range 1 to 10"));
        assert!(kconfig.set(h, "zz").is_err());
        kconfig.set(h, "ff").unwrap();
        assert_eq!(kconfig.text(h), "0xff");
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_loops_end() {
        let message = |text: &str| read(text).unwrap_err().to_string();
        assert!(message("config A\n\tbool \"A\"\n\tnonsense\n").contains(":3: `nonsense`"));
        assert!(message("menu \"M\"\n").contains("`endmenu` is missing"));
        assert!(message("source \"none\"\n").contains("cannot be read"));
        assert!(
            message("config A\n\tstring\n\tdefault $(shell,id)\n").contains("functions are not supported")
        );
        let kconfig =
            read("config A\n\tbool \"A\" if B\n\tdefault y if B\nconfig B\n\tbool \"B\" if A\n\tdefault A\n")
                .unwrap();
        assert!(lines(&kconfig, kconfig.root()).is_empty());
    }
}
