//! Hash equivalence as the configuration asks for it: a server elsewhere, or with
//! `BB_HASHSERVE = "auto"` one of our own for the build directory.
//!
//! A server that cannot be reached is told once; the build goes on with task hashes.

use crate::{Plan, Recipes};
use bitzel_hashserv::{
    Address, Client, Credentials, Database, HashservError, Server, ServerHandle, ServerOptions,
};
use bitzel_taskgraph::{UniHash, UniHashQuery, UniHashSource};
use std::path::Path;

/// A connection to the server of a build directory.
pub struct Equivalence {
    client: Option<Client>,
    /// SSTATE_HASHEQUIV_METHOD.
    method: String,
    address: Address,
    /// What went wrong and was not told yet.
    complaint: Option<String>,
    // Serves until the connection is no longer needed.
    _server: Option<ServerHandle>,
}

impl Equivalence {
    /// Connects; `None` where the configuration asks for no hash equivalence. With `auto` a
    /// server is started if none serves the build directory yet.
    pub fn connect(recipes: &Recipes) -> Option<Equivalence> {
        let get = |name: &str| recipes.variable(name).filter(|value| !value.is_empty());
        // BitBake: the second is a handler of its own tests.
        if !matches!(get("BB_SIGNATURE_HANDLER"), Some("OEEquivHash" | "TestEquivHash")) {
            return None;
        }
        let wanted = get("BB_HASHSERVE")?;
        let method = get("SSTATE_HASHEQUIV_METHOD").unwrap_or("sstate_output_hash").to_owned();
        let socket = Address::Unix(Path::new(get("TOPDIR").unwrap_or(".")).join("hashserve.sock"));
        // BitBake: the configuration shows the address of its own server in place of `auto`.
        let (address, served) = if wanted == "auto" || wanted == socket.to_string() {
            (socket.clone(), serve(&get, &socket))
        } else {
            (wanted.parse().unwrap_or(socket), wanted.parse::<Address>().map(|_| None).map_err(Into::into))
        };
        let mut equivalence = Equivalence { client: None, method, address, complaint: None, _server: None };
        let credentials = get("BB_HASHSERVE_USERNAME")
            .zip(get("BB_HASHSERVE_PASSWORD"))
            .map(|(user, token)| Credentials { username: user.to_owned(), token: token.to_owned() });
        let connected = served.and_then(|server| {
            equivalence._server = server;
            Client::connect_as(&equivalence.address, credentials)
        });
        match connected {
            Ok(client) => equivalence.client = Some(client),
            Err(error) => equivalence.fail(&error),
        }
        Some(equivalence)
    }

    /// Where the server listens: BB_HASHSERVE for tasks.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What the user should know, once.
    pub fn complaint(&mut self) -> Option<String> {
        self.complaint.take()
    }

    /// Answers for the tasks of a plan. BitBake: only tasks whose output can be restored have
    /// equivalents.
    pub fn of<'a>(&'a mut self, recipes: &'a Recipes, plan: &'a Plan) -> PlanEquivalence<'a> {
        PlanEquivalence { equivalence: self, recipes, plan }
    }

    fn fail(&mut self, error: &HashservError) {
        self.client = None;
        self.complaint = Some(format!("{error}; going on without hash equivalence"));
    }
}

/// Serves the build directory, unless somebody does already.
fn serve<'a>(
    get: &impl Fn(&str) -> Option<&'a str>,
    socket: &Address,
) -> Result<Option<ServerHandle>, HashservError> {
    if Client::connect(socket).is_ok() {
        return Ok(None);
    }
    let folder = get("BB_HASHSERVE_DB_DIR").or_else(|| get("PERSISTENT_DIR")).or_else(|| get("CACHE"));
    let folder = Path::new(folder.unwrap_or("cache"));
    std::fs::create_dir_all(folder)?;
    let database = Database::open(&folder.join("hashserv.db"), false)?;
    let upstream = get("BB_HASHSERVE_UPSTREAM").map(str::parse).transpose()?;
    let options = ServerOptions { upstream, ..ServerOptions::default() };
    Ok(Some(Server::bind(socket, database, options)?.start()))
}

/// [`Equivalence`] for the tasks of one plan.
pub struct PlanEquivalence<'a> {
    equivalence: &'a mut Equivalence,
    recipes: &'a Recipes,
    plan: &'a Plan,
}

impl PlanEquivalence<'_> {
    fn can_be_restored(&self, query: &UniHashQuery) -> bool {
        let setscene = format!("{}_setscene", self.plan.graph.task_name(query.task));
        let recipe = self.recipes.index.find(self.plan.graph.recipe(query.task));
        recipe.is_some_and(|ix| self.recipes.index.recipe(ix).info.task_deps.tasks.contains(&setscene))
    }
}

impl UniHashSource for PlanEquivalence<'_> {
    fn unihashes(&mut self, queries: &[UniHashQuery]) -> Vec<Option<UniHash>> {
        let mut answers = vec![None; queries.len()];
        let asked: Vec<usize> = (0..queries.len()).filter(|&n| self.can_be_restored(&queries[n])).collect();
        let Some(client) = self.equivalence.client.as_mut().filter(|_| !asked.is_empty()) else {
            return answers;
        };
        let method = self.equivalence.method.as_str();
        let words: Vec<(&str, &str)> =
            asked.iter().map(|&n| (method, queries[n].task_hash.as_str())).collect();
        match client.unihashes(&words) {
            Ok(found) => {
                for (&n, hash) in asked.iter().zip(found) {
                    answers[n] = hash.and_then(|hash| hash.parse().ok());
                }
            }
            Err(error) => self.equivalence.fail(&error),
        }
        answers
    }
}
