//! Models in which every text is hostile.

use rialto_console::Markup;
use rialto_console::chart::{Bar, Bond, Edge, Node, Ring};
use rialto_console::form::{FormToken, Refused, Sent};
use rialto_console::kit::{Money, When, Who};
use rialto_console::pages::accounts::{
    Accounts, Calls as Called, Entered, Fact, Facts, Figures, Row,
};
use rialto_console::pages::agents::{self, Allowance, Issued, Private, Record};
use rialto_console::pages::approvals::{Approval, Approvals};
use rialto_console::pages::deals::{self, Course, Listed, Offer, Step, TalkLine};
use rialto_console::pages::ledger::{self, Hold, Ledger, Sheet, Statement, StatementLine, Trial};
use rialto_console::pages::log::{self, Digest, Log};
use rialto_console::pages::market::{Call, CallLine, Calls, Invite, Listing, Search};
use rialto_console::pages::messages::{self, Conversation, Message};
use rialto_console::pages::overview::{ActLine, Alert, Balance, DealLine, Overview, Paid};
use rialto_console::pages::owners::{Owner, Person};
use rialto_console::pages::square::ActingAs;
use rialto_console::pages::tasks::{self, Artifact};
use rialto_console::pages::{text, trace};
use rialto_console::written::{Part, Written};
use rialto_core::id::{
    AccountId, AgentId, AnyId, ApprovalId, CallId, ConversationId, DealId, HoldId, ListingId,
    MessageId, NegotiationId, OwnerId, PersonId, TaskId, TransferId,
};
use rialto_core::time::Time;

pub(crate) const EVIL: &str = "\"'><script>evil()</script><evil onload=evil() style=\"x\">@&amp;";
pub(crate) const NOW: Time = Time(1_795_351_234_567);

pub(crate) fn s() -> String {
    EVIL.to_owned()
}

pub(crate) fn who() -> Who {
    Who::new(format!("@{EVIL}")).resembling(Some(EVIL))
}

pub(crate) fn money() -> Money {
    Money::new(EVIL, EVIL)
}

pub(crate) fn when() -> When {
    When { at: NOW, now: NOW }
}

pub(crate) fn written() -> Written {
    Written {
        by: EVIL.to_owned(),
        parts: vec![
            Part::Text(s()),
            Part::Data(s()),
            Part::File(s(), s(), format!("javascript:{EVIL}")),
        ],
        screened: vec![s()],
        ..Written::default()
    }
}

pub(crate) fn form_token() -> FormToken {
    FormToken {
        csrf: s(),
        key: s(),
    }
}

pub(crate) fn sent(form: &str, fields: &[&str]) -> Sent {
    Sent {
        form: form.to_owned(),
        fields: fields.iter().map(|f| ((*f).to_owned(), s())).collect(),
        refused: Some(Refused {
            code: s(),
            title: s(),
            detail: s(),
            hint: s(),
        }),
    }
}

fn deal() -> DealLine {
    DealLine {
        id: DealId(1).into(),
        buyer: who(),
        seller: who(),
        price: money(),
        state: s(),
        since: when(),
    }
}

fn overview() -> Markup {
    let bar = Bar {
        figure: 1.0,
        label: s(),
    };
    let node = Node {
        handle: s(),
        acts: 3,
        earns: true,
        spends: false,
    };
    let edge = Edge {
        from: 0,
        to: 1,
        bond: Bond::Paid,
        acts: 2,
        fresh: true,
        label: s(),
    };
    let act = |position, to| ActLine {
        position,
        at: when(),
        who: who(),
        to,
        what: s(),
        about: MessageId(1).into(),
        money: Some(money()),
        tie: "deal",
    };
    Overview {
        address: s(),
        whole: true,
        period: s(),
        ring_period: s(),
        position: 1,
        events: 1,
        deals: 1,
        event_bars: vec![bar.clone()],
        deal_bars: vec![bar.clone()],
        paid: vec![Paid {
            total: money(),
            bars: vec![bar],
        }],
        active: 2,
        balances: vec![Balance {
            asset: s(),
            sum: s(),
            even: false,
            held: s(),
            pending: s(),
        }],
        alerts: vec![Alert {
            text: s(),
            href: "/x".to_owned(),
            link: "there",
        }],
        ring: Ring {
            nodes: vec![node.clone(), node],
            edges: vec![edge],
            left_out: 1,
        },
        acts: vec![act(1, vec![who()]), act(2, vec![who(), who()])],
        latest: vec![deal()],
    }
    .page()
}

fn accounts() -> Vec<(&'static str, Markup)> {
    let row = |by| Row {
        by,
        asset: s(),
        figures: Figures {
            spent: s(),
            reserved: s(),
            earned: s(),
            returned: s(),
            margin: s(),
            return_on_spend: Some(s()),
            bought: 1,
            sold: 1,
            modelled_chip_seconds: Some(s()),
            modelled_chip_cost: Some(s()),
            calls: Some(Called::default()),
        },
        facts: Some("/accounts/events".to_owned()),
    };
    let report = Accounts {
        address: s(),
        by: s(),
        period: s(),
        dimensions: vec![s()],
        rows: vec![row(vec![(who(), Some(OwnerId(1).into()))])],
        unattributed: vec![row(Vec::new())],
        total: vec![row(Vec::new())],
        entered: vec![Entered {
            asset: s(),
            issued: s(),
            deposited: s(),
            withdrawn: s(),
            corrected: s(),
        }],
        position: 1,
    };
    let facts = Facts {
        back: "/accounts".to_owned(),
        rows: vec![Fact {
            kind: s(),
            money: money(),
            entry: Some(TransferId(1).into()),
            of: Some(DealId(1).into()),
            at: when(),
            position: 1,
        }],
        next: None,
    };
    let thread = trace::Trace {
        address: s(),
        id: DealId(1).into(),
        hops: vec![trace::Hop {
            id: DealId(1).into(),
            private: false,
            at: Some(when()),
            position: Some(1),
            who: Some(who()),
            what: s(),
            amount: Some(s()),
            basis: Some("measured"),
            links: Vec::new(),
            folded: Some(s()),
        }],
        gaps: Some(vec![(DealId(2).into(), DealId(1).into())]),
        next: Some(s()),
    };
    vec![
        ("accounts", report.page()),
        ("facts", facts.page()),
        ("trace", thread.page()),
    ]
}

fn deals() -> Vec<(&'static str, Markup)> {
    let list = |listed| deals::List {
        address: s(),
        listed,
        next: None,
        first: true,
    };
    let talk = TalkLine {
        id: NegotiationId(1).into(),
        buyer: who(),
        seller: who(),
        state: s(),
        offers: 1,
        deal: Some(DealId(1).into()),
        since: when(),
    };
    let course = Course {
        address: s(),
        id: DealId(1).into(),
        buyer: who(),
        seller: who(),
        state: s(),
        price: Some(money()),
        facts: vec![("Why", text(EVIL))],
        offers: vec![Offer {
            number: 1,
            by: who(),
            sellers: true,
            price: money(),
            lines: vec![s()],
            terms: vec![("Issues", text(EVIL))],
            note: Some(written()),
            hash: s(),
            funded: Some(false),
            arbiter: text(EVIL),
            signed: true,
            taken: false,
            at: when(),
            expires: when(),
            position: 1,
        }],
        steps: vec![step()],
        dispute: Some(written()),
        ruling: Some(written()),
    };
    let empty = list(Listed::Deals(Vec::new(), None)).page();
    vec![
        ("deals", list(Listed::Deals(vec![deal()], Some(s()))).page()),
        ("no deals", empty),
        ("negotiations", list(Listed::Talks(vec![talk])).page()),
        ("deal", course.page()),
    ]
}

fn step() -> Step {
    Step {
        at: when(),
        what: text(EVIL),
        tone: "good",
        position: Some(1),
    }
}

/// The list of tasks in a state.
pub(crate) fn tasks_in(state: Option<&str>) -> Markup {
    let list = tasks::List {
        address: s(),
        rows: Vec::new(),
        state: state.map(str::to_owned),
        next: None,
        first: true,
    };
    list.page()
}

fn work() -> Vec<(&'static str, Markup)> {
    let line = tasks::TaskLine {
        id: TaskId(1).into(),
        requester: who(),
        worker: who(),
        text: s(),
        deal: Some(DealId(1).into()),
        state: s(),
        since: when(),
    };
    let list = |rows| tasks::List {
        address: s(),
        rows,
        state: Some(s()),
        next: None,
        first: true,
    };
    let one = tasks::One {
        address: s(),
        line: line.clone(),
        body: Some(written()),
        parent: Some(TaskId(2).into()),
        children: vec![TaskId(3).into()],
        steps: vec![step()],
        artifacts: vec![Artifact {
            number: 1,
            name: s(),
            body: Some(written()),
            at: when(),
            position: 1,
        }],
        answer: Some(ActingAs {
            form_token: form_token(),
            agents: vec![s(), s()],
        }),
        sent: Some(sent("answer", &["as", "body"])),
    };
    let approval = Approval {
        id: ApprovalId(1).into(),
        agent: who(),
        what: text(EVIL),
        facts: vec![("With", text(EVIL)), ("Promised", text(EVIL))],
        money: money(),
        created: when(),
        expires: when(),
        end: None,
        ended: Some(when()),
        by: Some(s()),
        reason: Some(written()),
        made: vec![DealId(1).into()],
        obstacle: Some(s()),
        over: false,
        may: true,
        form_token: form_token(),
    };
    let approvals = |rows: Vec<Approval>| Approvals {
        address: s(),
        rows,
        all: false,
        single: false,
        next: None,
        sent: Some(sent(&AnyId::from(ApprovalId(1)).to_string(), &[])),
    };
    vec![
        ("tasks", list(vec![line]).page()),
        ("no tasks", list(Vec::new()).page()),
        ("task", one.page()),
        ("approvals", approvals(vec![approval]).page()),
        ("no approvals", approvals(Vec::new()).page()),
    ]
}

fn account() -> ledger::Account {
    ledger::Account {
        id: AccountId(1).into(),
        holder: s(),
        holder_id: Some(OwnerId(1).into()),
        label: Some(s()),
        asset: s(),
        balance: s(),
        pending_out: s(),
        pending_in: s(),
        available: s(),
        closed: false,
    }
}

fn money_pages() -> Vec<(&'static str, Markup)> {
    let hold = Hold {
        id: HoldId(1).into(),
        from: text(EVIL),
        to: text(EVIL),
        money: money(),
        purpose: text(EVIL),
        state: s(),
        created: when(),
        expires: Some(when()),
        captured: money(),
        rest: money(),
        posted: Some(money()),
    };
    let trial = Trial {
        asset: s(),
        sum: s(),
        even: true,
        held: s(),
        issued: s(),
        outside: s(),
        pending: s(),
    };
    let ledger = |accounts, trial, holds| Ledger {
        address: s(),
        trial,
        accounts,
        next: None,
        holds,
        first: true,
    };
    let statement = Statement {
        address: s(),
        account: account(),
        rows: vec![StatementLine {
            id: TransferId(1).into(),
            at: when(),
            kind: "moved",
            purpose: text(EVIL),
            counterparty: who(),
            change: s(),
            balance: s(),
            available: s(),
            position: 1,
        }],
        next: None,
        first: true,
    };
    let sheet = Sheet {
        kind: "Entry",
        id: TransferId(1).into(),
        money: money(),
        facts: vec![("What", text(EVIL))],
        memo: Some(written()),
    };
    let full = ledger(vec![account()], vec![trial], vec![hold.clone()]);
    vec![
        ("ledger", full.page()),
        (
            "empty ledger",
            ledger(Vec::new(), Vec::new(), Vec::new()).page(),
        ),
        ("statement", statement.page()),
        ("entry", sheet.page()),
        ("hold", hold.sheet().page()),
    ]
}

fn market() -> Vec<(&'static str, Markup)> {
    let listing = Listing {
        id: ListingId(1).into(),
        seller: who(),
        title: s(),
        description: Some(written()),
        items: vec![(s(), money()); 5],
        attributes: vec![s()],
        tags: vec![s()],
        bundle: Some(money()),
        missing: vec![s()],
    };
    let search = |hits| Search {
        text: s(),
        items: s(),
        max_price: s(),
        hits,
        next: None,
    };
    let line = CallLine {
        id: CallId(1).into(),
        buyer: who(),
        wanted: vec![s()],
        state: s(),
        deadline: when(),
        since: when(),
    };
    let calls = |rows| Calls {
        address: s(),
        rows,
        next: None,
        first: true,
    };
    let call = Call {
        address: s(),
        line: line.clone(),
        body: Some(written()),
        public: true,
        task: Some(TaskId(1).into()),
        invites: vec![Invite {
            agent: who(),
            answer: s(),
            negotiation: Some(NegotiationId(1).into()),
        }],
    };
    vec![
        ("market", search(vec![listing.clone()]).page()),
        ("empty market", search(Vec::new()).page()),
        ("listing", listing.page()),
        ("calls", calls(vec![line]).page()),
        ("no calls", calls(Vec::new()).page()),
        ("call", call.page()),
    ]
}

fn talk() -> Vec<(&'static str, Markup)> {
    let line = messages::ConversationLine {
        id: ConversationId(1).into(),
        kind: s(),
        title: Some(s()),
        members: vec![who(); 6],
        count: 6,
        created: when(),
    };
    let message = Message {
        id: MessageId(1).into(),
        conversation: ConversationId(1).into(),
        from: who(),
        own: true,
        body: Some(written()),
        task: Some(TaskId(1).into()),
        request: true,
        at: when(),
    };
    let list = |text: String| messages::List {
        address: s(),
        text,
        rows: vec![line.clone()],
        found: vec![message.clone()],
        next: None,
        first: true,
    };
    let conversation = Conversation {
        address: s(),
        line: line.clone(),
        messages: vec![message.clone()],
        next: None,
        first: true,
        agents: vec![s(), s()],
        form_token: form_token(),
        sent: Some(sent("answer", &["as", "body"])),
    };
    let event = log::EventLine {
        position: 3,
        at: when(),
        who: who(),
        kinds: vec![s()],
        made: text(EVIL),
        said: vec![s()],
    };
    let log = |rows| Log {
        address: s(),
        kind: s(),
        actor: s(),
        after: s(),
        rows,
        next: None,
        latest: Some("/log".to_owned()),
        digest: Some(Digest {
            digest: s(),
            position: 3,
            entities: 1,
        }),
        whole: true,
        live: true,
    };
    let one = log::One {
        line: event.clone(),
        facts: vec![("Caused by", text(EVIL))],
        json: s(),
        neighbours: true,
        more: true,
    };
    vec![
        ("messages", list(String::new()).page()),
        ("found messages", list(s()).page()),
        ("conversation", conversation.page()),
        ("log", log(vec![event]).page()),
        ("empty log", log(Vec::new()).page()),
        ("event", one.page()),
    ]
}

fn agents() -> Vec<(&'static str, Markup)> {
    let line = agents::AgentLine {
        who: who(),
        owner: s(),
        owner_id: Some(OwnerId(1).into()),
        text: s(),
        skills: vec![s()],
        record: Record::default(),
        status: s(),
    };
    let allowance = Allowance {
        node: s(),
        on: Some(s()),
        asset: s(),
        per_deal: Some(s()),
        per_period: Some(s()),
        period: s(),
        spent: s(),
        left: Some(s()),
        renews: Some(when()),
        counts_from: Some(when()),
        approval_above: Some(s()),
    };
    let list = |rows| agents::List {
        text: s(),
        skill: s(),
        rows,
        next: None,
        register: Some(form_token()),
        names_owner: true,
        sent: Some(sent("register", &["handle", "description", "owner"])),
        issued: Some(Issued {
            handle: s(),
            registered: true,
            secret: Some(s()),
        }),
    };
    let one = agents::One {
        address: s(),
        id: AgentId(1).into(),
        line: line.clone(),
        did: s(),
        custody: s(),
        description: Some(written()),
        tags: vec![s()],
        endpoint: s(),
        contact: s(),
        mentions: s(),
        created: when(),
        listings: vec![(ListingId(1).into(), s())],
        private: Some(Private {
            accounts: vec![account()],
            deals: Vec::new(),
            inbox_last: 3,
            inbox_acknowledged: 1,
            inbox_first: 1,
            allowances: vec![allowance.clone()],
            muted: vec![who()],
            blocked: vec![who()],
            communities: vec![(s(), "(moderates)")],
        }),
        reputation: crate::square::reputation(),
        measures: vec![crate::square::measure(4)],
        follows: (3, 100_000),
        posts: vec![crate::square::post(8)],
        stake: Some((HoldId(1).into(), money())),
        tokens: Some(crate::square::tokens()),
        issued: Some(Issued {
            handle: s(),
            registered: false,
            secret: Some(s()),
        }),
        acting_as: Some(crate::square::acting_as()),
        judge: Some(crate::square::judge()),
        manage: Some(form_token()),
        stop: Some(form_token()),
        assets: vec![s(), "EUR".to_owned()],
        in_force: Some(agents::InForce {
            asset: s(),
            per_deal: s(),
            per_period: s(),
            period: s(),
            approval_above: s(),
        }),
        sent: Some(sent(
            "allowance",
            &["per_deal", "per_period", "approval_above"],
        )),
    };
    let owner = Owner {
        id: OwnerId(1).into(),
        name: s(),
        kind: s(),
        status: s(),
        agents_stopped: true,
        created: when(),
        agent_count: 1,
        people: vec![Person {
            id: PersonId(1).into(),
            name: s(),
            role: s(),
            status: s(),
            created: when(),
        }],
        agents: vec![line.clone()],
        allowances: vec![allowance],
        stop: Some(form_token()),
        suspend: Some(form_token()),
        sent: Some(sent("switch", &[])),
    };
    vec![
        ("agents", list(vec![line]).page()),
        ("no agents", list(Vec::new()).page()),
        ("agent", one.page()),
        ("follows", crate::square::follows().page()),
        ("invitations", crate::square::invitations().page()),
        ("owner", owner.page()),
    ]
}

/// Every page's body, by name.
pub(crate) fn bodies() -> Vec<(&'static str, Markup)> {
    let mut all = vec![("overview", overview())];
    all.extend(accounts());
    all.extend(deals());
    all.extend(work());
    all.extend(money_pages());
    all.extend(market());
    all.extend(crate::fleet::bodies());
    all.extend(talk());
    all.extend(agents());
    all.extend(crate::square::bodies());
    all
}
