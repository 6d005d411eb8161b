//! An answer in pieces on its way from a provider to a caller.
//!
//! Bytes pass as they come, or are translated; the pause between two pieces is bounded; what the answer comes to
//! is heard on the way. A caller that leaves drops the stream, which cancels the provider's work and reports what
//! was used. Holds no more than one piece.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use futures_util::stream;
use http_body_util::BodyExt;
use rialto_core::model::InferenceEnd;
use rialto_outside::CallError;
use rialto_wire::dialect::{
    Heard, Inbound, Outbound, Outgoing, Passing, StreamWriter, Translation,
};
use rialto_wire::model::{Delta, ErrorKind, Losses, ModelError, Told};
use rialto_wire::words::Words;

use crate::fault;
use crate::provider::Provider;
use crate::running::Running;

/// How long a provider may take to end its stream after the answer is whole.
const TAIL: Duration = Duration::from_secs(1);

/// The most bytes of an answer that are held until its content begins, or at a time.
const HELD: usize = 4 << 20;

fn too_large() -> CallError {
    CallError::TooLarge {
        what: "answer",
        limit: HELD as u64,
    }
}

/// The way from a provider's dialect to a caller's.
pub(crate) enum Pipe {
    Pass(Box<(Passing, StreamWriter)>),
    Translate(Box<Translation>),
}

impl Pipe {
    pub(crate) fn new(
        inbound: Inbound,
        outbound: Outbound,
        (outgoing, told): (Option<&Outgoing>, Told),
        strip: bool,
    ) -> Self {
        match outgoing {
            None => {
                let passing = Passing::new(inbound, strip);
                Self::Pass(Box::new((passing, StreamWriter::new(inbound, told))))
            }
            Some(outgoing) => {
                let translation = Translation::new(inbound, outbound, outgoing, told);
                Self::Translate(Box::new(translation))
            }
        }
    }

    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Pass(pass) => pass.0.push(bytes, out),
            Self::Translate(translation) => translation.push(bytes, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Pass(pass) => pass.0.finish(out),
            Self::Translate(translation) => translation.finish(out),
        }
    }

    /// Ends the caller's stream with an error, in its dialect.
    fn fail(&mut self, error: &ModelError, out: &mut Vec<u8>) {
        match self {
            Self::Pass(pass) => {
                let delta = Delta::Error(error.clone());
                pass.1.write(&delta, &mut Losses::default(), out);
            }
            Self::Translate(translation) => translation.fail(error.clone(), out),
        }
    }

    fn heard(&self) -> &Heard {
        match self {
            Self::Pass(pass) => &pass.0.heard,
            Self::Translate(translation) => &translation.heard,
        }
    }

    fn words(&self) -> &Words {
        match self {
            Self::Pass(pass) => pass.0.words(),
            Self::Translate(translation) => translation.words(),
        }
    }

    fn losses(&self) -> Option<&Losses> {
        match self {
            Self::Pass(_) => None,
            Self::Translate(translation) => Some(&translation.losses),
        }
    }
}

/// An answer on its way.
pub(crate) struct Stream {
    pipe: Pipe,
    body: Body,
    provider: Arc<Provider>,
    /// What is to be handed on.
    out: Vec<u8>,
    pub(crate) running: Option<Running>,
    over: bool,
}

impl Stream {
    pub(crate) fn new(pipe: Pipe, body: Body, provider: Arc<Provider>) -> Self {
        Self {
            pipe,
            body,
            provider,
            out: Vec::new(),
            running: None,
            over: false,
        }
    }

    /// Reads until there is content, so that another provider can still be asked before.
    pub(crate) async fn until_content(
        &mut self,
        until: Instant,
        running: &mut Running,
    ) -> Result<(), ModelError> {
        loop {
            let heard = self.pipe.heard();
            if let Some(Err(error)) = &heard.ended {
                let error = fault::of_provider(self.provider.name(), error.clone());
                note(running, &self.pipe);
                return Err(error);
            }
            if heard.content || heard.ended.is_some() {
                return Ok(());
            }
            let left = until.saturating_duration_since(Instant::now());
            self.read(left).await?;
        }
    }

    /// Takes the provider's next piece.
    async fn read(&mut self, within: Duration) -> Result<(), ModelError> {
        let name = self.provider.name();
        match tokio::time::timeout(within, self.body.frame()).await {
            Err(_) => Err(fault::unanswered(name, &CallError::Late(within))),
            Ok(Some(Ok(frame))) => {
                if let Some(bytes) = frame.data_ref() {
                    self.pipe.push(bytes, &mut self.out);
                }
                match self.out.len() {
                    0..=HELD => Ok(()),
                    _ => Err(fault::unanswered(name, &too_large())),
                }
            }
            Ok(Some(Err(_))) => Err(ModelError::new(
                ErrorKind::Interrupted,
                format!("the provider {name} broke off its answer"),
            )),
            Ok(None) => {
                self.over = true;
                self.pipe.finish(&mut self.out);
                Ok(())
            }
        }
    }

    /// The answer as a body for the caller.
    pub(crate) fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut stream| async {
            let piece = stream.next().await?;
            Some((Ok::<_, Infallible>(piece), stream))
        }))
    }

    /// The next piece for the caller. When the answer is whole, it is reported before its last piece leaves.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.settle_if_ended();
            if !self.out.is_empty() {
                return Some(std::mem::take(&mut self.out).into());
            }
            if self.over {
                return None;
            }
            let within = match self.running {
                Some(_) => self.provider.terms().pause,
                None => TAIL,
            };
            if let Err(error) = self.read(within).await {
                self.over = true;
                self.broke_off(&error);
            }
        }
    }

    fn settle_if_ended(&mut self) {
        if let Some(running) = &mut self.running {
            note(running, &self.pipe);
        }
        let Some(ended) = &self.pipe.heard().ended else {
            return;
        };
        let Some(mut running) = self.running.take() else {
            return;
        };
        running.used.words = self.pipe.words().clone();
        match ended {
            Ok(()) => running.end(InferenceEnd::Served),
            Err(error) => running.fail(error),
        }
    }

    fn broke_off(&mut self, error: &ModelError) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        self.pipe.fail(error, &mut self.out);
        note(&mut running, &self.pipe);
        running.used.words = self.pipe.words().clone();
        running.fail(error);
    }
}

impl Drop for Stream {
    /// The caller has left: what was heard until then is reported.
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            note(running, &self.pipe);
            running.used.words = self.pipe.words().clone();
        }
    }
}

/// What was heard so far.
fn note(running: &mut Running, pipe: &Pipe) {
    let heard = pipe.heard();
    running.used.usage = heard.usage;
    running.used.written = heard.written;
    for loss in pipe.losses().map(Losses::all).unwrap_or_default() {
        running.losses.add(loss.clone());
    }
}
