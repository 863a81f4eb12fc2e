//! One client with one connection that it keeps: sends a request, reads the answer, remembers nothing.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::options::Options;

type Failure = Box<dyn Error + Send + Sync>;

/// What is read at a time.
const READ_BYTES: usize = 256 << 10;
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where the server is, and as whom to speak to it.
pub(crate) struct Server {
    host: String,
    token: Option<String>,
}

impl Server {
    pub(crate) fn of(options: &Options) -> Result<Self, Failure> {
        let url = options.text("url")?;
        let host = url.strip_prefix("http://").ok_or("--url begins with http://")?.trim_end_matches('/').to_owned();
        Ok(Self { host, token: options.text("token").ok().map(str::to_owned) })
    }

    pub(crate) fn connect(&self) -> Result<Client<'_>, Failure> {
        let stream = TcpStream::connect(&self.host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Client { server: self, stream, out: Vec::new(), input: vec![0; READ_BYTES] })
    }

    /// Runs `work` in as many threads as there are clients, each with its own connection and number. The first error
    /// of any ends up as the error of all.
    pub(crate) fn with_clients<T: Send>(
        &self,
        clients: usize,
        work: impl Fn(&mut Client<'_>, usize) -> Result<T, Failure> + Sync,
    ) -> Result<Vec<T>, Failure> {
        let one = &|number| self.connect().and_then(|mut client| work(&mut client, number));
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..clients).map(|number| scope.spawn(move || one(number))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err("a client panicked".into())))
                .collect()
        })
    }
}

pub(crate) struct Client<'s> {
    server: &'s Server,
    stream: TcpStream,
    out: Vec<u8>,
    input: Vec<u8>,
}

impl Client<'_> {
    /// Sends a small request and returns the status.
    pub(crate) fn send(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<u16, Failure> {
        self.head(method, path, kind, Some(body.len() as u64))?;
        self.out.extend_from_slice(body);
        self.stream.write_all(&self.out)?;
        Ok(self.answer()?.0)
    }

    /// The same, where anything but success is an error.
    pub(crate) fn demand(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<(), Failure> {
        match self.send(method, path, kind, body)? {
            200..=299 => Ok(()),
            status => Err(format!("{method} {path} was answered {status}").into()),
        }
    }

    /// Uploads pieces that are `len_bytes` together.
    pub(crate) fn upload<'c>(
        &mut self,
        path: &str,
        len_bytes: u64,
        pieces: impl Iterator<Item = &'c [u8]>,
    ) -> Result<(), Failure> {
        self.head("PUT", path, "application/octet-stream", Some(len_bytes))?;
        self.stream.write_all(&self.out)?;
        for piece in pieces {
            self.stream.write_all(piece)?;
        }
        match self.answer()?.0 {
            200..=299 => Ok(()),
            status => Err(format!("PUT {path} was answered {status}").into()),
        }
    }

    /// Downloads a file and throws it away; returns its length.
    pub(crate) fn download(&mut self, path: &str) -> Result<u64, Failure> {
        self.head("GET", path, "", None)?;
        self.stream.write_all(&self.out)?;
        match self.answer()? {
            (200, len_bytes) => Ok(len_bytes),
            (status, _) => Err(format!("GET {path} was answered {status}").into()),
        }
    }

    fn head(&mut self, method: &str, path: &str, kind: &str, len_bytes: Option<u64>) -> Result<(), Failure> {
        self.out.clear();
        write!(self.out, "{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.server.host)?;
        if let Some(token) = &self.server.token {
            write!(self.out, "Authorization: Bearer {token}\r\n")?;
        }
        if let Some(len_bytes) = len_bytes {
            write!(self.out, "Content-Type: {kind}\r\nContent-Length: {len_bytes}\r\n")?;
        }
        self.out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Reads an answer to its end: its status and the length of its content.
    fn answer(&mut self) -> Result<(u16, u64), Failure> {
        let mut filled = 0;
        let head_end = loop {
            let count = self.stream.read(&mut self.input[filled..])?;
            if count == 0 {
                return Err("the server closed the connection".into());
            }
            filled += count;
            if let Some(at) = self.input[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = std::str::from_utf8(&self.input[..head_end])?;
        let status: u16 = head.get(9..12).ok_or("no status")?.parse()?;
        let len_bytes = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(Ok(0), |(_, value)| value.parse::<u64>())?;
        let mut left = len_bytes.checked_sub((filled - head_end) as u64).ok_or("more bytes than announced")?;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(READ_BYTES);
            match self.stream.read(&mut self.input[..want])? {
                0 => return Err("the answer was cut off".into()),
                count => left -= count as u64,
            }
        }
        Ok((status, len_bytes))
    }
}
