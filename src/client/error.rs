//! Why a request failed, in words a person can act on.

use std::fmt;
use std::io;
use std::time::Duration;

use http::{Method, StatusCode};

use super::problem::Problem;
use super::url::Url;

/// A request that was not answered as it should have been: which, and why.
#[derive(Debug)]
pub struct RequestError {
    /// What was asked.
    pub method: Method,
    /// Of whom; its text shows no token.
    pub url: Box<Url>,
    /// What happened.
    pub failure: Failure,
}

/// What went wrong with a request.
#[derive(Debug)]
pub enum Failure {
    /// The host's name has no address.
    Resolve(io::Error),
    /// No TCP connection.
    Connect(io::Error),
    /// No trusted TLS connection.
    Tls(io::Error),
    /// The connection broke, or what came over it was not HTTP.
    Broken {
        /// As the HTTP layer tells it.
        source: hyper::Error,
        /// Nothing of the request had left, so that it can be sent again whatever it does.
        unsent: bool,
    },
    /// The other side was silent for too long.
    Timeout {
        /// What was waited for, as in "waiting for …".
        waiting_for: &'static str,
        /// How long.
        after: Duration,
    },
    /// The file being sent could not be read, or had changed.
    Input(io::Error),
    /// More bytes than the answer may have.
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// Fewer bytes per second than make sense to wait for.
    TooSlow,
    /// A redirect that is not followed, or a request that cannot be made, and why.
    Declined(String),
    /// An answer whose body is not what the interface says.
    Unreadable(String),
    /// The server refused.
    Status {
        /// The status.
        status: StatusCode,
        /// What it said about it.
        problem: Problem,
    },
}

impl RequestError {
    /// An error about a request for `url`.
    #[must_use]
    pub fn new(method: &Method, url: &Url, failure: Failure) -> Self {
        Self { method: method.clone(), url: Box::new(url.clone()), failure }
    }

    /// Whether the connection is to blame rather than what was asked, so that trying again may help.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        matches!(
            self.failure,
            Failure::Resolve(_) | Failure::Connect(_) | Failure::Broken { .. } | Failure::Timeout { .. }
        )
    }

    /// Whether the request certainly had no effect.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        matches!(self.failure, Failure::Resolve(_) | Failure::Connect(_) | Failure::Broken { unsent: true, .. })
    }

    /// The status, where the server answered with one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match &self.failure {
            Failure::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.url.origin().host;
        write!(f, "{} {}: ", self.method, self.url)?;
        match &self.failure {
            Failure::Resolve(why) => write!(f, "the host “{host}” was not found ({why}); is it spelled right?"),
            Failure::Connect(why) => {
                write!(f, "no connection to {} ({why}); is the server running there?", self.url.origin().authority())
            }
            Failure::Tls(why) => write!(f, "no secure connection to {host} ({why}){}", tls_advice(why)),
            Failure::Broken { source, .. } => {
                write!(f, "the connection broke ({}); try again", Chain(source))
            }
            Failure::Timeout { waiting_for, after } => {
                write!(f, "gave up after {} s of waiting for {waiting_for}; try again later", after.as_secs_f32())
            }
            Failure::Input(why) => write!(f, "the file to send could not be read ({why})"),
            Failure::TooLarge { bytes_max } => {
                write!(f, "the answer is larger than the {bytes_max} bytes this client accepts")
            }
            Failure::TooSlow => f.write_str("the server sends too slowly to wait for it; try again later"),
            Failure::Declined(why) => f.write_str(why),
            Failure::Unreadable(why) => write!(f, "the answer makes no sense ({why}); is this a Packhouse server?"),
            Failure::Status { status, problem } => {
                write!(f, "{status}")?;
                match (&problem.detail, status.as_u16()) {
                    (Some(detail), _) => write!(f, ": {detail}")?,
                    (None, 401 | 403) => f.write_str("; is the token the right one, and still valid?")?,
                    (None, 404) => f.write_str("; is the address right? A private package needs its token")?,
                    (None, 429 | 502..=504) => f.write_str("; try again later")?,
                    _ => {}
                }
                problem.field.as_ref().map_or(Ok(()), |field| write!(f, " (field {field})"))
            }
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.failure {
            Failure::Resolve(why) | Failure::Connect(why) | Failure::Tls(why) | Failure::Input(why) => Some(why),
            Failure::Broken { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The commonest reason by far is a certificate from an authority this machine does not know.
fn tls_advice(why: &io::Error) -> &'static str {
    let text = why.to_string();
    if text.contains("UnknownIssuer") {
        "; if the registry has its own certificate authority, give that with --ca-file"
    } else if text.contains("corrupt message") || text.contains("InvalidContentType") {
        "; does it speak HTTPS at all? Perhaps the address begins with http://"
    } else {
        ""
    }
}

/// An error and what caused it, in one line: hyper's own text leaves the cause out.
struct Chain<'a>(&'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(failure: Failure) -> RequestError {
        RequestError::new(&Method::GET, &"http://h:81/t/SECRET/x".parse().unwrap(), failure)
    }

    #[test]
    fn messages_name_the_address_without_its_token_and_what_to_do() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let text = error(Failure::Connect(refused)).to_string();
        assert_eq!(
            text,
            "GET http://h:81/t/…/x: no connection to h:81 (connection refused); is the server running there?"
        );
        let problem = Problem { detail: Some("1.0.0 is published".into()), field: Some("version".into()) };
        let text = error(Failure::Status { status: StatusCode::CONFLICT, problem }).to_string();
        assert!(text.ends_with("409 Conflict: 1.0.0 is published (field version)"), "{text}");
        let status = StatusCode::UNAUTHORIZED;
        let text = error(Failure::Status { status, problem: Problem::default() }).to_string();
        assert!(text.contains("is the token the right one"), "{text}");
    }

    #[test]
    fn only_the_connections_faults_are_tried_again() {
        assert!(error(Failure::Timeout { waiting_for: "an answer", after: Duration::from_secs(1) }).is_connection());
        assert!(!error(Failure::TooLarge { bytes_max: 1 }).is_connection());
        let tls = io::Error::other("invalid peer certificate: UnknownIssuer");
        assert!(error(Failure::Tls(tls)).to_string().contains("--ca-file"));
    }
}
