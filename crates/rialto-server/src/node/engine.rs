//! The engine: decides and applies, and collects what has to be journaled.
//!
//! It knows no thread, no channel and no file, so that the threaded node and the fault simulation
//! run the very same code.

use rialto_core::command::Command;
use rialto_core::decide::{Request, Stamp, Verdict, decide};
use rialto_core::event::{Envelope, Event};
use rialto_core::hash::{Hash, Short};
use rialto_core::id::{AgentId, AnyId, TokenId, number};
use rialto_core::identity::{Auth, EndLeaked, IdentityCommand, Principal};
use rialto_core::market::MarketEvent;
use rialto_core::policy;
use rialto_core::reject::{Code, Rejection};
use rialto_core::state::State;
use rialto_core::text::Sealed;
use rialto_journal::{Content, Frame};

use super::content_refs;
use super::paces::{self, Pace};
use super::text_rate::TextRate;

/// A request to the realm, its texts sealed.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Who asks, and how.
    pub request: Request,
    /// What.
    pub command: Command<Sealed>,
    /// The texts: salt and bytes, by ordinal.
    pub contents: Vec<([u8; 16], Vec<u8>)>,
    /// A key pair in the realm's custody, for a command that needs one: its public half and nonce. The
    /// door derives it, since that takes longer than deciding.
    pub custody: Option<(Hash, Short)>,
    /// Live tokens that the texts contain: they end with the ask's acceptance, in its frame.
    pub leaked: Vec<TokenId>,
}

impl Ask {
    /// A command of the realm's own, without texts.
    #[must_use]
    pub fn by_the_realm(command: Command<Sealed>) -> Self {
        Self {
            request: Request {
                principal: Principal::Realm,
                auth: Auth::None,
                acting: None,
                key: None,
                cause: None,
            },
            command,
            contents: Vec::new(),
            custody: None,
            leaked: Vec::new(),
        }
    }
}

/// The result of an ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Accepted now.
    Accepted {
        /// The ids of new things.
        ids: Vec<AnyId>,
        /// Secrets of tokens just issued.
        secrets: Vec<(TokenId, String)>,
        /// Entries of an independent batch that were refused.
        refused: Vec<(u32, Rejection)>,
        /// The hash of the offer just made.
        offer: Option<Hash>,
    },
    /// Accepted before, at this position.
    Duplicate {
        /// Where.
        position: u64,
        /// The ids of what was new then.
        ids: Vec<AnyId>,
    },
    /// Refused.
    Refused(Rejection),
    /// The clock had nothing to do.
    Nothing,
}

/// A reply and the position it was decided at. It may leave once that position is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The position.
    pub position: u64,
    /// The reply.
    pub reply: Reply,
    /// The rate limit that it is nearest to.
    pub pace: Option<Pace>,
}

/// A frame to be journaled, and the texts that it names, which are staged.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The facts, and what they depend on.
    pub frame: Frame,
    /// The texts of these facts in ascending order of id, in the clear.
    pub texts: Vec<Content>,
}

/// The state, and the current frame.
pub struct Engine {
    state: State,
    batch: Batch,
    bytes: usize,
    delivered: Vec<AgentId>,
    texts: TextRate,
}

/// The hash of the offer that an envelope makes.
fn offer_made(envelope: &Envelope) -> Option<Hash> {
    envelope.events.iter().find_map(|event| match event {
        Event::Market(MarketEvent::OfferMade { offer, .. }) => Some(offer.hash),
        _ => None,
    })
}

impl Engine {
    /// An engine that goes on from a state.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            batch: Batch::default(),
            bytes: 0,
            delivered: Vec::new(),
            texts: TextRate::default(),
        }
    }

    /// The state as the last decision left it; parts of it may not be durable yet.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state, for taking the touched entities.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// Bytes of facts and contents that wait to be journaled.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.bytes
    }

    /// Envelopes that wait to be journaled.
    #[must_use]
    pub fn pending_envelopes(&self) -> usize {
        self.batch.frame.envelopes.len()
    }

    /// Decides an ask and applies it. The envelope of an accepted one is handed to `seen`.
    pub fn ask(&mut self, ask: Ask, stamp: &Stamp, seen: &mut dyn FnMut(&Envelope)) -> Answered {
        let mut leaked = Vec::new();
        let op = ask.command.op();
        let mut verdict = decide(&self.state, &ask.request, &ask.command, stamp);
        if matches!(verdict, Ok(Verdict::Accepted(_)))
            && let Err(why) = self.count_texts(&ask, stamp)
        {
            verdict = Err(why);
        }
        let reply = match verdict {
            Err(rejection) => Reply::Refused(rejection),
            Ok(Verdict::Nothing) => Reply::Nothing,
            Ok(Verdict::Duplicate { position, ids }) => Reply::Duplicate { position, ids },
            Ok(Verdict::Accepted(decision)) => {
                let envelope = decision.envelope;
                self.state.apply(&envelope);
                self.push(&envelope, ask.contents);
                seen(&envelope);
                leaked = ask.leaked;
                Reply::Accepted {
                    offer: offer_made(&envelope),
                    ids: envelope.ids,
                    secrets: decision.secrets,
                    refused: decision.refused,
                }
            }
        };
        let position = self.state.position();
        for token in leaked {
            self.end_leaked(token, stamp, seen);
        }
        let pace = paces::nearest(&self.state, &ask.request, op, stamp.steady_ms);
        Answered {
            position,
            reply,
            pace,
        }
    }

    /// Counts the texts of an ask that would be accepted, or refuses it.
    fn count_texts(&mut self, ask: &Ask, stamp: &Stamp) -> Result<(), Rejection> {
        let owner = policy::owner_of_principal(&self.state, ask.request.principal);
        let Some(owner) = owner.filter(|_| !ask.contents.is_empty()) else {
            return Ok(());
        };
        let bytes = ask.contents.iter().map(|(_, bytes)| bytes.len()).sum();
        let settings = self.state.settings();
        (self.texts).count(owner, bytes, &settings, stamp.steady_ms)
    }

    /// Ends a token that a text just accepted contained. One that has already ended is left alone.
    fn end_leaked(&mut self, token: TokenId, stamp: &Stamp, seen: &mut dyn FnMut(&Envelope)) {
        let ask = Ask::by_the_realm(IdentityCommand::EndLeaked(EndLeaked { token }).into());
        let verdict = decide(&self.state, &ask.request, &ask.command, stamp);
        if let Ok(Verdict::Accepted(decision)) = verdict {
            self.state.apply(&decision.envelope);
            self.push(&decision.envelope, Vec::new());
            seen(&decision.envelope);
        }
    }

    fn push(&mut self, envelope: &Envelope, contents: Vec<([u8; 16], Vec<u8>)>) {
        let Batch { frame, texts } = &mut self.batch;
        if frame.envelopes.is_empty() {
            frame.first = envelope.position;
        }
        let facts = envelope.encode();
        self.bytes += facts.len();
        frame.envelopes.push(facts);
        let named: Vec<_> = match contents.is_empty() {
            true => Vec::new(),
            false => envelope.events.iter().flat_map(content_refs).collect(),
        };
        for (ordinal, (salt, bytes)) in (0_u64..).zip(contents) {
            let id = number(envelope.position, ordinal);
            // What no fact names, such as a text of a refused part of a batch, nobody could ask for.
            let Some(named) = named.iter().find(|named| named.id.0 == id) else {
                continue;
            };
            self.bytes += bytes.len();
            frame.contents.push(*named.hash.bytes());
            texts.push(Content { id, salt, bytes });
        }
        self.delivered.extend(self.state.changes.take_delivered());
    }

    /// Takes the current frame with its texts, and the agents whose inboxes get deliveries from it.
    pub fn take_batch(&mut self) -> (Option<Batch>, Vec<AgentId>) {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        let delivered = std::mem::take(&mut self.delivered);
        let batch = (!batch.frame.envelopes.is_empty()).then_some(batch);
        (batch, delivered)
    }

    /// A defect that makes going on unsafe: the events did not fit the state.
    #[must_use]
    pub fn defect(&self) -> Option<Rejection> {
        (self.state.changes.defects() > 0).then(|| Rejection::from(Code::Defect))
    }
}
