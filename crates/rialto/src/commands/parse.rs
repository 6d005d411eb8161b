//! Small values as people write them on a command line.
//!
//! Each function is a clap value parser: it says what was expected, and reads no file except
//! standard input for `-`.

use std::io::Read;

use rialto_core::amount::Decimal;
use rialto_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Time};
use serde_json::{Value, json};

use crate::output::CliError;

/// The most text read from standard input, in bytes.
const MAX_TEXT_BYTES: u64 = 1 << 20;

/// A duration such as `90s`, `15m`, `2h` or `1d`, in milliseconds.
pub(crate) fn duration_ms(text: &str) -> Result<u64, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => SECOND_MS,
        "m" => MINUTE_MS,
        "h" => HOUR_MS,
        "d" => DAY_MS,
        _ => return Err("expected a number with a unit: 500ms, 90s, 15m, 2h or 1d".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a whole number before the unit".to_owned())?;
    number
        .checked_mul(unit_ms)
        .ok_or_else(|| "the duration is too long".to_owned())
}

/// An amount such as `12.50`, as text.
pub(crate) fn amount(text: &str) -> Result<String, String> {
    text.parse::<Decimal>()
        .map(Decimal::text)
        .map_err(|e| e.to_string())
}

/// `NAME=PRICE` as a listing's item.
pub(crate) fn item(text: &str) -> Result<Value, String> {
    let (name, price) = text
        .rsplit_once('=')
        .ok_or("expected NAME=PRICE, such as Taco=3.50")?;
    Ok(json!({ "name": name, "price": amount(price)? }))
}

/// `NAME` or `NAME=QUANTITY` as a line of wanted or promised items.
pub(crate) fn line(text: &str) -> Result<Value, String> {
    let (item, quantity) = match text.rsplit_once('=') {
        None => (text, 1),
        Some((item, number)) => (
            item,
            number
                .parse::<u32>()
                .map_err(|_| "expected NAME or NAME=QUANTITY")?,
        ),
    };
    Ok(json!({ "item": item, "quantity": quantity }))
}

/// `NAME`, `NAME=true`, `NAME=4` or `NAME=text` as an attribute.
pub(crate) fn attribute(text: &str) -> Result<Value, String> {
    let (name, value) = match text.split_once('=') {
        None => (text, json!({ "flag": true })),
        Some((name, "true")) => (name, json!({ "flag": true })),
        Some((name, "false")) => (name, json!({ "flag": false })),
        Some((name, value)) => match value.parse::<i64>() {
            Ok(number) => (name, json!({ "number": number })),
            Err(_) => (name, json!({ "text": value })),
        },
    };
    Ok(json!({ "name": name, "value": value }))
}

/// `AGENT=PERCENT` as a share of a team's proceeds.
pub(crate) fn share(text: &str) -> Result<(String, u32), String> {
    let wanted =
        "expected AGENT=PERCENT with at most four digits after the point, such as @ana=62.5";
    let (agent, percent) = text.split_once('=').ok_or(wanted)?;
    let percent: Decimal = percent.trim_end_matches('%').parse().map_err(|_| wanted)?;
    let ppm = percent.amount(4).map_err(|_| wanted)?.0;
    Ok((
        agent.to_owned(),
        u32::try_from(ppm)
            .ok()
            .filter(|p| *p <= 1_000_000)
            .ok_or(wanted)?,
    ))
}

/// A node of the principal tree: `realm`, an owner, a team or an agent.
pub(crate) fn node(text: &str) -> Result<Value, String> {
    Ok(match text.split('_').next() {
        _ if text == "realm" => json!("realm"),
        _ if text.starts_with('@') => json!({ "agent": text }),
        Some("owner") => json!({ "owner": text }),
        Some("team") => json!({ "team": text }),
        Some("agent") => json!({ "agent": text }),
        _ if text.is_empty() => {
            return Err(
                "expected realm, @handle, an owner's name, or an agent_, team_ or owner_ id"
                    .to_owned(),
            );
        }
        _ => json!({ "owner": text }),
    })
}

/// `FROM..TO`, both days (`2026-11-01`) or times (`2026-11-01T09:00:00Z`), either left out; as
/// milliseconds since 1970. A day as the end counts whole.
pub(crate) fn period(text: &str) -> Result<(Option<u64>, Option<u64>), String> {
    let (from, to) = text
        .split_once("..")
        .ok_or("expected FROM..TO, such as 2026-11-01..2026-11-30")?;
    let from = if from.is_empty() {
        None
    } else {
        Some(instant(from)?)
    };
    let to = match to {
        "" => None,
        day if !day.contains('T') => Some(instant(day)? + DAY_MS),
        time => Some(instant(time)?),
    };
    Ok((from, to))
}

/// A day or an RFC 3339 time in UTC, in milliseconds since 1970.
pub(crate) fn instant(text: &str) -> Result<u64, String> {
    let wanted =
        || format!("{text:?} is neither a day (2026-11-01) nor a UTC time (2026-11-01T09:00:00Z)");
    let (day, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let fields = |text: &str, separator: char| -> Option<Vec<u64>> {
        text.split(separator)
            .map(|f| {
                f.bytes()
                    .all(|b| b.is_ascii_digit())
                    .then(|| f.parse().ok())?
            })
            .collect()
    };
    let days = match fields(day, '-').as_deref() {
        Some([year @ 1970..=9999, month @ 1..=12, day @ 1..=31]) => {
            days_since_1970(*year, *month, *day)
        }
        _ => return Err(wanted()),
    };
    let time = time.strip_suffix('Z').ok_or_else(wanted)?;
    let ms = match fields(time, ':').as_deref() {
        Some([hour @ 0..=23, minute @ 0..=59, second @ 0..=59]) => {
            hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS
        }
        _ => return Err(wanted()),
    };
    let at = days * DAY_MS + ms;
    // The 31st of February and its like read back as another day.
    if Time(at).to_string().starts_with(day) {
        Ok(at)
    } else {
        Err(wanted())
    }
}

/// Howard Hinnant's `days_from_civil`, for years from 1970 on
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The text itself, or for `-` what standard input holds.
///
/// # Errors
/// When standard input is not text, or is longer than a body may be.
pub(crate) fn text_or_stdin(text: &str) -> Result<String, CliError> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut read = String::new();
    let from = std::io::stdin()
        .take(MAX_TEXT_BYTES + 1)
        .read_to_string(&mut read);
    let length = from
        .map_err(|e| CliError::usage(format!("cannot read the text from standard input: {e}")))?;
    if length as u64 > MAX_TEXT_BYTES {
        return Err(CliError::usage(
            "the text on standard input is longer than 1 MiB",
        ));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        for (text, want) in [
            ("500ms", Some(500)),
            ("90s", Some(90_000)),
            ("2h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("90", None),
            ("h", None),
            ("-1s", None),
            ("1.5h", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(duration_ms(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn attributes_take_the_type_of_their_value() {
        for (text, want) in [
            ("outdoor", json!({ "flag": true })),
            ("outdoor=false", json!({ "flag": false })),
            ("stars=4", json!({ "number": 4 })),
            ("kind=tex-mex", json!({ "text": "tex-mex" })),
        ] {
            assert_eq!(attribute(text).unwrap()["value"], want, "{text}");
        }
    }

    #[test]
    fn shares_are_millionths() {
        assert_eq!(share("@ana=62.5"), Ok(("@ana".into(), 625_000)));
        assert_eq!(share("@ana=100%"), Ok(("@ana".into(), 1_000_000)));
        for bad in ["@ana", "@ana=101", "@ana=-1", "@ana=0.00001", "@ana=x"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn periods_name_days_and_times() {
        let day = |text: &str| instant(text).unwrap();
        assert_eq!(
            period("2026-11-01..2026-11-30"),
            Ok((Some(day("2026-11-01")), Some(day("2026-12-01"))))
        );
        assert_eq!(
            period("..2026-11-22T12:40:34Z"),
            Ok((None, Some(1_795_351_234_000)))
        );
        assert_eq!(period("2000-02-29.."), Ok((Some(951_782_400_000), None)));
        for bad in [
            "2026-11-01",
            "2026-02-30..",
            "x..y",
            "2026-11-01T09:00..",
            "1969-12-31..",
        ] {
            assert!(period(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_may_hold_an_equals_sign() {
        assert_eq!(
            item("a=b=1.5").unwrap(),
            json!({ "name": "a=b", "price": "1.5" })
        );
        assert_eq!(
            line("Taco").unwrap(),
            json!({ "item": "Taco", "quantity": 1 })
        );
        assert!(line("Taco=two").is_err());
        assert!(item("Taco").is_err());
    }
}
