//! Whom an outgoing call may reach: the form of an address, and the hosts that an operator has opened.
//!
//! A name is never judged by itself: the addresses that it stands for are, and the connection goes to one of those
//! that were judged ([`crate::connect`]). Nothing here resolves or connects.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use axum::http::Uri;

use crate::error::CallError;
use crate::ranges::closed;

/// A host as an address names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// In lower case, without a dot at its end.
    Name(String),
    /// An address written as such.
    Address(IpAddr),
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Target {
    /// The target of an address, which must be one of HTTP without a name and password.
    ///
    /// # Errors
    /// [`CallError::Address`], which does not repeat the address: it may hold a secret.
    pub(crate) fn of(uri: &Uri) -> Result<Self, CallError> {
        let bad = CallError::Address;
        let default = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => return Err(bad("it must start with http:// or https://")),
        };
        let at = uri.authority().ok_or(bad("it names no host"))?;
        if at.as_str().contains('@') {
            return Err(bad("a name and password in it would not be sent"));
        }
        // A port that is no number of a port is none to the parser.
        let (host, port) = split_port(at.as_str()).ok_or(bad("its port is no number"))?;
        let port = port.unwrap_or(default);
        if port == 0 {
            return Err(bad("there is no port 0"));
        }
        let host = Host::parse(host)?;
        Ok(Self { host, port })
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, CallError> {
        let bad = CallError::Address;
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(bad("its host has no end"))?;
            if inner.contains('%') {
                return Err(bad("an address with a zone reaches this network only"));
            }
            let ip: Ipv6Addr = inner.parse().map_err(|_| bad("its host is no address"))?;
            return Ok(Self::Address(ip.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        if let Ok(ip) = name.parse::<Ipv4Addr>() {
            return Ok(Self::Address(ip.into()));
        }
        if is_number(name) {
            return Err(bad(
                "its host is a number: write an IPv4 address as four decimal numbers",
            ));
        }
        if name.is_empty() || name.len() > 253 || !name.split('.').all(is_label) {
            return Err(bad("its host is neither a name nor an address"));
        }
        Ok(Self::Name(name.to_ascii_lowercase()))
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Address(IpAddr::V4(ip)) => write!(f, "{ip}"),
        }
    }
}

/// What resolvers of some systems take for a number: `127.1`, `2130706433`, `0x7f000001`, `0177.0.0.1`.
fn is_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()),
    }
}

fn is_label(label: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=63).contains(&label.len()) && label.bytes().all(fits)
}

/// The host, in brackets if it is in brackets, and the port if there is one.
fn split_port(at: &str) -> Option<(&str, Option<u16>)> {
    let after = at.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = at.get(after..)?.find(':') else {
        return Some((at, None));
    };
    let (host, port) = at.split_at_checked(after + colon)?;
    let port = port.strip_prefix(':')?;
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((host, Some(port.parse().ok()?)))
}

/// A host that the operator has opened, although its address is not public, and perhaps one port of it only.
///
/// Written as `models.internal`, `models.internal:11434`, `*.corp.example` (what is under that name, not itself),
/// `127.0.0.1:11434` or `[::1]:11434`. An address is open where it is written as such, not where a name stands for it:
/// else whoever has a name of their own could reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenHost {
    host: Host,
    under: bool,
    port: Option<u16>,
}

impl OpenHost {
    /// The host and port of an address that the operator has named itself.
    ///
    /// # Errors
    /// [`CallError::Address`].
    pub fn of(uri: &Uri) -> Result<Self, CallError> {
        let Target { host, port } = Target::of(uri)?;
        Ok(Self {
            host,
            under: false,
            port: Some(port),
        })
    }

    fn is(&self, target: &Target) -> bool {
        if self.port.is_some_and(|port| port != target.port) {
            return false;
        }
        match (&self.host, &target.host) {
            (Host::Name(own), Host::Name(name)) if self.under => {
                let above = name.strip_suffix(own.as_str());
                above.is_some_and(|above| above.len() > 1 && above.ends_with('.'))
            }
            (own, host) => own == host,
        }
    }
}

impl FromStr for OpenHost {
    type Err = CallError;

    fn from_str(text: &str) -> Result<Self, CallError> {
        let bare = text.parse::<Ipv6Addr>().map(|ip| Self {
            host: Host::Address(ip.into()),
            under: false,
            port: None,
        });
        if let Ok(host) = bare {
            return Ok(host);
        }
        let bad = CallError::Address("write a host as host, host:port or *.suffix");
        let (under, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = split_port(rest).ok_or(bad.clone())?;
        let host = Host::parse(host)?;
        if under && matches!(host, Host::Address(_)) || port == Some(0) {
            return Err(bad);
        }
        Ok(Self { host, under, port })
    }
}

impl std::fmt::Display for OpenHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let under = if self.under { "*." } else { "" };
        write!(f, "{under}{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Whom the calls of some connections may reach.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// Whatever they are told to: a person's own tool, whose server the person names.
    Anywhere,
    /// Public addresses, and the hosts that the operator has opened.
    Guarded(Vec<OpenHost>),
}

impl Reach {
    /// Judges the addresses that a target stands for. One closed address is enough: which of them a connection
    /// takes must not matter.
    ///
    /// # Errors
    /// [`CallError::Closed`].
    pub(crate) fn judge(&self, target: &Target, addresses: &[IpAddr]) -> Result<(), CallError> {
        let Self::Guarded(open) = self else {
            return Ok(());
        };
        if open.iter().any(|host| host.is(target)) {
            return Ok(());
        }
        match addresses.iter().find_map(|ip| closed(*ip)) {
            None => Ok(()),
            Some(why) => Err(CallError::Closed {
                host: target.host.to_string(),
                why,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, String> {
        let uri: Uri = url.parse().map_err(|_| "no URL".to_owned())?;
        Target::of(&uri).map_err(|e| e.to_string())
    }

    #[test]
    fn addresses_of_calls_have_one_form() {
        for (url, want) in [
            ("https://api.example/v1?key=s3cret", Ok("api.example 443")),
            ("http://API.Example.:8080/", Ok("api.example 8080")),
            ("http://127.0.0.1:81/", Ok("127.0.0.1 81")),
            ("http://[::1]:81/", Ok("[::1] 81")),
            ("http://[::ffff:7f00:1]/", Ok("[::ffff:127.0.0.1] 80")),
            ("http://a_b.example/", Ok("a_b.example 80")),
            (
                "http://xn--bcher-kva.example/",
                Ok("xn--bcher-kva.example 80"),
            ),
            ("ftp://api.example/s3cret", Err("http://")),
            ("/v1/s3cret", Err("http://")),
            ("https://me:s3cret@api.example/", Err("name and password")),
            (
                "https://api.example@10.0.0.1/s3cret",
                Err("name and password"),
            ),
            ("http://2130706433/s3cret", Err("is a number")),
            ("http://0x7f000001/", Err("is a number")),
            ("http://0X7F000001/", Err("is a number")),
            ("http://0x/", Err("is a number")),
            ("http://017700000001/", Err("is a number")),
            ("http://0177.0.0.1/", Err("is a number")),
            ("http://127.1/", Err("is a number")),
            ("http://127.0.0.1.1/", Err("is a number")),
            ("http://127.0.0.0x1/", Err("is a number")),
            ("http://256.0.0.1/", Err("is a number")),
            ("http://api.example:0/", Err("port 0")),
            ("http://api.example:99999/", Err("")),
            ("http://api..example/", Err("neither a name")),
            ("http://./", Err("neither a name")),
            ("http://api%2eexample/", Err("")),
            ("http://[fe80::1%25eth0]/", Err("")),
            ("http://[::1/", Err("")),
            ("http://[v1.a]/", Err("")),
        ] {
            match (target(url), want) {
                (Ok(Target { host, port }), Ok(want)) => {
                    assert_eq!(format!("{host} {port}"), want, "{url}");
                }
                (Err(why), Err(want)) => {
                    assert!(
                        why.contains(want) && !why.contains("s3cret"),
                        "{url}: {why}"
                    );
                }
                (got, _) => panic!("{url}: {got:?}"),
            }
        }
    }

    #[test]
    fn opened_hosts_are_open_as_they_are_written() {
        for (open, url, want) in [
            ("127.0.0.1:11434", "http://127.0.0.1:11434/", true),
            ("127.0.0.1:11434", "http://127.0.0.1:11435/", false),
            ("127.0.0.1", "http://127.0.0.1:11435/", true),
            // A name that stands for an opened address is not opened by that.
            ("127.0.0.1:11434", "http://evil.example:11434/", false),
            ("localhost:11434", "http://LOCALHOST.:11434/", true),
            ("localhost", "http://127.0.0.1/", false),
            ("[::1]:80", "http://[::1]/", true),
            ("::1", "http://[::1]:81/", true),
            ("*.corp.example", "https://models.corp.example/", true),
            ("*.corp.example", "https://a.b.corp.example:8443/", true),
            ("*.corp.example", "https://corp.example/", false),
            ("*.corp.example", "https://evilcorp.example/", false),
            ("*.corp.example:443", "http://models.corp.example/", false),
            ("corp.example", "https://models.corp.example/", false),
        ] {
            let rules = Reach::Guarded(vec![open.parse().unwrap()]);
            let loopback = [IpAddr::from([127, 0, 0, 1])];
            let judged = rules.judge(&target(url).unwrap(), &loopback);
            assert_eq!(judged.is_ok(), want, "{open} for {url}");
        }
        for open in [
            "",
            "*",
            "*.",
            "*.127.0.0.1",
            "a b",
            "host:port",
            "host:0",
            "http://a/",
            "127.1",
            "a@b",
        ] {
            assert!(open.parse::<OpenHost>().is_err(), "{open}");
        }
        for open in [
            "models.internal:11434",
            "*.corp.example",
            "127.0.0.1:1",
            "[::1]:80",
            "[::1]",
        ] {
            assert_eq!(open.parse::<OpenHost>().unwrap().to_string(), open);
        }
    }

    #[test]
    fn one_closed_address_closes_a_name() {
        let named = target("https://api.example/").unwrap();
        let public = IpAddr::from([8, 8, 8, 8]);
        let private = IpAddr::from([10, 0, 0, 1]);
        let guarded = Reach::Guarded(Vec::new());
        assert!(guarded.judge(&named, &[public]).is_ok());
        for addresses in [&[private][..], &[public, private], &[private, public]] {
            let told = guarded.judge(&named, addresses).unwrap_err().to_string();
            assert!(
                told.contains("api.example") && told.contains("private"),
                "{told}"
            );
            assert!(Reach::Anywhere.judge(&named, addresses).is_ok());
        }
    }
}
