//! Those who sign up: from one address, through a proxy, with an invitation, from another site's page.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::cli::Place;

/// One request without a token, on a connection of its own: the status and the answer.
fn ask(url: &str, headers: &str, op: &str, args: &Value) -> (u16, Value) {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let args = args.to_string();
    let request = format!(
        "POST /api/{op} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\n{headers}content-length: {}\r\n\r\n{args}",
        args.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split_whitespace().nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap())
}

fn sign_up(url: &str, headers: &str, name: &str) -> (u16, Value) {
    let args = json!({ "name": name, "kind": "person" });
    ask(url, headers, "owner.sign_up", &args)
}

const SERVE: [&str; 4] = ["--listen", "127.0.0.1:0", "--data", "rialto-data"];

#[test]
fn one_address_does_not_take_the_whole_realms_rate() {
    let place = Place::new();
    let server = place.serve_with(&[&SERVE[..], &["--proxy", "127.0.0.1"]].concat());
    let flooder = "x-forwarded-for: 192.0.2.1\r\n";
    for n in 0..10 {
        // Refused ones are not counted.
        assert_eq!(sign_up(&server.url, flooder, "operator").0, 409);
        assert_eq!(sign_up(&server.url, flooder, &format!("flood-{n}")).0, 200);
    }
    let (status, said) = sign_up(&server.url, flooder, "flood-10");
    assert_eq!((status, &said["code"]), (429, &json!("RLT0603")), "{said}");
    // Everybody else is let in as ever, even from beside it.
    for other in ["192.0.2.2", "2001:db8::1"] {
        let headers = format!("x-forwarded-for: {other}\r\n");
        let name = format!("other-{}", other.len());
        assert_eq!(sign_up(&server.url, &headers, &name).0, 200);
    }
    // A batch is no way around it.
    let item = json!({ "op": "owner.sign_up", "args": { "name": "more", "kind": "person" } });
    let (status, _) = ask(
        &server.url,
        flooder,
        "commands",
        &json!({ "commands": [item] }),
    );
    assert_eq!(status, 401);
    // What another site sends is refused, whatever it says of its address.
    let foreign = format!("{flooder}origin: https://evil.test\r\n");
    assert_eq!(sign_up(&server.url, &foreign, "evil").1["code"], "RLT0022");
}

#[test]
fn a_token_is_used_from_where_it_may_be_used() {
    let place = Place::new();
    let server = place.serve_with(&[&SERVE[..], &["--proxy", "127.0.0.1"]].concat());
    let (_, ann) = sign_up(&server.url, "", "ann");
    let (person, admin) = (
        &ann["ids"]["person"],
        ann["token"]["secret"].as_str().unwrap(),
    );
    let bearer = format!("authorization: Bearer {admin}\r\n");
    let args = json!({
        "subject": { "person": person }, "from": ["192.0.2.0/24", "2001:db8::/32"],
    });
    let (_, issued) = ask(&server.url, &bearer, "token.issue", &args);
    let bearer = format!(
        "authorization: Bearer {}\r\n",
        issued["token"]["secret"].as_str().unwrap()
    );
    let args = json!({ "name": "Zoe", "role": "viewer", "owner": ann["ids"]["owner"] });
    for (from, status) in [
        ("192.0.2.200", 200),
        ("2001:db8::7", 200),
        ("192.0.3.1", 403),
        ("2001:db9::1", 403),
        ("203.0.113.5, 192.0.2.1", 200),
        ("192.0.2.1, 203.0.113.5", 403),
    ] {
        let headers = format!("{bearer}x-forwarded-for: {from}\r\n");
        let (got, said) = ask(&server.url, &headers, "person.add", &args);
        assert_eq!(got, status, "{from}: {said}");
        if status == 403 {
            assert_eq!(said["code"], "RLT0136");
        }
    }
    // The proxy itself is none of them.
    assert_eq!(ask(&server.url, &bearer, "person.add", &args).0, 403);
}

#[test]
fn a_closed_realm_is_joined_by_invitation() {
    let place = Place::new();
    let server = place.serve_with(&SERVE);
    let run = |args: &[&str]| place.run(&[args, &["--server", &server.url]].concat());
    let shown = run(&["owner", "sign-ups", "--json"]);
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(shown["sign_up_open"], true);
    let closed = run(&[
        "owner",
        "sign-ups",
        "--open",
        "false",
        "--per-address",
        "1",
        "--json",
    ]);
    assert_eq!(closed.code, 0, "{}", closed.err);
    let told: Value = serde_json::from_str(&closed.out).unwrap();
    let want = json!({ "sign_up_open": false, "sign_ups_per_hour": 60, "sign_ups_per_address": 1 });
    assert_eq!(told, want);
    assert_eq!(sign_up(&server.url, "", "bob").1["code"], "RLT0111");
    let made = run(&[
        "invitation",
        "create",
        "--uses",
        "3",
        "--label",
        "friends",
        "--save",
        "code",
    ]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.out.contains("code    stored in code"), "{}", made.out);
    let code = std::fs::read_to_string(place.path("code")).unwrap();
    let code = code.trim();
    let listed = run(&["invitation", "list"]);
    assert!(
        listed.out.contains("friends") && !listed.out.contains(code),
        "{}",
        listed.out
    );
    // By hand and by command, past any rate.
    for name in ["bob", "eve"] {
        let args = json!({ "name": name, "kind": "person", "invitation": code });
        assert_eq!(
            ask(&server.url, "", "owner.sign_up", &args).0,
            200,
            "{name}"
        );
    }
    let joined = run(&[
        "owner",
        "sign-up",
        "acme",
        "--invitation",
        code,
        "--save",
        "acme.token",
    ]);
    assert_eq!(joined.code, 0, "{}", joined.err);
    let late = run(&["owner", "sign-up", "late", "--invitation", code]);
    assert!(late.err.contains("RLT0019"), "{}", late.err);
    let made = run(&["invitation", "create", "--json"]);
    let made: Value = serde_json::from_str(&made.out).unwrap();
    let id = made["token"]["id"].as_str().unwrap();
    assert_eq!(run(&["invitation", "end", id]).code, 0);
    assert_eq!(run(&["invitation", "list"]).out, "");
}
