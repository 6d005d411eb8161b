//! The other side of a call: a plain server on loopback that does as its script says, and a resolver that is told
//! what to answer.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rialto_outside::{Resolve, Resolving};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server answers a request with, by its path.
pub(crate) type Script = fn(&str, SocketAddr) -> Vec<Step>;

/// One step of an answer.
pub(crate) enum Step {
    Say(String),
    /// Say nothing more and keep the connection.
    Hang,
}

/// Says something.
pub(crate) fn say(text: impl Into<String>) -> Step {
    Step::Say(text.into())
}

pub(crate) fn ok(body: &str) -> Vec<Step> {
    let length = body.len();
    vec![say(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
    ))]
}

/// A server that has begun.
pub(crate) struct Peer {
    pub(crate) at: SocketAddr,
    /// How many connections it took.
    pub(crate) taken: Arc<AtomicUsize>,
    /// The heads of the requests.
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = Self {
            at: listener.local_addr().unwrap(),
            taken: Arc::default(),
            heads: Arc::default(),
        };
        let (at, taken, heads) = (peer.at, peer.taken.clone(), peer.heads.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                taken.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, at, script, heads.clone()));
            }
        });
        peer
    }

    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.at.port())
    }

    pub(crate) fn connections(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    at: SocketAddr,
    script: Script,
    heads: Arc<Mutex<Vec<String>>>,
) {
    let mut read = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let end = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(more) => read.extend_from_slice(&piece[..more]),
            }
        };
        let head: Vec<u8> = read.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        heads.lock().unwrap().push(head);
        for step in script(&path, at) {
            match step {
                Step::Say(text) => {
                    if stream.write_all(text.as_bytes()).await.is_err() {
                        return;
                    }
                }
                Step::Hang => std::future::pending().await,
            }
        }
    }
}

/// A resolver with a list of answers for each name; the last one stays.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    pub(crate) asked: AtomicUsize,
}

impl Names {
    pub(crate) fn new(answers: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parsed = answers.iter().map(|(name, answers)| {
            let answers = answers.iter();
            let answers = answers.map(|ips| ips.iter().map(|ip| ip.parse().unwrap()).collect());
            ((*name).to_owned(), answers.collect())
        });
        Arc::new(Self {
            answers: Mutex::new(parsed.collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Resolve for Names {
    fn resolve(&self, name: &str) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.get_mut(name).map(|answers| {
            let first = answers.front().cloned().unwrap();
            if answers.len() > 1 {
                answers.pop_front();
            }
            first
        });
        let unknown = || std::io::Error::other("no such name");
        Box::pin(std::future::ready(answer.ok_or_else(unknown)))
    }
}
