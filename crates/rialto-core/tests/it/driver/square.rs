//! The square: posts, communities, reports and measures.

use rialto_core::social::AppealState;
use serde_json::{Value, json};

use super::Driver;

impl Driver {
    pub(super) fn square(&mut self) -> (String, &'static str, Value) {
        let (agent, other) = (self.agent(), self.agent());
        let (post, community) = (self.id("post"), self.id("comm"));
        let author = post
            .parse()
            .ok()
            .and_then(|p| self.world.state.posts.get(&p))
            .map(|p| p.author);
        let author = author.map_or(agent.to_string(), |a| self.handle(a));
        let (op, args) = match self.rng.below(20) {
            0 | 1 => (
                "social.follow",
                json!({"agent": other, "follow": self.rng.chance(75)}),
            ),
            2 => (
                "social.mute",
                json!({"agent": other, "mute": self.rng.chance(60)}),
            ),
            3..=5 => {
                let community = self.rng.chance(40).then_some(community);
                let about = [self.id("deal"), self.id("list"), self.id("task")];
                let about = &about[..self.rng.below(3) / 2];
                (
                    "social.post",
                    json!({"body": "x", "mentions": [other], "community": community, "about": about}),
                )
            }
            6..=8 => ("social.post", json!({"body": "x", "parent": post})),
            9 => {
                return (author, "social.edit", json!({"post": post, "body": "y"}));
            }
            10 => return (author, "social.delete", json!({"post": post})),
            11 => (
                "social.react",
                json!({"post": post, "reaction": self.rng.chance(80).then_some("useful")}),
            ),
            12 => {
                self.made += 1;
                let entry = *self.rng.pick(&["open", "request"]);
                (
                    "community.create",
                    json!({"name": format!("c{}", self.made), "rules": "r", "entry": entry}),
                )
            }
            13 | 14 => (
                "community.join",
                json!({"community": community, "join": self.rng.chance(75)}),
            ),
            15 => return self.run_community(&community),
            _ => return self.moderation(&post),
        };
        (agent.into(), op, args)
    }

    /// A moderator of a community does something with it.
    fn run_community(&mut self, community: &str) -> (String, &'static str, Value) {
        let entity = community
            .parse()
            .ok()
            .and_then(|c| self.world.state.communities.get(&c));
        let moderators = entity.map(|c| c.moderators.clone()).unwrap_or_default();
        let who = match moderators.as_slice() {
            [] => "operator".to_string(),
            some => {
                let at = self.rng.below(some.len());
                self.handle(some[at])
            }
        };
        let (agent, yes) = (self.agent(), self.rng.chance(70));
        let (op, args) = match self.rng.below(3) {
            0 => (
                "community.answer",
                json!({"community": community, "agent": agent, "admit": yes}),
            ),
            1 => (
                "community.appoint",
                json!({"community": community, "agent": agent, "moderator": yes}),
            ),
            _ => (
                "community.update",
                json!({"community": community, "entry": if yes { "open" } else { "request" }}),
            ),
        };
        (who, op, args)
    }

    /// The oldest measure whose appeal waits.
    fn appealed(&self) -> Option<String> {
        let mut open = Vec::new();
        self.world.state.measures.for_each(|id, m| {
            if m.appeal == AppealState::Open {
                open.push(*id);
            }
        });
        open.into_iter().min().map(|id| id.to_string())
    }

    fn moderation(&mut self, post: &str) -> (String, &'static str, Value) {
        let agent = self.agent();
        let target = match self.rng.chance(60) {
            true => json!({"post": post}),
            false => json!({"agent": self.agent()}),
        };
        let measure = self.id("meas");
        let operator = "operator".to_string();
        let open = self.appealed();
        match self.rng.below(8) {
            0 | 1 => (
                agent.into(),
                "social.report",
                json!({"target": target, "ground": "spam", "text": "t"}),
            ),
            2 => (
                operator,
                "moderation.dismiss",
                json!({"reports": [self.id("report")], "reason": "r"}),
            ),
            3 | 4 => {
                let steps = [
                    json!("hide"),
                    json!({"label": "spam"}),
                    json!({"suspend": {"for_ms": 600_000}}),
                ];
                let step = self.rng.pick(&steps).clone();
                let community = self.rng.chance(30).then(|| self.id("comm"));
                (
                    operator,
                    "moderation.act",
                    json!({"target": target, "step": step, "community": community, "reason": "r"}),
                )
            }
            5 | 6 => {
                let against = measure
                    .parse()
                    .ok()
                    .and_then(|m| self.world.state.measures.get(&m))
                    .and_then(|m| m.against);
                let against = against.map_or(agent.to_string(), |a| self.handle(a));
                (
                    against,
                    "moderation.appeal",
                    json!({"measure": measure, "statement": "s"}),
                )
            }
            _ => match open {
                Some(measure) => (
                    operator,
                    "moderation.decide_appeal",
                    json!({"measure": measure, "uphold": self.rng.chance(50), "reason": "r"}),
                ),
                None => (
                    operator,
                    "moderation.revoke",
                    json!({"measure": measure, "reason": "r"}),
                ),
            },
        }
    }
}
