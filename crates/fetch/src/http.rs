//! HTTP requests: proxies, TLS, logins, and redirections that do not carry a login elsewhere.

use crate::error::FetchError;
use crate::job::{Job, Options};
use crate::netrc::Netrc;
use crate::redact::redact;
use base64::Engine as _;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{Response, StatusCode, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy};

const MAX_REDIRECTS: usize = 20;

/// Sends requests; connections are kept open between them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    /// For `http` and `https` each, as their proxies may differ.
    plain: Agent,
    secure: Agent,
    netrc: Arc<Netrc>,
}

impl Client {
    /// A client with these settings. Fails for a proxy or certificate file that makes no sense.
    pub fn new(options: &Options) -> Result<Client, FetchError> {
        let tls = tls(options)?;
        let agent = |scheme: &str| -> Result<Agent, FetchError> {
            let timeout = Duration::from_secs(options.timeout.max(1));
            let config = Agent::config_builder()
                .http_status_as_error(false)
                // Redirections are followed here, where it is known what may go along.
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_connect(Some(timeout))
                .timeout_per_read(Some(timeout))
                .timeout_per_write(Some(timeout))
                .timeout_recv_response(Some(timeout))
                .max_idle_connections_per_host(options.threads.max(1))
                .user_agent(concat!("bitzel/", env!("CARGO_PKG_VERSION")))
                .proxy(proxy(options, scheme)?)
                .tls_config(tls.clone());
            Ok(config.build().new_agent())
        };
        let netrc = match &options.netrc {
            // Most users have none.
            Some(path) if path.exists() => {
                Netrc::parse(&std::fs::read_to_string(path).map_err(FetchError::io("read", path))?)
            }
            _ => Netrc::default(),
        };
        Ok(Client { plain: agent("http")?, secure: agent("https")?, netrc: Arc::new(netrc) })
    }

    /// Asks for the job's URL from byte `offset` on, through redirections. The status is 200, or 206 for a part,
    /// or 416 where there is nothing from there on.
    pub fn get(&self, job: &Job, offset: u64) -> Result<Response<Body>, FetchError> {
        let mut uri = parse(&job.url)?;
        let mut login = self.login(job, &uri);
        for _ in 0..MAX_REDIRECTS {
            let response = self.send(&uri, job, offset, login.as_deref())?;
            let status = response.status();
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                return check(response, &uri);
            }
            let target = location(&response, &uri)?;
            if origin(&target) != origin(&uri) {
                // A login is for the server it was given for.
                login = self.netrc_login(&target);
            } else if !job.redirect_auth {
                login = None;
            }
            uri = target;
        }
        Err(FetchError::Redirects { url: redact(&job.url) })
    }

    fn send(
        &self,
        uri: &Uri,
        job: &Job,
        offset: u64,
        login: Option<&str>,
    ) -> Result<Response<Body>, FetchError> {
        let agent = if uri.scheme_str() == Some("https") { &self.secure } else { &self.plain };
        let mut request =
            agent.get(uri.clone()).header(header::ACCEPT, "*/*").header(header::ACCEPT_ENCODING, "identity");
        for (name, value) in &job.headers {
            request = request.header(name, value);
        }
        if let Some(login) = login {
            request = request.header(header::AUTHORIZATION, login);
        }
        if offset > 0 {
            request = request.header(header::RANGE, format!("bytes={offset}-"));
        }
        request.call().map_err(|error| network(uri, &error))
    }

    fn login(&self, job: &Job, uri: &Uri) -> Option<String> {
        match &job.user {
            Some(user) => Some(basic(user, &job.password)),
            None => self.netrc_login(uri),
        }
    }

    fn netrc_login(&self, uri: &Uri) -> Option<String> {
        self.netrc.login(uri.host()?).map(|(user, password)| basic(user, password))
    }
}

fn network(uri: &Uri, error: &ureq::Error) -> FetchError {
    FetchError::Network { url: redact(&without_query(uri)), reason: error.to_string() }
}

/// A URL for people: a query may hold a signature.
fn without_query(uri: &Uri) -> String {
    let text = uri.to_string();
    match text.split_once('?') {
        Some((path, _)) => format!("{path}?..."),
        None => text,
    }
}

fn parse(url: &str) -> Result<Uri, FetchError> {
    let bad = |reason: String| FetchError::BadUrl { url: redact(url), reason };
    // What browsers and wget send encoded, recipes may have plain.
    let uri: Uri =
        encode(url).parse().map_err(|error: ureq::http::uri::InvalidUri| bad(error.to_string()))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(uri),
        (Some("http" | "https"), _) => Err(bad("it names no host".to_owned())),
        _ => Err(bad("only `http` and `https` can be downloaded".to_owned())),
    }
}

/// Percent-encodes what must not stand in a URL; what is encoded stays.
fn encode(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0..=31 | 127..=255 => {
                out.push_str(&format!("%{byte:02X}"));
            }
            b'#' => break,
            _ => out.push(char::from(byte)),
        }
    }
    out
}

fn origin(uri: &Uri) -> (String, String, u16) {
    let scheme = uri.scheme_str().unwrap_or_default().to_owned();
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    (scheme, uri.host().unwrap_or_default().to_ascii_lowercase(), port)
}

fn location(response: &Response<Body>, base: &Uri) -> Result<Uri, FetchError> {
    let url = || redact(&without_query(base));
    let target = response
        .headers()
        .get(header::LOCATION)
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
        .ok_or_else(|| FetchError::Network { url: url(), reason: "it redirects to nowhere".to_owned() })?;
    let authority = base.authority().map(|a| a.as_str()).unwrap_or_default();
    let scheme = base.scheme_str().unwrap_or("http");
    if target.contains("://") {
        parse(target)
    } else if let Some(rest) = target.strip_prefix("//") {
        parse(&format!("{scheme}://{rest}"))
    } else if target.starts_with('/') {
        parse(&format!("{scheme}://{authority}{target}"))
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        parse(&format!("{scheme}://{authority}{folder}/{target}"))
    }
}

fn check(response: Response<Body>, uri: &Uri) -> Result<Response<Body>, FetchError> {
    let status = response.status().as_u16();
    let hint = match status {
        200 | 206 | 416 => return Ok(response),
        401 | 407 => ": give a login in the URL or in ~/.netrc",
        403 => ": the server refuses",
        404 | 410 => ": there is no such file; the source may have moved",
        429 => ": too many requests",
        _ => "",
    };
    Err(FetchError::Status { url: redact(&without_query(uri)), status, hint })
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

fn proxy(options: &Options, scheme: &str) -> Result<Option<Proxy>, FetchError> {
    let Some(url) = options.proxies.get(scheme).or_else(|| options.proxies.get("all")) else {
        return Ok(None);
    };
    let bad = |error: ureq::Error| FetchError::Setting { what: "proxy", reason: redact(&error.to_string()) };
    let url = if url.contains("://") { url.clone() } else { format!("http://{url}") };
    let parsed = Proxy::new(&url).map_err(bad)?;
    let mut builder = Proxy::builder(parsed.protocol()).host(parsed.host()).port(parsed.port());
    if let Some(user) = parsed.username() {
        builder = builder.username(user);
    }
    if let Some(password) = parsed.password() {
        builder = builder.password(password);
    }
    for host in options.no_proxy.split([',', ' ']).filter(|host| !host.is_empty()) {
        builder = builder.no_proxy(host);
        if !host.starts_with(['.', '*']) {
            // A name stands for the hosts below it too.
            builder = builder.no_proxy(&format!(".{host}"));
        }
    }
    builder.build().map(Some).map_err(bad)
}

fn tls(options: &Options) -> Result<TlsConfig, FetchError> {
    let mut builder = TlsConfig::builder().disable_verification(options.insecure);
    builder = match &options.ca_file {
        Some(path) => {
            let pem = std::fs::read(path).map_err(FetchError::io("read the certificates", path))?;
            let certificates: Vec<Certificate<'static>> = ureq::tls::parse_pem(&pem)
                .filter_map(|item| match item {
                    Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            if certificates.is_empty() {
                let reason = format!("`{}` holds no certificate", path.display());
                return Err(FetchError::Setting { what: "SSL_CERT_FILE", reason });
            }
            builder.root_certs(RootCerts::new_with_certs(&certificates))
        }
        None => builder.root_certs(RootCerts::PlatformVerifier),
    };
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_sent_as_a_server_wants_them() {
        assert_eq!(parse("http://h/a b%20c/\u{e4}#x").unwrap().path(), "/a%20b%20c/%C3%A4");
        assert!(matches!(parse("ftp://h/x"), Err(FetchError::BadUrl { .. })));
        assert!(matches!(parse("http:///x"), Err(FetchError::BadUrl { .. })));
        assert!(matches!(parse("x"), Err(FetchError::BadUrl { .. })));
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let of = |url| origin(&parse(url).unwrap());
        assert_eq!(of("http://h/a"), of("http://H:80/b"));
        assert_ne!(of("http://h/a"), of("http://h:81/a"));
        assert_ne!(of("http://h/a"), of("https://h/a"));
    }

    #[test]
    fn a_query_is_not_shown() {
        assert_eq!(without_query(&parse("http://h/a?sig=secret").unwrap()), "http://h/a?...");
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let options = Options { proxies: [("http".into(), "http://".into())].into(), ..Options::default() };
        assert!(matches!(Client::new(&options), Err(FetchError::Setting { what: "proxy", .. })));
        let options = Options { ca_file: Some("/nonexistent.pem".into()), ..Options::default() };
        assert!(matches!(Client::new(&options), Err(FetchError::Io { .. })));
    }
}
