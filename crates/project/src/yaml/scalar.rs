//! What a plain scalar means in PyYAML: the implicit resolvers of YAML 1.1 as
//! PyYAML has them (`y` and `n` are texts, `1e3` is a text, `017` is 15).

/// The tag PyYAML gives a plain scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// `null`, `~`, empty.
    Null,
    /// `yes`, `on`, `true`, ...
    Bool,
    /// Decimal, octal, hexadecimal, binary or base 60.
    Int,
    /// With a decimal point.
    Float,
    /// A date or a time.
    Timestamp,
    /// `<<`.
    Merge,
    /// `=`, which PyYAML's safe loader refuses.
    Value,
    /// Everything else.
    Str,
}

/// The tag of the plain scalar `text`.
pub fn resolve(text: &str) -> Tag {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Tag::Null,
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "true" | "True" | "TRUE" | "false" | "False"
        | "FALSE" | "on" | "On" | "ON" | "off" | "Off" | "OFF" => Tag::Bool,
        "<<" => Tag::Merge,
        "=" => Tag::Value,
        _ if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => Tag::Str,
        _ if is_float(text) => Tag::Float,
        _ if is_int(text) => Tag::Int,
        _ if is_timestamp(text) => Tag::Timestamp,
        _ => Tag::Str,
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn all(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

fn digits_(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && all(text, |c| c.is_ascii_digit() || c == '_')
}

/// `[0-5]?[0-9]`
fn sixty(part: &str) -> bool {
    match part.as_bytes() {
        [d] => d.is_ascii_digit(),
        [a, b] => (b'0'..=b'5').contains(a) && b.is_ascii_digit(),
        _ => false,
    }
}

fn is_int(text: &str) -> bool {
    let text = unsigned(text);
    if let Some(bits) = text.strip_prefix("0b") {
        return all(bits, |c| matches!(c, '0' | '1' | '_'));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return all(hex, |c| c.is_ascii_hexdigit() || c == '_');
    }
    if text == "0" {
        return true;
    }
    if let Some(octal) = text.strip_prefix('0') {
        return all(octal, |c| matches!(c, '0'..='7' | '_'));
    }
    let mut parts = text.split(':');
    parts.next().is_some_and(digits_) && parts.all(sixty)
}

fn is_float(text: &str) -> bool {
    let number = unsigned(text);
    if matches!(number, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (mantissa, exponent) = match number.find(['e', 'E']) {
        Some(at) => (&number[..at], Some(&number[at + 1..])),
        None => (number, None),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        e.starts_with(['+', '-']) && e.len() > 1 && e[1..].bytes().all(|b| b.is_ascii_digit())
    });
    let Some((whole, fraction)) = mantissa.split_once('.') else { return false };
    if !exponent_fits || !fraction.chars().all(|c| c.is_ascii_digit() || c == '_') {
        return false;
    }
    if whole.is_empty() {
        // `.5`: no sign, and a digit first
        return text.starts_with('.') && fraction.starts_with(|c: char| c.is_ascii_digit());
    }
    let mut parts = whole.split(':');
    let first = parts.next().is_some_and(digits_);
    let mut sixties = parts.peekable();
    let has_sixties = sixties.peek().is_some();
    first && sixties.all(sixty) && !(has_sixties && exponent.is_some())
}

fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let number = |part: &str, low: usize, high: usize| {
        (low..=high).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    let Some(end) = text.find(|c: char| !(c.is_ascii_digit() || c == '-')) else {
        return bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-' && {
            let mut parts = text.split('-');
            parts.next().is_some_and(|p| number(p, 4, 4)) && parts.all(|p| number(p, 2, 2))
        };
    };
    let (date, rest) = text.split_at(end);
    let date: Vec<&str> = date.split('-').collect();
    let [year, month, day] = date[..] else { return false };
    if !(number(year, 4, 4) && number(month, 1, 2) && number(day, 1, 2)) {
        return false;
    }
    let time = rest.strip_prefix(['T', 't']).unwrap_or_else(|| rest.trim_start_matches([' ', '\t']));
    if time.len() == rest.len() {
        return false;
    }
    is_time(time)
}

/// `H:MM:SS[.fraction][ zone]`
fn is_time(text: &str) -> bool {
    let clock_end = text.find(|c: char| !(c.is_ascii_digit() || c == ':')).unwrap_or(text.len());
    let (clock, mut rest) = text.split_at(clock_end);
    let clock: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = clock[..] else { return false };
    if !(1..=2).contains(&hour.len()) || minute.len() != 2 || second.len() != 2 {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let zone = rest.trim_start_matches([' ', '\t']);
    if rest.is_empty() || zone == "Z" {
        return true;
    }
    let Some(zone) = zone.strip_prefix(['+', '-']) else { return false };
    let (hours, minutes) = zone.split_once(':').unwrap_or((zone, "00"));
    (1..=2).contains(&hours.len())
        && minutes.len() == 2
        && hours.chars().chain(minutes.chars()).all(|c| c.is_ascii_digit())
}

/// The number PyYAML makes of an `!!int` text; `None` where it does not fit.
pub fn int(text: &str) -> Option<i128> {
    let text = text.replace('_', "");
    let negative = text.starts_with('-');
    let text = unsigned(&text);
    let number = if let Some(bits) = text.strip_prefix("0b") {
        i128::from_str_radix(bits, 2).ok()?
    } else if let Some(hex) = text.strip_prefix("0x") {
        i128::from_str_radix(hex, 16).ok()?
    } else if text == "0" {
        0
    } else if text.starts_with('0') {
        i128::from_str_radix(text, 8).ok()?
    } else {
        text.split(':').try_fold(0i128, |sum, part| sum.checked_mul(60)?.checked_add(part.parse().ok()?))?
    };
    Some(if negative { -number } else { number })
}

/// The number PyYAML makes of a `!!float` text.
pub fn float(text: &str) -> Option<f64> {
    let text = text.replace('_', "").to_lowercase();
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let number = match unsigned(&text) {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        text => text.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?,
    };
    Some(sign * number)
}

/// The truth PyYAML makes of a `!!bool` text.
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_like_texts_stay_texts() {
        for text in ["1234e567", "1e3", "0o17", "y", "N", "08", "1.2.3", "2024-1-2", "1:70", "+", "-", "0x"] {
            assert_eq!(resolve(text), Tag::Str, "{text}");
        }
    }

    #[test]
    fn yaml_1_1_numbers_are_numbers() {
        for (text, value) in
            [("017", 15), ("0b101", 5), ("0x1F", 31), ("1_000", 1000), ("1:30", 90), ("-0", 0), ("+12", 12)]
        {
            assert_eq!(resolve(text), Tag::Int, "{text}");
            assert_eq!(int(text), Some(value), "{text}");
        }
        for (text, value) in [("1.5", 1.5), ("1.e+3", 1000.0), (".5", 0.5), ("1:30.5", 90.5), ("-1.0", -1.0)]
        {
            assert_eq!(resolve(text), Tag::Float, "{text}");
            assert_eq!(float(text), Some(value), "{text}");
        }
    }

    #[test]
    fn dates_are_dates() {
        for text in
            ["2024-01-02", "2024-1-2 3:04:05", "2024-01-02T03:04:05.5Z", "2001-12-14t21:59:43.10-05:00"]
        {
            assert_eq!(resolve(text), Tag::Timestamp, "{text}");
        }
    }
}
