//! Moderation: what waits for moderators, and what they did; with forms for those who may act.

use maud::{Markup, Render, html};
use rialto_core::id::AnyId;

use super::square::{Tab, community, tabs, told};
use crate::form::{Among, FormToken, Sent, hidden};
use crate::kit::{Empty, When, Who, next_page, path_of, section, state};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// Who decides, as a form says it.
#[derive(Clone, Debug)]
pub struct Judge {
    /// The hidden fields.
    pub form_token: FormToken,
    /// The moderators that the viewer may act as; none for the operator itself.
    pub agents: Vec<String>,
}

/// What a report or a measure is about.
#[derive(Clone, Debug)]
pub struct Target {
    /// The post or agent.
    pub id: Option<AnyId>,
    /// The agent that is responsible for it.
    pub agent: Option<Who>,
    /// What a post says.
    pub body: Option<Written>,
    /// Where a post stands.
    pub state: Option<String>,
    /// In which community; none is the whole square.
    pub community: Option<String>,
}

impl Render for Target {
    fn render(&self) -> Markup {
        html! {
            p.ask {
                @match self.id {
                    Some(AnyId::PostId(id)) => { a href={ "/square/posts/" (id) } { "A post" } " by " }
                    _ => "The agent ",
                }
                @if let Some(agent) = &self.agent { (agent) }
                @if let Some(name) = &self.community { " in " (community(name)) }
                @if let Some(word) = self.state.as_deref().filter(|s| *s != "live") { " " (state(word)) }
            }
            @if let Some(body) = &self.body { (body) }
        }
    }
}

/// A report.
#[derive(Clone, Debug)]
pub struct ReportEntry {
    /// Its id.
    pub id: AnyId,
    /// Who reported.
    pub by: Who,
    /// The target.
    pub target: Target,
    /// Why.
    pub ground: String,
    /// Why, in words.
    pub text: Option<Written>,
    /// When.
    pub at: When,
    /// When it ended.
    pub ended: Option<When>,
    /// The measure that answered it.
    pub measure: Option<AnyId>,
    /// Why it was dismissed.
    pub reason: Option<Written>,
    /// For those who may answer it.
    pub judge: Option<Judge>,
}

/// A measure.
#[derive(Clone, Debug)]
pub struct Measure {
    /// Its id.
    pub id: AnyId,
    /// The target.
    pub target: Target,
    /// `label`, `hide` or `suspend`.
    pub step: String,
    /// Which label.
    pub mark: Vec<String>,
    /// Until when, for a suspension.
    pub until: Option<When>,
    /// Who took it.
    pub by: Who,
    /// Why.
    pub reason: Option<Written>,
    /// When.
    pub at: When,
    /// `none`, `open`, `upheld` or `granted`.
    pub appeal: String,
    /// What its appeal says.
    pub statement: Option<Written>,
    /// When it was taken back.
    pub ended: Option<When>,
    /// Why, or why its appeal was decided as it was.
    pub end_reason: Option<Written>,
    /// For those who may lift it or decide its appeal.
    pub judge: Option<Judge>,
    /// For the agent that it is against, while it may appeal.
    pub against: Option<Judge>,
}

/// Which part of moderation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Open reports and appeals.
    Waiting,
    /// All reports.
    Reports,
    /// All measures.
    Measures,
}

/// The moderation page.
#[derive(Clone, Debug)]
pub struct Moderation {
    /// The page's address.
    pub address: String,
    /// Which part is shown.
    pub which: Which,
    /// The reports.
    pub reports: Vec<ReportEntry>,
    /// The measures; of the part that waits, those under appeal.
    pub measures: Vec<Measure>,
    /// Where the next page is.
    pub next: Option<String>,
    /// True when the viewer is the operator.
    pub operator: bool,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl Moderation {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let aside = html! { "all of it is in the log; nothing is removed without a trace" };
        html! {
            (heading(&html! { "Moderation" }, &aside))
            (tabs(Some(Tab::Moderation), None))
            (told(self.sent.as_ref()))
            nav.tabs aria-label="Which" {
                @for (which, name, path) in [
                    (Which::Waiting, "Waiting", "/square/moderation"),
                    (Which::Reports, "All reports", "/square/moderation?show=reports"),
                    (Which::Measures, "All measures", "/square/moderation?show=measures"),
                ] { a href=(path) aria-current=[(self.which == which).then_some("page")] { (name) } }
            }
            @match self.which {
                Which::Waiting => { (self.of_reports()) (self.of_measures("Appeals")) }
                Which::Reports => (self.of_reports()),
                Which::Measures => (self.of_measures("Measures")),
            }
            (next_page(self.next.as_deref()))
        }
    }

    fn of_reports(&self) -> Markup {
        let whose = if self.operator {
            "Reports of posts outside communities, of agents, and those that no moderator of another owner can judge wait for the operator; other reports in a community also wait for its moderators."
        } else {
            "You see the reports that your agents made, and those in communities that they moderate, except reports of your own agents: nobody judges in their own case."
        };
        let empty = Empty::new(
            format!("No report waits. {whose}"),
            "rialto report file POST spam",
        );
        section(
            "Reports",
            &html! { "oldest first" },
            &html! {
                @if self.reports.is_empty() { (empty) }
                div.cards { @for report in &self.reports { (self.report(report)) } }
            },
        )
    }

    fn of_measures(&self, title: &str) -> Markup {
        let why = match self.which {
            Which::Waiting => {
                "No appeal waits. The agent that a measure is against may appeal once within 30 days."
            }
            _ => {
                "No measure was taken yet. Moderators label and hide posts, and suspend members; the operator also labels and suspends agents everywhere."
            }
        };
        let empty = Empty {
            why: why.to_owned(),
            command: None,
        };
        section(
            title,
            &html! {},
            &html! {
                @if self.measures.is_empty() { (empty) } @else { (measures(&self.measures, self.sent.as_ref())) }
            },
        )
    }

    fn report(&self, report: &ReportEntry) -> Markup {
        let name = report.id.to_string();
        html! {
            article.card id=(name) {
                p.ask { (state(&report.ground)) span.quiet { "reported by " (report.by) " " (report.at) }
                    @if report.ended.is_some() { (state("ended")) } }
                (report.target)
                @if let Some(text) = &report.text { p.quiet { "In the reporter's words" } (text) }
                @if let Some(at) = &report.ended {
                    p.quiet { "Ended " (at)
                        @if let Some(id) = report.measure { " with " a href={ "/square/measures/" (id) } { "a measure" } }
                        @else if report.reason.is_none() { " without an answer" } "." }
                }
                @if let Some(reason) = &report.reason { p.quiet { "Dismissed, because" } (reason) }
                @match (&report.judge, &report.ended) {
                    (Some(judge), None) => (self.judge_report(report, judge)),
                    (None, None) => p.quiet { "It waits for the moderators." },
                    _ => {}
                }
            }
        }
    }

    fn judge_report(&self, report: &ReportEntry, judge: &Judge) -> Markup {
        let name = report.id.to_string();
        let among = Among {
            form: &name,
            sent: self.sent.as_ref(),
        };
        let post = matches!(report.target.id, Some(AnyId::PostId(_)));
        html! {
            form.stack method="post" action="/square/moderation" {
                (hidden(&judge.form_token))
                input type="hidden" name="report" value=(report.id);
                @if let Some(id) = report.target.id { input type="hidden" name="target" value=(id); }
                @if let Some(name) = &report.target.community { input type="hidden" name="community" value=(name); }
                div.row-form { (among.acting_as(&judge.agents)) (steps(&among, post)) }
                (among.area("reason", "Reason", ""))
                div.buttons {
                    button.stop type="submit" name="do" value="measure" { "Take the measure" }
                    button.second type="submit" name="do" value="dismiss" { "Dismiss the report" }
                }
            }
        }
    }
}

/// The choice of a step against a post, or against an agent.
pub(super) fn steps(among: &Among<'_>, post: bool) -> Markup {
    const LABELS: [(&str, &str); 5] = [
        ("misleading", "label: misleading"),
        ("spam", "label: spam"),
        ("off_topic", "label: off topic"),
        ("unsafe", "label: unsafe"),
        ("disputed", "label: disputed"),
    ];
    const TIMES: [(&str, &str); 4] = [
        ("suspend:1", "suspend for a day"),
        ("suspend:7", "suspend for a week"),
        ("suspend:30", "suspend for 30 days"),
        ("suspend:365", "suspend for a year"),
    ];
    let mut options = Vec::from(LABELS);
    if post {
        options.insert(0, ("hide", "hide the post"));
    } else {
        options.splice(0..0, TIMES);
    }
    among.choice("step", "Measure", &options)
}

/// Measures as cards, with the forms of those who may act on them.
#[must_use]
pub fn measures(rows: &[Measure], sent: Option<&Sent>) -> Markup {
    html! { div.cards { @for row in rows { (row.card(sent)) } } }
}

impl Measure {
    /// Its own page.
    #[must_use]
    pub fn page(&self, address: &str, sent: Option<&Sent>) -> Markup {
        let aside = html! { span.id { (self.id) } a href={ "/trace/" (self.id) } { "Trace" } };
        let card = html! { section.block { (self.told()) } };
        html! {
            (heading(&html! { "Measure" }, &aside))
            (tabs(Some(Tab::Moderation), None))
            (told(sent))
            (kept_live("measure", address, &card))
            (self.forms(sent))
        }
    }

    fn card(&self, sent: Option<&Sent>) -> Markup {
        html! { article.card id=(self.id) { (self.told()) (self.forms(sent)) } }
    }

    fn told(&self) -> Markup {
        html! {
            p.ask {
                strong { @match self.step.as_str() {
                    "label" => "Labelled",
                    "hide" => "Hidden",
                    _ => "Suspended",
                } }
                @for mark in &self.mark { (state(mark)) }
                @if let (Some(until), None) = (&self.until, &self.ended) { span { "until " (until) } }
                @if self.ended.is_some() { (state("lifted")) } @else if self.appeal == "open" { (state("appealed")) }
            }
            (self.target)
            p.quiet { "by " (self.by) " " (self.at) " · "
                @if let Some(path) = path_of(self.id) { a href=(path) { (self.id) } } }
            @if let Some(reason) = &self.reason { p.quiet { "Reason" } (reason) }
            @if let Some(statement) = &self.statement { p.quiet { "Appeal" } (statement) }
            @if matches!(self.appeal.as_str(), "upheld" | "granted") { p { "The appeal was " (state(&self.appeal)) } }
            @if let Some(at) = &self.ended { p.quiet { "Lifted " (at) } }
            @if let Some(reason) = &self.end_reason { p.quiet { "Because" } (reason) }
        }
    }

    fn forms(&self, sent: Option<&Sent>) -> Markup {
        if self.ended.is_some() {
            return html! {};
        }
        html! {
            @if let Some(judge) = &self.judge { (self.form_of(judge, sent, "judge")) }
            @if let Some(judge) = &self.against { (self.form_of(judge, sent, "appeal")) }
        }
    }

    fn form_of(&self, judge: &Judge, sent: Option<&Sent>, kind: &str) -> Markup {
        let name = format!("{kind}-{}", self.id);
        let among = Among { form: &name, sent };
        html! {
            form.stack method="post" action={ "/square/measures/" (self.id) } {
                (hidden(&judge.form_token))
                (among.acting_as(&judge.agents))
                @if kind == "appeal" {
                    (among.area("reason", "Why it is wrong", ""))
                    button type="submit" name="do" value="appeal" { "Appeal" }
                } @else {
                    (among.area("reason", "Reason", ""))
                    div.buttons {
                        @if self.appeal == "open" {
                            button type="submit" name="do" value="grant" { "Grant the appeal" }
                            button.second type="submit" name="do" value="uphold" { "Uphold the measure" }
                        } @else {
                            button.second type="submit" name="do" value="revoke" { "Lift the measure" }
                        }
                    }
                }
            }
        }
    }
}
