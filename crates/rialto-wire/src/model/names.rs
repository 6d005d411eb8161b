//! Names of tools, and ids of their calls, as narrower servers take them.
//!
//! Servers take letters, digits, `_` and `-`, up to a length. A name that does not fit is shortened
//! and made unique by a checksum, and put back in the answer. Ids of calls are changed the same way
//! on both sides, so that a result finds its call.

use super::{Answer, Content, Delta, Loss, Losses, Request};

/// The tools' names that were changed: as sent, and as the caller knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(Vec<(String, String)>);

/// The name, or one that fits and tells its origin apart.
pub(crate) fn fitting(name: &str, max: usize, extra: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || extra.contains(c);
    if !name.is_empty() && name.len() <= max && name.chars().all(fine) {
        return name.to_owned();
    }
    let kept = name.chars().map(|c| if fine(c) { c } else { '_' });
    let mut short: String = kept.take(max.saturating_sub(9)).collect();
    short.push_str(&format!("_{:08x}", crc32fast::hash(name.as_bytes())));
    short
}

impl Names {
    /// Changes what does not fit in a request, names that as a loss, and remembers the names.
    pub(crate) fn fit(
        request: &mut Request,
        (names, ids): (usize, usize),
        id_extra: &str,
        losses: &mut Losses,
    ) -> Self {
        let mut changed = Self::default();
        for tool in &mut request.tools {
            changed.change(&mut tool.name, names, losses);
        }
        if let Some(super::Choice::Tool(name)) = &mut request.choice {
            changed.change(name, names, losses);
        }
        for part in request.messages.iter_mut().flat_map(|m| &mut m.parts) {
            let id = match &mut part.content {
                Content::ToolCall(call) => {
                    changed.change(&mut call.name, names, losses);
                    &mut call.id
                }
                Content::ToolResult(result) => &mut result.id,
                _ => continue,
            };
            let short = fitting(id, ids, id_extra);
            losses.add_if(short != *id, Loss::ToolName);
            *id = short;
        }
        changed
    }

    fn change(&mut self, name: &mut String, max: usize, losses: &mut Losses) {
        let short = fitting(name, max, "");
        if short == *name {
            return;
        }
        losses.add(Loss::ToolName);
        let full = std::mem::replace(name, short.clone());
        if self.0.iter().all(|(s, _)| *s != short) {
            self.0.push((short, full));
        }
    }

    fn put_back(&self, name: &mut String) {
        if let Some((_, full)) = self.0.iter().find(|(short, _)| short == name) {
            full.clone_into(name);
        }
    }

    /// Puts the caller's names back into an answer.
    pub(crate) fn restore(&self, answer: &mut Answer) {
        for part in &mut answer.parts {
            if let Content::ToolCall(call) = &mut part.content {
                self.put_back(&mut call.name);
            }
        }
    }

    /// Puts the caller's name back into a delta.
    pub(crate) fn restore_delta(&self, delta: &mut Delta) {
        if let Delta::ToolStart { name, .. } = delta {
            self.put_back(name);
        }
    }
}
