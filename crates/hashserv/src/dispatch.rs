//! The commands of the protocol.

use crate::database::Database;
use crate::error::HashservError;
use crate::session::{Denied, Session};
use crate::users::{Permissions, new_token, token_matches};
use serde_json::{Map, Value, json};
use std::time::Duration;

type Answer = Result<Value, Denied>;
type Argument = Map<String, Value>;

/// Slows the guessing of tokens down.
const AFTER_WRONG_TOKEN: Duration = Duration::from_secs(1);

impl Session {
    pub(crate) fn dispatch(&mut self, command: &str, argument: &Argument) -> Answer {
        match command {
            "ping" => Ok(json!({ "alive": true })),
            "get" => self.get(argument),
            "get-outhash" => self.get_outhash(argument),
            "report" => self.report(argument),
            "report-equiv" => self.report_equiv(argument),
            "get-stats" => Ok(self.shared.stats().show()),
            "reset-stats" => {
                self.need("@db-admin")?;
                Ok(self.shared.stats().reset())
            }
            // What upstream knows is kept at once; there is nothing to wait for.
            "backfill-wait" => Ok(json!({ "tasks": 0 })),
            "remove"
            | "gc-mark"
            | "gc-sweep"
            | "gc-status"
            | "clean-unused"
            | "get-db-usage"
            | "get-db-query-columns" => {
                self.need("@db-admin")?;
                self.administer(command, argument)
            }
            "auth" => self.auth(argument),
            "get-user" | "refresh-token" | "delete-user" => self.own_or_admin(command, argument),
            "get-all-users" | "new-user" | "set-user-perms" | "become-user" => {
                self.need("@user-admin")?;
                self.user_admin(command, argument)
            }
            other => Err(HashservError::Protocol(format!("unknown command `{other}`")).into()),
        }
    }

    fn writes(&self) -> Result<(), Denied> {
        if self.shared.options.read_only {
            return Err(Denied::Refused("the server is read-only".to_owned()));
        }
        Ok(())
    }

    fn get(&mut self, argument: &Argument) -> Answer {
        self.need("@read")?;
        let (method, taskhash) = (text(argument, "method")?, text(argument, "taskhash")?);
        if argument.get("all").and_then(Value::as_bool) == Some(true) {
            let known = self.database().by_taskhash(method, taskhash)?;
            if let Some(row) = known {
                return Ok(row);
            }
            let found = self.ask_upstream(|up| up.task(method, taskhash))?.flatten();
            self.keep_row(found.as_ref())?;
            return Ok(found.unwrap_or(Value::Null));
        }
        let unihash = self.unihash(method, taskhash)?;
        Ok(unihash.map_or(
            Value::Null,
            |unihash| json!({ "taskhash": taskhash, "method": method, "unihash": unihash }),
        ))
    }

    fn get_outhash(&mut self, argument: &Argument) -> Answer {
        self.need("@read")?;
        let (method, outhash) = (text(argument, "method")?, text(argument, "outhash")?);
        let taskhash = text(argument, "taskhash")?;
        let with_unihash = argument.get("with_unihash").and_then(Value::as_bool).unwrap_or(true);
        let known = self.database().by_outhash(method, outhash, with_unihash)?;
        if let Some(row) = known {
            return Ok(row);
        }
        let found = self.ask_upstream(|up| up.outhash(method, outhash, taskhash, with_unihash))?.flatten();
        self.keep_row(found.as_ref())?;
        Ok(found.unwrap_or(Value::Null))
    }

    /// Keeps what upstream told.
    fn keep_row(&mut self, row: Option<&Value>) -> Result<(), Denied> {
        let Some(row) = row.and_then(Value::as_object).filter(|_| !self.shared.options.read_only) else {
            return Ok(());
        };
        let now = (self.shared.options.clock)();
        self.database().insert_outhash(row, now)?;
        if let (Some(method), Some(taskhash), Some(unihash)) =
            (word(row, "method"), word(row, "taskhash"), word(row, "unihash"))
        {
            self.database().insert_unihash(method, taskhash, unihash)?;
        }
        Ok(())
    }

    /// An output. Its task gets the unihash of the task that first gave the same
    /// output, else the one it reports; a unihash once given stays.
    fn report(&mut self, argument: &Argument) -> Answer {
        self.need("@read")?;
        let (method, taskhash) = (text(argument, "method")?, text(argument, "taskhash")?);
        let outhash = text(argument, "outhash")?;
        let unihash = valid_unihash(argument)?;
        let mut equivalent = self.database().equivalent(method, outhash, taskhash)?;
        if equivalent.is_none() {
            let row = self.ask_upstream(|up| up.outhash(method, outhash, taskhash, true))?.flatten();
            self.keep_row(row.as_ref())?;
            equivalent = row.and_then(|row| Some(row.get("unihash")?.as_str()?.to_owned()));
        }
        let mut result = equivalent.unwrap_or_else(|| unihash.to_owned());
        if self.may("@report") && !self.shared.options.read_only {
            let mut report = argument.clone();
            if let Some((user, _)) = &self.user {
                report.insert("owner".to_owned(), json!(user));
            }
            let now = (self.shared.options.clock)();
            let database = self.database();
            database.insert_outhash(&report, now)?;
            result = database.insert_unihash(method, taskhash, &result)?;
        }
        Ok(json!({ "taskhash": taskhash, "method": method, "unihash": result }))
    }

    fn report_equiv(&mut self, argument: &Argument) -> Answer {
        self.need("@read")?;
        self.need("@report")?;
        self.writes()?;
        let (method, taskhash) = (text(argument, "method")?, text(argument, "taskhash")?);
        let unihash = valid_unihash(argument)?;
        let kept = self.database().insert_unihash(method, taskhash, unihash)?;
        Ok(json!({ "taskhash": taskhash, "method": method, "unihash": kept }))
    }

    fn administer(&mut self, command: &str, argument: &Argument) -> Answer {
        let nothing = Map::new();
        let conditions = argument.get("where").and_then(Value::as_object).unwrap_or(&nothing);
        match command {
            "gc-status" => {
                let database = self.database();
                let (keep, remove) = database.gc_counts()?;
                return Ok(json!({ "keep": keep, "remove": remove, "mark": database.mark()? }));
            }
            "get-db-usage" => return Ok(json!({ "usage": self.database().usage()? })),
            "get-db-query-columns" => return Ok(json!({ "columns": Database::query_columns() })),
            _ => self.writes()?,
        }
        let count = match command {
            "remove" => self.database().remove(conditions)?,
            "gc-mark" => self.database().gc_mark(text(argument, "mark")?, conditions)?,
            "gc-sweep" => {
                let mark = text(argument, "mark")?;
                let database = self.database();
                if database.mark()?.as_deref() != Some(mark) {
                    return Err(Denied::Refused(format!(
                        "'{mark}' is not the current mark. Refusing to sweep"
                    )));
                }
                database.gc_sweep()?
            }
            _ => {
                let age = argument.get("max_age_seconds").and_then(Value::as_u64).unwrap_or(0);
                let oldest = (self.shared.options.clock)().checked_sub(Duration::from_secs(age));
                oldest.map_or(Ok(0), |oldest| self.database().clean_unused(oldest))?
            }
        };
        Ok(json!({ "count": count }))
    }

    fn auth(&mut self, argument: &Argument) -> Answer {
        let (name, token) = (text(argument, "username")?, text(argument, "token")?);
        let user = self.database().user(name)?;
        match user {
            Some((kept, permissions)) if token_matches(&kept, token) => {
                let answer = json!({ "result": true, "username": name, "permissions": permissions.words() });
                self.user = Some((name.to_owned(), permissions));
                Ok(answer)
            }
            _ => {
                std::thread::sleep(AFTER_WRONG_TOKEN);
                Err(Denied::Refused(format!("Unable to authenticate as {name}")))
            }
        }
    }

    /// Commands a user may use on itself, and user administrators on anyone.
    fn own_or_admin(&mut self, command: &str, argument: &Argument) -> Answer {
        let own = self.user.as_ref().map(|(name, _)| name.clone());
        let Some(name) = word(argument, "username").map(str::to_owned).or_else(|| own.clone()) else {
            return Err(Denied::Refused("No username provided and not authenticated".to_owned()));
        };
        if own.as_ref() != Some(&name) {
            self.need("@user-admin")?;
        }
        let missing = || Denied::Refused(format!("No user named '{name}' exists"));
        match command {
            "get-user" => {
                let user = self.database().user(&name)?;
                Ok(user.map_or(
                    Value::Null,
                    |(_, permissions)| json!({ "username": name, "permissions": permissions.expanded() }),
                ))
            }
            "refresh-token" => {
                self.writes()?;
                let token = new_token().map_err(std::io::Error::from)?;
                let known = self.database().set_token(&name, &token)?;
                if known { Ok(json!({ "username": name, "token": token })) } else { Err(missing()) }
            }
            _ => {
                self.writes()?;
                let known = self.database().delete_user(&name)?;
                if known { Ok(json!({ "username": name })) } else { Err(missing()) }
            }
        }
    }

    fn user_admin(&mut self, command: &str, argument: &Argument) -> Answer {
        if command == "get-all-users" {
            let users = self.database().users()?;
            let shown = |(name, permissions): &(String, Permissions)| json!({ "username": name, "permissions": permissions.expanded() });
            return Ok(json!({ "users": users.iter().map(shown).collect::<Vec<_>>() }));
        }
        let name = text(argument, "username")?;
        let missing = || Denied::Refused(format!("No user named '{name}' exists"));
        if command == "become-user" {
            let user = self.database().user(name)?;
            let (_, permissions) = user.ok_or_else(missing)?;
            let answer = json!({ "username": name, "permissions": permissions.expanded() });
            self.user = Some((name.to_owned(), permissions));
            return Ok(answer);
        }
        self.writes()?;
        let words = argument.get("permissions").and_then(Value::as_array).cloned().unwrap_or_default();
        let permissions = Permissions::new(words.iter().filter_map(Value::as_str))
            .map_err(|unknown| Denied::Refused(unknown.to_string()))?;
        let shown = permissions.expanded();
        if command == "set-user-perms" {
            let known = self.database().set_permissions(name, &permissions)?;
            return if known {
                Ok(json!({ "username": name, "permissions": shown }))
            } else {
                Err(missing())
            };
        }
        let token = new_token().map_err(std::io::Error::from)?;
        if !self.database().new_user(name, &permissions, &token)? {
            return Err(Denied::Refused(format!("User '{name}' already exists")));
        }
        Ok(json!({ "username": name, "permissions": shown, "token": token }))
    }
}

fn word<'a>(argument: &'a Argument, name: &str) -> Option<&'a str> {
    argument.get(name).and_then(Value::as_str)
}

fn text<'a>(argument: &'a Argument, name: &str) -> Result<&'a str, Denied> {
    word(argument, name).ok_or_else(|| HashservError::Protocol(format!("`{name}` is missing")).into())
}

/// The unihash of a report: exactly 64 lower-case hex digits, as it becomes part
/// of file names and scripts.
fn valid_unihash(argument: &Argument) -> Result<&str, Denied> {
    let unihash = word(argument, "unihash").unwrap_or("");
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if unihash.len() == 64 && unihash.bytes().all(digit) {
        Ok(unihash)
    } else {
        Err(Denied::Refused("Invalid unihash".to_owned()))
    }
}
