//! Texts without credentials, for logs and errors.

/// `text` with user and password of every URL in it replaced by `***`.
///
/// # Examples
/// ```
/// assert_eq!(bitzel_fetch::redact("get http://me:secret@host/x"), "get http://***@host/x");
/// ```
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end =
            tail.find(|c: char| c == '/' || c == '?' || c == '#' || c.is_whitespace()).unwrap_or(tail.len());
        let (authority, after) = tail.split_at(end);
        match authority.rfind('@') {
            Some(user_end) => {
                out.push_str("***");
                out.push_str(&authority[user_end..]);
            }
            None => out.push_str(authority),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_url_loses_its_credentials_and_nothing_else() {
        assert_eq!(redact("http://u@h/a@b ftp://x:y@z"), "http://***@h/a@b ftp://***@z");
        assert_eq!(redact("http://h/p?q=a@b"), "http://h/p?q=a@b");
        assert_eq!(redact("no url: a@b"), "no url: a@b");
        assert_eq!(redact("://"), "://");
    }

    proptest! {
        #[test]
        fn a_password_never_survives(password in "[a-z]{12}", before in "[^@/]{0,9}") {
            let text = format!("{before}https://user:{password}@host/path");
            prop_assert!(!redact(&text).contains(&password));
        }
    }
}
