//! The modules of the core, listed once.
//!
//! A row names a module, the number of its events in the log, what can happen to it, what can be asked
//! of it, and the tables it keeps in the state. From this follow the events and what applies them
//! ([`crate::event`]), the commands and what decides them ([`crate::command`]), the state and its tables
//! ([`crate::state`]), the shares of tables ([`crate::share`]) and what the clock does
//! ([`crate::entity::Due`]). Everything else about an event, command or entity stands in its module.

/// Hands the list to a macro.
macro_rules! modules {
    ($then:ident) => {
        $then! {
            /// The realm itself.
            realm: Realm = 0, RealmEvent, RealmCommand {
                /// The realm itself.
                realm: Realm;
                /// The clock.
                clock: Clock;
                /// The edition of the rules.
                rules: Rules;
                /// Remembered idempotency keys.
                remembered: Remembered;
            }
            /// Identities.
            identity: Identity = 1, IdentityEvent, IdentityCommand<C> {
                /// Owners.
                owners: Owner;
                /// People.
                persons: Person;
                /// Agents.
                agents: Agent;
                /// Services.
                services: Service;
                /// Tokens.
                tokens: Token;
                /// Open invitations.
                invitations: Invitation;
                /// Stakes held for agents.
                stakes: Stake;
            }
            /// Mail.
            mail: Mail = 2, MailEvent, MailCommand<C> {
                /// Conversations.
                conversations: Conversation;
                /// Heads of inboxes.
                inboxes: Inbox;
                /// Deliveries.
                deliveries: Delivery;
                /// Answers to first messages.
                contacts: Contact;
                /// Remembered message ids.
                message_keys: MessageKey;
                /// Whether inboxes have lanes.
                lanes: Lanes;
            }
            /// Work.
            work: Work = 3, WorkEvent, WorkCommand<C> {
                /// Tasks.
                tasks: Task;
                /// Teams.
                teams: Team;
                /// Cancelled tasks with parts that are not cancelled yet.
                unwindings: Unwinding;
            }
            /// The ledger.
            ledger: Ledger = 4, LedgerEvent, LedgerCommand<C> {
                /// Assets.
                assets: Asset;
                /// Accounts.
                accounts: Account;
                /// Open holds.
                holds: Hold;
                /// References of payments that count once.
                payments: Payment;
                /// The sums of corrections of entries.
                corrected: Corrected;
            }
            /// The market.
            market: Market = 5, MarketEvent, MarketCommand<C> {
                /// Listings.
                listings: Listing;
                /// Calls for proposals.
                calls: Call;
                /// Negotiations.
                negotiations: Negotiation;
                /// Deals.
                deals: Deal;
                /// Reputations.
                reputations: Reputation;
                /// Settled deals by pair of agents.
                pairs: Pair;
            }
            /// Policy.
            policy: Policy = 6, PolicyEvent, PolicyCommand<C> {
                /// Allowances.
                allowances: Allowance;
                /// Blocks.
                blocks: Block;
                /// Rate limits in use, as they were counted before there was a steady clock.
                buckets: Bucket;
                /// Rate limits in use.
                meters: Meter;
                /// Open approvals.
                approvals: Approval;
                /// Lines of allowances.
                lines: Lines;
                /// Open reservations of usage.
                usages: Usage;
            }
            /// The square.
            social: Social = 7, SocialEvent, SocialCommand<C> {
                /// The pages that posts are kept on.
                square: Square;
                /// Agents' counts on the square.
                standings: Standing;
                /// Who follows whom.
                follows: Following;
                /// Who has muted whom.
                mutes: Mute;
                /// Who has muted which owners.
                owner_mutes: OwnerMute;
                /// Open posts.
                posts: Post;
                /// Open posts by age.
                post_pages: PostPage;
                /// Communities.
                communities: Community;
                /// Members of communities.
                memberships: Membership;
                /// Open reports.
                reports: Report;
                /// Measures in force.
                measures: Measure;
                /// Reports that were dismissed.
                dismissals: Dismissed;
            }
            /// Obligations.
            obligation: Obligation = 8, ObligationEvent, ObligationCommand {
                /// What is owed to the outside.
                obligations: Obligation;
                /// How far the log was looked through for what begins to wait.
                noticed: Noticed;
            }
            /// Models.
            model: Model = 9, ModelEvent, ModelCommand {
                /// What serves a model.
                deployments: Deployment;
                /// Calls of models that are under way.
                inferences: Inference;
            }
        }
    };
}

pub(crate) use modules;

/// How many names the modules have together.
#[allow(clippy::indexing_slicing)] // Checked when it is compiled.
pub(crate) const fn count(modules: &[&[&str]]) -> usize {
    let (mut sum, mut module) = (0, 0);
    while module < modules.len() {
        sum += modules[module].len();
        module += 1;
    }
    sum
}

/// The names of all modules, in one list.
#[allow(clippy::indexing_slicing)] // Checked when it is compiled.
pub(crate) const fn all<const N: usize>(modules: &[&[&'static str]]) -> [&'static str; N] {
    let mut all = [""; N];
    let (mut next, mut module) = (0, 0);
    while module < modules.len() {
        let mut op = 0;
        while op < modules[module].len() {
            all[next] = modules[module][op];
            next += 1;
            op += 1;
        }
        module += 1;
    }
    all
}
