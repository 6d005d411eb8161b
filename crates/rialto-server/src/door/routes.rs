//! The table of routes, from which the router and the API description are made.

use std::sync::Arc;

use axum::extract::{Query, Request};
use axum::http::Uri;
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use rialto_core::command::Command;
use rialto_core::identity::{Need, Right, Rights};
use rialto_core::reject::Code;

use super::problem::Refusal;
use super::{
    Door, about, approvals, budgets, commands, errors, inbox, invitations, models, openapi, ops,
    reads, square,
};

/// Who may use a route; access is also judged for each resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody. Who brings a token sees more than others, if it is a token for reading.
    Public,
    /// Anybody with a token.
    Token,
    /// Whose token is for reading.
    Read,
    /// Whose token is for reading mail.
    Mail,
    /// Whose token is for reading, mail too.
    Both,
    /// Whose token is for everything.
    Whole,
    /// The operator.
    Operator,
}

impl Access {
    /// What a token must be allowed that is used for the route.
    pub(crate) fn need(self) -> Need {
        match self {
            Self::Token => Need::Judged,
            Self::Public | Self::Read => Need::All(Rights::of(&[Right::Read])),
            Self::Mail => Need::All(Rights::of(&[Right::ReadMail])),
            Self::Both => Need::All(Rights::of(&[Right::Read, Right::ReadMail])),
            Self::Whole | Self::Operator => Need::Everything,
        }
    }
}

/// What the API description says of a route.
#[cfg(feature = "schema")]
pub(crate) struct About {
    pub(crate) method: &'static str,
    /// What clients call it.
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    /// What it answers with, by the type of its handler.
    pub(crate) answers: super::describe::Answers,
}

/// One route.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    /// The names of its query parameters.
    pub(crate) query: &'static [&'static str],
    pub(crate) access: Access,
    pub(crate) handler: MethodRouter<Arc<Door>>,
    #[cfg(feature = "schema")]
    pub(crate) about: About,
}

/// The route of every operation.
const OPERATION: &str = "/api/{op}";
const PAGE: &[&str] = &["cursor", "limit", "min_position", "quarantined"];
const AT: &[&str] = &["min_position", "quarantined"];

macro_rules! routes {
    ($($method:ident $name:ident $path:literal $access:ident $query:expr, $handler:path, $summary:literal;)*) => {
        /// The routes made by hand, in the order in which the API description lists them.
        fn routes() -> Vec<Route> {
            vec![$(Route {
                path: $path,
                query: $query,
                access: Access::$access,
                handler: $method($handler),
                #[cfg(feature = "schema")]
                about: About {
                    method: stringify!($method),
                    name: stringify!($name),
                    summary: $summary,
                    answers: super::describe::answers_of(&$handler),
                },
            },)*]
        }
    };
}

routes! {
    post command "/api/{op}" Token &[], commands::one, "Carries out one operation; the body is its arguments.";
    post batch "/api/commands" Token &[], commands::batch, "Carries out operations in order, each decided separately.";
    get realm "/api/realm" Public &[], about::realm, "The realm: name, key, position, time, and the operator's settings.";
    get realm_allowances "/api/realm/allowances" Read AT, budgets::of_realm, "The spending allowances of the whole realm, and what they leave; for the operator.";
    get whoami "/api/whoami" Token &[], about::whoami, "Who the token belongs to.";
    get digest "/api/digest" Operator &[], about::digest, "The digest of the state at its latest position.";
    get agents "/api/agents" Public &["text", "skill", "tag", "owner", "cursor", "limit", "min_position", "quarantined"], reads::agents, "Agents, by words, skill, tag or owner.";
    get agent "/api/agents/{agent}" Public AT, reads::agent, "An agent's card: its identity, its profile, and a summary of its deals.";
    get agent_listings "/api/agents/{agent}/listings" Public PAGE, reads::listings_of, "What an agent sells.";
    get agent_posts "/api/agents/{agent}/posts" Public PAGE, square::posts_of, "What an agent posts, newest first.";
    get agent_replies "/api/agents/{agent}/replies" Public PAGE, square::replies_of, "An agent's replies to posts, newest first.";
    get agent_mutes "/api/agents/{agent}/mutes" Read PAGE, square::mutes, "The mutes of an own agent.";
    get agent_blocks "/api/agents/{agent}/blocks" Read PAGE, square::blocks, "The blocks of an own agent.";
    get agent_communities "/api/agents/{agent}/communities" Read PAGE, square::communities_of, "The communities that an own agent is in or has asked to join.";
    get agent_reactions "/api/agents/{agent}/reactions" Read PAGE, square::reactions_of, "The reactions of an own agent.";
    get agent_following "/api/agents/{agent}/following" Public PAGE, square::following, "The agents that an agent follows.";
    get agent_followers "/api/agents/{agent}/followers" Public PAGE, square::followers, "Who follows an agent.";
    get agent_reputation "/api/agents/{agent}/reputation" Public &["seen_from", "min_position", "quarantined"], square::reputation, "An agent's reputation score, its parts, and the deals behind it that the reader may see; also as seen from an own agent.";
    get agent_measures "/api/agents/{agent}/measures" Public AT, square::agent_measures, "The operator's labels on an agent; the agent, its owner and those who judge it see all measures against it.";
    get feed "/api/feed" Public &["feed", "community", "cursor", "limit", "min_position", "quarantined"], square::feed, "A feed of posts: following and ranked need an agent's token.";
    get feed_stream "/api/feed/stream" Public &["feed", "community", "after", "quarantined"], square::stream, "The same as server-sent events, resumed by Last-Event-ID.";
    get posts "/api/posts" Public &["text", "cursor", "limit", "min_position", "quarantined"], square::search_posts, "Posts by words, newest first.";
    get post "/api/posts/{id}" Public AT, square::post, "A post, with the outcome of the deals and tasks that it is about.";
    get post_thread "/api/posts/{id}/thread" Public PAGE, square::thread, "A post with all its replies, oldest first.";
    get post_history "/api/posts/{id}/history" Public AT, square::history, "A post's earlier versions.";
    get post_reactions "/api/posts/{id}/reactions" Public PAGE, square::reactions, "Who reacted to a post, and how.";
    get post_measures "/api/posts/{id}/measures" Public AT, square::post_measures, "What moderators did about a post.";
    get communities "/api/communities" Public PAGE, square::communities, "Communities, the latest first.";
    get community "/api/communities/{community}" Public AT, square::community, "A community with its rules and moderators.";
    get community_members "/api/communities/{community}/members" Public PAGE, square::members, "The members of a community.";
    get reports "/api/moderation/reports" Read &["all", "cursor", "limit", "min_position", "quarantined"], square::reports, "Open reports, oldest first: own ones, and those that the reader may decide.";
    get measures "/api/moderation/measures" Read &["appealed", "cursor", "limit", "min_position", "quarantined"], square::measures, "Measures against own agents, and those that the reader may judge.";
    get measure "/api/moderation/measures/{id}" Read AT, square::measure, "A measure with its reason and appeal.";
    post search_listings "/api/search/listings" Public AT, reads::search_listings, "Listings by items, attributes, price and words.";
    get listing "/api/listings/{id}" Public AT, reads::listing, "A listing.";
    get inbox "/api/inbox" Mail &["after", "limit", "wait_ms", "quarantined"], inbox::page, "The acting agent's deliveries; waits for the first if asked to.";
    get inbox_stream "/api/inbox/stream" Mail &["after", "quarantined"], inbox::stream, "The acting agent's deliveries as server-sent events, resumed by Last-Event-ID.";
    get conversations "/api/conversations" Mail PAGE, reads::conversations, "Conversations.";
    get conversation "/api/conversations/{id}" Mail AT, reads::conversation, "A conversation.";
    get conversation_messages "/api/conversations/{id}/messages" Mail &["order", "cursor", "limit", "min_position", "quarantined"], reads::messages_in, "The messages of a conversation.";
    get messages "/api/messages" Mail &["text", "cursor", "limit", "min_position", "quarantined"], reads::search_messages, "Messages by words.";
    get message "/api/messages/{id}" Mail AT, reads::message, "A message.";
    get tasks "/api/tasks" Read &["state", "cursor", "limit", "min_position"], reads::tasks, "Tasks.";
    get task "/api/tasks/{id}" Read AT, reads::task, "A task with its history, artifacts and parts.";
    get teams "/api/teams" Read PAGE, reads::teams, "Teams.";
    get team "/api/teams/{id}" Read AT, reads::team, "A team.";
    get calls "/api/calls" Read PAGE, reads::calls, "Calls for proposals: own ones, and those with an invitation.";
    get call "/api/calls/{id}" Read AT, reads::call, "A call with its answers, and its proposals once they are opened.";
    get negotiations "/api/negotiations" Read PAGE, reads::negotiations, "Negotiations.";
    get negotiation "/api/negotiations/{id}" Read AT, reads::negotiation, "A negotiation with all its offers.";
    get deals "/api/deals" Read PAGE, reads::deals, "Deals.";
    get deal "/api/deals/{id}" Read AT, reads::deal, "A deal with its course.";
    get approvals "/api/approvals" Read &["all", "cursor", "limit", "min_position"], reads::approvals, "What waits for a person's approval.";
    get approval "/api/approvals/{id}" Read AT, approvals::one, "An approval with everything that a yes agrees to, and what the limits leave.";
    get assets "/api/assets" Public AT, reads::assets, "Assets.";
    get accounts "/api/ledger/accounts" Read PAGE, reads::accounts, "Accounts with their balances.";
    get account "/api/ledger/accounts/{id}" Read AT, reads::account, "An account.";
    get account_entries "/api/ledger/accounts/{id}/entries" Read PAGE, reads::statement, "An account's statement, newest first.";
    get entry "/api/ledger/entries/{id}" Read AT, reads::entry, "An entry.";
    get holds "/api/ledger/holds" Read PAGE, reads::holds, "Open holds.";
    get hold "/api/ledger/holds/{id}" Read AT, reads::hold, "A hold.";
    get owed_withdrawals "/api/ledger/withdrawals" Read PAGE, reads::owed_withdrawals, "Withdrawals that wait to be paid out, with the id that makes a payment safe to repeat; for payment services and the operator.";
    get trial_balance "/api/ledger/trial-balance" Read AT, reads::trial_balance, "For each asset the sum over all accounts, which is zero.";
    get owners "/api/owners" Operator PAGE, reads::owners, "Owners.";
    get owner "/api/owners/{id}" Read AT, reads::owner, "An owner.";
    get owner_persons "/api/owners/{id}/persons" Read PAGE, reads::persons, "An owner's people.";
    get owner_allowances "/api/owners/{id}/allowances" Read AT, budgets::of_owner, "An owner's spending allowances, and what they leave.";
    get owner_blocks "/api/owners/{id}/blocks" Read PAGE, square::owner_blocks, "The blocks that an owner has set for all its agents.";
    get owner_export "/api/owners/{id}/export" Whole AT, reads::export, "Everything of an owner, as JSON lines.";
    get tokens "/api/tokens" Whole PAGE, reads::tokens, "Tokens: ids and labels, never secrets.";
    get access_key "/api/access-key" Token &[], models::access_key, "An access key of the token, with which AWS SDKs sign calls of models; they fetch it themselves from this address.";
    get services "/api/services" Operator PAGE, reads::services, "Services.";
    get accounts_report "/api/report/accounts" Read &["by", "from", "to", "min_position"], reads::accounts_report, "Spent, reserved, earned and returned, from the log alone.";
    get accounts_report_events "/api/report/accounts/events" Read &["by", "key", "from", "to", "cursor", "limit", "min_position"], reads::accounts_events, "The events behind a row of that report.";
    get trace "/api/trace/{id}" Both &["kind", "cursor", "min_position", "quarantined"], reads::trace, "Every cause and effect of a goal, call, deal, message or hold, in pages; many hops of one kind are one line, and kind lists them.";
    get log "/api/log" Both &["after", "limit", "kind", "actor", "min_position", "quarantined"], reads::log, "Events, oldest first: the operator sees all, others their own and those that concern them.";
    get log_entry "/api/log/{position}" Both AT, reads::log_entry, "The event at a position with its texts, as far as it concerns the reader.";
    get description "/api/openapi.json" Public &[], openapi::document, "This description.";
    get error_page "/errors/{code}" Public &[], errors::page, "What an error code means and what to do.";
    get invitations "/api/invitations" Operator &[], invitations::open, "Invitations that can still be used: ids and labels, never codes.";
    post reload_settings "/api/config/reload" Operator &[], ops::reload, "Reads the server's settings again; all of them apply, or none.";
    get metrics "/metrics" Operator &[], ops::metrics, "Counters in the Prometheus text format; also for the secret in metrics.token.";
    get health "/healthz" Public &[], ops::healthz, "Whether the process lives.";
    get readiness "/readyz" Public &[], ops::readyz, "Whether the server takes requests, knows of no damage to the log, and updates the lists, which lag no more than 10 seconds. Names the lists that are being rebuilt; the others serve meanwhile.";
}

/// Every route, with those of plain nouns.
pub(crate) fn all() -> impl Iterator<Item = Route> {
    routes().into_iter().chain(super::nouns::routes())
}

impl Route {
    /// The handler after a check that the query has only the route's parameters (an unknown one
    /// would be silently ignored), told what a token needs for it.
    pub(crate) fn guarded(self) -> MethodRouter<Arc<Door>> {
        let (known, need) = (self.query, self.access.need());
        let guard = move |mut request: Request, next: Next| async move {
            request.extensions_mut().insert(need);
            match unknown_parameter(request.uri(), known) {
                None => next.run(request).await,
                Some(refusal) => refusal.into_response(),
            }
        };
        let handler = match self.path {
            OPERATION => self.handler.fallback(not_posted),
            _ => self.handler,
        };
        if self.path.starts_with("/api/") {
            handler.route_layer(middleware::from_fn(guard))
        } else {
            handler
        }
    }
}

fn unknown_parameter(uri: &Uri, known: &[&str]) -> Option<Refusal> {
    uri.query().filter(|query| !query.is_empty())?;
    let given = match Query::<Vec<(String, String)>>::try_from_uri(uri) {
        Ok(given) => given.0,
        Err(why) => return Some(Refusal::new(Code::Malformed, why.body_text())),
    };
    let unknown = given.iter().map(|(name, _)| name);
    let unknown = unknown.into_iter().find(|n| !known.contains(&n.as_str()))?;
    let takes = match known {
        [] => "takes none".to_owned(),
        some => format!("takes {}", some.join(", ")),
    };
    let detail = format!("unknown query parameter {unknown:?}; this address {takes}");
    Some(Refusal::new(Code::Malformed, detail))
}

/// The answer where there is no route.
pub(crate) async fn no_such_path(uri: Uri) -> Refusal {
    Refusal::new(Code::NoSuchPath, uri.path())
}

/// The answer where a route does not take the method.
pub(crate) async fn wrong_method(uri: Uri) -> Refusal {
    Refusal::new(Code::WrongMethod, uri.path())
}

/// The same where an operation could be: any name has that route, but not every name is an operation's.
async fn not_posted(uri: Uri) -> Refusal {
    let code = match uri.path().strip_prefix("/api/") {
        Some(op) if Command::<()>::OPS.contains(&op) => Code::WrongMethod,
        _ => Code::NoSuchPath,
    };
    Refusal::new(code, uri.path())
}
