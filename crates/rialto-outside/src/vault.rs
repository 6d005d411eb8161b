//! The secrets that a realm keeps, one file each, encrypted under a key that derives from the realm's own.
//!
//! `NAME.sealed` has what was set, in ChaCha20-Poly1305 with a fresh nonce each time, bound to its name and time, so
//! that no file can pass for another; `NAME.used` has when it was last used, in milliseconds of Unix time. Files are
//! 0600 and replaced in one step, so a running server and a command line need no lock between them. Nothing here
//! prints, and no error holds any part of a secret. Backups copy the log alone, and thus no secret.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use minicbor::{Decode, Encode};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::secret::{LONGEST, Secret, SecretError, SecretName};

/// How often a use is noted, in milliseconds.
const NOTED: u64 = 60_000;
/// How many secrets a vault has at most.
pub const SECRETS: usize = 1000;
/// Room for what stands around a secret in its file, in bytes.
const AROUND: u64 = 1024;

/// What a file holds.
#[derive(Encode, Decode)]
struct Sealed {
    /// The form of the rest: 1.
    #[n(0)]
    version: u8,
    /// When it was set, in milliseconds of Unix time.
    #[n(1)]
    set_at: u64,
    #[cbor(n(2), with = "minicbor::bytes")]
    nonce: [u8; NONCE_LEN],
    /// The secret and its tag.
    #[cbor(n(3), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// A secret as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: SecretName,
    /// When it was set, in milliseconds of Unix time.
    pub set_at: u64,
    /// When it was last used, to the minute.
    pub used_at: Option<u64>,
}

/// The secrets of a realm.
pub struct Vault {
    folder: PathBuf,
    key: LessSafeKey,
    chance: SystemRandom,
    /// When uses were last noted.
    noted: Mutex<HashMap<SecretName, u64>>,
}

impl Vault {
    /// The vault in a folder, which is made when something is set. The key must be used for nothing else.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] when the library refuses the key: a defect.
    pub fn open(folder: PathBuf, key: [u8; 32]) -> Result<Self, SecretError> {
        let key = Zeroizing::new(key);
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice());
        let key =
            key.map_err(|_| SecretError::Unusable("the key has another length".to_owned()))?;
        Ok(Self {
            folder,
            key: LessSafeKey::new(key),
            chance: SystemRandom::new(),
            noted: Mutex::default(),
        })
    }

    /// Stores a secret, in place of an older one of the name.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] when it cannot be written, or the vault has [`SECRETS`] already.
    pub fn set(&self, name: &SecretName, secret: &Secret) -> Result<(), SecretError> {
        let path = self.path(name, "sealed");
        let failed = |e: io::Error| unusable(name, &format!("cannot be written: {e}"));
        let mut folder = DirBuilder::new();
        let made = folder.recursive(true).mode(0o700).create(&self.folder);
        made.map_err(failed)?;
        if !path.exists() && self.names()?.len() >= SECRETS {
            return Err(unusable(name, "has no room: remove some that are not used"));
        }
        let mut nonce = [0; NONCE_LEN];
        let chance = self.chance.fill(&mut nonce);
        chance.map_err(|_| unusable(name, "cannot be sealed: no chance to be had"))?;
        let set_at = now();
        let room = secret.expose().len() + CHACHA20_POLY1305.tag_len();
        let mut sealed = Vec::with_capacity(room);
        sealed.extend_from_slice(secret.expose());
        let bound = Aad::from(bound_to(name, set_at));
        let nonce_once = Nonce::assume_unique_for_key(nonce);
        let done = self
            .key
            .seal_in_place_append_tag(nonce_once, bound, &mut sealed);
        done.map_err(|_| unusable(name, "cannot be sealed"))?;
        let file = Sealed {
            version: 1,
            set_at,
            nonce,
            sealed,
        };
        let bytes = minicbor::to_vec(&file).map_err(|e| unusable(name, &e.to_string()))?;
        write_private(&path, &bytes).map_err(failed)
    }

    /// Removes a secret.
    ///
    /// # Errors
    /// [`SecretError::Missing`] when there is none of the name.
    pub fn remove(&self, name: &SecretName) -> Result<(), SecretError> {
        match fs::remove_file(self.path(name, "sealed")) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(missing(name)),
            other => other.map_err(|e| unusable(name, &format!("cannot be removed: {e}")))?,
        }
        match fs::remove_file(self.path(name, "used")) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(unusable(name, &format!("cannot be removed: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// Whether there is a secret of the name, usable or not. Notes no use.
    #[must_use]
    pub fn has(&self, name: &SecretName) -> bool {
        self.path(name, "sealed").exists()
    }

    /// A secret, for use. Noted to the minute; where that fails it is used all the same.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn secret(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let Sealed {
            set_at,
            nonce,
            sealed,
            ..
        } = self.read(name)?;
        let mut opened = Zeroizing::new(sealed);
        let bound = Aad::from(bound_to(name, set_at));
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = self.key.open_in_place(nonce, bound, &mut opened);
        let plain = plain
            .map_err(|_| unusable(name, "is damaged, or was set under another realm's key"))?;
        let length = plain.len();
        opened.truncate(length);
        self.note(name);
        Secret::new(opened)
    }

    /// Every secret, by name, without what it is.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] when the folder or a file cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, SecretError> {
        let mut listed = Vec::new();
        for name in self.names()? {
            let used = fs::read_to_string(self.path(&name, "used"));
            listed.push(Listed {
                set_at: self.read(&name)?.set_at,
                used_at: used.ok().and_then(|text| text.trim().parse().ok()),
                name,
            });
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        let failed = |e: io::Error| {
            SecretError::Unusable(format!("cannot read {}: {e}", self.folder.display()))
        };
        let entries = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.map_err(failed)?.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".sealed"));
            names.extend(name.and_then(|name| name.parse().ok()));
        }
        Ok(names)
    }

    fn read(&self, name: &SecretName) -> Result<Sealed, SecretError> {
        let file = match File::open(self.path(name, "sealed")) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(missing(name)),
            other => other.map_err(|e| unusable(name, &format!("cannot be read: {e}")))?,
        };
        let mut bytes = Vec::new();
        let read = io::Read::read_to_end(
            &mut io::Read::take(file, LONGEST as u64 + AROUND),
            &mut bytes,
        );
        read.map_err(|e| unusable(name, &format!("cannot be read: {e}")))?;
        let sealed: Sealed = minicbor::decode(&bytes).map_err(|_| unusable(name, "is damaged"))?;
        match sealed.version {
            1 => Ok(sealed),
            _ => Err(unusable(name, "was set by a newer version")),
        }
    }

    fn note(&self, name: &SecretName) {
        let now = now();
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let last = noted.get(name).copied().unwrap_or(0);
        if now.saturating_sub(last) < NOTED {
            return;
        }
        noted.insert(name.clone(), now);
        drop(noted);
        // Only a remark for people.
        let _ = write_private(&self.path(name, "used"), format!("{now}\n").as_bytes());
    }

    fn path(&self, name: &SecretName, kind: &str) -> PathBuf {
        self.folder.join(format!("{name}.{kind}"))
    }
}

/// What a secret's encryption is bound to.
fn bound_to(name: &SecretName, set_at: u64) -> Vec<u8> {
    format!("rialto secret 1 {set_at} {name}").into_bytes()
}

fn missing(name: &SecretName) -> SecretError {
    SecretError::Missing(format!("no secret is called {name}"))
}

fn unusable(name: &SecretName, why: &str) -> SecretError {
    SecretError::Unusable(format!("the secret {name} {why}"))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Writes a file that only its owner can read, in one step: a crash leaves the old or the new.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // One of each process, so that two that write at once both succeed.
    let new = path.with_extension(format!("new-{}", std::process::id()));
    match fs::remove_file(&new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rialto_core::reject::Code;

    use super::*;

    fn vault(folder: &Path, key: u8) -> Vault {
        Vault::open(folder.join("secrets"), [key; 32]).unwrap()
    }

    fn secret(text: &str) -> Secret {
        Secret::read(text.as_bytes()).unwrap()
    }

    fn name(text: &str) -> SecretName {
        text.parse().unwrap()
    }

    #[test]
    fn secrets_are_kept_listed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path(), 7);
        assert_eq!(vault.list().unwrap(), []);
        assert_eq!(
            vault.secret(&name("a")).err().unwrap().code(),
            Code::NoSecret
        );
        vault.set(&name("b"), &secret("of b")).unwrap();
        vault.set(&name("a"), &secret("of a")).unwrap();
        vault.set(&name("a"), &secret("newer of a")).unwrap();
        assert_eq!(vault.secret(&name("a")).unwrap().expose(), b"newer of a");
        let listed = vault.list().unwrap();
        let names: Vec<_> = listed.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let used: Vec<_> = listed.iter().map(|row| row.used_at.is_some()).collect();
        assert_eq!(used, [true, false]);
        assert!(listed.iter().all(|row| row.set_at > 1_700_000_000_000));
        vault.remove(&name("a")).unwrap();
        assert_eq!(vault.remove(&name("a")).unwrap_err().code(), Code::NoSecret);
        assert!(!vault.has(&name("a")) && vault.has(&name("b")));
        assert_eq!(vault.list().unwrap().len(), 1);
    }

    #[test]
    fn files_tell_nothing_and_cannot_be_passed_for_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path(), 7);
        for which in ["a", "b"] {
            vault
                .set(&name(which), &secret("the same s3cret text"))
                .unwrap();
        }
        let _ = vault.secret(&name("a")).unwrap();
        let files: Vec<_> = fs::read_dir(folder.path().join("secrets"))
            .unwrap()
            .collect();
        assert_eq!(files.len(), 3);
        for file in files {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            let bytes = fs::read(file.path()).unwrap();
            assert!(!bytes.windows(6).any(|part| part == b"s3cret"));
        }
        let path = |which: &str| {
            folder
                .path()
                .join("secrets")
                .join(format!("{which}.sealed"))
        };
        let (a, b) = (fs::read(path("a")).unwrap(), fs::read(path("b")).unwrap());
        assert_ne!(a, b);
        fs::write(path("b"), &a).unwrap();
        assert_eq!(
            vault.secret(&name("b")).err().unwrap().code(),
            Code::BadSecret
        );
        for at in 0..a.len() {
            let mut turned = a.clone();
            turned[at] ^= 1;
            fs::write(path("a"), &turned).unwrap();
            assert!(vault.secret(&name("a")).is_err(), "byte {at}");
        }
        fs::write(path("a"), &a).unwrap();
        assert!(vault.secret(&name("a")).is_ok());
        let other = super::tests::vault(folder.path(), 8);
        let told = other.secret(&name("a")).err().unwrap();
        assert!(told.to_string().contains("another realm's key"), "{told}");
    }
}
