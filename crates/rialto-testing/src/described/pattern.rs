//! The patterns that ids, hashes, times and amounts are described by: characters, classes and groups,
//! each with or without a count, from the beginning to the end of a text.

/// One atom of a pattern, with how often it may come.
struct Piece {
    atom: Atom,
    least: usize,
    most: usize,
}

enum Atom {
    /// One of some ranges of characters.
    Class(Vec<(char, char)>),
    /// A pattern of its own.
    Group(Vec<Piece>),
}

/// Whether a text fits a pattern of the form `^…$`.
///
/// # Errors
/// When the pattern uses what this does not know.
pub(super) fn fits(pattern: &str, text: &str) -> Result<bool, String> {
    let unknown = || format!("the pattern {pattern} is not known here");
    let inner = pattern.strip_prefix('^').and_then(|p| p.strip_suffix('$'));
    let mut rest = inner.ok_or_else(unknown)?;
    let pieces = pieces(&mut rest).ok_or_else(unknown)?;
    if !rest.is_empty() {
        return Err(unknown());
    }
    let text: Vec<char> = text.chars().collect();
    Ok(ends(&pieces, &text, 0).contains(&text.len()))
}

/// Reads pieces up to the end or a closing bracket.
fn pieces(rest: &mut &str) -> Option<Vec<Piece>> {
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        if first == ')' {
            break;
        }
        *rest = &rest[first.len_utf8()..];
        let atom = match first {
            '[' => {
                let (class, after) = rest.split_once(']')?;
                *rest = after;
                Atom::Class(ranges(class)?)
            }
            '(' => {
                let inner = pieces(rest)?;
                *rest = rest.strip_prefix(')')?;
                Atom::Group(inner)
            }
            '\\' => {
                let escaped = rest.chars().next().filter(|c| c.is_ascii_punctuation())?;
                *rest = &rest[1..];
                Atom::Class(vec![(escaped, escaped)])
            }
            '.' | '|' | '^' | '$' | '*' | '+' | '?' | '{' => return None,
            plain => Atom::Class(vec![(plain, plain)]),
        };
        let (least, most) = count(rest)?;
        found.push(Piece { atom, least, most });
    }
    Some(found)
}

fn ranges(class: &str) -> Option<Vec<(char, char)>> {
    let mut found = Vec::new();
    let mut rest = class.chars().peekable();
    while let Some(from) = rest.next() {
        if from == '\\' || from == '^' {
            return None;
        }
        let to = match rest.next_if_eq(&'-') {
            Some(_) => rest.next()?,
            None => from,
        };
        found.push((from, to));
    }
    Some(found)
}

fn count(rest: &mut &str) -> Option<(usize, usize)> {
    let (bounds, after) = match rest.chars().next() {
        Some('?') => ((0, 1), &rest[1..]),
        Some('*') => ((0, usize::MAX), &rest[1..]),
        Some('+') => ((1, usize::MAX), &rest[1..]),
        Some('{') => {
            let (inside, after) = rest[1..].split_once('}')?;
            let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
            let least = least.parse().ok()?;
            let most = match most {
                "" => usize::MAX,
                most => most.parse().ok()?,
            };
            ((least, most), after)
        }
        _ => ((1, 1), *rest),
    };
    *rest = after;
    Some(bounds)
}

/// Where pieces that begin at a place may end.
fn ends(pieces: &[Piece], text: &[char], from: usize) -> Vec<usize> {
    let mut places = vec![from];
    for piece in pieces {
        let mut reached = Vec::new();
        let mut here = places;
        for times in 0..=piece.most {
            if times >= piece.least {
                reached.extend(here.iter().copied());
            }
            here = here.iter().flat_map(|at| piece.once(text, *at)).collect();
            here.sort_unstable();
            here.dedup();
            if here.is_empty() {
                break;
            }
        }
        reached.sort_unstable();
        reached.dedup();
        places = reached;
    }
    places
}

impl Piece {
    fn once(&self, text: &[char], at: usize) -> Vec<usize> {
        match &self.atom {
            Atom::Group(pieces) => {
                let mut after = ends(pieces, text, at);
                // A group that takes nothing would come again for ever.
                after.retain(|end| *end > at);
                after
            }
            Atom::Class(ranges) => {
                let next = text.get(at);
                let fits = next.is_some_and(|c| ranges.iter().any(|(a, b)| a <= c && c <= b));
                if fits { vec![at + 1] } else { Vec::new() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn texts_fit_patterns() {
        let id = "^deal_[0-9a-hjkmnp-tv-z]{12}$";
        let decimal = "^-?[0-9]+(\\.[0-9]+)?$";
        let time = "^[0-9]{4,}-[0-9]{2}T[0-9]{2}\\.[0-9]{3}Z$";
        for (pattern, text, want) in [
            (id, "deal_000000005001", true),
            (id, "deal_00000000500u", false),
            (id, "deal_00000000500", false),
            (id, "deal_0000000050011", false),
            (id, "task_000000005001", false),
            (decimal, "12", true),
            (decimal, "-12.50", true),
            (decimal, "12.", false),
            (decimal, ".5", false),
            (decimal, "", false),
            (decimal, "1.5.5", false),
            (time, "2026-11T10.001Z", true),
            (time, "12026-11T10.001Z", true),
            (time, "026-11T10.001Z", false),
            (time, "2026-11T10x001Z", false),
        ] {
            assert_eq!(fits(pattern, text), Ok(want), "{pattern} {text}");
        }
        for unknown in ["abc", "^a|b$", "^[^a]$", "^a{x}$", "^(a$", "^a)$", "^.$"] {
            assert!(fits(unknown, "a").is_err(), "{unknown}");
        }
    }
}
