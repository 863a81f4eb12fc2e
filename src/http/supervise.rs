//! Drives a connection and ends it when it does not get on.
//!
//! Owns the timeouts between and around requests. Hyper's own header timeout is not used: it runs between requests too,
//! so it could not be shorter than the idle time, and it makes a timer for each request. Here a connection has one timer,
//! which is set again only when it would fire too late.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;
use super::activity::{Activity, Phase, Protocol};

/// What the server asks of all its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Go on.
    Run,
    /// Finish what is running, take nothing new.
    Drain,
    /// End now.
    Abort,
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By the protocol's rules, or by the peer.
    Done(Result<(), hyper::Error>),
    /// The TLS handshake failed.
    NoHandshake(std::io::Error),
    /// It stayed in this phase for too long.
    TimedOut(Phase),
    /// The server ends.
    Aborted,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(Ok(())) => f.write_str("closed"),
            Self::Done(Err(error)) => write!(f, "failed: {error}"),
            Self::NoHandshake(error) => write!(f, "ended in its TLS handshake: {error}"),
            Self::TimedOut(phase) => write!(f, "timed out while {phase:?}"),
            Self::Aborted => f.write_str("aborted by shutdown"),
        }
    }
}

/// Runs a connection to its end.
pub(super) async fn run<C>(
    connection: C,
    activity: &Activity,
    protocol: Protocol,
    limits: &Limits,
    mut orders: watch::Receiver<Order>,
) -> Ended
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    let mut supervisor = Supervisor {
        activity,
        protocol,
        limits,
        current: activity.phase(protocol),
        since: Instant::now(),
        lingering_since: None,
        closing: false,
        timer: None,
    };
    loop {
        tokio::select! {
            // Orders first: an answer that leaves behind one says that the connection closes.
            biased;
            changed = orders.changed() => {
                let order = if changed.is_ok() { *orders.borrow() } else { Order::Abort };
                match order {
                    Order::Run => {}
                    Order::Drain => supervisor.close(connection.as_mut()),
                    Order::Abort => return Ended::Aborted,
                }
            }
            ended = poll_fn(|context| supervisor.poll(context, connection.as_mut())) => return ended,
        }
    }
}

struct Supervisor<'a> {
    activity: &'a Activity,
    protocol: Protocol,
    limits: &'a Limits,
    current: (Phase, u32),
    /// Since when `current` is what it is.
    since: Instant,
    lingering_since: Option<Instant>,
    /// The connection was asked to close as soon as nothing runs.
    closing: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Supervisor<'_> {
    fn close(&mut self, connection: Pin<&mut impl GracefulConnection>) {
        self.closing = true;
        self.since = Instant::now();
        connection.graceful_shutdown();
    }

    fn poll<C>(&mut self, context: &mut Context<'_>, mut connection: Pin<&mut C>) -> Poll<Ended>
    where
        C: GracefulConnection<Error = hyper::Error>,
    {
        loop {
            if let Poll::Ready(result) = connection.as_mut().poll(context) {
                return Poll::Ready(Ended::Done(result));
            }
            let now = self.activity.phase(self.protocol);
            if now != self.current {
                self.current = now;
                self.since = Instant::now();
            }
            let Some(deadline) = self.deadline() else { return Poll::Pending };
            if self.poll_timer(context, deadline).is_pending() {
                return Poll::Pending;
            }
            if self.current.0 != Phase::Idle || self.closing {
                return Poll::Ready(Ended::TimedOut(self.current.0));
            }
            // An idle connection is told so: HTTP/2 has a frame for it, HTTP/1 just closes.
            self.close(connection.as_mut());
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        let timeout = self.timeout(self.current.0)?;
        let deadline = self.since + timeout;
        if self.current.0 != Phase::Lingering {
            return Some(deadline);
        }
        let lingering_since = *self.lingering_since.get_or_insert(self.since);
        Some(deadline.min(lingering_since + self.limits.linger_timeout))
    }

    fn timeout(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::Busy => None,
            Phase::Handshake => Some(self.limits.tls_handshake_timeout),
            Phase::Head => Some(self.limits.header_timeout),
            // The peer was told to go; it only has to say goodbye.
            Phase::Idle if self.closing => Some(self.limits.linger_idle_timeout),
            Phase::Idle => Some(self.limits.idle_timeout),
            Phase::Blocked | Phase::Stalled => Some(self.limits.write_timeout),
            Phase::Lingering => Some(self.limits.linger_idle_timeout),
        }
    }

    /// Ready when `deadline` is over. A timer that fires early only costs a look at the clock, so one that is set for
    /// an earlier deadline stays: a busy connection touches it about once per idle timeout, not once per request.
    fn poll_timer(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline || timer.is_elapsed() && timer.deadline() < deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(context).is_ready() {
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
