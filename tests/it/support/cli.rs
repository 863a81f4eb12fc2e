//! [`Cli`]: a run of the program as a user or a script makes it.

use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::server::{binary, free_of_flags};

/// A command line that is being put together.
pub(crate) struct Cli {
    command: Command,
    input: String,
}

/// How it ended.
pub(crate) struct Ran {
    command: String,
    status: Option<i32>,
    /// Its standard output.
    pub(crate) out: String,
    /// Its standard error.
    pub(crate) err: String,
}

impl Cli {
    pub(crate) fn new(words: &[&str]) -> Self {
        let mut command = free_of_flags(&binary());
        command.args(words);
        Self { command, input: String::new() }
    }

    /// Adds words.
    pub(crate) fn and(mut self, words: &[&str]) -> Self {
        self.command.args(words);
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Shows a token.
    pub(crate) fn token(self, secret: &str) -> Self {
        self.env("PACKHOUSE_TOKEN", secret)
    }

    /// Gives it something to read.
    pub(crate) fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    /// Runs it to its end and expects an exit status.
    #[track_caller]
    pub(crate) fn exits(mut self, status: i32) -> Ran {
        let command = format!("{:?}", self.command);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = self.command.spawn().expect("the program starts");
        // It need not read what it is given.
        let _ = process.stdin.take().expect("it is piped").write_all(self.input.as_bytes());
        let output = process.wait_with_output().expect("it ends");
        let ran = Ran {
            command,
            status: output.status.code(),
            out: String::from_utf8(output.stdout).expect("it writes text"),
            err: String::from_utf8(output.stderr).expect("it writes text"),
        };
        assert!(ran.status == Some(status), "expected the status {status}\n{ran}");
        assert!(!ran.err.contains("panicked") && !ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{ran}");
        ran
    }
}

impl Ran {
    /// Its output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("this is not JSON: {error}\n{self}"))
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, status, out, err } = self;
        write!(f, "--- {command}\n--- ended with {status:?}\n--- standard output\n{out}\n--- standard error\n{err}")
    }
}
