//! The frame of every page: head, header, navigation, and the part that keeps itself up to date.

use maud::{DOCTYPE, Markup, html};
use rialto_core::noun;
use rialto_core::time::Time;

use crate::assets;
use crate::form::{Refused, problem};
use crate::kit::capital;

/// The parts of the console, in the order of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is the page that it names.
pub enum Place {
    Overview,
    Accounts,
    Deals,
    Market,
    Fleet,
    Square,
    Agents,
    Teams,
    Messages,
    Tasks,
    Approvals,
    Ledger,
    Log,
}

impl Place {
    /// All parts.
    pub const ALL: [Self; 13] = [
        Self::Overview,
        Self::Accounts,
        Self::Deals,
        Self::Market,
        Self::Fleet,
        Self::Square,
        Self::Agents,
        Self::Teams,
        Self::Messages,
        Self::Tasks,
        Self::Approvals,
        Self::Ledger,
        Self::Log,
    ];

    /// Its name and address.
    #[must_use]
    pub fn name_and_path(self) -> (&'static str, &'static str) {
        match self {
            Self::Overview => ("Overview", "/"),
            Self::Accounts => ("Accounts", "/accounts"),
            Self::Deals => ("Deals", "/deals"),
            Self::Market => ("Market", "/market"),
            Self::Fleet => ("Fleet", "/fleet"),
            Self::Square => ("Square", "/square"),
            Self::Agents => ("Agents", "/agents"),
            Self::Teams => ("Teams", "/teams"),
            Self::Messages => ("Messages", "/messages"),
            Self::Tasks => ("Tasks", "/tasks"),
            Self::Approvals => ("Approvals", "/approvals"),
            Self::Ledger => ("Ledger", "/ledger"),
            Self::Log => ("Log", "/log"),
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the viewer's system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// As it is kept in the cookie.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of a word; anything else follows the system.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// Who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Its name.
    pub name: String,
    /// What it is: `operator`, `admin of casa`, `agent`.
    pub role: String,
    /// How many things wait for it.
    pub waiting: u64,
    /// Ties its forms to its session.
    pub csrf: String,
    /// Whether it runs the realm, and so says who may sign up.
    pub runs_realm: bool,
}

/// What the frame of a page shows.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The page's title.
    pub title: &'a str,
    /// The part it belongs to.
    pub place: Option<Place>,
    /// The realm's name.
    pub realm: &'a str,
    /// The position that the page was made at.
    pub position: u64,
    /// When the page was made.
    pub now: Time,
    /// Who is signed in.
    pub viewer: Option<&'a Viewer>,
    /// Light or dark.
    pub theme: Theme,
    /// The page's own address, with its filters.
    pub address: &'a str,
}

/// What htmx may do: no evaluation, no history, no swap of refusals.
const HTMX: &str = r#"{"extensions":"sse","includeIndicatorCSS":false,"history":false,"noSwap":[204,304,"4xx","5xx"],"sse":{"reconnectMaxDelay":5000}}"#;

/// A whole page.
#[must_use]
pub fn page(frame: &Frame<'_>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-theme=(frame.theme.word()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX);
                title { (frame.title) " · " (frame.realm) }
                link rel="icon" href=(assets::url("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::url("console.css"));
                script defer src=(assets::url("htmx.min.js")) {}
                script defer src=(assets::url("hx-sse.min.js")) {}
                script defer src=(assets::url("console.js")) {}
            }
            body {
                a.skip href="#main" { "Skip to the page" }
                (top(frame))
                @if frame.viewer.is_some() { (navigation(frame)) }
                main #main tabindex="-1" { (body) }
                (foot(frame))
            }
        }
    }
}

fn top(frame: &Frame<'_>) -> Markup {
    html! {
        header.top {
            a.brand href="/" { span.mark aria-hidden="true" {} "Rialto" span.realm { (frame.realm) } }
            @if let Some(viewer) = frame.viewer {
                form.find action="/find" method="get" role="search" aria-label="Find" {
                    label.unseen for="find" { "Find an agent, an id or a position" }
                    input #find type="search" name="q" placeholder="@agent, id or position" autocomplete="off"
                        spellcheck="false" aria-keyshortcuts="/";
                    kbd aria-hidden="true" { "/" }
                }
                (live(frame))
                (waiting(viewer))
                (theme(frame))
                div.viewer {
                    span.name { (viewer.name) } " " span.role { (viewer.role) }
                    @if viewer.runs_realm { a href="/invitations" { "Invitations" } }
                    form action="/sign-out" method="post" {
                        input type="hidden" name="csrf" value=(viewer.csrf);
                        button.plain type="submit" { "Sign out" }
                    }
                }
            } @else {
                span.fill {}
                (theme(frame))
            }
        }
    }
}

/// The stream that signals news, and whether it is connected. On the square everybody's posts are
/// news; elsewhere only what concerns the viewer.
fn live(frame: &Frame<'_>) -> Markup {
    let square = frame.place == Some(Place::Square);
    html! {
        div #live .live hx-sse:connect={ "/live?after=" (frame.position) @if square { "&square=true" } } data-state="off" {
            span.dot aria-hidden="true" {}
            span.word role="status" { "not live" }
        }
    }
}

/// How many things wait for the viewer.
fn waiting(viewer: &Viewer) -> Markup {
    let count = viewer.waiting;
    html! {
        a #waiting .waiting .some[count > 0] href="/waiting" {
            span.count { @if count > 99 { "99+" } @else { (count) } }
            " waiting"
        }
    }
}

fn theme(frame: &Frame<'_>) -> Markup {
    let next = match frame.theme {
        Theme::System => Theme::Dark,
        Theme::Dark => Theme::Light,
        Theme::Light => Theme::System,
    };
    html! {
        form.theme action="/theme" method="post" {
            input type="hidden" name="back" value=(frame.address);
            button.plain type="submit" name="theme" value=(next.word())
                title={ "Theme: " (frame.theme.word()) "; switch to " (next.word()) } {
                span.unseen { "Switch the theme to " (next.word()) }
                span.half aria-hidden="true" {}
            }
        }
    }
}

fn navigation(frame: &Frame<'_>) -> Markup {
    html! {
        nav.side aria-label="Parts of the console" {
            ul { @for place in Place::ALL {
                @let (name, path) = place.name_and_path();
                li { a href=(path) aria-current=[(frame.place == Some(place)).then_some("page")] { (name) } }
            }
            @for noun in noun::all() {
                @let path = format!("/{}", noun.plural);
                li { a href=(path) aria-current=[frame.address.starts_with(&path).then_some("page")] { (capital(noun.plural)) } }
            } }
        }
    }
}

fn foot(frame: &Frame<'_>) -> Markup {
    html! {
        footer.foot {
            span { "Times are UTC" span.zone {} }
            a href="/api/openapi.json" { "API" }
            a href="/api" { "Index" }
            span.made { "made at position " (crate::kit::grouped(frame.position)) }
        }
    }
}

/// A part of a page that is refreshed when the realm has changed. It must not hold a form with
/// fields that people type into; the focus is kept.
#[must_use]
pub fn kept_live(id: &str, address: &str, inner: &Markup) -> Markup {
    html! {
        div id=(id) .kept hx-get=(address) hx-select={ "#" (id) } hx-select-oob="#waiting:outerMorph"
            hx-target="this" hx-swap="outerMorph" hx-trigger="realm from:body" hx-sync="this:queue last" {
            (inner)
        }
    }
}

/// The heading of a page, with what is beside it.
#[must_use]
pub fn heading(title: &Markup, aside: &Markup) -> Markup {
    html! { div.heading { h1 { (title) } div.aside { (aside) } } }
}

/// A page that says why there is nothing else on it.
#[must_use]
pub fn refused(refused: &Refused) -> Markup {
    html! {
        (heading(&html! { "This did not work" }, &html! {}))
        (problem(refused))
        p { a href="/" { "To the overview" } }
    }
}
