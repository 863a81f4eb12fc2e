//! The options of a command: `--name value`, in any order.

use std::collections::HashMap;
use std::error::Error;
use std::str::FromStr;

/// See the module.
pub(crate) struct Options(HashMap<String, String>);

type Failure = Box<dyn Error + Send + Sync>;

impl Options {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut values = HashMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("{word} is no option"))?;
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            values.insert(name.to_owned(), value);
        }
        Ok(Self(values))
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, Failure> {
        Ok(self.0.get(name).ok_or_else(|| format!("--{name} is missing"))?)
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<T, Failure> {
        self.text(name)?.parse().map_err(|_| format!("--{name} is a number").into())
    }

    pub(crate) fn number_or<T: FromStr>(&self, name: &str, default: T) -> Result<T, Failure> {
        if self.0.contains_key(name) { self.number(name) } else { Ok(default) }
    }
}
