//! A realm is opened as a whole and closed as a whole.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use rialto_core::command::Command;
use rialto_core::hash::{Hash, Short};
use rialto_core::id::{AnyId, InferenceId};
use rialto_core::identity::{
    IdentityCommand, OwnerKind, Principal, Profile, RegisterAgent, SignUp,
};
use rialto_core::model::{CreateDeployment, MeteredBy, ModelCommand, ReserveInference};
use rialto_core::text::{Handle, Sealed};
use rialto_server::door::Listener;
use rialto_server::node::{Ask, BootError, Node, Reply};
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

/// A call that was under way when the server ended holds nobody's money at the next start.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_a_killed_server_left_behind_are_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let realm = Realm::open(setup(folder.path())).await.unwrap();
    let node = realm.node().clone();
    let by_service = model_call(&node, None).await;
    let by_gateway = model_call(&node, Some(MeteredBy::Gateway)).await;
    realm.close().await.unwrap();
    let realm = Realm::open(setup(folder.path())).await.unwrap();
    let left = realm.node().read(|state| {
        let mut left = Vec::new();
        state.inferences.for_each(|id, _| left.push(*id));
        left
    });
    let (_, left) = left.await.unwrap();
    assert_eq!(left, [by_service], "{by_gateway} is over");
}

/// A call of a free deployment, by an agent that is made for it.
async fn model_call(node: &Node, metered_by: Option<MeteredBy>) -> InferenceId {
    let name = Handle::new(&format!("owner-{}", node.hub().durable())).unwrap();
    let operator = |command: Command<Sealed>| {
        let mut ask = Ask::by_the_realm(command);
        ask.request.principal = Principal::Operator;
        ask
    };
    let sign_up = SignUp {
        name: name.clone(),
        kind: OwnerKind::Organisation,
        invitation: None,
    };
    let made = made(node, operator(IdentityCommand::SignUp(sign_up).into())).await;
    let owner = made.iter().find_map(|id| match id {
        AnyId::OwnerId(id) => Some(*id),
        _ => None,
    });
    let register = RegisterAgent {
        owner,
        team: None,
        handle: name,
        key: None,
        profile: Profile::default(),
    };
    let mut ask = operator(IdentityCommand::RegisterAgent(register).into());
    ask.custody = Some((Hash::of(&[b"key"]), Short([7; 16].into())));
    let agent = self::made(node, ask).await.iter().find_map(|id| match id {
        AnyId::AgentId(id) => Some(*id),
        _ => None,
    });
    let terms = r#"{"model": "free", "provider": "house", "upstream": "free",
        "prices": {"per_million": {"input": "0", "output": "0"}}}"#;
    let deploy = CreateDeployment {
        owner,
        terms: serde_json::from_str(terms).unwrap(),
    };
    let deploy = operator(ModelCommand::Create(deploy).into());
    let deployment = self::made(node, deploy)
        .await
        .iter()
        .find_map(|id| match id {
            AnyId::DeploymentId(id) => Some(*id),
            _ => None,
        });
    let reserve = ReserveInference {
        deployment: deployment.unwrap(),
        input: 10,
        output: 10,
        pay_from: None,
        task: None,
        run: None,
        after: None,
        at_most: None,
        metered_by,
    };
    let mut ask = operator(ModelCommand::Reserve(reserve).into());
    ask.request.principal = Principal::Agent(agent.unwrap());
    let call = self::made(node, ask).await.iter().find_map(|id| match id {
        AnyId::InferenceId(id) => Some(*id),
        _ => None,
    });
    call.unwrap()
}

/// Asks, and gives the ids of what was made.
async fn made(node: &Node, ask: Ask) -> Vec<AnyId> {
    match node.ask(ask).await.unwrap().reply {
        Reply::Accepted { ids, .. } => ids,
        other => panic!("{other:?}"),
    }
}
