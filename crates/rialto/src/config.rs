//! Settings and where each comes from: flag over environment over project file over user file over
//! default.
//!
//! Holds no secret: a token is named by its file, other secrets by where they are kept. Files are read when a command
//! starts, and again when a server is told to. What there may be several of stands in tables ([`crate::tables`]).

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use rialto_core::reject::Code;

use crate::output::CliError;
use crate::tables::{self, KINDS, Tables};

/// The project file, in the working folder.
const PROJECT_FILE: &str = "rialto.toml";

/// A setting's name in files, in the environment, and its default.
#[derive(Debug)]
pub(crate) struct Key {
    /// In `rialto.toml`.
    pub(crate) name: &'static str,
    /// In the environment.
    pub(crate) env: &'static str,
    /// When nobody sets it.
    pub(crate) default: Option<&'static str>,
    /// What it is for.
    pub(crate) about: &'static str,
}

/// Where the realm is kept.
pub(crate) const DATA: Key = Key {
    name: "data",
    env: "RIALTO_DATA",
    default: Some("rialto-data"),
    about: "data folder of the realm",
};
/// Where the segments of archived parts of the log are.
pub(crate) const ARCHIVE: Key = Key {
    name: "archive",
    env: "RIALTO_ARCHIVE",
    default: None,
    about: "folder that holds the archived segments of the realm's log",
};
/// Where the server listens.
pub(crate) const LISTEN: Key = Key {
    name: "listen",
    env: "RIALTO_LISTEN",
    default: Some("127.0.0.1:7600"),
    about: "address that the server listens at",
};
/// What a new realm is called.
pub(crate) const NAME: Key = Key {
    name: "name",
    env: "RIALTO_NAME",
    default: Some("rialto"),
    about: "name of a new realm",
};
/// Where people find the server.
pub(crate) const PUBLIC_URL: Key = Key {
    name: "public_url",
    env: "RIALTO_PUBLIC_URL",
    default: None,
    about: "address at which people find the server, through a proxy or a name of its own",
};
/// What else the server is called.
pub(crate) const HOSTS: Key = Key {
    name: "hosts",
    env: "RIALTO_HOSTS",
    default: None,
    about: "further host names of the server, separated by commas",
};
/// Who is believed about where requests come from.
pub(crate) const PROXIES: Key = Key {
    name: "proxies",
    env: "RIALTO_PROXIES",
    default: None,
    about: "addresses of proxies whose X-Forwarded-For is trusted, separated by commas",
};
/// How long the server may take to end.
pub(crate) const DRAIN: Key = Key {
    name: "drain",
    env: "RIALTO_DRAIN",
    default: Some("10s"),
    about: "how long requests and streams may take to end when the server stops",
};
/// The form of the server's log.
pub(crate) const LOG_FORMAT: Key = Key {
    name: "log_format",
    env: "RIALTO_LOG_FORMAT",
    default: Some("text"),
    about: "form of the server's log: text or json",
};
/// The server that commands talk to.
pub(crate) const SERVER: Key = Key {
    name: "server",
    env: "RIALTO_SERVER",
    default: Some("http://127.0.0.1:7600"),
    about: "server that commands talk to",
};
/// The file that holds the token.
pub(crate) const TOKEN_FILE: Key = Key {
    name: "token_file",
    env: "RIALTO_TOKEN_FILE",
    default: None,
    about: "file that holds the token",
};
/// The agent that commands act as.
pub(crate) const AGENT: Key = Key {
    name: "agent",
    env: "RIALTO_AGENT",
    default: None,
    about: "agent that commands act as",
};
/// The certificates that are trusted instead of the public ones.
pub(crate) const CA: Key = Key {
    name: "ca",
    env: "RIALTO_CA",
    default: None,
    about: "PEM file of certificates to trust for https",
};

/// Every setting.
pub(crate) const KEYS: &[&Key] = &[
    &DATA,
    &ARCHIVE,
    &LISTEN,
    &PUBLIC_URL,
    &HOSTS,
    &PROXIES,
    &NAME,
    &DRAIN,
    &LOG_FORMAT,
    &SERVER,
    &TOKEN_FILE,
    &AGENT,
    &CA,
];

/// The settings that a server reads only when it starts.
pub(crate) const AT_START: &[&Key] = &[
    &DATA,
    &ARCHIVE,
    &LISTEN,
    &PUBLIC_URL,
    &HOSTS,
    &PROXIES,
    &LOG_FORMAT,
    &DRAIN,
];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flag,
    /// A variable of the environment.
    Env(&'static str),
    /// A file.
    File(PathBuf),
    /// Nobody set it.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The value.
    pub(crate) value: String,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

/// The settings files that were found, the stronger first.
#[derive(Debug, Default)]
pub(crate) struct Config {
    files: Vec<(PathBuf, toml::Table)>,
    tables: Tables,
}

impl Config {
    /// Reads `./rialto.toml` and the user's file, where they exist.
    ///
    /// # Errors
    /// A usage error when a file is malformed or names an unknown setting.
    pub(crate) fn load() -> Result<Self, CliError> {
        let mut files = Vec::new();
        for path in [Some(PathBuf::from(PROJECT_FILE)), user_file()]
            .into_iter()
            .flatten()
        {
            if let Some(table) = read(&path)? {
                files.push((path, table));
            }
        }
        Self::of(files)
    }

    /// Reads one file in place of both.
    ///
    /// # Errors
    /// As [`Config::load`], and when there is no such file.
    pub(crate) fn load_file(path: &Path) -> Result<Self, CliError> {
        let table = read(path)?;
        let table = table.ok_or_else(|| refused(path, "there is no such file"))?;
        Self::of(vec![(path.to_owned(), table)])
    }

    fn of(files: Vec<(PathBuf, toml::Table)>) -> Result<Self, CliError> {
        let read = files
            .iter()
            .map(|(path, table)| Tables::read(table).map_err(|why| refused(path, &why)));
        let tables: Vec<Tables> = read.collect::<Result<_, _>>()?;
        Ok(Self {
            tables: Tables::joined(tables.into_iter()),
            files,
        })
    }

    /// What the tables say.
    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// A setting, from the strongest place that has it.
    pub(crate) fn get(&self, key: &Key, flag: Option<&str>) -> Option<Setting> {
        if let Some(value) = flag {
            return Some(Setting {
                value: value.to_owned(),
                origin: Origin::Flag,
            });
        }
        if let Some(value) = env::var(key.env).ok().filter(|v| !v.is_empty()) {
            return Some(Setting {
                value,
                origin: Origin::Env(key.env),
            });
        }
        for (path, table) in &self.files {
            if let Some(value) = table.get(key.name).and_then(toml::Value::as_str) {
                return Some(Setting {
                    value: value.to_owned(),
                    origin: Origin::File(path.clone()),
                });
            }
        }
        key.default.map(|value| Setting {
            value: value.to_owned(),
            origin: Origin::Default,
        })
    }

    /// The value of a setting that has a default.
    pub(crate) fn value(&self, key: &Key, flag: Option<&str>) -> String {
        self.get(key, flag).map_or_else(String::new, |s| s.value)
    }

    /// The values of a setting that is a list: those of the options, or else those separated by
    /// commas.
    pub(crate) fn list(&self, key: &Key, flags: &[String]) -> Vec<String> {
        if !flags.is_empty() {
            return flags.to_vec();
        }
        let value = self.value(key, None);
        let parts = value.split(',').map(str::trim);
        parts.filter(|p| !p.is_empty()).map(str::to_owned).collect()
    }

    /// The data folder.
    pub(crate) fn data(&self, flag: Option<&Path>) -> PathBuf {
        match flag {
            Some(path) => path.to_owned(),
            None => PathBuf::from(self.value(&DATA, None)),
        }
    }
}

/// `$XDG_CONFIG_HOME/rialto/config.toml`, by default under `~/.config`.
fn user_file() -> Option<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("rialto").join("config.toml"))
}

fn read(path: &Path) -> Result<Option<toml::Table>, CliError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(refused(path, &e.to_string())),
    };
    parse(&text).map(Some).map_err(|why| refused(path, &why))
}

fn refused(path: &Path, why: &str) -> CliError {
    CliError::coded(Code::BadSettings, &format!("{}: {why}", path.display()))
}

fn parse(text: &str) -> Result<toml::Table, String> {
    // Not the library's own words: they repeat the line, which may hold a secret.
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let before = e.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        format!("line {line} is no TOML: {}", e.message())
    })?;
    for (name, value) in &table {
        if tables::is_kind(name, value)? {
            continue;
        }
        if !KEYS.iter().any(|key| key.name == name) {
            let known = KEYS.iter().map(|key| key.name);
            let known: Vec<_> = known.chain(KINDS.iter().map(|(kind, _)| *kind)).collect();
            return Err(format!(
                "there is no setting {name:?}; there are {}",
                known.join(", ")
            ));
        }
        if !value.is_str() {
            return Err(format!("the setting {name:?} must be a text"));
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_place_wins() {
        let file = |name: &str, text: &str| (PathBuf::from(name), parse(text).unwrap());
        let config = Config::of(vec![
            file("project", "name = \"p\""),
            file("user", "name = \"u\"\nca = \"c\""),
        ])
        .unwrap();
        let from = |key: &Key, flag| config.get(key, flag).map(|s| (s.value, s.origin));
        assert_eq!(from(&NAME, Some("f")), Some(("f".into(), Origin::Flag)));
        assert_eq!(
            from(&NAME, None),
            Some(("p".into(), Origin::File("project".into())))
        );
        assert_eq!(
            from(&CA, None),
            Some(("c".into(), Origin::File("user".into())))
        );
        assert_eq!(
            from(&LOG_FORMAT, None),
            Some(("text".into(), Origin::Default))
        );
        assert_eq!(from(&TOKEN_FILE, None), None);
        let hosts = file("project", "hosts = \" a.example, b.example,\"");
        let config = Config::of(vec![hosts]).unwrap();
        assert_eq!(config.list(&HOSTS, &[]), ["a.example", "b.example"]);
        assert_eq!(config.list(&HOSTS, &["c.example".into()]), ["c.example"]);
        assert!(config.list(&PROXIES, &[]).is_empty());
    }

    #[test]
    fn mistakes_in_files_are_named() {
        for (text, want) in [
            ("nam = \"x\"", "no setting \"nam\""),
            ("name = 1", "must be a text"),
            ("ca = \"x\"\nname", "line 2 is no TOML"),
            (
                "[webhook.a]",
                "no tables [webhook]; there are [webhooks.NAME]",
            ),
        ] {
            assert!(parse(text).unwrap_err().contains(want), "{text}");
        }
    }
}
