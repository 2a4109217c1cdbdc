//! `.netrc`: logins by host, as ftp(1) and wget read them.

use std::fmt;

/// The logins of a `.netrc` file.
#[derive(Clone, Default)]
pub struct Netrc {
    machines: Vec<Machine>,
}

#[derive(Clone, Default)]
struct Machine {
    /// None for `default`.
    host: Option<String>,
    login: String,
    password: String,
}

impl Netrc {
    /// Reads the text of a file; words it does not know are passed over, as wget does.
    pub fn parse(text: &str) -> Netrc {
        let mut machines: Vec<Machine> = Vec::new();
        let mut in_macro = false;
        for line in text.lines() {
            if in_macro {
                // A macro ends at an empty line.
                in_macro = !line.trim().is_empty();
                continue;
            }
            let mut words = words(line).into_iter();
            while let Some(word) = words.next() {
                match word.as_str() {
                    "machine" => machines.push(Machine { host: words.next(), ..Machine::default() }),
                    "default" => machines.push(Machine::default()),
                    "login" => set(&mut machines, words.next(), |machine| &mut machine.login),
                    "password" => set(&mut machines, words.next(), |machine| &mut machine.password),
                    "account" => drop(words.next()),
                    "macdef" => {
                        in_macro = true;
                        break;
                    }
                    _ => {}
                }
            }
        }
        Netrc { machines }
    }

    /// Login and password for a host: its own, else those of `default`.
    pub fn login(&self, host: &str) -> Option<(&str, &str)> {
        self.machines
            .iter()
            .find(|machine| machine.host.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(host)))
            .filter(|machine| !machine.login.is_empty())
            .map(|machine| (machine.login.as_str(), machine.password.as_str()))
    }
}

/// Shows how many hosts there are, never a password.
impl fmt::Debug for Netrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Netrc({} hosts)", self.machines.len())
    }
}

fn set(machines: &mut [Machine], value: Option<String>, field: fn(&mut Machine) -> &mut String) {
    if let (Some(machine), Some(value)) = (machines.last_mut(), value) {
        *field(machine) = value;
    }
}

/// Words of a line; quotes hold blanks together, a backslash takes the next character as it is.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.peek().is_some_and(|c| c.is_whitespace()) {
            chars.next();
        }
        let Some(&first) = chars.peek() else { return words };
        if first == '#' {
            return words;
        }
        let quoted = first == '"';
        if quoted {
            chars.next();
        }
        let mut word = String::new();
        while let Some(c) = chars.next_if(|&c| if quoted { c != '"' } else { !c.is_whitespace() }) {
            word.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
        }
        if quoted {
            chars.next();
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn logins_are_found_by_host_then_default() {
        let text = "# me\nmachine a.org login joe password \"two words\"\nmachine b.org\n login x\n password y\\ z\n\
                    macdef init\nmachine fake login no password no\n\ndefault login anon password me@";
        let netrc = Netrc::parse(text);
        assert_eq!(netrc.login("A.org"), Some(("joe", "two words")));
        assert_eq!(netrc.login("b.org"), Some(("x", "y z")));
        assert_eq!(netrc.login("fake"), Some(("anon", "me@")));
        assert!(!format!("{netrc:?}").contains("two words"));
    }

    #[test]
    fn a_host_without_login_has_none() {
        assert_eq!(Netrc::parse("machine a.org password p").login("a.org"), None);
        assert_eq!(Netrc::parse("").login("a.org"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC*") {
            Netrc::parse(&text).login("h");
        }
    }
}
