//! Programs that serve models behind the gateway: started by the server, started again when they die, drained and
//! replaced when settings change. The program is a tiny server of models in Python; where there is no Python, the test
//! says that it is skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::faults::server::{Server, found, operator, serve, text};

/// Answers with its own name and process; a request for `slow` takes two seconds.
const TINY: &str = r#"
import http.server, json, os, sys, time

class Tiny(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked["model"] == "slow":
            time.sleep(2)
        told = {"id": "c", "model": asked["model"], "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "%s %d" % (sys.argv[2], os.getpid())}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False

Server(("127.0.0.1", int(sys.argv[1])), Tiny).serve_forever()
"#;

struct Place {
    place: tempfile::TempDir,
    data: PathBuf,
    port: u16,
}

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        // The program's user reads the script.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(place.path(), mode).unwrap();
        let scripts = place.path().join("scripts");
        fs::create_dir(&scripts).unwrap();
        fs::write(scripts.join("tiny.py"), TINY).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let data = place.path().join("data");
        Self { place, data, port }
    }

    fn settings(&self, python: &Path, name: &str) {
        let script = self.place.path().join("scripts/tiny.py");
        let user = match rustix::process::geteuid().is_root() {
            true => "user = \"65534:65534\"\n",
            false => "",
        };
        let text = format!(
            "[providers.tiny]\nkind = \"openai\"\nurl = \"http://127.0.0.1:{port}\"\n\
             command = \"{python} {script} {port} {name}\"\nreads = \"{reads}\"\n{user}",
            port = self.port,
            python = python.display(),
            script = script.display(),
            reads = script.parent().unwrap().display(),
        );
        fs::write(self.place.path().join("rialto.toml"), text).unwrap();
    }

    fn serve(&self) -> Server {
        let mut command = serve(&self.data);
        command.current_dir(self.place.path());
        Server::run(command)
    }
}

/// The interpreter itself: a link to it may lead into somebody's home.
fn python() -> Option<PathBuf> {
    let asked = Command::new("/usr/bin/python3")
        .args(["-c", "import sys; print(sys.version_info >= (3, 8))"])
        .output();
    asked.ok().filter(|out| out.stdout.starts_with(b"True"))?;
    Some(PathBuf::from("/usr/bin/python3"))
}

/// What a model answers: the program's name and process.
fn asked(server: &Server, token: &str, model: &str) -> Result<(String, u32), String> {
    let mut door = server.door(token);
    let body = json!({ "model": model, "max_tokens": 4, "messages": [{ "role": "user", "content": "hi" }] });
    let answer = door.post("/v1/chat/completions", &body);
    let told = answer.map_err(|why| why.to_string())?.body;
    let said = told["choices"][0]["message"]["content"].as_str();
    let said = said.and_then(|said| said.split_once(' '));
    let (name, pid) = said.ok_or_else(|| told.to_string())?;
    Ok((name.to_owned(), pid.parse().unwrap()))
}

fn until(what: &str, mut done: impl FnMut() -> Option<(String, u32)>) -> (String, u32) {
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(Instant::now() < limit, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn lives(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/stat")).exists()
}

#[test]
fn a_program_that_serves_is_started_killed_drained_and_replaced() {
    let Some(python) = python() else {
        rialto_testing::skipped(format_args!("there is no /usr/bin/python3"));
        return;
    };
    let place = Place::new();
    place.settings(&python, "one");
    let server = place.serve();
    let tokens = found(&server, &place.data, &["caller"]);
    let mut door = server.door(&operator(&place.data));
    let owner = door.get("/api/agents/@caller").unwrap().accepted()["owner"].clone();
    let owner = owner
        .as_str()
        .map_or_else(|| text(&owner["id"]), str::to_owned);
    for model in ["quick", "slow"] {
        let terms = json!({ "model": model, "provider": "tiny", "upstream": model,
            "prices": { "per_million": { "input": "1", "output": "1" } } });
        let made = json!({ "owner": owner, "terms": terms });
        door.op("deployment.create", &made).unwrap().accepted();
    }
    let ask = |model: &str| asked(&server, &tokens[0], model);
    let (name, first) = until("it is started", || ask("quick").ok());
    assert_eq!(name, "one");
    // Killed, it is started again.
    let killed = Command::new("kill")
        .args(["-KILL", &first.to_string()])
        .status();
    assert!(killed.unwrap().success());
    let (name, second) = until("it is started again", || ask("quick").ok());
    assert!(name == "one" && second != first);
    // Replaced, what is under way ends first.
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| ask("slow"));
        std::thread::sleep(Duration::from_millis(500));
        place.settings(&python, "two");
        let mut door = server.door(&operator(&place.data));
        let reloaded = door.post("/api/config/reload", &json!({})).unwrap();
        assert_eq!(reloaded.accepted()["applied"], json!(["providers.tiny"]));
        assert_eq!(slow.join().unwrap(), Ok(("one".to_owned(), second)));
    });
    let (_, third) = until("the new one serves", || {
        ask("quick").ok().filter(|(name, _)| name == "two")
    });
    assert!(!lives(second));
    // It ends with the server.
    assert_eq!(server.terminate(), Some(0));
    assert!(!lives(third), "the program outlives the server");
}
