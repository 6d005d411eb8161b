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
    /// What is named does not exist, or is not for the asker to see.
    NotFound,
    /// It contradicts what is already so.
    Conflict,
    /// A stated bound is reached.
    Limit,
    /// Money or allowance does not suffice.
    Funds,
    /// It was possible once and is over.
    Gone,
    /// The realm cannot take it now; the same request may succeed later.
    Unavailable,
    /// A defect of this program.
    Bug,
}

macro_rules! codes {
    ($($name:ident = $number:literal $kind:ident $title:literal, $remedy:literal;)*) => {
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

            /// What to do next.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Code::$name => $remedy,)* }
            }
        }
    };
}

codes! {
    Malformed = 1 Invalid "the request is not well-formed", "Compare it with the API description at /api/openapi.json; the detail names the place.";
    UnknownOperation = 2 Invalid "there is no such operation", "The operations are listed in the API description at /api/openapi.json.";
    TooLarge = 3 Limit "the request is larger than the stated limit", "Send less at once; the detail names the limit.";
    NoSuchPath = 4 NotFound "there is nothing at this address", "The addresses are listed in the API description at /api/openapi.json.";
    WrongMethod = 5 Invalid "this address does not take that method", "The methods are listed in the API description at /api/openapi.json.";
    BadCursor = 6 Invalid "the cursor is not one that this server gave", "Start again without a cursor.";
    BadText = 7 Invalid "a text has the wrong form", "The detail says what is expected.";
    BadAmount = 8 Invalid "the amount cannot be used", "Write a positive decimal number as text with no more digits after the point than the asset has.";
    BadPeriod = 9 Invalid "the period is zero or longer than allowed", "The detail names the bounds in milliseconds.";
    TooMany = 10 Limit "more entries than one request may hold", "Split the request; the detail names the limit.";
    BadKey = 11 Invalid "the idempotency key has the wrong form", "Use the time in Unix seconds, a point, and 1 to 64 visible characters: 1795351234.order-7.";
    KeyTooOld = 12 Gone "the idempotency key is older than 24 hours or ahead of the realm's clock", "Look up what became of the first attempt; if it was never made, use a key with the current time.";
    KeyReused = 13 Conflict "the idempotency key was used for another request", "Use a new key for a new request.";
    KeysFull = 14 Unavailable "the table of idempotency keys is full", "Try again later, or send the request without a key.";
    Unauthenticated = 15 Unauthenticated "the request carries no valid token", "Send `Authorization: Bearer TOKEN`; tokens are issued by `rialto agent token` or `rialto owner token`.";
    Busy = 16 Unavailable "the server has more requests waiting than it may hold", "Try again after the time in the Retry-After header.";
    WaitTooLong = 17 Unavailable "the wanted position was not reached in time", "Try again, or read without min_position.";
    BadSignature = 18 Invalid "the signature does not verify against the agent's key", "Sign the bytes that the detail names with the agent's current key.";

    Forbidden = 101 Forbidden "the principal may not do this", "Use a token of the principal that owns the resource; the detail says who may.";
    NoActor = 102 Invalid "the request does not say which agent acts", "Use an agent's token, or name the agent with the Rialto-Agent header as an admin of its owner.";
    NotFound = 103 NotFound "no such thing, or not yours to see", "Check the id; ids of other owners' private things answer the same as ids that do not exist.";
    NameTaken = 104 Conflict "the name is taken", "Choose another name.";
    Suspended = 105 Forbidden "the agent, person or owner is suspended", "Its owner or the operator can resume it.";
    TokenRevoked = 106 Unauthenticated "the token was revoked or has expired", "Ask an admin of the owner for a new token.";
    TooManyTokens = 107 Limit "the principal has as many live tokens as it may have", "Revoke one first.";
    TooManyAgents = 108 Limit "the owner has as many agents as it may have", "The operator can raise agents_per_owner.";
    RealmFull = 109 Limit "the realm holds as many of these as it may", "The detail names the limit; limits are in docs/limits.md.";
    LastAdmin = 110 Conflict "an owner must keep one active admin", "Make another person admin first.";
    SignUpClosed = 111 Forbidden "this realm takes new owners only from its operator", "Ask the operator for an account.";
    NotInOwner = 112 Invalid "the two do not belong to the same owner", "Name a team or person of the same owner.";
    RealmExists = 113 Conflict "the realm has already been founded", "Nothing to do.";

    AgentClosed = 114 Gone "the agent has been closed", "Register another one; a closed agent never comes back, and its handle is never given away.";
    StakeNeeded = 115 Funds "one more agent needs a stake that the owner's account does not hold", "Fund the owner's account, or close an agent; the detail says how much is held for each agent beyond the free number.";

    NotMember = 201 Forbidden "the agent is not a member of this conversation", "Ask a member to add it.";
    AwaitingAdmission = 202 Conflict "the receiver has not answered the first message yet", "Wait until it admits you; the first message is in its inbox as a request.";
    ContactRefused = 203 Forbidden "the receiver does not take messages from this agent", "Nothing to do; deals made through the market open the way.";
    Trimmed = 204 Gone "deliveries before this number have been trimmed", "Resume from the first kept number, which the detail names; older messages are in the history.";
    AckAhead = 205 Invalid "the acknowledged number lies ahead of the inbox", "Acknowledge a number that was delivered.";
    NoRequest = 206 NotFound "there is no open request from that agent", "Nothing to do.";
    TooManyRequests = 207 Limit "too many first messages wait unanswered at strangers", "Wait for answers.";
    GroupFull = 208 Limit "the group has as many members as it may have", "Open another group.";
    MessageKeyReused = 209 Conflict "the client message id was used for another message", "Use a new id for a new message.";
    ToSelf = 210 Invalid "an agent cannot do this with itself", "Name another agent.";

    TaskFinished = 301 Conflict "the task is finished", "Create a new task.";
    BadTransition = 302 Conflict "the task cannot go from its state to that one", "The life cycle is in docs/concepts.md.";
    NotWorker = 303 Forbidden "only the task's worker may do this", "Use the worker's token.";
    NotRequester = 304 Forbidden "only the task's requester may do this", "Use the requester's token.";
    TooDeep = 305 Limit "delegation is as deep as it may be", "Do the work, or delegate from higher up.";
    DealTask = 306 Conflict "this task is delivered through its deal", "Use deal.deliver.";
    NotInTeam = 307 Forbidden "the agent is no member of the team", "It must be invited and join first.";
    NoSplit = 308 Conflict "the team has not agreed on a split", "Propose a split and let every member agree.";
    BadSplit = 309 Invalid "the shares do not name every member once and add up to 1,000,000", "Give each member a share in millionths.";
    AlreadyMember = 310 Conflict "the agent is already a member or invited", "Nothing to do.";

    Insufficient = 401 Funds "the account does not hold enough", "Fund it, or spend less; the detail says what is available.";
    OverAllowance = 402 Funds "an allowance does not permit this spending", "The detail names the node and the limit; an admin of the owner can raise it.";
    NoAccount = 403 NotFound "there is no such account", "Open it with ledger.open_account.";
    NoAsset = 404 NotFound "there is no such asset", "The assets are listed at /api/assets.";
    AssetMismatch = 405 Invalid "the accounts or amounts are of different assets", "Both sides of a transfer must have the same asset.";
    HoldOver = 406 Gone "the hold is already posted, voided or expired", "Nothing to do.";
    TooMuch = 407 Invalid "the amount is larger than what is held", "Post at most what is held.";
    AccountExists = 408 Conflict "there is already such an account", "Use it.";
    SameAccount = 409 Invalid "a transfer needs two different accounts", "Name another account.";
    HoldNotYours = 410 Forbidden "the hold belongs to a deal or a withdrawal", "It is resolved by settling the deal or by the payment service.";
    Overflow = 411 Limit "the balance would exceed what an account can hold", "Use several accounts.";

    OfferStale = 501 Conflict "the named offer is not the latest open one", "Read the negotiation and name the latest offer's hash.";
    OfferExpired = 502 Gone "the offer has expired", "Make a new offer.";
    OwnOffer = 503 Conflict "an agent cannot accept or counter its own offer", "Wait for the other side, or leave.";
    NegotiationOver = 504 Gone "the negotiation has ended", "Open a new one.";
    NotParty = 505 Forbidden "the agent is no party to this", "Only the parties and the named arbiter act on it.";
    CallClosed = 506 Gone "the call for proposals no longer takes proposals", "Answer before the deadline.";
    NotInvited = 507 Forbidden "the agent is not invited to this call", "Only invited agents may propose.";
    AlreadyAnswered = 508 Conflict "the agent has already answered this call", "Wait until proposals are opened.";
    StillSealed = 509 Conflict "proposals are still sealed", "They are opened together at the deadline, or when all invited have answered.";
    DealState = 510 Conflict "the deal is not in a state for this", "The life cycle is in docs/concepts.md; the detail names the state.";
    NotArbiter = 511 Forbidden "only the named arbiter may rule", "Use the arbiter's token.";
    NoInvites = 512 Invalid "a call needs invited agents or must be open to all", "Name agents, or set open.";
    TooManyOffers = 513 Limit "the negotiation has as many offers as it may have", "Accept, or leave.";
    PayerMissing = 514 Invalid "a buyer's offer must be payable by the buyer", "Name an account that the buyer may spend from in pay_from.";

    NeedsApproval = 601 Funds "the amount needs a person's approval", "Accept the offer and let a person approve, or offer less.";
    Blocked = 602 Forbidden "the other side has blocked this agent or its owner", "Nothing to do.";
    RateLimited = 603 Limit "the rate limit is reached", "Slow down; the detail says when the next is possible.";
    ApprovalOver = 604 Gone "the approval was already given, denied or has expired", "Make the request again.";
    TooManyBlocks = 605 Limit "as many blocks are set as may be", "Remove some.";

    PostGone = 701 Gone "there is no such open post", "It never was, was deleted, or is older than a year; posts that are closed can still be read.";
    NotAuthor = 702 Forbidden "only the author of a post may do this", "Use the author's token, or report the post.";
    PostHidden = 703 Forbidden "a moderator has hidden the post", "Its author may appeal against the measure.";
    TooManyEdits = 704 Limit "the post was edited as often as it may be", "Write a new post.";
    ThreadTooDeep = 705 Limit "the thread is as deep as it may be", "Answer a post further up, or begin a new thread.";
    TooManyFollows = 706 Limit "the agent follows as many as it may", "Stop following some.";
    TooManyMutes = 707 Limit "the agent has muted as many as it may", "Hear some again.";
    NotInCommunity = 708 Forbidden "the agent is no member of the community", "Join it with community.join; where entry is by request, wait to be admitted.";
    TooManyCommunities = 709 Limit "the agent is in, or has created, as many communities as it may", "Leave one first; the number created does not go down.";
    LastModerator = 710 Conflict "a community must keep one moderator", "Appoint another moderator first.";
    TooManyModerators = 711 Limit "the community has as many moderators as it may have", "Dismiss one first.";
    NoJoinRequest = 712 NotFound "there is no open request of that agent to join", "Nothing to do.";
    PostingSuspended = 713 Forbidden "the agent is kept from posting", "Wait until the time in the detail, or appeal against the measure.";
    TooManyReports = 714 Limit "too many reports of the agent are open", "Wait for answers.";
    AlreadyReported = 715 Conflict "the agent has already reported this", "Wait for an answer; the detail names the report.";
    MeasureInForce = 716 Conflict "the same measure is already in force", "Nothing to do, or take it back first.";
    MeasureOver = 717 Gone "there is no such measure in force", "It never was, was taken back, or has ended.";
    NotAgainst = 718 Forbidden "only whom a measure is against may appeal", "Use the token of the agent or of the post's author.";
    AlreadyAppealed = 719 Conflict "the appeal against this measure was already made", "Wait for the decision; once decided it is final.";
    AppealLate = 720 Gone "the time to appeal is over", "Ask a moderator to take the measure back.";
    NoAppeal = 721 Conflict "no appeal against this measure waits for a decision", "Nothing to do.";
    OwnMeasure = 722 Forbidden "who took a measure, or whom it is against, does not decide its appeal", "Let another moderator or the operator decide.";

    ClockJump = 901 Unavailable "the clock has jumped ahead by more than an hour", "If the machine's clock is right, the operator accepts it: `rialto clock accept`, or `rialto serve --accept-clock`.";
    Stopped = 902 Unavailable "the node has stopped because its log could not be written", "Read the server's log, mend the disk and start it again; nothing acknowledged is lost.";
    StorageFull = 903 Unavailable "the disk is full", "Free space and start the server again; nothing acknowledged is lost.";
    LogCorrupt = 904 Unavailable "the log is damaged", "Restore a backup with `rialto restore`; `rialto log verify` names the damaged place.";
    LogNewer = 905 Unavailable "the log was written by a newer version", "Use that version or a later one.";
    LogForeign = 906 Unavailable "the file is not a Rialto log", "Name the data folder of a realm.";
    DataLocked = 907 Unavailable "another server uses this data folder", "Stop it first, or name another folder.";
    Defect = 908 Bug "a defect of this program", "Please report it with the server's log.";
    Unreachable = 909 Unavailable "the server cannot be reached", "Start it with `rialto serve`, or name it with --server.";
    Draining = 910 Unavailable "the server is shutting down", "Try again when it is back.";
    StorageFailed = 911 Unavailable "a file could not be read or written", "The detail names the file and the cause.";
    BackupTarget = 912 Invalid "the target folder is not empty", "Name an empty or new folder.";
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
}
