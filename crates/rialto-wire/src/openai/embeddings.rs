//! `/v1/embeddings`: a request passes through, an answer gets the encoding that the caller asked for.
//!
//! Stock clients ask for base64 by default, and many servers answer numbers whatever is asked. The
//! input may be a text, texts, tokens or arrays of tokens; whatever it is, it passes on as it came.

use base64ct::{Base64, Encoding};
use serde_json::value::RawValue;

use crate::json::{self, Form, fault, form};
use crate::model::{ModelError, Usage};

/// What the gateway needs to know of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The model.
    pub model: String,
    /// Whether vectors are wanted as base64 of little-endian 32-bit floats.
    pub base64: bool,
    /// How many vectors are asked for.
    pub inputs: usize,
    /// The tokens of the input, where it came as tokens; no estimate is needed then.
    pub tokens: Option<u64>,
}

/// Reads what is asked.
///
/// # Errors
/// What is wrong with the request.
pub fn read_request(body: &[u8]) -> Result<Asked, ModelError> {
    let mut from = json::document(body)?;
    let model = from.need_text("model")?;
    let base64 = match from.text("encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(fault("encoding_format", "float or base64").into()),
    };
    let wrong = || fault("input", "a text, texts, tokens, or arrays of tokens");
    let input = from.take("input").ok_or_else(wrong)?;
    let (inputs, tokens) = match form(input) {
        Form::Text => (1, None),
        Form::Array => several(input).ok_or_else(wrong)?,
        _ => return Err(wrong().into()),
    };
    Ok(Asked {
        model,
        base64,
        inputs,
        tokens,
    })
}

/// The request with the server's own name of the model; all other bytes stay.
///
/// # Errors
/// When the body cannot be read.
pub fn for_server(body: &[u8], asked: &Asked, model: &str) -> Result<Vec<u8>, ModelError> {
    if asked.model == model {
        return Ok(body.to_vec());
    }
    let name = serde_json::to_string(model).unwrap_or_default();
    Ok(json::with_member(body, "model", &name)?)
}

fn several(input: &RawValue) -> Option<(usize, Option<u64>)> {
    let tokens = |v: &RawValue| serde_json::from_str::<Vec<u32>>(v.get()).map(|t| t.len() as u64);
    if let Ok(count) = tokens(input) {
        return (count > 0).then_some((1, Some(count)));
    }
    let many = json::items(input)?;
    if many.iter().all(|v| form(v) == Form::Text) {
        return Some((many.len(), None));
    }
    let counts: Result<Vec<u64>, _> = many.iter().map(|v| tokens(v)).collect();
    Some((many.len(), Some(counts.ok()?.iter().sum())))
}

/// An answer with the encoding that was asked for, and its usage. One that has it already keeps
/// every byte.
///
/// # Errors
/// When it is none.
pub fn answer(body: &[u8], base64: bool) -> Result<(Vec<u8>, Usage), ModelError> {
    let wrong = || ModelError::malformed("it holds no embeddings");
    let mut from = json::document(body).map_err(|_| wrong())?;
    let usage = from
        .maybe_object("usage")
        .map(super::read_usage)
        .unwrap_or_default();
    let data = from.take("data").and_then(json::items).ok_or_else(wrong)?;
    let mut vectors: Vec<(u64, String)> = Vec::with_capacity(data.len());
    let mut changed = false;
    for (number, item) in data.into_iter().enumerate() {
        let mut item = json::object(item.get()).ok_or_else(wrong)?;
        let vector = item.take("embedding").ok_or_else(wrong)?;
        let index = item.maybe_count("index").unwrap_or(number as u64);
        let told = match (form(vector), base64) {
            (Form::Array, true) => {
                changed = true;
                format!("\"{}\"", packed(vector.get()).ok_or_else(wrong)?)
            }
            (Form::Text, false) => {
                changed = true;
                unpacked(&json::text(vector).unwrap_or_default()).ok_or_else(wrong)?
            }
            (Form::Array | Form::Text, _) => vector.get().to_owned(),
            _ => return Err(wrong()),
        };
        vectors.push((index, told));
    }
    if !changed {
        return Ok((body.to_vec(), usage));
    }
    let model = from.maybe_text("model").unwrap_or_default();
    let body = json::write(|m| {
        m.text("object", "list");
        m.array("data", |items| {
            for (index, vector) in &vectors {
                items.object(|m| {
                    m.text("object", "embedding");
                    m.count("index", *index);
                    m.raw("embedding", vector);
                });
            }
        });
        m.text("model", &model);
        m.object("usage", |m| {
            m.count("prompt_tokens", usage.input.unwrap_or(0));
            m.count("total_tokens", usage.total());
        });
    });
    Ok((body, usage))
}

fn packed(json: &str) -> Option<String> {
    let floats: Vec<f32> = serde_json::from_str(json).ok()?;
    let bytes: Vec<u8> = floats.iter().flat_map(|f| f.to_le_bytes()).collect();
    Some(Base64::encode_string(&bytes))
}

fn unpacked(text: &str) -> Option<String> {
    let bytes = Base64::decode_vec(text).ok()?;
    let (floats, rest) = bytes.as_chunks::<4>();
    let floats: Vec<f32> = floats.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let fine = rest.is_empty() && floats.iter().all(|f| f.is_finite());
    fine.then(|| serde_json::to_string(&floats).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_input_is_read() {
        for (input, want) in [
            (r#""a""#, Some((1, None))),
            (r#"["a","b"]"#, Some((2, None))),
            ("[1,2,3]", Some((1, Some(3)))),
            ("[[1,2],[3]]", Some((2, Some(3)))),
            ("[]", None),
            ("[\"a\",1]", None),
            ("[-1]", None),
            ("{}", None),
            ("null", None),
        ] {
            let body = format!(r#"{{"model":"m","input":{input},"encoding_format":"base64"}}"#);
            let asked = read_request(body.as_bytes()).ok();
            assert_eq!(asked.map(|a| (a.inputs, a.tokens)), want, "{input}");
        }
    }

    #[test]
    fn numbers_become_base64_and_the_reverse_and_nothing_else_changes() {
        let numbers = br#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,-0.5]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}"#;
        let (packed, usage) = answer(numbers, true).unwrap();
        assert_eq!(usage.input, Some(3));
        let text = String::from_utf8(packed.clone()).unwrap();
        assert!(text.contains(r#""embedding":"AACAPwAAAL8=""#), "{text}");
        let (back, _) = answer(&packed, false).unwrap();
        assert!(
            String::from_utf8(back)
                .unwrap()
                .contains(r#""embedding":[1.0,-0.5]"#)
        );
        assert_eq!(answer(numbers, false).unwrap().0, numbers);
        assert!(answer(br#"{"data":[{"embedding":"A"}]}"#, false).is_err());
        assert!(answer(br#"{"data":[{"embedding":["x"]}]}"#, true).is_err());
    }
}
