//! What a program says, in pieces of bounded size; what it complains of, in the log, bounded too.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;

use super::Framing;

/// How many bytes are read at once.
const READ: usize = 16 << 10;
/// How much of one line of complaint is logged, in bytes.
const COMPLAINT: usize = 1 << 10;
/// How many complaints are logged within a time.
const COMPLAINTS: u32 = 50;
const COMPLAINTS_TIME: Duration = Duration::from_secs(10);

/// How output came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The program closed it.
    All,
    /// More than it may.
    TooMuch,
    /// Nobody listens any more.
    Unheard,
}

/// Hands on what a program says. Never holds more than one piece and what is read at once: where nobody takes a piece,
/// nothing more is read, and the program waits.
pub(crate) async fn hand_on(
    mut output: impl AsyncRead + Unpin,
    framing: Framing,
    piece: usize,
    mut left: u64,
    to: &mpsc::Sender<Bytes>,
) -> Said {
    let mut held: Vec<u8> = Vec::new();
    let mut read = vec![0; READ.min(piece.max(1))];
    loop {
        let more = match output.read(&mut read).await {
            Ok(0) | Err(_) => break,
            Ok(more) => more,
        };
        let Some(rest) = left.checked_sub(more as u64) else {
            return Said::TooMuch;
        };
        left = rest;
        let mut new = read.get(..more).unwrap_or_default();
        if framing == Framing::Raw {
            if to.send(Bytes::copy_from_slice(new)).await.is_err() {
                return Said::Unheard;
            }
            continue;
        }
        while let Some(end) = new.iter().position(|b| *b == b'\n') {
            let (line, after) = new.split_at(end);
            held.extend_from_slice(line);
            new = after.get(1..).unwrap_or_default();
            if held.len() > piece {
                return Said::TooMuch;
            }
            if to
                .send(Bytes::from(std::mem::take(&mut held)))
                .await
                .is_err()
            {
                return Said::Unheard;
            }
        }
        held.extend_from_slice(new);
        if held.len() > piece {
            return Said::TooMuch;
        }
    }
    if !held.is_empty() && to.send(Bytes::from(held)).await.is_err() {
        return Said::Unheard;
    }
    Said::All
}

/// Logs what a program complains of. Long lines are cut, and many of them are counted only.
pub(crate) async fn log(mut complaints: impl AsyncRead + Unpin, program: &str) {
    let mut line: Vec<u8> = Vec::new();
    let mut read = [0; 4096];
    let (mut since, mut logged, mut kept_back) = (Instant::now(), 0, 0_u64);
    let mut say = |line: &mut Vec<u8>| {
        if since.elapsed() > COMPLAINTS_TIME {
            if kept_back > 0 {
                tracing::info!(
                    program,
                    kept_back,
                    "further lines of a program were not logged"
                );
            }
            (since, logged, kept_back) = (Instant::now(), 0, 0);
        }
        if logged < COMPLAINTS {
            let text = String::from_utf8_lossy(line).escape_debug().to_string();
            tracing::info!(program, text, "a program says");
            logged += 1;
        } else {
            kept_back += 1;
        }
        line.clear();
    };
    while let Ok(more @ 1..) = complaints.read(&mut read).await {
        for byte in read.iter().take(more) {
            match byte {
                b'\n' => say(&mut line),
                byte if line.len() < COMPLAINT => line.push(*byte),
                _ => {}
            }
        }
    }
    if !line.is_empty() {
        say(&mut line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pieces(text: &[u8], framing: Framing, piece: usize, left: u64) -> (Said, Vec<Bytes>) {
        let (to, mut from) = mpsc::channel(100);
        let said = hand_on(text, framing, piece, left, &to).await;
        drop(to);
        let mut pieces = Vec::new();
        while let Some(piece) = from.recv().await {
            pieces.push(piece);
        }
        (said, pieces)
    }

    #[tokio::test]
    async fn output_comes_in_bounded_pieces() {
        for (text, piece, left, said, lines) in [
            ("a\nbc\n", 2, 5, Said::All, &["a", "bc"][..]),
            ("a\n\nb", 2, 5, Said::All, &["a", "", "b"]),
            ("a\nbcd\n", 2, 9, Said::TooMuch, &["a"]),
            ("bcd", 2, 9, Said::TooMuch, &[]),
            ("abcdef", 9, 5, Said::TooMuch, &[]),
            ("", 2, 5, Said::All, &[]),
        ] {
            let got = pieces(text.as_bytes(), Framing::Lines, piece, left).await;
            let want = lines.iter().map(|line| Bytes::from(*line)).collect();
            assert_eq!(got, (said, want), "{text:?}");
        }
        let (said, raw) = pieces(b"abc\ndef", Framing::Raw, 3, 9).await;
        assert_eq!(said, Said::All);
        assert!(raw.iter().all(|piece| piece.len() <= 3));
        assert_eq!(raw.concat(), b"abc\ndef");
        let (to, from) = mpsc::channel(1);
        drop(from);
        let said = hand_on(&b"a\n"[..], Framing::Lines, 9, 9, &to).await;
        assert_eq!(said, Said::Unheard);
    }
}
