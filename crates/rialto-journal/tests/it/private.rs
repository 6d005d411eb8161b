//! Nothing of a realm can be read by another user of the machine, whatever was there before.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rialto_journal::contents::INLINE_BYTES;
use rialto_journal::entities::SqliteEntities;
use rialto_journal::private::{Openness, close_folder, create_folder, create_new};
use rialto_journal::sqlite::SqliteJournal;
use rialto_journal::{KeysFrom, backup, restore};

use crate::append;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Every file and folder with its mode, the folder itself first.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut found = vec![(".".to_owned(), mode(folder))];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let inner = modes(&path).into_iter();
            found.extend(inner.map(|(inner, mode)| (format!("{name}/{inner}"), mode)));
        } else {
            found.push((name, mode(&path)));
        }
    }
    found
}

fn all_private(folder: &Path) {
    for (name, mode) in modes(folder) {
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
}

fn filled(folder: &Path) -> SqliteJournal {
    let mut journal = SqliteJournal::open(folder).unwrap();
    append(&mut journal, 1, 3, &[50, INLINE_BYTES + 1]).unwrap();
    SqliteEntities::open(&folder.join("entities.db")).unwrap();
    journal
}

#[test]
fn data_backups_and_restored_folders_are_their_owners_only() {
    let base = tempfile::tempdir().unwrap();
    let data = base.path().join("deep").join("data");
    let journal = filled(&data);
    all_private(&base.path().join("deep"));
    // Into folders that somebody made beforehand, as open as folders are.
    for name in ["made", "restored"] {
        fs::create_dir(base.path().join(name)).unwrap();
        set(&base.path().join(name), 0o755);
    }
    let (made, restored) = (base.path().join("made"), base.path().join("restored"));
    backup(&data, &made, &mut |_, _| {}).unwrap();
    restore(&made, &restored, KeysFrom::Backup, &mut |_, _| {}).unwrap();
    all_private(&made);
    all_private(&restored);
    drop(journal);
    all_private(&data);
}

#[test]
fn a_realms_folder_that_was_open_is_closed() {
    let base = tempfile::tempdir().unwrap();
    let data = base.path().join("data");
    drop(filled(&data));
    fs::write(data.join("realm.key.next"), "secret").unwrap();
    fs::write(data.join("notes.txt"), "whatever").unwrap();
    for (name, _) in modes(&data) {
        let path = data.join(name);
        set(&path, if path.is_dir() { 0o755 } else { 0o644 });
    }
    assert_eq!(close_folder(&data).unwrap(), Openness::Closed(0o755));
    for (name, mode) in modes(&data) {
        // What is not the realm's stays as it was; nobody gets to it any more.
        let want = if name == "notes.txt" { 0o044 } else { 0 };
        assert_eq!(mode & 0o077, want, "{name} has mode {mode:o}");
    }
    assert_eq!(close_folder(&data).unwrap(), Openness::Private);
    SqliteJournal::open(&data).unwrap();
}

#[test]
fn a_folder_with_other_things_in_it_is_left_and_told_of() {
    let base = tempfile::tempdir().unwrap();
    let shared = base.path().join("shared");
    fs::create_dir(&shared).unwrap();
    set(&shared, 0o755);
    assert_eq!(close_folder(&shared).unwrap(), Openness::Closed(0o755));
    set(&shared, 0o755);
    fs::write(shared.join("other"), "x").unwrap();
    fs::write(shared.join("operator.token"), "rlt_").unwrap();
    set(&shared.join("operator.token"), 0o644);
    assert_eq!(close_folder(&shared).unwrap(), Openness::Open(0o755));
    assert_eq!(mode(&shared.join("operator.token")), 0o600);
    assert_eq!(mode(&shared.join("other")) & 0o044, 0o044);
}

#[test]
fn new_files_and_folders_are_made_private_and_never_over_another() {
    let base = tempfile::tempdir().unwrap();
    let (folder, file) = (base.path().join("a/b"), base.path().join("a/b/c"));
    create_folder(&folder).unwrap();
    create_new(&file).unwrap();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    assert!(create_new(&file).is_err());
}
