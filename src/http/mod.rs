//! HTTP: connections, requests and responses, and what the standards say about them.
//!
//! The server part (`server`, `connection`, `supervise`, `watched_io`, `dispatch`) owns sockets, limits and
//! timeouts. The rest are small vocabularies of HTTP: ranges, conditions, problems, cookies. Nothing here knows what a
//! package is except routing and the handlers, which translate requests to service calls and back.

pub mod access_log;
mod activity;
pub mod app;
pub mod base64;
pub mod body;
pub mod conditional;
mod connection;
mod connection_slots;
pub mod content_disposition;
pub mod cookie;
pub mod digest;
mod dispatch;
pub mod docs;
pub mod etag;
pub mod file_response;
mod form;
pub mod forwarded;
pub mod front;
mod handlers;
mod html;
mod json;
pub mod limits;
mod metrics;
mod multipart;
mod multipart_ranges;
pub mod openapi;
pub mod problem;
pub mod query;
mod random;
pub mod range;
mod refuse;
pub mod request_body;
mod request_id;
pub mod route;
pub mod same_origin;
pub mod security_headers;
pub mod server;
mod supervise;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod traffic;
mod tus;
mod watched_io;
pub mod workers;

pub use body::Body;
pub use limits::Limits;
pub use problem::Problem;
pub use request_body::{RequestBody, RequestBodyError};
pub use server::{Bounds, Peer, Server, ServerConfig};
pub use workers::Workers;
