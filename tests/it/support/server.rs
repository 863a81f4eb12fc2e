//! [`TestServer`]: the real binary on a free port, with a directory that goes when it does.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::client::{Client, Credentials, Site};
use super::files::Files;
use super::prepared::{Prepared, Scope};
use super::wire::Wire;

/// Nothing in a test takes that long unless something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How much of the log a failure prints.
const LOG_BYTES_SHOWN: usize = 4 * 1024;

/// The program under test; `IT_BINARY` names another build of it.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("IT_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_packhouse").into(), PathBuf::from)
}

/// A command in whose environment no flag is set.
pub(crate) fn free_of_flags(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PACKHOUSE_") {
            command.env_remove(name);
        }
    }
    command
}

/// A running server.
pub(crate) struct TestServer {
    running: Option<Running>,
    data: Data,
    flags: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    site: Arc<Site>,
    setup_url: Option<String>,
    past_log: String,
    checks_log: bool,
    began_empty: bool,
}

enum Data {
    Temporary(TempDir),
    Given(PathBuf),
}

struct Running {
    process: Child,
    log: Arc<Log>,
    log_reader: JoinHandle<()>,
}

#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

/// How a server is to be started.
pub(crate) struct Start<'a> {
    flags: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    data: Option<PathBuf>,
    files: Option<&'a Files>,
}

impl<'a> Start<'a> {
    /// Adds flags of `serve`.
    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(OsString::from));
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// On a directory that has nobody yet, to be set up.
    pub(crate) fn empty(mut self) -> Self {
        self.files = None;
        self
    }

    /// On a copy of a directory other than the one with the users of every kind.
    pub(crate) fn copy_of(mut self, files: &'a Files) -> Self {
        self.files = Some(files);
        self
    }

    /// On a directory of the test's own, which stays as it is left.
    pub(crate) fn on(mut self, data: &Path) -> Self {
        self.data = Some(data.to_owned());
        self
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(self) -> TestServer {
        let data = match self.data {
            Some(path) => Data::Given(path),
            None => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                if let Some(files) = self.files {
                    files.write_to(folder.path());
                }
                Data::Temporary(folder)
            }
        };
        let mut server = TestServer {
            running: None,
            data,
            flags: self.flags,
            variables: self.variables,
            site: Arc::default(),
            setup_url: None,
            past_log: String::new(),
            checks_log: true,
            began_empty: self.files.is_none(),
        };
        server.run();
        server
    }
}

impl TestServer {
    /// A server that has the users of every kind.
    pub(crate) fn start() -> Self {
        Self::with().start()
    }

    /// A server to be started in a particular way.
    pub(crate) fn with<'a>() -> Start<'a> {
        Start { flags: Vec::new(), variables: Vec::new(), data: None, files: Some(&Prepared::get().files) }
    }

    fn run(&mut self) {
        let mut command = free_of_flags(&binary());
        command.arg("serve").arg("--data").arg(self.data()).args(["--listen", "127.0.0.1:0"]).args(&self.flags);
        if !self.flags.iter().any(|flag| flag == "--log-format") {
            command.args(["--log-format", "text"]);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the binary starts");
        let log = Arc::new(Log::default());
        let log_reader = std::thread::spawn({
            let (log, stderr) = (Arc::clone(&log), process.stderr.take().expect("it is piped"));
            move || log.follow(stderr)
        });
        let lines = lines_of(process.stdout.take().expect("it is piped"));
        self.running = Some(Running { process, log, log_reader });
        let listening = self.line(&lines);
        let origin = listening.strip_prefix("listening on ").unwrap_or_else(|| panic!("this came first: {listening}"));
        let (_, address) = origin.split_once("://").expect("an origin");
        self.site.moved_to(address.parse().expect("an address"), origin);
        self.setup_url = self.has_nobody().then(|| {
            let line = self.line(&lines);
            line.strip_prefix("setup at ").unwrap_or_else(|| panic!("this came second: {line}")).to_owned()
        });
    }

    /// Whether the server is still to be set up; only one that began without users is asked.
    fn has_nobody(&self) -> bool {
        let attempt = serde_json::json!({ "token": "", "name": "omni", "password": super::PASSWORD });
        self.began_empty && {
            let refused = self.anonymous().post("/api/v1/setup").json(&attempt).is(403);
            !refused.text().contains("set up already")
        }
    }

    fn line(&mut self, lines: &Receiver<String>) -> String {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("the server said nothing\n{}", self.log()),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.wait();
                panic!("the server ended with {status} before it listened\n{}", self.log())
            }
        }
    }

    /// Where it is, as in `http://127.0.0.1:40000`.
    pub(crate) fn origin(&self) -> String {
        self.site.origin()
    }

    /// The address it listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.site.address()
    }

    /// The address under which the first account is made, if it said one.
    pub(crate) fn setup_url(&self) -> Option<&str> {
        self.setup_url.as_deref()
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        match &self.data {
            Data::Temporary(folder) => folder.path(),
            Data::Given(path) => path,
        }
    }

    /// The id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().expect("it runs").process.id()
    }

    /// Everything it logged, in all its runs.
    pub(crate) fn log(&self) -> String {
        let now = self.running.as_ref().map(|running| running.log.text.lock().unwrap().clone());
        format!("{}{}", self.past_log, now.unwrap_or_default())
    }

    /// The same when the lines of all requests that were answered are in it, which come a moment later.
    pub(crate) fn settled_log(&self) -> String {
        let line = "route=\"healthz\"";
        let ours = |log: &str| log.matches(line).count();
        let before = ours(&self.running.as_ref().expect("it runs").log.text.lock().unwrap());
        self.anonymous().get("/healthz").is(200);
        self.wait_until_log(line, |log| ours(log) > before);
        self.log()
    }

    /// Waits until this run's log holds a text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        self.wait_until_log(text, |log| log.contains(text));
    }

    fn wait_until_log(&self, what: &str, is: impl Fn(&str) -> bool) {
        let log = &self.running.as_ref().expect("it runs").log;
        let (log, waited) = log.grown.wait_timeout_while(log.text.lock().unwrap(), PATIENCE, |log| !is(log)).unwrap();
        assert!(!waited.timed_out(), "the log never said {what:?}\n{log}");
    }

    /// Has it stop in good order and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Kills it (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    /// Asks it to stop and returns at once.
    pub(crate) fn begin_stop(&self) {
        self.signal(Signal::TERM);
    }

    /// Has it read its configuration again (SIGHUP).
    pub(crate) fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// Starts it again on the same directory, after it was stopped or killed. Users and clients find it.
    pub(crate) fn restart(&mut self) {
        assert!(self.running.is_none(), "it was stopped before");
        self.run();
    }

    /// Lets this server log errors and panics: the test provokes them.
    pub(crate) fn may_fail(&mut self) {
        self.checks_log = false;
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid() as i32).expect("no process has the id 0");
        kill_process(pid, signal).expect("the signal is sent");
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("it runs");
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match running.process.try_wait().expect("it is our child") {
                Some(status) => break status,
                None if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
                None => {
                    let _ = running.process.kill();
                    panic!("it did not end\n{}", running.log.text.lock().unwrap());
                }
            }
        };
        running.log_reader.join().expect("the log is read to its end");
        self.past_log.push_str(&running.log.text.lock().unwrap());
        status
    }

    /// Who has no account.
    pub(crate) fn anonymous(&self) -> Client {
        self.client(Credentials::None)
    }

    /// A user, signed in with a cookie as a browser is: `root`, `omni`, `olga`, `mara`, `rita`, `uma`.
    pub(crate) fn user(&self, name: &str) -> Client {
        let body = serde_json::json!({ "name": name, "password": super::PASSWORD });
        let answer = self.anonymous().post("/api/v1/session").json(&body).send().is(200);
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        self.client(Credentials::Cookie(cookie))
    }

    /// The owner of most packages, signed in.
    pub(crate) fn omni(&self) -> Client {
        self.user("omni")
    }

    /// A user's API token.
    pub(crate) fn token(&self, user: &str, scope: Scope) -> Client {
        self.bearer(Prepared::get().token(user, scope))
    }

    /// The text of that token.
    pub(crate) fn secret(&self, user: &str, scope: Scope) -> &'static str {
        Prepared::get().token(user, scope)
    }

    /// A token of `omni`'s that has expired.
    pub(crate) fn expired_token(&self) -> Client {
        self.bearer(&Prepared::get().expired_token)
    }

    /// Whoever shows this token in the header.
    pub(crate) fn bearer(&self, token: &str) -> Client {
        self.client(Credentials::Bearer(token.to_owned()))
    }

    /// Somebody known on another copy of the same directory, here.
    pub(crate) fn also(&self, other: &Client) -> Client {
        self.client(other.credentials().clone())
    }

    fn client(&self, credentials: Credentials) -> Client {
        Client::new(Arc::clone(&self.site), credentials)
    }

    /// A connection on which the test says every byte itself.
    pub(crate) fn connect(&self) -> Wire {
        Wire::connect(self.address())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let panicking = std::thread::panicking();
        if self.running.is_some() {
            if panicking {
                self.kill();
            } else {
                let status = self.stop();
                assert!(status.success(), "it ended with {status}\n{}", self.log());
            }
        }
        if panicking {
            let log = &self.past_log;
            let start = (log.len().saturating_sub(LOG_BYTES_SHOWN)..).find(|at| log.is_char_boundary(*at));
            println!("{}\n--- the end of the log\n{}", self.site.last_exchange(), &log[start.unwrap_or_default()..]);
        } else if self.checks_log {
            for trouble in ["panic", " ERROR ", "status=500"] {
                assert!(!self.past_log.contains(trouble), "the log has {trouble:?}\n{}", self.past_log);
            }
        }
    }
}

impl Log {
    fn follow(&self, stderr: ChildStderr) {
        let mut lines = BufReader::new(stderr);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
            self.text.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
            self.grown.notify_all();
            line.clear();
        }
    }
}

/// The lines of an output as they come.
fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
