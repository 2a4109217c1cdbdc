//! What symbols are worth: visibility, defaults, selections, choices, ranges.

use super::tree::{ChoiceId, Expr, Kconfig, Kind, SymId};

/// `n` is 0 and `y` is 2, as in the kernel's tools.
const YES: u8 = 2;

impl Kconfig {
    /// The value of a condition: 0 or 2.
    pub(super) fn value(&self, expr: &Expr) -> u8 {
        match expr {
            Expr::Yes => YES,
            Expr::Const(text) => {
                if text == "y" || text == "m" {
                    YES
                } else {
                    0
                }
            }
            Expr::Sym(sym) => self.truth(*sym),
            Expr::Choice(choice) => self.choice_truth(*choice),
            Expr::Not(inner) => YES - self.value(inner),
            Expr::And(a, b) => self.value(a).min(self.value(b)),
            Expr::Or(a, b) => self.value(a).max(self.value(b)),
            Expr::Compare(op, a, b) => {
                if self.compare(op, a, b) {
                    YES
                } else {
                    0
                }
            }
        }
    }

    fn compare(&self, op: &str, a: &Expr, b: &Expr) -> bool {
        let order = match (self.number(a), self.number(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => self.operand_text(a).cmp(&self.operand_text(b)),
        };
        match op {
            "=" => order.is_eq(),
            "!=" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        }
    }

    fn operand_text(&self, expr: &Expr) -> String {
        match expr {
            Expr::Sym(sym) => self.text(*sym),
            Expr::Const(text) => text.clone(),
            other => if self.value(other) == YES { "y" } else { "n" }.to_owned(),
        }
    }

    /// The number an operand stands for, unless it is a text.
    fn number(&self, expr: &Expr) -> Option<i128> {
        match expr {
            Expr::Sym(sym) => match self.syms[*sym].kind {
                Kind::String => None,
                Kind::Bool => Some(self.truth(*sym).into()),
                Kind::Hex => parse_number(&self.text(*sym), true),
                Kind::Int | Kind::Unknown => parse_number(&self.text(*sym), false),
            },
            Expr::Const(text) => parse_number(text, false),
            _ => None,
        }
    }

    fn any(&self, conditions: &[Expr]) -> bool {
        conditions.iter().any(|condition| self.value(condition) == YES)
    }

    /// Whether the user may set the symbol.
    pub(super) fn visible(&self, sym: SymId) -> bool {
        self.prompt_visible(&self.syms[sym].nodes)
    }

    fn prompt_visible(&self, nodes: &[usize]) -> bool {
        let prompts = nodes.iter().filter_map(|node| self.nodes[*node].prompt.as_ref());
        prompts.map(|(_, condition)| self.value(condition)).any(|value| value == YES)
    }

    /// Whether its dependencies hold.
    pub(super) fn depends(&self, sym: SymId) -> bool {
        self.syms[sym].nodes.iter().any(|node| self.value(&self.nodes[*node].dep) == YES)
    }

    /// Whether others select it, so that it cannot be changed.
    pub(super) fn selected(&self, sym: SymId) -> bool {
        self.any(&self.syms[sym].selected)
    }

    /// The truth of a bool: 0 or 2. A symbol that depends on itself is off.
    pub(super) fn truth(&self, sym: SymId) -> u8 {
        if self.syms[sym].kind != Kind::Bool {
            return 0;
        }
        if let Some(known) = self.cache.borrow().get(&sym) {
            return known.unwrap_or(0);
        }
        self.cache.borrow_mut().insert(sym, None);
        let value = self.compute(sym);
        self.cache.borrow_mut().insert(sym, Some(value));
        value
    }

    fn compute(&self, sym: SymId) -> u8 {
        let symbol = &self.syms[sym];
        if let Some(choice) = symbol.choice {
            let on = self.visible(sym) && self.selection(choice) == Some(sym);
            return if on { YES } else { 0 };
        }
        let mut value = match symbol.user.as_deref().filter(|_| self.visible(sym)) {
            Some(user) => {
                if user == "y" {
                    YES
                } else {
                    0
                }
            }
            None => {
                let default = symbol.defaults.iter().find(|(_, condition)| self.value(condition) == YES);
                let default = default.map_or(0, |(value, _)| self.value(value));
                let implied = self.any(&symbol.implied) && self.depends(sym);
                if implied { YES } else { default }
            }
        };
        if self.selected(sym) {
            value = YES;
        }
        value
    }

    fn choice_truth(&self, choice: ChoiceId) -> u8 {
        let choice = &self.choices[choice];
        let on = self.prompt_visible(&choice.nodes) && (!choice.optional || choice.user.is_some());
        if on { YES } else { 0 }
    }

    /// The symbol of a choice that is on.
    pub(super) fn selection(&self, id: ChoiceId) -> Option<SymId> {
        if self.choice_truth(id) != YES {
            return None;
        }
        let choice = &self.choices[id];
        if let Some(user) = choice.user.filter(|sym| self.visible(*sym)) {
            return Some(user);
        }
        let default = choice.defaults.iter().find_map(|(value, condition)| match value {
            Expr::Sym(sym) if self.value(condition) == YES && self.visible(*sym) => Some(*sym),
            _ => None,
        });
        default.or_else(|| choice.syms.iter().copied().find(|sym| self.visible(*sym)))
    }

    /// The value of a symbol as a text.
    pub fn text(&self, sym: SymId) -> String {
        let symbol = &self.syms[sym];
        match symbol.kind {
            Kind::Unknown => symbol.name.clone(),
            Kind::Bool => if self.truth(sym) == YES { "y" } else { "n" }.to_owned(),
            Kind::String => {
                let user = symbol.user.clone().filter(|_| self.visible(sym));
                user.or_else(|| self.default_text(sym)).unwrap_or_default()
            }
            Kind::Int | Kind::Hex => self.number_text(sym),
        }
    }

    fn default_text(&self, sym: SymId) -> Option<String> {
        let default = self.syms[sym].defaults.iter().find(|(_, condition)| self.value(condition) == YES);
        default.map(|(value, _)| self.operand_text(value))
    }

    /// A number: the user's if it is in the active range, else the default
    /// pulled into it.
    fn number_text(&self, sym: SymId) -> String {
        let hex = self.syms[sym].kind == Kind::Hex;
        let range = self.range(sym);
        let fits = |number: i128| range.is_none_or(|(low, high)| (low..=high).contains(&number));
        let user = self.syms[sym].user.clone().filter(|_| self.visible(sym));
        if let Some(user) = user.filter(|user| parse_number(user, hex).is_some_and(fits)) {
            return user;
        }
        let default = self.default_text(sym).unwrap_or_default();
        let number = parse_number(&default, hex).unwrap_or(0);
        match range {
            Some((low, high)) if !(low..=high).contains(&number) => {
                let number = if number < low { low } else { high };
                if hex { format!("{number:#x}") } else { number.to_string() }
            }
            _ => default,
        }
    }

    /// The range that is in effect.
    pub(super) fn range(&self, sym: SymId) -> Option<(i128, i128)> {
        let hex = self.syms[sym].kind == Kind::Hex;
        let bound = |expr: &Expr| parse_number(&self.operand_text(expr), hex).unwrap_or(0);
        let active = self.syms[sym].ranges.iter().find(|(_, _, condition)| self.value(condition) == YES);
        active.map(|(low, high, _)| (bound(low), bound(high)))
    }
}

/// A whole number; hexadecimal with or without `0x`.
pub(super) fn parse_number(text: &str, hex: bool) -> Option<i128> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match digits {
        Some(digits) => i128::from_str_radix(digits, 16).ok(),
        None if hex => i128::from_str_radix(text, 16).ok(),
        None => text.parse().ok(),
    }
}
