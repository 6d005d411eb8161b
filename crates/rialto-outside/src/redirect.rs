//! The next request after a redirect: where it goes and what it may carry. Judges no destination.

use axum::body::{Body, HttpBody};
use axum::http::header::{HOST, LOCATION};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};

use crate::error::CallError;

/// A request without a body that can be made again elsewhere.
pub(crate) struct Again {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Again {
    /// What to repeat of a request, if its redirects are followed at all.
    pub(crate) fn of<B: HttpBody>(request: &Request<B>, redirects: u8) -> Option<Self> {
        let method = request.method();
        let bare = matches!(*method, Method::GET | Method::HEAD);
        let follows = redirects > 0 && bare && request.body().size_hint().exact() == Some(0);
        follows.then(|| Self {
            method: method.clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
        })
    }

    /// The next request, if the answer redirects.
    pub(crate) fn after<B>(
        mut self,
        answer: &Response<B>,
    ) -> Option<Result<Request<Body>, CallError>> {
        let redirects = matches!(
            answer.status(),
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        let location = answer.headers().get(LOCATION).filter(|_| redirects)?;
        let next = location
            .to_str()
            .ok()
            .and_then(|to| resolved(&self.uri, to));
        let Some(next) = next else {
            return Some(Err(CallError::Redirected("to what is no address")));
        };
        if self.uri.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
            return Some(Err(CallError::Redirected("from https to something else")));
        }
        if (next.scheme(), next.authority()) != (self.uri.scheme(), self.uri.authority()) {
            self.headers.remove(HOST);
            let sensitive = |(name, value): (&_, &axum::http::HeaderValue)| {
                let name: &axum::http::HeaderName = name;
                let known = ["authorization", "cookie", "proxy-authorization"];
                (value.is_sensitive() || known.contains(&name.as_str())).then(|| name.clone())
            };
            let gone: Vec<_> = self.headers.iter().filter_map(sensitive).collect();
            for name in gone {
                self.headers.remove(name);
            }
        }
        let mut request = Request::new(Body::empty());
        *request.method_mut() = self.method;
        *request.uri_mut() = next;
        *request.headers_mut() = self.headers;
        Some(Ok(request))
    }
}

/// A reference seen from an address (RFC 3986, 5.2).
fn resolved(base: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.split('#').next().unwrap_or_default();
    let (scheme, at) = (base.scheme_str()?, base.authority()?);
    let has_scheme = reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    });
    let whole = if has_scheme {
        reference.to_owned()
    } else if let Some(rest) = reference.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if reference.is_empty() {
        base.to_string()
    } else if reference.starts_with('?') {
        format!("{scheme}://{at}{}{reference}", base.path())
    } else {
        let (path, query) = reference
            .split_once('?')
            .map_or((reference, None), |(p, q)| (p, Some(q)));
        let folder = base
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let path = match path.starts_with('/') {
            true => straight(path),
            false => straight(&format!("{folder}/{path}")),
        };
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        format!("{scheme}://{at}{path}{query}")
    };
    whole.parse().ok()
}

/// A path without the segments `.` and `..`.
fn straight(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if segments.peek().is_none() {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_seen_from_the_address() {
        let base: Uri = "https://a.example:8443/b/c/d?q".parse().unwrap();
        for (reference, want) in [
            ("http://b.example/x", "http://b.example/x"),
            ("//b.example/x", "https://b.example/x"),
            ("/x?y", "https://a.example:8443/x?y"),
            ("g", "https://a.example:8443/b/c/g"),
            ("g?y=/../x", "https://a.example:8443/b/c/g?y=/../x"),
            ("./g", "https://a.example:8443/b/c/g"),
            ("../g", "https://a.example:8443/b/g"),
            ("../../../g", "https://a.example:8443/g"),
            ("/a/./b/../c/", "https://a.example:8443/a/c/"),
            ("..", "https://a.example:8443/b/"),
            ("?y", "https://a.example:8443/b/c/d?y"),
            ("#s", "https://a.example:8443/b/c/d?q"),
            ("", "https://a.example:8443/b/c/d?q"),
        ] {
            let got = resolved(&base, reference).map(|uri| uri.to_string());
            assert_eq!(got.as_deref(), Some(want), "{reference}");
        }
        assert_eq!(resolved(&base, "http://a b/"), None);
    }
}
