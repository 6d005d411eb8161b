//! A secret in memory, and where settings say that it is kept: never in the settings themselves.
//!
//! A secret is wiped when it is dropped, and cannot be printed, compared or written by accident: it has no `Debug`,
//! `Display`, `Clone` or serialised form. Whoever needs its bytes says so ([`Secret::expose`]).

use std::fmt;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use axum::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use rialto_core::reject::Code;
use zeroize::Zeroizing;

use crate::vault::Vault;

/// The longest secret, in bytes.
pub const LONGEST: usize = 64 << 10;
/// The longest name of one, in bytes.
const LONGEST_NAME: usize = 64;

/// Why a secret cannot be had. Never holds any part of one.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// What a setting says names no place.
    #[error(
        "this does not say where a secret is kept: write secret:NAME, env:NAME or file:/PATH, and never the secret itself"
    )]
    Reference,
    /// A name that none can have.
    #[error(
        "the name of a secret has 1 to {LONGEST_NAME} of a-z, 0-9, - and _, and begins with a letter or digit"
    )]
    Name,
    /// Nothing is kept there.
    #[error("{0}")]
    Missing(String),
    /// Something is, but it cannot be used.
    #[error("{0}")]
    Unusable(String),
}

impl SecretError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Reference | Self::Name => Code::BadText,
            Self::Missing(_) => Code::NoSecret,
            Self::Unusable(_) => Code::BadSecret,
        }
    }
}

/// A secret, wiped when it is dropped.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// A secret of 1 byte to 64 KiB.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] when it is empty or longer.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        let bad = |why: &str| Err(SecretError::Unusable(why.to_owned()));
        match bytes.len() {
            0 => bad("the secret is empty"),
            1..=LONGEST => Ok(Self(bytes)),
            _ => bad("the secret has more than 64 KiB"),
        }
    }

    /// Reads one until its end, without the end of its last line.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] when it cannot be read, is empty or too long.
    pub fn read(source: impl Read) -> Result<Self, SecretError> {
        // The room is there from the start: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 3));
        let most = LONGEST as u64 + 3;
        let read = source.take(most).read_to_end(&mut bytes);
        read.map_err(|e| SecretError::Unusable(format!("the secret cannot be read: {e}")))?;
        let line_end = match bytes.as_slice() {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        let kept = bytes.len() - line_end;
        bytes.truncate(kept);
        Self::new(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// The name of a stored secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

impl SecretName {
    /// The name as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = (1..=LONGEST_NAME).contains(&text.len())
            && text.bytes().all(|b| plain(b) || matches!(b, b'-' | b'_'))
            && text.bytes().next().is_some_and(plain);
        match fits {
            true => Ok(Self(text.to_owned())),
            false => Err(SecretError::Name),
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a secret is kept, as settings write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// `secret:NAME`: in the realm's vault.
    Stored(SecretName),
    /// `env:NAME`: in a variable of the server's environment.
    Env(String),
    /// `file:/PATH`: in a file that not everybody can read.
    File(PathBuf),
}

impl FromStr for SecretRef {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let Some((kind, rest)) = text.split_once(':').filter(|(_, rest)| !rest.is_empty()) else {
            return Err(SecretError::Reference);
        };
        match kind {
            "secret" => rest.parse().map(Self::Stored),
            "env" if !rest.contains(['=', '\0']) => Ok(Self::Env(rest.to_owned())),
            "file" if Path::new(rest).is_absolute() => Ok(Self::File(PathBuf::from(rest))),
            _ => Err(SecretError::Reference),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(name) => write!(f, "secret:{name}"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl SecretRef {
    /// The secret, read anew each time, so that one that was set or removed is so at once.
    ///
    /// # Errors
    /// [`SecretError`], which names the place and never the secret.
    pub fn secret(&self, vault: Option<&Vault>) -> Result<Secret, SecretError> {
        match self {
            Self::Stored(name) => match vault {
                Some(vault) => vault.secret(name),
                None => Err(SecretError::Missing(format!(
                    "there is no vault here that could hold {self}"
                ))),
            },
            Self::Env(name) => match std::env::var_os(name) {
                Some(value) => {
                    use std::os::unix::ffi::OsStringExt;
                    Secret::new(Zeroizing::new(value.into_vec()))
                }
                None => Err(SecretError::Missing(format!("{self} is not set"))),
            },
            Self::File(path) => from_file(path),
        }
    }
}

fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let shown = path.display();
    let unusable = |why: String| SecretError::Unusable(format!("{shown}: {why}"));
    let file = match std::fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(SecretError::Missing(format!("there is no {shown}")));
        }
        other => other.map_err(|e| unusable(e.to_string()))?,
    };
    let found = file.metadata().map_err(|e| unusable(e.to_string()))?;
    if !found.is_file() {
        return Err(unusable("it is no file".to_owned()));
    }
    if found.permissions().mode() & 0o007 != 0 {
        return Err(unusable(format!(
            "every user of this machine can use it: chmod 600 {shown}"
        )));
    }
    Secret::read(file).map_err(|e| unusable(e.to_string()))
}

/// A secret that goes with a call, as the value of one header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    header: HeaderName,
    before: &'static str,
    secret: SecretRef,
}

impl Credential {
    /// `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(secret: SecretRef) -> Self {
        Self {
            header: AUTHORIZATION,
            before: "Bearer ",
            secret,
        }
    }

    /// The secret alone, in a header such as `x-api-key`.
    #[must_use]
    pub fn in_header(header: HeaderName, secret: SecretRef) -> Self {
        Self {
            header,
            before: "",
            secret,
        }
    }

    /// Where its secret is kept.
    #[must_use]
    pub fn place(&self) -> &SecretRef {
        &self.secret
    }

    /// Puts the header into a request's head, marked as sensitive, so that no redirect takes it to another origin.
    /// The head's own copy is not wiped: HTTP libraries share it.
    ///
    /// # Errors
    /// [`SecretError`], also when the secret has characters that no header has.
    pub fn apply(&self, headers: &mut HeaderMap, vault: Option<&Vault>) -> Result<(), SecretError> {
        let secret = self.secret.secret(vault)?;
        let mut whole = Zeroizing::new(Vec::with_capacity(self.before.len() + LONGEST));
        whole.extend_from_slice(self.before.as_bytes());
        whole.extend_from_slice(secret.expose());
        let mut value = HeaderValue::from_bytes(&whole).map_err(|_| {
            SecretError::Unusable(format!("{} has characters that no header has", self.secret))
        })?;
        value.set_sensitive(true);
        headers.insert(self.header.clone(), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_say_where_a_secret_is_and_never_what_it_is() {
        for text in [
            "secret:open-ai_2",
            "env:OPENAI_KEY",
            "file:/run/secrets/key",
        ] {
            assert_eq!(text.parse::<SecretRef>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "sk-s3cret",
            "sk:s3cret",
            "secret:",
            "secret:S3CRET",
            "secret:../s3cret",
            "secret:-s3cret",
            "env:",
            "env:s3cret=1",
            "file:s3cret",
            "file:./s3cret",
        ] {
            let told = text.parse::<SecretRef>().unwrap_err();
            assert_eq!(told.code(), Code::BadText);
            assert!(
                !told.to_string().to_lowercase().contains("s3cret"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_secret_is_read_without_the_end_of_its_line() {
        for (read, want) in [
            ("abc", Some("abc")),
            ("abc\n", Some("abc")),
            ("abc\r\n", Some("abc")),
            ("abc\n\n", Some("abc\n")),
            ("", None),
            ("\n", None),
        ] {
            let secret = Secret::read(read.as_bytes()).ok();
            assert_eq!(
                secret.as_ref().map(Secret::expose),
                want.map(str::as_bytes),
                "{read:?}"
            );
        }
        let longest = "x".repeat(LONGEST);
        assert!(Secret::read(format!("{longest}\r\n").as_bytes()).is_ok());
        assert!(Secret::read(format!("{longest}x").as_bytes()).is_err());
    }

    #[test]
    fn files_of_secrets_are_not_for_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "s3cret\n").unwrap();
        let place: SecretRef = format!("file:{}", path.display()).parse().unwrap();
        for (mode, want) in [(0o600, true), (0o640, true), (0o644, false), (0o602, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let got = place.secret(None);
            assert_eq!(got.is_ok(), want, "{mode:o}");
            if let Err(told) = got {
                assert_eq!(told.code(), Code::BadSecret);
                assert!(told.to_string().contains("chmod 600"), "{told}");
            }
        }
        let gone: SecretRef = "file:/nowhere/key".parse().unwrap();
        assert_eq!(gone.secret(None).err().unwrap().code(), Code::NoSecret);
        let unset: SecretRef = "env:RIALTO_NO_SUCH_KEY".parse().unwrap();
        assert_eq!(unset.secret(None).err().unwrap().code(), Code::NoSecret);
    }

    #[test]
    fn a_credential_is_one_sensitive_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let file: SecretRef = format!("file:{}", path.display()).parse().unwrap();
        let write = |text: &str| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        };
        write("abc");
        let mut headers = HeaderMap::new();
        let key = HeaderName::from_static("x-api-key");
        Credential::bearer(file.clone())
            .apply(&mut headers, None)
            .unwrap();
        Credential::in_header(key, file.clone())
            .apply(&mut headers, None)
            .unwrap();
        for (name, value) in [("authorization", "Bearer abc"), ("x-api-key", "abc")] {
            let header = headers.get(name).unwrap();
            assert!(header.is_sensitive() && header == value);
        }
        assert!(!format!("{headers:?}").contains("abc"));
        write("a\nb");
        let told = Credential::bearer(file)
            .apply(&mut headers, None)
            .unwrap_err();
        assert_eq!(told.code(), Code::BadSecret);
    }
}
