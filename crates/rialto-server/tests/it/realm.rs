//! A realm is opened as a whole and closed as a whole.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use rialto_core::text::Handle;
use rialto_server::door::Listener;
use rialto_server::node::BootError;
use rialto_server::realm::{Realm, Setup};
use tokio::sync::oneshot;

fn setup(folder: &Path) -> Setup {
    Setup::folder(folder.to_owned(), Handle::new("test").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_started_stops_when_opening_fails() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("realm");
    // A folder in the place of the views' file: the node starts, the views do not.
    std::fs::create_dir_all(data.join("views.db")).unwrap();
    let failed = Realm::open(setup(&data)).await.err().unwrap();
    assert!(matches!(failed, BootError::Views(_)), "{failed}");
    assert_eq!(failed.code().to_string(), "RLT0911", "{failed}");
    std::fs::remove_dir(data.join("views.db")).unwrap();
    // The folder is free again, and what was founded is there.
    let realm = Realm::open(setup(&data)).await.unwrap();
    assert_eq!(realm.name(), "@test");
    assert_eq!(realm.operator_token(), None, "it was founded before");
    assert!(realm.position() > 0 && data.join("operator.token").exists());
    realm.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn serving_ends_when_told_and_the_folder_is_free_then() {
    let folder = tempfile::tempdir().unwrap();
    let realm = Realm::open(setup(folder.path())).await.unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None).await;
    let listener = listener.unwrap();
    let at = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        realm
            .serve(listener, async { stopped.await.unwrap_or(()) })
            .await;
        realm.close().await
    });
    // A stream stays open until the realm takes nothing new; it does not hold the end up.
    let mut stream = TcpStream::connect(at).unwrap();
    let asked = format!("GET /api/feed/stream HTTP/1.1\r\nhost: {at}\r\n\r\n");
    stream.write_all(asked.as_bytes()).unwrap();
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), serving).await;
    ended.unwrap().unwrap().unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    let again = Realm::open(setup(folder.path())).await.unwrap();
    drop(again);
    Realm::open(setup(folder.path())).await.unwrap();
}
