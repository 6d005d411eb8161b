//! Facts of a table: what must hold of the state at a line.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use rialto_core::event::Event;
use rialto_core::id::{AnyId, HoldId};
use rialto_core::identity::IdentityEvent;
use rialto_core::ledger::{Account, Holder};
use rialto_core::policy::{LineScope, Node, Unit};
use rialto_core::text::{Alias, ClientId};

use super::World;

impl World {
    fn account(&self, name: &str) -> Result<&Account, String> {
        let asset = self.state.realm.get(&()).and_then(|r| r.asset).unwrap();
        let holder = match name.starts_with('@') {
            true => Holder::Agent(self.agent(name)),
            false => match self.id::<AnyId>(name)? {
                AnyId::OwnerId(id) => Holder::Owner(id),
                AnyId::TeamId(id) => Holder::Team(id),
                AnyId::AccountId(id) => return self.state.accounts.get(&id).ok_or("none".into()),
                _ => return Err("no holder".into()),
            },
        };
        let id = self.state.main_account(holder, asset).ok_or("no account")?;
        self.state.accounts.get(&id).ok_or("no account".into())
    }

    pub(super) fn fact(&self, words: &[&str]) -> Result<(), String> {
        match words {
            ["balance", name, balance, more @ ..] => {
                let account = self.account(name)?;
                let mut have = std::vec![account.balance.display(9)];
                for word in more.iter().step_by(2) {
                    have.push(word.to_string());
                    have.push(match *word {
                        "pending" => account.pending_out.display(9),
                        "incoming" => account.pending_in.display(9),
                        _ => return Err(format!("what is {word}?")),
                    });
                }
                same(&have.join(" "), &[&[*balance][..], more].concat().join(" "))
            }
            ["no-account", name] => match self.account(name) {
                Ok(account) => Err(format!("there is {account:?}")),
                Err(_) => Ok(()),
            },
            ["deal", name, wanted] => {
                let deal = self.state.deals.get(&self.id(name)?);
                same(&word_of(deal.map(|d| d.state)), wanted)
            }
            ["task", name, wanted] => {
                let task = self.state.tasks.get(&self.id(name)?);
                same(&word_of(task.map(|t| t.state)), wanted)
            }
            ["call", name, wanted] => {
                let call = self.state.calls.get(&self.id(name)?);
                same(&word_of(call.map(|c| c.state)), wanted)
            }
            ["negotiation", name, wanted] => {
                let negotiation = self.state.negotiations.get(&self.id(name)?);
                same(&word_of(negotiation.map(|n| n.state)), wanted)
            }
            ["hold", name, wanted] => {
                let open = self.state.holds.contains(&self.id::<HoldId>(name)?);
                same(if open { "open" } else { "gone" }, wanted)
            }
            ["hold", name, rest, "captured", wanted] => {
                let hold = self.state.holds.get(&self.id::<HoldId>(name)?);
                let hold = hold.ok_or("gone")?;
                same(&hold.amount.display(9), rest)?;
                same(&hold.captured().display(9), wanted)
            }
            ["approval", name, wanted] => {
                let open = self.state.approvals.contains(&self.id(name)?);
                same(if open { "open" } else { "gone" }, wanted)
            }
            ["owed", name, wanted] => {
                let owed = self.state.obligations.get(&self.id(name)?);
                let have = owed.map(|owed| match owed.is_dead() {
                    true => "dead".into(),
                    false => format!("open/{}", owed.attempts),
                });
                same(&have.unwrap_or("gone".into()), wanted)
            }
            ["marks", wanted @ ..] => same(&self.marks().join(" "), &wanted.join(" ")),
            ["spent", name, wanted] => same(&self.spent(name)?, wanted),
            ["used", name, on, unit, period, wanted] => {
                same(&self.used(name, on, unit, period)?, wanted)
            }
            ["usage", name, wanted] => {
                let open = self.state.usages.contains(&self.id(name)?);
                same(if open { "open" } else { "gone" }, wanted)
            }
            ["inbox", name, wanted @ ..] => same(&self.inbox(name), &wanted.join(" ")),
            ["reputation", name, wanted @ ..] => {
                let r = self.state.reputations.get(&self.agent(name)).cloned();
                let r = r.unwrap_or_default();
                let have = format!(
                    "sold {} bought {} disputed {} refunded {} expired {} partners {}",
                    r.sold, r.bought, r.disputed, r.refunded, r.expired, r.partners
                );
                same(&have, &wanted.join(" "))
            }
            _ => Err(format!("what is {words:?}?")),
        }
    }

    /// Every mark of a handle, in the order of the log: `@casal~@casa`.
    fn marks(&self) -> Vec<String> {
        let handle = |agent| self.state.agents.get(agent).map(|a| a.handle.to_string());
        let events = self.log.iter().flat_map(|envelope| &envelope.events);
        let marks = events.filter_map(|event| match event {
            Event::Identity(IdentityEvent::HandleMarked { agent, resembles }) => {
                Some(format!("{}~{}", handle(agent)?, handle(resembles)?))
            }
            _ => None,
        });
        marks.collect()
    }

    fn node(&self, name: &str) -> Result<Node, String> {
        Ok(match name {
            "realm" => Node::Realm,
            _ if name.starts_with('@') => Node::Agent(self.agent(name)),
            _ => match self.id::<AnyId>(name)? {
                AnyId::OwnerId(id) => Node::Owner(id),
                AnyId::TeamId(id) => Node::Team(id),
                _ => return Err("no node".into()),
            },
        })
    }

    /// What a line counts in the current period.
    fn used(&self, name: &str, on: &str, unit: &str, period: &str) -> Result<String, String> {
        let on = match on.split_once(':') {
            None => LineScope::All,
            Some(("model", model)) => LineScope::Model(Alias::new(model).unwrap()),
            Some(("run", run)) => LineScope::Run(ClientId::new(run).unwrap()),
            Some((_, task)) => LineScope::Task(self.id(task)?),
        };
        let asset = self.state.realm.get(&()).and_then(|r| r.asset).unwrap();
        let (unit, scale) = match unit {
            "tokens" => (Unit::Tokens, 0),
            "milliseconds" => (Unit::Milliseconds, 0),
            _ => (Unit::Money(asset), 9),
        };
        let period_ms = period.parse().ok();
        let lines = self.state.lines.get(&self.node(name)?);
        let line = lines.and_then(|it| {
            let mut lines = it.lines.iter();
            lines.find(|l| (&l.terms.on, l.terms.unit, l.terms.period_ms) == (&on, unit, period_ms))
        });
        Ok(line.map_or("none".into(), |l| {
            l.used_now(self.state.now()).display(scale)
        }))
    }

    fn spent(&self, name: &str) -> Result<String, String> {
        let asset = self.state.realm.get(&()).and_then(|r| r.asset).unwrap();
        let node = self.node(name)?;
        let allowance = self.state.allowances.get(&(node, asset));
        Ok(allowance.map_or("none".into(), |a| a.spent.display(9)))
    }

    /// The kinds of all deliveries still kept, in order; `-` for an empty inbox.
    fn inbox(&self, name: &str) -> String {
        let agent = self.agent(name);
        let kinds: Vec<String> = self
            .state
            .kept_after(agent, 0)
            .filter_map(|seq| self.state.deliveries.get(&(agent, seq)))
            .map(|d| {
                let text = serde_json::to_value(d.item).unwrap();
                text["kind"].as_str().unwrap().to_string()
            })
            .collect();
        if kinds.is_empty() {
            "-".into()
        } else {
            kinds.join(" ")
        }
    }
}

fn same(have: &str, wanted: &str) -> Result<(), String> {
    if have == wanted {
        Ok(())
    } else {
        Err(format!("is {have}"))
    }
}

fn word_of<T: serde::Serialize>(state: Option<T>) -> String {
    let Some(state) = state else {
        return "gone".into();
    };
    let value = serde_json::to_value(state).unwrap();
    value.as_str().unwrap_or("?").to_string()
}
