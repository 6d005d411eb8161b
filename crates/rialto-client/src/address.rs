//! A server's address as a client takes it. Holds no requests.

use axum::http::Uri;

use crate::error::ClientError;

/// A server's address without the slash at its end.
pub(crate) fn base_url(server_url: &str) -> Result<String, ClientError> {
    let bad = |why: &str| ClientError::Usage {
        message: format!("{server_url:?} is not a server's address: {why}"),
        hint: Some("write it as http://127.0.0.1:7600"),
    };
    let uri: Uri = server_url.parse().map_err(|_| bad("it is no URL"))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some() => {}
        _ => return Err(bad("it must start with http:// or https://")),
    }
    if uri.query().is_some() {
        return Err(bad("it must not have a query"));
    }
    Ok(server_url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        for (text, want) in [
            ("http://127.0.0.1:7600", Some("http://127.0.0.1:7600")),
            ("https://realm.example/", Some("https://realm.example")),
            ("127.0.0.1:7600", None),
            ("ftp://x", None),
            ("http://", None),
            ("http://a/?q=1", None),
        ] {
            assert_eq!(base_url(text).ok().as_deref(), want, "{text}");
        }
    }
}
