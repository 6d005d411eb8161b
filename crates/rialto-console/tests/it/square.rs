//! Models of the square, of teams and of what waits, in which every text is hostile.

use rialto_console::Markup;
use rialto_console::kit::Who;
use rialto_console::pages::agents::Follows;
use rialto_console::pages::communities::{self, CommunityLine, Member, Members};
use rialto_console::pages::invitations::{Invitation, Invitations};
use rialto_console::pages::moderation::{Judge, Measure, Moderation, ReportEntry, Target, Which};
use rialto_console::pages::reputation::{Reputation, Weighed};
use rialto_console::pages::square::{
    ActingAs, Feed, History, Outcome, Post, Reactions, Tab, Thread, Version, Why,
};
use rialto_console::pages::teams::{self, Team};
use rialto_console::pages::tokens::{Token, Tokens};
use rialto_console::pages::waiting::{Join, Request, Waiting};
use rialto_core::id::{
    AgentId, CommunityId, ConversationId, DealId, MeasureId, OwnerId, PostId, ReportId, TeamId,
    TokenId,
};

use crate::models::{EVIL, form_token, s, sent, when, who, written};

pub(crate) fn post(number: u64) -> Post {
    Post {
        id: PostId(number).into(),
        author: who(),
        author_marks: vec![s()],
        state: "live".to_owned(),
        body: Some(written()),
        hidden_because: None,
        community: Some(format!("#{EVIL}")),
        parent: Some(PostId(1).into()),
        root: PostId(1).into(),
        replies: 2,
        edits: 2,
        edited: Some(when()),
        marks: vec![s()],
        mentions: vec![who()],
        about: vec![Outcome {
            id: DealId(1).into(),
            state: s(),
            since: when(),
            visible: true,
        }],
        reactions: vec![("useful", 3)],
        at: when(),
        why: Some(Why {
            score: 12,
            parts: vec![(s(), -200)],
        }),
    }
}

fn hidden(number: u64) -> Post {
    Post {
        state: "hidden".to_owned(),
        body: None,
        hidden_because: Some(written()),
        ..post(number)
    }
}

pub(crate) fn acting_as() -> ActingAs {
    ActingAs {
        form_token: form_token(),
        agents: vec![s(), "@two".to_owned()],
    }
}

pub(crate) fn judge() -> Judge {
    Judge {
        form_token: form_token(),
        agents: vec![s(), "@two".to_owned()],
    }
}

fn target() -> Target {
    Target {
        id: Some(PostId(1).into()),
        agent: Some(who()),
        body: Some(written()),
        state: Some(s()),
        community: Some(format!("#{EVIL}")),
    }
}

pub(crate) fn measure(number: u64) -> Measure {
    Measure {
        id: MeasureId(number).into(),
        target: target(),
        step: s(),
        mark: vec![s()],
        until: Some(when()),
        by: who(),
        reason: Some(written()),
        at: when(),
        appeal: "open".to_owned(),
        statement: Some(written()),
        ended: None,
        end_reason: Some(written()),
        judge: Some(judge()),
        against: Some(judge()),
    }
}

fn report(number: u64) -> ReportEntry {
    ReportEntry {
        id: ReportId(number).into(),
        by: who(),
        target: target(),
        ground: s(),
        text: Some(written()),
        at: when(),
        ended: None,
        measure: Some(MeasureId(9).into()),
        reason: Some(written()),
        judge: Some(judge()),
    }
}

fn thread() -> Thread {
    Thread {
        address: s(),
        post: Post {
            edits: 1,
            ..post(1)
        },
        replies: vec![(post(2), 0), (hidden(3), 9)],
        next: None,
        first: true,
        measures: vec![measure(1)],
        acting_as: Some(acting_as()),
        own: true,
        text: Some(s()),
        judge: Some(judge()),
        sent: Some(sent("reply", &["body"])),
    }
}

fn feeds() -> Vec<(&'static str, Markup)> {
    let feed = |tab, posts| Feed {
        address: s(),
        tab,
        reader: Some(s()),
        readers: vec![s()],
        text: s(),
        by: None,
        replies: false,
        posts,
        next: None,
        first: true,
        acting_as: Some(acting_as()),
        sent: Some(sent("post", &["body", "community", "about"])),
    };
    let own = Feed {
        text: String::new(),
        by: Some(who()),
        replies: true,
        ..feed(None, Vec::new())
    };
    let quiet = Feed {
        text: String::new(),
        ..feed(Some(Tab::New), Vec::new())
    };
    let history = History {
        post: post(1),
        versions: vec![
            Version {
                body: Some(written()),
                at: when(),
            };
            3
        ],
    };
    vec![
        ("found posts", feed(None, vec![post(1)]).page()),
        (
            "ranked",
            feed(Some(Tab::Ranked), vec![post(1), post(2)]).page(),
        ),
        ("no posts of an agent", own.page()),
        ("no posts", quiet.page()),
        ("thread", thread().page()),
        ("history", history.page()),
    ]
}

fn places() -> Vec<(&'static str, Markup)> {
    let line = CommunityLine {
        id: CommunityId(1).into(),
        name: format!("#{EVIL}"),
        rules: Some(written()),
        entry: s(),
        created_by: who(),
        moderators: vec![who()],
        members: 1_234,
        created: when(),
    };
    let list = |rows| communities::List {
        address: s(),
        rows,
        next: None,
        first: true,
        acting_as: Some(acting_as()),
        sent: Some(sent("create", &["name", "rules"])),
    };
    let one = communities::One {
        address: s(),
        line: line.clone(),
        posts: vec![post(1)],
        next: None,
        first: true,
        acting_as: Some(acting_as()),
        sent: Some(sent("join", &[])),
    };
    let member = |joined, moderator| Member {
        agent: who(),
        joined,
        moderator,
        since: when(),
    };
    let members = Members {
        address: s(),
        line: line.clone(),
        rows: vec![
            member(false, false),
            member(true, false),
            member(true, true),
        ],
        next: None,
        acting_as: Some(acting_as()),
        sent: Some(sent("member", &[])),
    };
    vec![
        ("communities", list(vec![line]).page()),
        ("no communities", list(Vec::new()).page()),
        ("community", one.page()),
        ("members", members.page()),
    ]
}

pub(crate) fn reputation() -> Reputation {
    Reputation {
        score: 512,
        deals: 1,
        owners: 2,
        behind: vec![Weighed {
            deal: DealId(1).into(),
            side: s(),
            with: who(),
            kept: s(),
            ended: when(),
            weight: 1_024,
        }],
        unlisted: 1,
        private: 7,
        ..Reputation::default()
    }
}

pub(crate) fn tokens() -> Tokens {
    Tokens {
        action: "/agents/x/tokens".to_owned(),
        rows: vec![Token {
            id: TokenId(1).into(),
            label: Some(s()),
            created: when(),
            may: vec![s()],
            spent: Some(s()),
            from: vec![s()],
            used: Some(when()),
            expires: Some(when()),
            replaced: true,
        }],
        form_token: Some(form_token()),
    }
}

pub(crate) fn invitations() -> Invitations {
    Invitations {
        open: false,
        rates: [s(), s()],
        rows: vec![Invitation {
            id: TokenId(1).into(),
            label: Some(s()),
            uses: 3,
            expires: when(),
        }],
        form_token: form_token(),
        made: Some(Some(s())),
        sent: None,
    }
}

pub(crate) fn follows() -> Follows {
    Follows {
        who: who(),
        following: true,
        rows: vec![who()],
        next: None,
    }
}

fn team() -> Team {
    let member = |id, joined, share_ppm| teams::Member {
        agent: who(),
        id: AgentId(id).into(),
        role: s(),
        joined,
        share_ppm,
        agreed: false,
    };
    Team {
        id: TeamId(1).into(),
        name: s(),
        owner: OwnerId(1).into(),
        members: vec![member(1, true, Some(500_000)), member(2, false, None)],
        created: when(),
    }
}

fn together() -> Vec<(&'static str, Markup)> {
    let list = |rows| teams::List {
        address: s(),
        rows,
        next: None,
        first: true,
        acting_as: Some(acting_as()),
        sent: Some(sent("team", &["name"])),
    };
    let one = teams::One {
        address: s(),
        team: team(),
        accounts: Vec::new(),
        lead: Some(acting_as()),
        remove: Some(acting_as()),
        asked: vec![(who(), true), (who(), false)],
        acting_as: Some(acting_as()),
        sent: Some(sent("invite", &["agent"])),
    };
    let waits = |requests, joins| Waiting {
        address: s(),
        errands: Vec::new(),
        requests,
        further: 3,
        joins,
        form_token: Some(form_token()),
        sent: Some(sent("admit", &[])),
    };
    let request = Request {
        to: who(),
        from: who(),
        conversation: ConversationId(1).into(),
        body: Some(written()),
        at: when(),
    };
    let join = Join {
        community: format!("#{EVIL}"),
        agent: who(),
        since: when(),
    };
    vec![
        ("teams", list(vec![team()]).page()),
        ("no teams", list(Vec::new()).page()),
        ("team", one.page()),
        ("waiting", waits(vec![request], vec![join]).page()),
        ("nothing waits", waits(Vec::new(), Vec::new()).page()),
    ]
}

/// The bodies of the square's pages, by name.
pub(crate) fn bodies() -> Vec<(&'static str, Markup)> {
    let agent = ReportEntry {
        target: Target {
            id: Some(AgentId(1).into()),
            ..target()
        },
        ..report(2)
    };
    let queue = |reports, measures| Moderation {
        address: s(),
        which: Which::Waiting,
        reports,
        measures,
        next: None,
        operator: false,
        sent: Some(sent(&ReportId(1).to_string(), &["reason"])),
    };
    let mut all = feeds();
    all.extend(together());
    all.extend(places());
    all.extend([
        (
            "moderation",
            queue(vec![report(1), agent], vec![measure(1)]).page(),
        ),
        ("nothing to moderate", queue(Vec::new(), Vec::new()).page()),
        ("measure", measure(1).page(EVIL, None)),
        ("reactions", reactions(vec![(who(), s())]).page()),
    ]);
    all
}

fn reactions(rows: Vec<(Who, String)>) -> Reactions {
    Reactions {
        post: PostId(1).into(),
        author: who(),
        rows,
        next: Some(s()),
    }
}

/// Of a post that is not shown nobody is told who reacted, so its counts lead nowhere.
#[test]
fn counts_of_reactions_lead_to_who_reacted_where_that_is_told() {
    for (post, leads) in [(post(1), true), (hidden(1), false)] {
        let alone = Thread {
            post,
            replies: Vec::new(),
            ..thread()
        };
        let html = alone.page().into_string();
        assert!(html.contains("3 useful"));
        assert_eq!(html.contains("/reactions\">3 useful"), leads);
    }
}
