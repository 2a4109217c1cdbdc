//! The database: known outputs, unihashes, users. Tables, columns and values
//! are those of BitBake's server (seen in the files it writes).

use crate::error::HashservError;
use crate::time::timestamp;
use crate::users::{Permissions, hash_token};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params, params_from_iter};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::{Duration, SystemTime};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS unihashes_v3 (id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL,
    taskhash TEXT NOT NULL, unihash TEXT NOT NULL, gc_mark TEXT NOT NULL, UNIQUE(method, taskhash));
CREATE TABLE IF NOT EXISTS outhashes_v2 (id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL,
    taskhash TEXT NOT NULL, outhash TEXT NOT NULL, created DATETIME, owner TEXT, PN TEXT, PV TEXT, PR TEXT,
    task TEXT, outhash_siginfo TEXT, UNIQUE(method, taskhash, outhash));
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL,
    token TEXT NOT NULL, permissions TEXT NOT NULL, UNIQUE(username));
CREATE TABLE IF NOT EXISTS config (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, value TEXT, UNIQUE(name));
CREATE INDEX IF NOT EXISTS taskhash_lookup_v4 ON unihashes_v3 (method, taskhash);
CREATE INDEX IF NOT EXISTS unihash_lookup_v1 ON unihashes_v3 (unihash);
CREATE INDEX IF NOT EXISTS outhash_lookup_v3 ON outhashes_v2 (method, outhash);
CREATE INDEX IF NOT EXISTS config_lookup ON config (name);
";

const TABLES: [&str; 4] = ["unihashes_v3", "outhashes_v2", "users", "config"];
const UNIHASH_COLUMNS: [&str; 4] = ["method", "taskhash", "unihash", "gc_mark"];
const OUTHASH_COLUMNS: [&str; 9] =
    ["method", "taskhash", "outhash", "owner", "PN", "PV", "PR", "task", "outhash_siginfo"];

/// An open database.
pub struct Database {
    connection: Connection,
}

type Result<T> = std::result::Result<T, HashservError>;

impl Database {
    /// Opens a database file, creating it if it may be written.
    ///
    /// # Errors
    /// [`HashservError::Database`].
    pub fn open(path: &Path, read_only: bool) -> Result<Database> {
        let flags = if read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::default() };
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        if !read_only {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A lost entry costs a rebuild, nothing else; BitBake's server does not wait for the disk either.
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.execute_batch(SCHEMA)?;
        }
        Ok(Database { connection })
    }

    /// A database in memory.
    ///
    /// # Errors
    /// [`HashservError::Database`].
    pub fn in_memory() -> Result<Database> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(SCHEMA)?;
        Ok(Database { connection })
    }

    pub(crate) fn unihash(&self, method: &str, taskhash: &str) -> Result<Option<String>> {
        let mut query = self
            .connection
            .prepare_cached("SELECT unihash FROM unihashes_v3 WHERE method=?1 AND taskhash=?2")?;
        Ok(query.query_row(params![method, taskhash], |row| row.get(0)).optional()?)
    }

    pub(crate) fn unihash_exists(&self, unihash: &str) -> Result<bool> {
        let mut query =
            self.connection.prepare_cached("SELECT 1 FROM unihashes_v3 WHERE unihash=?1 LIMIT 1")?;
        Ok(query.exists(params![unihash])?)
    }

    /// The oldest output reported for a task, with its unihash.
    pub(crate) fn by_taskhash(&self, method: &str, taskhash: &str) -> Result<Option<Value>> {
        self.one(
            "SELECT o.*, u.unihash, u.gc_mark FROM outhashes_v2 o JOIN unihashes_v3 u
             ON u.method=o.method AND u.taskhash=o.taskhash
             WHERE o.method=?1 AND o.taskhash=?2 ORDER BY o.created ASC LIMIT 1",
            &[method, taskhash],
        )
    }

    /// The oldest report of an output; with its unihash only those that have one.
    pub(crate) fn by_outhash(
        &self,
        method: &str,
        outhash: &str,
        with_unihash: bool,
    ) -> Result<Option<Value>> {
        let sql = if with_unihash {
            "SELECT o.*, u.unihash, u.gc_mark FROM outhashes_v2 o JOIN unihashes_v3 u
             ON u.method=o.method AND u.taskhash=o.taskhash
             WHERE o.method=?1 AND o.outhash=?2 ORDER BY o.created ASC LIMIT 1"
        } else {
            "SELECT * FROM outhashes_v2 WHERE method=?1 AND outhash=?2 ORDER BY created ASC LIMIT 1"
        };
        self.one(sql, &[method, outhash])
    }

    /// Unihash of the oldest task other than `taskhash` that gave the same output.
    pub(crate) fn equivalent(&self, method: &str, outhash: &str, taskhash: &str) -> Result<Option<String>> {
        let mut query = self.connection.prepare_cached(
            "SELECT u.unihash FROM outhashes_v2 o JOIN unihashes_v3 u ON u.method=o.method AND u.taskhash=o.taskhash
             WHERE o.method=?1 AND o.outhash=?2 AND o.taskhash!=?3 ORDER BY o.created ASC LIMIT 1",
        )?;
        Ok(query.query_row(params![method, outhash, taskhash], |row| row.get(0)).optional()?)
    }

    fn one(&self, sql: &str, args: &[&str]) -> Result<Option<Value>> {
        let mut query = self.connection.prepare_cached(sql)?;
        Ok(query.query_row(params_from_iter(args), |row| Ok(row_object(row))).optional()?)
    }

    /// Keeps a unihash unless the task has one; tells which it has then.
    pub(crate) fn insert_unihash(&self, method: &str, taskhash: &str, unihash: &str) -> Result<String> {
        let mark = self.mark()?.unwrap_or_default();
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO unihashes_v3 (method, taskhash, unihash, gc_mark) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![method, taskhash, unihash, mark])?;
        Ok(self.unihash(method, taskhash)?.unwrap_or_else(|| unihash.to_owned()))
    }

    /// Keeps a report; tells whether it is new.
    pub(crate) fn insert_outhash(&self, report: &Map<String, Value>, now: SystemTime) -> Result<bool> {
        let text = |name: &str| report.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut values: Vec<Option<String>> = OUTHASH_COLUMNS.iter().map(|name| text(name)).collect();
        values.push(Some(timestamp(now)));
        let sql = format!(
            "INSERT OR IGNORE INTO outhashes_v2 ({}, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            OUTHASH_COLUMNS.join(", ")
        );
        Ok(self.connection.prepare_cached(&sql)?.execute(params_from_iter(values))? > 0)
    }

    /// Removes the rows in which all the columns named have these values, from
    /// every table that has these columns.
    pub(crate) fn remove(&mut self, conditions: &Map<String, Value>) -> Result<usize> {
        let mut count = 0;
        let transaction = self.connection.transaction()?;
        for (table, columns) in
            [("outhashes_v2", &OUTHASH_COLUMNS[..]), ("unihashes_v3", &UNIHASH_COLUMNS[..])]
        {
            if let Some((clause, values)) = clause(conditions, columns) {
                count += transaction
                    .execute(&format!("DELETE FROM {table} WHERE {clause}"), params_from_iter(values))?;
            }
        }
        transaction.commit()?;
        Ok(count)
    }

    /// Removes reports older than `oldest` whose task has no unihash.
    pub(crate) fn clean_unused(&self, oldest: SystemTime) -> Result<usize> {
        let sql = "DELETE FROM outhashes_v2 WHERE created<?1 AND NOT EXISTS (SELECT 1 FROM unihashes_v3 u
            WHERE u.method=outhashes_v2.method AND u.taskhash=outhashes_v2.taskhash)";
        Ok(self.connection.execute(sql, params![timestamp(oldest)])?)
    }

    /// The mark of the collection that is under way.
    pub(crate) fn mark(&self) -> Result<Option<String>> {
        let mut query = self.connection.prepare_cached("SELECT value FROM config WHERE name='gc-mark'")?;
        Ok(query.query_row([], |row| row.get::<_, Option<String>>(0)).optional()?.flatten())
    }

    fn set_mark(&self, mark: Option<&str>) -> Result<()> {
        self.connection.execute(
            "INSERT INTO config (name, value) VALUES ('gc-mark', ?1) ON CONFLICT (name) DO UPDATE SET value=?1",
            params![mark],
        )?;
        Ok(())
    }

    /// Marks unihashes to be kept, beginning a collection if `mark` is new.
    pub(crate) fn gc_mark(&self, mark: &str, conditions: &Map<String, Value>) -> Result<usize> {
        if self.mark()?.as_deref() != Some(mark) {
            self.set_mark(Some(mark))?;
        }
        let Some((clause, values)) = clause(conditions, &UNIHASH_COLUMNS) else { return Ok(0) };
        let values = std::iter::once(Sql::Text(mark.to_owned())).chain(values);
        let sql = format!("UPDATE unihashes_v3 SET gc_mark=? WHERE {clause}");
        Ok(self.connection.execute(&sql, params_from_iter(values))?)
    }

    /// How many unihashes have the mark, and how many have not.
    pub(crate) fn gc_counts(&self) -> Result<(i64, i64)> {
        let mark = self.mark()?.unwrap_or_default();
        let count = |sql: &str| self.connection.query_row(sql, params![mark], |row| row.get::<_, i64>(0));
        Ok((
            count("SELECT COUNT(*) FROM unihashes_v3 WHERE gc_mark=?1")?,
            count("SELECT COUNT(*) FROM unihashes_v3 WHERE gc_mark!=?1")?,
        ))
    }

    /// Removes what is not marked and ends the collection.
    pub(crate) fn gc_sweep(&self) -> Result<usize> {
        let mark = self.mark()?.unwrap_or_default();
        let count = self.connection.execute("DELETE FROM unihashes_v3 WHERE gc_mark!=?1", params![mark])?;
        self.set_mark(None)?;
        self.connection.execute("UPDATE unihashes_v3 SET gc_mark=''", [])?;
        Ok(count)
    }

    pub(crate) fn usage(&self) -> Result<Value> {
        let mut usage = Map::new();
        for table in TABLES {
            let rows: i64 =
                self.connection.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0))?;
            usage.insert(table.to_owned(), json!({ "rows": rows }));
        }
        Ok(Value::Object(usage))
    }

    /// Columns that conditions may name.
    pub(crate) fn query_columns() -> Vec<&'static str> {
        let mut columns: Vec<&str> = UNIHASH_COLUMNS.iter().chain(&OUTHASH_COLUMNS).copied().collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Token (hashed) and permissions of a user.
    pub(crate) fn user(&self, username: &str) -> Result<Option<(String, Permissions)>> {
        let mut query =
            self.connection.prepare_cached("SELECT token, permissions FROM users WHERE username=?1")?;
        let found: Option<(String, String)> =
            query.query_row(params![username], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(found.map(|(token, words)| (token, stored_permissions(&words))))
    }

    pub(crate) fn users(&self) -> Result<Vec<(String, Permissions)>> {
        let mut query =
            self.connection.prepare_cached("SELECT username, permissions FROM users ORDER BY username")?;
        let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| row.map(|(name, words)| (name, stored_permissions(&words))).map_err(Into::into))
            .collect()
    }

    /// Adds a user; `false` if there is one of that name.
    pub(crate) fn new_user(&self, username: &str, permissions: &Permissions, token: &str) -> Result<bool> {
        let sql = "INSERT OR IGNORE INTO users (username, token, permissions) VALUES (?1, ?2, ?3)";
        let kept = hash_token(token).map_err(std::io::Error::from)?;
        Ok(self.connection.execute(sql, params![username, kept, permissions.words().join(" ")])? > 0)
    }

    pub(crate) fn set_token(&self, username: &str, token: &str) -> Result<bool> {
        let kept = hash_token(token).map_err(std::io::Error::from)?;
        let sql = "UPDATE users SET token=?2 WHERE username=?1";
        Ok(self.connection.execute(sql, params![username, kept])? > 0)
    }

    pub(crate) fn set_permissions(&self, username: &str, permissions: &Permissions) -> Result<bool> {
        let sql = "UPDATE users SET permissions=?2 WHERE username=?1";
        Ok(self.connection.execute(sql, params![username, permissions.words().join(" ")])? > 0)
    }

    pub(crate) fn delete_user(&self, username: &str) -> Result<bool> {
        Ok(self.connection.execute("DELETE FROM users WHERE username=?1", params![username])? > 0)
    }
}

/// Permissions of a row; unknown words grant nothing.
fn stored_permissions(words: &str) -> Permissions {
    let known = words.split_whitespace().filter(|word| Permissions::new([word]).is_ok());
    Permissions::new(known).unwrap_or_default()
}

/// `a=? AND b=?`, if the table has all of the columns and there is at least one.
fn clause(conditions: &Map<String, Value>, columns: &[&str]) -> Option<(String, Vec<Sql>)> {
    let mut parts = Vec::new();
    let mut values = Vec::new();
    for (name, value) in conditions {
        let column = columns.iter().find(|column| *column == name)?;
        parts.push(format!("{column}=?"));
        values.push(Sql::Text(value.as_str()?.to_owned()));
    }
    (!parts.is_empty()).then(|| (parts.join(" AND "), values))
}

fn row_object(row: &Row<'_>) -> Value {
    let mut object = Map::new();
    for (n, name) in row.as_ref().column_names().into_iter().enumerate() {
        let value = match row.get_ref(n) {
            Ok(rusqlite::types::ValueRef::Integer(number)) => json!(number),
            Ok(rusqlite::types::ValueRef::Text(text)) => json!(String::from_utf8_lossy(text)),
            _ => Value::Null,
        };
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}
