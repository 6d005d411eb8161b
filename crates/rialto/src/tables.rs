//! The tables of a settings file: what there may be several of, each with a name of its own.
//!
//! A table is read as a whole or refused as a whole, with the place that is wrong. A refusal never repeats a value:
//! somebody may have written a secret where only its place belongs. What a new kind of table has is a function that
//! reads it with [`Fields`], and its line in [`Tables::read`].

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rialto_gateway::provider::{FIRST, OUTPUT, PAUSE};
use rialto_gateway::route::Choose;
use rialto_gateway::{Kind, Provider, Route, Terms};
use rialto_outside::SecretRef;
use rialto_server::webhook::Webhook;
use rialto_wire::openai::chat::Server;
use toml::{Table, Value};

use crate::commands::parse::duration_ms;

/// The longest name of a table, in bytes.
const LONGEST_NAME: usize = 64;

/// What the tables of a file say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tables {
    /// `[webhooks.NAME]`: who is notified of what waits.
    pub(crate) webhooks: BTreeMap<String, Webhook>,
    /// `[providers.NAME]`: who serves models.
    pub(crate) providers: BTreeMap<String, Arc<Provider>>,
    /// `[routes.NAME]`: which models serve a name.
    pub(crate) routes: BTreeMap<String, Route>,
}

/// The kinds of tables, and what is said of each in help and refusals.
pub(crate) const KINDS: &[(&str, &str)] = &[
    (
        "webhooks",
        "[webhooks.NAME] url, key: who is notified of what waits",
    ),
    (
        "providers",
        "[providers.NAME] kind, url, key, max_output, first, pause, limit_name, stream_usage: who serves models",
    ),
    (
        "routes",
        "[routes.NAME] models, choose: which models serve a name",
    ),
];

/// The most tokens that settings give an answer.
const MOST_OUTPUT: u64 = 1_000_000;

impl Tables {
    /// Reads the tables of a file.
    ///
    /// # Errors
    /// The place that is wrong, and why.
    pub(crate) fn read(file: &Table) -> Result<Self, String> {
        Ok(Self {
            webhooks: named(file, "webhooks", webhook)?,
            providers: named(file, "providers", provider)?,
            routes: named(file, "routes", route)?,
        })
    }

    /// The tables of several files, the stronger first: a table of the same name in a weaker one does not count at
    /// all.
    pub(crate) fn joined(files: impl DoubleEndedIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for Self {
            webhooks,
            providers,
            routes,
        } in files.rev()
        {
            all.webhooks.extend(webhooks);
            all.providers.extend(providers);
            all.routes.extend(routes);
        }
        all
    }

    /// Each setting with its value, for people: without what may hold a secret.
    pub(crate) fn shown(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        for (name, hook) in &self.webhooks {
            rows.push((format!("webhooks.{name}.url"), hook.shown().to_owned()));
            let key = hook
                .key()
                .map(|key| (format!("webhooks.{name}.key"), key.to_string()));
            rows.extend(key);
        }
        for (name, provider) in &self.providers {
            rows.push((format!("providers.{name}.url"), provider.shown().to_owned()));
            let key = provider.terms().key.as_ref();
            rows.extend(key.map(|key| (format!("providers.{name}.key"), key.to_string())));
        }
        for (name, route) in &self.routes {
            rows.push((format!("routes.{name}.models"), route.models.join(", ")));
        }
        rows
    }

    /// Where secrets are kept that these tables need, each with the setting that names it.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (String, &SecretRef)> {
        let hooks = self.webhooks.iter();
        let hooks =
            hooks.filter_map(|(name, hook)| Some((format!("webhooks.{name}.key"), hook.key()?)));
        let providers = self.providers.iter().filter_map(|(name, provider)| {
            let key = provider.terms().key.as_ref()?;
            Some((format!("providers.{name}.key"), key))
        });
        hooks.chain(providers)
    }

    /// The tables that differ from others.
    pub(crate) fn differing(&self, other: &Self) -> Vec<String> {
        let mut all = differing("webhooks", &self.webhooks, &other.webhooks);
        all.extend(differing("providers", &self.providers, &other.providers));
        all.extend(differing("routes", &self.routes, &other.routes));
        all
    }
}

fn differing<T: PartialEq>(
    kind: &str,
    these: &BTreeMap<String, T>,
    those: &BTreeMap<String, T>,
) -> Vec<String> {
    let names = these.keys().chain(those.keys());
    let mut differing: Vec<String> = names
        .filter(|name| these.get(*name) != those.get(*name))
        .map(|name| format!("{kind}.{name}"))
        .collect();
    differing.sort();
    differing.dedup();
    differing
}

fn provider(name: &str, fields: &mut Fields<'_>) -> Result<Arc<Provider>, String> {
    let kind: Option<Kind> = fields.parsed("kind")?;
    let url = fields.text("url")?;
    let key: Option<SecretRef> = fields.parsed("key")?;
    let max_output: Option<u64> = fields.parsed("max_output")?;
    let first = fields.time("first")?;
    let pause = fields.time("pause")?;
    let limit_name = fields.text("limit_name")?;
    let stream_usage = fields.text("stream_usage")?;
    let missing = |name: &str| fields.wrong(name, "it is missing");
    let max_output = max_output.unwrap_or(OUTPUT);
    if !(1..=MOST_OUTPUT).contains(&max_output) {
        return Err(fields.wrong("max_output", format!("write 1 to {MOST_OUTPUT}")));
    }
    let server = Server {
        completion_limit: match limit_name {
            None | Some("max_tokens") => false,
            Some("max_completion_tokens") => true,
            Some(_) => {
                let why = "write max_tokens or max_completion_tokens";
                return Err(fields.wrong("limit_name", why));
            }
        },
        stream_options: match stream_usage {
            None | Some("yes") => true,
            Some("no") => false,
            Some(_) => return Err(fields.wrong("stream_usage", "write yes or no")),
        },
    };
    let terms = Terms {
        kind: kind.ok_or_else(|| missing("kind"))?,
        url: url.ok_or_else(|| missing("url"))?.to_owned(),
        key,
        max_output,
        first: first.unwrap_or(FIRST),
        pause: pause.unwrap_or(PAUSE),
        server,
    };
    let provider = Provider::new(name, terms).map_err(|why| fields.wrong("url", why))?;
    Ok(Arc::new(provider))
}

fn route(_: &str, fields: &mut Fields<'_>) -> Result<Route, String> {
    let models = fields.text("models")?.unwrap_or_default();
    let choose: Option<Choose> = fields.parsed("choose")?;
    let models = models.split(',').map(str::trim);
    let models: Vec<String> = models
        .filter(|model| !model.is_empty())
        .map(str::to_owned)
        .collect();
    if models.is_empty() {
        return Err(fields.wrong("models", "name at least one, separated by commas"));
    }
    Ok(Route {
        models,
        choose: choose.unwrap_or_default(),
    })
}

fn webhook(name: &str, fields: &mut Fields<'_>) -> Result<Webhook, String> {
    let key: Option<SecretRef> = fields.parsed("key")?;
    let url = fields
        .text("url")?
        .ok_or_else(|| fields.wrong("url", "it is missing"))?;
    Webhook::to(name, url, key).map_err(|why| fields.wrong("url", why))
}

/// Reads the tables of one kind.
fn named<T>(
    file: &Table,
    kind: &'static str,
    read: fn(&str, &mut Fields<'_>) -> Result<T, String>,
) -> Result<BTreeMap<String, T>, String> {
    let Some(value) = file.get(kind) else {
        return Ok(BTreeMap::new());
    };
    let tables = value.as_table();
    let tables = tables.ok_or_else(|| format!("{kind}: write it as a table, [{kind}.NAME]"))?;
    let mut all = BTreeMap::new();
    for (name, value) in tables {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = name.len() <= LONGEST_NAME
            && name.bytes().next().is_some_and(plain)
            && name.bytes().all(|b| plain(b) || matches!(b, b'-' | b'_'));
        if !fits {
            return Err(format!(
                "[{kind}]: the name of a table has 1 to {LONGEST_NAME} of a-z, 0-9, - and _, and begins with a letter \
                 or digit"
            ));
        }
        let place = format!("[{kind}.{name}]");
        let table = value.as_table();
        let table =
            table.ok_or_else(|| format!("[{kind}] {name}: write it as a table, {place}"))?;
        let mut fields = Fields {
            place,
            table,
            known: Vec::new(),
        };
        let one = read(name, &mut fields)?;
        fields.end()?;
        all.insert(name.clone(), one);
    }
    Ok(all)
}

/// The settings of one table. Those that nobody asked for are refused at its end.
struct Fields<'a> {
    place: String,
    table: &'a Table,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    fn text(&mut self, name: &'static str) -> Result<Option<&'a str>, String> {
        self.known.push(name);
        let value = self.table.get(name);
        let text = value.map(|value| value.as_str().ok_or(self.wrong(name, "it must be a text")));
        text.transpose()
    }

    fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, String> {
        let text = self.text(name)?;
        let parsed = text.map(|text| text.parse().map_err(|why| self.wrong(name, why)));
        parsed.transpose()
    }

    fn time(&mut self, name: &'static str) -> Result<Option<Duration>, String> {
        let text = self.text(name)?;
        let time = text.map(|text| duration_ms(text).map_err(|why| self.wrong(name, why)));
        Ok(time.transpose()?.map(Duration::from_millis))
    }

    fn wrong(&self, name: &str, why: impl Display) -> String {
        format!("{} {name}: {why}", self.place)
    }

    fn end(self) -> Result<(), String> {
        let unknown = self
            .table
            .keys()
            .find(|name| !self.known.contains(&name.as_str()));
        match unknown {
            None => Ok(()),
            Some(name) => {
                let known = self.known.join(", ");
                Err(self.wrong(
                    &format!("{name:?}"),
                    format!("there is no such setting; there are {known}"),
                ))
            }
        }
    }
}

/// Whether a root entry of a file is a table of a kind that there is; else, what to say.
pub(crate) fn is_kind(name: &str, value: &Value) -> Result<bool, String> {
    if KINDS.iter().any(|(kind, _)| *kind == name) {
        return Ok(true);
    }
    match value {
        Value::Table(_) => Err(format!(
            "there are no tables [{name}]; there are {}",
            KINDS
                .iter()
                .map(|(_, about)| *about)
                .collect::<Vec<_>>()
                .join("; ")
        )),
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tables, String> {
        Tables::read(&text.parse().unwrap())
    }

    #[test]
    fn tables_are_read_whole_or_refused_at_their_place() {
        let tables = read(
            "[webhooks.ops]\nurl = \"https://ops.example/hook?key=s3cret\"\nkey = \"secret:ops\"\n\
             [webhooks.here]\nurl = \"http://127.0.0.1:81/\"",
        )
        .unwrap();
        let shown = tables.shown();
        let shown: Vec<_> = shown
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let want = [
            ("webhooks.here.url", "http://127.0.0.1:81"),
            ("webhooks.ops.url", "https://ops.example"),
            ("webhooks.ops.key", "secret:ops"),
        ];
        assert_eq!(shown, want);
        for (text, want) in [
            ("webhooks = \"s3cret\"", "webhooks: write it as a table"),
            ("webhooks.a = \"s3cret\"", "[webhooks] a: write it as"),
            ("[webhooks.A]", "[webhooks]: the name"),
            ("[webhooks.--webhook]", "[webhooks]: the name"),
            ("[webhooks.a]", "[webhooks.a] url: it is missing"),
            (
                "[webhooks.a]\nurl = 1",
                "[webhooks.a] url: it must be a text",
            ),
            ("[webhooks.a]\nurl = \"s3cret\"", "[webhooks.a] url: "),
            (
                "[webhooks.a]\nurl = \"https://a.example\"\nkey = \"s3cret\"",
                "[webhooks.a] key: this does not say where a secret is kept",
            ),
            (
                "[webhooks.a]\nurl = \"http://a.example\"\nkey = \"secret:a\"",
                "[webhooks.a] url: a key is sent over https only",
            ),
            (
                "[webhooks.a]\nurl = \"https://a.example\"\nsecret = \"s3cret\"",
                "[webhooks.a] \"secret\": there is no such setting; there are key, url",
            ),
        ] {
            let told = read(text).unwrap_err();
            assert!(
                told.starts_with(want) && !told.contains("s3cret"),
                "{text}: {told}"
            );
        }
    }

    #[test]
    fn providers_and_routes_are_read_whole_or_refused_at_their_place() {
        let tables = read(
            "[providers.acme]\nkind = \"anthropic\"\nurl = \"https://api.acme.example\"\nkey = \"env:ACME\"\n\
             first = \"30s\"\n[providers.here]\nkind = \"openai\"\nurl = \"http://127.0.0.1:8080\"\n\
             [routes.best]\nmodels = \"large, small\"\nchoose = \"cheapest\"",
        )
        .unwrap();
        let acme = &tables.providers["acme"];
        assert_eq!(acme.terms().first, Duration::from_secs(30));
        assert_eq!(tables.routes["best"].models, ["large", "small"]);
        assert_eq!(tables.routes["best"].choose, Choose::Cheapest);
        assert_eq!(tables.secrets().count(), 1);
        for (text, want) in [
            (
                "[providers.a]\nurl = \"http://127.0.0.1:1\"",
                "[providers.a] kind: it is missing",
            ),
            (
                "[providers.a]\nkind = \"openai\"",
                "[providers.a] url: it is missing",
            ),
            (
                "[providers.a]\nkind = \"acme\"\nurl = \"http://127.0.0.1:1\"",
                "[providers.a] kind: write one of openai, anthropic, bedrock",
            ),
            (
                "[providers.a]\nkind = \"openai\"\nurl = \"http://a.example\"\nkey = \"env:A\"",
                "[providers.a] url: a key is sent over https only",
            ),
            (
                "[providers.a]\nkind = \"openai\"\nurl = \"http://a.example\"\nmax_output = \"0\"",
                "[providers.a] max_output: write 1 to",
            ),
            (
                "[routes.a]\nmodels = \" , \"",
                "[routes.a] models: name at least one",
            ),
            (
                "[routes.a]\nmodels = \"b\"\nchoose = \"luck\"",
                "[routes.a] choose: write one of turns",
            ),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.starts_with(want), "{text}: {told}");
        }
    }

    #[test]
    fn the_stronger_file_has_the_table_and_changes_are_named() {
        let hook = |url: &str| format!("[webhooks.a]\nurl = \"https://{url}\"\n");
        let strong = read(&hook("strong.example")).unwrap();
        let weak = read(&format!(
            "{}[webhooks.b]\nurl = \"https://b.example\"\n",
            hook("weak.example")
        ))
        .unwrap();
        let both = Tables::joined([strong.clone(), weak].into_iter());
        let shown: Vec<_> = both.shown().into_iter().map(|(_, value)| value).collect();
        assert_eq!(shown, ["https://strong.example", "https://b.example"]);
        assert_eq!(both.differing(&strong), ["webhooks.b"]);
        assert_eq!(strong.differing(&both), ["webhooks.b"]);
        assert_eq!(both.differing(&both), [""; 0]);
    }
}
