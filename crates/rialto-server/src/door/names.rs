//! The host names of this server, and the sites whose pages may send it requests.
//!
//! Another site can point its own name at this server (DNS rebinding), and its pages can send
//! requests in a visitor's name. Browsers reveal both, in `Host` and `Origin`; a client that sends
//! neither is not a browser. Nothing here knows who asks: that is for tokens and sessions.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rialto_core::reject::Code;

use super::Door;
use super::problem::Refusal;

/// Paths for monitoring: they answer under any name and reveal nothing private.
const FOR_ANY_NAME: [&str; 2] = ["/healthz", "/readyz"];

/// The host names of a server: always those of loopback.
#[derive(Clone, Debug, Default)]
pub struct Names {
    listen: Option<IpAddr>,
    hosts: Vec<String>,
    /// Scheme, host and port of the public address.
    public: Option<String>,
}

impl Names {
    /// The names of a server that listens at an address. `public_url` is where people find it, through a
    /// proxy or a name of its own; `hosts` are further names, without ports.
    ///
    /// # Errors
    /// A sentence that says which is malformed.
    pub fn new(
        listen: Option<SocketAddr>,
        public_url: Option<&str>,
        hosts: &[String],
    ) -> Result<Self, String> {
        let mut names = Self {
            listen: listen.map(|at| at.ip()),
            ..Self::default()
        };
        for host in hosts {
            let (plain, port) =
                split(host).ok_or_else(|| format!("{host:?} is not a host's name"))?;
            if port.is_some() {
                return Err(format!("{host:?}: name the host without a port"));
            }
            names.hosts.push(plain);
        }
        if let Some(url) = public_url {
            let bad = || format!("{url:?} is not an address such as https://realm.example");
            let public = origin(url.trim_end_matches('/')).ok_or_else(bad)?;
            let authority = public.split_once("://").map(|(_, authority)| authority);
            let (host, _) = authority.and_then(split).ok_or_else(bad)?;
            names.hosts.push(host);
            names.public = Some(public);
        }
        Ok(names)
    }

    /// Whether the host of an authority such as `localhost:7600` is one of the server's. Ports do
    /// not matter, because one may be forwarded.
    fn knows(&self, authority: &str) -> bool {
        let Some((host, _)) = split(authority) else {
            return false;
        };
        if host == "localhost" || self.hosts.contains(&host) {
            return true;
        }
        let Ok(ip) = host.parse::<IpAddr>() else {
            return false;
        };
        // A page that was loaded from an address has that address for its origin, so an address cannot be
        // another site's name for this server. One who listens everywhere is reached at any.
        let ip = ip.to_canonical();
        ip.is_loopback()
            || self
                .listen
                .is_some_and(|listen| listen.is_unspecified() || listen.to_canonical() == ip)
    }

    /// Whether an `Origin` is this server's own: that of the requested host, or of the public
    /// address.
    pub(super) fn is_own(&self, from: &str, headers: &HeaderMap) -> bool {
        let Some(from) = origin(from) else {
            return false;
        };
        if self.public.as_deref() == Some(from.as_str()) {
            return true;
        }
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
        // A proxy in front may have ended TLS, so that the scheme is not known here.
        host.is_some_and(|host| {
            ["http", "https"]
                .iter()
                .any(|scheme| origin(&format!("{scheme}://{host}")).as_deref() == Some(&from))
        })
    }

    /// # Errors
    /// [`Code::ForeignHost`], [`Code::ForeignOrigin`].
    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let headers = request.headers();
        let named = headers.get_all(header::HOST).iter();
        let named = named.map(|host| host.to_str().unwrap_or_default());
        let asked = request.uri().authority().map(|a| a.as_str());
        if let Some(foreign) = named.chain(asked).find(|name| !self.knows(name)) {
            return Err(Refusal::new(Code::ForeignHost, shortened(foreign)));
        }
        let origins = headers.get_all(header::ORIGIN).iter();
        let mut origins = origins.map(|origin| origin.to_str().unwrap_or_default());
        match origins.find(|origin| !self.is_own(origin, headers)) {
            Some(foreign) => Err(Refusal::new(Code::ForeignOrigin, shortened(foreign))),
            None => Ok(()),
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

/// Host in lower case, without brackets and closing point, and port of an authority.
fn split(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (
                host,
                rest.strip_prefix(':').or(rest.is_empty().then_some(""))?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let port = match port {
        "" => None,
        digits => Some(digits.parse().ok()?),
    };
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    (!host.is_empty() && host.chars().all(fits)).then_some((host, port))
}

/// An origin in one form: scheme, host, and the port unless it is the scheme's own.
fn origin(text: &str) -> Option<String> {
    let (scheme, authority) = text.split_once("://")?;
    let usual = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let (host, port) = split(authority)?;
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    Some(match port.filter(|port| *port != usual) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

/// Lets requests through that are for a host name of this server and not from another site's page.
pub(super) async fn own_names_only(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Response {
    if FOR_ANY_NAME.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    match door.rules.names.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn names(listen: &str, public: Option<&str>, hosts: &[&str]) -> Names {
        let hosts: Vec<String> = hosts.iter().map(|h| (*h).to_owned()).collect();
        Names::new(Some(listen.parse().unwrap()), public, &hosts).unwrap()
    }

    #[test]
    fn a_server_goes_by_its_own_names_only() {
        let plain = names("127.0.0.1:7600", None, &[]);
        let named = names(
            "10.1.2.3:7600",
            Some("https://realm.example/"),
            &["other.example"],
        );
        let everywhere = names("0.0.0.0:7600", None, &[]);
        for (host, by_plain, by_named, by_all) in [
            ("localhost:7600", true, true, true),
            ("LOCALHOST", true, true, true),
            ("127.0.0.1:7600", true, true, true),
            ("127.9.9.9", true, true, true),
            ("[::1]:80", true, true, true),
            ("[::ffff:127.0.0.1]", true, true, true),
            ("10.1.2.3:7600", false, true, true),
            ("10.1.2.4:7600", false, false, true),
            ("realm.example", false, true, false),
            ("Realm.Example.:8443", false, true, false),
            ("other.example:1", false, true, false),
            ("sub.realm.example", false, false, false),
            ("realm.example.evil.test", false, false, false),
            ("evil.test:7600", false, false, false),
            ("127.0.0.1.evil.test", false, false, false),
            ("localhost.evil.test", false, false, false),
            ("localhost:port", false, false, false),
            ("user@localhost", false, false, false),
            ("", false, false, false),
        ] {
            let found = (plain.knows(host), named.knows(host), everywhere.knows(host));
            assert_eq!(found, (by_plain, by_named, by_all), "{host:?}");
        }
    }

    #[test]
    fn only_own_pages_send_requests() {
        let names = names("127.0.0.1:7600", Some("https://realm.example"), &[]);
        for (host, origin, want) in [
            (Some("127.0.0.1:7600"), None, Ok(())),
            (None, None, Ok(())),
            (
                Some("127.0.0.1:7600"),
                Some("http://127.0.0.1:7600"),
                Ok(()),
            ),
            (Some("localhost"), Some("http://localhost:80"), Ok(())),
            // Through a proxy that names itself or the server.
            (
                Some("127.0.0.1:7600"),
                Some("https://realm.example"),
                Ok(()),
            ),
            (Some("realm.example"), Some("https://realm.example"), Ok(())),
            (
                Some("127.0.0.1:7600"),
                Some("http://127.0.0.1:3000"),
                Err(Code::ForeignOrigin),
            ),
            (
                Some("127.0.0.1:7600"),
                Some("http://localhost:7600"),
                Err(Code::ForeignOrigin),
            ),
            (
                Some("127.0.0.1:7600"),
                Some("https://evil.test"),
                Err(Code::ForeignOrigin),
            ),
            (
                Some("127.0.0.1:7600"),
                Some("null"),
                Err(Code::ForeignOrigin),
            ),
            (None, Some("http://localhost"), Err(Code::ForeignOrigin)),
            // The name that was rebound is the page's own.
            (
                Some("evil.test"),
                Some("http://evil.test"),
                Err(Code::ForeignHost),
            ),
            (Some("evil.test:7600"), None, Err(Code::ForeignHost)),
        ] {
            let mut request = Request::builder().uri("/api/realm");
            for (name, value) in [("host", host), ("origin", origin)] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let request = request.body(Body::empty()).unwrap();
            let found = names.check(&request).map_err(|r| r.rejection.code);
            assert_eq!(found, want, "{host:?} {origin:?}");
        }
        // Nor may the request line name another host, or a second header.
        let foreign = Request::builder().uri("http://evil.test/api/realm");
        let foreign = foreign.header("host", "localhost").body(Body::empty());
        assert!(names.check(&foreign.unwrap()).is_err());
        let twice = Request::builder().uri("/").header("host", "localhost");
        let twice = twice.header("host", "evil.test").body(Body::empty());
        assert!(names.check(&twice.unwrap()).is_err());
    }

    #[test]
    fn malformed_names_are_told() {
        for (url, hosts, wrong) in [
            (Some("realm.example"), vec![], "realm.example"),
            (Some("ftp://realm.example"), vec![], "ftp"),
            (Some("https://realm.example/path"), vec![], "path"),
            (None, vec!["realm.example:80"], "without a port"),
            (None, vec!["a b"], "a b"),
        ] {
            let hosts: Vec<String> = hosts.into_iter().map(str::to_owned).collect();
            let told = Names::new(None, url, &hosts).unwrap_err();
            assert!(told.contains(wrong), "{told}");
        }
    }
}
