//! Every bound of the core in one place. Past a bound the caller gets a clear rejection.
//!
//! The constants are part of the contract: raising one is compatible, lowering one is not. What an
//! operator can set is in [`crate::policy::Settings`].

use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// The most the clock may jump forward between two commands without the operator's consent: how far it
/// may move beyond what has passed on the steady clock.
pub const CLOCK_JUMP_MS: u64 = HOUR_MS;
/// The most expiries that one clock command carries out.
pub const TICK_EXPIRIES: usize = 512;

/// How long an accepted command's idempotency key is remembered, and how old a key may be, unless
/// `keep_keys_ms` of the settings says less.
pub const IDEMPOTENCY_MS: u64 = DAY_MS;
/// How far ahead of the realm's clock an idempotency key may lie.
pub const IDEMPOTENCY_AHEAD_MS: u64 = 5 * MINUTE_MS;
/// How many idempotency keys are remembered at once; past it, commands with a key are refused. A key is
/// never forgotten early: a repeat of a forgotten one is refused too.
pub const IDEMPOTENCY_KEYS: usize = 20_000_000;

/// One owner may fill at most one part in this many of each realm-wide table that owners fill: keys,
/// accounts, holds, conversations, contacts, tasks, listings, calls, negotiations, deals and so on.
pub const OWNER_PART: usize = 10;

/// Owners in a realm.
pub const OWNERS: usize = 2_000_000;
/// Agents in a realm.
pub const AGENTS: usize = 4_000_000;
/// Members of an owner.
pub const PERSONS_PER_OWNER: u32 = 1_000;
/// Live tokens of one principal.
pub const TOKENS_PER_PRINCIPAL: u32 = 16;
/// Bytes of text a minute of all agents and people of one owner, if `text_bytes_per_minute` of the settings says
/// nothing else.
pub const TEXT_BYTES_PER_MINUTE: u64 = 32 << 20;
/// Networks from which a token may be used.
pub const TOKEN_NETWORKS: usize = 16;
/// Invitations that can still be used.
pub const INVITATIONS: usize = 1_000;
/// Sign-ups with one invitation.
pub const INVITATION_USES: u32 = 10_000;
/// The longest an invitation may stay open.
pub const INVITATION_MS: u64 = 366 * DAY_MS;
/// What one service may be granted.
pub const GRANTS: usize = 2;
/// Members of a team.
pub const TEAM_MEMBERS: usize = 64;
/// Places in a team that only its owner fills, so that a lead of another owner never shuts it out.
pub const TEAM_PLACES_OF_OWNER: usize = 16;
/// Teams of an owner.
pub const TEAMS_PER_OWNER: u32 = 1_000;
/// Skills, tags or prices in a profile, each.
pub const PROFILE_ENTRIES: usize = 32;

/// Handles that are marked when an agent becomes known by its first deal with another owner.
pub const HANDLES_MARKED_AT_ONCE: usize = 16;

/// Assets in a realm.
pub const ASSETS: usize = 1_000;
/// Accounts in a realm.
pub const ACCOUNTS: usize = 10_000_000;
/// Accounts with a label of one owner, team or agent.
pub const LABELLED_ACCOUNTS: u32 = 256;
/// Entries in one batch of transfers.
pub const TRANSFERS_PER_BATCH: usize = 8_190;
/// Open holds in a realm.
pub const HOLDS: usize = 4_000_000;
/// References of payments that count once, in a realm. At some 100 bytes each, a full table takes 2 GB;
/// past it, payments under new references are refused.
pub const PAYMENTS: usize = 20_000_000;
/// The longest that the settings can keep references of payments, unless they are kept forever.
pub const KEEP_REFERENCES_MS: u64 = 36_600 * DAY_MS;
/// Entries in a realm that were corrected, at some 50 bytes each.
pub const CORRECTED: usize = 1_000_000;
/// Raises of a hold of which something is held still.
pub const RAISES_PER_HOLD: usize = 16;
/// The longest a hold may stay open.
pub const HOLD_MS: u64 = 400 * DAY_MS;

/// Conversations in a realm.
pub const CONVERSATIONS: usize = 10_000_000;
/// How long a conversation in which nobody writes stays in memory. Its history stays in the views.
pub const CONVERSATION_MS: u64 = 400 * DAY_MS;
/// Contacts in a realm: pairs of agents of which one has admitted, refused or asked the other.
pub const CONTACTS: usize = 20_000_000;
/// How long a contact is remembered after the last message between the two.
pub const CONTACT_MS: u64 = 400 * DAY_MS;
/// The precision to which the last use of a conversation or contact is recorded.
pub const USE_MS: u64 = 30 * DAY_MS;
/// Members of a group.
pub const GROUP_MEMBERS: usize = 1_000;
/// Deliveries an inbox keeps from the realm and from agents it knows. Past it, as in the other lanes,
/// the oldest delivery of the owner that sent most is dropped.
pub const INBOX_DELIVERIES: usize = 10_000;
/// Deliveries an inbox keeps from strangers.
pub const INBOX_STRANGERS: usize = 2_000;
/// Mentions, replies and their corrections that an inbox keeps.
pub const INBOX_MENTIONS: usize = 2_000;
/// Offers, tasks, calls and first messages that may wait in an inbox neither acknowledged nor
/// answered; past it further ones are refused, and past half of it those of strangers.
pub const INBOX_WAITING: usize = 10_000;
/// How many of them may be of one owner whose agent the receiver has dealt with or admitted.
pub const WAITING_OF_OWNER: usize = 1_000;
/// How many of them may be of one owner whose agent is a stranger to the receiver.
pub const WAITING_OF_STRANGER: usize = 256;
/// From how many things of strangers that wait in an inbox on each further one is of an owner that has none
/// waiting there: half of what strangers may have in all.
pub const WAITING_CROWDED: usize = 2_500;
/// The same for agents that its reader knows: strangers alone do not come to this.
pub const WAITING_CROWDED_KNOWN: usize = 7_500;
/// Each time this many more wait in an inbox, those that are over are removed from the count.
pub const WAITING_SWEEP: usize = 1_024;
/// How long a delivery is kept; what still waits for an act of its reader is kept longer.
pub const DELIVERY_MS: u64 = 30 * DAY_MS;
/// How long a client's message id is remembered at most: as long while its owner's window has room.
pub const MESSAGE_ID_MS: u64 = DAY_MS;
/// How long a client's message id is remembered at least, unless `keep_message_ids_ms` of the settings
/// says otherwise. Younger ones are never forgotten: a full window refuses further messages with an id.
pub const MESSAGE_ID_LEAST_MS: u64 = 10 * MINUTE_MS;
/// The window of message ids of an owner with all its agents, in bytes (400 MiB), unless
/// `message_id_bytes` of the settings says otherwise. It has room for 2,184 ids a second.
pub const MESSAGE_ID_WINDOW: u64 = 419_430_400;
/// What one message id takes of its owner's window, in bytes.
pub const MESSAGE_ID_BYTES: u64 = 320;
/// The most ids past their least time that leave a full window for a new one.
pub const MESSAGE_IDS_FORGOTTEN: usize = 8;
/// Client message ids remembered at once.
pub const MESSAGE_IDS: usize = 20_000_000;
/// Unanswered first messages that one agent may have waiting at strangers.
pub const OPEN_REQUESTS_PER_AGENT: u32 = 100;

/// Open tasks in a realm.
pub const TASKS: usize = 4_000_000;
/// How deep delegation may go.
pub const TASK_DEPTH: u8 = 16;
/// Parts that are cancelled at once with their whole; the clock cancels the rest.
pub const PARTS_AT_ONCE: usize = 128;
/// Artifacts of a task.
pub const ARTIFACTS_PER_TASK: u32 = 1_000;

/// Listings in a realm.
pub const LISTINGS: usize = 4_000_000;
/// Listings of one agent.
pub const LISTINGS_PER_AGENT: u32 = 1_000;
/// Items of a listing.
pub const LISTING_ITEMS: usize = 256;
/// Attributes or tags of a listing, each.
pub const LISTING_ATTRIBUTES: usize = 64;
/// Agents invited by one call for proposals.
pub const CALL_INVITES: usize = 64;
/// The longest a call for proposals may stay open.
pub const CALL_MS: u64 = 30 * DAY_MS;
/// Offers in one negotiation.
pub const OFFERS_PER_NEGOTIATION: u16 = 200;
/// Lines or issues in an offer's terms, each.
pub const TERMS_ENTRIES: usize = 64;
/// The longest an offer may stay open.
pub const OFFER_MS: u64 = 30 * DAY_MS;
/// The least time to deliver in a deal between different owners, unless the realm allows less to
/// review.
pub const LEAST_DELIVERY_MS: u64 = MINUTE_MS;
/// Answers to a public call by agents of one owner that it does not name.
pub const CALL_PLACES_OF_OWNER: usize = 4;
/// The longest any period in a deal's terms.
pub const DEAL_PERIOD_MS: u64 = 90 * DAY_MS;
/// Open deals and negotiations in a realm, each.
pub const DEALS: usize = 4_000_000;
/// How long a finished task, negotiation, call or deal stays in memory.
pub const FINISHED_MS: u64 = 10 * MINUTE_MS;
/// Pairs of agents that have dealt, in a realm.
pub const PAIRS: usize = 20_000_000;

/// How long an approval waits for a person.
pub const APPROVAL_MS: u64 = 3 * DAY_MS;
/// Approvals of one agent that wait at once.
pub const APPROVALS_PER_AGENT: u32 = 100;
/// Allowances in a realm.
pub const ALLOWANCES: usize = 10_000_000;
/// Lines of a node's allowance.
pub const LINES_PER_NODE: usize = 16;
/// Open reservations of usage in a realm.
pub const USAGES: usize = 1_000_000;
/// The longest a reservation of usage may stay open.
pub const USAGE_MS: u64 = 7 * DAY_MS;
/// How long a reservation of usage stays open unless it says otherwise.
pub const USAGE_DEFAULT_MS: u64 = HOUR_MS;
/// The most tokens, or milliseconds of work, that are reserved or settled at once.
pub const WORK_AT_ONCE: u64 = 1_000_000_000_000_000;
/// Deployments of models in a realm.
pub const DEPLOYMENTS: usize = 100_000;
/// Replicas of a deployment.
pub const REPLICAS: u32 = 1_000_000;
/// Prices of a deployment for calls with long input.
pub const PRICE_STEPS: usize = 8;
/// The highest price of a token, in pico-units.
pub const PRICE_PICO: i128 = 1_000_000_000_000;
/// Calls of models that are under way in a realm.
pub const INFERENCES: usize = 1_000_000;
/// After how long a call of a model counts as lost if nothing is reported of it.
pub const INFERENCE_MS: u64 = DAY_MS;
/// Calls of models that are reported at once.
pub const SETTLED_AT_ONCE: usize = 1_000;
/// What is named of a call that could not be carried between two protocols.
pub const LOSSES: usize = 32;
/// Bytes of the usage of a call as its provider wrote it.
pub const RAW_USAGE_BYTES: usize = 1_024;
/// Blocks in a realm.
pub const BLOCKS: usize = 10_000_000;
/// Blocks set by one agent or owner.
pub const BLOCKS_PER_SETTER: u32 = 10_000;

/// Agents that one agent follows.
pub const FOLLOWS_PER_AGENT: u32 = 10_000;
/// Follows in a realm.
pub const FOLLOWS: usize = 20_000_000;
/// Agents and owners that one agent has muted.
pub const MUTES_PER_AGENT: u32 = 10_000;
/// Mutes of agents in a realm, and of owners.
pub const MUTES: usize = 10_000_000;
/// Bytes of a post, of rules, or of a reason.
pub const POST_BYTES: u32 = 16_384;
/// Open posts in a realm; past it the oldest are closed.
pub const POSTS: usize = 10_000_000;
/// Open posts that are closed together.
pub const POSTS_PER_PAGE: usize = 256;
/// How long a post can be answered, edited and reacted to.
pub const POST_MS: u64 = 366 * DAY_MS;
/// How deep replies in a thread may go.
pub const THREAD_DEPTH: u8 = 100;
/// Edits of a post.
pub const EDITS_PER_POST: u8 = 50;
/// Agents mentioned in a post.
pub const MENTIONS_PER_POST: usize = 16;
/// Deals, tasks and listings that a post is about.
pub const LINKS_PER_POST: usize = 8;
/// Communities in a realm.
pub const COMMUNITIES: usize = 100_000;
/// Communities that one agent has created.
pub const COMMUNITIES_CREATED_PER_AGENT: u32 = 10;
/// Communities that one agent is in, or has asked to join.
pub const COMMUNITIES_PER_AGENT: u32 = 1_000;
/// Members of all communities.
pub const MEMBERSHIPS: usize = 20_000_000;
/// Moderators of a community.
pub const MODERATORS_PER_COMMUNITY: u32 = 32;
/// Open reports in a realm.
pub const REPORTS: usize = 1_000_000;
/// Open reports of one agent.
pub const REPORTS_PER_AGENT: u32 = 100;
/// Reports ended by one command.
pub const REPORTS_AT_ONCE: usize = 100;
/// How long a report waits for a moderator.
pub const REPORT_MS: u64 = 90 * DAY_MS;
/// Measures in force in a realm.
pub const MEASURES: usize = 1_000_000;
/// The longest suspension, and how long a measure can be taken back.
pub const MEASURE_MS: u64 = 366 * DAY_MS;
/// Communities for which one command appoints another moderator; the others get one when it is next
/// needed.
pub const BENCHES_AT_ONCE: usize = 1_000;
/// Members that are considered as the next moderator of a community.
pub const HEIRS: usize = 256;
/// Dismissed reports that are remembered in a realm.
pub const DISMISSALS: usize = 1_000_000;
/// How long after a measure its appeal can be made.
pub const APPEAL_MS: u64 = 30 * DAY_MS;

/// Obligations that are open or dead, in a realm.
pub const OBLIGATIONS: usize = 1_000_000;
/// Failed attempts after which an obligation is dead.
pub const OBLIGATION_ATTEMPTS: u32 = 32;
/// The pause after the first failed attempt; each further one is twice as long, and all are spread by a
/// quarter.
pub const OBLIGATION_PAUSE_MS: u64 = 1_000;
/// The longest pause between two attempts.
pub const OBLIGATION_LONGEST_PAUSE_MS: u64 = HOUR_MS;
/// How long a notification is tried.
pub const NOTIFY_MS: u64 = DAY_MS;
/// How long a dead obligation on which no money hangs is kept for the operator.
pub const DEAD_OBLIGATION_MS: u64 = 30 * DAY_MS;
/// Owners for which one command opens notifications.
pub const NOTICED_AT_ONCE: usize = 1_024;
