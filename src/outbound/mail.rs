//! Mail, handed to the server that the settings name (SMTP, RFC 5321; TLS as of RFC 8314 and RFC 3207). The server is the operator's own
//! word, so it may stand in a private network; what it says back is kept short and never taken for more than a text.

use std::{net::IpAddr, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{authentication::Credentials, extension::ClientId},
};

/// The longest one step of an exchange takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest a whole exchange takes.
const WHOLE: Duration = Duration::from_secs(40);

/// How the way to the server is kept private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte, usually on port 465.
    #[default]
    Tls,
    /// TLS by STARTTLS, which must be there; usually on port 587.
    StartTls,
    /// Neither: for a server on this machine.
    None,
}

impl MailSecurity {
    pub const ALL: [(&'static str, Self); 3] = [("tls", Self::Tls), ("starttls", Self::StartTls), ("none", Self::None)];

    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// The server mail is handed to.
#[derive(Clone)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub security: MailSecurity,
    pub credentials: Option<(String, String)>,
    /// What this server calls itself.
    pub own_name: String,
}

/// A letter: text, and nothing else.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    pub from: &'a str,
    pub from_name: &'a str,
    pub to: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
}

/// Why a letter did not go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    #[error("A password would go over the network unencrypted. Set smtpSecurity to tls or starttls.")]
    NotPrivate,
    #[error("{0} is no address mail can be sent to or from.")]
    Address(&'static str),
    #[error("The mail server {host} could not be reached: {why}.")]
    Unreachable { host: String, why: String },
    #[error("The mail server {host} refused it: {why}.")]
    Refused { host: String, why: String, for_good: bool },
}

impl MailError {
    /// Whether the same letter may go later without anybody changing anything.
    #[must_use]
    pub const fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { for_good, .. } => !*for_good,
            Self::NotPrivate | Self::Address(_) => false,
        }
    }
}

impl MailServer {
    fn is_this_machine(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
        let failed = |error: lettre::transport::smtp::Error| self.told(&error);
        let builder = match self.security {
            MailSecurity::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&self.host).map_err(failed)?,
            MailSecurity::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&self.host).map_err(failed)?,
            MailSecurity::None if self.credentials.is_some() && !self.is_this_machine() => return Err(MailError::NotPrivate),
            MailSecurity::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host),
        };
        let mut builder = builder.port(self.port).timeout(Some(PATIENCE)).hello_name(ClientId::Domain(self.own_name.clone()));
        if let Some((user, password)) = &self.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(builder.build())
    }

    /// Hands over a letter.
    pub async fn send(&self, letter: &Letter<'_>) -> Result<(), MailError> {
        let message = message(letter)?;
        let transport = self.transport()?;
        match tokio::time::timeout(WHOLE, transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.told(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// Whether the server answers and takes the credentials. Nothing is sent.
    pub async fn try_out(&self) -> Result<(), MailError> {
        let transport = self.transport()?;
        match tokio::time::timeout(WHOLE, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(self.silent()),
            Ok(Err(error)) => Err(self.told(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    fn silent(&self) -> MailError {
        MailError::Unreachable { host: self.host.clone(), why: "it does not answer".to_owned() }
    }

    fn told(&self, error: &lettre::transport::smtp::Error) -> MailError {
        let host = self.host.clone();
        // The last cause says what it was; the others say that there was one.
        let mut cause: &dyn std::error::Error = error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        let why: String = cause.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
        let why = why.trim_end_matches('.').to_owned();
        // Of the sign-in, not of the letter: whoever mends the password need not send anything again.
        if error.status().is_some_and(|code| ["530", "534", "535", "538"].contains(&code.to_string().as_str())) {
            return MailError::Unreachable { host, why };
        }
        // What this letter is, such as an address the server cannot take.
        if error.is_client() {
            return MailError::Refused { host, why, for_good: true };
        }
        if error.is_permanent() {
            return MailError::Refused { host, why, for_good: true };
        }
        if error.is_transient() {
            return MailError::Refused { host, why, for_good: false };
        }
        MailError::Unreachable { host, why }
    }
}

fn message(letter: &Letter<'_>) -> Result<Message, MailError> {
    let from = letter.from.parse().map_err(|_| MailError::Address("The sender"))?;
    let to = letter.to.parse().map_err(|_| MailError::Address("The recipient"))?;
    // What would break a header off is no part of a name or a subject.
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let name = Some(plain(letter.from_name)).filter(|name| !name.is_empty());
    Message::builder()
        .from(Mailbox::new(name, from))
        .to(Mailbox::new(None, to))
        .subject(plain(letter.subject))
        .header(Automatic)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.to_owned())
        .map_err(|_| MailError::Address("The recipient"))
}

/// Vacation notices need not answer (RFC 3834).
#[derive(Clone)]
struct Automatic;

impl lettre::message::header::Header for Automatic {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: Letter<'_> = Letter {
        from: "shop@example.com",
        from_name: "Löwe, Inc.",
        to: "ann@example.com",
        subject: "Ihr Schlüssel",
        text: "é\n.\n",
    };

    #[test]
    fn no_line_of_a_text_becomes_a_header() {
        let text = message(&Letter {
            subject: "a\r\nBcc: eve@example.com",
            from_name: "x\r\nBcc: eve@example.com",
            text: "Bcc: eve@example.com",
            ..LETTER
        })
        .unwrap()
        .formatted();
        let text = String::from_utf8(text).unwrap();
        let headers = text.split_once("\r\n\r\n").unwrap().0;
        assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
        assert!(headers.contains("Auto-Submitted: auto-generated"), "{headers}");
        assert!(message(&Letter { to: "ann@example.com\r\nRCPT TO:<eve@example.com>", ..LETTER }).is_err());
        assert!(message(&Letter { from: "", ..LETTER }).is_err());
    }

    #[test]
    fn a_password_goes_nowhere_unencrypted() {
        let server = |host: &str, security| MailServer {
            host: host.to_owned(),
            port: 25,
            security,
            credentials: Some(("a".to_owned(), "b".to_owned())),
            own_name: "localhost".to_owned(),
        };
        for host in ["mail.example.com", "10.0.0.1", "localhost.example.com"] {
            assert!(matches!(server(host, MailSecurity::None).transport(), Err(MailError::NotPrivate)), "{host}");
            assert!(server(host, MailSecurity::StartTls).transport().is_ok());
        }
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            assert!(server(host, MailSecurity::None).transport().is_ok(), "{host}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_may_be_there_later() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let server = MailServer {
            host: "127.0.0.1".to_owned(),
            port,
            security: MailSecurity::None,
            credentials: None,
            own_name: "localhost".to_owned(),
        };
        let error = server.send(&LETTER).await.unwrap_err();
        assert!(matches!(&error, MailError::Unreachable { .. }) && error.passes(), "{error}");
        assert!(server.try_out().await.unwrap_err().passes());
    }
}
