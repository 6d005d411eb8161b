//! Where secrets may not turn up: tokens of every kind are made, used and misused on the real
//! server, its keys are rotated, the realm is backed up; then everything that it said, logged and
//! stored is searched for them, as they are and in hexadecimal and base64.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults::server::{fresh, key, operator, serve, text};

/// The files of a data folder that hold secrets, as docs/operations.md says.
const SECRET_FILES: [&str; 3] = ["realm.key", "operator.token", "metrics.token"];

/// Something that may be known to nobody else.
struct Secret {
    name: String,
    /// What it looks like where it has leaked.
    forms: Vec<Vec<u8>>,
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The whole groups of three bytes in base64 (RFC 4648).
fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> Vec<u8> {
    let mut text = Vec::new();
    for group in bytes.chunks_exact(3) {
        let word = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        let digits = [18, 12, 6, 0].map(|shift| alphabet[(word >> shift) as usize & 63]);
        text.extend(digits);
    }
    text
}

/// Bytes as they are, in hexadecimal, and in base64 wherever in a longer text they begin.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let mut forms = vec![
        bytes.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    for from in 0..3 {
        forms.push(base64(&bytes[from..], STANDARD));
        forms.push(base64(&bytes[from..], FOR_URLS));
    }
    forms
}

impl Secret {
    /// A secret with a prefix; its digits give it away without `rlt_` or `inv_`, too.
    fn token(name: &str, secret: &str) -> Self {
        let (_, digits) = secret.split_once('_').unwrap();
        assert_eq!(digits.len(), 32, "{secret}");
        Self {
            name: format!("the token of {name}"),
            forms: forms(digits.as_bytes()),
        }
    }

    fn occurs_in(&self, bytes: &[u8]) -> bool {
        let found = |form: &Vec<u8>| bytes.windows(form.len()).any(|part| part == form);
        self.forms.iter().any(found)
    }
}

#[test]
fn secrets_are_found_in_every_form() {
    assert_eq!(base64(b"foobar", STANDARD), b"Zm9vYmFy");
    let secret = Secret::token("nobody", "rlt_0123456789abcdefghjkmnpqrstvwxyz");
    let bytes = b"0123456789abcdefghjkmnpqrstvwxyz";
    for before in ["", "a", "ab", "abc"] {
        let longer = [before.as_bytes(), bytes, b"xyzxyz"].concat();
        assert!(secret.occurs_in(&longer));
        assert!(secret.occurs_in(&base64(&longer, STANDARD)), "{before:?}");
        assert!(secret.occurs_in(&base64(&longer, FOR_URLS)), "{before:?}");
    }
    assert!(!secret.occurs_in(b"0123456789abcdefghjkmnpqrstvwxy"));
}

/// The secret bytes in a realm's key file.
fn keys(folder: &Path, when: &str) -> Vec<Secret> {
    let stored = fs::read_to_string(folder.join("realm.key")).unwrap();
    let line = |line: &str| {
        let (name, hex) = line.split_once(' ').unwrap();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..64).step_by(2).map(byte).collect();
        Secret {
            name: format!("the realm's {name} key {when}"),
            forms: forms(&bytes),
        }
    };
    let found: Vec<Secret> = stored.lines().map(line).collect();
    assert_eq!(found.len(), 2, "signing and custody");
    found
}

/// What a realm keeps for calls to the outside, in its vault.
const STORED: &str = "sk-of-a-provider-0123456789abcdef";

/// Stores a secret, and has it listed and misused.
fn vault(r: &mut Record, folder: &Path) {
    r.secrets.push(Secret {
        name: "a stored secret".into(),
        forms: forms(STORED.as_bytes()),
    });
    for name in ["provider", "NO NAME"] {
        let done = crate::settings::store(folder, name, &format!("{STORED}\n"));
        r.said.push(Said {
            what: format!("rialto secret set {name}"),
            bytes: [done.stdout, done.stderr].concat(),
            asked: String::new(),
            tells: None,
        });
    }
    r.run(&["secret", "list"], folder, &[]);
    let sealed = folder.join("secrets/provider.sealed");
    assert_eq!(mode(&sealed), 0o600);
    assert_eq!(mode(&folder.join("secrets")), 0o700);
}

/// A server whose output goes to files. It ends with this value.
struct Served {
    child: Child,
    url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(folder: &Path, logs: &Path, format: &str) -> Self {
        let (out, err) = (
            logs.join(format!("{format}.out")),
            logs.join(format!("{format}.err")),
        );
        let child = serve(folder)
            .args(["--log-format", format])
            .stdout(fs::File::create(&out).unwrap())
            .stderr(fs::File::create(&err).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self {
            child,
            url: String::new(),
        };
        let since = Instant::now();
        while server.url.is_empty() {
            assert!(
                since.elapsed() < Duration::from_secs(60),
                "it does not listen"
            );
            sleep(Duration::from_millis(20));
            let said = fs::read_to_string(&out).unwrap();
            let line = said.lines().find(|line| line.contains("address"));
            if let Some(address) = line.and_then(|l| l.split_whitespace().last()) {
                server.url = address.trim_start_matches("http://").to_owned();
            }
        }
        server
    }

    fn terminate(mut self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

/// What was said, and the number of the secret that it was to tell.
struct Said {
    what: String,
    bytes: Vec<u8>,
    /// The body of a request to the API: an error may quote it to whoever sent it.
    asked: String,
    tells: Option<usize>,
}

/// Everything that came to light, in order.
#[derive(Default)]
struct Record {
    url: String,
    secrets: Vec<Secret>,
    said: Vec<Said>,
}

impl Record {
    /// One request on a connection of its own; the whole answer, headers and all, is kept.
    fn ask(&mut self, method: &str, path: &str, headers: &str, asked: &str) -> Value {
        let mut stream = TcpStream::connect(&self.url).unwrap();
        let length = asked.len();
        let kind = if path.starts_with("/api/") {
            "content-type: application/json\r\n"
        } else {
            ""
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: rialto\r\nconnection: close\r\n{kind}{headers}content-length: {length}\r\n\r\n{asked}"
        );
        // A server that refuses early may reset the connection under the rest of the request.
        let _ = stream.write_all(request.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let answer = String::from_utf8_lossy(&bytes).into_owned();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let answer = serde_json::from_str(body).unwrap_or_default();
        self.said.push(Said {
            what: format!("{method} {}", path.split('?').next().unwrap()),
            bytes,
            asked: if path.starts_with("/api/") {
                asked.to_owned()
            } else {
                String::new()
            },
            tells: None,
        });
        answer
    }

    fn op(&mut self, token: &str, op: &str, args: &Value) -> Value {
        let headers = format!("authorization: Bearer {token}\r\n");
        self.ask("POST", &format!("/api/{op}"), &headers, &args.to_string())
    }

    /// Carries out an operation that issues a token, whose secret this answer alone may tell.
    fn issued(&mut self, token: &str, op: &str, args: &Value) -> (Value, String) {
        let answer = self.op(token, op, args);
        let secret = text(&answer["token"]["secret"]);
        self.secrets.push(Secret::token(op, &secret));
        self.said.last_mut().unwrap().tells = Some(self.secrets.len() - 1);
        (answer, secret)
    }

    /// Runs a command of the binary and keeps what it prints.
    fn run(&mut self, args: &[&str], folder: &Path, more: &[&str]) {
        let done = Command::new(env!("CARGO_BIN_EXE_rialto"))
            .args(args)
            .arg("--data")
            .arg(folder)
            .args(more)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{args:?} {}",
            String::from_utf8_lossy(&done.stderr)
        );
        self.said.push(Said {
            what: format!("rialto {}", args.join(" ")),
            bytes: [done.stdout, done.stderr].concat(),
            asked: String::new(),
            tells: None,
        });
    }

    /// What was told where it should not have been.
    fn leaks(&self) -> Vec<String> {
        let mut leaks = Vec::new();
        for said in &self.said {
            for (number, secret) in self.secrets.iter().enumerate() {
                let leaked = said.tells != Some(number)
                    && secret.occurs_in(&said.bytes)
                    && !secret.occurs_in(said.asked.as_bytes());
                if leaked {
                    leaks.push(format!("{} is in the answer to {}", secret.name, said.what));
                }
            }
        }
        leaks
    }

    /// The secrets in a file or in a folder's files, but for the documented ones.
    fn stored(&self, path: &Path, leaks: &mut Vec<String>) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                self.stored(&entry.unwrap().path(), leaks);
            }
        } else if !SECRET_FILES.contains(&name.as_str()) {
            let bytes = fs::read(path).unwrap();
            let found = self
                .secrets
                .iter()
                .filter(|secret| secret.occurs_in(&bytes));
            leaks.extend(found.map(|secret| format!("{} is in {}", secret.name, path.display())));
        }
    }
}

/// Tokens of every kind, with the agent's.
struct Tokens {
    operator: String,
    admin: String,
    agent: String,
    service: String,
}

fn make_tokens(r: &mut Record, folder: &Path) -> Tokens {
    let boss = operator(folder);
    r.secrets.push(Secret::token("the operator", &boss));
    let (_, code) = r.issued(&boss, "invitation.create", &json!({ "uses": 2 }));
    let guest = json!({ "name": "guest", "kind": "person", "invitation": code });
    let guest = r.ask("POST", "/api/owner.sign_up", "", &guest.to_string());
    let secret = text(&guest["token"]["secret"]);
    r.secrets.push(Secret::token("a guest", &secret));
    r.said.last_mut().unwrap().tells = Some(r.secrets.len() - 1);
    r.op(&boss, "invitation.end", &json!({ "invitation": code }));
    let house = json!({ "name": "house", "kind": "organisation" });
    let (owner, admin) = r.issued(&boss, "owner.sign_up", &house);
    let person = json!({ "owner": owner["ids"]["owner"], "name": "Eve", "role": "viewer" });
    let (person, _) = r.issued(&admin, "person.add", &person);
    let (_, agent) = r.issued(&admin, "agent.register", &json!({ "handle": "worker" }));
    let bank = json!({ "name": "bank", "grants": ["payments"] });
    let (bank, service) = r.issued(&boss, "service.create", &bank);
    for (by, subject) in [
        (&admin, json!({ "agent": "@worker" })),
        (&admin, json!({ "person": person["ids"]["person"] })),
        (&boss, json!({ "service": bank["ids"]["svc"] })),
    ] {
        let args = json!({ "subject": subject, "label": "spare", "expires_in_ms": 600_000 });
        r.issued(by, "token.issue", &args);
    }
    repeated(r, &admin);
    r.op(&admin, "agent.rotate_key", &json!({ "agent": "@worker" }));
    r.op(
        &boss,
        "ledger.issue",
        &json!({ "to": "@worker", "amount": "9" }),
    );
    r.op(
        &agent,
        "mail.open_group",
        &json!({ "title": "x", "members": [] }),
    );
    Tokens {
        operator: boss,
        admin,
        agent,
        service,
    }
}

/// The same command again under its key: the secret was told once.
fn repeated(r: &mut Record, admin: &str) {
    let args = json!({ "subject": { "agent": "@worker" } }).to_string();
    let headers = format!(
        "authorization: Bearer {admin}\r\nidempotency-key: {}\r\n",
        key("once")
    );
    let first = r.ask("POST", "/api/token.issue", &headers, &args);
    let secret = text(&first["token"]["secret"]);
    r.secrets.push(Secret::token("a repeated request", &secret));
    r.said.last_mut().unwrap().tells = Some(r.secrets.len() - 1);
    let again = r.ask("POST", "/api/token.issue", &headers, &args);
    assert_eq!(again["duplicate"], true, "{again}");
}

/// Every list and every thing that tells of tokens, for everybody.
fn read_everything(r: &mut Record, tokens: &Tokens) {
    let owned = r.op(&tokens.admin, "token.issue", &json!({})); // refused: it names nobody
    assert_eq!(owned["code"], "RLT0001", "{owned}");
    for token in [
        &tokens.operator,
        &tokens.admin,
        &tokens.agent,
        &tokens.service,
    ] {
        let headers = format!("authorization: Bearer {token}\r\n");
        let me = r.ask("GET", "/api/whoami", &headers, "");
        let owner = me["owner"]
            .as_str()
            .unwrap_or("owner_000000000001")
            .to_owned();
        for path in [
            "tokens",
            "log?limit=100",
            "services",
            "agents",
            "inbox",
            "digest",
            "realm",
            "owners",
            "approvals",
            "openapi.json",
            "report/accounts",
            "ledger/accounts",
        ] {
            r.ask("GET", &format!("/api/{path}"), &headers, "");
        }
        for path in [
            format!("owners/{owner}"),
            format!("owners/{owner}/export"),
            format!("owners/{owner}/persons"),
        ] {
            r.ask("GET", &format!("/api/{path}"), &headers, "");
        }
        for position in 1..12 {
            r.ask("GET", &format!("/api/log/{position}"), &headers, "");
        }
        let id = text(&me["auth"]["token"]);
        r.ask("GET", &format!("/api/trace/{id}"), &headers, "");
        r.ask("GET", "/metrics", &headers, "");
    }
}

/// Tokens where they do not belong, mistyped or dead, and requests of every wrong form.
fn misuse(r: &mut Record, tokens: &Tokens) {
    let (agent, admin) = (&tokens.agent, &tokens.admin);
    let last = if agent.ends_with('0') { '1' } else { '0' };
    let mistyped = format!("{}{last}", &agent[..agent.len() - 1]);
    r.secrets.push(Secret::token("nobody: mistyped", &mistyped));
    for header in [
        format!("authorization: Bearer {mistyped}\r\n"),
        format!("authorization: Basic {agent}\r\n"),
        format!("authorization: {agent}\r\n"),
        format!("authorization: Bearer {agent} {admin}\r\n"),
        format!("authorization: Bearer {agent}\r\nidempotency-key: {admin}\r\n"),
        format!("authorization: Bearer {admin}\r\nrialto-agent: {agent}\r\n"),
        format!("authorization: Bearer {admin}\r\nrialto-cause: {agent}\r\n"),
        format!("cookie: token={agent}\r\n"),
    ] {
        r.ask("GET", "/api/whoami", &header, "");
        r.ask(
            "POST",
            "/api/mail.open_group",
            &header,
            "{\"title\":\"x\",\"members\":[]}",
        );
    }
    for path in [
        format!("/api/whoami?token={agent}"),
        format!("/api/inbox?after={agent}"),
    ] {
        r.ask("GET", &path, "", "");
    }
    for body in [
        "{",
        "[]",
        "{\"token\":1}",
        &format!("{{\"token\":\"{agent}\"}}"),
        &format!("{{\"{agent}\":1}}"),
        &format!("{{\"token\":\"{agent}"),
    ] {
        let headers = format!("authorization: Bearer {admin}\r\n");
        r.ask("POST", "/api/token.revoke", &headers, body);
    }
    let headers = format!("authorization: Bearer {admin}\r\n");
    r.ask("DELETE", "/api/realm", &headers, "");
    r.ask("GET", "/api/nothing", &headers, "");
    r.ask("POST", "/api/no.such", &headers, "{}");
    r.ask("POST", "/api/mail.send", &headers, &" ".repeat(17 << 20));
    let mut half = TcpStream::connect(&r.url).unwrap();
    write!(
        half,
        "GET /api/whoami HTTP/1.1\r\nauthorization: Bearer {agent}"
    )
    .unwrap();
    drop(half);
    let me = r.ask(
        "GET",
        "/api/whoami",
        &format!("authorization: Bearer {agent}\r\n"),
        "",
    );
    let dead = json!({ "token": me["auth"]["token"] });
    r.op(admin, "token.revoke", &dead);
    r.op(
        agent,
        "mail.open_group",
        &json!({ "title": "x", "members": [] }),
    );
}

/// The console: a token opens a session, whose id its answer alone may tell.
fn console(r: &mut Record, tokens: &Tokens) {
    let form = "content-type: application/x-www-form-urlencoded\r\norigin: http://rialto\r\n";
    for token in [&tokens.operator, &tokens.admin] {
        r.ask(
            "POST",
            "/sign-in",
            form,
            &format!("token={token}&next=%2Flog"),
        );
        let answer = String::from_utf8_lossy(&r.said.last().unwrap().bytes).into_owned();
        let cookie = answer.lines().find_map(|l| l.strip_prefix("set-cookie: "));
        let cookie = cookie.unwrap_or_else(|| panic!("{answer}"));
        let cookie = cookie.split(';').next().unwrap();
        let (_, session) = cookie.split_once('=').unwrap();
        r.secrets.push(Secret {
            name: "a session of the console".into(),
            forms: forms(session.as_bytes()),
        });
        r.said.last_mut().unwrap().tells = Some(r.secrets.len() - 1);
        for path in ["/", "/log", "/agents", "/ledger", "/find?q=tok", "/nowhere"] {
            r.ask("GET", path, &format!("cookie: {cookie}\r\n"), "");
        }
        r.ask("POST", "/sign-out", form, "");
        r.ask("POST", "/sign-in", form, &format!("token={token}x"));
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn secrets_stay_where_they_belong() {
    let (place, folder) = fresh();
    let logs = place.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let mut r = Record::default();
    let backups: Vec<PathBuf> = ["one", "two"].map(|n| place.path().join(n)).into();

    // Once with each form of the log, whose level is the same.
    let server = Served::start(&folder, &logs, "json");
    r.url.clone_from(&server.url);
    r.secrets.extend(keys(&folder, "at first"));
    let metrics = fs::read_to_string(folder.join("metrics.token")).unwrap();
    let metrics = metrics.trim().trim_start_matches("rlm_");
    r.secrets.push(Secret {
        name: "the metrics' secret".into(),
        forms: forms(metrics.as_bytes()),
    });
    let headers = format!("authorization: Bearer rlm_{metrics}\r\n");
    r.ask("GET", "/metrics", &headers, "");
    vault(&mut r, &folder);
    let tokens = make_tokens(&mut r, &folder);
    read_everything(&mut r, &tokens);
    console(&mut r, &tokens);
    misuse(&mut r, &tokens);
    r.run(&["backup"], &folder, &[backups[0].to_str().unwrap()]);
    server.terminate();

    r.run(&["operator", "rotate-key"], &folder, &[]);
    r.secrets.extend(keys(&folder, "after its rotation"));
    r.run(&["operator", "reset-token"], &folder, &[]);
    let fresh = operator(&folder);
    assert_ne!(fresh, tokens.operator);
    r.secrets
        .push(Secret::token("the operator after its reset", &fresh));
    let server = Served::start(&folder, &logs, "text");
    r.url.clone_from(&server.url);
    let tokens = Tokens {
        operator: fresh,
        ..tokens
    };
    read_everything_again(&mut r, &tokens);
    r.run(&["backup"], &folder, &[backups[1].to_str().unwrap()]);
    server.terminate();
    r.run(&["log", "verify"], &folder, &[]);

    let mut leaks = r.leaks();
    for path in backups.iter().chain([&folder, &logs]) {
        r.stored(path, &mut leaks);
    }
    for backup in &backups {
        for name in SECRET_FILES.into_iter().chain(["secrets"]) {
            assert!(!backup.join(name).exists(), "{name} is in a backup");
        }
    }
    for name in SECRET_FILES {
        let path = folder.join(name);
        assert_eq!(mode(&path), 0o600, "{name}");
        let bytes = fs::read(&path).unwrap();
        let holds = r.secrets.iter().any(|secret| secret.occurs_in(&bytes));
        assert!(holds, "the search would not have found what is in {name}");
    }
    assert!(r.secrets.len() > 12 && r.said.len() > 100);
    assert_eq!(leaks, [""; 0]);
}

/// The old operator's token is dead, the new one reads.
fn read_everything_again(r: &mut Record, tokens: &Tokens) {
    let headers = format!("authorization: Bearer {}\r\n", tokens.operator);
    for path in ["whoami", "log?limit=100", "tokens", "digest"] {
        let answer = r.ask("GET", &format!("/api/{path}"), &headers, "");
        assert!(answer["code"].is_null(), "{answer}");
    }
}
