//! Cookies, and whether a form comes from a page of this console.

use axum::http::{HeaderMap, HeaderValue, header};
use rialto_core::hash::Hash;
use rialto_core::reject::Code;

use super::session::Session;
use crate::door::names::Names;
use crate::door::problem::Refusal;

/// The session's cookie where the connection is encrypted: a browser takes a `__Host-` cookie only
/// with `Secure`, without `Domain` and for all paths (RFC 6265bis, 4.1.3.2).
const SECURE_NAME: &str = "__Host-rialto";
/// The same on a plain connection, as on loopback.
const PLAIN_NAME: &str = "rialto_session";
/// The theme's cookie.
const THEME: &str = "rialto_theme";

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    let pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let found = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name);
    found.map(|(_, value)| value)
}

/// The session's id. On an encrypted connection only the `__Host-` cookie counts, since another
/// could have been planted by a neighbouring host or on a plain connection.
pub(super) fn session_id(headers: &HeaderMap, encrypted: bool) -> Option<&str> {
    let name = if encrypted { SECURE_NAME } else { PLAIN_NAME };
    cookie(headers, name)
}

/// The theme that the viewer chose.
pub(super) fn theme(headers: &HeaderMap) -> &str {
    cookie(headers, THEME).unwrap_or_default()
}

/// The header that gives a browser its session; without an id it removes it.
pub(super) fn session_cookie(id: Option<&str>, encrypted: bool) -> HeaderValue {
    let (name, secure) = if encrypted {
        (SECURE_NAME, "; Secure")
    } else {
        (PLAIN_NAME, "")
    };
    let (value, age) = id.map_or(("", "; Max-Age=0"), |id| (id, ""));
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The header that keeps a theme for a year.
pub(super) fn theme_cookie(word: &'static str) -> HeaderValue {
    let text = format!("{THEME}={word}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Whether a proxy in front says that the browser's connection is encrypted. A false claim only
/// makes cookies stricter.
pub(super) fn behind_tls(headers: &HeaderMap) -> bool {
    headers
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

fn cross_site() -> Refusal {
    Refusal::new(
        Code::Forbidden,
        "this form did not come from a page of this console; open the page again and send it from there",
    )
}

/// Refuses what another site sends in the viewer's name. Browsers say where a form comes from in
/// `Sec-Fetch-Site` and `Origin`; a form without both is not from a browser.
///
/// # Errors
/// [`Code::Forbidden`].
pub(super) fn same_site(headers: &HeaderMap, names: &Names) -> Result<(), Refusal> {
    let fetch_site = headers.get("sec-fetch-site");
    let own_fetch = fetch_site.is_some_and(|site| site == "same-origin");
    if fetch_site.is_some() && !own_fetch {
        return Err(cross_site());
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return if own_fetch { Ok(()) } else { Err(cross_site()) };
    };
    if names.is_own(origin.to_str().unwrap_or_default(), headers) {
        Ok(())
    } else {
        Err(cross_site())
    }
}

/// Refuses a form that does not carry its session's token.
///
/// # Errors
/// [`Code::Forbidden`].
pub(super) fn of_session(session: &Session, csrf: &str) -> Result<(), Refusal> {
    // Hashes are compared, so that the time it takes tells nothing about the text.
    let hash = |text: &str| Hash::of(&[b"rialto form", text.as_bytes()]);
    if hash(csrf) == hash(&session.csrf) {
        Ok(())
    } else {
        Err(Refusal::new(
            Code::Forbidden,
            "the form is not of this session; open the page again and send it from there",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_own_pages_may_send_forms() {
        let host = ("host", "127.0.0.1:7600");
        let table: [(&[(&'static str, &str)], bool); 9] = [
            (&[host, ("origin", "http://127.0.0.1:7600")], true),
            (&[host, ("origin", "https://127.0.0.1:7600")], true),
            (&[host, ("sec-fetch-site", "same-origin")], true),
            (&[host], false),
            (&[host, ("origin", "null")], false),
            (&[host, ("origin", "http://127.0.0.1:7601")], false),
            (
                &[host, ("origin", "http://127.0.0.1:7600.evil.example")],
                false,
            ),
            (
                &[
                    host,
                    ("sec-fetch-site", "same-site"),
                    ("origin", "http://127.0.0.1:7600"),
                ],
                false,
            ),
            (&[host, ("sec-fetch-site", "cross-site")], false),
        ];
        for (pairs, want) in table {
            let found = same_site(&headers(pairs), &Names::default());
            assert_eq!(found.is_ok(), want, "{pairs:?}");
        }
    }

    #[test]
    fn cookies_are_found_among_others() {
        let jar = headers(&[
            ("cookie", "a=b; rialto_session=one;rialto_theme=dark"),
            ("cookie", "__Host-rialto=two"),
        ]);
        assert_eq!(session_id(&jar, false), Some("one"));
        assert_eq!(session_id(&jar, true), Some("two"));
        assert_eq!(theme(&jar), "dark");
        assert_eq!(session_id(&headers(&[]), false), None);
    }
}
