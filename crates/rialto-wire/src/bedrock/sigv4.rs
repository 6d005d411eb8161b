//! Verification of AWS Signature Version 4 by computing the signature anew.
//!
//! Follows "Create a signed AWS API request" of the AWS IAM documentation, for services other than S3:
//! the path is encoded once more, dot segments are resolved. Only the `Authorization` header is
//! taken, no signed addresses, and only signatures that cover the body. Time comes as an argument;
//! the comparison takes the same time wherever signatures differ.

use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256, Key, Tag};

/// How far a request's time may be from ours, in seconds.
pub const MAX_SKEW: u64 = 300;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// In capitals.
    pub method: &'a str,
    /// As it stands in the request line, encoded.
    pub path: &'a str,
    /// Behind the question mark, encoded.
    pub query: &'a str,
    /// Names in any case, and values, in their order; over HTTP/2, the authority as `host`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// Why a signature does not hold. All but one say nothing about whether a key exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No signature, or none that can be read.
    Malformed,
    /// A header that must be signed is not.
    Unsigned,
    /// The time is too far from ours.
    Skew,
    /// It is for another service.
    Service,
    /// The body is not the one that was signed.
    Body,
    /// No such key, or the wrong signature.
    Signature,
}

impl Refusal {
    /// What to do, for whoever called.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Malformed => {
                "the request has no AWS4-HMAC-SHA256 signature: set an access key and a secret"
            }
            Self::Unsigned => "the host and every x-amz- header must be signed",
            Self::Skew => "the signature's time is too far from the server's: set the clock",
            Self::Service => "the signature is for another service: use a client of bedrock",
            Self::Body => "the body is not the one that was signed",
            Self::Signature => {
                "the signature does not match: check access key and secret, and that nothing on the way changes the request"
            }
        }
    }
}

/// What the `Authorization` header says.
struct Claim<'a> {
    key: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed: Vec<&'a str>,
    signature: Vec<u8>,
}

impl<'a> Claim<'a> {
    fn read(header: &'a str) -> Option<Self> {
        let fields = header.trim().strip_prefix(ALGORITHM)?;
        let field = |name: &str| {
            let mut all = fields.split(',').map(str::trim);
            all.find_map(|f| f.strip_prefix(name)?.strip_prefix('='))
        };
        let mut scope = field("Credential")?.rsplitn(5, '/');
        if scope.next() != Some("aws4_request") {
            return None;
        }
        let (service, region, date) = (scope.next()?, scope.next()?, scope.next()?);
        let key = scope.next().filter(|k| !k.is_empty() && k.len() <= 128)?;
        Some(Self {
            key,
            date,
            region,
            service,
            signed: field("SignedHeaders")?.split(';').collect(),
            signature: from_hex(field("Signature")?)?,
        })
    }
}

/// Checks a request's signature and gives the id of the access key that made it.
///
/// `secret` gives the secret of an access key; `now` is in seconds since 1970.
///
/// # Errors
/// Why the signature does not hold.
pub fn verify(
    request: &Signed<'_>,
    service: &str,
    now: u64,
    secret: impl FnOnce(&str) -> Option<String>,
) -> Result<String, Refusal> {
    let header = |name: &str| {
        let mut all = request.headers.iter();
        let found = all.find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    let claim = header("authorization")
        .and_then(Claim::read)
        .ok_or(Refusal::Malformed)?;
    if claim.service != service {
        return Err(Refusal::Service);
    }
    let time = header("x-amz-date").ok_or(Refusal::Malformed)?;
    let seconds = seconds(time).ok_or(Refusal::Malformed)?;
    if seconds.abs_diff(now) > MAX_SKEW || !time.starts_with(claim.date) {
        return Err(Refusal::Skew);
    }
    let mut names = request.headers.iter().map(|(n, _)| n.to_ascii_lowercase());
    let covered = |n: &String| {
        !(n.starts_with("x-amz-") || n == "host") || claim.signed.contains(&n.as_str())
    };
    if !claim.signed.contains(&"host") || !names.all(|n| covered(&n)) {
        return Err(Refusal::Unsigned);
    }
    let body = hex(digest(&SHA256, request.body).as_ref());
    if header("x-amz-content-sha256").is_some_and(|told| told != body) {
        return Err(Refusal::Body);
    }
    let canonical = canonical(request, &claim.signed, &body);
    let scope = format!(
        "{}/{}/{}/aws4_request",
        claim.date, claim.region, claim.service
    );
    let hashed = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("{ALGORITHM}\n{time}\n{scope}\n{hashed}");
    // A key that is not known takes as long as one that is.
    let known = secret(claim.key);
    let key = signing_key(known.as_deref().unwrap_or_default(), &claim);
    let held = hmac::verify(&key, text.as_bytes(), &claim.signature).is_ok();
    match held && known.is_some() {
        true => Ok(claim.key.to_owned()),
        false => Err(Refusal::Signature),
    }
}

fn sign(key: impl AsRef<[u8]>, text: &str) -> Tag {
    hmac::sign(&Key::new(HMAC_SHA256, key.as_ref()), text.as_bytes())
}

fn signing_key(secret: &str, claim: &Claim<'_>) -> Key {
    let mut tag = sign(format!("AWS4{secret}"), claim.date);
    for step in [claim.region, claim.service, "aws4_request"] {
        tag = sign(tag, step);
    }
    Key::new(HMAC_SHA256, tag.as_ref())
}

/// The secret of an access key, derived from a key of the realm: nothing is to be stored.
#[must_use]
pub fn derive_secret(realm_key: &[u8; 32], access_key: &str) -> String {
    let tag = sign(realm_key, &format!("rialto sigv4 secret 1\n{access_key}"));
    hex(tag.as_ref())
}

fn canonical(request: &Signed<'_>, signed: &[&str], body: &str) -> String {
    let mut headers = String::new();
    for name in signed {
        let all = request
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let values: Vec<String> = all.map(|(_, value)| squeezed(value)).collect();
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{body}",
        request.method,
        canonical_path(request.path),
        canonical_query(request.query),
        signed.join(";"),
    )
}

/// Without blanks at the ends, and one blank for several in a row.
fn squeezed(value: &str) -> String {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    words.join(" ")
}

/// Dot segments and empty ones resolved, every segment encoded once more.
fn canonical_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let encoded: Vec<String> = kept.iter().map(|s| encode(s)).collect();
    let end = if path.ends_with('/') && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", encoded.join("/"))
}

fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|p| !p.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (recoded(name), recoded(value))
    });
    let mut pairs: Vec<(String, String)> = pairs.collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(n, v)| format!("{n}={v}")).collect();
    pairs.join("&")
}

fn recoded(text: &str) -> String {
    super::decode(text).map_or_else(|| encode(text), |plain| encode(&plain))
}

/// Percent-encoding of all but letters, digits, `-`, `.`, `_` and `~`.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte.into());
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let pairs = (0..32).map(|i| u8::from_str_radix(text.get(i * 2..i * 2 + 2)?, 16).ok());
    pairs.collect()
}

/// Seconds since 1970 of `20150830T123600Z`; days as in Howard Hinnant's "chrono-compatible low-level
/// date algorithms", `days_from_civil`.
fn seconds(time: &str) -> Option<u64> {
    let bytes = time.as_bytes();
    if bytes.len() != 16 || bytes.get(8) != Some(&b'T') || bytes.get(15) != Some(&b'Z') {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = time.get(from..to)?;
        let all = digits.bytes().all(|b| b.is_ascii_digit());
        all.then(|| digits.parse().ok()).flatten()
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted / 400, shifted % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    let days = days.checked_sub(719_468)?;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (time, want) in [
            ("19700101T000000Z", Some(0)),
            ("20150830T123600Z", Some(1_440_938_160)),
            ("20240229T235959Z", Some(1_709_251_199)),
            ("20151301T000000Z", None),
            ("2015083XT123600Z", None),
            ("20150830T123600+", None),
        ] {
            assert_eq!(seconds(time), want, "{time}");
        }
    }

    #[test]
    fn paths_and_queries_are_made_canonical() {
        assert_eq!(canonical_path("/a/./b/../c%3A1//d"), "/a/c%253A1/d");
        assert_eq!(canonical_path("/"), "/");
        assert_eq!(canonical_query("b=2&a=%3a&a="), "a=&a=%3A&b=2");
    }
}
