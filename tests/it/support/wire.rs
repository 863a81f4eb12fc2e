//! [`Wire`]: HTTP/1.1 byte by byte (RFC 9112), as little of it as tests need.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Most bytes of an answer's head.
const HEAD_BYTES_MAX: u64 = 64 * 1024;
/// How long nothing may come.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A connection.
pub(crate) struct Wire {
    /// What is written to.
    pub(crate) stream: TcpStream,
    reader: BufReader<TcpStream>,
}

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
}

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).expect("the server takes connections")
    }

    pub(super) fn try_connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        stream.set_nodelay(true)?;
        let reader = BufReader::new(stream.try_clone()?);
        Ok(Self { stream, reader })
    }

    /// Says something.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Says nothing more.
    pub(crate) fn end_writing(&self) {
        // The other side may have closed already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads everything until the other side closes.
    pub(crate) fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads on until a text came.
    pub(crate) fn read_until(&mut self, text: &[u8]) {
        let mut read = Vec::new();
        while !read.ends_with(text) {
            let mut byte = [0];
            self.reader.read_exact(&mut byte).unwrap_or_else(|error| {
                panic!("{} never came: {error}\n{}", String::from_utf8_lossy(text), String::from_utf8_lossy(&read))
            });
            read.extend(byte);
        }
    }

    /// Reads one answer with its body, and leaves the connection as it is. Interim answers (1xx) are skipped.
    pub(crate) fn read_answer(&mut self) -> io::Result<(Head, Vec<u8>)> {
        let (head, framing) = read_final_head(&mut self.reader, false)?;
        let mut body = Vec::new();
        FramedReader { reader: &mut self.reader, framing }.read_to_end(&mut body)?;
        Ok((head, body))
    }

    pub(super) fn read_head(mut self, head_only: bool) -> io::Result<(Head, Body)> {
        let (head, framing) = read_final_head(&mut self.reader, head_only)?;
        Ok((head, Body(FramedReader { reader: self.reader, framing })))
    }
}

/// A body that is read as it comes.
pub(crate) struct Body(FramedReader<BufReader<TcpStream>>);

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// How the end of a body is known (RFC 9112, section 6.3).
enum Framing {
    Length(u64),
    /// Bytes left of the present chunk; nothing before the first and after the last.
    Chunked(Option<u64>),
    ToEnd,
}

struct FramedReader<R> {
    reader: R,
    framing: Framing,
}

impl<R: BufRead> Read for FramedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the body was cut");
        let left = match &mut self.framing {
            Framing::ToEnd => return self.reader.read(buffer),
            Framing::Length(left) => left,
            Framing::Chunked(state) => {
                if state.is_none_or(|left| left == 0) {
                    if *state == Some(0) {
                        read_line(&mut self.reader)?;
                    }
                    let line = read_line(&mut self.reader)?;
                    let len = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
                    if len == 0 {
                        read_line(&mut self.reader)?;
                        self.framing = Framing::Length(0);
                        return Ok(0);
                    }
                    *state = Some(len);
                }
                state.as_mut().ok_or_else(cut)?
            }
        };
        if *left == 0 {
            return Ok(0);
        }
        let most = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        let read = self.reader.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(cut());
        }
        *left -= read as u64;
        Ok(read)
    }
}

fn read_final_head(reader: &mut impl BufRead, head_only: bool) -> io::Result<(Head, Framing)> {
    loop {
        let head = read_one_head(reader)?;
        if head.status >= 200 {
            let header = |name: &str| head.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            let framing = if head_only || head.status == 204 || head.status == 304 {
                Framing::Length(0)
            } else if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
                Framing::Chunked(None)
            } else if let Some(length) = header("content-length") {
                Framing::Length(length.parse().map_err(io::Error::other)?)
            } else {
                Framing::ToEnd
            };
            return Ok((head, framing));
        }
    }
}

fn read_one_head(reader: &mut impl BufRead) -> io::Result<Head> {
    let status_line = read_line(reader)?;
    let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("this is no status line: {status_line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(Head { status, headers });
        }
        let (name, value) = line.split_once(':').ok_or_else(|| io::Error::other("a header has a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.by_ref().take(HEAD_BYTES_MAX).read_until(b'\n', &mut line)?;
    let text = String::from_utf8_lossy(&line);
    match text.strip_suffix('\n') {
        Some(text) => Ok(text.strip_suffix('\r').unwrap_or(text).to_owned()),
        None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("closed after {text:?}"))),
    }
}
