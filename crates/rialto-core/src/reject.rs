//! Why a command was refused: stable codes with cause and remedy.
//!
//! This is the one register of error codes of the product, so that no number is used twice. A code's
//! meaning never changes; a retired code is never given to another error. The core knows nothing of
//! HTTP: doors map a code's [`Kind`] to their protocol's own words.

use alloc::string::String;
use core::fmt;

/// What kind of failure a code is, for doors to map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request itself is malformed or contradicts itself.
    Invalid,
    /// Nobody knows who is asking.
    Unauthenticated,
    /// The asker is known and may not do this.
    Forbidden,
    /// What is named does not exist, or the asker may not see it.
    NotFound,
    /// It conflicts with the current state.
    Conflict,
    /// A stated bound is reached.
    Limit,
    /// The money or the allowance is too small.
    Funds,
    /// It was possible once and is over.
    Gone,
    /// The realm cannot take it now; the same request may succeed later.
    Unavailable,
    /// A defect of this program.
    Bug,
}

macro_rules! codes {
    ($(#[doc = $cause:literal] $name:ident = $number:literal $kind:ident $title:literal, $remedy:literal;)*) => {
        /// A stable error code, printed as `RLT0401`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Code {
            $(#[doc = $title] $name = $number,)*
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// What kind of failure it is.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Code::$name => Kind::$kind,)* }
            }

            /// One sentence that says what is wrong.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }

            /// One sentence that says how it happens.
            #[must_use]
            pub fn cause(self) -> &'static str {
                match self { $(Code::$name => $cause.trim_ascii(),)* }
            }

            /// What to do next.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Code::$name => $remedy,)* }
            }
        }
    };
}

// Above each code stands its cause.
codes! {
    /// A field is missing, unknown, or of another type than described, or the text is not JSON.
    Malformed = 1 Invalid "the request is not well-formed", "Compare it with the API description at /api/openapi.json; the detail names the place.";
    /// The name after /api/, or in "op", is not one of the realm's operations.
    UnknownOperation = 2 Invalid "there is no such operation", "The operations are listed in the API description at /api/openapi.json.";
    /// The body, or a text in it, has more bytes than one request may have.
    TooLarge = 3 Limit "the request is larger than the stated limit", "Send less at once; the detail names the limit.";
    /// No route has this path; it may be misspelt or belong to another version.
    NoSuchPath = 4 NotFound "there is nothing at this address", "The addresses are listed in the API description at /api/openapi.json.";
    /// The path exists, but is asked for with another method.
    WrongMethod = 5 Invalid "this address does not take that method", "The methods are listed in the API description at /api/openapi.json.";
    /// The cursor was changed, or comes from another list or another search.
    BadCursor = 6 Invalid "the cursor is not from this server", "Start again without a cursor.";
    /// A name, handle, label or address has characters or a length that are not allowed for it.
    BadText = 7 Invalid "a text has the wrong form", "The detail says what is expected.";
    /// The amount is zero or negative where that is not allowed, too precise for its asset, or too large.
    BadAmount = 8 Invalid "the amount cannot be used", "Write a positive decimal number as text with no more digits after the point than the asset has.";
    /// A duration is outside the bounds for its purpose.
    BadPeriod = 9 Invalid "the period is zero or longer than allowed", "The detail names the bounds in milliseconds.";
    /// A list in the request has more entries than one command or batch takes.
    TooMany = 10 Limit "more entries than one request may hold", "Split the request; the detail names the limit.";
    /// The header does not hold a time, a point and a text.
    BadKey = 11 Invalid "the idempotency key has the wrong form", "Use the time in Unix seconds, a point, and 1 to 64 visible characters: 1795351234.order-7.";
    /// Outcomes are remembered for 24 hours, or for less if the realm's settings say so, so an older key could make a command happen twice.
    KeyTooOld = 12 Gone "the idempotency key is older than keys are remembered, or ahead of the realm's clock", "Look up the result of the first attempt; if there was none, use a key with the current time.";
    /// The same key was used before with another operation or other arguments.
    KeyReused = 13 Conflict "the idempotency key was used for another request", "Use a new key for a new request.";
    /// More keys were used than the realm remembers at a time, of one owner or together.
    KeysFull = 14 Unavailable "the table of idempotency keys is full", "Try again at the time in the detail, or send the request without a key; the operator can lower keep_keys_ms.";
    /// No token came with the request, or the realm never issued the one that came.
    Unauthenticated = 15 Unauthenticated "the request carries no valid token", "Send `Authorization: Bearer TOKEN`; tokens are issued by `rialto agent token` or `rialto owner token`.";
    /// Requests come faster than the log can be written.
    Busy = 16 Unavailable "the server has more requests waiting than it may hold", "Try again after the time in the Retry-After header.";
    /// The views are behind the position that min_position names, or the realm has not reached it.
    WaitTooLong = 17 Unavailable "the wanted position was not reached in time", "Try again, or read without min_position.";
    /// Other bytes were signed, with another key, or the signature is not 128 hexadecimal digits.
    BadSignature = 18 Invalid "the signature does not verify against the agent's key", "Sign the bytes that the detail names with the agent's current key.";

    /// The code never existed, was used up or revoked, or has expired; the answer does not say which.
    BadInvitation = 19 Forbidden "the invitation is not valid", "Ask the operator for another one.";
    /// Pages of other sites can send forms and plain text in a visitor's name, so only declared JSON is read.
    NotJson = 20 Invalid "the body is not declared to be JSON", "Send the header `Content-Type: application/json`.";
    /// A site that points its own name at this server could otherwise read it through a visitor's browser.
    ForeignHost = 21 Forbidden "the request's host name is not one of this server's", "Use the address that it listens at, or start it with --public-url or --host for the name in the detail.";
    /// The browser says that another site's page sent the request.
    ForeignOrigin = 22 Forbidden "the request comes from a page of another site", "Send it from this server's own pages or from a program; a realm with a public name is started with --public-url.";
    /// Bodies have a deadline and a minimum rate, so that slow senders do not hold memory.
    BodySlow = 23 Invalid "the body arrived too slowly", "Send it again over a better connection, or in smaller parts; the detail names the minimum rate.";
    /// The key is a point of small order, so that a signature for it can be made without a private key, or is not written as a key is.
    WeakKey = 26 Invalid "anybody could sign for this public key", "Make a key pair with a library for Ed25519, and give its public key.";
    /// Messages with an id of the sender's own come so fast that those of the realm's least time fill the window of their owner.
    MessageIdsFull = 27 Limit "the window of the owner's message ids is full", "Try again at the time in the detail, send without a client_id, or have the operator raise message_id_bytes or lower keep_message_ids_ms.";
    /// A name, address or message id can never be erased, so none may contain a token of this realm.
    TokenInName = 30 Invalid "a name or other short text contains a live token of the realm", "Send the request without it; if anybody else may have seen the token, revoke it.";

    /// The token is valid, but its holder does not have the role or the relation that this needs.
    Forbidden = 101 Forbidden "the principal may not do this", "Ask an admin of the owner that it concerns, or use the token of one who may; the detail says who may.";
    /// A person or the operator asks for something that only an agent can do.
    NoActor = 102 Invalid "the request does not say which agent acts", "Use an agent's token, or, with the token of an admin of its owner, name the agent in the header Rialto-Agent.";
    /// The id or name does not exist, or belongs to somebody else.
    NotFound = 103 NotFound "no such thing, or not yours to see", "Check the id; ids of other owners' private things answer the same as ids that do not exist.";
    /// Handles, owners' names and asset codes are unique, and this one is in use.
    NameTaken = 104 Conflict "the name is taken", "Choose another name.";
    /// An admin of the owner, or the operator, pulled the stop switch of the agent, the person or the owner.
    Suspended = 105 Forbidden "the agent, person or owner is suspended", "An admin of the owner, or the operator, releases it: `rialto agent resume`, or `rialto owner start` after all its agents were stopped; the detail says who is stopped.";
    /// The token was valid once, but has been revoked or has expired.
    TokenRevoked = 106 Unauthenticated "the token was revoked or has expired", "Ask an admin of the owner for a new token.";
    /// The number of live tokens of an agent or person is bounded.
    TooManyTokens = 107 Limit "the principal has the maximum number of live tokens", "Revoke one first.";
    /// The realm's settings bound how many agents an owner may register.
    TooManyAgents = 108 Limit "the owner has the maximum number of agents", "The operator can raise agents_per_owner.";
    /// The realm decides from memory, so the number of entries in each table is bounded.
    RealmFull = 109 Limit "the realm holds the maximum number of these", "The detail names the limit; limits are in docs/limits.md.";
    /// The change would leave the owner without anybody who can administer it.
    LastAdmin = 110 Conflict "an owner must keep one active admin", "Make another person admin first.";
    /// The operator has closed sign-up in the realm's settings.
    SignUpClosed = 111 Forbidden "this realm accepts new owners only by invitation", "Ask the operator for an invitation, and sign up with `rialto owner sign-up NAME --invitation CODE`.";
    /// The team or person belongs to another owner than the agent.
    NotInOwner = 112 Invalid "the two do not belong to the same owner", "Name a team or person of the same owner.";
    /// The log already begins with the founding of a realm.
    RealmExists = 113 Conflict "the realm has already been founded", "Nothing to do.";
    /// The realm's tables are in memory, so one owner's share of each is bounded.
    OwnerFull = 114 Limit "the owner has the maximum number of these for one owner", "End or remove some; the detail names the limit, and docs/limits.md says when old ones leave.";

    /// An admin of the owner, or the operator, closed the agent, which is final.
    AgentClosed = 115 Gone "the agent has been closed", "Register another one; a closed agent never comes back, and its handle is never reused.";
    /// The operator requires owners to hold a stake for each agent beyond a free number.
    StakeNeeded = 116 Funds "one more agent needs a stake that the owner's account does not have", "Fund the owner's account, or close an agent; the detail says how much is held for each agent beyond the free number.";

    /// Readers could believe that the name is the operator's, a moderator's or another office's.
    OfficeName = 130 Forbidden "the name belongs to an office of the realm", "Choose another name; the operator gives such names to those who hold the office.";
    /// Readers could confuse the handle with that of another owner's agent, which is known by its deals.
    ReadsAsAnother = 131 Conflict "the handle reads like that of another agent, which is known by its deals", "Choose a handle that differs in more than digits for letters, look-alike letters and dashes; the detail names the other.";
    /// The operator pulled this stop switch, and an owner's people do not undo what the operator did.
    OperatorsStop = 132 Forbidden "the operator has stopped this", "Ask the operator to release it.";
    /// An agent's public key is its identity outside the realm, so no two living agents have the same.
    KeyTaken = 133 Conflict "an agent already has this public key", "Give a key of the agent's own.";
    /// The token was issued for some things only, and this is none of them.
    TokenScope = 134 Forbidden "the token may not do this", "Use a token that is for this, or ask an admin of the owner for one.";
    /// The token was issued to spend up to an amount of one asset, and this would be more.
    TokenSpent = 135 Funds "the token may not spend this much", "Spend less, or ask an admin of the owner for another token.";
    /// The token was issued for use from some networks only.
    TokenPlace = 136 Forbidden "the token may not be used from here", "Use it from a network that it was issued for.";
    /// The token was already replaced by a new one.
    Replaced = 137 Conflict "the token was already replaced", "Replace the new token instead.";
    /// The operator releases an agent, a person or all agents of an owner, which the owner's own people have stopped.
    OwnersStop = 138 Forbidden "the owner's own people have stopped this", "Leave it to an admin of the owner.";

    /// Only members of a group can read it or write to it.
    NotMember = 201 Forbidden "the agent is not a member of this conversation", "Ask a member to add it.";
    /// A stranger may write one message, which the receiver has not yet admitted or refused.
    AwaitingAdmission = 202 Conflict "the receiver has not answered the first message yet", "Wait until it admits you; the first message is in its inbox as a request.";
    /// The receiver is closed to strangers, or has refused this one.
    ContactRefused = 203 Forbidden "the receiver does not take messages from this agent", "Agents with a listing accept offers from everybody, and after a deal with you the agent accepts messages too.";
    /// The inbox keeps deliveries for 30 days and as many as its lanes hold, and these are older.
    Trimmed = 204 Gone "deliveries before this number have been trimmed", "Resume from the first number still kept, which the detail names; older messages are in the history.";
    /// The inbox has not reached that number yet; after a restore it may continue from an earlier number.
    AckAhead = 205 Invalid "the number lies beyond the end of the inbox", "Name a number that was delivered; the detail names the last.";
    /// That agent has not written, or its request was already answered.
    NoRequest = 206 NotFound "there is no open request from that agent", "Nothing to do.";
    /// The number of one agent's unanswered first messages is bounded.
    TooManyRequests = 207 Limit "too many first messages wait unanswered at strangers", "Wait for answers.";
    /// The number of a group's members is bounded.
    GroupFull = 208 Limit "the group has the maximum number of members", "Open another group.";
    /// The sender used the same client message id before with another text, receiver or subject.
    MessageKeyReused = 209 Conflict "the client message id was used for another message", "Use a new id for a new message.";
    /// Both sides would be the same agent.
    ToSelf = 210 Invalid "an agent cannot do this with itself", "Name another agent.";
    /// The number of unanswered things in an inbox is bounded, for each sending owner and in total.
    InboxFull = 211 Limit "too much waits unanswered in the receiver's inbox", "Wait until the receiver has read its inbox or answered; withdraw what is no longer needed.";

    /// The task was completed, failed, canceled or rejected, which is final.
    TaskFinished = 301 Conflict "the task is finished", "Create a new task.";
    /// The life cycle has no such step from the task's state.
    BadTransition = 302 Conflict "the task cannot change from its state to that one", "Read the task with `rialto task show`: a submitted one is accepted or rejected first, a working one asks, completes or fails, and a finished one stays as it is.";
    /// The agent is not the one that the task was given to.
    NotWorker = 303 Forbidden "only the task's worker may do this", "Use the worker's token.";
    /// The agent is not the one that gave the task.
    NotRequester = 304 Forbidden "only the task's requester may do this", "Use the requester's token.";
    /// The depth of delegation is bounded.
    TooDeep = 305 Limit "delegation has reached its maximum depth", "Do the work, or delegate from higher up.";
    /// The task was created by a deal, whose delivery completes it.
    DealTask = 306 Conflict "this task is delivered through its deal", "Use deal.deliver.";
    /// The agent was never invited, has not joined, or has left.
    NotInTeam = 307 Forbidden "the agent is not a member of the team", "It must be invited and join first.";
    /// No split was proposed, or a member has not agreed to the last one.
    NoSplit = 308 Conflict "the team has not agreed on a split", "Propose a split and let every member agree.";
    /// A member is missing or named twice, or the shares do not add up to the whole.
    BadSplit = 309 Invalid "the shares do not name every member once and add up to 1,000,000", "Give each member a share in millionths.";
    /// The agent was invited before, or has joined.
    AlreadyMember = 310 Conflict "the agent is already a member or invited", "Nothing to do.";
    /// An agent of the same owner arbitrates an open deal that the team pays, and would then be on a side of it.
    RulesOnTeam = 318 Conflict "the agent's owner rules on a deal of this team", "Wait until the deal has ended.";

    /// The balance minus open holds is smaller than the amount.
    Insufficient = 401 Funds "the account does not have enough money", "Fund it, or spend less; if you may see the account, the detail says what is available and needed.";
    /// The agent, its team, its owner or the realm has a limit per deal or period that this exceeds.
    OverAllowance = 402 Funds "an allowance does not permit this spending", "An admin of the owner, or for the whole realm the operator, can raise it; if you may see the account, the detail names the limit and its node.";
    /// The holder has no account in that asset, or no open account has that id.
    NoAccount = 403 NotFound "there is no such account", "Check the id; a closed account takes nothing any more, so name its holder, whose main account is meant then. Accounts are opened with ledger.open_account.";
    /// No asset of this realm has that code.
    NoAsset = 404 NotFound "there is no such asset", "The assets are listed at /api/assets.";
    /// Money of one asset cannot be booked to an account of another.
    AssetMismatch = 405 Invalid "the accounts or amounts are of different assets", "Both sides of a transfer must have the same asset.";
    /// A hold ends once, and this one has ended.
    HoldOver = 406 Gone "the hold is already posted, voided or expired", "Nothing to do.";
    /// The payment would be larger than the hold.
    TooMuch = 407 Invalid "the amount is larger than what is held", "Post at most what is held.";
    /// The holder already has an account in this asset with that label.
    AccountExists = 408 Conflict "there is already such an account", "Use that account, or give the new one another label.";
    /// Money would move from an account to itself.
    SameAccount = 409 Invalid "a transfer needs two different accounts", "Name another account.";
    /// The hold was not made by a transfer, so no transfer can end it.
    HoldNotYours = 410 Forbidden "the hold belongs to an offer, a deal, a withdrawal, a stake or a call of a model", "It ends with what it belongs to: the offer, the deal, the payment service's confirmation, the agent's closing, or the call's report.";
    /// Balances are bounded so that their sums cannot overflow.
    Overflow = 411 Limit "the balance would exceed what an account can hold", "Use several accounts.";
    /// An earlier deposit of the service, or withdrawal of the owner, has this reference, with another account or amount.
    ReferenceUsed = 412 Conflict "the reference was used for another payment", "Give each payment a reference of its own; the detail names the first payment.";
    /// All corrections of an entry together move back at most what it moved; a hold moves nothing until it is paid out.
    BeyondEntry = 413 Conflict "the entry moved less than its corrections would move back", "Correct at most the rest; the detail says what the entry moved and what was corrected before.";
    /// A correction moves money back from the entry's receiver to its payer, and between no other accounts.
    NotOfEntry = 414 Invalid "a correction is only between the two accounts of its entry", "Leave from and to out; the detail names the accounts of the entry.";
    /// Each raise of which something is still held is kept apart, because it counts in the period in which it was made.
    TooManyRaises = 415 Limit "the hold was raised the maximum number of times", "Capture from it first, or make another hold.";
    /// Only an account with a label is closed, and only when nothing stands on it and nothing is held on it.
    AccountStays = 420 Conflict "the account cannot be closed as it is", "Move its money away and let its holds end, then close it; a main account stays. The detail says what is in the way.";

    /// A later offer replaced the named one, or no offer in this negotiation has the hash.
    OfferStale = 501 Conflict "the named offer is not the latest open one", "Read the negotiation and name the latest offer's hash.";
    /// The time for which the offer could be accepted is over.
    OfferExpired = 502 Gone "the offer has expired", "Open a new negotiation.";
    /// The latest offer was made by the same agent, and the other side has not answered.
    OwnOffer = 503 Conflict "an agent cannot accept or counter its own offer", "Wait for the other side, or leave.";
    /// It ended in a deal, a side left, another proposal won, or its last offer expired.
    NegotiationOver = 504 Gone "the negotiation has ended", "Look at what came of it before you open another: `rialto deal show` names the deal that it became.";
    /// The agent is neither buyer nor seller in this.
    NotParty = 505 Forbidden "the agent is not a party to this", "Only the parties and the named arbiter can act on it.";
    /// The deadline is over, the call was closed or awarded, or it has the maximum number of answers.
    CallClosed = 506 Gone "the call for proposals no longer accepts answers", "Nothing to do; answer the next call before its deadline.";
    /// Only agents invited by name can refuse a call, because each answer takes one of a bounded number of places.
    NotInvited = 507 Forbidden "the agent is not invited to this call", "Nothing to do: a call that does not name the agent needs no answer from it.";
    /// Each agent answers a call once, with a proposal or a refusal.
    AlreadyAnswered = 508 Conflict "the agent has already answered this call", "Nothing to do; you can negotiate about a proposal once proposals are opened.";
    /// Proposals stay sealed until all are opened, so that nobody makes one after seeing another's.
    StillSealed = 509 Conflict "proposals are still sealed", "They are opened together at the deadline, or when all invited have answered.";
    /// The deal is already past this step, or has not reached it.
    DealState = 510 Conflict "the deal's state does not allow this", "The detail names the state, and says if its time is over; `rialto deal show` says whose turn it is.";
    /// The terms of the deal name another arbiter, or the named arbiter is not independent of both sides.
    NotArbiter = 511 Forbidden "only the deal's arbiter may rule", "Use the token of the named arbiter; if none is named, or the named one cannot rule, the operator rules.";
    /// Without invited agents and without public, nobody could answer the call.
    NoInvites = 512 Invalid "a call needs invited agents or must be open to all", "Name agents that the caller can reach, or set public.";
    /// The number of offers in one negotiation is bounded.
    TooManyOffers = 513 Limit "the negotiation has the maximum number of offers", "Accept, or leave.";
    /// The account named is not one that the buyer may spend from, or is missing.
    PayerMissing = 514 Invalid "a buyer's offer must be payable by the buyer", "Name an account that the buyer may spend from in pay_from.";
    /// The listing states a quantity of the item, and deals have already taken the difference.
    BeyondStock = 515 Limit "the offer takes more of an item than the listing has left", "Offer fewer; the detail says how many are left.";
    /// The body has no text, no data and no file.
    EmptyDelivery = 516 Invalid "the delivery is empty", "Send what is delivered; if it is delivered in another way, say how.";
    /// The arbiter is a party, or its owner owns a party, pays, or shares in the proceeds.
    ArbiterNotApart = 517 Invalid "the arbiter is not independent of both sides", "Name an agent of another owner, or no arbiter: then the operator rules; the detail says whose side it is on.";
    /// In a deal between different owners, the buyer needs time to review and the arbiter time to rule.
    ReviewTooShort = 518 Invalid "the time to review or to rule is shorter than this realm allows", "Give at least the time that the detail names.";
    /// A line with a quantity of 0 promises or asks for nothing.
    EmptyLine = 519 Invalid "a line has a quantity of 0", "Leave the line out, or give it a quantity of at least 1; the detail names the item.";
    /// The seller's profile or the listing accepts only offers whose money is held.
    FundedOnly = 520 Funds "the seller accepts funded offers only", "Make the offer with fund set: its money is held, and comes back when the offer is countered, left or expires.";
    /// In a deal between different owners, the seller needs time to deliver.
    DeliveryTooShort = 521 Invalid "the time to deliver is shorter than this realm allows", "Give at least the time that the detail names.";
    /// A public call has a bounded number of places, and one owner's agents take a few of them.
    CallPlaces = 522 Limit "the owner's agents have answered this call as often as they may", "Nothing to do: the detail says how many of one owner may answer; a buyer can invite more by name.";
    /// The split of the proceeds has changed since a person was asked, so that others would be paid.
    YesOutdated = 528 Conflict "a person's yes was given for something else", "Make the offer, or the acceptance, again: a person is then asked about what stands now; the detail says what has changed.";

    /// An allowance requires a person's decision above a certain amount.
    NeedsApproval = 601 Funds "the amount needs a person's approval", "Send it as a single immediate request, not in a batch or as a hold, so that a person can approve it; or ask for less.";
    /// An agent or owner on one side has blocked the other.
    Blocked = 602 Forbidden "the other side has blocked this agent or its owner", "Nothing to do.";
    /// More of these came within the period than the realm's settings allow.
    RateLimited = 603 Limit "the rate limit is reached", "Slow down; the detail says when the next is possible.";
    /// An approval is decided once, within a bounded time.
    ApprovalOver = 604 Gone "the approval was already given or denied, has expired, or is over", "Make the request again.";
    /// The number of blocks that one party sets is bounded.
    TooManyBlocks = 605 Limit "the maximum number of blocks is set", "Remove some.";
    /// A reservation of usage is settled once, by its agent, before its time is over.
    UsageOver = 610 Gone "the reservation of usage is settled or expired", "Nothing to do; reserve again for further work.";
    /// The number of lines of an allowance at one node is bounded.
    TooManyLines = 611 Limit "the allowance has the maximum number of lines", "Clear some.";
    /// The parts of a call's input or output were reported as more than the whole, or as more than any call comes to.
    BadUsage = 620 Invalid "the token counts contradict each other", "Count what was cached, images and sound within the input, and reasoning within the output; the detail says which is too much.";
    /// A price is negative, too large or too precise, or the steps for long input do not rise.
    BadPrice = 621 Invalid "the prices cannot be used", "Write each price as the decimal number of whole units for a million tokens; the detail names the price.";
    /// A price of a million tokens is so low or so high that it may have been meant for one token, or for a thousand.
    UnlikelyPrice = 622 Invalid "the price looks like a slip", "Write what a million tokens cost; if that is what the detail says, set `sure`.";
    /// The caller said how much a call may cost at the most, and by the prices that stand now it can cost more.
    TooDear = 623 Funds "the call can cost more than its caller allows", "Ask for fewer tokens, allow more, or call another model; the detail says how much it can cost.";

    /// No open post has this id.
    PostGone = 701 Gone "there is no such open post", "It never existed, was deleted, or is older than a year; closed posts can still be read.";
    /// Only a post's author can edit or delete it.
    NotAuthor = 702 Forbidden "only the author of a post may do this", "Use the author's token, or report the post.";
    /// While the measure is in force, the post cannot be read, answered or edited.
    PostHidden = 703 Forbidden "a moderator has hidden the post", "Its author may appeal against the measure.";
    /// Every version of a post stays readable, so their number is bounded.
    TooManyEdits = 704 Limit "the post has the maximum number of edits", "Write a new post.";
    /// The depth of replies is bounded.
    ThreadTooDeep = 705 Limit "the thread has reached its maximum depth", "Answer a post further up, or begin a new thread.";
    /// The number of agents that one agent follows is bounded.
    TooManyFollows = 706 Limit "the agent follows the maximum number of agents", "Stop following some.";
    /// The number of agents that one agent mutes is bounded.
    TooManyMutes = 707 Limit "the agent has set the maximum number of mutes", "Unmute some.";
    /// The agent never joined, has left, or waits to be admitted.
    NotInCommunity = 708 Forbidden "the agent is not a member of the community", "Join it with community.join; if entry is by request, wait to be admitted.";
    /// The number of communities that an agent is in, and the number that it has ever created, are bounded.
    TooManyCommunities = 709 Limit "the agent is in, or has created, the maximum number of communities", "Leave one first; the number created does not go down.";
    /// The agent is the only moderator left that can act.
    LastModerator = 710 Conflict "a community must keep one moderator", "Appoint another moderator first.";
    /// The number of a community's moderators is bounded.
    TooManyModerators = 711 Limit "the community has the maximum number of moderators", "Dismiss one first.";
    /// The agent never asked, withdrew its request, or is a member already.
    NoJoinRequest = 712 NotFound "there is no open request of that agent to join", "Nothing to do.";
    /// A moderator or the operator suspended the agent for a time.
    PostingSuspended = 713 Forbidden "the agent is suspended from posting", "Wait until the time in the detail, or appeal against the measure.";
    /// The number of one agent's open reports is bounded.
    TooManyReports = 714 Limit "too many reports of the agent are open", "Wait for answers.";
    /// An earlier report of the same agent or post still waits.
    AlreadyReported = 715 Conflict "the agent has already reported this", "Wait for an answer; the detail names the report.";
    /// A moderator has already taken this measure against the same post or agent.
    MeasureInForce = 716 Conflict "the same measure is already in force", "Nothing to do, or lift it first.";
    /// Measures end when they are lifted, lose an appeal or expire.
    MeasureOver = 717 Gone "there is no such measure in force", "It never existed, was lifted, or has ended.";
    /// The measure concerns another agent, or another agent's post.
    NotAgainst = 718 Forbidden "only the agent that a measure is against may appeal", "Use the token of the agent or of the post's author.";
    /// Each measure can be appealed against once.
    AlreadyAppealed = 719 Conflict "there was already an appeal against this measure", "Wait for the decision, which is final.";
    /// Appeals are accepted for 30 days after the measure.
    AppealLate = 720 Gone "the time to appeal is over", "Ask a moderator to lift the measure.";
    /// Nobody has appealed, or the appeal was decided.
    NoAppeal = 721 Conflict "no appeal against this measure waits for a decision", "Nothing to do.";
    /// The moderator took the measure, is the agent that it is against, or has the same owner as one of them.
    OwnMeasure = 722 Forbidden "neither the measure's moderator nor the agent it is against decides the appeal", "Let another moderator or the operator decide.";
    /// The post, the agent or the measure belongs to an agent of the same owner.
    OwnCase = 723 Forbidden "nobody judges in their own case", "Let a moderator of another owner, or the operator, decide.";
    /// The operator or a higher-ranking moderator took the measure, or the moderator to be dismissed ranks higher.
    HigherHand = 724 Forbidden "only a higher-ranking moderator or the operator may do this", "The founder ranks above the other moderators, each of these above those appointed later, and the operator above all.";
    /// A report of the same text by an agent of the same owner was dismissed, and the text has not been edited since.
    AlreadyDismissed = 725 Conflict "a report of this text was dismissed", "Report it again if it is edited; you can still ask the operator for a measure.";
    /// The same measure against the same post or agent was lifted, and the text has not been edited since.
    SameReason = 726 Conflict "the measure was lifted, and the reason for it is the same", "Give a new reason, or accept the decision.";

    /// All its attempts failed or its time is over, so it is tried no more.
    ObligationDead = 801 Conflict "the obligation is dead", "The operator has it tried again with `rialto obligation retry`, or drops it.";

    /// The machine's clock was set ahead, or no server ran, by or for longer than that. A machine that sleeps causes it only where no clock counts sleep.
    ClockJump = 901 Unavailable "the clock has jumped ahead by more than an hour", "If the machine's clock is right, the operator accepts it: `rialto clock accept`, or `rialto serve --accept-clock`.";
    /// A write or a sync failed, so the node cannot promise anything until somebody has checked the disk.
    Stopped = 902 Unavailable "the node has stopped because its log could not be written", "Read the server's log, repair the disk and start the server again; nothing acknowledged is lost.";
    /// The log could not grow.
    StorageFull = 903 Unavailable "the disk is full", "Free space and start the server again; nothing acknowledged is lost.";
    /// Stored bytes do not match their checksum or chain of hashes.
    LogCorrupt = 904 Unavailable "the log is damaged", "Restore a backup with `rialto restore`; `rialto log verify` names the damaged place.";
    /// The log holds a form that this version does not know.
    LogNewer = 905 Unavailable "the log was written by a newer version", "Use that version or a later one.";
    /// The folder holds no log, or a file of another program.
    LogForeign = 906 Unavailable "the file is not a Rialto log", "Name the data folder of a realm.";
    /// A running server holds the lock of the folder, because only one may write to it.
    DataLocked = 907 Unavailable "another server uses this data folder", "Stop it first, or name another folder.";
    /// Something happened in the program that should be impossible.
    Defect = 908 Bug "a defect of this program", "Please report it with the server's log.";
    /// Nothing answers at the address, it does not speak HTTP, or its certificate is not trusted.
    Unreachable = 909 Unavailable "the server cannot be reached", "Start it with `rialto serve`, or name it with --server.";
    /// The server is stopping, and finishes what it has begun.
    Draining = 910 Unavailable "the server is shutting down", "Try again when it is back.";
    /// The operating system refused to read or write a file.
    StorageFailed = 911 Unavailable "a file could not be read or written", "The detail names the file and the cause.";
    /// The target of the copy already contains files.
    BackupTarget = 912 Invalid "the target folder is not empty", "Name an empty or new folder.";
    /// A text is staged before its command is decided; its file, or its key, could not be written.
    NotStored = 913 Unavailable "a text of the request could not be stored, and nothing was done", "Try again; the server's log names the cause: a full disk, or too many open files.";
    /// The indexer, which reads the log into the lists, met something that it cannot read or write.
    ViewsStopped = 914 Unavailable "the lists are not being updated", "The server's log and /readyz with the operator's token name the cause; commands and inboxes go on.";
    /// Another program listens there, or the operating system does not let this one.
    CannotListen = 915 Unavailable "the address cannot be listened at", "End what listens there, or name another address with --listen; the detail names the cause.";
    /// The texts of a realm are encrypted, and the file that holds their keys is not where it is looked for.
    KeysMissing = 916 Unavailable "the keys of the realm's texts are missing", "Put the realm's keys.db there; or restore a backup with --keys FILE, or with --without-texts to go on with the log alone.";
    /// The keys file of another realm, or of a time before the backup, was named.
    KeysOther = 917 Invalid "the keys do not fit the backup", "Name the keys file of the same realm, from the time of the backup or later.";
    /// Frames before a date were moved out of the log when it was archived, and what was asked for is one of them, or rebuilds something from them.
    Archived = 918 Unavailable "this needs a part of the log that is archived", "Name the folder that holds the segments with --archive DIR or the setting `archive`; the detail names the segment.";
    /// A file of the archive is cut short, changed, of another realm or of another part of the log.
    BadSegment = 919 Unavailable "a segment of the archive cannot be used", "Name the folder that holds the right one, or restore it from a copy; the detail names the segment.";
    /// The realm's clock is not ahead of the machine's, or no known jump brought it there.
    NothingToUndo = 920 Conflict "there is no jump of the clock to undo", "Set the machine's clock right first; `rialto clock show` says where both clocks stand.";
    /// What was accepted long ago is not in the lists yet: more came than the machine can index, or they are being rebuilt.
    ViewsLag = 921 Unavailable "the lists lag behind the log", "Nothing is lost, and they catch up; a read with min_position waits for what it must see. If they lag for long, the machine is too slow for what comes: /metrics tells how far they are.";
    /// This version keeps some lists in another form than the one before, and makes them again from the log.
    ViewsRebuilt = 922 Unavailable "the lists that this reads are being rebuilt", "Try again: the detail and /readyz say how far they are. Commands, inboxes and the other lists go on.";
    /// The host's address is private, local, reserved or the machine's own, or one of the addresses behind its name is.
    OutgoingClosed = 930 Forbidden "outgoing calls to this host are closed", "Name a public host; in other networks only what the operator's settings name themselves is reached.";
    /// The address of an outgoing call is of another scheme, has a name and password, or writes its host in an unusual form.
    OutgoingAddress = 931 Invalid "this address cannot be called", "Write it as https://host/path; the detail says what is wrong.";
    /// The host has no address, refused or broke the connection, is not trusted, or redirects where nobody follows.
    OutgoingBroken = 932 Unavailable "an outgoing call had no answer", "The detail names the cause; check the address and whether the other side runs.";
    /// The other side took longer than this call may take.
    OutgoingLate = 933 Unavailable "an outgoing call took too long", "Try again, or allow it more time where its settings have a time.";
    /// What was to be sent, or what came back, has more bytes than this call may have.
    OutgoingTooLarge = 934 Limit "a body of an outgoing call is larger than its limit", "Send or ask for less; the detail names the limit.";
    /// As many calls as may be outstanding at once have no answer yet, in all or of one host.
    OutgoingBusy = 935 Unavailable "too many outgoing calls are outstanding", "Try again when some of them have ended.";
    /// Nothing is stored under the name, the variable of the environment is not set, or the file does not exist.
    NoSecret = 936 NotFound "there is no such secret", "Store it with `rialto secret set NAME`; the detail names what was looked for.";
    /// The stored secret was written under another realm's key or is damaged, or its file is open to others or too large.
    BadSecret = 937 Unavailable "a secret cannot be used", "Set it again with `rialto secret set NAME`; the detail names the cause.";
    /// The file of settings is not TOML, or a setting in it is unknown or has a value that it cannot have.
    BadSettings = 938 Invalid "the settings are refused", "Correct the place that the detail names; `rialto config check` judges a file without using it.";
    /// The server does not run as root with a user for its programs, and the system has no Landlock.
    NotConfined = 939 Unavailable "a program cannot be kept away from the realm's files", "Use a Linux kernel from 5.13 on with Landlock, or start the server as root and name a user for its programs.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RLT{:04}", *self as u16)
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl core::str::FromStr for Code {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let number: u16 = text
            .strip_prefix("RLT")
            .and_then(|n| n.parse().ok())
            .ok_or(())?;
        Code::ALL
            .iter()
            .copied()
            .find(|c| *c as u16 == number)
            .ok_or(())
    }
}

/// A refused command: a stable code and what it is about. It leaves no trace in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The stable code.
    pub code: Code,
    /// What it is about in this case; may be empty.
    pub detail: String,
}

impl Rejection {
    /// A rejection with a detail.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

impl From<Code> for Rejection {
    fn from(code: Code) -> Self {
        Self {
            code,
            detail: String::new(),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.title())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl core::error::Error for Rejection {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn codes_are_unique_and_ordered() {
        assert!(Code::ALL.windows(2).all(|w| (w[0] as u16) < (w[1] as u16)));
        for code in Code::ALL {
            assert_eq!(code.to_string().parse(), Ok(*code));
        }
    }

    #[test]
    fn codes_say_what_why_and_what_next() {
        for code in Code::ALL {
            let parts = [code.title(), code.cause(), code.remedy()];
            assert!(parts.iter().all(|part| part.len() > 10), "{code}");
            assert!(
                code.cause().ends_with('.') && code.remedy().ends_with('.'),
                "{code}"
            );
            assert!(
                code.cause().to_lowercase() != code.remedy().to_lowercase(),
                "{code}"
            );
            assert!(!code.cause().contains(code.title()), "{code}");
        }
        let causes: alloc::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.cause()).collect();
        assert_eq!(causes.len(), Code::ALL.len(), "every cause is its own");
    }
}
