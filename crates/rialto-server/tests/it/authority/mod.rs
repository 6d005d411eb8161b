//! Who may do what: every route and every operation, for every kind of principal.
//!
//! The matrix is made by asking a realm with one of everything; operations are decided without
//! being applied, so that no cell depends on another. It is committed as docs/authorisation.md.
//! The rules under it hold whatever the matrix says.

mod pages;
mod rows;
mod world;

use std::collections::BTreeSet;
use std::fmt::Write;

use rialto_core::reject::Rejection;
use rialto_wire::native::NativeCommand;
use serde_json::{Value, json};

use crate::description::{INTERNAL, committed};
use world::{Who, World};

/// What runs the realm, with the rows of operations that can also be about less.
const REALM_WIDE: [(&str, &str); 19] = [
    ("clock.accept", ""),
    ("clock.set_back", ""),
    ("realm.erase", "our content"),
    ("service.create", ""),
    ("invitation.create", ""),
    ("invitation.end", "an invitation"),
    ("ledger.create_asset", ""),
    ("ledger.issue", "to our agent"),
    ("ledger.correct", "our entry"),
    ("policy.set_settings", ""),
    ("policy.set_allowance", "the realm"),
    ("identity.suspend", "our owner"),
    ("identity.resume", "our owner"),
    ("identity.suspend", "the service"),
    ("identity.resume", "the service"),
    ("token.issue", "the service"),
    ("deal.rule", "our dispute"),
    ("obligation.retry", "ours"),
    ("obligation.drop", "ours"),
];
/// What a payment service is for, and one that meters models: ours is both.
const SERVICES: [&str; 4] = [
    "inference.settle",
    "ledger.deposit",
    "ledger.end_withdrawal",
    "obligation.failed",
];
/// What runs an owner: never an agent's to do.
const OWNER_WIDE: [(&str, &str); 22] = [
    ("deployment.create", "for our owner"),
    ("deployment.change", "ours"),
    ("deployment.retire", "ours"),
    ("owner.stop", "our owner"),
    ("person.add", "our owner"),
    ("person.set_role", "our viewer"),
    ("agent.register", "our owner"),
    ("agent.move", "our agent"),
    ("token.issue", "our person"),
    ("identity.suspend", "our owner"),
    ("identity.suspend", "our person"),
    ("identity.suspend", "our agent"),
    ("identity.resume", "our owner"),
    ("identity.resume", "our person"),
    ("identity.resume", "our agent"),
    ("policy.set_allowance", "the realm"),
    ("policy.set_allowance", "our owner"),
    ("policy.set_allowance", "our team"),
    ("policy.set_allowance", "our agent"),
    ("policy.set_block", "by our owner"),
    ("policy.answer_approval", "our approval"),
    ("ledger.open_account", "our owner"),
];
/// Who was stopped, with what every command and every read that needs a token answers.
const STOPPED: [(&str, &str, &str); 7] = [
    ("suspended", "RLT0105", "403"),
    ("suspended person", "RLT0105", "403"),
    ("of a suspended owner", "RLT0105", "403"),
    ("its agent", "RLT0105", "403"),
    ("of stopped agents", "RLT0105", "403"),
    ("suspended service", "RLT0105", "403"),
    ("closed", "RLT0115", "410"),
];
const STRANGERS: [&str; 2] = ["stranger's admin", "stranger"];
const OUTSIDE: [&str; 2] = ["nobody", "revoked"];

/// A row of the matrix with its cells in the order of the columns.
struct Row {
    what: String,
    aim: String,
    cells: Vec<String>,
    /// The cells of our agent's tokens that are each for one thing.
    scoped: Vec<String>,
    /// Whether it names something private of ours.
    private: bool,
}

impl Row {
    fn line(&self, cells: &[String]) -> String {
        let aim = if self.aim.is_empty() {
            String::new()
        } else {
            format!(" {}", self.aim)
        };
        format!("| `{}`{aim} | {} |\n", self.what, cells.join(" | "))
    }
}

impl World {
    /// What a row says in the column of that name.
    fn cell<'a>(&self, row: &'a Row, name: &str) -> &'a str {
        let column = self.who.iter().position(|who| who.name == name).unwrap();
        &row.cells[column]
    }
}

/// One cell of an operation. What is named `nobody` or `revoked` never gets past the door.
async fn command_cell(world: &World, who: &Who, op: &str, args: &Value) -> String {
    let outside = OUTSIDE.contains(&who.name) && !(op == "owner.sign_up" && who.token.is_none());
    if outside || INTERNAL.contains(&op) {
        let path = format!("/api/{op}");
        let (status, said) = world.asked(who, "post", &path, None, args).await;
        return match status {
            200 => "ok".into(),
            401 => "401".into(),
            _ => said["code"].as_str().unwrap().to_owned(),
        };
    }
    let alone = world.decided(who, op, args, None).await;
    let Some(agent) = who.acts_as.filter(|_| alone != "ok") else {
        return alone;
    };
    let acting = world.decided(who, op, args, Some(agent)).await;
    if acting == "ok" || alone == "RLT0102" {
        return format!("{acting}*");
    }
    alone
}

/// One cell of a read: its status, and whether anything private of ours is in a good answer.
async fn read_cell(world: &World, who: &Who, method: &str, path: &str, body: &Value) -> String {
    let (mut status, mut said) = world.asked(who, method, path, None, body).await;
    let mut star = "";
    let no_actor = said["code"] == "RLT0102" || (status == 400 && path.ends_with("/stream"));
    if no_actor && who.acts_as.is_some() {
        (status, said) = world.asked(who, method, path, who.acts_as, body).await;
        star = "*";
    }
    let bare = status == 200 && !path.ends_with("/stream") && !world.names_ours(&said.to_string());
    format!("{status}{}{star}", if bare { "-" } else { "" })
}

async fn command_rows(world: &World) -> Vec<Row> {
    let mut found = Vec::new();
    for (op, aim, args) in rows::commands(world) {
        let mut cells = Vec::new();
        for who in &world.who {
            cells.push(command_cell(world, who, op, &args).await);
        }
        let mut scoped = Vec::new();
        for who in &world.scoped {
            scoped.push(command_cell(world, who, op, &args).await);
        }
        found.push(Row {
            what: op.into(),
            aim: aim.into(),
            cells,
            scoped,
            private: world.names_ours(&args.to_string()),
        });
    }
    found
}

/// The routes of the API description that are not an operation, in its order.
fn routes() -> Vec<(String, String, bool)> {
    let description = rialto_server::door::describe();
    let mut routes = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let op = path.strip_prefix("/api/").unwrap_or_default();
        if NativeCommand::OPS.contains(&op) {
            continue;
        }
        for (method, about) in methods.as_object().unwrap() {
            let public = about["security"] == json!([]);
            routes.push((method.clone(), path.clone(), public));
        }
    }
    routes
}

async fn read_rows(world: &World) -> Vec<(Row, bool)> {
    let mut found = Vec::new();
    for (method, path, public) in routes() {
        let asked = rows::reads(world, &path);
        assert!(
            !asked.is_empty(),
            "{path} has no row in the matrix of who may do what: give it one in tests/it/authority/rows.rs"
        );
        for (aim, address, body) in asked {
            let mut cells = Vec::new();
            for who in &world.who {
                cells.push(read_cell(world, who, &method, &address, &body).await);
            }
            let mut scoped = Vec::new();
            for who in &world.scoped {
                scoped.push(read_cell(world, who, &method, &address, &body).await);
            }
            let row = Row {
                what: format!("{} {path}", method.to_uppercase()),
                aim,
                cells,
                scoped,
                private: world.names_ours(&address),
            };
            found.push((row, public));
        }
    }
    found
}

const LEGEND: &str = "# Who may do what

The tests make this page from a realm that holds one of everything, and check it against the code in every run. \
Columns are principals: *ours* belong to one owner, *theirs* to the owner that our agent trades with, *stranger* to a third; \
*service* is a payment service. *suspended* is an agent of ours that is stopped; *suspended person*, *of a suspended owner*, \
*its agent*, *of stopped agents* (its owner has stopped all its agents at once), *suspended service* and *closed* are the other principals that can be stopped. \
A stopped principal can do and read nothing but what anybody may read without a token; \
`RLT0105` or `RLT0115` says why, and the detail names who was stopped. *revoked* is a revoked token. \
`*`: the request has a `Rialto-Agent` header, as a person's must if only an agent can act: ours, the operator and the service name our agent, others their own.

";

const SCOPED: &str = "
## Tokens that are for one thing

Columns are tokens of *our agent*, each issued for one right and no other. A token for several has what each of them \
has; one that reads a trace or the log needs `read` and `read_mail`. `RLT0134` (403 for reads): the token is not for that. \
What the agent may not do itself, no token of its may.

";

fn page(world: &World, reads: &[(Row, bool)], commands: &[Row]) -> String {
    let head = |what: &str, who: &[Who]| {
        let names: Vec<&str> = who.iter().map(|who| who.name).collect();
        let dashes = "|---".repeat(names.len() + 1);
        format!("| {what} | {} |\n{dashes}|\n", names.join(" | "))
    };
    let mut text = String::from(LEGEND);
    text.push_str("## Reads\n\nThe status, for the named object of ours. `200-`: the answer holds nothing private of ours.\n\n");
    text.push_str(&head("route", &world.who));
    for (row, _) in reads {
        text.push_str(&row.line(&row.cells));
    }
    text.push_str("\n## Operations\n\n`ok`, or the code of the refusal (see errors.md); `401` if the request is not authenticated.\n\n");
    text.push_str(&head("operation", &world.who));
    for row in commands {
        text.push_str(&row.line(&row.cells));
    }
    text.push_str(SCOPED);
    text.push_str(&head("route or operation", &world.scoped));
    for row in reads.iter().map(|(row, _)| row).chain(commands) {
        text.push_str(&row.line(&row.scoped));
    }
    text
}

/// What breaks a rule, one line each.
#[derive(Default)]
struct Broken(String);

impl Broken {
    fn unless(&mut self, holds: bool, row: &Row, rule: &str, who: &str, cell: &str) {
        if !holds {
            let _ = writeln!(self.0, "{} {}: {rule}: {who} got {cell}", row.what, row.aim);
        }
    }
}

fn judge_reads(world: &World, reads: &[(Row, bool)], broken: &mut Broken) {
    for (row, public) in reads {
        for name in OUTSIDE.iter().filter(|_| !public) {
            let cell = world.cell(row, name);
            broken.unless(cell == "401", row, "needs a token", name, cell);
        }
        // A batch is let in, and its commands are judged one by one.
        let open = *public || row.what == "POST /api/commands";
        for (name, _, refused) in STOPPED.iter().filter(|_| !open) {
            let cell = world.cell(row, name).trim_end_matches('*');
            broken.unless(cell == *refused, row, "is stopped", name, cell);
        }
        for name in STRANGERS {
            let cell = world.cell(row, name);
            let hidden = if row.private {
                cell == "404"
            } else {
                // The inbox's stream is the caller's own, and is not read to its end.
                cell != "200" || row.what.ends_with("/stream")
            };
            broken.unless(hidden, row, "ours is not theirs to see", name, cell);
        }
    }
}

fn judge_commands(world: &World, commands: &[Row], broken: &mut Broken) {
    for row in commands {
        let is = |(op, aim): &(&str, &str)| row.what == *op && row.aim == *aim;
        let sign_up = row.what == "owner.sign_up";
        let realm_wide = REALM_WIDE.iter().any(is) || INTERNAL.contains(&row.what.as_str());
        let services = SERVICES.contains(&row.what.as_str());
        let owner_wide = OWNER_WIDE.iter().any(is);
        for who in &world.who {
            let cell = world.cell(row, who.name);
            let done = cell.starts_with("ok");
            let mut need =
                |holds: bool, rule: &str| broken.unless(holds, row, rule, who.name, cell);
            if OUTSIDE.contains(&who.name) && !(sign_up && who.token.is_none()) {
                need(cell == "401", "needs a token");
            }
            if let Some((_, code, _)) = STOPPED.iter().find(|(name, ..)| *name == who.name) {
                let refused = cell.trim_end_matches('*') == *code;
                need(
                    refused || INTERNAL.contains(&row.what.as_str()),
                    "is stopped",
                );
            }
            if realm_wide {
                need(!done || who.name == "operator", "is the operator's");
            }
            if services {
                need(done == (who.name == "service"), "is a service's");
            }
            if who.name == "our viewer" {
                // A viewer may end or renew its own way in, and found an owner of its own.
                let own = sign_up || (row.what == "token.issue" && row.aim == "our person");
                need(!done || own, "a viewer changes nothing");
            }
            if owner_wide {
                let agent = who.name.ends_with("agent") || who.name == "stranger";
                need(!done || !agent, "an agent does not run its owner");
            }
        }
        if realm_wide && !INTERNAL.contains(&row.what.as_str()) {
            let cell = world.cell(row, "operator");
            broken.unless(cell == "ok", row, "the operator may", "operator", cell);
        }
    }
}

/// For a stranger what is ours answers exactly as what does not exist.
async fn judge_strangers(world: &World, commands: &[Row], broken: &mut Broken) {
    for (row, (op, _, args)) in commands.iter().zip(rows::commands(world)) {
        if !row.private || INTERNAL.contains(&op) {
            continue;
        }
        let absent = world.absent(&args);
        for who in world.who.iter().filter(|w| STRANGERS.contains(&w.name)) {
            let (cell, without) = (
                world.cell(row, who.name),
                command_cell(world, who, op, &absent).await,
            );
            let same = cell.trim_end_matches('*') == without.trim_end_matches('*');
            let hidden = !cell.starts_with("ok") && same;
            let told = format!("{cell}, and {without} for what does not exist");
            broken.unless(
                hidden,
                row,
                "ours does not exist for strangers",
                who.name,
                &told,
            );
        }
    }
}

/// Whoever may not know of a thing of ours gets the very answer, to the word, that an id of the same
/// kind gets which nothing has: for each id of each operation, alone and as an agent, and for each
/// read by an id.
async fn judge_existence(
    world: &World,
    commands: &[Row],
    reads: &[(Row, bool)],
    broken: &mut Broken,
) {
    let curious = ["stranger's admin", "stranger", "service"];
    let said = |why: &str, id: &str| {
        let made_up = World::instead(id, id).unwrap_or_default();
        why.replace(id, "ID").replace(&made_up, "ID")
    };
    for who in world.who.iter().filter(|w| curious.contains(&w.name)) {
        for (row, (op, _, args)) in commands.iter().zip(rows::commands(world)) {
            if INTERNAL.contains(&op) || world.cell(row, who.name).starts_with("ok") {
                continue;
            }
            let text = args.to_string();
            for (_, id) in world.private() {
                let Some(instead) = World::instead(&text, id) else {
                    continue;
                };
                let instead = serde_json::from_str(&instead).unwrap();
                for acting in [None, who.acts_as] {
                    let theirs = world.judged(who, op, &args, acting).await;
                    let absent = world.judged(who, op, &instead, acting).await;
                    let told = |outcome: Result<(), Rejection>| {
                        outcome.map_err(|why| (why.code, said(&why.detail, id)))
                    };
                    let (theirs, absent) = (told(theirs), told(absent));
                    let both = format!("{theirs:?}, and {absent:?} for what does not exist");
                    broken.unless(theirs == absent, row, "tells what exists", who.name, &both);
                }
            }
        }
        for (row, _) in reads.iter().filter(|(row, _)| row.private) {
            let (method, path) = row.what.split_once(' ').unwrap();
            for (_, address, body) in rows::reads(world, path) {
                let ours = world.private().find(|(_, id)| address.contains(id));
                let Some((_, id)) = ours.filter(|_| !address.ends_with("/stream")) else {
                    continue;
                };
                let instead = World::instead(&address, id).unwrap();
                let theirs = world.asked(who, method, &address, None, &body).await;
                let absent = world.asked(who, method, &instead, None, &body).await;
                let told = |(status, problem): (u16, Value)| {
                    let detail = said(problem["detail"].as_str().unwrap_or_default(), id);
                    (status, problem["code"].clone(), detail)
                };
                let (theirs, absent) = (told(theirs), told(absent));
                let both = format!("{theirs:?}, and {absent:?} for what does not exist");
                broken.unless(theirs == absent, row, "tells what exists", who.name, &both);
            }
        }
    }
}

/// Naming our agent in the header gives nobody else its rights.
async fn judge_acting(world: &World, broken: &mut Broken) {
    for (op, aim, args) in rows::commands(world) {
        for who in &world.who {
            if ["our admin", "our agent"].contains(&who.name) || INTERNAL.contains(&op) {
                continue;
            }
            let cell = world
                .decided(who, op, &args, Some(world.id("handle")))
                .await;
            let row = Row {
                what: op.into(),
                aim: aim.into(),
                cells: Vec::new(),
                scoped: Vec::new(),
                private: true,
            };
            let rule = "only an admin of its owner acts as our agent";
            broken.unless(cell != "ok", &row, rule, who.name, &cell);
        }
    }
}

/// A scope only takes away, and a token for model calls begins those and does nothing else.
fn judge_scopes(world: &World, reads: &[(Row, bool)], commands: &[Row], broken: &mut Broken) {
    for row in reads.iter().map(|(row, _)| row).chain(commands) {
        let whole = world.cell(row, "our agent");
        let read = row.what.contains(' ');
        let judged = [
            "GET /api/whoami",
            "GET /api/access-key",
            "POST /api/commands",
            "token.rotate",
        ];
        let open = judged.contains(&row.what.as_str());
        for (who, cell) in world.scoped.iter().zip(&row.scoped) {
            let not_for_it = if read { "403" } else { "RLT0134" };
            let less = cell == whole || cell == not_for_it;
            broken.unless(less, row, "a scope only takes away", who.name, cell);
            let open = open || row.what == "inference.reserve";
            let models = who.name == "models" && !open && !INTERNAL.contains(&row.what.as_str());
            let public = cell == world.cell(row, "nobody");
            let nothing = public || cell == not_for_it;
            broken.unless(
                !models || nothing,
                row,
                "is for model calls",
                who.name,
                cell,
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_what() {
    let world = World::new().await;
    let commands = command_rows(&world).await;
    let reads = read_rows(&world).await;
    let text = page(&world, &reads, &commands);
    let mut broken = Broken::default();

    let rowed: BTreeSet<&str> = commands.iter().map(|row| row.what.as_str()).collect();
    let all: BTreeSet<&str> = NativeCommand::OPS.iter().copied().collect();
    assert_eq!(
        rowed, all,
        "an operation has no row in tests/it/authority/rows.rs"
    );

    judge_reads(&world, &reads, &mut broken);
    judge_commands(&world, &commands, &mut broken);
    judge_strangers(&world, &commands, &mut broken).await;
    judge_existence(&world, &commands, &reads, &mut broken).await;
    judge_acting(&world, &mut broken).await;
    judge_scopes(&world, &reads, &commands, &mut broken);
    // Every operation can be carried out by somebody, or its row would prove nothing.
    for row in &commands {
        let somebody = row.cells.iter().any(|cell| cell.starts_with("ok"));
        let holds = somebody || INTERNAL.contains(&row.what.as_str());
        broken.unless(holds, row, "somebody may", "nobody", "a refusal");
    }
    // Nor has an answer been held against its schema that nobody was given.
    for (row, _) in &reads {
        let same = reads.iter().filter(|(other, _)| other.what == row.what);
        let mut cells = same.flat_map(|(other, _)| &other.cells);
        let somebody = cells.any(|cell| cell.starts_with("200"));
        broken.unless(somebody, row, "somebody may", "nobody", "a good answer");
    }
    world.realm.stop();
    assert!(broken.0.is_empty(), "{}\n{text}", broken.0);
    committed("authorisation.md", &text);
}
