//! AWS's binary framing of events, `application/vnd.amazon.eventstream`, read and written.
//!
//! A frame is the length of all, the length of the headers, a CRC-32 of these two, the headers, the
//! payload, and a CRC-32 of all before; numbers are big-endian (AWS, "Amazon Transcribe: event stream
//! encoding"). A wrong checksum or length ends the reading: what follows has no known beginning.

/// How large a frame may be: AWS's own limits are 16 MiB of payload and 128 KiB of headers.
pub const MAX_FRAME: usize = (16 << 20) + (128 << 10) + 16;

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// One frame; headers that are no strings are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What is wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A length that no frame has.
    Length,
    /// A checksum that is not that of the bytes.
    Checksum,
    /// Headers that cannot be read.
    Headers,
}

/// Reads frames out of bytes that come in any pieces.
#[derive(Debug, Default)]
pub struct Parser {
    held: Vec<u8>,
    broken: Option<Broken>,
}

impl Parser {
    /// Takes the next bytes, hands whole frames to a function.
    ///
    /// # Errors
    /// When the bytes are no frames; nothing is read after that.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Frame)) -> Result<(), Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        self.held.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(rest) = self.held.get(from..) {
            match frame(rest) {
                Ok(None) => break,
                Ok(Some((frame, length))) => {
                    from += length;
                    each(frame);
                }
                Err(broken) => {
                    self.broken = Some(broken);
                    self.held = Vec::new();
                    return Err(broken);
                }
            }
        }
        self.held.drain(..from);
        Ok(())
    }

    /// Whether the stream ended between frames.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.broken.is_none() && self.held.is_empty()
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

/// The first frame and its length, or nothing if it is not all there.
fn frame(bytes: &[u8]) -> Result<Option<(Frame, usize)>, Broken> {
    let (Some(prelude), Some(total), Some(headers), Some(check)) = (
        bytes.get(..8),
        number(bytes, 0),
        number(bytes, 4),
        number(bytes, 8),
    ) else {
        return Ok(None);
    };
    if crc32fast::hash(prelude) != check {
        return Err(Broken::Checksum);
    }
    let (total, headers) = (total as usize, headers as usize);
    let room = total
        .checked_sub(PRELUDE + CHECKSUM)
        .ok_or(Broken::Length)?;
    if total > MAX_FRAME || headers > room {
        return Err(Broken::Length);
    }
    let Some(whole) = bytes.get(..total) else {
        return Ok(None);
    };
    let (body, check) = whole.split_at(total - CHECKSUM);
    if number(check, 0) != Some(crc32fast::hash(body)) {
        return Err(Broken::Checksum);
    }
    let body = body.get(PRELUDE..).unwrap_or_default();
    let (head, payload) = body.split_at(headers);
    let frame = Frame {
        headers: read_headers(head).ok_or(Broken::Headers)?,
        payload: payload.to_vec(),
    };
    Ok(Some((frame, total)))
}

fn read_headers(mut bytes: &[u8]) -> Option<Vec<(String, String)>> {
    fn take<'a>(bytes: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
        let (head, rest) = bytes.split_at_checked(n)?;
        *bytes = rest;
        Some(head)
    }
    let mut headers = Vec::new();
    while !bytes.is_empty() {
        let length = *take(&mut bytes, 1)?.first()?;
        let name = std::str::from_utf8(take(&mut bytes, length.into())?).ok()?;
        // True, false, byte, short, integer, long, bytes, string, timestamp, UUID.
        let kind = *take(&mut bytes, 1)?.first()?;
        let size = match kind {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            6 | 7 => {
                let two = take(&mut bytes, 2)?;
                u16::from_be_bytes(two.try_into().ok()?).into()
            }
            9 => 16,
            _ => return None,
        };
        let value = take(&mut bytes, size)?;
        if kind == 7 {
            headers.push((name.to_owned(), std::str::from_utf8(value).ok()?.to_owned()));
        }
    }
    Some(headers)
}

/// Writes a frame whose headers are short strings of ours.
pub(crate) fn write(out: &mut Vec<u8>, headers: &[(&str, &str)], payload: &[u8]) {
    let mut head = Vec::new();
    for (name, value) in headers {
        let length = |text: &str| u8::try_from(text.len()).unwrap_or(0);
        head.push(length(name));
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(&[7, 0, length(value)]);
        head.extend_from_slice(value.as_bytes());
    }
    let total = PRELUDE + head.len() + payload.len() + CHECKSUM;
    let from = out.len();
    // A payload is a piece of an answer, far below 4 GiB.
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&number(total));
    out.extend_from_slice(&number(head.len()));
    let check = crc32fast::hash(out.get(from..).unwrap_or_default());
    out.extend_from_slice(&check.to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
    let check = crc32fast::hash(out.get(from..).unwrap_or_default());
    out.extend_from_slice(&check.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<Frame>, Result<(), Broken>) {
        let (mut parser, mut frames) = (Parser::default(), Vec::new());
        let end = parser.push(bytes, |f| frames.push(f));
        (frames, end)
    }

    #[test]
    fn a_frame_without_headers_is_awss_example() {
        // `empty_message` of the test vectors of AWS's SDKs.
        let mut out = Vec::new();
        write(&mut out, &[], b"");
        let want = [
            0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff,
        ];
        assert_eq!(out, want);
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let mut good = Vec::new();
        write(&mut good, &[(":event-type", "x")], b"{}");
        assert_eq!(read(&good).0.len(), 1);
        for at in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[at / 8] ^= 1 << (at % 8);
            let (frames, end) = read(&bad);
            assert!(frames.is_empty() && end.is_err(), "bit {at}");
        }
    }

    #[test]
    fn headers_of_every_type_are_passed_over() {
        let head = b"\x01a\x00\x01b\x01\x01c\x02\x09\x01d\x03\0\x01\x01e\x04\0\0\0\x01\x01f\x05\0\0\0\0\0\0\0\x01\x01g\x06\0\x02xy\x01h\x07\0\x01z\x01i\x08\0\0\0\0\0\0\0\x01\x01j\x090123456789abcdef";
        assert_eq!(read_headers(head), Some(vec![("h".into(), "z".into())]));
        assert_eq!(read_headers(b"\x01a\x0a"), None);
        assert_eq!(read_headers(b"\x05a"), None);
    }

    #[test]
    fn lengths_out_of_bounds_are_refused_before_anything_is_held() {
        for (total, head) in [(u32::MAX, 0), (15, 0), (16, 1), (0, 0)] {
            let mut bytes = [total.to_be_bytes(), head_bytes(head)].concat();
            let check = crc32fast::hash(&bytes);
            bytes.extend(check.to_be_bytes());
            assert_eq!(read(&bytes).1, Err(Broken::Length), "{total} {head}");
        }
    }

    fn head_bytes(n: u32) -> [u8; 4] {
        n.to_be_bytes()
    }
}
