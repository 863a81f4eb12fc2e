//! [`AccessLog`]: a line for each request, written behind the requests' backs.
//!
//! Owns the line's form, which is that of all other log lines, and the queue between those who serve and the thread that
//! writes. Serving never waits for the log: what does not fit into the queue is counted, and the number is logged. A line
//! is written within a few milliseconds, many with one call where there are many. It holds no path, no header and no
//! secret, only what `Entry` has.

use std::cell::RefCell;
use std::io::Write;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Method;

use crate::model::Timestamp;

/// What the lines are called in the log's filter.
pub const TARGET: &str = "packhouse::request";

/// What may wait to be written, in bytes: some thousand lines, which is what a few milliseconds can bring.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// What is written without waiting for more, in bytes.
const BATCH_BYTES: usize = 64 << 10;
/// How long more lines are waited for.
const GATHER: Duration = Duration::from_millis(4);

/// How lines of the log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object in each line.
    Json,
    /// The same for systemd's journal, which reads the weight of a line from its beginning (sd-daemon(3)).
    Journal,
}

/// How much a line matters.
#[derive(Debug, Clone, Copy)]
enum Level {
    Info,
    Warn,
}

/// What is said about a request.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Letters, digits and `-_.` only.
    pub(super) id: &'a str,
    pub(super) client: IpAddr,
    pub(super) method: &'a Method,
    pub(super) route: &'static str,
    pub(super) caller: &'a str,
    pub(super) status: u16,
    /// The length of the answer's content, where it is known beforehand.
    pub(super) len_bytes: Option<u64>,
    pub(super) duration: Duration,
}

/// Where lines about requests go: to a writer, by way of a thread, or nowhere.
#[derive(Debug, Default)]
pub struct AccessLog {
    queue: Option<Arc<Queue>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Queue {
    format: LogFormat,
    /// Whether lines are wanted at the moment.
    enabled: AtomicBool,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whole lines.
    text: Vec<u8>,
    /// Lines that found no room since the last batch.
    lost: u64,
    closed: bool,
}

/// A line before it goes into the queue: written by each thread for itself, since the queue is for all of them.
#[derive(Debug, Default)]
struct Draft {
    text: Vec<u8>,
    /// The second of the last line, and how it is written.
    second: u64,
    written_second: String,
}

thread_local! {
    static DRAFT: RefCell<Draft> = RefCell::default();
}

impl AccessLog {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn start(mut out: impl Write + Send + 'static, format: LogFormat) -> std::io::Result<Self> {
        let queue =
            Arc::new(Queue { format, enabled: AtomicBool::new(true), state: Mutex::default(), work: Condvar::new() });
        let source = Arc::clone(&queue);
        let thread = thread::Builder::new().name("request log".to_owned()).spawn(move || {
            let mut batch = Vec::new();
            while source.next(&mut batch) {
                // A log that cannot be written has no place to say so.
                let _ = out.write_all(&batch).and_then(|()| out.flush());
                batch.clear();
            }
        })?;
        Ok(Self { queue: Some(queue), thread: Mutex::new(Some(thread)) })
    }

    /// Writes what is waiting and takes no more lines.
    pub fn close(&self) {
        let Some(queue) = &self.queue else { return };
        queue.state().closed = true;
        queue.work.notify_one();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic of the thread was reported by its hook.
            let _ = thread.join();
        }
    }

    /// Says whether lines are wanted from now on; they are at first.
    pub fn enable(&self, enabled: bool) {
        if let Some(queue) = &self.queue {
            queue.enabled.store(enabled, Ordering::Relaxed);
        }
    }

    pub(super) fn note(&self, entry: &Entry<'_>) {
        let Some(queue) = self.queue.as_ref().filter(|queue| queue.enabled.load(Ordering::Relaxed)) else { return };
        let (before, after) = DRAFT.with_borrow_mut(|line| {
            line.begin(queue.format, Level::Info);
            match queue.format {
                LogFormat::Text => entry.write_text(&mut line.text),
                LogFormat::Json | LogFormat::Journal => entry.write_json(&mut line.text),
            }
            queue.state().take(&line.text)
        });
        // The thread sleeps until there is a line, and then until there are many.
        if (before == 0 && after > 0) || (before < BATCH_BYTES && after >= BATCH_BYTES) {
            queue.work.notify_one();
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.close();
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is valid between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for lines and moves them to `batch`, which is empty; false when there will be none.
    fn next(&self, batch: &mut Vec<u8>) -> bool {
        let state = self.work.wait_while(self.state(), |state| state.text.is_empty() && !state.closed);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let few = |state: &mut State| state.text.len() < BATCH_BYTES && !state.closed;
        let waited = self.work.wait_timeout_while(state, GATHER, few);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let lost = std::mem::take(&mut state.lost);
        if lost > 0 && !state.closed {
            let mut line = Draft::default();
            line.begin(self.format, Level::Warn);
            // Writing to memory does not fail.
            let _ = match self.format {
                LogFormat::Text => writeln!(line.text, "the log was behind; lines left out: {lost}"),
                LogFormat::Json | LogFormat::Journal => {
                    writeln!(line.text, ",\"message\":\"the log was behind\",\"lines_left_out\":{lost}}}")
                }
            };
            state.text.append(&mut line.text);
        }
        std::mem::swap(&mut state.text, batch);
        !batch.is_empty() || !state.closed
    }
}

impl State {
    /// Takes a line, if there is room; says how much waited before and how much waits now, in bytes.
    fn take(&mut self, line: &[u8]) -> (usize, usize) {
        let before = self.text.len();
        if self.closed || before >= WAITING_BYTES_MAX {
            self.lost += 1;
        } else {
            self.text.extend_from_slice(line);
        }
        (before, self.text.len())
    }
}

impl Draft {
    fn begin(&mut self, format: LogFormat, level: Level) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.text.clear();
        if self.second != now.as_secs() || self.written_second.is_empty() {
            self.second = now.as_secs();
            let micros = i64::try_from(self.second.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
            self.written_second = Timestamp::from_micros(micros).to_string().trim_end_matches('Z').to_owned();
        }
        let Self { text, written_second, .. } = self;
        let before = match (format, level) {
            (LogFormat::Text, _) => "",
            (LogFormat::Journal, Level::Warn) => "<4>{\"time\":\"",
            (LogFormat::Journal, Level::Info) => "<6>{\"time\":\"",
            (LogFormat::Json, _) => "{\"time\":\"",
        };
        put(text, before);
        put(text, written_second);
        put(text, ".");
        put_micros(text, now.subsec_micros());
        put(
            text,
            match (format, level) {
                (LogFormat::Text, Level::Info) => "Z  INFO ",
                (LogFormat::Text, Level::Warn) => "Z  WARN ",
                (_, Level::Info) => "Z\",\"level\":\"INFO\",\"target\":\"",
                (_, Level::Warn) => "Z\",\"level\":\"WARN\",\"target\":\"",
            },
        );
        put(text, TARGET);
        put(text, if format == LogFormat::Text { ": " } else { "\"" });
    }
}

impl Entry<'_> {
    /// No value needs escaping: a method is a token (RFC 9110, section 5.6.2), a caller a name or a number.
    fn write_json(&self, text: &mut Vec<u8>) {
        put(text, ",\"id\":\"");
        put(text, self.id);
        put(text, "\",\"client\":\"");
        put_address(text, self.client);
        put(text, "\",\"method\":\"");
        put(text, self.method.as_str());
        put(text, "\",\"route\":\"");
        put(text, self.route);
        put(text, "\",\"caller\":\"");
        put(text, self.caller);
        put(text, "\",\"status\":");
        put_number(text, self.status.into());
        if let Some(len_bytes) = self.len_bytes {
            put(text, ",\"bytes\":");
            put_number(text, len_bytes);
        }
        put(text, ",\"micros\":");
        put_number(text, self.micros());
        put(text, "}\n");
    }

    fn write_text(&self, text: &mut Vec<u8>) {
        put(text, "id=");
        put(text, self.id);
        put(text, " client=");
        put_address(text, self.client);
        put(text, " method=");
        put(text, self.method.as_str());
        put(text, " route=\"");
        put(text, self.route);
        put(text, "\" caller=");
        put(text, self.caller);
        put(text, " status=");
        put_number(text, self.status.into());
        if let Some(len_bytes) = self.len_bytes {
            put(text, " bytes=");
            put_number(text, len_bytes);
        }
        put(text, " micros=");
        put_number(text, self.micros());
        put(text, "\n");
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX)
    }
}

// A line is written for each request: without `write!`, which takes several times as long for it.

fn put(text: &mut Vec<u8>, part: &str) {
    text.extend_from_slice(part.as_bytes());
}

fn put_number(text: &mut Vec<u8>, mut number: u64) {
    // The most that 64 bits have.
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] += (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[first..]);
}

/// The part of a second, as six digits.
fn put_micros(text: &mut Vec<u8>, mut micros: u32) {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit += (micros % 10) as u8;
        micros /= 10;
    }
    text.extend_from_slice(&digits);
}

fn put_address(text: &mut Vec<u8>, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        // Writing to memory does not fail.
        let _ = write!(text, "{address}");
        return;
    };
    for (at, part) in address.octets().into_iter().enumerate() {
        put(text, if at == 0 { "" } else { "." });
        put_number(text, part.into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Hands on what is written, and waits before each until it is told to go on.
    struct Slow {
        go: mpsc::Receiver<()>,
        text: Arc<Mutex<String>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            // Nobody tells any more: the test waits for nothing.
            let _ = self.go.recv();
            self.text.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn slow(format: LogFormat) -> (AccessLog, mpsc::Sender<()>, Arc<Mutex<String>>) {
        let (go, waiting) = mpsc::channel();
        let text = Arc::new(Mutex::new(String::new()));
        (AccessLog::start(Slow { go: waiting, text: Arc::clone(&text) }, format).unwrap(), go, text)
    }

    #[test]
    fn numbers_and_addresses_are_written_as_always() {
        for number in [0, 1, 9, 10, 99, 100, 304, 65_535, u64::MAX] {
            let mut text = Vec::new();
            put_number(&mut text, number);
            assert_eq!(text, number.to_string().into_bytes());
        }
        for micros in [0, 1, 20, 300, 999_999] {
            let mut text = Vec::new();
            put_micros(&mut text, micros);
            assert_eq!(text, format!("{micros:06}").into_bytes());
        }
        for address in ["0.0.0.0", "127.0.0.1", "255.10.9.100", "::1", "2001:db8::ff00:42"] {
            let mut text = Vec::new();
            put_address(&mut text, address.parse().unwrap());
            assert_eq!(text, address.as_bytes());
        }
    }

    fn entry(len_bytes: Option<u64>) -> Entry<'static> {
        Entry {
            id: "0123456789abcdef",
            client: [192, 0, 2, 1].into(),
            method: &Method::GET,
            route: "file",
            caller: "omni",
            status: 200,
            len_bytes,
            duration: Duration::from_micros(1234),
        }
    }

    #[test]
    fn a_line_is_like_all_others() {
        let (log, go, text) = slow(LogFormat::Text);
        log.note(&entry(Some(5)));
        log.enable(false);
        log.note(&entry(Some(6)));
        log.enable(true);
        log.note(&entry(None));
        drop(go);
        log.close();
        log.note(&entry(None));
        let text = text.lock().unwrap();
        let lines: Vec<_> = text.lines().map(|line| line.split_once("Z  INFO ").unwrap()).collect();
        let [(first, with), (_, without)] = lines[..] else { panic!("{text}") };
        let rest =
            "packhouse::request: id=0123456789abcdef client=192.0.2.1 method=GET route=\"file\" caller=omni status=200";
        assert_eq!((with, without), (&*format!("{rest} bytes=5 micros=1234"), &*format!("{rest} micros=1234")));
        assert_eq!(first.len(), "2026-11-21T08:30:00.123456".len());
        format!("{first}Z").parse::<Timestamp>().unwrap();
    }

    #[test]
    fn programs_read_json() {
        for (format, weight) in [(LogFormat::Json, ""), (LogFormat::Journal, "<6>")] {
            let (log, go, text) = slow(format);
            log.note(&entry(Some(5)));
            drop(go);
            log.close();
            let text = text.lock().unwrap();
            let line: serde_json::Value = serde_json::from_str(text.strip_prefix(weight).unwrap()).unwrap();
            let time = line["time"].as_str().unwrap().parse::<Timestamp>();
            assert!(time.is_ok(), "{text}");
            let mut line = line.as_object().unwrap().clone();
            line.remove("time");
            let expected = serde_json::json!({
                "level": "INFO", "target": "packhouse::request", "id": "0123456789abcdef", "client": "192.0.2.1",
                "method": "GET", "route": "file", "caller": "omni", "status": 200, "bytes": 5, "micros": 1234,
            });
            assert_eq!(serde_json::Value::from(line), expected);
        }
    }

    #[test]
    fn lines_that_find_no_room_are_counted() {
        let (log, go, text) = slow(LogFormat::Text);
        let line_bytes = 100;
        for _ in 0..3 * WAITING_BYTES_MAX / line_bytes {
            log.note(&entry(None));
        }
        go.send(()).unwrap();
        drop(go);
        // A line that comes later finds room again.
        while log.queue.as_ref().unwrap().state().text.len() >= WAITING_BYTES_MAX {
            thread::yield_now();
        }
        log.note(&entry(Some(7)));
        log.close();
        let text = text.lock().unwrap();
        assert!(text.len() < 3 * WAITING_BYTES_MAX);
        assert!(text.contains("WARN packhouse::request: the log was behind; lines left out: "));
        assert!(text.lines().last().unwrap().ends_with(" bytes=7 micros=1234") || text.contains("bytes=7"));
    }
}
