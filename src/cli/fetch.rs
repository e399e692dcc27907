//! Fetching a key set. HTTPS only, but for this very machine; no redirects: keys come from the address that was named.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use super::outcome::CliError;

const MOST: u64 = 1024 * 1024;
const WAIT: Duration = Duration::from_secs(10);

struct Address<'a> {
    tls: bool,
    host: &'a str,
    port: u16,
    path: &'a str,
}

/// The body at an address. Refuses everything but a plain 200.
pub(super) fn text(url: &str) -> Result<String, CliError> {
    let address = parse(url)?;
    let failed = |why: String| CliError::refused("fetch_failed", format!("{url} could not be fetched: {why}."));
    let answer = ask(&address).map_err(|error| failed(error.to_string()))?;
    let answer = String::from_utf8(answer).map_err(|_| failed("the answer is no text".to_owned()))?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| failed("the answer is not HTTP".to_owned()))?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        status => Err(failed(format!("the answer was {}", status.unwrap_or("empty")))),
    }
}

fn parse(url: &str) -> Result<Address<'_>, CliError> {
    let bad = || CliError::usage(format!("{url} is no address like https://activate.example.com/.well-known/jwks.json."));
    let (tls, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(bad()),
    };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '@' | '\\' | '"');
    if authority.is_empty() || !authority.chars().all(plain) || !path.chars().all(|c| c.is_ascii_graphic()) {
        return Err(bad());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| bad())?),
        _ => (authority, if tls { 443 } else { 80 }),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if !tls && !matches!(host, "127.0.0.1" | "::1" | "localhost") {
        return Err(CliError::usage("Keys are fetched over https, or anyone on the way could exchange them."));
    }
    Ok(Address { tls, host, port, path })
}

fn ask(address: &Address<'_>) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut last = None;
    let mut stream = None;
    for socket in (address.host, address.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&socket, WAIT) {
            Ok(connected) => {
                stream = Some(connected);
                break;
            }
            Err(error) => last = Some(error),
        }
    }
    let mut stream = match (stream, last) {
        (Some(stream), _) => stream,
        (None, Some(error)) => return Err(error.into()),
        (None, None) => return Err("the host has no address".into()),
    };
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    // HTTP/1.0, so that the answer comes whole and ends with the connection.
    let host = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.to_owned() };
    let request = format!("GET {} HTTP/1.0\r\nHost: {host}:{}\r\nAccept: application/json\r\n\r\n", address.path, address.port);
    if !address.tls {
        stream.write_all(request.as_bytes())?;
        return all(&mut stream);
    }
    let roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from(address.host.to_owned())?;
    let mut session = rustls::ClientConnection::new(Arc::new(config), name)?;
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    tls.write_all(request.as_bytes())?;
    all(&mut tls)
}

fn all(from: &mut impl Read) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut answer = Vec::new();
    from.take(MOST + 1).read_to_end(&mut answer)?;
    if answer.len() as u64 > MOST { Err("the answer is larger than any key set".into()) } else { Ok(answer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        let address = parse("https://a.example/.well-known/jwks.json").unwrap_or_else(|_| panic!("an address"));
        assert_eq!((address.host, address.port, address.path, address.tls), ("a.example", 443, "/.well-known/jwks.json", true));
        let address = parse("http://[::1]:3000/k").unwrap_or_else(|_| panic!("an address"));
        assert_eq!((address.host, address.port, address.path), ("::1", 3000, "/k"));
        for url in ["http://a.example/k", "ftp://a.example", "https://", "https://a b/", "https://u@a.example/", "https://a:x/"] {
            assert!(matches!(parse(url), Err(CliError::Usage(_))), "{url}");
        }
    }
}
